"""The graphs inside a node: the bodies of MXNet's control flow, kept as the JSON of the file that they came from."""

import json
from functools import lru_cache
from typing import Any


@lru_cache(maxsize=256)
def subgraph_sizes(text: str) -> tuple[int, ...]:
    """Return how many nodes each graph has, with those in graphs inside it; ValueError where the text is none."""
    graphs = json.loads(text) if text else []
    if not isinstance(graphs, list):
        raise ValueError("subgraphs must be a list")
    return tuple(map(_size, graphs))


def _size(graph: Any) -> int:
    nodes = graph.get("nodes") if isinstance(graph, dict) else None
    if not isinstance(nodes, list) or not all(isinstance(node, dict) for node in nodes):
        raise ValueError("a subgraph must be an object with nodes")
    return len(nodes) + sum(_size(inner) for node in nodes for inner in node.get("subgraphs", ()))

"""Ways along the wires: ranks only make the answer quicker."""

import random
from itertools import pairwise

import networkx
import pytest

from app.document.records import Edge
from app.document.topology import Topology, topology
from tests.boards import mlp


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("forwards", [True, False])
def test_a_way_is_found_where_there_is_one_and_is_a_shortest(seed: int, forwards: bool) -> None:
    """With wires in any direction there are circles too, and nodes that have no rank."""
    chance = random.Random(seed)
    pairs = {tuple(chance.sample(range(14), 2)) for _ in range(16)}
    pairs = {(min(pair), max(pair)) for pair in pairs} if forwards else pairs
    edges = {f"e{k}": Edge(f"e{k}", f"n{a}", 0, f"n{b}", k) for k, (a, b) in enumerate(sorted(pairs))}
    wires = Topology(edges)
    graph = networkx.DiGraph((edge.source, edge.target) for edge in edges.values())
    graph.add_nodes_from(f"n{node}" for node in range(14))
    assert wires.has_circle is not networkx.is_directed_acyclic_graph(graph)
    for first in graph:
        for last in graph:
            way = wires.path(first, last)
            if not networkx.has_path(graph, first, last):
                assert way == []
                continue
            assert len(way) == networkx.shortest_path_length(graph, first, last) + 1
            assert (way[0], way[-1]) == (first, last)
            assert all(graph.has_edge(*step) for step in pairwise(way))


def test_ranks_spare_the_search() -> None:
    edges = {f"e{k}": Edge(f"e{k}", f"n{k}", 0, f"n{k + 1}", 0) for k in range(50)}
    wires = Topology(edges)
    assert wires.path("n3", "n3") == ["n3"]
    wires.outgoing.clear()  # whoever searched now would find nothing, and need not
    assert wires.path("n40", "n2") == []


def test_what_a_selection_feeds_what_feeds_it_and_all_that_hangs_together() -> None:
    board = mlp()
    alone = board.add("exp", "alone")
    data, fc1, relu, fc2, softmax = (board.find(name) for name in ("data", "fc1", "relu1", "fc2", "softmax"))
    wires = topology(board.document)
    assert wires.downstream([relu]) == {relu, fc2, softmax}
    assert wires.upstream([relu]) == {data, fc1, relu}
    assert wires.connected([relu]) == {data, fc1, relu, fc2, softmax}
    assert wires.connected([alone]) == wires.downstream([alone]) == wires.upstream([alone]) == {alone}

"""The text of a symbol file as it stands there: nodes, entries and version, checked but not yet understood."""

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import attrs

from app.engine.errors import FormatError, GraphError
from app.engine.graph import Entry
from app.engine.operator import MOST_PORTS

_TOP_KEYS = {"nodes", "arg_nodes", "heads", "node_row_ptr", "attrs"}
_TOP_NEEDED = ("nodes", "arg_nodes", "heads")
_NODE_KEYS = {
    "op",
    "name",
    "inputs",
    "attrs",
    "attr",
    "param",
    "backward_source_id",
    "control_deps",
    "subgraphs",
}
_NODE_NEEDED = {"op", "name", "inputs"}
_NODE_USUAL = _NODE_NEEDED | {"attrs"}
_DEEPEST = 50
"""How deep graphs may lie in nodes of each other."""
_TEXT, _WHOLE = frozenset((str,)), frozenset((int,))  # True and False are of another type


@attrs.define
class RawNode:
    """One node as the file has it; `subgraphs` is JSON."""

    op: str
    name: str
    attributes: dict[str, str]
    inputs: list[Entry]
    control_deps: Sequence[int] = ()
    subgraphs: str = ""

    @property
    def needs(self) -> list[Entry]:
        """What must be there before the node: what it reads, and what it waits for."""
        return (
            [*self.inputs, *((other, 0) for other in self.control_deps)] if self.control_deps else self.inputs
        )


@attrs.frozen
class RawSymbol:
    """What a file holds; `counts` are the numbers of outputs of its nodes, where it tells them."""

    nodes: Sequence[RawNode]
    heads: Sequence[Entry]
    version: int
    counts: Mapping[int, int]


def parse(text: str) -> RawSymbol:
    """Take a symbol file apart; FormatError tells what in it is none, GraphError what points at no node."""
    data = _load(text)
    count = len(data["nodes"])
    nodes = [_raw_node(item, number, count) for number, item in enumerate(data["nodes"])]
    heads = [_entry(item, "a head", count) for item in _list(data["heads"], "heads")]
    if not heads:
        raise FormatError("The file has no heads, so it computes nothing.")
    return RawSymbol(nodes, heads, _version(data), _counts(data))


def file_version(text: str) -> int:
    """Return the version of MXNet that wrote a symbol file (10901 is 1.9.1), 800 where it does not say."""
    return _version(_load(text))


def _load(text: str) -> dict[str, Any]:
    try:
        data: dict[str, Any] = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"This is no symbol file: {error}.") from error
    _check_keys(data, "This is no symbol file")
    return data


def _check_keys(data: Any, complaint: str) -> None:
    if not isinstance(data, dict):
        raise FormatError(f"{complaint}: it holds no object with nodes and heads.")
    for key in _TOP_NEEDED:
        if key not in data:
            raise FormatError(f"{complaint}: it has no {key!r}.")
    unknown = set(data) - _TOP_KEYS
    if unknown:
        raise FormatError(f"{complaint}: MXNet knows no {min(unknown)!r} in it.")
    _list(data["nodes"], "nodes")


def _version(data: Mapping[str, Any]) -> int:
    """Return the version number under which the file was saved."""
    facts = data.get("attrs")
    if facts is None:
        return 800
    fact = facts.get("mxnet_version") if isinstance(facts, dict) else None
    if fact is None:
        return 800
    if not (isinstance(fact, list) and len(fact) == 2 and isinstance(fact[1], int)):
        raise FormatError("This is no symbol file: its mxnet_version is not a number.")
    return fact[1]


def _check_node_keys(item: Any, number: int) -> None:
    if not isinstance(item, dict):
        raise FormatError(f"Node {number} of the file is no object.")
    keys = item.keys()
    if keys in (_NODE_NEEDED, _NODE_USUAL):
        return
    if not keys >= _NODE_NEEDED:
        missing = min(_NODE_NEEDED - keys)
        raise FormatError(f"Node {number} of the file has no {missing!r}.")
    if not keys <= _NODE_KEYS:
        raise FormatError(f"Node {number} of the file has an unknown key {min(keys - _NODE_KEYS)!r}.")


def _raw_node(item: Any, number: int, count: int, depth: int = 0) -> RawNode:
    """Check one node of so many, in a graph that lies so deep in others."""
    _check_node_keys(item, number)
    op, name, sources = item["op"], item["name"], item["inputs"]
    if not isinstance(op, str) or not isinstance(name, str):
        raise FormatError(f"Node {number} of the file has no operator or name in words.")
    attributes: dict[str, str]
    if "attr" not in item:
        attributes = _texts(item["attrs"], name) if "attrs" in item else {}
    else:  # MXNet forgets the first of attr and attrs where a node has both
        attributes = _texts(item[[key for key in item if key in ("attr", "attrs")][-1]], name)
    if "param" in item:
        attributes = {**_texts(item["param"], name), **attributes}
    if not isinstance(sources, list):
        raise FormatError(f"The inputs of {name} of the file are no list.")
    node = RawNode(op, name, attributes, [_entry(source, name, None) for source in sources])
    if "control_deps" in item:
        node.control_deps = _control_deps(item["control_deps"], name, count)
    if "subgraphs" in item:
        node.subgraphs = _subgraphs(item["subgraphs"], name, depth)
    return node


def _control_deps(value: Any, name: str, count: int) -> list[int]:
    numbers = _list(value, f"control_deps of {name}")
    if not _WHOLE.issuperset(map(type, numbers)) or not all(0 <= number < count for number in numbers):
        raise GraphError(f"The control_deps of {name} must be numbers of nodes.", node=name)
    return numbers


def _subgraphs(value: Any, name: str, depth: int) -> str:
    """Return the graphs inside a node as JSON; nothing where it has none."""
    graphs = _list(value, f"subgraphs of {name}")
    if graphs and depth == _DEEPEST:
        raise FormatError(f"The subgraphs of {name} lie too deep in each other.", node=name)
    for graph in graphs:
        _check_keys(graph, f"A subgraph of {name} is no graph")
        for number, inner in enumerate(graph["nodes"]):
            _raw_node(inner, number, len(graph["nodes"]), depth + 1)
    return json.dumps(graphs) if graphs else ""


def _counts(data: Mapping[str, Any]) -> dict[int, int]:
    """Return how many outputs the file says each node has; nothing where it is silent or makes no sense."""
    starts = data.get("node_row_ptr")
    if not isinstance(starts, list) or len(starts) != len(data["nodes"]) + 1:
        return {}
    if not all(type(start) is int for start in starts):
        return {}
    counts = {number: after - start for number, (start, after) in enumerate(pairwise(starts))}
    return {number: count for number, count in counts.items() if 0 < count <= MOST_PORTS}


def _texts(value: Any, node: str) -> dict[str, str]:
    if not isinstance(value, dict) or not _TEXT.issuperset(map(type, value.values())):
        raise FormatError(f"The attributes of {node} must be texts.", node=node)
    return value


def _list(value: Any, what: str) -> list[Any]:
    if not isinstance(value, list):
        raise FormatError(f"The {what} of the file are no list.")
    return value


def _entry(value: Any, what: str, count: int | None) -> Entry:
    numbers = value if isinstance(value, list) else []
    if len(numbers) not in (2, 3) or not _WHOLE.issuperset(map(type, numbers)):
        raise FormatError(f"An input of {what} must be two or three numbers, not {str(value)[:40]}.")
    if count is not None and not 0 <= numbers[0] < count:
        raise GraphError(f"{what} points at node {numbers[0]}, but there are only {count}.")
    return numbers[0], numbers[1]

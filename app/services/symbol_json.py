"""MXNet's symbol JSON of every age, read into a symbol and written back."""

import gc
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import attrs

from app.document.reading import read_node
from app.document.records import Node
from app.engine.compose import Head, SymbolNode, check_arity, check_outputs, missing_input
from app.engine.errors import EngineError, FormatError, GraphError
from app.engine.graph import (
    VARIABLE_OP,
    Entry,
    find_cycle,
    topological_order,
)
from app.engine.old_pooling import as_it_was
from app.engine.opaque import Opaque
from app.engine.operator import MOST_PORTS, Operator, Port
from app.engine.registry import all_operators, find_operator
from app.engine.symbol import Symbol

WRITTEN_VERSION = 10901
FIRST_WITH_GRAPH_PASS = (
    900  # 0.9.0: before it parameters and free attributes lay apart, auxiliary inputs were unwritten
)
FIRST_WITHOUT_INIT = 904
FIRST_WITH_LAST_AXIS = 905

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
_TEXT, _WHOLE = frozenset((str,)), frozenset((int,))  # True and False are of another type
_MULTIPLIERS = ("ctx_group", "lr_mult", "wd_mult", "force_mirroring", "mirror_stage")


@attrs.define
class _RawNode:
    """One node as the file has it."""

    op: str
    name: str
    attributes: dict[str, str]
    inputs: list[Entry]


@attrs.frozen
class _File:
    """What a file holds.

    `last_read` is by node the highest number of an output that anything reads, `counts` the number of outputs that the
    file itself tells. With `lenient`, what is wrong with a node is left to the document to show.
    """

    nodes: Sequence[_RawNode]
    heads: Sequence[Entry]
    version: int
    last_read: Mapping[int, int]
    counts: Mapping[int, int]
    lenient: bool


def read_symbol(text: str, *, repair: bool = False, lenient: bool = False) -> Symbol:
    """Read a symbol from the text of a symbol file; an operator that is not known becomes an opaque node.

    FormatError when the text is no symbol file; GraphError or ParameterError, with the node, when its graph is wrong.
    With `repair`, pooling in a file from before MXNet 0.8 rounds up, as it did then. With `lenient`, a node whose
    settings or inputs are wrong is read as well as may be, for a document to show.
    """
    with uncollected():
        return _read(_parse(text), repair=repair, lenient=lenient)


def _read(data: Mapping[str, Any], *, repair: bool, lenient: bool) -> Symbol:
    version = _version(data)
    raw = [_raw_node(item, number) for number, item in enumerate(data["nodes"])]
    heads = [_entry(item, "a head", len(raw)) for item in _list(data["heads"], "heads")]
    if not heads:
        raise FormatError("The file has no heads, so it computes nothing.")
    last_read = _last_read(raw, heads)
    cycle = find_cycle([node.inputs for node in raw])
    if cycle:
        names = " → ".join(raw[index].name for index in (*cycle, cycle[0]))
        raise GraphError(f"The graph goes round in a circle: {names}.", node=raw[cycle[0]].name)
    if version < WRITTEN_VERSION:
        _lift_multipliers(raw)
    if repair and version < FIRST_WITH_GRAPH_PASS:
        _round_pooling_up(raw)
    if version < FIRST_WITHOUT_INIT:
        _say_first_values(raw)
    order = topological_order([node.inputs for node in raw], [(number, 0) for number in range(len(raw))])
    return _build(_File(raw, heads, version, last_read, _counts(data), lenient), order)


@contextmanager
def uncollected() -> Iterator[None]:
    """Keep Python from looking for garbage meanwhile: whatever a file is read into stays, and there is much of it."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def write_symbol(symbol: Symbol) -> str:
    """Write a symbol as MXNet 1.9.1 does: sorted attribute keys, texts, two-space indent."""
    graph = symbol.graph
    nodes = []
    row_ptr = [0]
    for node in graph.nodes:
        item: dict[str, Any] = {"op": node.op_name, "name": node.name}
        if node.attributes:
            item["attrs"] = dict(sorted(node.attributes.items()))
        item["inputs"] = [[source, number, 0] for source, number in node.inputs]
        nodes.append(item)
        row_ptr.append(row_ptr[-1] + node.output_count)
    data = {
        "nodes": nodes,
        "arg_nodes": [index for index, node in enumerate(graph.nodes) if node.is_variable],
        "node_row_ptr": row_ptr,
        "heads": [[index, number, 0] for index, number in graph.heads],
        "attrs": {"mxnet_version": ["int", WRITTEN_VERSION]},
    }
    return json.dumps(data, indent=2)


def file_version(text: str) -> int:
    """Return the version of MXNet that wrote a symbol file (10901 is 1.9.1), 800 where it does not say."""
    return _version(_parse(text))


def _parse(text: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"This is no symbol file: {error}.") from error
    if not isinstance(data, dict):
        raise FormatError("This is no symbol file: it holds no object with nodes and heads.")
    for key in _TOP_NEEDED:
        if key not in data:
            raise FormatError(f"This is no symbol file: it has no {key!r}.")
    unknown = set(data) - _TOP_KEYS
    if unknown:
        raise FormatError(f"This is no symbol file: MXNet knows no {min(unknown)!r} in it.")
    _list(data["nodes"], "nodes")
    return data


def _version(data: Mapping[str, Any]) -> int:
    """Return the version number under which the file was saved."""
    facts = data.get("attrs")
    if facts is None:
        return 800
    entry = facts.get("mxnet_version") if isinstance(facts, dict) else None
    if entry is None:
        return 800
    if not (isinstance(entry, list) and len(entry) == 2 and isinstance(entry[1], int)):
        raise FormatError("This is no symbol file: its mxnet_version is not a number.")
    return entry[1]


def _raw_node(item: Any, number: int) -> _RawNode:
    if not isinstance(item, dict):
        raise FormatError(f"Node {number} of the file is no object.")
    if not item.keys() >= _NODE_NEEDED:
        missing = min(_NODE_NEEDED - item.keys())
        raise FormatError(f"Node {number} of the file has no {missing!r}.")
    if not item.keys() <= _NODE_KEYS:
        raise FormatError(f"Node {number} of the file has an unknown key {min(item.keys() - _NODE_KEYS)!r}.")
    op, name, sources = item["op"], item["name"], item["inputs"]
    if not isinstance(op, str) or not isinstance(name, str):
        raise FormatError(f"Node {number} of the file has no operator or name in words.")
    attributes: dict[str, str] = {}
    for key in item:  # MXNet forgets the first of attr and attrs where a node has both
        if key in ("attr", "attrs"):
            attributes = _texts(item[key], name)
    if "param" in item:
        attributes = {**_texts(item["param"], name), **attributes}
    if not isinstance(sources, list):
        raise FormatError(f"The inputs of {name} of the file are no list.")
    return _RawNode(op, name, attributes, [_entry(entry, name, None) for entry in sources])


def _last_read(raw: Sequence[_RawNode], heads: Sequence[Entry]) -> dict[int, int]:
    """Return by node the highest number of an output that is read, and refuse inputs that are no nodes or outputs."""
    found = dict.fromkeys(range(len(raw)), 0)
    for reader, (source, output) in (
        *((node.name, entry) for node in raw for entry in node.inputs),
        *(("a head", head) for head in heads),
    ):
        if not 0 <= source < len(raw):
            raise GraphError(f"{reader} reads node {source}, but there are only {len(raw)}.", node=reader)
        if not 0 <= output < MOST_PORTS:
            name = raw[source].name
            raise GraphError(f"{reader} reads output {output} of {name}, which cannot have it.", node=name)
        found[source] = max(found[source], output)
    return found


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


def _lift_multipliers(raw: Sequence[_RawNode]) -> None:
    """Move the bare multiplier keys of older files: `lr_mult` to `__lr_mult__`, `weight_lr_mult` to the weight's.

    A key that names no variable at an input stays, and is refused where its operator has parameters.
    """
    ports: dict[int, list[str]] = {}
    for number, node in enumerate(raw):
        if node.op != VARIABLE_OP and node.op not in all_operators():
            continue  # nobody knows what the keys of an unknown operator mean
        for key in [key for key in node.attributes if key.endswith(_MULTIPLIERS)]:
            found = next((word for word in _MULTIPLIERS if key == word or key.endswith(f"_{word}")), None)
            if found is None:
                continue
            if key == found:
                node.attributes[f"__{found}__"] = node.attributes.pop(key)
                continue
            names = ports.setdefault(number, [port.name for port in _ports(node)])
            port = key.removesuffix(f"_{found}")
            if port in names[: len(node.inputs)]:
                target = raw[node.inputs[names.index(port)][0]]
                if target.op == VARIABLE_OP:
                    target.attributes[f"__{found}__"] = node.attributes.pop(key)


def _say_first_values(raw: Sequence[_RawNode]) -> None:
    """Let variables that have an initialiser by their use say so, which files of this age leave out."""
    for node in raw:
        for (source, _), port in zip(node.inputs, _ports(node), strict=False):
            if raw[source].op == VARIABLE_OP:
                raw[source].attributes = {**port.made_with, **raw[source].attributes}


def _round_pooling_up(raw: Sequence[_RawNode]) -> None:
    for node in raw:
        try:
            old = as_it_was(node.op, node.attributes)
        except EngineError as error:
            raise error.at(node.name) from None
        if old is not None:
            node.op, node.attributes = old.op_name, dict(old.attributes)


def _ports(node: _RawNode) -> tuple[Port, ...]:
    if node.op == VARIABLE_OP:
        return ()
    clean = {key: value for key, value in node.attributes.items() if not key.endswith(_MULTIPLIERS)}
    try:
        return find_operator(node.op).from_attributes(clean).ports
    except EngineError:
        return ()  # the real reason is told when the node itself is read


def _build(file: _File, order: Sequence[int]) -> Symbol:
    made: dict[int, SymbolNode] = {}
    for number in order:
        node = file.nodes[number]
        operator = _read_operator(file, number)
        inputs: tuple[Head, ...] = tuple([(made[source], output) for source, output in node.inputs])
        if operator is not None and file.version < FIRST_WITH_GRAPH_PASS:
            ports = operator.ports[len(inputs) :]
            inputs += tuple(_added_input(node, port, file.version) for port in ports)
        made[number] = SymbolNode(node.name, node.op, operator, node.attributes, inputs)
        if not file.lenient:
            check_arity(made[number])
    if not file.lenient:
        for node in file.nodes:
            check_outputs(made, node.inputs, node.name)
        check_outputs(made, file.heads, "a head")
    return Symbol([(made[number], output) for number, output in file.heads])


def _added_input(node: _RawNode, port: Any, version: int) -> Head:
    variable, output = missing_input(node.name, port, node.attributes)
    if version >= FIRST_WITHOUT_INIT:
        variable = attrs.evolve(
            variable, attributes={k: v for k, v in variable.attributes.items() if k != "__init__"}
        )
    return variable, output


def _read_operator(file: _File, number: int) -> Operator | None:
    node = file.nodes[number]
    if node.op == VARIABLE_OP:
        return None
    if (
        file.version < FIRST_WITH_LAST_AXIS
        and node.op in ("argmax", "argmin")
        and node.attributes.get("axis") == "-1"
    ):
        del node.attributes["axis"]  # until 0.9.4 the last axis meant no axis at all
    if node.op not in all_operators():
        return _opaque(file, number)
    try:
        return find_operator(node.op).from_attributes(node.attributes)
    except EngineError as error:
        if not file.lenient:
            raise error.at(node.name) from None
    stand_in = read_node(Node("", node.op, node.name, params=node.attributes)).operator
    return stand_in or _opaque(file, number)


def _opaque(file: _File, number: int) -> Opaque:
    """Make what stands for an operator that is not known, with the inputs and outputs that the file tells of."""
    visible = 1 + file.last_read.get(number, 0)
    return Opaque(len(file.nodes[number].inputs), visible, max(0, file.counts.get(number, 0) - visible))

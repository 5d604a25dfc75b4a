"""MXNet's symbol JSON of every age, read into a symbol and written back."""

import gc
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import attrs

from app.document.reading import read_node
from app.document.records import Node
from app.engine.compose import Head, SymbolNode, check_arity, check_outputs, missing_input
from app.engine.errors import EngineError, GraphError
from app.engine.graph import VARIABLE_OP, find_cycle, points_forward, topological_order
from app.engine.opaque import Opaque
from app.engine.operator import MOST_PORTS, Operator
from app.engine.registry import all_operators, find_operator
from app.engine.symbol import Symbol
from app.services.symbol_ages import (
    FIRST_WITH_GRAPH_PASS,
    FIRST_WITHOUT_INIT,
    lift_multipliers,
    mend,
    say_first_values,
)
from app.services.symbol_raw import RawNode, RawSymbol, parse

WRITTEN_VERSION = 10901
FIRST_WITH_LAST_AXIS = 905


@attrs.frozen
class _Reading:
    """What is to be built: a file, and by node the highest number of an output that anything reads.

    With `lenient`, what is wrong with a node is left to the document to show.
    """

    file: RawSymbol
    last_read: Mapping[int, int]
    lenient: bool


def read_symbol(text: str, *, repair: bool = False, lenient: bool = False) -> Symbol:
    """Read a symbol from the text of a symbol file; an operator that is not known becomes an opaque node.

    FormatError when the text is no symbol file; GraphError or ParameterError, with the node, when its graph is wrong.
    With `repair`, what older builds of MXNet wrote otherwise is mended (`engine/repairs`). With `lenient`, a node whose
    settings or inputs are wrong is read as well as may be, for a document to show.
    """
    with uncollected():
        return _read(parse(text), repair=repair, lenient=lenient)


def _read(file: RawSymbol, *, repair: bool, lenient: bool) -> Symbol:
    nodes, version = file.nodes, file.version
    reading = _Reading(file, _last_read(file), lenient)
    needs = [node.needs for node in nodes]
    is_in_order = points_forward(needs)
    cycle = [] if is_in_order else find_cycle(needs)
    if cycle:
        names = " → ".join(nodes[index].name for index in (*cycle, cycle[0]))
        raise GraphError(f"The graph goes round in a circle: {names}.", node=nodes[cycle[0]].name)
    if repair:
        mend(nodes, version)
    if version < WRITTEN_VERSION:
        lift_multipliers(nodes)
    if version < FIRST_WITHOUT_INIT:
        say_first_values(nodes)
    places = range(len(nodes))
    return _build(
        reading, places if is_in_order else topological_order(needs, [(place, 0) for place in places])
    )


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
    graph, known = symbol.graph, all_operators()
    nodes = []
    row_ptr = [0]
    for node in graph.nodes:
        own = known.get(node.op_name)  # MXNet forgets the alias under which a node was made
        item: dict[str, Any] = {"op": node.op_name if own is None else own.op_name, "name": node.name}
        if node.attributes:
            item["attrs"] = dict(sorted(node.attributes.items()))
        item["inputs"] = [[source, number, 0] for source, number in node.inputs]
        if node.control_deps:
            item["control_deps"] = list(node.control_deps)
        if node.subgraphs:
            item["subgraphs"] = json.loads(node.subgraphs)
        nodes.append(item)
        operator = node.operator
        count = node.output_count if operator is None else len(operator.outputs) + operator.hidden_in_files
        row_ptr.append(row_ptr[-1] + count)
    data = {
        "nodes": nodes,
        "arg_nodes": [index for index, node in enumerate(graph.nodes) if node.is_variable],
        "node_row_ptr": row_ptr,
        "heads": [[index, number, 0] for index, number in graph.heads],
        "attrs": {"mxnet_version": ["int", WRITTEN_VERSION]},
    }
    return json.dumps(data, indent=2)


def _last_read(file: RawSymbol) -> dict[int, int]:
    """Return by node the highest number of an output that is read, and refuse inputs that are no nodes or outputs."""
    raw = file.nodes
    count = len(raw)
    found = dict.fromkeys(range(count), 0)
    readers = [*((node.name, node.inputs) for node in raw), ("a head", file.heads)]
    for reader, entries in readers:
        for source, output in entries:
            if not output and 0 <= source < count:
                continue  # the usual case
            if not 0 <= source < count:
                raise GraphError(f"{reader} reads node {source}, but there are only {count}.", node=reader)
            if not 0 <= output < MOST_PORTS:
                name = raw[source].name
                raise GraphError(
                    f"{reader} reads output {output} of {name}, which cannot have it.", node=name
                )
            found[source] = max(found[source], output)
    return found


def _build(reading: _Reading, order: Sequence[int]) -> Symbol:
    file = reading.file
    made: dict[int, SymbolNode] = {}
    for number in order:
        node = file.nodes[number]
        operator = _read_operator(reading, number)
        inputs: tuple[Head, ...] = tuple([(made[source], output) for source, output in node.inputs])
        if operator is not None and file.version < FIRST_WITH_GRAPH_PASS:
            ports = operator.ports[len(inputs) :]
            inputs += tuple(_added_input(node, port, file.version) for port in ports)
        waits_for = tuple([made[other] for other in node.control_deps]) if node.control_deps else ()
        made[number] = SymbolNode(
            node.name, node.op, operator, node.attributes, inputs, waits_for, node.subgraphs
        )
        if not reading.lenient:
            check_arity(made[number])
    if not reading.lenient:
        for node in file.nodes:
            check_outputs(made, node.inputs, node.name)
        check_outputs(made, file.heads, "a head")
    return Symbol([(made[number], output) for number, output in file.heads])


def _added_input(node: RawNode, port: Any, version: int) -> Head:
    variable, output = missing_input(node.name, port, node.attributes)
    if version >= FIRST_WITHOUT_INIT:
        variable = attrs.evolve(
            variable, attributes={k: v for k, v in variable.attributes.items() if k != "__init__"}
        )
    return variable, output


def _read_operator(reading: _Reading, number: int) -> Operator | None:
    file, node = reading.file, reading.file.nodes[number]
    if node.op == VARIABLE_OP:
        return None
    if (
        file.version < FIRST_WITH_LAST_AXIS
        and node.op in ("argmax", "argmin")
        and node.attributes.get("axis") == "-1"
    ):
        del node.attributes["axis"]  # until 0.9.4 the last axis meant no axis at all
    if node.op not in all_operators():
        return _opaque(reading, number)
    try:
        return find_operator(node.op).from_attributes(node.attributes)
    except EngineError as error:
        if not reading.lenient:
            raise error.at(node.name) from None
    stand_in = read_node(Node("", node.op, node.name, params=node.attributes)).operator
    return stand_in or _opaque(reading, number)


def _opaque(reading: _Reading, number: int) -> Opaque:
    """Make what stands for an operator that is not known, with the inputs and outputs that the file tells of."""
    file = reading.file
    visible = 1 + reading.last_read.get(number, 0)
    return Opaque(len(file.nodes[number].inputs), visible, max(0, file.counts.get(number, 0) - visible))

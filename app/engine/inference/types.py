"""Type inference: one element type flows through element-wise operators in both directions."""

from collections.abc import Mapping

import numpy as np

from app.engine.errors import EngineError
from app.engine.graph import Graph
from app.engine.operator import DType, Operator

FLOAT32: DType = np.dtype(np.float32)
NUMBERS = ("float32", "float64", "float16", "uint8", "int32", "int8", "int64", "bool")
"""MXNet's type numbers are the places in this list."""

Misfit = tuple[int, str, str | None]  # node, sentence, port
Found = list[list[DType | None]]


def infer_types(
    graph: Graph, given: Mapping[str, DType]
) -> tuple[tuple[tuple[DType | None, ...], ...], list[Misfit]]:
    """Find the type of every array; variables that nothing decides become float32, in order.

    Returns the types per node and output, and what does not fit as (node, sentence, port).
    """
    found: Found = [[None] * node.output_count for node in graph.nodes]
    for index, node in enumerate(graph.nodes):
        if node.is_variable:
            found[index][0] = given[node.name] if node.name in given else _declared(node.attributes)
    misfits: dict[int, Misfit] = {}
    _sweep(graph, found, misfits)
    while (undecided := _first_open_variable(graph, found)) is not None:
        # Give float32 to all that stand open before their readers speak: one sweep decides nearly every graph.
        found[undecided][0] = FLOAT32
        _sweep(graph, found, misfits)
    return tuple(map(tuple, found)), [misfits[index] for index in sorted(misfits)]


def all_float32(graph: Graph, given: Mapping[str, DType]) -> tuple[tuple[DType | None, ...], ...] | None:
    """Return the types of a graph in which nobody asks for anything but float32; else None."""
    nodes = graph.nodes
    told = [*given.values(), *(_declared(nodes[index].attributes) for index in graph.wiring.declaring)]
    if any(kind is not None and kind != FLOAT32 for kind in told):
        return None
    found = [(FLOAT32,) if node.operator is None else _among_float32(node.operator) for node in nodes]
    return tuple(found) if all(found) else None


def _among_float32(operator: Operator) -> tuple[DType | None, ...]:
    """Return the types of an operator's outputs where it wants and shows nothing but float32; else nothing."""
    found: tuple[DType | None, ...] | None = operator.memory.get(_among_float32)
    if found is None:
        found = operator.memory[_among_float32] = _types_among_float32(operator)
    return found


def _types_among_float32(operator: Operator) -> tuple[DType | None, ...]:
    ports, visible = len(operator.ports), len(operator.outputs)
    outs = [None] * (visible + len(operator.hidden))
    try:
        unasked, free = operator.infer_types([None] * ports, outs)
        wanted, made = operator.infer_types([FLOAT32] * ports, outs)
    except EngineError:
        return ()
    if any(kind is not None and kind != FLOAT32 for kind in (*unasked, *free[:visible])):
        return ()
    if any(kind is None or kind != FLOAT32 for kind in (*wanted, *made[:visible])):
        return ()
    return tuple(made)


def _declared(attributes: Mapping[str, str]) -> DType | None:
    number = attributes.get("__dtype__", "")
    return np.dtype(NUMBERS[int(number)]) if number.isdigit() and int(number) < len(NUMBERS) else None


def _first_open_variable(graph: Graph, found: Found) -> int | None:
    for index, node in enumerate(graph.nodes):
        if node.is_variable and found[index][0] is None:
            return index
    return None


def _sweep(graph: Graph, found: Found, misfits: dict[int, Misfit]) -> None:
    """Apply every node's type rule until nothing changes."""
    changed = True
    while changed:
        changed = False
        for index, node in enumerate(graph.nodes):
            if node.operator is None or index in misfits:
                continue
            ins = [found[source][number] for source, number in node.inputs]
            try:
                new_ins, new_outs = node.operator.infer_types(ins, found[index])
            except EngineError as error:
                misfits[index] = (index, f"{node.name} ({node.op_name}): {error.sentence}", error.port)
                continue
            for number, kind in enumerate(new_outs):
                if kind is not None and found[index][number] is None:
                    found[index][number] = kind
                    changed = True
            for (source, number), kind in zip(node.inputs, new_ins, strict=True):
                if kind is not None and found[source][number] is None:
                    found[source][number] = kind
                    changed = True

"""Type inference: one element type flows through element-wise operators in both directions."""

from collections.abc import Mapping, Sequence

import numpy as np

from app.engine.errors import EngineError
from app.engine.graph import Graph, GraphNode
from app.engine.operator import DType

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


def follow_types(
    graph: Graph, given: Mapping[str, DType], before: Sequence[Sequence[DType | None]], edited: Sequence[int]
) -> tuple[tuple[DType | None, ...], ...] | None:
    """Return the types after an edit of a graph in which everything was float32, and still is; else None."""
    told = [kind for node in graph.nodes if node.is_variable for kind in _told(node, given)]
    if {kind for kinds in before for kind in kinds} != {FLOAT32} or any(kind != FLOAT32 for kind in told):
        return None
    for index in edited:
        node = graph.nodes[index]
        assert node.operator is not None
        try:
            ins, outs = node.operator.infer_types([FLOAT32] * len(node.inputs), [None] * node.output_count)
        except EngineError:
            return None
        if {*ins, *outs} != {FLOAT32}:
            return None
    return tuple((FLOAT32,) * node.output_count for node in graph.nodes)


def _told(node: GraphNode, given: Mapping[str, DType]) -> list[DType]:
    """List what is said of a variable's type; None is left out, which numpy would take for float64."""
    return [kind for kind in (given.get(node.name), _declared(node.attributes)) if kind is not None]


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

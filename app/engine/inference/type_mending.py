"""What would mend a misfit of element types: a type at its source, or a Cast at an input, tried on the whole graph."""

from collections.abc import Iterable, Iterator, Mapping

import attrs
import numpy as np

from app.engine.errors import EngineError
from app.engine.graph import Entry, Graph, GraphNode
from app.engine.inference.mends import MOST_OFFERS, Mend
from app.engine.inference.solver import Problem
from app.engine.inference.types import FLOAT32, Typing, infer_types, origin, type_setting
from app.engine.operator import DType
from app.engine.registry import find_operator

_CAST = "Cast"


def mend_types(graph: Graph, given: Mapping[str, DType], types: Typing, problem: Problem) -> tuple[Mend, ...]:
    """Return changes after which the types of a node's inputs fit and no fewer elsewhere, at most two."""
    index = problem.index
    entries = graph.nodes[index].inputs
    kinds = {kind for source, number in entries if (kind := types.found[source][number]) is not None}
    wanted = [
        (number, target)
        for target in sorted(kinds, key=_breadth, reverse=True)
        for number, (source, output) in enumerate(entries)
        if (kind := types.found[source][output]) is not None and kind != target  # numpy: float64 == None
    ]
    return _helpful(graph, given, problem, len(types.problems), _changes(graph, types, index, wanted))


def mend_whole_numbers(graph: Graph, given: Mapping[str, DType], types: Typing, index: int) -> list[str]:
    """Say what would make the inputs of a node floating where they are not, in at most two ways."""
    node = graph.nodes[index]
    wanted = [
        (number, FLOAT32)
        for number, (source, output) in enumerate(node.inputs)
        if (kind := types.found[source][output]) is not None and kind.kind != "f"
    ]
    problem = Problem(node.name, "", index=index)
    single = _helpful(graph, given, problem, 1, _changes(graph, types, index, wanted))
    if single or not wanted or node.operator is None:
        return [mend.words for mend in single]
    ports = [node.operator.ports[number].name for number, _ in wanted]
    return [f"put a Cast to {FLOAT32} before each of the inputs {', '.join(ports)} of {node.name}"]


def _breadth(kind: DType) -> tuple[bool, int]:
    """Order types by how much they can hold: floating ones last."""
    return kind.kind == "f", kind.itemsize


def _changes(graph: Graph, types: Typing, index: int, wanted: Iterable[tuple[int, DType]]) -> Iterator[Mend]:
    """Go through changes that give inputs of a node other types."""
    for number, target in wanted:
        yield from _at_the_source(graph, types, graph.nodes[index].inputs[number], target)
        yield _cast(graph, index, number, target)


def _at_the_source(graph: Graph, types: Typing, entry: Entry, target: DType) -> Iterator[Mend]:
    """Change the variable or the setting that the type of an array comes from."""
    first = origin(graph, types, entry)
    index = first[0] if (by := types.fixed_by.get(first, -1)) < 0 else by
    node = graph.nodes[index]
    if node.operator is None:
        yield Mend("type", f"give {node.name} the type {target}", index, value=str(target))
        return
    name = type_setting(node.operator)
    try:
        changed = type(node.operator).from_attributes({**node.operator.to_attributes(), name: str(target)})
    except EngineError:
        return
    if name:
        words = f"set {name} of {node.name} to {target}"
        yield Mend("setting", words, index, name, str(target), changed=changed)


def _cast(graph: Graph, index: int, number: int, target: DType) -> Mend:
    node = graph.nodes[index]
    assert node.operator is not None
    words = f"put a Cast to {target} before input {node.operator.ports[number].name} of {node.name}"
    return Mend("cast", words, index, value=str(target), input=number)


def _helpful(
    graph: Graph, given: Mapping[str, DType], problem: Problem, before: int, candidates: Iterable[Mend]
) -> tuple[Mend, ...]:
    found: dict[str, Mend] = {}
    for mend in candidates:
        if mend.words not in found and _helps(graph, given, problem, before, mend):
            found[mend.words] = mend
            if len(found) == MOST_OFFERS:
                break
    return tuple(found.values())


def _helps(graph: Graph, given: Mapping[str, DType], problem: Problem, before: int, mend: Mend) -> bool:
    """Tell whether fewer misfits are left after a change, and none at the node."""
    node = graph.nodes[mend.node]
    at = problem.index
    if mend.kind == "type":
        given = {**given, node.name: np.dtype(mend.value)}
    elif mend.kind == "setting":
        graph = graph.with_settings(mend.node, mend.changed) if mend.changed is not None else graph
    else:
        graph = _with_cast(graph, mend)
        at += 1
    after = infer_types(graph, given).problems
    return len(after) < before and all(each.index != at for each in after)


def _with_cast(graph: Graph, mend: Mend) -> Graph:
    """Return the graph with a Cast before one input; the nodes behind move on by one."""

    def moved(entry: Entry) -> Entry:
        return (entry[0] + (entry[0] >= mend.node), entry[1])

    nodes = [attrs.evolve(node, inputs=tuple(map(moved, node.inputs))) for node in graph.nodes]
    reader = nodes[mend.node]
    source = reader.inputs[mend.input]
    texts = {"dtype": mend.value}
    cast = GraphNode("", _CAST, find_operator(_CAST).from_attributes(texts), texts, (source,))
    inputs = (*reader.inputs[: mend.input], (mend.node, 0), *reader.inputs[mend.input + 1 :])
    nodes[mend.node] = attrs.evolve(reader, inputs=inputs)
    nodes.insert(mend.node, cast)
    return Graph(tuple(nodes), tuple(map(moved, graph.heads)))

"""What the inspector says of a node: its arrays with their shapes, where these come from and why, and its cost."""

from collections.abc import Iterator
from typing import Literal

import attrs

from app.document.analysis import Analysis, ShapeText, Solved
from app.document.records import Document, Id
from app.document.subgraphs import subgraph_sizes
from app.document.topology import topology
from app.engine.compose import SymbolNode
from app.engine.costs import NodeCost, node_cost
from app.engine.graph import Entry
from app.engine.inference.reasons import Reason
from app.engine.opaque import Opaque
from app.engine.operator import Role
from app.engine.shapes import is_known

DEEPEST = 8
"""So many steps back a chain of reasons goes at most."""


@attrs.frozen
class ArrayFact:
    """One array at a node: an input, an auxiliary state or an output.

    `origin` says where it comes from ("from pool1", "given", "inferred"). `argument` is the name under which it can be
    bound when the node made it itself, else nothing.
    """

    side: Literal["input", "output"]
    number: int
    name: str
    role: Role | Literal["output"]
    shape: ShapeText
    origin: str
    argument: str = ""


@attrs.frozen
class ReasonLine:
    """One sentence of a chain of reasons, and how many steps it is away from the question."""

    depth: int
    sentence: str


def array_facts(analysis: Analysis, node_id: Id) -> list[ArrayFact]:
    """List a node's inputs, auxiliary states and outputs, in their order."""
    return [*_inputs(analysis, node_id), *_outputs(analysis, node_id)]


def _inputs(analysis: Analysis, node_id: Id) -> Iterator[ArrayFact]:
    document = analysis.document
    wires = topology(document).inputs(node_id)
    made = {one.input: one for one in analysis.auto_arguments.get(node_id, ())}
    for number, port in enumerate(analysis.ports(node_id)):
        shape = analysis.input_shape(node_id, number)
        if number in wires:
            origin = f"from {_source_name(analysis, wires[number].source, wires[number].output)}"
            yield ArrayFact("input", number, port.name, port.role, shape, origin)
        else:
            name = made[number].name if number in made else port.name
            yield ArrayFact("input", number, name, port.role, shape, _origin(shape), name)


def _outputs(analysis: Analysis, node_id: Id) -> Iterator[ArrayFact]:
    reading = analysis.drawing.readings[node_id]
    names = (
        ("value",)
        if reading.kind == "variable"
        else tuple(reading.operator.outputs)
        if reading.operator
        else ()
    )
    for number, shape in enumerate(analysis.output_shapes(node_id)):
        is_variable = reading.kind == "variable"
        origin = _origin(shape) if is_variable or not shape.shape else ""
        argument = analysis.document.nodes[node_id].name if is_variable else ""
        yield ArrayFact("output", number, names[number], "output", shape, origin, argument)


def _origin(shape: ShapeText) -> str:
    if not shape.is_known:
        return "still open"
    return "inferred" if shape.inferred else "given"


def _source_name(analysis: Analysis, source: Id, output: int) -> str:
    name = analysis.document.nodes[source].name
    return f"{name}[{output}]" if analysis.drawing.readings[source].output_count > 1 else name


def reason_lines(analysis: Analysis, node_id: Id, fact: ArrayFact) -> list[ReasonLine]:
    """Return why each dimension of an array is what it is, and below each sentence what it follows from."""
    node, number = _array(analysis, node_id, fact)
    solved = _solved(analysis, node)
    if solved is None or node is None:
        return []
    lines: list[ReasonLine] = []
    told: set[tuple[Entry, int]] = set()
    for reason in _joined(solved.inference.why((solved.places[node], number))):
        _tell(solved, reason, 0, lines, told)
    return lines


def _joined(reasons: tuple[Reason, ...]) -> list[Reason]:
    """Join neighbours that have one cause: "64, 10 because data was given as (64, 10)"."""
    joined: list[Reason] = []
    for reason in reasons:
        size, because, cause = reason.sentence.partition(" because ")
        before = joined[-1].sentence.partition(" because ") if joined else ("", "", "")
        if because and before[2] == cause:
            sources = tuple(dict.fromkeys((*joined[-1].follows_from, *reason.follows_from)))
            sentence = f"{before[0]}, {size} because {cause}"
            joined[-1] = attrs.evolve(joined[-1], sentence=sentence, follows_from=sources)
        else:
            joined.append(reason)
    return joined


def _tell(
    solved: Solved, reason: Reason, depth: int, lines: list[ReasonLine], told: set[tuple[Entry, int]]
) -> None:
    """Add a reason and then those that it follows from; what was told once is not told again."""
    said = {line.sentence for line in lines if line.depth >= depth} if depth else set()
    if reason.sentence not in said:
        lines.append(ReasonLine(depth, reason.sentence))
    if depth >= DEEPEST:
        return
    for entry, axis in reason.follows_from:
        if (entry, axis) not in told:
            told.add((entry, axis))
            _tell(solved, solved.inference.why(entry)[axis], depth + 1, lines, told)


def _array(analysis: Analysis, node_id: Id, fact: ArrayFact) -> tuple[SymbolNode | None, int]:
    """Find the symbol node that makes an array, and which of its outputs it is."""
    if fact.side == "output":
        return analysis.drawing.nodes.get(node_id), fact.number
    edge = topology(analysis.document).inputs(node_id).get(fact.number)
    if edge is not None:
        return analysis.drawing.nodes.get(edge.source), edge.output
    made = [one.node for one in analysis.drawing.self_made.get(node_id, ()) if one.input == fact.number]
    return (made[0] if made else None), 0


def _solved(analysis: Analysis, node: SymbolNode | None) -> Solved | None:
    candidates = (analysis.bound, analysis.board)
    return next(
        (one for one in candidates if one is not None and node is not None and node in one.places), None
    )


def cost_of(analysis: Analysis, node_id: Id) -> NodeCost | None:
    """Return what one forward of a node costs, None for what computes nothing here and while a shape is open."""
    node = analysis.drawing.nodes.get(node_id)
    solved = _solved(analysis, node)
    if solved is None or node is None or node.operator is None or isinstance(node.operator, Opaque):
        return None
    index = solved.places[node]
    ins = solved.inference.in_shapes(index)
    outs = list(solved.inference.outputs[index])
    if not all(map(is_known, (*ins, *outs))):
        return None
    return node_cost(solved.inference, index)


def kept_words(document: Document, node_id: Id) -> str:
    """Say what a node holds of its file that the board doesn't draw: graphs inside it, and nodes that it waits for."""
    node = document.nodes[node_id]
    sizes = subgraph_sizes(node.subgraphs)
    sentences = []
    if sizes:
        count = "1 subgraph" if len(sizes) == 1 else f"{len(sizes)} subgraphs"
        last = "1 node" if sizes[-1] == 1 else f"{sizes[-1]} nodes"
        sentences.append(f"Holds {count} of {_listed([*map(str, sizes[:-1]), last])}.")
    names = [document.nodes[other].name for other in node.control_deps if other in document.nodes]
    if names:
        sentences.append(f"Waits for {_listed(names)}.")
    return " ".join(sentences)


def _listed(words: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))

"""What to say of a wire whose shape does not fit: what comes, what is wanted, and edits that were tried and help."""

from collections.abc import Iterator

import attrs

from app.document.analysis import Analysis
from app.document.changes import Transaction
from app.document.checks import analyse_after
from app.document.edits import set_binding, set_param
from app.document.records import Document, Edge, Id
from app.engine.errors import EngineError
from app.engine.inference.reasons import Reason
from app.engine.shapes import Shape, is_known, text
from app.panels.inspector.facts import array_facts, reason_lines

TRIED_AT_MOST = 6


@attrs.frozen
class Remedy:
    """One edit after which the wire fits, in words."""

    words: str
    transaction: Transaction


@attrs.frozen
class Misfit:
    """What a wire brings and what its input would be without it, each with the reasons, and what would help."""

    comes: Shape
    wanted: Shape
    comes_because: tuple[str, ...]
    wanted_because: tuple[str, ...]
    remedies: tuple[Remedy, ...]


def misfit_of(analysis: Analysis, edge: Edge) -> Misfit | None:
    """Return what is wrong with a wire, None where nothing is or nothing more can be said than the problem does."""
    if not _blames(analysis, edge.id):
        return None
    edges = {key: one for key, one in analysis.document.edges.items() if key != edge.id}
    without = _tried(analysis, attrs.evolve(analysis.document, edges=edges))
    comes = analysis.wire_shape(edge.id).shape
    wanted = without.input_shape(edge.target, edge.input).shape
    if not (is_known(comes) and is_known(wanted)) or comes == wanted:
        return None
    return Misfit(
        comes,
        wanted,
        _because(analysis, edge),
        _because(without, edge),
        tuple(_remedies(analysis, without, edge)),
    )


def _blames(analysis: Analysis, edge: Id) -> bool:
    return any(problem.edge == edge for problem in analysis.problems)


def _tried(analysis: Analysis, document: Document) -> Analysis:
    return analyse_after(analysis, document, analysis.value_shape)


def _because(analysis: Analysis, edge: Edge) -> tuple[str, ...]:
    for fact in array_facts(analysis, edge.target):
        if fact.side == "input" and fact.number == edge.input:
            return tuple(line.sentence for line in reason_lines(analysis, edge.target, fact))
    return ()


def _remedies(analysis: Analysis, without: Analysis, edge: Edge) -> Iterator[Remedy]:
    """Go through edits on both sides, and hand on those that leave fewer problems and none at the wire."""
    comes, wanted = analysis.wire_shape(edge.id).shape, without.input_shape(edge.target, edge.input).shape
    sources = analysis.reasons(edge.source, edge.output)
    targets = without.input_reasons(edge.target, edge.input)
    seen: set[str] = set()
    for solved, reasons, old, new in (
        (analysis, sources, comes, wanted),
        (without, targets, wanted, comes),
    ):
        for node in _deciding(solved, reasons)[:TRIED_AT_MOST]:
            for remedy in _edits(analysis, node, old, new):
                after = _tried(analysis, remedy.transaction.apply(analysis.document))
                better = len(after.problems) < len(analysis.problems) and not _blames(after, edge.id)
                if better and remedy.words not in seen:
                    seen.add(remedy.words)
                    yield remedy


def _deciding(analysis: Analysis, reasons: tuple[Reason, ...]) -> list[Id]:
    """List the nodes that a chain of reasons goes through, from the question back."""
    found: dict[Id, None] = {}
    told = set()
    for solved in (analysis.bound, analysis.board):
        if solved is None or not reasons or reasons[0].entry[0] >= len(solved.graph.nodes):
            continue
        ids = {
            solved.places[node]: key for key, node in analysis.drawing.nodes.items() if node in solved.places
        }
        waiting = list(reasons)
        while waiting:
            reason = waiting.pop(0)
            if (key := ids.get(reason.entry[0])) is not None:
                found[key] = None
            for entry, axis in reason.follows_from:
                if (entry, axis) not in told:
                    told.add((entry, axis))
                    waiting.append(solved.inference.why(entry)[axis])
        return list(found)
    return []


def _edits(analysis: Analysis, node_id: Id, old: Shape, new: Shape) -> Iterator[Remedy]:
    """Return the edits of one node that may turn one shape into the other."""
    document = analysis.document
    node, reading = document.nodes[node_id], analysis.drawing.readings[node_id]
    binding = document.bindings.get(node.name)
    try:
        if reading.kind == "variable" and binding is not None and binding.shape == old:
            words = f"Give {node.name} the shape {text(new)}"
            yield Remedy(words, set_binding(document, attrs.evolve(binding, shape=new)))
        apart = [axis for axis in range(len(old)) if len(old) != len(new) or old[axis] != new[axis]]
        if reading.operator is None or len(old) != len(new) or len(apart) != 1:
            return
        for parameter in reading.operator.parameters:
            if parameter.kind == "int" and getattr(reading.operator, parameter.name) == old[apart[0]]:
                size = str(new[apart[0]])
                words = f"Set {parameter.name} of {node.name} to {size}"
                yield Remedy(words, set_param(document, node_id, parameter.name, size))
    except EngineError:
        return

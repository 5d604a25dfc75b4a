"""What to say of a wire whose shape does not fit: what comes, and what is wanted."""

import attrs

from app.document.analysis import Analysis
from app.document.checks import analyse_after
from app.document.records import Document, Edge, Id
from app.engine.shapes import Shape, is_known
from app.panels.inspector.facts import array_facts, reason_lines


@attrs.frozen
class Misfit:
    """What a wire brings and what its input would be without it, each with the reasons."""

    comes: Shape
    wanted: Shape
    comes_because: tuple[str, ...]
    wanted_because: tuple[str, ...]


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

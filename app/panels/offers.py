"""What fits where a node is waited for, found by trying: each is put there in a copy, which is looked at."""

from collections.abc import Iterable, Iterator

import attrs

from app.document.analysis import Analysis
from app.document.checks import analyse_after
from app.document.edits import EditError, Opening, put
from app.document.records import Id


@attrs.frozen
class Offer:
    """What would happen if an operator were put there: the shapes that come out of it, or why it cannot."""

    op: str
    shapes: str = ""
    refusal: str = ""

    @property
    def fits(self) -> bool:
        """Tell whether the operator can be put there."""
        return not self.refusal


def offers(analysis: Analysis, opening: Opening, ops: Iterable[str]) -> Iterator[Offer]:
    """Try one operator after the other, so that the caller may pause between two."""
    known = {problem.sentence for problem in analysis.problems}
    for op in ops:
        yield _try(analysis, opening, op, known)


def _try(analysis: Analysis, opening: Opening, op: str, known: set[str]) -> Offer:
    document = analysis.document
    try:
        added = put(document, op, (0.0, 0.0), opening)
    except EditError as error:
        return Offer(op, refusal=error.sentence)
    after = analyse_after(analysis, added.transaction.apply(document), analysis.value_shape)
    for problem in after.problems:
        if problem.severity == "error" and problem.sentence not in known:
            return Offer(op, refusal=problem.sentence)
    return Offer(op, _shapes_text(after, added.node_id))


def _shapes_text(analysis: Analysis, node: Id) -> str:
    shapes = [str(shape) for shape in analysis.output_shapes(node) if shape.shape]
    return " ".join(shapes[:2]) + (" …" if len(shapes) > 2 else "")

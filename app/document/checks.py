"""What follows from a document: its graph, every shape, and everything that is wrong, each at its node or wire."""

from collections import OrderedDict
from threading import Lock

from app.document.analysis import Analysis
from app.document.drawing import draw
from app.document.edits.healing import Judge, always_fits
from app.document.given import ValueShape
from app.document.records import Document, Id
from app.document.redrawing import nodes_with_other_meaning, redraw
from app.document.refusal import YES, Verdict, no
from app.document.solving import solve

_REMEMBERED = 8
MOST_NODES_TO_JUDGE = 2000
"""In a larger drawing a trial takes too long to be made while somebody waits."""


class _Memory:
    """The last few analyses, by identity of their documents."""

    def __init__(self) -> None:
        self._known: OrderedDict[int, Analysis] = OrderedDict()
        self._lock = Lock()

    def find(self, document: Document, value_shape: ValueShape | None) -> Analysis | None:
        """Return the analysis of this very document, if it was made with the same way to look up values."""
        with self._lock:
            found = self._known.get(id(document))
            if found is None or found.value_shape != value_shape:
                return None
            self._known.move_to_end(id(document))
            return found

    def latest(self) -> Analysis | None:
        """Return the analysis that was last made or asked for."""
        with self._lock:
            return next(reversed(self._known.values()), None)

    def keep(self, analysis: Analysis) -> None:
        """Remember an analysis; it holds its document, so the identity stays taken."""
        with self._lock:
            self._known[id(analysis.document)] = analysis
            self._known.move_to_end(id(analysis.document))
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)


_memory = _Memory()


def analyse(document: Document, value_shape: ValueShape | None = None) -> Analysis:
    """Return what follows from a document; it never raises, whatever is drawn.

    `value_shape` tells the shape of a file or a data set that an argument is bound to. An answer is remembered, and
    the one before helps to make the next: after an edit of settings or values only what changed is inferred again.
    """
    found = _memory.find(document, value_shape)
    if found is None:
        found = analyse_after(_memory.latest(), document, value_shape)
        _memory.keep(found)
    return found


def analyse_after(previous: Analysis | None, document: Document, value_shape: ValueShape | None) -> Analysis:
    """Return what follows from a document with the help of an older analysis; nothing is remembered."""
    if previous is None:
        return solve(document, draw(document), value_shape, None)
    edited = nodes_with_other_meaning(previous.document, document)
    if edited is None:
        return solve(document, draw(document), value_shape, previous)
    if not edited:
        return solve(document, previous.drawing, value_shape, previous)
    redrawn = redraw(previous.drawing, previous.document, document, edited)
    drawing = draw(document) if redrawn is None else redrawn.drawing
    return solve(document, drawing, value_shape, previous, redrawn)


def trial(analysis: Analysis, would_be: Document, target: str) -> Verdict:
    """Tell whether a changed document has shapes that clash and didn't before, first of all at one node."""
    after = analyse_after(analysis, would_be, analysis.value_shape)
    known = {problem.sentence for problem in analysis.problems}
    fresh = [problem for problem in after.shape_problems if problem.sentence not in known]
    fresh.sort(key=lambda problem: problem.node != target)
    return no(fresh[0].sentence) if fresh else YES


def judge_of(analysis: Analysis | None) -> Judge:
    """Return what tells of a changed document whether its shapes fit; in a very large one the structure must do."""
    if analysis is None or len(analysis.document.nodes) > MOST_NODES_TO_JUDGE:
        return always_fits

    def fits(would_be: Document, node: Id) -> Verdict:
        return trial(analysis, would_be, node)

    return fits

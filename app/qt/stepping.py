"""Going through a run step by step, forth and back, and where it is to pause.

The worker takes every step; what it answers is a `Results` with a moment. Breakpoints are the window's, not the
document's (docs/decisions/0036).
"""

from collections.abc import Callable, Generator, Iterable
from threading import Event
from typing import TYPE_CHECKING, Literal

import attrs

from app.document.records import Id

if TYPE_CHECKING:
    from app.document.analysis import Analysis
    from app.services.moments import Moment
    from app.services.running import Results
    from app.services.stepping import Trail

Pass = Literal["forward", "backward"]
Job = Callable[[Event], Generator[object, None, "Results"]]
AT_THE_END = "That was the last step. Forward or Backward runs it once more."
AT_THE_BEGINNING = "This is the beginning: no step has been taken yet."
ENDED = "Stepping has ended."
ENDED_BY_EDIT = "Stepping has ended, since the graph or its values were changed."


@attrs.define(eq=False)
class Walk:
    """One run on its way: how it begins, and where it is looked at.

    `at` is the stop that is shown, -1 before the first. `wanted` is where it is to be next, None on the way to a
    breakpoint. `before` is what there was when it began, and whether it was of the document as it is.
    """

    analysis: "Analysis"
    begin: "Callable[[], Trail]"
    before: "tuple[Results | None, bool]"
    trail: "Trail | None" = None
    at: int = -1
    wanted: int | None = 0

    def reached(self) -> "Trail":
        """Return the run, which is bound when it is first needed; only the worker asks."""
        if self.trail is None:
            self.trail = self.begin()
        return self.trail


class Stepping:
    """The walk through a run, if there is one, and the breakpoints of a window."""

    def __init__(self) -> None:
        self.walk: Walk | None = None
        self.breakpoints: frozenset[Id] = frozenset()

    @property
    def is_on(self) -> bool:
        """Whether a run is being gone through."""
        return self.walk is not None

    @property
    def is_at_end(self) -> bool:
        """Whether there is no further step."""
        trail = self.walk.trail if self.walk is not None else None
        return trail is not None and self.walk is not None and self.walk.wanted == len(trail.course.stops)

    @property
    def can_go_back(self) -> bool:
        """Whether there is a step to go back."""
        return self.walk is not None and (self.walk.wanted is None or self.walk.wanted > 0)

    def toggle(self, nodes: Iterable[Id]) -> bool:
        """Set breakpoints on these nodes, or take them away where all have one; return whether they were set."""
        chosen = frozenset(nodes)
        on = not chosen <= self.breakpoints
        self.breakpoints = self.breakpoints | chosen if on else self.breakpoints - chosen
        return on

    def marked(self, analysis: "Analysis") -> frozenset[int]:
        """Return the nodes of the symbol that have a breakpoint."""
        index = analysis.node_index
        return frozenset(index[key] for key in self.breakpoints if key in index)

    def arrived(self, moment: "Moment | None") -> str:
        """Take note of where a run halted, and return what is to be said about it."""
        walk = self.walk
        if walk is None:
            return ""
        if moment is None:
            self.walk = None
            return ""
        was_going_on = walk.wanted is None
        walk.at = walk.wanted = moment.at
        coming = moment.next
        if was_going_on and coming is not None:
            at_breakpoint = moment.at in moment.course.halts_before(self.marked(walk.analysis))
            name = moment.course.graph.graph.nodes[coming.symbol_node].name
            return f"Paused before {name}." if at_breakpoint else ""
        return ""

    def refused(self) -> bool:
        """Stay where the run is after a step that could not be done; tell whether nothing was ever shown."""
        if self.walk is None:
            return False
        self.walk.wanted = self.walk.at
        return self.walk.at < 0

    def leave(self) -> "tuple[Results | None, bool] | None":
        """End the walk, if there is one.

        Returns what is left of it where it came to the end of the run, else what there was before, and whether that was
        of the document as it is.
        """
        walk, self.walk = self.walk, None
        if walk is None:
            return None
        if walk.trail is not None and walk.trail.is_over:
            return walk.trail.whole(), True
        return walk.before

    # Jobs for the worker -----------------------------------------------------------------------------------------

    def job_of_step(self, way: Literal[1, -1]) -> Job | None:
        """Return the job that goes one step on or back; None where there is none."""
        walk = self.walk
        assert walk is not None, "a walk begins before its first step"
        if way == 1 and self.is_at_end:
            return None
        if way == -1 and walk.wanted == 0:
            return None
        wanted = walk.wanted = None if walk.wanted is None else max(walk.wanted, 0) + way

        def work(cancel: Event) -> "Generator[object, None, Results]":
            trail = walk.reached()
            return (
                yield from _show(trail, max(trail.reached + way, 0) if wanted is None else wanted, cancel)
            )

        return work

    def job_of_going_on(self, to: Pass) -> Job:
        """Return the job that goes on to the next breakpoint or the end of a pass: of backward, where forward is done.

        A run that has just begun and meets no breakpoint is none to be gone through: its results are whole ones.
        """
        walk = self.walk
        assert walk is not None, "a walk begins before it goes on"
        at, marked = walk.at, self.marked(walk.analysis)
        walk.wanted = None

        def work(cancel: Event) -> "Generator[object, None, Results]":
            trail = walk.reached()
            course = trail.course
            is_forward = to == "forward" and at < course.forward_count
            end = course.forward_count if is_forward else len(course.stops)
            halt = min((stop for stop in course.halts_before(marked) if at < stop < end), default=None)
            if at >= 0 or halt is not None:
                return (yield from _show(trail, end if halt is None else halt, cancel))
            yield from trail.advance(end, cancel)
            whole = trail.whole()
            results = trail.moment(trail.reached) if whole is None else whole
            yield results
            return results

        return work


def _show(trail: "Trail", at: int, cancel: Event) -> "Generator[object, None, Results]":
    """Go as far as is needed to show a moment, and show it."""
    yield from trail.advance(at, cancel)
    results = trail.moment(min(at, trail.reached))
    yield results
    return results

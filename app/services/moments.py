"""The moments of a run that halts after every step: what is finished in each, and what comes next.

Every step writes arrays of its own and each of them once, so a moment that is over needs no copy of them: whatever a
later step made is left out. Only variables that a step changes in place, such as BatchNorm's moving statistics, are
copied before it.
"""

from collections.abc import Iterator, Mapping, Set
from typing import Any, Literal

import attrs
from numpy.typing import NDArray

from app.engine.gradient import ExecutorGraph
from app.engine.planning.plan import Plan, Step

Array = NDArray[Any]
Phase = Literal["forward", "backward"]


@attrs.frozen(eq=False)
class Stop:
    """Where a run may halt: after the step that finishes these executor nodes.

    `steps` are its steps in the plan: additions that finish nothing belong to the stop they lead to. `reads` are the
    executor nodes it reads.
    """

    phase: Phase
    step: Step
    steps: range
    reads: tuple[int, ...]

    @property
    def nodes(self) -> tuple[int, ...]:
        """The executor nodes that are finished here."""
        return self.step.nodes

    @property
    def symbol_node(self) -> int:
        """The node of the symbol that is computed, forward or backward, or whose gradients are added up."""
        return self.step.symbol_node


@attrs.frozen(eq=False)
class Course:
    """All stops of a run in order; the first `forward_count` are forward."""

    graph: ExecutorGraph
    stops: tuple[Stop, ...]
    forward_count: int
    finished: Mapping[int, int]
    """For every executor node that a step makes: after how many stops it is there."""

    def halts_before(self, symbol_nodes: Set[int]) -> frozenset[int]:
        """Return after how many stops a run comes to one of these nodes of the symbol, on its way there or back."""
        return frozenset(
            number
            for number, stop in enumerate(self.stops)
            if stop.symbol_node in symbol_nodes or not symbol_nodes.isdisjoint(self._gradients_of(stop))
        )

    def _gradients_of(self, stop: Stop) -> Iterator[int]:
        """Yield the variables whose gradients are finished at a stop: nothing else is computed for a variable."""
        for index in stop.nodes:
            node = self.graph.nodes[index]
            if node.request is not None:
                yield node.entry[0]


def course_of(graph: ExecutorGraph, plan: Plan) -> Course:
    """Return the stops of a bind."""
    stops: list[Stop] = []
    finished: dict[int, int] = {}
    first = forward_count = 0
    for number, step in enumerate(plan.steps):
        if step.nodes:
            is_forward = number < plan.forward_count
            reads = dict.fromkeys(read for node in step.nodes for read in graph.nodes[node].reads)
            stops.append(
                Stop("forward" if is_forward else "backward", step, range(first, number + 1), tuple(reads))
            )
            finished.update(dict.fromkeys(step.nodes, len(stops)))
            first = number + 1
            forward_count += is_forward
    return Course(graph, tuple(stops), forward_count, finished)


class Changes:
    """What variables held before a step changed them: written by the worker before it does, read by anyone."""

    def __init__(self) -> None:
        self._before: dict[int, list[tuple[int, Array]]] = {}

    def keep(self, variable: int, stop: int, before: Array) -> None:
        """Keep what a variable holds before the stop with this number, counted from 0, changes it."""
        self._before.setdefault(variable, []).append((stop, before))

    def forget(self, variable: int) -> None:
        """Drop what was kept last of a variable, since it was not changed after all."""
        self._before[variable].pop()

    def at(self, variable: int, moment: int) -> Array | None:
        """Return what a variable held after so many stops, None where it still does."""
        return next((array for stop, array in self._before.get(variable, ()) if stop >= moment), None)

    def made_by(self, stop: int) -> list[int]:
        """Return the variables that the stop with this number changed."""
        return [index for index, kept in self._before.items() if any(number == stop for number, _ in kept)]

    @property
    def size(self) -> int:
        """The bytes that are kept."""
        return sum(array.nbytes for kept in self._before.values() for _, array in kept)


@attrs.frozen(eq=False)
class Moment:
    """How far a run has come as it is looked at: after `at` stops of its course."""

    course: Course
    at: int
    changes: Changes
    sentence: str = ""
    """What the last step did, in plain words."""

    @property
    def total(self) -> int:
        """How many stops there are."""
        return len(self.course.stops)

    @property
    def current(self) -> Stop | None:
        """What was computed last, None at the beginning."""
        return self.course.stops[self.at - 1] if self.at else None

    @property
    def next(self) -> Stop | None:
        """What comes next, None at the end."""
        return self.course.stops[self.at] if self.at < self.total else None

    def is_done(self, node: int) -> bool:
        """Tell whether a step has made what this executor node holds; what is handed in was made by none."""
        return node in self.course.finished and self.course.finished[node] <= self.at

    def has(self, node: int) -> bool:
        """Tell whether this executor node holds anything yet: what a step makes, or what is handed in.

        Gradients are handed in as backward begins, all else before forward.
        """
        if self.course.graph.nodes[node].kind == "head_gradient":
            return self.at > self.course.forward_count
        return self.course.finished.get(node, 0) <= self.at

    def changed_since(self, other: "Moment | None") -> set[int]:
        """Return the executor nodes that may hold something else than at another moment of this run."""
        assert other is not None and self.is_alike(other), "moments of two runs have nothing in common"
        stops = self.course.stops[min(self.at, other.at) : max(self.at, other.at)]
        handed_in = self.course.graph.head_gradients.values()
        return {node for stop in stops for node in (*stop.nodes, *stop.reads)} | set(handed_in)

    def is_alike(self, other: "Moment | None") -> bool:
        """Tell whether the other is a moment of the same run."""
        return other is not None and other.course is self.course

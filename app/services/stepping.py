"""A run that goes from stop to stop and can be looked at as it was at any of them.

It only ever goes on: stepping back is looking at an earlier moment, and what was computed beyond that stays computed.
So random numbers are drawn once, states move once, and whatever way one goes, the numbers are those of a plain run.
"""

from collections.abc import Iterator
from itertools import chain

import attrs
import numpy as np

from app.engine.errors import EngineError
from app.engine.following import Cancel, StepDone
from app.services.moments import Array, Changes, Moment, Stop, course_of
from app.services.running import Bound, Progress, Results, Stage, next_step, results_so_far
from app.services.step_words import sentence_of


class Trail:
    """One run of a bound document; `reached` says after how many stops it stands."""

    def __init__(self, bound: Bound) -> None:
        self.bound = bound
        self.reached = 0
        executor = bound.executor
        self.course = course_of(executor.executor_graph, executor.plan)
        self._changes = Changes()
        self._refusal: EngineError | None = None
        train = bound.analysis.document.options.train
        self._steps: Iterator[StepDone] = chain(
            executor.run_forward(train), executor.run_backward(list(bound.head_gradients))
        )

    @property
    def is_over(self) -> bool:
        """Whether everything is computed."""
        return self.reached == len(self.course.stops)

    @property
    def bytes_kept(self) -> int:
        """What is kept to look back: at most as much as the variables that the run changes, for each time it does."""
        return self._changes.size

    def advance(self, to: int, cancel: Cancel | None = None) -> Iterator[Progress]:
        """Go on to a stop, unless that is behind; a run that is cancelled halts where it is.

        EngineError where a step can't be done, and again whenever it is tried once more.
        """
        to = min(to, len(self.course.stops))
        while self.reached < to and not (cancel is not None and cancel.is_set()):
            stop = self.course.stops[self.reached]
            self._take(stop)
            yield Progress(self.reached, to, stop.phase, stop.nodes)

    def moment(self, at: int) -> Results:
        """Return what the run had left after so many stops, none of them ahead."""
        forward = self.course.forward_count
        stage: Stage = "bound" if at == 0 < forward else "forward" if at <= forward else "backward"
        moment = Moment(self.course, at, self._changes)
        results = results_so_far(self.bound, stage, self._seconds(at), moment)
        return attrs.evolve(results, moment=attrs.evolve(moment, sentence=sentence_of(results)))

    def whole(self) -> Results | None:
        """Return what is left as a run that was not followed leaves it, None where it stands amid a pass."""
        if self.is_over:
            return results_so_far(self.bound, "backward", self._seconds(self.reached))
        if self.reached == self.course.forward_count:
            return results_so_far(self.bound, "forward", self._seconds(self.reached))
        return None

    def _seconds(self, at: int) -> float:
        took = self.bound.executor.step_seconds
        return sum(took.get(number, 0.0) for stop in self.course.stops[:at] for number in stop.steps)

    def _take(self, stop: Stop) -> None:
        if self._refusal is not None:
            raise self._refusal
        before = self._keep(stop)
        try:
            for _ in stop.steps:
                next_step(self._steps)
        except EngineError as refusal:
            self._refusal = refusal
            raise
        for variable, array in before.items():
            if _alike(array, self._value(variable)):
                self._changes.forget(variable)
        self.reached += 1

    def _keep(self, stop: Stop) -> dict[int, Array]:
        """Copy the variables that a step may change: those beside auxiliary states, which its operator may write to."""
        own = self.bound.executor.graph.nodes[stop.symbol_node]
        if (
            stop.step.kind not in ("forward", "backward")
            or own.operator is None
            or not own.operator.auxiliary
        ):
            return {}
        nodes = self.bound.executor.graph.nodes
        read = dict.fromkeys(source for source, _ in own.inputs if nodes[source].is_variable)
        before = {variable: self._value(variable).copy() for variable in read}
        for variable, array in before.items():
            self._changes.keep(variable, self.reached, array)
        return before

    def _value(self, variable: int) -> Array:
        array = self.bound.executor.value((variable, 0))
        assert array is not None, "every variable has an array"
        return array


def _alike(one: Array, other: Array) -> bool:
    """Tell whether two arrays hold the same bytes, NaN or not."""
    return np.array_equal(one.view(np.uint8), other.view(np.uint8))

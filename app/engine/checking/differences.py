"""Finite differences: how the results of a part of a graph follow when one element of one array is moved."""

import math
from typing import Any

import attrs
import numpy as np

from app.engine.binding import bind_graph
from app.engine.checking.checked import CheckedElement, CheckOptions
from app.engine.checking.cutting import cut_behind
from app.engine.checking.twin import Twin, facts_of
from app.engine.errors import RunError
from app.engine.executor import Executor
from app.engine.graph import Entry
from app.engine.inference.infer import infer
from app.engine.operator import Array, DType

DOUBLE: DType = np.dtype(np.float64)
RELATIVE = 1e-4
"""How far the two may lie apart, relative to the larger one, in double precision."""
RELATIVE_SINGLE = 3e-2
NARROWER = (1e-1, 1e-2)
"""Steps, relative to the first, that are tried where it does not agree: a kink may lie within the first."""


class Behind:
    """The part of the twin that one array flows through, with its gradient, ready to be moved element by element."""

    def __init__(self, twin: Twin, entry: Entry, options: CheckOptions) -> None:
        self.options, self.notes = options, []
        self.value = twin.values[entry]
        name = self.name = twin.graph.entry_name(entry)
        if self.value.dtype.kind != "f":
            raise RunError(f"{name} holds {self.value.dtype}: whole numbers have no slope.")
        self.cut = cut_behind(twin.graph, entry)
        self.rounding = float(np.finfo(self.value.dtype).eps)
        self.relative = RELATIVE if self.value.dtype == DOUBLE else RELATIVE_SINGLE
        self.heads = [twin.heads[number] for number in self.cut.heads]
        self.executor: Executor | None = None
        if self.cut.blocked:
            self.notes.append(
                f"No gradient passes {', '.join(self.cut.blocked[:4])}: what they read counts as fixed."
            )
        if not self.cut.graph.heads or not any(node.operator for node in self.cut.graph.nodes):
            self._stand_alone(name)
            return
        self._bind(twin, entry)

    def _stand_alone(self, name: str) -> None:
        """An array that no operator reads: its gradient is what is handed in for it, if it is an output."""
        if not self.cut.graph.heads:
            raise RunError(f"No gradient flows back to {name}: no output depends on it so that one could.")
        raise RunError(f"{name} is only an output, so its gradient is what is handed in for it.")

    def _bind(self, twin: Twin, entry: Entry) -> None:
        """Bind the part, run it forward and backward, and keep the gradient."""
        graph = self.cut.graph
        arrays = {
            graph.index_by_name[name]: twin.values[source].copy()
            for name, source in self.cut.variables.items()
        }
        inference = infer(graph, *facts_of(graph, arrays))
        inference.refuse_problems()
        moved = next(name for name, source in self.cut.variables.items() if source == entry)
        self.executor = bind_graph(inference, arrays, wanted=moved)
        self.at = self.executor.arg_dict[moved].reshape(-1)
        self._forward()
        losses = [np.zeros_like(array) for array in self.executor.outputs[len(self.heads) :]]
        with np.errstate(all="ignore"):
            self.executor.backward([*self.heads, *losses])
        found = self.executor.grad_dict[moved]
        assert found is not None
        self.analytic = found.reshape(-1).astype(np.float64)
        finite = np.abs(self.analytic[np.isfinite(self.analytic)])
        self.largest = float(finite.max(initial=0))

    def check(self, place: int, step: float | None) -> CheckedElement:
        """Move one element to both sides; narrower where a kink may lie in between."""
        value = float(self.at[place])
        chosen = step or self.rounding ** (1 / 3) * max(1.0, abs(value))
        first = self._element(place, chosen)
        if first.ok:
            return first
        if step is None:
            for narrower in NARROWER:
                again = self._element(place, chosen * narrower)
                if again.ok:
                    return again
        return self._at_kink(first)

    def _element(self, place: int, step: float) -> CheckedElement:
        value, analytic = float(self.at[place]), float(self.analytic[place])
        before, after, width = self._both(place, value - step, value + step)
        if not width:
            raise RunError(
                f"A step of {step:g} is lost in rounding beside {value:g} in {self.name}. Take a larger one, or none."
            )
        slope, size = self._slope(before, after, width)
        tolerance = self._tolerance(analytic, slope, size, width)
        where = tuple(int(number) for number in np.unravel_index(place, self.value.shape))
        return CheckedElement(where, value, analytic, slope, step, tolerance)

    def _tolerance(self, analytic: float, numeric: float, size: float, width: float) -> float:
        """Allow for the curve between the two points, and for what rounding leaves of a small difference."""
        scale = max(abs(analytic), abs(numeric), 1e-3 * self.largest)
        lost = self.rounding * size / width if width else math.inf
        return self.relative * scale + 20 * lost + 1e-300

    def _at_kink(self, element: CheckedElement) -> CheckedElement:
        """Tell whether the slopes to both sides differ, and the gradient lies between them."""
        place = int(np.ravel_multi_index(element.place, self.value.shape))
        value, step = element.value, element.step * NARROWER[-1]
        here, after, right = self._both(place, value, value + step)
        upward, size = self._slope(here, after, right)
        before, here, left = self._both(place, value - step, value)
        downward, _ = self._slope(before, here, left)
        slack = 2 * self._tolerance(element.analytic, max(abs(upward), abs(downward)), size, step)
        low, high = sorted((upward, downward))
        is_kink = high - low > slack and low - slack <= element.analytic <= high + slack
        return attrs.evolve(element, is_kink=is_kink)

    def _both(self, place: int, low: float, high: float) -> tuple[list[Any], list[Any], float]:
        """Run forward at two values of one element; returns both results and how far apart the values really are."""
        value = self.at[place].copy()
        results, at = [], []
        for moved in (low, high):
            self.at[place] = moved
            at.append(float(self.at[place]))
            results.append(self._forward())
        self.at[place] = value
        return results[0], results[1], at[1] - at[0]

    def _forward(self) -> list[Any]:
        """Run forward with the same random numbers as before; returns the outputs, and a number for each loss."""
        executor = self.executor
        assert executor is not None
        executor.seed(self.options.seed)
        with np.errstate(all="ignore"):
            outputs = executor.forward(self.options.is_train)
        found: list[Any] = [output.astype(np.float64) for output in outputs[: len(self.heads)]]
        for index in self.cut.losses:
            node = executor.graph.nodes[index]
            assert node.operator is not None
            ins = [executor.value(entry) for entry in node.inputs]
            found.append(node.operator.objective([array for array in ins if array is not None]))
        return found

    def _slope(self, before: list[Any], after: list[Any], width: float) -> tuple[float, float]:
        """Return the slope between two results, and how large the numbers are that were subtracted."""
        change = size = 0.0
        heads: list[Any] = [*self.heads, *([1.0] * len(self.cut.losses))]
        with np.errstate(all="ignore"):
            for head, one, other in zip(heads, before, after, strict=True):
                change += float(np.sum(head * (other - one)))
                size += float(np.sum(np.abs(head * one)))
        return change / width if width else math.nan, size

    def explain_mode(self) -> list[str]:
        """Say which nodes compute otherwise in training, for backward is always that of training."""
        predicted, trained = (self._values(is_train=is_train) for is_train in (False, True))
        changed = {
            entry
            for entry, array in trained.items()
            if not np.array_equal(array, predicted[entry], equal_nan=True)
        }
        first = [
            node.name
            for index, node in enumerate(self.cut.graph.nodes)
            if any((index, number) in changed for number in range(node.output_count))
            and not changed.intersection(node.inputs)
        ]
        if not first:
            return []
        verb = "computes" if len(first) == 1 else "compute"
        names = ", ".join(first[:4])
        return [f"{names} {verb} otherwise in training, as backward always is: check with is_train on."]

    def _values(self, *, is_train: bool) -> dict[Entry, Array]:
        """Run forward in one mode and return every array of the part."""
        executor = self.executor
        assert executor is not None
        executor.seed(self.options.seed)
        with np.errstate(all="ignore"):
            executor.forward(is_train)
        entries = [
            (index, number)
            for index, node in enumerate(executor.graph.nodes)
            for number in range(node.output_count)
        ]
        found = {entry: executor.value(entry) for entry in entries}
        return {entry: array.copy() for entry, array in found.items() if array is not None}

"""The pass `halves`: a long step runs as two, each in a thread of its own, on half of the batch or of the channels.

It looks for operators that declare along which axes their arrays fall apart (`Operator.split`) and whose step takes
long enough to be worth waking a thread. It saves 35 to 45 % of such a step on two cores. Where there is none, as in
networks of matrix products alone, it does nothing, since the BLAS has threads of its own. Where there is one, the BLAS
is held to one thread for the whole run: its second one would go on turning for 26 ms after a product and take the
helper's core away.

Arrays are the same ones, so that whoever looks at them sees the same. What both halves write, the gradient of a shared
input, is added up afterwards, so its last digits may differ from those of one whole step. Nothing depends on which half
is ready first.
"""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import zip_longest
from typing import Any

import attrs
import numpy as np

from app.engine.graph import Graph
from app.engine.inference.infer import Inference
from app.engine.kernels.blas import one_thread
from app.engine.kernels.crew import has_helper, side_by_side
from app.engine.kernels.steps import in_order
from app.engine.kernels.windows import work
from app.engine.operator import Array, Arrays, Operator, OptionalArrays, Run
from app.engine.shapes import Shape, Shapes, element_count
from app.engine.split import Split

Call = Callable[[], object]
WORTHWHILE = 150_000
"""Nanoseconds that a step must take for it to be halved."""
NANOSECONDS_PER_PRODUCT = 0.02


@attrs.frozen(eq=False)
class Given:
    """The arrays of one step, as `Operator.prepare_backward` takes them; a forward has no heads and gradients."""

    ins: OptionalArrays
    outs: OptionalArrays
    heads: OptionalArrays
    grads: OptionalArrays


class Halves:
    """The pass for one bound graph."""

    def __init__(self, graph: Graph, inference: Inference) -> None:
        """Look whether any step is worth halving."""
        self._is_on = has_helper() and any(
            node.operator is not None
            and node.operator.split is not None
            and not node.operator.split.is_product
            and _time(
                node.operator,
                [inference.shape(entry) for entry in node.inputs],
                [inference.shape((index, number)) for number in range(node.output_count)],
            )
            >= WORTHWHILE
            for index, node in enumerate(graph.nodes)
        )

    def forward(self, operator: Operator, run: Run, ins: Arrays, outs: Arrays) -> Call:
        """Prepare an operator's forward, halved where that pays."""
        split = self._split_of(operator, Given(ins, outs, (), ()))
        if split is None:
            return self.whole(operator.prepare_forward(run, ins, outs))
        first, second = (
            operator.prepare_forward(half, _halves(split.ins, ins, number), _halves(split.outs, outs, number))
            for number, half in enumerate(_runs(run))
        )
        return side_by_side(first, second)

    def backward(self, operator: Operator, run: Run, step: Given) -> Call:
        """Prepare an operator's backward, halved where that pays."""
        split = self._split_of(operator, step)
        if split is None:
            return self.whole(operator.prepare_backward(run, step.ins, step.outs, step.heads, step.grads))
        calls, additions = [], []
        for number, half in enumerate(_runs(run)):
            grads = _parts(split.ins, step.grads, number)
            if number == 1:
                for index, grad in enumerate(step.grads):
                    if grad is not None and split.ins[index] is None:
                        grads[index] = work(half.lent, f"gradient {index}", grad.shape, grad.dtype)
                        additions.append(partial(np.add, grad, grads[index], grad))
            ins, outs = _parts(split.ins, step.ins, number), _parts(split.outs, step.outs, number)
            heads = _parts(split.outs, step.heads, number)
            calls.append(operator.prepare_backward(half, ins, outs, heads, grads))
        return in_order([side_by_side(*calls), *additions])

    def whole(self, call: Call) -> Call:
        """Prepare a step that runs in one piece, beside others that may run in halves."""
        return one_thread(call) if self._is_on else call

    def _split_of(self, operator: Operator, step: Given) -> Split | None:
        """Return how the operator's arrays fall apart, None where they do not or it would not pay."""
        split = operator.split
        if split is None or not self._is_on:
            return None
        ins = [*zip(split.ins, step.ins, strict=True), *zip(split.ins, step.grads, strict=False)]
        outs = [*zip(split.outs, step.outs, strict=True), *zip(split.outs, step.heads, strict=False)]
        if any(
            array.shape[axis] < 2 for axis, array in (*ins, *outs) if array is not None and axis is not None
        ):
            return None
        time = _time(operator, _shapes(step.ins, step.grads), _shapes(step.outs, step.heads))
        gradients = sum(grad is not None and grad.ndim > 1 for grad in step.grads)
        return split if time * max(1, gradients) >= WORTHWHILE else None


def _time(operator: Operator, ins: Shapes, outs: Shapes) -> float:
    """Estimate the nanoseconds of one forward."""
    numbers = sum(element_count(shape) for shape in (*ins, *outs))
    pace = 0.0 if operator.split is None else operator.split.pace
    return operator.cost(ins, outs).multiply_adds * NANOSECONDS_PER_PRODUCT + numbers * pace


def _shapes(arrays: OptionalArrays, others: OptionalArrays) -> list[Shape]:
    """Return the shape of every array, or of the gradient that is like it."""
    like = [other if one is None else one for one, other in zip_longest(arrays, others)]
    return [() if array is None else array.shape for array in like]


def _halves(axes: Sequence[int | None], arrays: Arrays, number: int) -> list[Array]:
    return [_part(array, axis, number) for axis, array in zip(axes, arrays, strict=True)]


def _parts(axes: Sequence[int | None], arrays: OptionalArrays, number: int) -> list[Array | None]:
    return [
        None if array is None else _part(array, axis, number)
        for axis, array in zip(axes, arrays, strict=False)
    ]


def _part(array: Array, axis: int | None, number: int) -> Array:
    """View the first or second half along an axis; what has no such axis is whole in both."""
    if axis is None:
        return array
    middle = array.shape[axis] // 2
    part: Any = [slice(None)] * array.ndim
    part[axis] = slice(middle, None) if number else slice(0, middle)
    view: Array = array[tuple(part)]
    return view


def _runs(run: Run) -> tuple[Run, Run]:
    """Return the run and one like it with work arrays of its own, since both halves need them at once."""
    return run, attrs.evolve(
        run,
        scratch=run.scratch.setdefault("second half", {}),
        lent=run.lent.setdefault("second half", {}),
    )

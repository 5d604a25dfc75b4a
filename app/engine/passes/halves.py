"""The pass `halves`: a long step runs as two, each in a thread of its own, on half of the batch or of the channels.

It looks for operators that declare along which axes their arrays fall apart (`Operator.split`) and whose step takes
long enough to be worth waking a thread. It saves 35 to 45 % of such a step on two cores. Arrays are the same ones, so
that whoever looks at them sees the same. What both halves write, the gradient of a shared input, is added up
afterwards, so its last digits may differ from those of one whole step. Nothing depends on which half is ready first.
"""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import zip_longest
from typing import Any

import attrs
import numpy as np

from app.engine.kernels.crew import has_helper, side_by_side
from app.engine.kernels.steps import in_order
from app.engine.operator import Array, Arrays, Operator, OptionalArrays, Run, Split
from app.engine.shapes import Shape

Call = Callable[[], object]
WORTHWHILE = 150_000
"""Nanoseconds that a step must take for it to be halved."""
NANOSECONDS_PER_PRODUCT = 0.02


@attrs.frozen(eq=False)
class Step:
    """The arrays of one step, as `Operator.prepare_backward` takes them; a forward has no heads and gradients."""

    ins: OptionalArrays
    outs: OptionalArrays
    heads: OptionalArrays
    grads: OptionalArrays


def forward(operator: Operator, run: Run, ins: Arrays, outs: Arrays) -> Call:
    """Prepare an operator's forward, halved where that pays."""
    split = _split_of(operator, Step(ins, outs, (), ()))
    if split is None:
        return operator.prepare_forward(run, ins, outs)
    first, second = (
        operator.prepare_forward(half, _halves(split.ins, ins, number), _halves(split.outs, outs, number))
        for number, half in enumerate(_runs(run))
    )
    return side_by_side(first, second)


def backward(operator: Operator, run: Run, step: Step) -> Call:
    """Prepare an operator's backward, halved where that pays."""
    split = _split_of(operator, step)
    if split is None:
        return operator.prepare_backward(run, step.ins, step.outs, step.heads, step.grads)
    calls, additions = [], []
    for number, half in enumerate(_runs(run)):
        grads = _parts(split.ins, step.grads, number)
        if number == 1:
            for index, grad in enumerate(step.grads):
                if grad is not None and split.ins[index] is None:
                    grads[index] = np.empty(grad.shape, grad.dtype)
                    additions.append(partial(np.add, grad, grads[index], grad))
        ins, outs = _parts(split.ins, step.ins, number), _parts(split.outs, step.outs, number)
        heads = _parts(split.outs, step.heads, number)
        calls.append(operator.prepare_backward(half, ins, outs, heads, grads))
    return in_order([side_by_side(*calls), *additions])


def _split_of(operator: Operator, step: Step) -> Split | None:
    """Return how the operator's arrays fall apart, None where they do not or it would not pay."""
    split = operator.split
    if split is None or not has_helper():
        return None
    ins = [*zip(split.ins, step.ins, strict=True), *zip(split.ins, step.grads, strict=False)]
    outs = [*zip(split.outs, step.outs, strict=True), *zip(split.outs, step.heads, strict=False)]
    falling = [(array, axis) for axis, array in (*ins, *outs) if array is not None and axis is not None]
    if any(array.shape[axis] < 2 for array, axis in falling):
        return None
    wanted = sum(grad is not None for grad in step.grads) or 1
    cost = operator.cost(_shapes(step.ins, step.grads), _shapes(step.outs, step.heads))
    time = cost.multiply_adds * wanted * NANOSECONDS_PER_PRODUCT
    time += sum(array.size for array, _ in falling) * split.pace
    return split if time >= WORTHWHILE else None


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
    """Return the run and one like it with a scratch of its own, since both halves need it at once."""
    return run, attrs.evolve(run, scratch=run.scratch.setdefault("second half", {}))

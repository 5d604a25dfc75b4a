"""Prepared steps: calls without arguments that work on arrays fixed beforehand."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from app.engine.operator import Array, OptionalArrays
from app.engine.shapes import Shape

Step = Callable[[], object]
Two = Callable[[Array, Array, Array], Step]
"""Makes the step that writes a function of two arrays into the third."""


def constant(value: float, like: Array) -> Any:
    """Return a number as numpy takes it fastest beside an array of fractions: a Python number costs 0.3 µs more."""
    return np.array(value, like.dtype) if like.dtype.kind == "f" else value


def fill(out: Array, value: float = 0) -> Step:
    """Return the step that writes one number everywhere."""
    return partial(out.fill, value)


def copy(source: Array, out: Array) -> Step:
    """Return the step that copies elements, whatever the memory order; nothing to do on one and the same memory."""
    if same_memory(source, out):
        return nothing
    if source.shape == out.shape:
        return partial(np.copyto, out, source, "unsafe")
    if source.flags.c_contiguous:
        return partial(np.copyto, out, source.reshape(out.shape), "unsafe")
    if out.flags.c_contiguous:
        return partial(np.copyto, out.reshape(source.shape), source, "unsafe")
    return lambda: np.copyto(out, source.reshape(out.shape), "unsafe")


def nothing() -> None:
    """Do nothing."""


def in_order(steps: Sequence[Step]) -> Step:
    """Join steps into one."""
    if len(steps) == 1:
        return steps[0]
    if len(steps) == 2:
        first, second = steps

        def both() -> None:
            first()
            second()

        return both

    def every() -> None:
        for step in steps:
            step()

    return every


def ufunc(function: Any, *arrays: Array, out: Array) -> Step:
    """Return the step that applies one of numpy's element functions.

    Arrays that are not of the function's own result type (whole numbers, comparisons) are converted on the way.
    """
    if out.dtype.kind == "f" and all(array.dtype == out.dtype for array in arrays):
        if function in _OUT_BY_NAME:
            return partial(function, *arrays, out=out)
        return partial(function, *arrays, out)
    return partial(function, *arrays, out=out, casting="unsafe")


_OUT_BY_NAME = (np.maximum, np.minimum)  # a third positional argument is deprecated for these


def same_memory(one: Array, other: Array) -> bool:
    """Tell whether two plain arrays are one and the same buffer."""
    if one.nbytes != other.nbytes or not (one.flags.c_contiguous and other.flags.c_contiguous):
        return False
    start, _ = one.__array_interface__["data"]
    other_start, _ = other.__array_interface__["data"]
    return bool(start == other_start)


def without_gradient(grads: OptionalArrays) -> Step:
    """Return the step that zeros every wanted gradient, for when nothing flows in."""
    return in_order([fill(grad) for grad in grads if grad is not None])


def reading(array: Array, shape: Shape) -> tuple[Array, list[Step]]:
    """Return `array` in another shape for reading, with the steps that must run first.

    That is a view of plain memory, and of any other a copy which the steps make anew each time.
    """
    if array.flags.c_contiguous:
        return array.reshape(shape), []
    plain = np.empty(array.shape, array.dtype)
    return plain.reshape(shape), [copy(array, plain)]


def writing(array: Array, shape: Shape) -> tuple[Array, list[Step]]:
    """Return `array` in another shape for writing, with the steps that must run afterwards."""
    if array.flags.c_contiguous:
        return array.reshape(shape), []
    plain = np.empty(array.shape, array.dtype)
    return plain.reshape(shape), [copy(plain, array)]


def overwrite(fresh: Array, holder: Array) -> Step:
    """Return the step that puts a fresh gradient over what its holder holds."""
    return partial(np.copyto, holder, fresh)


def scale_and_add(fresh: Array, holder: Array, factor: float) -> Step:
    """Return the step that scales what a holder holds before it adds a fresh gradient."""

    def run() -> None:
        np.multiply(holder, holder.dtype.type(factor), out=holder)
        np.add(holder, fresh, out=holder)

    return run

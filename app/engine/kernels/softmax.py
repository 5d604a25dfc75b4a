"""Softmax and its logarithm along the middle axis of arrays seen as (outer, classes, inner)."""

from collections.abc import Callable
from math import prod

import numpy as np

from app.engine.kernels.reduction import sum_axes
from app.engine.kernels.steps import Step
from app.engine.kernels.windows import Array

NEAR = 40.0
"""e to this power and its reciprocal are far from the ends of float32, even times each other."""
FEW = 2048


def along(array: Array, axis: int) -> Array:
    """View an array as (outer, classes, inner) around one axis."""
    axis %= array.ndim
    shape = prod(array.shape[:axis]), array.shape[axis], prod(array.shape[axis + 1 :])
    return array.reshape(shape, copy=False)


def softmax(x: Array, out: Array, scale: float = 1.0) -> Step:
    """Prepare the shares of scale · x.

    The largest number is taken away first so that nothing overflows, unless all are near zero: looking for the largest
    of every row takes longer than all the rest.
    """
    most, total = _one_per_row(x), _one_per_row(x)
    add_up = _total(out, total)
    may_be_near = x.dtype.char in "fd"
    is_near_zero = _nearness(x if scale == 1.0 else out)

    def run() -> None:
        scaled = x if scale == 1.0 else np.multiply(x, scale, out=out)
        if may_be_near and is_near_zero():
            np.exp(scaled, out=out)
        else:
            _shift(scaled, out, most)
            np.exp(out, out=out)
        add_up()
        np.divide(out, total, out=out)

    return run


def log_softmax(x: Array, out: Array, scale: float = 1.0) -> Step:
    """Prepare the logarithms of the shares, without taking the logarithm of a tiny number."""
    most, total = _one_per_row(x), _one_per_row(x)
    powers = np.empty_like(x)
    add_up = _total(powers, total)

    def run() -> None:
        _shift(x if scale == 1.0 else np.multiply(x, scale, out=out), out, most)
        np.exp(out, out=powers)
        add_up()
        np.log(total, out=total)
        np.subtract(out, total, out=out)

    return run


def _one_per_row(array: Array) -> Array:
    """Make an array with one number for all classes."""
    return np.empty((array.shape[0], 1, array.shape[2]), array.dtype)


def _total(array: Array, total: Array) -> Step:
    """Prepare the sum along the classes, which stay as an axis of 1."""
    if array.shape[2] == 1:  # as a matrix, whose rows a product adds up
        return sum_axes(array[:, :, 0], (1,), total[:, :, 0])
    return sum_axes(array, (1,), total)


def _nearness(array: Array) -> Callable[[], bool]:
    """Prepare to tell whether no power of e overflows or gets lost, not even in a sum or a quotient.

    It never does where one is NaN. Of few numbers the length as a vector is asked first: no number is larger, and it
    takes a quarter of the time.
    """

    def is_near_zero() -> bool:
        return bool(np.maximum.reduce(array, None) <= NEAR and np.minimum.reduce(array, None) >= -NEAR)

    if array.size > FEW or not array.flags.c_contiguous:
        return is_near_zero
    flat = array.reshape(-1)
    return lambda: (
        bool(np.vdot(flat, flat) <= NEAR * NEAR) or is_near_zero()
    )  # dot would warn of what overflows


def _shift(x: Array, out: Array, most: Array) -> None:
    """Write x minus its largest number along the classes."""
    np.maximum.reduce(x, axis=1, out=most, keepdims=True)  # two thirds of the time of np.max on a small array
    np.subtract(x, most, out=out)


def softmax_gradient(out: Array, head: Array, grad: Array, scale: float = 1.0) -> Step:
    """Prepare scale · out · (head − Σ head · out)."""
    total = _one_per_row(out)
    add_up = _total(grad, total)

    def run() -> None:
        np.multiply(head, out, out=grad)
        add_up()
        np.subtract(head, total, out=grad)
        np.multiply(grad, out, out=grad)
        if scale != 1.0:
            np.multiply(grad, scale, out=grad)

    return run


def log_softmax_gradient(out: Array, head: Array, grad: Array, scale: float = 1.0) -> Step:
    """Prepare scale · (head − softmax · Σ head)."""
    total = _one_per_row(out)
    add_up = _total(head, total)

    def run() -> None:
        add_up()
        np.exp(out, out=grad)
        np.multiply(grad, total, out=grad)
        np.subtract(head, grad, out=grad)
        if scale != 1.0:
            np.multiply(grad, scale, out=grad)

    return run

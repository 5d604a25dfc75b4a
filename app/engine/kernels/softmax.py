"""Softmax and its logarithm along the middle axis of arrays seen as (outer, classes, inner)."""

from math import prod

import numpy as np

from app.engine.kernels.steps import Step
from app.engine.kernels.windows import Array


def along(array: Array, axis: int) -> Array:
    """View an array as (outer, classes, inner) around one axis."""
    axis %= array.ndim
    shape = prod(array.shape[:axis]), array.shape[axis], prod(array.shape[axis + 1 :])
    return array.reshape(shape, copy=False)


def softmax(x: Array, out: Array, scale: float = 1.0) -> Step:
    """Prepare the shares of scale · x; the largest number is taken away first, so nothing overflows."""
    most = np.empty((x.shape[0], 1, x.shape[2]), x.dtype)

    def run() -> None:
        _shift(x, out, most, scale)
        np.exp(out, out=out)
        _sum(out, most)
        np.divide(out, most, out=out)

    return run


def log_softmax(x: Array, out: Array, scale: float = 1.0) -> Step:
    """Prepare the logarithms of the shares, without taking the logarithm of a tiny number."""
    most = np.empty((x.shape[0], 1, x.shape[2]), x.dtype)
    powers = np.empty_like(x)

    def run() -> None:
        _shift(x, out, most, scale)
        np.exp(out, out=powers)
        _sum(powers, most)
        np.log(most, out=most)
        np.subtract(out, most, out=out)

    return run


def _sum(array: Array, total: Array) -> None:
    """Write the sum along the classes, which stay as an axis of 1."""
    np.add.reduce(array, axis=1, out=total, keepdims=True)


def _shift(x: Array, out: Array, most: Array, scale: float) -> None:
    """Write scale · x minus its largest number along the classes."""
    if scale == 1.0:
        np.maximum.reduce(
            x, axis=1, out=most, keepdims=True
        )  # two thirds of the time of np.max on a small array
        np.subtract(x, most, out=out)
    else:
        np.multiply(x, scale, out=out)
        np.maximum.reduce(out, axis=1, out=most, keepdims=True)
        np.subtract(out, most, out=out)


def softmax_gradient(out: Array, head: Array, grad: Array, scale: float = 1.0) -> Step:
    """Prepare scale · out · (head − Σ head · out)."""
    total = np.empty((out.shape[0], 1, out.shape[2]), out.dtype)

    def run() -> None:
        np.multiply(head, out, out=grad)
        _sum(grad, total)
        np.subtract(head, total, out=grad)
        np.multiply(grad, out, out=grad)
        if scale != 1.0:
            np.multiply(grad, scale, out=grad)

    return run


def log_softmax_gradient(out: Array, head: Array, grad: Array, scale: float = 1.0) -> Step:
    """Prepare scale · (head − softmax · Σ head)."""
    total = np.empty((out.shape[0], 1, out.shape[2]), out.dtype)

    def run() -> None:
        _sum(head, total)
        np.exp(out, out=grad)
        np.multiply(grad, total, out=grad)
        np.subtract(head, grad, out=grad)
        if scale != 1.0:
            np.multiply(grad, scale, out=grad)

    return run

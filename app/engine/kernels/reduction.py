"""Sums over axes into given arrays: what broadcasting forward needs backward."""

from functools import partial
from math import prod

import numpy as np

from app.engine.kernels.steps import Step, copy
from app.engine.operator import Array
from app.engine.shapes import Shape


def spread_axes(shape: Shape, wide: Shape) -> tuple[int, ...]:
    """Return the axes of `wide` along which an array of `shape`, aligned on the right, is repeated."""
    lead = len(wide) - len(shape)
    inner = (lead + axis for axis, size in enumerate(shape) if size == 1 and wide[lead + axis] != 1)
    return (*range(lead), *inner)


def sum_to(source: Array, out: Array) -> Step:
    """Return the step that sums `source` down to the shape of `out`, which broadcasts to the shape of `source`."""
    axes = spread_axes(out.shape, source.shape)
    if not axes or source.size == out.size:
        return copy(source, out)
    kept = [1 if axis in axes else size for axis, size in enumerate(source.shape)]
    return sum_axes(source, axes, out.reshape(kept))


def sum_axes(source: Array, axes: tuple[int, ...], out: Array) -> Step:
    """Return the step that sums over `axes` into `out`, which keeps them with size 1.

    Where the axes are the first or the last ones, a matrix product with ones sums fastest.
    """
    if source.flags.c_contiguous and out.flags.c_contiguous and _suits_blas(source, out):
        rows = prod(source.shape[: source.ndim - len(axes)])
        if axes == tuple(range(source.ndim - len(axes), source.ndim)):
            ones = np.ones(source.size // rows, source.dtype)
            return partial(np.dot, source.reshape(rows, -1), ones, out.reshape(-1))
        if axes == tuple(range(len(axes))):
            rows = prod(source.shape[: len(axes)])
            return partial(np.dot, np.ones(rows, source.dtype), source.reshape(rows, -1), out.reshape(-1))
    return partial(np.add.reduce, source, axes, out.dtype, out, True)


def _suits_blas(source: Array, out: Array) -> bool:
    return source.dtype == out.dtype and source.dtype.char in "fd"

"""Arithmetic that numpy has no single call for: its text is copied into an exported program that calls it."""

# The exported text stands alone and is meant for reading: no annotations.
# ruff: noqa: ANN001, ANN201
# mypy: ignore-errors

import numpy as np


def unbroadcast(gradient, shape):
    """Sum a gradient over the axes along which its array was repeated, back to the array's own shape."""
    gradient = gradient.sum(axis=tuple(range(gradient.ndim - len(shape))))
    repeated = tuple(axis for axis, size in enumerate(shape) if size == 1 != gradient.shape[axis])
    return np.reshape(gradient.sum(axis=repeated, keepdims=True), shape)

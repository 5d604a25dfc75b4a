"""Norms within samples as plain numpy functions: their text is copied into an exported program that calls them."""

# The exported text stands alone and is meant for reading: no annotations, and settings as plain arguments.
# ruff: noqa: ANN001, ANN201, PLR0913, PLR0917
# mypy: ignore-errors

import numpy as np


def normalize_samples(x, gamma, beta, view, axis, eps):
    """Normalise along one axis of x seen as `view`, whose second axis is that of gamma and beta.

    Returns the result, the mean and sqrt(variance + eps).
    """
    seen = x.reshape(view)
    mean = seen.mean(axis=axis, keepdims=True)
    deviation = np.sqrt(seen.var(axis=axis, keepdims=True) + eps)
    y = (seen - mean) / deviation * gamma.reshape(1, -1, 1) + beta.reshape(1, -1, 1)
    return y.reshape(x.shape), mean, deviation


def normalize_samples_gradient(d_y, x, gamma, mean, deviation, view, axis):
    """Return the gradients of x, gamma and beta; mean and deviation follow x, which takes the part along them away."""
    once = [1 if place == axis else size for place, size in enumerate(view)]
    deviation = deviation.reshape(once)
    normal = (x.reshape(view) - mean.reshape(once)) / deviation
    d_y = d_y.reshape(view)
    d_beta, d_gamma = d_y.sum(axis=(0, 2)), (d_y * normal).sum(axis=(0, 2))
    d_y = d_y * gamma.reshape(1, -1, 1)
    along = (d_y * normal).mean(axis=axis, keepdims=True)
    d_x = (d_y - d_y.mean(axis=axis, keepdims=True) - normal * along) / deviation
    return d_x.reshape(x.shape), d_gamma, d_beta


def sum_over_neighbours(x, count, mirrored=False):
    """Sum `count` channels around each; an even count reaches further to the front, or, mirrored, to the back."""
    before = (count - 1) // 2 if mirrored else count // 2
    border = [(0, 0), (before, count - 1 - before), *[(0, 0)] * (x.ndim - 2)]
    return np.lib.stride_tricks.sliding_window_view(np.pad(x, border), count, axis=1).sum(axis=-1)

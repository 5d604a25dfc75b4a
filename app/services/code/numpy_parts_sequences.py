"""Sequences, orders and hinges as plain numpy functions: their text is copied into a program that calls them."""

# The exported text stands alone and is meant for reading: no annotations, and settings as plain arguments.
# ruff: noqa: ANN001, ANN201
# mypy: ignore-errors

import numpy as np


def mask_steps(x, lengths, axis, value):
    """Replace what lies behind each sample's length, in steps along axis 0 or 1."""
    places = np.expand_dims(np.arange(x.shape[axis]), 1 - axis)
    inside = places < np.expand_dims(lengths.astype(int), axis)
    return np.where(inside.reshape(*inside.shape, *[1] * (x.ndim - 2)), x, np.array(value).astype(x.dtype))


def last_steps(x, lengths, axis):
    """Take each sample's last step."""
    return x.swapaxes(0, axis)[lengths.astype(int) - 1, np.arange(x.shape[1 - axis])]


def last_steps_gradient(d_y, lengths, shape, axis):
    """Put the gradient at each sample's last step; without lengths that is the last of all."""
    d_x = np.zeros(shape, d_y.dtype)
    last = -1 if lengths is None else lengths.astype(int) - 1
    d_x.swapaxes(0, axis)[last, np.arange(shape[1 - axis])] = d_y
    return d_x


def turn_steps(x, lengths):
    """Turn each sample's steps around, up to its length."""
    ends, steps = lengths.astype(int), np.arange(len(x))[:, None]
    return x[np.where(steps < ends, ends - 1 - steps, steps), np.arange(x.shape[1])]


def ordered_places(x, axis, ascending):
    """Return the places of the elements in their order; of equal ones the first comes first."""
    turned = x if ascending else -x if x.dtype.kind == "f" else ~x
    return np.argsort(turned, axis=axis, kind="stable")

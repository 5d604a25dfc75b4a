"""Pooling over sliding windows: maximum with its winner, sums, averages, power means, and their gradients.

Images are (N, C, *sizes), results (N, C, *counts). Each function prepares its buffers once and returns the call.
"""

from collections.abc import Callable
from math import prod
from typing import Any

import attrs
import numpy as np

from app.engine.kernels.windows import Array, Sizes, Windows, all_stands, taps


@attrs.frozen(eq=False)
class Pooled:
    """The arrays of a pooling that its gradient may read."""

    image: Array
    result: Array
    head: Array


def max_pool(image: Array, result: Array, winner: Array, windows: Windows) -> Callable[[], None]:
    """Prepare the maximum of every window; `winner` gets the number of the first place that holds it."""
    lowest = np.finfo(image.dtype).min
    higher = np.empty(result.shape, np.bool_)
    candidate = np.empty(result.shape, winner.dtype)
    steps = []
    for tap in taps(windows, image.shape[2:], all_stands(result.shape[2:])):
        at = tap.outputs
        number = winner.dtype.type(tap.number)
        steps.append((image[tap.inputs], result[at], higher[at], number, candidate[at], winner[at]))

    def run() -> None:
        result.fill(lowest)
        winner.fill(0)
        for values, best, better, number, numbered, won in steps:
            np.greater(values, best, out=better)
            np.maximum(values, best, out=best)
            # later places have higher numbers, so a maximum of numbers replaces a masked assignment (16 × slower)
            np.multiply(better, number, out=numbered)
            np.maximum(won, numbered, out=won)

    return run


def max_pool_alone(image: Array, result: Array, windows: Windows) -> Callable[[], None]:
    """Prepare the maximum of every window where nobody will ask which place held it: a third of the time."""
    lowest = np.finfo(image.dtype).min
    steps = [
        (image[tap.inputs], result[tap.outputs])
        for tap in taps(windows, image.shape[2:], all_stands(result.shape[2:]))
    ]

    def run() -> None:
        result.fill(lowest)
        for values, best in steps:
            np.maximum(values, best, out=best)

    return run


def max_pool_gradient(head: Array, winner: Array, gradient: Array, windows: Windows) -> Callable[[], None]:
    """Prepare the gradient of the image: each window's gradient goes to the place that won."""
    won = np.empty(head.shape, np.bool_)
    share = np.empty(head.shape, head.dtype)
    steps = []
    for tap in taps(windows, gradient.shape[2:], all_stands(head.shape[2:])):
        at = tap.outputs
        number = winner.dtype.type(tap.number)
        steps.append((winner[at], number, won[at], head[at], share[at], gradient[tap.inputs]))
    apart = _stand_apart(windows)

    def run() -> None:
        gradient.fill(0)
        for winners, number, mine, incoming, part, target in steps:
            np.equal(winners, number, out=mine)
            if apart:
                np.multiply(incoming, mine, out=target)
            else:
                np.multiply(incoming, mine, out=part)
                np.add(target, part, out=target)

    return run


def plain_max_pool(image: Array, result: Array, windows: Windows) -> Callable[[], None]:
    """Prepare the maximum of every window, padding counting as zeros, without remembering where it stands."""
    steps = [
        (image[tap.inputs], result[tap.outputs])
        for tap in taps(windows, image.shape[2:], all_stands(result.shape[2:]))
    ]
    lowest = np.finfo(image.dtype).min
    first = np.where(_sees_padding(windows, image.shape[2:], result.shape[2:]), 0, lowest).astype(image.dtype)

    def run() -> None:
        np.copyto(result, first)
        for values, best in steps:
            np.maximum(values, best, out=best)

    return run


def plain_max_pool_gradient(pooled: Pooled, gradient: Array, windows: Windows) -> Callable[[], None]:
    """Prepare the gradient where every place that equals the maximum gets all of it."""
    steps = [
        (pooled.image[tap.inputs], pooled.result[tap.outputs], pooled.head[tap.outputs], gradient[tap.inputs])
        for tap in taps(windows, gradient.shape[2:], all_stands(pooled.result.shape[2:]))
    ]

    def run() -> None:
        gradient.fill(0)
        for values, best, head, target in steps:
            np.add(target, head * (values == best), out=target)

    return run


def sum_pool(image: Array, result: Array, windows: Windows, scale: Array | float) -> Callable[[], None]:
    """Prepare the sum of every window times `scale` (1, or one over the number of places for an average)."""
    steps = [
        (image[tap.inputs], result[tap.outputs])
        for tap in taps(windows, image.shape[2:], all_stands(result.shape[2:]))
    ]

    def run() -> None:
        result.fill(0)
        for values, total in steps:
            np.add(total, values, out=total)
        np.multiply(result, scale, out=result)

    return run


def sum_pool_gradient(
    head: Array, gradient: Array, windows: Windows, scale: Array | float
) -> Callable[[], None]:
    """Prepare the gradient of `sum_pool`: every place gets its windows' gradient times `scale`."""
    share = np.empty(head.shape, head.dtype)
    steps = [
        (share[tap.outputs], gradient[tap.inputs])
        for tap in taps(windows, gradient.shape[2:], all_stands(head.shape[2:]))
    ]

    def run() -> None:
        np.multiply(head, scale, out=share)
        gradient.fill(0)
        for values, target in steps:
            np.add(target, values, out=target)

    return run


def power_pool(image: Array, result: Array, windows: Windows, power: int) -> Callable[[], None]:
    """Prepare (Σ xᵖ)^(1/p) of every window."""
    steps = [
        (image[tap.inputs], result[tap.outputs])
        for tap in taps(windows, image.shape[2:], all_stands(result.shape[2:]))
    ]

    def run() -> None:
        result.fill(0)
        for values, total in steps:
            np.add(total, values**power, out=total)
        _ROOTS[power](result, out=result)

    return run


_ROOTS: dict[int, Any] = {1: np.positive, 2: np.sqrt, 3: np.cbrt}


def power_pool_gradient(pooled: Pooled, gradient: Array, windows: Windows, power: int) -> Callable[[], None]:
    """Prepare d = head · (x / y)^(p−1) per place; a window whose y is 0, where that is not defined, gives zero."""
    head, result = pooled.head, pooled.result
    steps = [
        (pooled.image[tap.inputs], tap.outputs, gradient[tap.inputs])
        for tap in taps(windows, gradient.shape[2:], all_stands(head.shape[2:]))
    ]

    def run() -> None:
        gradient.fill(0)
        empty = result == 0
        whole = np.where(empty, 1, result)
        flowing = np.where(empty, 0, head) if power > 1 else head
        for values, at, target in steps:
            share = flowing[at] * (values / whole[at]) ** (power - 1)
            np.add(target, share, out=target)

    return run


def average_scale(
    windows: Windows, image: Sizes, counts: Sizes, include_padding: bool, dtype: Any
) -> Array | float:
    """Return one over the number of places that count in each window.

    With padding included a window that hangs over the far padded edge still counts only up to that edge.
    """
    per_axis = []
    for axis, size in enumerate(image):
        first = np.arange(counts[axis]) * windows.stride[axis] - windows.pad[axis]
        last = np.minimum(first + windows.kernel[axis], size + windows.pad[axis])
        if not include_padding:
            first, last = np.maximum(first, 0), np.minimum(last, size)
        per_axis.append(np.maximum(last - first, 1))
    if all((lengths == lengths[0]).all() for lengths in per_axis):
        return 1.0 / prod(int(lengths[0]) for lengths in per_axis)
    places = per_axis[0]
    for lengths in per_axis[1:]:
        places = places[..., None] * lengths
    return np.asarray(1.0 / places, dtype)


def global_max(image: Array, result: Array, winner: Array) -> Callable[[], None]:
    """Prepare the maximum of every whole image and its position."""
    flat = image.reshape(*image.shape[:2], -1, copy=False)
    best, where = result.reshape(*result.shape[:2], 1), winner.reshape(*winner.shape[:2], 1)

    def run() -> None:
        np.copyto(where, np.argmax(flat, axis=2, keepdims=True), casting="same_kind")
        np.copyto(best, np.take_along_axis(flat, where, axis=2))

    return run


def global_max_gradient(head: Array, winner: Array, gradient: Array) -> Callable[[], None]:
    """Prepare the gradient of `global_max`: all of it at the position that won."""
    flat = gradient.reshape(*gradient.shape[:2], -1, copy=False)

    def run() -> None:
        flat.fill(0)
        where = winner.reshape(*winner.shape[:2], 1)
        np.put_along_axis(flat, where, head.reshape(where.shape), axis=2)

    return run


def global_sum(image: Array, result: Array, scale: Array | float) -> Callable[[], None]:
    """Prepare the sum of every whole image times `scale`."""
    flat = image.reshape(-1, prod(image.shape[2:]), copy=False)
    ones = np.ones(flat.shape[1], image.dtype)
    total = result.reshape(-1, copy=False)

    def run() -> None:
        np.matmul(flat, ones, out=total)
        np.multiply(total, scale, out=total)

    return run


def _sees_padding(windows: Windows, image: Sizes, counts: Sizes) -> Array:
    """Tell for every window whether padding lies in it; what hangs over the padded edge is no padding."""
    beyond = np.zeros(counts, np.bool_)
    for axis, size in enumerate(image):
        first = np.arange(counts[axis]) * windows.stride[axis] - windows.pad[axis]
        last = np.minimum(first + windows.reach[axis], size + windows.pad[axis])
        outside = (first < 0) | (last > size)
        beyond |= outside.reshape([-1 if place == axis else 1 for place in range(len(image))])
    return beyond


def _stand_apart(windows: Windows) -> bool:
    """Tell whether no two windows overlap, so that results can be written rather than added."""
    return all(stride >= reach for stride, reach in zip(windows.stride, windows.reach, strict=True))

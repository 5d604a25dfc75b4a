"""Images (batch, channels, height, width) brought to another size: by averages of equal parts, or bilinearly.

Both are made of one axis after the other. The first is the one that leaves less to do: what stands between is then no
larger than the larger of image and result.
"""

from collections.abc import Callable
from math import prod

import attrs
import numpy as np

from app.engine.kernels.pieces import PIECE
from app.engine.kernels.pooling import global_sum
from app.engine.kernels.steps import Step
from app.engine.kernels.windows import Array, Sizes

_Sum = Callable[[Array, Array, int], None]
"""Writes what becomes of the first array along an axis into the second."""


def average_parts(image: Array, result: Array) -> Step:
    """Prepare the averages of parts as equal as can be; neighbours may share a row or column."""
    sizes, counts = image.shape[2:], result.shape[2:]
    if counts == (1, 1) and image.flags.c_contiguous:
        return global_sum(image, result, 1 / prod(sizes))
    parts = [_parts(size, count) for size, count in zip(sizes, counts, strict=True)]
    down, across = (np.array([last - first for first, last in each], result.dtype) for each in parts)

    def along(source: Array, target: Array, axis: int) -> None:
        for place, (first, last) in enumerate(parts[axis - 2]):
            np.add.reduce(_cut(source, axis, first, last), axis, out=_cut(target, axis, place))

    def run() -> None:
        _one_by_one(image, result, along)
        np.divide(result, across, out=result)
        np.divide(result, down[:, None], out=result)

    return run


def average_parts_gradient(head: Array, grad: Array) -> Step:
    """Prepare the gradient: every pixel gets its share of all parts that it belongs to."""
    sizes, counts = grad.shape[2:], head.shape[2:]
    parts = [_parts(size, count) for size, count in zip(sizes, counts, strict=True)]
    down, across = (np.array([last - first for first, last in each], head.dtype) for each in parts)

    def along(source: Array, target: Array, axis: int) -> None:
        target.fill(0)
        for place, (first, last) in enumerate(parts[axis - 2]):
            seen = _cut(target, axis, first, last)
            np.add(seen, _cut(source, axis, place, place + 1), out=seen)

    return lambda: _one_by_one(head / across / down[:, None], grad, along)


def _parts(size: int, count: int) -> list[tuple[int, int]]:
    """Return first and last + 1 place of every part of an axis, reckoned in single precision as MXNet does."""
    whole, steps = np.float32(count), np.arange(count + 1) * size
    bounds = steps.astype(np.float32) / whole
    firsts, lasts = np.floor(bounds[:-1]).astype(int), np.ceil(bounds[1:]).astype(int)
    return list(zip(firsts.tolist(), lasts.tolist(), strict=True))


def _cut(array: Array, axis: int, first: int, last: int | None = None) -> Array:
    """View some places of an axis, or one place without the axis."""
    place = first if last is None else slice(first, last)
    return array[:, :, place] if axis == 2 else array[:, :, :, place]


def _one_by_one(source: Array, target: Array, along: _Sum) -> None:
    """Go along both axes, first along the one that leaves less."""
    (height, width), (rows, columns) = source.shape[2:], target.shape[2:]
    first, between = (2, (rows, width)) if rows * width <= height * columns else (3, (height, columns))
    middle = np.empty((*target.shape[:2], *between), target.dtype)
    along(source, middle, first)
    along(middle, target, 5 - first)


@attrs.frozen(eq=False)
class Mixing:
    """How each place of a result mixes two neighbours along one axis: where they are, and the second one's share."""

    low: Array
    high: Array
    share: Array

    def shares(self, axis: int) -> tuple[Array, Array]:
        """Return the shares of both neighbours to meet an array along an axis."""
        share = self.share[:, None] if axis == 2 else self.share
        return share.dtype.type(1) - share, share


def mixing(size: int, count: int, *, align_corners: bool, dtype: np.dtype[np.generic]) -> Mixing:
    """Find the neighbours of every place; places are reckoned in the image's type, at least in single precision.

    Either the middles of the outermost pixels meet, or their edges. A single place shows the first pixel.
    """
    kind = np.result_type(dtype, np.float32).type
    places = np.arange(count).astype(kind)
    if count == 1:
        at = np.zeros(1, kind)
    elif align_corners:
        at = kind(size - 1) / kind(count - 1) * places
    else:
        scale = float(kind(size) / kind(count))
        at = np.maximum(scale * (places.astype(np.float64) + 0.5) - 0.5, 0).astype(kind)
    low = at.astype(np.int64)
    return Mixing(low, np.minimum(low + 1, size - 1), (at - low).astype(dtype))


def resize(image: Array, result: Array, *, align_corners: bool) -> Step:
    """Prepare the bilinear resizing of every image."""
    if image.shape == result.shape:
        return lambda: np.copyto(result, image)
    mixings = _mixings(image.shape[2:], result.shape[2:], image.dtype, align_corners=align_corners)

    def along(source: Array, target: Array, axis: int) -> None:
        each = mixings[axis - 2]
        rest, share = each.shares(axis)
        np.take(source, each.low, axis, out=target, mode="clip")
        np.multiply(target, rest, out=target)
        other = np.take(source, each.high, axis)
        np.multiply(other, share, out=other)
        np.add(target, other, out=target)

    return lambda: _by_samples(image, result, along)


def resize_gradient(head: Array, grad: Array, *, align_corners: bool) -> Step:
    """Prepare the gradient: every pixel gets its share of all places that mix it in."""
    if head.shape == grad.shape:
        return lambda: np.copyto(grad, head)
    mixings = _mixings(grad.shape[2:], head.shape[2:], head.dtype, align_corners=align_corners)
    runs = [[_runs(places) for places in (each.low, each.high)] for each in mixings]

    def along(source: Array, target: Array, axis: int) -> None:
        target.fill(0)
        pairs = zip(mixings[axis - 2].shares(axis), runs[axis - 2], strict=True)
        for share, (begins, places) in pairs:
            sums = np.add.reduceat(source * share, begins, axis)
            if axis == 2:
                target[:, :, places] += sums
            else:
                target[:, :, :, places] += sums

    return lambda: _by_samples(head, grad, along)


def _mixings(
    sizes: Sizes, counts: Sizes, dtype: np.dtype[np.generic], *, align_corners: bool
) -> list[Mixing]:
    return [
        mixing(size, count, align_corners=align_corners, dtype=dtype)
        for size, count in zip(sizes, counts, strict=True)
    ]


def _runs(places: Array) -> tuple[Array, Array]:
    """Return where each run of one and the same place begins, and that place; places never go back."""
    begins = np.flatnonzero(np.diff(places, prepend=-1))
    return begins, places[begins]


def _by_samples(source: Array, target: Array, along: _Sum) -> None:
    """Go through samples, and channels that are not many together, so that what is made on the way stays in cache."""
    at_once = max(1, PIECE // max(prod(source.shape[2:]), prod(target.shape[2:])))
    for sample, filled in zip(source, target, strict=True):
        for first in range(0, len(sample), at_once):
            some = slice(first, first + at_once)
            _one_by_one(sample[None, some], filled[None, some], along)

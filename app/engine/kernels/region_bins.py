"""Regions of images reduced to a grid of bins, each a weighted sum over some rows and some columns of pixels.

A row of rois is (number of the image, x1, y1, x2, y2). A region of an image that is not there is all zeros.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import attrs
import numpy as np

from app.engine.kernels.windows import Array

_MOST_SAMPLES = 2**16
"""Along one side of a bin: more come only of a region that is thousands of times as large as any image."""


@attrs.frozen(eq=False)
class Bin:
    """The pixels along one axis that a bin sees, and what each of them counts."""

    places: Array
    weights: Array


@attrs.frozen(eq=False)
class Region:
    """One region: its image, the columns in which it lies, and its bins along both axes; columns count from there."""

    number: int
    image: int
    columns: slice
    down: Sequence[Bin]
    across: Sequence[Bin]

    def of(self, images: Array) -> Array:
        """View its columns of its image."""
        return images[self.image, ..., self.columns]


Cut = Callable[[Array, Array, int, int], Sequence[Bin]]
"""Cuts an axis of a region (first and last coordinate) into so many bins on an image of such a size."""


@attrs.frozen
class Averages:
    """Whole pixels, averaged: corners are rounded, and a bin takes every pixel that it touches."""

    scale: float

    def __call__(self, first: Array, last: Array, count: int, size: int) -> Sequence[Bin]:
        """Return the bins of one axis."""
        kind = first.dtype.type
        start = rounded(first) * kind(np.float32(self.scale))
        end = (rounded(last) + kind(1)) * kind(np.float32(self.scale))
        step = np.maximum(end - start, kind(0.1)) / kind(count)
        bounds = np.arange(count + 1, dtype=first.dtype) * step + start
        firsts, lasts = (
            np.clip(each, 0, size).astype(int) for each in (np.floor(bounds[:-1]), np.ceil(bounds[1:]))
        )
        spans = (np.arange(begin, stop) for begin, stop in zip(firsts, lasts, strict=True))
        return [Bin(span, np.full(len(span), 1 / max(len(span), 1), first.dtype)) for span in spans]


@attrs.frozen
class Samples:
    """Points between pixels, each mixed of its two neighbours: nothing is rounded.

    Every bin has `ratio` points, or about one for every pixel where that is not above 0. With `aligned` pixels are half
    a pixel further on.
    """

    scale: float
    ratio: int
    aligned: bool

    def __call__(self, first: Array, last: Array, count: int, size: int) -> Sequence[Bin]:
        """Return the bins of one axis."""
        kind = first.dtype.type
        shift = kind(0.5 if self.aligned else 0)
        start, end = (each * kind(np.float32(self.scale)) - shift for each in (first, last))
        length = end - start if self.aligned else np.maximum(end - start, kind(1))
        step = length / kind(count)
        samples = self.ratio if self.ratio > 0 else _whole(np.ceil(step))
        bins = np.arange(count, dtype=first.dtype)[:, None] * step + start
        inside = (np.arange(samples, dtype=first.dtype) + kind(0.5)) * step / kind(max(samples, 1))
        return _mixed(bins + inside, size)


def _whole(number: Array) -> int:
    """Return a number of samples; what is no number makes none."""
    return int(np.clip(np.nan_to_num(number, nan=0), 0, _MOST_SAMPLES))


def _mixed(points: Array, size: int) -> list[Bin]:
    """Return for every row of points the pixels around them; points beyond the image count as zero."""
    inside = (points >= -1) & (points <= size)
    at = np.clip(np.where(inside, points, 0), 0, size - 1)
    below = np.floor(at)
    low, share = below.astype(np.int64), at - below
    high = np.minimum(low + 1, size - 1)
    rows = np.broadcast_to(np.arange(len(points))[:, None], points.shape)
    seen, weights = np.zeros((len(points), size), np.bool_), np.zeros((len(points), size), points.dtype)
    for places, part in ((low, 1 - share), (high, share)):
        seen[rows[inside], places[inside]] = True
        np.add.at(weights, (rows[inside], places[inside]), part[inside] / points.shape[1])
    found = (np.flatnonzero(row) for row in seen)
    return [Bin(places, weights[row, places]) for row, places in enumerate(found)]


def rounded(number: Array) -> Array:
    """Round to whole numbers, halves away from zero."""
    return np.asarray(np.copysign(np.floor(np.abs(number) + number.dtype.type(0.5)), number))


def regions(rois: Array, images: Sequence[int], counts: Sequence[int], cut: Cut) -> Iterator[Region]:
    """Yield every region that lies on an image; `images` is the shape of all, `counts` that of a region's grid."""
    wide = rois.astype(np.result_type(rois.dtype, np.float32))
    for number, (image, *corners) in enumerate(wide):
        if not -1 < image < images[0]:
            continue
        x1, y1, x2, y2 = (np.asarray(corner) for corner in corners)
        down, across = cut(y1, y2, counts[0], images[2]), cut(x1, x2, counts[1], images[3])
        columns = np.concatenate([each.places for each in across])
        if columns.size:
            begin, stop = int(columns.min()), int(columns.max()) + 1
            moved = [Bin(each.places - begin, each.weights) for each in across]
            yield Region(number, int(image), slice(begin, stop), down, moved)


def pool_bins(data: Array, result: Array, found: Iterator[Region]) -> None:
    """Write the sums of every bin, channel by channel."""
    result.fill(0)
    for region in found:
        image, grid = region.of(data), result[region.number]
        rows = np.stack([_summed(image[:, each.places], each.weights) for each in region.down], axis=1)
        for column, each in enumerate(region.across):
            grid[:, :, column] = rows[:, :, each.places] @ each.weights


def _summed(rows: Array, weights: Array) -> Array:
    return np.asarray(np.einsum("crw,r->cw", rows, weights))


def pool_bins_gradient(head: Array, grad: Array, found: Iterator[Region]) -> None:
    """Give every pixel its share of all bins that see it."""
    grad.fill(0)
    for region in found:
        image, grid = region.of(grad), head[region.number]
        rows = np.zeros((*grid.shape[:2], image.shape[2]), grid.dtype)
        for column, each in enumerate(region.across):
            rows[:, :, each.places] += grid[:, :, column, None] * each.weights
        for row, each in enumerate(region.down):
            image[:, each.places] += rows[:, row, None] * each.weights[:, None]


@attrs.frozen
class Groups:
    """Which channels each bin reads: of every (down, across) channels in a row the one for its part of the grid."""

    down: int
    across: int

    def channels(self, counts: Sequence[int]) -> Iterator[tuple[int, int, int]]:
        """Yield row and column of every bin with the first channel that it reads."""
        for row in range(counts[0]):
            for column in range(counts[1]):
                yield row, column, self.group_of(row, column, counts)

    def group_of(self, row: int, column: int, counts: Sequence[int]) -> int:
        """Return the number of a bin's group."""
        return row * self.down // counts[0] * self.across + column * self.across // counts[1]

    @property
    def count(self) -> int:
        """How many groups there are."""
        return self.down * self.across


def pool_groups(data: Array, result: Array, found: Iterator[Region], groups: Groups) -> None:
    """Write the sums of every bin over its own channels."""
    result.fill(0)
    for region in found:
        grid = result[region.number]
        for row, column, first in groups.channels(grid.shape[1:]):
            pixels, weights = _window(region, row, column)
            seen = region.of(data)[first :: groups.count][: len(grid)][pixels]
            grid[:, row, column] = (seen * weights).sum(axis=(1, 2))


def pool_groups_gradient(head: Array, grad: Array, found: Iterator[Region], groups: Groups) -> None:
    """Give every pixel of a bin's channels its share."""
    grad.fill(0)
    for region in found:
        grid = head[region.number]
        for row, column, first in groups.channels(grid.shape[1:]):
            pixels, weights = _window(region, row, column)
            seen = region.of(grad)[first :: groups.count][: len(grid)]
            seen[pixels] += grid[:, row, column, None, None] * weights


def _window(region: Region, row: int, column: int) -> tuple[Any, Array]:
    """Return the index of a bin's pixels in all channels, and their weights."""
    down, across = region.down[row], region.across[column]
    return (slice(None), down.places[:, None], across.places), down.weights[:, None] * across.weights

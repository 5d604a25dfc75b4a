"""Regions of images reduced to a grid of shifted bins: each is the mean of some points in channels of its own.

Only points on the image count. A row of rois is (number of the image, x1, y1, x2, y2). Shifts are (regions, 2 · kinds,
parts, parts), x before y, in shares of the region's size; each kind of the result's channels has its own. A region of
an image that is not there is all zeros. Arrays of points are (channels, rows, columns, points down, points across).
"""

from collections.abc import Iterator
from typing import Any

import attrs
import numpy as np

from app.engine.kernels.region_bins import Groups, rounded
from app.engine.kernels.windows import Array, Sizes


@attrs.frozen
class Shifting:
    """How regions are cut, with `points` along each axis of a bin; `strength` says how much a shift counts."""

    scale: float
    groups: Groups
    points: int
    parts: int
    strength: float

    def parts_of(self, count: int) -> Array:
        """Return for every bin along an axis the part whose shift it takes."""
        return np.arange(count) * self.parts // count


@attrs.frozen(eq=False)
class Regions:
    """The arrays that say where the points are, and the shapes of images and result."""

    rois: Array
    shifts: Array | None
    images: Sizes
    result: Sizes


@attrs.frozen(eq=False)
class _Corner:
    """One of the four pixels around every point: its place in the image, its weight, and how that changes."""

    pixel: Array
    weight: Array
    by_x: Array
    by_y: Array


@attrs.frozen(eq=False)
class _Points:
    """The points of one region, which of them lie on the image, and the region's width and height."""

    number: int
    image: int
    corners: list[_Corner]
    inside: Array
    size: Array

    @property
    def count(self) -> Array:
        """How many points of every bin lie on the image."""
        return np.asarray(self.inside.sum(axis=(3, 4), dtype=self.size.dtype))


def pool_shifted(data: Array, where: Regions, result: Array, counts: Array, how: Shifting) -> None:
    """Write the mean of every bin, and how many points it has."""
    result.fill(0)
    counts.fill(0)
    for points in _points(where, how):
        image = data[points.image].reshape(-1)
        total = sum(image[each.pixel] * each.weight for each in points.corners)
        sums = (total * points.inside).sum(axis=(3, 4))
        counts[points.number] = points.count
        np.copyto(result[points.number], sums / np.maximum(points.count, 1), casting="same_kind")


def pool_shifted_gradient(
    data: Array | None, where: Regions, head: Array, grads: tuple[Array | None, Array | None], how: Shifting
) -> None:
    """Write the gradients of images and shifts; the latter read the images."""
    to_data, to_shifts = grads
    for grad in grads:
        if grad is not None:
            grad.fill(0)
    for points in _points(where, how):
        each = head[points.number] / np.maximum(points.count, 1)
        share = each[..., None, None] * points.inside
        if to_data is not None:
            image = to_data[points.image].reshape(-1, copy=False)
            for corner in points.corners:
                spread = (share * corner.weight).astype(image.dtype, copy=False)
                np.add.at(image, corner.pixel.reshape(-1), spread.reshape(-1))
        if to_shifts is not None and data is not None:
            seen = data[points.image].reshape(-1)
            by_x = sum(seen[corner.pixel] * corner.by_x for corner in points.corners)
            by_y = sum(seen[corner.pixel] * corner.by_y for corner in points.corners)
            flowing = np.stack([(slope * share).sum(axis=(3, 4)) for slope in (by_x, by_y)], axis=1)
            factors = points.size * share.dtype.type(how.strength)
            _gather(flowing * factors[:, None, None], to_shifts[points.number], how)


def _gather(flowing: Array, grad: Array, how: Shifting) -> None:
    """Add what (channels, x and y, rows, columns) get onto the shifts of their kind and part."""
    channels, _, rows, columns = flowing.shape
    kinds = grad.reshape(-1, 2, how.parts, how.parts, copy=False)
    per_kind = flowing.reshape(len(kinds), channels // len(kinds), 2, rows, columns).sum(axis=1)
    down, across = how.parts_of(rows), how.parts_of(columns)
    at: Any = (slice(None), slice(None), down[:, None], across)
    np.add.at(kinds, at, per_kind.astype(grad.dtype, copy=False))


def _points(where: Regions, how: Shifting) -> Iterator[_Points]:
    """Yield the points of every region that lies on an image."""
    wide = where.rois.astype(np.result_type(where.rois.dtype, np.float32))
    kind = wide.dtype.type
    scale = kind(np.float32(how.scale))
    for number, (image, *corners) in enumerate(wide):
        if not -1 < image < where.images[0]:
            continue
        edges = rounded(np.array(corners))
        first = edges[:2] * scale - kind(0.5)
        size = np.maximum((edges[2:] + kind(1)) * scale - kind(0.5) - first, kind(0.1))
        shift = _shifts(None if where.shifts is None else where.shifts[number], where.result, how)
        bins = size / np.array(where.result[:1:-1], wide.dtype)
        steps = np.arange(how.points, dtype=wide.dtype) * (bins / kind(how.points))[:, None]
        columns, rows = (
            np.arange(count, dtype=wide.dtype) * each + start
            for count, each, start in zip(where.result[:1:-1], bins, first, strict=True)
        )
        across = (columns + shift[:, 0] * size[0])[..., None] + steps[0]
        down = (rows[:, None] + shift[:, 1] * size[1])[..., None] + steps[1]
        inside, found = _corners(down, across, where, how)
        yield _Points(number, int(image), found, inside, size)


def _shifts(shifts: Array | None, result: Sizes, how: Shifting) -> Array:
    """Return the shift of every bin in shares of the region's size: (channels, x and y, rows, columns)."""
    _, channels, rows, columns = result
    if shifts is None:
        return np.zeros((channels, 2, rows, columns), np.float32)
    kind = np.result_type(shifts.dtype, np.float32)
    kinds = shifts.astype(kind).reshape(-1, 2, how.parts, how.parts)
    chosen = kinds[:, :, how.parts_of(rows)[:, None], how.parts_of(columns)] * kind.type(
        np.float32(how.strength)
    )
    return np.repeat(chosen, channels // len(kinds), axis=0)


def _corners(down: Array, across: Array, where: Regions, how: Shifting) -> tuple[Array, list[_Corner]]:
    """Return which points lie on the image, and the four pixels around each."""
    height, width = where.images[2:]
    sides, on = [], []
    for at, size in ((down, height), (across, width)):
        on.append((at >= -0.5) & (at <= size - 0.5))
        held = np.clip(np.where(on[-1], at, 0), 0, size - 1)
        below = np.floor(held)
        low, share, one = below.astype(np.int64), held - below, np.ones_like(held)
        sides.append([(low, 1 - share, -one), (np.ceil(held).astype(np.int64), share, one)])
    first = _channels(where.result, how) * (height * width)
    found = []
    for row, weight_down, slope_down in sides[0]:
        for column, weight_across, slope_across in sides[1]:
            y, x = row[..., :, None], column[..., None, :]
            far_down, far_across = weight_down[..., :, None], weight_across[..., None, :]
            found.append(
                _Corner(
                    first[..., None, None] + y * width + x,
                    far_down * far_across,
                    far_down * slope_across[..., None, :],
                    slope_down[..., :, None] * far_across,
                )
            )
    return on[0][..., :, None] & on[1][..., None, :], found


def _channels(result: Sizes, how: Shifting) -> Array:
    """Return the channel that each bin of each of the result's channels reads."""
    _, channels, rows, columns = result
    groups = np.zeros((rows, columns), np.int64)
    for row, column, group in how.groups.channels((rows, columns)):
        groups[row, column] = group
    return np.arange(channels)[:, None, None] * how.groups.count + groups

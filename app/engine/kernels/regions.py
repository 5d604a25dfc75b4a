"""Regions of images: pooling of boxes, and comparison of the patches of two images."""

from collections.abc import Iterator

import attrs
import numpy as np

from app.engine.kernels.windows import Array

Box = tuple[int, tuple[int, int], tuple[int, int], tuple[int, int]]
"""The number of an image, and first and last pixel + 1 down and across, with the cell (row, column) they fill."""


def cells(roi: Array, pooled: tuple[int, int], scale: float, size: tuple[int, int]) -> Iterator[Box]:
    """Yield for each cell of one region (image, x1, y1, x2, y2) the cell, its rows and its columns of pixels.

    Corners are rounded to pixels, halves away from zero, and the cells overlap by up to a pixel.
    """
    x1, y1, x2, y2 = (int(np.floor(abs(value) + 0.5) * np.sign(value)) for value in roi[1:] * scale)
    bounds = []
    for first, last, parts, limit in ((y1, y2, pooled[0], size[0]), (x1, x2, pooled[1], size[1])):
        length = np.float32(max(last - first + 1, 1) / parts)
        starts = np.floor(np.arange(parts, dtype=np.float32) * length).astype(int) + first
        ends = np.ceil(np.arange(1, parts + 1, dtype=np.float32) * length).astype(int) + first
        bounds.append((np.clip(starts, 0, limit), np.clip(ends, 0, limit)))
    (tops, bottoms), (lefts, rights) = bounds
    for row in range(pooled[0]):
        for column in range(pooled[1]):
            down, across = (tops[row], bottoms[row]), (lefts[column], rights[column])
            yield int(roi[0]), (row, column), down, across


def pool_regions(data: Array, rois: Array, result: Array, winner: Array, scale: float) -> None:
    """Write the maximum of every cell of every region, and where in the image it stands (-1 in an empty cell)."""
    height, width = data.shape[2:]
    pooled = (result.shape[2], result.shape[3])
    for number, roi in enumerate(rois):
        for image, (row, column), (top, bottom), (left, right) in cells(roi, pooled, scale, (height, width)):
            if bottom <= top or right <= left:
                result[number, :, row, column] = 0
                winner[number, :, row, column] = -1
                continue
            part = data[image, :, top:bottom, left:right].reshape(data.shape[1], -1)
            best = part.argmax(axis=1)
            result[number, :, row, column] = part[np.arange(len(best)), best]
            winner[number, :, row, column] = (
                (top + best // (right - left)) * width + left + best % (right - left)
            )


def pool_regions_gradient(rois: Array, winner: Array, head: Array, grad: Array) -> None:
    """Give every cell's gradient to the pixel that won it."""
    grad.fill(0)
    flat = grad.reshape(*grad.shape[:2], -1)
    channels = np.arange(grad.shape[1])[:, None]
    for number, roi in enumerate(rois):
        where = winner[number].reshape(grad.shape[1], -1)
        share = np.where(where >= 0, head[number].reshape(grad.shape[1], -1), 0)
        np.add.at(flat[int(roi[0])], (channels, np.maximum(where, 0)), share)


@attrs.frozen
class Comparison:
    """How the patches of two images are compared: MXNet's Correlation."""

    kernel: int
    displacement: int
    stride: int
    step: int
    multiplies: bool

    @property
    def shifts(self) -> list[tuple[int, int]]:
        """The displacements of the second image, row by row."""
        steps = [number * self.step for number in range(-self.radius, self.radius + 1)]
        return [(down, across) for down in steps for across in steps]

    @property
    def radius(self) -> int:
        """How many steps the second image moves at most."""
        return self.displacement // self.step

    @property
    def border(self) -> int:
        """How far patches stay away from the padded edge."""
        return self.displacement + (self.kernel - 1) // 2


def _places(
    comparison: Comparison, counts: tuple[int, int], shift: tuple[int, int], tap: tuple[int, int]
) -> tuple[slice, ...]:
    """Return the pixels of the padded image that one place of all patches sees."""
    chosen = []
    for axis in (0, 1):
        first = comparison.displacement + shift[axis] + tap[axis]
        chosen.append(slice(first, first + (counts[axis] - 1) * comparison.stride + 1, comparison.stride))
    return (slice(None), slice(None), *chosen)


def _taps(comparison: Comparison) -> list[tuple[int, int]]:
    return [(down, across) for down in range(comparison.kernel) for across in range(comparison.kernel)]


def compare(first: Array, second: Array, result: Array, comparison: Comparison) -> None:
    """Write for each displacement the mean over channels and patch of products, or of absolute differences."""
    counts = (result.shape[2], result.shape[3])
    each = 1.0 / (comparison.kernel**2 * first.shape[1])
    result.fill(0)
    for number, shift in enumerate(comparison.shifts):
        for tap in _taps(comparison):
            one = first[_places(comparison, counts, (0, 0), tap)]
            other = second[_places(comparison, counts, shift, tap)]
            both = one * other if comparison.multiplies else np.abs(one - other)
            result[:, number] += both.sum(axis=1)
    np.multiply(result, each, out=result)


@attrs.frozen(eq=False)
class Compared:
    """The padded images, the head gradient, and the padded gradients that are to be filled."""

    first: Array
    second: Array
    head: Array
    to_first: Array
    to_second: Array


def compare_gradient(arrays: Compared, comparison: Comparison) -> None:
    """Fill the gradients of both padded images."""
    counts = (arrays.head.shape[2], arrays.head.shape[3])
    each = 1.0 / (comparison.kernel**2 * arrays.first.shape[1])
    arrays.to_first.fill(0)
    arrays.to_second.fill(0)
    for number, shift in enumerate(comparison.shifts):
        share = arrays.head[:, number : number + 1] * each
        for tap in _taps(comparison):
            here, there = _places(comparison, counts, (0, 0), tap), _places(comparison, counts, shift, tap)
            one, other = arrays.first[here], arrays.second[there]
            if comparison.multiplies:
                arrays.to_first[here] += share * other
                arrays.to_second[there] += share * one
            else:
                side = np.where(
                    one >= other, share.dtype.type(1), share.dtype.type(-1)
                )  # equal ones count as above
                arrays.to_first[here] += share * side
                arrays.to_second[there] -= share * side

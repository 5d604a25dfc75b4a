"""Convolution whose windows look where they are told: every place of every window is moved by an offset of its own.

Images are (batch, channels, height, width), offsets (batch, parts · places · 2, rows, columns), y before x, and masks
(batch, parts · places, rows, columns): each part of the channels has its own. Filters are (F, C / groups, *kernel).

Pixels are looked up as rows of channels, piece by piece of the positions. What an offset, a mask, and the image get
back all follow from the products of the columns' gradients with the four pixels around a place.
"""

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

import attrs
import numpy as np

from app.engine.kernels.windows import Array, Sizes, Windows
from app.engine.work_space import WorkSpace

COLUMNS = 2**17
"""Numbers of the columns of a piece."""


@attrs.frozen
class Deformation:
    """How a deformable convolution looks: its windows, groups of filters, and parts of channels that move as one.

    With `fades`, what lies outside the image counts as zero and fades in over one pixel; without, a place outside sees
    nothing, and one beyond the middles of the last pixels sees these.
    """

    windows: Windows
    groups: int
    parts: int
    fades: bool


@attrs.frozen(eq=False)
class Layer:
    """The arrays of one layer; a gradient's are None where nobody wants it."""

    data: Array
    offset: Array
    mask: Array | None
    weight: Array


@attrs.frozen(eq=False)
class Gradients:
    """The gradients that are to be written."""

    data: Array | None
    offset: Array | None
    mask: Array | None
    weight: Array | None

    @property
    def follow_columns(self) -> bool:
        """Whether any of them follows from the gradient of the columns."""
        return any(each is not None for each in (self.data, self.offset, self.mask))


@attrs.frozen(eq=False)
class _Corner:
    """One of the four pixels around every place: which, what it weighs, and how that changes with y and x.

    All are (positions, places of the window).
    """

    pixel: Array
    weight: Array
    by_y: Array
    by_x: Array


@attrs.frozen(eq=False)
class _Piece:
    """Some positions of one sample, with the corners and the mask of every part."""

    sample: int
    positions: slice
    corners: Sequence[Sequence[_Corner]]
    masks: Sequence[Array | None]


def work_space(data: Sizes, weight: Sizes, result: Sizes, how: Deformation, *, gradients: bool) -> WorkSpace:
    """Tell what passes: pixels as rows, columns of a piece and what is looked up for them, filters, corners."""
    _, channels, height, width = data
    places = how.windows.places
    depth = places * channels
    positions = min(prod(result[2:]), max(1, COLUMNS // depth))
    columns, corners = positions * depth, 60 * positions * places * how.parts
    pixels, filters = channels * height * width, prod(weight)
    if not gradients:
        return WorkSpace(0, 2 * pixels + 3 * columns + 2 * filters + corners + positions * result[1])
    return WorkSpace(0, 4 * pixels + 5 * columns + 4 * filters + 2 * corners + 2 * positions * result[1])


def convolve(layer: Layer, bias: Array | None, result: Array, how: Deformation) -> None:
    """Write result[n] = filters · columns(data[n]) + bias."""
    weights = _matrices(layer.weight, how)
    rows = result.reshape(*result.shape[:2], -1, copy=False)
    pixels = Pixels(layer.data)
    for piece in _pieces(layer, result.shape[2:], how):
        columns = _columns(pixels.of(piece.sample), piece)
        found = [matrix @ each.T for matrix, each in zip(weights, _grouped(columns, how), strict=True)]
        rows[piece.sample, :, piece.positions] = np.concatenate(found)
    if bias is not None:
        np.add(result, bias[:, None, None], out=result)


def gradients(layer: Layer, head: Array, wanted: Gradients, how: Deformation) -> None:
    """Write the wanted gradients."""
    weights = _matrices(layer.weight, how)
    to_weights = [np.zeros_like(matrix) for matrix in weights]
    kind = weights[0].dtype
    pixels, back = Pixels(layer.data), None if wanted.data is None else PixelSums(wanted.data, kind)
    for piece in _pieces(layer, head.shape[2:], how):
        incoming = head[piece.sample].reshape(len(weights), -1, prod(head.shape[2:]))[:, :, piece.positions]
        seen = pixels.of(piece.sample)
        if wanted.weight is not None:
            _add_products(to_weights, incoming, _columns(seen, piece), how)
        if wanted.follow_columns:
            _go_back(_back_products(incoming, weights, how), seen, piece, (wanted, back))
    if back is not None:
        back.finish()
    if wanted.weight is not None:
        np.copyto(wanted.weight, _filters(to_weights, wanted.weight.shape), casting="same_kind")


def _add_products(totals: Sequence[Array], incoming: Array, columns: Array, how: Deformation) -> None:
    """Add to the gradient of every group's filters what a piece brings."""
    for total, part, each in zip(totals, incoming, _grouped(columns, how), strict=True):
        np.add(total, part.astype(total.dtype, copy=False) @ each, out=total)


def _back_products(incoming: Array, weights: Sequence[Array], how: Deformation) -> Array:
    """Return the gradient of the columns: (positions, places, channels)."""
    products = (part.T @ matrix for part, matrix in zip(incoming, weights, strict=True))
    parts = [each.reshape(len(each), how.windows.places, -1) for each in products]
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=2)


def _go_back(columns: Array, seen: Array, piece: _Piece, to: tuple[Gradients, "PixelSums | None"]) -> None:
    """Hand the gradient of the columns (positions, places, channels) on to offsets, masks and pixels."""
    wanted, back = to
    for number, (corners, mask) in enumerate(zip(piece.corners, piece.masks, strict=True)):
        share = columns.shape[2] // len(piece.corners)
        channels = slice(number * share, (number + 1) * share)
        flowing = columns[:, :, channels]
        if wanted.offset is not None or wanted.mask is not None:
            along = [np.vecdot(flowing, seen[each.pixel, channels]) for each in corners]
            pairs = list(zip(along, corners, strict=True))
            sums = (
                sum(product * each.by_y for product, each in pairs),
                sum(product * each.by_x for product, each in pairs),
                sum(product * each.weight for product, each in pairs),
            )
            _write_offsets(sums, piece, number, wanted)
        if back is not None:
            masked = flowing if mask is None else flowing * mask[:, :, None]
            back.add(piece.sample, channels, corners, masked)


def _write_offsets(sums: Sequence[Any], piece: _Piece, number: int, wanted: Gradients) -> None:
    """Write what a part's offsets and mask get: (positions, places) for y, x, and the value itself."""
    by_y, by_x, value = sums
    mask = piece.masks[number]
    parts, places = len(piece.corners), by_y.shape[1]
    if wanted.offset is not None:
        rows = wanted.offset[piece.sample].reshape(parts, places, 2, -1, copy=False)[
            number, :, :, piece.positions
        ]
        for axis, each in enumerate((by_y, by_x)):
            rows[:, axis] = (each if mask is None else each * mask).T
    if wanted.mask is not None:
        wanted.mask[piece.sample].reshape(parts, places, -1, copy=False)[number, :, piece.positions] = value.T


class Pixels:
    """The pixels of one sample at a time as (pixels, channels)."""

    def __init__(self, data: Array) -> None:
        """Remember the images."""
        self._data, self._sample = data, -1
        self._rows = np.empty(0, data.dtype)

    def of(self, sample: int) -> Array:
        """Return a sample's pixels, in single precision at least."""
        if sample != self._sample:
            image = self._data[sample]
            kind = np.result_type(image.dtype, np.float32)
            self._rows = np.ascontiguousarray(image.reshape(len(image), -1).T, dtype=kind)
            self._sample = sample
        return self._rows


class PixelSums:
    """The gradient of the image, gathered sample by sample as (pixels, channels)."""

    def __init__(self, grad: Array, kind: np.dtype[Any]) -> None:
        """Make room for one sample."""
        self._grad, self._sample = grad, 0
        self._rows = np.zeros((prod(grad.shape[2:]), grad.shape[1]), kind)

    def add(self, sample: int, channels: slice, corners: Sequence[_Corner], flowing: Array) -> None:
        """Give the pixels at all corners their share; rows for one pixel are summed before they are added."""
        if sample != self._sample:
            self.finish()
            self._sample = sample
            self._rows.fill(0)
        rows = flowing.reshape(-1, flowing.shape[2])
        for corner in corners:
            pixels = corner.pixel.reshape(-1)
            order = np.argsort(pixels, kind="stable")
            ordered = pixels[order]
            begins = np.flatnonzero(np.diff(ordered, prepend=-1))
            shares = rows[order]
            np.multiply(shares, corner.weight.reshape(-1)[order, None], out=shares)
            self._rows[ordered[begins], channels] += np.add.reduceat(shares, begins, axis=0)

    def finish(self) -> None:
        """Write the sample that was gathered."""
        target = self._grad[self._sample]
        np.copyto(target, self._rows.T.reshape(target.shape), casting="same_kind")


def _columns(seen: Array, piece: _Piece) -> Array:
    """Return what every place of every window sees: (positions, places, channels)."""
    share = seen.shape[1] // len(piece.corners)
    columns = np.zeros((*piece.corners[0][0].pixel.shape, seen.shape[1]), seen.dtype)
    for number, (corners, mask) in enumerate(zip(piece.corners, piece.masks, strict=True)):
        channels = slice(number * share, (number + 1) * share)
        source = seen if len(piece.corners) == 1 else np.ascontiguousarray(seen[:, channels])
        for corner in corners:
            found = source[corner.pixel]
            weight = corner.weight if mask is None else corner.weight * mask
            columns[:, :, channels] += np.multiply(found, weight[:, :, None], out=found)
    return columns


def _grouped(columns: Array, how: Deformation) -> list[Array]:
    """Return the columns of every group of filters as (positions, places · channels)."""
    share = columns.shape[2] // how.groups
    parts = (columns[:, :, number * share : (number + 1) * share] for number in range(how.groups))
    return [part.reshape(len(part), -1) for part in parts]


def _matrices(weight: Array, how: Deformation) -> list[Array]:
    """Return the filters of every group as (filters, places · channels), in single precision at least."""
    kind = np.result_type(weight.dtype, np.float32)
    rows = np.moveaxis(weight.reshape(*weight.shape[:2], -1), 1, 2).reshape(len(weight), -1)
    return np.split(np.ascontiguousarray(rows, dtype=kind), how.groups)


def _filters(matrices: Sequence[Array], shape: Sizes) -> Array:
    """Put matrices like those of `_matrices` back into the shape of the filters."""
    rows = np.concatenate(matrices).reshape(shape[0], prod(shape[2:]), shape[1])
    return np.moveaxis(rows, 2, 1).reshape(shape)


def _pieces(layer: Layer, counts: Sizes, how: Deformation) -> Iterator[_Piece]:
    """Yield pieces of the positions of every sample, with the corners of all places."""
    samples, channels = layer.data.shape[:2]
    places, positions = how.windows.places, prod(counts)
    at_once = max(1, COLUMNS // (places * channels))
    kind = np.result_type(layer.offset.dtype, np.float32)
    offsets = layer.offset.reshape(samples, how.parts, places, 2, positions)
    masks = None if layer.mask is None else layer.mask.reshape(samples, how.parts, places, positions)
    for sample in range(samples):
        for first in range(0, positions, at_once):
            some = slice(first, min(first + at_once, positions))
            still = [each.astype(kind) for each in _still(how.windows, counts, some)]
            moved = [offsets[sample, part, :, :, some].astype(kind) for part in range(how.parts)]
            corners = [
                _corners([each[:, axis].T + still[axis] for axis in (0, 1)], layer.data.shape[2:], how)
                for each in moved
            ]
            shown: list[Array | None] = [None] * how.parts
            if masks is not None:
                shown = [masks[sample, part, :, some].T.astype(kind) for part in range(how.parts)]
            yield _Piece(sample, some, corners, shown)


def _still(windows: Windows, counts: Sizes, some: slice) -> list[Array]:
    """Return where the places of some windows are, unmoved, along both axes, as (positions, places)."""
    stands = np.unravel_index(np.arange(some.start, some.stop), counts)
    inside = np.unravel_index(np.arange(windows.places), windows.kernel)
    axes = zip(stands, inside, windows.stride, windows.dilate, windows.pad, strict=True)
    return [(s * stride - pad)[:, None] + i * dilate for s, i, stride, dilate, pad in axes]


def _corners(at: Sequence[Array], image: Sizes, how: Deformation) -> list[_Corner]:
    """Return the four pixels around every place; one that counts for nothing is the first pixel, with weight 0."""
    pairs = list(zip(at, image, strict=True))
    inside = np.logical_and.reduce(
        [(each > -1 if how.fades else each >= 0) & (each < size) for each, size in pairs]
    )
    sides = [_sides(np.where(inside, each, 0), size, how) for each, size in pairs]
    found = []
    for row, down, slope_down in sides[0]:
        for column, across, slope_across in sides[1]:
            pixel = row * image[1] + column
            weights = (down * across, slope_down * across, down * slope_across)
            found.append(_Corner(pixel, *(each * inside for each in weights)))
    return found


def _sides(at: Array, size: int, how: Deformation) -> list[tuple[Array, Array, Array]]:
    """Return along one axis the neighbour before and the one behind: where, its weight, and how that changes."""
    below = np.floor(at)
    low, share = below.astype(np.int64), at - below
    high, one = np.minimum(low + 1, size - 1), np.ones_like(at)
    if how.fades:
        before, behind = low >= 0, low + 1 < size
        return [
            (np.maximum(low, 0), (1 - share) * before, -one * before),
            (high, share * behind, one * behind),
        ]
    share = np.where(low >= size - 1, 0, share)  # beyond the last middle all is as there
    return [(low, 1 - share, -one), (high, share, one)]

"""Convolution as matrix products over unrolled windows: values, gradient of the image, gradient of the filters.

Shapes: image (N, C, *sizes), filters (F, C / groups, *kernel), result (N, F, *counts). A Deconvolution is the gradient
of the image run forwards, so the classes here serve both.

Each class prepares its buffers once and is then called without arguments, as often as wanted.
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from math import ceil, prod
from typing import Any

import attrs
import numpy as np

from app.engine.kernels.windows import Array, Sizes, Slices, Windows, taps, window_view, work

GEMM_LIMIT = 1_000_000
"""Rows × columns × depth up to which the BLAS multiplies without packing its operands first."""
CACHE_LIMIT = 384 * 1024
"""Bytes of unrolled windows that stay in a core's own cache until the product has read them."""


@attrs.frozen
class Setting:
    """What one convolution needs besides its arrays."""

    windows: Windows
    groups: int
    scratch: dict[str, Any]


@attrs.frozen
class Piece:
    """A range of rows of positions: the same buffer as a matrix and as windows, and where it lies in the result."""

    matrix: Array
    unrolled: Array
    rows: slice
    positions: slice


class Columns:
    """The windows of one sample at a time, unrolled into columns (groups, C/groups · kernel, positions)."""

    def __init__(self, image: Array, counts: Sizes, filters: int, setting: Setting) -> None:
        """Prepare for images of this shape; `filters` is the number of rows that will multiply the columns."""
        self._image, self._windows, self._counts = image, setting.windows, counts
        self._groups = setting.groups
        self._depth = image.shape[1] * setting.windows.places
        ones = (1,) * len(counts)
        self._plain = setting.windows.kernel == setting.windows.stride == ones and image.shape[2:] == counts
        if not self._plain:
            self._frame()
            self._pieces = [
                self._piece(first, last, setting.scratch) for first, last in self._ranges(filters)
            ]

    def _frame(self) -> None:
        """Prepare the windows of every sample, or of one frame of zeros into which samples are copied.

        The frame may also crop: negative padding comes up in gradients.
        """
        width, source, target = [], [slice(None)], [slice(None)]
        for axis, size in enumerate(self._image.shape[2:]):
            before = self._windows.pad[axis]
            width.append((self._counts[axis] - 1) * self._windows.stride[axis] + self._windows.reach[axis])
            first, last = max(0, -before), min(size, width[axis] - before)
            source.append(slice(first, last))
            target.append(slice(first + before, last + before))
        self._source, self._target = tuple(source), tuple(target)
        self._padded: Array | None = None
        framed = self._image
        if self._source != self._target or any(
            size < wanted for size, wanted in zip(self._image.shape[2:], width, strict=True)
        ):
            framed = self._padded = np.zeros((self._image.shape[1], *width), self._image.dtype)
        self._views = window_view(framed, self._windows, self._counts)

    def _ranges(self, filters: int) -> list[tuple[int, int]]:
        """Split the rows of positions so that a product stays small and its columns stay in cache."""
        row = prod(self._counts[1:])
        per_group = max(1, filters // self._groups) * (self._depth // self._groups)
        fit = min(GEMM_LIMIT // per_group, CACHE_LIMIT // (self._depth * self._image.itemsize))
        parts = ceil(self._counts[0] / max(1, fit // row))
        return list(pairwise(self._counts[0] * part // parts for part in range(parts + 1)))

    def _piece(self, first: int, last: int, scratch: dict[str, Any]) -> Piece:
        row = prod(self._counts[1:])
        positions = (last - first) * row
        buffer = work(scratch, "columns", (self._depth * positions,), self._image.dtype)
        channels = self._image.shape[1]
        return Piece(
            matrix=buffer.reshape(self._groups, self._depth // self._groups, positions),
            unrolled=buffer.reshape(channels, *self._windows.kernel, last - first, *self._counts[1:]),
            rows=slice(first, last),
            positions=slice(first * row, last * row),
        )

    def of_sample(self, number: int) -> Iterator[tuple[slice, Array]]:
        """Yield the columns of one sample, range by range, with the positions they belong to.

        A matrix is overwritten by the next one.
        """
        if self._plain:  # a 1×1 window on every pixel: the image is its own columns
            yield slice(None), self._image[number].reshape(self._groups, self._depth // self._groups, -1)
            return
        views = self._views
        if self._padded is None:
            views = views[number]
        else:
            np.copyto(self._padded[self._target], self._image[number][self._source])
        kernel: Slices = (slice(None),) * (1 + len(self._counts))
        for piece in self._pieces:
            np.copyto(piece.unrolled, views[(*kernel, piece.rows)])
            yield piece.positions, piece.matrix


def convolution(
    image: Array, filters: Array, bias: Array | None, result: Array, setting: Setting
) -> Callable[[], None]:
    """Prepare result[n] = filters · columns(image[n]) + bias."""
    groups, depth = setting.groups, prod(filters.shape[1:])
    columns = Columns(image, result.shape[2:], filters.shape[0], setting)
    flat = _matrix_of(filters, groups, depth)
    rows = result.reshape(result.shape[0], groups, filters.shape[0] // groups, -1, copy=False)
    samples = list(rows)
    shift = None if bias is None else bias.reshape(groups, -1, 1)

    def run() -> None:
        weights = flat()
        for number, sample in enumerate(samples):
            for positions, matrix in columns.of_sample(number):
                np.matmul(weights, matrix, out=sample[..., positions])
            if shift is not None:  # while the sample is still in cache
                np.add(sample, shift, out=sample)

    return run


def image_gradient(result: Array, filters: Array, image: Array, setting: Setting) -> Callable[[], None]:
    """Prepare the image (gradient) whose windows hold filtersᵀ · result[n], overlaps added up."""
    if all(stride == 1 for stride in setting.windows.stride):
        return _image_gradient_by_flipping(result, filters, image, setting)
    return _image_gradient_by_folding(result, filters, image, setting)


def _image_gradient_by_flipping(
    result: Array, filters: Array, image: Array, setting: Setting
) -> Callable[[], None]:
    """Use that with stride 1 the gradient is a convolution with the flipped filters, without overlaps to add."""
    windows, groups = setting.windows, setting.groups
    count, per_group = filters.shape[:2]
    kernel = filters.shape[2:]
    flipped = np.empty((groups * per_group, count // groups, *kernel), filters.dtype)
    mirror: Any = (..., *(slice(None, None, -1) for _ in kernel))
    source = np.swapaxes(filters.reshape(groups, count // groups, per_group, *kernel)[mirror], 1, 2)
    target = flipped.reshape(groups, per_group, count // groups, *kernel)
    pad = tuple(reach - 1 - before for reach, before in zip(windows.reach, windows.pad, strict=True))
    mirrored = attrs.evolve(setting, windows=attrs.evolve(windows, pad=pad))
    convolve = convolution(result, flipped, None, image, mirrored)

    def run() -> None:
        np.copyto(target, source)
        convolve()

    return run


def _image_gradient_by_folding(
    result: Array, filters: Array, image: Array, setting: Setting
) -> Callable[[], None]:
    """Compute columns as products and add each place of the window onto the image."""
    windows, groups = setting.windows, setting.groups
    counts, row = result.shape[2:], prod(result.shape[3:])
    depth = prod(filters.shape[1:])
    flat = _matrix_of(filters, groups, depth)
    rows = result.reshape(result.shape[0], groups, filters.shape[0] // groups, -1, copy=False)
    whole = groups * depth * result.itemsize * row
    step = max(1, min(counts[0], CACHE_LIMIT // whole))
    pieces = []
    for first in range(0, counts[0], step):
        last = min(first + step, counts[0])
        buffer = work(setting.scratch, "columns", (groups * depth * (last - first) * row,), result.dtype)
        stands = ((first, last), *((0, count) for count in counts[1:]))
        unrolled = buffer.reshape(image.shape[1], windows.places, last - first, *counts[1:])
        places = [
            (unrolled[:, tap.number][tap.outputs[1:]], tap.inputs[1:])
            for tap in taps(windows, image.shape[2:], stands)
        ]
        pieces.append((slice(first * row, last * row), buffer.reshape(groups, depth, -1), places))

    def run() -> None:
        weights = np.swapaxes(flat(), 1, 2)
        for number, sample in enumerate(rows):
            target = image[number]
            target.fill(0)
            for positions, matrix, places in pieces:
                np.matmul(weights, sample[..., positions], out=matrix)
                for spread, inputs in places:
                    np.add(target[inputs], spread, out=target[inputs])

    return run


def filter_gradient(image: Array, result: Array, filters: Array, setting: Setting) -> Callable[[], None]:
    """Prepare the gradient of the filters: the columns of every sample times its result's gradient."""
    groups, depth = setting.groups, prod(filters.shape[1:])
    count = filters.shape[0]
    columns = Columns(image, result.shape[2:], count, setting)
    rows = result.reshape(result.shape[0], groups, count // groups, -1, copy=False)
    samples = list(np.swapaxes(rows, 2, 3))
    # depth × filters, not filters × depth: the BLAS is twice as fast with the long axis first
    total = np.empty((groups, depth, count // groups), filters.dtype)
    part = np.empty_like(total)
    channels, kernel = filters.shape[1], filters.shape[2:]
    target = filters.reshape(groups, count // groups, channels, *kernel, copy=False)
    source = np.moveaxis(total.reshape(groups, channels, *kernel, count // groups), -1, 1)

    def run() -> None:
        total.fill(0)
        for number, sample in enumerate(samples):
            for positions, matrix in columns.of_sample(number):
                np.matmul(matrix, sample[:, positions], out=part)
                np.add(total, part, out=total)
        np.copyto(target, source)

    return run


def add_bias(result: Array, bias: Array) -> Callable[[], object]:
    """Prepare the addition of a bias to every channel of a result."""
    shift = bias.reshape(-1, *(1,) * (result.ndim - 2))
    return partial(np.add, result, shift, result)


def bias_gradient(result: Array, bias: Array) -> Callable[[], None]:
    """Prepare the gradient of the bias: the sum over all samples and positions."""
    samples, filters = result.shape[:2]
    if not result.flags.c_contiguous:
        axes = (0, *range(2, result.ndim))
        return lambda: np.copyto(bias, result.sum(axes))
    rows = result.reshape(samples * filters, -1)
    ones = np.ones(rows.shape[1], result.dtype)
    sums = np.empty(rows.shape[0], result.dtype)

    def run() -> None:
        np.matmul(rows, ones, out=sums)  # a matrix-vector product sums three times as fast as sum()
        np.sum(sums.reshape(samples, filters), axis=0, out=bias)

    return run


def _matrix_of(filters: Array, groups: int, depth: int) -> Callable[[], Array]:
    """Return a call that gives the filters as (groups, F/groups, depth); a copy only where memory order demands."""
    shape = (groups, filters.shape[0] // groups, depth)
    if filters.flags.c_contiguous:
        flat = filters.reshape(shape)
        return lambda: flat
    return lambda: filters.reshape(shape)

"""Convolution as matrix products over unrolled windows: values, gradient of the image, gradient of the filters.

Shapes: image (N, C, *sizes), filters (F, C / groups, *kernel), result (N, F, *counts). A Deconvolution is the gradient
of the image run forwards, so the functions here serve both.

Each function prepares its buffers once; what it returns is called without arguments, as often as wanted.
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from math import ceil, prod
from typing import Any

import attrs
import numpy as np

from app.engine.kernels.blas import OneThread
from app.engine.kernels.steps import Step, copy, nothing
from app.engine.kernels.windows import Array, Sizes, Slices, Windows, taps, window_view, work

GEMM_LIMIT = 2_000_000
"""Rows × columns × depth of one product: the BLAS multiplies small ones without packing their operands first."""
CACHE_LIMIT = 384 * 1024
"""Bytes of unrolled windows that stay in a core's own cache until the product has read them."""
ADDITION_COST = 1.3
"""Nanoseconds per number that is added onto an overlapping image, against about 100 products in that time."""


@attrs.frozen
class Setting:
    """What one convolution needs besides its arrays."""

    windows: Windows
    groups: int
    scratch: dict[str, Any]


@attrs.frozen
class Chunk:
    """What is unrolled at once: several whole samples, or some rows of one."""

    samples: slice
    rows: slice
    positions: slice


def chunks(samples: int, counts: Sizes, bytes_per_row: int, product_per_row: int) -> list[Chunk]:
    """Split the work so that columns stay in cache and products small."""
    row, rows = prod(counts[1:]), counts[0]
    fit = max(1, min(CACHE_LIMIT // bytes_per_row, GEMM_LIMIT // max(1, product_per_row)))
    if fit >= rows:
        at_once = max(1, CACHE_LIMIT // (bytes_per_row * rows))
        firsts = range(0, samples, at_once)
        return [
            Chunk(slice(first, min(first + at_once, samples)), slice(0, rows), slice(0, rows * row))
            for first in firsts
        ]
    parts = ceil(rows / fit)
    ranges = list(pairwise(rows * part // parts for part in range(parts + 1)))
    return [
        Chunk(slice(number, number + 1), slice(first, last), slice(first * row, last * row))
        for number in range(samples)
        for first, last in ranges
    ]


def work_space(image: Sizes, counts: Sizes, filters: int, windows: Windows) -> int:
    """Count the numbers of work space of one convolution: unrolled windows, a frame of zeros, gradients of filters."""
    samples, channels = image[:2]
    depth, row = channels * windows.places, prod(counts[1:])
    spread = [
        (count - 1) * stride + reach
        for count, stride, reach in zip(counts, windows.stride, windows.reach, strict=True)
    ]
    at_once = min(samples, max(1, CACHE_LIMIT // (4 * depth * row * counts[0])))
    return max(depth * row, CACHE_LIMIT // 4) + at_once * channels * prod(spread) + 3 * filters


class Columns:
    """Windows unrolled chunk by chunk into one buffer.

    A matrix is (samples, groups, depth, positions), or with `joined` (groups, depth, samples · positions).
    """

    def __init__(self, image: Array, counts: Sizes, setting: Setting, *, joined: bool) -> None:
        """Prepare for images of this shape."""
        self._image, self._windows, self._counts = image, setting.windows, counts
        self._groups, self._joined, self._scratch = setting.groups, joined, setting.scratch
        self.depth = image.shape[1] * setting.windows.places
        ones = (1,) * len(counts)
        plain = setting.windows.kernel == setting.windows.stride == ones and image.shape[2:] == counts
        self._is_plain = plain and not joined

    def over(self, pieces: list[Chunk]) -> "Columns":
        """Prepare buffers and views for the given chunks."""
        self._pieces = pieces
        if self._is_plain:
            shape = (self._image.shape[0], self._groups, self.depth // self._groups, -1)
            self._plain = self._image.reshape(shape, copy=False)
            return self
        at_once = pieces[0].samples.stop - pieces[0].samples.start
        self._frame(at_once)
        self._steps = [self._step(piece) for piece in pieces]
        return self

    def _frame(self, at_once: int) -> None:
        """Prepare the windows of every sample, or of frames of zeros into which samples are copied.

        A frame may also crop: negative padding comes up in gradients.
        """
        width, source, target = [], [slice(None), slice(None)], [slice(None), slice(None)]
        sizes = self._image.shape[2:]
        for axis, size in enumerate(sizes):
            before = self._windows.pad[axis]
            width.append((self._counts[axis] - 1) * self._windows.stride[axis] + self._windows.reach[axis])
            first, last = max(0, -before), min(size, width[axis] - before)
            source.append(slice(first, last))
            target.append(slice(first + before, last + before))
        self._source, self._target = tuple(source), tuple(target)
        self._padded: Array | None = None
        framed = self._image
        if source != target or any(size < wanted for size, wanted in zip(sizes, width, strict=True)):
            framed = self._padded = np.zeros((at_once, self._image.shape[1], *width), self._image.dtype)
        self._views = window_view(framed, self._windows, self._counts)

    def _step(self, piece: Chunk) -> tuple[Chunk, Array, Array, Array, tuple[Array, Array] | None]:
        """Return the chunk, its matrix, the same buffer as windows, its windows, and what to copy into the frame."""
        number = piece.samples.stop - piece.samples.start
        rows, channels = piece.rows.stop - piece.rows.start, self._image.shape[1]
        positions = piece.positions.stop - piece.positions.start
        shape = (number, channels, *self._windows.kernel, rows, *self._counts[1:])
        buffer = work(self._scratch, "columns", (self.depth * positions * number,), self._image.dtype)
        inside = slice(0, number) if self._padded is not None else piece.samples
        kernel: Slices = (slice(None),) * (1 + len(self._counts))
        windows = self._views[(inside, *kernel, piece.rows)]
        framing = None
        if self._padded is not None:
            framing = (self._padded[:number][self._target], self._image[piece.samples][self._source])
        per_group = self.depth // self._groups
        if not self._joined:
            matrix: Array = buffer.reshape(number, self._groups, per_group, positions)
            return piece, matrix, buffer.reshape(shape), windows, framing
        behind = 1 + len(self._counts)
        unrolled = buffer.reshape(*shape[1 : behind + 1], number, *shape[behind + 1 :])
        matrix = buffer.reshape(self._groups, per_group, number * positions)
        return piece, matrix, unrolled, np.moveaxis(windows, 0, behind), framing

    def __iter__(self) -> Iterator[tuple[Chunk, Array]]:
        """Yield every chunk with its matrix, which the next one overwrites."""
        if self._is_plain:  # a 1×1 window on every pixel: the image is its own columns
            for piece in self._pieces:
                yield piece, self._plain[piece.samples, ..., piece.positions]
            return
        for piece, matrix, unrolled, windows, framing in self._steps:
            if framing is not None and piece.rows.start == 0:
                np.copyto(*framing)
            np.copyto(unrolled, windows)
            yield piece, matrix


def convolution(
    image: Array, filters: Array, bias: Array | None, result: Array, setting: Setting
) -> Callable[[], None]:
    """Prepare result[n] = filters · columns(image[n]) + bias; a result as large as its image may take its place."""
    samples, groups, counts = result.shape[0], setting.groups, result.shape[2:]
    row = prod(counts[1:])
    depth = image.shape[1] * setting.windows.places
    pieces = chunks(samples, counts, depth * row * image.itemsize, prod(filters.shape) * row)
    whole, keep = _kept_whole(image, result, pieces, setting)
    columns = Columns(whole, counts, setting, joined=False)
    columns.over(pieces)
    flat = _matrix_of(filters, groups)
    rows = result.reshape(samples, groups, filters.shape[0] // groups, -1, copy=False)
    targets = [rows[piece.samples, ..., piece.positions] for piece in pieces]
    shift = None if bias is None else bias.reshape(groups, -1, 1)

    def run() -> None:
        weights = flat()
        with OneThread():
            pairs = zip(columns, targets, strict=True)
            for before in keep:
                before()
                (_, matrix), target = next(pairs)
                np.matmul(weights, matrix, out=target)
                if shift is not None:  # while the result is still in cache
                    np.add(target, shift, out=target)

    return run


def _kept_whole(
    image: Array, result: Array, pieces: list[Chunk], setting: Setting
) -> tuple[Array, list[Step]]:
    """Return an image that stays whole while results are written over the given one, and a step before each piece.

    Whole samples are unrolled before their results are written. A sample that is taken in rows is copied first: the
    image returned is then that one copy, at the place of every sample.
    """
    in_rows = any(piece.rows != slice(0, result.shape[2]) for piece in pieces)
    if not in_rows or not np.may_share_memory(image, result):
        return image, [nothing] * len(pieces)
    sample = work(setting.scratch, "sample", image.shape[1:], image.dtype)
    keep = [
        copy(image[piece.samples.start], sample) if piece.rows.start == 0 else nothing for piece in pieces
    ]
    return np.broadcast_to(sample, image.shape), keep


def image_gradient(result: Array, filters: Array, image: Array, setting: Setting) -> Callable[[], None]:
    """Prepare the image (gradient) whose windows hold filtersᵀ · result[n], overlaps added up."""
    count, places = filters.shape[0], setting.windows.places
    channels = image.shape[1]
    product = count * channels * places / setting.groups / 50  # nanoseconds per position
    flipping = prod(image.shape[2:]) * (product + count * places / 4.6)
    folding = prod(result.shape[2:]) * (product + channels * places * ADDITION_COST)
    strided = any(stride != 1 for stride in setting.windows.stride)
    if strided or folding < flipping:
        return _image_gradient_by_folding(result, filters, image, setting)
    return _image_gradient_by_flipping(result, filters, image, setting)


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
    windows, groups, samples = setting.windows, setting.groups, result.shape[0]
    counts, channels = result.shape[2:], image.shape[1]
    depth, row = channels * windows.places, prod(counts[1:])
    flat = _matrix_of(filters, groups)
    rows = result.reshape(samples, groups, filters.shape[0] // groups, -1, copy=False)
    pieces = []
    for piece in chunks(samples, counts, depth * row * result.itemsize, prod(filters.shape) * row):
        number = piece.samples.stop - piece.samples.start
        span = piece.rows.stop - piece.rows.start
        buffer = work(setting.scratch, "columns", (number * depth * span * row,), result.dtype)
        unrolled = buffer.reshape(number, channels, windows.places, span, *counts[1:])
        stands = ((piece.rows.start, piece.rows.stop), *((0, count) for count in counts[1:]))
        target = image[piece.samples]
        places = [
            (target[tap.inputs], unrolled[:, :, tap.number][tap.outputs])
            for tap in taps(windows, image.shape[2:], stands)
        ]
        matrix = buffer.reshape(number, groups, depth // groups, span * row)
        pieces.append((rows[piece.samples, ..., piece.positions], matrix, places))

    def run() -> None:
        weights = np.swapaxes(flat(), 1, 2)
        image.fill(0)
        with OneThread():
            for source, matrix, places in pieces:
                np.matmul(weights, source, out=matrix)
                for target, spread in places:
                    np.add(target, spread, out=target)

    return run


def filter_gradient(image: Array, result: Array, filters: Array, setting: Setting) -> Callable[[], None]:
    """Prepare the gradient of the filters: the columns of every sample times its result's gradient."""
    groups, count, counts = setting.groups, filters.shape[0], result.shape[2:]
    samples, row = result.shape[0], prod(counts[1:])
    columns = Columns(image, counts, setting, joined=True)
    pieces = chunks(samples, counts, columns.depth * row * image.itemsize, prod(filters.shape) * row)
    columns.over(pieces)
    rows = result.reshape(samples, groups, count // groups, -1, copy=False)
    # depth × filters, not filters × depth: the BLAS is twice as fast with the long axis first
    total = np.empty((groups, columns.depth // groups, count // groups), filters.dtype)
    part = np.empty_like(total)
    gathered = []
    for piece in pieces:
        source = np.moveaxis(
            rows[piece.samples, ..., piece.positions], 0, 2
        )  # groups, filters, samples, positions
        buffer = work(setting.scratch, "joined", source.shape, result.dtype)
        gathered.append((source, buffer, np.swapaxes(buffer.reshape(*source.shape[:2], -1), 1, 2)))
    channels, kernel = filters.shape[1], filters.shape[2:]
    target = filters.reshape(groups, count // groups, channels, *kernel, copy=False)
    ready = np.moveaxis(total.reshape(groups, channels, *kernel, count // groups), -1, 1)

    def run() -> None:
        total.fill(0)
        with OneThread():
            for (_, matrix), (source, buffer, heads) in zip(columns, gathered, strict=True):
                np.copyto(buffer, source)
                np.matmul(matrix, heads, out=part)
                np.add(total, part, out=total)
        np.copyto(target, ready)

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


def _matrix_of(filters: Array, groups: int) -> Callable[[], Array]:
    """Return a call that gives the filters as (groups, F/groups, depth); a copy only where memory order demands."""
    shape = (groups, filters.shape[0] // groups, prod(filters.shape[1:]))
    if filters.flags.c_contiguous:
        flat = filters.reshape(shape)
        return lambda: flat
    return lambda: filters.reshape(shape)

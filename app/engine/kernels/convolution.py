"""Convolution as matrix products over unrolled windows: values, gradient of the image, gradient of the filters.

Shapes: image (N, C, *sizes), filters (F, C / groups, *kernel), result (N, F, *counts), which tell the number of groups.
A Deconvolution is the gradient of the image run forwards, so the functions here serve both.

Each function prepares its buffers once; what it returns is called without arguments, as often as wanted.
"""

from collections.abc import Callable
from functools import partial
from math import prod
from typing import Any

import attrs
import numpy as np

from app.engine.kernels.blas import has_small_products, one_thread
from app.engine.kernels.columns import CACHE_LIMIT, Chunk, Columns, Folding, Setting, chunks
from app.engine.kernels.steps import Step, copy, nothing
from app.engine.kernels.windows import Array, work

GEMM_LIMIT = 1_000_000
"""Rows × columns × depth of one product that some kernels of the BLAS multiply without packing their operands first."""
LEAST_POSITIONS = 64
"""Columns of a product below which it is slow, however small it is."""
ADDITION_COST = 1.3
"""Nanoseconds per number that is added onto an overlapping image, against about 100 products in that time."""


def convolution(image: Array, filters: Array, bias: Array | None, result: Array, setting: Setting) -> Step:
    """Prepare result[n] = filters · columns(image[n]) + bias; a result as large as its image may take its place."""
    samples, groups, counts = result.shape[0], _groups(image, filters), result.shape[2:]
    row = prod(counts[1:])
    depth = image.shape[1] * setting.windows.places
    pieces = chunks(samples, counts, depth * row * image.itemsize, CACHE_LIMIT)
    whole, keep = _kept_whole(image, result, pieces, setting)
    columns = Columns(whole, counts, setting, pieces, filters.shape[1], joined=False)
    flat = _matrix_of(filters, groups)
    rows = result.reshape(samples, groups, filters.shape[0] // groups, -1, copy=False)
    blocks = [_blocks(piece, filters.size * row) for piece in pieces]
    targets = [
        _in_blocks(rows[piece.samples, ..., piece.positions], count)
        for piece, count in zip(pieces, blocks, strict=True)
    ]
    shift = None if bias is None else bias.reshape(groups, 1, -1, 1)

    def run() -> None:
        weights = flat()[:, None]
        unrolled = iter(columns)
        for before, count, target in zip(keep, blocks, targets, strict=True):
            before()
            np.matmul(weights, _in_blocks(next(unrolled), count), out=target)
            if shift is not None:  # while the result is still in cache
                np.add(target, shift, out=target)

    return one_thread(run)


def _blocks(piece: Chunk, product_per_row: int) -> int:
    """Return into how many products one piece is divided, each of equally many rows."""
    if not has_small_products():
        return 1
    width = (piece.positions.stop - piece.positions.start) // piece.height
    most = max(1, piece.height * width // LEAST_POSITIONS)
    counts = [count for count in range(1, piece.height + 1) if piece.height % count == 0 and count <= most]
    small = (count for count in counts if piece.height // count * product_per_row <= GEMM_LIMIT)
    return next(small, counts[-1])


def _in_blocks(matrix: Array, count: int) -> Array:
    """View (samples, groups, rows, positions) as (samples, groups, count, rows, positions / count)."""
    return np.swapaxes(matrix.reshape((*matrix.shape[:-1], count, -1), copy=False), -2, -3)


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


def image_gradient(result: Array, filters: Array, image: Array, setting: Setting) -> Step:
    """Prepare the image (gradient) whose windows hold filtersᵀ · result[n], overlaps added up."""
    count, places = filters.shape[0], setting.windows.places
    channels = image.shape[1]
    product = count * channels * places / _groups(image, filters) / 50  # nanoseconds per position
    flipping = prod(image.shape[2:]) * (product + count * places / 4.6)
    folding = prod(result.shape[2:]) * (product + channels * places * ADDITION_COST)
    strided = any(stride != 1 for stride in setting.windows.stride)
    if strided or folding < flipping:
        return _image_gradient_by_folding(result, filters, image, setting)
    return _image_gradient_by_flipping(result, filters, image, setting)


def _image_gradient_by_flipping(result: Array, filters: Array, image: Array, setting: Setting) -> Step:
    """Use that with stride 1 the gradient is a convolution with the flipped filters, without overlaps to add."""
    windows, groups = setting.windows, _groups(image, filters)
    count, per_group = filters.shape[:2]
    kernel = filters.shape[2:]
    shape = (groups * per_group, count // groups, *kernel)
    flipped = work(setting.scratch, "flipped", shape, filters.dtype)
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


def _image_gradient_by_folding(result: Array, filters: Array, image: Array, setting: Setting) -> Step:
    """Compute columns as products and add each place of the window onto the image."""
    groups, samples, counts = _groups(image, filters), result.shape[0], result.shape[2:]
    row = prod(counts[1:])
    depth = image.shape[1] * setting.windows.places
    flat = _matrix_of(filters, groups)
    rows = result.reshape(samples, groups, filters.shape[0] // groups, -1, copy=False)
    pieces = chunks(samples, counts, depth * row * result.itemsize, CACHE_LIMIT)
    folding = Folding(image, counts, setting, pieces, filters.shape[1])
    sources = [rows[piece.samples, ..., piece.positions] for piece in pieces]

    def run() -> None:
        weights = np.swapaxes(flat(), 1, 2)
        for matrix, source in zip(folding, sources, strict=True):
            np.matmul(weights, source, out=matrix)

    return one_thread(run)


def filter_gradient(image: Array, result: Array, filters: Array, setting: Setting) -> Step:
    """Prepare the gradient of the filters: the columns of every sample times its result's gradient."""
    groups, count, counts = _groups(image, filters), filters.shape[0], result.shape[2:]
    samples, row = result.shape[0], prod(counts[1:])
    depth = image.shape[1] * setting.windows.places
    pieces = chunks(samples, counts, depth * row * image.itemsize, CACHE_LIMIT)
    columns = Columns(image, counts, setting, pieces, filters.shape[1], joined=True)
    rows = result.reshape(samples, groups, count // groups, -1, copy=False)
    # depth × filters, not filters × depth: the BLAS is twice as fast with the long axis first
    shape = (groups, depth // groups, count // groups)
    total, part = (work(setting.scratch, name, shape, filters.dtype) for name in ("total", "part"))
    heads = [_joined(rows[piece.samples, ..., piece.positions], setting.scratch) for piece in pieces]
    channels, kernel = filters.shape[1], filters.shape[2:]
    target = filters.reshape(groups, count // groups, channels, *kernel, copy=False)
    ready = np.moveaxis(total.reshape(groups, channels, *kernel, count // groups), -1, 1)

    def run() -> None:
        total.fill(0)
        for matrix, (head, gather) in zip(columns, heads, strict=True):
            gather()
            np.matmul(matrix, head, out=part)
            np.add(total, part, out=total)
        np.copyto(target, ready)

    return one_thread(run)


def _joined(rows: Array, scratch: dict[str, Any]) -> tuple[Array, Step]:
    """Return rows (samples, groups, filters, positions) as (groups, samples · positions, filters).

    The step gathers them first; a single sample needs no gathering.
    """
    if rows.shape[0] == 1:
        return np.swapaxes(rows[0], 1, 2), nothing
    source = np.moveaxis(rows, 0, 2)
    buffer = work(scratch, "joined", source.shape, rows.dtype)
    joined = buffer.reshape(*source.shape[:2], -1)
    return np.swapaxes(joined, 1, 2), copy(source, buffer)


def add_bias(result: Array, bias: Array) -> Callable[[], object]:
    """Prepare the addition of a bias to every channel of a result."""
    shift = bias.reshape(-1, *(1,) * (result.ndim - 2))
    return partial(np.add, result, shift, result)


def bias_gradient(result: Array, bias: Array) -> Step:
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


def _groups(image: Array, filters: Array) -> int:
    return int(image.shape[1] // filters.shape[1])


def _matrix_of(filters: Array, groups: int) -> Callable[[], Array]:
    """Return a call that gives the filters as (groups, F/groups, depth); a copy only where memory order demands."""
    shape = (groups, filters.shape[0] // groups, prod(filters.shape[1:]))
    if filters.flags.c_contiguous:
        flat = filters.reshape(shape)
        return lambda: flat
    return lambda: filters.reshape(shape)

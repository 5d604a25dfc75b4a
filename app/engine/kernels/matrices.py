"""Matrix products in the form that the BLAS computes fastest: the same numbers, asked for in another way.

How OpenBLAS divides a product between threads depends on the result alone (`gemm_driver` in its level3_thread.c). A
result with more rows than columns is cut into two stacks of rows, and each thread computes one by itself. Any other is
cut between columns, and then both threads pack half of the same operand and read each other's half: where the two cores
share no cache, that is as slow as one thread. So a wide result is computed as several tall ones side by side, or turned
over where writing it down once more is cheap.

Where every product has one thread, as in steps that run in halves, the whole is cut into tiles that OpenBLAS computes
without packing, which is a tenth faster.
"""

from functools import partial
from typing import Final

import numpy as np

from app.engine.kernels.blas import has_small_products, is_for_one_thread
from app.engine.kernels.steps import Step, in_order, ufunc
from app.engine.operator import Array

SMALL: Final = 1_000_000
"""OpenBLAS computes up to so many multiply-adds in one thread and without packing, where it has kernels for that."""
SMALL_RESULT: Final = 1_200
"""Where the right operand is a transposed view, it does so only for results of up to so many elements."""
WIDEST_TILE: Final = 64
LEAST_TILE: Final = 256
"""Tiles of fewer elements cost more in calls than they save."""
ROWS: Final = 32
"""With fewer, a right operand is read too seldom for writing it down to pay."""
TALL: Final = 128
"""A result with fewer rows leaves threads too little to do when it is cut into pieces."""
TURNED_ELEMENTS: Final = 65_536
TURNED_SHARE: Final = 256
"""Turning a result over takes as long as so many multiply-adds for each of its elements, or less."""


def product_and_row(left: Array, right: Array, row: Array, out: Array) -> Step:
    """Return the step that writes a product into plain memory with one row added to each of its rows."""
    if _is_turned(left, right, out):
        return lambda: np.add(np.dot(right.T, left.T).T, row, out)
    return in_order([product(left, right, out), ufunc(np.add, out, row, out=out)])


def product(left: Array, right: Array, out: Array) -> Step:
    """Return the step that writes the product of two matrices into plain memory."""
    if _is_turned(left, right, out):
        return lambda: np.copyto(out, np.dot(right.T, left.T).T)
    (rows, inner), columns = left.shape, right.shape[1]
    work = rows * inner * columns
    if out.dtype != np.float32 or not work:
        return partial(np.dot, left, right, out)
    turned = not right.flags.c_contiguous
    if work <= SMALL and not (turned and rows * columns > SMALL_RESULT):
        return partial(np.dot, left, right, out)
    if has_small_products() and (work <= SMALL or is_for_one_thread()):
        most = min(SMALL // inner, SMALL_RESULT) if turned else SMALL // inner
        return _tiled(left, right, out, _tile(rows, columns, most))
    if rows <= columns <= 2 * rows and rows >= TALL:
        return _tiled(left, right, out, (rows, columns // _divisor(columns, columns // rows + 1)))
    return partial(np.dot, left, right, out)


def products(left: Array, right: Array, out: Array) -> Step:
    """Return the step that writes the products of pairs of matrices.

    A transposed right operand, whose result is too large for the BLAS to compute without packing only because of that,
    is written down the other way round first, which takes a tenth of the time where the left one has rows enough.
    """
    (rows, inner), columns = left.shape[-2:], right.shape[-1]
    would_be_packed = rows * columns > SMALL_RESULT and rows * inner * columns <= SMALL
    is_transposed = right.strides[-2] == right.itemsize
    if (
        is_transposed
        and would_be_packed
        and rows >= ROWS
        and out.dtype == np.float32
        and has_small_products()
    ):
        return lambda: np.matmul(left, np.ascontiguousarray(right), out)
    return partial(np.matmul, left, right, out)


def _is_turned(left: Array, right: Array, out: Array) -> bool:
    """Tell whether the result is computed with rows and columns changed round, and then written down once more."""
    (rows, inner), columns = left.shape, right.shape[1]
    if out.dtype != np.float32 or rows > columns or (rows >= TALL and columns <= 2 * rows):
        return False
    if right.flags.c_contiguous or rows * inner * columns <= SMALL:
        return False
    if has_small_products() and is_for_one_thread():
        return False
    return bool(rows * columns <= min(TURNED_ELEMENTS, TURNED_SHARE * inner))


def _tile(rows: int, columns: int, most: int) -> tuple[int, int]:
    """Return the sizes of the largest tile of at most so many elements that the result can be laid with."""
    heights, widths = (
        [size for size in range(1, min(whole, WIDEST_TILE) + 1) if whole % size == 0]
        for whole in (rows, columns)
    )
    tiles = [(height, width) for height in heights for width in widths if height * width <= most]
    return max(tiles, key=lambda tile: (tile[0] * tile[1], min(tile)), default=(1, 1))


def _divisor(number: int, least: int) -> int:
    """Return the first divisor from `least` on."""
    return next(one for one in range(least, number + 1) if number % one == 0)


def _tiled(left: Array, right: Array, out: Array, tile: tuple[int, int]) -> Step:
    """Return the step that computes one tile of the result after the other, in one call of numpy."""
    height, width = tile
    rows, columns = out.shape
    if height * width < LEAST_TILE:
        return partial(np.dot, left, right, out)
    above = left.reshape(rows // height, 1, height, -1)
    beside = right.reshape(-1, columns // width, width).transpose(1, 0, 2)
    return partial(
        np.matmul, above, beside, out.reshape(len(above), height, len(beside), width).transpose(0, 2, 1, 3)
    )

"""Work on large arrays piece by piece: what is made on the way stays small, and in a core's cache."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import numpy as np

from app.engine.kernels.steps import Step, in_order
from app.engine.operator import Array
from app.engine.work_space import WorkSpace

PIECE: Final = 2**16
"""Numbers in a piece: a few of them fit into a core's cache, and numpy's calls still take longer than Python's."""


def in_pieces(make: Callable[..., Step], *arrays: Any, work: tuple[Any, ...] = ()) -> Step:
    """Return the step that `make` makes of arrays, the last of them the result: of large ones piece by piece.

    `make` is given the pieces, and after them a zeroed array as large as the result's piece for each type in `work`,
    the same one for every piece. What it computes of an element must follow from its likes alone. An array may be
    repeated along its axes to meet the result; numbers and None go with every piece.
    """
    pieces = _cut(arrays)
    rooms = [np.zeros(pieces[0][-1].shape, kind) for kind in work]
    return in_order([make(*piece, *(room[: len(piece[-1])] for room in rooms)) for piece in pieces])


def through_whole_slopes(
    slope: Callable[..., Step], head: Array, operands: Sequence[Any], out: Array
) -> Step:
    """Return the step that writes head · slope for whole numbers: MXNet cuts the slope to a whole number first.

    `slope` takes an incoming gradient, the operands and where to write; an operand that is not read may be None. A
    slope of the largest float is one that MXNet has as a constant, and so its compiler makes it the type's largest.
    """
    largest = np.finfo(np.float64).max

    def compute(head: Array, *arrays: Any) -> None:
        *operands, out = arrays
        wide = [None if array is None else array.astype(np.float64) for array in operands]
        cut = np.empty(out.shape, np.float64)
        slope(np.ones(out.shape), *wide, cut)()
        whole = cut.astype(out.dtype)
        np.copyto(whole, np.iinfo(out.dtype).max, where=cut == largest)
        np.multiply(head, whole, out=out, casting="unsafe")

    return in_pieces(partial(partial, compute), head, *operands, out)


def work_space_of_pieces(result: int, passing: int, *, gradients: bool) -> WorkSpace:
    """Tell what an element function takes that makes so many arrays on its way, in two halves at most."""
    piece = min(result, PIECE)
    return WorkSpace((4 if gradients else 2) * piece, passing * piece)


def _cut(arrays: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    """Cut arrays into flat pieces, or where shapes differ along the result's first axis."""
    result = arrays[-1]
    if result.size <= PIECE:
        return [arrays]
    whole = [array for array in arrays if _has_axes(array)]
    if all(array.shape == result.shape and array.flags.c_contiguous for array in whole):
        arrays = tuple(array.reshape(-1) if _has_axes(array) else array for array in arrays)
    result = arrays[-1]
    rows = max(1, PIECE * len(result) // result.size)
    return [
        tuple(_rows(array, result, slice(first, first + rows)) for array in arrays)
        for first in range(0, len(result), rows)
    ]


def _rows(array: Any, result: Any, rows: slice) -> Any:
    """Return what meets some rows of the result; what is the same for all rows is whole."""
    is_repeated = not _has_axes(array) or array.ndim < result.ndim or len(array) < len(result)
    return array if is_repeated else array[rows]


def _has_axes(array: Any) -> bool:
    return isinstance(array, np.ndarray) and array.ndim > 0

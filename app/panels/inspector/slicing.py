"""Which two axes of an array are looked at, and where on the others; images side by side for four axes."""

import math
from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
DRAWN_SIDE = 1024
"""A picture has at most this many pixels on a side; of longer axes every so-manieth line is drawn."""
TILES = 144
"""So many channels at most stand side by side."""


@attrs.frozen
class Slice:
    """A plane through an array: the axis that runs down, the one that runs across, and an index on every axis.

    `rows` is None for an array of one axis. `grid` is the axis whose planes are laid side by side (the channels of an
    image, the rows of a batch), or None for a single plane.
    """

    shape: tuple[int, ...]
    rows: int | None
    columns: int
    at: tuple[int, ...]
    grid: int | None = None

    @property
    def free_axes(self) -> tuple[int, ...]:
        """The axes on which a place has to be picked."""
        return tuple(axis for axis in self.other_axes if axis != self.grid)

    @property
    def other_axes(self) -> tuple[int, ...]:
        """The axes that run neither down nor across; one of them may be the grid's."""
        return tuple(axis for axis in range(len(self.shape)) if axis not in (self.rows, self.columns))

    def moved(self, axis: int, index: int) -> "Slice":
        """Return the plane at another place on one axis."""
        place = min(max(index, 0), self.shape[axis] - 1)
        return attrs.evolve(self, at=(*self.at[:axis], place, *self.at[axis + 1 :]))

    def turned(self, rows: int, columns: int) -> "Slice":
        """Return the plane of two other axes."""
        assert rows != columns
        grid = self.grid if self.grid not in (rows, columns) else None
        return attrs.evolve(self, rows=rows, columns=columns, grid=grid)

    def gridded(self, axis: int | None) -> "Slice":
        """Return the same with the planes of one axis side by side, or with one plane."""
        return attrs.evolve(self, grid=axis if axis in self.other_axes else None)

    def index_text(self, row: int, column: int) -> str:
        """Spell the index of the number in a row and column of the plane: `[3, 0, 5]`."""
        place = list(self.at)
        if self.rows is not None:
            place[self.rows] = row
        place[self.columns] = column
        return f"[{', '.join(map(str, place))}]"


def first_slice(shape: Sequence[int]) -> Slice:
    """Return the plane that is looked at first: the last two axes, side by side along the first other one.

    That is the channels of the first image of (N, C, H, W); with one channel it is the images.
    """
    rank = len(shape)
    rows = rank - 2 if rank > 1 else None
    grid = next((axis for axis in range(rank - 3, -1, -1) if shape[axis] > 1), None)
    return Slice(tuple(shape), rows, max(rank - 1, 0), (0,) * rank, grid)


def kept_slice(old: Slice | None, shape: Sequence[int]) -> Slice:
    """Return the plane that was looked at before, if the array still has as many axes, else the first one."""
    if old is None or len(old.shape) != len(shape) or (old.grid is not None and shape[old.grid] == 1):
        return first_slice(shape)
    at = tuple(min(place, size - 1) for place, size in zip(old.at, shape, strict=True))
    return attrs.evolve(old, shape=tuple(shape), at=at)


def plane(array: Array, view: Slice) -> Array:
    """Return the plane as an array of two axes, without copying."""
    if array.ndim == 0:
        return array.reshape(1, 1)
    if view.rows is None:
        return array.reshape(1, -1)
    index = tuple(
        slice(None) if axis in (view.rows, view.columns) else view.at[axis] for axis in range(array.ndim)
    )
    found = array[index]
    return found if view.rows < view.columns else found.T


@attrs.frozen(eq=False)
class Picture:
    """Numbers ready to be drawn, where `empty` there is none, and how to find the array's index under a pixel."""

    numbers: Array
    empty: NDArray[np.bool_] | None
    step: tuple[int, int]
    view: Slice
    tile: tuple[int, int, int] | None = None
    left_out: int = 0

    def index_at(self, row: int, column: int) -> str:
        """Spell the index of the number drawn at a pixel, or nothing between two channels."""
        if self.tile is None:
            return self.view.index_text(row * self.step[0], column * self.step[1])
        height, width, across = self.tile
        if row % (height + 1) == height or column % (width + 1) == width:
            return ""
        axis = self.view.grid
        number = row // (height + 1) * across + column // (width + 1)
        if axis is None or number >= self.view.shape[axis]:
            return ""
        place = self.view.moved(axis, number)
        return place.index_text(row % (height + 1) * self.step[0], column % (width + 1) * self.step[1])


def picture(array: Array, view: Slice) -> Picture:
    """Return what is drawn of an array: one plane, or its channels side by side with a gap between."""
    if view.grid is not None and view.rows is not None:
        return _grid(array, view, view.grid)
    whole = plane(array, view)
    thin, step = _thinned(whole, DRAWN_SIDE)
    return Picture(thin, None, step, view)


def _thinned(whole: Array, side: int) -> tuple[Array, tuple[int, int]]:
    step = (max(1, math.ceil(whole.shape[0] / side)), max(1, math.ceil(whole.shape[1] / side)))
    return whole[:: step[0], :: step[1]], step


def _grid(array: Array, view: Slice, axis: int) -> Picture:
    count = min(array.shape[axis], TILES)
    across = math.ceil(math.sqrt(count))
    down = math.ceil(count / across)
    tiles = [
        _thinned(plane(array, view.moved(axis, number)), max(8, DRAWN_SIDE // across))
        for number in range(count)
    ]
    height, width = tiles[0][0].shape
    numbers = np.zeros((down * (height + 1) - 1, across * (width + 1) - 1), array.dtype)
    empty = np.ones(numbers.shape, np.bool_)
    for number, (tile, _) in enumerate(tiles):
        top, left = number // across * (height + 1), number % across * (width + 1)
        numbers[top : top + height, left : left + width] = tile
        empty[top : top + height, left : left + width] = False
    return Picture(numbers, empty, tiles[0][1], view, (height, width, across), array.shape[axis] - count)

"""Which bytes of memory two threads touch, so that neither reads or writes what the other one writes."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from math import prod
from typing import Final

import numpy as np

from app.engine.operator import Array

Run = tuple[int, int]
"""Bytes from the first address to before the second."""
MOST_RUNS: Final = 256


class Bytes:
    """A set of bytes, as runs in order that do not touch."""

    def __init__(self, runs: Iterable[Run] = ()) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        self.add(runs)

    def add(self, runs: Iterable[Run]) -> None:
        """Take more bytes in."""
        for run in runs:
            first, last = bisect_left(self._ends, run[0]), bisect_right(self._starts, run[1])
            if first == last:  # the usual case: it touches no other
                self._starts.insert(first, run[0])
                self._ends.insert(first, run[1])
                continue
            start = min([run[0], *self._starts[first:last]])
            end = max([run[1], *self._ends[first:last]])
            self._starts[first:last], self._ends[first:last] = [start], [end]

    def meets(self, runs: Iterable[Run]) -> bool:
        """Tell whether any of these bytes is in the set."""
        for start, end in runs:
            after = bisect_right(self._ends, start)
            if after < len(self._starts) and self._starts[after] < end:
                return True
        return False


def bytes_of(array: Array) -> tuple[Run, ...]:
    """Return the bytes of an array; where they lie in very many runs, those between them too."""
    start = array.__array_interface__["data"][0]
    if not array.size:
        return ()
    if array.flags.c_contiguous:
        return ((start, start + array.nbytes),)
    solid, axis = array.itemsize, array.ndim
    while axis and array.strides[axis - 1] == solid:
        axis -= 1
        solid *= array.shape[axis]
    if prod(array.shape[:axis]) > MOST_RUNS or min(array.strides) < 0:
        return (np.lib.array_utils.byte_bounds(array),)
    return tuple((start + offset, start + offset + solid) for offset in _offsets(array, axis))


def _offsets(array: Array, axes: int) -> Iterator[int]:
    """Yield where the runs start that the last axes make."""
    offsets = [0]
    for stride, size in zip(array.strides[:axes], array.shape[:axes], strict=True):
        offsets = [offset + stride * place for offset in offsets for place in range(size)]
    yield from offsets

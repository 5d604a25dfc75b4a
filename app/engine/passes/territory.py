"""Which memory two threads touch, each on its half of an array, and where one gets in the other's way.

Half of a plain array is one run of bytes that comes back after a fixed number of bytes: once for a half of its first
axis, many times for one of a later axis. So whether two halves meet is arithmetic.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from app.engine.operator import Array
from app.engine.split import MOST_RUNS

Extent = tuple[int, int]
"""Bytes from the first address to before the second."""


class Share(NamedTuple):
    """What one thread touches of an array: `runs` of `length` bytes from `start` on, each `period` behind the last."""

    start: int
    length: int
    period: int
    runs: int

    @property
    def end(self) -> int:
        """Where its last run ends."""
        return self.start + (self.runs - 1) * self.period + self.length

    def touches(self, start: int, end: int) -> bool:
        """Tell whether any of these bytes is in it."""
        run = max(0, (start - self.start - self.length) // self.period + 1)  # the first to end behind `start`
        return run < self.runs and self.start + run * self.period < end

    def meets(self, other: "Share") -> bool:
        """Tell whether any byte is in both."""
        if self.end <= other.start or other.end <= self.start:
            return False
        few, many = (self, other) if self.runs <= other.runs else (other, self)
        if few.period == many.period:  # as of one array's halves: told without a look at every run
            apart = (many.start - few.start) % few.period
            if apart >= few.length and apart + many.length <= few.period:
                return False
        starts = range(few.start, few.start + few.runs * few.period, few.period)
        return any(many.touches(start, start + few.length) for start in starts)


class Access(NamedTuple):
    """How two threads touch one array: where it lies, what each of them touches of it, and whether it writes that."""

    extent: Extent
    first: Share | None
    second: Share | None
    writes: bool


def clash(one: Access, other: Access) -> bool:
    """Tell whether either thread touches there what the other one writes here, or writes what that touches."""
    return (one.writes or other.writes) and (_meet(one.first, other.second) or _meet(one.second, other.first))


def _meet(one: Share | None, other: Share | None) -> bool:
    return one is not None and other is not None and one.meets(other)


def shares(array: Array, extent: Extent, axis: int | None) -> tuple[Share, Share]:
    """Return what each thread touches of an array that lies there: its half along an axis, or all of it.

    Of halves in very many runs the bytes in between count too, and of an array in another order than row by row all.
    """
    start, end = extent
    whole = Share(start, end - start, end - start, 1)
    if axis is None or not array.flags.c_contiguous:
        return whole, whole
    step, size = array.strides[axis], array.shape[axis]
    cut, period = step * (size // 2), step * size
    count = (end - start) // period
    if count > MOST_RUNS:
        between, total = (count - 1) * period, end - start
        return Share(start, between + cut, total, 1), Share(start + cut, total - cut, total, 1)
    return Share(start, cut, period, count), Share(start + cut, period - cut, period, count)


def extent_of(array: Array) -> Extent:
    """Return the bytes between the first and the last of an array; an empty one has none."""
    if array.flags.c_contiguous:
        start: int = array.__array_interface__["data"][0]
        return start, start + array.nbytes
    return np.lib.array_utils.byte_bounds(array)


def overlaps(extents: Iterable[Extent]) -> dict[Extent, list[Extent]]:
    """Return for each of these the others that it has bytes in common with, and itself."""
    found: dict[Extent, list[Extent]] = {}
    active: list[Extent] = []
    for extent in sorted(set(extents)):
        active = [other for other in active if other[1] > extent[0]]
        for other in active:
            found[other].append(extent)
        found[extent] = [*active, extent]
        active.append(extent)
    return found

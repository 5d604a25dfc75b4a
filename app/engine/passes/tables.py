"""Room for the rows of several fully connected layers, so that one product serves them all."""

from functools import cached_property
from math import ceil
from typing import Final

import attrs

from app.engine.kernels import cache_lines
from app.engine.operator import Array, DType

ROWS: Final = 512
"""So many rows at once are as fast as any more; layers with half as many gain nothing from being joined."""


@attrs.frozen(eq=False)
class Tables:
    """Rows of data and rows of results for `at_once` layers that have `rows` each; both are made when they are used."""

    rows: int
    at_once: int
    width: int
    hidden: int
    dtype: DType

    @cached_property
    def data(self) -> Array:
        """The rows that the layers read."""
        return cache_lines.empty((self.at_once * self.rows, self.width), self.dtype)

    @cached_property
    def results(self) -> Array:
        """The rows that come out of them, or the gradients of those."""
        return cache_lines.empty((self.at_once * self.rows, self.hidden), self.dtype)

    @property
    def size(self) -> int:
        """The bytes of both."""
        return self.at_once * self.rows * (self.width + self.hidden) * self.dtype.itemsize


def tables_for(layers: int, rows: int, weight: tuple[int, int], dtype: DType) -> Tables | None:
    """Plan tables for so many layers of one weight (hidden, width); None where they have too many rows each to gain."""
    if 2 * rows > ROWS:
        return None
    at_once = ceil(layers / ceil(layers * rows / ROWS))  # alike pieces, no small rest
    return Tables(rows, at_once, weight[1], weight[0], dtype)

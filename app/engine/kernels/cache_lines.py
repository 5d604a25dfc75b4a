"""Memory that begins on a cache line.

Numpy's own begins 16 bytes behind one where it is large. Every store of 64 bytes then touches two lines, and a matrix
product that writes much, such as the gradient of a wide weight, takes a twentieth longer.
"""

from collections.abc import Sequence
from math import prod
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

LINE: Final = 64
"""Bytes of a cache line, and enough for every vector instruction."""
SMALL: Final = 4096
"""Bytes below which looking where the line begins takes longer than it saves."""


def zeros(shape: Sequence[int], dtype: Any) -> Array:
    """Return an array of zeros, which a system gives without writing them."""
    return _begun_on_line(np.zeros, shape, np.dtype(dtype))


def empty(shape: Sequence[int], dtype: Any) -> Array:
    """Return an array that holds anything."""
    return _begun_on_line(np.empty, shape, np.dtype(dtype))


def arena(size: int) -> Array:
    """Return zeroed bytes."""
    return _bytes(np.zeros, size)


def _begun_on_line(make: Any, shape: Sequence[int], dtype: np.dtype[Any]) -> Array:
    size = prod(shape) * dtype.itemsize
    if size < SMALL:
        small: Array = make(shape, dtype)
        return small
    return _bytes(make, size).view(dtype).reshape(shape)


def _bytes(make: Any, size: int) -> Array:
    raw: Array = make(size + LINE, np.uint8)
    start = -raw.__array_interface__["data"][0] % LINE
    return raw[start : start + size]

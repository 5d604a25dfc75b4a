"""Shapes that may be partly unknown, and how two pieces of knowledge about one shape join.

A shape is a tuple of whole numbers. A dimension of 0 is unknown; the empty tuple is a wholly unknown shape (there are
neither zero-size nor 0-d arrays in MXNet's classic mode).
"""

import math
from collections.abc import Sequence

from app.engine.errors import ShapeError
from app.engine.params import LARGEST_SIZE

Shape = tuple[int, ...]
Shapes = Sequence[Shape]
Inferred = tuple[Shapes, Shapes]  # inputs (auxiliary states last), outputs (hidden ones last)

UNKNOWN: Shape = ()
MOST_AXES = 64
"""As many axes as an array of numpy can have."""
_SHOWN_AXES = 8
_HUGE = 10**20


def is_known(shape: Shape) -> bool:
    """Tell whether every dimension is known."""
    return bool(shape) and 0 not in shape


def refuse_impossible(shape: Shape) -> None:
    """Refuse a shape that no array can have; ShapeError."""
    if len(shape) > MOST_AXES:
        raise ShapeError(f"a shape of {len(shape)} axes is too long: an array has at most {MOST_AXES}.")
    for size in shape:
        if size < 0:
            raise ShapeError(f"{text(shape)} is no shape: {size} is below 0.")
        if size > LARGEST_SIZE:
            raise ShapeError(f"{text(shape)} is no shape: an axis has at most {LARGEST_SIZE} places.")


def merge(first: Shape, second: Shape, port: str = "") -> Shape:
    """Join two partial shapes of one array; ShapeError at `port` when they contradict each other."""
    if first == second or not second:
        return first
    if not first:
        return second
    if len(first) != len(second):
        expected = text(first) if any(first) else f"{len(first)} axes"
        raise ShapeError(f"expected {expected} but got {text(second)}: the ranks differ.", port=port or None)
    joined = []
    for one, other in zip(first, second, strict=True):
        if one and other and one != other:
            raise ShapeError(f"expected {text(first)} but got {text(second)}.", port=port or None)
        joined.append(one or other)
    return tuple(joined)


def merge_all(shapes: Shapes, ports: Sequence[str] = ()) -> Shape:
    """Join the shapes of arrays that must be alike."""
    joined = UNKNOWN
    for index, shape in enumerate(shapes):
        joined = merge(joined, shape, ports[index] if index < len(ports) else "")
    return joined


def element_count(shape: Shape) -> int:
    """Return the number of elements, 0 while a dimension is unknown."""
    if not shape:
        return 0
    product = 1
    for dimension in shape:
        product *= dimension
    return product


def text(shape: Shape) -> str:
    """Write a shape for people: `(32, ?)`, and `?` when nothing is known."""
    if not shape:
        return "?"
    words = [_size(dimension) for dimension in shape[:_SHOWN_AXES]]
    if len(shape) > _SHOWN_AXES + 1:
        words += ["…", _size(shape[-1])]
    else:
        words += map(_size, shape[_SHOWN_AXES:])
    dimensions = ", ".join(words)
    return f"({dimensions})"


def _size(dimension: int) -> str:
    if not dimension:
        return "?"
    return str(dimension) if -_HUGE < dimension < _HUGE else f"about 10^{round(math.log10(abs(dimension)))}"


def normalize_axis(axis: int, rank: int, what: str = "axis") -> int:
    """Return `axis` counted from the front; ShapeError when there is no such axis."""
    if not -rank <= axis < rank:
        raise ShapeError(f"{what} {axis} is out of range for {rank} axes.")
    return axis % rank

"""Shapes that may be partly unknown, and how two pieces of knowledge about one shape join.

A shape is a tuple of whole numbers. A dimension of 0 is unknown; the empty tuple is a wholly unknown shape (there are
neither zero-size nor 0-d arrays in MXNet's classic mode).
"""

from collections.abc import Sequence

from app.engine.errors import ShapeError

Shape = tuple[int, ...]
Shapes = Sequence[Shape]
Inferred = tuple[Shapes, Shapes]  # inputs (auxiliary states last), outputs (hidden ones last)

UNKNOWN: Shape = ()


def is_known(shape: Shape) -> bool:
    """Tell whether every dimension is known."""
    return bool(shape) and 0 not in shape


def merge(first: Shape, second: Shape, port: str = "") -> Shape:
    """Join two partial shapes of one array; ShapeError at `port` when they contradict each other."""
    if first == second or not second:
        return first
    if not first:
        return second
    if len(first) != len(second):
        raise ShapeError(
            f"expected {text(first)} but got {text(second)}: the ranks differ.", port=port or None
        )
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
    dimensions = ", ".join(str(dimension) if dimension else "?" for dimension in shape)
    return f"({dimensions})"


def normalize_axis(axis: int, rank: int, what: str = "axis") -> int:
    """Return `axis` counted from the front; ShapeError when there is no such axis."""
    if not -rank <= axis < rank:
        raise ShapeError(f"{what} {axis} is out of range for {rank} axes.")
    return axis % rank

"""Parts of an array along one axis, and their sizes: what joining and splitting have in common."""

from collections.abc import Sequence

from app.engine.operator import Array
from app.engine.shapes import Shape


def with_size(shape: Shape, axis: int, size: int) -> Shape:
    """Return `shape` with one size replaced; as it is where it has no such axis, or its rank is open."""
    return (*shape[:axis], size, *shape[axis % len(shape) + 1 :]) if axis < len(shape) else shape


def cut(whole: Array, axis: int, sizes: Sequence[int]) -> list[Array]:
    """Return views of consecutive parts along an axis."""
    views, start, before = [], 0, (slice(None),) * (axis % whole.ndim)
    for size in sizes:
        views.append(whole[(*before, slice(start, start + size))])
        start += size
    return views

"""What operators on matrices have in common; the matrices are the last two axes of an array, all others are a batch."""

import numpy as np

from app.engine.errors import ShapeError
from app.engine.operator import Array, Port
from app.engine.operators.prepared import Prepared
from app.engine.shapes import Shape, merge, text
from app.engine.work_space import Work


class OnMatrices(Prepared):
    """An operator on batches of matrices."""

    kinds = "f"
    work = Work(takes=7, takes_back=9)

    @property
    def inputs(self) -> tuple[Port, ...]:
        """One array of matrices."""
        return (Port("A"),)


def square(shape: Shape, port: str = "A") -> Shape:
    """Return a shape with the sizes of its matrices made equal; ShapeError where they are not, or there are none."""
    if not shape:
        return shape
    check_matrices(shape, port)
    if shape[-1] and shape[-2] and shape[-1] != shape[-2]:
        raise ShapeError(
            f"{text(shape)} holds no square matrices: {shape[-2]} rows, {shape[-1]} columns.", port=port
        )
    size = shape[-1] or shape[-2]
    return (*shape[:-2], size, size)


def check_matrices(shape: Shape, port: str = "A") -> None:
    """Refuse a shape without rows and columns; ShapeError."""
    if len(shape) == 1:
        raise ShapeError(f"{text(shape)} holds no matrices; at least 2 axes are needed.", port=port)


def joined_square(first: Shape, second: Shape, port: str = "A") -> Shape:
    """Join what is known of one array of square matrices."""
    return square(merge(first, second, port), port)


def put(value: Array, out: Array) -> None:
    """Write a result, whose type may be wider."""
    np.copyto(out, value, casting="unsafe")

"""Diagonals and triangles cut out of matrices, and matrices made of them: _linalg_extractdiag and its kind."""

from collections.abc import Sequence
from functools import partial
from math import isqrt
from typing import ClassVar

import attrs
import numpy as np

from app.engine.errors import ShapeError
from app.engine.examples import Example
from app.engine.kernels.steps import Step
from app.engine.operator import Array, Arrays, CodeNames, Reads, operator
from app.engine.operators.on_matrices import OnMatrices, square
from app.engine.operators.prepared import Flow, gradient_lines
from app.engine.params import param
from app.engine.shapes import Inferred, Shapes, merge
from app.engine.work_space import Work

Places = tuple[Array, Array]


@attrs.frozen
class AtPlaces(OnMatrices):
    """Numbers that stand at certain places of square matrices, and the matrices, zero elsewhere."""

    work = Work(takes=1.5)
    only_moves = True

    offset: int = param(default=0, doc="How far to the right of the middle diagonal.")

    def places(self, size: int) -> Places:
        """Return rows and columns of the places in matrices of a size."""
        raise NotImplementedError(self.op_name)

    def places_code(self, size: int, library: str) -> str:
        """Write them as code of numpy ("np") or of PyTorch."""
        raise NotImplementedError(self.op_name)

    def count(self, size: int) -> int:
        """Return how many places there are in matrices of a size, 0 where it is unknown."""
        raise NotImplementedError(self.op_name)

    def size(self, count: int) -> int:
        """Return the size of matrices with so many places; ShapeError where there is none."""
        raise NotImplementedError(self.op_name)

    def gradient_reads(self, index: int) -> Reads:
        """Numbers go back where they came from."""
        return Reads()

    def _indices(self, size: int, library: str = "np") -> str:
        return f"[..., *{self.places_code(size, library)}]"

    def summary(self) -> str:
        """Which diagonal."""
        return f"diagonal {self.offset}" if self.offset else ""


class CutOut(AtPlaces):
    """Takes numbers out of matrices."""

    examples: ClassVar[tuple[Example, ...]] = (
        Example({"A": (3, 3)}),
        Example({"A": (2, 4, 4)}, offset=1),
        Example({"A": (2, 4, 4)}, offset=-2),
    )

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """One axis for all the places; their number tells the size, and the other way round."""
        matrices, out = square(ins[0]), outs[0]
        if not matrices:
            return ins, outs
        size = matrices[-1]
        if size and size <= abs(self.offset):
            raise ShapeError(f"matrices of {size} rows have no diagonal {self.offset}.", port="A")
        out = merge((*matrices[:-2], self.count(size) if size else 0), out)
        if not size and out[-1]:
            size = self.size(out[-1])
        return ((*out[:-1], size, size),), (out,)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        rows, columns = self.places(ins[0].shape[-1])
        return lambda: np.copyto(outs[0], ins[0][..., rows, columns])

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients."""

        def step(grad: Array) -> None:
            rows, columns = self.places(grad.shape[-1])
            grad.fill(0)
            grad[..., rows, columns] = flow.head

        return [partial(step, grad) for _, grad in flow.wanted]

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Say where the gradient goes."""
        return f"{heads[0]} where it came from, 0 elsewhere"

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = {n.ins[0]}{self._indices(n.in_shapes[0][-1])}"]

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = {n.ins[0]}{self._indices(n.in_shapes[0][-1], 'torch')}"]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """Two lines."""
        if n.grads[0] is None or n.heads[0] is None:
            return gradient_lines(n, [""])
        place = f"{n.grads[0]}{self._indices(n.in_shapes[0][-1])}"
        return [f"{n.grads[0]} = np.zeros_like({n.ins[0]})", f"{place} = {n.heads[0]}"]


class PutIn(AtPlaces):
    """Makes matrices with numbers at certain places."""

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """The number of places tells the size, and the other way round."""
        data, out = ins[0], square(outs[0], "output")
        if not data:
            return ins, (out,)
        size = self.size(data[-1]) if data[-1] else 0
        out = square(merge((*data[:-1], size, size), out), "output")
        if out[-1] and out[-1] <= abs(self.offset):
            raise ShapeError(f"matrices of {out[-1]} rows have no diagonal {self.offset}.")
        return ((*out[:-2], self.count(out[-1]) if out[-1] else 0),), (out,)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        rows, columns = self.places(outs[0].shape[-1])

        def run() -> None:
            outs[0].fill(0)
            outs[0][..., rows, columns] = ins[0]

        return run

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients."""
        rows, columns = self.places(flow.head.shape[-1])

        def step(grad: Array) -> None:
            np.copyto(grad, flow.head[..., rows, columns])

        return [partial(step, grad) for _, grad in flow.wanted]

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Say where the gradient comes from."""
        return f"{heads[0]} at the same places"

    def numpy_code(self, n: CodeNames) -> list[str]:
        """Two lines."""
        made, shape = n.outs[0], n.out_shapes[0]
        return [
            f"{made} = np.zeros({shape}, {n.ins[0]}.dtype)",
            f"{made}{self._indices(shape[-1])} = {n.ins[0]}",
        ]

    def torch_code(self, n: CodeNames) -> list[str]:
        """Two lines."""
        made, shape = n.outs[0], n.out_shapes[0]
        return [
            f"{made} = torch.zeros({shape}, dtype={n.ins[0]}.dtype)",
            f"{made}{self._indices(shape[-1], 'torch')} = {n.ins[0]}",
        ]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return gradient_lines(n, [f"{n.heads[0]}{self._indices(n.out_shapes[0][-1])}"])


class OnDiagonal(AtPlaces):
    """The places of one diagonal."""

    def places(self, size: int) -> Places:
        """Go down the diagonal."""
        along = np.arange(self.count(size))
        return along + max(-self.offset, 0), along + max(self.offset, 0)

    def places_code(self, size: int, library: str) -> str:
        """Write them as code of numpy ("np") or of PyTorch."""
        starts = f"[[{max(-self.offset, 0)}], [{max(self.offset, 0)}]]"
        made = "array" if library == "np" else "tensor"
        return f"({library}.arange({self.count(size)}) + {library}.{made}({starts}))"

    def count(self, size: int) -> int:
        """Return how many there are."""
        return size - abs(self.offset)

    def size(self, count: int) -> int:
        """Return the size of the matrices."""
        return count + abs(self.offset)


@attrs.frozen(slots=False)
class InTriangle(AtPlaces):
    """The places from a diagonal outwards: row by row below it, column by column above it."""

    lower: bool = param(default=True, doc="Whether it is the lower triangle, where offset is 0.")

    @property
    def is_lower(self) -> bool:
        """Which triangle it is."""
        return self.lower if self.offset == 0 else self.offset < 0

    def places(self, size: int) -> Places:
        """Go over the triangle; an upper one is a lower one turned over."""
        rows, columns = np.tril_indices(size, -abs(self.offset))
        return (rows, columns) if self.is_lower else (columns, rows)

    def places_code(self, size: int, library: str) -> str:
        """Write them as code of numpy ("np") or of PyTorch."""
        sizes = f"{size}" if library == "np" else f"{size}, {size}"
        code = f"{library}.tril_indices({sizes}, {-abs(self.offset)})"
        turn = "[::-1]" if library == "np" else ".flip(0)"
        return code if self.is_lower else f"{code}{turn}"

    def count(self, size: int) -> int:
        """Return how many there are."""
        side = size - abs(self.offset)
        return side * (side + 1) // 2

    def size(self, count: int) -> int:
        """Return the size of the matrices; ShapeError where a triangle cannot have so many places."""
        side = (isqrt(8 * count + 1) - 1) // 2
        if side * (side + 1) // 2 != count:
            raise ShapeError(f"{count} numbers fill no triangle; 1, 3, 6, 10 … do.", port="A")
        return side + abs(self.offset)

    def summary(self) -> str:
        """Which triangle, and from which diagonal on."""
        words = super().summary()
        return ("lower" if self.is_lower else "upper") + (f" · {words}" if words else "")


@operator(name="_linalg_extractdiag", category="Linear algebra", aliases=("linalg_extractdiag",))
class ExtractDiag(CutOut, OnDiagonal):
    """Take a diagonal out of every matrix."""


@operator(name="_linalg_makediag", category="Linear algebra", aliases=("linalg_makediag",))
class MakeDiag(PutIn, OnDiagonal):
    """Make matrices with numbers on a diagonal, and zeros elsewhere."""

    examples = (Example({"A": (3,)}), Example({"A": (2, 3)}, offset=1), Example({"A": (2, 2)}, offset=-2))


@operator(name="_linalg_extracttrian", category="Linear algebra", aliases=("linalg_extracttrian",))
class ExtractTrian(CutOut, InTriangle):
    """Take a triangle out of every matrix, as a row."""

    examples = (*CutOut.examples, Example({"A": (3, 3)}, lower=False))


@operator(name="_linalg_maketrian", category="Linear algebra", aliases=("linalg_maketrian",))
class MakeTrian(PutIn, InTriangle):
    """Make matrices with a row of numbers in a triangle, and zeros elsewhere."""

    examples = (
        Example({"A": (6,)}),
        Example({"A": (2, 3)}, offset=1),
        Example({"A": (2, 3)}, offset=-2),
        Example({"A": (2, 6)}, lower=False),
    )

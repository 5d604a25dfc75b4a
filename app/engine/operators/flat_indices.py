"""Places in an array, as one number each or as one number for every axis: _ravel_multi_index, _unravel_index."""

from collections.abc import Sequence
from math import prod

import attrs
import numpy as np

from app.engine.errors import ShapeError
from app.engine.examples import Domain, Example
from app.engine.kernels.steps import Step
from app.engine.operator import Arrays, CodeNames, GradientKind, operator
from app.engine.operators.prepared import Prepared, gradient_lines
from app.engine.params import param
from app.engine.shapes import Inferred, Shapes, merge, text
from app.engine.work_space import Work


@attrs.frozen
class PlacesIn(Prepared):
    """What both ways have in common."""

    kinds = "iuf"

    shape: tuple[int, ...] | None = param(
        default=None, doc="Shape of the array that is looked into; the first size may be −1."
    )

    @property
    def sizes(self) -> tuple[int, ...]:
        """The sizes of the array that is looked into."""
        if not self.shape or any(size < 1 for size in self.shape[1:]):
            raise ShapeError("shape must be the sizes of an array, like (4, 5); only the first may be open.")
        return self.shape

    @property
    def strides(self) -> list[int]:
        """How far apart neighbours along each axis are."""
        return [prod(self.sizes[axis + 1 :]) for axis in range(len(self.sizes))]

    def gradient_kind(self, index: int) -> GradientKind:
        """Whole numbers do not move."""
        return "zero"

    def summary(self) -> str:
        """The shape."""
        return text(self.shape or ())

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """Zeros."""
        return gradient_lines(n, [""])


@operator(name="_ravel_multi_index", category="Indexing", aliases=("ravel_multi_index",))
class RavelMultiIndex(PlacesIn):
    """Turn places with one index for every axis into places counted row by row.

    A column of data is one place.
    """

    work = Work(takes=4)

    examples = (
        Example({"data": (2, 5)}, domains={"data": Domain(0, 3, whole=True)}, shape=(4, 5)),
        Example({"data": (3, 2)}, domains={"data": Domain(0, 1, whole=True)}, shape=(-1, 3, 2)),
    )

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """There is one number for every column."""
        axes = len(self.sizes)
        if not ins[0] and not outs[0]:
            return ins, outs
        data = merge((axes, *merge((0,), outs[0])), ins[0], "data")
        return (data,), (data[1:],)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        strides = self.strides

        def run() -> None:
            found = np.zeros(outs[0].shape, np.int64)
            for row, stride in zip(ins[0], strides, strict=True):
                found += row.astype(np.int64) * stride
            np.copyto(outs[0], found, casting="unsafe")

        return run

    def _sum(self, n: CodeNames, whole: str) -> str:
        terms = [
            f"{n.ins[0]}[{axis}].{whole}{'' if stride == 1 else f' * {stride}'}"
            for axis, stride in enumerate(self.strides)
        ]
        return " + ".join(terms)

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = ({self._sum(n, 'astype(int)')}).astype({n.ins[0]}.dtype)"]

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = ({self._sum(n, 'long()')}).to({n.ins[0]}.dtype)"]


@operator(name="_unravel_index", category="Indexing", aliases=("unravel_index",))
class UnravelIndex(PlacesIn):
    """Turn places counted row by row into places with one index for every axis.

    A column of the result is one place.
    """

    work = Work(takes=2.1)

    examples = (
        Example({"data": (5,)}, domains={"data": Domain(0, 19, whole=True)}, shape=(4, 5)),
        Example({"data": (3,)}, domains={"data": Domain(0, 11, whole=True)}, shape=(-1, 3, 2)),
        Example({"data": (9,)}, domains={"data": Domain(-19, -1, whole=True)}, shape=(4, 5)),
    )

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """There is one column for every number."""
        axes = len(self.sizes)
        if not ins[0] and not outs[0]:
            return ins, outs
        out = merge((axes, *merge((0,), ins[0], "data")), outs[0])
        return (out[1:],), (out,)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value; what lies before the beginning keeps its sign, as in C."""
        sizes = self.sizes

        def run() -> None:
            left = ins[0].astype(np.int64)
            for axis in reversed(range(1, len(sizes))):
                rest = np.fmod(left, sizes[axis])
                np.copyto(outs[0][axis], rest, casting="unsafe")
                left -= rest
                left //= sizes[axis]
            np.copyto(outs[0][0], left, casting="unsafe")

        return run

    def _rows(self, whole: str) -> Sequence[str]:
        rows = []
        for axis, (stride, size) in enumerate(zip(self.strides, self.sizes, strict=True)):
            counted = whole if stride == 1 else f"{whole} // {stride}"
            rows.append(counted if axis == 0 else f"{counted} % {size}")
        return rows

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        rows = ", ".join(self._rows(f"abs({n.ins[0]}.astype(int))"))
        return [f"{n.outs[0]} = (np.stack([{rows}]) * np.sign({n.ins[0]})).astype({n.ins[0]}.dtype)"]

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line."""
        rows = ", ".join(self._rows(f"abs({n.ins[0]}.long())"))
        return [f"{n.outs[0]} = (torch.stack([{rows}]) * torch.sign({n.ins[0]})).to({n.ins[0]}.dtype)"]

"""Largest and smallest elements along axes, and where they are: max, min, argmax, argmin, argmax_channel."""

from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar

import attrs
import numpy as np

from app.engine.errors import ShapeError
from app.engine.examples import Example
from app.engine.kernels.steps import Step, ufunc
from app.engine.operator import Arrays, CodeNames, GradientKind, Reads, operator
from app.engine.operators.prepared import Flow, Prepared, gradient_lines
from app.engine.operators.reduce import Reduction, kept_shape
from app.engine.params import param
from app.engine.shapes import Inferred, Shape, Shapes, merge, normalize_axis
from app.engine.work_space import Work


class Extreme(Reduction):
    """The largest or smallest element along axes; every place that holds it gets the whole gradient."""

    function: ClassVar[Any]

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        axes = self.reduced(ins[0].ndim)
        kept = self.kept(outs[0], ins[0].shape)
        return partial(self.function.reduce, ins[0], axes, None, kept, True)

    def gradient_reads(self, index: int) -> Reads:
        """The gradient reads data and value, to find the places."""
        return Reads(inputs=(0,), outputs=(0,))

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients."""
        steps: list[Step] = []
        for _, grad in flow.wanted:
            places = np.empty(grad.shape, bool)
            value = self.kept(flow.out, grad.shape)
            steps += [
                partial(np.equal, flow.read(0), value, places),
                ufunc(np.multiply, self.kept(flow.head, grad.shape), places, out=grad),
            ]
        return steps

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        return f"{heads[0]} where {ins[0]} = {outs[0]}, else 0"

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [
            f"{n.outs[0]} = {self.shaped(n, f'{self.over(n, n.ins[0])}.{self.op_name}({self.code_arguments(n)})')}"
        ]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """One line."""
        value = self.spread(n, n.outs[0])
        return gradient_lines(n, [f"{self.spread(n, str(n.heads[0]))} * ({n.ins[0]} == {value})"])

    def torch_code(self, n: CodeNames) -> list[str]:
        """Call the part `extreme`: PyTorch shares the gradient among equal places, MXNet gives each the whole."""
        axes = self.reduced(len(n.in_shapes[0]))
        return [
            f"{n.outs[0]} = extreme({n.ins[0]}, {axes}, torch.a{self.op_name}).reshape({n.out_shapes[0]})"
        ]


@operator(name="max", category="Reduction", aliases=("max_axis",), sign="max")
class Max(Extreme):
    """Take the largest element along some axes."""

    work = Work(keeps_back=0.4, takes_back=0.7)

    function = np.maximum


@operator(name="min", category="Reduction", aliases=("min_axis",), sign="min")
class Min(Extreme):
    """Take the smallest element along some axes."""

    work = Work(keeps_back=0.4, takes_back=0.7)

    function = np.minimum


class Place(Prepared):
    """The place of an extreme element along one axis, as a number of the data's type; the first where several tie."""

    find: ClassVar[Any]

    def gradient_kind(self, index: int) -> GradientKind:
        """A place jumps, so the gradient is zero."""
        return "zero"

    def gradient_reads(self, index: int) -> Reads:
        """Nothing is read for a gradient of zero."""
        return Reads(heads=False)


@attrs.frozen
class PlaceAlong(Place):
    """The place along an axis, or among all elements in a row."""

    axis: int | None = param(default=None, doc="The axis; None counts all elements in a row.")
    keepdims: bool = param(default=False, doc="Keep the axis with size 1.")

    examples = (
        Example({"data": (2, 3, 4)}, axis=1),
        Example({"data": (2, 3, 4)}, axis=-1, keepdims=True),
        Example({"data": (2, 3, 4)}),
        Example({"data": (5,)}, axis=0),
        Example({"data": (2, 3)}, keepdims=True),
    )

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Drop the axis, or keep it with size 1."""
        data, out = ins[0], outs[0]
        if not data:
            return ins, outs
        if len(data) == 1:
            return (data,), (merge((1,), out),)  # whatever the axis: MXNet looks at it only when it runs
        found = kept_shape(data, self._axes(data))
        if not self.keepdims:
            found = (1,) if self.axis is None else _without(found, self._axes(data)[0])
        return (data,), (merge(found, out),)

    def _axes(self, data: Shape) -> tuple[int, ...]:
        return tuple(range(len(data))) if self.axis is None else (normalize_axis(self.axis, len(data)),)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value; an axis that the one there is does not have is refused here."""
        self._axes(ins[0].shape)
        return lambda: np.copyto(
            outs[0], self.find(ins[0], axis=self.axis, keepdims=True).reshape(outs[0].shape), casting="unsafe"
        )

    def summary(self) -> str:
        """The axis."""
        return "" if self.axis is None else f"axis {self.axis}"

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        code = f"np.{self.op_name}({n.ins[0]}, axis={self.axis})"
        return [f"{n.outs[0]} = {code}.reshape({n.out_shapes[0]}).astype({n.ins[0]}.dtype)"]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return gradient_lines(n, [""])

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line."""
        code = f"torch.{self.op_name}({n.ins[0]}, dim={self.axis})"
        return [f"{n.outs[0]} = {code}.reshape({n.out_shapes[0]}).to({n.ins[0]}.dtype)"]


@operator(name="argmax", category="Reduction")
class ArgMax(PlaceAlong):
    """Tell the place of the largest element along an axis."""

    work = Work(takes=1.8)

    find = staticmethod(np.argmax)


@operator(name="argmin", category="Reduction")
class ArgMin(PlaceAlong):
    """Tell the place of the smallest element along an axis."""

    work = Work(takes=1.8)

    find = staticmethod(np.argmin)


@operator(name="argmax_channel", category="Reduction")
class ArgMaxChannel(Place):
    """Tell for every row which channel holds the largest element."""

    work = Work(takes=1.8)

    examples = (Example({"data": (4, 5)}), Example({"data": (2, 3, 4)}))

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Drop the second axis."""
        data, out = ins[0], outs[0]
        if not data:
            return ins, outs
        found = (1,) if len(data) == 1 else _without(data, 1)
        return (data,), (merge(found, out),)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        if ins[0].ndim < 2:
            raise ShapeError("the data has no second axis.", port="data")
        return lambda: np.copyto(outs[0], np.argmax(ins[0], axis=1), casting="unsafe")

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = np.argmax({n.ins[0]}, axis=1).astype({n.ins[0]}.dtype)"]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return gradient_lines(n, [""])

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = torch.argmax({n.ins[0]}, dim=1).to({n.ins[0]}.dtype)"]


def _without(shape: Shape, axis: int) -> Shape:
    return (shape[:axis] + shape[axis + 1 :]) or (1,)

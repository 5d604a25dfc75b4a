"""Sums, means and other reductions over axes."""

from collections.abc import Sequence
from functools import partial
from math import prod

import attrs
import numpy as np

from app.engine.errors import ShapeError
from app.engine.examples import Example
from app.engine.kernels.reduction import sum_axes
from app.engine.kernels.steps import Step, copy, in_order, scale_and_add, ufunc
from app.engine.operator import Array, Arrays, CodeNames, Reads, operator
from app.engine.operators.prepared import Flow, Prepared, gradient_lines
from app.engine.params import param
from app.engine.shapes import Inferred, Shape, Shapes, merge, normalize_axis, text
from app.engine.split import Split
from app.engine.work_space import WorkSpace


def reduced_axes(axis: tuple[int, ...] | None, rank: int, *, exclude: bool = False) -> tuple[int, ...]:
    """Return the axes that are reduced, in order; all of them when none is named. ShapeError for a wrong one."""
    if not axis:
        return tuple(range(rank))
    named = [normalize_axis(one, rank) for one in axis]
    if len(set(named)) < len(named):
        raise ShapeError(f"axis {text(tuple(axis))} names one axis twice.")
    return tuple(one for one in range(rank) if (one in named) != exclude)


def kept_shape(shape: Shape, axes: tuple[int, ...]) -> Shape:
    """Return the shape with reduced axes kept at size 1."""
    return tuple(1 if index in axes else size for index, size in enumerate(shape))


class OverAxes(Prepared):
    """One number from all elements along the reduced axes."""

    keepdims: bool

    def reduced(self, rank: int) -> tuple[int, ...]:
        """Return the reduced axes, in order."""
        raise NotImplementedError(self.op_name)

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Drop the reduced axes; what is left fits data and value alike."""
        data, out = ins[0], outs[0]
        if not data:
            return (data,), (out,)
        axes = self.reduced(len(data))
        kept = [index for index in range(len(data)) if index not in axes]
        if self.keepdims:
            out = merge(kept_shape(data, axes), out)
            sizes = [out[index] for index in kept]
        else:
            out = merge(tuple(data[index] for index in kept) or (1,), out)
            sizes = list(out) if kept else []
        filled = dict(zip(kept, sizes, strict=True))
        return (tuple(filled.get(index, size) for index, size in enumerate(data)),), (out,)

    def splits(self, ins: Shapes, outs: Shapes) -> Sequence[Split]:
        """The first axis, unless it is reduced."""
        return [] if 0 in self.reduced(len(ins[0])) else [Split((0,), (0,))]

    def kept(self, value: Array, data_shape: Shape) -> Array:
        """View the value, or its gradient, with the reduced axes kept."""
        return value.reshape(kept_shape(data_shape, self.reduced(len(data_shape))))

    def code_arguments(self, n: CodeNames) -> str:
        """Write the axes as numpy's and PyTorch's arguments."""
        rank = len(n.in_shapes[0])
        axes = self.reduced(rank)
        if not axes:
            return "axis=0"
        return f"axis={axes}, keepdims=True" if self.keepdims or len(axes) == rank else f"axis={axes}"

    def over(self, n: CodeNames, code: str) -> str:
        """Write what is reduced; without axes PyTorch would reduce all, so an axis of one is put in front."""
        return code if self.reduced(len(n.in_shapes[0])) else f"{code}[None]"

    def shaped(self, n: CodeNames, code: str) -> str:
        """Give a value of all elements its shape (1,)."""
        rank = len(n.in_shapes[0])
        return f"{code}.reshape(1)" if not self.keepdims and len(self.reduced(rank)) == rank > 1 else code

    def spread(self, n: CodeNames, name: str) -> str:
        """Write a value with its reduced axes back, ready to broadcast against the data."""
        kept = kept_shape(n.in_shapes[0], self.reduced(len(n.in_shapes[0])))
        return name if n.out_shapes[0] == kept else f"{name}.reshape({kept})"


@attrs.frozen
class Reduction(OverAxes):
    """A reduction with the settings that nearly all have."""

    axis: tuple[int, ...] | None = param(default=None, doc="Axes to reduce; all when empty.")
    keepdims: bool = param(default=False, doc="Keep the reduced axes with size 1.")
    exclude: bool = param(default=False, doc="Reduce the other axes instead.")

    examples = (
        Example({"data": (2, 3, 4)}),
        Example({"data": (2, 3, 4)}, axis=(1,)),
        Example({"data": (2, 3, 4)}, axis=(0,), keepdims=True),
        Example({"data": (2, 3, 4)}, axis=(-1,), exclude=True),
        Example({"data": (2, 3, 4, 2)}, axis=(0, 2)),
        Example({"data": (5,)}, axis=(0,)),
    )

    def reduced(self, rank: int) -> tuple[int, ...]:
        """Return the reduced axes, in order."""
        return reduced_axes(self.axis, rank, exclude=self.exclude)

    def summary(self) -> str:
        """The axes."""
        if not self.axis:
            return "all axes"
        named = ", ".join(str(axis) for axis in self.axis)
        return f"all axes but {named}" if self.exclude else f"axis {named}"


class Adding(Reduction):
    """A reduction that adds up, perhaps as a product with ones, which are kept."""

    def scratch(self, ins: Shapes, outs: Shapes, *, gradients: bool) -> WorkSpace:
        """Count a one for every element that is added to one place."""
        return WorkSpace(kept=prod(ins[0][axis] for axis in self.reduced(len(ins[0]))))


@operator(name="sum", category="Reduction", aliases=("sum_axis",), sign="Σ")
class Sum(Adding):
    """Add up the elements along some axes.

    y = Σ x
    """

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        return sum_axes(ins[0], self.reduced(ins[0].ndim), self.kept(outs[0], ins[0].shape))

    def gradient_reads(self, index: int) -> Reads:
        """The gradient is the incoming one, repeated."""
        return Reads()

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients."""
        return [copy_spread(self.kept(flow.head, grad.shape), grad) for _, grad in flow.wanted]

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        return f"{heads[0]} repeated to the shape of {ins[0]}"

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = {self.shaped(n, f'{self.over(n, n.ins[0])}.sum({self.code_arguments(n)})')}"]

    torch_code = numpy_code

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return gradient_lines(n, [f"np.broadcast_to({self.spread(n, str(n.heads[0]))}, {n.in_shapes[0]})"])


@operator(name="mean", category="Reduction", sign="x̄")
class Mean(Adding):
    """Average the elements along some axes.

    y = Σ x / n
    """

    def add_gradient(self, index: int, fresh: Array, holder: Array) -> Step:
        """MXNet divides the whole buffer once more, with what it held before."""
        return scale_and_add(fresh, holder, 1 / self.count(holder.shape))

    def count(self, shape: Shape) -> int:
        """Return how many elements make one average."""
        return prod(shape[axis] for axis in self.reduced(len(shape)))

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        kept = self.kept(outs[0], ins[0].shape)
        share = np.array(1 / self.count(ins[0].shape), np.result_type(outs[0].dtype, np.float16))
        add = sum_axes(ins[0], self.reduced(ins[0].ndim), kept)
        return in_order([add, ufunc(np.multiply, kept, share, out=kept)])

    def gradient_reads(self, index: int) -> Reads:
        """The gradient is a share of the incoming one."""
        return Reads()

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients."""
        steps = []
        for _, grad in flow.wanted:
            share = np.array(1 / self.count(grad.shape), np.result_type(grad.dtype, np.float16))
            steps.append(ufunc(np.multiply, self.kept(flow.head, grad.shape), share, out=grad))
        return steps

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        return f"{heads[0]} / n repeated to the shape of {ins[0]}, n elements averaged"

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = {self.shaped(n, f'{self.over(n, n.ins[0])}.mean({self.code_arguments(n)})')}"]

    torch_code = numpy_code

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """One line."""
        head = f"{self.spread(n, str(n.heads[0]))} / {self.count(n.in_shapes[0])}"
        return gradient_lines(n, [f"np.broadcast_to({head}, {n.in_shapes[0]})"])


def copy_spread(source: Array, out: Array) -> Step:
    """Return the step that repeats `source` along its axes of size 1."""
    return copy(source, out) if source.size == out.size else partial(np.copyto, out, source)

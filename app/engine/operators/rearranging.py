"""The same elements in another order: transpose, SwapAxis, and blocks of space turned into channels and back."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from app.engine.errors import ShapeError
from app.engine.examples import Example
from app.engine.kernels.steps import Step
from app.engine.operator import Array, Arrays, CodeNames, Reads, operator
from app.engine.operators.prepared import Flow, Prepared, gradient_lines
from app.engine.params import param
from app.engine.shapes import Inferred, Shape, Shapes, merge, normalize_axis, text
from app.engine.split import Split
from app.engine.work_space import Work


class Reordered(Prepared):
    """The elements of the data with its axes in another order."""

    only_moves = True

    def order(self, rank: int) -> tuple[int, ...]:
        """Return for each axis of the value the axis of the data it comes from."""
        raise NotImplementedError(self.op_name)

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Move the sizes, in either direction."""
        data, out = ins[0], outs[0]
        rank = len(data) or len(out)
        if not rank:
            return (data,), (out,)
        order = self.order(rank)
        back = (
            inverse(order) if out and len(set(order)) == rank else ()
        )  # an axis named twice leads nowhere back
        data = merge(data, tuple(out[place] for place in back))
        return (data,), (merge(tuple(data[axis] for axis in order) if data else (), out),)

    def splits(self, ins: Shapes, outs: Shapes) -> Sequence[Split]:
        """Each axis of the value is one of the data."""
        order = self.order(len(ins[0]))
        places = range(len(order)) if len(set(order)) == len(order) else ()
        return [Split((axis,), (order.index(axis),), pace=0.8) for axis in places]

    def makes_sense(self, ins: Shapes, outs: Shapes) -> bool:
        """No axis is named twice."""
        return not ins[0] or len(set(self.order(len(ins[0])))) == len(ins[0])

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value; an axis named twice passes MXNet's inference, and only running refuses it."""
        order = self.order(ins[0].ndim)
        if len(set(order)) < len(order):
            raise ShapeError(
                f"axes {order} name an axis twice; each from 0 to {len(order) - 1} must stand once."
            )
        return partial(np.copyto, outs[0], ins[0].transpose(order))

    def gradient_reads(self, index: int) -> Reads:
        """The gradient is the incoming one."""
        return Reads()

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients."""
        return [
            partial(np.copyto, grad, flow.head.transpose(inverse(self.order(grad.ndim))))
            for _, grad in flow.wanted
        ]

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        return f"{heads[0]} with its axes back in their places"

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = {n.ins[0]}.transpose({self.order(len(n.in_shapes[0]))})"]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return gradient_lines(n, [f"{n.heads[0]}.transpose({inverse(self.order(len(n.in_shapes[0])))})"])

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = {n.ins[0]}.permute({self.order(len(n.in_shapes[0]))})"]


@operator(name="transpose", category="Shape", sign="ᵀ")
class Transpose(Reordered):
    """Change the order of the axes; without axes, turn it around."""

    axes: tuple[int, ...] = param(
        default=(), doc="For each axis of the value, the axis of the data it comes from."
    )

    examples = (
        Example({"data": (2, 3)}),
        Example({"data": (2, 3, 4)}, axes=(1, 0, 2)),
        Example({"data": (2, 3, 4, 5)}, axes=(0, 2, 3, 1)),
        Example({"data": (4,)}),
    )

    def order(self, rank: int) -> tuple[int, ...]:
        """Return for each axis of the value the axis of the data."""
        if not self.axes:
            return tuple(reversed(range(rank)))
        if len(self.axes) != rank:
            raise ShapeError(f"axes {self.axes} are for {len(self.axes)} axes, but the data has {rank}.")
        for axis in self.axes:
            if not 0 <= axis < rank:  # MXNet does not count from the end here
                raise ShapeError(f"axes {self.axes} must be numbers from 0 to {rank - 1}.")
        return self.axes

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        return super().explain(index, ins, outs, heads) if len(self.axes) > 2 else f"{heads[0]}ᵀ"

    def summary(self) -> str:
        """The order of the axes."""
        return ", ".join(str(axis) for axis in self.axes)


@operator(category="Shape", aliases=("swapaxes",))
class SwapAxis(Reordered):
    """Exchange two axes."""

    dim1: int = param(default=0, doc="One axis.")
    dim2: int = param(default=0, doc="The other axis.")

    examples = (
        Example({"data": (2, 3, 4)}, dim1=0, dim2=2),
        Example({"data": (2, 3)}, dim1=0, dim2=1),
        Example({"data": (2, 3, 4, 5)}, dim1=-1, dim2=1),
    )

    def order(self, rank: int) -> tuple[int, ...]:
        """Return for each axis of the value the axis of the data."""
        one, other = normalize_axis(self.dim1, rank, "dim1"), normalize_axis(self.dim2, rank, "dim2")
        order = list(range(rank))
        order[one], order[other] = other, one
        return tuple(order)

    def summary(self) -> str:
        """The two axes."""
        return f"{self.dim1} ↔ {self.dim2}"


class Blocks(Prepared):
    """Elements moved between the channels and the rows and columns of a 4-D array (batch, channel, height, width)."""

    only_moves = True

    block_size: int

    def _split(self, data: Shape) -> tuple[Shape, tuple[int, ...]]:
        """Return the data's shape with its blocks as axes, and the order of these axes in the value."""
        raise NotImplementedError(self.op_name)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        shape, order = self._split(ins[0].shape)
        out = outs[0].reshape([shape[axis] for axis in order])
        if ins[0].flags.c_contiguous:
            return partial(np.copyto, out, ins[0].reshape(shape).transpose(order))
        return lambda: np.copyto(out, ins[0].reshape(shape).transpose(order))

    def gradient_reads(self, index: int) -> Reads:
        """The gradient is the incoming one."""
        return Reads()

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients."""
        return [partial(self._back, flow.head, grad) for _, grad in flow.wanted]

    def _back(self, head: Array, grad: Array) -> None:
        shape, order = self._split(grad.shape)
        moved = head.reshape([shape[axis] for axis in order]).transpose(inverse(order))
        np.copyto(grad, moved.reshape(grad.shape))

    def makes_sense(self, ins: Shapes, outs: Shapes) -> bool:
        """Something moves."""
        return self.block_size > 1

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        return f"{heads[0]} with its blocks back in their places"

    def summary(self) -> str:
        """The size of a block."""
        return f"{self.block_size}×{self.block_size}"

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        shape, order = self._split(n.in_shapes[0])
        return [f"{n.outs[0]} = {n.ins[0]}.reshape({shape}).transpose({order}).reshape({n.out_shapes[0]})"]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """One line."""
        shape, order = self._split(n.in_shapes[0])
        moved = tuple(shape[axis] for axis in order)
        return gradient_lines(
            n, [f"{n.heads[0]}.reshape({moved}).transpose({inverse(order)}).reshape({n.in_shapes[0]})"]
        )

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line."""
        shape, order = self._split(n.in_shapes[0])
        return [f"{n.outs[0]} = {n.ins[0]}.reshape({shape}).permute({order}).reshape({n.out_shapes[0]})"]

    def _four(self, *shapes: Shape) -> None:
        for shape in shapes:
            if shape and len(shape) != 4:
                raise ShapeError(
                    f"{text(shape)} has {len(shape)} axes; batch, channel, height and width are needed."
                )

    def _part(self, size: int, parts: int, what: str) -> int:
        if size % parts:
            raise ShapeError(f"the {what} {size} does not divide by {parts}.", port="data")
        return size // parts


@operator(name="depth_to_space", category="Shape")
class DepthToSpace(Blocks):
    """Spread channels over blocks of rows and columns."""

    work = Work(takes_back=1.1)

    block_size: int = param(low=1, doc="Height and width of a block.")

    examples = (Example({"data": (2, 8, 2, 3)}, block_size=2),)

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Move the square of the block size from the channels to the rows and columns, or back."""
        data, out = ins[0], outs[0]
        self._four(data, out)
        side = self.block_size
        if out:
            height, width = (self._part(size, side, what) for size, what in zip(out[2:], _SIDES, strict=True))
            data = merge(data, (out[0], out[1] * side * side, height, width))
        if data:
            channels = self._part(data[1], side * side, "number of channels")
            out = merge((data[0], channels, data[2] * side, data[3] * side), out)
        return (data,), (out,)

    def _split(self, data: Shape) -> tuple[Shape, tuple[int, ...]]:
        batch, channels, height, width = data
        side = self.block_size
        return (batch, side, side, channels // side**2, height, width), (0, 3, 4, 1, 5, 2)


@operator(name="space_to_depth", category="Shape")
class SpaceToDepth(Blocks):
    """Stack blocks of rows and columns as channels."""

    work = Work(takes_back=1.1)

    block_size: int = param(low=1, doc="Height and width of a block.")

    examples = (Example({"data": (2, 2, 4, 6)}, block_size=2),)

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Move the square of the block size from the rows and columns to the channels, or back."""
        data, out = ins[0], outs[0]
        self._four(data, out)
        side = self.block_size
        if out:
            channels = self._part(out[1], side * side, "number of channels")
            data = merge(data, (out[0], channels, out[2] * side, out[3] * side))
        if data:
            height, width = (
                self._part(size, side, what) for size, what in zip(data[2:], _SIDES, strict=True)
            )
            out = merge((data[0], data[1] * side * side, height, width), out)
        return (data,), (out,)

    def _split(self, data: Shape) -> tuple[Shape, tuple[int, ...]]:
        batch, channels, height, width = data
        side = self.block_size
        return (batch, channels, height // side, side, width // side, side), (0, 3, 5, 1, 2, 4)


_SIDES = ("height", "width")


def inverse(order: Sequence[int]) -> tuple[int, ...]:
    """Return the order that undoes an order of axes."""
    return tuple(order.index(axis) for axis in range(len(order)))

"""The same elements in another shape or order: Flatten, Reshape, transpose."""

from collections.abc import Sequence
from functools import partial
from math import prod

import numpy as np

from app.engine.errors import ShapeError
from app.engine.kernels.steps import Step, copy
from app.engine.operator import Arrays, CodeNames, Cost, Example, Reads, operator, refuse
from app.engine.operators.prepared import Flow, Prepared, gradient_lines
from app.engine.operators.reshape_codes import reshaped, reshaped_the_old_way
from app.engine.params import param
from app.engine.shapes import Inferred, Shape, Shapes, element_count, is_known, merge, normalize_axis, text


class SameElements(Prepared):
    """The same elements in the same order in another shape."""

    @property
    def inplace(self) -> tuple[tuple[int, int], ...]:
        """The value may be the data's memory."""
        return ((0, 0),)

    @property
    def inplace_backward(self) -> tuple[tuple[int, int], ...]:
        """The gradient may be the incoming one's memory."""
        return ((0, 0),)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        return copy(ins[0], outs[0])

    def gradient_reads(self, index: int) -> Reads:
        """The gradient is the incoming one."""
        return Reads()

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients."""
        return [copy(flow.head, grad) for _, grad in flow.wanted]

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        return f"{heads[0]} in the shape of {ins[0]}"

    def cost(self, ins: Shapes, outs: Shapes) -> Cost:
        """Nothing is computed, and nothing moves."""
        return Cost()

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = {n.ins[0]}.reshape({n.out_shapes[0]})"]

    torch_code = numpy_code

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return gradient_lines(n, [f"{n.heads[0]}.reshape({n.in_shapes[0]})"])


@operator(category="Shape", aliases=("flatten",))
class Flatten(SameElements):
    """Make one row of everything after the first axis."""

    examples = (Example({"data": (2, 3, 4)}), Example({"data": (5,)}), Example({"data": (2, 3)}))

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Multiply the sizes after the first; the first axis is shared with the value."""
        data, out = ins[0], outs[0]
        if not data:
            return (data,), (out,)
        out = merge((data[0], prod(data[1:])), out)
        return ((out[0], *_last_missing(data[1:], out[1])),), (out,)


@operator(category="Shape", aliases=("reshape",))
class Reshape(SameElements):
    """Give the same elements another shape.

    Codes: 0 keeps a size, -1 takes what is left, -2 keeps all remaining sizes, -3 joins two axes, -4 splits an axis
    into the next two sizes.
    """

    shape: tuple[int, ...] = param(default=(), doc="The new sizes, or the codes 0, -1, -2, -3 and -4.")
    reverse: bool = param(default=False, doc="Match sizes and codes from the last axis on.")
    target_shape: tuple[int, ...] = param(
        default=(), doc="The new sizes as oldest files give them; 0 is the open one.", advanced=True
    )
    keep_highest: bool = param(
        default=False, doc="Keep the first size whatever target_shape says.", advanced=True
    )

    examples = (
        Example({"data": (2, 3, 4)}, shape=(4, 6)),
        Example({"data": (2, 3, 4)}, shape=(0, -1)),
        Example({"data": (2, 3, 4)}, shape=(-3, -2)),
        Example({"data": (2, 6, 4)}, shape=(0, -4, -1, 2, 0)),
        Example({"data": (2, 3, 4)}, shape=(-1, 0), reverse=True),
        Example({"data": (2, 2, 3)}, target_shape=(0, 6)),
        Example({"data": (2, 2, 3)}, target_shape=(0, 0), keep_highest=True),
    )

    def check(self) -> None:
        """Refuse unknown codes."""
        refuse(any(size < -4 for size in self.shape), "shape knows the codes 0 to -4 only.", port="shape")

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Follow the codes; an open size of the data follows from the value where the codes allow."""
        data, out = ins[0], outs[0]
        if not data:
            return (data,), (merge(self._named(), out) if self._named() else out,)
        if not self.shape and not self.target_shape:
            raise ShapeError("shape is not set. Give the new sizes, for example (0, -1).")
        if self.shape:
            found = reshaped(data, self.shape, reverse=self.reverse)
        else:
            found = reshaped_the_old_way(data, self.target_shape, keep_highest=self.keep_highest)
        out = merge(found, out)
        if is_known(out):
            data = _last_missing(data, element_count(out))
        if is_known(data) and is_known(out) and element_count(data) != element_count(out):
            raise ShapeError(
                f"{text(data)} has {element_count(data)} elements, but {text(out)} takes {element_count(out)}."
            )
        return (data,), (out,)

    def _named(self) -> Shape:
        """Return the sizes that are known without the data."""
        plain = self.shape and all(size >= -1 for size in self.shape)
        return tuple(max(size, 0) for size in self.shape) if plain else ()

    def summary(self) -> str:
        """The new sizes."""
        return ", ".join(str(size) for size in self.shape or self.target_shape)


def _last_missing(sizes: Shape, count: int) -> Shape:
    """Fill in the one open size so that all multiply to `count`."""
    known = prod(size for size in sizes if size)
    if sizes.count(0) != 1 or not count or count % known:
        return sizes
    return tuple(size or count // known for size in sizes)


@operator(name="transpose", category="Shape", sign="ᵀ")
class Transpose(Prepared):
    """Change the order of the axes; without axes, turn it around."""

    axes: tuple[int, ...] = param(
        default=(), doc="For each axis of the value, the axis of the data it comes from."
    )

    examples = (
        Example({"data": (2, 3)}),
        Example({"data": (2, 3, 4)}, axes=(1, 0, 2)),
        Example({"data": (2, 3, 4, 5)}, axes=(0, 2, 3, 1)),
        Example({"data": (2, 3, 4)}, axes=(-1, 0, 1)),
        Example({"data": (4,)}),
    )

    def order(self, rank: int) -> tuple[int, ...]:
        """Return for each axis of the value the axis of the data."""
        if not self.axes:
            return tuple(reversed(range(rank)))
        if len(self.axes) != rank:
            raise ShapeError(f"axes {self.axes} are for {len(self.axes)} axes, but the data has {rank}.")
        order = tuple(normalize_axis(axis, rank) for axis in self.axes)
        if len(set(order)) < rank:
            raise ShapeError(f"axes {self.axes} name one axis twice.")
        return order

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Move the sizes, in either direction."""
        data, out = ins[0], outs[0]
        rank = len(data) or len(out)
        if not rank:
            return (data,), (out,)
        order = self.order(rank)
        data = merge(data, tuple(out[place] for place in inverse(order)) if out else ())
        return (data,), (merge(tuple(data[axis] for axis in order), out),)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        return partial(np.copyto, outs[0], ins[0].transpose(self.order(ins[0].ndim)))

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
        return f"{heads[0]} with its axes back in order" if len(self.axes) > 2 else f"{heads[0]}ᵀ"

    def cost(self, ins: Shapes, outs: Shapes) -> Cost:
        """Nothing is computed; everything moves."""
        return Cost(bytes=8 * element_count(outs[0]))

    def summary(self) -> str:
        """The order of the axes."""
        return ", ".join(str(axis) for axis in self.axes)

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = {n.ins[0]}.transpose({self.order(len(n.in_shapes[0]))})"]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return gradient_lines(n, [f"{n.heads[0]}.transpose({inverse(self.order(len(n.in_shapes[0])))})"])

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = {n.ins[0]}.permute({self.order(len(n.in_shapes[0]))})"]


def inverse(order: Sequence[int]) -> tuple[int, ...]:
    """Return the order that undoes an order of axes."""
    return tuple(order.index(axis) for axis in range(len(order)))

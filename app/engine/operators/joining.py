"""Arrays joined along an axis and cut apart again: Concat and SliceChannel."""

from collections.abc import Sequence
from functools import partial
from typing import Literal

import numpy as np

from app.engine.errors import ShapeError
from app.engine.examples import Example
from app.engine.kernels.steps import Step, fill, in_order, without_gradient
from app.engine.operator import Array, Arrays, CodeNames, OptionalArrays, Port, Reads, Run, operator
from app.engine.operators.prepared import Flow, Prepared, gradient_lines
from app.engine.params import param
from app.engine.shapes import Inferred, Shape, Shapes, merge, merge_all, normalize_axis
from app.engine.split import Split


@operator(category="Shape", aliases=("concat",))
class Concat(Prepared):
    """Join arrays along one axis; all other sizes must be alike."""

    only_moves = True

    num_args: int = param(low=1, doc="How many arrays are joined.")
    dim: int = param(default=1, doc="The axis along which they are joined.")

    variadic = "num_args"
    examples = (
        Example({"arg0": (2, 3), "arg1": (2, 1), "arg2": (2, 4)}, num_args=3),
        Example({"arg0": (1, 3), "arg1": (2, 3)}, num_args=2, dim=0),
        Example({"arg0": (2, 3, 1), "arg1": (2, 3, 2)}, num_args=2, dim=-1),
        Example({"arg0": (2, 3)}, num_args=1),
    )

    @property
    def inputs(self) -> tuple[Port, ...]:
        """One array for each of `num_args`."""
        return tuple(Port(f"arg{index}") for index in range(self.num_args))

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Share all sizes but the joined one, which adds up; one open part follows from the sum."""
        rank = max(len(shape) for shape in (*ins, *outs))
        if not rank:
            return ins, outs
        axis = normalize_axis(self.dim, rank, "dim")
        alike: Shape = ()
        for index, shape in enumerate((*ins, outs[0])):
            port = f"arg{index}" if index < len(ins) else ""
            alike = merge(alike, with_size(shape, axis, 0), port)
        parts = [shape[axis] if shape else 0 for shape in ins]
        whole = outs[0][axis] if outs[0] else 0
        if 0 not in parts:
            if whole and sum(parts) != whole:
                raise ShapeError(f"the parts add up to {sum(parts)}, but {whole} are wanted.")
            whole = sum(parts)
        elif whole and parts.count(0) == 1:
            rest = whole - sum(parts)
            if rest < 1:
                raise ShapeError(f"the parts add up to {sum(parts)}, but {whole} are wanted in all.")
            parts[parts.index(0)] = rest
        return [with_size(alike, axis, part) for part in parts], (with_size(alike, axis, whole),)

    def because(self, side: Literal["in", "out"], index: int, axis: int, ins: Shapes, outs: Shapes) -> str:
        """Write the sum that makes the joined size."""
        if side == "in" or len(ins) < 2 or axis != self.dim % len(outs[0]):
            return ""
        return " + ".join(str(shape[axis]) for shape in ins)

    def prepare_forward(self, run: Run, ins: Arrays, outs: Arrays) -> Step:
        """Fix the buffers, and remember where each part lies: backward does not see the parts."""
        run.scratch["sizes"] = [array.shape[self.dim] for array in ins]
        return partial(np.concatenate, list(ins), self.dim, outs[0])

    def gradient_reads(self, index: int) -> Reads:
        """The gradient is a part of the incoming one."""
        return Reads()

    def prepare_backward(
        self,
        run: Run,
        ins: OptionalArrays,
        outs: OptionalArrays,
        heads: OptionalArrays,
        grads: OptionalArrays,
    ) -> Step:
        """Fix the buffers."""
        head = heads[0]
        if head is None:
            return without_gradient(grads)
        parts = cut(head, self.dim, run.scratch["sizes"])
        return in_order(
            [partial(np.copyto, grad, parts[index]) for index, grad in Flow(ins, outs, heads, grads).wanted]
        )

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        return f"the part of {heads[0]} that came from {ins[index]}"

    def summary(self) -> str:
        """The axis."""
        return f"axis {self.dim}"

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = np.concatenate([{', '.join(n.ins)}], axis={self.dim})"]

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = torch.cat([{', '.join(n.ins)}], dim={self.dim})"]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """One line for each wanted gradient."""
        axis = self.dim % len(n.out_shapes[0])
        lines, start = [], 0
        for shape in n.in_shapes:
            lines.append(f"{n.heads[0]}[{':, ' * axis}{start}:{start + shape[axis]}]")
            start += shape[axis]
        return gradient_lines(n, lines)


@operator(category="Shape", aliases=("split",))
class SliceChannel(Prepared):
    """Cut an array into equal parts along one axis."""

    only_moves = True

    num_outputs: int = param(low=1, doc="How many parts.")
    axis: int = param(default=1, doc="The axis that is cut.")
    squeeze_axis: bool = param(default=False, doc="Drop the axis, where every part has size 1 along it.")

    examples = (
        Example({"data": (2, 6, 2)}, num_outputs=3),
        Example({"data": (2, 3, 2)}, num_outputs=2, axis=-1, squeeze_axis=True),
        Example({"data": (4, 3)}, num_outputs=2, axis=0),
        Example({"data": (2, 3)}, num_outputs=1),
    )

    @property
    def outputs(self) -> tuple[str, ...]:
        """One for each part."""
        return tuple(f"output{index}" for index in range(self.num_outputs))

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Divide the axis, in either direction."""
        part: Shape = ()
        for shape in outs:
            part = merge(part, shape)
        data = ins[0]
        rank = len(data) or (len(part) + self.squeeze_axis if part else 0)
        if not rank:
            return ins, outs
        axis = normalize_axis(self.axis, rank)
        if part:
            data = merge(data, self._whole(part, axis))
        if self.squeeze_axis and data and not data[axis]:
            data = (*data[:axis], self.num_outputs, *data[axis + 1 :])
        size = data[axis]
        if size % self.num_outputs:
            raise ShapeError(
                f"{size} along axis {axis} does not divide into {self.num_outputs} parts.", port="data"
            )
        if self.squeeze_axis and size not in (0, self.num_outputs):
            raise ShapeError(
                f"squeeze_axis needs parts of size 1, but {size} in {self.num_outputs} parts makes"
                f" {size // self.num_outputs}.",
                port="data",
            )
        part = merge(self._part(data, axis), part)
        return (data,), (part,) * self.num_outputs

    def _part(self, data: Shape, axis: int) -> Shape:
        if self.squeeze_axis:
            return (data[:axis] + data[axis + 1 :]) or (1,)
        return with_size(data, axis, data[axis] // self.num_outputs)

    def _whole(self, part: Shape, axis: int) -> Shape:
        if self.squeeze_axis:
            return (*part[:axis], self.num_outputs, *part[axis:])
        return with_size(part, axis, part[axis] * self.num_outputs)

    def because(self, side: Literal["in", "out"], index: int, axis: int, ins: Shapes, outs: Shapes) -> str:
        """Write the division that makes the size of a part."""
        cut_here = not self.squeeze_axis and axis == self.axis % len(ins[0])
        return f"{ins[0][axis]} in {self.num_outputs} parts" if side == "out" and cut_here else ""

    def splits(self, ins: Shapes, outs: Shapes) -> Sequence[Split]:
        """Every axis but the one that is cut; in the parts those behind it move up where it is dropped."""
        cut_axis = self.axis % len(ins[0])
        axes = [axis for axis in range(len(ins[0])) if axis != cut_axis]
        return [
            Split((axis,), (axis - (self.squeeze_axis and axis > cut_axis),) * self.num_outputs)
            for axis in axes
        ]

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the values."""
        axis = self.axis % ins[0].ndim
        views = cut(ins[0], axis, [ins[0].shape[axis] // self.num_outputs] * self.num_outputs)
        return in_order(
            [partial(np.copyto, self._like(out, view), view) for out, view in zip(outs, views, strict=True)]
        )

    @staticmethod
    def _like(part: Array, view: Array) -> Array:
        """Give a part back the axis that was squeezed."""
        return part.reshape(view.shape)

    def gradient_reads(self, index: int) -> Reads:
        """The gradient is made of the incoming ones."""
        return Reads()

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients; a part into which nothing flows gets zeros."""
        steps: list[Step] = []
        for _, grad in flow.wanted:
            axis = self.axis % grad.ndim
            views = cut(grad, axis, [grad.shape[axis] // self.num_outputs] * self.num_outputs)
            for view, head in zip(views, flow.heads, strict=True):
                steps.append(
                    fill(view, 0) if head is None else partial(np.copyto, view, self._like(head, view))
                )
        return steps

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        return f"{', '.join(heads)} joined along axis {self.axis}"

    def summary(self) -> str:
        """The number of parts and the axis."""
        return f"{self.num_outputs} parts · axis {self.axis}"

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        parts = f"np.split({n.ins[0]}, {self.num_outputs}, axis={self.axis})"
        if self.squeeze_axis:
            parts = f"(part.squeeze({self.axis}) for part in {parts})"
        return [f"{', '.join(n.outs)}{',' if len(n.outs) == 1 else ''} = {parts}"]

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line."""
        size = n.in_shapes[0][self.axis] // self.num_outputs
        parts = f"torch.split({n.ins[0]}, {size}, dim={self.axis})"
        if self.squeeze_axis:
            parts = f"(part.squeeze({self.axis}) for part in {parts})"
        return [f"{', '.join(n.outs)}{',' if len(n.outs) == 1 else ''} = {parts}"]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """One line."""
        parts = [head or f"np.zeros_like({out})" for head, out in zip(n.heads, n.outs, strict=True)]
        join = "stack" if self.squeeze_axis else "concatenate"
        return gradient_lines(n, [f"np.{join}([{', '.join(parts)}], axis={self.axis})"])


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


@operator(name="stack", category="Shape")
class Stack(Prepared):
    """Lay arrays of one shape side by side along a new axis."""

    only_moves = True

    axis: int = param(default=0, doc="Where the new axis stands in the value.")
    num_args: int = param(low=1, doc="How many arrays are laid side by side.")

    variadic = "num_args"
    examples = (
        Example({"arg0": (2, 3), "arg1": (2, 3)}, num_args=2),
        Example({"arg0": (2, 3), "arg1": (2, 3), "arg2": (2, 3)}, num_args=3, axis=-1),
        Example({"arg0": (2, 3), "arg1": (2, 3)}, num_args=2, axis=1),
    )

    @property
    def inputs(self) -> tuple[Port, ...]:
        """One array for each of `num_args`."""
        return tuple(Port(f"arg{index}") for index in range(self.num_args))

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Insert an axis; all inputs are alike."""
        alike = merge_all(ins, [port.name for port in self.inputs])
        out = outs[0]
        rank = len(alike) + 1 if alike else len(out)
        if rank < 2:
            return ins, outs
        axis = normalize_axis(self.axis, rank)
        alike = merge(alike, out[:axis] + out[axis + 1 :])
        return [alike] * len(ins), (merge((*alike[:axis], self.num_args, *alike[axis:]), out),)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        parts = np.moveaxis(outs[0], self.axis, 0)
        return in_order([partial(np.copyto, part, array) for part, array in zip(parts, ins, strict=True)])

    def gradient_reads(self, index: int) -> Reads:
        """The gradient is a part of the incoming one."""
        return Reads()

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients."""
        parts = np.moveaxis(flow.head, self.axis, 0)
        return [partial(np.copyto, grad, parts[index]) for index, grad in flow.wanted]

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        return f"part {index} of {heads[0]} along axis {self.axis}"

    def summary(self) -> str:
        """The axis."""
        return f"axis {self.axis}"

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = np.stack([{', '.join(n.ins)}], axis={self.axis})"]

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = torch.stack([{', '.join(n.ins)}], dim={self.axis})"]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """One line for each wanted gradient."""
        axis = self.axis % len(n.out_shapes[0])
        return gradient_lines(n, [f"{n.heads[0]}[{':, ' * axis}{index}]" for index in range(len(n.ins))])

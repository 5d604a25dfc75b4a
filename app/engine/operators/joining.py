"""Arrays joined along an axis: Concat, _rnn_param_concat and stack."""

from collections.abc import Sequence
from functools import partial
from typing import ClassVar, Literal

import numpy as np

from app.engine.errors import ShapeError
from app.engine.examples import Example
from app.engine.kernels.steps import Step, in_order, without_gradient
from app.engine.operator import Arrays, CodeNames, OptionalArrays, Port, Reads, Run, operator
from app.engine.operators.parts import cut, with_size
from app.engine.operators.prepared import Flow, Prepared, gradient_lines
from app.engine.params import param
from app.engine.shapes import Inferred, Shape, Shapes, merge, merge_all, normalize_axis


@operator(category="Shape", aliases=("concat",))
class Concat(Prepared):
    """Join arrays along one axis; all other sizes must be alike."""

    only_moves = True

    num_args: int = param(low=1, doc="How many arrays are joined.")
    dim: int = param(default=1, doc="The axis along which they are joined.")

    variadic = "num_args"
    most_open: ClassVar[int] = 1
    """How many open parts follow from the whole."""
    examples: ClassVar[tuple[Example, ...]] = (
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
        elif whole and parts.count(0) <= self.most_open:
            parts = self._completed(parts, whole)
        return [with_size(alike, axis, part) for part in parts], (with_size(alike, axis, whole),)

    @staticmethod
    def _completed(parts: list[int], whole: int) -> list[int]:
        """Give the open parts what is left, each as much."""
        rest, left_over = divmod(whole - sum(parts), parts.count(0))
        if rest < 1 or left_over:
            sizes = f"the parts add up to {sum(parts)}, but {whole} are wanted in all"
            raise ShapeError(f"{sizes}, which two equal parts do not fill." if left_over else f"{sizes}.")
        return [part or rest for part in parts]

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


@operator(name="_rnn_param_concat", category="Sequences")
class RnnParamConcat(Concat):
    """Join the weights and biases of a recurrent layer to one row; two open ones are taken for equally long."""

    most_open = 2

    examples = (
        Example({"arg0": (4,), "arg1": (3,)}, num_args=2, dim=0),
        Example({"arg0": (2, 3), "arg1": (2, 1)}, num_args=2),
    )


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

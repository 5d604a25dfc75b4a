"""Products and norms along axes, and reductions that pass over what is no number: prod, nansum, nanprod, norm."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from app.engine.examples import Example
from app.engine.kernels.steps import Step
from app.engine.operator import Array, Arrays, CodeNames, DType, Reads, Types, operator, refuse
from app.engine.operators.prepared import Flow, gradient_lines
from app.engine.operators.reduce import OverAxes, Reduction, reduced_axes
from app.engine.params import param
from app.engine.work_space import Work


@operator(name="prod", category="Reduction", sign="Π")
class Prod(Reduction):
    """Multiply the elements along some axes."""

    work = Work(takes_back=2.1)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        kept = self.kept(outs[0], ins[0].shape)
        return partial(np.multiply.reduce, ins[0], self.reduced(ins[0].ndim), outs[0].dtype, kept, True)

    def gradient_reads(self, index: int) -> Reads:
        """The gradient reads data and value."""
        return Reads(inputs=(0,), outputs=(0,))

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients."""
        return [partial(self._others, flow.read(0), flow.out, flow.head, grad) for _, grad in flow.wanted]

    def _others(self, data: Array, value: Array, head: Array, grad: Array) -> None:
        """Write d · y / x, which is no number at an element 0, as in MXNet (docs/decisions/0011)."""
        slope = (self.kept(value, data.shape) / data).astype(grad.dtype)
        np.multiply(self.kept(head, data.shape), slope, out=grad)

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        return f"{heads[0]} · {outs[0]} / {ins[0]}"

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = {self.shaped(n, f'{self.over(n, n.ins[0])}.prod({self.code_arguments(n)})')}"]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """One line."""
        head, value = self.spread(n, str(n.heads[0])), self.spread(n, n.outs[0])
        return gradient_lines(n, [f"{head} * {value} / {n.ins[0]}"])

    def torch_code(self, n: CodeNames) -> list[str]:
        """Call the part `product`, which has MXNet's gradient."""
        axes = self.reduced(len(n.in_shapes[0]))
        return [f"{n.outs[0]} = product({n.ins[0]}, {axes}).reshape({n.out_shapes[0]})"]


class PassingOver(Reduction):
    """A reduction that takes an element that is no number (nan) for one that changes nothing."""

    kinds = "iuf"

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients."""

        def step(grad: Array) -> None:
            slope = self.slope(flow, grad).astype(grad.dtype)
            np.multiply(self.kept(flow.head, grad.shape), slope, out=grad)
            np.copyto(grad, np.zeros((), grad.dtype), where=np.isnan(flow.read(0)))

        return [partial(step, grad) for _, grad in flow.wanted]

    def slope(self, flow: Flow, grad: Array) -> Array:
        """Return the slope at elements that are numbers."""
        raise NotImplementedError(self.op_name)


@operator(name="nansum", category="Reduction", sign="Σ")
class NanSum(PassingOver):
    """Add up the elements along some axes; what is no number counts 0."""

    work = Work(takes=1.9)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        axes, kept = self.reduced(ins[0].ndim), self.kept(outs[0], ins[0].shape)
        return lambda: np.copyto(kept, np.nansum(ins[0], axis=axes, keepdims=True))

    def gradient_reads(self, index: int) -> Reads:
        """The gradient reads where the data is a number."""
        return Reads(inputs=(0,))

    def slope(self, flow: Flow, grad: Array) -> Array:
        """1."""
        return np.ones((), grad.dtype)

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        return f"{heads[0]} where {ins[0]} is a number, else 0"

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [
            f"{n.outs[0]} = {self.shaped(n, f'np.nansum({self.over(n, n.ins[0])}, {self.code_arguments(n)})')}"
        ]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return gradient_lines(n, [f"{self.spread(n, str(n.heads[0]))} * ~np.isnan({n.ins[0]})"])

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [
            f"{n.outs[0]} = {self.shaped(n, f'torch.nansum({self.over(n, n.ins[0])}, {self.code_arguments(n)})')}"
        ]


@operator(name="nanprod", category="Reduction", sign="Π")
class NanProd(PassingOver):
    """Multiply the elements along some axes; what is no number counts 1."""

    work = Work(takes=1.9, takes_back=2.1)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        axes, kept = self.reduced(ins[0].ndim), self.kept(outs[0], ins[0].shape)
        return lambda: np.copyto(kept, np.nanprod(ins[0], axis=axes, keepdims=True))

    def gradient_reads(self, index: int) -> Reads:
        """The gradient reads data and value."""
        return Reads(inputs=(0,), outputs=(0,))

    def slope(self, flow: Flow, grad: Array) -> Array:
        """The product of the other elements, as y / x."""
        slope: Array = self.kept(flow.out, grad.shape) / flow.read(0)
        return slope

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        return f"{heads[0]} · {outs[0]} / {ins[0]} where {ins[0]} is a number, else 0"

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [
            f"{n.outs[0]} = {self.shaped(n, f'np.nanprod({self.over(n, n.ins[0])}, {self.code_arguments(n)})')}"
        ]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """One line."""
        code = f"{self.spread(n, str(n.heads[0]))} * {self.spread(n, n.outs[0])} / {n.ins[0]}"
        return gradient_lines(n, [f"np.where(np.isnan({n.ins[0]}), 0, {code})"])

    def torch_code(self, n: CodeNames) -> list[str]:
        """Call the part `product` with ones for what is no number."""
        axes, data = self.reduced(len(n.in_shapes[0])), n.ins[0]
        numbers = f"torch.where(torch.isnan({data}), 1, {data})"
        return [f"{n.outs[0]} = product({numbers}, {axes}).reshape({n.out_shapes[0]})"]


@operator(name="norm", category="Reduction", sign="‖x‖")
class Norm(OverAxes):
    """Take the length of a vector along some axes: √Σ x², or Σ |x|."""

    gradient_kinds = "iuf"

    work = Work(takes=1.6, takes_back=1.8)

    ord: int = param(
        default=2, low=1, high=2, doc="2 for the root of the sum of squares, 1 for the sum of sizes."
    )
    axis: tuple[int, ...] | None = param(default=None, doc="The axes; all when empty.")
    out_dtype: str | None = param(
        default=None,
        choices=("float16", "float32", "float64", "int32", "int64", "int8"),
        doc="Type of the value; the data's when None.",
        advanced=True,
    )
    keepdims: bool = param(default=False, doc="Keep the reduced axes with size 1.")

    examples = (
        Example({"data": (2, 3, 4)}),
        Example({"data": (2, 3, 4)}, axis=(-1,), keepdims=True),
        Example({"data": (2, 3, 4)}, axis=(0, 1), ord=1),
    )

    def check(self) -> None:
        """Refuse more axes than MXNet takes."""
        refuse(len(self.axis or ()) > 2, "axis may name one or two axes.", port="axis")

    def reduced(self, rank: int) -> tuple[int, ...]:
        """Return the reduced axes, in order."""
        return reduced_axes(self.axis, rank)

    def infer_types(self, ins: Types, outs: Types) -> tuple[Types, Types]:
        """The value has the named type, or the data's."""
        if self.out_dtype is None:
            return super().infer_types(ins, outs)
        named: DType = np.dtype(self.out_dtype)
        return (ins[0],), (named,)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        axes, kept = self.reduced(ins[0].ndim), self.kept(outs[0], ins[0].shape)

        def run() -> None:
            if self.ord == 1:
                value = np.abs(ins[0]).sum(axis=axes, keepdims=True)
            elif ins[0].dtype.kind in "iu":
                value = _whole_length(ins[0], axes)
            else:
                value = np.sqrt(np.square(ins[0]).sum(axis=axes, keepdims=True))
            np.copyto(kept, value, casting="unsafe")

        return run

    def gradient_reads(self, index: int) -> Reads:
        """The gradient reads the data, and the value too where it divides by it."""
        return Reads(inputs=(0,), outputs=(0,) if self.ord == 2 else ())

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients."""

        def step(grad: Array) -> None:
            head = self.kept(flow.head, grad.shape)
            if self.ord == 1:
                np.multiply(head, np.sign(flow.read(0)), out=grad, casting="unsafe")
                return
            length = self.kept(flow.out, grad.shape)
            if grad.dtype.kind in "iu":
                np.multiply(head, np.trunc(flow.read(0) / length), out=grad, casting="unsafe")
                return
            np.multiply(head / length, flow.read(0), out=grad)  # no number where the length is 0, as in MXNet

        return [partial(step, grad) for _, grad in flow.wanted]

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        return f"{heads[0]} · sign({ins[0]})" if self.ord == 1 else f"{heads[0]} · {ins[0]} / {outs[0]}"

    def summary(self) -> str:
        """The kind of length, and the axes."""
        named = f" · axis {', '.join(str(axis) for axis in self.axis)}" if self.axis else ""
        return f"L{self.ord}{named}"

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return self._code(n, f".astype(np.{n.dtype})" if self.out_dtype else "")

    def _code(self, n: CodeNames, cast: str) -> list[str]:
        data, where = self.over(n, n.ins[0]), self.code_arguments(n)
        if self.ord == 1:
            return [f"{n.outs[0]} = {self.shaped(n, f'np.abs({data}).sum({where})')}{cast}"]
        code = f"np.sqrt(np.square({data}).sum({where}))"
        return [f"{n.outs[0]} = {self.shaped(n, code)}{cast}"]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """One line."""
        head = self.spread(n, str(n.heads[0]))
        code = f"{head} * np.sign({n.ins[0]})"
        if self.ord == 2:
            code = f"{head} * {n.ins[0]} / {self.spread(n, n.outs[0])}"
        return gradient_lines(n, [f"({code}).astype({n.ins[0]}.dtype)" if self.out_dtype else code])

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line."""
        cast = f".to(torch.{n.dtype})" if self.out_dtype else ""
        return [line.replace("np.", "torch.") for line in self._code(n, cast)]


def _whole_length(data: Array, axes: tuple[int, ...]) -> Array:
    """Return the length of whole numbers as MXNet works it out: shares of the largest are cut to 0 or 1 on the way."""
    sizes = np.abs(data)
    largest = sizes.max(axis=axes, keepdims=True)
    return np.asarray(largest * np.sqrt(np.count_nonzero(sizes == largest, axis=axes, keepdims=True)))

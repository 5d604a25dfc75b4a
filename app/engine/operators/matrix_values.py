"""Numbers and matrices made of square ones: determinants, inverses, sums of logarithms, products with oneself."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated, ClassVar

import numpy as np

from app.engine.examples import Domain, Example
from app.engine.kernels import factors as kernels
from app.engine.kernels.factors import turned, wide
from app.engine.kernels.steps import Step, nothing
from app.engine.operator import Array, Arrays, CodeNames, Reads, operator
from app.engine.operators.formulas import number
from app.engine.operators.on_matrices import OnMatrices, check_matrices, joined_square, put, square
from app.engine.operators.prepared import Flow, gradient_lines
from app.engine.params import WIDE, param
from app.engine.shapes import UNKNOWN, Inferred, Shape, Shapes, element_count, merge, merge_all
from app.engine.work_space import Work


class OfEach(OnMatrices):
    """An operator that gives one number, or one of each kind, for each square matrix."""

    examples: ClassVar[tuple[Example, ...]] = (
        Example({"A": (3, 3)}),
        Example({"A": (2, 3, 3)}),
        Example({"A": (2, 2, 1, 1)}),
    )

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """The batch axes are left; a lone matrix gives one number."""
        matrices = square(ins[0])
        values = merge_all(outs)
        if not matrices:
            return ins, (values,) * len(outs)
        batch: Shape = matrices[:-2]
        values = merge(batch or (1,), values)
        return ((*(values if batch else batch), *matrices[-2:]),), (values,) * len(outs)

    def multiply_adds(self, ins: Shapes, outs: Shapes) -> int:
        """Count a third of a product."""
        return element_count(ins[0]) * (ins[0][-1] if ins[0] else 0) // 3


class Determinant(OfEach):
    """What is made of determinants; MXNet keeps the factors for the gradient, which are found anew here."""

    @property
    def hidden_in_files(self) -> int:
        """MXNet counts the factors, and which rows were swapped."""
        return 2


@operator(name="_linalg_det", category="Linear algebra", aliases=("linalg_det",))
class Det(Determinant):
    """Find determinants."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """MXNet counts from 0 because of the hidden ones."""
        return ("output0",)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""

        def run() -> None:
            signs, sizes = kernels.sign_and_logarithm(wide(ins[0]))
            put((signs * np.exp(sizes)).reshape(outs[0].shape), outs[0])

        return run

    def gradient_reads(self, index: int) -> Reads:
        """The gradient reads matrices and values."""
        return Reads(inputs=(0,), outputs=(0,))

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients: 0 where the determinant is 0, as in MXNet (docs/decisions/0011)."""
        return [partial(self._gradient, flow, grad) for _, grad in flow.wanted]

    def _gradient(self, flow: Flow, grad: Array) -> None:
        values = wide(flow.out).reshape(grad.shape[:-2])
        slopes = wide(flow.head).reshape(values.shape) * values
        inverses = kernels.inverse_turned_or_zero(wide(flow.read(0)), values == 0)
        put(slopes[..., None, None] * inverses, grad)

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        return f"{heads[0]} · {outs[0]} · {ins[0]}⁻ᵀ"

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = np.reshape(np.linalg.det({n.ins[0]}), {n.out_shapes[0]})"]

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = torch.linalg.det({n.ins[0]}).reshape({n.out_shapes[0]})"]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """One line."""
        slopes = f"({n.heads[0]} * {n.outs[0]}).reshape({(*n.in_shapes[0][:-2], 1, 1)})"
        return gradient_lines(n, [f"{slopes} * inverse_turned_or_zero({n.ins[0]}, {n.outs[0]} == 0)"])


@operator(name="_linalg_slogdet", category="Linear algebra", aliases=("linalg_slogdet",))
class SlogDet(Determinant):
    """Find the signs of determinants and ln of their sizes: 0 and −∞ where one is 0."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """Signs and logarithms."""
        return "output0", "output1"

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write both values."""

        def run() -> None:
            for value, out in zip(kernels.sign_and_logarithm(wide(ins[0])), outs, strict=True):
                put(np.reshape(value, out.shape), out)

        return run

    def gradient_reads(self, index: int) -> Reads:
        """The gradient reads matrices and signs."""
        return Reads(inputs=(0,), outputs=(0,))

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients: of the sign there is none, and 0 where the determinant is 0, as in MXNet."""
        return [partial(self._gradient, flow, grad) for _, grad in flow.wanted]

    def _gradient(self, flow: Flow, grad: Array) -> None:
        head = flow.heads[1]
        if head is None:
            grad.fill(0)
            return
        singular = flow.out.reshape(grad.shape[:-2]) == 0
        inverses = kernels.inverse_turned_or_zero(wide(flow.read(0)), singular)
        put(head.reshape(singular.shape)[..., None, None] * inverses, grad)

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        return f"{heads[1]} · {ins[0]}⁻ᵀ"

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]}, {n.outs[1]} = slogdet({n.ins[0]})"]

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line for each value."""
        shape = n.out_shapes[0]
        return [
            f"{n.outs[0]}, {n.outs[1]} = (found.reshape({shape}) for found in torch.linalg.slogdet({n.ins[0]}))"
        ]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """One line."""
        if n.heads[1] is None:
            return gradient_lines(n, [""])
        slopes = f"{n.heads[1]}.reshape({(*n.in_shapes[0][:-2], 1, 1)})"
        return gradient_lines(n, [f"{slopes} * inverse_turned_or_zero({n.ins[0]}, {n.outs[0]} == 0)"])


@operator(name="_linalg_sumlogdiag", category="Linear algebra", aliases=("linalg_sumlogdiag",))
class SumLogDiag(OfEach):
    """Add up ln of the numbers on diagonals."""

    work = Work(takes=2.5)

    examples = tuple(
        Example({"A": shape}, domains={"A": Domain(0.5, 2)}) for shape in ((3, 3), (2, 3, 3), (2, 2, 1, 1))
    )

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""

        def run() -> None:
            diagonals = np.diagonal(ins[0], axis1=-2, axis2=-1)
            put(np.log(diagonals).sum(axis=-1).reshape(outs[0].shape), outs[0])

        return run

    def gradient_reads(self, index: int) -> Reads:
        """The gradient reads the matrices."""
        return Reads(inputs=(0,))

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients."""
        return [partial(self._gradient, flow, grad) for _, grad in flow.wanted]

    def _gradient(self, flow: Flow, grad: Array) -> None:
        places = np.arange(grad.shape[-1])
        head = flow.head.reshape(*grad.shape[:-2], 1)
        grad.fill(0)
        grad[..., places, places] = head / flow.read(0)[..., places, places]

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        return f"{heads[0]} / {ins[0]} on the diagonals, 0 elsewhere"

    def multiply_adds(self, ins: Shapes, outs: Shapes) -> int:
        """Count the diagonals."""
        return element_count(ins[0][:-1])

    def _code(self, n: CodeNames, diagonals: str) -> list[str]:
        return [f"{n.outs[0]} = {diagonals}.sum(-1).reshape({n.out_shapes[0]})"]

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return self._code(n, f"np.log(np.diagonal({n.ins[0]}, axis1=-2, axis2=-1))")

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return self._code(n, f"torch.diagonal({n.ins[0]}, dim1=-2, dim2=-1).log()")

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """One line."""
        shape = n.in_shapes[0]
        unit = f"np.eye({shape[-1]}, dtype={n.ins[0]}.dtype)"
        head = f"{n.heads[0]}.reshape({(*shape[:-2], 1, 1)})"
        return gradient_lines(n, [f"{head} * {unit} / np.where({unit} == 1, {n.ins[0]}, 1)"])


@operator(name="_linalg_inverse", category="Linear algebra", aliases=("linalg_inverse",))
class Inverse(OnMatrices):
    """Invert matrices.

    y = A⁻¹
    """

    examples = (
        Example({"A": (3, 3)}, domains={"A": Domain(-9, 9)}),
        Example({"A": (2, 2, 2)}, domains={"A": Domain(-9, 9)}),
    )

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Both are alike."""
        alike = joined_square(ins[0], outs[0])
        return (alike,), (alike,)

    def add_gradient(self, index: int, fresh: Array, holder: Array) -> Step:
        """MXNet leaves a buffer that asks to be added to as it is."""
        return nothing

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        return lambda: put(kernels.inverse(wide(ins[0])), outs[0])

    def gradient_reads(self, index: int) -> Reads:
        """The gradient reads the inverses."""
        return Reads(outputs=(0,))

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients."""

        def step(grad: Array) -> None:
            inverses = turned(wide(flow.out))
            put(-(inverses @ wide(flow.head) @ inverses), grad)

        return [partial(step, grad) for _, grad in flow.wanted]

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        return f"−{outs[0]}ᵀ · {heads[0]} · {outs[0]}ᵀ"

    def multiply_adds(self, ins: Shapes, outs: Shapes) -> int:
        """Count a product."""
        return element_count(ins[0]) * (ins[0][-1] if ins[0] else 0)

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = np.linalg.inv({n.ins[0]})"]

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = torch.linalg.inv({n.ins[0]})"]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """One line."""
        y = f"{n.outs[0]}.swapaxes(-1, -2)"
        return gradient_lines(n, [f"-({y} @ {n.heads[0]} @ {y})"])


@operator(name="_linalg_syrk", category="Linear algebra", aliases=("linalg_syrk",))
class Syrk(OnMatrices):
    """Multiply matrices with themselves transposed, and the product by a number.

    y = α · A · Aᵀ
    """

    work = Work(takes=2.1, takes_back=5)

    transpose: bool = param(default=False, doc="Multiply Aᵀ · A instead.")
    alpha: Annotated[float, WIDE] = param(default=1.0, doc="The number.")

    examples = (
        Example({"A": (2, 3)}),
        Example({"A": (2, 2, 3)}, transpose=True, alpha=0.5),
    )

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """The rows, or the columns, of A make the value's."""
        data, out = ins[0], square(outs[0], "output")
        if not data:
            return ins, (out,)
        check_matrices(data)
        side = data[-1] if self.transpose else data[-2]
        out = joined_square((*data[:-2], side, side), out, "output")
        rest = (data[-2], out[-1]) if self.transpose else (out[-1], data[-1])
        return ((*out[:-2], *rest),), (out,)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""

        def run() -> None:
            data = turned(ins[0]) if self.transpose else ins[0]
            np.matmul(data, turned(data), out=outs[0])
            if self.alpha != 1:
                np.multiply(outs[0], outs[0].dtype.type(self.alpha), out=outs[0])

        return run

    def gradient_reads(self, index: int) -> Reads:
        """The gradient reads the data."""
        return Reads(inputs=(0,))

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients."""

        def step(grad: Array) -> None:
            both = (flow.head + turned(flow.head)) * flow.head.dtype.type(self.alpha)
            np.copyto(grad, flow.read(0) @ both if self.transpose else both @ flow.read(0))

        return [partial(step, grad) for _, grad in flow.wanted]

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        both = f"({heads[0]} + {heads[0]}ᵀ)"
        scale = "" if self.alpha == 1 else f"{number(self.alpha)} · "
        return f"{scale}{ins[0]} · {both}" if self.transpose else f"{scale}{both} · {ins[0]}"

    def multiply_adds(self, ins: Shapes, outs: Shapes) -> int:
        """Count each summed product."""
        inner = (ins[0] or UNKNOWN)[-2:]
        return element_count(outs[0]) * inner[0 if self.transpose else -1] if inner else 0

    def summary(self) -> str:
        """Which way round."""
        return "aᵀ · a" if self.transpose else "a · aᵀ"

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        data, over = n.ins[0], f"{n.ins[0]}.swapaxes(-1, -2)"
        code = f"{over} @ {data}" if self.transpose else f"{data} @ {over}"
        return [f"{n.outs[0]} = {code if self.alpha == 1 else f'{number(self.alpha)} * ({code})'}"]

    torch_code = numpy_code

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """One line."""
        both = f"({n.heads[0]} + {n.heads[0]}.swapaxes(-1, -2))"
        code = f"{n.ins[0]} @ {both}" if self.transpose else f"{both} @ {n.ins[0]}"
        return gradient_lines(n, [code if self.alpha == 1 else f"{number(self.alpha)} * ({code})"])

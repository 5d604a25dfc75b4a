"""Factors of matrices: _linalg_potrf and what is made of its triangles, _linalg_gelqf, _linalg_syevd."""

from collections.abc import Sequence
from functools import partial

import attrs
import numpy as np

from app.engine.errors import ShapeError
from app.engine.examples import Domain, Example
from app.engine.kernels import factors as kernels
from app.engine.kernels.factors import turned, wide
from app.engine.kernels.steps import Step, nothing
from app.engine.operator import Array, Arrays, CodeNames, Reads, operator
from app.engine.operators.on_matrices import OnMatrices, check_matrices, joined_square, put, square
from app.engine.operators.prepared import Flow, gradient_lines, present
from app.engine.params import param
from app.engine.shapes import Inferred, Shapes, element_count, merge, text

_NEAR_ONE = {"A": Domain(1, 2)}


def _cubes(shapes: Shapes) -> int:
    """Count the numbers of square matrices times their size."""
    return element_count(shapes[0]) * (shapes[0][-1] if shapes[0] else 0)


@attrs.frozen
class OfTriangle(OnMatrices):
    """An operator on square matrices of which one triangle counts; an upper one is a lower one turned over."""

    lower: bool = param(default=True, doc="Whether triangles are lower ones, or upper ones.")

    examples = (
        Example({"A": (1, 1)}, domains=_NEAR_ONE),
        Example({"A": (3, 1, 1)}, domains=_NEAR_ONE, lower=False),
    )

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Both are alike."""
        alike = joined_square(ins[0], outs[0])
        return (alike,), (alike,)

    def seen(self, array: Array) -> Array:
        """Turn matrices over where the triangles are upper ones, or back."""
        return wide(array) if self.lower else turned(wide(array))

    def multiply_adds(self, ins: Shapes, outs: Shapes) -> int:
        """Count a third of a product."""
        return _cubes(ins) // 3

    def summary(self) -> str:
        """Which triangle."""
        return "" if self.lower else "upper"

    def _call(self, function: str, *names: str) -> str:
        """Write a call of a function for lower triangles."""
        turn = "" if self.lower else ".swapaxes(-1, -2)"
        return f"{function}({', '.join(name + turn for name in names)}){turn}"


@operator(name="_linalg_potrf", category="Linear algebra", aliases=("linalg_potrf",))
class Potrf(OfTriangle):
    """Find the triangles whose products with themselves are positive definite matrices.

    A = y · yᵀ, or yᵀ · y for upper ones; of A only the same triangles are read.
    """

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        return lambda: put(self.seen(kernels.cholesky(self.seen(ins[0]))), outs[0])

    def gradient_reads(self, index: int) -> Reads:
        """The gradient reads the factor."""
        return Reads(outputs=(0,))

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the symmetric gradient, as MXNet does (docs/decisions/0011)."""

        def step(grad: Array) -> None:
            put(kernels.cholesky_gradient(self.seen(flow.out), self.seen(flow.head)), grad)

        return [partial(step, grad) for _, grad in flow.wanted]

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        y, d = outs[0], heads[0]
        if self.lower:
            return f"½ · {y}⁻ᵀ · M · {y}⁻¹, M = the lower triangle of {y}ᵀ · {d}, mirrored"
        return f"½ · {y}⁻¹ · M · {y}⁻ᵀ, M = the upper triangle of {d} · {y}ᵀ, mirrored"

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = {self._call('np.linalg.cholesky', n.ins[0])}"]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return gradient_lines(n, [self._call("cholesky_gradient", n.outs[0], str(n.heads[0]))])

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = {self._call('torch.linalg.cholesky', n.ins[0])}"]


@operator(name="_linalg_potri", category="Linear algebra", aliases=("linalg_potri",))
class Potri(OfTriangle):
    """Invert the matrices whose factors are given, triangles as _linalg_potrf finds them.

    y = (A · Aᵀ)⁻¹, or (Aᵀ · A)⁻¹ for upper ones; of A only these triangles are read.
    """

    examples = (
        Example({"A": (2, 2)}, domains=_NEAR_ONE),
        Example({"A": (2, 3, 3)}, domains=_NEAR_ONE, lower=False),
    )

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        return lambda: put(kernels.inverse_of_factor(self.seen(ins[0])), outs[0])

    def gradient_reads(self, index: int) -> Reads:
        """The gradient reads factor and value."""
        return Reads(inputs=(0,), outputs=(0,))

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients."""

        def step(grad: Array) -> None:
            factor, value, head = self.seen(flow.read(0)), wide(flow.out), wide(flow.head)
            put(self.seen(kernels.inverse_of_factor_gradient(factor, value, head)), grad)

        return [partial(step, grad) for _, grad in flow.wanted]

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        a, y, both = ins[0], outs[0], f"({heads[0]} + {heads[0]}ᵀ)"
        if self.lower:
            return f"−the lower triangle of {y} · {both} · {a}⁻ᵀ"
        return f"−the upper triangle of {a}⁻ᵀ · {both} · {y}"

    def multiply_adds(self, ins: Shapes, outs: Shapes) -> int:
        """Count an inverse and a product."""
        return _cubes(ins)

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = {self._call('inverse_of_factor', n.ins[0])}"]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """One line."""
        code = self._call("inverse_of_factor_gradient", n.ins[0], n.outs[0], str(n.heads[0]))
        return gradient_lines(n, [code])

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line."""
        cut = "tril()" if self.lower else "triu()"
        return [f"{n.outs[0]} = torch.cholesky_inverse({n.ins[0]}.{cut}, upper={not self.lower})"]


class InTwo(OnMatrices):
    """An operator that makes two arrays of every matrix; the gradient reads both."""

    def parts(self, matrices: Array) -> tuple[Array, Array]:
        """Return both values."""
        raise NotImplementedError(self.op_name)

    def parts_gradient(self, parts: Sequence[Array], heads: Sequence[Array]) -> Array:
        """Return the gradient of the matrices."""
        raise NotImplementedError(self.op_name)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The two."""
        return "output0", "output1"

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write both values."""

        def run() -> None:
            for value, out in zip(self.parts(wide(ins[0])), outs, strict=True):
                put(value, out)

        return run

    def gradient_reads(self, index: int) -> Reads:
        """The gradient reads both values."""
        return Reads(outputs=(0, 1))

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients."""
        return [partial(self._gradient, flow, grad) for _, grad in flow.wanted]

    def _gradient(self, flow: Flow, grad: Array) -> None:
        parts = [wide(present(out)) for out in flow.outs]
        heads = [
            np.zeros_like(part) if head is None else wide(head)
            for part, head in zip(parts, flow.heads, strict=True)
        ]
        put(self.parts_gradient(parts, heads), grad)


@operator(name="_linalg_gelqf", category="Linear algebra", aliases=("linalg_gelqf",))
class Gelqf(InTwo):
    """Find orthonormal rows and the lower triangles that make matrices of them.

    A = L · Q, where Q · Qᵀ is one; Q comes first.
    """

    examples = (
        Example({"A": (2, 3)}, domains={"A": Domain(-2, 2, avoid=(-1, 0, 1))}),
        Example({"A": (2, 3, 3)}),
    )

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Rows are like A, triangles as large as A is high."""
        found = merge(ins[0], outs[0], "A")
        if not found:
            return ins, (found, square(outs[1]))
        check_matrices(found)
        lower = joined_square((*found[:-1], found[-2]), outs[1])
        found = (*lower[:-1], found[-1])
        if found[-1] and found[-2] > found[-1]:
            raise ShapeError(
                f"{text(found)} has more rows than columns, so that they cannot be orthonormal.", port="A"
            )
        return (found,), (found, lower)

    def parts(self, matrices: Array) -> tuple[Array, Array]:
        """Return rows and triangles."""
        return kernels.rows_and_triangle(matrices)

    def parts_gradient(self, parts: Sequence[Array], heads: Sequence[Array]) -> Array:
        """Return the gradient of what they make together."""
        return kernels.rows_and_triangle_gradient(*parts, *heads)

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        (q, lower), (d_q, d_lower) = outs, heads
        return f"{lower}⁻ᵀ · ({d_q} + M · {q}), M = the lower triangle of {lower}ᵀ · {d_lower} − {d_q} · {q}ᵀ, mirrored"

    def multiply_adds(self, ins: Shapes, outs: Shapes) -> int:
        """Count two products."""
        return 2 * element_count(ins[0]) * (ins[0][-2] if len(ins[0]) > 1 else 0)

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]}, {n.outs[1]} = rows_and_triangle({n.ins[0]})"]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """One line."""
        heads = [head or f"np.zeros_like({out})" for head, out in zip(n.heads, n.outs, strict=True)]
        return gradient_lines(n, [f"rows_and_triangle_gradient({', '.join((*n.outs, *heads))})"])


@operator(name="_linalg_syevd", category="Linear algebra")
class Syevd(InTwo):
    """Find the eigenvectors of symmetric matrices, as rows, and their eigenvalues, rising.

    A = Uᵀ · diag(λ) · U; of A only the lower triangles are read.
    """

    examples = (Example({"A": (2, 2)}, gradient=False), Example({"A": (2, 3, 3)}, gradient=False))

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Vectors are like A; there is a value for each."""
        alike = joined_square(ins[0], outs[0])
        if not alike:
            return ins, outs
        values = merge(alike[:-1], outs[1])
        alike = (*values, values[-1])
        return (alike,), (alike, values)

    def add_gradient(self, index: int, fresh: Array, holder: Array) -> Step:
        """MXNet leaves a buffer that asks to be added to as it is."""
        return nothing

    def parts(self, matrices: Array) -> tuple[Array, Array]:
        """Return vectors and values."""
        return kernels.eigenvectors(matrices)

    def parts_gradient(self, parts: Sequence[Array], heads: Sequence[Array]) -> Array:
        """Return the symmetric gradient, as MXNet does (docs/decisions/0011)."""
        return kernels.eigenvectors_gradient(*parts, *heads)

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        (u, values), (d_u, d_values) = outs, heads
        return f"{u}ᵀ · Y · {u}, Y = (X − Xᵀ) / (2 · gaps of {values}), {d_values} on its diagonal, X = {d_u} · {u}ᵀ"

    def multiply_adds(self, ins: Shapes, outs: Shapes) -> int:
        """Count what LAPACK usually takes: nine products."""
        return 9 * _cubes(ins)

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]}, {n.outs[1]} = eigenvectors({n.ins[0]})"]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """One line."""
        heads = [head or f"np.zeros_like({out})" for head, out in zip(n.heads, n.outs, strict=True)]
        return gradient_lines(n, [f"eigenvectors_gradient({', '.join((*n.outs, *heads))})"])

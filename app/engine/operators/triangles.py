"""Triangular matrices on either side of others: products and solutions, _linalg_trmm and _linalg_trsm."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated

import attrs

from app.engine.errors import ShapeError
from app.engine.examples import Domain, Example
from app.engine.kernels.factors import solved, triangle, turned, wide
from app.engine.kernels.steps import Step
from app.engine.operator import Array, Arrays, CodeNames, Port, Reads, operator
from app.engine.operators.formulas import number
from app.engine.operators.on_matrices import OnMatrices, check_matrices, put, square
from app.engine.operators.prepared import Flow, gradient_lines
from app.engine.params import WIDE, param
from app.engine.shapes import Inferred, Shapes, element_count, merge, text

_AWAY_FROM_0 = {"A": Domain(0.5, 1.5)}


@attrs.frozen
class WithTriangle(OnMatrices):
    """An operator on a triangle A and a matrix B, on either side of it; the rest of A is taken for zeros."""

    transpose: bool = param(default=False, doc="Transpose the triangles.")
    rightside: bool = param(default=False, doc="The triangle stands to the right of B.")
    lower: bool = param(default=True, doc="Whether it is the lower triangle of A that counts.")
    alpha: Annotated[float, WIDE] = param(default=1.0, doc="What the result is multiplied by.")

    examples = (
        Example({"A": (2, 2), "B": (2, 3)}, domains=_AWAY_FROM_0),
        Example({"A": (2, 2), "B": (2, 3)}, domains=_AWAY_FROM_0, transpose=True, alpha=2.0),
        Example({"A": (2, 3, 3), "B": (2, 2, 3)}, domains=_AWAY_FROM_0, rightside=True, lower=False),
        Example({"A": (3, 3), "B": (2, 3)}, domains=_AWAY_FROM_0, rightside=True, transpose=True, alpha=-0.5),
        Example({"A": (3, 3), "B": (3, 2)}, domains=_AWAY_FROM_0, transpose=True, lower=False),
    )

    @property
    def inputs(self) -> tuple[Port, ...]:
        """Triangles and matrices."""
        return Port("A"), Port("B")

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """The value is like B; the side of A that meets B tells the size of A."""
        triangles, data = square(ins[0]), merge(ins[1], outs[0], "B")
        if not data:
            return (triangles, data), (data,)
        check_matrices(data, "B")
        side = -1 if self.rightside else -2
        found = (*data[:-2], data[side], data[side])
        if triangles and len(triangles) != len(found):
            raise ShapeError(
                f"A is {text(triangles)} and B is {text(data)}; they must have as many axes.", port="A"
            )
        if triangles and found[-1] and triangles[-1] and found[-1] != triangles[-1]:
            words = ("rows of B", "columns of B")[self.rightside]
            raise ShapeError(
                f"{text(triangles)} and {text(data)} do not go together: A has {triangles[-1]} rows, but there are "
                f"{found[-1]} {words}.",
                port="A",
            )
        triangles = merge(found, triangles, "A")
        ends = (data[-2], triangles[-1]) if self.rightside else (triangles[-1], data[-1])
        data = (*triangles[:-2], *ends)
        return (triangles, data), (data,)

    def multiply_adds(self, ins: Shapes, outs: Shapes) -> int:
        """Count half a product."""
        return element_count(outs[0]) * (ins[0][-1] if ins[0] else 0) // 2

    def summary(self) -> str:
        """Which triangle, on which side."""
        words = ["lower" if self.lower else "upper"]
        words += [word for word, on in (("transposed", self.transpose), ("right", self.rightside)) if on]
        return " · ".join(words)

    def _applied(self, triangles: Array, data: Array, *, transposed: bool) -> Array:
        """Return what the operator does with its triangles, or with them transposed once more, without alpha."""
        raise NotImplementedError(self.op_name)

    def _scaled(self, value: Array) -> Array:
        return value if self.alpha == 1 else value * value.dtype.type(self.alpha)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""

        def run() -> None:
            triangles, data = map(wide, ins)
            put(self._scaled(self._applied(triangles, data, transposed=self.transpose)), outs[0])

        return run

    def _of_triangle(self, left: Array, right: Array) -> Array:
        """Return left · rightᵀ, or what that is where the triangles are transposed, of the triangle that counts."""
        found = turned(left) @ right if self.rightside else left @ turned(right)
        return triangle(turned(found) if self.transpose else found, lower=self.lower)

    @property
    def _applied_code(self) -> str:
        """The triangles as code."""
        cut = "tril" if self.lower else "triu"
        return f"np.{cut}({{}}){'.swapaxes(-1, -2)' if self.transpose else ''}"


@operator(name="_linalg_trmm", category="Linear algebra", aliases=("linalg_trmm",))
class Trmm(WithTriangle):
    """Multiply triangles and matrices.

    y = α · A · B
    """

    def _applied(self, triangles: Array, data: Array, *, transposed: bool) -> Array:
        found = triangle(triangles, lower=self.lower)
        found = turned(found) if transposed else found
        return data @ found if self.rightside else found @ data

    def gradient_reads(self, index: int) -> Reads:
        """Each gradient reads the other operand."""
        return Reads(inputs=(1 - index,))

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients."""
        return [partial(self._gradient, flow, index, grad) for index, grad in flow.wanted]

    def _gradient(self, flow: Flow, index: int, grad: Array) -> None:
        head = self._scaled(wide(flow.head))
        if index == 1:
            put(self._applied(wide(flow.read(0)), head, transposed=not self.transpose), grad)
        elif self.rightside:
            put(self._of_triangle(wide(flow.read(1)), head), grad)
        else:
            put(self._of_triangle(head, wide(flow.read(1))), grad)

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        scale = "" if self.alpha == 1 else f"{number(self.alpha)} · "
        if index == 1:
            a = ins[0] if self.transpose else f"{ins[0]}ᵀ"
            return f"{scale}{heads[0]} · {a}" if self.rightside else f"{scale}{a} · {heads[0]}"
        product = f"{ins[1]}ᵀ · {heads[0]}" if self.rightside else f"{heads[0]} · {ins[1]}ᵀ"
        turned_back = f"({product})ᵀ" if self.transpose else product
        return f"the {'lower' if self.lower else 'upper'} triangle of {scale}{turned_back}"

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        a = self._applied_code.format(n.ins[0])
        code = f"{n.ins[1]} @ {a}" if self.rightside else f"{a} @ {n.ins[1]}"
        return [f"{n.outs[0]} = {code if self.alpha == 1 else f'{number(self.alpha)} * ({code})'}"]

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [line.replace("np.", "torch.") for line in self.numpy_code(n)]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """One line for each wanted gradient."""
        turn, b = ".swapaxes(-1, -2)", n.ins[1]
        d = str(n.heads[0]) if self.alpha == 1 else f"({number(self.alpha)} * {n.heads[0]})"
        of_a = f"{b}{turn} @ {d}" if self.rightside else f"{d} @ {b}{turn}"
        of_a = f"({of_a}){turn}" if self.transpose else of_a
        a = f"{self._applied_code.format(n.ins[0])}{turn}"
        of_b = f"{d} @ {a}" if self.rightside else f"{a} @ {d}"
        return gradient_lines(n, [f"np.{'tril' if self.lower else 'triu'}({of_a})", of_b])


@operator(name="_linalg_trsm", category="Linear algebra", aliases=("linalg_trsm",))
class Trsm(WithTriangle):
    """Find what triangles must be multiplied with to give matrices.

    A · y = α · B
    """

    def _applied(self, triangles: Array, data: Array, *, transposed: bool) -> Array:
        """Solve; with the triangle to the right everything is turned over first."""
        over = transposed != self.rightside
        way = turned(triangles) if over else triangles
        right = turned(data) if self.rightside else data
        found = solved(way, right, lower=self.lower != over)
        return turned(found) if self.rightside else found

    def gradient_reads(self, index: int) -> Reads:
        """The gradient of B reads the triangles, that of A what was found, too."""
        return Reads(inputs=(0,), outputs=(0,) if index == 0 else ())

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients: that of B, and by it that of A."""
        return [partial(self._gradient, flow, flow.wanted)] if flow.wanted else []

    def _gradient(self, flow: Flow, wanted: Sequence[tuple[int, Array]]) -> None:
        back = self._applied(wide(flow.read(0)), wide(flow.head), transposed=not self.transpose)
        found = [
            (self._scaled(back), grad)
            if index == 1
            else (
                -(
                    self._of_triangle(wide(flow.out), back)
                    if self.rightside
                    else self._of_triangle(back, wide(flow.out))
                ),
                grad,
            )
            for index, grad in wanted
        ]
        for value, grad in found:
            put(value, grad)

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        a = f"{ins[0]}⁻¹" if self.transpose else f"{ins[0]}⁻ᵀ"
        back = f"{heads[0]} · {a}" if self.rightside else f"{a} · {heads[0]}"
        if index == 1:
            return back if self.alpha == 1 else f"{number(self.alpha)} · {back}"
        product = f"{outs[0]}ᵀ · {back}" if self.rightside else f"{back} · {outs[0]}ᵀ"
        turned_back = f"({product})ᵀ" if self.transpose else product
        return f"−the {'lower' if self.lower else 'upper'} triangle of {turned_back}"

    def _solution(self, a: str, b: str, *, transposed: bool) -> str:
        """Write a solution as code."""
        over, turn = transposed != self.rightside, ".swapaxes(-1, -2)"
        way, right = a + turn * over, b + turn * self.rightside
        return f"triangle_solution({way}, {right}, {self.lower != over}){turn * self.rightside}"

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        code = self._solution(n.ins[0], n.ins[1], transposed=self.transpose)
        return [f"{n.outs[0]} = {code if self.alpha == 1 else f'{number(self.alpha)} * {code}'}"]

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line."""
        a = self._applied_code.format(n.ins[0]).replace("np.", "torch.")
        upper = self.lower == self.transpose
        code = f"torch.linalg.solve_triangular({a}, {n.ins[1]}, upper={upper}, left={not self.rightside})"
        return [f"{n.outs[0]} = {code if self.alpha == 1 else f'{number(self.alpha)} * {code}'}"]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """One line for each wanted gradient."""
        turn, y = ".swapaxes(-1, -2)", n.outs[0]
        back = self._solution(n.ins[0], str(n.heads[0]), transposed=not self.transpose)
        of_a = f"{y}{turn} @ {back}" if self.rightside else f"{back} @ {y}{turn}"
        of_a = f"({of_a}){turn}" if self.transpose else of_a
        of_b = back if self.alpha == 1 else f"{number(self.alpha)} * {back}"
        return gradient_lines(n, [f"-np.{'tril' if self.lower else 'triu'}({of_a})", of_b])

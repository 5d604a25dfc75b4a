"""Products of many matrices at once: batch_dot, _linalg_gemm, _linalg_gemm2."""

from collections.abc import Sequence
from typing import Annotated, Any

import attrs
import numpy as np

from app.engine.errors import ShapeError
from app.engine.examples import Example
from app.engine.kernels.matrices import products
from app.engine.kernels.steps import Step, overwrite, ufunc
from app.engine.operator import Array, Arrays, CodeNames, Port, Reads, operator
from app.engine.operators.element_types import STORAGE
from app.engine.operators.formulas import number
from app.engine.operators.prepared import Flow, Prepared, gradient_lines
from app.engine.params import WIDE, param
from app.engine.shapes import Inferred, Shape, Shapes, element_count, merge, normalize_axis, text
from app.engine.split import Split
from app.engine.work_space import Work


class MatrixProduct(Prepared):
    """The product of the matrices that stand in two arrays, of which either may be transposed.

    The columns are the last axis; the rows are the axis before it unless settings say otherwise.
    """

    work = Work(takes=1)

    transpose_a: bool
    transpose_b: bool
    least_rank = 3

    @property
    def rows_axis(self) -> int:
        """The axis of the rows."""
        return -2

    @property
    def scale(self) -> float:
        """What the product is multiplied by."""
        return 1.0

    def _turned(self, array: Any, *, transposed: bool) -> Any:
        rows_last = array if self.rows_axis == -2 else np.moveaxis(array, self.rows_axis, -2)
        return rows_last.swapaxes(-1, -2) if transposed else rows_last

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Take rows from the left and columns from the right; batch axes and the summed size are shared."""
        left, right = ins
        if not left or not right:
            return ins, outs
        for port, shape in zip(self.inputs[:2], ins, strict=True):
            if len(shape) < self.least_rank:
                raise ShapeError(
                    f"{text(shape)} has too few axes; at least {self.least_rank} are needed.", port=port.name
                )
        if len(left) != len(right):
            sentence = f"{text(left)} has {len(left)} axes and {text(right)} has {len(right)}; they must have as many."
            raise ShapeError(sentence, port=self.inputs[1].name)
        place = normalize_axis(self.rows_axis, len(left))
        batch, one = self._split(left, place)
        batch = merge(batch, self._split(right, place)[0], self.inputs[1].name)
        other = self._split(right, place)[1]
        rows, inner = one[::-1] if self.transpose_a else one
        also_inner, columns = other[::-1] if self.transpose_b else other
        if inner and also_inner and inner != also_inner:
            raise ShapeError(
                f"{text(left)} and {text(right)} do not multiply: {inner} against {also_inner}.",
                port=self.inputs[1].name,
            )
        inner = inner or also_inner
        one = (inner, rows) if self.transpose_a else (rows, inner)
        other = (columns, inner) if self.transpose_b else (inner, columns)
        out = merge(self._joined(batch, (rows, columns), place), outs[0])
        return (self._joined(batch, one, place), self._joined(batch, other, place)), (out,)

    @staticmethod
    def _split(shape: Shape, place: int) -> tuple[Shape, Shape]:
        """Return the batch axes, and rows and columns."""
        return shape[:place] + shape[place + 1 : -1], (shape[place], shape[-1])

    @staticmethod
    def _joined(batch: Shape, matrix: Shape, place: int) -> Shape:
        return (*batch[:place], matrix[0], *batch[place:], matrix[1])

    def splits(self, ins: Shapes, outs: Shapes) -> Sequence[Split]:
        """Every axis but those of the matrices."""
        rank = len(outs[0])
        rows = self.rows_axis % rank
        return [Split((axis, axis), (axis,)) for axis in range(rank - 1) if axis != rows]

    def _product(self, left: Array, right: Array, out: Array) -> list[Step]:
        steps = [products(left, right, out)]
        if self.scale != 1:
            steps.append(ufunc(np.multiply, out, np.array(self.scale, out.dtype), out=out))
        return steps

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        left = self._turned(ins[0], transposed=self.transpose_a)
        right = self._turned(ins[1], transposed=self.transpose_b)
        steps = self._product(left, right, self._turned(outs[0], transposed=False))
        return steps[0] if len(steps) == 1 else lambda: [step() for step in steps]

    def gradient_reads(self, index: int) -> Reads:
        """Each gradient reads the other operand."""
        return Reads(inputs=(1 - index,))

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients."""
        head = self._turned(flow.head, transposed=False)
        steps: list[Step] = []
        for index, grad in flow.wanted:
            out = self._turned(grad, transposed=(self.transpose_a, self.transpose_b)[index])
            if index == 0:
                right = self._turned(flow.read(1), transposed=not self.transpose_b)
                steps += self._product(head, right, out)
            else:
                left = self._turned(flow.read(0), transposed=not self.transpose_a)
                steps += self._product(left, head, out)
        return steps

    def value_formula(self, ins: Sequence[str]) -> str:
        """Write the product."""
        scale = "" if self.scale == 1 else f"{number(self.scale)} · "
        return f"{scale}{ins[0]}{'ᵀ' * self.transpose_a} · {ins[1]}{'ᵀ' * self.transpose_b}"

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        scale = "" if self.scale == 1 else f"{number(self.scale)} · "
        left = ins[0] if self.transpose_a else f"{ins[0]}ᵀ"
        right = ins[1] if self.transpose_b else f"{ins[1]}ᵀ"
        plain = f"{scale}{heads[0]} · {right}" if index == 0 else f"{scale}{left} · {heads[0]}"
        return f"({plain})ᵀ" if (self.transpose_a, self.transpose_b)[index] else plain

    def multiply_adds(self, ins: Shapes, outs: Shapes) -> int:
        """Count each summed product."""
        left = ins[0]
        inner = left[self.rows_axis if self.transpose_a else -1] if len(left) >= self.least_rank else 0
        return element_count(outs[0]) * inner

    def summary(self) -> str:
        """Which operands are transposed."""
        turned = [name for name, on in (("aᵀ", self.transpose_a), ("bᵀ", self.transpose_b)) if on]
        return " · ".join(turned)

    def _code(self, n: CodeNames, move: str, turn: str) -> tuple[str, str, str]:
        """Write both operands and what comes out, rows before columns."""

        def shown(name: str, *, transposed: bool) -> str:
            code = name if self.rows_axis == -2 else f"{move}({name}, {self.rows_axis}, -2)"
            return f"{code}{turn}" if transposed else code

        scale = "" if self.scale == 1 else f"{number(self.scale)} * "
        return (
            shown(n.ins[0], transposed=self.transpose_a),
            shown(n.ins[1], transposed=self.transpose_b),
            scale,
        )

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        left, right, scale = self._code(n, "np.moveaxis", ".swapaxes(-1, -2)")
        code = f"{scale}({left} @ {right})" if scale else f"{left} @ {right}"
        return [
            f"{n.outs[0]} = {code if self.rows_axis == -2 else f'np.moveaxis({code}, -2, {self.rows_axis})'}"
        ]

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [line.replace("np.moveaxis", "torch.moveaxis") for line in self.numpy_code(n)]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """One line for each wanted gradient."""
        left, right, scale = self._code(n, "np.moveaxis", ".swapaxes(-1, -2)")
        head = str(n.heads[0]) if self.rows_axis == -2 else f"np.moveaxis({n.heads[0]}, {self.rows_axis}, -2)"
        turn = ".swapaxes(-1, -2)"
        lines = []
        for code, transposed in (
            (f"{scale}({head} @ {right}{turn})", self.transpose_a),
            (f"{scale}({left}{turn} @ {head})", self.transpose_b),
        ):
            line = f"({code}){turn}" if transposed else code
            lines.append(line if self.rows_axis == -2 else f"np.moveaxis({line}, -2, {self.rows_axis})")
        return gradient_lines(n, lines)


@operator(name="batch_dot", category="Linear algebra", sign="·")
class BatchDot(MatrixProduct):
    """Multiply the matrices of two batches, pair by pair."""

    transpose_a: bool = param(default=False, doc="Transpose the matrices of the first operand.")
    transpose_b: bool = param(default=False, doc="Transpose the matrices of the second operand.")
    forward_stype: str | None = param(
        default=None,
        choices=STORAGE,
        doc="Storage of the value in MXNet; all storage is dense here.",
        advanced=True,
    )

    examples = (
        Example({"lhs": (2, 2, 3), "rhs": (2, 3, 4)}),
        Example({"lhs": (2, 3, 2), "rhs": (2, 3, 4)}, transpose_a=True),
        Example({"lhs": (2, 2, 3), "rhs": (2, 4, 3)}, transpose_b=True),
        Example({"lhs": (2, 3, 2), "rhs": (2, 4, 3)}, transpose_a=True, transpose_b=True),
    )

    @property
    def inputs(self) -> tuple[Port, ...]:
        """Two operands."""
        return (Port("lhs"), Port("rhs"))


@operator(name="_linalg_gemm2", category="Linear algebra", aliases=("linalg_gemm2",), sign="·")
class Gemm2(MatrixProduct):
    """Multiply matrices, and the product by a number.

    y = α · A · B
    """

    transpose_a: bool = param(default=False, doc="Transpose the matrices of the first operand.")
    transpose_b: bool = param(default=False, doc="Transpose the matrices of the second operand.")
    alpha: Annotated[float, WIDE] = param(default=1.0, doc="The number.")
    axis: int = param(default=-2, doc="The axis of the rows.", advanced=True)

    least_rank = 2
    examples = (
        Example({"A": (2, 3), "B": (3, 4)}, alpha=0.5),
        Example({"A": (2, 2, 3), "B": (2, 4, 3)}, transpose_b=True, alpha=-2),
        Example({"A": (2, 5, 3), "B": (3, 5, 4)}, axis=0),
        Example({"A": (3, 5, 2), "B": (3, 5, 4)}, axis=0, transpose_a=True),
    )

    def add_gradient(self, index: int, fresh: Array, holder: Array) -> Step:
        """MXNet writes over what the buffer held."""
        return overwrite(fresh, holder)

    @property
    def inputs(self) -> tuple[Port, ...]:
        """Two operands."""
        return (Port("A"), Port("B"))

    @property
    def scale(self) -> float:
        """What the product is multiplied by."""
        return self.alpha

    @property
    def rows_axis(self) -> int:
        """The axis of the rows."""
        return self.axis


@operator(name="_linalg_gemm", category="Linear algebra", aliases=("linalg_gemm",))
class Gemm(Gemm2):
    """Multiply matrices, and the product by a number, and add others, multiplied by another number.

    y = α · A · B + β · C
    """

    beta: Annotated[float, WIDE] = param(default=1.0, doc="What C is multiplied by.")

    examples = (
        Example({"A": (2, 3), "B": (3, 4)}),
        Example({"A": (2, 3), "B": (3, 4)}, beta=0.5),
        Example({"A": (2, 2, 3), "B": (2, 4, 3)}, transpose_b=True, alpha=-2),
        Example({"A": (3, 5, 2), "B": (3, 5, 4)}, axis=0, transpose_a=True),
    )

    @property
    def inputs(self) -> tuple[Port, ...]:
        """Two factors and what is added."""
        return Port("A"), Port("B"), Port("C")

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """What is added is like the value."""
        factors, (out,) = super().infer(ins[:2], (merge(ins[2], outs[0], "C"),))
        return (*factors, out), (out,)

    def splits(self, ins: Shapes, outs: Shapes) -> Sequence[Split]:
        """Every axis but those of the matrices."""
        return [Split((*split.ins, split.outs[0]), split.outs) for split in super().splits(ins, outs)]

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        factor = outs[0].dtype.type(self.beta)
        multiply = super().forward_step(ins[:2], outs)

        def run() -> None:
            multiply()
            np.add(outs[0], ins[2] * factor, out=outs[0])

        return run

    def gradient_reads(self, index: int) -> Reads:
        """Each factor's gradient reads the other."""
        return Reads() if index == 2 else super().gradient_reads(index)

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients; that of what is added may take the incoming one's place."""
        steps = super().backward_steps(attrs.evolve(flow, grads=(*flow.grads[:2], None)))
        added = flow.grads[2]
        if added is not None:
            steps.append(ufunc(np.multiply, flow.head, np.array(self.beta, added.dtype), out=added))
        return steps

    def value_formula(self, ins: Sequence[str]) -> str:
        """Write the product and what is added to it."""
        scale = "" if self.beta == 1 else f"{number(self.beta)} · "
        return f"{super().value_formula(ins)} + {scale}{ins[2]}"

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        if index < 2:
            return super().explain(index, ins, outs, heads)
        return heads[0] if self.beta == 1 else f"{number(self.beta)} · {heads[0]}"

    def numpy_code(self, n: CodeNames) -> list[str]:
        """Two lines."""
        scale = "" if self.beta == 1 else f"{number(self.beta)} * "
        return [*super().numpy_code(n), f"{n.outs[0]} = {n.outs[0]} + {scale}{n.ins[2]}"]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """One line for each wanted gradient."""
        factors = super().numpy_gradient_code(attrs.evolve(n, grads=n.grads[:2]))
        added = attrs.evolve(n, grads=n.grads[2:], ins=n.ins[2:])
        return [*factors, *gradient_lines(added, [f"{number(self.beta)} * {n.heads[0]}"])]

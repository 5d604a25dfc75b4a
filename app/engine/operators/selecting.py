"""Elements chosen by a condition or by their place: where and diag."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from app.engine.errors import ShapeError
from app.engine.examples import Domain, Example
from app.engine.kernels.steps import Step
from app.engine.operator import Array, Arrays, CodeNames, GradientKind, Port, Reads, Types, operator
from app.engine.operators.prepared import Flow, Prepared, gradient_lines
from app.engine.params import param
from app.engine.shapes import Inferred, Shape, Shapes, is_known, merge, merge_all, normalize_axis, text
from app.engine.work_space import Work

_ZERO_OR_ONE = {"condition": Domain(0, 1, whole=True)}


@operator(name="where", category="Indexing")
class Where(Prepared):
    """Take elements of x where the condition is not 0, and of y elsewhere."""

    only_moves = True

    work = Work(takes=0.3, takes_back=0.6)

    examples = (
        Example({"condition": (2, 3), "x": (2, 3), "y": (2, 3)}, domains=_ZERO_OR_ONE),
        Example({"condition": (3,), "x": (3, 2), "y": (3, 2)}, domains=_ZERO_OR_ONE),
    )

    @property
    def inputs(self) -> tuple[Port, ...]:
        """The condition and the two choices."""
        return (Port("condition"), Port("x"), Port("y"))

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """All are alike, but the condition may also be one number a row.

        As in MXNet nothing is said before the condition is known, which decides no other shape itself, and a
        contradiction leaves open what is only partly known.
        """
        condition, x, y = ins
        if not is_known(condition):
            return ins, outs
        try:
            alike = merge_all((x, y, outs[0]), ("x", "y", ""))
        except ShapeError:
            if is_known(x) and is_known(y):
                raise
            return ins, outs
        by_row = len(condition) == 1 < len(alike)
        if by_row or is_known(alike):
            merge(alike[:1] if by_row else alike, condition, "condition")
        return (condition, alike, alike), (alike,)

    def infer_types(self, ins: Types, outs: Types) -> tuple[Types, Types]:
        """Choices and value have one type; the condition may have any."""
        (x, y), (out,) = super().infer_types(ins[1:], outs)
        return (ins[0] or x, x, y), (out,)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        condition, x, y = ins

        def run() -> None:
            np.copyto(outs[0], y)
            np.copyto(outs[0], x, where=_aligned(condition, x) != 0)

        return run

    def gradient_kind(self, index: int) -> GradientKind:
        """The condition has gradient zero."""
        return "zero" if index == 0 else "value"

    def gradient_reads(self, index: int) -> Reads:
        """Both gradients read the condition."""
        return Reads(inputs=(0,)) if index else Reads(heads=False)

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients."""
        return [partial(self._pass, flow.read(0), flow.head, index == 1, grad) for index, grad in flow.wanted]

    @staticmethod
    def _pass(condition: Array, head: Array, chosen: bool, grad: Array) -> None:
        np.multiply(head, (_aligned(condition, head) != 0) == chosen, out=grad)

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        return ("", f"{heads[0]} where {ins[0]} is not 0, else 0", f"{heads[0]} where {ins[0]} is 0, else 0")[
            index
        ]

    def _condition(self, n: CodeNames) -> str:
        row = len(n.in_shapes[0]) < len(n.out_shapes[0])
        return f"{n.ins[0]}.reshape({(-1, *(1,) * (len(n.out_shapes[0]) - 1))})" if row else n.ins[0]

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = np.where({self._condition(n)} != 0, {n.ins[1]}, {n.ins[2]})"]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """One line for each wanted gradient."""
        condition = self._condition(n)
        return gradient_lines(
            n, ["", f"{n.heads[0]} * ({condition} != 0)", f"{n.heads[0]} * ({condition} == 0)"]
        )

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = torch.where({self._condition(n)} != 0, {n.ins[1]}, {n.ins[2]})"]


def _aligned(condition: Array, choice: Array) -> Array:
    """Give one number a row the rank of the choices."""
    return condition if condition.ndim == choice.ndim else condition.reshape(-1, *(1,) * (choice.ndim - 1))


@operator(name="diag", category="Indexing")
class Diag(Prepared):
    """Take the diagonal of a matrix, or make a matrix with a given diagonal."""

    only_moves = True

    k: int = param(default=0, doc="Which diagonal: 0 is the main one, above it counts up, below it down.")
    axis1: int = param(default=0, doc="The axis of the rows, for arrays of more than one axis.")
    axis2: int = param(default=1, doc="The axis of the columns.")

    examples = (
        Example({"data": (3, 4)}),
        Example({"data": (3, 4)}, k=1),
        Example({"data": (3,)}, k=-1),
        Example({"data": (2, 3, 4)}, axis1=-1, axis2=1),
    )

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Count the diagonal, which stands last."""
        data, out = ins[0], outs[0]
        if not data:
            return ins, outs
        if len(data) == 1:
            side = data[0] and data[0] + abs(self.k)
            return (data,), (merge((side, side), out),)
        one, other = (
            normalize_axis(self.axis1, len(data), "axis1"),
            normalize_axis(self.axis2, len(data), "axis2"),
        )
        if one == other:
            raise ShapeError(f"axis1 and axis2 are both {one}.", port="data")
        rest = tuple(size for axis, size in enumerate(data) if axis not in (one, other))
        length = self._length(data[one], data[other]) if data[one] and data[other] else 0
        if data[one] and data[other] and length < 1:
            raise ShapeError(f"{text(data)} has no diagonal {self.k}.", port="data")
        return (data,), (merge((*rest, length), out),)

    def _length(self, rows: int, columns: int) -> int:
        return min(rows + min(self.k, 0), columns - max(self.k, 0))

    def _places(self, length: int) -> tuple[Array, Array]:
        places = np.arange(length)
        return places + max(-self.k, 0), places + max(self.k, 0)

    def _matrix(self, data: Array) -> Array:
        return np.moveaxis(data, (self.axis1, self.axis2), (-2, -1))

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        data, out = ins[0], outs[0]
        if data.ndim > 1:
            index = (..., *self._places(out.shape[-1]))
            return lambda: np.copyto(out, self._matrix(data)[index])
        rows, columns = self._places(len(data))

        def spread() -> None:
            out.fill(0)
            out[rows, columns] = data

        return spread

    def gradient_reads(self, index: int) -> Reads:
        """The gradient is the incoming one, moved."""
        return Reads()

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients."""
        return [partial(self._back, flow.head, grad) for _, grad in flow.wanted]

    def _back(self, head: Array, grad: Array) -> None:
        if grad.ndim == 1:
            np.copyto(grad, head[self._places(len(grad))])
            return
        grad.fill(0)
        self._matrix(grad)[(..., *self._places(head.shape[-1]))] = head

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        return f"the diagonal of {heads[0]}, or a matrix with the diagonal {heads[0]}"

    def summary(self) -> str:
        """Which diagonal."""
        return f"diagonal {self.k}" if self.k else ""

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        if len(n.in_shapes[0]) == 1:
            return [f"{n.outs[0]} = np.diag({n.ins[0]}, {self.k})"]
        return [f"{n.outs[0]} = np.diagonal({n.ins[0]}, {self.k}, {self.axis1}, {self.axis2})"]

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line."""
        if len(n.in_shapes[0]) == 1:
            return [f"{n.outs[0]} = torch.diag({n.ins[0]}, {self.k})"]
        return [f"{n.outs[0]} = torch.diagonal({n.ins[0]}, {self.k}, {self.axis1}, {self.axis2})"]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """One line, or two that write a diagonal into zeros."""
        shape: Shape = n.in_shapes[0]
        if len(shape) == 1:
            return gradient_lines(n, [f"np.diagonal({n.heads[0]}, {self.k})"])
        lines = gradient_lines(n, [f"np.zeros_like({n.ins[0]})"])
        if n.grads[0] is not None and n.heads[0] is not None:
            matrix = f"np.moveaxis({n.grads[0]}, ({self.axis1}, {self.axis2}), (-2, -1))"
            length = n.out_shapes[0][-1]
            rows, columns = max(-self.k, 0), max(self.k, 0)
            places = f"np.arange({length}) + {rows}, np.arange({length}) + {columns}"
            lines.append(f"{matrix}[..., {places}] = {n.heads[0]}")
        return lines

"""Losses made of any expression, and the wall against gradients."""

from collections.abc import Sequence
from math import prod

import numpy as np

from app.engine.examples import Example
from app.engine.kernels.steps import without_gradient
from app.engine.operator import (
    Array,
    Arrays,
    CodeNames,
    GradientKind,
    OptionalArrays,
    Reads,
    Run,
    operator,
)
from app.engine.operators.lines import assign_zeros
from app.engine.operators.passing import Passing
from app.engine.params import param
from app.engine.shapes import Shape
from app.engine.work_space import Work


@operator(category="Losses")
class MakeLoss(Passing):
    """Take any expression as a loss: its gradient starts here with 1.

    d(data) = grad_scale, perhaps divided, whatever head gradient comes in
    """

    work = Work(takes_back=0.5)

    is_loss = True

    grad_scale: float = param(default=1.0, doc="The gradient of every element.")
    valid_thresh: float = param(default=0.0, doc="With valid, only elements above this count.")
    normalization: str = param(
        default="null",
        choices=("batch", "null", "valid"),
        doc="Divide the gradient by the rows (batch), by the elements above valid_thresh (valid), or not.",
    )

    examples = (
        Example({"data": (3, 4)}, gradient=False),
        Example({"data": (3, 4)}, gradient=False, grad_scale=0.25, normalization="batch"),
        Example({"data": (3, 4)}, gradient=False, normalization="valid", valid_thresh=0.4),
    )

    def gradient_reads(self, index: int) -> Reads:
        """Only the count of valid elements needs data."""
        return Reads(inputs=(0,) if self.normalization == "valid" else (), heads=False)

    def backward(
        self,
        run: Run,
        ins: OptionalArrays,
        outs: OptionalArrays,
        heads: OptionalArrays,
        grads: OptionalArrays,
    ) -> None:
        """Write the same number everywhere."""
        if grads[0] is not None:
            grads[0].fill(self._start(grads[0].shape, ins[0]))

    def _start(self, shape: Shape, data: Array | None) -> float:
        """Return the number that starts the gradient; data is only needed to count with valid."""
        divisor = 1
        if self.normalization == "batch":
            divisor = _rows(shape)
        elif self.normalization == "valid" and data is not None:
            divisor = max(1, int(np.count_nonzero(data > self.valid_thresh)))
        return self.grad_scale / divisor

    def objective(self, ins: Arrays) -> float:
        """Return the scaled sum."""
        return self._start(ins[0].shape, ins[0]) * float(np.sum(ins[0]))

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the number that starts the gradient."""
        divisor = {
            "batch": " / number of rows",
            "valid": f" / count({ins[0]} > {self.valid_thresh:g})",
            "null": "",
        }
        return f"{self.grad_scale:g}{divisor[self.normalization]}"

    def summary(self) -> str:
        """Return what differs from the defaults."""
        words = [] if self.grad_scale == 1 else [f"scale {self.grad_scale:g}"]
        if self.normalization != "null":
            words.append(f"per {self.normalization}")
        return " · ".join(words)

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """Write the constant gradient in one line."""
        if n.grads[0] is None:
            return []
        divisor = {
            "batch": f" / {_rows(n.in_shapes[0])}",
            "valid": f" / max(1, int(np.count_nonzero({n.ins[0]} > {self.valid_thresh!r})))",
            "null": "",
        }
        return [f"{n.grads[0]} = np.full_like({n.ins[0]}, {self.grad_scale!r}{divisor[self.normalization]})"]

    def torch_code(self, n: CodeNames) -> list[str]:
        """Call the part `loss_head`, an autograd function with this gradient."""
        divisor = {
            "batch": f" / {_rows(n.in_shapes[0])}",
            "valid": f" / max(1, int(({n.ins[0]} > {self.valid_thresh!r}).sum()))",
            "null": "",
        }
        return [f"{n.outs[0]} = loss_head({n.ins[0]}, {self.grad_scale!r}{divisor[self.normalization]})"]


def _rows(shape: Shape) -> int:
    """Count as MXNet does: all but the last axis; a vector is one row."""
    return prod(shape[:-1])


@operator(name="make_loss", category="Losses")
class MakeLossPlain(Passing):
    """Take any expression as a loss: its gradient starts here with 1."""

    is_loss = True
    examples = (Example({"data": (3, 4)}, gradient=False),)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The loss."""
        return ("loss",)

    def gradient_reads(self, index: int) -> Reads:
        """Nothing is read."""
        return Reads(heads=False)

    def backward(
        self,
        run: Run,
        ins: OptionalArrays,
        outs: OptionalArrays,
        heads: OptionalArrays,
        grads: OptionalArrays,
    ) -> None:
        """Write 1 everywhere."""
        if grads[0] is not None:
            grads[0].fill(1)

    def objective(self, ins: Arrays) -> float:
        """Return the sum."""
        return float(np.sum(ins[0]))

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the number that starts the gradient."""
        return "1"

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """Write the constant gradient in one line."""
        return [f"{n.grads[0]} = np.ones_like({n.ins[0]})"] if n.grads[0] else []

    def torch_code(self, n: CodeNames) -> list[str]:
        """Call the part `loss_head`, an autograd function with this gradient."""
        return [f"{n.outs[0]} = loss_head({n.ins[0]}, 1.0)"]


@operator(category="Losses", aliases=("stop_gradient",))
class BlockGrad(Passing):
    """Hand data through, and let no gradient back."""

    examples = (Example({"data": (3, 4)}, gradient=False),)

    def gradient_kind(self, index: int) -> GradientKind:
        """The gradient is zero, whatever comes in."""
        return "zero"

    def gradient_reads(self, index: int) -> Reads:
        """Nothing is read."""
        return Reads(heads=False)

    def backward(
        self,
        run: Run,
        ins: OptionalArrays,
        outs: OptionalArrays,
        heads: OptionalArrays,
        grads: OptionalArrays,
    ) -> None:
        """Write zeros."""
        without_gradient(grads)()

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Say that nothing goes through."""
        return "0: blocked"

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """Write zeros."""
        return assign_zeros(n)

    def torch_code(self, n: CodeNames) -> list[str]:
        """Detach from the graph."""
        return [f"{n.outs[0]} = {n.ins[0]}.detach()"]

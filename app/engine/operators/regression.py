"""Regression heads: a prediction whose gradient is its difference from the label."""

from collections.abc import Callable, Sequence

import attrs
import numpy as np

from app.engine.errors import ShapeError
from app.engine.examples import Domain, Example
from app.engine.kernels import activations
from app.engine.kernels.steps import Step, copy, nothing
from app.engine.operator import Array, Arrays, CodeNames, OptionalArrays, Run, operator
from app.engine.operators.heads import Loss
from app.engine.operators.lines import label_zeros
from app.engine.params import param
from app.engine.shapes import Inferred, Shapes, element_count, is_known, merge, text
from app.engine.work_space import Work


class Regression(Loss):
    """What the three regressions have in common."""

    kinds = "f"

    reads_late = True
    grad_scale: float
    unread: str

    def add_gradient(self, index: int, fresh: Array, holder: Array) -> Step:
        """MXNet adds the bare difference to the buffer, and then the sum, scaled, once more."""
        factor = self.grad_scale * holder.shape[0] / holder.size

        def run() -> None:
            np.divide(fresh, factor or 1.0, out=fresh)
            np.add(holder, fresh, out=holder)
            np.multiply(holder, 1 + factor, out=holder)

        return run

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """The label is as large as data; a single column may come without its axis."""
        data = merge(ins[0], outs[0], "data")
        label = ins[1]
        if data and not label:
            label = (data[0],) if len(data) == 2 and data[1] == 1 else data
        elif data and is_known(data) and is_known(label):
            if label[0] != data[0] or element_count(label) != element_count(data):
                raise ShapeError(f"expected {text(data)} but got {text(label)}.", port="label")
        elif data and len(data) == len(label):
            label = merge(data, label, "label")
        return (data, label), (data,)

    def prepare_forward(self, run: Run, ins: Arrays, outs: Arrays) -> Callable[[], object]:
        """Hand data through."""
        return copy(ins[0], outs[0])

    def forward(self, run: Run, ins: Arrays, outs: Arrays) -> None:
        """Compute the prediction."""
        self.prepare_forward(run, ins, outs)()

    @property
    def inplace(self) -> tuple[tuple[int, int], ...]:
        """The prediction may take data's place."""
        return ((0, 0),)

    def prepare_backward(
        self,
        run: Run,
        ins: OptionalArrays,
        outs: OptionalArrays,
        heads: OptionalArrays,
        grads: OptionalArrays,
    ) -> Callable[[], object]:
        """Set up the difference and its factor once."""
        result, label, grad = outs[0], ins[1], grads[0]
        if result is None or label is None or grad is None:
            return nothing
        factor = self.grad_scale * label.shape[0] / label.size
        fitting = label.reshape(result.shape, copy=False)

        def run_gradient() -> None:
            np.subtract(result, fitting, out=grad)
            self.shape_error(grad)
            np.multiply(grad, factor, out=grad)

        return run_gradient

    def shape_error(self, error: Array) -> None:
        """Change the difference into the loss's own gradient, in place."""

    def objective(self, ins: Arrays) -> float:
        """Return the scaled sum of all errors."""
        data, label = ins
        factor: float = self.grad_scale * label.shape[0] / label.size
        return factor * float(np.sum(self.error(data, label.reshape(data.shape))))

    def error(self, data: Array, label: Array) -> Array:
        """Return what the gradient is the derivative of: half the squared difference."""
        return np.asarray(np.square(data - label) / 2)

    def backward(
        self,
        run: Run,
        ins: OptionalArrays,
        outs: OptionalArrays,
        heads: OptionalArrays,
        grads: OptionalArrays,
    ) -> None:
        """Write the scaled difference between prediction and label."""
        self.prepare_backward(run, ins, outs, heads, grads)()

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the difference with its factors."""
        if index == 1:
            return "none: a label is not learned"
        factor = "" if self.grad_scale == 1 else f" · {self.grad_scale:g}"
        return f"{self._error_words(outs[0], ins[1])}{factor} / values per sample"

    def _error_words(self, result: str, label: str) -> str:
        return f"({result} − {label})"

    def summary(self) -> str:
        """Return the factor where it is set."""
        return "" if self.grad_scale == 1 else f"scale {self.grad_scale:g}"

    def numpy_code(self, n: CodeNames) -> list[str]:
        """Hand data through."""
        return [f"{n.outs[0]} = {n.ins[0]}.copy()"]

    def _factor_code(self, n: CodeNames) -> str:
        factor = self.grad_scale * n.in_shapes[1][0] / element_count(n.in_shapes[1])
        return "" if factor == 1 else f" * {factor!r}"

    def error_code(self, difference: str) -> str:
        """Write the loss's own gradient from the difference."""
        return f"({difference})"

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """Write the scaled difference in one line."""
        lines = []
        if n.grads[0]:
            same = n.in_shapes[0] == n.in_shapes[1]
            label = n.ins[1] if same else f"{n.ins[1]}.reshape({n.ins[0]}.shape)"
            lines.append(f"{n.grads[0]} = {self.error_code(f'{n.outs[0]} - {label}')}{self._factor_code(n)}")
        return lines + label_zeros(n)

    def torch_kind(self) -> str:
        """Return the name of the kind for the part `regression_head`."""
        return "linear"

    def torch_code(self, n: CodeNames) -> list[str]:
        """Call the part `regression_head`, an autograd function with this gradient."""
        return [
            f"{n.outs[0]} = regression_head({n.ins[0]}, {n.ins[1]}, {self.torch_kind()!r}, {self.grad_scale!r})"
        ]


@operator(category="Losses")
class LinearRegressionOutput(Regression):
    """Hand data through; the gradient is that of half the squared difference from the label.

    d(data) = (data − label) · grad_scale / values per sample
    """

    only_moves = True

    work = Work(keeps_back=1.1)

    grad_scale: float = param(default=1.0, doc="Multiplies the gradient.")
    unread: str = attrs.field(default="", kw_only=True)

    examples = (
        Example({"data": (3, 2)}, gradient=False),
        Example({"data": (4, 1)}, gradient=False, grad_scale=2.0),
    )


@operator(category="Losses")
class LogisticRegressionOutput(Regression):
    """Turn data into probabilities by a sigmoid; the gradient is that of the cross entropy with the label.

    d(data) = (sigmoid(data) − label) · grad_scale / values per sample
    """

    work = Work(keeps_back=1.1)

    grad_scale: float = param(default=1.0, doc="Multiplies the gradient.")
    unread: str = attrs.field(default="", kw_only=True)

    examples = (
        Example({"data": (3, 2)}, domains={"label": Domain(0, 1)}, gradient=False),
        Example({"data": (4, 1)}, domains={"label": Domain(0, 1)}, gradient=False, grad_scale=0.5),
    )

    def error(self, data: Array, label: Array) -> Array:
        """Return the cross entropy."""
        return np.asarray(np.logaddexp(data, 0) - label * data)

    def prepare_forward(self, run: Run, ins: Arrays, outs: Arrays) -> Callable[[], object]:
        """Set up the sigmoid."""
        return activations.sigmoid(ins[0], outs[0])

    def numpy_code(self, n: CodeNames) -> list[str]:
        """Write the sigmoid in one line."""
        return [f"{n.outs[0]} = 0.5 * np.tanh(0.5 * {n.ins[0]}) + 0.5"]

    def torch_kind(self) -> str:
        """Return the name of the kind for the part `regression_head`."""
        return "logistic"


@operator(category="Losses")
class MAERegressionOutput(Regression):
    """Hand data through; the gradient is that of the absolute difference from the label.

    d(data) = sign(data − label) · grad_scale / values per sample, the sign of 0 being −1
    """

    only_moves = True

    work = Work(keeps_back=1.1, takes_back=0.3)

    grad_scale: float = param(default=1.0, doc="Multiplies the gradient.")
    unread: str = attrs.field(default="", kw_only=True)

    examples = (
        Example({"data": (3, 2)}, gradient=False),
        Example({"data": (4, 1)}, gradient=False, grad_scale=2.0),
    )

    def error(self, data: Array, label: Array) -> Array:
        """Return the absolute difference."""
        return np.asarray(np.abs(data - label))

    def shape_error(self, error: Array) -> None:
        """Keep only the side of the difference; no difference counts as below, as in MXNet."""
        above = error > 0
        error.fill(-1)
        np.copyto(error, 1, where=above)

    def _error_words(self, result: str, label: str) -> str:
        return f"sign({result} − {label})"

    def error_code(self, difference: str) -> str:
        """Write the side of the difference."""
        return f"-np.copysign(1, 0 - ({difference}))"

    def torch_kind(self) -> str:
        """Return the name of the kind for the part `regression_head`."""
        return "absolute"

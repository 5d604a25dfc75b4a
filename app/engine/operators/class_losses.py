"""The rarer losses of scores and labels: the hinge loss, and the cross entropy as one number."""

from collections.abc import Callable, Sequence
from math import log

import numpy as np

from app.engine.examples import Domain, Example
from app.engine.kernels import losses as kernels
from app.engine.kernels.steps import Step, nothing, overwrite, without_gradient
from app.engine.operator import (
    Array,
    Arrays,
    CodeNames,
    GradientKind,
    Operator,
    OptionalArrays,
    Port,
    Reads,
    Run,
    operator,
)
from app.engine.operators.heads import Loss
from app.engine.operators.lines import label_zeros
from app.engine.operators.passing import Passing
from app.engine.operators.prepared import gradient_lines
from app.engine.params import param
from app.engine.shapes import Inferred, Shapes, merge
from app.engine.work_space import Work


@operator(category="Losses")
class SVMOutput(Passing, Loss):
    """Hand scores through; the gradient is that of the hinge loss, squared unless use_linear."""

    kinds = "f"

    work = Work(keeps_back=0.4, takes_back=4.5)

    margin: float = param(default=1.0, doc="How far the right class should lie from the wrong ones.")
    regularization_coefficient: float = param(default=1.0, doc="Multiplies the gradient.")
    use_linear: bool = param(default=False, doc="Use the plain hinge loss rather than its square.")

    examples = (
        Example({"data": (4, 3)}, domains={"label": Domain(0, 2, whole=True)}, gradient=False),
        Example(
            {"data": (4, 3)}, domains={"label": Domain(0, 2, whole=True)}, gradient=False, use_linear=True
        ),
    )

    def add_gradient(self, index: int, fresh: Array, holder: Array) -> Step:
        """MXNet writes over what the buffer held."""
        return overwrite(fresh, holder)

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """There is one label for each row of classes."""
        data = merge(ins[0], outs[0], "data")
        label = merge(data[:-1], ins[1], "label") if len(data) > 1 else ins[1]
        return (data, label), (data,)

    def prepare_backward(
        self,
        run: Run,
        ins: OptionalArrays,
        outs: OptionalArrays,
        heads: OptionalArrays,
        grads: OptionalArrays,
    ) -> Callable[[], object]:
        """View everything as (samples, classes) once."""
        data, label, grad = outs[0], ins[1], grads[0]
        if data is None or label is None or grad is None:
            return nothing
        flat, target = (array.reshape(-1, array.shape[-1], copy=False) for array in (data, grad))
        label = label.reshape(-1, copy=False)

        def run_gradient() -> None:
            kernels.hinge_gradient(flat, label, target, self.margin, self.use_linear)
            np.multiply(target, self.regularization_coefficient, out=target)

        return run_gradient

    def backward(
        self,
        run: Run,
        ins: OptionalArrays,
        outs: OptionalArrays,
        heads: OptionalArrays,
        grads: OptionalArrays,
    ) -> None:
        """Write the gradient of the hinge loss."""
        self.prepare_backward(run, ins, outs, heads, grads)()

    def objective(self, ins: Arrays) -> float:
        """Return the scaled sum of the hinges."""
        flat = ins[0].reshape(ins[0].shape[0], -1)
        return self.regularization_coefficient * kernels.hinge_loss(
            flat, ins[1], self.margin, self.use_linear
        )

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the slope of the hinge."""
        if index == 1:
            return "none: a label is not learned"
        hinge = "1 where v > 0" if self.use_linear else "2 · max(0, v)"
        right = f"−h({self.margin:g} − x) for the right class"
        return f"{right}, h({self.margin:g} + x) for the others, h(v) = {hinge}, x = {outs[0]}"

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """Call the part `hinge_gradient`."""
        if n.grads[0] is None:
            return label_zeros(n)
        settings = f"{self.margin!r}, {self.regularization_coefficient!r}, {self.use_linear}"
        return [f"{n.grads[0]} = hinge_gradient({n.outs[0]}, {n.ins[1]}, {settings})", *label_zeros(n)]

    def torch_code(self, n: CodeNames) -> list[str]:
        """Call the part `hinge_head`, an autograd function with this gradient."""
        settings = f"{self.margin!r}, {self.regularization_coefficient!r}, {self.use_linear}"
        return [f"{n.outs[0]} = hinge_head({n.ins[0]}, {n.ins[1]}, {settings})"]

    def summary(self) -> str:
        """Return kind and margin."""
        return f"{'linear' if self.use_linear else 'squared'} · margin {self.margin:g}"


_MOST_LOSS = -log(1e-8)
"""MXNet takes no share of a class for less than 1e-8."""


@operator(name="softmax_cross_entropy", category="Losses")
class SoftmaxCrossEntropy(Operator):
    """Sum the cross entropy between softmax(data) and the labels over all samples.

    y = −Σ log softmax(data)[label]
    """

    kinds = "iuf"
    gradient_kinds = "f"

    work = Work(takes=4.3)

    examples = (
        Example({"data": (3, 4)}, domains={"label": Domain(0, 3, whole=True)}),
        Example({"data": (5, 2)}, domains={"label": Domain(0, 1, whole=True)}),
    )

    @property
    def inputs(self) -> tuple[Port, ...]:
        """Scores (samples, classes) and one label per sample."""
        return Port("data"), Port("label", "label")

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """There is one label per sample, and one result."""
        data = merge((0, 0), ins[0], "data")
        label = merge((data[0],), ins[1], "label")
        return ((label[0], data[1]), label), (merge((1,), outs[0], "output"),)

    def forward(self, run: Run, ins: Arrays, outs: Arrays) -> None:
        """Sum −log p of the right class."""
        data, label = ins[0], kernels.whole(ins[1])
        shifted = data - data.max(axis=1, keepdims=True)
        logarithms = np.log(np.exp(shifted).sum(axis=1))
        losses = logarithms - shifted[np.arange(len(data)), label]
        outs[0][...] = np.sum(np.minimum(losses, _MOST_LOSS))

    def gradient_kind(self, index: int) -> GradientKind:
        """The label gets a gradient of zero."""
        return "value" if index == 0 else "zero"

    def gradient_reads(self, index: int) -> Reads:
        """The gradient compares the shares with the labels."""
        return Reads(inputs=(0, 1))

    def backward(
        self,
        run: Run,
        ins: OptionalArrays,
        outs: OptionalArrays,
        heads: OptionalArrays,
        grads: OptionalArrays,
    ) -> None:
        """Write (p − onehot(label)) times the one head gradient."""
        without_gradient(grads)()
        data, label, head, grad = ins[0], ins[1], heads[0], grads[0]
        if data is None or label is None or head is None or grad is None:
            return
        np.exp(data - data.max(axis=1, keepdims=True), out=grad)
        grad /= grad.sum(axis=1, keepdims=True)
        grad[np.arange(len(data)), kernels.whole(label)] -= 1
        grad *= head[0]

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient of the cross entropy."""
        if index == 1:
            return "0: a label is not learned"
        return f"{heads[0]} · (softmax({ins[0]}) − onehot({ins[1]}))"

    def numpy_code(self, n: CodeNames) -> list[str]:
        """Sum what the part `cross_entropies` finds."""
        return [f"{n.outs[0]} = cross_entropies({n.ins[0]}, {n.ins[1]}).sum().reshape(1)"]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """Write (p − onehot(label)) times the one head gradient."""
        classes = n.in_shapes[0][1]
        right = f"({n.ins[1]}.astype(int)[:, None] % {classes} == np.arange({classes}))"
        return gradient_lines(n, [f"(softmax_along({n.ins[0]}, 1) - {right}) * {n.heads[0]}", ""])

    def torch_code(self, n: CodeNames) -> list[str]:
        """Take torch's own; what is cut off the value is not cut off the gradient."""
        result = n.outs[0]
        return [
            f"{result} = F.cross_entropy({n.ins[0]}, {n.ins[1]}.long() % {n.in_shapes[0][1]}, reduction='none')",
            f"{result} = ({result} + ({result}.clamp(max={_MOST_LOSS!r}) - {result}).detach()).sum().reshape(1)",
        ]

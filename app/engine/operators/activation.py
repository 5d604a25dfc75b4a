"""Activation layers: functions that bend what the layer before has added up."""

from collections.abc import Callable, Sequence

import attrs

from app.engine.examples import Domain, Example
from app.engine.kernels import activations as kernels
from app.engine.kernels.steps import Step
from app.engine.operator import Array, Arrays, CodeNames, Reads, operator
from app.engine.operators.lines import assign_zeros
from app.engine.operators.prepared import Flow, InPieces
from app.engine.params import param
from app.engine.shapes import Shapes
from app.engine.split import Split, alike

_APART_FROM_ZERO = {"data": Domain(avoid=(0.0,))}


@attrs.frozen
class Bend:
    """One activation function: how to compute it and its gradient, and how to write both.

    The templates are over x, the result y and the incoming gradient d. `by_output` tells that the gradient reads y
    rather than x.
    """

    forward: Callable[[Array, Array], Step]
    backward: Callable[[Array, Array, Array], Step]
    value: str
    slope: str
    torch: str
    formula: str
    by_output: bool = True


_BENDS = {
    "relu": Bend(
        kernels.relu,
        kernels.relu_gradient,
        "np.maximum({x}, 0)",
        "{d} * ({y} > 0)",
        "torch.relu({x})",
        "{d} where {y} > 0, else 0",
    ),
    "sigmoid": Bend(
        kernels.sigmoid,
        kernels.sigmoid_gradient,
        "0.5 * np.tanh(0.5 * {x}) + 0.5",
        "{d} * {y} * (1 - {y})",
        "torch.sigmoid({x})",
        "{d} · {y} · (1 − {y})",
    ),
    "tanh": Bend(
        kernels.tanh,
        kernels.tanh_gradient,
        "np.tanh({x})",
        "{d} * (1 - {y}**2)",
        "torch.tanh({x})",
        "{d} · (1 − {y}²)",
    ),
    "softrelu": Bend(
        kernels.softrelu,
        kernels.softrelu_gradient,
        "np.logaddexp({x}, 0)",
        "{d} * (1 - np.exp(-{y}))",
        "F.softplus({x})",
        "{d} · (1 − exp(−{y}))",
    ),
    "softsign": Bend(
        kernels.softsign,
        kernels.softsign_gradient,
        "{x} / (1 + np.abs({x}))",
        "{d} / (1 + np.abs({x}))**2",
        "F.softsign({x})",
        "{d} / (1 + |{x}|)²",
        by_output=False,
    ),
}


@operator(category="Activation")
class Activation(InPieces):
    """Apply an activation function to every element.

    relu: max(x, 0) · sigmoid: 1 / (1 + e^−x) · tanh · softrelu: log(1 + eˣ) · softsign: x / (1 + |x|)
    """

    kinds = "f"

    act_type: str = param(
        choices=("relu", "sigmoid", "softrelu", "softsign", "tanh"), doc="Which function is applied."
    )

    examples = (
        Example({"data": (3, 4)}, domains=_APART_FROM_ZERO, act_type="relu"),
        Example({"data": (2, 3, 2, 2)}, act_type="sigmoid"),
        Example({"data": (5,)}, act_type="tanh"),
        Example({"data": (3, 4)}, act_type="softrelu"),
        Example({"data": (3, 4)}, domains=_APART_FROM_ZERO, act_type="softsign"),
    )

    @property
    def _bend(self) -> Bend:
        return _BENDS[self.act_type]

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Set up the work arrays once."""
        return self._bend.forward(ins[0], outs[0])

    @property
    def inplace(self) -> tuple[tuple[int, int], ...]:
        """The result may take data's place."""
        return ((0, 0),)

    @property
    def inplace_backward(self) -> tuple[tuple[int, int], ...]:
        """Only relu's gradient needs no room to compute in before it has read the incoming one."""
        return ((0, 0),) if self.act_type == "relu" else ()

    def splits(self, ins: Shapes, outs: Shapes) -> Sequence[Split]:
        """Elements know nothing of each other."""
        return alike(len(outs[0]), 1, 1, pace=0.1 if self.act_type == "relu" else 0.4)

    def gradient_reads(self, index: int) -> Reads:
        """Most slopes follow from the result alone."""
        return Reads(outputs=(0,)) if self._bend.by_output else Reads(inputs=(0,))

    def backward_steps(self, flow: Flow) -> Sequence[Step]:
        """Set up the work arrays once."""
        source = flow.out if self._bend.by_output else flow.read(0)
        return [self._bend.backward(source, flow.head, grad) for _, grad in flow.wanted]

    def value_formula(self, ins: Sequence[str]) -> str:
        """Name the chosen function."""
        return f"{self.act_type}({ins[0]})"

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the chain rule for the chosen function."""
        return self._bend.formula.format(x=ins[0], y=outs[0], d=heads[0])

    def summary(self) -> str:
        """Return the function's name."""
        return self.act_type

    def numpy_code(self, n: CodeNames) -> list[str]:
        """Write the function in one line."""
        return [f"{n.outs[0]} = {self._bend.value.format(x=n.ins[0])}"]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """Write head times slope in one line."""
        if n.heads[0] is None or n.grads[0] is None:
            return assign_zeros(n)
        return [f"{n.grads[0]} = {self._bend.slope.format(x=n.ins[0], y=n.outs[0], d=n.heads[0])}"]

    def torch_code(self, n: CodeNames) -> list[str]:
        """Call torch's own function."""
        return [f"{n.outs[0]} = {self._bend.torch.format(x=n.ins[0])}"]

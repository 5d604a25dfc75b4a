"""Functions of one number with settings: clip, smooth_l1, hard_sigmoid, quadratic, gradientmultiplier."""

from collections.abc import Sequence
from functools import partial
from math import inf, trunc
from typing import Annotated

import numpy as np

from app.engine.examples import Domain, Example
from app.engine.kernels.steps import Step, copy, in_order, overwrite, ufunc
from app.engine.operator import Array, Arrays, CodeNames, DType, Reads, operator
from app.engine.operators.element_types import cut_number
from app.engine.operators.formulas import for_torch, mathematics, number, template_reads
from app.engine.operators.prepared import Flow, Prepared, gradient_lines, present
from app.engine.params import WIDE, param
from app.engine.shapes import Shapes
from app.engine.split import Split, alike
from app.engine.work_space import Work


class Formula(Prepared):
    """A function of one number whose templates hold settings; x is the argument, y the value, d what comes in."""

    @property
    def inplace(self) -> tuple[tuple[int, int], ...]:
        """The value may overwrite the data."""
        return ((0, 0),)

    @property
    def inplace_backward(self) -> tuple[tuple[int, int], ...]:
        """The gradient may overwrite the incoming one."""
        return ((0, 0),)

    def splits(self, ins: Shapes, outs: Shapes) -> Sequence[Split]:
        """Elements know nothing of each other."""
        return alike(len(outs[0]), 1, 1)

    def templates(self) -> tuple[str, str]:
        """Return the templates of the value and of the gradient."""
        raise NotImplementedError(self.op_name)

    def slope(self, x: Array | None, y: Array | None) -> Array:
        """Return the slope as a new array, from what the gradient's template names."""
        raise NotImplementedError(self.op_name)

    def gradient_reads(self, index: int) -> Reads:
        """Read only what the formula names."""
        return template_reads(self.templates()[1], ("x",))

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients."""

        def step(grad: Array) -> None:
            np.multiply(flow.head, self.slope(flow.ins[0], flow.outs[0]), out=grad, casting="unsafe")

        return [partial(step, grad) for _, grad in flow.wanted]

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        return mathematics(self.templates()[1]).format(x=ins[0], y=outs[0], d=heads[0])

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = {self.templates()[0].format(x=n.ins[0])}"]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return gradient_lines(n, [self.templates()[1].format(x=n.ins[0], y=n.outs[0], d=n.heads[0])])

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = {for_torch(self.templates()[0]).format(x=n.ins[0])}"]


@operator(name="clip", category="Functions")
class Clip(Formula):
    """Raise what is below a_min to it, and lower what is above a_max to that.

    y = max(a_min, min(a_max, x))
    """

    gradient_kinds = "iuf"

    work = Work(takes_back=0.8)

    a_min: float = param(doc="The lowest value.")
    a_max: float = param(doc="The highest value.")

    examples = (
        Example({"data": (4, 5)}, domains={"data": Domain(-2, 2, avoid=(-0.5, 0.7))}, a_min=-0.5, a_max=0.7),
    )

    def add_gradient(self, index: int, fresh: Array, holder: Array) -> Step:
        """MXNet writes over what the buffer held."""
        return overwrite(fresh, holder)

    def templates(self) -> tuple[str, str]:
        """Write value and gradient."""
        low, high = number(self.a_min), number(self.a_max)
        value = f"np.clip({{x}}, {low}, {high})" if self.a_min <= self.a_max else self.in_turn
        return value, f"np.where(({{x}} < {low}) | ({{x}} > {high}), 0, {{d}})"

    @property
    def in_turn(self) -> str:
        """Look at the upper bound first, as MXNet does; that matters where the bounds are crossed."""
        low, high = number(self.a_min), number(self.a_max)
        return f"np.where({{x}} > {high}, {high}, np.where({{x}} < {low}, {low}, {{x}}))"

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line; the gradient of torch.clip would stop at what is no number."""
        return [f"{n.outs[0]} = {for_torch(self.in_turn).format(x=n.ins[0])}"]

    def outside(self, data: Array) -> tuple[Array, Array]:
        """Tell what lies above a_max, and below a_min; what is no number lies nowhere."""
        return np.greater(data, np.float32(self.a_max)), np.less(data, np.float32(self.a_min))

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Let the incoming gradient through wherever the data was left as it is."""
        data, head = flow.read(0), flow.head

        def step(grad: Array) -> None:
            above, below = self.outside(data)
            np.copyto(grad, head)
            np.copyto(grad, 0, where=np.logical_or(above, below, out=above))

        return [partial(step, grad) for _, grad in flow.wanted]

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        data, result = ins[0], outs[0]
        low, high = (cut_number(bound, result.dtype) for bound in (self.a_min, self.a_max))
        if self.is_plain(result.dtype):
            return in_order(
                [ufunc(np.maximum, data, low, out=result), ufunc(np.minimum, result, high, out=result)]
            )

        def run_in_turn() -> None:
            above, below = self.outside(data)
            np.copyto(result, np.where(above, high, np.where(below, low, data)))

        return run_in_turn

    def is_plain(self, dtype: DType) -> bool:
        """Tell whether the bounds are in order and within a type, so that the order of looking at them is no matter."""
        least, most = (np.iinfo(dtype).min, np.iinfo(dtype).max) if dtype.kind in "iu" else (-inf, inf)
        return least <= self.a_min <= self.a_max <= most

    def summary(self) -> str:
        """The bounds."""
        return f"{self.a_min:g} … {self.a_max:g}"


@operator(name="smooth_l1", category="Functions")
class SmoothL1(Formula):
    """Square small elements, and take the size of large ones; the two meet smoothly at 1/s².

    y = (s·x)² / 2 where |x| < 1/s², else |x| − 1/(2s²)
    """

    gradient_kinds = "iuf"

    work = Work(takes=4.5)

    scalar: Annotated[float, WIDE] = param(default=1.0, doc="s: the larger, the narrower the square part.")

    examples = (
        Example({"data": (3, 4)}, domains={"data": Domain(-2, 2, avoid=(-1, 1))}, scalar=1.0),
        Example({"data": (3, 4)}, domains={"data": Domain(-2, 2, avoid=(-0.25, 0.25))}, scalar=2.0),
    )

    def _scalar(self, dtype: DType) -> float:
        """Return s as MXNet takes it: beside whole numbers it is one too."""
        return float(trunc(self.scalar)) if dtype.kind in "iu" else self.scalar

    def templates(self) -> tuple[str, str]:
        """Write value and gradient."""
        square, edge = number(self.scalar * self.scalar), number(_edge(self.scalar))
        inside = f"np.abs({{x}}) < {edge}"
        value = f"np.where({inside}, {square} * {{x}}**2 / 2, np.abs({{x}}) - {edge} / 2)"
        return value, f"np.where({inside}, {{d}} * {square} * {{x}}, {{d}} * np.sign({{x}}))"

    def slope(self, x: Array | None, y: Array | None) -> Array:
        """s²·x within, the sign outside."""
        data = np.asarray(x)
        s = self._scalar(data.dtype)
        return np.where(np.abs(data) < _edge(s), s * s * data, np.sign(data))

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        s = self._scalar(ins[0].dtype)
        edge = _edge(s)

        def run() -> None:
            size = np.abs(ins[0])
            small = 0.5 * np.square(s * ins[0])
            np.copyto(outs[0], np.where(size < edge, small, size - 0.5 * edge), casting="unsafe")

        return run

    def summary(self) -> str:
        """The number."""
        return f"{self.scalar:g}"


def _edge(s: float) -> float:
    """Return where the square part of smooth_l1 ends; with s = 0 nowhere."""
    return 1 / (s * s) if s * s else inf


@operator(name="hard_sigmoid", category="Functions")
class HardSigmoid(Formula):
    """Squash to between 0 and 1 along a straight line.

    y = max(0, min(1, α·x + β))
    """

    work = Work(takes_back=2.1)

    alpha: float = param(default=0.2, doc="Slope of the line.")
    beta: float = param(default=0.5, doc="Height of the line at 0.")

    examples = (
        Example({"data": (3, 4)}, domains={"data": Domain(-4, 4, avoid=(-2.5, 2.5))}),
        Example({"data": (5,)}, domains={"data": Domain(-1, 1)}, alpha=0.3, beta=0.4),
    )

    def templates(self) -> tuple[str, str]:
        """Write value and gradient."""
        alpha, beta = number(self.alpha), number(self.beta)
        value = f"np.clip({alpha} * {{x}} + {beta}, 0, 1)"
        return value, f"{{d}} * {alpha} * (({{y}} > 0) & ({{y}} < 1))"

    def slope(self, x: Array | None, y: Array | None) -> Array:
        """α on the line, 0 elsewhere."""
        value = np.asarray(y)
        return self.alpha * np.logical_and(value > 0, value < 1).astype(value.dtype)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        out = outs[0]
        alpha, beta, low, high = (np.array(value, out.dtype) for value in (self.alpha, self.beta, 0, 1))
        return in_order(
            [
                ufunc(np.multiply, ins[0], alpha, out=out),
                ufunc(np.add, out, beta, out=out),
                ufunc(np.maximum, out, low, out=out),
                ufunc(np.minimum, out, high, out=out),
            ]
        )


@operator(name="_contrib_quadratic", category="Functions")
class Quadratic(Formula):
    """Compute a square function.

    y = a · x² + b · x + c
    """

    kinds = "iuf"

    work = Work(takes=1.2, takes_back=2.2)

    a: float = param(default=0.0, doc="What the square is multiplied with.")
    b: float = param(default=0.0, doc="What the number is multiplied with.")
    c: float = param(default=0.0, doc="What is added.")

    examples = (Example({"data": (2, 3)}, a=0.5, b=-1.5, c=2.0), Example({"data": (4,)}))

    def templates(self) -> tuple[str, str]:
        """Write value and gradient."""
        a, b, c = number(self.a), number(self.b), number(self.c)
        return f"{a} * {{x}}**2 + {b} * {{x}} + {c}", f"{{d}} * ({number(2 * self.a)} * {{x}} + {b})"

    def slope(self, x: Array | None, y: Array | None) -> Array:
        """2a · x + b."""
        found: Array = np.multiply(present(x), np.float32(2 * self.a))
        found += np.float32(self.b)
        return found

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        a, b, c = (np.float32(factor) for factor in (self.a, self.b, self.c))

        def run() -> None:
            found = np.multiply(ins[0], a)
            found += b
            found *= ins[0]
            found += c
            np.copyto(outs[0], found, "unsafe")

        return run

    def summary(self) -> str:
        """The function."""
        return f"{self.a:g}·x² + {self.b:g}·x + {self.c:g}"


@operator(name="_contrib_gradientmultiplier", category="Functions")
class GradientMultiplier(Formula):
    """Hand the data through, and its gradient a number of times: a negative number turns it round."""

    gradient_kinds = "iuf"

    scalar: Annotated[float, WIDE] = param(default=1.0, doc="What the gradient is multiplied with.")
    is_int: bool = param(default=True, advanced=True, doc="Kept in files; makes no difference.")

    # The gradient is not that of what is computed, so finite differences cannot agree.
    examples = (Example({"data": (2, 3)}, scalar=-0.5, gradient=False),)

    def templates(self) -> tuple[str, str]:
        """Write value and gradient."""
        return "{x}.copy()", f"{{d}} * {number(self.scalar)}"

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        return copy(ins[0], outs[0])

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Multiply what comes in; beside whole numbers the factor is cut too."""
        return [
            ufunc(np.multiply, flow.head, cut_number(self.scalar, grad.dtype), out=grad)
            for _, grad in flow.wanted
        ]

    def torch_code(self, n: CodeNames) -> list[str]:
        """Call the part `with_scaled_gradient`."""
        return [f"{n.outs[0]} = with_scaled_gradient({n.ins[0]}, {number(self.scalar)})"]

    def summary(self) -> str:
        """The number."""
        return f"× {self.scalar:g} backward"

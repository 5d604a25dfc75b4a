"""How a function of one number becomes an operator in one line."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

import attrs
import numpy as np

from app.engine.examples import Domain, Example
from app.engine.kernels.pieces import in_pieces, through_whole_slopes
from app.engine.kernels.steps import Step, in_order, ufunc
from app.engine.operator import Array, Arrays, CodeNames, GradientKind, Operator, Reads, operator
from app.engine.operators.formulas import for_torch, mathematics, template_reads
from app.engine.operators.prepared import Flow, InPieces, gradient_lines
from app.engine.shapes import Shapes
from app.engine.split import Split, alike

Compute = Callable[[Array, Array], Step]
"""Makes the step that writes the function of the first array into the second."""
Gradient = Callable[[Array, Any, Any, Array], Step]
"""Makes the step that writes a gradient: incoming gradient, argument, value, and where to write."""


@attrs.frozen
class Value:
    """A function of one number: how it is computed, and its template over the argument x in numpy and in PyTorch.

    Without a template of its own PyTorch's is numpy's with the other name in front. `formula` is the template for
    people where it is not numpy's respelt.
    """

    compute: Compute
    code: str
    torch: str = ""
    formula: str = ""

    def told(self, x: str) -> str:
        """Write the function for people, of an argument with this name."""
        return (self.formula or mathematics(self.code)).format(x=x)


@attrs.frozen
class Slope:
    """The gradient of a function: its template over the argument x, the value y and the incoming gradient d.

    An empty template is a gradient of zero everywhere. `whole` is for whole numbers, where the value is cut: it reads x
    alone, as MXNet does.
    """

    code: str = ""
    step: Gradient | None = None
    whole: Gradient | None = None


class Unary(InPieces):
    """A function applied to every element."""

    value: ClassVar[Value]
    slope: ClassVar[Slope]

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
        return alike(len(outs[0]), 1, 1, pace=0.4)

    @property
    def strips(self) -> Split:
        """Every element knows only its like."""
        return Split((0,), (0,))

    def gradient_kind(self, index: int) -> GradientKind:
        """A function that is flat wherever it does not jump has gradient zero."""
        return "value" if self.slope.code else "zero"

    def gradient_reads(self, index: int) -> Reads:
        """Read only what the formula names."""
        reads = template_reads(self.slope.code, ("x",))
        return reads if self.slope.whole is None else attrs.evolve(reads, inputs=(0,))

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        return self.value.compute(ins[0], outs[0])

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients."""
        step = self.slope.step
        if step is None:
            return []
        read = (flow.ins[0], flow.outs[0])
        return [
            through_whole_slopes(self.slope.whole or step, flow.head, read, grad)
            if grad.dtype.kind in "iu"
            else step(flow.head, *read, grad)
            for _, grad in flow.wanted
        ]

    def value_formula(self, ins: Sequence[str]) -> str:
        """Write the function of the data, or name it where its formula does not name the data."""
        if "{x}" not in (self.value.formula or self.value.code):
            return super().value_formula(ins)
        return self.value.told(ins[0])

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        return mathematics(self.slope.code).format(x=ins[0], y=outs[0], d=heads[0])

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        if not self.value.code:
            raise NotImplementedError(f"numpy has no {self.op_name}")
        return [f"{n.outs[0]} = {self.value.code.format(x=n.ins[0])}"]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """One line."""
        if not self.value.code:
            raise NotImplementedError(f"numpy has no {self.op_name}")
        return gradient_lines(n, [self.slope.code.format(x=n.ins[0], y=n.outs[0], d=n.heads[0])])

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line."""
        template = self.value.torch or for_torch(self.value.code)
        if not template:
            raise NotImplementedError(f"PyTorch has no {self.op_name}")
        return [f"{n.outs[0]} = {template.format(x=n.ins[0])}"]


def unary(
    name: str,
    value: np.ufunc | Value,
    slope: Slope,
    *,
    doc: str,
    domain: Domain | None = None,
    passing_pieces: int = InPieces.passing_pieces,
    **declared: Any,
) -> type[Operator]:
    """Declare the operator `name` that applies one function to every element.

    `declared` may hold the category, the sign and the aliases, and the kinds of element types.
    """
    if isinstance(value, np.ufunc):
        value = Value(elementwise(value), f"np.{value.__name__}({{x}})")
    domains: Mapping[str, Domain] = {"data": domain or Domain()}
    formula = value.told("x")
    members: dict[str, Any] = {
        "__doc__": f"{doc}\n\ny = {formula}",
        "__module__": __name__,
        "value": value,
        "slope": slope,
        "passing_pieces": passing_pieces,
        **{key: declared.pop(key) for key in ("kinds", "gradient_kinds") if key in declared},
        "examples": tuple(Example({"data": shape}, domains=domains) for shape in ((2, 3, 4), (5,))),
    }
    declared = {"category": "Functions", **declared}
    return operator(name=name, **declared)(type(name, (Unary,), members))


def elementwise(function: np.ufunc) -> Compute:
    """Return how one of numpy's element functions is applied."""
    return lambda x, out: ufunc(function, x, out=out)


def computed(function: Callable[[Any], Array]) -> Compute:
    """Return how a function that makes a new array is applied."""

    def prepare(x: Array, out: Array) -> Step:
        return in_pieces(partial(partial, compute), x, out)

    def compute(x: Array, out: Array) -> None:
        np.copyto(out, function(x), casting="unsafe")

    return prepare


def by(
    code: str, slope: Callable[[Any, Any], Array], *, whole: Callable[[Any, Any], Array] | None = None
) -> Slope:
    """Return the gradient d · slope(x, y), with its template; `whole` is the slope from x alone for whole numbers."""
    return Slope(code, _times(slope), None if whole is None else _times(whole))


def _times(slope: Callable[[Any, Any], Array]) -> Gradient:
    def prepare(d: Array, x: Any, y: Any, out: Array) -> Step:
        return in_pieces(partial(partial, compute), d, x, y, out)

    def compute(d: Array, x: Any, y: Any, out: Array) -> None:
        np.multiply(d, slope(x, y), out=out, casting="unsafe")

    return prepare


def chain(code: str, *links: tuple[np.ufunc, str]) -> Slope:
    """Return the gradient that starts from d and applies two-place functions with x, y, or a number, one by one.

    `chain("{d} * 2 * {x}", (np.multiply, "x"), (np.multiply, "2"))` is d · x · 2.
    """

    def prepare(d: Array, x: Any, y: Any, out: Array) -> Step:
        steps, value = [], d
        for function, operand in links:
            other = {"x": x, "y": y}[operand] if operand in "xy" else np.array(float(operand), out.dtype)
            steps.append(ufunc(function, value, other, out=out))
            value = out
        return in_order(steps)

    return Slope(code, prepare)


FLAT = Slope()
"""No gradient: the function is constant wherever it does not jump."""

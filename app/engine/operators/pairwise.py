"""Functions of two numbers, and the three kinds of operators that each makes: same shapes, broadcast, with a scalar."""

from collections.abc import Sequence
from math import log, nan
from typing import Annotated, Any, ClassVar

import attrs
import numpy as np

from app.engine.errors import ShapeError
from app.engine.examples import Domain, Example
from app.engine.kernels import pairs
from app.engine.kernels.pairs import Compute, Slope
from app.engine.kernels.pieces import through_whole_slopes
from app.engine.kernels.reduction import sum_to
from app.engine.kernels.steps import Step
from app.engine.operator import (
    Array,
    Arrays,
    CodeNames,
    DType,
    GradientKind,
    Operator,
    Port,
    Reads,
    Types,
    operator,
)
from app.engine.operators.element_types import cut_number
from app.engine.operators.formulas import mathematics, number, template_reads
from app.engine.operators.prepared import Flow, InPieces, gradient_lines
from app.engine.params import WIDE, param
from app.engine.shapes import Inferred, Shape, Shapes, element_count, text
from app.engine.split import Split
from app.engine.work_space import WorkSpace

_ANY = Domain()


@attrs.frozen(kw_only=True)
class Pair:
    """A function of two numbers with the gradient of each side.

    `value`, `left` and `right` are templates over a, b, the value y and the incoming gradient d. A side without a
    gradient (a comparison) has an empty template. `torch_scalar` is for a number beside an array, where that differs.
    """

    compute: Compute
    left_step: Slope | None = None
    right_step: Slope | None = None
    value: str
    torch: str
    torch_scalar: str = ""
    left: str = ""
    right: str = ""
    sign: str = ""
    category: str = "Arithmetic"
    formula: str = ""
    """The value for people, as a template; made from `value` when empty."""
    left_domain: Domain = _ANY
    right_domain: Domain = _ANY
    whole: tuple[Slope, Slope] | None = None
    """How the gradients of whole numbers are computed, where MXNet does it otherwise."""
    kinds: str = Operator.kinds
    gradient_kinds: str = Operator.gradient_kinds
    scalars: tuple[float, ...] = (1.5,)
    """Numbers that suit the examples of the scalar forms."""

    @property
    def told(self) -> str:
        """The template of the value for people."""
        return self.formula or mathematics(self.value)

    def side(self, index: int) -> tuple[Slope | None, str]:
        """Return how to compute and how to write the gradient of one side."""
        return (self.left_step, self.left) if index == 0 else (self.right_step, self.right)


class PairOperator(InPieces):
    """What all operators made of a pair share: prepared steps, and code from templates."""

    pair: ClassVar[Pair]

    def template(self, index: int) -> str:
        """Return the template of the gradient of an input."""
        return self.pair.side(index)[1]

    def slope(self, side: int, dtype: DType) -> Slope | None:
        """Return how the gradient of one side is computed for numbers of a type."""
        if dtype.kind in "iu" and self.pair.whole is not None:
            return self.pair.whole[side]
        return self.pair.side(side)[0]

    def gradient_kind(self, index: int) -> GradientKind:
        """A function that jumps has gradient zero."""
        return "value" if self.template(index) else "zero"

    def splits(self, ins: Shapes, outs: Shapes) -> Sequence[Split]:
        """Elements know nothing of each other; an operand that is repeated along an axis is shared by its halves."""
        rank = len(outs[0])
        if any(len(shape) != rank for shape in ins):
            return ()
        repeated = [[axis if shape[axis] > 1 else None for shape in ins] for axis in range(rank)]
        return [Split(tuple(axes), (axis,)) for axis, axes in enumerate(repeated)]

    def value_formula(self, ins: Sequence[str]) -> str:
        """Write the function of both operands."""
        return self.fill(self.pair.told, ins, "", "")

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        return self.fill(mathematics(self.template(index)), ins, outs[0], heads[0])

    def fill(self, template: str, ins: Sequence[str], out: str, head: str) -> str:
        """Put names into a template."""
        return template.format(a=ins[0], b=ins[1], y=out, d=head)

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = {self.fill(self.pair.value, n.ins, n.outs[0], '')}"]

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = {self.fill(self.pair.torch, n.ins, n.outs[0], '')}"]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """One line for each wanted gradient."""
        lines = []
        for index, shape in enumerate(n.in_shapes):
            line = self.fill(self.template(index), n.ins, n.outs[0], n.heads[0] or "")
            lines.append(f"unbroadcast({line}, {shape})" if line and shape != n.out_shapes[0] else line)
        return gradient_lines(n, lines)


def _slope_step(slope: Slope, flow: Flow, operands: Sequence[Any], out: Array) -> Step:
    left, right = operands
    if out.dtype.kind in "iu":
        return through_whole_slopes(slope, flow.head, (left, right, flow.outs[0]), out)
    return slope(flow.head, left, right, flow.outs[0], out)


class SameShapes(PairOperator):
    """A pair applied to two arrays of one shape."""

    @property
    def inputs(self) -> tuple[Port, ...]:
        """Two operands."""
        return (Port("lhs"), Port("rhs"))

    @property
    def inplace(self) -> tuple[tuple[int, int], ...]:
        """The value may overwrite an operand."""
        return ((0, 0), (1, 0))

    @property
    def inplace_backward(self) -> tuple[tuple[int, int], ...]:
        """One gradient may overwrite the incoming one."""
        return ((0, 0), (0, 1))

    @property
    def strips(self) -> Split | None:
        """Every element knows only its like."""
        return Split((0, 0), (0,))

    def gradient_reads(self, index: int) -> Reads:
        """Read only what the formula names, and both operands where whole numbers need them."""
        reads = template_reads(self.template(index), ("a", "b"))
        return reads if self.pair.whole is None or not reads.inputs else attrs.evolve(reads, inputs=(0, 1))

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        return self.pair.compute(ins[0], ins[1], outs[0])

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients."""
        steps = []
        for index, grad in flow.wanted:
            slope = self.slope(index, grad.dtype)
            if slope is not None:
                steps.append(_slope_step(slope, flow, flow.ins, grad))
        return steps


class Broadcast(SameShapes):
    """A pair applied to two arrays of which either may be repeated along axes of size 1, aligned on the right."""

    @property
    def strips(self) -> Split | None:
        """What is repeated is summed over rows."""
        return None

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Find the shape of the value; each size is the larger one, unless they contradict."""
        left, right = ins
        if not left or not right:
            return (left, right), (outs[0],)
        rank = max(len(left), len(right))
        sizes = [
            _joined(one, other, ins)
            for one, other in zip(
                (1,) * (rank - len(left)) + left, (1,) * (rank - len(right)) + right, strict=True
            )
        ]
        return (left, right), (tuple(sizes),)

    def scratch(self, ins: Shapes, outs: Shapes, *, gradients: bool) -> WorkSpace:
        """Count, beside pieces, the whole gradient of each side before it is summed."""
        pieces, result = super().scratch(ins, outs, gradients=gradients), element_count(outs[0])
        return WorkSpace(pieces.kept + 2 * result, pieces.passing + result) if gradients else pieces

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        plain = super().explain(index, ins, outs, heads)
        return f"{plain}, summed to the shape of {ins[index]}" if plain else ""

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients."""
        steps = []
        for index, grad in flow.wanted:
            slope = self.slope(index, grad.dtype)
            if slope is pairs.keep:
                steps.append(sum_to(flow.head, grad))
            elif slope is not None and grad.shape == flow.head.shape:
                steps.append(_slope_step(slope, flow, flow.ins, grad))
            elif slope is not None:
                work = np.empty_like(flow.head)
                steps += [_slope_step(slope, flow, flow.ins, work), sum_to(work, grad)]
        return steps


def _joined(one: int, other: int, ins: Shapes) -> int:
    if other in (one, 1):
        return one
    if one == 1:
        return other
    if one and other:
        raise ShapeError(
            f"{text(ins[0])} and {text(ins[1])} do not broadcast: sizes must be equal or 1.", port="rhs"
        )
    return one or other


@attrs.frozen
class WithScalar(PairOperator):
    """A pair applied to an array and one number."""

    scalar: Annotated[float, WIDE] = param(default=1.0, doc="The number on the other side.")
    is_int: bool = param(
        default=True, doc="Whether the number counts as a whole one beside whole-number data.", advanced=True
    )
    mirrored: ClassVar[bool] = False
    """Whether the number stands on the left."""

    @property
    def strips(self) -> Split:
        """Every element knows only its like."""
        return Split((0,), (0,))

    @property
    def inplace(self) -> tuple[tuple[int, int], ...]:
        """The value may overwrite the data."""
        return ((0, 0),)

    @property
    def inplace_backward(self) -> tuple[tuple[int, int], ...]:
        """The gradient may overwrite the incoming one."""
        return ((0, 0),)

    def template(self, index: int) -> str:
        """Return the gradient of the side on which the data stands."""
        return self.pair.side(int(self.mirrored))[1]

    def gradient_reads(self, index: int) -> Reads:
        """Read only what the formula names."""
        return template_reads(self.template(0), ("b",) if self.mirrored else ("a",))

    def infer_types(self, ins: Types, outs: Types) -> tuple[Types, Types]:
        """Whole-number data with a broken number gives float64; else one type for both."""
        given = ins[0]
        if given is not None and given.kind in "iub" and not self.is_int:
            return (given,), (_FLOAT64,)
        return super().infer_types(ins, outs)

    def _operands(self, data: Array | None, dtype: DType) -> tuple[Any, Any]:
        scalar = cut_number(self.scalar, dtype)
        return (scalar, data) if self.mirrored else (data, scalar)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        left, right = self._operands(ins[0], outs[0].dtype)
        return self.pair.compute(left, right, outs[0])

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients."""
        steps, reads = [], self.gradient_reads(0)
        for _, grad in flow.wanted:
            slope = self.slope(int(self.mirrored), grad.dtype)
            if slope is not None:
                operands = self._operands(flow.ins[0], grad.dtype)
                if reads.inputs or reads.outputs:
                    steps.append(_slope_step(slope, flow, operands, grad))
                else:  # d times or over the number: there is no slope that MXNet would cut
                    steps.append(slope(flow.head, *operands, flow.outs[0], grad))
        return steps

    def fill(self, template: str, ins: Sequence[str], out: str, head: str) -> str:
        """Put the names and the number into a template."""
        spelt = number(self.scalar)
        if self.mirrored:  # numpy's logarithm of a number would make float64 of everything it meets
            logarithm = number(log(self.scalar) if self.scalar > 0 else nan)
            template = template.replace("np.log({a})", logarithm)
        template = _with_exponent(template, self.scalar - 1)
        left, right = (spelt, ins[0]) if self.mirrored else (ins[0], spelt)
        return template.format(a=left, b=right, y=out, d=head)

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line."""
        template = self.pair.torch_scalar or self.pair.torch
        return [f"{n.outs[0]} = {self.fill(template, n.ins, n.outs[0], '')}"]

    def summary(self) -> str:
        """The number."""
        return number(self.scalar).strip("()")


def _with_exponent(template: str, exponent: float) -> str:
    """Work out the exponent in the slope of a power: `2 * x` instead of `2 * x ** (2 - 1)`."""
    for power, difference in ((" ** ", "({b} - 1)"), (" ^ ", "({b} − 1)")):
        spelt = "" if exponent == 1 else f"{power}{number(exponent)}"
        template = template.replace(f"{power}{difference}", spelt)
    return template


_FLOAT64 = np.dtype(np.float64)


def same_shapes(name: str, pair: Pair, *, aliases: tuple[str, ...] = (), doc: str) -> type[Operator]:
    """Declare the operator that applies `pair` to two arrays of one shape."""
    example = Example(
        {"lhs": (3, 4), "rhs": (3, 4)}, domains={"lhs": pair.left_domain, "rhs": pair.right_domain}
    )
    return _declare(name, SameShapes, pair, aliases=aliases, doc=doc, examples=(example,))


def broadcast(name: str, pair: Pair, *, aliases: tuple[str, ...] = (), doc: str) -> type[Operator]:
    """Declare the operator that applies `pair` to two arrays that broadcast."""
    shapes: tuple[tuple[Shape, Shape], ...] = (
        ((2, 3), (2, 3)),
        ((2, 3, 4), (1, 3, 1)),
        ((3, 1), (3, 4)),
        ((4,), (2, 3, 4)),
        ((1,), (3, 2)),
    )
    domains = {"lhs": pair.left_domain, "rhs": pair.right_domain}
    examples = tuple(Example({"lhs": left, "rhs": right}, domains=domains) for left, right in shapes)
    return _declare(name, Broadcast, pair, aliases=aliases, doc=doc, examples=examples)


def with_scalar(
    name: str, pair: Pair, *, aliases: tuple[str, ...] = (), doc: str, mirrored: bool = False
) -> type[Operator]:
    """Declare the operator that applies `pair` to an array and a number; `mirrored` puts the number on the left."""
    domain = pair.right_domain if mirrored else pair.left_domain
    examples = tuple(
        Example({"data": (3, 4)}, domains={"data": domain}, scalar=scalar) for scalar in pair.scalars
    )
    return _declare(name, WithScalar, pair, aliases=aliases, doc=doc, examples=examples, mirrored=mirrored)


def _declare(
    name: str,
    kind: type[PairOperator],
    pair: Pair,
    *,
    aliases: tuple[str, ...],
    doc: str,
    **constants: Any,
) -> type[Operator]:
    left, right = "a", "b"
    if issubclass(kind, WithScalar):
        left, right = ("s", "x") if constants["mirrored"] else ("x", "s")
    formula = pair.told.format(a=left, b=right)
    members = {
        "__doc__": f"{doc}\n\ny = {formula}",
        "__module__": kind.__module__,
        "pair": pair,
        "kinds": pair.kinds,
        "gradient_kinds": pair.gradient_kinds,
        **constants,
    }
    made = type(name, (kind,), members)
    return operator(name=name, category=pair.category, aliases=aliases, sign=pair.sign)(made)

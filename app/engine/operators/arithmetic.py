"""Addition, subtraction, multiplication, division and their like: same shapes, broadcast, and with a number."""

from collections.abc import Sequence

import numpy as np

from app.engine.examples import Domain, Example
from app.engine.kernels import pairs
from app.engine.kernels.steps import Step, copy, in_order, ufunc
from app.engine.operator import Arrays, CodeNames, Port, Reads, operator
from app.engine.operators.pairwise import Pair, broadcast, same_shapes, with_scalar
from app.engine.operators.prepared import Flow, Prepared, gradient_lines
from app.engine.params import param
from app.engine.shapes import Shapes
from app.engine.split import Split, alike

ADD = Pair(
    compute=pairs.applied("add"),
    left_step=pairs.keep,
    right_step=pairs.keep,
    value="{a} + {b}",
    torch="{a} + {b}",
    left="{d}",
    right="{d}",
    sign="+",
    scalars=(1.5, -2.0),
)
SUBTRACT = Pair(
    kinds="iuf",
    compute=pairs.applied("subtract"),
    left_step=pairs.keep,
    right_step=pairs.negate,
    value="{a} - {b}",
    torch="{a} - {b}",
    left="{d}",
    right="-{d}",
    sign="−",
    scalars=(1.5, -2.0),
)
MULTIPLY = Pair(
    compute=pairs.applied("multiply"),
    left_step=pairs.times_right,
    right_step=pairs.times_left,
    value="{a} * {b}",
    torch="{a} * {b}",
    left="{d} * {b}",
    right="{d} * {a}",
    sign="×",
    scalars=(3.0, -0.5),
)
DIVIDE = Pair(
    gradient_kinds="iuf",
    compute=pairs.applied("divide"),
    left_step=pairs.over_right,
    right_step=pairs.divisor,
    value="{a} / {b}",
    torch="{a} / {b}",
    left="{d} / {b}",
    right="-{d} * {a} / {b}**2",
    sign="÷",
    right_domain=Domain(0.5, 2.0),
    scalars=(4.0, -2.0),
)
POWER = Pair(
    gradient_kinds="iuf",
    compute=pairs.raise_to,
    left_step=pairs.base,
    right_step=pairs.exponent,
    value="{a} ** {b}",
    torch="{a} ** {b}",
    left="{d} * {b} * {a} ** ({b} - 1)",
    right="{d} * {y} * np.log({a})",
    sign="xʸ",
    left_domain=Domain(0.5, 2.0),
    scalars=(2.0, 0.5, 3.0),
)
MODULO = Pair(
    kinds="iuf",
    compute=pairs.remainder,
    left_step=pairs.keep,
    right_step=pairs.modulus,
    value="np.where({b} == 0, 0, np.mod({a}, {b}))",
    torch="torch.where({b} == 0, 0 * {a}, torch.remainder({a}, {b}))",
    formula="{a} mod {b}, with the sign of {b}",
    torch_scalar="torch.remainder(torch.as_tensor({a}), {b})",
    left="{d}",
    right="-{d} * np.floor({a} / {b})",
    whole=(pairs.flat, pairs.flat),
    sign="%",
    left_domain=Domain(0.1, 0.9),
    right_domain=Domain(1.1, 1.9),
    scalars=(1.0,),
)
MAXIMUM = Pair(
    compute=pairs.applied("maximum"),
    left_step=pairs.where_holds(np.greater_equal),
    right_step=pairs.where_holds(np.less),
    value="np.maximum({a}, {b})",
    torch="torch.where(({a} >= {b}) | ({a} != {a}), {a}, {b})",
    torch_scalar="{a}.clamp(min={b})",
    left="{d} * ({a} >= {b})",
    right="{d} * ({a} < {b})",
    sign="max",
    scalars=(0.3,),
)
MINIMUM = Pair(
    compute=pairs.applied("minimum"),
    left_step=pairs.where_holds(np.less_equal),
    right_step=pairs.where_holds(np.greater),
    value="np.minimum({a}, {b})",
    torch="torch.where(({a} <= {b}) | ({a} != {a}), {a}, {b})",
    torch_scalar="{a}.clamp(max={b})",
    left="{d} * ({a} <= {b})",
    right="{d} * ({a} > {b})",
    sign="min",
    scalars=(0.3,),
)
HYPOT = Pair(
    compute=pairs.applied("hypot"),
    left_step=pairs.leg_left,
    right_step=pairs.leg_right,
    value="np.hypot({a}, {b})",
    torch="torch.hypot({a}, {b})",
    torch_scalar="torch.hypot({a}, torch.as_tensor({b}, dtype={a}.dtype))",
    formula="√({a}² + {b}²)",
    left="{d} * {a} / {y}",
    right="{d} * {b} / {y}",
    whole=(pairs.leg_left_whole, pairs.leg_right_whole),
    sign="√",
    scalars=(0.7,),
)

_elemwise_add = same_shapes(
    "elemwise_add", ADD, aliases=("_Plus", "_add", "_plus"), doc="Add two arrays of one shape."
)
_elemwise_add.echoes = {1: 0}
_elemwise_add.hands_on = True
same_shapes(
    "elemwise_sub", SUBTRACT, aliases=("_Minus", "_minus", "_sub"), doc="Subtract an array of the same shape."
)
same_shapes("elemwise_mul", MULTIPLY, aliases=("_Mul", "_mul"), doc="Multiply two arrays element by element.")
same_shapes("elemwise_div", DIVIDE, aliases=("_Div", "_div"), doc="Divide by an array of the same shape.")
same_shapes("_power", POWER, aliases=("_Power",), doc="Raise each element to the power beside it.")
same_shapes(
    "_mod", MODULO, aliases=("_Mod",), doc="Take the remainder of a division; it has the divisor's sign."
)
same_shapes("_maximum", MAXIMUM, aliases=("_Maximum",), doc="Take the larger of two elements.")
same_shapes("_minimum", MINIMUM, aliases=("_Minimum",), doc="Take the smaller of two elements.")
same_shapes(
    "_hypot", HYPOT, aliases=("_Hypot",), doc="Take the length of the longest side of a right triangle."
)
same_shapes("_grad_add", ADD, doc="Add two gradients of one array.")

with_scalar("_plus_scalar", ADD, aliases=("_PlusScalar",), doc="Add a number to every element.")
with_scalar("_minus_scalar", SUBTRACT, aliases=("_MinusScalar",), doc="Subtract a number from every element.")
with_scalar(
    "_rminus_scalar",
    SUBTRACT,
    aliases=("_RMinusScalar",),
    doc="Subtract every element from a number.",
    mirrored=True,
)
with_scalar("_mul_scalar", MULTIPLY, aliases=("_MulScalar",), doc="Multiply every element by a number.")
with_scalar("_div_scalar", DIVIDE, aliases=("_DivScalar",), doc="Divide every element by a number.")
with_scalar(
    "_rdiv_scalar", DIVIDE, aliases=("_RDivScalar",), doc="Divide a number by every element.", mirrored=True
)
with_scalar("_power_scalar", POWER, aliases=("_PowerScalar",), doc="Raise every element to a power.")
with_scalar(
    "_rpower_scalar",
    POWER,
    aliases=("_RPowerScalar",),
    doc="Raise a number to the power of every element.",
    mirrored=True,
)
with_scalar(
    "_mod_scalar", MODULO, aliases=("_ModScalar",), doc="Take the remainder of a division by a number."
)
with_scalar(
    "_rmod_scalar",
    MODULO,
    aliases=("_RModScalar",),
    doc="Take the remainder of a number divided by each element.",
    mirrored=True,
)
with_scalar(
    "_maximum_scalar", MAXIMUM, aliases=("_MaximumScalar",), doc="Raise every element to at least a number."
)
with_scalar(
    "_minimum_scalar", MINIMUM, aliases=("_MinimumScalar",), doc="Lower every element to at most a number."
)
with_scalar(
    "_hypot_scalar",
    HYPOT,
    aliases=("_HypotScalar",),
    doc="Take the longest side beside a leg of a given length.",
)

broadcast("broadcast_add", ADD, aliases=("broadcast_plus",), doc="Add two arrays, repeating axes of size 1.")
broadcast("broadcast_sub", SUBTRACT, aliases=("broadcast_minus",), doc="Subtract, repeating axes of size 1.")
broadcast("broadcast_mul", MULTIPLY, doc="Multiply element by element, repeating axes of size 1.")
broadcast("broadcast_div", DIVIDE, doc="Divide, repeating axes of size 1.")
broadcast("broadcast_power", POWER, doc="Raise to powers, repeating axes of size 1.")
broadcast("broadcast_mod", MODULO, doc="Take remainders, repeating axes of size 1.")
broadcast("broadcast_maximum", MAXIMUM, doc="Take the larger elements, repeating axes of size 1.")
broadcast("broadcast_minimum", MINIMUM, doc="Take the smaller elements, repeating axes of size 1.")
broadcast("broadcast_hypot", HYPOT, doc="Take the longest side of right triangles, repeating axes of size 1.")


@operator(name="add_n", category="Arithmetic", aliases=("ElementWiseSum",), sign="Σ")
class AddN(Prepared):
    """Add any number of arrays of one shape.

    y = x₀ + x₁ + …
    """

    num_args: int = param(low=1, doc="How many arrays are added.")

    variadic = "num_args"
    hands_on = True
    examples = (
        Example({"arg0": (3, 4), "arg1": (3, 4)}, num_args=2),
        Example({"arg0": (2, 3), "arg1": (2, 3), "arg2": (2, 3)}, num_args=3),
        Example({"arg0": (5,)}, num_args=1),
    )

    @property
    def inputs(self) -> tuple[Port, ...]:
        """One operand for each of `num_args`."""
        return tuple(Port(f"arg{index}") for index in range(self.num_args))

    @property
    def inplace(self) -> tuple[tuple[int, int], ...]:
        """The sum may overwrite the first operand."""
        return ((0, 0),)

    @property
    def inplace_backward(self) -> tuple[tuple[int, int], ...]:
        """One gradient may be the incoming one."""
        return tuple((0, index) for index in range(self.num_args))

    def splits(self, ins: Shapes, outs: Shapes) -> Sequence[Split]:
        """Elements know nothing of each other."""
        return alike(len(outs[0]), len(ins), 1)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        if len(ins) == 1:
            return copy(ins[0], outs[0])
        steps = [ufunc(np.add, ins[0], ins[1], out=outs[0])]
        return in_order(steps + [ufunc(np.add, outs[0], array, out=outs[0]) for array in ins[2:]])

    def gradient_reads(self, index: int) -> Reads:
        """The gradient is the incoming one."""
        return Reads()

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients."""
        return [copy(flow.head, grad) for _, grad in flow.wanted]

    def value_formula(self, ins: Sequence[str]) -> str:
        """Write the sum."""
        return " + ".join(ins)

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        return heads[0]

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = {' + '.join(n.ins)}"]

    torch_code = numpy_code

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """One line for each wanted gradient."""
        return gradient_lines(n, [n.heads[0] or ""] * len(n.ins))

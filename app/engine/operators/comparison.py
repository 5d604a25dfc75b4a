"""Comparisons and logic: 1 where it holds, 0 elsewhere, in the type of the operands; the gradient is zero."""

import numpy as np

from app.engine.examples import Domain
from app.engine.kernels import pairs
from app.engine.kernels.steps import Step, ufunc
from app.engine.operator import Array
from app.engine.operators.formulas import mathematics
from app.engine.operators.pairwise import Pair, broadcast, same_shapes, with_scalar
from app.engine.operators.unary import FLAT, Value, unary

_WHOLE = Domain(-2, 2, whole=True)
_AND = "(({a} != 0) & ({b} != 0))"
_OR = "(({a} != 0) | ({b} != 0))"
_XOR = "(({a} != 0) ^ ({b} != 0))"


def _comparison(function: np.ufunc, condition: str, sign: str, said: str = "") -> Pair:
    return Pair(
        compute=pairs.holds(function),
        value=f"({condition}).astype({{a}}.dtype)",
        torch=f"({condition}).to({{a}}.dtype)",
        sign=sign,
        category="Comparison",
        formula=f"1 where {said or mathematics(condition)}, else 0",
        left_domain=_WHOLE,
        right_domain=_WHOLE,
        scalars=(1.0, 0.0),
    )


def _declare(stem: str, pair: Pair, says: str, *, alias: str, scalar_alias: str) -> None:
    same_shapes(f"_{stem}", pair, aliases=(alias,), doc=f"Tell where {says}, for arrays of one shape.")
    with_scalar(f"_{stem}_scalar", pair, aliases=(scalar_alias,), doc=f"Tell where {says}, against a number.")
    broadcast(f"broadcast_{stem}", pair, doc=f"Tell where {says}, repeating axes of size 1.")


_EQUAL = _comparison(np.equal, "{a} == {b}", "=")
_NOT_EQUAL = _comparison(np.not_equal, "{a} != {b}", "≠")
_GREATER = _comparison(np.greater, "{a} > {b}", ">")
_GREATER_EQUAL = _comparison(np.greater_equal, "{a} >= {b}", "≥")
_LESSER = _comparison(np.less, "{a} < {b}", "<")
_LESSER_EQUAL = _comparison(np.less_equal, "{a} <= {b}", "≤")

_declare("equal", _EQUAL, "left equals right", alias="_Equal", scalar_alias="_EqualScalar")
_declare(
    "not_equal", _NOT_EQUAL, "left differs from right", alias="_Not_Equal", scalar_alias="_NotEqualScalar"
)
_declare("greater", _GREATER, "left is greater", alias="_Greater", scalar_alias="_GreaterScalar")
_declare(
    "greater_equal",
    _GREATER_EQUAL,
    "left is greater or equal",
    alias="_Greater_Equal",
    scalar_alias="_GreaterEqualScalar",
)
_declare("lesser", _LESSER, "left is smaller", alias="_Lesser", scalar_alias="_LesserScalar")
_declare(
    "lesser_equal",
    _LESSER_EQUAL,
    "left is smaller or equal",
    alias="_Lesser_Equal",
    scalar_alias="_LesserEqualScalar",
)
_declare(
    "logical_and",
    _comparison(np.logical_and, _AND, "∧", "neither {a} nor {b} is 0"),
    "neither side is 0",
    alias="_Logical_And",
    scalar_alias="_LogicalAndScalar",
)
_declare(
    "logical_or",
    _comparison(np.logical_or, _OR, "∨", "{a} or {b} is not 0"),
    "at least one side is not 0",
    alias="_Logical_Or",
    scalar_alias="_LogicalOrScalar",
)
_declare(
    "logical_xor",
    _comparison(np.logical_xor, _XOR, "⊻", "just one of {a} and {b} is 0"),
    "exactly one side is not 0",
    alias="_Logical_Xor",
    scalar_alias="_LogicalXorScalar",
)


def _negated(x: Array, out: Array) -> Step:
    return ufunc(np.logical_not, x, out=out)


unary(
    "logical_not",
    Value(
        _negated,
        "({x} == 0).astype({x}.dtype)",
        "({x} == 0).to({x}.dtype)",
        formula="1 where {x} = 0, else 0",
    ),
    FLAT,
    doc="Tell where the data is 0.",
    domain=_WHOLE,
    category="Comparison",
    sign="¬",
)

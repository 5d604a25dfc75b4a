"""Functions of one number: powers, exponentials and logarithms, and the common non-linear ones."""

from functools import partial
from typing import Any

import numpy as np

from app.engine.examples import Domain
from app.engine.kernels.pieces import in_pieces
from app.engine.kernels.steps import Step, copy, fill, in_order, ufunc
from app.engine.operator import Array
from app.engine.operators.unary import FLAT, Slope, Value, chain, computed, elementwise, unary

_POSITIVE = Domain(0.3, 3.0)
_AWAY_FROM_ZERO = Domain(-2.0, 2.0, avoid=(0.0,))


def _keep(d: Array, x: Any, y: Any, out: Array) -> Step:
    return copy(d, out)


def _negate(d: Array, x: Any, y: Any, out: Array) -> Step:
    return ufunc(np.negative, d, out=out)


def _by_sign(d: Array, x: Any, y: Any, out: Array) -> Step:
    def make(d: Array, x: Array, out: Array, sign: Array) -> Step:
        return in_order([ufunc(np.sign, x, out=sign), ufunc(np.multiply, d, sign, out=out)])

    return in_pieces(make, d, x, out, work=(out.dtype,))


def _rectify(x: Array, out: Array) -> Step:
    # An array of zeros: numpy compares two arrays four times as fast as an array and a number.
    return in_pieces(lambda x, out, zeros: ufunc(np.maximum, x, zeros, out=out), x, out, work=(x.dtype,))


def _where_positive(d: Array, x: Any, y: Any, out: Array) -> Step:
    zero = np.zeros((), out.dtype)

    def make(d: Array, y: Array, out: Array, positive: Array) -> Step:
        return in_order([partial(np.greater, y, zero, positive), ufunc(np.multiply, d, positive, out=out)])

    return in_pieces(make, d, y, out, work=(np.bool_,))


_squash_whole = computed(lambda x: 1 / (1 + np.exp(-x.astype(np.float64))))


def _squash(x: Array, out: Array) -> Step:
    if out.dtype.kind in "iu":
        return _squash_whole(x, out)
    one = np.ones((), out.dtype)
    return in_order(
        [
            ufunc(np.negative, x, out=out),
            ufunc(np.exp, out, out=out),
            ufunc(np.add, out, one, out=out),
            ufunc(np.divide, one, out, out=out),
        ]
    )


def _zeros(_: Array, out: Array) -> Step:
    return fill(out, 0)


def _ones(_: Array, out: Array) -> Step:
    return fill(out, 1)


def _sigmoid_gradient(d: Array, x: Any, y: Any, out: Array) -> Step:
    one = np.ones((), out.dtype)

    def make(d: Array, y: Array, out: Array, work: Array) -> Step:
        return in_order(
            [
                ufunc(np.subtract, one, y, out=work),
                ufunc(np.multiply, work, y, out=work),
                ufunc(np.multiply, d, work, out=out),
            ]
        )

    return in_pieces(make, d, y, out, work=(out.dtype,))


def _tanh_gradient(d: Array, x: Any, y: Any, out: Array) -> Step:
    one = np.ones((), out.dtype)

    def make(d: Array, y: Array, out: Array, work: Array) -> Step:
        return in_order(
            [
                ufunc(np.square, y, out=work),
                ufunc(np.subtract, one, work, out=work),
                ufunc(np.multiply, d, work, out=out),
            ]
        )

    return in_pieces(make, d, y, out, work=(out.dtype,))


_copy = unary(
    "_copy",
    Value(copy, "{x}.copy()", "{x}"),
    Slope("{d}", _keep),
    doc="Hand the data on unchanged.",
    aliases=("identity",),
)
_copy.hands_on = True
unary(
    "negative",
    Value(elementwise(np.negative), "-{x}"),
    Slope("-{d}", _negate),
    doc="Change the sign.",
    sign="−",
    kinds="iuf",
)
unary(
    "abs",
    Value(elementwise(np.abs), "np.abs({x})"),
    Slope("{d} * np.sign({x})", _by_sign),
    doc="Drop the sign; the gradient at 0 is 0.",
    domain=_AWAY_FROM_ZERO,
    sign="|x|",
    gradient_kinds="iuf",
)
unary(
    "square",
    Value(elementwise(np.square), "np.square({x})", formula="{x}²"),
    chain("{d} * 2 * {x}", (np.multiply, "x"), (np.multiply, "2")),
    doc="Multiply by itself.",
    sign="x²",
)
unary(
    "sqrt",
    np.sqrt,
    chain("{d} / (2 * {y})", (np.divide, "y"), (np.multiply, "0.5")),
    doc="Take the square root.",
    domain=_POSITIVE,
    sign="√",
)
unary(
    "exp",
    np.exp,
    chain("{d} * {y}", (np.multiply, "y")),
    doc="Take e to the power of every element.",
    sign="eˣ",
)
unary(
    "log",
    np.log,
    chain("{d} / {x}", (np.divide, "x")),
    doc="Take the natural logarithm.",
    domain=_POSITIVE,
    sign="ln",
)
unary(
    "relu",
    Value(_rectify, "np.maximum({x}, 0)", "torch.relu({x})"),
    Slope("{d} * ({y} > 0)", _where_positive),
    doc="Replace negative elements by 0; the gradient at 0 is 0.",
    domain=_AWAY_FROM_ZERO,
)
unary(
    "sigmoid",
    Value(_squash, "1 / (1 + np.exp(-{x}))", "torch.sigmoid({x})"),
    Slope("{d} * {y} * (1 - {y})", _sigmoid_gradient),
    doc="Squash to between 0 and 1: 1 / (1 + e⁻ˣ).",
    kinds="iuf",
)
unary(
    "tanh",
    np.tanh,
    Slope("{d} * (1 - {y}**2)", _tanh_gradient),
    doc="Squash to between −1 and 1.",
    gradient_kinds="iuf",
)
unary(
    "zeros_like",
    Value(_zeros, "np.zeros_like({x})", formula="0"),
    FLAT,
    doc="Make zeros of the data's shape and type.",
)
unary(
    "ones_like",
    Value(_ones, "np.ones_like({x})", formula="1"),
    FLAT,
    doc="Make ones of the data's shape and type.",
)

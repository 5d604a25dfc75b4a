"""Functions of two arrays and their gradients as prepared steps; either operand may broadcast.

A gradient takes the incoming gradient d, both operands, the value y, and where to write; `out` may be d's memory.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from app.engine.kernels.pieces import in_pieces
from app.engine.kernels.steps import Step, copy, fill, in_order, ufunc
from app.engine.operator import Array

Slope = Callable[[Array, Any, Any, Any, Array], Step]
Compute = Callable[[Any, Any, Array], Step]


def applied(name: str) -> Compute:
    """Return how one of numpy's functions of two arrays is applied."""
    function = getattr(np, name)
    return lambda a, b, out: ufunc(function, a, b, out=out)


def keep(d: Array, a: Any, b: Any, y: Any, out: Array) -> Step:
    """Write d."""
    return copy(d, out)


def negate(d: Array, a: Any, b: Any, y: Any, out: Array) -> Step:
    """Write −d."""
    return ufunc(np.negative, d, out=out)


def flat(d: Array, a: Any, b: Any, y: Any, out: Array) -> Step:
    """Write 0."""
    return fill(out)


def times_left(d: Array, a: Any, b: Any, y: Any, out: Array) -> Step:
    """Write d · a."""
    return ufunc(np.multiply, d, a, out=out)


def times_right(d: Array, a: Any, b: Any, y: Any, out: Array) -> Step:
    """Write d · b."""
    return ufunc(np.multiply, d, b, out=out)


def over_right(d: Array, a: Any, b: Any, y: Any, out: Array) -> Step:
    """Write d / b."""
    return ufunc(np.divide, d, b, out=out)


def divisor(d: Array, a: Any, b: Any, y: Any, out: Array) -> Step:
    """Write −d · a / b²."""
    return in_order(
        [
            ufunc(np.multiply, d, a, out=out),
            ufunc(np.divide, out, b, out=out),
            ufunc(np.divide, out, b, out=out),
            ufunc(np.negative, out, out=out),
        ]
    )


def raise_to(a: Any, b: Any, out: Array) -> Step:
    """Write a to the power b, with the plain function where b is one of the common numbers."""
    if out.dtype.kind in "iu":  # numpy has no whole powers below zero
        return in_pieces(partial(partial, _raise_whole), a, b, out)
    plain = _PLAIN_POWERS.get(float(b)) if b.ndim == 0 and out.dtype.kind == "f" else None
    return ufunc(np.power, a, b, out=out) if plain is None else ufunc(plain, a, out=out)


def _raise_whole(a: Any, b: Any, out: Array) -> None:
    np.copyto(out, np.power(np.asarray(a, np.float64), b), casting="unsafe")


_PLAIN_POWERS: dict[float, Any] = {2.0: np.square, 0.5: np.sqrt, -1.0: np.reciprocal, 1.0: np.positive}


def base(d: Array, a: Any, b: Any, y: Any, out: Array) -> Step:
    """Write d · b · a^(b − 1)."""
    if b.ndim == 0 and b == 2:
        twice = b.astype(out.dtype)
        return in_order([ufunc(np.multiply, d, a, out=out), ufunc(np.multiply, out, twice, out=out)])
    one = np.ones((), out.dtype)

    def make(d: Array, a: Any, b: Any, out: Array, work: Array) -> Step:
        return in_order(
            [
                ufunc(np.subtract, b, one, out=work),
                ufunc(np.power, a, work, out=work),
                ufunc(np.multiply, work, b, out=work),
                ufunc(np.multiply, work, d, out=out),
            ]
        )

    return in_pieces(make, d, a, b, out, work=(out.dtype,))


def exponent(d: Array, a: Any, b: Any, y: Any, out: Array) -> Step:
    """Write d · y · ln(a)."""

    def make(d: Array, a: Any, y: Any, out: Array, work: Array) -> Step:
        return in_order(
            [
                ufunc(np.log, a, out=work),
                ufunc(np.multiply, work, y, out=work),
                ufunc(np.multiply, work, d, out=out),
            ]
        )

    return in_pieces(make, d, a, y, out, work=(out.dtype,))


def remainder(a: Any, b: Any, out: Array) -> Step:
    """Write a mod b with the sign of b; 0 where b is 0."""
    zero = np.zeros((), out.dtype)

    def compute(a: Any, b: Any, out: Array) -> None:
        by_zero = np.equal(b, zero)
        np.mod(a, b, out=out)
        if by_zero.any():
            np.copyto(out, zero, where=by_zero)

    return in_pieces(partial(partial, compute), a, b, out)


def modulus(d: Array, a: Any, b: Any, y: Any, out: Array) -> Step:
    """Write −d · floor(a / b)."""

    def make(d: Array, a: Any, b: Any, out: Array, work: Array) -> Step:
        return in_order(
            [
                ufunc(np.divide, a, b, out=work),
                ufunc(np.floor, work, out=work),
                ufunc(np.negative, work, out=work),
                ufunc(np.multiply, work, d, out=out),
            ]
        )

    return in_pieces(make, d, a, b, out, work=(out.dtype,))


def where_holds(function: Any) -> Slope:
    """Let the gradient through where the comparison holds of the two operands."""

    def slope(d: Array, a: Any, b: Any, y: Any, out: Array) -> Step:
        return in_pieces(make, d, a, b, out, work=(np.bool_,))

    def make(d: Array, a: Any, b: Any, out: Array, chosen: Array) -> Step:
        return in_order([partial(function, a, b, chosen), ufunc(np.multiply, d, chosen, out=out)])

    return slope


def leg_left(d: Array, a: Any, b: Any, y: Any, out: Array) -> Step:
    """Write d · a / y, the gradient of the left leg of a right triangle."""
    return _leg(d, a, y, out)


def leg_right(d: Array, a: Any, b: Any, y: Any, out: Array) -> Step:
    """Write d · b / y, the gradient of the right leg."""
    return _leg(d, b, y, out)


def leg_left_whole(d: Array, a: Any, b: Any, y: Any, out: Array) -> Step:
    """Write d · a / √(a² + b²) where y is cut to a whole number."""
    return lambda: np.multiply(d, a / np.hypot(a, b), out=out, casting="unsafe")


def leg_right_whole(d: Array, a: Any, b: Any, y: Any, out: Array) -> Step:
    """Write d · b / √(a² + b²) where y is cut to a whole number."""
    return lambda: np.multiply(d, b / np.hypot(a, b), out=out, casting="unsafe")


def _leg(d: Array, leg: Any, y: Any, out: Array) -> Step:
    return in_order([ufunc(np.multiply, d, leg, out=out), ufunc(np.divide, out, y, out=out)])


def holds(function: Any) -> Compute:
    """Return a comparison that writes 1 where it holds and 0 elsewhere."""
    return lambda a, b, out: ufunc(function, a, b, out=out)

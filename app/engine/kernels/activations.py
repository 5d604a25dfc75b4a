"""Activation functions and their slopes, written into given buffers.

Every function takes its arrays once and returns a step. Constants take the arrays' type, so float32 stays float32.
Forward steps may write onto their input; gradients may not, but for relu's, which may write onto the head gradient.
"""

import math
from functools import partial

import numpy as np

from app.engine.kernels.pieces import in_pieces
from app.engine.kernels.steps import Step, constant, in_order
from app.engine.kernels.windows import Array

SELU_SCALE = 1.0507009873554805
SELU_ALPHA = 1.6732632423543772


def relu(x: Array, out: Array) -> Step:
    """Prepare out = max(x, 0); an array of zeros, since beside a single one numpy takes three times as long."""
    return in_pieces(lambda x, out, zeros: partial(np.maximum, x, zeros, out=out), x, out, work=(x.dtype,))


def sigmoid(x: Array, out: Array) -> Step:
    """Prepare out = 1 / (1 + e^−x), by tanh: it cannot overflow and is faster than exp and a division."""
    half = constant(0.5, out)
    return in_order(
        [
            partial(np.multiply, x, half, out),
            partial(np.tanh, out, out),
            partial(np.multiply, out, half, out),
            partial(np.add, out, half, out),
        ]
    )


def tanh(x: Array, out: Array) -> Step:
    """Prepare out = tanh x."""
    return partial(np.tanh, x, out)


def softrelu(x: Array, out: Array) -> Step:
    """Prepare out = log(1 + eˣ) as max(x, 0) + log(1 + e^−|x|), which cannot overflow."""

    def make(x: Array, out: Array, larger: Array) -> Step:
        return in_order(
            [
                partial(np.maximum, x, 0, out=larger),
                partial(np.abs, x, out),
                partial(np.negative, out, out),
                partial(np.exp, out, out),
                partial(np.log1p, out, out),
                partial(np.add, out, larger, out),
            ]
        )

    return in_pieces(make, x, out, work=(x.dtype,))


def softsign(x: Array, out: Array) -> Step:
    """Prepare out = x / (1 + |x|)."""

    def make(x: Array, out: Array, below: Array) -> Step:
        return in_order(
            [partial(np.abs, x, below), partial(np.add, below, 1, below), partial(np.divide, x, below, out)]
        )

    return in_pieces(make, x, out, work=(x.dtype,))


def relu_gradient(out: Array, head: Array, grad: Array) -> Step:
    """Prepare head where out > 0, else 0."""
    zero = constant(0, out)

    def make(out: Array, head: Array, grad: Array, passes: Array) -> Step:
        return in_order([partial(np.greater, out, zero, passes), partial(np.multiply, head, passes, grad)])

    return in_pieces(make, out, head, grad, work=(np.bool_,))


def sigmoid_gradient(out: Array, head: Array, grad: Array) -> Step:
    """Prepare head · out · (1 − out)."""
    return in_order(
        [
            partial(np.subtract, constant(1, out), out, grad),
            partial(np.multiply, grad, out, grad),
            partial(np.multiply, grad, head, grad),
        ]
    )


def tanh_gradient(out: Array, head: Array, grad: Array) -> Step:
    """Prepare head · (1 − out²)."""
    return in_order(
        [
            partial(np.square, out, grad),
            partial(np.subtract, constant(1, out), grad, grad),
            partial(np.multiply, grad, head, grad),
        ]
    )


def softrelu_gradient(out: Array, head: Array, grad: Array) -> Step:
    """Prepare head · (1 − e^−out)."""
    return in_order(
        [
            partial(np.negative, out, grad),
            partial(np.expm1, grad, grad),
            partial(np.negative, grad, grad),
            partial(np.multiply, grad, head, grad),
        ]
    )


def softsign_gradient(x: Array, head: Array, grad: Array) -> Step:
    """Prepare head / (1 + |x|)²."""
    return in_order(
        [
            partial(np.abs, x, grad),
            partial(np.add, grad, 1, grad),
            partial(np.square, grad, grad),
            partial(np.divide, head, grad, grad),
        ]
    )


def leaky(x: Array, slope: Array | float, out: Array) -> Step:
    """Prepare out = max(x, 0) + slope · min(x, 0); the slope may be an array that fits x."""

    def make(x: Array, slope: Array | float, out: Array, below: Array) -> Step:
        return in_order(
            [
                partial(np.minimum, x, 0, out=below),
                partial(np.multiply, below, slope, below),
                partial(np.maximum, x, 0, out=out),
                partial(np.add, out, below, out),
            ]
        )

    return in_pieces(make, x, slope, out, work=(x.dtype,))


def leaky_gradient(x: Array, slope: Array | float, head: Array, grad: Array) -> Step:
    """Prepare head where x > 0, else slope · head."""
    return in_pieces(_leaky_gradient, x, slope, head, grad, work=(np.bool_, x.dtype))


def _leaky_gradient(
    x: Array, slope: Array | float, head: Array, grad: Array, passes: Array, rest: Array
) -> Step:
    """Prepare it with room for what passes and for the rest.

    The head gradient is split by a multiplication, since a masked assignment takes sixteen times as long.
    """
    return in_order(
        [
            partial(np.greater, x, 0, passes),
            partial(np.multiply, head, passes, grad),
            partial(np.subtract, head, grad, rest),
            partial(np.multiply, rest, slope, rest),
            partial(np.add, grad, rest, grad),
        ]
    )


def turned_gradient(out: Array, slope: float, head: Array, grad: Array) -> Step:
    """Prepare the gradient of leaky and elu with a negative slope, which leaves nothing below 0: head, but at 0.

    This is what MXNet computes: it looks at `out` rather than at x.
    """
    return lambda: np.copyto(grad, np.where(out > 0, head, head * np.asarray(slope, head.dtype)))


def elu(x: Array, alpha: float, scale: float, out: Array) -> Step:
    """Prepare out = scale · x where x > 0, else scale · alpha · (eˣ − 1); selu is one of these."""

    def make(x: Array, out: Array, below: Array) -> Step:
        return in_order(
            [
                partial(np.minimum, x, 0, out=below),
                partial(np.expm1, below, below),
                partial(np.multiply, below, scale * alpha, below),
                partial(np.maximum, x, 0, out=out),
                partial(np.multiply, out, scale, out),
                partial(np.add, out, below, out),
            ]
        )

    return in_pieces(make, x, out, work=(x.dtype,))


def elu_gradient(x: Array, constants: tuple[float, float], head: Array, grad: Array) -> Step:
    """Prepare scale · head where x > 0, else scale · alpha · eˣ · head; `constants` are (alpha, scale)."""
    alpha, scale = constants

    def make(x: Array, head: Array, grad: Array, slopes: Array, passes: Array, rest: Array) -> Step:
        return in_order(
            [
                partial(np.minimum, x, 0, out=slopes),
                partial(np.exp, slopes, slopes),
                partial(np.multiply, slopes, alpha, slopes),
                _leaky_gradient(x, slopes, head, grad, passes, rest),
                partial(np.multiply, grad, scale, grad),
            ]
        )

    return in_pieces(make, x, head, grad, work=(x.dtype, np.bool_, x.dtype))


def selu_gradient(out: Array, head: Array, grad: Array) -> Step:
    """Prepare scale · head where out > 0, else scale · (out + alpha) · head.

    This is what MXNet computes. The true slope below zero is out + scale · alpha: MXNet multiplies `out`, which holds
    the scale already, by the scale once more.
    """

    def make(out: Array, head: Array, grad: Array, slopes: Array, passes: Array, rest: Array) -> Step:
        return in_order(
            [
                partial(np.add, out, SELU_ALPHA, slopes),
                _leaky_gradient(out, slopes, head, grad, passes, rest),
                partial(np.multiply, grad, SELU_SCALE, grad),
            ]
        )

    return in_pieces(make, out, head, grad, work=(out.dtype, np.bool_, out.dtype))


def gelu(x: Array, out: Array) -> Step:
    """Prepare out = x · Φ(x), Φ being the normal distribution's cumulative function."""
    return in_pieces(lambda x, out: lambda: np.multiply(x, normal_share(x), out=out), x, out)


def gelu_gradient(x: Array, head: Array, grad: Array) -> Step:
    """Prepare head · (Φ(x) + x · φ(x))."""

    def compute(x: Array, head: Array, grad: Array) -> None:
        density = np.exp(-0.5 * x * x) * (1 / math.sqrt(2 * math.pi))
        np.multiply(head, normal_share(x) + x * density, out=grad)

    return in_pieces(partial(partial, compute), x, head, grad)


def normal_share(x: Array) -> Array:
    """Return Φ(x) = (1 + erf(x/√2)) / 2.

    float64 takes the library's exact erf, one number at a time. Others take Abramowitz and Stegun's formula 7.1.26,
    whose error of 1.5e-7 is no more than float32's own.
    """
    scaled = x * math.sqrt(0.5)
    if x.dtype == np.float64:
        exact = np.vectorize(math.erf, otypes=[np.float64])
        return np.asarray(0.5 + 0.5 * exact(scaled))
    size = np.abs(scaled)
    step = 1 / (1 + 0.3275911 * size)
    tail = step * 1.061405429
    for coefficient in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        tail = (tail + coefficient) * step
    erf = np.copysign(1 - tail * np.exp(-size * size), scaled)
    return np.asarray(0.5 + 0.5 * erf)

"""Special functions that numpy lacks: erf and its inverse, gamma, its logarithm and its slope.

erf, gamma and its logarithm are the C library's own, taken number by number. All is computed in float64.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from app.engine.operator import Array


def erf(x: Array) -> Array:
    """Return the error function 2/√π ∫₀ˣ e^(−t²) dt."""
    return _each(math.erf, x)


def erf_slope(x: Array) -> Any:
    """Return 2/√π · e^(−x²)."""
    return 2 / math.sqrt(math.pi) * np.exp(-np.square(x))


def erfinv(y: Array) -> Array:
    """Return x with erf(x) = y: ±inf at ±1, nan beyond.

    A closed first guess (Winitzki 2008, within 0.2 %) and three of Halley's steps, each of which triples the digits.
    """
    wide = np.asarray(y, np.float64)
    with np.errstate(all="ignore"):
        log = np.log1p(-np.square(wide))
        half = 2 / (math.pi * 0.147) + log / 2
        guess = np.copysign(np.sqrt(np.sqrt(half * half - log / 0.147) - half), wide)
        for _ in range(3):
            step = (erf(guess) - wide) / erf_slope(guess)
            better = guess - step / (1 + guess * step)
            guess = np.where(np.isfinite(better), better, guess)
        return np.where(np.abs(wide) == 1, np.copysign(np.inf, wide), guess)


def gamma(x: Array) -> Array:
    """Return Γ(x): nan at the poles −1, −2 …, inf at 0 and where it overflows."""
    return _each(_gamma, x)


def log_gamma(x: Array) -> Array:
    """Return ln |Γ(x)|: inf at the poles."""
    return _each(_log_gamma, x)


def digamma(x: Array) -> Array:
    """Return ψ(x), the slope of ln Γ; at the poles inf, or in float64 the largest number, as in MXNet.

    Left of 0 by reflection, ψ(1 − x) − ψ(x) = π cot(πx); then raised beyond 6 by ψ(x + 1) = ψ(x) + 1/x; there the
    asymptotic series (Abramowitz and Stegun 6.3.18) is good to all digits.
    """
    wide = np.asarray(x, np.float64)
    with np.errstate(all="ignore"):
        mirrored = wide < 0
        raised = np.where(mirrored, 1 - wide, wide)
        value = np.zeros_like(raised)
        for _ in range(10):
            low = raised < 10
            value = np.where(low, value - 1 / raised, value)
            raised = np.where(low, raised + 1, raised)
        square = 1 / np.square(raised)
        series = square * (
            1 / 12 - square * (1 / 120 - square * (1 / 252 - square * (1 / 240 - square / 132)))
        )
        value = value + np.log(raised) - 0.5 / raised - series
        value = np.where(mirrored, value - math.pi / np.tan(math.pi * wide), value)
        most = np.finfo(np.float64).max if x.dtype == wide.dtype else np.inf
        return np.where((wide <= 0) & (wide == np.floor(wide)), most, value)


def _each(function: Callable[[float], float], x: Array) -> Array:
    flat = np.fromiter(map(function, x.ravel().tolist()), np.float64, x.size)
    return flat.reshape(x.shape)


def _gamma(x: float) -> float:
    try:
        return math.gamma(x)
    except OverflowError:
        return math.inf
    except ValueError:  # a pole, or minus infinity
        return math.copysign(math.inf, x) if x == 0 else math.nan


def _log_gamma(x: float) -> float:
    try:
        return math.lgamma(x)
    except (OverflowError, ValueError):
        return math.inf

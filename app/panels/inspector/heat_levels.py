"""Turns numbers into places in a colour table, with places of their own for NaN and the infinities."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.qt.colours import EMPTY_LEVEL, LEVELS, NAN_LEVEL, NEGATIVE_INFINITY_LEVEL, POSITIVE_INFINITY_LEVEL

Levels = NDArray[np.uint8]


def colour_range(low: float | None, high: float | None, *, diverging: bool) -> tuple[float, float]:
    """Return the numbers at both ends of the colours; zero is in the middle of diverging ones."""
    if low is None or high is None:
        return (-1.0, 1.0) if diverging else (0.0, 1.0)
    if diverging:
        reach = max(abs(low), abs(high)) or 1.0
        return -reach, reach
    return low, high


def heat_levels(
    numbers: NDArray[Any], ends: tuple[float, float], empty: NDArray[np.bool_] | None = None
) -> Levels:
    """Return a place in a table of 256 for each number; a range without width gives the middle one."""
    low, high = ends
    real = numbers.astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        # Halves first: high - low may be too large for a float where each of them is not.
        share = (real / 2 - low / 2) / (high / 2 - low / 2) if high > low else np.full(real.shape, 0.5)
        places: Levels = np.nan_to_num(np.clip(np.rint(share * (LEVELS - 1)), 0, LEVELS - 1)).astype(np.uint8)
    if real.size and not np.isfinite(real).all():
        places[np.isnan(real)] = NAN_LEVEL
        places[np.isposinf(real)] = POSITIVE_INFINITY_LEVEL
        places[np.isneginf(real)] = NEGATIVE_INFINITY_LEVEL
    if empty is not None:
        places[empty] = EMPTY_LEVEL
    return places

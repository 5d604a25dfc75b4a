"""The few numbers that say what is in an array, counted block by block so that a large one can be given up."""

import math
from collections.abc import Iterator
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

BLOCK = 1 << 20


@attrs.frozen
class Statistics:
    """What is in an array; minimum to deviation are those of the finite numbers, None when there are none."""

    shape: tuple[int, ...]
    dtype: str
    count: int
    zeros: int
    nans: int
    positive_infinities: int
    negative_infinities: int
    minimum: float | None
    maximum: float | None
    mean: float | None
    deviation: float | None

    @property
    def is_finite(self) -> bool:
        """Tell whether every number is one."""
        return not (self.nans or self.positive_infinities or self.negative_infinities)

    @property
    def warning(self) -> str:
        """Say loudly which numbers are none, or nothing."""
        parts = [
            f"{count:,} {word}"
            for count, word in (
                (self.nans, "NaN"),
                (self.positive_infinities, "+∞"),
                (self.negative_infinities, "−∞"),
            )
            if count
        ]
        return " · ".join(parts)


def count_blocks(array: NDArray[Any]) -> Iterator[Statistics]:
    """Yield the statistics of ever more blocks of an array; the last ones are those of the whole."""
    flat = array.reshape(-1)
    tally = _Tally(array)
    for start in range(0, max(flat.size, 1), BLOCK):
        tally.add(flat[start : start + BLOCK])
        yield tally.statistics()


def statistics(array: NDArray[Any]) -> Statistics:
    """Return the statistics of an array."""
    *_, last = count_blocks(array)
    return last


class _Tally:
    """Sums over the blocks seen so far; the spread is joined by the formula of Chan, Golub and LeVeque."""

    def __init__(self, array: NDArray[Any]) -> None:
        self.array = array
        self.seen = self.zeros = self.nans = self.positive = self.negative = self.finite = 0
        self.low, self.high = math.inf, -math.inf
        self.mean = self.spread = 0.0

    def add(self, block: NDArray[Any]) -> None:
        self.seen += block.size
        self.zeros += int(block.size - np.count_nonzero(block))
        numbers = block
        if block.dtype.kind == "f":
            finite = np.isfinite(block)
            if not finite.all():
                nans = int(np.count_nonzero(np.isnan(block)))
                positive = int(np.count_nonzero(np.isposinf(block)))
                self.nans += nans
                self.positive += positive
                self.negative += block.size - int(np.count_nonzero(finite)) - nans - positive
                numbers = block[finite]
        if numbers.size:
            self._add_numbers(numbers.astype(np.float64))

    def _add_numbers(self, numbers: NDArray[np.float64]) -> None:
        self.low = min(self.low, float(numbers.min()))
        self.high = max(self.high, float(numbers.max()))
        mean = float(numbers.mean())
        numbers -= mean
        with np.errstate(over="ignore"):
            spread = float(np.dot(numbers, numbers))
        total = self.finite + numbers.size
        step = mean - self.mean
        self.spread += spread + step * step * self.finite * numbers.size / total
        self.mean += step * numbers.size / total
        self.finite = total

    def statistics(self) -> Statistics:
        has = self.finite > 0
        return Statistics(
            shape=self.array.shape,
            dtype=str(self.array.dtype),
            count=self.seen,
            zeros=self.zeros,
            nans=self.nans,
            positive_infinities=self.positive,
            negative_infinities=self.negative,
            minimum=self.low if has else None,
            maximum=self.high if has else None,
            mean=self.mean if has else None,
            deviation=math.sqrt(self.spread / self.finite) if has else None,
        )


def number_text(number: float | None, digits: int = 4) -> str:
    """Write a number for people: short, whole numbers without a point."""
    if number is None:
        return "–"
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "∞" if number > 0 else "−∞"
    if number == int(number) and abs(number) < 1e6:
        return str(int(number))
    return f"{number:.{digits}g}"

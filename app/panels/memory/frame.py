"""Where steps and bytes lie on the screen, as a value: zooming and moving give another."""

from collections.abc import Iterator

import attrs
from PySide6.QtCore import QPointF, QRectF

HEADROOM = 1.12
"""So much more than what is taken is shown when all of it is, for the peak's words."""
FEWEST_STEPS = 3.0
FEWEST_BYTES = 256.0
STEP_ROOM = 44.0
BYTE_ROOM = 26.0
"""The least distances between two marks of an axis, in pixels."""


@attrs.frozen
class Range:
    """The part of an axis from `low` to `high` that is seen of `whole`, which begins at 0."""

    low: float
    high: float
    whole: float

    @property
    def size(self) -> float:
        """How much is seen."""
        return self.high - self.low

    @property
    def is_whole(self) -> bool:
        """Whether all of it is seen."""
        return self.size >= self.whole

    def scaled(self, factor: float, about: float, fewest: float) -> "Range":
        """See more or less of it while one place stays where it is."""
        size = min(max(self.size * factor, min(fewest, self.whole)), self.whole)
        share = (about - self.low) / self.size
        return attrs.evolve(self, low=about - share * size, high=about + (1 - share) * size).inside()

    def moved(self, way: float) -> "Range":
        """See another part of the same size."""
        return attrs.evolve(self, low=self.low + way, high=self.high + way).inside()

    def showing(self, low: float, high: float) -> "Range":
        """Move as little as it takes to see a part, its beginning where it is too large."""
        if low < self.low or high - low > self.size:
            return self.moved(low - self.low)
        return self.moved(max(0.0, high - self.high))

    def inside(self) -> "Range":
        """Move back to where the axis is."""
        size = self.size
        low = min(max(self.low, 0.0), self.whole - size)
        return attrs.evolve(self, low=low, high=low + size)


@attrs.frozen
class Frame:
    """An area of the screen, the steps that are seen from left to right in it, and the bytes from bottom to top."""

    area: QRectF
    steps: Range
    bytes: Range

    @classmethod
    def of_all(cls, area: QRectF, steps: int, total: int) -> "Frame":
        """Show everything."""
        wide, high = float(max(1, steps)), max(1.0, total * HEADROOM)
        return cls(area, Range(0.0, wide, wide), Range(0.0, high, high))

    @property
    def is_whole(self) -> bool:
        """Whether everything is seen."""
        return self.steps.is_whole and self.bytes.is_whole

    @property
    def column(self) -> float:
        """How wide a step is, in pixels."""
        return self.area.width() / self.steps.size

    def x(self, step: float) -> float:
        """Return where a step begins."""
        return self.area.left() + (step - self.steps.low) * self.column

    def y(self, place: float) -> float:
        """Return where a byte lies."""
        return self.area.bottom() - (place - self.bytes.low) * self.area.height() / self.bytes.size

    def step_at(self, x: float) -> float:
        """Return the step at a place of the screen, with its fraction."""
        return self.steps.low + (x - self.area.left()) / self.column

    def byte_at(self, y: float) -> float:
        """Return the byte at a place of the screen."""
        return self.bytes.low + (self.area.bottom() - y) * self.bytes.size / self.area.height()

    def zoomed(self, factor: float, about: QPointF, *, only_steps: bool = False) -> "Frame":
        """See `factor` times as much, while what lies at `about` stays there."""
        steps = self.steps.scaled(factor, self.step_at(about.x()), FEWEST_STEPS)
        if only_steps:
            return attrs.evolve(self, steps=steps)
        place = self.bytes.scaled(factor, self.byte_at(about.y()), FEWEST_BYTES)
        return attrs.evolve(self, steps=steps, bytes=place)

    def moved(self, way: QPointF) -> "Frame":
        """Drag what is seen by so many pixels."""
        return attrs.evolve(
            self,
            steps=self.steps.moved(-way.x() / self.column),
            bytes=self.bytes.moved(way.y() * self.bytes.size / self.area.height()),
        )

    def step_marks(self) -> Iterator[int]:
        """Yield the steps to be numbered, counted from 0; their numbers for people are round."""
        apart = _round(STEP_ROOM / self.column)
        first, last = max(0, int(self.steps.low)), min(int(self.steps.whole), int(self.steps.high) + 1)
        for step in range(first, last):
            if apart == 1 or (step + 1) % apart == 0 or step == 0:
                yield step

    def byte_marks(self, total: int) -> Iterator[int]:
        """Yield the places to be numbered, multiples of a power of two."""
        apart = 1
        while apart * self.area.height() / self.bytes.size < BYTE_ROOM:
            apart *= 2
        first = -int(-self.bytes.low // apart)
        for number in range(first, int(min(self.bytes.high, total) // apart) + 1):
            yield number * apart


def _round(least: float) -> int:
    """Return the smallest of 1, 2, 5, 10, 20, 50 … that is no less."""
    power = 1
    while True:
        for digit in (1, 2, 5):
            if digit * power >= least:
                return digit * power
        power *= 10

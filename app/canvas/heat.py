"""Small pictures of arrays: one colour per number, tiles for images, and loud colours for NaN and infinity.

This module needs numpy, so the board imports it when the first results come.
"""

import math
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QImage

from app.qt.colours import (
    EMPTY_LEVEL,
    LEVELS,
    NAN_LEVEL,
    NEGATIVE_INFINITY_LEVEL,
    POSITIVE_INFINITY_LEVEL,
    HeatColours,
)
from app.services.number_words import number_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from app.services.running import Results

    Array = NDArray[Any]
    Levels = NDArray[np.uint8]

MOST_TILES = 12
MOST_ROWS = 64
MOST_COLUMNS = 96
ASPECT = 1.5


@attrs.frozen(eq=False)
class Heat:
    """The picture of one array, the range its colours span, and how many numbers are not finite."""

    image: QImage
    low: float
    high: float
    not_numbers: int
    infinities: int
    keeps_aspect: bool

    @property
    def alarm(self) -> str:
        """What must not be overlooked: NaN, infinity, or nothing."""
        return "NaN" if self.not_numbers else "∞" if self.infinities else ""

    def fit(self, box: QRectF, align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft) -> QRectF:
        """Return where in a box the picture lies: images keep their proportions, matrices fill more of it."""
        wide, high = self.image.width(), self.image.height()
        ratio = wide / high if self.keeps_aspect else min(max(wide / high, 1.0), ASPECT)
        if high == 1:
            height = min(box.height(), max(12.0, box.width() / wide))
            width = min(box.width(), height * wide)
        else:
            width = min(box.width(), box.height() * ratio)
            height = width / ratio
        centre_x = box.center().x() - width / 2
        left = centre_x if align & Qt.AlignmentFlag.AlignHCenter else box.left()
        top = box.top() if align & Qt.AlignmentFlag.AlignTop else box.center().y() - height / 2
        return QRectF(left, top, width, height)


def heat_of(array: "Array", colours: HeatColours, *, diverging: bool) -> Heat:
    """Draw an array: values from least to greatest, or (diverging) gradients with zero in the middle."""
    numbers = np.asarray(array)
    if numbers.dtype.kind not in "fiub":
        numbers = numbers.astype(np.float64)
    finite = np.isfinite(numbers)
    all_finite = bool(finite.all())
    low, high = _range(numbers if all_finite else numbers[finite], diverging)
    shown, keeps_aspect = _tiles(numbers)
    sheet = _sheet([_levels(tile, low, high) for tile in shown]) if len(shown) > 1 else None
    levels = sheet if sheet is not None else _levels(shown[0], low, high)
    levels = _reduced(levels, MOST_ROWS, MOST_COLUMNS)
    return Heat(
        _image(levels, colours.table(diverging)),
        low,
        high,
        0 if all_finite else int(np.isnan(numbers).sum()),
        0 if all_finite else int(np.isinf(numbers).sum()),
        keeps_aspect,
    )


def are_of_one_run(one: "Results | None", other: "Results | None") -> bool:
    """Tell whether both are moments of one run, in which what was once written stays as it is."""
    moment = one.moment if one is not None else None
    return moment is not None and other is not None and moment.is_alike(other.moment)


def is_same(one: "Array | None", other: "Array | None") -> bool:
    """Tell whether two arrays of one run are one in memory: a variable that was changed has a copy of its own."""
    return one is not None and other is not None and one.ctypes.data == other.ctypes.data


def summary_lines(array: "Array") -> list[str]:
    """Describe an array in short lines: type, least, mean and greatest number, and the first values."""
    numbers = np.asarray(array)
    lines = [f"{numbers.dtype} · {numbers.size:,} number{'s' if numbers.size != 1 else ''}"]
    if numbers.size <= 1:
        return [f"{numbers.dtype} · {number_text(float(number))}" for number in numbers.ravel()] or lines
    finite = numbers[np.isfinite(numbers)]
    if finite.size:
        low, mean, high = float(finite.min()), float(finite.mean(dtype=np.float64)), float(finite.max())
        lines.append(f"min {number_text(low)} · mean {number_text(mean)} · max {number_text(high)}")
    wrong = numbers.size - finite.size
    if wrong:
        nans = int(np.isnan(numbers).sum())
        parts = [f"{nans:,} NaN"] if nans else []
        parts += [f"{wrong - nans:,} infinite"] if wrong > nans else []
        lines.append("⚠ " + ", ".join(parts))
    first = ", ".join(number_text(float(value)) for value in numbers.ravel()[:6])
    lines.append(f"[{first}{', …' if numbers.size > 6 else ''}]")
    return lines


def _range(finite: "Array", diverging: bool) -> tuple[float, float]:
    if finite.size == 0:
        return (-1.0, 1.0) if diverging else (0.0, 1.0)
    low, high = float(finite.min()), float(finite.max())
    if diverging:
        limit = max(abs(low), abs(high)) or 1.0
        return -limit, limit
    return low, high


def _levels(numbers: "Array", low: float, high: float) -> "Levels":
    """Turn numbers into places in the colour table."""
    if high > low:
        # Halves first: high - low may overflow where each of them does not.
        share = (numbers.astype(np.float64) / 2 - low / 2) / (high / 2 - low / 2)
    else:
        share = np.where(np.isfinite(numbers), 0.5, numbers.astype(np.float64))
    with np.errstate(invalid="ignore"):
        levels = np.clip(np.round(share * (LEVELS - 1)), 0, LEVELS - 1)
    coded: Levels = np.nan_to_num(levels, nan=NAN_LEVEL).astype(np.uint8)
    coded[np.isnan(numbers)] = NAN_LEVEL
    coded[np.isposinf(numbers)] = POSITIVE_INFINITY_LEVEL
    coded[np.isneginf(numbers)] = NEGATIVE_INFINITY_LEVEL
    return coded


def _tiles(numbers: "Array") -> tuple[list["Array"], bool]:
    """Cut an array into matrices to show side by side, and tell whether they are images."""
    if numbers.ndim <= 1:
        return [numbers.reshape(1, -1)], False
    if numbers.ndim == 2:
        return [numbers], False
    if numbers.ndim == 3:
        return list(numbers[:MOST_TILES]), True
    stack = numbers.reshape(numbers.shape[0], numbers.shape[1], -1, numbers.shape[-1])
    # One channel: the first samples. Several: the channels of the first sample.
    chosen = stack[:MOST_TILES, 0] if stack.shape[1] == 1 else stack[0, :MOST_TILES]
    return list(chosen), True


def _sheet(tiles: list["Levels"]) -> "Levels":
    """Lay tiles out in rows, with a gap, near the proportions of a heatmap's place."""
    rows, columns = tiles[0].shape

    def misfit(across: int) -> float:
        down = math.ceil(len(tiles) / across)
        ratio = (across * (columns + 1)) / (down * (rows + 1))
        return abs(math.log(ratio / ASPECT)) + 0.3 * (across * down - len(tiles)) / len(tiles)

    across = min(range(1, len(tiles) + 1), key=misfit)
    down = math.ceil(len(tiles) / across)
    gap = 1 if max(rows, columns) < 24 else 2
    sheet = np.full((down * (rows + gap) - gap, across * (columns + gap) - gap), EMPTY_LEVEL, dtype=np.uint8)
    for place, tile in enumerate(tiles):
        top, left = (place // across) * (rows + gap), (place % across) * (columns + gap)
        sheet[top : top + rows, left : left + columns] = tile
    return sheet


def _reduced(levels: "Levels", most_rows: int, most_columns: int) -> "Levels":
    """Shrink a large sheet by whole steps; a block that holds anything that is not finite shows that."""
    step_y = math.ceil(levels.shape[0] / most_rows)
    step_x = math.ceil(levels.shape[1] / most_columns)
    if step_y == step_x == 1:
        return levels
    rows, columns = math.ceil(levels.shape[0] / step_y), math.ceil(levels.shape[1] / step_x)
    padded = np.full((rows * step_y, columns * step_x), EMPTY_LEVEL, dtype=np.uint8)
    padded[: levels.shape[0], : levels.shape[1]] = levels
    blocks = padded.reshape(rows, step_y, columns, step_x).transpose(0, 2, 1, 3).reshape(rows, columns, -1)
    plain = blocks < LEVELS
    count = plain.sum(axis=2)
    total = np.where(plain, blocks, 0).sum(axis=2, dtype=np.int64)
    mean = np.where(count > 0, total // np.maximum(count, 1), EMPTY_LEVEL)
    loud = np.where((blocks >= LEVELS) & (blocks < EMPTY_LEVEL), blocks, 0).max(axis=2)
    result: Levels = np.where(loud > 0, loud, mean).astype(np.uint8)
    return result


def _image(levels: "Levels", table: list[int]) -> QImage:
    rows, columns = levels.shape
    steady = np.ascontiguousarray(levels)
    image = QImage(steady.data, columns, rows, columns, QImage.Format.Format_Indexed8)
    image.setColorTable(table)
    # A copy owns its pixels; premultiplied is what the painter wants without converting at every frame.
    return image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)

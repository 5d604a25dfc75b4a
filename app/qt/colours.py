"""Colours of the pictures, of heatmaps and of code, as frozen records.

Every record is one answer to "which colour has ...?"; painters never spell a colour themselves.
"""

from functools import cache
from typing import Final

import attrs
from PySide6.QtGui import QColor

from app.qt.settings import PictureName

LEVELS: Final = 252
"""How many colours of a table stand for finite numbers; the other four are the next constants."""
NEGATIVE_INFINITY_LEVEL: Final = 252
POSITIVE_INFINITY_LEVEL: Final = 253
NAN_LEVEL: Final = 254
EMPTY_LEVEL: Final = 255


def mix(first: QColor, second: QColor, share: float) -> QColor:
    """Return the colour that lies `share` of the way from the first to the second."""
    return QColor.fromRgbF(
        first.redF() + (second.redF() - first.redF()) * share,
        first.greenF() + (second.greenF() - first.greenF()) * share,
        first.blueF() + (second.blueF() - first.blueF()) * share,
    )


def readable_on(background: QColor) -> QColor:
    """Return near-black or white, whichever stands out more on the background."""
    return max((QColor("#111827"), QColor("#ffffff")), key=lambda ink: contrast(ink, background))


def relative_luminance(colour: QColor) -> float:
    """Return how bright a colour is, 0 to 1, by the definition of the web accessibility guidelines."""

    def linear(value: float) -> float:
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    return 0.2126 * linear(colour.redF()) + 0.7152 * linear(colour.greenF()) + 0.0722 * linear(colour.blueF())


def contrast(first: QColor, second: QColor) -> float:
    """Return the contrast ratio of two colours, 1 to 21."""
    low, high = sorted((relative_luminance(first), relative_luminance(second)))
    return (high + 0.05) / (low + 0.05)


@attrs.frozen(eq=False)
class ColourMap:
    """A colour for every number from 0 to 1: straight lines between evenly spaced stops."""

    name: str
    stops: tuple[QColor, ...]

    def colour(self, position: float) -> QColor:
        """Return the colour at a position; a position outside 0 to 1 takes the nearer end."""
        place = min(max(position, 0.0), 1.0) * (len(self.stops) - 1)
        index = min(int(place), len(self.stops) - 2)
        return mix(self.stops[index], self.stops[index + 1], place - index)

    def colours(self, count: int) -> list[QColor]:
        """Return that many colours at even distances from end to end."""
        return [self.colour(place / (count - 1)) for place in range(count)]


@attrs.frozen(eq=False)
class HeatColours:
    """Colours of arrays: one map for values, one that diverges around zero, and three that must be loud."""

    sequential: ColourMap
    diverging: ColourMap
    not_a_number: QColor
    positive_infinity: QColor
    negative_infinity: QColor

    def table(self, diverging: bool) -> list[int]:
        """Return 256 colours for QImage.setColorTable: LEVELS for numbers, then −∞, +∞, NaN and empty."""
        return list(_table(self, diverging))


@cache
def _table(heat: HeatColours, diverging: bool) -> tuple[int, ...]:
    chosen = heat.diverging if diverging else heat.sequential
    special = (heat.negative_infinity, heat.positive_infinity, heat.not_a_number, QColor(0, 0, 0, 0))
    return tuple(colour.rgba() for colour in (*chosen.colours(LEVELS), *special))


@attrs.frozen(eq=False)
class PictureColours:
    """The colours of the tutorial's pictures; letters and outlines say the same, so none speaks alone."""

    name: PictureName
    outline: QColor
    argument: QColor
    operator: QColor
    output: QColor
    internal: QColor
    gradient: QColor
    auxiliary: QColor
    head_gradient: QColor
    group: QColor
    gradient_wire: QColor
    backward_wire: QColor


def _hues(*hues: str) -> dict[str, QColor]:
    return dict(zip(("grey", "blue", "green", "amber", "violet"), map(QColor, hues), strict=True))


_HUES: Final[dict[PictureName, dict[str, QColor]]] = {
    "standard": _hues("#75808d", "#3f7fe0", "#19a34a", "#dd9108", "#8b5cf6"),
    "safe": _hues("#75808d", "#0072b2", "#009e73", "#e69f00", "#cc79a7"),
    "print": _hues("#8a8a8a", "#3a3a3a", "#707070", "#b4b4b4", "#565656"),
}


@attrs.frozen(eq=False)
class Tint:
    """The colours of a frame or a note: its ground, its title bar, its outline, and that under the pointer."""

    ground: QColor
    bar: QColor
    line: QColor
    strong: QColor


def tint_of(name: PictureName, colour: str, canvas: QColor) -> Tint:
    """Return how a frame of a colour looks on a board: hues that go with a picture palette, greys in print."""
    hue = _HUES[name][colour]
    if name == "print" and relative_luminance(canvas) < 0.5:
        hue = QColor(255 - hue.red(), 255 - hue.green(), 255 - hue.blue())
    return Tint(mix(canvas, hue, 0.06), mix(canvas, hue, 0.26), mix(canvas, hue, 0.55), mix(canvas, hue, 0.9))


@attrs.frozen(eq=False)
class CodeColours:
    """Colours of the code pane."""

    keyword: QColor
    name: QColor
    string: QColor
    number: QColor
    comment: QColor
    sign: QColor


def _map(name: str, *stops: str) -> ColourMap:
    return ColourMap(name, tuple(map(QColor, stops)))


# The stops of "ember" rise evenly in lightness (Oklab L from 0.23 to 0.92) while the hue walks from violet over rose
# and amber to yellow; those of "poles" fall evenly from white to both sides.
HEAT: Final = HeatColours(
    sequential=_map(
        "ember",
        *("#2c0045", "#4c094c", "#691b4e", "#862d4e", "#a0424b", "#b75948"),
        *("#cd7141", "#e08c3a", "#eda938", "#f5c942", "#f7e95b"),
    ),
    diverging=_map(
        "poles",
        *("#0d51d3", "#4c81e5", "#85acf3", "#bed5fc", "#fafafa", "#f9c5be", "#ea9084", "#d5564a", "#b4010b"),
    ),
    not_a_number=QColor("#ff00d4"),
    positive_infinity=QColor("#00e5a8"),
    negative_infinity=QColor("#00b8ff"),
)


_NIGHT: Final = attrs.evolve(
    HEAT,
    diverging=_map(
        "poles by night",
        *("#a9c8ff", "#7da6f7", "#4f7bd0", "#38507f", "#2b313b", "#6f4140", "#b05a52", "#e0877c", "#ffb9ae"),
    ),
)
"""Zero is as dark as the board, since a white field would outshine everything on it."""
_PAPER: Final = attrs.evolve(
    HEAT,
    sequential=_map("ink", "#f0f0f0", "#1c1c1c"),
    diverging=_map("grey poles", "#101010", "#a2a2a2", "#ffffff"),
)
_PAPER_BY_NIGHT: Final = attrs.evolve(_PAPER, sequential=_map("chalk", "#303030", "#f4f4f4"))


def heat_colours(name: PictureName, *, on_dark: bool) -> HeatColours:
    """Return the colours of arrays that go with a picture palette: greys in print, of which black is negative."""
    if name == "print":
        return _PAPER_BY_NIGHT if on_dark else _PAPER
    return _NIGHT if on_dark else HEAT


def _picture(name: PictureName, outline: str, *colours: str) -> PictureColours:
    fields = [field.name for field in attrs.fields(PictureColours)][1:]
    return PictureColours(name, **dict(zip(fields, map(QColor, (outline, *colours)), strict=True)))


# In the order of the fields: outline, argument, operator, output, internal, gradient, auxiliary, head gradient, group,
# and the two wires of the backward pass. "safe" is built on the palette of Okabe and Ito.
_ON_LIGHT: Final[dict[PictureName, PictureColours]] = {
    "standard": _picture(
        "standard",
        "#5b6571",
        *("#f29111", "#eaedf1", "#e5383b", "#b8bec7", "#19b34a", "#2f6b2f", "#3f7fe0", "#e5383b"),
        *("#19b34a", "#3f7fe0"),
    ),
    "safe": _picture(
        "safe",
        "#4a5260",
        *("#e69f00", "#eaedf1", "#d55e00", "#b8bec7", "#009e73", "#00513b", "#0072b2", "#cc79a7"),
        *("#009e73", "#0072b2"),
    ),
    "print": _picture(
        "print",
        "#111111",
        *("#e4e4e4", "#ffffff", "#6a6a6a", "#ffffff", "#bdbdbd", "#3c3c3c", "#ffffff", "#111111"),
        *("#555555", "#111111"),
    ),
}
_ON_DARK: Final[dict[PictureName, PictureColours]] = {
    "standard": _picture(
        "standard",
        "#a9b2be",
        *("#e88a12", "#39424e", "#e2474a", "#67717e", "#1faf4e", "#3b803b", "#4d8bea", "#f05a5d"),
        *("#36c766", "#6aa2f5"),
    ),
    "safe": _picture(
        "safe",
        "#b6bec9",
        *("#e69f00", "#39424e", "#dd6a10", "#67717e", "#0fae82", "#0a6b50", "#2a8fd0", "#d98cb6"),
        *("#1fc79a", "#56b4e9"),
    ),
    "print": _picture(
        "print",
        "#e8e8e8",
        *("#4a4a4a", "#2b2b2b", "#9a9a9a", "#2b2b2b", "#6b6b6b", "#c8c8c8", "#2b2b2b", "#e8e8e8"),
        *("#b0b0b0", "#e8e8e8"),
    ),
}


def picture_colours(name: PictureName, *, on_dark: bool) -> PictureColours:
    """Return the colours of the pictures by name, for a light or a dark board."""
    return (_ON_DARK if on_dark else _ON_LIGHT)[name]

"""Pens, brushes, fonts and laid-out words of one theme, made once and used by every painter of the board."""

from functools import lru_cache
from typing import Literal

import attrs
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QFontMetricsF, QPen, QStaticText

from app.qt import fonts
from app.qt.colours import Tint, mix, readable_on, tint_of
from app.qt.theme import Theme

Script = Literal[
    "name", "text", "small", "tiny", "mono", "mono small", "mono slanted", "sign", "letter", "badge"
]

ELIDE_RIGHT = Qt.TextElideMode.ElideRight

_SANS: dict[str, tuple[int, bool]] = {
    "name": (14, True),
    "text": (12, False),
    "small": (11, False),
    "tiny": (10, False),
    "sign": (17, True),
    "badge": (11, True),
}
_MONO: dict[str, tuple[int, bool, bool]] = {
    "mono": (13, False, False),
    "mono small": (11, False, False),
    "mono slanted": (11, False, True),
    "letter": (12, True, False),
}


@lru_cache(maxsize=32)
def font_of(script: Script) -> QFont:
    """Return the font of a kind of words on the board."""
    if script in _SANS:
        size, strong = _SANS[script]
        return fonts.text_font(size, strong=strong)
    size, strong, slanted = _MONO[script]
    return fonts.mono_font(size, strong=strong, italic=slanted)


@lru_cache(maxsize=32)
def metrics_of(script: Script) -> QFontMetricsF:
    """Return the measures of a kind of words."""
    return QFontMetricsF(font_of(script))


@attrs.frozen(eq=False)
class Words:
    """A laid-out piece of text, its font and its size."""

    text: str
    script: Script
    static: QStaticText
    width: float
    height: float

    @property
    def size(self) -> QPointF:
        """Width and height."""
        return QPointF(self.width, self.height)


@lru_cache(maxsize=8192)
def words(
    text: str, script: Script, widest: float = 0.0, elide: Qt.TextElideMode = Qt.TextElideMode.ElideMiddle
) -> Words:
    """Lay a text out; one wider than `widest` is shortened, in its middle unless said otherwise."""
    metrics = metrics_of(script)
    shown = metrics.elidedText(text, elide, widest) if widest > 0 else text
    static = QStaticText(shown)
    static.setTextFormat(Qt.TextFormat.PlainText)
    static.setPerformanceHint(QStaticText.PerformanceHint.AggressiveCaching)
    return Words(shown, script, static, metrics.horizontalAdvance(shown), metrics.height())


@attrs.frozen(eq=False)
class Label:
    """Words at a place, and what they are there for."""

    role: Literal["name", "number", "sign", "operator", "shape", "summary", "tag", "index", "hint"]
    box: QRectF
    words: Words
    output: int = 0


class Ink:
    """Everything that painters need of a theme, ready for use."""

    def __init__(self, theme: Theme) -> None:
        self.theme = theme
        self.is_dark = theme.is_dark
        picture = theme.picture
        self.picture = picture
        self._tints: dict[str, Tint] = {}
        self.outline = pen(picture.outline, 1.6)
        self.selected = pen(theme.accent, 2.4)
        self.hovered = pen(theme.accent, 1.6)
        self.wire = pen(theme.wire, 1.7)
        self.wire_selected = pen(theme.accent, 2.4)
        self.wire_faint = pen(theme.wire_faint, 1.3)
        self.wire_wrong = pen(theme.error, 2.2)
        self.wire_pale = pen(theme.wire_faint, 1.7, Qt.PenStyle.DashLine)
        self.wire_opened = pen(theme.accent, 4.0)
        self.wire_in_hand = pen(theme.accent, 2.2)
        self.hairline = pen(theme.wire_faint, 0)
        self.card = pen(theme.card_border, 1.2)
        self.opaque = pen(theme.muted, 1.6, Qt.PenStyle.DashLine)
        self.group = pen(picture.group, 2.0)
        self.port = pen(theme.wire, 1.6)
        self.lit = pen(theme.accent, 2.2)
        self.veil = QColor(theme.canvas)
        self.veil.setAlpha(216)
        self.tag = pen(mix(theme.accent, theme.canvas, 0.62), 1.0)
        self.shadow = QBrush(theme.shadow)
        self.on_auxiliary = readable_on(picture.auxiliary)

    def frame(self, colour: str) -> Tint:
        """Return the colours of a frame."""
        if colour not in self._tints:
            self._tints[colour] = tint_of(self.picture.name, colour, self.theme.canvas)
        return self._tints[colour]

    @property
    def note(self) -> Tint:
        """The colours of a note."""
        return self.frame("amber")

    def fill(self, kind: str) -> QColor:
        """Return the colour that a kind of symbol node is filled with."""
        if kind == "variable":
            return self.picture.argument
        if kind == "auxiliary":
            return self.picture.auxiliary
        return self.picture.operator


def pen(colour: QColor, width: float, style: Qt.PenStyle = Qt.PenStyle.SolidLine) -> QPen:
    """Return a pen with round joins."""
    made = QPen(colour, width, style, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
    made.setCosmetic(width == 0)
    return made

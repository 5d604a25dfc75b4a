"""The small things that both styles and both graphs are painted with."""

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPen

from app.canvas.ink import Ink, Label, Words, font_of, pen, words

if TYPE_CHECKING:
    from app.canvas.heat import Heat

FAR_BELOW = 0.25
"""Below this zoom a card is less than 50 pixels wide, and no name could be read in it."""
LEAST_PIXELS = 9.0
"""Names are written at least so large on the screen, as far as there is room."""
LOUD: Final = ("NaN", "∞", "−∞")
"""Numbers that must not be overlooked, as they are written."""
SMALL_WORDS_FROM = 0.5
"""Below this zoom the small words of a node are left out: they could not be read."""


def paint_words(painter: QPainter, place: QPointF, text: Words, colour: QColor) -> None:
    """Write laid-out words with their top left corner at a place."""
    painter.setFont(font_of(text.script))
    painter.setPen(colour)
    painter.drawStaticText(place, text.static)


def clear_ground(painter: QPainter, box: QRectF, ink: Ink) -> None:
    """Let what lies under words shine through only faintly, so that a wire does not cut them."""
    painter.fillRect(box.adjusted(-1, 1, 1, -1), ink.veil)


def loud_ground(painter: QPainter, box: QRectF, ink: Ink) -> QColor:
    """Put a glaring ground under words that must not be overlooked; return the colour to write in."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QBrush(ink.theme.heat.not_a_number))
    painter.drawRoundedRect(box.adjusted(-3, 0, 3, 0), 4, 4)
    return QColor("#111111")


def paint_label(painter: QPainter, label: Label, colour: QColor) -> None:
    """Write a label in its box."""
    paint_words(painter, label.box.topLeft(), label.words, colour)


def growth_at(scale: float, text: Words) -> float:
    """Return how many times larger words must be written to be read at a zoom."""
    return max(1.0, LEAST_PIXELS / (font_of(text.script).pixelSize() * max(scale, FAR_BELOW)))


def paint_grown(painter: QPainter, label: Label, foot: QPointF, growth: float, colour: QColor) -> None:
    """Write a label larger than it was laid out, away from its foot."""
    if growth <= 1.0:
        paint_label(painter, label, colour)
        return
    painter.save()
    painter.translate(foot)
    painter.scale(growth, growth)
    paint_words(painter, label.box.topLeft() - foot, label.words, colour)
    painter.restore()


def paint_middle(painter: QPainter, box: QRectF, text: Words, colour: QColor) -> None:
    """Write words in the middle of a box."""
    place = QPointF(box.center().x() - text.width / 2, box.center().y() - text.height / 2)
    paint_words(painter, place, text, colour)


def paint_pill(painter: QPainter, label: Label, ink: Ink) -> None:
    """Draw the tag that says which output a node is."""
    box = label.box
    painter.setPen(ink.tag)
    painter.setBrush(ink.theme.accent_soft)
    painter.drawRoundedRect(box, box.height() / 2, box.height() / 2)
    paint_middle(painter, box, label.words, ink.theme.accent_strong)


def paint_badge(painter: QPainter, place: QPointF, ink: Ink, *, is_error: bool = True) -> None:
    """Draw the mark of a problem: a disc with an exclamation mark."""
    fill = ink.theme.error if is_error else ink.theme.warning
    painter.setPen(pen(ink.theme.canvas, 1.6))
    painter.setBrush(fill)
    painter.drawEllipse(place, 8.0, 8.0)
    paint_middle(painter, QRectF(place.x() - 8, place.y() - 8, 16, 16), words("!", "badge"), ink.theme.canvas)


def paint_port(painter: QPainter, place: QPointF, ink: Ink, *, lit: bool = False, best: bool = False) -> None:
    """Draw a port; what could take the wire in the hand is ringed, and the one it would take is filled."""
    painter.setPen(ink.lit if lit or best else ink.port)
    painter.setBrush(ink.theme.accent if best else ink.theme.port)
    radius = 7.0 if best else 6.0 if lit else 5.0
    painter.drawEllipse(place, radius, radius)


def paint_heat(painter: QPainter, place: QRectF, heat: "Heat", ink: Ink, *, stale: bool = False) -> None:
    """Draw the picture of an array with sharp cells, and what must not be overlooked in it.

    One from before the last edit is pale in a dashed frame.
    """
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
    painter.drawImage(place, heat.image)
    if stale:
        painter.fillRect(place, ink.veil)
        painter.setPen(pen(ink.theme.muted, 1.2, Qt.PenStyle.DashLine))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(place)
    if not heat.alarm:
        return
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(pen(ink.theme.heat.not_a_number, 2.0))
    painter.drawRect(place.adjusted(-1, -1, 1, 1))
    said = words(heat.alarm, "badge")
    tag = QRectF(place.right() - said.width - 7, place.top() - 5, said.width + 8, said.height)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QBrush(ink.theme.heat.not_a_number))
    painter.drawRoundedRect(tag, 4, 4)
    paint_middle(painter, tag, said, QColor("#111111"))


def outline_of(ink: Ink, *, selected: bool, hovered: bool, wrong: bool, opaque: bool = False) -> QPen:
    """Return the pen of a body's outline; selection is also thicker, not only of another colour.

    What is not known here is dashed whatever else it is.
    """
    if opaque:
        return dashed(ink.selected if selected else ink.hovered if hovered else ink.opaque)
    if selected:
        return ink.selected
    if wrong:
        return ink.wire_wrong
    return ink.hovered if hovered else ink.outline


def dashed(line: QPen) -> QPen:
    """Return a pen of the same colour and width that draws dashes."""
    copy = QPen(line)
    copy.setStyle(Qt.PenStyle.DashLine)
    return copy

"""Names of cards at small zooms, where they are written larger than the rest."""

from functools import lru_cache

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter

from app.canvas import strokes
from app.canvas.geometry import CARD
from app.canvas.ink import Label, Words, words
from app.canvas.looks import Kit, Subject

PART_ENDS = "_-./:"
INSET = 10.0
"""How far the words of a card keep from its sides."""


def paint_name(painter: QPainter, label: Label, subject: Subject, kit: Kit) -> None:
    """Write the name so that it can be read at a small zoom: in a card on two lines, else away from the ellipse."""
    look, drawing, colour = subject.look, subject.drawing, kit.ink.theme.text
    growth = strokes.growth_at(kit.scale, label.words)
    if growth <= 1.0 or look.shape.kind in ("variable", "auxiliary"):
        strokes.paint_grown(painter, label, drawing.foot, min(growth, drawing.growth), colour)
        return
    body = CARD.body(look.shape)
    room = (body.width() - 2 * INSET) / growth
    lines = _on_two_lines(look.name, room)
    high = lines[0].height * growth
    if len(lines) == 2:
        low = body.top() + 2 * high
        if low > _lowest_of_name(subject, body):
            lines = (words(look.name, "name", room),)
        elif low > body.top() + CARD.header:
            band = QRectF(
                body.left() + 1, body.top() + CARD.header, body.width() - 2, low - body.top() - CARD.header
            )
            painter.fillRect(band, kit.ink.theme.card_header)
    top = body.top() + max(0.0, (CARD.header - high * len(lines)) / 2)
    for name in lines:
        box = QRectF(body.left() + INSET, top, name.width, name.height)
        strokes.paint_grown(painter, Label("name", box, name), box.topLeft(), growth, colour)
        top += high


def _lowest_of_name(subject: Subject, body: QRectF) -> float:
    """Return how far down a name may reach: over a third of the heatmaps, and over all where there are none yet."""
    heats = subject.drawing.heats
    if heats and (subject.look.has_output or subject.look.has_gradient):
        return heats[0][1].top() + heats[0][1].height() / 3
    return body.bottom() - INSET


@lru_cache(maxsize=4096)
def _on_two_lines(name: str, room: float) -> tuple[Words, ...]:
    """Break a name that is too long between its parts: names in a model differ anywhere, in the middle too.

    What is too long for the second line as well loses its beginning.
    """
    whole = words(name, "name", room)
    ends = [place for place in range(1, len(name)) if name[place - 1] in PART_ENDS]
    fitting = [place for place in ends if words(name[:place], "name").width <= room]
    if whole.text == name or not fitting:
        return (whole,)
    place = fitting[-1]
    return words(name[:place], "name"), words(name[place:], "name", room, Qt.TextElideMode.ElideLeft)

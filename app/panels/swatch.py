"""The small pictures before names: the ellipses and the box of the tutorial's drawings."""

from typing import Literal

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from app.document.records import GROUP, VARIABLE
from app.qt.theme import Theme

SwatchKind = Literal["argument", "operator", "output", "group", "auxiliary"]
WIDTH = 16
HEIGHT = 11


def swatch_kind(op: str) -> SwatchKind:
    """Return which picture stands for a node of this operator."""
    if op == VARIABLE:
        return "argument"
    return "group" if op == GROUP else "operator"


def paint_swatch(painter: QPainter, area: QRectF, kind: SwatchKind, theme: Theme) -> None:
    """Draw the picture in the middle of an area."""
    picture = theme.picture
    fills: dict[SwatchKind, QColor] = {
        "argument": picture.argument,
        "operator": picture.operator,
        "output": picture.operator,
        "auxiliary": picture.auxiliary,
        "group": QColor(Qt.GlobalColor.transparent),
    }
    shape = QRectF(0, 0, WIDTH, HEIGHT)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(fills[kind])
    if kind == "group":
        shape.setSize(QRectF(0, 0, 12, 12).size())
        painter.setPen(QPen(picture.group, 1.6))
    else:
        painter.setPen(QPen(picture.outline, 1.4))
    shape.moveCenter(area.center())
    if kind == "group":
        painter.drawRoundedRect(shape, 2, 2)
    else:
        painter.drawEllipse(shape)
    painter.restore()

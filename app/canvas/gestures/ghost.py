"""The outline of a node that is not there yet, carried by the pointer."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from app.canvas import strokes
from app.canvas.geometry import Kind, NodeShape, geometry_of
from app.canvas.ink import Ink, pen, words


class GhostItem(QGraphicsItem):
    """A dashed outline with a name."""

    def __init__(self, ink: Ink, style: str, kind: Kind, name: str) -> None:
        super().__init__()
        self._ink = ink
        self._is_ellipse = style != "card" or kind in ("variable", "auxiliary")
        self._body = geometry_of(style).body(NodeShape(kind, flow=(0,) if kind == "operator" else ()))
        self._words = words(name, "small")
        self.setZValue(9.0)

    def boundingRect(self) -> QRectF:
        """Return the box of outline and name."""
        wide = max(self._body.width(), self._words.width) / 2 + 6
        return QRectF(-wide, self._body.top() - self._words.height - 8, 2 * wide, self._body.height() + 44)

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        """Paint outline and name."""
        theme = self._ink.theme
        painter.setPen(pen(theme.accent, 1.8, Qt.PenStyle.DashLine))
        painter.setBrush(theme.accent_soft)
        if self._is_ellipse:
            painter.drawEllipse(self._body)
        else:
            painter.drawRoundedRect(self._body, 8, 8)
        box = QRectF(self._body.left(), self._body.bottom() + 3, self._body.width(), self._words.height)
        strokes.paint_middle(painter, box, self._words, theme.accent_strong)

"""The legend of the executor graph, along the lower edge of its view."""

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPolygonF
from PySide6.QtWidgets import QWidget

from app.canvas import strokes
from app.canvas.executor_items import paint_sign
from app.canvas.executor_looks import ExecutorKind, WireKind
from app.canvas.executor_wires import wire_pen
from app.canvas.ink import Ink, words
from app.canvas.ways import arrow_head

KINDS: tuple[tuple[ExecutorKind, str, str], ...] = (
    ("argument", "A", "argument"),
    ("output", "0", "output"),
    ("internal", "", "internal"),
    ("holder", "∂", "gradient"),
    ("auxiliary", "S", "auxiliary"),
    ("head", "↓", "backward input"),
)
WIRES: tuple[tuple[WireKind, str], ...] = (("gradient", "gradient flow"), ("read", "read by backward"))
SWATCH = 18.0
LINE = 26.0
ROW = 28
SIDE = 16
SPACE = 18


class Legend(QWidget):
    """Says what squares, letters and arrows mean; it takes as many rows as it needs."""

    def __init__(self, parent: QWidget, ink: Ink) -> None:
        super().__init__(parent)
        self._ink = ink
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAccessibleName("Legend")

    def dress(self, ink: Ink) -> None:
        """Take over a theme's colours."""
        self._ink = ink
        self.update()

    def place(self, room: QSize) -> None:
        """Lie along the lower edge of a room."""
        rows = len(self.rows(room.width()))
        self.setGeometry(0, room.height() - rows * ROW - 8, room.width(), rows * ROW + 8)

    def rows(self, width: int) -> list[list[tuple[int, float]]]:
        """Return for each row the entries and where they begin."""
        rows: list[list[tuple[int, float]]] = [[]]
        left = float(SIDE)
        for number in range(len(KINDS) + len(WIRES)):
            wide = self.entry_width(number)
            if rows[-1] and left + wide > width - SIDE:
                rows.append([])
                left = float(SIDE)
            rows[-1].append((number, left))
            left += wide + SPACE
        return rows

    def entry_width(self, number: int) -> float:
        """Return how wide an entry is."""
        if number < len(KINDS):
            return SWATCH + 6 + words(KINDS[number][2], "text").width
        return LINE + 6 + words(WIRES[number - len(KINDS)][1], "text").width

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the entries over a ground that lets nothing shine through."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._ink.theme.canvas)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for row, entries in enumerate(self.rows(self.width())):
            for number, left in entries:
                self._paint_entry(painter, number, QPointF(left, row * ROW + ROW / 2))

    def _paint_entry(self, painter: QPainter, number: int, middle: QPointF) -> None:
        ink = self._ink
        if number < len(KINDS):
            kind, letter, said = KINDS[number]
            box = QRectF(middle.x(), middle.y() - SWATCH / 2, SWATCH, SWATCH)
            painter.setPen(ink.outline)
            paint_sign(painter, box, kind, letter, ink)
            left = box.right() + 6
        else:
            wire, said = WIRES[number - len(KINDS)]
            line = wire_pen(wire, ink)
            end = QPointF(middle.x() + LINE, middle.y())
            painter.setPen(line)
            painter.drawLine(middle, end - QPointF(6, 0))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(line.color())
            painter.drawPolygon(QPolygonF(arrow_head(end, QPointF(1, 0), 9.0)))
            left = end.x() + 6
        text = words(said, "text")
        strokes.paint_words(painter, QPointF(left, middle.y() - text.height / 2), text, ink.theme.muted)

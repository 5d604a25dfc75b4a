"""The legend of the memory view, in one row; it is left away where it has no room."""

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.panels.memory.drawing import KINDS, BarInk
from app.panels.memory.words import KINDS as WORDS
from app.qt import fonts
from app.qt.theme import HALF_STEP, STEP, Theme

IN_USE = "in use"
SWATCH = 14.0


class MemoryLegend(QWidget):
    """Says what the colours and patterns of the bars mean, and what the line is."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Legend")

    def sizeHint(self) -> QSize:
        """Ask for the room of all words."""
        metrics = QFontMetricsF(fonts.text_font(fonts.CAPTION))
        words = [*WORDS.values(), IN_USE]
        wide = sum(SWATCH + HALF_STEP + metrics.horizontalAdvance(word) + 1.5 * STEP for word in words)
        return QSize(round(wide), round(metrics.height()) + 2)

    def minimumSizeHint(self) -> QSize:
        """Leave the room to others."""
        return QSize(0, self.sizeHint().height())

    def restyle(self, theme: Theme) -> None:
        """Wear another theme."""
        self._theme = theme
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw a small bar for each kind and a bit of the line."""
        if self.width() < self.sizeHint().width():
            return
        with QPainter(self) as painter:
            font = fonts.text_font(fonts.CAPTION)
            painter.setFont(font)
            metrics = QFontMetricsF(font)
            left, middle = 0.0, self.height() / 2
            for word in (*KINDS, None):
                swatch = QRectF(left, middle - 5, SWATCH, 10)
                if word is None:
                    painter.setPen(QPen(self._theme.accent_strong, 2.0))
                    painter.drawLine(
                        QPointF(swatch.left(), middle + 0.5), QPointF(swatch.right(), middle + 0.5)
                    )
                else:
                    BarInk.of(word, self._theme).paint(painter, [swatch])
                text = WORDS[word] if word is not None else IN_USE
                wide = metrics.horizontalAdvance(text) + 1.5 * STEP
                left = swatch.right() + HALF_STEP
                painter.setPen(self._theme.muted)
                room = QRectF(left, 0, wide, self.height())
                painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)
                left += wide

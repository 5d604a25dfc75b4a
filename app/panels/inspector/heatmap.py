"""A large heatmap with a colour bar; imported when the first array is to be seen, since pyqtgraph takes a while."""

from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QLinearGradient, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QGraphicsSceneMouseEvent, QHBoxLayout, QStyleOptionGraphicsItem, QWidget

from app.panels.inspector.heat_levels import Levels, heat_levels
from app.panels.inspector.slicing import Picture
from app.panels.inspector.statistics import number_text
from app.qt import fonts
from app.qt.colours import EMPTY_LEVEL, LEVELS, readable_on
from app.qt.theme import HALF_STEP, STEP, Theme

ALMOST_SQUARE = 1.3
"""Cells of a matrix keep square only where the whole is almost a square; those of images always do."""
LOWEST, HIGHEST, HIGHEST_CELL = 88, 320, 24
"""Limits of the picture's height, and of that of a matrix' row, in pixels."""
NUMBERS_FROM = 34.0
"""Numbers are written into the cells from this many screen pixels on."""


HINT = "Ctrl and wheel zoom, dragging moves, a double click shows all of it again."


class HeatView(pg.GraphicsView):  # type: ignore[misc]  # pyqtgraph has no types
    """What a heatmap is seen through; leaves the wheel to the panel that it scrolls along in."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom while Ctrl is held."""
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            super().wheelEvent(event)
        else:
            event.ignore()


class Heatmap(QWidget):
    """Draws a picture of numbers, which can be zoomed and moved.

    `pointed` says which number the pointer is on, as a text, or nothing.
    """

    pointed = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._picture: Picture | None = None
        self._locked = False
        self.view = HeatView(useOpenGL=False)
        self.view.setToolTip(HINT)
        self.view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.box = pg.ViewBox(enableMenu=False, invertY=True, border=None)
        self.box.setDefaultPadding(0.01)
        self.view.setCentralItem(self.box)
        self.image = pg.ImageItem(axisOrder="row-major")
        self.numbers = CellNumbers()
        self.box.addItem(self.image)
        self.box.addItem(self.numbers)
        self.bar = ColourBar(theme)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(STEP)
        layout.addWidget(self.view)
        layout.addWidget(self.bar)
        self.view.scene().sigMouseMoved.connect(self._moved)
        self.view.scene().sigMouseClicked.connect(self._clicked)
        self.restyle(theme)

    def sizeHint(self) -> QSize:
        """Ask for about a square."""
        return QSize(280, 264)

    def show_picture(self, picture: Picture, ends: tuple[float, float], *, diverging: bool) -> None:
        """Draw numbers with colours that span the range `ends`."""
        levels = heat_levels(picture.numbers, ends, picture.empty)
        first = self._picture is None or self._picture.numbers.shape != picture.numbers.shape
        self._picture = picture
        table = np.array(
            [QColor.fromRgba(code).getRgb() for code in self._theme.heat.table(diverging)], np.uint8
        )
        self.image.setImage(levels, autoLevels=False, levels=(0, 255), lut=table)
        self.numbers.show_numbers(picture, levels, table)
        self.bar.show_range(ends, levels, diverging=diverging)
        if first:
            rows, columns = levels.shape
            is_image = len(picture.view.shape) > 2
            self._locked = is_image or max(rows, columns) <= ALMOST_SQUARE * min(rows, columns)
            self.box.setAspectLocked(self._locked)
            self.show_all()

    def height_for(self, width: int) -> int:
        """Return how high the picture is best at a width, within limits."""
        if self._picture is None:
            return HIGHEST
        rows, columns = self._picture.numbers.shape
        square = (width - self.bar.width() - STEP) * rows / columns
        return int(min(max(square if self._locked else rows * HIGHEST_CELL, LOWEST), HIGHEST))

    def show_all(self) -> None:
        """Zoom so that the whole picture is seen."""
        if self._picture is not None:
            rows, columns = self._picture.numbers.shape
            self.box.setRange(QRectF(0, 0, columns, rows), padding=0.01)

    def restyle(self, theme: Theme) -> None:
        """Wear another theme."""
        self._theme = theme
        self.view.setBackground(theme.panel)
        self.bar.restyle(theme)

    def leaveEvent(self, event: Any) -> None:
        """Point at nothing."""
        super().leaveEvent(event)
        self.pointed.emit("")

    def _moved(self, place: QPointF) -> None:
        self.pointed.emit(self.text_at(self.image.mapFromScene(place)))

    def _clicked(self, event: QGraphicsSceneMouseEvent) -> None:
        if event.double():  # type: ignore[attr-defined]
            self.show_all()

    def text_at(self, place: QPointF) -> str:
        """Spell index and number at a place of the picture, or nothing beside it."""
        if self._picture is None:
            return ""
        row, column = int(np.floor(place.y())), int(np.floor(place.x()))
        rows, columns = self._picture.numbers.shape
        if not (0 <= row < rows and 0 <= column < columns):
            return ""
        index = self._picture.index_at(row, column)
        number = float(self._picture.numbers[row, column])
        return f"{index} = {number_text(number, 6)}" if index else ""


class CellNumbers(pg.GraphicsObject):  # type: ignore[misc]  # pyqtgraph has no types
    """The numbers themselves, written into the cells where these are large enough."""

    def __init__(self) -> None:
        super().__init__()
        self._picture: Picture | None = None
        self._levels: Levels = np.zeros((0, 0), np.uint8)
        self._table: np.ndarray[Any, Any] = np.zeros((256, 4), np.uint8)

    def show_numbers(self, picture: Picture, levels: Levels, table: Any) -> None:
        """Write other numbers."""
        self.prepareGeometryChange()
        self._picture, self._levels, self._table = picture, levels, table
        self.update()

    def boundingRect(self) -> QRectF:
        """Cover the picture."""
        rows, columns = self._levels.shape
        return QRectF(0, 0, columns, rows)

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        """Write each number in the middle of its cell, in ink that can be read there."""
        transform = painter.worldTransform()
        across, down = abs(transform.m11()), abs(transform.m22())
        if self._picture is None or across < NUMBERS_FROM or down < 14:
            return
        seen = option.exposedRect if not option.exposedRect.isEmpty() else self.boundingRect()
        rows = range(max(0, int(seen.top())), min(self._levels.shape[0], int(seen.bottom()) + 1))
        columns = range(max(0, int(seen.left())), min(self._levels.shape[1], int(seen.right()) + 1))
        painter.save()
        painter.resetTransform()
        font = fonts.mono_font(fonts.CAPTION)
        painter.setFont(font)
        metrics = QFontMetricsF(font)
        for row in rows:
            for column in columns:
                if self._levels[row, column] == EMPTY_LEVEL:
                    continue
                text = number_text(float(self._picture.numbers[row, column]), 3)
                if metrics.horizontalAdvance(text) > across - 2:
                    continue
                cell = transform.mapRect(QRectF(column, row, 1, 1))
                painter.setPen(readable_on(QColor(*map(int, self._table[self._levels[row, column]]))))
                painter.drawText(cell, Qt.AlignmentFlag.AlignCenter, text)
        painter.restore()


class ColourBar(QWidget):
    """What the colours mean: the range from top to bottom, and a patch for each loud kind of number."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._ends = (0.0, 1.0)
        self._diverging = False
        self._special: tuple[tuple[str, QColor], ...] = ()
        self.setFixedWidth(64)
        self.setAccessibleName("Colours")

    def show_range(self, ends: tuple[float, float], levels: Levels, *, diverging: bool) -> None:
        """Stand for another range."""
        self._ends, self._diverging = ends, diverging
        heat = self._theme.heat
        kinds = (("NaN", heat.not_a_number), ("+∞", heat.positive_infinity), ("−∞", heat.negative_infinity))
        places = (LEVELS + 2, LEVELS + 1, LEVELS)
        seen = set(np.unique(levels[levels >= LEVELS]).tolist()) if levels.size else set()
        self._special = tuple(kind for kind, place in zip(kinds, places, strict=True) if place in seen)
        low, high = map(number_text, ends)
        self.setAccessibleDescription(f"from {low} to {high}")
        self.update()

    def restyle(self, theme: Theme) -> None:
        """Wear another theme."""
        self._theme = theme
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the bar, the numbers at its ends and in its middle, and the patches."""
        painter = QPainter(self)
        font = fonts.mono_font(fonts.CAPTION)
        painter.setFont(font)
        line = QFontMetricsF(font).height()
        bottom = self.height() - len(self._special) * (line + HALF_STEP)
        bar = QRectF(0, line / 2, 12, max(16.0, bottom - line - HALF_STEP))
        heat = self._theme.heat
        stops = (heat.diverging if self._diverging else heat.sequential).colours(17)
        fall = QLinearGradient(bar.bottomLeft(), bar.topLeft())
        for number, colour in enumerate(stops):
            fall.setColorAt(number / 16, colour)
        painter.fillRect(bar, fall)
        painter.setPen(self._theme.border)
        painter.drawRect(bar)
        low, high = self._ends
        marks = [(bar.top(), high), (bar.bottom(), low)]
        if self._diverging and bar.height() > 3 * line:
            marks.append((bar.center().y(), 0.0))
        for height, value in marks:
            place = QRectF(18, height - line / 2, self.width() - 18, line)
            self._write(painter, place, number_text(value, 3))
        for row, (name, colour) in enumerate(self._special):
            top = bottom + row * (line + HALF_STEP) + HALF_STEP
            painter.fillRect(QRectF(0, top + 1, 12, line - 2), colour)
            self._write(painter, QRectF(18, top, self.width() - 18, line), name)

    def _write(self, painter: QPainter, area: QRectF, text: str) -> None:
        painter.setPen(self._theme.muted)
        painter.drawText(area, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)

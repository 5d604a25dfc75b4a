"""All nodes and wires of a scene seen from far away: plain boxes and hairlines, drawn in a few calls."""

from collections.abc import Callable

import attrs
from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from app.canvas.ink import Ink, pen
from app.canvas.looks import Kit
from app.canvas.strokes import FAR_BELOW

MARGIN = 40.0
MARK_WIDTH = 2.5


@attrs.frozen(eq=False)
class FarBoxes:
    """Boxes of one kind, and the colours of their ground and outline in a theme."""

    fill: Callable[[Ink], QColor]
    outline: Callable[[Ink], QColor]
    boxes: list[QRectF] = attrs.Factory(list)


@attrs.frozen(eq=False)
class FarLines:
    """Wires of one kind as straight lines, and their colour in a theme."""

    colour: Callable[[Ink], QColor]
    lines: list[QLineF] = attrs.Factory(list)


@attrs.frozen(eq=False)
class FarPicture:
    """Everything there is, from far away."""

    lines: tuple[FarLines, ...] = ()
    boxes: tuple[FarBoxes, ...] = ()
    bounds: QRectF = attrs.field(init=False)
    """The box of all the boxes."""

    @bounds.default
    def _all_around(self) -> QRectF:
        bounds = QRectF()
        for group in self.boxes:
            for box in group.boxes:
                bounds = bounds.united(box)
        return bounds

    def values(self) -> "list[list[QRectF] | list[QLineF]]":
        """Return the lists of boxes and lines."""
        return [*(group.boxes for group in self.boxes), *(group.lines for group in self.lines)]


Marks = Callable[[], list[tuple[QRectF, bool]]]
"""Answers with the boxes to be marked; True for the selected ones, False for what is wrong."""


class FarLayer(QGraphicsItem):
    """Stands for every item of a scene while the zoom is too small to tell their words apart."""

    def __init__(self, kit: Kit, marks: Marks) -> None:
        super().__init__()
        self._kit = kit
        self._marks = marks
        self._picture = FarPicture()
        self._bounds = QRectF()
        self.setVisible(False)
        self.setZValue(4.0)

    @staticmethod
    def serves(scale: float) -> bool:
        """Tell whether this zoom is far away."""
        return scale < FAR_BELOW

    def show_picture(self, picture: FarPicture) -> None:
        """Draw other boxes and lines."""
        self.prepareGeometryChange()
        self._picture = picture
        self._bounds = picture.bounds.adjusted(-MARGIN, -MARGIN, MARGIN, MARGIN)
        self.update()

    def boundingRect(self) -> QRectF:
        """Return the box of all nodes."""
        return self._bounds

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        """Draw the lines, the boxes by kind, and outlines of what is selected or wrong."""
        ink = self._kit.ink
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        for wires in self._picture.lines:
            painter.setPen(pen(wires.colour(ink), 0))
            painter.drawLines(wires.lines)
        for group in self._picture.boxes:
            painter.setPen(pen(group.outline(ink), 0))
            painter.setBrush(group.fill(ink))
            painter.drawRects(group.boxes)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        width = MARK_WIDTH / max(painter.worldTransform().m11(), 0.01)
        for box, selected in self._marks():
            painter.setPen(pen(ink.theme.accent if selected else ink.theme.error, width))
            painter.drawRect(box)

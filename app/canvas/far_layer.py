"""All nodes and wires seen from far away: plain boxes and hairlines, drawn in a few calls."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from app.canvas.ink import pen

if TYPE_CHECKING:
    from app.canvas.scene import BoardScene

FAR_BELOW = 0.35


class FarLayer(QGraphicsItem):
    """Stands for every item of a board while the zoom is too small to tell their words apart."""

    def __init__(self, scene: "BoardScene") -> None:
        super().__init__()
        self._scene = scene
        self._boxes: dict[str, list[QRectF]] = {}
        self._lines: list[QLineF] = []
        self._bounds = QRectF()
        self.setVisible(False)
        self.setZValue(4.0)

    @staticmethod
    def serves(scale: float) -> bool:
        """Tell whether this zoom is far away."""
        return scale < FAR_BELOW

    def rebuild(self) -> None:
        """Collect the boxes and lines anew."""
        self.prepareGeometryChange()
        self._boxes = {}
        bounds = QRectF()
        for item in self._scene.node_items.values():
            box = item.body_box()
            self._boxes.setdefault(item.look.shape.kind, []).append(box)
            bounds = bounds.united(box)
        self._lines = [QLineF(edge.way.start, edge.way.end) for edge in self._scene.edge_items.values()]
        self._bounds = bounds.adjusted(-40, -40, 40, 40)
        self.update()

    def boundingRect(self) -> QRectF:
        """Return the box of all nodes."""
        return self._bounds

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        """Draw the lines, the boxes by kind, and outlines of what is selected or wrong."""
        ink = self._scene.kit.ink
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(pen(ink.theme.wire, 0))
        painter.drawLines(self._lines)
        for kind, boxes in self._boxes.items():
            painter.setPen(pen(ink.picture.group if kind == "group" else ink.picture.outline, 0))
            painter.setBrush(ink.fill(kind))
            painter.drawRects(boxes)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        thick = 2.5 / max(self._scene.kit.scale, 0.01)
        for item in self._scene.node_items.values():
            wrong = item.look.problem and item.look.is_error
            if wrong or item.state.selected or item.state.lifted:
                chosen = item.state.selected or item.state.lifted
                painter.setPen(pen(ink.theme.accent if chosen else ink.theme.error, thick))
                painter.drawRect(item.body_box())

"""The arrows of the executor graph: a value, a value that backward reads, or a gradient."""

from itertools import pairwise
from typing import Final

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPen, QPolygonF
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from app.canvas.executor_looks import WireKind
from app.canvas.geometry import box_exit
from app.canvas.ink import Ink, pen
from app.canvas.looks import Kit
from app.canvas.ways import arrow_head, unit

SWINGS: Final[dict[WireKind, float]] = {"forward": 84.0, "gradient": 74.0, "read": 74.0}
"""How far a wire that turns back swings out beside its ends: past their arguments, and the kinds past each other."""
CORNER: Final = 12.0
PALE: Final = 0.3


class ExecutorWire(QGraphicsItem):
    """What one node reads from another: a value (grey), a value read by backward (dashed), or a gradient (blue).

    A `pale` one steps back, since many of its kind together would hide what they run over.
    """

    def __init__(self, kind: WireKind, kit: Kit) -> None:
        super().__init__()
        self.kind = kind
        self.pale = False
        self._kit = kit
        self._way = QPainterPath()
        self._bounds = QRectF()
        self._came = QPointF()
        self._is_straight = True
        self.setZValue(1.0 if kind == "forward" else 2.0)

    def run(self, source: QRectF, target: QRectF, bow: float = 0.0) -> None:
        """Run between two bodies, bent aside by `bow`."""
        one, other = source.center(), target.center()
        along = unit(other - one)
        hub = (one + other) / 2 + QPointF(-along.y(), along.x()) * (2 * bow)
        start = one + box_exit(source.translated(-one), hub - one, 2.0)
        end = other + box_exit(target.translated(-other), hub - other, 3.0)
        way = QPainterPath(start)
        if bow:
            way.quadTo(hub, end)
        else:
            way.lineTo(end)
        self._take(way, hub if bow else start)

    def run_back(self, source: QRectF, target: QRectF, lane: float) -> None:
        """Run out at one side, along a free strip at the height `lane`, and in at the other side."""
        right = 1.0 if self.kind == "forward" else -1.0
        out = source.right() + 2 if right > 0 else source.left() - 2
        into = target.left() - 3 if right > 0 else target.right() + 3
        start, end = QPointF(out, source.center().y()), QPointF(into, target.center().y())
        swing = right * SWINGS[self.kind]
        leave, arrive = out + swing, into - swing
        corners = [
            QPointF(leave, start.y()),
            QPointF(leave, lane),
            QPointF(arrive, lane),
            QPointF(arrive, end.y()),
        ]
        way = QPainterPath(start)
        for before, corner, after in zip([start, *corners], corners, [*corners[1:], end], strict=False):
            way.lineTo(corner + unit(before - corner) * CORNER)
            way.quadTo(corner, corner + unit(after - corner) * CORNER)
        way.lineTo(end)
        self._take(way, corners[-1])

    def _take(self, way: QPainterPath, came: QPointF) -> None:
        self.prepareGeometryChange()
        self._way, self._came = way, came
        self._bounds = way.controlPointRect().adjusted(-8, -8, 8, 8)
        self._is_straight = way.elementCount() == 2
        self.update()

    def set_pale(self, pale: bool) -> None:
        """Let the wire step back, or come forward again."""
        if pale != self.pale:
            self.pale = pale
            self.update()

    @property
    def way(self) -> QPainterPath:
        """Where it runs."""
        return self._way

    def pieces(self) -> list[tuple[QPointF, QPointF]]:
        """Return the way as straight pieces."""
        if self._is_straight:
            return [(self._way.pointAtPercent(0.0), self._way.pointAtPercent(1.0))]
        points = [self._way.pointAtPercent(step / 10) for step in range(11)]
        return list(pairwise(points))

    def boundingRect(self) -> QRectF:
        """Return the box of everything painted."""
        return self._bounds

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        """Paint the arrow."""
        line = wire_pen(self.kind, self._kit.ink)
        if self.pale:
            painter.setOpacity(PALE)
        painter.setPen(line)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(self._way)
        painter.setPen(QPen(line.color(), 1))
        painter.setBrush(line.color())
        end = self._way.currentPosition()
        painter.drawPolygon(QPolygonF(arrow_head(end, unit(end - self._came))))


def wire_pen(kind: WireKind, ink: Ink) -> QPen:
    """Return the pen of a kind of arrow; they differ in their stroke, not only in colour."""
    if kind == "read":
        dashed = pen(ink.picture.gradient_wire, 1.7)
        dashed.setCapStyle(Qt.PenCapStyle.FlatCap)
        dashed.setDashPattern([3.5, 2.5])
        return dashed
    return pen(ink.picture.backward_wire, 2.4) if kind == "gradient" else ink.wire

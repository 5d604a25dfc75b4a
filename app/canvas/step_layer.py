"""What stepping marks on a graph, drawn over its items: rings, ticks, what is lit, what waits, and breakpoints.

Each differs by its form, so that colour never speaks alone: a full ring is what was computed last, a dashed one what
comes next, a broad pale band what was read, a tick what is done, hollow and dashed what is not computed yet, and an
octagon a breakpoint.
"""

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from typing import Final, Generic, TypeVar

import attrs
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QPolygonF
from PySide6.QtWidgets import QGraphicsItem, QGraphicsScene, QStyleOptionGraphicsItem, QWidget

from app.canvas.far_layer import FarLayer
from app.canvas.ink import pen
from app.canvas.looks import Kit

Key = TypeVar("Key", bound=Hashable)
UNDER: Final = 2.5
OVER: Final = 6.0
RING: Final = 6.5
"""How far from a body its ring runs: outside that of the selection."""
BAND: Final = 6.0
TICK: Final = 6.5
STOP: Final = 7.5
CURVE: Final = 3.0
EIGHTH: Final = 0.41
"""The half of an octagon's side, of half its width."""
LEAST_SCALE: Final = 0.55
"""Below this zoom marks are drawn larger, so that they can still be seen."""
MARGIN: Final = 60.0


@attrs.frozen(eq=False)
class Marks(Generic[Key]):
    """What is marked, by the keys of a scene's items; `done` says how many ticks."""

    current: Collection[Key] = ()
    coming: Collection[Key] = ()
    read: Collection[Key] = ()
    waiting: Collection[Key] = ()
    done: Mapping[Key, int] = attrs.Factory(dict)
    breakpoints: Collection[Key] = ()
    ways: Collection[tuple[Key, Key]] = ()
    """The wires that are lit, by their ends."""

    def __bool__(self) -> bool:
        """Tell whether anything is marked."""
        groups = (self.current, self.coming, self.read, self.waiting, self.done, self.breakpoints)
        return any(groups)


@attrs.frozen(eq=False)
class Bodies(Generic[Key]):
    """Where a scene draws what is marked now: the box of a body, whether it is round, and the way of a wire."""

    box: Callable[[Key], QRectF | None]
    around: Callable[[], QRectF]
    """The box of everything there is."""
    is_round: Callable[[Key], bool] = lambda _key: False
    way: Callable[[tuple[Key, Key]], QPainterPath | None] = lambda _ends: None


class StepLayer(QGraphicsItem, Generic[Key]):
    """One item for all marks of a scene, either `over` its nodes or under them, where they leave words readable."""

    def __init__(self, kit: Kit, bodies: Bodies[Key], *, over: bool) -> None:
        super().__init__()
        self._kit = kit
        self._over = over
        self._bodies = bodies
        self._bounds = QRectF()
        self.marks: Marks[Key] = Marks()
        self.setZValue(OVER if over else UNDER)
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemUsesExtendedStyleOption)  # what is exposed is told

    def show_marks(self, marks: Marks[Key]) -> None:
        """Mark these and nothing else, where they stand now."""
        self.prepareGeometryChange()
        self.marks = marks
        around = self._bodies.around() if marks else QRectF()
        self._bounds = around.adjusted(-MARGIN, -MARGIN, MARGIN, MARGIN) if marks else QRectF()
        self.update()

    def boundingRect(self) -> QRectF:
        """Return the box of everything that may be marked."""
        return self._bounds

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        """Draw the marks of what can be seen."""
        grown = max(1.0, LEAST_SCALE / self._kit.scale)
        seen = option.exposedRect.adjusted(-MARGIN, -MARGIN, MARGIN, MARGIN)
        is_far = FarLayer.serves(self._kit.scale)
        if self._over is is_far:  # from far away no words are written, and nothing else should hide a ring
            self._paint_rings(painter, seen, grown)
        if self._over:
            self._paint_over(painter, seen, grown)

    def _paint_rings(self, painter: QPainter, seen: QRectF, grown: float) -> None:
        """Draw rings, and bands around what was read and along its wires."""
        marks, theme = self.marks, self._kit.ink.theme
        self._paint_ways(painter, grown)
        lit = QColor(theme.accent)
        lit.setAlphaF(0.3)
        for key, box in self._seen(marks.read, seen):
            self._paint_around(painter, key, box, pen(lit, BAND * grown), 0.5 * BAND * grown)
        dashed = pen(theme.accent, 2.2 * grown, Qt.PenStyle.DashLine)
        for key, box in self._seen(marks.coming, seen):
            self._paint_around(painter, key, box, dashed, RING * grown)
        for key, box in self._seen(marks.current, seen):
            self._paint_around(painter, key, box, pen(theme.accent, 3.4 * grown), RING * grown)

    def _paint_over(self, painter: QPainter, seen: QRectF, grown: float) -> None:
        """Draw ticks, breakpoints, and what is not computed yet."""
        marks = self.marks
        if not FarLayer.serves(self._kit.scale):
            self._paint_waiting(painter, seen)
        for key, box in self._seen(marks.done, seen):
            corner = _corner(box, 1.0, 1.0, is_round=self._bodies.is_round(key))
            for number in range(marks.done[key]):
                self._paint_tick(painter, corner - QPointF(1.4 * TICK * number, 0.0) * grown, grown)
        for key, box in self._seen(marks.breakpoints, seen):
            self._paint_stop(painter, _corner(box, -1.0, -1.0, is_round=self._bodies.is_round(key)), grown)

    def _seen(self, keys: Iterable[Key], seen: QRectF) -> Iterable[tuple[Key, QRectF]]:
        for key in keys:
            box = self._bodies.box(key)
            if box is not None and seen.intersects(box):
                yield key, box

    def _paint_ways(self, painter: QPainter, grown: float) -> None:
        line = QColor(self._kit.ink.theme.accent)
        line.setAlphaF(0.35)
        painter.setPen(QPen(line, BAND * grown, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for ends in self.marks.ways:
            way = self._bodies.way(ends)
            if way is not None:
                painter.drawPath(way)

    def _paint_waiting(self, painter: QPainter, seen: QRectF) -> None:
        """Let bodies look hollow: the arrays are there, and nothing has been written to them."""
        veil = QColor(self._kit.ink.theme.canvas)
        veil.setAlphaF(0.72)
        painter.setPen(pen(self._kit.ink.theme.muted, 1.4, Qt.PenStyle.DashLine))
        painter.setBrush(veil)
        for key, box in self._seen(self.marks.waiting, seen):
            self._draw(painter, key, box, 0.8)

    def _paint_around(self, painter: QPainter, key: Key, box: QRectF, line: QPen, away: float) -> None:
        painter.setPen(line)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        self._draw(painter, key, box, away)

    def _draw(self, painter: QPainter, key: Key, box: QRectF, away: float) -> None:
        place = box.adjusted(-away, -away, away, away)
        if self._bodies.is_round(key):
            painter.drawEllipse(place)
        else:
            painter.drawRoundedRect(place, CURVE + away, CURVE + away)

    def _paint_tick(self, painter: QPainter, middle: QPointF, grown: float) -> None:
        theme, size = self._kit.ink.theme, TICK * grown
        painter.setPen(pen(theme.canvas, 1.4 * grown))
        painter.setBrush(theme.good)
        painter.drawEllipse(middle, size, size)
        painter.setPen(pen(theme.canvas, 1.9 * grown))
        painter.drawPolyline(
            QPolygonF([middle + QPointF(*at) * size for at in ((-0.45, 0.05), (-0.1, 0.4), (0.5, -0.35))])
        )

    def _paint_stop(self, painter: QPainter, middle: QPointF, grown: float) -> None:
        theme, size = self._kit.ink.theme, STOP * grown
        painter.setPen(pen(theme.canvas, 1.6 * grown))
        painter.setBrush(theme.error)
        painter.drawPolygon(octagon(middle, size))
        painter.setPen(pen(theme.canvas, 1.9 * grown))
        for side in (-0.28, 0.28):
            painter.drawLine(middle + QPointF(side, -0.38) * size, middle + QPointF(side, 0.38) * size)


def octagon(middle: QPointF, reach: float) -> QPolygonF:
    """Return the sign that says stop, without a word."""
    corners = ((-1, -EIGHTH), (-EIGHTH, -1), (EIGHTH, -1), (1, -EIGHTH))
    upper = [QPointF(*corner) for corner in corners]
    return QPolygonF([middle + corner * reach for corner in (*upper, *(-corner for corner in upper))])


def _corner(box: QRectF, right: float, down: float, *, is_round: bool) -> QPointF:
    """Return a corner of a body: of an ellipse, the place on its line that is nearest to it."""
    part = 0.36 if is_round else 0.5
    return box.center() + QPointF(right * part * box.width(), down * part * box.height())


class StepLayers(Generic[Key]):
    """Both layers of one scene, in it as long as anything is marked."""

    def __init__(self, scene: QGraphicsScene, kit: Kit, bodies: Bodies[Key]) -> None:
        self._scene = scene
        self._layers = [StepLayer(kit, bodies, over=over) for over in (False, True)]

    @property
    def marks(self) -> Marks[Key]:
        """What is marked."""
        return self._layers[0].marks

    def show_marks(self, marks: Marks[Key]) -> None:
        """Mark these and nothing else, where they stand now."""
        for layer in self._layers:
            layer.show_marks(marks)
            if marks and layer.scene() is None:
                self._scene.addItem(layer)
            elif not marks and layer.scene() is not None:
                self._scene.removeItem(layer)

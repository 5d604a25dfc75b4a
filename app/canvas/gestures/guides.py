"""Guides: where edges or middles of what is carried line up with neighbours, and the lines that say so."""

from collections.abc import Iterable

import attrs
from PySide6.QtCore import QLineF, QPointF, QRectF
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from app.canvas.ink import Ink, pen

PULL = 6.0
"""How near two edges must come to snap, in pixels of the screen."""
NEAR = 480.0
"""How far away on the board a neighbour may be to have a say."""
BEYOND = 12.0
"""How far a line reaches beyond what it touches."""
SAME = 0.01


@attrs.frozen
class Guided:
    """How far to shift what is carried so that it lines up; None along an axis where nothing is near enough."""

    x: float | None
    y: float | None


class Guides:
    """Knows the boxes of the neighbours, which stand still while something is carried."""

    def __init__(self, neighbours: Iterable[QRectF]) -> None:
        self._boxes = list(neighbours)

    def pull(self, box: QRectF, scale: float) -> Guided:
        """Return the smallest shifts, across and down, that put a box in line with a neighbour near by."""
        reach = PULL / max(scale, 1e-3)
        near = self._near(box)
        return Guided(
            _least((gap for other in near for gap in _gaps(_across(box), _across(other))), reach),
            _least((gap for other in near for gap in _gaps(_down(box), _down(other))), reach),
        )

    def lines(self, box: QRectF) -> list[QLineF]:
        """Return the lines along which a box is in line with neighbours near by."""
        upright: dict[float, QRectF] = {}
        level: dict[float, QRectF] = {}
        for other in self._near(box):
            both = other.united(box)
            for at in _shared(_across(box), _across(other)):
                upright[at] = upright.get(at, both).united(both)
            for at in _shared(_down(box), _down(other)):
                level[at] = level.get(at, both).united(both)
        lines = [QLineF(at, all_.top() - BEYOND, at, all_.bottom() + BEYOND) for at, all_ in upright.items()]
        return lines + [
            QLineF(all_.left() - BEYOND, at, all_.right() + BEYOND, at) for at, all_ in level.items()
        ]

    def _near(self, box: QRectF) -> list[QRectF]:
        around = box.adjusted(-NEAR, -NEAR, NEAR, NEAR)
        return [other for other in self._boxes if around.intersects(other)]


Places = tuple[float, float, float]


def _across(box: QRectF) -> Places:
    return box.left(), box.center().x(), box.right()


def _down(box: QRectF) -> Places:
    return box.top(), box.center().y(), box.bottom()


def _gaps(own: Places, other: Places) -> Iterable[float]:
    """Yield the shifts that put an edge on a like edge, or middle on middle."""
    return (there - here for here, there in zip(own, other, strict=True))


def _shared(own: Places, other: Places) -> list[float]:
    """Return the edges that are in line, or only the middle where that is: its line says enough."""
    low, middle, high = (
        [round(here, 2)] if abs(here - there) < SAME else [] for here, there in zip(own, other, strict=True)
    )
    return middle or [*low, *high]


def _least(gaps: Iterable[float], reach: float) -> float | None:
    return min((gap for gap in gaps if abs(gap) <= reach), key=abs, default=None)


class GuideLines(QGraphicsItem):
    """The lines of the guides, above everything."""

    def __init__(self, ink: Ink) -> None:
        super().__init__()
        self._ink = ink
        self._lines: list[QLineF] = []
        self.setZValue(9.0)

    @property
    def lines(self) -> list[QLineF]:
        """The lines that are shown."""
        return self._lines

    def show_lines(self, lines: list[QLineF]) -> None:
        """Show other lines."""
        if lines != self._lines:
            self.prepareGeometryChange()
            self._lines = lines
            self.update()

    def boundingRect(self) -> QRectF:
        """Return the box of all lines."""
        box = QRectF()
        for line in self._lines:
            ends = QRectF(line.p1(), QPointF(line.x2() + 0.1, line.y2() + 0.1))
            box = box.united(ends)
        return box.adjusted(-4, -4, 4, 4)

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        """Paint the lines as hairlines."""
        line = pen(self._ink.theme.accent, 1.0)
        line.setCosmetic(True)
        painter.setPen(line)
        painter.drawLines(self._lines)

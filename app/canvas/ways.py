"""The ways of wires: straight arrows, curves, and swings around a bend; with the measures that hits need."""

import math
from collections.abc import Sequence
from itertools import pairwise

import attrs
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainterPath

ARROW_LENGTH = 11.0
ARROW_HALF = 4.5


@attrs.frozen
class Anchor:
    """A port: its place and the direction that leads away from the body."""

    point: QPointF
    away: QPointF


@attrs.frozen
class Wire:
    """The way of one wire: control points of a line (2) or of joined cubics (4, 7), and where its text may lie.

    `aside` is the side on which the text goes, where that matters.
    """

    points: tuple[QPointF, ...]
    middle: QPointF
    along: QPointF
    aside: QPointF | None = None

    @property
    def start(self) -> QPointF:
        """Where the wire leaves its source."""
        return self.points[0]

    @property
    def end(self) -> QPointF:
        """Where the wire meets its target."""
        return self.points[-1]

    @property
    def arriving(self) -> QPointF:
        """The unit direction in which the wire arrives."""
        return unit(self.points[-1] - self.points[-2])

    def path(self) -> QPainterPath:
        """Return the way as a path to stroke."""
        path = QPainterPath(self.points[0])
        if len(self.points) == 2:
            path.lineTo(self.points[1])
        for index in range(1, len(self.points) - 2, 3):
            path.cubicTo(*self.points[index : index + 3])
        return path

    def polyline(self, pieces: int = 12) -> list[QPointF]:
        """Return points along the way, close enough together to measure distances."""
        if len(self.points) == 2:
            return list(self.points)
        found = [self.points[0]]
        for index in range(0, len(self.points) - 1, 3):
            one, two, three, four = self.points[index : index + 4]
            for piece in range(1, pieces + 1):
                t = piece / pieces
                s = 1.0 - t
                found.append(
                    one * (s * s * s) + two * (3 * s * s * t) + three * (3 * s * t * t) + four * (t * t * t)
                )
        return found


def straight(start: QPointF, end: QPointF) -> Wire:
    """Return the straight way."""
    return Wire((start, end), (start + end) / 2, unit(end - start))


def curve(leave: Anchor, arrive: Anchor) -> Wire:
    """Return a cubic between two ports, or a pair of them around the bend when the way leads back."""
    start, end = leave.point, arrive.point
    backwards = arrive.away.x() < 0 and leave.away.x() > 0 and end.x() < start.x() + 16
    if backwards:
        return _around(start, end)
    pull = max(24.0, min(120.0, distance(start, end) * 0.5))
    if leave.away.y() == 0 == arrive.away.y() and abs(end.y() - start.y()) < 1:
        pull = distance(start, end) / 3
    one, two = start + leave.away * pull, end + arrive.away * pull
    middle = (start + end) / 8 + (one + two) * 0.375
    return Wire((start, one, two, end), middle, unit(end + two - start - one))


def _around(start: QPointF, end: QPointF) -> Wire:
    """Swing out to the right, back between the rows, and in from the left."""
    rows_apart = abs(end.y() - start.y())
    high = (start.y() + end.y()) / 2 if rows_apart > 60 else max(start.y(), end.y()) + 96
    hub = QPointF((start.x() + end.x()) / 2, high)
    swing = max(48.0, min(80.0, rows_apart * 0.4))
    reach = max(40.0, abs(start.x() - end.x()) / 2)
    first = (start + QPointF(swing, 0), QPointF(hub.x() + reach + swing * 0.4, hub.y()))
    second = (QPointF(hub.x() - reach - swing * 0.4, hub.y()), end - QPointF(swing, 0))
    return Wire((start, *first, hub, *second, end), hub, QPointF(-1, 0))


def text_place(wire: Wire, width: float, height: float, near: Sequence[QRectF] = ()) -> QRectF:
    """Return the box beside a straight wire's middle where its shape is written without touching the line.

    It is on the other side where it would cover one of the boxes `near` on this side and none on that.
    """
    aside = QPointF(-wire.along.y(), wire.along.x())
    if wire.aside is not None:
        aside = wire.aside
    elif aside.y() < -0.2 or (abs(aside.y()) <= 0.2 and aside.x() < 0):
        aside = -aside
    clear = abs(aside.x()) * width / 2 + abs(aside.y()) * height / 2 + 4
    places = [centred(width, height).translated(wire.middle + side * clear) for side in (aside, -aside)]
    free = [box for box in places if not any(box.intersects(other) for other in near)]
    return free[0] if free else places[0]


def arrow_head(tip: QPointF, along: QPointF, length: float = ARROW_LENGTH) -> list[QPointF]:
    """Return the triangle at the end of an arrow."""
    back = tip - along * length
    aside = QPointF(-along.y(), along.x()) * (length * ARROW_HALF / ARROW_LENGTH)
    return [tip, back + aside, back - aside]


def distance(one: QPointF, two: QPointF) -> float:
    """Return the distance of two points."""
    return math.hypot(one.x() - two.x(), one.y() - two.y())


def unit(vector: QPointF) -> QPointF:
    """Return the direction of a vector; downwards for none."""
    size = math.hypot(vector.x(), vector.y())
    return vector / size if size > 1e-9 else QPointF(0.0, 1.0)


def distance_to_way(point: QPointF, way: Sequence[QPointF]) -> tuple[float, float]:
    """Return the distance of a point to a polyline, and how far along it (0 … 1) the nearest place is."""
    best, at, walked, total = math.inf, 0.0, 0.0, 0.0
    for one, two in pairwise(way):
        total += distance(one, two)
    for one, two in pairwise(way):
        run = two - one
        size = math.hypot(run.x(), run.y())
        t = QPointF.dotProduct(point - one, run) / (size * size) if size > 1e-9 else 0.0
        t = min(1.0, max(0.0, t))
        apart = distance(point, one + run * t)
        if apart < best:
            best, at = apart, walked + t * size
        walked += size
    return best, at / total if total else 0.0


def centred(width: float, height: float) -> QRectF:
    """Return a box around the origin."""
    return QRectF(-width / 2, -height / 2, width, height)

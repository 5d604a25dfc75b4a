"""Where the words beside a node go, so that they cover neither wires nor each other."""

import math
from collections.abc import Sequence
from typing import Literal

import attrs
from PySide6.QtCore import QPointF, QRectF

Side = Literal["above", "below", "left", "right", "lower left", "lower right", "upper left", "upper right"]


GAP = 6.0
GAP_OF_SQUARES = 10.0
"""Beside a square, whose straight side would touch the words with the line around a selected one."""
MOST_GROWTH = 3.0
GROWTH_STEP = 0.2
OVERLAPPING = 8.0
"""How much worse it is to write over other words than to cross a piece of a wire."""
AWAY = (0.0, 10.0, 20.0)
"""How far from a node its words may stand where it is crowded."""
COVERING = 40.0
"""How much worse it is to cover another node than to cross a wire."""
MISLEADING = 4.0
"""How much worse it is to begin nearer to another node than to the own one."""
FIRST_LINE = 18.0
"""About how high the first line of a label is, which has the name."""
ROUND_CORNER = 0.13
"""How far into the corner of an ellipse's box a label may go, as a share of the box."""


@attrs.frozen(eq=False)
class Surroundings:
    """What words should not cover: wires as lines, and boxes, relative to the node.

    `square` says that the node itself fills its box to the corners. `bodies` are other nodes: covering one is worse
    than coming near to its words.
    """

    lines: list[tuple[QPointF, QPointF]] = attrs.Factory(list)
    boxes: list[QRectF] = attrs.Factory(list)
    square: bool = False
    bodies: list[QRectF] = attrs.Factory(list)

    def is_taken(self, box: QRectF) -> bool:
        """Tell whether words in this box would cover others, or another node."""
        return any(box.intersects(other) for other in (*self.boxes, *self.bodies))

    def misleads(self, box: QRectF, body: QRectF) -> bool:
        """Tell whether words in this box would seem to name another node than the one with this body."""
        name = QRectF(box.left(), box.top(), box.width(), min(box.height(), FIRST_LINE))
        own = gap_between(name, body)
        return any(gap_between(name, other) < own for other in self.bodies)


def gap_between(one: QRectF, other: QRectF) -> float:
    """Return how far two boxes are from each other; 0 where they touch."""
    across = max(one.left() - other.right(), other.left() - one.right(), 0.0)
    down = max(one.top() - other.bottom(), other.top() - one.bottom(), 0.0)
    return math.hypot(across, down)


def beside(body: QRectF, size: QPointF, side: Side, *, square: bool = False) -> QRectF:
    """Return the box of a label of `size` at one side of a body."""
    gap, corner = (GAP_OF_SQUARES, 0.0) if square else (GAP, ROUND_CORNER)
    box = QRectF(0, 0, size.x(), size.y())
    centre = body.center()
    x = centre.x() - size.x() / 2
    y = centre.y() - size.y() / 2
    if "left" in side:
        x = body.left() - size.x() - (gap if side == "left" else -body.width() * corner)
    if "right" in side:
        x = body.right() + (gap if side == "right" else -body.width() * corner)
    if "above" in side or "upper" in side:
        y = body.top() - size.y() - (GAP / 2 if side == "above" else -body.height() * corner)
    if "below" in side or "lower" in side:
        y = body.bottom() + (GAP / 2 if side == "below" else -body.height() * corner)
    box.moveTo(x, y)
    return box


def free_place(body: QRectF, size: QPointF, sides: Sequence[Side], around: Surroundings) -> QRectF:
    """Return the first of the sides where a label meets neither a line nor a taken box; else the least bad one.

    It stands a little away where it would cover words or another node at every side.
    """
    best, least = QRectF(), math.inf
    for away in AWAY:
        for side in sides:
            grown_body = body.adjusted(-away, -away, away, away)
            box = beside(grown_body, size, side, square=around.square)
            cost = OVERLAPPING * sum(box.intersects(other) for other in around.boxes)
            cost += COVERING * sum(box.intersects(other) for other in around.bodies)
            cost += sum(line_meets_box(start, end, box) for start, end in around.lines)
            cost += MISLEADING * around.misleads(box, body)
            if cost == 0:
                return box
            if cost < least:
                best, least = box, cost
        if least < OVERLAPPING:
            break
    return best


def foot_of(box: QRectF, body: QRectF) -> QPointF:
    """Return the point of a label's box that is nearest to the middle of the body it belongs to."""
    middle = body.center()
    return QPointF(
        min(max(middle.x(), box.left()), box.right()), min(max(middle.y(), box.top()), box.bottom())
    )


def grown(box: QRectF, foot: QPointF, growth: float) -> QRectF:
    """Return a label's box when it is written `growth` times larger, away from its foot."""
    corner = foot + (box.topLeft() - foot) * growth
    return QRectF(corner.x(), corner.y(), box.width() * growth, box.height() * growth)


def room_to_grow(box: QRectF, foot: QPointF, taken: Sequence[QRectF]) -> float:
    """Return how many times larger words may be written before they meet something else."""
    growth = MOST_GROWTH
    while growth > 1.0 and any(grown(box, foot, growth).intersects(other) for other in taken):
        growth -= GROWTH_STEP
    return max(growth, 1.0)


def line_meets_box(start: QPointF, end: QPointF, box: QRectF) -> bool:
    """Tell whether a line segment touches a box."""
    low, high = 0.0, 1.0
    for origin, run, near, far in (
        (start.x(), end.x() - start.x(), box.left(), box.right()),
        (start.y(), end.y() - start.y(), box.top(), box.bottom()),
    ):
        if abs(run) < 1e-9:
            if not near <= origin <= far:
                return False
            continue
        one, two = sorted(((near - origin) / run, (far - origin) / run))
        low, high = max(low, one), min(high, two)
    return low <= high

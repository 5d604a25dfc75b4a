"""Where the words beside a node go, so that they cover neither wires nor each other."""

import math
from collections.abc import Iterable, Sequence
from typing import Literal

from PySide6.QtCore import QPointF, QRectF

Side = Literal["above", "below", "left", "right", "lower left", "lower right", "upper left", "upper right"]


def beside(body: QRectF, size: QPointF, side: Side, gap: float = 6.0) -> QRectF:
    """Return the box of a label of `size` at one side of a body."""
    box = QRectF(0, 0, size.x(), size.y())
    centre = body.center()
    x = centre.x() - size.x() / 2
    y = centre.y() - size.y() / 2
    if "left" in side:
        x = body.left() - size.x() - (gap if side == "left" else -body.width() * 0.12)
    if "right" in side:
        x = body.right() + (gap if side == "right" else -body.width() * 0.12)
    if "above" in side or "upper" in side:
        y = body.top() - size.y() - (gap / 2 if side == "above" else -body.height() * 0.14)
    if "below" in side or "lower" in side:
        y = body.bottom() + (gap / 2 if side == "below" else -body.height() * 0.14)
    box.moveTo(x, y)
    return box


def free_place(
    body: QRectF,
    size: QPointF,
    sides: Sequence[Side],
    lines: Iterable[tuple[QPointF, QPointF]],
    taken: Sequence[QRectF],
) -> QRectF:
    """Return the first of the sides where a label meets neither a line nor a taken box; else the least bad one."""
    held = list(lines)
    best, least = beside(body, size, sides[0]), math.inf
    for side in sides:
        box = beside(body, size, side)
        cost = 2.0 * sum(box.intersects(other) for other in taken)
        cost += sum(line_meets_box(start, end, box) for start, end in held)
        if cost == 0:
            return box
        if cost < least:
            best, least = box, cost
    return best


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

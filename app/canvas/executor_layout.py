"""Where the executor graph's squares stand: forward ones as on the board, backward ones at their right.

The backward part repeats the forward one, so that every gradient is found at the height of the array that it belongs
to, as the tutorial draws it. Beside a wide drawing that would be far away, so there it is mirrored below.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF

from app.canvas.executor_homes import Home
from app.canvas.executor_looks import MOST_FORMULAS
from app.canvas.executor_plates import SQUARE

if TYPE_CHECKING:
    from app.engine.gradient import ExecutorGraph, ExecutorNode

GAP_ASIDE = 96.0
ARGUMENT_GAP = 56.0
GAP_BELOW = 150.0
WIDE = 1.5
"""A drawing is wide when its width is so many times its height."""
NARROWING = 0.5
"""The backward part is drawn so much narrower than the forward part, since it is read beside it."""
WITH_FORMULAS = 0.9
"""In a small graph its words are formulas, which need room."""
CLEAR = QPointF(66.0, 56.0)
ROUNDS = 40
ASIDE = QPointF(44.0, 40.0)


def square_places(graph: "ExecutorGraph", homes: Mapping[int, Home]) -> list[QPointF]:
    """Return the place of every executor node; `homes` are by symbol node."""
    mirror = _Mirror(graph, homes)
    places = []
    for node in graph.nodes:
        forward = node.kind in ("argument", "auxiliary", "operator")
        places.append(homes[node.symbol_node].place if forward else mirror.place(node))
    movable = [
        index
        for index, node in enumerate(graph.nodes)
        if node.kind not in ("argument", "auxiliary", "operator")
    ]
    spread(places, movable, CLEAR)
    return places


class _Mirror:
    """Maps places of the forward part to places of the backward part."""

    def __init__(self, graph: "ExecutorGraph", homes: Mapping[int, Home]) -> None:
        self._graph = graph
        self._homes = homes
        bounds = QRectF()
        left = []
        differentiated = {entry[0] for entry in graph.gradient_nodes}
        for index, home in homes.items():
            bounds = bounds.united(QRectF(home.place.x() - 1, home.place.y() - 1, 2, 2))
            if index in differentiated:
                left.append(home.anchor.x())
        wide = any(
            not home.offset.isNull() and home.place.x() > bounds.right() - 8 for home in homes.values()
        )
        self._bounds = bounds
        self._left = min(left, default=bounds.left())
        self._gap = GAP_ASIDE + (ARGUMENT_GAP if wide else 0.0)
        self._below = bounds.width() > WIDE * bounds.height() and bounds.height() > 2 * SQUARE

    def place(self, node: "ExecutorNode") -> QPointF:
        """Return where a backward node stands; the parts of a sum stand towards where they come from."""
        own = self.of(node.entry[0])
        if not self._is_part(node):
            return own
        if node.kind == "head_gradient":
            return own + (QPointF(ASIDE.x() * 1.6, ASIDE.y() * 1.2))
        return (own + self.of(node.symbol_node)) / 2

    def _is_part(self, node: "ExecutorNode") -> bool:
        return self._graph.gradient_nodes.get(node.entry) != node.index

    def of(self, symbol_node: int) -> QPointF:
        """Return the mirrored place of a node of the symbol."""
        home = self._homes[symbol_node]
        anchor, offset = home.anchor, home.offset
        if self._below:
            down = self._bounds.bottom() - home.place.y()
            return QPointF(home.place.x(), self._bounds.bottom() + GAP_BELOW + down)
        narrowing = WITH_FORMULAS if len(self._graph.nodes) <= MOST_FORMULAS else NARROWING
        x = self._bounds.right() + self._gap + (anchor.x() - self._left) * narrowing
        return QPointF(x, anchor.y()) + offset


def spread(places: list[QPointF], movable: Collection[int], clear: QPointF) -> None:
    """Push nodes apart that would stand on each other, as far as they may be moved."""
    free, waiting = set(movable), list(movable)
    for _ in range(ROUNDS):
        moved: set[int] = set()
        cells = _cells(places, clear)
        for index in waiting:
            for other in _near(cells, places[index], clear):
                push = _push(places[index], places[other], clear) if other != index else None
                if push is None:
                    continue
                moved.add(index)
                if other in free:
                    moved.add(other)
                    places[index], places[other] = places[index] + push / 2, places[other] - push / 2
                else:
                    places[index] = places[index] + push
        if not moved:
            return
        waiting = sorted(moved)


def _cell(place: QPointF, clear: QPointF) -> tuple[int, int]:
    return math.floor(place.x() / clear.x()), math.floor(place.y() / clear.y())


def _cells(places: Sequence[QPointF], clear: QPointF) -> dict[tuple[int, int], list[int]]:
    """Sort nodes into cells, so that each has to be compared with those around it alone."""
    cells: dict[tuple[int, int], list[int]] = {}
    for index, place in enumerate(places):
        cells.setdefault(_cell(place, clear), []).append(index)
    return cells


def _near(cells: Mapping[tuple[int, int], list[int]], place: QPointF, clear: QPointF) -> list[int]:
    """List the nodes in a cell and around it; what a push brings near in this round is met in the next."""
    x, y = _cell(place, clear)
    around = [cells.get((x + right, y + down), ()) for right in (-1, 0, 1) for down in (-1, 0, 1)]
    return sorted(index for cell in around for index in cell)


def _push(place: QPointF, other: QPointF, clear: QPointF) -> QPointF | None:
    """Return how far a node must go to clear another, along the axis where that is less; None when it is clear."""
    dx, dy = place.x() - other.x(), place.y() - other.y()
    over_x, over_y = clear.x() - abs(dx), clear.y() - abs(dy)
    if over_x <= 0.5 or over_y <= 0.5:
        return None
    if over_x < over_y:
        return QPointF(over_x if dx >= 0 else -over_x, 0.0)
    return QPointF(0.0, over_y if dy >= 0 else -over_y)

"""Finds free places on the board: for what follows a node, and beside the flow for nodes that leave it."""

from collections.abc import Collection
from itertools import count
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF

from app.canvas.geometry import GRID, snap
from app.canvas.ways import centred

if TYPE_CHECKING:
    from app.canvas.scene import BoardScene
    from app.document.records import Id

GAP = 72.0
"""Between an output and the middle of what follows it, beyond half of that one's own length in the flow."""
ASIDE = 24.0


def place_after(scene: "BoardScene", node: "Id", output: int = 0) -> QPointF:
    """Return a place on the board that follows a node's output in the direction of the flow.

    Where something stands already, it is beside that; a node of the same form as this one would have room there.
    """
    item = scene.node_items[node]
    body = scene.geometry.body(item.look.shape)
    port = scene.geometry.outputs(item.look.shape)[output]
    along, across = port.away, QPointF(port.away.y(), port.away.x())
    half = QPointF(body.width() / 2 * along.x(), 0.0)
    place = item.pos() + port.point + half + along * GAP
    room = (
        body.size() + body.size() if across.x() else body.size()
    )  # names stand beside pictures, under cards
    step = across * (ASIDE + (room.width() if across.x() else room.height()))
    taken = [other.body_box() for other in scene.node_items.values()]

    def is_taken(box: QRectF) -> bool:
        return any(box.intersects(other) for other in taken)

    while is_taken(centred(body.width(), body.height()).translated(place)):
        place += step
    return place


def step_aside(scene: "BoardScene", nodes: Collection["Id"]) -> QPointF:
    """Return the shortest way across the flow to where these nodes meet nothing, nor do the arguments they make there.

    It is to either side, and at least as long as the nodes are broad.
    """
    box = QRectF()
    for node in nodes:
        box = box.united(scene.node_items[node].body_box())
    is_card = scene.node_style == "card"
    room = box.adjusted(-3 * ASIDE, -3 * ASIDE if is_card else -ASIDE, 3 * ASIDE, ASIDE)
    least = snap((box.height() if is_card else box.width()) + 2 * ASIDE, GRID)
    others = [scene.content_box([key]) for key in scene.node_items if key not in nodes]
    for turn in count():
        along = (least + ASIDE * (turn // 2)) * (1 if turn % 2 == 0 else -1)
        by = QPointF(0.0, along) if is_card else QPointF(along, 0.0)
        if not any(room.translated(by).intersects(other) for other in others):
            break
    return by

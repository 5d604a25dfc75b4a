"""How much room a node takes on the board, and who makes way for one that comes into a wire."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF

from app.canvas.geometry import GRID
from app.document.records import Id, Point
from app.document.room import NEWCOMER, Size, make_room

if TYPE_CHECKING:
    from app.canvas.scene import BoardScene


def size_around(box: QRectF) -> Size:
    """Return how much room something takes around its position: twice the farther reach of its box."""
    return 2 * max(-box.left(), box.right()), 2 * max(-box.top(), box.bottom())


def room_on_wire(
    scene: "BoardScene", edge_id: Id, place: QPointF, node: Id = NEWCOMER, size: Size | None = None
) -> dict[Id, Point]:
    """Return where a node goes that comes into a wire, and those that make way; a new node brings its size."""
    document = scene.workspace.document
    wire = document.edges[edge_id]
    sizes = {key: scene.size_of(key) for key in (wire.source, wire.target)}
    sizes[node] = size if size is not None else scene.size_of(node)
    return make_room(document, wire, node, (place.x(), place.y()), sizes, GRID)

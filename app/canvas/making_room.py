"""How much room a node takes on the board, and who makes way for one that comes into a wire."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF

from app.canvas.geometry import GRID, NodeShape
from app.document.records import Id, Point
from app.document.room import NEWCOMER, Size, make_room

if TYPE_CHECKING:
    from app.canvas.scene import BoardScene


def size_around(box: QRectF) -> Size:
    """Return how much room something takes around its position: twice the farther reach of its box."""
    return 2 * max(-box.left(), box.right()), 2 * max(-box.top(), box.bottom())


def room_on_wire(scene: "BoardScene", edge_id: Id, place: QPointF, node: Id = NEWCOMER) -> dict[Id, Point]:
    """Return where a node goes that comes into a wire, and those that make way; without a node for a new operator."""
    document = scene.workspace.document
    wire = document.edges[edge_id]
    sizes = {key: _size_in_a_row(scene, key) for key in (wire.source, wire.target, node)}
    return make_room(document, wire, node, (place.x(), place.y()), sizes, GRID)


def _size_in_a_row(scene: "BoardScene", node: Id) -> Size:
    """Return how much room a node's body and name take; its arguments and tags come and go with its wires."""
    if node == NEWCOMER:
        return size_around(scene.geometry.body(NodeShape("operator", flow=(0,))))
    item = scene.node_items[node]
    return size_around(item.body_box().united(item.place_of("name")).translated(-item.pos()))

"""What lies under the pointer: ports, with the same reach on the screen at any zoom, then bodies, then wires."""

from typing import TYPE_CHECKING, Literal

import attrs
from PySide6.QtCore import QPointF, QRectF, Qt

from app.canvas.annotations import Sides
from app.canvas.auto_items import AutoItem
from app.canvas.edge_items import EdgeItem
from app.canvas.geometry import geometry_of, reach_at
from app.canvas.node_items import NodeItem
from app.canvas.ways import distance
from app.document.records import Id

if TYPE_CHECKING:
    from app.canvas.scene import BoardScene

HitKind = Literal[
    "nothing",
    "node",
    "name",
    "output",
    "input",
    "wire",
    "shape",
    "argument",
    "argument shape",
    "annotation",
    "annotation edge",
]
ELLIPSE_CORE = 0.6


@attrs.frozen
class Hit:
    """One thing under the pointer: a node, a port of it (`number`), a wire (`along` it, 0 … 1) or nothing.

    An `annotation` is a frame by its title bar, or a note; at an edge `sides` tells which.
    """

    kind: HitKind = "nothing"
    node: Id = ""
    number: int = 0
    edge: Id = ""
    along: float = 0.0
    annotation: Id = ""
    sides: Sides = (0, 0)


@attrs.frozen
class Found:
    """The items around a point, topmost first."""

    nodes: list[NodeItem]
    edges: list[EdgeItem]
    autos: list[AutoItem]


def hit_at(scene: "BoardScene", point: QPointF, scale: float) -> Hit:
    """Return what a press at a point of the board takes hold of."""
    found = _around(scene, point, reach_at(scale))
    for item in found.nodes:
        output = item.shape_at(point)
        if output is not None:
            return Hit("shape", item.look.id, output)
        if holds_core(item, point, scale):
            return Hit("node", item.look.id)
    port = nearest_port(found.nodes, point, scale)
    if port is not None:
        return port
    for item in found.nodes:
        if body_holds(item, point):
            return Hit("node", item.look.id)
        if item.place_of("name").contains(point):
            return Hit("name", item.look.id)
    return _beside(found, point, scale) or _annotation(scene, point, scale)


def _annotation(scene: "BoardScene", point: QPointF, scale: float) -> Hit:
    held = scene.annotations.hit(point, scale)
    if held is None:
        return Hit()
    key, sides = held
    return Hit("annotation edge" if sides != (0, 0) else "annotation", annotation=key, sides=sides)


def _beside(found: Found, point: QPointF, scale: float) -> Hit | None:
    for auto in found.autos:
        if auto.shape_holds(point):
            return Hit("argument shape", auto.look.owner, auto.look.number)
        if auto.holds(point):
            return Hit("argument", auto.look.owner, auto.look.number)
    for edge in found.edges:
        if edge.text_box.contains(point):
            return Hit("shape", edge=edge.look.id)
    for edge in found.edges:
        along = edge.hit(point, scale)
        if along is not None:
            return Hit("wire", edge=edge.look.id, along=along)
    return None


def node_at(scene: "BoardScene", point: QPointF, scale: float) -> NodeItem | None:
    """Return the node whose body, or one of whose inputs, is under the pointer."""
    found = _around(scene, point, reach_at(scale))
    for item in found.nodes:
        if body_holds(item, point):
            return item
    port = nearest_port(found.nodes, point, scale)
    return scene.node_items[port.node] if port is not None else None


def argument_at(scene: "BoardScene", point: QPointF, scale: float) -> AutoItem | None:
    """Return the automatic argument under the pointer."""
    return next((auto for auto in _around(scene, point, reach_at(scale)).autos if auto.holds(point)), None)


def wire_at(scene: "BoardScene", point: QPointF, scale: float) -> EdgeItem | None:
    """Return the wire that runs under a point, whatever lies over it."""
    for edge in _around(scene, point, reach_at(scale)).edges:
        if edge.hit(point, scale) is not None:
            return edge
    return None


def nearest_port(nodes: list[NodeItem], point: QPointF, scale: float) -> Hit | None:
    """Return the nearest port within reach."""
    reach = reach_at(scale)
    best, port = reach, None
    for item in nodes:
        here = point - item.pos()
        geometry = geometry_of(item.style)
        for number, anchor in enumerate(geometry.outputs(item.look.shape)):
            apart = distance(here, anchor.point)
            if apart <= best:
                best, port = apart, Hit("output", item.look.id, number)
        for number, anchor in geometry.inputs(item.look.shape).items():
            apart = distance(here, anchor.point)
            if apart < best:
                best, port = apart, Hit("input", item.look.id, number)
    return port


def body_holds(item: NodeItem, point: QPointF) -> bool:
    """Tell whether a node's body holds a point of the board."""
    return geometry_of(item.style).holds(item.look.shape, point - item.pos())


def holds_core(item: NodeItem, point: QPointF, scale: float) -> bool:
    """Tell whether a point is so far inside a body that the ports at its edge are not meant."""
    here, shape = point - item.pos(), item.look.shape
    geometry = geometry_of(item.style)
    if item.style != "card":
        # The ports of an ellipse lie outside it, and a hand that means to move it must not pull a wire off.
        return geometry.holds(shape, here)
    if shape.kind in ("variable", "auxiliary"):
        return geometry.holds(shape, here, ELLIPSE_CORE)
    body = geometry.body(shape)
    inset = min(reach_at(scale), body.width() * 0.2, body.height() * 0.2)
    return body.adjusted(inset, inset, -inset, -inset).contains(here)


def _around(scene: "BoardScene", point: QPointF, reach: float) -> Found:
    box = QRectF(point.x() - reach, point.y() - reach, 2 * reach, 2 * reach)
    if scene.is_far:
        # The items are hidden then, and Qt finds no hidden ones.
        nodes = [item for item in scene.node_items.values() if item.body_box().intersects(box)]
        edges = [item for item in scene.edge_items.values() if item.boundingRect().intersects(box)]
        return Found(nodes[::-1], edges[::-1], [])
    found = Found([], [], [])
    mode = Qt.ItemSelectionMode.IntersectsItemBoundingRect
    for item in scene.items(box, mode, Qt.SortOrder.DescendingOrder):
        if isinstance(item, NodeItem):
            found.nodes.append(item)
        elif isinstance(item, EdgeItem):
            found.edges.append(item)
        elif isinstance(item, AutoItem):
            found.autos.append(item)
    return found

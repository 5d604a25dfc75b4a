"""The board as it is seen from far away."""

from collections.abc import Callable, Iterable

from PySide6.QtCore import QLineF, QRectF
from PySide6.QtGui import QColor

from app.canvas.edge_items import EdgeItem
from app.canvas.far_layer import FarBoxes, FarLines, FarPicture
from app.canvas.geometry import Kind
from app.canvas.ink import Ink
from app.canvas.node_items import NodeItem
from app.qt.colours import mix

KINDS: tuple[Kind, ...] = ("variable", "auxiliary", "operator", "group")


def far_picture(nodes: Iterable[NodeItem], edges: Iterable[EdgeItem]) -> FarPicture:
    """Return the nodes as boxes and the wires as straight lines."""
    boxes = {
        (kind, dimmed): FarBoxes(_seen(_fill(kind), dimmed=dimmed), _seen(_outline(kind), dimmed=dimmed))
        for dimmed in (True, False)
        for kind in KINDS
    }
    lines = {dimmed: FarLines(_seen(_wire, dimmed=dimmed)) for dimmed in (True, False)}
    for item in nodes:
        boxes[item.look.shape.kind, item.state.dimmed].boxes.append(item.body_box())
    for edge in edges:
        lines[edge.dimmed].lines.append(QLineF(edge.way.start, edge.way.end))
    return FarPicture(tuple(lines.values()), tuple(boxes.values()))


def far_marks(nodes: Iterable[NodeItem]) -> list[tuple[QRectF, bool]]:
    """Return the boxes of nodes that are selected (True) or wrong (False)."""
    found = []
    for item in nodes:
        chosen = item.state.selected or item.state.lifted
        if chosen or (item.look.problem and item.look.is_error):
            found.append((item.body_box(), chosen))
    return found


def _seen(colour: Callable[[Ink], QColor], *, dimmed: bool) -> Callable[[Ink], QColor]:
    """Return the colour as it is, or as much paler as dimmed items are."""
    return (lambda ink: mix(colour(ink), ink.theme.canvas, 0.7)) if dimmed else colour


def _wire(ink: Ink) -> QColor:
    return ink.theme.wire


def _fill(kind: Kind) -> Callable[[Ink], QColor]:
    return lambda ink: ink.fill(kind)


def _outline(kind: Kind) -> Callable[[Ink], QColor]:
    return lambda ink: ink.picture.group if kind == "group" else ink.picture.outline

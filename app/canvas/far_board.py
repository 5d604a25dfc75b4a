"""The board as it is seen from far away."""

from collections.abc import Callable, Iterable

from PySide6.QtCore import QLineF, QRectF
from PySide6.QtGui import QColor

from app.canvas.edge_items import EdgeItem
from app.canvas.far_layer import FarBoxes, FarLines, FarPicture
from app.canvas.geometry import Kind
from app.canvas.ink import Ink
from app.canvas.node_items import NodeItem

KINDS: tuple[Kind, ...] = ("variable", "auxiliary", "operator", "group")


def far_picture(nodes: Iterable[NodeItem], edges: Iterable[EdgeItem]) -> FarPicture:
    """Return the nodes as boxes and the wires as straight lines."""
    boxes = {kind: FarBoxes(_fill(kind), _outline(kind)) for kind in KINDS}
    for item in nodes:
        boxes[item.look.shape.kind].boxes.append(item.body_box())
    lines = [QLineF(edge.way.start, edge.way.end) for edge in edges]
    return FarPicture((FarLines(lambda ink: ink.theme.wire, lines),), tuple(boxes.values()))


def far_marks(nodes: Iterable[NodeItem]) -> list[tuple[QRectF, bool]]:
    """Return the boxes of nodes that are selected (True) or wrong (False)."""
    found = []
    for item in nodes:
        chosen = item.state.selected or item.state.lifted
        if chosen or (item.look.problem and item.look.is_error):
            found.append((item.body_box(), chosen))
    return found


def _fill(kind: Kind) -> Callable[[Ink], QColor]:
    return lambda ink: ink.fill(kind)


def _outline(kind: Kind) -> Callable[[Ink], QColor]:
    return lambda ink: ink.picture.group if kind == "group" else ink.picture.outline

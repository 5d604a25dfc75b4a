"""What follows from where the nodes stand: which of several wires bow aside, and where there is room for arguments."""

from collections.abc import Callable, Collection, Iterator, Mapping

from app.document.records import VARIABLE, Document, Id, Node
from app.document.topology import topology

BOW = 26.0
COLUMN = 256.0
"""Width of the strips in which neighbours above and below are looked for."""
CARD_REACH = 112.0
FAR_OFF = 400.0


def bows_of(document: Document) -> dict[Id, float]:
    """Return how far each of several wires between the same two nodes is bent aside."""
    pairs: dict[tuple[Id, Id], list[Id]] = {}
    for edge in document.edges.values():
        pairs.setdefault((edge.source, edge.target), []).append(edge.id)
    found = {}
    for ids in pairs.values():
        if len(ids) > 1:
            for place, key in enumerate(ids):
                found[key] = BOW * (place - (len(ids) - 1) / 2)
    return found


def side_ups(document: Document, nodes: Collection[Id], is_side: Callable[[Id, int], bool]) -> dict[Id, bool]:
    """Tell for these nodes where their automatic arguments go: above them (Picture style: at their right), or not.

    `is_side` tells whether an input is for a weight, a label or the like.
    """
    wanted = [document.nodes[key] for key in nodes if document.nodes[key].op != VARIABLE]
    if document.options.style != "card":
        return _right_sides(document, wanted)
    found = _upper_sides(document, wanted)
    for node in found:
        fed = _fed_from_above(document, node, is_side)
        if fed:
            found[node] = fed > 0
    return found


def _fed_from_above(document: Document, node: Id, is_side: Callable[[Id, int], bool]) -> int:
    """Count the wires to inputs beside the flow: positive when most come from above, negative from below."""
    height = document.nodes[node].position[1]
    return sum(
        1 if document.nodes[edge.source].position[1] < height else -1
        for number, edge in topology(document).inputs(node).items()
        if is_side(node, number)
    )


def _upper_sides(document: Document, nodes: list[Node]) -> dict[Id, bool]:
    """Choose the edge of a card with more room before the next node."""
    columns: dict[int, list[Node]] = {}
    for node in document.nodes.values():
        columns.setdefault(int(node.position[0] // COLUMN), []).append(node)
    found = {}
    for node in nodes:
        above = below = FAR_OFF
        x, y = node.position
        for other in _near(columns, node):
            if other is node or abs(other.position[0] - x) > CARD_REACH * 1.5:
                continue
            apart = other.position[1] - y
            if apart < 0:
                above = min(above, -apart)
            elif apart > 0:
                below = min(below, apart)
        found[node.id] = above >= below
    return found


def _near(columns: Mapping[int, list[Node]], node: Node) -> Iterator[Node]:
    column = int(node.position[0] // COLUMN)
    for place in (column - 1, column, column + 1):
        yield from columns.get(place, ())


def _right_sides(document: Document, nodes: list[Node]) -> dict[Id, bool]:
    """Choose the side of an ellipse on which fewer wires run."""
    wires = topology(document)
    found = {}
    for node in nodes:
        right = left = 0.0
        others = [edge.source for edge in wires.inputs(node.id).values()]
        others += [edge.target for edge in wires.outputs(node.id)]
        for other in others:
            dx = document.nodes[other].position[0] - node.position[0]
            dy = document.nodes[other].position[1] - node.position[1]
            slant = abs(dx) / (abs(dx) + abs(dy) + 1e-9)
            right += slant if dx > 8 else 0.0
            left += slant if dx < -8 else 0.0
        found[node.id] = right <= left + 1e-6
    return found

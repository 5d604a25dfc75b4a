"""Positions for a whole document: the layered layout with the sizes and the direction of the drawing's style."""

import math
from collections.abc import Mapping

import attrs

from app.document.reading import read_node
from app.document.records import GROUP, VARIABLE, Document, Id, Node, Point
from app.services.layout import Layered, LayoutOptions, Size, layered

CARD = (192.0, 176.0)  # the card and the small arguments above or below it
CARD_VARIABLE = (88.0, 64.0)  # ellipse and name
PICTURE = (96.0, 48.0)
PICTURE_WITH_ARGUMENTS = (208.0, 72.0)
SHORTEST_ROW = 1360.0
BREADTH = 1.6
MARGIN = 200.0
LONGER = 1.3
TRIES = 16


def arrange(document: Document, sizes: Mapping[Id, Size] | None = None) -> dict[Id, Point]:
    """Return a position for every node; `sizes` are the real ones where the drawing knows them."""
    own = {node.id: _size(document, node) for node in document.nodes.values()}
    own.update({key: size for key, size in (sizes or {}).items() if key in own})
    wires = sorted(document.edges.values(), key=lambda edge: (edge.target, edge.input))
    edges = [(edge.source, edge.target) for edge in wires]
    if document.options.style == "picture":
        return layered(own, edges, LayoutOptions("down", rank_gap=48, node_gap=48))
    drawing = Layered(own, edges, LayoutOptions("right", rank_gap=56, node_gap=32))
    return min((drawing.places(wrap) for wrap in _rows(own)), key=_misfit)


def arranged(document: Document, sizes: Mapping[Id, Size] | None = None) -> Document:
    """Return the document with every node at its arranged position."""
    places = arrange(document, sizes)
    nodes = {key: attrs.evolve(node, position=places[key]) for key, node in document.nodes.items()}
    return attrs.evolve(document, nodes=nodes)


def _rows(sizes: Mapping[Id, Size]) -> list[float]:
    """Return how long rows may be, from a small window's breadth on, as long as there is more than one row."""
    whole = sum(width for width, _ in sizes.values())
    lengths = [SHORTEST_ROW]
    while lengths[-1] < whole and len(lengths) < TRIES:
        lengths.append(lengths[-1] * LONGER)
    return lengths


def _misfit(places: Mapping[Id, Point]) -> float:
    """Tell how far from a window's shape a drawing is."""
    xs, ys = [x for x, _ in places.values()], [y for _, y in places.values()]
    breadth, height = (max(values, default=0) - min(values, default=0) + MARGIN for values in (xs, ys))
    return abs(math.log(breadth / height / BREADTH))


def _size(document: Document, node: Node) -> Size:
    if document.options.style == "card":
        return CARD_VARIABLE if node.op in (VARIABLE, GROUP) else CARD
    has_arguments = any(port.role != "data" for port in read_node(node).ports)
    return PICTURE_WITH_ARGUMENTS if has_arguments else PICTURE

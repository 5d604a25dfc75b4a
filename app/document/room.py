"""Where nodes go to make room for one that comes between two others."""

import math
from collections.abc import Mapping

from app.document.records import Document, Edge, Id, Point
from app.document.topology import topology

MARGIN = 40.0
"""What is kept free on both sides of the newcomer, for the wires and what is written on them."""
NEWCOMER = ""
"""The key of a newcomer that is no node yet."""

Size = tuple[float, float]


def make_room(
    document: Document,
    wire: Edge,
    newcomer: Id,
    place: Point,
    sizes: Mapping[Id, Size],
    grid: float,
) -> dict[Id, Point]:
    """Return where the newcomer and all nodes go that have to move, so that none overlaps the two ends of its wire.

    The wire's own direction is the flow. The newcomer keeps clear of the source; the reader and whatever hangs
    together with it and lies as far or farther along the flow goes on by one step, so that its order stays. Where the
    newcomer stands beside the ends, nobody moves. Steps are whole ones of the grid.
    """
    source, target = (document.nodes[end].position for end in (wire.source, wire.target))
    axis = 0 if abs(target[0] - source[0]) >= abs(target[1] - source[1]) else 1
    sign = 1.0 if target[axis] >= source[axis] else -1.0

    def clearance(one: Id, other: Id) -> float:
        return (sizes[one][axis] + sizes[other][axis]) / 2 + MARGIN

    def is_level(node: Id, at: Point) -> bool:
        """Tell whether a node and the newcomer would meet if one went along the flow."""
        apart = abs(document.nodes[node].position[1 - axis] - at[1 - axis])
        return apart < (sizes[node][1 - axis] + sizes[newcomer][1 - axis]) / 2

    def onwards(point: Point, by: float) -> Point:
        step = math.ceil(by / grid) * grid * sign
        return (point[0] + step, point[1]) if axis == 0 else (point[0], point[1] + step)

    if is_level(wire.source, place):
        short = clearance(wire.source, newcomer) - sign * (place[axis] - source[axis])
        place = onwards(place, max(short, 0.0))
    there = {newcomer: place}
    short = clearance(wire.target, newcomer) - sign * (target[axis] - place[axis])
    if short > 0 and is_level(wire.target, place):
        for node in topology(document).connected([wire.target]) - {newcomer, wire.source}:
            position = document.nodes[node].position
            if sign * (position[axis] - target[axis]) >= 0:
                there[node] = onwards(position, short)
    return there

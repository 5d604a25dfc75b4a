"""Where the executor graph of a model stands: each array as a tile, its gradient beside it, row under row.

The rows are those of the drawing. In each, arguments that a node made for itself stand above it, the gradient of its
output below it, and the gradients of those arguments below that; so an arrow from an array to the gradient that reads
it is short. A drawing that runs downwards is treated the same way with its columns, turned by a quarter.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import attrs
from PySide6.QtCore import QPointF

from app.canvas.executor_homes import Home
from app.canvas.executor_layout import spread

if TYPE_CHECKING:
    from app.engine.gradient import ExecutorGraph, ExecutorNode

SAME_ROW = 48.0
"""Nodes whose places differ by less across the flow are one row."""
MOST_STRETCH = 1.6
CLEAR = QPointF(74.0, 60.0)
FORWARD_LANE = 18.0
GRADIENT_LANE = 36.0
"""How far before a row a wire runs that comes from the end of another row."""
PART = QPointF(52.0, 44.0)
FORWARD = ("argument", "auxiliary", "operator")


@attrs.frozen
class Pitch:
    """Distances across the flow (from a node to its arguments, its gradient, theirs) and along it."""

    argument: float
    more_arguments: float
    backward: float
    holder: float
    edge: float
    margin: float
    fan: float
    along: float
    body: float


ACROSS = Pitch(
    argument=66, more_arguments=58, backward=98, holder=66, edge=36, margin=64, fan=104, along=112, body=32
)
DOWNWARDS = Pitch(
    argument=132, more_arguments=112, backward=150, holder=126, edge=56, margin=56, fan=62, along=92, body=23
)


@attrs.define
class _Row:
    """One row of the drawing: its nodes, and where its middle comes to lie."""

    nodes: list[int]
    middle: float
    above: float = 0.0
    below: float = 0.0
    place: float = 0.0


@attrs.frozen(eq=False)
class TileLayout:
    """Places and forms of all executor nodes, the room for each name, and lanes of wires that turn back."""

    places: list[QPointF]
    small: list[bool]
    rooms: list[float]
    lanes: Mapping[tuple[int, int], float]


def tile_layout(graph: "ExecutorGraph", homes: Mapping[int, Home]) -> TileLayout:
    """Lay an executor graph out around the places of the symbol's nodes on the board."""
    return _Tiles(graph, homes).layout()


class _Tiles:
    """Lays out one graph; `x` is along the flow and `y` across it, whichever way it runs."""

    def __init__(self, graph: "ExecutorGraph", homes: Mapping[int, Home]) -> None:
        self.graph = graph
        self.turned = _runs_down(graph, homes)
        self.pitch = DOWNWARDS if self.turned else ACROSS
        self.anchors = {index: self.turn(home.anchor) for index, home in homes.items()}
        self.owners: dict[int, int] = {
            index: home.owner for index, home in homes.items() if home.owner is not None
        }
        self.rows = self.find_rows([index for index in homes if index not in self.owners])
        self.adopt_inputs()
        self.owned: dict[int, list[int]] = {}
        for index in sorted(self.owners):
            self.owned.setdefault(self.owners[index], []).append(index)
        self.row_of = {index: row for row in self.rows for index in row.nodes}
        self.differentiated = {entry[0] for entry in graph.gradient_nodes}
        self.stretch = self.stretch_along()
        self.stack_rows()

    def turn(self, place: QPointF) -> QPointF:
        """Exchange the axes where the drawing runs downwards."""
        return place.transposed() if self.turned else place

    def find_rows(self, indices: Sequence[int]) -> list[_Row]:
        """Gather nodes that stand at about the same height."""
        rows: list[_Row] = []
        for index in sorted(indices, key=lambda node: (self.anchors[node].y(), node)):
            height = self.anchors[index].y()
            if not rows or height - rows[-1].middle > SAME_ROW:
                rows.append(_Row([], height))
            rows[-1].nodes.append(index)
        return rows

    def adopt_inputs(self) -> None:
        """Let a variable that stands apart, and that one node reads, stand with that node like an argument it made."""
        symbol = self.graph.graph
        row_of = {index: row for row in self.rows for index in row.nodes}
        for row in self.rows:
            for index in list(row.nodes):
                readers = {reader for reader, _ in symbol.consumers[index]}
                if not symbol.nodes[index].is_variable or len(readers) != 1:
                    continue
                (reader,) = readers
                if reader in row_of and row_of[reader] is not row:
                    self.owners[index] = reader
                    row.nodes.remove(index)
        self.rows = [row for row in self.rows if row.nodes]

    def half_width(self, index: int) -> float:
        """Return how much room a node and what it owns need on each side along the flow."""
        return self.pitch.fan if len(self.owned.get(index, ())) > 1 else self.pitch.along / 2

    def stretch_along(self) -> float:
        """Return by how much the drawing must be stretched, or may be shrunk, so that neighbours are clear."""
        needed = 0.0
        for row in self.rows:
            inner = sorted(row.nodes, key=lambda index: self.anchors[index].x())
            for one, other in pairwise(inner):
                gap = self.anchors[other].x() - self.anchors[one].x()
                if gap > 1:
                    needed = max(needed, (self.half_width(one) + self.half_width(other)) / gap)
        return min(needed or 1.0, MOST_STRETCH)

    def stack_rows(self) -> None:
        """Put row under row, each with the room for its arguments and gradients."""
        pitch, place = self.pitch, 0.0
        for row in self.rows:
            heights = [self.anchors[index].y() - row.middle for index in row.nodes]
            deep = max(((len(self.owned.get(index, ())) + 1) // 2 for index in row.nodes), default=0)
            arguments = pitch.argument + pitch.more_arguments * (deep - 1) if deep else 0.0
            row.above = arguments + pitch.edge
            has_backward = any(index in self.differentiated for index in row.nodes)
            has_holders = any(
                argument in self.differentiated
                for index in row.nodes
                for argument in self.owned.get(index, ())
            )
            row.below = max(heights) + pitch.edge
            if has_backward or has_holders:
                row.below += pitch.backward
            if has_holders:
                row.below += pitch.holder + pitch.more_arguments * (deep - 1)
            place += row.above
            row.place = place
            place += row.below + pitch.margin

    # Places ------------------------------------------------------------------------------------------------------

    def layout(self) -> TileLayout:
        """Return where everything stands."""
        own = {index: self.forward_place(index) for index in self.anchors}
        places = [
            own[node.symbol_node] if node.kind in FORWARD else self.gradient_place(node)
            for node in self.graph.nodes
        ]
        spread(places, range(len(places)), CLEAR)
        small = [self.is_small(node) for node in self.graph.nodes]
        lanes = {} if self.turned else self.find_lanes(places)
        turned = [self.turn(place) for place in places]
        return TileLayout(turned, small, _rooms(turned), lanes)

    def is_small(self, node: "ExecutorNode") -> bool:
        """Tell whether a node is an argument that stands at its owner, or the gradient of one."""
        return node.entry[0] in self.owners

    def forward_place(self, index: int) -> QPointF:
        """Return where a value stands."""
        owner = self.owners.get(index)
        if owner is None:
            anchor, row = self.anchors[index], self.row_of[index]
            return QPointF(anchor.x() * self.stretch, row.place + anchor.y() - row.middle)
        return self.forward_place(owner) + self.fanned(index, owner, -1.0)

    def fanned(self, index: int, owner: int, side: float) -> QPointF:
        """Return how far an argument, or its gradient, stands from the middle of its kind: two in a row."""
        siblings = self.owned[owner]
        number, count = siblings.index(index), len(siblings)
        level, place = divmod(number, 2)
        alone = count == 1 or (number == count - 1 and count % 2 == 1)
        x = 0.0 if alone else (place - 0.5) * self.pitch.fan
        distance = (
            self.pitch.argument if side < 0 else self.pitch.holder
        ) + self.pitch.more_arguments * level
        return QPointF(x, side * distance)

    def gradient_place(self, node: "ExecutorNode") -> QPointF:
        """Return where a gradient stands; the parts of a sum stand towards where they come from."""
        own = self.whole_place(node.entry[0])
        if self.graph.gradient_nodes.get(node.entry) == node.index:
            return own
        if node.kind == "head_gradient":
            return own + PART
        away = self.whole_place(node.symbol_node)
        return (own + away) / 2 + QPointF(0.0, PART.y() / 2)

    def whole_place(self, index: int) -> QPointF:
        """Return where the whole gradient of a node's array stands."""
        owner = self.owners.get(index)
        backward = QPointF(0.0, self.pitch.backward)
        if owner is None:
            return self.forward_place(index) + backward
        return self.forward_place(owner) + backward + self.fanned(index, owner, 1.0)

    # Lanes -------------------------------------------------------------------------------------------------------

    def find_lanes(self, places: Sequence[QPointF]) -> dict[tuple[int, int], float]:
        """Return the height of the free strip between two rows for each wire that leads back to a row's start."""
        lanes = {}
        for node in self.graph.nodes:
            for source in node.reads:
                lane = self.lane(self.graph.nodes[source], node, places)
                if lane is not None:
                    lanes[source, node.index] = lane
        return lanes

    def lane(self, source: "ExecutorNode", reader: "ExecutorNode", places: Sequence[QPointF]) -> float | None:
        """Return the strip of one wire, None where it runs straight."""
        one, other = self.row_of.get(source.entry[0]), self.row_of.get(reader.entry[0])
        forward = reader.kind in FORWARD
        if one is None or other is None or one is other or (not forward and source.kind in FORWARD):
            return None
        back = places[reader.index].x() - places[source.index].x()
        lower = other if other.place > one.place else one
        if forward and other is lower and back < 2 * self.pitch.body:
            return lower.place - lower.above - FORWARD_LANE
        if not forward and one is lower and back > -2 * self.pitch.body:
            return lower.place - lower.above - GRADIENT_LANE
        return None


def _runs_down(graph: "ExecutorGraph", homes: Mapping[int, Home]) -> bool:
    """Tell whether most wires of the drawing lead more down than aside."""
    nodes = graph.graph.nodes
    steep = 0
    for reader, node in enumerate(nodes):
        for source, _ in node.inputs:
            if not nodes[source].is_variable and source in homes and reader in homes:
                run = homes[reader].anchor - homes[source].anchor
                steep += 1 if run.y() > abs(run.x()) else -1
    return steep > 0


def _rooms(places: Sequence[QPointF]) -> list[float]:
    """Return for each node how wide its name may be before it meets that of a neighbour at its height."""
    levels: dict[int, list[tuple[float, int]]] = {}
    for index, place in enumerate(places):
        levels.setdefault(round(place.y() / 24), []).append((place.x(), index))
    rooms = [ACROSS.along * 1.5] * len(places)
    for level in levels.values():
        level.sort()
        for (left, one), (right, other) in pairwise(level):
            for index in (one, other):
                rooms[index] = min(rooms[index], right - left)
    return [max(room - 8.0, 24.0) for room in rooms]

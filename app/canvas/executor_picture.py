"""What is to be drawn of an executor graph, as one value that a worker can make: it asks nothing of the board."""

from collections.abc import Callable, Mapping, Set
from typing import TYPE_CHECKING

import attrs
from PySide6.QtCore import QLineF, QPointF
from PySide6.QtGui import QColor

from app.canvas.executor_homes import homes_of
from app.canvas.executor_items import USUAL_ROOM, colour_of
from app.canvas.executor_layout import square_places
from app.canvas.executor_looks import (
    KIND_WORDS,
    ExecutorKind,
    ExecutorLook,
    WireKind,
    Writer,
    requests_of,
    summary_of,
    wire_kind,
)
from app.canvas.executor_plates import body_of
from app.canvas.executor_tiles import FORWARD, tile_layout
from app.canvas.executor_wires import wire_pen
from app.canvas.far_layer import FarBoxes, FarLines, FarPicture
from app.canvas.ink import Ink
from app.document.records import Id

if TYPE_CHECKING:
    from app.document.analysis import Analysis
    from app.engine.gradient import ExecutorGraph
    from app.services.running import Results

WIRE_KINDS: tuple[WireKind, ...] = ("forward", "read", "gradient")
NOTHING_YET = "The arrays of the graph appear here once there is something to compute."

WireKey = tuple[int, int]


@attrs.frozen(eq=False)
class ExecutorPicture:
    """Everything about one executor graph by the indices of its nodes; without a graph, `hint` says why.

    `results` are the numbers that belong to it, be they of the document as it is now or of an older one.
    """

    graph: "ExecutorGraph | None" = None
    results: "Results | None" = None
    looks: tuple[ExecutorLook, ...] = ()
    places: tuple[QPointF, ...] = ()
    rooms: tuple[float, ...] = ()
    wires: Mapping[WireKey, WireKind] = attrs.Factory(dict)
    lanes: Mapping[WireKey, float] = attrs.Factory(dict)
    has_tiles: bool = False
    node_ids: Mapping[int, Id] = attrs.Factory(dict)
    far: FarPicture = attrs.Factory(FarPicture)
    summary: str = ""
    hint: str = ""

    def named(self, names: Set[str]) -> list[int]:
        """Return the arrays that the nodes of the symbol with these names hold."""
        nodes = self.graph.nodes if self.graph is not None and names else ()
        return [node.index for node in nodes if node.kind in FORWARD and node.name in names]

    def is_alike(self, other: "ExecutorPicture") -> bool:
        """Tell whether the other shows the same nodes in the same form, perhaps elsewhere and with other numbers."""
        if self.graph is None or other.graph is None:
            return self.graph is other.graph
        return self.has_tiles == other.has_tiles and are_alike(self.graph, other.graph)


def empty_picture(analysis: "Analysis | None") -> ExecutorPicture:
    """Return the picture of nothing, with what keeps the graph from being bound."""
    hint = NOTHING_YET
    if analysis is not None and analysis.errors:
        told = dict(zip(analysis.problems, analysis.told_problems, strict=True))[analysis.errors[0]]
        hint = f"To bind the graph, mend this first: {told.sentence}"
    return ExecutorPicture(hint=hint)


def executor_picture(analysis: "Analysis", results: "Results | None", *, current: bool) -> ExecutorPicture:
    """Return the picture of the graph that was bound, or else that a bind would make now."""
    graph = results.executor_graph if current and results is not None else _planned(analysis)
    if results is not None and not current and not are_alike(results.executor_graph, graph):
        results = None
    homes = homes_of(analysis)
    layout = tile_layout(graph, homes) if analysis.document.options.style == "card" else None
    places = layout.places if layout is not None else square_places(graph, homes)
    small = layout.small if layout is not None else ()
    writer = Writer(graph, results, is_current=current)
    looks = [
        writer.look(node, "square" if layout is None else "small" if small[node.index] else "tile")
        for node in graph.nodes
    ]
    keys = [(source, node.index) for node in graph.nodes for source in node.reads]
    wires = {key: wire_kind(graph, *key) for key in keys}
    ids = analysis.node_ids
    return ExecutorPicture(
        graph,
        results,
        tuple(looks),
        tuple(places),
        tuple(layout.rooms) if layout is not None else (USUAL_ROOM,) * len(places),
        wires,
        layout.lanes if layout is not None else {},
        layout is not None,
        {node.index: ids[node.entry[0]] for node in graph.nodes if node.entry[0] in ids},
        _far(looks, places, wires, with_reads=layout is None),
        summary_of(graph, requests_of(analysis.document, graph), bound=current),
    )


def next_moment(picture: ExecutorPicture, results: "Results") -> tuple[ExecutorPicture, tuple[int, ...]]:
    """Return the picture at another moment of the run that is shown, and the nodes that look otherwise there."""
    before, after = (one.moment if one is not None else None for one in (picture.results, results))
    assert after is not None and picture.graph is not None
    near = after.changed_since(before)
    writer = Writer(picture.graph, results, is_current=True)
    looks = list(picture.looks)
    for index in near:
        looks[index] = writer.look(picture.graph.nodes[index], looks[index].form)
    return attrs.evolve(picture, results=results, looks=tuple(looks)), tuple(near)


def are_alike(one: "ExecutorGraph", other: "ExecutorGraph") -> bool:
    """Tell whether two executor graphs have the same nodes, so that numbers of one belong to the other."""
    if one is other:
        return True
    if len(one.nodes) != len(other.nodes):
        return False
    return all(
        (first.kind, first.name, first.reads, first.shape, first.request)
        == (second.kind, second.name, second.reads, second.shape, second.request)
        for first, second in zip(one.nodes, other.nodes, strict=True)
    )


def _planned(analysis: "Analysis") -> "ExecutorGraph":
    """Return what a bind would make of the document now."""
    from app.engine.gradient import build_executor_graph
    from app.services.running import request_of

    graph, inference = analysis.graph, analysis.inference
    assert graph is not None and inference is not None
    names = [graph.nodes[index].name for index in graph.arguments]
    return build_executor_graph(
        graph, inference, {name: request_of(analysis.document, name) for name in names}
    )


def _far(
    looks: list[ExecutorLook],
    places: list[QPointF],
    wires: Mapping[WireKey, WireKind],
    *,
    with_reads: bool,
) -> FarPicture:
    """Return what is seen from far away; beside tiles, what backward reads is too much to be told apart there."""
    boxes = {kind: FarBoxes(_fill(kind), lambda ink: ink.picture.outline) for kind in KIND_WORDS}
    for look, place in zip(looks, places, strict=True):
        boxes[look.kind].boxes.append(body_of(look).translated(place))
    lines = {kind: FarLines(_wire_colour(kind)) for kind in WIRE_KINDS}
    for (source, reader), kind in wires.items():
        if kind != "read" or with_reads:
            lines[kind].lines.append(QLineF(places[source], places[reader]))
    return FarPicture(tuple(lines.values()), tuple(boxes.values()))


def _fill(kind: ExecutorKind) -> Callable[[Ink], QColor]:
    return lambda ink: colour_of(kind, ink.picture)


def _wire_colour(kind: WireKind) -> Callable[[Ink], QColor]:
    return lambda ink: wire_pen(kind, ink).color()

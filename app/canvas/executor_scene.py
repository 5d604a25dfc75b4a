"""The executor graph's scene: what a bind makes of the document, with the numbers of the last run."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QLineF, QObject, QPointF, QRectF, QTimer, Signal
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QGraphicsScene

from app.canvas.executor_homes import homes_of
from app.canvas.executor_items import USUAL_ROOM, ExecutorItem, colour_of
from app.canvas.executor_layout import square_places
from app.canvas.executor_looks import (
    KIND_WORDS,
    ExecutorKind,
    Form,
    WireKind,
    Writer,
    requests_of,
    summary_of,
    wire_kind,
)
from app.canvas.executor_tiles import TileLayout, tile_layout
from app.canvas.executor_wires import ExecutorWire, wire_pen
from app.canvas.far_layer import FarBoxes, FarLayer, FarLines, FarPicture
from app.canvas.ink import Ink
from app.canvas.labels import Surroundings, line_meets_box
from app.canvas.looks import Kit
from app.document.records import Id

if TYPE_CHECKING:
    from app.canvas.heat import Heat
    from app.document.analysis import Analysis
    from app.engine.gradient import ExecutorGraph
    from app.qt.workspace import Workspace
    from app.services.running import Results

SMALL = 120
"""Up to so many wires the words of a node keep clear of all the others."""
LARGE = 400
PAUSE_MS = 150
"""A large executor graph is drawn anew when the edits pause, so that it does not hold them up."""
WIRE_KINDS: tuple[WireKind, ...] = ("forward", "read", "gradient")
BOWS = (36.0, -36.0, 64.0, -64.0)
"""How far an arrow may bend aside around the squares in its way."""


class ExecutorHeats:
    """Pictures of the executor graph's arrays, each drawn once, when it is first seen."""

    def __init__(self, results: "Results | None", kit_theme: object) -> None:
        self._results = results
        self._theme = kit_theme
        self._known: dict[str, Heat | None] = {}

    def heat(self, node: str, which: str) -> "Heat | None":
        """Return the picture of the array of an executor node, by its index as text."""
        if self._results is None:
            return None
        if node not in self._known:
            from app.canvas.heat import heat_of

            array = self._results.exec_value(int(node))
            colours = self._theme.heat  # type: ignore[attr-defined]
            self._known[node] = (
                heat_of(array, colours, diverging=which == "gradient") if array is not None else None
            )
        return self._known[node]


class ExecutorScene(QGraphicsScene):
    """Shows the executor graph of a workspace's document.

    The graph is the one that was bound while the results are those of the document; after an edit it is the one that a
    bind would make now, with the numbers of the last run, muted, where they still belong to it.
    """

    content_changed = Signal()
    """Nodes came or went, or `summary` or `hint` says something else."""

    def __init__(self, workspace: "Workspace", parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.workspace = workspace
        self.graph: ExecutorGraph | None = None
        self.items_by_index: list[ExecutorItem] = []
        self.wires: dict[tuple[int, int], ExecutorWire] = {}
        self._wires_at: dict[int, list[tuple[int, int]]] = {}
        self.node_ids: dict[int, Id] = {}
        self._layout: TileLayout | None = None
        self._hovered: ExecutorItem | None = None
        self.summary = ""
        self.hint = ""
        self.kit = Kit(Ink(workspace.theme), ExecutorHeats(None, workspace.theme))
        self._far = FarLayer(self.kit, self._far_marks)
        self.addItem(self._far)
        self._pause = QTimer(self, singleShot=True, interval=PAUSE_MS)
        self._pause.timeout.connect(self.refresh)
        self._active = True
        self._waiting = False
        workspace.analysis_changed.connect(self._on_change)
        workspace.results_changed.connect(self._on_change)
        workspace.view_option_changed.connect(self._on_view_option)
        workspace.selection_changed.connect(self._on_selection)
        self.refresh()

    # Following the workspace -------------------------------------------------------------------------------------

    def set_active(self, active: bool) -> None:
        """Follow at once while somebody looks, else only when somebody looks again."""
        self._active = active
        if active and self._waiting:
            self.refresh()

    def _on_change(self, _what: object) -> None:
        self._waiting = True
        if not self._active:
            return
        if len(self.items_by_index) > LARGE:
            self._pause.start()
        else:
            self.refresh()

    def _on_view_option(self) -> None:
        if self.workspace.theme is not self.kit.ink.theme:
            self.kit.ink = Ink(self.workspace.theme)
            self.update()
        self._on_change(None)

    def _on_selection(self, _ids: object) -> None:
        chosen = self.workspace.store.selection
        for item in self.items_by_index:
            item.set_state(selected=self.node_ids.get(item.look.index) in chosen)
        self._bring_forward()

    def hover(self, item: ExecutorItem | None) -> None:
        """Light the node under the pointer."""
        if item is self._hovered:
            return
        if self._hovered is not None and self._hovered.scene() is self:
            self._hovered.set_state(hovered=False)
        self._hovered = item
        if item is not None:
            item.set_state(hovered=True)
        self._bring_forward()

    def _bring_forward(self) -> None:
        """Among tiles, show clearly what the backward nodes read only where somebody looks."""
        for (source, reader), wire in self.wires.items():
            if wire.kind == "read":
                ends = self.items_by_index[source], self.items_by_index[reader]
                looked_at = any(item.selected or item is self._hovered for item in ends)
                wire.set_pale(self._layout is not None and not looked_at)

    def refresh(self) -> None:
        """Compare everything with the workspace and change what differs."""
        self._waiting = False
        self._pause.stop()
        workspace = self.workspace
        analysis = workspace.analysis
        if analysis is None or analysis.graph is None or not analysis.can_bind:
            self._show_nothing(analysis)
            return
        current = workspace.results is not None and workspace.results_are_current
        graph = workspace.results.executor_graph if current and workspace.results else self._planned(analysis)
        results = workspace.results
        if results is not None and not current and not _alike(results.executor_graph, graph):
            results = None
        self._show_graph(analysis, graph, results, current=current)

    def _planned(self, analysis: "Analysis") -> "ExecutorGraph":
        """Return what a bind would make of the document now."""
        from app.engine.gradient import build_executor_graph
        from app.services.running import request_of

        graph, inference = analysis.graph, analysis.inference
        assert graph is not None and inference is not None
        names = [graph.nodes[index].name for index in graph.arguments]
        return build_executor_graph(
            graph, inference, {name: request_of(analysis.document, name) for name in names}
        )

    def _show_nothing(self, analysis: "Analysis | None") -> None:
        self._clear()
        self.graph = None
        self.summary = ""
        self.hint = "The arrays of the graph appear here once there is something to compute."
        if analysis is not None and analysis.errors:
            told = dict(zip(analysis.problems, analysis.told_problems, strict=True))[analysis.errors[0]]
            self.hint = f"To bind the graph, mend this first: {told.sentence}"
        self.content_changed.emit()

    def _show_graph(
        self, analysis: "Analysis", graph: "ExecutorGraph", results: "Results | None", *, current: bool
    ) -> None:
        layout = tile_layout(graph, homes_of(analysis)) if _is_drawn_with_tiles(analysis) else None
        if self.graph is None or not _alike(self.graph, graph) or (layout is None) != (self._layout is None):
            self._clear()
        self.graph, self._layout = graph, layout
        self.kit.heats = ExecutorHeats(results, self.kit.ink.theme)
        writer = Writer(graph, results, is_current=current)
        looks = [writer.look(node, self._form(node.index)) for node in graph.nodes]
        if not self.items_by_index:
            for look in looks:
                item = ExecutorItem(look, self.kit, self.surroundings)
                self.items_by_index.append(item)
        self._place(analysis, graph)
        for item, look in zip(self.items_by_index, looks, strict=True):
            item.show_look(look)
            item.update()
        ids = analysis.node_ids
        self.node_ids = {node.index: ids[node.entry[0]] for node in graph.nodes if node.entry[0] in ids}
        self.summary = summary_of(graph, requests_of(analysis.document, graph), bound=current)
        self.hint = ""
        self._on_selection(None)
        self.content_changed.emit()

    def _form(self, index: int) -> Form:
        if self._layout is None:
            return "square"
        return "small" if self._layout.small[index] else "tile"

    def _clear(self) -> None:
        for item in (*self.items_by_index, *self.wires.values()):
            if item.scene() is self:
                self.removeItem(item)
        self.items_by_index = []
        self.wires = {}
        self.node_ids = {}
        self._hovered = None

    # Places ------------------------------------------------------------------------------------------------------

    def _place(self, analysis: "Analysis", graph: "ExecutorGraph") -> None:
        """Put every node where its array's node is on the board, and run the wires."""
        layout = self._layout
        places = layout.places if layout is not None else square_places(graph, homes_of(analysis))
        rooms = layout.rooms if layout is not None else [USUAL_ROOM] * len(places)
        for item, room in zip(self.items_by_index, rooms, strict=True):
            item.room = room
        if not self.wires:
            keys = [(source, node.index) for node in graph.nodes for source in node.reads]
            self.wires = {key: ExecutorWire(wire_kind(graph, *key), self.kit) for key in keys}
            self._wires_at = {}
            for key in keys:
                for index in set(key):
                    self._wires_at.setdefault(index, []).append(key)
            moved = set(range(len(places)))
        else:
            moved = {index for index, item in enumerate(self.items_by_index) if item.pos() != places[index]}
        if not moved:
            return
        for index in moved:
            self.items_by_index[index].setPos(places[index])
        self._run_wires(moved)
        # In a small graph words keep clear of everything, so any of them may have to give way.
        for index in range(len(places)) if len(self.wires) <= SMALL else moved:
            self.items_by_index[index].lay_out()
        for made in (*self.wires.values(), *self.items_by_index):
            if made.scene() is None:
                made.setVisible(not self._far.isVisible())
                self.addItem(made)
        self._rebuild_far()

    def _run_wires(self, moved: set[int]) -> None:
        """Run the wires of nodes that moved; in a small graph they bend around the squares in their way."""
        few = len(self.wires) <= SMALL
        lanes = self._layout.lanes if self._layout is not None else {}
        for (source, reader), wire in self.wires.items():
            if not few and source not in moved and reader not in moved:
                continue
            ends = self.items_by_index[source].box, self.items_by_index[reader].box
            if (source, reader) in lanes:
                wire.run_back(*ends, lanes[source, reader])
                continue
            wire.run(*ends)
            if not few or wire.kind == "forward" or (wire.kind == "gradient" and self._layout is None):
                continue
            others = [
                item.box.adjusted(-3, -3, 3, 3)
                for index, item in enumerate(self.items_by_index)
                if index not in (source, reader)
            ]
            least, best = _met(wire, others), 0.0
            for bow in BOWS if least else ():
                wire.run(*ends, bow)
                met = _met(wire, others)
                if met < least:
                    least, best = met, bow
            wire.run(*ends, best)

    def surroundings(self, index: int) -> Surroundings:
        """Return what the words of a node should not cover."""
        own = self.items_by_index[index].pos()
        lines, boxes, bodies = [], [], []
        few = len(self.wires) <= SMALL
        for key in self.wires if few else self._wires_at.get(index, ()):
            lines += [(one - own, other - own) for one, other in self.wires[key].pieces()]
        if few:
            for item in self.items_by_index:
                if item.look.index != index:
                    bodies.append(item.box.translated(-own))
                if item.look.index < index and item.scene() is self:
                    place = item.pos() - own
                    boxes += [
                        label.box.translated(place).adjusted(-4, 0, 4, 0) for label in item.plate.labels
                    ]
                    if item.plate.heat is not None:
                        boxes.append(item.plate.heat.translated(place))
        return Surroundings(lines, boxes, bodies=bodies)

    # From far away -----------------------------------------------------------------------------------------------

    def _rebuild_far(self) -> None:
        boxes = {kind: FarBoxes(_fill(kind), lambda ink: ink.picture.outline) for kind in KIND_WORDS}
        for item in self.items_by_index:
            boxes[item.look.kind].boxes.append(item.box)
        lines = {kind: FarLines(_wire_colour(kind)) for kind in WIRE_KINDS}
        for (source, reader), wire in self.wires.items():
            if wire.kind == "read" and self._layout is not None:
                continue  # too many to be told apart from afar
            ends = self.items_by_index[source].pos(), self.items_by_index[reader].pos()
            lines[wire.kind].lines.append(QLineF(*ends))
        self._far.show_picture(FarPicture(tuple(lines.values()), tuple(boxes.values())))

    def _far_marks(self) -> list[tuple[QRectF, bool]]:
        return [(item.box, True) for item in self.items_by_index if item.selected]

    # For the view ------------------------------------------------------------------------------------------------

    def content_box(self) -> QRectF:
        """Return the box of everything there is."""
        box = QRectF()
        for item in self.items_by_index:
            box = box.united(item.plate.bounds.translated(item.pos()))
        return box

    def item_at(self, place: QPointF, reach: float) -> ExecutorItem | None:
        """Return the node at a place: its square, grown by `reach`, or its words."""
        for item in reversed(self.items_by_index):
            if item.box.adjusted(-reach, -reach, reach, reach).contains(place):
                return item
        for item in reversed(self.items_by_index):
            here = place - item.pos()
            if any(label.box.contains(here) for label in item.plate.labels):
                return item
        return None

    def set_scale(self, scale: float) -> None:
        """Tell the painters at which zoom they paint; far out one layer stands for all items."""
        self.kit.scale = scale
        far = FarLayer.serves(scale)
        if far != self._far.isVisible():
            self._far.setVisible(far)
            for item in (*self.items_by_index, *self.wires.values()):
                item.setVisible(not far)

    def snapshot(self, margin: float = 24.0, scale: float = 1.0) -> QImage:
        """Return a picture of the whole executor graph, for documents and tests."""
        from app.canvas.pictures import picture_of

        return picture_of(self, self.content_box().adjusted(-margin, -margin, margin, margin), scale)


def _met(wire: ExecutorWire, boxes: list[QRectF]) -> int:
    """Count the squares that a wire runs through."""
    return sum(any(line_meets_box(*piece, box) for piece in wire.pieces()) for box in boxes)


def _fill(kind: ExecutorKind) -> Callable[[Ink], QColor]:
    return lambda ink: colour_of(kind, ink.picture)


def _wire_colour(kind: WireKind) -> Callable[[Ink], QColor]:
    return lambda ink: wire_pen(kind, ink).color()


def _is_drawn_with_tiles(analysis: "Analysis") -> bool:
    return analysis.document.options.style == "card"


def _alike(one: "ExecutorGraph", other: "ExecutorGraph") -> bool:
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

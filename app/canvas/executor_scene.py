"""The executor graph's scene: what a bind makes of the document, with the numbers of the last run."""

import math
import time
from collections.abc import Generator, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QPointF, QRectF, QTimer, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QGraphicsItem, QGraphicsScene

from app.canvas.executor_heats import ExecutorHeats
from app.canvas.executor_items import ExecutorItem
from app.canvas.executor_looks import WireKind
from app.canvas.executor_picture import ExecutorPicture, WireKey, empty_picture, executor_picture
from app.canvas.executor_wires import ExecutorWire
from app.canvas.far_layer import FarLayer
from app.canvas.ink import Ink
from app.canvas.labels import Surroundings, line_meets_box
from app.canvas.looks import Kit
from app.document.records import Id
from app.qt.runner import Runner

if TYPE_CHECKING:
    from app.document.analysis import Analysis
    from app.engine.gradient import ExecutorGraph
    from app.qt.workspace import Workspace
    from app.services.running import Results

SMALL = 120
"""Up to so many wires the words of a node keep clear of all the others."""
LARGE: Final = 400
"""With so many squares, or half as many arrays of the symbol, a worker prepares what is drawn, in slices."""
PAUSE_MS: Final = 150
"""A large executor graph is drawn anew when the edits pause, so that it does not hold them up."""
SLICE_S: Final = 0.008
"""So long the event loop is held up at a time while a large executor graph is drawn."""
BOWS = (36.0, -36.0, 64.0, -64.0)
"""How far an arrow may bend aside around the squares in its way."""
BEING_LAID_OUT: Final = "The executor graph is being laid out …"


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
        self.picture = ExecutorPicture()
        self.items_by_index: list[ExecutorItem] = []
        self.wires: dict[WireKey, ExecutorWire] = {}
        self._wires_at: dict[int, list[WireKey]] = {}
        self._hovered: ExecutorItem | None = None
        self._content = QRectF()
        self._runner: Runner | None = None
        self._steps: Iterator[None] | None = None
        self.kit = Kit(Ink(workspace.theme), ExecutorHeats(None, workspace.theme))
        self._far = FarLayer(self.kit, self._far_marks)
        self.addItem(self._far)
        self._pause = QTimer(self, singleShot=True, interval=PAUSE_MS)
        self._pause.timeout.connect(self.refresh)
        self._slice = QTimer(self, singleShot=True, interval=0)
        self._slice.timeout.connect(self._go_on)
        self._active = True
        self._waiting = False
        workspace.analysis_changed.connect(self._on_change)
        workspace.results_changed.connect(self._on_change)
        workspace.view_option_changed.connect(self._on_view_option)
        workspace.selection_changed.connect(self._on_selection)
        self.refresh()

    # What it shows -----------------------------------------------------------------------------------------------

    @property
    def graph(self) -> "ExecutorGraph | None":
        """The executor graph that is shown."""
        return self.picture.graph

    @property
    def node_ids(self) -> Mapping[int, Id]:
        """The node of the board for the index of each node here."""
        return self.picture.node_ids

    @property
    def summary(self) -> str:
        """What is bound, in one line."""
        return self.picture.summary

    @property
    def hint(self) -> str:
        """Why there is nothing to see, if so."""
        return self.picture.hint

    @property
    def is_busy(self) -> bool:
        """Whether a large graph is still being prepared or drawn."""
        return self._steps is not None or (self._runner is not None and self._runner.is_running)

    @property
    def is_behind(self) -> bool:
        """Whether the workspace has something else by now."""
        return self._waiting or self.is_busy

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
                wire.set_pale(self.picture.has_tiles and not looked_at)

    def refresh(self) -> None:
        """Show what the workspace has; a large graph follows when a worker has laid it out."""
        self._pause.stop()
        self._waiting = self._steps is not None  # what is being drawn is finished first
        if self._waiting:
            return
        workspace = self.workspace
        analysis, results = workspace.analysis, workspace.results
        current = results is not None and workspace.results_are_current
        if analysis is None or analysis.graph is None or not analysis.can_bind:
            self._give_up()
            self._show(empty_picture(analysis))
        elif len(analysis.graph.nodes) > LARGE / 2:
            self._show_later(analysis, results, current=current)
        else:
            self._give_up()
            self._show(executor_picture(analysis, results, current=current))

    def _show_later(self, analysis: "Analysis", results: "Results | None", *, current: bool) -> None:
        """Let a worker lay the graph out; what is shown stands until then."""
        if self._runner is None:
            self._runner = Runner(self)
            self._runner.finished.connect(self._show)
        if not self.items_by_index:
            self.picture = ExecutorPicture(hint=BEING_LAID_OUT)
            self.content_changed.emit()

        def work(_cancel: object) -> Iterator[ExecutorPicture]:
            yield executor_picture(analysis, results, current=current)

        self._runner.start(work)

    def _give_up(self) -> None:
        if self._runner is not None:
            self._runner.stop()

    def shutdown(self) -> None:
        """End the worker, before the window goes away."""
        self._pause.stop()
        self._slice.stop()
        if self._runner is not None:
            self._runner.shutdown()

    # Drawing it --------------------------------------------------------------------------------------------------

    def _show(self, picture: ExecutorPicture) -> None:
        is_large = max(len(picture.looks), len(self.items_by_index)) > LARGE
        self._steps = self._drawn(picture)
        self._draw_on(SLICE_S if is_large else math.inf)

    def _go_on(self) -> None:
        self._draw_on(SLICE_S)

    def _draw_on(self, slice_s: float) -> None:
        """Draw on for a while; the rest comes when the event loop has seen to everything else."""
        assert self._steps is not None
        end = time.perf_counter() + slice_s
        for _ in self._steps:
            if time.perf_counter() > end:
                self._slice.start()
                return
        self._steps = None
        self._on_selection(None)
        self.content_changed.emit()
        if self._waiting:
            self._on_change(None)

    def _drawn(self, picture: ExecutorPicture) -> Iterator[None]:
        """Draw another picture with the items that there are; stops where the event loop may have its turn."""
        if len(picture.looks) <= LARGE and not picture.is_alike(self.picture):
            yield from self._cut_down(0, {})  # all words find their places anew
        yield from self._cut_down(len(picture.looks), picture.wires)
        before, self.picture = self.picture, picture
        self.kit.heats = ExecutorHeats(picture.results, self.kit.ink.theme)
        self._hovered = None
        moved = yield from self._place_nodes()
        turned = yield from self._make_wires(before.lanes)
        if moved or turned:
            few = len(self.wires) <= SMALL
            yield from self._run_wires(moved, turned, few=few)
            # In a small graph words keep clear of everything, so any may have to give way; those of tiles never do.
            everyone = range(len(self.items_by_index)) if few else moved
            for index in everyone if not picture.has_tiles else ():
                self.items_by_index[index].lay_out()
                yield
        self._far.show_picture(picture.far)
        content = QRectF()
        made: list[ExecutorItem | ExecutorWire] = [*self.wires.values(), *self.items_by_index]
        for item in made:
            if item.scene() is None:
                item.setVisible(not self._far.isVisible())
                self.addItem(item)
            yield
        for item in self.items_by_index:
            content = content.united(item.plate.bounds.translated(item.pos()))
            yield
        self._content = content

    def _cut_down(self, count: int, wires: Mapping[WireKey, WireKind]) -> Iterator[None]:
        """Remove the nodes from the index `count` on, and the wires that are not among those of a picture."""
        gone: list[QGraphicsItem] = [
            self.wires.pop(key) for key, wire in list(self.wires.items()) if wires.get(key) != wire.kind
        ]
        gone += self.items_by_index[count:]
        del self.items_by_index[count:]
        for item in gone:
            if item.scene() is self:
                self.removeItem(item)
            yield

    def _place_nodes(self) -> Generator[None, None, set[int]]:
        """Give every node its look and its place; return those that stand or reach elsewhere than before."""
        picture = self.picture
        moved = set()
        for index, look in enumerate(picture.looks):
            if index == len(self.items_by_index):
                self.items_by_index.append(ExecutorItem(look, self.kit, self.surroundings))
                moved.add(index)
            item = self.items_by_index[index]
            before = item.box
            if item.room != picture.rooms[index]:
                item.room = picture.rooms[index]
                item.lay_out()
            item.show_look(look)
            item.setPos(picture.places[index])
            item.update()
            if picture.has_tiles:
                item.boundingRect()  # worked out now, else the search of the scene does it for all at once
            if item.box != before:
                moved.add(index)
            yield
        return moved

    def _make_wires(self, lanes: Mapping[WireKey, float]) -> Generator[None, None, set[WireKey]]:
        """Make the wires that are missing; return them, and those that ran in another of the `lanes`."""
        turned = set()
        self._wires_at = {}
        for key, kind in self.picture.wires.items():
            if key not in self.wires:
                self.wires[key] = ExecutorWire(kind, self.kit)
                turned.add(key)
            elif lanes.get(key) != self.picture.lanes.get(key):
                turned.add(key)
            for index in set(key):
                self._wires_at.setdefault(index, []).append(key)
            yield
        return turned

    def _run_wires(self, moved: set[int], turned: set[WireKey], *, few: bool) -> Iterator[None]:
        """Run the wires of nodes that moved; few ones bend around the squares in their way."""
        lanes = self.picture.lanes
        for key, wire in self.wires.items():
            if not few and key not in turned and moved.isdisjoint(key):
                continue
            if key in lanes:
                wire.run_back(*self._ends(key), lanes[key])
            elif few and (wire.kind == "read" or (wire.kind == "gradient" and self.picture.has_tiles)):
                self._run_bent(key, wire)
            else:
                wire.run(*self._ends(key))
            yield

    def _ends(self, key: WireKey) -> tuple[QRectF, QRectF]:
        return self.items_by_index[key[0]].box, self.items_by_index[key[1]].box

    def _run_bent(self, key: WireKey, wire: ExecutorWire) -> None:
        """Run a wire straight, or bent aside where it then meets fewer squares."""
        wire.run(*self._ends(key))
        others = [
            item.box.adjusted(-3, -3, 3, 3)
            for index, item in enumerate(self.items_by_index)
            if index not in key
        ]
        least, best = _met(wire, others), 0.0
        for bow in BOWS if least else ():
            wire.run(*self._ends(key), bow)
            met = _met(wire, others)
            if met < least:
                least, best = met, bow
        wire.run(*self._ends(key), best)

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

    def _far_marks(self) -> list[tuple[QRectF, bool]]:
        return [(item.box, True) for item in self.items_by_index if item.selected]

    # For the view ------------------------------------------------------------------------------------------------

    def content_box(self) -> QRectF:
        """Return the box of everything there is."""
        return self._content

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

"""The executor graph's scene: what a bind makes of the document, with the numbers of the last run."""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QPointF, QRectF, QTimer, Signal
from PySide6.QtGui import QPainterPath
from PySide6.QtWidgets import QGraphicsScene

from app.canvas.executor_drawing import ExecutorDrawing
from app.canvas.executor_heats import ExecutorHeats
from app.canvas.executor_items import ExecutorItem
from app.canvas.executor_picture import (
    ExecutorPicture,
    WireKey,
    empty_picture,
    executor_picture,
    next_moment,
)
from app.canvas.executor_wires import ExecutorWire
from app.canvas.ink import Ink
from app.canvas.looks import Kit
from app.canvas.step_layer import Bodies, StepLayers
from app.canvas.stepping_marks import executor_marks
from app.document.records import Id
from app.qt.runner import Runner

if TYPE_CHECKING:
    from app.document.analysis import Analysis
    from app.engine.gradient import ExecutorGraph
    from app.qt.workspace import Workspace
    from app.services.moments import Moment
    from app.services.running import Results

LARGE: Final = 400
"""With so many squares, or half as many arrays of the symbol, a worker prepares what is drawn, in slices."""
PAUSE_MS: Final = 150
"""A large executor graph is drawn anew when the edits pause, so that it does not hold them up."""
SLICE_S: Final = 0.008
"""So long the event loop is held up at a time while a large executor graph is drawn."""
BEING_LAID_OUT: Final = "The executor graph is being laid out …"


class ExecutorScene(QGraphicsScene):
    """Shows the executor graph of a workspace's document.

    The graph is the one that was bound while the results are those of the document; after an edit it is the one that a
    bind would make now, with the numbers of the last run, muted, where they still belong to it.
    """

    stepped = Signal(QRectF)
    """A step was taken, and this is where."""
    content_changed = Signal()
    """Nodes came or went, or `summary` or `hint` says something else."""

    def __init__(self, workspace: "Workspace", parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.workspace = workspace
        self._runner: Runner | None = None
        self._steps: Iterator[None] | None = None
        self.kit = Kit(Ink(workspace.theme), ExecutorHeats(None, workspace.theme))
        self.drawing = ExecutorDrawing(self, self.kit)
        self._pause = QTimer(self, singleShot=True, interval=PAUSE_MS)
        self._pause.timeout.connect(self.refresh)
        self._slice = QTimer(self, singleShot=True, interval=0)
        self._slice.timeout.connect(self._go_on)
        self._active = True
        self._waiting = False
        workspace.analysis_changed.connect(self._on_change)
        self._marks = StepLayers(
            self, self.kit, Bodies(self._body, self.content_box, self._is_round, self._way)
        )
        self._stepped_to: Moment | None = None
        self.content_changed.connect(self._mark)
        workspace.breakpoints_changed.connect(self._mark)
        workspace.results_changed.connect(self._on_results)
        workspace.view_option_changed.connect(self._on_view_option)
        workspace.selection_changed.connect(self.drawing.select)
        self.drawing.select(workspace.store.selection)
        self.refresh()

    # What it shows -----------------------------------------------------------------------------------------------

    @property
    def picture(self) -> ExecutorPicture:
        """What is shown, as one value."""
        return self.drawing.picture

    @property
    def items_by_index(self) -> Sequence[ExecutorItem]:
        """The items of the nodes, in the order of the executor graph."""
        return self.drawing.items

    @property
    def wires(self) -> Mapping[WireKey, ExecutorWire]:
        """The arrows by the indices of their ends."""
        return self.drawing.wires

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

    def _on_results(self, results: "Results | None") -> None:
        """Follow a step of a large graph where its picture stands; draw everything else anew."""
        shown = self.picture.results
        follows = self._active and not self.is_behind and not self._pause.isActive()
        if (
            follows
            and len(self.items_by_index) > LARGE
            and results is not None
            and results.moment is not None
            and shown is not None
            and results.moment.is_alike(shown.moment)
        ):
            self.drawing.follow(*next_moment(self.picture, results))
            self._mark()
        else:
            self._on_change(results)

    def _mark(self) -> None:
        """Mark what stepping has come to, as far as it is drawn, and the breakpoints."""
        picture, nodes = self.picture, self.workspace.document.nodes
        moment = picture.results.moment if picture.results is not None else None
        names = {nodes[key].name for key in self.workspace.breakpoints if key in nodes}
        self._marks.show_marks(executor_marks(moment, picture.named(names)))
        if moment is not self._stepped_to:
            self._stepped_to = moment
            for index in self._marks.marks.current:
                self.stepped.emit(self.items_by_index[index].box)

    def _body(self, index: int) -> QRectF | None:
        return self.items_by_index[index].box if index < len(self.items_by_index) else None

    def _is_round(self, index: int) -> bool:
        return self.items_by_index[index].look.kind == "head"

    def _way(self, ends: WireKey) -> QPainterPath | None:
        return self.wires[ends].way if ends in self.wires else None

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
            self.drawing.picture = ExecutorPicture(hint=BEING_LAID_OUT)
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
        anew = len(picture.looks) <= LARGE and not picture.is_alike(self.picture)
        self._steps = self.drawing.change_to(picture, anew=anew)
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
        self.content_changed.emit()
        if self._waiting:
            self._on_change(None)

    # For the view ------------------------------------------------------------------------------------------------

    def content_box(self) -> QRectF:
        """Return the box of everything there is."""
        return self.drawing.content

    def item_at(self, place: QPointF, reach: float) -> ExecutorItem | None:
        """Return the node at a place: its square, grown by `reach`, or its words."""
        return self.drawing.item_at(place, reach)

    def hover(self, item: ExecutorItem | None) -> None:
        """Light the node under the pointer."""
        self.drawing.hover(item)

    def set_scale(self, scale: float) -> None:
        """Tell the painters at which zoom they paint."""
        self.drawing.set_scale(scale)

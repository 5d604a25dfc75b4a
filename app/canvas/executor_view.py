"""The view of the executor graph: to look at, not to edit; a click selects the node that an array comes from."""

from html import escape
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QHelpEvent, QHideEvent, QKeyEvent, QMouseEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QToolTip, QWidget

from app.canvas.executor_items import ExecutorItem
from app.canvas.executor_looks import KIND_WORDS
from app.canvas.executor_scene import ExecutorScene
from app.canvas.geometry import reach_at
from app.canvas.ink import Ink
from app.canvas.legend import Legend
from app.canvas.overlays import EmptyHint
from app.canvas.pan_zoom import PanZoomView
from app.qt import fonts

if TYPE_CHECKING:
    from app.document.store import Update
    from app.qt.workspace import Workspace

MOST_LEGEND = 0.28
"""How much of the view's height the legend may take."""


class ExecutorView(PanZoomView):
    """Shows what a bind makes of the document.

    `summary` says in one line what is bound; `summary_changed` carries it anew. `array_chosen` carries the name of the
    array that was clicked, and whether its gradient was.
    """

    summary_changed = Signal(str)
    array_chosen = Signal(str, bool)

    def __init__(self, workspace: "Workspace", parent: QWidget | None = None) -> None:
        self.workspace = workspace
        self.executor_scene = ExecutorScene(workspace)
        super().__init__(self.executor_scene, parent)
        self._had_nodes = 0
        self._is_other = False
        """Whether another document was loaded, of which nothing is shown yet."""
        self._hint = EmptyHint(self, "")
        self.legend = Legend(self, self.ink())
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Executor graph")
        self.executor_scene.content_changed.connect(self._on_content)
        self.executor_scene.stepped.connect(self.show_box)
        workspace.view_option_changed.connect(self._dress)
        workspace.document_changed.connect(self._on_document)
        self._dress()
        self._on_content()
        self.executor_scene.set_active(False)  # until it is shown

    @property
    def summary(self) -> str:
        """What is bound, which gradients are asked for, and what it takes."""
        return self.executor_scene.summary

    def shutdown(self) -> None:
        """End the worker, before the window goes away."""
        self.executor_scene.shutdown()

    def ink(self) -> Ink:
        """Return the colours to paint with."""
        return self.executor_scene.kit.ink

    def content_box(self) -> QRectF:
        """Return the box of everything there is to see."""
        return self.executor_scene.content_box()

    def covered_below(self) -> int:
        """Return how high the legend is."""
        return self.legend.height() if self.legend.isVisible() else 0

    def scale_changed(self, scale: float) -> None:
        """Let the painters know the zoom."""
        self.executor_scene.set_scale(scale)

    def _dress(self) -> None:
        self._hint.dress(self.ink())
        self.legend.dress(self.ink())
        self.viewport().update()

    def _on_document(self, update: "Update") -> None:
        self._is_other = self._is_other or update.origin == "load"

    def _on_content(self) -> None:
        scene = self.executor_scene
        count = len(scene.items_by_index)
        self._hint.setText(escape(scene.hint))
        self._hint.setVisible(bool(scene.hint))
        self._hint.place()
        self._show_legend()
        self.summary_changed.emit(scene.summary)
        is_first = self._is_other and not scene.is_behind
        if count != self._had_nodes or is_first:
            self._had_nodes = count
            if is_first or not self.seen_box().contains(self.content_box()):
                self.fit()
        self._is_other = self._is_other and not is_first
        self.keep_fit()

    # Events ------------------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Pan with the middle button, or with the left one from an empty place; else select."""
        if event.button() == Qt.MouseButton.MiddleButton:
            self.start_pan(event)
        elif event.button() == Qt.MouseButton.LeftButton:
            item = self._item_at(self.mapToScene(event.position().toPoint()))
            if item is None:
                self.start_pan(event)
            else:
                self._choose(item)
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Pan, or light the node under the pointer."""
        if self.pan_step(event):
            return
        self.executor_scene.hover(self._item_at(self.mapToScene(event.position().toPoint())))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go of the board; a click on nothing selects nothing."""
        still = self._pan is not None and not self._pan.moved
        if self.end_pan(event) and still and event.button() == Qt.MouseButton.LeftButton:
            self.workspace.select(frozenset())

    def _choose(self, item: ExecutorItem) -> None:
        """Select the node that an array comes from, and ask for the array itself to be shown."""
        node = self.executor_scene.node_ids.get(item.look.index)
        self.workspace.select({node} if node else set())
        graph = self.executor_scene.graph
        if node and graph is not None:
            entry = graph.nodes[item.look.index].entry
            self.array_chosen.emit(graph.graph.entry_name(entry), item.look.is_gradient)

    def _item_at(self, place: QPointF) -> ExecutorItem | None:
        return self.executor_scene.item_at(place, reach_at(self.zoom, 4.0))

    def viewportEvent(self, event: QEvent) -> bool:
        """Show tips about the node under a resting pointer."""
        if event.type() == QEvent.Type.ToolTip:
            help_event = cast(QHelpEvent, event)
            item = self._item_at(self.mapToScene(help_event.pos()))
            QToolTip.showText(help_event.globalPos(), self.tip_for(item) if item else "", self.viewport())
            return True
        return super().viewportEvent(event)

    def tip_for(self, item: ExecutorItem) -> str:
        """Return rich text about one node: what it is, its formula, shape and numbers."""
        scene = self.executor_scene
        assert scene.graph is not None
        node = scene.graph.nodes[item.look.index]
        lines = [f"{fonts.strong(escape(item.look.title))}&nbsp; {KIND_WORDS[item.look.kind]}"]
        if node.request == "add":
            lines[0] += ", added to what it holds"
        if node.formula:
            lines.append(escape(node.formula))
        shape = ", ".join(str(size) if size else "?" for size in node.shape)
        lines.append(f"({shape}) {node.dtype}" if node.shape else "shape not known yet")
        results = self.workspace.results
        array = results.exec_value(node.index) if results is not None and not item.look.is_stale else None
        if array is not None:
            from app.canvas.heat import summary_lines

            lines += [escape(line) for line in summary_lines(array)]
        else:
            is_stepping = results is not None and results.moment is not None
            lines.append(f"<i>{'not computed' if is_stepping else 'no numbers'} yet</i>")
        return "<p>" + "<br>".join(lines) + "</p>"

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Zoom and fit."""
        ctrl = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if event.key() == Qt.Key.Key_Home:
            self.fit()
        elif ctrl and event.key() in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom_in()
        elif ctrl and event.key() == Qt.Key.Key_Minus:
            self.zoom_out()
        elif ctrl and event.key() == Qt.Key.Key_0:
            self.zoom_reset()
        else:
            super().keyPressEvent(event)

    def _show_legend(self) -> None:
        """Show the legend where it leaves most of the view to the graph."""
        fits = self.legend.height() <= MOST_LEGEND * self.height()
        self.legend.setVisible(fits and not self.executor_scene.hint)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep hint and legend in their places."""
        self.legend.place(self.size())
        self._show_legend()
        self._hint.place()
        super().resizeEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        """Catch up with what changed while nobody looked."""
        self.executor_scene.set_active(True)
        super().showEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        """Stop following while nobody looks."""
        self.executor_scene.set_active(False)
        super().hideEvent(event)

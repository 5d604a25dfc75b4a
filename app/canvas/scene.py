"""The board's scene: follows a workspace and shows its document with the items of `board_items`."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPointF, QRectF, Signal
from PySide6.QtWidgets import QGraphicsScene

from app.canvas.annotations import AnnotationItems
from app.canvas.appearance import Appearance
from app.canvas.board_items import SMALL, BoardItems
from app.canvas.differences import Differences, differences
from app.canvas.far_board import far_picture
from app.canvas.far_layer import FarPicture
from app.canvas.geometry import StyleGeometry
from app.canvas.ink import Ink
from app.canvas.looks import Kit
from app.canvas.making_room import size_around
from app.canvas.spotlight import Spotlight
from app.canvas.step_layer import Bodies, Marks, StepLayers
from app.canvas.stepping_marks import board_marks, changed_nodes
from app.document.records import Document, Id

if TYPE_CHECKING:
    from app.canvas.heat import Heat
    from app.canvas.heat_store import HeatStore
    from app.qt.workspace import Workspace
    from app.services.running import Results


class NoHeats:
    """Stands in for results that are not there."""

    def heat(self, node: Id, which: str) -> "Heat | None":
        """Return nothing."""
        return None


class BoardScene(QGraphicsScene):
    """Follows a workspace: its document, analysis, results, selection and theme.

    It only shows. The document changes through the workspace alone.
    """

    content_changed = Signal()  # nodes or wires came, went or moved
    stepped = Signal(QRectF)  # a step was taken, and this is where
    values_changed = Signal()  # the heatmaps of a run are shown, so nodes may need more room

    def __init__(self, workspace: "Workspace", parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.workspace = workspace
        self.heats: HeatStore | None = None
        self.kit = Kit(Ink(workspace.theme), NoHeats())
        self._items = BoardItems(self, self.kit, Appearance(workspace.document, None))
        self.node_items = self._items.nodes
        self.edge_items = self._items.edges
        self.auto_items = self._items.autos
        self.annotations = AnnotationItems(self, self.kit)
        self.spotlight = Spotlight(self)
        self._steps = StepLayers(self, self.kit, Bodies(self._body, self.content_box, self._is_round))
        self._take_results()
        self.content_changed.connect(self.mark_steps)
        self.values_changed.connect(self.mark_steps)
        workspace.breakpoints_changed.connect(self.mark_steps)
        workspace.document_changed.connect(self._on_document)
        workspace.analysis_changed.connect(self._on_analysis)
        workspace.results_changed.connect(self._on_results)
        workspace.selection_changed.connect(self._on_selection)
        workspace.view_option_changed.connect(self._on_view_option)
        self.refresh()

    # What it shows -----------------------------------------------------------------------------------------------

    @property
    def appearance(self) -> Appearance:
        """The looks of what is shown."""
        return self._items.appearance

    @property
    def document(self) -> Document:
        """The document as it is shown."""
        return self.appearance.document

    @property
    def node_style(self) -> str:
        """The name of the node style in use."""
        return self._items.style

    @property
    def geometry(self) -> StyleGeometry:
        """Where things lie in the style in use."""
        return self._items.geometry

    @property
    def is_far(self) -> bool:
        """Whether the far layer stands for the items."""
        return self._items.far.isVisible()

    def content_box(self, ids: Iterable[Id] | None = None) -> QRectF:
        """Return the box of these things, or of all: nodes with their words and automatic arguments."""
        wanted = None if ids is None else set(ids)
        return self._items.content_box(wanted).united(self.annotations.box(wanted))

    def far_picture(self) -> FarPicture:
        """Return all nodes and wires as they are seen from afar."""
        return far_picture(self.node_items.values(), self.edge_items.values())

    def body_box(self, key: Id) -> QRectF:
        """Return the box of a node's body, a frame or a note as it is shown now."""
        item = self.node_items.get(key)
        return item.body_box() if item is not None else self.annotations.box([key])

    def body_boxes(self) -> Iterator[tuple[Id, QRectF]]:
        """Yield the ids of everything that has a place, with the boxes of their bodies."""
        for key, item in self.node_items.items():
            yield key, item.body_box()
        for key, annotation in self.annotations:
            yield key, annotation.box

    def sizes(self) -> dict[Id, tuple[float, float]]:
        """Return how much room every node takes around its position, for a layout: twice the farther reach."""
        return {
            key: size_around(self.content_box([key]).translated(-item.pos()))
            for key, item in self.node_items.items()
        }

    # Following the workspace -------------------------------------------------------------------------------------

    def _on_document(self, _update: object) -> None:
        # With an engine the analysis of this very document follows at once, and one pass is enough.
        if self.workspace.analysis is None:
            self.refresh()

    def _on_analysis(self, _analysis: object) -> None:
        found = differences(self.appearance.analysis, self.workspace.analysis)
        if found is None or len(self.node_items) <= SMALL:
            self.refresh()
        else:
            self._follow(found)

    def _on_results(self, results: "Results | None") -> None:
        before = self.heats.results if self.heats is not None else None
        self._take_results()
        self.appearance.heats = self.heats
        self._items.show_values(changed_nodes(before, results))
        self.values_changed.emit()
        if results is not None and results.moment is not None:
            for key in self.marks.current:
                self.stepped.emit(self.content_box([key]))

    def _on_view_option(self) -> None:
        theme = self.workspace.theme
        if theme is not self.kit.ink.theme:
            self.kit.ink = Ink(theme)
            self._take_results()
        elif self.appearance.document is self.workspace.document:
            return  # what the document asks for was taken over with its analysis
        self.refresh()
        self.update()

    def _on_selection(self, _ids: object) -> None:
        self.show_selection(self.workspace.store.selection)
        self.spotlight.shine()

    def _take_results(self) -> None:
        results, colours = self.workspace.results, self.workspace.theme.heat
        is_current = self.workspace.results_are_current
        if results is None:
            self.heats = None
            self.kit.heats = NoHeats()
        elif self.heats is not None and self.heats.serves(results, colours):
            self.heats.is_current = is_current
        else:
            from app.canvas.heat_store import HeatStore

            self.heats = HeatStore(results, colours, is_current=is_current, before=self.heats)
            self.kit.heats = self.heats

    @property
    def marks(self) -> Marks[Id]:
        """What stepping and breakpoints mark."""
        return self._steps.marks

    def mark_steps(self) -> None:
        """Mark what stepping has come to, and the breakpoints."""
        workspace = self.workspace
        self._steps.show_marks(board_marks(workspace.results, workspace.breakpoints & self.node_items.keys()))

    def _body(self, key: Id) -> QRectF | None:
        item = self.node_items.get(key)
        return item.body_box() if item is not None else None

    def _is_round(self, key: Id) -> bool:
        return self.node_style == "picture" and self.node_items[key].look.shape.kind != "group"

    def _follow(self, found: Differences) -> None:
        """Take over a document in which little looks otherwise; arguments stay at the sides where they are."""
        self._show(found, self.appearance.side_up)

    def refresh(self) -> None:
        """Compare everything with the workspace and change what differs."""
        self._show(None, None)

    def _show(self, found: Differences | None, sides: Mapping[Id, bool] | None) -> None:
        workspace = self.workspace
        if self.heats is not None:
            self.heats.is_current = workspace.results_are_current
        rewired = found.rewired if found is not None else frozenset()
        self._items.show(
            Appearance(workspace.document, workspace.analysis, self.heats, sides, rewired), found
        )
        self.annotations.show(workspace.document)
        if found is None or rewired:
            self.show_selection(workspace.store.selection)
        self.spotlight.shine()
        self.content_changed.emit()

    # Selection, preview, marks -----------------------------------------------------------------------------------

    def show_selection(self, ids: Iterable[Id]) -> None:
        """Mark these things as selected and no others."""
        chosen = set(ids)
        self._items.show_selection(chosen)
        self.annotations.show_selection(chosen)

    def preview(self, positions: Mapping[Id, QPointF]) -> None:
        """Show nodes, with their wires, frames and notes elsewhere for the moment."""
        self._items.preview({key: place for key, place in positions.items() if key in self.node_items})
        self.annotations.preview(positions)

    def end_preview(self) -> None:
        """Show everything where the document has it, and drop all marks of a gesture."""
        self._items.end_preview()
        self.annotations.end_preview()
        self.clear_marks()
        self.show_selection(self.workspace.store.selection)

    def clear_marks(self) -> None:
        """Take back what gestures and the pointer marked."""
        self._items.clear_marks()
        self.annotations.clear_marks()
        self.spotlight.shine()

    def renew_far(self) -> None:
        """Let the layer for far away show what has become of the items."""
        self._items.renew_far()

    def set_scale(self, scale: float) -> None:
        """Tell the painters at which zoom they paint; far out one layer stands for all items."""
        self._items.set_scale(scale)
        self.annotations.rescale()

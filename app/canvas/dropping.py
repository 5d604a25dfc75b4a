"""Dropping an operator from the palette onto the board."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent

from app.canvas.edge_scroll import EdgeScroll
from app.canvas.geometry import Kind, snap, visible_grid
from app.canvas.gestures.gesture import Pointer
from app.canvas.gestures.ghost import GhostItem
from app.canvas.making_room import room_on_wire
from app.canvas.overlays import PointerWords
from app.document.records import GROUP, VARIABLE
from app.document.room import NEWCOMER

if TYPE_CHECKING:
    from app.canvas.gestures.insertion import Insertion
    from app.canvas.view import BoardView

OPERATOR_TYPE = "application/x-chalkgraph-operator"
"""The kind of data that a palette hands over: the operator's name as text."""


class Dropping:
    """Shows the outline of what is carried, and puts it on the board."""

    def __init__(self, view: "BoardView") -> None:
        self._view = view
        self._ghost: GhostItem | None = None
        self._at: Pointer | None = None
        self._words = PointerWords(view)
        self.insertion: Insertion | None = None
        self._edge = EdgeScroll(view, lambda: None if self._at is None else self._at.view, self._stay_under)

    def enter(self, event: QDragEnterEvent) -> None:
        """Show the outline for an operator; anything else is left to the window."""
        if not event.mimeData().hasFormat(OPERATOR_TYPE):
            event.ignore()
            return
        name = operator_of(event)
        kind: Kind = "variable" if name == VARIABLE else "group" if name == GROUP else "operator"
        scene = self._view.board_scene
        self.leave()
        self._ghost = GhostItem(scene.kit.ink, scene.node_style, kind, name)
        self._view.add_overlay(self._ghost)
        self.insertion = self._insertion_of(name)
        self._edge.start(event.position().toPoint())
        self.move(event)

    def _insertion_of(self, op: str) -> "Insertion":
        from app.canvas.gestures.insertion import Insertion
        from app.document.edits import insert_on_wire

        insertion = Insertion(
            self._view, lambda document, edge: insert_on_wire(document, edge, op).transaction
        )
        insertion.changed.connect(self._show)
        return insertion

    def move(self, event: QDragMoveEvent) -> None:
        """Carry the outline along."""
        if self._ghost is None:
            event.ignore()
            return
        self._follow(event)
        event.acceptProposedAction()

    def _follow(self, event: QDropEvent) -> None:
        self._at = self._view.pointer(event.position().toPoint(), event.modifiers())
        self._show()

    def _show(self) -> None:
        """Show the outline where it would stand, and say what a release would do."""
        if self._ghost is None or self._at is None or self.insertion is None:
            return
        self._ghost.setPos(self._place(self._at))
        self.insertion.aim(self._at)
        words, warns = self.insertion.words, self.insertion.warns
        self._words.say(words, self._at.view, self._view.ink(), warns=warns)

    def _stay_under(self) -> None:
        """Keep the outline under the pointer when the board has scrolled."""
        if self._at is not None:
            self._at = self._view.pointer(self._at.view, self._at.modifiers)
            self._show()

    def leave(self) -> None:
        """Put the outline away."""
        self._edge.stop()
        self._words.hide()
        self._at = None
        if self.insertion is not None:
            self.insertion.leave()
            self.insertion = None
        if self._ghost is not None:
            self._view.remove_overlay(self._ghost)
            self._ghost = None

    def drop(self, event: QDropEvent) -> None:
        """Add the operator where it was dropped."""
        if self._ghost is None or self.insertion is None:
            event.ignore()
            return
        from app.document.edits import OnWire, put

        self._follow(event)
        place, wire = self._ghost.pos(), self.insertion.opened
        self.leave()
        opening = None
        if wire:
            aside = room_on_wire(self._view.board_scene, wire, place)
            place = QPointF(*aside.pop(NEWCOMER))
            opening = OnWire(wire, aside)
        self._view.workspace.try_edit(put, operator_of(event), (place.x(), place.y()), opening)
        self._view.setFocus()
        event.acceptProposedAction()

    def _place(self, at: Pointer) -> QPointF:
        """Return the grid point under the pointer; Ctrl lets go of the grid."""
        if at.ctrl:
            return at.board
        grid = visible_grid(at.scale)
        return QPointF(snap(at.board.x(), grid), snap(at.board.y(), grid))


def operator_of(event: QDropEvent) -> str:
    """Return the name of the operator that is carried."""
    return bytes(event.mimeData().data(OPERATOR_TYPE).data()).decode("utf-8", "replace")

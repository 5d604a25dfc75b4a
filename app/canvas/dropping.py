"""Dropping an operator from the palette onto the board."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent

from app.canvas.geometry import Kind, snap, visible_grid
from app.canvas.gestures.ghost import GhostItem
from app.document.records import GROUP, VARIABLE

if TYPE_CHECKING:
    from app.canvas.view import BoardView

OPERATOR_TYPE = "application/x-chalkgraph-operator"
"""The kind of data that a palette hands over: the operator's name as text."""


class Dropping:
    """Shows the outline of what is carried, and puts it on the board."""

    def __init__(self, view: "BoardView") -> None:
        self._view = view
        self._ghost: GhostItem | None = None

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
        self._ghost.setPos(self._place(event))
        event.acceptProposedAction()

    def move(self, event: QDragMoveEvent) -> None:
        """Carry the outline along."""
        if self._ghost is None:
            event.ignore()
            return
        self._ghost.setPos(self._place(event))
        event.acceptProposedAction()

    def leave(self) -> None:
        """Put the outline away."""
        if self._ghost is not None:
            self._view.remove_overlay(self._ghost)
            self._ghost = None

    def drop(self, event: QDropEvent) -> None:
        """Add the operator where it was dropped."""
        if self._ghost is None:
            event.ignore()
            return
        from app.document.edits import add_node

        place = self._place(event)
        self.leave()
        self._view.workspace.try_edit(add_node, operator_of(event), (place.x(), place.y()))
        self._view.setFocus()
        event.acceptProposedAction()

    def _place(self, event: QDropEvent) -> QPointF:
        """Return the grid point under the pointer; Ctrl lets go of the grid."""
        place = self._view.pointer(event.position().toPoint()).board
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            return place
        grid = visible_grid(self._view.zoom)
        return QPointF(snap(place.x(), grid), snap(place.y(), grid))


def operator_of(event: QDropEvent) -> str:
    """Return the name of the operator that is carried."""
    return bytes(event.mimeData().data(OPERATOR_TYPE).data()).decode("utf-8", "replace")

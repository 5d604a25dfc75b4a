"""Dragging an automatic argument out, so that it becomes a Variable of its own and can be shared."""

from PySide6.QtCore import QPointF, Qt

from app.canvas.geometry import snap, visible_grid
from app.canvas.gestures.gesture import Board, Gesture, Pointer
from app.canvas.gestures.ghost import GhostItem
from app.document.records import Id


class ExtractGesture(Gesture):
    """Carries the outline of the Variable that would come of it."""

    cursor = Qt.CursorShape.ClosedHandCursor

    def __init__(self, board: Board, owner: Id, number: int) -> None:
        super().__init__(board)
        self._owner = owner
        self._number = number
        scene = board.board_scene
        self._name = scene.auto_items[owner, number].look.name
        self._ghost = GhostItem(scene.kit.ink, scene.node_style, "variable", self._name)
        self._place = QPointF()

    def begin(self, at: Pointer) -> None:
        """Show the outline."""
        self._ghost.setPos(at.board)
        self.board.add_overlay(self._ghost)

    def step(self, at: Pointer) -> None:
        """Show where the Variable would stand."""
        grid = visible_grid(at.scale)
        self._place = at.board if at.ctrl else QPointF(snap(at.board.x(), grid), snap(at.board.y(), grid))
        self._ghost.setPos(self._place)
        self.words = f"Make {self._name} a Variable of its own"

    def end(self, at: Pointer) -> None:
        """Make it."""
        from app.document.edits import extract_argument

        self.step(at)
        self.board.remove_overlay(self._ghost)
        place = (self._place.x(), self._place.y())
        self.board.workspace.try_edit(extract_argument, self._owner, self._number, place)

    def cancel(self) -> None:
        """Leave the argument where it is."""
        self.board.remove_overlay(self._ghost)

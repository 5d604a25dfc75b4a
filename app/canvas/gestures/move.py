"""Moving nodes: shown while the button is held, done in one step on release."""

from collections.abc import Iterable

import attrs
from PySide6.QtCore import QPointF, Qt

from app.canvas.geometry import snap, visible_grid
from app.canvas.gestures.gesture import Board, Gesture, Pointer
from app.document.changes import Transaction
from app.document.records import Document, Id, Point


class MoveGesture(Gesture):
    """Carries nodes with the pointer; the one under it snaps to the visible grid unless Ctrl is held."""

    cursor = Qt.CursorShape.ClosedHandCursor

    def __init__(self, board: Board, held: Id, ids: Iterable[Id]) -> None:
        super().__init__(board)
        self._held = held
        self._ids = [held, *(key for key in ids if key != held)]
        self._start = QPointF()
        self._from: dict[Id, QPointF] = {}
        self._to: dict[Id, QPointF] = {}

    def begin(self, at: Pointer) -> None:
        """Note where the nodes are and lift them."""
        document = self.board.workspace.document
        self._start = at.board
        self._from = {key: QPointF(*document.nodes[key].position) for key in self._ids}
        for key in self._ids:
            self.board.board_scene.node_items[key].set_state(lifted=True, selected=True)

    def step(self, at: Pointer) -> None:
        """Show the nodes where they would be put down."""
        by = at.board - self._start
        if not at.ctrl:
            grid = visible_grid(at.scale)
            home = self._from[self._held]
            target = home + by
            by = QPointF(snap(target.x(), grid), snap(target.y(), grid)) - home
        self._to = {key: place + by for key, place in self._from.items()}
        self.board.board_scene.preview(self._to)
        self.words = "Ctrl: off the grid" if not at.ctrl else "off the grid"

    def end(self, at: Pointer) -> None:
        """Put the nodes down."""
        self.step(at)
        there = {key: (place.x(), place.y()) for key, place in self._to.items()}
        moved = any(self._to[key] != self._from[key] for key in self._ids)
        if moved:
            self.board.workspace.try_edit(moved_and_selected, there)
        self.board.board_scene.end_preview()

    def cancel(self) -> None:
        """Put the nodes back."""
        self.board.board_scene.end_preview()


def moved_and_selected(document: Document, positions: dict[Id, Point]) -> Transaction:
    """Move nodes and select them in one step."""
    from app.document.edits import move

    return attrs.evolve(move(document, positions), selection=frozenset(positions))

"""Moving nodes: shown while the button is held, done in one step on release."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import attrs
from PySide6.QtCore import QPointF, Qt

from app.canvas.geometry import snap, visible_grid
from app.canvas.gestures.gesture import Board, Gesture, Pointer
from app.canvas.making_room import room_on_wire
from app.document.changes import Transaction
from app.document.records import Document, Id, Point

if TYPE_CHECKING:
    from app.canvas.gestures.insertion import Insertion


class MoveGesture(Gesture):
    """Carries nodes with the pointer; the one under it snaps to the visible grid unless Ctrl is held."""

    cursor = Qt.CursorShape.ClosedHandCursor

    def __init__(self, board: Board, held: Id, ids: Iterable[Id]) -> None:
        super().__init__(board)
        self._held = held
        self._ids = [held, *(key for key in ids if key != held)]
        self._start = QPointF()
        self._keys = Qt.KeyboardModifier.NoModifier
        self._from: dict[Id, QPointF] = {}
        self._to: dict[Id, QPointF] = {}
        self.insertion = self._may_be_inserted()

    def _may_be_inserted(self) -> "Insertion | None":
        """Watch for wires where one node without wires is carried; others only move."""
        from app.canvas.gestures.insertion import Insertion
        from app.document.edits import insert_node, is_unwired

        if len(self._ids) > 1 or not is_unwired(self.board.workspace.document, self._held):
            return None
        held = self._held
        insertion = Insertion(self.board, lambda document, edge: insert_node(document, edge, held))
        insertion.changed.connect(lambda: self.board.carry_on(self._keys))
        return insertion

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
        self.words_warn = False
        if self.insertion is not None:
            self._keys = at.modifiers
            self.insertion.aim(at)
            self.words = self.insertion.words or self.words
            self.words_warn = self.insertion.warns

    def end(self, at: Pointer) -> None:
        """Put the nodes down."""
        self.step(at)
        wire = self._let_go()
        if wire:
            self._insert(wire)
            return
        there = {key: (place.x(), place.y()) for key, place in self._to.items()}
        moved = any(self._to[key] != self._from[key] for key in self._ids)
        if moved:
            self.board.workspace.try_edit(moved_and_selected, there)
        self.board.board_scene.end_preview()

    def cancel(self) -> None:
        """Put the nodes back."""
        self._let_go()
        self.board.board_scene.end_preview()

    def _insert(self, wire: Id) -> None:
        from app.document.edits import insert_node

        there = room_on_wire(self.board.board_scene, wire, self._to[self._held], self._held)
        self.board.workspace.try_edit(insert_node, wire, self._held, there)
        self.board.board_scene.end_preview()

    def _let_go(self) -> Id:
        """Close the wire that was open; return it."""
        if self.insertion is None:
            return ""
        wire = self.insertion.opened
        self.insertion.leave()
        return wire


def moved_and_selected(document: Document, positions: dict[Id, Point]) -> Transaction:
    """Move nodes and select them in one step."""
    from app.document.edits import move

    return attrs.evolve(move(document, positions), selection=frozenset(positions))

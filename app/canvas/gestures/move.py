"""Moving nodes, frames and notes: shown while the button is held, done in one step on release."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import attrs
from PySide6.QtCore import QPointF, QRectF, Qt

from app.canvas.geometry import snap, visible_grid
from app.canvas.gestures.gesture import Board, Gesture, Pointer
from app.canvas.gestures.guides import GuideLines, Guides
from app.canvas.making_room import room_on_wire
from app.document.changes import Transaction
from app.document.placed import innermost_frame, placed, told, with_contents
from app.document.records import Document, Id, Point

if TYPE_CHECKING:
    from app.canvas.gestures.insertion import Insertion


class MoveGesture(Gesture):
    """Carries things with the pointer, frames with what stands in them.

    The one in the hand snaps to where it lines up with neighbours, else to the visible grid; Ctrl lets go of both.
    """

    cursor = Qt.CursorShape.ClosedHandCursor

    def __init__(self, board: Board, held: Id, ids: Iterable[Id]) -> None:
        super().__init__(board)
        self._held = held
        self._chosen = [held, *(key for key in ids if key != held)]
        carried = with_contents(board.workspace.document, self._chosen)
        self._ids = [held, *(key for key in carried if key != held)]
        self._start = QPointF()
        self._keys = Qt.KeyboardModifier.NoModifier
        self._from: dict[Id, QPointF] = {}
        self._to: dict[Id, QPointF] = {}
        self._box = QRectF()
        self._guides = Guides(())
        self._lines = GuideLines(board.board_scene.kit.ink)
        self.insertion = self._may_be_inserted()

    def _may_be_inserted(self) -> "Insertion | None":
        """Watch for wires where one node without wires is carried; others only move."""
        from app.canvas.gestures.insertion import Insertion
        from app.document.edits import insert_node, is_unwired

        document, held = self.board.workspace.document, self._held
        if len(self._ids) > 1 or held not in document.nodes or not is_unwired(document, held):
            return None
        insertion = Insertion(self.board, lambda document, edge: insert_node(document, edge, held))
        insertion.changed.connect(lambda: self.board.carry_on(self._keys))
        return insertion

    def begin(self, at: Pointer) -> None:
        """Note where the things are and lift the nodes."""
        document, scene = self.board.workspace.document, self.board.board_scene
        self._start = at.board
        self._from = {key: QPointF(*placed(document, key).position) for key in self._ids}
        self._box = scene.body_box(self._held)
        carried = set(self._ids)
        seen = [item.look.id for item in self.board.seen_nodes()]
        others = [] if scene.is_far else [*seen, *document.notes, *document.frames]
        self._guides = Guides(scene.body_box(key) for key in others if key not in carried)
        self.board.add_overlay(self._lines)
        for key in carried & scene.node_items.keys():
            scene.node_items[key].set_state(lifted=True)
        scene.show_selection(self._chosen)

    def step(self, at: Pointer) -> None:
        """Show the things where they would be put down."""
        by = at.board - self._start
        if not at.ctrl:
            by = self._snapped(by, at.scale)
        self._to = {key: place + by for key, place in self._from.items()}
        scene = self.board.board_scene
        scene.preview(self._to)
        self._lines.show_lines([] if at.ctrl else self._guides.lines(self._box.translated(by)))
        into = self._frame_taking_up()
        scene.annotations.light_frame(into)
        self.words = "off the grid" if at.ctrl else "Ctrl: off the grid"
        self.words_warn = False
        if into is not None:
            self.words = f"into {told(self.board.workspace.document, [into])} · {self.words}"
        if self.insertion is not None:
            self._keys = at.modifiers
            self.insertion.aim(at)
            self.words = self.insertion.words or self.words
            self.words_warn = self.insertion.warns

    def _snapped(self, by: QPointF, scale: float) -> QPointF:
        """Return where to go instead: along each axis in line with a neighbour, else to the grid."""
        grid, home = visible_grid(scale), self._from[self._held]
        pulled = self._guides.pull(self._box.translated(by), scale)
        x = snap(home.x() + by.x(), grid) - home.x() if pulled.x is None else by.x() + pulled.x
        y = snap(home.y() + by.y(), grid) - home.y() if pulled.y is None else by.y() + pulled.y
        return QPointF(x, y)

    def _frame_taking_up(self) -> Id | None:
        """Return the frame that the one in the hand would come to stand in, unless it stands there already."""
        document = self.board.workspace.document
        if self._held in document.frames:
            return None
        here, there = self._from[self._held], self._to[self._held]
        into = innermost_frame(document, (there.x(), there.y()), self._ids)
        return None if into == innermost_frame(document, (here.x(), here.y()), self._ids) else into

    def end(self, at: Pointer) -> None:
        """Put the things down."""
        self.step(at)
        wire = self._let_go()
        if wire:
            self._insert(wire)
            return
        there = {key: (place.x(), place.y()) for key, place in self._to.items()}
        moved = any(self._to[key] != self._from[key] for key in self._ids)
        if moved:
            self.board.workspace.try_edit(moved_and_selected, there, self._chosen)
        self._put_away()

    def cancel(self) -> None:
        """Put the things back."""
        self._let_go()
        self._put_away()

    def _put_away(self) -> None:
        self.board.remove_overlay(self._lines)
        self.board.board_scene.end_preview()

    def _insert(self, wire: Id) -> None:
        from app.document.edits import insert_node

        there = room_on_wire(self.board.board_scene, wire, self._to[self._held], self._held)
        self.board.workspace.try_edit(insert_node, wire, self._held, there)
        self._put_away()

    def _let_go(self) -> Id:
        """Close the wire that was open; return it."""
        if self.insertion is None:
            return ""
        wire = self.insertion.opened
        self.insertion.leave()
        return wire


def moved_and_selected(document: Document, positions: dict[Id, Point], chosen: Iterable[Id]) -> Transaction:
    """Move things and select those that were taken hold of, in one step."""
    from app.document.edits import move

    return attrs.evolve(move(document, positions), selection=frozenset(chosen))

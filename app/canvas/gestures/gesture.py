"""What every gesture is: nothing changes until `end`, and `cancel` leaves everything as it was before `begin`."""

from typing import TYPE_CHECKING, Protocol

import attrs
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtWidgets import QGraphicsItem

if TYPE_CHECKING:
    from app.canvas.node_items import NodeItem
    from app.canvas.scene import BoardScene
    from app.document.edits import Opening
    from app.qt.workspace import Workspace

LONGEST_WORDS = 160
"""More letters than these would cover too much at the pointer."""


@attrs.frozen(eq=False)
class Pointer:
    """Where the pointer is, on the board and in the view, and which modifier keys are held."""

    board: QPointF
    view: QPoint
    modifiers: Qt.KeyboardModifier
    scale: float

    @property
    def shift(self) -> bool:
        """Whether Shift is held."""
        return bool(self.modifiers & Qt.KeyboardModifier.ShiftModifier)

    @property
    def ctrl(self) -> bool:
        """Whether Ctrl (Command on a Mac) is held."""
        return bool(self.modifiers & Qt.KeyboardModifier.ControlModifier)

    @property
    def alt(self) -> bool:
        """Whether Alt is held."""
        return bool(self.modifiers & Qt.KeyboardModifier.AltModifier)


class Board(Protocol):
    """What a gesture may ask of the view it happens in."""

    workspace: "Workspace"
    board_scene: "BoardScene"

    def ask_search(self, at: Pointer, opening: "Opening | None") -> None:
        """Open the search for operators at the pointer, for what waits for a node where anything does."""

    def carry_on(self, modifiers: Qt.KeyboardModifier) -> None:
        """Step the gesture once more, because what it would do has changed without the pointer."""

    def seen_nodes(self) -> "list[NodeItem]":
        """Return the nodes that are in sight."""

    def add_overlay(self, item: QGraphicsItem) -> None:
        """Show an item of the gesture's own above everything."""

    def remove_overlay(self, item: QGraphicsItem) -> None:
        """Take such an item away."""


class Gesture:
    """A gesture under way.

    `words` is what stands at the pointer: what a release would do now and what modifier keys would change.
    """

    scrolls_at_edge = True
    cursor: Qt.CursorShape | None = None

    def __init__(self, board: Board) -> None:
        self.board = board
        self.words = ""
        self.words_warn = False

    def begin(self, at: Pointer) -> None:
        """Take note of where it starts; nothing in the document changes."""

    def step(self, at: Pointer) -> None:
        """Show what a release here would do."""
        raise NotImplementedError

    def end(self, at: Pointer) -> None:
        """Do it."""
        raise NotImplementedError

    def cancel(self) -> None:
        """Leave everything as it was before."""
        raise NotImplementedError

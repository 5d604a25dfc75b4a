"""Dragging an edge of a frame, or the right edge of a note."""

from PySide6.QtCore import QPointF, QRectF

from app.canvas.annotations import Sides
from app.canvas.frame_items import BAR, FrameItem
from app.canvas.geometry import snap, visible_grid
from app.canvas.gestures.gesture import Board, Gesture, Pointer
from app.canvas.note_items import LEAST_WIDTH, NoteItem
from app.document.records import Id

LEAST_SIZE = QPointF(64.0, BAR + 24.0)


class ReshapeGesture(Gesture):
    """Moves the edges that were taken hold of; they snap to the visible grid unless Ctrl is held."""

    def __init__(self, board: Board, key: Id, sides: Sides) -> None:
        super().__init__(board)
        item = board.board_scene.annotations.find(key)
        assert item is not None, "an edge that was hit belongs to something"
        self._key = key
        self._item: FrameItem | NoteItem = item
        self._sides = sides
        self._start = QPointF()
        self._before = QRectF(item.box)
        self._box = QRectF(item.box)

    def begin(self, at: Pointer) -> None:
        """Note where the pointer took hold."""
        self._start = at.board

    def step(self, at: Pointer) -> None:
        """Show it with its edges at the pointer."""
        by, before = at.board - self._start, self._before
        across, upright = self._sides

        def moved(edge: float, shift: float) -> float:
            return edge + shift if at.ctrl else snap(edge + shift, visible_grid(at.scale))

        box = QRectF(before)
        if across > 0:
            box.setRight(max(moved(before.right(), by.x()), before.left() + self._least.x()))
        elif across < 0:
            box.setLeft(min(moved(before.left(), by.x()), before.right() - self._least.x()))
        if upright > 0:
            box.setBottom(max(moved(before.bottom(), by.y()), before.top() + self._least.y()))
        elif upright < 0:
            box.setTop(min(moved(before.top(), by.y()), before.bottom() - self._least.y()))
        self._box = box
        self.words = "off the grid" if at.ctrl else "Ctrl: off the grid"
        if isinstance(self._item, FrameItem):
            self._item.show_box(box)
        else:
            self._item.show_width(box.width())

    @property
    def _least(self) -> QPointF:
        return LEAST_SIZE if isinstance(self._item, FrameItem) else QPointF(LEAST_WIDTH, 0.0)

    def end(self, at: Pointer) -> None:
        """Keep the new edges."""
        from app.document.edits import reshape_frame, set_width

        self.step(at)
        box, workspace = self._box, self.board.workspace
        if box != self._before and isinstance(self._item, FrameItem):
            corner, size = (box.x(), box.y()), (box.width(), box.height())
            workspace.try_edit(reshape_frame, self._key, corner, size)
        elif box != self._before:
            workspace.try_edit(set_width, self._key, box.width())
        self.board.board_scene.end_preview()

    def cancel(self) -> None:
        """Leave the edges where they were."""
        self.board.board_scene.end_preview()

"""Frames and notes by key and menu: making them, editing their words, colouring, and putting things in line."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QMarginsF, QPointF, QRectF, QSizeF

from app.canvas.frame_items import BAR
from app.canvas.geometry import GRID, snap, visible_grid
from app.canvas.writing import Writing
from app.document.records import FrameColour, Id

if TYPE_CHECKING:
    from app.canvas.view import BoardView
    from app.document.edits import Axis, Box, Side
    from app.document.records import Document

AROUND = 24.0
"""How much room a frame leaves around what it is put about."""
EMPTY = (320.0, 200.0)
"""The size of a frame that is put about nothing."""


class Annotating:
    """What one view does with frames and notes, and with the places of things; edits of the selection."""

    def __init__(self, view: "BoardView") -> None:
        self._view = view
        self.writing = Writing(view)

    def add_frame(self) -> None:
        """Put a frame around the selection, or an empty one at the pointer, and ask for its title."""
        from app.document.edits import add_frame

        view = self._view
        box = view.board_scene.content_box(view.commands.selected_things())
        if box.isEmpty():
            box = QRectF(self._at_hand(), QSizeF(*EMPTY))
        else:
            box = _out_to_grid(box.marginsAdded(QMarginsF(AROUND, AROUND + BAR, AROUND, AROUND)))
        corner, size = (box.x(), box.y()), (box.width(), box.height())
        made = view.workspace.try_edit(add_frame, corner, size)
        if made is not None:
            view.reveal(made.annotation_id)
            view.edit_words(made.annotation_id)

    def add_note(self) -> None:
        """Open a new note at the pointer for writing."""
        place = self._at_hand()
        self.writing.new((place.x(), place.y()))

    def _at_hand(self) -> QPointF:
        """Return the grid point under the pointer, or in the middle when the pointer is elsewhere."""
        at = self._view.at_hand()
        grid = visible_grid(self._view.zoom)
        return QPointF(snap(at.x(), grid), snap(at.y(), grid))

    def colour(self, colour: FrameColour) -> None:
        """Give the selected frames another colour."""
        from app.document.edits import set_colour

        self._view.workspace.try_edit(set_colour, self.selected_frames(), colour)

    def selected_frames(self) -> list[Id]:
        """Return the selected frames."""
        document = self._view.workspace.document
        return [key for key in self._view.commands.selected_things() if key in document.frames]

    def align(self, side: "Side") -> None:
        """Put the selected nodes, and notes, in line."""
        from app.document.edits import align

        self._view.workspace.try_edit(align, self._boxes(), side)

    def distribute(self, axis: "Axis") -> None:
        """Make the gaps between the selected nodes, and notes, alike."""
        from app.document.edits import distribute

        self._view.workspace.try_edit(distribute, self._boxes(), axis)

    def _boxes(self) -> "dict[Id, Box]":
        from app.document.edits import Box

        scene, frames = self._view.board_scene, self._view.workspace.document.frames
        boxes = {
            key: scene.body_box(key) for key in self._view.commands.selected_things() if key not in frames
        }
        return {key: Box(box.left(), box.top(), box.right(), box.bottom()) for key, box in boxes.items()}

    def place(self) -> None:
        """Keep the editor where it belongs."""
        self.writing.place()

    def keep_only(self, document: "Document | None") -> None:
        """Close the editor if its note is gone, or with None whatever it writes."""
        self.writing.keep_only(document)


def _out_to_grid(box: QRectF) -> QRectF:
    """Return the smallest box on the finest grid that holds another."""
    left, top = snap(box.left() - GRID / 2, GRID), snap(box.top() - GRID / 2, GRID)
    right, bottom = snap(box.right() + GRID / 2, GRID), snap(box.bottom() + GRID / 2, GRID)
    return QRectF(QPointF(left, top), QPointF(right, bottom))

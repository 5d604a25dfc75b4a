"""The items of a board's frames and notes, and what a press takes hold of there."""

from collections.abc import Collection, Iterable, Iterator, Mapping

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtWidgets import QGraphicsItem, QGraphicsScene

from app.canvas.frame_items import FrameItem
from app.canvas.geometry import reach_at
from app.canvas.looks import Kit
from app.canvas.note_items import NoteItem
from app.document.records import Document, Id

EDGE_PIXELS = 5.0
"""How near the pointer must be to an edge to take hold of it, on the screen."""
Sides = tuple[int, int]
"""Which edges are held: -1 left or top, 1 right or bottom, 0 none."""


class AnnotationItems:
    """One item for every frame and note, brought in line with one document after the other."""

    def __init__(self, scene: QGraphicsScene, kit: Kit) -> None:
        self._scene = scene
        self._kit = kit
        self.frames: dict[Id, FrameItem] = {}
        self.notes: dict[Id, NoteItem] = {}

    def __iter__(self) -> Iterator[tuple[Id, FrameItem | NoteItem]]:
        """Yield the ids and items of all."""
        yield from self.frames.items()
        yield from self.notes.items()

    def find(self, key: Id) -> FrameItem | NoteItem | None:
        """Return the item of a frame or note."""
        return self.frames.get(key) or self.notes.get(key)

    def show(self, document: Document) -> None:
        """Show the frames and notes of a document."""
        gone: list[QGraphicsItem] = [
            self.frames.pop(key) for key in list(self.frames) if key not in document.frames
        ]
        gone += [self.notes.pop(key) for key in list(self.notes) if key not in document.notes]
        for item in gone:
            self._scene.removeItem(item)
        for key, frame in document.frames.items():
            if key in self.frames:
                self.frames[key].show_record(frame)
            else:
                self.frames[key] = FrameItem(frame, self._kit)
                self._scene.addItem(self.frames[key])
        for key, note in document.notes.items():
            if key in self.notes:
                self.notes[key].show_record(note)
            else:
                self.notes[key] = NoteItem(note, self._kit)
                self._scene.addItem(self.notes[key])

    def box(self, ids: Iterable[Id] | None = None) -> QRectF:
        """Return the box of these, or of all; ids of other things are passed over."""
        wanted = None if ids is None else set(ids)
        found = QRectF()
        for key, item in self:
            if wanted is None or key in wanted:
                found = found.united(item.box)
        return found

    def hit(self, point: QPointF, scale: float) -> tuple[Id, Sides] | None:
        """Return what a press takes hold of: a note or its right edge, a frame's bar or one of its edges.

        Inside a frame a press goes through to the board.
        """
        reach = reach_at(scale, EDGE_PIXELS)
        for key, note in reversed(self.notes.items()):
            if note.box.adjusted(0, 0, reach, 0).contains(point):
                return key, (int(point.x() > note.box.right() - reach), 0)
        for key, frame in sorted(self.frames.items(), key=lambda pair: -pair[1].zValue()):
            box = frame.box.united(frame.bar)
            if not box.adjusted(-reach, -reach, reach, reach).contains(point):
                continue
            sides = _side(point.x(), box.left(), box.right(), reach), _upright(point.y(), box, reach)
            if sides != (0, 0) or frame.bar.contains(point):
                return key, sides
        return None

    # Selection, preview, marks -----------------------------------------------------------------------------------

    def show_selection(self, ids: Collection[Id]) -> None:
        """Mark these as selected and no others."""
        for key, item in self:
            item.set_state(selected=key in ids)

    def preview(self, positions: Mapping[Id, QPointF]) -> None:
        """Show some elsewhere for the moment; ids of other things are passed over."""
        for key, item in self:
            if key in positions:
                item.move_to(positions[key])

    def end_preview(self) -> None:
        """Show all as the document has them, without the marks of a gesture."""
        for frame in self.frames.values():
            frame.show_record(frame.record)
        for note in self.notes.values():
            note.show_record(note.record)

    def light_frame(self, key: Id | None) -> None:
        """Light the frame that would take up what is in the hand, and no other."""
        for other, frame in self.frames.items():
            frame.set_state(lit=other == key)

    def clear_marks(self) -> None:
        """Take back what gestures and the pointer marked."""
        self.light_frame(None)
        for _, item in self:
            item.set_state(hovered=False)

    def rescale(self) -> None:
        """Take note of another zoom."""
        for frame in self.frames.values():
            frame.rescale()


def _side(at: float, low: float, high: float, reach: float) -> int:
    if abs(at - high) <= reach:
        return 1
    return -1 if abs(at - low) <= reach else 0


def _upright(at: float, box: QRectF, reach: float) -> int:
    """Leave the bar to be grabbed almost up to its upper edge."""
    if abs(at - box.bottom()) <= reach:
        return 1
    return -1 if at <= box.top() + reach / 3 else 0

"""Edits of frames and notes, which stand on the board and mean nothing to the graph."""

from collections.abc import Iterable, Iterator
from typing import Final

import attrs

from app.document.changes import Draft, Transaction, new_ids
from app.document.placed import contents, corners, told
from app.document.records import Document, Frame, FrameColour, Id, Note, Point
from app.document.refusal import EditError

AROUND: Final = 8.0
"""Least room that a frame leaves around one that is put into it."""
TITLE: Final = 32.0
"""Further room above it, for its own title."""


@attrs.frozen
class Annotated:
    """A transaction that makes a frame or a note, and the id that it will have."""

    transaction: Transaction
    annotation_id: Id


def add_frame(document: Document, position: Point, size: Point, title: str = "Frame") -> Annotated:
    """Put a frame behind a part of the board and select it; frames around all that it holds grow around it too."""
    frame_id = new_ids(document, "f", 1)[0]
    draft = Draft(document)
    frame = Frame(frame_id, title, position, size)
    draft.put(frame)
    for around in _grown_around(draft.document, frame):
        draft.put(around)
    return Annotated(draft.transaction("Add a frame", selection=[frame_id]), frame_id)


def _grown_around(document: Document, inner: Frame) -> Iterator[Frame]:
    """Yield the frames that hold all that `inner` holds, with room for it and for their own titles above it."""
    held = contents(document, inner.id)
    others = (frame for frame in document.frames.values() if frame.id != inner.id)
    around = [frame for frame in others if held and held <= contents(document, frame.id)]
    for frame in sorted(around, key=lambda one: one.size[0] * one.size[1]):
        (left, top), (right, bottom) = corners(inner)
        (far_left, far_top), (far_right, far_bottom) = corners(frame)
        left, top = min(far_left, left - AROUND), min(far_top, top - AROUND - TITLE)
        right, bottom = max(far_right, right + AROUND), max(far_bottom, bottom + AROUND)
        inner = attrs.evolve(frame, position=(left, top), size=(right - left, bottom - top))
        yield inner


def add_note(document: Document, position: Point, text: str) -> Annotated:
    """Put a note on the board and select it; EditError for one without words."""
    if not text.strip():
        raise EditError("A note without words is no note. Type some.")
    note_id = new_ids(document, "t", 1)[0]
    draft = Draft(document)
    draft.put(Note(note_id, text, position))
    return Annotated(draft.transaction("Add a note", selection=[note_id]), note_id)


def set_title(document: Document, frame_id: Id, title: str) -> Transaction:
    """Give a frame another title, which is one line."""
    frame = document.frames[frame_id]
    title = " ".join(title.split())
    draft = Draft(document)
    draft.put(attrs.evolve(frame, title=title))
    return draft.transaction(f"Call the frame {title}" if title else "Take the frame's title away")


def set_colour(document: Document, frame_ids: Iterable[Id], colour: FrameColour) -> Transaction:
    """Give frames another colour."""
    frames = [document.frames[key] for key in frame_ids]
    if not frames:
        raise EditError("Select a frame to colour it: click its title bar.")
    draft = Draft(document)
    for frame in frames:
        draft.put(attrs.evolve(frame, colour=colour))
    return draft.transaction(f"Make {told(document, [frame.id for frame in frames])} {colour}")


def reshape_frame(document: Document, frame_id: Id, position: Point, size: Point) -> Transaction:
    """Give a frame another rectangle; nothing in it moves."""
    draft = Draft(document)
    draft.put(attrs.evolve(document.frames[frame_id], position=position, size=size))
    return draft.transaction(f"Resize {told(document, [frame_id])}", selection=[frame_id])


def set_text(document: Document, note_id: Id, text: str) -> Transaction:
    """Give a note another text; without one it goes."""
    draft = Draft(document)
    if not text.strip():
        draft.drop("notes", note_id)
        return draft.transaction("Delete a note", selection=())
    draft.put(attrs.evolve(document.notes[note_id], text=text))
    return draft.transaction("Edit a note")


def set_width(document: Document, note_id: Id, width: float) -> Transaction:
    """Let a note's lines be longer or shorter."""
    draft = Draft(document)
    draft.put(attrs.evolve(document.notes[note_id], width=width))
    return draft.transaction("Make a note wider or narrower", selection=[note_id])

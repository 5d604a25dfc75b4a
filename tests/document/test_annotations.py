"""Edits of frames: one that is put into another leaves room for both titles."""

from itertools import pairwise

from app.document import edits
from app.document.placed import contents, corners
from app.document.records import Document, Frame, Node

NODES = {name: Node(name, "Variable", name, (x, 0.0)) for name, x in (("a", 0.0), ("b", 100.0), ("c", 200.0))}


def framed(document: Document, left: float, right: float, title: str) -> Document:
    made = edits.add_frame(document, (left, -60.0), (right - left, 100.0), title)
    return made.transaction.apply(document)


def named(document: Document, title: str) -> Frame:
    return next(frame for frame in document.frames.values() if frame.title == title)


def test_frames_around_a_new_one_grow_so_that_every_title_can_be_read() -> None:
    document = framed(Document(NODES), -20.0, 240.0, "all")
    document = framed(document, -20.0, 120.0, "two")
    document = framed(document, -20.0, 20.0, "one")
    tops = [corners(named(document, title))[0][1] for title in ("all", "two", "one")]
    assert tops == sorted(tops) and min(b - a for a, b in pairwise(tops)) >= 32
    outer = named(document, "all")
    assert contents(document, outer.id) == {
        "a",
        "b",
        "c",
        named(document, "two").id,
        named(document, "one").id,
    }
    assert corners(outer)[1] == (240.0, 56.0)  # the right edge stays, the lower one makes room twice


def test_a_frame_that_holds_only_some_of_it_stays_as_it_is() -> None:
    document = framed(Document(NODES), -20.0, 120.0, "two")
    before = named(document, "two")
    document = framed(document, 80.0, 240.0, "others")
    assert named(document, "two") == before
    document = framed(document, 400.0, 500.0, "empty")
    assert named(document, "two") == before

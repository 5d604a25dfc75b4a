"""What stands in a frame, and how things are told of together."""

import pytest

from app.document import edits
from app.document.edits import Box, EditError
from app.document.placed import contents, innermost_frame, told, with_contents
from app.document.records import Document, Frame, Node, Note

DOCUMENT = Document(
    nodes={
        "n1": Node("n1", "Variable", "A", (10.0, 10.0)),
        "n2": Node("n2", "Variable", "B", (90.0, 90.0)),
        "n3": Node("n3", "Variable", "C", (300.0, 0.0)),
    },
    frames={
        "f1": Frame("f1", "Outer", (0.0, 0.0), (200.0, 200.0)),
        "f2": Frame("f2", "Inner", (80.0, 80.0), (40.0, 40.0)),
        "f3": Frame("f3", "", (150.0, 150.0), (80.0, 80.0)),
    },
    notes={"t1": Note("t1", "in", (190.0, 10.0)), "t2": Note("t2", "out", (-1.0, 10.0))},
)


def test_a_frame_holds_middles_of_nodes_corners_of_notes_and_whole_frames() -> None:
    assert contents(DOCUMENT, "f1") == {"n1", "n2", "f2", "t1"}, "f3 sticks out"
    assert contents(DOCUMENT, "f2") == {"n2"}
    assert contents(DOCUMENT, "f3") == frozenset()
    assert with_contents(DOCUMENT, ["f2", "n3"]) == {"f2", "n2", "n3"}


def test_the_innermost_frame_takes_up_what_is_put_down() -> None:
    assert innermost_frame(DOCUMENT, (90.0, 90.0)) == "f2"
    assert innermost_frame(DOCUMENT, (90.0, 90.0), ["f2"]) == "f1"
    assert innermost_frame(DOCUMENT, (500.0, 0.0)) is None


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (["n1"], "A"),
        (["f1"], "the frame Outer"),
        (["f3"], "a frame"),
        (["t1"], "a note"),
        (["n1", "n2"], "2 nodes"),
        (["f1", "n1"], "1 node and 1 frame"),
        (["n1", "n2", "f1", "t1", "t2"], "2 nodes, 1 frame and 2 notes"),
    ],
)
def test_things_are_told_of_in_few_words(keys: list[str], words: str) -> None:
    assert told(DOCUMENT, keys) == words


def test_a_deleted_frame_leaves_what_stands_in_it() -> None:
    deleted = edits.delete(DOCUMENT, [], (), ["f1"])
    assert deleted.label == "Delete the frame Outer"
    after = deleted.apply(DOCUMENT)
    assert after.nodes == DOCUMENT.nodes and after.notes == DOCUMENT.notes
    assert set(after.frames) == {"f2", "f3"}


def test_lining_up_says_what_it_needs() -> None:
    box = Box(0.0, 0.0, 10.0, 10.0)
    with pytest.raises(EditError, match="two nodes or more"):
        edits.align(DOCUMENT, {"n1": box}, "left")
    with pytest.raises(EditError, match="three nodes or more"):
        edits.distribute(DOCUMENT, {"n1": box, "n2": box}, "down")
    with pytest.raises(EditError, match="in line already"):
        edits.align(DOCUMENT, {"n1": box, "n2": box}, "left")


def test_edges_go_to_the_outermost_and_middles_to_the_middle_of_all() -> None:
    boxes = {"n1": Box(0.0, 0.0, 20.0, 20.0), "n2": Box(70.0, 80.0, 110.0, 100.0)}
    there = {
        side: edits.align(DOCUMENT, boxes, side).apply(DOCUMENT).nodes
        for side in ("left", "right", "centre", "top", "bottom", "middle")
    }
    assert there["left"]["n2"].position == (20.0, 90.0)
    assert there["right"]["n1"].position == (100.0, 10.0)
    assert there["centre"]["n1"].position[0] == 55.0 and there["centre"]["n2"].position[0] == 55.0
    assert there["top"]["n2"].position == (90.0, 10.0)
    assert there["bottom"]["n1"].position == (10.0, 90.0)
    assert there["middle"]["n1"].position[1] == 50.0
    assert edits.align(DOCUMENT, boxes, "left").label == "Align 2 nodes at their left edges"


def test_gaps_become_alike_and_the_ends_stay() -> None:
    boxes = {
        "n1": Box(0.0, 0.0, 20.0, 20.0),
        "n2": Box(30.0, 0.0, 70.0, 20.0),
        "n3": Box(280.0, 0.0, 320.0, 20.0),
    }
    moved = edits.distribute(DOCUMENT, boxes, "across").apply(DOCUMENT).nodes
    assert moved["n1"] == DOCUMENT.nodes["n1"] and moved["n3"] == DOCUMENT.nodes["n3"]
    assert moved["n2"].position == (190.0, 90.0), "110 on both sides"

"""Guides: what is dragged snaps to where it lines up with neighbours, and lines say with which."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt

from app.canvas.gestures.guides import GuideLines, Guides
from app.document import edits

CTRL = Qt.KeyboardModifier.ControlModifier


def test_the_nearest_like_edge_or_middle_pulls_along_each_axis() -> None:
    guides = Guides([QRectF(0, 0, 100, 40), QRectF(300, 200, 50, 50)])
    pulled = guides.pull(QRectF(4, 100, 60, 40), 1.0)
    assert (pulled.x, pulled.y) == (-4, None), "left edge to left edge"
    pulled = guides.pull(QRectF(37, 100, 60, 40), 1.0)
    assert pulled.x == 3, "right edge to right edge"
    pulled = guides.pull(QRectF(23, 203, 60, 40), 1.0)
    assert (pulled.x, pulled.y) == (-3, 2), "middle to middle, and lower is nearer than upper edge"
    assert guides.pull(QRectF(8, 100, 60, 40), 1.0).x is None
    assert guides.pull(QRectF(8, 100, 60, 40), 0.5).x == -8, "the pull is a distance on the screen"


def test_what_is_far_away_has_no_say() -> None:
    guides = Guides([QRectF(0, 0, 100, 40)])
    assert guides.pull(QRectF(3, 400, 100, 40), 1.0).x == -3
    assert guides.pull(QRectF(3, 800, 100, 40), 1.0).x is None


def test_lines_reach_over_all_that_is_in_line() -> None:
    guides = Guides([QRectF(0, 0, 100, 40), QRectF(0, 200, 60, 40)])
    lines = guides.lines(QRectF(0, 100, 80, 20))
    assert lines == [QLineF(0, -12, 0, 252)]
    assert guides.lines(QRectF(5, 100, 80, 20)) == []
    assert guides.lines(QRectF(0, 100, 100, 40)) == [QLineF(50, -12, 50, 152), QLineF(0, 88, 0, 252)]


numbers = st.integers(-60, 60).map(float)
boxes = st.builds(QRectF, numbers, numbers, st.integers(1, 40).map(float), st.integers(1, 40).map(float))


@given(st.lists(boxes, max_size=5), boxes, st.sampled_from([0.5, 1.0, 2.0]))
def test_wherever_something_is_pulled_a_line_says_why(
    neighbours: list[QRectF], box: QRectF, scale: float
) -> None:
    guides = Guides(neighbours)
    pulled = guides.pull(box, scale)
    assert all(shift is None or abs(shift) <= 6 / scale for shift in (pulled.x, pulled.y))
    there = box.translated(pulled.x or 0.0, pulled.y or 0.0)
    lines = guides.lines(there)
    assert pulled.x is None or any(line.x1() == line.x2() for line in lines)
    assert pulled.y is None or any(line.y1() == line.y2() for line in lines)
    for line in lines:
        if line.x1() == line.x2():
            assert line.x1() in (there.left(), there.center().x(), there.right())
            assert line.y1() < there.top() and line.y2() > there.bottom()


@pytest.fixture
def three(workspace, draw):
    """Cards off the grid: A at (-200, -107), B at (200, -107), C at (0, 100)."""
    workspace.try_edit(edits.set_options, style="card")
    return [
        draw.node("Activation", -200, -107, "A"),
        draw.node("Activation", 200, -107, "B"),
        draw.node("Activation", 0, 100, "C"),
    ]


def place(workspace, key):
    return workspace.document.nodes[key].position


def shown(board):
    return [item for item in board.board_scene.items() if isinstance(item, GuideLines)]


def test_a_node_snaps_to_its_neighbours_before_the_grid(board, mouse, workspace, three):
    a, _, c = three
    board.zoom_to(1.0)
    mouse.press(0, 100)
    mouse.move(4, -103)
    item = board.board_scene.node_items[c]
    assert item.pos() == QPointF(0, -107), "down to the middles of A and B, across to the grid"
    (lines,) = shown(board)
    level = [line for line in lines.lines if line.y1() == line.y2() == -107]
    body = board.board_scene.body_box(a)
    assert len(level) == 1 and level[0].x1() < body.left() and level[0].x2() > 200
    mouse.release()
    assert place(workspace, c) == (0, -107)
    assert shown(board) == []


def test_ctrl_lets_go_of_the_guides_too(board, mouse, workspace, three):
    mouse.press(0, 100)
    mouse.move(4, -103, keys=CTRL)
    assert board.board_scene.node_items[three[2]].pos() == QPointF(4, -103)
    mouse.move(4, -107, keys=CTRL)
    (lines,) = shown(board)
    assert lines.lines == [], "though it is in line by chance"
    mouse.release(keys=CTRL)
    assert place(workspace, three[2]) == (4, -107)


def test_what_is_carried_along_is_no_neighbour(board, mouse, workspace, three):
    a, b, c = three
    workspace.select({a, b, c})
    mouse.press(0, 100)
    mouse.move(4, 105)
    mouse.release()
    assert place(workspace, c) == (0, 96), "to the grid, and not back to where they were"
    assert place(workspace, a) == (-200, -111)


def test_esc_takes_the_lines_away(board, mouse, workspace, three):
    before = workspace.document
    mouse.press(0, 100)
    mouse.move(4, -103)
    board.cancel_gesture()
    assert shown(board) == [] and workspace.document is before


def test_align_and_distribute_go_by_the_bodies(board, workspace, three):
    a, b, c = three
    workspace.select(set(three))
    board.annotating.align("bottom")
    bottoms = {board.board_scene.body_box(key).bottom() for key in three}
    assert len(bottoms) == 1
    assert workspace.store.undo_label == "Align 3 nodes at their lower edges"
    workspace.undo()
    assert place(workspace, a) == (-200, -107)
    workspace.try_edit(edits.move, {c: (-150.0, 100.0)})
    board.annotating.distribute("across")
    boxes = [board.board_scene.body_box(key) for key in (a, c, b)]
    assert boxes[1].left() - boxes[0].right() == pytest.approx(boxes[2].left() - boxes[1].right())
    said = []
    workspace.message.connect(said.append)
    workspace.select({a, b})
    board.annotating.distribute("across")
    workspace.select({a})
    board.annotating.align("left")
    assert said == [
        "Select three nodes or more to distribute them.",
        "Select two nodes or more to align them.",
    ]

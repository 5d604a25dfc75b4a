"""The map of the board: it shows all, says what is in sight, and is a handle to go elsewhere."""

import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt

from app.canvas.minimap import INSET
from app.document import edits
from app.document.records import Document, Edge, Node

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def wide(workspace, draw, board, qtbot):
    """Two nodes far apart and a frame between them, and the map of them."""
    draw.node("Variable", -1500, -900)
    draw.node("Variable", 1500, 900)
    workspace.try_edit(edits.add_frame, (-200.0, -200.0), (400.0, 400.0))
    board.minimap.toggle()
    qtbot.waitUntil(lambda: board.minimap._picture is not None)
    return board.minimap


def test_it_comes_and_goes_and_is_remembered(board, workspace):
    assert not board.minimap.isVisible()
    board.minimap.toggle()
    assert board.minimap.isVisible() and workspace.settings.minimap
    room = board.viewport().geometry()
    corner = board.minimap.geometry().bottomRight()
    assert room.bottomRight() - corner == QPoint(INSET, INSET)
    board.resize(300, 640)
    assert not board.minimap.isVisible(), "it would hide the board"
    board.resize(900, 640)
    assert board.minimap.isVisible()
    board.minimap.toggle()
    assert not board.minimap.isVisible()


def test_the_whole_board_is_on_it(board, wide):
    for item in board.board_scene.node_items.values():
        assert QRectF(wide.rect()).contains(wide.on_map(item.pos()))
    place = QPointF(12, -7)
    back = wide.on_board(wide.on_map(place))
    assert (back - place).manhattanLength() < 1e-6
    image = wide.grab().toImage()
    ground = image.pixelColor(12, image.height() - 12)
    for place in ((-1500, -900), (1500, 900), (-150, -150)):
        seen = image.pixelColor(wide.on_map(QPointF(*place)).toPoint() * int(image.devicePixelRatio()))
        assert seen != ground, place


def test_a_press_beside_the_sight_goes_there_and_a_drag_carries_it(board, wide, qtbot):
    to = wide.on_map(QPointF(1200, 700)).toPoint()
    before = board.workspace.document
    qtbot.mousePress(wide, LEFT, pos=to)
    there = board.seen_box().center()
    assert abs(there.x() - 1200) < 20 and abs(there.y() - 700) < 20
    assert wide.sight.contains(QPointF(to))
    qtbot.mouseMove(wide, to - QPoint(40, 20))
    qtbot.mouseRelease(wide, LEFT, pos=to - QPoint(40, 20))
    moved = board.seen_box().center()
    assert moved.x() < there.x() - 300 and moved.y() < there.y() - 150
    assert board.workspace.document is before and board.workspace.store.selection == {"f1"}, "as it was"


def test_taking_hold_of_the_sight_does_not_let_it_jump(board, wide, qtbot):
    at = wide.sight.center().toPoint() + QPoint(6, 4)
    before = board.seen_box().center()
    qtbot.mousePress(wide, LEFT, pos=at)
    after = board.seen_box().center()
    assert (after - before).manhattanLength() < 2.5 / board.zoom
    qtbot.mouseRelease(wide, LEFT, pos=at)


def test_it_follows_the_document(board, workspace, wide, qtbot):
    before = wide._picture
    workspace.undo()
    qtbot.waitUntil(lambda: wide._picture is not before)


def test_the_picture_of_a_large_graph_is_drawn_once(board, workspace, qtbot):
    count = 3000
    nodes = {f"n{i}": Node(f"n{i}", "exp", f"e{i}", (i % 60 * 120.0, i // 60 * 90.0)) for i in range(count)}
    edges = {f"e{i}": Edge(f"e{i}", f"n{i}", 0, f"n{i + 1}", 0) for i in range(count - 1)}
    workspace.load(Document(nodes=nodes, edges=edges))
    board.minimap.toggle()
    qtbot.waitUntil(lambda: board.minimap._picture is not None)
    picture = board.minimap._picture
    for _ in range(20):
        board.scroll_by(QPoint(7, 3))
        board.minimap.grab()
    assert board.minimap._picture is picture, "scrolling draws no new picture"

"""What the keys, the clipboard and drops do on the board."""

import json

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent, QGuiApplication
from PySide6.QtWidgets import QApplication

from app.canvas.view import BoardView
from app.document.edits import set_options
from app.document.topology import topology
from tests.canvas.naming import name_editor

CTRL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
NONE = Qt.KeyboardModifier.NoModifier


@pytest.fixture
def chain(draw):
    """A → C ← B, C → E."""
    a, b = draw.node("Variable", -96, -120), draw.node("Variable", 96, -120)
    c, e = draw.node("_mul", 0, 0, "C"), draw.node("negative", 0, 120, "E")
    draw.wire(a, c, 0)
    draw.wire(b, c, 1)
    draw.wire(c, e, 0)
    return a, b, c, e


def names(workspace):
    return sorted(node.name for node in workspace.document.nodes.values())


def test_delete_takes_nodes_with_their_wires_and_undo_brings_them_back(board, qtbot, workspace, chain):
    _, _, c, _ = chain
    workspace.select({c})
    qtbot.keyClick(board, Qt.Key.Key_Delete)
    assert names(workspace) == ["A", "B", "E"]
    assert not workspace.document.edges
    assert c not in board.board_scene.node_items
    assert not board.board_scene.edge_items
    workspace.undo()
    assert names(workspace) == ["A", "B", "C", "E"]
    assert len(board.board_scene.edge_items) == 3


def test_delete_takes_a_selected_wire(board, qtbot, workspace, chain):
    edge = next(iter(workspace.document.edges))
    workspace.select({edge})
    qtbot.keyClick(board, Qt.Key.Key_Delete)
    assert edge not in workspace.document.edges
    assert len(workspace.document.nodes) == 4
    workspace.undo()
    assert edge in board.board_scene.edge_items


def test_arrows_move_the_selection_by_the_grid_in_one_step_of_history(board, qtbot, workspace, chain):
    a, *_ = chain
    workspace.select({a})
    steps = len(workspace.store.history_labels().done)
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Up):
        qtbot.keyClick(board, key)
    assert workspace.document.nodes[a].position == (-48, -144)
    assert len(workspace.store.history_labels().done) == steps + 1
    workspace.undo()
    assert workspace.document.nodes[a].position == (-96, -120)


def test_arrows_without_a_selection_scroll(board, qtbot, workspace, chain):
    workspace.select(set())
    corner = board.mapToScene(QPoint(0, 0))
    qtbot.keyClick(board, Qt.Key.Key_Right)
    assert board.mapToScene(QPoint(0, 0)).x() > corner.x()


def test_ctrl_arrows_follow_wires(board, qtbot, workspace, chain):
    a, b, c, e = chain
    workspace.select({e})
    for key, reached in (
        (Qt.Key.Key_Up, c),
        (Qt.Key.Key_Up, a),
        (Qt.Key.Key_Right, b),
        (Qt.Key.Key_Left, a),
        (Qt.Key.Key_Down, c),
        (Qt.Key.Key_Down, e),
        (Qt.Key.Key_Down, e),
    ):
        qtbot.keyClick(board, key, CTRL)
        assert workspace.store.selection == {reached}


def test_enter_opens_the_selected_node(board, qtbot, workspace, chain):
    workspace.select({chain[2]})
    with qtbot.waitSignal(board.open_requested) as opened:
        qtbot.keyClick(board, Qt.Key.Key_Return)
    assert opened.args == [chain[2]]


def test_ctrl_a_selects_everything_and_esc_nothing(board, qtbot, workspace, chain):
    qtbot.keyClick(board, Qt.Key.Key_A, CTRL)
    assert workspace.store.selection == {*workspace.document.nodes, *workspace.document.edges}
    qtbot.keyClick(board, Qt.Key.Key_Escape)
    assert workspace.store.selection == frozenset()


def test_zoom_by_keys(board, qtbot, chain):
    qtbot.keyClick(board, Qt.Key.Key_Plus, CTRL)
    assert board.zoom == pytest.approx(1.25)
    qtbot.keyClick(board, Qt.Key.Key_Minus, CTRL)
    assert board.zoom == pytest.approx(1.0)
    board.zoom_to(0.5)
    qtbot.keyClick(board, Qt.Key.Key_0, CTRL)
    assert board.zoom == 1.0


def test_keys_wait_while_the_hand_is_busy(board, mouse, qtbot, workspace, chain):
    a, *_ = chain
    workspace.select({a})
    mouse.press(-96, -120)
    mouse.move(-40, -60)
    qtbot.keyClick(board, Qt.Key.Key_Delete)
    assert a in workspace.document.nodes
    assert board.gesture is not None
    mouse.release()
    assert workspace.document.nodes[a].position != (-96, -120)


# Clipboard -------------------------------------------------------------------------------------------------------


def test_copy_and_paste_through_text(board, qtbot, workspace, chain):
    _, b, c, e = chain
    workspace.select({b, c, e})
    qtbot.keyClick(board, Qt.Key.Key_C, CTRL)
    text = QGuiApplication.clipboard().text()
    assert [node["name"] for node in json.loads(text)["nodes"]] == ["B", "C", "E"]
    qtbot.keyClick(board, Qt.Key.Key_V, CTRL)
    assert len(workspace.document.nodes) == 7
    assert len(workspace.store.selection) == 3
    assert len(workspace.document.edges) == 5, "the wire from A was not copied"
    assert len(board.board_scene.node_items) == 7
    workspace.undo()
    assert len(workspace.document.nodes) == 4


def test_paste_keeping_inputs(board, qtbot, workspace, chain):
    a, _, c, _ = chain
    workspace.select({c})
    board.copy()
    qtbot.keyClick(board, Qt.Key.Key_V, CTRL | SHIFT)
    (pasted,) = workspace.store.selection
    wires = topology(workspace.document).inputs(pasted)
    assert wires[0].source == a


def test_cut_is_one_step_that_says_so(board, qtbot, workspace, chain):
    workspace.select({chain[0]})
    qtbot.keyClick(board, Qt.Key.Key_X, CTRL)
    assert "A" not in names(workspace)
    assert workspace.store.undo_label == "Cut A"
    qtbot.keyClick(board, Qt.Key.Key_V, CTRL)
    assert "A" in names(workspace)


def test_duplicate_does_not_hide_the_original(board, qtbot, workspace, chain):
    a, *_ = chain
    workspace.select({a})
    qtbot.keyClick(board, Qt.Key.Key_D, CTRL)
    (copy,) = workspace.store.selection
    assert copy != a
    assert workspace.document.nodes[copy].position != workspace.document.nodes[a].position


def test_pasting_something_else_says_so(board, qtbot, workspace, chain):
    QGuiApplication.clipboard().setText("shopping: bread, milk")
    with qtbot.waitSignal(workspace.message) as said:
        board.paste()
    assert "no piece of a Chalkgraph drawing" in said.args[0]
    assert len(workspace.document.nodes) == 4


# Going on --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("style", ["picture", "card"])
def test_insert_searches_for_what_follows_the_selected_node(board, qtbot, workspace, draw, style):
    workspace.try_edit(set_options, style=style)
    first = draw.node("relu", 0, 0, "first")
    workspace.select({first})
    with qtbot.waitSignal(board.search_requested) as asked:
        qtbot.keyClick(board, Qt.Key.Key_Insert)
    request = asked.args[0]
    assert (request.opening.node, request.opening.number, request.opening.side) == (first, 0, "output")
    along = request.place.y() if style == "picture" else request.place.x()
    assert along > 70 and board.viewport().rect().contains(board.mapFromScene(request.place))

    there = draw.node("relu", request.place.x(), request.place.y(), "there")
    workspace.select({first})
    with qtbot.waitSignal(board.search_requested) as asked:
        qtbot.keyClick(board, Qt.Key.Key_Insert)
    boxes = board.board_scene.node_items[there].body_box().adjusted(-20, -14, 20, 14)
    assert not boxes.contains(asked.args[0].place)


def test_insert_without_a_node_says_what_is_missing(board, qtbot, workspace, chain):
    workspace.select(set(chain))
    with qtbot.assertNotEmitted(board.search_requested), qtbot.waitSignal(workspace.message) as said:
        qtbot.keyClick(board, Qt.Key.Key_Insert)
    assert said.args[0].startswith("Select one node")


# Renaming --------------------------------------------------------------------------------------------------------


def test_f2_renames_in_place(board, qtbot, workspace, chain):
    c = chain[2]
    workspace.select({c})
    qtbot.keyClick(board, Qt.Key.Key_F2)
    editor = name_editor(board)
    assert editor.text() == "C"
    assert editor.geometry().intersects(
        board.mapFromScene(board.board_scene.node_items[c].body_box().adjusted(-30, 0, 30, 30)).boundingRect()
    )
    qtbot.keyClicks(editor, "product")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    assert workspace.document.nodes[c].name == "product"
    assert board.board_scene.node_items[c].look.name == "product"
    assert name_editor(board) is None
    workspace.undo()
    assert workspace.document.nodes[c].name == "C"


def test_renaming_leaves_the_board_where_it_is_when_the_name_is_in_sight(
    board, qtbot, workspace, draw, chain
):
    long = draw.node("negative", 0, 240, "a_name_of_some_length")
    draw.wire(chain[2], long, 0)
    board.resize(450, 700)
    board.show_centre(board.board_scene.content_box([long]).center())
    workspace.select({long})
    before = board.mapFromScene(QPointF(0, 0))
    qtbot.keyClick(board, Qt.Key.Key_F2)
    assert board.mapFromScene(QPointF(0, 0)) == before


def test_renaming_brings_a_name_into_sight_that_is_not(board, qtbot, workspace, chain):
    board.show_centre(QPointF(2000, 0))
    workspace.select({chain[2]})
    qtbot.keyClick(board, Qt.Key.Key_F2)
    assert board.viewport().rect().contains(name_editor(board).geometry())


def test_a_name_that_is_taken_is_marked_and_nothing_is_lost(board, qtbot, workspace, chain):
    c = chain[2]
    workspace.select({c})
    board.rename()
    editor = name_editor(board)
    editor.setText("A")
    with qtbot.waitSignal(workspace.message):
        qtbot.keyClick(editor, Qt.Key.Key_Return)
    assert name_editor(board) is editor
    assert editor.text() == "A"
    assert editor.property("wrong")
    assert "A" in editor.toolTip()
    words = board._renaming.words
    assert words.isVisible() and words.words == "There is a node called A already."
    assert words.geometry().top() >= editor.geometry().bottom()
    editor.setText("B")
    assert not words.isVisible()
    qtbot.keyClick(editor, Qt.Key.Key_Escape)
    assert name_editor(board) is None
    assert workspace.document.nodes[c].name == "C"


def test_another_document_closes_the_editor(board, workspace, chain):
    workspace.select({chain[2]})
    board.rename()
    workspace.load(workspace.document)
    assert name_editor(board) is None


def test_a_double_click_on_the_name_renames(board, mouse, workspace, chain):
    place = board.board_scene.node_items[chain[0]].place_of("name").center()
    mouse.double_click(place.x(), place.y())
    assert name_editor(board) is not None
    assert name_editor(board).text() == "A"


def test_renaming_needs_one_node(board, qtbot, workspace, chain):
    workspace.select(set(chain))
    with qtbot.waitSignal(workspace.message):
        board.rename()
    assert name_editor(board) is None


# Dropping --------------------------------------------------------------------------------------------------------


def carried(name):
    data = QMimeData()
    data.setData("application/x-chalkgraph-operator", name.encode())
    return data


def drop(board: BoardView, data: QMimeData, at: QPoint) -> QDropEvent:
    """Carry data over the board and drop it, as Qt does."""
    target, copy, left = board.viewport(), Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    QApplication.sendEvent(target, QDragEnterEvent(at, copy, data, left, NONE))
    QApplication.sendEvent(target, QDragMoveEvent(at, copy, data, left, NONE))
    event = QDropEvent(QPointF(at), copy, data, left, NONE)
    QApplication.sendEvent(target, event)
    return event


def test_dropping_an_operator_adds_it_on_the_grid(board, qtbot, workspace):
    data = carried("FullyConnected")
    drop(board, data, board.mapFromScene(QPointF(53, -30)))
    (node,) = workspace.document.nodes.values()
    assert (node.op, node.position) == ("FullyConnected", (48, -24))
    assert workspace.store.selection == {node.id}
    assert list(board.board_scene.node_items) == [node.id]
    workspace.undo()
    assert not workspace.document.nodes
    assert not board.board_scene.node_items


def test_the_outline_of_what_is_carried_goes_when_it_leaves(board, workspace):
    items = len(board.board_scene.items())
    data = carried("Variable")
    enter = QDragEnterEvent(QPoint(100, 100), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, NONE)
    QApplication.sendEvent(board.viewport(), enter)
    assert enter.isAccepted()
    assert len(board.board_scene.items()) == items + 1
    QApplication.sendEvent(board.viewport(), QDragLeaveEvent())
    assert len(board.board_scene.items()) == items
    assert not workspace.document.nodes


def test_other_things_are_left_to_the_window(board, workspace):
    data = QMimeData()
    data.setText("hello")
    enter = QDragEnterEvent(QPoint(100, 100), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, NONE)
    QApplication.sendEvent(board.viewport(), enter)
    assert not enter.isAccepted()


def test_an_operator_nobody_knows_is_refused_in_words(board, qtbot, workspace):
    data = carried("Quantise9")
    with qtbot.waitSignal(workspace.message) as said:
        drop(board, data, QPoint(100, 100))
    assert "Quantise9" in said.args[0]
    assert not workspace.document.nodes

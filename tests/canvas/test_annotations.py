"""Frames and notes on the board: how they are made, grabbed, resized, written in and taken away."""

import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtWidgets import QApplication

from app.canvas.telling import selection_sentence, tip_for
from app.document import edits
from app.qt.running import affects_a_run
from tests.canvas.naming import name_editor

SHIFT = Qt.KeyboardModifier.ShiftModifier
CTRL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def pair(workspace, draw):
    """A and B side by side in Picture style, in a frame from (-192, -96) to (192, 96)."""
    workspace.try_edit(edits.set_options, style="picture")
    a, b = draw.node("Variable", -96, 24), draw.node("Variable", 96, 24)
    made = workspace.try_edit(edits.add_frame, (-192.0, -96.0), (384.0, 192.0), "Both")
    workspace.select(set())
    return a, b, made.annotation_id


def frame(workspace, key):
    record = workspace.document.frames[key]
    return (*record.position, *record.size)


def place(workspace, key):
    return workspace.document.nodes[key].position


def steps(workspace):
    return len(workspace.store.history_labels().done)


# Frames ----------------------------------------------------------------------------------------------------------


def test_f_wraps_the_selection_and_asks_for_the_title(board, workspace, draw, qtbot):
    a, b = draw.node("Variable", -96, 0), draw.node("exp", 96, 0)
    draw.node("Variable", 300, 0)
    workspace.select({a, b})
    qtbot.keyClick(board, Qt.Key.Key_F)
    (key,) = workspace.document.frames
    box = board.board_scene.annotations.frames[key].box
    assert box.contains(board.board_scene.content_box([a, b]))
    assert workspace.store.selection == {key}
    assert name_editor(board) is not None and name_editor(board).hasFocus()
    qtbot.keyClicks(name_editor(board), "Encoder")
    qtbot.keyClick(name_editor(board), Qt.Key.Key_Return)
    assert workspace.document.frames[key].title == "Encoder"
    assert name_editor(board) is None
    assert board.accessible_text(key) == "Frame Encoder, holds 2 nodes"
    workspace.undo()
    workspace.undo()
    assert not workspace.document.frames
    assert workspace.store.selection == {a, b}


def test_f_with_nothing_selected_makes_an_empty_frame_that_is_in_sight(board, workspace, qtbot):
    qtbot.keyClick(board, Qt.Key.Key_F)
    ((key, record),) = workspace.document.frames.items()
    assert board.seen_box().contains(board.board_scene.annotations.frames[key].bar)
    assert record.position[0] % 24 == 0 and record.position[1] % 24 == 0
    qtbot.keyClick(name_editor(board), Qt.Key.Key_Escape)
    assert board.accessible_text(key) == "Frame Frame, empty"


def test_a_frame_above_the_view_is_scrolled_to_before_its_title_is_asked_for(board, workspace, draw, qtbot):
    workspace.select({draw.node("Variable", 0, -280)})
    qtbot.keyClick(board, Qt.Key.Key_F)
    (item,) = board.board_scene.annotations.frames.values()
    over = QRectF(board.mapFromScene(item.bar).boundingRect())
    assert over.contains(QRectF(name_editor(board).geometry()).center())


def test_the_title_bar_carries_what_stands_in_the_frame(board, mouse, workspace, pair):
    a, b, key = pair
    before, count = workspace.document, steps(workspace)
    mouse.press(0, -84)
    mouse.move(24, -36)
    assert workspace.document is before
    assert board.board_scene.node_items[a].pos() == QPointF(-72, 72), "seen while it is held"
    mouse.release()
    assert frame(workspace, key) == (-168, -48, 384, 192)
    assert (place(workspace, a), place(workspace, b)) == ((-72, 72), (120, 72))
    assert workspace.store.selection == {key}, "the frame alone was taken hold of"
    assert steps(workspace) == count + 1
    workspace.undo()
    assert workspace.document == before


def test_esc_puts_a_frame_and_its_nodes_back(board, mouse, workspace, qtbot, pair):
    before = workspace.document
    mouse.press(0, -84)
    mouse.move(50, 50)
    qtbot.keyClick(board, Qt.Key.Key_Escape)
    assert workspace.document is before
    assert board.board_scene.annotations.frames[pair[2]].box == QRectF(-192, -96, 384, 192)
    assert board.board_scene.node_items[pair[0]].pos() == QPointF(-96, 24)


def test_a_press_inside_goes_through_to_the_board(board, mouse, workspace, pair):
    a, b, key = pair
    mouse.press(0, 80)
    mouse.move(-150, -20)
    mouse.release()
    assert workspace.store.selection == {a}, "a band was drawn"
    mouse.drag((-180, -40), (180, 60))
    assert workspace.store.selection == {a, b}, "the frame, which it only touches, stays out"
    mouse.drag((-300, -200), (300, 200))
    assert workspace.store.selection == {a, b, key}
    mouse.click(0, 80)
    assert workspace.store.selection == frozenset()


def test_a_node_dragged_out_has_left_and_one_dragged_in_has_joined(board, mouse, workspace, pair, draw):
    a, b, key = pair
    c = draw.node("Variable", 0, 200)
    mouse.drag((-96, 24), (-96, 240))
    mouse.press(0, 200)
    mouse.move(0, 48)
    assert "into the frame Both" in board.gesture.words
    assert board.board_scene.annotations.frames[key].lit
    mouse.release()
    assert not board.board_scene.annotations.frames[key].lit
    mouse.drag((-150, -84), (-150, -132))
    assert place(workspace, a) == (-96, 240)
    assert place(workspace, b) == (96, -24)
    assert place(workspace, c)[1] == 0


@pytest.mark.parametrize(
    ("way", "wanted"),
    [
        (((192, 0), (240, 0)), (-192, -96, 432, 192)),
        (((-192, 0), (-240, 0)), (-240, -96, 432, 192)),
        (((0, 96), (0, 144)), (-192, -96, 384, 240)),
        (((0, -97), (0, -144)), (-192, -144, 384, 240)),
        (((191, 95), (240, 144)), (-192, -96, 432, 240)),
        (((192, 0), (-600, 0)), (-192, -96, 64, 192)),
    ],
)
def test_edges_resize_a_frame_and_move_nothing(board, mouse, workspace, pair, way, wanted):
    start, end = way
    nodes, count = workspace.document.nodes, steps(workspace)
    mouse.press(*start)
    mouse.move(*end)
    assert workspace.document.nodes is nodes and steps(workspace) == count
    mouse.release()
    assert frame(workspace, pair[2]) == wanted
    assert workspace.document.nodes == nodes
    assert steps(workspace) == count + 1
    workspace.undo()
    assert frame(workspace, pair[2]) == (-192, -96, 384, 192)


def test_delete_takes_the_frame_and_leaves_the_nodes(board, mouse, workspace, qtbot, pair):
    a, b, key = pair
    mouse.click(0, -84)
    assert workspace.store.selection == {key}
    assert board.board_scene.annotations.frames[key].selected
    qtbot.keyClick(board, Qt.Key.Key_Delete)
    assert not workspace.document.frames
    assert workspace.document.nodes.keys() == {a, b}
    assert not board.board_scene.annotations.frames


def test_a_double_click_on_the_bar_and_f2_edit_the_title(board, mouse, workspace, qtbot, pair):
    key = pair[2]
    mouse.double_click(0, -84)
    qtbot.keyClicks(name_editor(board), "Twice")
    qtbot.keyClick(name_editor(board), Qt.Key.Key_Return)
    assert workspace.document.frames[key].title == "Twice"
    qtbot.keyClick(board, Qt.Key.Key_F2)
    qtbot.keyClick(name_editor(board), Qt.Key.Key_Backspace)
    qtbot.keyClick(name_editor(board), Qt.Key.Key_Return)
    assert workspace.document.frames[key].title == "", "no title is a title"
    assert board.accessible_text(key) == "Frame without a title, holds 2 nodes"


@pytest.mark.parametrize("zoom", [0.1, 0.2, 0.5, 1.0, 2.0])
def test_the_bar_can_be_read_and_grabbed_at_any_zoom(board, mouse, workspace, pair, zoom):
    board.zoom_to(zoom)
    board.show_centre(QPointF(0, 0))
    bar = board.board_scene.annotations.frames[pair[2]].bar
    assert bar.height() * zoom >= 20
    mouse.press(bar.center().x(), bar.center().y())
    mouse.release()
    assert workspace.store.selection == {pair[2]}


def test_no_box_changes_by_the_zoom_alone(board, workspace, pair, note):
    """Qt forgets an item where its box says that it lay; one that it does not find there crashes it later."""
    board.zoom_to(0.2)
    scene = board.board_scene
    boxes = {item: item.boundingRect() for item in scene.items()}
    scene.kit.scale = 1.5
    assert len(boxes) > 4
    assert {item: item.boundingRect() for item in boxes} == boxes
    scene.set_scale(1.5)
    assert any(item.boundingRect() != box for item, box in boxes.items())  # the bar of the frame


def test_closing_a_gap_takes_selected_frames_and_notes_away_too(board, workspace, draw, pair, note):
    a, b, frame_id = pair
    middle, last = draw.node("negative", 0, 200), draw.node("exp", 0, 320)
    draw.wire(a, middle, 0)
    draw.wire(middle, last, 0)
    workspace.select({middle, frame_id, *workspace.document.notes})
    board.commands.delete_and_heal()
    document = workspace.document
    assert not document.frames and not document.notes
    assert document.nodes.keys() == {a, b, last}
    assert [(edge.source, edge.target) for edge in document.edges.values()] == [(a, last)]
    workspace.undo()
    assert len(workspace.document.frames) == len(workspace.document.notes) == 1


def test_what_is_selected_is_counted_by_kind(board, workspace, draw, pair, note):
    a, b, frame_id = pair
    draw.wire(a, draw.node("exp", 0, 200), 0)
    for chosen, said in (
        ({a, b, frame_id}, "2 nodes and 1 frame selected"),
        ({a, *workspace.document.edges}, "1 node and 1 wire selected"),
        ({frame_id}, "Frame Both, holds 2 nodes and 1 note"),
    ):
        workspace.select(chosen)
        assert selection_sentence(board.board_scene) == said


def painted(board, box):
    """Count the colours that a part of the board shows."""
    image = board.grab(board.mapFromScene(box).boundingRect()).toImage()
    return {image.pixel(x, y) for x in range(image.width()) for y in range(image.height())}


@pytest.mark.parametrize("zoom", [0.2, 1.0])
def test_a_frame_is_painted_behind_its_nodes_with_its_title(board, workspace, pair, zoom):
    board.zoom_to(zoom)
    board.show_centre(QPointF(0, 0))
    item = board.board_scene.annotations.frames[pair[2]]
    assert workspace.theme.text.rgb() in painted(board, item.bar)
    workspace.try_edit(edits.set_title, pair[2], "")
    assert workspace.theme.text.rgb() not in painted(board, item.bar)
    assert item.zValue() < min(node.zValue() for node in board.board_scene.node_items.values())
    grey = painted(board, QRectF(-180, -40, 360, 8))
    workspace.try_edit(edits.set_colour, [pair[2]], "green")
    assert painted(board, QRectF(-180, -40, 360, 8)) != grey


def test_a_smaller_frame_lies_on_the_larger_and_is_grabbed_first(board, mouse, workspace, pair):
    made = workspace.try_edit(edits.add_frame, (-100.0, -90.0), (100.0, 60.0))
    workspace.select(set())
    mouse.click(-50, -80)
    assert workspace.store.selection == {made.annotation_id}
    items = board.board_scene.annotations.frames
    assert items[made.annotation_id].zValue() > items[pair[2]].zValue()


def test_arrow_keys_move_a_frame_with_its_nodes(board, workspace, qtbot, pair):
    workspace.select({pair[2]})
    qtbot.keyClick(board, Qt.Key.Key_Right)
    assert frame(workspace, pair[2])[0] == -168
    assert place(workspace, pair[0]) == (-72, 24)


# Notes -----------------------------------------------------------------------------------------------------------


def write(board, qtbot, text):
    qtbot.keyClick(board, Qt.Key.Key_N)
    editor = board.annotating.writing.editor
    editor.insertPlainText(text)
    return editor


def test_n_opens_a_note_and_esc_keeps_it(board, workspace, qtbot):
    before = steps(workspace)
    editor = write(board, qtbot, "# Why\n\n* because")
    assert editor.hasFocus() and not workspace.document.notes, "it is there once it has words"
    qtbot.keyClick(editor, Qt.Key.Key_Escape)
    ((key, note),) = workspace.document.notes.items()
    assert note.text == "# Why\n\n* because"
    assert workspace.store.selection == {key}
    assert steps(workspace) == before + 1
    assert board.hasFocus() and board.annotating.writing.editor is None
    assert board.accessible_text(key) == "Note, Why because"
    workspace.undo()
    assert not workspace.document.notes and not board.board_scene.annotations.notes


def test_a_note_without_words_never_was(board, workspace, qtbot):
    before = workspace.document
    qtbot.keyClick(write(board, qtbot, "  \n"), Qt.Key.Key_Escape)
    assert workspace.document is before


def test_a_click_elsewhere_ends_typing(board, mouse, workspace, qtbot):
    write(board, qtbot, "some words")
    board.setFocus()
    assert [note.text for note in workspace.document.notes.values()] == ["some words"]


@pytest.fixture
def note(workspace):
    """A note at (0, 0), 240 wide."""
    made = workspace.try_edit(
        edits.add_note, (0.0, 0.0), "# Title\n\nSome words, and `code`, and **more** of them"
    )
    workspace.select(set())
    return made.annotation_id


def test_a_note_that_loses_its_words_goes(board, mouse, workspace, qtbot, note):
    mouse.double_click(100, 20)
    editor = board.annotating.writing.editor
    editor.selectAll()
    qtbot.keyClick(editor, Qt.Key.Key_Delete)
    qtbot.keyClick(editor, Qt.Key.Key_Escape)
    assert not workspace.document.notes
    assert workspace.store.undo_label == "Delete a note"
    workspace.undo()
    assert note in workspace.document.notes


def test_f2_edits_a_note_and_an_unchanged_one_is_no_step(board, workspace, qtbot, note):
    workspace.select({note})
    count = steps(workspace)
    qtbot.keyClick(board, Qt.Key.Key_F2)
    qtbot.keyClick(board.annotating.writing.editor, Qt.Key.Key_Return, CTRL)
    assert steps(workspace) == count
    qtbot.keyClick(board, Qt.Key.Key_F2)
    qtbot.keyClicks(board.annotating.writing.editor, "!")
    qtbot.keyClick(board.annotating.writing.editor, Qt.Key.Key_Escape)
    assert workspace.document.notes[note].text.endswith("them!")
    assert board.board_scene.annotations.notes[note].plain_text.endswith("them!")


def test_a_note_is_moved_and_widened_by_hand(board, mouse, workspace, note):
    item = board.board_scene.annotations.notes[note]
    high = item.box.height()
    mouse.drag((100, 20), (148, 44))
    assert workspace.document.notes[note].position == (48, 24)
    mouse.press(48 + 239, 40)
    mouse.move(48 + 119, 40)
    assert item.box.height() > high, "narrower lines need more height"
    mouse.release()
    assert workspace.document.notes[note].width == 120
    workspace.undo()
    assert item.box == QRectF(48, 24, 240, high)


def test_markdown_is_read_and_html_and_pictures_are_not(board, workspace):
    text = "# Head\n\n**bold** _slanted_ `code` <b>raw</b>\n\n* one\n* two\n\n![](/etc/passwd)"
    made = workspace.try_edit(edits.add_note, (0.0, 0.0), text)
    item = board.board_scene.annotations.notes[made.annotation_id]
    said = item.plain_text
    assert said.startswith("Head\nbold slanted code <b>raw</b>\none\ntwo")
    sheet = item._sheet
    looks = {}
    block = sheet.begin()
    while block.isValid():
        pieces = block.begin()
        while not pieces.atEnd():
            looks[pieces.fragment().text().strip()] = pieces.fragment().charFormat()
            pieces += 1
        block = block.next()
    assert looks["Head"].font().pixelSize() > 15
    assert looks["bold"].fontWeight() == 600
    assert looks["slanted"].fontItalic() and not looks["slanted"].fontUnderline()
    assert looks["code"].fontFamilies() == ["Chalkgraph Mono"]
    assert sheet.resource(2, "file:///etc/passwd") is None


def test_a_box_that_is_ticked_looks_otherwise(board, workspace):
    looks = []
    for mark in "x ":
        made = workspace.try_edit(edits.add_note, (0.0, 0.0), f"- [{mark}] thing")
        workspace.select(set())
        box = board.board_scene.annotations.notes[made.annotation_id].box
        looks.append(board.grab(board.mapFromScene(box).boundingRect()).toImage())
        workspace.undo()
    assert looks[0].size() == looks[1].size() and looks[0] != looks[1]


def test_notes_take_over_another_theme(board, workspace, note):
    item = board.board_scene.annotations.notes[note]
    light = painted(board, item.box)
    workspace.theming.choose("dark")
    assert workspace.theme.text.rgb() in painted(board, item.box)
    assert workspace.theme.text.rgb() not in light


# Both ------------------------------------------------------------------------------------------------------------


def test_copies_take_frames_and_notes_along(board, workspace, qtbot, pair, note):
    a, b, key = pair
    qtbot.keyClick(board, Qt.Key.Key_A, CTRL)
    assert workspace.store.selection == {a, b, key, note}
    qtbot.keyClick(board, Qt.Key.Key_D, CTRL)
    document = workspace.document
    assert (len(document.nodes), len(document.frames), len(document.notes)) == (4, 2, 2)
    assert workspace.store.selection == {*document.nodes, *document.frames, *document.notes} - {
        a,
        b,
        key,
        note,
    }
    assert workspace.store.undo_label == "Paste 2 nodes, 1 frame and 1 note"
    qtbot.keyClick(board, Qt.Key.Key_X, CTRL)
    assert workspace.document.frames.keys() == {key} and workspace.document.notes.keys() == {note}
    assert workspace.store.undo_label == "Cut 2 nodes, 1 frame and 1 note"
    qtbot.keyClick(board, Qt.Key.Key_V, CTRL)
    assert len(workspace.document.notes) == 2
    assert '"frames"' in QApplication.clipboard().text()
    QApplication.clipboard().clear()


def test_everything_fits_and_the_hint_of_an_empty_board_goes(board, workspace):
    assert board._empty.isVisible()
    workspace.try_edit(edits.add_frame, (1000.0, 800.0), (300.0, 200.0))
    assert not board._empty.isVisible()
    board.fit()
    assert board.seen_box().contains(QRectF(1000, 800, 300, 200))
    assert board.content_box() == QRectF(1000, 800, 300, 200)


def test_another_document_closes_the_editors(board, workspace, qtbot, pair, note):
    workspace.select({note})
    qtbot.keyClick(board, Qt.Key.Key_F2)
    board.annotating.writing.editor.insertPlainText("lost")
    workspace.load(workspace.document)
    assert board.annotating.writing.editor is None
    assert "lost" not in workspace.document.notes[note].text
    workspace.select({pair[2]})
    qtbot.keyClick(board, Qt.Key.Key_F2)
    workspace.load(workspace.document)
    assert name_editor(board) is None


def test_frames_and_notes_do_not_make_the_results_old(board, workspace, pair, note):
    told = []
    workspace.document_changed.connect(lambda update: told.extend(update.changes))
    workspace.try_edit(edits.set_title, pair[2], "other")
    workspace.try_edit(edits.set_text, note, "other")
    assert len(told) == 2 and not any(affects_a_run(change) for change in told)


def test_a_resting_pointer_is_told_the_whole_title(board, workspace, pair):
    workspace.try_edit(edits.set_title, pair[2], "A < B")
    tip = tip_for(board.board_scene, board.hit(board.pointer(board.mapFromScene(QPointF(0, -84)))))
    assert "A &lt; B" in tip and "2 nodes" in tip
    assert tip_for(board.board_scene, board.hit(board.pointer(board.mapFromScene(QPointF(0, 60))))) == ""


def test_the_pointer_says_what_a_press_would_do(board, qtbot, pair):
    viewport = board.viewport()
    for place, cursor in (
        ((192, 0), Qt.CursorShape.SizeHorCursor),
        ((0, 96), Qt.CursorShape.SizeVerCursor),
        ((192, 96), Qt.CursorShape.SizeFDiagCursor),
        ((0, -84), Qt.CursorShape.ArrowCursor),
    ):
        at: QPoint = board.mapFromScene(QPointF(*place))
        board._hover.show(board.hit(board.pointer(at)))
        assert viewport.cursor().shape() == cursor
    assert board.board_scene.annotations.frames[pair[2]].hovered

"""A drawing is put in order: framed, explained, lined up, saved, and opened again, by mouse and keyboard."""

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from app.shell.workbench import Workbench
from tests.canvas.naming import name_editor
from tests.journeys.test_first_light import Person
from tests.windows import Answers

CTRL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def person(bench: Workbench, qtbot: QtBot) -> Person:
    """Return somebody before an empty board with three nodes on it."""
    bench.window.resize(1440, 900)
    made = Person(bench, qtbot)
    made.new_board()
    for words, x, y in (("exp", -120.0, -48.0), ("sqrt", 72.0, 24.0), ("tanh", 24.0, 144.0)):
        made.add_at(words, x, y)
    return made


def test_frame_explain_line_up_save_and_open(person: Person, answers: Answers, tmp_path: Path) -> None:
    bench, board = person.bench, person.board
    workspace = bench.workspace
    first, second, third = workspace.document.nodes

    # two nodes lined up by the menu, then framed with F, and the frame called by typing
    workspace.select({first, second})
    bench.actions.trigger("align_middle")
    assert workspace.document.nodes[first].position[1] == workspace.document.nodes[second].position[1]
    bench.actions.refresh()
    assert not bench.actions["frame_violet"].isEnabled(), "there is no frame to colour yet"
    person.press(board, Qt.Key.Key_F)
    editor = name_editor(board)
    assert editor is not None
    person.type(editor, "Curves")
    person.press(editor, Qt.Key.Key_Return)
    ((frame, record),) = workspace.document.frames.items()
    assert record.title == "Curves"
    bench.actions.trigger("frame_violet")
    assert bench.actions["frame_violet"].isChecked()

    # dragged by its bar it carries the two and not the third
    before = workspace.document
    bar = board.mapFromScene(board.board_scene.annotations.frames[frame].bar.center())
    person.drag(bar, bar + QPoint(0, -48))
    moved = {
        key for key, node in workspace.document.nodes.items() if node.position != before.nodes[key].position
    }
    assert moved == {first, second}

    # the third is dragged into it, and goes along from then on
    inside = board.mapFromScene(board.board_scene.body_box(frame).center())
    person.drag(person.place_of(workspace.document.nodes[third].name), inside)
    assert "holds 3 nodes" in board.accessible_text(frame)

    # a note
    person.press(board, Qt.Key.Key_N)
    writer = board.annotating.writing.editor
    assert writer is not None
    person.type(writer, "# Three curves")
    person.press(writer, Qt.Key.Key_Return)
    person.type(writer, "- one **each**, of fn")
    person.press(writer, Qt.Key.Key_Escape)
    ((note, written),) = workspace.document.notes.items()
    assert written.text == "# Three curves\n- one **each**, of fn"
    assert board.accessible_text(note) == "Note, Three curves one each, of fn"

    # code and executor know nothing of them; the file does
    assert "Curves" not in person.parts.code.view.toPlainText()
    answers.save_path = tmp_path / "framed.chalk"
    bench.actions.trigger("save")
    saved = workspace.document
    person.press(board, Qt.Key.Key_A, CTRL)
    person.press(board, Qt.Key.Key_Delete)
    assert not board.board_scene.node_items and not board.board_scene.annotations.frames
    bench.actions.trigger("undo")
    assert workspace.document == saved
    bench.actions.trigger("new")
    assert not workspace.document.frames
    answers.open_path = tmp_path / "framed.chalk"
    bench.actions.trigger("open")
    person.wait(lambda: workspace.document == saved)
    assert board.board_scene.annotations.frames[frame].name == "Curves"


def test_a_letter_typed_in_a_note_or_a_search_makes_no_frame(person: Person) -> None:
    board, workspace = person.board, person.bench.workspace
    person.press(board, Qt.Key.Key_N)
    writer = board.annotating.writing.editor
    assert writer is not None
    person.type(writer, "fn")
    person.press(writer, Qt.Key.Key_Z, CTRL)
    person.type(writer, "f.")
    person.press(writer, Qt.Key.Key_Escape)
    assert not workspace.document.frames
    assert [note.text for note in workspace.document.notes.values()] == ["f."]
    assert len(workspace.document.nodes) == 3, "Ctrl+Z undid what was typed, and no step"

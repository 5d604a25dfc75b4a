"""The code pane: always the program of the board, its lines joined to the nodes."""

from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QTextCursor
from pytestqt.qtbot import QtBot

from app.engine import sym
from app.panels.code import LANGUAGES, CodePanel
from app.panels.code_view import pieces_of
from app.panels.panel import LARGE
from app.qt.workspace import Workspace
from app.services.import_symbol import document_from_symbol


@pytest.fixture
def panel(qtbot: QtBot, workspace: Workspace) -> Iterator[CodePanel]:
    """Return a code pane that can be seen."""
    made = CodePanel(workspace)
    qtbot.addWidget(made)
    made.resize(600, 300)
    made.show()
    yield made
    made.close()


def line_of(panel: CodePanel, text: str) -> int:
    lines = panel.view.toPlainText().split("\n")
    return next(number for number, line in enumerate(lines) if text in line)


def click_line(qtbot: QtBot, panel: CodePanel, number: int) -> None:
    view = panel.view
    cursor = QTextCursor(view.document().findBlockByNumber(number))
    place = view.cursorRect(cursor).center()
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)


def wait_for(qtbot: QtBot, panel: CodePanel, text: str) -> None:
    qtbot.waitUntil(lambda: text in panel.view.toPlainText(), timeout=5000)


def test_an_empty_board_has_a_friendly_word(qtbot: QtBot, panel: CodePanel) -> None:
    qtbot.waitUntil(panel.trouble.isVisible)
    assert "appears here" in panel.trouble.text()
    assert not panel.view.isVisible()


def test_the_program_follows_the_board(qtbot: QtBot, panel: CodePanel, desk: Any) -> None:
    desk.product()
    wait_for(qtbot, panel, "C = A * B")
    wait_for(qtbot, panel, "E = C * D")
    desk.node("Flatten", "flat")
    wait_for(qtbot, panel, "flat")
    desk.workspace.undo()
    qtbot.waitUntil(lambda: "flat" not in panel.view.toPlainText())


def test_the_program_of_a_large_board_is_written_by_a_worker(
    qtbot: QtBot, panel: CodePanel, workspace: Workspace
) -> None:
    chain = sym.Variable("x")
    for number in range(LARGE + 1):
        chain = sym.relu(chain, name=f"r{number}")
    workspace.load(document_from_symbol(chain))
    panel.kept_up.make()
    assert panel.kept_up.is_making
    assert "r100" not in panel.view.toPlainText()
    panel.copy_all()
    assert f"r{LARGE} = mx.sym.relu" in QGuiApplication.clipboard().text(), "what is copied is never old"
    wait_for(qtbot, panel, f"r{LARGE} = mx.sym.relu")


def test_hiding_gives_up_what_is_being_written_and_showing_begins_anew(
    qtbot: QtBot, panel: CodePanel, workspace: Workspace
) -> None:
    chain = sym.Variable("x")
    for number in range(LARGE + 1):
        chain = sym.relu(chain, name=f"r{number}")
    workspace.load(document_from_symbol(chain))
    panel.kept_up.make()
    panel.hide()
    assert not panel.kept_up.is_making and panel.kept_up.is_behind
    panel.show()
    wait_for(qtbot, panel, f"r{LARGE} = mx.sym.relu")


def test_another_document_and_another_language_are_seen_from_the_top(
    qtbot: QtBot, panel: CodePanel, desk: Any
) -> None:
    panel.resize(400, 120)
    desk.open("digits-convnet")
    wait_for(qtbot, panel, "conv1")
    bar = panel.view.verticalScrollBar()
    bar.setValue(5)
    desk.node("Flatten", "flat")
    wait_for(qtbot, panel, "flat")
    assert bar.value() == 5, "an edit keeps the place"
    panel.language.setCurrentIndex(1)
    panel.language.activated.emit(1)
    assert bar.value() == 0
    bar.setValue(5)
    desk.open("digits-mlp")
    wait_for(qtbot, panel, "fc3")
    assert bar.value() == 0


def test_a_line_selects_its_node(qtbot: QtBot, panel: CodePanel, desk: Any) -> None:
    ids = desk.product()
    wait_for(qtbot, panel, "C = A * B")
    click_line(qtbot, panel, line_of(panel, "C = A * B"))
    assert desk.workspace.store.selection == {ids["C"]}


def test_the_cursor_keys_select_too(qtbot: QtBot, panel: CodePanel, desk: Any) -> None:
    ids = desk.product()
    wait_for(qtbot, panel, "C = A * B")
    click_line(qtbot, panel, line_of(panel, "C = A * B"))
    while panel.view.textCursor().blockNumber() < line_of(panel, "E = C * D"):
        qtbot.keyClick(panel.view, Qt.Key.Key_Down)
    assert desk.workspace.store.selection == {ids["E"]}


def test_a_line_about_nothing_leaves_the_selection(qtbot: QtBot, panel: CodePanel, desk: Any) -> None:
    ids = desk.product()
    desk.workspace.select({ids["A"]})
    wait_for(qtbot, panel, "import mxnet")
    click_line(qtbot, panel, line_of(panel, "import mxnet"))
    assert desk.workspace.store.selection == {ids["A"]}


def test_selected_nodes_mark_their_lines(qtbot: QtBot, panel: CodePanel, desk: Any) -> None:
    ids = desk.product()
    wait_for(qtbot, panel, "C = A * B")
    desk.workspace.select({ids["C"], ids["E"]})
    assert panel.code is not None
    wanted = set(panel.code.lines_of(ids["C"])) | set(panel.code.lines_of(ids["E"]))
    assert panel.view.marked == wanted
    assert {line_of(panel, "C = A * B"), line_of(panel, "E = C * D")} <= wanted
    desk.workspace.select(set())
    assert panel.view.marked == frozenset()


def test_a_marked_line_out_of_sight_is_scrolled_to(qtbot: QtBot, panel: CodePanel, desk: Any) -> None:
    panel.resize(400, 120)
    nodes = [desk.node("Flatten", f"flat{number}") for number in range(40)]
    wait_for(qtbot, panel, "flat39")
    assert panel.view.verticalScrollBar().value() == 0
    desk.workspace.select({nodes[-1]})
    assert panel.view.verticalScrollBar().value() > 10


def test_copy_takes_the_whole_program(qtbot: QtBot, panel: CodePanel, desk: Any) -> None:
    desk.product()
    wait_for(qtbot, panel, "C = A * B")
    panel.copy.click()
    assert QGuiApplication.clipboard().text() == panel.view.toPlainText()
    assert panel.copy.text() == "Copied"


def test_nothing_is_written_while_the_pane_is_hidden(qtbot: QtBot, panel: CodePanel, desk: Any) -> None:
    panel.hide()
    desk.product()
    QGuiApplication.processEvents()  # the writing that a shown pane would do is due at once
    assert panel.view.toPlainText() == ""
    panel.show()
    wait_for(qtbot, panel, "C = A * B")


def test_a_hidden_pane_copies_what_is_on_the_board_now(panel: CodePanel, desk: Any) -> None:
    panel.hide()
    desk.product()
    panel.copy_all()
    assert "C = A * B" in QGuiApplication.clipboard().text()


def test_every_line_of_the_text_knows_its_pieces() -> None:
    text = 'import numpy as np\n\nx = np.exp(1.5)  # e\ny = """a\nb"""\n'
    lines = pieces_of(text)
    assert len(lines) == text.count("\n") + 1
    assert (0, 6, "keyword") in lines[0]
    assert lines[1] == []
    assert any(
        kind == "number" and "x = np.exp(1.5)  # e"[at : at + size] == "1.5" for at, size, kind in lines[2]
    )
    assert any(kind == "comment" for _, _, kind in lines[2])
    assert any(kind == "string" for _, _, kind in lines[4])


def test_the_highlighter_colours_in_the_themes_colours(qtbot: QtBot, panel: CodePanel, desk: Any) -> None:
    desk.product()
    wait_for(qtbot, panel, "import mxnet")
    panel.view.highlighter.rehighlight()
    block = panel.view.document().findBlockByNumber(line_of(panel, "import mxnet"))
    formats = block.layout().formats()
    assert formats[0].format.foreground().color() == panel.theme.code.keyword


@pytest.mark.parametrize("language", [language.title for language in LANGUAGES])
def test_every_language_joins_lines_and_nodes(
    qtbot: QtBot, panel: CodePanel, desk: Any, language: str
) -> None:
    desk.open("digits-convnet")
    index = panel.language.findText(language)
    panel.language.setCurrentIndex(index)
    panel.language.activated.emit(index)
    assert panel.code is not None
    compile(panel.code.text, language, "exec")
    for name in ("conv1", "fc1", "softmax"):
        node = desk.find(name)
        lines = panel.code.lines_of(node)
        assert lines, name
        desk.workspace.select({node})
        assert set(lines) == panel.view.marked
    desk.workspace.select(set())
    number = panel.code.lines_of(desk.find("fc1"))[0]
    panel.view.lines_chosen.emit(range(number, number + 1))
    assert desk.find("fc1") in desk.workspace.store.selection


@pytest.mark.parametrize("language", ["numpy", "PyTorch"])
def test_a_graph_that_cannot_be_bound_says_why_there_is_no_program(
    panel: CodePanel, desk: Any, language: str
) -> None:
    desk.node("FullyConnected", "fc1")
    index = panel.language.findText(language)
    panel.language.setCurrentIndex(index)
    panel.language.activated.emit(index)
    assert panel.trouble.text().startswith(f"There is no {language} program yet.")
    assert not panel.copy.isEnabled()


def test_a_small_document_is_not_overwritten_by_the_program_of_the_large_one_before(
    qtbot: QtBot, panel: CodePanel, workspace: Workspace, desk: Any
) -> None:
    chain = sym.Variable("x")
    for number in range(LARGE + 1):
        chain = sym.relu(chain, name=f"r{number}")
    workspace.load(document_from_symbol(chain))
    panel.kept_up.make()
    desk.open("compose-basic")
    panel.kept_up.make()
    assert not panel.kept_up.is_making
    assert "C = A * B" in panel.view.toPlainText()

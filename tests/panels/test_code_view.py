"""The program on the screen: another one takes its place only where lines differ, and looks as if it stood alone."""

import random
from collections.abc import Iterator

import pytest
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from app.panels.code_view import CodeView, pieces_of
from app.qt.workspace import Workspace

LINES = (
    "import mxnet as mx",
    "",
    "x = 3  # \N{SNOWMAN} \U0001f40d",
    'y = """',
    "name = 'a'",
    "return None",
)


@pytest.fixture
def view(workspace: Workspace, qtbot: QtBot) -> Iterator[CodeView]:
    made = CodeView(workspace.theme)
    made.resize(400, 300)
    made.show()
    yield made
    made.close()
    made.deleteLater()


def show(view: CodeView, lines: list[str]) -> None:
    text = "\n".join(lines)
    view.show_text(text, pieces_of(text))


def coloured(view: CodeView) -> list[list[tuple[int, int, str]]]:
    """Return the pieces of every line that are coloured, and their colours."""
    found = []
    block = view.document().begin()
    while block.isValid():
        found.append(
            [
                (one.start, one.length, one.format.foreground().color().name())
                for one in block.layout().formats()
            ]
        )
        block = block.next()
    return found


def test_a_program_in_place_of_another_looks_as_if_it_stood_alone(
    view: CodeView, workspace: Workspace
) -> None:
    chance = random.Random(7)
    lines = [chance.choice(LINES) for _ in range(12)]
    for _ in range(60):
        at, length = chance.randrange(len(lines) + 1), chance.randrange(3)
        lines[at : at + length] = [chance.choice(LINES) for _ in range(chance.randrange(3))]
        show(view, lines)
        fresh = CodeView(workspace.theme)
        show(fresh, lines)
        assert view.toPlainText() == fresh.toPlainText() == "\n".join(lines)
        assert coloured(view) == coloured(fresh)
        fresh.deleteLater()


def test_only_the_lines_that_differ_are_replaced(view: CodeView) -> None:
    lines = [f"a{number} = {number}" for number in range(500)]
    show(view, lines)
    changes = []
    view.document().contentsChange.connect(lambda *change: changes.append(change))
    lines[250] = "other = 1"
    show(view, lines)
    assert [change for change in changes if change[1] > 12 or change[2] > 12] == []
    assert view.document().findBlockByNumber(250).text() == "other = 1"


def test_marked_lines_have_a_ground_over_the_whole_width(view: CodeView) -> None:
    show(view, ["a", "b", "c"])
    view.mark([1])
    picture = view.grab().toImage()
    rows = [round(area.center().y()) for _, area in view._shown(300)]
    right = view.viewport().geometry().right() - 4
    grounds = [QColor(picture.pixel(right, row)).name() for row in rows]
    assert grounds[0] == grounds[2] != grounds[1]

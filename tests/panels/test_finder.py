"""The finder and the command palette: what they list, and what their keys do."""

from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from app.document.edits import InPlaceOf, LooseEnd, OnWire, put
from app.document.records import VARIABLE
from app.panels import catalogue
from app.panels.command_palette import Command, CommandPalette
from app.panels.finder import NEW_VARIABLE, Choice, Finder
from app.qt.workspace import Workspace

PLACE = QPoint(100, 100)


@pytest.fixture
def finder(qtbot: QtBot, workspace: Workspace) -> Iterator[Finder]:
    """Return a finder that is closed at the end."""
    made = Finder(workspace)
    qtbot.addWidget(made)
    yield made
    made.close()


def listed(finder: Finder) -> list[str]:
    return [row.key for row in finder.results.rows_model.rows]


def choices(finder: Finder) -> list[Choice]:
    taken: list[Choice] = []
    finder.chosen.connect(taken.append)
    return taken


def wait_for_all(qtbot: QtBot, finder: Finder) -> None:
    qtbot.waitUntil(lambda: not finder.is_trying, timeout=10_000)


def test_every_operator_is_listed_and_says_what_it_does(finder: Finder) -> None:
    finder.open_for(PLACE)
    assert set(listed(finder)) == set(catalogue.entries())
    assert listed(finder)[:2] == ["Variable", "Group"]
    assert all(row.line and row.category for row in finder.results.rows_model.rows)


def test_typing_filters_with_whole_names_first(qtbot: QtBot, finder: Finder) -> None:
    finder.open_for(PLACE)
    qtbot.keyClicks(finder.line, "softmax")
    assert listed(finder)[:2] == ["softmax", "SoftmaxOutput"]
    assert finder.results.current is not None
    assert finder.results.current.key == "softmax"


@pytest.mark.parametrize(
    ("typed", "op"),
    [("*", "elemwise_mul"), ("+", "elemwise_add"), ("-", "elemwise_sub"), ("/", "elemwise_div")],
)
def test_a_sign_finds_its_operator(qtbot: QtBot, finder: Finder, typed: str, op: str) -> None:
    finder.open_for(PLACE)
    qtbot.keyClicks(finder.line, typed)
    assert listed(finder)[0] == op


def test_enter_places_and_closes(qtbot: QtBot, finder: Finder) -> None:
    taken = choices(finder)
    finder.open_for(PLACE)
    qtbot.keyClicks(finder.line, "fullyc")
    with qtbot.waitSignal(finder.closed):
        qtbot.keyClick(finder.line, Qt.Key.Key_Return)
    assert taken == [Choice("FullyConnected")]
    assert not finder.isVisible()


def test_ctrl_enter_places_and_stays(qtbot: QtBot, finder: Finder) -> None:
    taken = choices(finder)
    finder.open_for(PLACE)
    qtbot.keyClicks(finder.line, "dot")
    qtbot.keyClick(finder.line, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert finder.isVisible()
    qtbot.keyClick(finder.line, Qt.Key.Key_Return)
    assert taken == [Choice("dot", stay=True), Choice("dot")]


def test_escape_closes_and_chooses_nothing(qtbot: QtBot, finder: Finder) -> None:
    taken = choices(finder)
    finder.open_for(PLACE)
    with qtbot.waitSignal(finder.closed):
        qtbot.keyClick(finder.line, Qt.Key.Key_Escape)
    assert taken == []


def test_arrows_walk_the_list_and_go_round(qtbot: QtBot, finder: Finder) -> None:
    finder.open_for(PLACE)
    qtbot.keyClicks(finder.line, "softmax")
    rows = listed(finder)
    qtbot.keyClick(finder.line, Qt.Key.Key_Down)
    assert finder.results.current is not None and finder.results.current.key == rows[1]
    qtbot.keyClick(finder.line, Qt.Key.Key_Up)
    qtbot.keyClick(finder.line, Qt.Key.Key_Up)
    assert finder.results.current.key == rows[-1]


def test_a_click_places(qtbot: QtBot, finder: Finder) -> None:
    taken = choices(finder)
    finder.open_for(PLACE, text="Pooling")
    index = finder.results.rows_model.index(0)
    place = finder.results.visualRect(index).center()
    qtbot.mouseClick(finder.results.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert taken == [Choice("Pooling")]


def test_a_word_that_is_no_operator_offers_a_variable(qtbot: QtBot, finder: Finder) -> None:
    taken = choices(finder)
    finder.open_for(PLACE)
    qtbot.keyClicks(finder.line, "velocity")
    assert listed(finder) == [NEW_VARIABLE]
    qtbot.keyClick(finder.line, Qt.Key.Key_Return)
    assert taken == [Choice(VARIABLE, "velocity")]


def test_a_name_that_is_taken_offers_nothing_and_says_so(finder: Finder, desk: Any) -> None:
    desk.node(VARIABLE, "velocity")
    finder.open_for(PLACE, text="velocity")
    assert listed(finder) == []
    assert finder.nothing.isVisible()
    assert "velocity" in finder.nothing.text()


def test_with_a_wire_only_what_fits_is_listed_with_its_shapes(
    qtbot: QtBot, finder: Finder, desk: Any
) -> None:
    data = desk.node(VARIABLE, "data")
    desk.bind("data", shape=(64, 100))
    finder.open_for(PLACE, LooseEnd(data, 0))
    wait_for_all(qtbot, finder)
    rows = {row.key: row for row in finder.results.rows_model.rows}
    assert rows["FullyConnected"].note == "→ (64, 10)"
    assert rows["Flatten"].note == "→ (64, 100)"
    assert rows["sum"].note == "→ (1)"
    assert VARIABLE not in rows
    assert "Convolution" not in rows
    assert desk.workspace.document.nodes.keys() == {data}


def test_a_wire_drawn_backwards_is_fed_by_variables_too(qtbot: QtBot, finder: Finder, desk: Any) -> None:
    fc = desk.node("FullyConnected", "fc")
    finder.open_for(PLACE, LooseEnd(fc, 1, "input"))
    wait_for_all(qtbot, finder)
    assert VARIABLE in listed(finder)
    assert "Group" not in listed(finder)
    taken = choices(finder)
    qtbot.keyClicks(finder.line, "Variable")
    qtbot.keyClick(finder.line, Qt.Key.Key_Return)
    assert taken == [Choice(VARIABLE, opening=LooseEnd(fc, 1, "input"))]


def test_an_old_problem_elsewhere_does_not_refuse_everything(qtbot: QtBot, finder: Finder, desk: Any) -> None:
    desk.node("FullyConnected", "broken", {"num_hidden": "-1"})
    data = desk.node(VARIABLE, "data")
    finder.open_for(PLACE, LooseEnd(data, 0))
    wait_for_all(qtbot, finder)
    assert "FullyConnected" in listed(finder)


def test_the_popup_stays_on_the_screen(qtbot: QtBot, finder: Finder) -> None:
    screen = finder.screen().availableGeometry()
    finder.open_for(screen.bottomRight())
    assert screen.contains(finder.geometry())


COMMANDS = (
    Command("file.save", "Save", "Ctrl+S"),
    Command("edit.undo", "Undo", "Ctrl+Z", enabled=False),
    Command("executor.forward", "Run forward", "F5"),
    Command("view.fit", "Fit the view", "Home"),
)


@pytest.fixture
def commands(qtbot: QtBot, theming: Any) -> Iterator[CommandPalette]:
    """Return an open command palette."""
    made = CommandPalette(theming)
    qtbot.addWidget(made)
    made.open_with(COMMANDS, PLACE)
    yield made
    made.close()


def test_commands_show_their_keys_and_those_that_cannot_be_done_come_last(commands: CommandPalette) -> None:
    rows = commands.results.rows_model.rows
    assert [row.key for row in rows] == ["file.save", "executor.forward", "view.fit", "edit.undo"]
    assert [row.note for row in rows] == ["Ctrl+S", "F5", "Home", "Ctrl+Z"]


def test_a_command_is_found_by_any_of_its_words_and_run(qtbot: QtBot, commands: CommandPalette) -> None:
    qtbot.keyClicks(commands.line, "forw")
    with qtbot.waitSignal(commands.chosen) as chosen:
        qtbot.keyClick(commands.line, Qt.Key.Key_Return)
    assert chosen.args == ["executor.forward"]
    assert not commands.isVisible()


def test_a_command_that_cannot_be_done_is_not_run(qtbot: QtBot, commands: CommandPalette) -> None:
    taken: list[str] = []
    commands.chosen.connect(taken.append)
    qtbot.keyClicks(commands.line, "undo")
    qtbot.keyClick(commands.line, Qt.Key.Key_Return)
    assert taken == []
    assert commands.isVisible()


def test_with_a_wire_pointed_at_only_what_goes_between_is_listed(
    finder: Finder, desk: Any, qtbot: QtBot
) -> None:
    a, total = desk.node(VARIABLE, "a"), desk.node("elemwise_add", "total")
    wire = desk.wire(a, total, 0)
    finder.open_for(PLACE, OnWire(wire))
    assert finder.line.placeholderText() == "What goes between a and total?"
    wait_for_all(qtbot, finder)
    assert "tanh" in listed(finder) and VARIABLE not in listed(finder)
    taken = choices(finder)
    qtbot.keyClicks(finder.line, "tanh")
    qtbot.keyClick(finder.line, Qt.Key.Key_Return)
    assert taken == [Choice("tanh", opening=OnWire(wire))]


def test_the_question_keeps_up_while_the_finder_stays_open(finder: Finder, desk: Any, qtbot: QtBot) -> None:
    a, total = desk.node(VARIABLE, "a"), desk.node("elemwise_add", "total")
    wire = desk.wire(a, total, 0)
    finder.chosen.connect(
        lambda choice: desk.workspace.try_edit(put, choice.op, (0.0, 0.0), choice.opening, name="mid")
    )
    finder.open_for(PLACE, OnWire(wire))
    wait_for_all(qtbot, finder)
    qtbot.keyClicks(finder.line, "tanh")
    qtbot.keyClick(finder.line, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert finder.line.placeholderText() == "What goes between mid and total?"


def test_what_may_stand_for_an_operator_fits_its_wires_and_is_another_one(
    finder: Finder, desk: Any, qtbot: QtBot
) -> None:
    a, b, total = desk.node(VARIABLE, "a"), desk.node(VARIABLE, "b"), desk.node("elemwise_add", "total")
    desk.wire(a, total, 0)
    desk.wire(b, total, 1)
    finder.open_for(PLACE, InPlaceOf(total))
    assert finder.line.placeholderText() == "What takes the place of total?"
    wait_for_all(qtbot, finder)
    found = listed(finder)
    assert {"elemwise_mul", "Concat", "dot"} <= set(found)
    assert not {"elemwise_add", "tanh", VARIABLE, "Group"} & set(found)
    qtbot.keyClicks(finder.line, "tanh")
    assert finder.nothing.text() == "Nothing called “tanh” fits these wires."

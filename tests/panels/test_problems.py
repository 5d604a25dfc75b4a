"""The list of problems: what it says, how it counts, and where a click goes."""

from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from app.document.edits import set_param
from app.document.records import VARIABLE
from app.panels.panel import widgets_in
from app.panels.problems import Problems
from app.qt.theme import STEP
from app.qt.workspace import Workspace


@pytest.fixture
def problems(qtbot: QtBot, workspace: Workspace) -> Iterator[Problems]:
    """Return a problems list that can be seen."""
    made = Problems(workspace)
    qtbot.addWidget(made)
    made.resize(420, 240)
    made.show()
    yield made
    made.close()


def sentences(problems: Problems) -> list[str]:
    return [problem.sentence for problem in problems.list.problems_model.problems]


def test_an_empty_board_and_a_sound_one_get_a_kind_word(problems: Problems, desk: Any) -> None:
    assert "Nothing is on the board yet" in problems.words.text()
    desk.product()
    assert problems.words.text().startswith("No problems")
    assert problems.words.isVisible() and not problems.list.isVisible()
    assert problems.title == "Problems 0"


def test_open_shapes_are_told_as_what_is_still_needed(qtbot: QtBot, problems: Problems, desk: Any) -> None:
    titles: list[str] = []
    problems.count_changed.connect(lambda _: titles.append(problems.title))
    data, fc = desk.node(VARIABLE, "data"), desk.node("FullyConnected", "fc1")
    desk.wire(data, fc, 0)
    assert problems.list.isVisible() and problems.count == 0
    (sentence,) = sentences(problems)
    assert sentence.startswith(
        "Give data a shape, or values that have one: select it and fill in Shape or Value."
    )
    assert sentence.endswith("Until then fc1_weight stays open, too.")
    problems.visit_next()
    assert desk.workspace.store.selection == {data}
    desk.bind("data", shape=(0, 8))
    assert sentences(problems)[0].startswith("data is (?, 8) so far. Give data a shape")
    desk.bind("data", shape=(4, 8))
    assert problems.words.isVisible() and problems.words.text().startswith("No problems")
    assert titles[-2:] == ["Problems 0 · 1 needed", "Problems 0"]


def test_an_input_that_nothing_feeds_is_needed(problems: Problems, desk: Any) -> None:
    fc = desk.node("FullyConnected", "fc1")
    assert sentences(problems)[0].startswith(
        "Wire something to data of fc1, or give fc1_data a shape in the inspector. Until then fc1_weight"
    )
    desk.workspace.commit(set_param(desk.workspace.document, fc, "num_hidden", "many"))
    assert len(sentences(problems)) == problems.count == 1


def test_each_problem_is_listed_and_counted(qtbot: QtBot, problems: Problems, desk: Any) -> None:
    counts: list[int] = []
    problems.count_changed.connect(counts.append)
    fc = desk.node("FullyConnected", "fc1")
    desk.workspace.commit(set_param(desk.workspace.document, fc, "num_hidden", "many"))
    assert problems.count == 1 and problems.title == "Problems 1"
    assert "num_hidden" in sentences(problems)[0]
    assert problems.list.isVisible()
    desk.workspace.undo()
    assert problems.count == 0
    assert counts[-2:] == [1, 0]


def test_a_click_goes_to_the_node(qtbot: QtBot, problems: Problems, desk: Any) -> None:
    fc = desk.node("FullyConnected", "fc1")
    desk.workspace.commit(set_param(desk.workspace.document, fc, "num_hidden", "many"))
    place = problems.list.visualRect(problems.list.problems_model.index(0)).center()
    with qtbot.waitSignal(problems.go_to) as gone:
        qtbot.mouseClick(problems.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert gone.args[0].node == fc
    assert desk.workspace.store.selection == {fc}


def test_a_problem_of_a_wire_selects_the_wire(problems: Problems, desk: Any) -> None:
    data, fc = desk.node(VARIABLE, "data"), desk.node("elemwise_add", "sum")
    other = desk.node(VARIABLE, "other")
    desk.bind("data", shape=(2, 3))
    desk.bind("other", shape=(4, 5))
    desk.wire(data, fc, 0)
    wire = desk.wire(other, fc, 1)
    found = next(problem for problem in problems.list.problems_model.problems if problem.edge)
    problems.visit(found)
    assert desk.workspace.store.selection == {found.edge}
    assert wire in desk.workspace.document.edges


def test_next_goes_round(problems: Problems, desk: Any) -> None:
    nodes = []
    for name in ("a1", "a2"):
        nodes.append(desk.node("FullyConnected", name))
        desk.workspace.commit(set_param(desk.workspace.document, nodes[-1], "num_hidden", "0"))
    visited = []
    problems.go_to.connect(lambda problem: visited.append(problem.node))
    for step in (1, 1, 1, -1):
        problems.visit_next(step)
    assert visited == [nodes[0], nodes[1], nodes[0], nodes[1]]


def test_enter_goes_to_the_current_problem(qtbot: QtBot, problems: Problems, desk: Any) -> None:
    fc = desk.node("FullyConnected", "fc1")
    desk.workspace.commit(set_param(desk.workspace.document, fc, "num_hidden", "many"))
    problems.list.setCurrentIndex(problems.list.problems_model.index(0))
    with qtbot.waitSignal(problems.go_to):
        qtbot.keyClick(problems.list, Qt.Key.Key_Return)


def test_a_long_sentence_takes_more_lines_where_it_is_narrow(problems: Problems, desk: Any) -> None:
    fc = desk.node("FullyConnected", "a_rather_long_name_for_a_layer")
    desk.workspace.commit(set_param(desk.workspace.document, fc, "num_hidden", "many"))
    wide = problems.list.sizeHintForRow(0)
    problems.resize(160, 240)
    problems.list.doItemsLayout()
    assert problems.list.sizeHintForRow(0) > wide


def helping(problems: Problems) -> dict[str, QPushButton]:
    return {one.text(): one for one in widgets_in(problems.helps) if isinstance(one, QPushButton)}


def test_what_helps_against_the_current_problem_is_one_click_and_one_undo(
    problems: Problems, desk: Any
) -> None:
    first, second = desk.node("Activation", "bend"), desk.node("FullyConnected", "fc1")
    desk.workspace.try_edit(set_param, first, "act_type", "ReLU")
    desk.workspace.try_edit(set_param, second, "num_hidden", "-2")
    assert list(helping(problems)) == ["Set act_type of bend to relu"]
    problems.visit_next()
    problems.visit_next()
    assert list(helping(problems)) == ["Set num_hidden of fc1 to 1"]
    helping(problems)["Set num_hidden of fc1 to 1"].click()
    assert desk.param(second, "num_hidden") == "1"
    assert not desk.workspace.analysis.problems_at(second)
    desk.workspace.store.undo()
    assert desk.param(second, "num_hidden") == "-2"


def test_what_helps_stands_clear_of_the_edges_and_is_no_wider_than_its_words_need(
    problems: Problems, desk: Any
) -> None:
    problems.resize(900, 240)
    desk.workspace.try_edit(set_param, desk.node("Activation", "bend"), "act_type", "ReLU")
    QApplication.processEvents()
    (button,) = helping(problems).values()
    place = button.mapTo(problems, QPoint(0, 0))
    assert place.x() >= STEP
    assert place.y() + button.height() + STEP <= problems.height()
    assert button.width() < 600

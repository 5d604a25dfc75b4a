"""The inspector checks a gradient on a worker, says why it is there, and tells what nodes and the graph cost."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from app.engine.checking.checked import GradientCheck
from app.engine.operators.pairwise import SameShapes
from app.panels.amounts import seconds_text, time_text
from app.panels.inspector import Inspector
from app.panels.inspector.array_page import ArrayPage
from app.panels.inspector.check_card import CHECK, STOP
from app.qt.workspace import Workspace


@pytest.fixture
def inspector(qtbot: QtBot, workspace: Workspace) -> Iterator[Inspector]:
    """Return an inspector that can be seen."""
    made = Inspector(workspace)
    qtbot.addWidget(made)
    made.resize(304, 800)
    made.show()
    yield made
    made.close()


def gradient_page(inspector: Inspector) -> ArrayPage:
    inspector.choose_tab("Gradient")
    return inspector.array_page("Gradient")


def press(qtbot: QtBot, page: ArrayPage) -> Any:
    with qtbot.waitSignal(page.check.answered, timeout=10_000) as answered:
        page.check.button.click()
    return answered.args[0]


def test_a_gradient_is_checked_with_the_numbers_of_the_run(
    qtbot: QtBot, inspector: Inspector, desk: Any
) -> None:
    ids = desk.product()
    desk.workspace.select({ids["C"]})
    page = gradient_page(inspector)
    assert page.check.isHidden()
    desk.run("backward")
    assert page.check.isVisible() and page.check.button.text() == CHECK
    assert page.check.sentence.isHidden()
    found = press(qtbot, page)
    assert isinstance(found, GradientCheck) and found.agrees
    assert [element.analytic for element in found.elements] == [4.0]
    assert page.check.sentence.text() == found.sentence
    assert page.check.sentence.property("look") == "good"
    assert page.check.button.text() == CHECK


def test_a_wrong_gradient_is_told_with_its_worst_element(
    qtbot: QtBot, inspector: Inspector, desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = desk.product()
    desk.workspace.select({ids["C"]})
    page = gradient_page(inspector)
    desk.run("backward")
    right = SameShapes.backward_steps

    def wrong(self: SameShapes, flow: Any) -> list[Any]:
        return [*right(self, flow), *(partial(np.multiply, grad, 3, grad) for _, grad in flow.wanted)]

    monkeypatch.setattr(SameShapes, "backward_steps", wrong)
    found = press(qtbot, page)
    assert not found.agrees
    assert page.check.sentence.property("look") == "error"
    assert "disagrees" in page.check.sentence.text()
    grid = page.check._grid
    words = [grid.itemAtPosition(row, 0).widget().text() for row in range(grid.rowCount())]
    assert words == ["furthest apart", "backward", "differences", "moved by"]


def test_an_answer_goes_away_with_what_it_was_about(qtbot: QtBot, inspector: Inspector, desk: Any) -> None:
    ids = desk.product()
    desk.workspace.select({ids["C"]})
    page = gradient_page(inspector)
    desk.run("backward")
    press(qtbot, page)
    desk.workspace.select({ids["A"]})
    assert page.check.sentence.isHidden()
    press(qtbot, page)
    desk.run("backward")
    assert page.check.sentence.isHidden()


def test_what_cannot_be_checked_is_said(qtbot: QtBot, inspector: Inspector, desk: Any) -> None:
    ids = desk.product()
    desk.workspace.select({ids["E"]})
    page = gradient_page(inspector)
    desk.run("backward")
    press(qtbot, page)
    assert "handed in" in page.check.sentence.text()
    assert page.check.check is None


def test_a_check_can_be_given_up(qtbot: QtBot, inspector: Inspector, desk: Any) -> None:
    desk.open("digits-mlp")
    desk.workspace.select({desk.find("fc1")})
    page = gradient_page(inspector)
    desk.run("backward")
    page.check.button.click()
    assert page.check.button.text() == STOP
    page.check.button.click()
    assert page.check.button.text() == CHECK
    assert page.check.sentence.isHidden()
    assert isinstance(press(qtbot, page), GradientCheck)


def test_a_gradient_says_why_it_is_there(inspector: Inspector, desk: Any) -> None:
    ids = desk.product()
    desk.workspace.select({ids["C"]})
    page = gradient_page(inspector)
    desk.run("backward")
    assert page.why.text() == "d(C) is needed for d(A) and for d(B)."
    desk.workspace.select({ids["A"]})
    assert page.why.text() == "d(A) was asked for: it is written to its buffer."


def test_the_last_run_tells_its_times(inspector: Inspector, desk: Any) -> None:
    ids = desk.product()
    assert inspector.summary.cost.text() == "2 multiply-adds · 24\u00a0B for one forward"
    assert inspector.summary.times.isHidden()
    desk.workspace.select({ids["C"]})
    assert inspector.node_page.times.isHidden()
    desk.run("forward")
    assert inspector.node_page.times.text().endswith("forward in the last run")
    desk.run("backward")
    assert "backward in the last run" in inspector.node_page.times.text()
    desk.workspace.select(set())
    assert "backward in the last run" in inspector.summary.times.text()
    desk.run("step")
    assert inspector.summary.times.isHidden(), "a run that is gone through step by step has no time yet"
    desk.workspace.select({ids["C"]})
    assert inspector.node_page.times.isHidden()


def test_a_gradient_that_the_steps_have_not_come_to_is_said_to_come(inspector: Inspector, desk: Any) -> None:
    desk.open("executor-backward")
    desk.workspace.select({desk.find("A")})
    page = gradient_page(inspector)
    for words in ("Not computed yet", "Not computed yet", "Not computed yet", ""):
        desk.run("step")
        assert page.hint.text().startswith(words) and page.hint.isHidden() == (not words)
    desk.workspace.select({desk.find("B")})
    assert page.hint.text().startswith("Nobody asked for the gradient of B.")


@pytest.mark.parametrize(
    ("seconds", "text"), [(2.5, "2.5\u00a0s"), (0.0034, "3.4\u00a0ms"), (1.2e-5, "12\u00a0µs")]
)
def test_durations_are_written_short(seconds: float, text: str) -> None:
    assert seconds_text(seconds) == text
    assert time_text(seconds, None) == f"{text} forward"
    assert time_text(None, None) == ""

"""The line that says what a step did."""

from typing import Any

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QToolButton
from pytestqt.qtbot import QtBot

from app.panels.step_bar import StepBar
from app.qt.workspace import Workspace
from app.services.gallery import open_entry


def step(workspace: Workspace, qtbot: QtBot, way: str) -> None:
    with qtbot.waitSignal(workspace.results_changed, timeout=5000):
        getattr(workspace, way)()


def test_it_is_there_while_a_run_is_gone_through(desk: Any, qtbot: QtBot) -> None:
    workspace = desk.workspace
    workspace.live = False
    workspace.load(open_entry("executor-simple-bind"))
    bar = StepBar(workspace)
    qtbot.addWidget(bar)
    bar.resize(600, 40)
    assert not bar.isVisibleTo(None)
    step(workspace, qtbot, "step")
    assert bar.isVisible() and bar.place.text() == "Step 1 of 4 · forward"
    assert bar.sentence.text().startswith("fc1 = data · fc1_weightᵀ + fc1_bias: (100, 768)")
    assert bar.sentence.accessibleName().startswith("Step 1 of 4 · forward. fc1 = data")
    for _ in range(3):
        step(workspace, qtbot, "step")
    assert bar.place.text() == "Step 4 of 4 · backward" and bar.sentence.text().endswith("last step.")
    high = bar.sentence.height()
    step(workspace, qtbot, "step_back")
    assert bar.sentence.height() == high, "a shorter sentence moves nothing"
    step(workspace, qtbot, "stop")
    assert not bar.isVisible()


def test_a_narrow_one_writes_below_its_buttons_and_cuts_what_has_no_room(desk: Any, qtbot: QtBot) -> None:
    workspace = desk.workspace
    workspace.live = False
    workspace.load(open_entry("executor-simple-bind"))
    bar = StepBar(workspace)
    qtbot.addWidget(bar)
    for _ in range(4):
        step(workspace, qtbot, "step")
    whole = workspace.results.moment.sentence
    for width, is_whole in ((1200, True), (200, False), (1200, True)):
        bar.resize(width, bar.height())
        qtbot.waitUntil(lambda: (bar.sentence.x() < 40) != is_whole)  # noqa: B023
        assert (bar.sentence.text() == whole) == is_whole
        assert bar.sentence.text().endswith("…") != is_whole and bar.sentence.accessibleName().endswith(whole)
        line = bar.sentence.fontMetrics().lineSpacing()
        assert bar.sentence.heightForWidth(bar.sentence.width()) <= bar.sentence.height() <= 4 * line


def test_its_buttons_are_the_actions_it_is_given(desk: Any, qtbot: QtBot) -> None:
    bar = StepBar(desk.workspace)
    qtbot.addWidget(bar)
    action = QAction("Step", bar)
    bar.offer([action])
    (button,) = bar.findChildren(QToolButton)
    with qtbot.waitSignal(action.triggered):
        button.click()

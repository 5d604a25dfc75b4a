"""A teacher goes through a picture with F10 before a class: by keys alone, through the real program."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QToolButton
from pytestqt.qtbot import QtBot

from app.qt.stepping import AT_THE_END, ENDED_BY_EDIT
from app.shell.workbench import Workbench
from tests.journeys.test_first_light import Person, executor_number, open_example
from tests.moving import moving

SHIFT = Qt.KeyboardModifier.ShiftModifier


class Teacher(Person):
    """Somebody who steps."""

    def key(
        self, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier, *, to: int
    ) -> None:
        """Press a key and wait until the run is shown after so many steps."""
        self.press(self.bench.window, key, modifier)
        self.wait(lambda: self.at == to)

    @property
    def at(self) -> int | None:
        results = self.bench.workspace.results
        return results.moment.at if results is not None and results.moment is not None else None

    @property
    def sentence(self) -> str:
        bar = self.parts.step_bar
        return bar.sentence.text() if bar.isVisible() else ""

    def numbers(self) -> tuple[str, ...]:
        """What both graphs say: C and E on the board, d(C) and d(A) among the arrays."""
        return (
            *(self.shown(name) for name in "CE"),
            *(executor_number(self, name) for name in ("d(C)", "d(A)")),
        )


@pytest.fixture
def teacher(bench: Workbench, qtbot: QtBot) -> Teacher:
    """Return a teacher before the start page, whose picture has just been opened and run."""
    bench.window.resize(1440, 900)
    return Teacher(bench, qtbot)


def test_f10_goes_through_the_gradient_picture_and_back(teacher: Teacher) -> None:
    open_example(teacher, "executor-backward")
    assert teacher.shown("E") == "20", "Live has run it"

    told = {
        1: ("C = A · B = 10 · 1 = 10.", ("10", "", "", "")),
        2: ("E = C · D = 10 · 2 = 20. Forward is done, backward comes next.", ("10", "20", "", "")),
        3: ("d(C) = d(E) · D = 2 · 2 = 4.", ("10", "20", "4", "")),
        4: ("d(A) = d(C) · B = 4 · 1 = 4. That was the last step.", ("10", "20", "4", "4")),
    }
    for at, (sentence, numbers) in told.items():
        teacher.key(Qt.Key.Key_F10, to=at)
        assert (teacher.sentence, teacher.numbers()) == (sentence, numbers)
    teacher.press(teacher.bench.window, Qt.Key.Key_F10)
    assert teacher.bench.status_line.message == AT_THE_END

    for at in (3, 2, 1):
        teacher.key(Qt.Key.Key_F10, SHIFT, to=at)
        assert (teacher.sentence, teacher.numbers()) == told[at]
    teacher.key(Qt.Key.Key_F10, SHIFT, to=0)
    assert teacher.sentence == "Nothing is computed yet. The first step computes C."
    assert teacher.numbers() == ("", "", "", "")
    assert not teacher.bench.actions["step_back"].isEnabled()

    stop = teacher.bench.actions["stop"]
    buttons = [one for one in teacher.bench.window.findChildren(QToolButton) if one.defaultAction() is stop]
    assert len(buttons) == 2
    teacher.wait(lambda: all(button.isEnabled() for button in buttons))
    teacher.press(teacher.bench.window, Qt.Key.Key_F5, SHIFT)
    teacher.wait(lambda: not any(button.isEnabled() for button in buttons))
    assert teacher.at is None and teacher.sentence == "" and teacher.shown("E") == "20"


def test_f9_marks_a_node_and_f5_and_f6_pause_before_it(teacher: Teacher) -> None:
    open_example(teacher, "executor-backward")
    teacher.click(teacher.place_of("E"))
    teacher.wait(teacher.bench.actions["breakpoint"].isEnabled)
    teacher.press(teacher.board, Qt.Key.Key_F9)
    assert set(teacher.board.board_scene.marks.breakpoints) == {teacher.node("E")}
    assert "breakpoint" in teacher.board.accessibleDescription()

    teacher.key(Qt.Key.Key_F5, to=1)
    assert teacher.numbers() == ("10", "", "", "")
    assert teacher.bench.status_line.message == "Paused before E."
    teacher.key(Qt.Key.Key_F6, to=2)
    teacher.key(Qt.Key.Key_F10, to=3)
    teacher.key(Qt.Key.Key_F5, to=4)
    assert teacher.numbers() == ("10", "20", "4", "4")

    teacher.press(teacher.board, Qt.Key.Key_F9)
    assert not teacher.board.board_scene.marks.breakpoints
    teacher.press(teacher.bench.window, Qt.Key.Key_F6)
    teacher.wait(lambda: teacher.at is None and teacher.numbers() == ("10", "20", "4", "4"))


def test_an_edit_ends_it_with_a_word_and_live_runs_again(teacher: Teacher) -> None:
    open_example(teacher, "executor-backward")
    teacher.key(Qt.Key.Key_F10, to=1)
    teacher.bind_number("A", "3")
    assert teacher.at is None and teacher.sentence == ""
    assert teacher.bench.status_line.message == ENDED_BY_EDIT
    teacher.wait(lambda: teacher.shown("E") == "6")


def test_a_net_with_batchnorm_and_dropout_gives_what_backward_gives(teacher: Teacher) -> None:
    workspace = teacher.bench.workspace
    teacher.new_board()
    workspace.live = False
    workspace.load(moving())
    teacher.wait(teacher.bench.actions["backward"].isEnabled)
    teacher.press(teacher.bench.window, Qt.Key.Key_F6)
    teacher.wait(lambda: workspace.results is not None)
    plain = workspace.results

    workspace.load(moving())
    assert plain is not None and workspace.results is None
    at, last = 0, len([step for step in plain.plan.steps if step.nodes])
    while at < last:
        teacher.key(Qt.Key.Key_F10, to=at + 1)
        teacher.key(Qt.Key.Key_F10, SHIFT, to=at)
        teacher.key(Qt.Key.Key_F10, to=at + 1)
        at += 1
    assert workspace.results is not None and "That was the last step." in teacher.sentence
    for node in plain.executor_graph.nodes:
        np.testing.assert_array_equal(
            plain.exec_value(node.index),  # type: ignore[arg-type]
            workspace.results.exec_value(node.index),  # type: ignore[arg-type]
        )

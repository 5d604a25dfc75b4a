"""Stepping in a window: forth and back, breakpoints, and what ends it."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from app.document.edits import move, set_binding, set_options
from app.document.records import Binding
from app.qt.stepping import AT_THE_BEGINNING, AT_THE_END, ENDED, ENDED_BY_EDIT
from app.qt.workspace import Workspace
from app.services.gallery import open_entry
from app.services.running import Results
from tests.moving import moving


@pytest.fixture
def workspace(qtbot: QtBot, theming: Any, settings: Any) -> Iterator[Workspace]:
    """Return a workspace with a picture of the tutorial, A · B · D with the gradient of A, and Live off."""
    settings.live = False
    made = Workspace(theming, settings)
    made.load_engine()
    made.load(open_entry("executor-backward"))
    yield made
    made.shutdown()


class Walker:
    """Does things with a workspace and waits for what comes of them."""

    def __init__(self, workspace: Workspace, qtbot: QtBot) -> None:
        self.workspace, self._qtbot = workspace, qtbot
        self.said: list[str] = []
        workspace.message.connect(self.said.append)

    def do(self, *names: str) -> "Walker":
        for name in names:
            with self._qtbot.waitSignal(self.workspace.results_changed, timeout=5000):
                getattr(self.workspace, name)()
        return self

    @property
    def results(self) -> Results:
        assert self.workspace.results is not None
        return self.workspace.results

    @property
    def at(self) -> int | None:
        """After how many steps the run is shown, None where it is not gone through."""
        return self.results.moment.at if self.results.moment is not None else None

    def number(self, name: str) -> float | None:
        array = self.results.by_node(self.id(name))
        return None if array is None else float(array.item())

    def id(self, name: str) -> str:
        return next(node.id for node in self.workspace.document.nodes.values() if node.name == name)

    def mark(self, *names: str) -> None:
        self.workspace.toggle_breakpoints([self.id(name) for name in names])


@pytest.fixture
def walker(workspace: Workspace, qtbot: QtBot) -> Walker:
    """Return somebody who walks."""
    return Walker(workspace, qtbot)


def test_steps_go_through_forward_and_backward_to_the_end_and_say_so(walker: Walker) -> None:
    shown = []
    for _ in range(4):
        walker.do("step")
        shown.append((walker.at, walker.number("C"), walker.number("E")))
    assert shown == [(1, 10, None), (2, 10, 20), (3, 10, 20), (4, 10, 20)]
    assert walker.results.argument_gradient("A") == 4
    walker.workspace.step()
    assert walker.said == [AT_THE_END] and walker.at == 4


def test_one_goes_back_to_the_beginning_and_forth_again(walker: Walker) -> None:
    walker.do("step", "step", "step_back")
    assert (walker.at, walker.number("C"), walker.number("E")) == (1, 10, None)
    walker.do("step_back")
    assert (walker.at, walker.number("C")) == (0, None)
    assert not walker.workspace.can_step_back
    walker.workspace.step_back()
    assert walker.said == [AT_THE_BEGINNING]
    assert walker.do("step", "step").number("E") == 20


def test_without_a_run_there_is_nothing_to_go_back_to(walker: Walker) -> None:
    assert not walker.workspace.can_step_back
    walker.workspace.step_back()
    assert not walker.workspace.is_stepping and walker.workspace.results is None


def test_steps_asked_for_faster_than_they_are_taken_are_all_taken(walker: Walker, qtbot: QtBot) -> None:
    for _ in range(3):
        walker.workspace.step()
    qtbot.waitUntil(lambda: walker.workspace.results is not None and walker.at == 3, timeout=5000)
    assert walker.number("E") == 20


def test_forward_and_backward_pause_before_a_breakpoint_and_go_on(walker: Walker) -> None:
    walker.mark("E")
    assert walker.said.pop() == "Forward and Backward pause before E."
    walker.do("forward")
    assert (walker.at, walker.number("C"), walker.number("E")) == (1, 10, None)
    assert walker.said.pop() == "Paused before E."
    walker.do("backward")
    assert (walker.at, walker.number("E")) == (2, 20), "E comes once more, on the way back"
    walker.do("step")
    assert walker.at == 3
    walker.do("forward")
    assert walker.at == 4 and walker.results.argument_gradient("A") == 4


def test_a_breakpoint_before_the_very_first_step_holds(walker: Walker) -> None:
    walker.mark("C")
    assert walker.do("forward").at == 0
    walker.mark("C")
    assert walker.do("forward").at == 2, "to the end of forward, since the breakpoint is gone"
    assert walker.do("step").at == 3


def test_a_run_that_meets_no_breakpoint_is_a_plain_one(walker: Walker) -> None:
    walker.mark("A")
    assert walker.do("forward").at is None and not walker.workspace.is_stepping
    assert walker.do("backward").at == 3, "before the gradient of A"


def test_going_on_after_going_back_pauses_where_it_did_before(walker: Walker) -> None:
    walker.do("step", "step", "step", "step", "step_back", "step_back", "step_back", "step_back")
    walker.mark("E")
    assert [walker.do("backward").at for _ in range(3)] == [1, 2, 4]


def test_after_the_end_forward_runs_once_more(walker: Walker) -> None:
    walker.do("step", "step", "step", "step", "forward")
    assert walker.at is None and walker.results.stage == "forward" and walker.number("E") == 20


def test_stop_ends_it_and_shows_what_there_was_before(walker: Walker) -> None:
    walker.do("forward")
    before = walker.results
    walker.do("step", "stop")
    assert walker.results is before and walker.workspace.results_are_current
    assert not walker.workspace.is_stepping and walker.said == [ENDED]
    walker.workspace.stop()
    assert walker.said == [ENDED], "there is nothing to end any more"


def test_what_was_old_before_is_old_again(walker: Walker) -> None:
    walker.do("forward")
    walker.workspace.commit(set_binding(walker.workspace.document, Binding("A", "constant", "3", (1,))))
    assert walker.do("step").workspace.results_are_current and walker.number("C") == 3
    assert not walker.do("stop").workspace.results_are_current and walker.number("C") == 10


def test_a_live_run_that_was_given_up_for_a_step_is_made_up_for(walker: Walker, qtbot: QtBot) -> None:
    walker.do("forward")
    walker.workspace.live = True
    walker.workspace.commit(set_binding(walker.workspace.document, Binding("A", "constant", "3", (1,))))
    walker.do("step")
    assert walker.number("C") == 3 and walker.at == 1
    walker.do("stop")
    qtbot.waitUntil(lambda: walker.workspace.results_are_current, timeout=5000)
    assert walker.at is None and walker.number("E") == 6


def test_stop_after_the_last_step_keeps_the_run(walker: Walker) -> None:
    walker.do("step", "step", "step", "step", "step_back", "stop")
    assert walker.at is None and walker.results.argument_gradient("A") == 4


def test_an_edit_ends_it_in_plain_words(walker: Walker) -> None:
    walker.do("step")
    edit = set_binding(walker.workspace.document, Binding("A", "constant", "3", (1,)))
    walker.workspace.commit(edit)
    assert not walker.workspace.is_stepping and walker.said == [ENDED_BY_EDIT]
    assert walker.workspace.results is None, "nothing was run before"
    assert walker.do("step").number("C") == 3


def test_an_edit_while_a_step_is_being_taken_ends_it_too(walker: Walker, qtbot: QtBot) -> None:
    walker.do("forward")
    walker.workspace.step()
    walker.workspace.try_edit(set_options, seed=9)
    assert walker.said == [ENDED_BY_EDIT] and walker.at is None
    qtbot.waitUntil(lambda: not walker.workspace.is_running)
    assert walker.at is None and not walker.workspace.results_are_current


def test_moving_a_node_ends_nothing(walker: Walker) -> None:
    walker.do("step")
    walker.workspace.commit(move(walker.workspace.document, {walker.id("A"): (500.0, 0.0)}))
    assert walker.workspace.is_stepping and walker.workspace.results_are_current
    assert walker.do("step").number("E") == 20


def test_another_document_has_neither_steps_nor_breakpoints(walker: Walker) -> None:
    walker.do("step")
    walker.mark("C")
    walker.workspace.load(open_entry("executor-forward"))
    assert not walker.workspace.is_stepping and walker.workspace.breakpoints == frozenset()
    assert ENDED_BY_EDIT not in walker.said


def test_what_can_not_be_bound_is_said_and_nothing_is_gone_through(walker: Walker, qtbot: QtBot) -> None:
    binding = Binding("A", "file", "missing.npy")
    walker.workspace.commit(set_binding(walker.workspace.document, binding))
    with qtbot.waitSignal(walker.workspace.message, timeout=5000):
        walker.workspace.step()
    assert "missing.npy" in walker.said[-1] and not walker.workspace.is_stepping


def test_a_breakpoint_is_a_toggle_for_all_that_are_selected(walker: Walker) -> None:
    walker.mark("C")
    walker.mark("C", "E")
    assert walker.workspace.breakpoints == {walker.id("C"), walker.id("E")}
    walker.mark("C", "E")
    assert walker.workspace.breakpoints == frozenset()
    assert walker.said[-1] == "Forward and Backward no longer pause before 2 nodes."


def test_states_and_random_numbers_are_those_of_a_plain_run(walker: Walker) -> None:
    walker.workspace.load(moving())
    walker.do("backward")
    plain = walker.results
    walker.workspace.load(moving())
    walker.do("step", "step", "step", "step_back", "step_back", "step")
    while walker.results.moment is None or walker.results.moment.next is not None:
        walker.do("step")
    walker.do("step_back", "step")
    for node in plain.executor_graph.nodes:
        np.testing.assert_array_equal(plain.exec_value(node.index), walker.results.exec_value(node.index))  # type: ignore[arg-type]
    walker.do("stop", "backward")
    mean = walker.results.argument("bn2_moving_mean")
    assert not np.array_equal(mean, plain.argument("bn2_moving_mean")), "the next run goes on from there"  # type: ignore[arg-type]

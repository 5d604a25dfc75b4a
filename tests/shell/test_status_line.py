"""The numbers at the lower edge, and the sentences beside them."""

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.document.edits import add_node, connect, set_binding
from app.document.records import VARIABLE, Binding
from app.engine.backends.computing import is_installed
from app.shell.status_line import counted, duration
from app.shell.workbench import Workbench


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (2.1e-5, "21 µs"),
        (4e-7, "0.4 µs"),
        (0.0017, "1.7 ms"),
        (0.0123, "12 ms"),
        (2.44, "2.4 s"),
        (75.0, "75 s"),
    ],
)
def test_times_are_short(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(("number", "words"), [(0, "0 nodes"), (1, "1 node"), (4538, "4,538 nodes")])
def test_counts_have_their_plural(number: int, words: str) -> None:
    assert counted(number, "node") == words


def test_a_weight_that_two_layers_share_is_counted_once(bench: Workbench) -> None:
    bench.actions.trigger("new")
    workspace = bench.workspace
    ids = {}
    for name, op, params in (
        ("data", VARIABLE, None),
        ("w", VARIABLE, None),
        ("one", "FullyConnected", {"num_hidden": "4", "no_bias": "True"}),
        ("two", "FullyConnected", {"num_hidden": "4", "no_bias": "True"}),
    ):
        ids[name] = workspace.try_edit(add_node, op, (0.0, 0.0), name=name, params=params).node_id
    for source, target, number in (("data", "one", 0), ("w", "one", 1), ("one", "two", 0), ("w", "two", 1)):
        workspace.try_edit(connect, ids[source], 0, ids[target], number)
    assert "· 0 parameters ·" in bench.status_line.numbers
    workspace.try_edit(set_binding, Binding("data", shape=(2, 4)))

    assert "· 16 parameters ·" in bench.status_line.numbers


def test_numbers_of_an_older_document_say_so(bench: Workbench, qtbot: QtBot) -> None:
    bench.files.open_gallery("executor-backward")
    qtbot.waitUntil(lambda: bench.workspace.results_are_current, timeout=5000)
    bench.actions.trigger("live")
    bench.workspace.try_edit(set_binding, Binding("A", "constant", "3"))

    assert "before the last edit" in bench.status_line.numbers
    bench.actions.trigger("forward")
    qtbot.waitUntil(lambda: bench.workspace.results_are_current, timeout=5000)
    assert "before the last edit" not in bench.status_line.numbers


def test_a_click_on_the_numbers_shows_the_problems(bench: Workbench, qtbot: QtBot) -> None:
    bench.actions.trigger("new")
    bench.docks["problems"].hide()
    assert not bench.docks.is_shown("problems")
    qtbot.waitUntil(bench.status_line.isVisible)
    qtbot.mouseClick(bench.status_line, Qt.MouseButton.LeftButton, pos=bench.status_line.rect().center() / 4)

    assert bench.docks.is_shown("problems")


def test_what_cannot_be_run_is_told_and_stays_readable(bench: Workbench, qtbot: QtBot) -> None:
    bench.actions.trigger("new")
    bench.workspace.try_edit(add_node, "FullyConnected", (0.0, 0.0), name="fc")
    with qtbot.waitSignal(bench.workspace.message, timeout=5000):
        bench.actions.trigger("forward")

    assert "fc_data" in bench.status_line.message and "still open" in bench.status_line.message


def test_a_long_message_keeps_its_beginning_in_sight_and_stands_longer(
    bench: Workbench, qtbot: QtBot
) -> None:
    line = bench.status_line
    bench.workspace.message.emit("Short.")
    short = line._timer.interval()
    sentence = "Binding this takes more memory than is free. " * 12
    bench.workspace.message.emit(sentence)
    shown = line._message.text()
    qtbot.waitUntil(line.isVisible)
    assert line.message == sentence and sentence in line._message.toolTip()
    assert shown.startswith("Binding this takes") and shown.endswith("…")
    assert line._message.fontMetrics().horizontalAdvance(shown) <= line._message.width()
    assert line._timer.interval() > 2 * short


@pytest.mark.skipif(not is_installed("torch"), reason="PyTorch is not installed")
def test_another_library_than_numpy_is_named_and_chosen_in_the_menu(bench: Workbench, qtbot: QtBot) -> None:
    bench.files.open_gallery("executor-backward")
    qtbot.waitUntil(lambda: bench.workspace.results is not None)
    assert bench.actions["compute_numpy"].isChecked() and "PyTorch" not in bench.status_line.numbers
    bench.actions.trigger("compute_torch")
    assert bench.settings.computing == "torch:cpu"
    qtbot.waitUntil(lambda: "with PyTorch" in bench.status_line.numbers, timeout=60_000)
    assert bench.actions["compute_torch"].isChecked()
    bench.actions.trigger("compute_numpy")
    assert bench.settings.computing == "numpy"

"""The program as a whole: how large it is shown, and how it starts."""

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtCore import QTimer
from pytestqt.qtbot import QtBot

from app.document.edits import add_node
from app.document.records import VARIABLE
from app.shell.application import Application, size_factor
from app.shell.workbench import Workbench


@pytest.mark.parametrize(
    ("size", "given", "factor"),
    [
        (100, None, None),
        (100, "2", None),
        (150, None, "1.5"),
        (125, "2", "2.5"),
        (200, "nonsense", "2"),
    ],
)
def test_the_size_of_everything_multiplies_what_the_environment_says(
    settings: Any, size: int, given: str | None, factor: str | None
) -> None:
    settings.size = size

    assert size_factor(settings, {} if given is None else {"QT_SCALE_FACTOR": given}) == factor


def test_the_size_is_chosen_in_the_menu_and_holds_from_the_next_start(bench: Workbench) -> None:
    bench.actions.trigger("size_150")

    assert bench.settings.size == 150 and bench.actions["size_150"].isChecked()
    assert "next start" in bench.status_line.message


def run(code: str) -> str:
    answer = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "QT_LOGGING_RULES": "*=false"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return answer.stdout.strip()


def test_the_first_paint_waits_for_nothing_heavy() -> None:
    code = (
        "import sys; from app.shell.application import time_first_window; time_first_window(); "
        "heavy = ('numpy', 'networkx', 'pyqtgraph', 'attrs', 'psygnal', 'app.engine', 'app.canvas', 'app.panels'); "
        "print([name for name in heavy if name in sys.modules])"
    )

    assert run(code) == "[]"


def test_plots_are_not_loaded_before_anybody_looks_at_one() -> None:
    code = (
        "import sys; from app.shell.application import time_ready_window; seconds = time_ready_window(); "
        "print(seconds > 0, 'numpy' in sys.modules, 'pyqtgraph' in sys.modules)"
    )

    assert run(code) == "True True False"


def test_a_window_that_is_closed_before_it_is_full_leaves_nothing(
    application: Application, qtbot: QtBot
) -> None:
    window = application.open_window()
    with qtbot.waitSignal(window.first_painted, timeout=10_000):
        pass
    bench = application.benches[0]
    window.close()

    assert not bench.is_ready
    assert application.windows == [] and application.benches == []


def test_a_fault_in_the_window_opens_the_dialog_and_keeps_the_document(
    application: Application, bench: Workbench, qtbot: QtBot
) -> None:
    bench.actions.trigger("new")
    bench.workspace.try_edit(add_node, VARIABLE, (0.0, 0.0), name="A")
    drawn = bench.workspace.document
    assert application.crash_handler is not None

    def fail() -> None:
        raise LookupError("a fault of ours")

    QTimer.singleShot(0, fail)
    qtbot.waitUntil(lambda: application.crash_handler.dialog is not None)
    dialog = application.crash_handler.dialog
    assert dialog is not None and "LookupError: a fault of ours" in dialog.report
    assert bench.workspace.document is drawn and bench.workspace.store.can_undo
    dialog.accept()
    assert application.crash_handler.dialog is None


def test_a_fault_of_the_worker_reaches_the_same_dialog(
    application: Application, bench: Workbench, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object, **_settings: object) -> Iterator[object]:
        raise LookupError("a fault of the engine")
        yield

    monkeypatch.setattr("app.services.running.run_to", fail)
    bench.files.open_gallery("executor-backward")
    assert application.crash_handler is not None
    qtbot.waitUntil(lambda: application.crash_handler.dialog is not None, timeout=5000)
    dialog = application.crash_handler.dialog
    assert dialog is not None and "a fault of the engine" in dialog.report
    dialog.accept()
    assert not bench.workspace.is_running
    assert len(bench.workspace.document.nodes) == 5

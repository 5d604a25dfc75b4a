"""What every test stands on: no display, settings of its own, and nothing left behind.

A test that opens a window takes its look and its settings from the fixtures here, so that no test reads or writes what
the user of the machine has. pytest-qt fails a test in which Qt complains or a slot raises (see pyproject.toml).
"""

import gc
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

# Two slow cores are no reason to fail.
hypothesis_settings.register_profile("project", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.register_profile(
    "ci", parent=hypothesis_settings.get_profile("project"), derandomize=True
)  # the same examples each time: a red run there is somebody's change
hypothesis_settings.load_profile("ci" if os.environ.get("CI") else "project")


@pytest.fixture(autouse=True)
def _user_files(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the files of the machine's user out of every test, and the tests out of them."""
    folder = tmp_path_factory.mktemp("user")
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(folder))
    if "PySide6.QtCore" in sys.modules:
        from PySide6.QtCore import QSettings

        QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(folder))


@pytest.fixture
def settings(tmp_path: Path) -> Any:
    """Return settings in a fresh file."""
    from app.qt.settings import Settings

    return Settings(tmp_path / "settings.ini")


@pytest.fixture
def theming(qapp: Any, settings: Any) -> Iterator[Any]:
    """Return a theming over fresh settings, in the light theme."""
    from app.qt.theme import Theming

    settings.theme = "light"
    made = Theming(qapp, settings)
    yield made
    made.setParent(None)
    made.deleteLater()


@pytest.fixture(autouse=True)
def _cycles_die_in_the_main_thread(request: pytest.FixtureRequest) -> Iterator[None]:
    """Do what app.qt.collector does in the program, once after each test that has to do with Qt.

    What was there before is left out: pytest keeps tens of thousands of tests and reports, which would take a second.
    """
    if "qapp" not in request.fixturenames:
        yield
        return
    gc.disable()
    gc.freeze()
    yield
    gc.collect()
    gc.enable()


@pytest.fixture(autouse=True)
def _nothing_left_behind() -> Iterator[None]:
    """Fail a test that leaves a thread running or a window open."""
    threads = set(threading.enumerate())
    yield
    _delete_what_waits()
    left = [
        thread
        for thread in threading.enumerate()
        if thread not in threads
        and thread.name != "second half"  # app.engine.kernels.crew keeps it on purpose
    ]
    for thread in left:
        thread.join(2.0)
    problems = [f"the thread {thread.name} still runs" for thread in left if thread.is_alive()]
    problems += _open_windows()
    if problems:
        pytest.fail("; ".join(problems), pytrace=False)


def _delete_what_waits() -> None:
    if "PySide6.QtWidgets" in sys.modules:
        from PySide6.QtCore import QCoreApplication, QEvent

        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def _open_windows() -> list[str]:
    if "PySide6.QtWidgets" not in sys.modules:
        return []
    from PySide6.QtWidgets import QApplication

    windows = [widget for widget in QApplication.topLevelWidgets() if widget.isVisible()]
    for widget in windows:
        widget.hide()
        widget.deleteLater()
    return [f"the window {window.windowTitle() or type(window).__name__} is still open" for window in windows]

"""Windows for the tests of the shell."""

from collections.abc import Iterator
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from app.shell.main_window import MainWindow
from app.shell.workbench import Workbench
from tests.windows import answers, application, bench

__all__ = ["answers", "application", "bench", "empty_bench"]


@pytest.fixture
def empty_bench(qtbot: QtBot, theming: Any, settings: Any) -> Iterator[Workbench]:
    """Return a window with its menus, toolbar and docks, as it is before the engine is there."""
    window = MainWindow(settings)
    bench = Workbench(window, theming, settings, lambda: None)
    yield bench
    bench.close_down()
    window.hide()
    window.deleteLater()

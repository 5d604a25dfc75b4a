"""Builds each object of the program once and hands it on.

Nothing of Qt is imported with this module, so that the time to the first window can be measured from its own start.
"""

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from app.qt.collector import Collector
    from app.qt.settings import Settings
    from app.qt.theme import Theming
    from app.shell.crash import CrashHandler
    from app.shell.main_window import MainWindow
    from app.shell.workbench import Workbench

NAME = "Chalkgraph"
DESKTOP_FILE = "chalkgraph"
NEIGHBOUR_STEP = 32
SCALE_VARIABLE = "QT_SCALE_FACTOR"


class Application:
    """The running program: settings, theme, windows, and the handler for faults."""

    def __init__(self, qt: "QApplication", settings: "Settings") -> None:
        self.qt = qt
        self.settings = settings
        self.windows: list[MainWindow] = []
        self.benches: list[Workbench] = []
        self.theming: Theming | None = None
        self.crash_handler: CrashHandler | None = None
        self.collector: Collector | None = None
        qt.setApplicationName(NAME)
        qt.setApplicationDisplayName(NAME)
        qt.setDesktopFileName(DESKTOP_FILE)

    def open_window(self, path: Path | None = None) -> "MainWindow":
        """Show an empty window at once, and furnish it as soon as it is painted."""
        from app.shell.main_window import MainWindow

        window = MainWindow(self.settings)
        if self.windows:
            window.stand_beside(self.windows[-1], NEIGHBOUR_STEP)
        self.windows.append(window)
        window.closed.connect(self._on_closed)
        window.first_painted.connect(lambda: self.furnish(window, path))
        window.show()
        return window

    def furnish(self, window: "MainWindow", path: Path | None = None) -> "Workbench":
        """Put menus, toolbar, views and panels into an empty window, and open a document in it."""
        from app.shell.workbench import Workbench

        bench = Workbench(window, self._dressed(), self.settings, self.open_window)
        self.benches.append(bench)
        bench.filled.connect(self._wear_icon)
        if path is not None:
            bench.open(path)
        bench.load()
        return bench

    def close_down(self) -> None:
        """Give back what was taken from Python and Qt for the time of the run."""
        if self.crash_handler is not None:
            self.crash_handler.uninstall()
        if self.collector is not None:
            self.collector.uninstall()

    def _dressed(self) -> "Theming":
        """Return the theme, put on with the first window; the handler for faults and the collector come with it."""
        if self.theming is None:
            from app.qt.collector import Collector
            from app.qt.theme import Theming
            from app.shell.crash import CrashHandler

            self.theming = Theming(self.qt, self.settings)
            self.crash_handler = CrashHandler(self._tell, self._rescue)
            self.crash_handler.install()
            self.collector = Collector(self.qt)
            self.collector.install()
        return self.theming

    @property
    def bench(self) -> "Workbench | None":
        """The workbench that was used last."""
        active = self.qt.activeWindow()
        for bench in self.benches:
            if bench.window is active:
                return bench
        return self.benches[-1] if self.benches else None

    def _tell(self, sentence: str) -> None:
        if self.bench is not None:
            self.bench.workspace.message.emit(sentence)

    def _rescue(self) -> bool:
        return self.bench is not None and self.bench.files.save_copy()

    def _on_closed(self, window: "MainWindow") -> None:
        self.windows.remove(window)
        self.benches = [bench for bench in self.benches if bench.window is not window]
        window.deleteLater()

    def _wear_icon(self) -> None:
        from app.qt.icons import application_icon

        if self.qt.windowIcon().isNull():
            self.qt.setWindowIcon(application_icon())


def main(path: str | None = None) -> int:
    """Open the window and return the exit code once the last one is closed."""
    application = _start()
    application.open_window(Path(path) if path is not None else None)
    try:
        return int(application.qt.exec())
    finally:
        application.close_down()


def time_first_window() -> float:
    """Open the window, and return the seconds from this call until it was painted for the first time."""
    start = time.perf_counter()
    application = _start()
    window = application.open_window()
    window.first_painted.disconnect()
    window.first_painted.connect(application.qt.quit)
    application.qt.exec()
    return time.perf_counter() - start


def time_ready_window() -> float:
    """Open the window, and return the seconds from this call until everything in it can be used."""
    start = time.perf_counter()
    application = _start()
    window = application.open_window()
    seconds = 0.0

    def stop() -> None:
        nonlocal seconds
        seconds = time.perf_counter() - start
        application.qt.quit()

    window.first_painted.connect(lambda: application.benches[0].filled.connect(stop))
    application.qt.exec()
    application.close_down()
    return seconds


def size_factor(settings: "Settings", environment: Mapping[str, str]) -> str | None:
    """Return what Qt is told about the size of everything, None where nobody asked for another one.

    A factor that the environment gives already comes on top.
    """
    from app.qt.settings import USUAL_SIZE

    if settings.size == USUAL_SIZE:
        return None
    try:
        given = float(environment.get(SCALE_VARIABLE, "1"))
    except ValueError:
        given = 1.0
    return f"{given * settings.size / USUAL_SIZE:g}"


def _start() -> Application:
    from PySide6.QtWidgets import QApplication

    from app.qt.settings import Settings

    settings = Settings()
    factor = size_factor(settings, os.environ)
    if factor is not None:
        os.environ[SCALE_VARIABLE] = factor  # Qt reads it once, before there is any window
    qt = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(qt, QApplication), "a window needs an application for widgets"
    return Application(qt, settings)

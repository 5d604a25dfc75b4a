"""How long until the first window stands, against a bare PySide6 window.

All are started in fresh processes, in turns, so that a change of the machine's mood meets each of them. A window stands
when it has been painted for the first time. The third time is not part of that: it is the time until menus, board and
panels are there and the engine is loaded.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Final

BARE: Final = """
import os
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QMainWindow

class Window(QMainWindow):
    def paintEvent(self, event):
        super().paintEvent(event)
        QTimer.singleShot(0, application.quit)

application = QApplication([])
window = Window()
window.resize(1440, 900)
window.show()
application.exec()
"""
PROGRAM: Final = """
import os
import app.cli
from app.shell import application, display
display.why_no_display()
application.{clock}()
"""
SAY_SO: Final = """
print("ready", flush=True)
os._exit(0)
"""
CODES: Final = (
    BARE + SAY_SO,
    PROGRAM.format(clock="time_first_window") + SAY_SO,
    PROGRAM.format(clock="time_ready_window") + SAY_SO,
)


def measure_start(rounds: int) -> Iterator[list[float]]:
    """Yield for every round how long a bare window, our first window and our whole window took."""
    surroundings = dict(os.environ, QT_LOGGING_RULES="*=false")
    if sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        surroundings["QT_QPA_PLATFORM"] = "offscreen"
    for code in CODES:
        seconds_until_ready(code, surroundings)
    for _ in range(rounds):
        yield [seconds_until_ready(code, surroundings) for code in CODES]


def seconds_until_ready(code: str, surroundings: dict[str, str]) -> float:
    """Return how long a fresh process takes from its start to the word that its window stands."""
    before = time.perf_counter()
    command = [sys.executable, "-P", "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=surroundings) as child:
        assert child.stdout is not None
        line = child.stdout.readline()
        seconds = time.perf_counter() - before
    if line != "ready\n":
        raise SystemExit(f"The window did not open (exit code {child.returncode}).")
    return seconds

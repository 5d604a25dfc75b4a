"""How long until the first window stands, against a bare PySide6 window.

    python3 start.py bench start [--rounds N]

All are started in fresh processes, in turns, so that a change of the machine's mood meets each of them. A window stands
when it has been painted for the first time. Prints the medians and the ratio of the first two; the goal is 1.5. The
third line is not part of that: it is the time until menus, board and panels are there and the engine is loaded.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from typing import Final

GOAL: Final = 1.5
ROUNDS: Final = 11

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


def seconds_until_ready(code: str) -> float:
    """Return how long a fresh process takes from its start to the word that its window stands."""
    before = time.perf_counter()
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        line = child.stdout.readline()
        seconds = time.perf_counter() - before
    if line != "ready\n":
        raise SystemExit(f"The window did not open (exit code {child.returncode}).")
    return seconds


def main() -> None:
    """Measure in turns and print what came out."""
    parser = argparse.ArgumentParser(description="Time the first window against a bare PySide6 window.")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    rounds = parser.parse_args().rounds
    if sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    os.environ["QT_LOGGING_RULES"] = "*=false"
    for code in CODES:
        seconds_until_ready(code)
    measured = [[seconds_until_ready(code) for code in CODES] for _ in range(rounds)]
    bare, first, ready = (statistics.median(column) for column in zip(*measured, strict=True))
    print(f"a bare PySide6 window is painted   {bare * 1000:6.0f} ms")
    print(f"Chalkgraph's window is painted     {first * 1000:6.0f} ms")
    print(f"everything in it can be used       {ready * 1000:6.0f} ms")
    print(
        f"ratio of the first two             {first / bare:6.2f}  (medians of {rounds} rounds; the goal is {GOAL})"
    )


if __name__ == "__main__":
    main()

"""How long until the first window stands, against a bare PySide6 window.

    python3 start.py bench start [--rounds N]

Both are started in fresh processes, in turns, so that a change of the machine's mood meets both. A window stands when
its first picture has been painted. Prints the medians and their ratio; the goal is 1.5.
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

# Both children paint one window and then say so. The program's own event loop is replaced by "paint, say so, leave".
FIRST_PICTURE: Final = """
def first_picture(*_):
    from PySide6.QtWidgets import QApplication
    application = QApplication.instance()
    for _ in range(3):
        application.processEvents()
    if not any(window.isVisible() for window in application.topLevelWidgets()):
        raise SystemExit("no window is open")
    print("ready", flush=True)
    os._exit(0)
"""
BARE: Final = f"""
import os
from PySide6.QtWidgets import QApplication, QMainWindow
{FIRST_PICTURE}
application = QApplication([])
window = QMainWindow()
window.resize(1280, 800)
window.show()
first_picture()
"""
PROGRAM: Final = f"""
import os, sys
from PySide6.QtWidgets import QApplication
{FIRST_PICTURE}
QApplication.exec = first_picture
from app.cli import main
raise SystemExit(main([]))
"""


def seconds_until_ready(code: str) -> float:
    """Return how long a fresh process takes from its start to its first picture."""
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
    for code in (BARE, PROGRAM):
        seconds_until_ready(code)
    pairs = [(seconds_until_ready(BARE), seconds_until_ready(PROGRAM)) for _ in range(rounds)]
    bare, program = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(after / before for before, after in pairs)
    print(f"bare PySide6 window  {bare * 1000:6.0f} ms")
    print(f"Chalkgraph's window  {program * 1000:6.0f} ms")
    print(f"ratio                {ratio:6.2f}  (median of {rounds} pairs; the goal is {GOAL})")


if __name__ == "__main__":
    main()

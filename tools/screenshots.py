"""Takes the pictures of the documentation from the real window.

    python3 start.py pictures [FOLDER]

Opens documents of the gallery, runs them, and saves what the window shows; without a folder into docs/images.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs
from PySide6.QtCore import QDeadlineTimer, QEventLoop
from PySide6.QtWidgets import QApplication

from app.qt.settings import GraphView, Settings, ThemeChoice
from app.shell.application import Application

if TYPE_CHECKING:
    from app.shell.workbench import Workbench

TARGET: Final = Path(__file__).resolve().parents[1] / "docs" / "images"
SIZE: Final = (1440, 900)
WAIT_MS: Final = 30_000


@attrs.frozen
class Shot:
    """One picture: a document of the gallery (none: the start page), what is selected in it, and how it is shown.

    `panel` is the one that stands in front below.
    """

    name: str
    document: str = ""
    select: str = ""
    view: GraphView = "split"
    theme: ThemeChoice = "light"
    panel: str = "code"


SHOTS: Final = (
    Shot("start"),
    Shot("window", "executor-backward", select="C"),
    Shot("window-dark", "executor-backward", select="C", theme="dark"),
    Shot("model", "digits-convnet", select="fc1", view="symbol"),
    Shot("executor", "digits-convnet", select="conv1", view="executor"),
    Shot("memory", "digits-convnet", select="relu1", panel="memory"),
)


def wait(done: Callable[[], bool], what: str) -> None:
    """Let the window live until something is done."""
    deadline = QDeadlineTimer(WAIT_MS)
    while not done():
        if deadline.hasExpired():
            raise SystemExit(f"Waited in vain for {what}.")
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents, 50)


def settle() -> None:
    """Let everything that is due be painted."""
    deadline = QDeadlineTimer(600)
    while not deadline.hasExpired():
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 50)


def take(bench: "Workbench", shot: Shot, folder: Path) -> None:
    """Bring the window to where the picture wants it, and save what it shows."""
    bench.theming.choose(shot.theme)
    if shot.document:
        workspace = bench.workspace
        bench.files.open_gallery(shot.document)
        bench.show_view(shot.view)
        bench.docks.show(shot.panel)
        workspace.backward()
        wait(lambda: workspace.results is not None and not workspace.is_running, f"{shot.document} to run")
        nodes = workspace.document.nodes
        workspace.select({key for key, node in nodes.items() if node.name == shot.select})
    settle()
    bench.window.grab().save(str(folder / f"{shot.name}.png"))
    print(folder / f"{shot.name}.png")


def main() -> None:
    """Take every picture."""
    parser = argparse.ArgumentParser(description="Take the pictures of the documentation.")
    parser.add_argument("folder", nargs="?", type=Path, default=TARGET)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    os.environ["QT_LOGGING_RULES"] = "*=false"
    with tempfile.TemporaryDirectory() as settings:
        application = Application(QApplication(sys.argv[:1]), Settings(Path(settings) / "settings.ini"))
        window = application.open_window()
        window.resize(*SIZE)
        wait(lambda: bool(application.benches) and application.benches[0].is_ready, "the window")
        for shot in SHOTS:
            take(application.benches[0], shot, folder)
        application.benches[0].workspace.store.mark_saved()
        window.close()
        application.close_down()


if __name__ == "__main__":
    main()

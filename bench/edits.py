"""How long the window takes for an edit of ResNet-152, and how long the layout of 1,000 operators takes.

An edit takes from its commit until the event loop has nothing left to do and the board is painted again: that long a
person waits, and the event loop does nothing else. What a worker does meanwhile is not part of it.
"""

import os
import sys
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from bench.timing import Prepared, Timed, calls, median_of_each

if TYPE_CHECKING:
    from app.document.changes import Transaction
    from app.document.records import Document, Id
    from app.shell.workbench import Workbench

Edit = Callable[["Document"], "Transaction"]

EDITS = 3
"""Of each kind in one turn, and as many from far away."""
PAUSE_S = 0.25
"""Before each, so that what follows the last one after a pause does not fall into it."""
WAIT_S = 60.0
MIDDLE = "stage3_unit18_conv2"
OPERATORS = 1000


def prepare_edits(folder: Path) -> Prepared:
    """Open ResNet-152 in the real window, to edit a convolution in its middle seen from far and from near."""
    from app.document.edits import move, rename, set_param

    bench = _window(folder)
    key = _open_model(bench)
    x, y = bench.workspace.document.nodes[key].position
    numbers = count(1)
    kinds: dict[str, Edit] = {
        "edit setting": lambda now: set_param(now, key, "num_filter", str(300 + next(numbers))),
        "edit place": lambda now: move(now, {key: (x + 8 * (next(numbers) % 9), y)}),
        "edit name": lambda now: rename(now, key, f"conv_{next(numbers)}"),
    }
    return Prepared({work: _timed(bench, edit) for work, edit in kinds.items()})


def prepare_layout() -> Prepared:
    """Lay out a residual net of 1,000 operators from scratch."""
    from app.engine import Variable, sym
    from app.services.arrange import arrange
    from app.services.import_symbol import document_from_symbol

    flow = Variable("data")
    for number in range(OPERATORS // 4):
        bent = sym.Activation(
            sym.BatchNorm(flow, name=f"norm{number}"), act_type="relu", name=f"relu{number}"
        )
        flow = flow + sym.Convolution(bent, kernel=(3, 3), pad=(1, 1), num_filter=8, name=f"conv{number}")
    document = document_from_symbol(flow, title="layout")
    return Prepared({"layout": calls(lambda: arrange(document))})


def _window(folder: Path) -> "Workbench":
    """Open the window; it goes with the process."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    os.environ["QT_LOGGING_RULES"] = "*=false"
    from PySide6.QtWidgets import QApplication

    from app.qt.settings import Settings
    from app.shell.application import Application

    application = Application(QApplication(sys.argv[:1]), Settings(folder / "settings.ini"))
    application.open_window().resize(1440, 900)
    end = time.perf_counter() + WAIT_S
    while not (application.benches and application.benches[0].is_ready):
        if time.perf_counter() > end:
            raise SystemExit("The window did not open.")
        _rest(0.05)
    return application.benches[0]


def _open_model(bench: "Workbench") -> "Id":
    """Show ResNet-152 with the shape of its data, and return the convolution in its middle, selected."""
    from app.document.edits import set_binding
    from app.document.records import Binding
    from app.services.import_symbol import document_from_symbol
    from bench.nets import resnet152

    workspace = bench.workspace
    workspace.live = False
    document = document_from_symbol(resnet152().symbol, title="ResNet-152")
    workspace.load(set_binding(document, Binding("data", shape=(1, 3, 224, 224))).apply(document))
    bench.show_view("symbol")
    bench.show_document()
    key = next(key for key, node in document.nodes.items() if node.name == MIDDLE)
    workspace.select({key})
    _rest(2.0)
    return key


def _timed(bench: "Workbench", edit: Edit) -> Timed:
    def measure(_: float) -> dict[str, float]:
        found = []
        for look in (bench.board.fit, bench.board.fit_selection):
            look()
            found.append(median_of_each(_prepared(bench, edit) for _ in range(EDITS)))
        medians, longest = zip(*found, strict=True)
        return {"seconds": max(medians), "longest": max(longest)}

    return measure


def _prepared(bench: "Workbench", edit: Edit) -> Callable[[], None]:
    """Return the edit as a call, when the window has come to rest."""
    from PySide6.QtWidgets import QApplication

    _rest(PAUSE_S)
    transaction = edit(bench.workspace.document)

    def commit() -> None:
        bench.workspace.commit(transaction)
        QApplication.processEvents()  # what was put off to the next turn of the loop, and painting
        QApplication.processEvents()  # and what that has put off

    return commit


def _rest(seconds: float) -> None:
    """Let everything be done that is due in so many seconds."""
    from PySide6.QtWidgets import QApplication

    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        QApplication.processEvents()
        time.sleep(0.005)

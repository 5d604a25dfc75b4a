"""The last resort for a fault of the program: say so, offer a report to copy, and keep the document.

An EngineError is a message for people and is shown as one; everything else that nobody caught ends here.
"""

import platform
import sys
import threading
import traceback
from collections.abc import Callable
from types import TracebackType

from PySide6.QtCore import QObject, Qt, Signal, qVersion
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QPlainTextEdit, QVBoxLayout, QWidget

from app.engine.errors import EngineError

MOST_FAULTS_SHOWN = 3


def report_of(error: BaseException) -> str:
    """Return the text that somebody who mends the fault needs: what happened where, and the versions."""
    trace = "".join(traceback.format_exception(error)).rstrip()
    versions = f"Python {platform.python_version()}, Qt {qVersion()}, {platform.platform()}"
    return f"Chalkgraph fault report\n{versions}\n\n{trace}\n"


class CrashDialog(QDialog):
    """Says that something went wrong, and that the document is still there; the report can be copied."""

    def __init__(
        self, report: str, rescue: Callable[[], object] | None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("A fault in Chalkgraph")
        self.setWindowModality(Qt.WindowModality.ApplicationModal)
        self.report = report
        words = QLabel(
            "Something went wrong inside Chalkgraph. That is a fault of the program, not yours. "
            "Your document is still open as it was; saving a copy now is a good idea."
        )
        words.setWordWrap(True)
        text = QPlainTextEdit(report)
        text.setReadOnly(True)
        text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        text.setAccessibleName("Fault report")
        buttons = QDialogButtonBox()
        self.copy_button = buttons.addButton("Copy report", QDialogButtonBox.ButtonRole.ActionRole)
        self.copy_button.clicked.connect(self.copy)
        if rescue is not None:
            save = buttons.addButton("Save a copy…", QDialogButtonBox.ButtonRole.ActionRole)
            save.clicked.connect(lambda _checked: rescue())
        carry_on = buttons.addButton("Carry on", QDialogButtonBox.ButtonRole.AcceptRole)
        carry_on.setDefault(True)
        buttons.accepted.connect(self.accept)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 24, 24, 16)
        layout.setSpacing(16)
        for widget in (words, text, buttons):
            layout.addWidget(widget)
        self.resize(640, 400)

    def copy(self) -> None:
        """Put the report on the clipboard."""
        QGuiApplication.clipboard().setText(self.report)
        self.copy_button.setText("Copied")


class CrashHandler(QObject):
    """Takes every exception that nobody caught, from any thread, and shows it once in the window's thread."""

    caught = Signal(object)

    def __init__(
        self,
        tell: Callable[[str], None],
        rescue: Callable[[], object] | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._tell = tell
        self._rescue = rescue
        self._reports: set[str] = set()
        self._dialog: CrashDialog | None = None
        self._hooks = (sys.excepthook, threading.excepthook)
        self.caught.connect(self.handle)

    def install(self) -> None:
        """Become Python's handler for whatever nobody caught."""
        sys.excepthook = self._on_exception
        threading.excepthook = lambda args: self.caught.emit(args.exc_value)

    def uninstall(self) -> None:
        """Give the places back to whoever had them before."""
        sys.excepthook, threading.excepthook = self._hooks

    @property
    def dialog(self) -> CrashDialog | None:
        """The dialog that is open now, if one is."""
        return self._dialog

    def handle(self, error: BaseException) -> None:
        """Show an error: as a sentence if it is meant for people, else as a fault with its report."""
        if isinstance(error, EngineError):
            self._tell(str(error))
            return
        report = report_of(error)
        sys.stderr.write(report)
        if self._dialog is not None or report in self._reports or len(self._reports) >= MOST_FAULTS_SHOWN:
            self._tell("Something went wrong again inside Chalkgraph; your document is still open.")
            return
        self._reports.add(report)
        self._dialog = CrashDialog(report, self._rescue)
        self._dialog.finished.connect(self._on_closed)
        self._dialog.open()

    def _on_closed(self, _result: int) -> None:
        if self._dialog is not None:
            self._dialog.deleteLater()
            self._dialog = None

    def _on_exception(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            self._hooks[0](kind, error, trace)
            return
        self.caught.emit(error)

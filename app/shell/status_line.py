"""The status line: the document in a few numbers on the left, and what was just said on the right."""

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QStatusBar, QWidget

from app.engine.backends.computing import NUMPY
from app.panels.panel import ElidedLabel
from app.qt.workspace import Workspace

if TYPE_CHECKING:
    from app.document.analysis import Analysis
    from app.document.store import Update
    from app.services.running import Progress

MESSAGE_MS = 8000
READING_MS = 90
"""For each character; few read more slowly."""
NOTICE_MS = 2500
DOT = " · "
LEARNED = ("weight", "bias")


def counted(number: int, thing: str) -> str:
    """Return a number with its noun: "1 node", "4,538 parameters"."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def duration(seconds: float) -> str:
    """Return a time as people read it: "21 µs", "1.7 ms", "2.4 s"."""
    for unit, name in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if seconds >= unit:
            amount = seconds / unit
            return f"{amount:.0f} {name}" if amount >= 10 else f"{amount:.1f} {name}"
    return f"{seconds * 1e6:.1f} µs"


def parameter_count(analysis: "Analysis") -> int:
    """Count the numbers that could be learned: those of every argument that feeds a weight or a bias."""
    graph, inference = analysis.graph, analysis.inference
    if graph is None or inference is None:
        return 0
    total = 0
    for index in graph.arguments:
        roles = {graph.nodes[node].operator.ports[port].role for node, port in graph.consumers[index]}  # type: ignore[union-attr]
        if roles & set(LEARNED):
            size = 1
            for length in inference.shape((index, 0)):
                size *= length
            total += size if inference.shape((index, 0)) else 0
    return total


class StatusLine(QStatusBar):
    """Says how big the document is, how it ran, and whether it is saved; a message stands beside for a while."""

    problems_clicked = Signal()

    def __init__(self, workspace: Workspace, parent: QWidget) -> None:
        super().__init__(parent)
        self.setSizeGripEnabled(False)
        self._workspace = workspace
        self._progress = ""
        self._numbers = QLabel()
        self._numbers.setProperty("look", "muted")
        self._numbers.setContentsMargins(8, 0, 8, 0)
        self._message = ElidedLabel()
        self._message.setProperty("look", "muted")
        self._message.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._message.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._message.setContentsMargins(8, 0, 8, 0)
        self.addWidget(self._numbers)
        self.addWidget(self._message, 1)
        self._timer = QTimer(self, singleShot=True, interval=MESSAGE_MS)
        self._timer.timeout.connect(lambda: self.say(""))
        self._calm = QTimer(self, singleShot=True, interval=NOTICE_MS)
        self._calm.timeout.connect(lambda: self._dress("muted"))
        workspace.message.connect(self.say)
        workspace.document_changed.connect(self._forget)
        workspace.run_progressed.connect(self._show_progress)
        workspace.run_state_changed.connect(self._end_progress)
        for signal in (workspace.analysis_changed, workspace.results_changed, workspace.run_state_changed):
            signal.connect(self.refresh)

    @property
    def message(self) -> str:
        """The message that stands there now."""
        return self._message.whole

    @property
    def numbers(self) -> str:
        """The line about the document."""
        return self._numbers.text()

    def say(self, sentence: str) -> None:
        """Show a sentence for a while, a long one for longer."""
        self._message.set_whole(sentence)
        self._timer.setInterval(max(MESSAGE_MS, READING_MS * len(sentence)))
        self._dress("notice" if sentence and not self._progress else "muted")
        if sentence:
            self._timer.start()
            self._calm.start()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go to the problems when the numbers are clicked."""
        if self._numbers.geometry().contains(event.position().toPoint()):
            self.problems_clicked.emit()
        super().mousePressEvent(event)

    def _forget(self, update: "Update") -> None:
        """Let an edit end what was said before it; what the edit itself has to say comes after it."""
        if update.origin != "load" and self.message and self.message != self._progress:
            self.say("")

    def refresh(self, *_news: object) -> None:
        """Count again."""
        self._numbers.setText(DOT.join(self._parts()))

    def _dress(self, look: str) -> None:
        """Let a new message stand out for a moment, since nobody looks at the corner of a window."""
        if self._message.property("look") != look:
            self._message.setProperty("look", look)
            self._message.style().unpolish(self._message)
            self._message.style().polish(self._message)

    def _show_progress(self, progress: "Progress") -> None:
        self._progress = f"{progress.phase.capitalize()}: {progress.done} of {progress.total} steps"
        self.say(self._progress)

    def _end_progress(self, state: str) -> None:
        if state == "idle" and self._progress:
            if self.message == self._progress:
                self.say("")
            self._progress = ""

    def _parts(self) -> list[str]:
        workspace = self._workspace
        document, analysis = workspace.document, workspace.analysis
        parts = [counted(len(document.nodes), "node")]
        if analysis is not None:
            parts.append(counted(len(analysis.problems), "problem"))
            parts.append(counted(parameter_count(analysis), "parameter"))
        parts.append(self._ran())
        parts.append(f"seed {document.options.seed}")
        parts.append("unsaved" if workspace.store.is_modified else "saved" if workspace.path else "")
        return [part for part in parts if part]

    def _ran(self) -> str:
        workspace = self._workspace
        if workspace.is_running and (workspace.results is None or workspace.results.seconds > 0.05):
            return "running"
        if workspace.results is None:
            return "not run yet"
        if workspace.results.stage == "bound":
            return "bound" if workspace.results_are_current else "bound before the last edit"
        words = f"ran in {duration(workspace.results.seconds)}"
        computing = workspace.results.computing
        if computing.backend != NUMPY:
            words += f" with {computing.title}"
        return words if workspace.results_are_current else f"{words} before the last edit"

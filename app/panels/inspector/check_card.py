"""The button that checks a gradient against finite differences, and what came out."""

from collections.abc import Generator
from threading import Event

from PySide6.QtCore import Signal
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QGridLayout, QPushButton, QVBoxLayout, QWidget

from app.engine.checking.checked import Checked, CheckedElement, GradientCheck
from app.engine.errors import EngineError
from app.engine.graph import Entry
from app.panels.inspector.statistics import number_text
from app.panels.panel import Look, empty, label, set_look
from app.qt.runner import Runner
from app.qt.theme import HALF_STEP, STEP
from app.services.running import Results

CHECK, STOP = "Check gradient", "Stop checking"
DIGITS = 7


class CheckCard(QWidget):
    """Checks the gradient of one array on a worker, which ends with the card's being seen."""

    answered = Signal(object)
    """The `GradientCheck` that is shown, or the `EngineError` that says why there is none."""

    def __init__(self) -> None:
        super().__init__()
        self._results: Results | None = None
        self._entry: Entry | None = None
        self._runner: Runner | None = None
        self.check: GradientCheck | None = None
        self.button = QPushButton(CHECK)
        self.button.setToolTip("Compare this gradient with finite differences, in double precision.")
        self.button.clicked.connect(self._press)
        self.sentence = label("", wrap=True)
        self.notes = label("", "muted", wrap=True)
        self._worst = QWidget()
        self._grid = QGridLayout(self._worst)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(STEP)
        self._grid.setVerticalSpacing(HALF_STEP)
        self._grid.setColumnStretch(1, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(STEP)
        for part in (self.button, self.sentence, self._worst, self.notes):
            layout.addWidget(part)
        self._clear()

    def show_source(self, results: Results, entry: Entry) -> None:
        """Stand ready for the gradient of an array; what was said of another one goes away."""
        if (results, entry) != (self._results, self._entry):
            self.shut_down()
            self._results, self._entry = results, entry
            self._clear()

    def hideEvent(self, event: QHideEvent) -> None:
        """Give up checking: nobody could see what comes out."""
        super().hideEvent(event)
        self.shut_down()

    def shut_down(self) -> None:
        """End the worker, if there is one."""
        if self._runner is not None:
            self._runner.shutdown()
            self._runner = None
            self._clear()

    # -- checking

    def _press(self) -> None:
        if self._runner is not None and self._runner.is_running:
            self.shut_down()
            return
        self._start()

    def _start(self) -> None:
        results, entry = self._results, self._entry
        if results is None or entry is None:
            return
        if self._runner is None:
            self._runner = Runner(self)
            self._runner.progressed.connect(self._on_progress)
            self._runner.finished.connect(self._on_finished)
            self._runner.failed.connect(self._on_failed)

        def job(cancel: Event) -> Generator[object, None, object]:
            return (yield from results.check_gradient(entry, cancel))

        self._clear()
        self.button.setText(STOP)
        self._say("Moving one element after the other …", "muted")
        self._runner.start(job)

    def _on_progress(self, event: object) -> None:
        if isinstance(event, Checked) and self.check is None:
            self._say(f"{event.done} of {event.total} elements tried …", "muted")

    def _on_finished(self, found: GradientCheck) -> None:
        self.button.setText(CHECK)
        self.check = found
        self._say(found.sentence, "good" if found.agrees else "error")
        if found.worst is not None:
            self._show_worst(found.worst)
        self.notes.setText(" ".join(found.notes))
        self.notes.setVisible(bool(found.notes))
        self.answered.emit(found)

    def _on_failed(self, refusal: EngineError) -> None:
        self.button.setText(CHECK)
        self._say(str(refusal), "muted")
        self.answered.emit(refusal)

    # -- saying it

    def _clear(self) -> None:
        self.check = None
        self.button.setText(CHECK)
        for part in (self.sentence, self._worst, self.notes):
            part.hide()

    def _say(self, words: str, look: Look) -> None:
        self.sentence.setText(words)
        set_look(self.sentence, look)
        self.sentence.show()

    def _show_worst(self, worst: CheckedElement) -> None:
        empty(self._grid)
        place = f"[{', '.join(map(str, worst.place))}]" if worst.place else "the one number"
        lines = (
            ("furthest apart", place),
            ("backward", number_text(worst.analytic, DIGITS)),
            ("differences", number_text(worst.numeric, DIGITS)),
            ("moved by", f"± {number_text(worst.step, 2)}"),
        )
        for number, (what, value) in enumerate(lines):
            self._grid.addWidget(label(what, "muted"), number, 0)
            self._grid.addWidget(label(value, "mono"), number, 1)
        self._worst.show()

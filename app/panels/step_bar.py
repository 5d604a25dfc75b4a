"""The line under the graphs while a run is gone through step by step: where one is, and what has just happened."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAccessible, QAccessibleEvent, QAction, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget

from app.panels.panel import Panel
from app.qt import fonts
from app.qt.theme import GAP, HALF_STEP, STEP

if TYPE_CHECKING:
    from app.qt.workspace import Workspace
    from app.services.moments import Moment
    from app.services.running import Results

LARGER = 2
"""By how many pixels the sentence is larger than other words: it is read aloud in class."""
LEAST_LINES, MOST_LINES = 2, 4
BESIDE = 640
"""From so many pixels on the sentence has room beside the buttons."""
SIGNS = (
    "Ring: computed last. Dashed ring: computed next. Pale band: read. Tick: done, two of them forward and backward.\n"
    "Dashed and pale: not computed yet. Octagon: a breakpoint."
)


class StepBar(Panel):
    """Shows one sentence, with buttons beside it for the next step, the one before and the end."""

    def __init__(self, workspace: "Workspace", parent: QWidget | None = None) -> None:
        super().__init__(workspace, parent)
        self.setAccessibleName("Stepping")
        self.setToolTip(SIGNS)
        self.setAccessibleDescription(SIGNS)
        self._height = 0
        self._whole = ""
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(HALF_STEP)
        self.place = QLabel()
        self.place.setProperty("look", "muted")
        self.sentence = QLabel()
        self.sentence.setTextFormat(Qt.TextFormat.PlainText)
        self.sentence.setWordWrap(True)
        self.sentence.setFont(fonts.text_font(fonts.BODY + LARGER))
        self.sentence.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.sentence.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._front = QHBoxLayout()
        self._front.setSpacing(GAP)
        self._front.addLayout(self._buttons)
        self._front.addWidget(self.place, 1)
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._row.setContentsMargins(GAP, STEP, GAP, STEP)
        self._row.addLayout(self._front)
        self._row.addWidget(self.sentence, 1)
        self.hide()
        workspace.results_changed.connect(self._on_results)

    def offer(self, actions: Iterable[QAction]) -> None:
        """Put buttons for these actions in front."""
        for action in actions:
            button = QToolButton()
            button.setDefaultAction(action)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
            button.setIconSize(QSize(16, 16))
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            self._buttons.addWidget(button)

    def _on_results(self, results: "Results | None") -> None:
        moment = results.moment if results is not None else None
        if moment is not None:
            self._tell(moment)
        else:
            self._height = 0
        self.setVisible(moment is not None)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the sentence under the buttons where there is little room beside them, and cut it anew."""
        super().resizeEvent(event)
        directions = QBoxLayout.Direction
        is_wide = self.width() >= BESIDE
        self._row.setDirection(directions.LeftToRight if is_wide else directions.TopToBottom)
        self._row.setSpacing(GAP if is_wide else HALF_STEP)
        if event.size().width() != event.oldSize().width():
            self._height = 0
            self._write()

    def _write(self) -> None:
        """Write the sentence, or its beginning, in few lines.

        The bar grows with the longest sentence and does not shrink again, so that the graphs above stay where they are.
        """
        room = self._room()
        line = self.sentence.fontMetrics().lineSpacing()
        words = self._whole.split(" ")
        count = len(words)
        while True:
            self.sentence.setText(" ".join(words[:count]) + ("" if count == len(words) else " …"))
            needed = self.sentence.heightForWidth(room)
            if needed <= MOST_LINES * line or count < 2:
                break
            count -= 1
        self.sentence.setToolTip("" if count == len(words) else self._whole)
        self._height = max(self._height, LEAST_LINES * line, min(needed, MOST_LINES * line))
        self.sentence.setFixedHeight(self._height)

    def _room(self) -> int:
        """Return how wide the sentence may be."""
        if self.width() < BESIDE:
            return self.width() - 2 * GAP
        beside = self._front.sizeHint().width()
        return self.width() - 3 * GAP - beside

    def _tell(self, moment: "Moment") -> None:
        passed = moment.current.phase if moment.current is not None else "forward"
        self.place.setText(f"Step {moment.at} of {moment.total} · {passed}")
        self._whole = moment.sentence
        self._write()
        self.sentence.setAccessibleName(f"{self.place.text()}. {moment.sentence}")
        QAccessible.updateAccessibility(QAccessibleEvent(self.sentence, QAccessible.Event.Alert))

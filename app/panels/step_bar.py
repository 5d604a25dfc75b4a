"""The line under the graphs while a run is gone through step by step: where one is, and what has just happened."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAccessible, QAccessibleEvent, QAction, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget

from app.panels.panel import Panel
from app.qt import fonts
from app.qt.theme import GAP, HALF_STEP, STEP

if TYPE_CHECKING:
    from app.qt.workspace import Workspace
    from app.services.moments import Moment
    from app.services.running import Results

LARGER = 2
"""By how many pixels the sentence is larger than other words: it is read aloud in class."""
LEAST_LINES = 2


class StepBar(Panel):
    """Shows one sentence, with buttons beside it for the next step, the one before and the end."""

    def __init__(self, workspace: "Workspace", parent: QWidget | None = None) -> None:
        super().__init__(workspace, parent)
        self.setAccessibleName("Stepping")
        self._height = 0
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
        row = QHBoxLayout(self)
        row.setContentsMargins(GAP, STEP, GAP, STEP)
        row.setSpacing(GAP)
        row.addLayout(self._buttons)
        row.addWidget(self.place)
        row.addWidget(self.sentence, 1)
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
        """Take the room that the sentence needs in another width."""
        super().resizeEvent(event)
        self._keep_height()

    def _keep_height(self) -> None:
        """Grow with the longest sentence and do not shrink again, so that the graphs above stay where they are."""
        lines = LEAST_LINES * self.sentence.fontMetrics().lineSpacing()
        needed = self.sentence.heightForWidth(self.sentence.width())
        self._height = max(self._height, lines, needed)
        self.sentence.setMinimumHeight(self._height)

    def _tell(self, moment: "Moment") -> None:
        passed = moment.current.phase if moment.current is not None else "forward"
        self.place.setText(f"Step {moment.at} of {moment.total} · {passed}")
        self.sentence.setText(moment.sentence)
        self.sentence.setAccessibleName(f"{self.place.text()}. {moment.sentence}")
        self._keep_height()
        QAccessible.updateAccessibility(QAccessibleEvent(self.sentence, QAccessible.Event.Alert))

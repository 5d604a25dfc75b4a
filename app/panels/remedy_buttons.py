"""What helps against problems, each a button that does it."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QPushButton, QSizePolicy, QWidget

from app.panels.panel import label
from app.qt.workspace import Workspace

if TYPE_CHECKING:
    from app.document.analysis import Analysis
    from app.document.drawing import DocumentProblem
    from app.document.remedies import Remedy


LEAST_WIDTH = 120


class WrappingButton(QPushButton):
    """A button that breaks its words into lines where they have no room in one, as names may be long."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words
        self.setAccessibleName(words)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def minimumSizeHint(self) -> QSize:
        """Be content with the width of a few words."""
        return QSize(LEAST_WIDTH, self.heightForWidth(max(self.width(), LEAST_WIDTH)))

    def heightForWidth(self, width: int) -> int:
        """Return the height of so many lines as the words take."""
        return self._frame().height() + self.fontMetrics().lineSpacing() * len(self._lines(width))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Break the words anew for another width."""
        super().resizeEvent(event)
        text = "\n".join(self._lines(self.width())).replace("&", "&&")
        if text != self.text():
            self.setText(text)

    def _frame(self) -> QSize:
        """Return how much larger the button is than its words."""
        words = self.fontMetrics().size(Qt.TextFlag.TextShowMnemonic, self.text())
        return super().sizeHint() - words

    def _lines(self, width: int) -> list[str]:
        metrics, room = self.fontMetrics(), width - self._frame().width()
        lines: list[str] = []
        for word in self.words.split():
            longer = f"{lines[-1]} {word}" if lines else word
            if lines and metrics.horizontalAdvance(longer) <= room:
                lines[-1] = longer
            else:
                lines.append(metrics.elidedText(word, Qt.TextElideMode.ElideMiddle, room))
        return lines


def remedy_parts(
    workspace: Workspace, analysis: "Analysis", problems: "Iterable[DocumentProblem]"
) -> list[QWidget]:
    """Return a heading and a button for each edit that helps against one of the problems; nothing where none does."""
    from app.document.remedies import remedies  # the engine is not loaded before there is a problem

    found = {remedy.words: remedy for problem in problems for remedy in remedies(analysis, problem)}
    buttons: list[QWidget] = [_button(workspace, analysis, remedy) for remedy in found.values()]
    return [label("What helps", "heading"), *buttons] if buttons else []


def _button(workspace: Workspace, analysis: "Analysis", remedy: "Remedy") -> QPushButton:
    def apply() -> None:
        if workspace.document is analysis.document:  # else the buttons are about to be made anew
            workspace.commit(remedy.transaction)

    button = WrappingButton(remedy.words)
    button.setToolTip(f"{remedy.words}\nIt was tried: the problem is gone after it.")
    button.clicked.connect(apply)
    return button

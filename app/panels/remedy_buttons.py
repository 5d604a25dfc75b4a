"""What helps against problems, each a button that does it."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QPushButton, QWidget

from app.panels.panel import label
from app.qt.workspace import Workspace

if TYPE_CHECKING:
    from app.document.analysis import Analysis
    from app.document.drawing import DocumentProblem
    from app.document.remedies import Remedy


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

    button = QPushButton(remedy.words.replace("&", "&&"))
    button.setToolTip("It was tried: the problem is gone after it.")
    button.clicked.connect(apply)
    return button

"""The questions that the window asks, each in words and with an answer that loses nothing."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHeaderView,
    QLineEdit,
    QMessageBox,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.engine.repairs.repair import Repair
from app.shell.actions import MENUS, Action

Answer = Literal["save", "discard", "cancel"]
OPEN_FILTER = (
    "Graphs and parameters (*.chalk *.json *.params);;Chalkgraph documents (*.chalk);;MXNet symbol files (*.json);;"
    "MXNet parameter files (*.params);;All files (*)"
)
SAVE_FILTER = "Chalkgraph documents (*.chalk)"
PYTHON_FILTER = "Python files (*.py)"
SYMBOL_FILTER = "MXNet symbol files (*.json)"
PARAMETERS_FILTER = "MXNet parameter files (*.params)"


class UnsavedQuestion(QMessageBox):
    """Asks what becomes of changes that are not in a file yet; closing it is Cancel."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setIcon(QMessageBox.Icon.NoIcon)
        self.setWindowTitle("Unsaved changes")
        self.setText(f"Save the changes to {name}?")
        self.setInformativeText("Without saving, they are lost when it closes.")
        self.save_button = self.addButton("Save", QMessageBox.ButtonRole.AcceptRole)
        self.discard_button = self.addButton("Don't save", QMessageBox.ButtonRole.DestructiveRole)
        self.cancel_button = self.addButton("Cancel", QMessageBox.ButtonRole.RejectRole)
        self.setDefaultButton(self.save_button)
        self.setEscapeButton(self.cancel_button)

    @property
    def answer(self) -> Answer:
        """What was clicked."""
        clicked = self.clickedButton()
        if clicked is self.save_button:
            return "save"
        return "discard" if clicked is self.discard_button else "cancel"


class RepairQuestion(QMessageBox):
    """Asks whether an old file is to mean what it meant; closing it leaves it as it is read today."""

    def __init__(self, name: str, repair: Repair, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setIcon(QMessageBox.Icon.NoIcon)
        self.setWindowTitle("An old file")
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(f"{name} {repair.sign}. {repair.question}")
        self.setInformativeText(repair.reason)
        self.repair_button = self.addButton(repair.consent, QMessageBox.ButtonRole.AcceptRole)
        self.leave_button = self.addButton("Leave it", QMessageBox.ButtonRole.RejectRole)
        self.setDefaultButton(self.repair_button)
        self.setEscapeButton(self.leave_button)


class PartQuestion(QMessageBox):
    """Asks whether to load what fits of a parameter file; closing it loads nothing."""

    def __init__(self, sentence: str, details: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setIcon(QMessageBox.Icon.NoIcon)
        self.setWindowTitle("Parameters that do not fit")
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(f"{sentence} Load these?")
        self.setInformativeText(details)
        self.load_button = self.addButton("Load what fits", QMessageBox.ButtonRole.AcceptRole)
        self.cancel_button = self.addButton("Cancel", QMessageBox.ButtonRole.RejectRole)
        self.setDefaultButton(self.load_button)
        self.setEscapeButton(self.cancel_button)


class Dialogs:
    """Every question of one window; a test puts another one in its place."""

    def __init__(self, parent: QWidget) -> None:
        self._parent = parent

    def unsaved(self, name: str) -> Answer:
        """Ask whether the changes are to be saved."""
        question = UnsavedQuestion(name, self._parent)
        question.exec()
        question.deleteLater()
        return question.answer

    def mend(self, name: str, repair: Repair) -> bool:
        """Ask whether a repair is to be made in an old file."""
        question = RepairQuestion(name, repair, self._parent)
        question.exec()
        question.deleteLater()
        return question.clickedButton() is question.repair_button

    def load_in_part(self, sentence: str, details: str) -> bool:
        """Ask whether to take what fits of a parameter file."""
        question = PartQuestion(sentence, details, self._parent)
        question.exec()
        question.deleteLater()
        return question.clickedButton() is question.load_button

    def file_to_open(self, folder: Path, title: str = "Open", file_filter: str = OPEN_FILTER) -> Path | None:
        """Ask for a file to open."""
        chosen, _ = QFileDialog.getOpenFileName(self._parent, title, str(folder), file_filter)
        return Path(chosen) if chosen else None

    def file_to_save(self, suggestion: Path, title: str, file_filter: str) -> Path | None:
        """Ask for a file to write; its ending is added where it was left out."""
        dialog = QFileDialog(self._parent, title, str(suggestion.parent), file_filter)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(suggestion.suffix.lstrip("."))
        dialog.selectFile(suggestion.name)
        accepted = dialog.exec() == QDialog.DialogCode.Accepted
        chosen = dialog.selectedFiles() if accepted else []
        dialog.deleteLater()
        return Path(chosen[0]) if chosen else None

    def refuse(self, title: str, sentence: str) -> None:
        """Say why something could not be done."""
        box = QMessageBox(
            QMessageBox.Icon.NoIcon, title, sentence, QMessageBox.StandardButton.Ok, self._parent
        )
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.exec()
        box.deleteLater()


class KeysDialog(QDialog):
    """Lists every action with its keys, and narrows the list while one types."""

    def __init__(
        self, actions: Sequence[Action], gestures: Sequence[tuple[str, str]], parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys and gestures")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.line = QLineEdit()
        self.line.setPlaceholderText("Find an action or a key")
        self.line.setProperty("look", "search")
        self.tree = QTreeWidget()
        self.tree.setHeaderLabels(["Action", "Keys"])
        self.tree.setRootIsDecorated(False)
        self.tree.setIndentation(16)
        self.tree.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        for menu in MENUS:
            rows = [(action.title, keys_of(action)) for action in actions if action.menu == menu]
            self._add(menu, [row for row in rows if row[1]])
        self._add("With the mouse", gestures)
        self.tree.expandAll()
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        self.line.textChanged.connect(self.narrow)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(8)
        for widget in (self.line, self.tree, buttons):
            layout.addWidget(widget)
        self.resize(640, 640)

    def narrow(self, text: str) -> None:
        """Show only the rows that have every typed word in them."""
        words = text.casefold().split()
        for index in range(self.tree.topLevelItemCount()):
            section = self.tree.topLevelItem(index)
            assert section is not None
            shown = 0
            for number in range(section.childCount()):
                row = section.child(number)
                assert row is not None
                whole = f"{section.text(0)} {row.text(0)} {row.text(1)}".casefold()
                hidden = not all(word in whole for word in words)
                row.setHidden(hidden)
                shown += not hidden
            section.setHidden(shown == 0)

    def _add(self, title: str, rows: Sequence[tuple[str, str]]) -> None:
        if not rows:
            return
        section = QTreeWidgetItem(self.tree, [title])
        section.setFirstColumnSpanned(True)
        font = self.tree.font()
        font.setWeight(font.Weight.DemiBold)
        section.setFont(0, font)
        for words, keys in rows:
            QTreeWidgetItem(section, [words, keys])


def keys_of(action: Action) -> str:
    """Return an action's keys as this system writes them."""
    native = QKeySequence.SequenceFormat.NativeText
    return "  or  ".join(QKeySequence(key).toString(native) for key in action.keys)

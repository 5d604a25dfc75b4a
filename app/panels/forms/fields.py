"""One editor widget per kind of parameter, all with the same few verbs."""

import re

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLineEdit, QWidget

from app.engine.params import Parameter, as_text
from app.panels.forms.undoing import UndoPassing
from app.qt import fonts

PAUSE = 350
"""Milliseconds without a key after which typed text counts as meant."""
_NUMBER = r"[-+]?[\d.]+(?:[eE][-+]?\d+)?"
_BARE_LIST = re.compile(rf"\s*{_NUMBER}(?:\s*[,x×]\s*{_NUMBER})+\s*")
_BETWEEN = re.compile(r"\s*[,x×]\s*")


class Field(QWidget):
    """An editor for one text of the document; empty means "not set".

    `edited` is emitted with the new text, or None where the setting was taken back. `show_text` never emits.
    """

    edited = Signal(object)

    def show_text(self, text: str | None) -> None:
        """Show what the document says."""
        raise NotImplementedError

    def text(self) -> str | None:
        """Return what the user sees as set, or None where nothing is."""
        raise NotImplementedError

    def flush(self) -> None:
        """Hand on at once what was typed and not yet handed on."""

    def begin(self) -> None:
        """Take the focus, so that what is typed next stands in the place of what is shown."""
        self.setFocus()

    def set_wrong(self, wrong: bool) -> None:
        """Mark the editor as holding a value that cannot be used."""
        editor = self.focusProxy() or self
        if editor.property("wrong") != wrong:
            editor.setProperty("wrong", wrong)
            editor.style().unpolish(editor)
            editor.style().polish(editor)

    def _put(self, editor: QWidget) -> None:
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(editor)
        self.setFocusProxy(editor)


class TextField(Field):
    """A line of text that is handed on after a short pause, on Enter and when the focus leaves."""

    def __init__(self, placeholder: str = "", *, whole_numbers: bool = False) -> None:
        super().__init__()
        self.line = QLineEdit()
        self.line.setPlaceholderText(placeholder)
        self.line.setFont(fonts.mono_font())
        self._whole_numbers = whole_numbers
        self._given: str | None = None
        self._shown: str | None = None
        self._pause = QTimer(self, singleShot=True, interval=PAUSE)
        self._pause.timeout.connect(self.flush)
        self.line.textEdited.connect(self._pause.start)
        self.line.editingFinished.connect(self.flush)
        self.line.installEventFilter(self)
        UndoPassing(self.line, lambda: self.text() == (self._shown or None))
        self._put(self.line)

    def show_text(self, text: str | None) -> None:
        """Show what the document says, unless the user is just typing something else."""
        self._given = self._shown = text
        if not self._pause.isActive() and (text or "") != self.line.text():
            self.line.setText(text or "")
            self.line.setCursorPosition(len(text or "") if self.line.hasFocus() else 0)

    def text(self) -> str | None:
        """Return the typed text, None when there is none."""
        return self.line.text() or None

    def begin(self) -> None:
        """Take the focus with everything selected."""
        super().begin()
        self.line.selectAll()

    def flush(self) -> None:
        """Hand on at once what was typed and not yet handed on."""
        self._pause.stop()
        if self.text() != self._given:
            self._given = self.text()
            self.edited.emit(self._given)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let the arrow keys count a whole number up and down."""
        if self._whole_numbers and event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            step = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}.get(Qt.Key(event.key()))
            if step is not None and self._count(step):
                return True
        return super().eventFilter(watched, event)

    def _count(self, step: int) -> bool:
        try:
            number = int(self.line.text() or self.line.placeholderText())
        except ValueError:
            return False
        self.line.setText(str(number + step))
        self._pause.start()
        return True


class TupleField(TextField):
    """A line for several numbers; brackets that are left out are added, as people write 5, 5 and 5×5."""

    def text(self) -> str | None:
        """Return the typed text in brackets where it is a bare list."""
        typed = super().text()
        if typed is None or not _BARE_LIST.fullmatch(typed):
            return typed
        return f"({', '.join(_BETWEEN.split(typed.strip()))})"


class CheckField(Field):
    """A check box; a box at its default counts as not set."""

    def __init__(self, default: bool) -> None:
        super().__init__()
        self._default = default
        self.box = QCheckBox()
        self.box.toggled.connect(self._toggled)
        self._put(self.box)

    def show_text(self, text: str | None) -> None:
        """Show what the document says; a text that is neither true nor false shows as half."""
        word = (text or str(self._default)).lower()
        state = {"true": Qt.CheckState.Checked, "1": Qt.CheckState.Checked}.get(word)
        if state is None:
            known = word in ("false", "0")
            state = Qt.CheckState.Unchecked if known else Qt.CheckState.PartiallyChecked
        self.box.blockSignals(True)
        self.box.setTristate(state is Qt.CheckState.PartiallyChecked)
        self.box.setCheckState(state)
        self.box.blockSignals(False)

    def text(self) -> str | None:
        """Return True or False, None at the default."""
        return None if self.box.isChecked() == self._default else str(self.box.isChecked())

    def _toggled(self) -> None:
        self.box.setTristate(False)
        self.edited.emit(self.text())


class ChoiceField(Field):
    """A list of words, the default among them; the default counts as not set."""

    def __init__(self, choices: tuple[str, ...], default: str | None) -> None:
        super().__init__()
        self._default = default
        self._choices = choices
        self.combo = QComboBox()
        self.combo.setPlaceholderText("choose one")
        self.combo.addItems(list(choices))
        self.combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.combo.setMinimumContentsLength(6)
        self.combo.installEventFilter(self)
        self.combo.activated.connect(lambda _: self.edited.emit(self.text()))
        self._put(self.combo)

    def show_text(self, text: str | None) -> None:
        """Show what the document says; a word that is no choice is shown as it is, after the others."""
        while self.combo.count() > len(self._choices):
            self.combo.removeItem(self.combo.count() - 1)
        wanted = self._default if text is None else text
        if wanted is not None and wanted not in self._choices:
            self.combo.addItem(wanted)
        self.combo.setCurrentIndex(-1 if wanted is None else self.combo.findText(wanted))

    def text(self) -> str | None:
        """Return the chosen word, None at the default."""
        word = self.combo.currentText() if self.combo.currentIndex() >= 0 else None
        return None if word == self._default else word

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep the wheel for scrolling the form, so that no setting changes by accident."""
        if event.type() == QEvent.Type.Wheel and not self.combo.hasFocus():
            event.ignore()
            return True
        return super().eventFilter(watched, event)


def field_for(parameter: Parameter) -> Field:
    """Make the editor that suits a declared parameter."""
    default = None if parameter.required else as_text(parameter.default)
    if parameter.kind == "bool" and not parameter.nullable:
        return CheckField(bool(parameter.default))
    if parameter.kind == "bool":
        return ChoiceField(("True", "False", "None"), default)
    if parameter.kind == "enum":
        return ChoiceField(parameter.choices + (("None",) if parameter.nullable else ()), default)
    if parameter.kind in ("ints", "floats"):
        return TupleField(_placeholder(default))
    return TextField(_placeholder(default), whole_numbers=parameter.kind == "int")


def _placeholder(default: str | None) -> str:
    if default is None:
        return "needed"
    return default or "empty"

"""The form of an operator's parameters, made from their declarations."""

from collections.abc import Mapping

import attrs
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QPushButton, QWidget

from app.engine.params import Parameter
from app.panels.forms.fields import Field, TextField, field_for
from app.panels.panel import ElidedLabel, FoldButton, label
from app.qt.theme import HALF_STEP, STEP

LABEL_WIDTH = 88
WIDEST_LABEL = 136
"""A longer name is cut, so that its field stays wide enough to read."""
ROW_HEIGHT = 28


@attrs.define(eq=False)
class FormRow:
    """One parameter in the form: its name, its editor, and the line that says what is wrong.

    A text that the document would not take stays in the editor until it is changed here or there.
    """

    name: str
    caption: ElidedLabel
    field: Field
    complaint: QLabel
    _refused_at: tuple[str | None] | None = None

    def show(self, text: str | None, sentence: str = "") -> None:
        """Show what the document says and what is wrong with it; a refused text is kept as long as that is the same."""
        if self._refused_at == (text,):
            return
        self._refused_at = None
        self.field.show_text(text)
        self.complain(sentence)

    def refuse(self, sentence: str, text: str | None) -> None:
        """Keep what was typed and say why it is not taken; the document goes on saying `text`."""
        self._refused_at = (text,)
        self.complain(sentence)

    def accept(self) -> None:
        """Take back a refusal."""
        self._refused_at = None
        self.complain("")

    def set_visible(self, visible: bool) -> None:
        """Show or fold away the row; a complaint shows only where there is one."""
        self.caption.setVisible(visible)
        self.field.setVisible(visible)
        self.complaint.setVisible(visible and bool(self.complaint.text()))

    def complain(self, sentence: str) -> None:
        """Mark the editor and say why, or take both back."""
        self.complaint.setText(sentence)
        self.complaint.setVisible(bool(sentence) and not self.field.isHidden())
        self.field.set_wrong(bool(sentence))
        self.field.setAccessibleDescription(sentence)


class FormGrid(QWidget):
    """Captions at the left, editors at the right, complaints under the editors."""

    def __init__(self) -> None:
        super().__init__()
        self.grid = QGridLayout(self)
        self.grid.setContentsMargins(0, 0, 0, 0)
        self.grid.setHorizontalSpacing(STEP)
        self.grid.setVerticalSpacing(HALF_STEP)
        self.grid.setColumnStretch(1, 1)
        self.grid.setColumnMinimumWidth(0, LABEL_WIDTH)

    def add_row(self, name: str, field: Field, *, tip: str = "", needed: bool = False) -> FormRow:
        """Append a row."""
        caption = ElidedLabel(f"{name} *" if needed else name)
        caption.set_whole(caption.whole, f"{tip}\nIt must be given." if needed else tip)
        caption.setProperty("look", "muted")
        caption.setFixedSize(self.caption_width, ROW_HEIGHT)
        caption.setBuddy(field)
        field.setAccessibleName(name)
        (field.focusProxy() or field).setAccessibleName(f"{name}, needed" if needed else name)
        field.setToolTip(tip)
        complaint = label("", "error", wrap=True)
        complaint.hide()
        at = self.grid.rowCount()
        self.grid.addWidget(caption, at, 0, Qt.AlignmentFlag.AlignVCenter)
        self.grid.addWidget(field, at, 1)
        self.grid.addWidget(complaint, at + 1, 1)
        return FormRow(name, caption, field, complaint)

    def fit_captions(self) -> None:
        """Give all captions the width of the longest, within limits."""
        captions = [one for one in self.findChildren(ElidedLabel) if one.buddy() is not None]
        longest = max((one.fontMetrics().horizontalAdvance(one.whole) + 4 for one in captions), default=0)
        self.set_caption_width(min(max(longest, LABEL_WIDTH), WIDEST_LABEL))

    @property
    def caption_width(self) -> int:
        """How wide the column of captions is."""
        return self.grid.columnMinimumWidth(0)

    def set_caption_width(self, width: int) -> None:
        """Give the column of captions a width."""
        self.grid.setColumnMinimumWidth(0, width)
        for caption in self.findChildren(ElidedLabel):
            if caption.buddy() is not None:
                caption.setFixedWidth(width)

    def add_wide(self, widget: QWidget) -> None:
        """Append a widget over both columns."""
        self.grid.addWidget(widget, self.grid.rowCount(), 0, 1, 2)


class ParameterForm(FormGrid):
    """Shows a node's settings and hands on each change as (name, text or None for "not set")."""

    edited = Signal(str, object)

    def __init__(self, parameters: tuple[Parameter, ...]) -> None:
        super().__init__()
        self.rows: dict[str, FormRow] = {}
        self._advanced = tuple(one.name for one in parameters if one.declaration.advanced)
        self.unknown: dict[str, tuple[ElidedLabel, Field, QLabel, QPushButton]] = {}
        self.more = FoldButton(self)
        for parameter in parameters:
            if not parameter.declaration.advanced:
                self._add_parameter(parameter)
        self.add_wide(self.more)
        for parameter in parameters:
            if parameter.declaration.advanced:
                self._add_parameter(parameter)
        self.more.setVisible(bool(self._advanced))
        self.more.toggled.connect(self._fold)
        self.general = label("", "error", wrap=True)
        self.add_wide(self.general)
        self.fit_captions()
        self._fold(False)

    def show_settings(self, params: Mapping[str, str], wrong: Mapping[str, str]) -> None:
        """Show what is set and what is wrong with it."""
        for name, row in self.rows.items():
            row.show(params.get(name), wrong.get(name, ""))
        self._show_unknown([name for name in wrong if name and name not in self.rows], params, wrong)
        self.general.setText(wrong.get("", ""))
        self.general.setVisible(bool(wrong.get("")))
        if any(name in params for name in self._advanced):
            self.more.setChecked(True)

    @property
    def tab_stops(self) -> list[QWidget]:
        """What Tab goes through, from top to bottom."""
        plain = [row.field for name, row in self.rows.items() if name not in self._advanced]
        folded = [row.field for name, row in self.rows.items() if name in self._advanced]
        return [*plain, self.more, *folded, *(widgets[-1] for widgets in self.unknown.values())]

    def flush(self) -> None:
        """Hand on everything that was typed and not yet handed on."""
        for row in self.rows.values():
            row.field.flush()

    def _add_parameter(self, parameter: Parameter) -> None:
        field = field_for(parameter)
        tip = f"{parameter.doc}\nIt takes {parameter.wanted}.".strip()
        self.rows[parameter.name] = self.add_row(parameter.name, field, tip=tip, needed=parameter.required)
        field.edited.connect(lambda text, name=parameter.name: self.edited.emit(name, text))

    def _fold(self, open_: bool) -> None:
        self.more.set_words(f"More ({len(self._advanced)})")
        for name in self._advanced:
            self.rows[name].set_visible(open_)

    def _show_unknown(self, names: list[str], params: Mapping[str, str], wrong: Mapping[str, str]) -> None:
        """List settings that the operator does not have, each with a way to get rid of it."""
        for name in [name for name in self.unknown if name not in names]:
            for widget in self.unknown.pop(name):
                widget.hide()
                widget.deleteLater()
        for name in names:
            if name in self.unknown:
                continue
            field = TextField()
            field.line.setReadOnly(True)
            row = self.add_row(name, field)
            field.show_text(params[name])
            row.complain(wrong[name])
            remove = QPushButton("Remove it")
            remove.setAccessibleName(f"Remove {name}")
            remove.clicked.connect(lambda _=False, name=name: self.edited.emit(name, None))
            self.add_wide(remove)
            self.unknown[name] = (row.caption, field, row.complaint, remove)

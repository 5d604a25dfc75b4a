"""Edits what one argument or auxiliary state is bound to: value, shape, type, gradient."""

from pathlib import Path
from typing import Any

import attrs
from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QCompleter,
    QFileDialog,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.document.analysis import Analysis
from app.document.edits import set_binding
from app.document.given import DTYPES
from app.document.records import Binding, ValueKind
from app.engine import initializers
from app.engine.errors import EngineError
from app.engine.shapes import text as shape_text
from app.panels.forms.fields import ChoiceField, Field, TextField
from app.panels.forms.parameter_form import FormGrid, FormRow
from app.panels.forms.request_picker import RequestPicker
from app.panels.forms.shape_text import ShapeTextError, read_shape
from app.qt.theme import HALF_STEP
from app.qt.workspace import Workspace
from app.services.array_files import SUFFIXES, array_names
from app.services.datasets import DATA_SETS
from app.services.proposals import propose_request, propose_value
from app.services.values import ValueShapes

KINDS: dict[ValueKind, str] = {
    "none": "Proposed",
    "constant": "Number or list",
    "initializer": "Initialiser",
    "file": "File",
    "dataset": "Data set",
}
FIRST_VALUES: dict[ValueKind, str] = {
    "none": "",
    "constant": "1",
    "initializer": "normal(0.1)",
    "file": "",
    "dataset": "digits#pixels",
}


def dataset_columns() -> tuple[str, ...]:
    """Return every column of the bundled data sets as a binding spells it."""
    return tuple(f"{name}#{column}" for name, found in DATA_SETS.items() for column in found.columns)


def value_fault(binding: Binding, workspace: Workspace) -> str:
    """Return what is wrong with a binding's value by itself, or nothing."""
    try:
        if binding.kind == "initializer":
            initializers.parse(binding.value)
        else:
            ValueShapes(workspace.folder)(binding, workspace.document.options)
    except EngineError as error:
        return error.sentence
    return ""


class KindField(QComboBox):
    """Where an argument's value comes from."""

    picked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        for kind, words in KINDS.items():
            self.addItem(words, kind)
        self.setAccessibleName("Where the value comes from")
        self.activated.connect(lambda index: self.picked.emit(self.itemData(index)))

    def show_kind(self, kind: ValueKind) -> None:
        """Show what the document says."""
        with QSignalBlocker(self):
            self.setCurrentIndex(list(KINDS).index(kind))


class FileField(TextField):
    """A path with a button to look for it."""

    def __init__(self, workspace: Workspace, name: str) -> None:
        super().__init__(f"path of a file ({', '.join(SUFFIXES)})")
        self._workspace = workspace
        self._name = name
        self.browse = QPushButton("Browse…")
        self.browse.clicked.connect(self._browse)
        layout = self.layout()
        assert isinstance(layout, QHBoxLayout)
        layout.setSpacing(HALF_STEP)
        layout.addWidget(self.browse)

    def take(self, path: Path) -> None:
        """Take a file as the value; of several arrays in it the one of the argument's name, else the first."""
        spelled = self._workspace.spelled(path)
        try:
            names = array_names(path) if path.suffix.lower() != ".csv" else []
        except EngineError:
            names = []  # what is wrong with the file is said under the field
        own = [name for name in names if name.rpartition(":")[2] == self._name]
        self.line.setText(f"{spelled}#{[*own, *names][0]}" if len(names) > 1 else spelled)
        self.flush()

    def _browse(self) -> None:
        pattern = " ".join(f"*{suffix}" for suffix in SUFFIXES)
        name, _ = QFileDialog.getOpenFileName(
            self, "Choose an array", str(self._workspace.folder), f"Arrays ({pattern})"
        )
        if name:
            self.take(Path(name))


class InitializerField(TextField):
    """An initialiser's spelling, with the known ones to choose from while typing."""

    def __init__(self) -> None:
        super().__init__("normal(0.1)")
        spellings = [one.spelling for one in initializers.INITIALIZERS.values()]
        completer = QCompleter(spellings, self)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.activated.connect(lambda _: self.flush())
        self.line.setCompleter(completer)
        known = "\n".join(f"{one.spelling}: {one.doc}" for one in initializers.INITIALIZERS.values())
        self.line.setToolTip(known)


class BindingEditor(QWidget):
    """The form of one binding; every change is one edit of the document."""

    def __init__(self, workspace: Workspace, name: str, *, auxiliary: bool = False) -> None:
        super().__init__()
        self.workspace = workspace
        self.name = name
        self._auxiliary = auxiliary
        self.form = FormGrid()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.form)
        self.kind = KindField()
        self._fields: dict[ValueKind, Field] = {
            "constant": TextField("10, or [1, 2, 3]"),
            "initializer": InitializerField(),
            "file": FileField(workspace, name),
            "dataset": ChoiceField(dataset_columns(), None),
        }
        self._add_rows()

    @property
    def binding(self) -> Binding:
        """What the document says."""
        return self.workspace.document.bindings.get(self.name, Binding(self.name))

    def field(self, kind: ValueKind) -> Field:
        """Return the editor of the value for one kind."""
        return self._fields[kind]

    @property
    def tab_stops(self) -> list[QWidget]:
        """What Tab goes through, from top to bottom."""
        buttons = list(self.request.buttons.values()) if self.request is not None else []
        return [self.kind, *self._fields.values(), self.shape, self.dtype, *buttons]

    def row(self, kind: ValueKind) -> FormRow:
        """Return the row of the value for one kind."""
        return self._rows[kind]

    def show_binding(self, analysis: Analysis) -> None:
        """Show what the document says, what is proposed, and what is wrong."""
        binding = self.binding
        self.kind.show_kind(binding.kind)
        fault = value_fault(binding, self.workspace)
        for kind, row in self._rows.items():
            row.set_visible(kind == binding.kind)
            if kind == binding.kind:
                row.show(binding.value, fault)
        self.shape_row.show(_shape_words(binding))
        self.dtype.show_text(None if binding.dtype == "float32" else binding.dtype)
        self._show_inferred(analysis)
        if self.request is not None:
            self.request.show_request(binding.request)

    def _show_inferred(self, analysis: Analysis) -> None:
        """Say in the empty fields what will be taken instead."""
        graph, inference = analysis.graph, analysis.inference
        index = graph.index_by_name.get(self.name) if graph is not None else None
        if graph is None or inference is None or index is None:
            self.shape.line.setPlaceholderText("still open")
            self.kind.setItemText(0, KINDS["none"])
            return
        shape = inference.shape((index, 0))
        self.shape.line.setPlaceholderText(shape_text(shape) if shape else "still open")
        words = propose_value(graph, index, inference).words
        self.kind.setItemText(0, f"{KINDS['none']}: {words}")
        self.kind.setToolTip(f"Without a value {self.name} gets {words}.")

    def _add_rows(self) -> None:
        holder = _Holder(self.kind)
        self.form.add_row("Value", holder, tip="Where the numbers come from.")
        tips = {
            "constant": "A number fills the whole array; a list must have its shape.",
            "initializer": "Drawn anew for each seed of the document.",
            "file": "A .npy file, an array of a .npz or .params file (file.npz#name), or a column (file.csv#column).",
            "dataset": "One batch of rows; how many is said in the summary of the document.",
        }
        self._rows: dict[ValueKind, FormRow] = {}
        for kind, field in self._fields.items():
            caption = {"constant": "Numbers", "initializer": "Initialiser", "file": "Path"}.get(
                kind, "Column"
            )
            self._rows[kind] = self.form.add_row(caption, field, tip=tips[kind])
            field.edited.connect(lambda text, kind=kind: self._set(kind=kind, value=text or ""))
        self.kind.picked.connect(self._pick_kind)
        self.shape = TextField("still open")
        self.shape_row = self.form.add_row("Shape", self.shape, tip="Leave it empty to have it inferred.")
        self.shape.edited.connect(self._set_shape)
        self.dtype = ChoiceField(DTYPES, "float32")
        self.form.add_row("Type", self.dtype, tip="The element type.")
        self.dtype.edited.connect(lambda text: self._set(dtype=text or "float32"))
        self.request: RequestPicker | None = None
        if not self._auxiliary:
            self.request = RequestPicker(self.name, propose_request(self.name))
            self.form.add_row("Gradient", _Holder(self.request), tip="What backward does with its gradient.")
            self.request.picked.connect(lambda request: self._set(request=request))

    def _pick_kind(self, kind: ValueKind) -> None:
        binding = self.binding
        if kind != binding.kind:
            self._set(kind=kind, value=FIRST_VALUES[kind])
            if kind in self._fields:
                self._fields[kind].begin()

    def _set_shape(self, text: str | None) -> None:
        try:
            shape = read_shape(text or "")
        except ShapeTextError as error:
            self.shape_row.refuse(str(error), _shape_words(self.binding))
            return
        self.shape_row.accept()
        self._set(shape=shape)

    def _set(self, **changes: Any) -> None:
        self.workspace.try_edit(set_binding, attrs.evolve(self.binding, **changes))


def _shape_words(binding: Binding) -> str | None:
    return None if binding.shape is None else shape_text(binding.shape)


class _Holder(Field):
    """Lets a widget that has signals of its own stand in a form."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__()
        self._put(widget)

    def show_text(self, text: str | None) -> None:
        """Do nothing: the widget is told directly."""

    def text(self) -> str | None:
        """Return nothing: the widget is asked directly."""
        return None

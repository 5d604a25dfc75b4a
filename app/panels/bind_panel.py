"""The sheet of a bind: every argument and auxiliary state with its shape, value and gradient request."""

from typing import Any

import attrs
from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.document.analysis import Analysis
from app.document.edits import set_binding, set_options
from app.document.records import Binding, Id, Request
from app.engine.costs import graph_costs
from app.engine.shapes import text as shape_text
from app.panels.amounts import cost_text, time_text
from app.panels.argument_lines import ArgumentLink, Line, LineWidgets, lines_of
from app.panels.forms.computing_picker import ComputingPicker
from app.panels.forms.head_editor import HeadEditor
from app.panels.forms.parameter_form import FormGrid
from app.panels.forms.request_picker import WORDS
from app.panels.forms.undoing import pass_undo_of
from app.panels.panel import ElidedLabel, Panel, column, empty, label, row, widgets_in
from app.qt import fonts
from app.qt.theme import GAP, HALF_STEP, STEP
from app.qt.workspace import Workspace
from app.services.proposals import propose_request

COLUMNS = ("Argument", "Gradient")
LISTED_AT_FIRST = 30
LISTED_MORE = 50
"""Each line is four widgets, and a large model has hundreds of arguments; the rest is a click away."""
_LARGEST_SEED = 2**31 - 1


class BindPanel(Panel):
    """What would be bound, and the settings of the document as a whole.

    `node_chosen` carries the id of the node that an argument belongs to.
    """

    node_chosen = Signal(str)

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(workspace, parent)
        self.setAccessibleName("What is bound")
        self.lines: list[Line] = []
        self._rows: dict[str, LineWidgets] = {}
        self._listed = 0
        self.more = QPushButton()
        self.more.setProperty("look", "flat")
        self.more.clicked.connect(self._list_more)
        self.mark = label("• is what Chalkgraph proposes", "muted")
        self.outputs = label("", wrap=True)
        self._heads = QVBoxLayout()
        self._heads.setSpacing(HALF_STEP)
        self._table = QGridLayout()
        self._table.setHorizontalSpacing(STEP)
        self._table.setVerticalSpacing(STEP)
        self._table.setColumnStretch(0, 1)
        self.hint = label("", "muted", wrap=True)
        self._cost_title = label("Cost of all nodes", "heading")
        self.cost = label("", "muted", wrap=True)
        self.times = label("", "muted", wrap=True)
        self._options = FormGrid()
        self.seed = self._number("Seed", "seed", (0, _LARGEST_SEED), "Which random numbers are drawn.")
        self.batch = self._number(
            "Batch", "batch", (1, 100_000), "How many rows of a data set one bind takes."
        )
        self.first_row = self._number("First row", "batch_start", (0, 10_000_000), "The first of these rows.")
        self.train = QCheckBox("Training mode (is_train)")
        self.train.setToolTip(
            "Dropout drops and BatchNorm takes the batch's own statistics only in training mode."
        )
        self.train.toggled.connect(lambda on: self._set_option(train=on))
        self.computing = ComputingPicker(workspace)
        for widget in (self._captioned("Computed by", self.computing), self.computing):
            widget.setVisible(self.computing.is_needed)
        self._lay_out()
        self._stale = True
        workspace.analysis_changed.connect(lambda _: self._refresh())
        workspace.results_changed.connect(lambda _: self._on_results())

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, STEP, 0, GAP)
        layout.setSpacing(STEP)
        layout.addWidget(self.hint)
        self._arguments_title = label("Arguments", "heading")
        self._outputs_title = label("Outputs", "heading")
        layout.addWidget(self._arguments_title)
        layout.addLayout(self._table)
        layout.addWidget(self.more, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self.mark)
        layout.addSpacing(STEP)
        layout.addWidget(self._outputs_title)
        layout.addWidget(self.outputs)
        layout.addLayout(self._heads)
        layout.addSpacing(STEP)
        layout.addWidget(self._cost_title)
        layout.addWidget(self.cost)
        layout.addWidget(self.times)
        layout.addSpacing(STEP)
        layout.addWidget(label("Running", "heading"))
        layout.addWidget(self._options)
        layout.addWidget(self.train)
        layout.addStretch()

    def _number(self, words: str, option: str, limits: tuple[int, int], tip: str) -> QSpinBox:
        spin = QSpinBox()
        spin.setRange(*limits)
        spin.setKeyboardTracking(False)
        spin.setFont(fonts.mono_font())
        spin.lineEdit().setTextMargins(STEP, 0, 0, 0)
        pass_undo_of(spin)
        spin.setAccessibleName(words)
        spin.setToolTip(tip)
        spin.valueChanged.connect(lambda value: self._set_option(**{option: value}))
        self._captioned(words, spin)
        return spin

    def _captioned(self, words: str, field: QWidget) -> ElidedLabel:
        """Put a field into the form, with its words before it."""
        caption = ElidedLabel(words)
        caption.setProperty("look", "muted")
        caption.setBuddy(field)
        caption.setFixedWidth(88)
        at = self._options.grid.rowCount()
        self._options.grid.addWidget(caption, at, 0)
        self._options.grid.addWidget(field, at, 1)
        return caption

    def sizeHint(self) -> QSize:
        """Ask for the inspector's width."""
        return QSize(272, 480)

    def showEvent(self, event: QShowEvent) -> None:
        """Catch up with what changed while nothing could be seen."""
        super().showEvent(event)
        if self._stale:
            self._refresh()

    def _on_results(self) -> None:
        if self.isVisible():
            self.show_times()
        else:
            self._stale = True

    def _refresh(self) -> None:
        analysis = self.workspace.analysis
        self._stale = not self.isVisible()
        if analysis is not None and not self._stale:
            self.show_analysis(analysis)

    def show_analysis(self, analysis: Analysis) -> None:
        """Show what follows from the document as it is now."""
        lines = lines_of(analysis)
        if lines != self.lines or not lines:
            self._fill(lines)
        options = analysis.document.options
        for spin, value in (
            (self.seed, options.seed),
            (self.batch, options.batch),
            (self.first_row, options.batch_start),
        ):
            with QSignalBlocker(spin):
                spin.setValue(value)
        with QSignalBlocker(self.train):
            self.train.setChecked(options.train)
        self._show_outputs(analysis)
        self._show_cost(analysis)
        if not analysis.document.nodes:
            hint = "The board is empty. Drag an operator from the palette, or press Tab over the board."
        elif not lines:
            hint = "Nothing to bind yet. Wire a Variable to an operator."
        else:
            hint = ""
        self.hint.setText(hint)
        self.hint.setVisible(bool(hint))

    def _show_cost(self, analysis: Analysis) -> None:
        """Sum up what one forward of the whole graph costs, as far as shapes are known."""
        costs = None if analysis.inference is None else graph_costs(analysis.inference)
        has_costs = costs is not None and bool(costs.nodes)
        self.cost.setText(f"{cost_text(costs)} for one forward" if costs is not None and has_costs else "")
        for part in (self._cost_title, self.cost):
            part.setVisible(has_costs)
        self.show_times()

    def show_times(self) -> None:
        """Say how long the last run took."""
        results = self.workspace.results
        costs = None if results is None else results.costs
        words = "" if costs is None else time_text(costs.forward_seconds, costs.backward_seconds)
        self.times.setText(f"{words} in the last run" if words else "")
        self.times.setVisible(bool(words) and not self.cost.isHidden())

    def request_of(self, name: str) -> QComboBox:
        """Return the box with an argument's gradient request."""
        found = self._rows[name].request
        assert found is not None, f"{name} is an auxiliary state"
        return found

    def link_of(self, name: str) -> "ArgumentLink":
        """Return the name of an argument as it stands in the sheet."""
        return self._rows[name].name

    def _fill(self, lines: list[Line]) -> None:
        """Show the lines; widgets are made anew only for other arguments."""
        same = [_identity(line) for line in lines] == [_identity(line) for line in self.lines] and bool(lines)
        self.lines = lines
        self._arguments_title.setVisible(bool(lines))
        if not same:
            empty(self._table)
            self._rows = {}
            self._listed = 0
            for place, words in enumerate(COLUMNS if lines else ()):
                self._table.addWidget(label(words.upper(), "section"), 0, place)
            self._list(LISTED_AT_FIRST)
        for line in lines:
            if line.name in self._rows:
                self._rows[line.name].show_line(line)
        self.mark.setVisible(any(line.request is not None for line in lines))

    def _list(self, count: int) -> None:
        """Add lines until so many are there, and say how many are not."""
        for number in range(self._listed, min(count, len(self.lines))):
            self._add(self.lines[number], number + 1)
        self._listed = max(self._listed, min(count, len(self.lines)))
        left = len(self.lines) - self._listed
        self.more.setText(f"Show {min(left, LISTED_MORE)} more of {left}")
        self.more.setVisible(left > 0)

    def _list_more(self) -> None:
        shown = self._listed
        self._list(shown + LISTED_MORE)
        for line in self.lines[shown : self._listed]:
            self._rows[line.name].show_line(line)

    def _add(self, line: Line, at: int) -> None:
        made = self._rows[line.name] = LineWidgets(
            ArgumentLink(line.name), ElidedLabel(), ElidedLabel(), self._request_box(line)
        )
        made.value.setProperty("look", "muted")
        made.shape.least = 400
        for widget in (made.name, made.value):
            widget.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        if line.owner is not None:
            made.name.clicked.connect(lambda owner=line.owner: self._choose(owner))
        details = row(made.shape, made.value)
        details.setStretch(1, 1)
        self._table.addLayout(column(made.name, details, space=0), at, 0)
        self._table.addWidget(made.request or _state_label(), at, 1)

    def _request_box(self, line: Line) -> QComboBox | None:
        if line.request is None:
            return None
        combo = QComboBox()
        proposed = propose_request(line.name)
        for request, (word, _) in WORDS.items():
            combo.addItem(f"{word} •" if request == proposed else word, request)
        combo.setAccessibleName(f"Gradient of {line.name}")
        combo.setToolTip("What backward does with this gradient; • is what Chalkgraph proposes.")
        combo.setFixedWidth(80)
        combo.activated.connect(lambda _, name=line.name, combo=combo: self._set_request(name, combo))
        return combo

    def _show_outputs(self, analysis: Analysis) -> None:
        names = analysis.output_names
        self._outputs_title.setVisible(bool(names))
        self.outputs.setVisible(bool(names))
        graph, inference = analysis.graph, analysis.inference
        if graph is not None and inference is not None:
            shapes = [shape_text(inference.shape(head)) for head in graph.heads]
            self.outputs.setText(
                "\n".join(f"{name}  {shape}" for name, shape in zip(names, shapes, strict=True))
            )
        self.outputs.setFont(fonts.mono_font())
        wanted = [
            graph.output_names[number]
            for number, (index, _) in enumerate(graph.heads if graph is not None else ())
            if graph is not None and not getattr(graph.nodes[index].operator, "is_loss", False)
        ]
        editors = [one for one in widgets_in(self._heads) if isinstance(one, HeadEditor)]
        if [one.name for one in editors] != wanted:
            empty(self._heads)
            editors = [HeadEditor(self.workspace, name, caption=f"d({name})") for name in wanted]
            for one in editors:
                self._heads.addWidget(one)
        for one in editors:
            one.show_head()

    def _choose(self, owner: Id) -> None:
        self.workspace.select({owner})
        self.node_chosen.emit(owner)

    def _set_request(self, name: str, combo: QComboBox) -> None:
        request: Request = combo.currentData()
        binding = self.workspace.document.bindings.get(name, Binding(name))
        wanted = None if request == propose_request(name) else request
        self.workspace.try_edit(set_binding, attrs.evolve(binding, request=wanted))

    def _set_option(self, **changes: Any) -> None:
        if any(getattr(self.workspace.document.options, name) != value for name, value in changes.items()):
            self.workspace.try_edit(set_options, **changes)


def _identity(line: Line) -> tuple[str, Id | None, bool]:
    return line.name, line.owner, line.auxiliary


def _state_label() -> QWidget:
    state = label("state", "muted")
    state.setToolTip("An auxiliary state: it is kept, and nothing is differentiated by it.")
    return state

"""The sheet of a bind: every argument and auxiliary state with its shape, value and gradient request."""

from itertools import zip_longest
from typing import Any

import attrs
from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QGridLayout,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.document.analysis import Analysis
from app.document.edits import set_binding, set_options
from app.document.records import Binding, Id, Request
from app.document.store import Update
from app.engine.costs import graph_costs
from app.engine.shapes import text as shape_text
from app.panels.amounts import cost_text, time_text
from app.panels.argument_lines import ArgumentRow, Line, count_of_lines, lines_of
from app.panels.forms.computing_picker import ComputingPicker
from app.panels.forms.head_editor import HeadEditor
from app.panels.forms.parameter_form import FormGrid
from app.panels.forms.undoing import pass_undo_of
from app.panels.panel import ElidedLabel, InTurn, Panel, empty, label, widgets_in
from app.qt import fonts
from app.qt.theme import GAP, HALF_STEP, STEP
from app.qt.workspace import Workspace
from app.services.proposals import propose_request

COLUMNS = ("Argument", "Gradient")
LISTED_AT_FIRST = 30
LISTED_MORE = 50
"""Each line is five widgets, and a large model has hundreds of arguments; the rest is a click away."""
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
        self._rows: list[ArgumentRow] = []
        self._listed = LISTED_AT_FIRST
        self.more = QPushButton()
        self.more.setProperty("look", "flat")
        self.more.clicked.connect(self._list_more)
        self.mark = label("• is what Chalkgraph proposes", "muted")
        self.outputs = label("", "mono", wrap=True)
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
        self._captioned("Computed by", self.computing)
        self._lay_out()
        self._stale = True
        self._turn = InTurn(self, self._refresh)
        workspace.document_changed.connect(self._on_document)
        workspace.analysis_changed.connect(lambda _: self._turn.ask())
        workspace.results_changed.connect(lambda _: self._on_results())

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, STEP, 0, GAP)
        layout.setSpacing(STEP)
        layout.addWidget(self.hint)
        self._arguments_title = label("Arguments", "heading")
        self._outputs_title = label("Outputs", "heading")
        layout.addWidget(self._arguments_title)
        self._column_titles = [label(words.upper(), "section") for words in COLUMNS]
        for place, title in enumerate(self._column_titles):
            self._table.addWidget(title, 0, place)
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
        layout.addWidget(self.computing.note)
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
            self._turn.ask()

    def _on_document(self, update: Update) -> None:
        if update.origin == "load":
            self._listed = LISTED_AT_FIRST

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
        self._show_lines(analysis)
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
        elif not self.lines:
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

    def row_of(self, name: str) -> ArgumentRow:
        """Return the row of an argument in the sheet."""
        return next(row for row in self._rows if row.line is not None and row.line.name == name)

    def _show_lines(self, analysis: Analysis) -> None:
        """Show as many lines as are wanted, and say how many more there are."""
        count = count_of_lines(analysis)
        self.lines = lines_of(analysis, self._listed)
        for number in range(len(self._rows), len(self.lines)):
            self._rows.append(self._row(number + 1))
        for row, line in zip_longest(self._rows, self.lines):
            row.show_line(line)
        left = count - len(self.lines)
        self.more.setText(f"Show {min(left, LISTED_MORE)} more of {left}")
        self.more.setVisible(left > 0)
        for title in (self._arguments_title, *self._column_titles):
            title.setVisible(bool(self.lines))
        self.mark.setVisible(any(line.request is not None for line in self.lines))

    def _list_more(self) -> None:
        self._listed += LISTED_MORE
        if self.workspace.analysis is not None:
            self._show_lines(self.workspace.analysis)

    def _row(self, at: int) -> ArgumentRow:
        made = ArgumentRow(self)
        made.add_to(self._table, at)
        made.owner_chosen.connect(self._choose)
        made.request_chosen.connect(self._set_request)
        return made

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

    def _set_request(self, name: str, request: Request) -> None:
        binding = self.workspace.document.bindings.get(name, Binding(name))
        wanted = None if request == propose_request(name) else request
        self.workspace.try_edit(set_binding, attrs.evolve(binding, request=wanted))

    def _set_option(self, **changes: Any) -> None:
        if any(getattr(self.workspace.document.options, name) != value for name, value in changes.items()):
            self.workspace.try_edit(set_options, **changes)

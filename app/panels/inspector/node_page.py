"""The inspector's page about one node: what it does, its settings, shapes, values and cost."""

from itertools import pairwise

from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from app.document.analysis import Analysis
from app.document.edits import EditError, rename, set_param
from app.document.records import GROUP, VARIABLE, Id
from app.engine.errors import GraphError
from app.engine.operator import Operator
from app.engine.registry import find_operator
from app.panels.amounts import cost_text, time_text
from app.panels.catalogue import doc_parts, entries
from app.panels.forms.fields import TextField
from app.panels.forms.head_editor import HeadEditor
from app.panels.forms.kept_settings import KeptSettings
from app.panels.forms.parameter_form import LABEL_WIDTH, FormGrid, FormRow, ParameterForm
from app.panels.inspector.binding_editor import BindingEditor
from app.panels.inspector.facts import ArrayFact, array_facts, cost_of, kept_words
from app.panels.inspector.shapes_box import ShapesBox
from app.panels.panel import ElidedLabel, FoldButton, box, empty, label, widgets_in
from app.panels.remedy_buttons import remedy_parts
from app.qt.theme import GAP, HALF_STEP, STEP
from app.qt.workspace import Workspace
from app.services.proposals import propose_value


class NodePage(QWidget):
    """Everything that can be said and set about one node."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace = workspace
        self.node_id: Id = ""
        self.form: ParameterForm | None = None
        self.kept: KeptSettings | None = None
        self.arguments: dict[str, ArgumentFold] = {}
        self._tab_stops: list[QWidget] = []
        self._made_for: tuple[Id, str] = ("", "")
        self.doc = label("", "muted", wrap=True)
        self.formula = label("", "mono", wrap=True)
        self.held = label("", "muted", wrap=True)
        self.troubles = QVBoxLayout()
        self.trouble_labels: list[QLabel] = []
        self._general = FormGrid()
        self.name_row = self._add_name()
        self._settings = QVBoxLayout()
        self.shapes = ShapesBox(workspace)
        self._heads = QVBoxLayout()
        self._arguments = QVBoxLayout()
        self._arguments_title = ElidedLabel()
        self._arguments_title.setProperty("look", "heading")
        self._cost_title = label("Cost", "heading")
        self.cost = label("", "muted", wrap=True)
        self.times = label("", "muted", wrap=True)
        self._lay_out()

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, STEP, 0, GAP)
        layout.setSpacing(STEP)
        layout.addWidget(self.doc)
        layout.addWidget(self.formula)
        layout.addWidget(self.held)
        layout.addLayout(self.troubles)
        layout.addSpacing(HALF_STEP)
        layout.addWidget(self._general)
        layout.addLayout(self._settings)
        for inner in (self.troubles, self._settings, self._heads):
            inner.setSpacing(STEP)
        self._arguments.setSpacing(0)
        layout.addSpacing(STEP)
        layout.addWidget(label("Shapes", "heading"))
        layout.addWidget(self.shapes)
        layout.addLayout(self._heads)
        layout.addSpacing(HALF_STEP)
        layout.addWidget(self._arguments_title)
        layout.addLayout(self._arguments)
        layout.addSpacing(HALF_STEP)
        layout.addWidget(self._cost_title)
        layout.addWidget(self.cost)
        layout.addWidget(self.times)
        layout.addStretch()

    def _add_name(self) -> FormRow:
        field = TextField()
        row = self._general.add_row("Name", field, tip="How the node is called in code and files.")
        field.edited.connect(self._rename)
        return row

    # -- showing a node

    def flush(self) -> None:
        """Hand on what was typed and not yet handed on."""
        if self.node_id in self.workspace.document.nodes:
            self.name_row.field.flush()
            if self.form is not None:
                self.form.flush()

    def show_node(self, analysis: Analysis, node_id: Id) -> None:
        """Show a node as it is in the analysed document."""
        node = analysis.document.nodes[node_id]
        if (node_id, node.op) != self._made_for:
            self._make_for(node_id, node.op)
            if analysis.drawing.readings[node_id].is_opaque:
                self.kept = KeptSettings({**node.params, **node.attributes})
                self._settings.addWidget(self.kept)
                self._general.set_caption_width(self.kept.caption_width)
        self.name_row.show(node.name)
        faults = analysis.drawing.readings[node_id].faults
        wrong = {fault.parameter or "": fault.sentence for fault in faults}
        if self.form is not None:
            self.form.show_settings(node.params, {name: text for name, text in wrong.items() if name})
        held = kept_words(analysis.document, node_id)
        self.held.setText(held)
        self.held.setVisible(bool(held))
        self._show_troubles(analysis, node_id)
        self.shapes.show_node(analysis, node_id)
        self._show_heads(analysis, node_id)
        self._show_arguments(analysis, node_id)
        cost = cost_of(analysis, node_id)
        self.cost.setText(cost_text(cost) + " for one forward" if cost is not None else "")
        for widget in (self._cost_title, self.cost):
            widget.setVisible(cost is not None)
        self.show_times()
        self._order_tabs()

    def show_times(self) -> None:
        """Say how long the node took in the last run."""
        results = self.workspace.results
        index = None if results is None else results.node_index.get(self.node_id)
        costs = None if results is None else results.costs
        found = costs.by_index.get(index) if costs is not None and index is not None else None
        words = "" if found is None else time_text(found.forward_seconds, found.backward_seconds)
        self.times.setText(f"{words} in the last run" if words else "")
        self.times.setVisible(bool(words) and not self.cost.isHidden())

    def _order_tabs(self) -> None:
        """Let Tab go down the page, also where parts of it were made anew."""
        parts: list[QWidget] = [self.name_row.field]
        for form in (self.form, self.kept):
            parts += form.tab_stops if form is not None else []
        parts += [*self.shapes.rows, *(head.row.field for head in self.heads)]
        for fold in self.arguments.values():
            parts += [fold.head, *(fold.editor.tab_stops if fold.editor is not None else ())]
        stops = [part.focusProxy() or part for part in parts]
        if stops != self._tab_stops:
            self._tab_stops = stops
            for first, second in pairwise(stops):
                QWidget.setTabOrder(first, second)

    def _make_for(self, node_id: Id, op: str) -> None:
        """Build the form anew for another node."""
        self._made_for = (node_id, op)
        self.node_id = node_id
        self.name_row.accept()
        empty(self._settings)
        self.form = self.kept = None
        self._clear_arguments()
        line, formula = _doc_of(op)
        self.doc.setText(line)
        self.doc.setVisible(bool(line))
        self.formula.setText(formula)
        self.formula.setVisible(bool(formula))
        operator = _operator(op)
        if operator is not None and operator.parameters:
            self.form = ParameterForm(operator.parameters)
            self.form.edited.connect(self._set_param)
            self._settings.addWidget(self.form)
        width = self.form.caption_width if self.form is not None else LABEL_WIDTH
        self._general.set_caption_width(width)

    def _show_troubles(self, analysis: Analysis, node_id: Id) -> None:
        """Say what is wrong with the node, except what stands under a field already."""
        in_form = set(self.form.rows) if self.form is not None else set()
        faults = {fault.parameter for fault in analysis.drawing.readings[node_id].faults} & in_form
        problems = [
            one for one in analysis.problems_at(node_id) if one.port is None or one.port not in faults
        ]
        empty(self.troubles)
        self.trouble_labels = [label(problem.sentence, "error", wrap=True) for problem in problems]
        for one in self.trouble_labels:
            self.troubles.addWidget(box(one))
        for part in remedy_parts(self.workspace, analysis, analysis.problems_at(node_id)):
            self.troubles.addWidget(part)

    # -- its outputs and arguments

    def _show_heads(self, analysis: Analysis, node_id: Id) -> None:
        """Let the gradients be set that come in at the outputs this node is, unless a loss makes its own."""
        reading = analysis.drawing.readings[node_id]
        tags = analysis.output_tags.get(node_id, ())
        names = list(dict.fromkeys(analysis.output_names[tag] for tag in tags))
        if reading.operator is not None and reading.operator.is_loss:
            names = []
        if [one.name for one in self.heads] != names:
            empty(self._heads)
            for name in names:
                self._heads.addWidget(HeadEditor(self.workspace, name))
        for one in self.heads:
            one.show_head()

    @property
    def heads(self) -> list[HeadEditor]:
        """The editors of the gradients that come in at this node."""
        return [one for one in widgets_in(self._heads) if isinstance(one, HeadEditor)]

    def _show_arguments(self, analysis: Analysis, node_id: Id) -> None:
        facts = {fact.argument: fact for fact in array_facts(analysis, node_id) if fact.argument}
        if list(facts) != list(self.arguments):
            self._clear_arguments()
            for name, fact in facts.items():
                self.arguments[name] = ArgumentFold(self.workspace, fact, open_=fact.side == "output")
                self._arguments.addWidget(self.arguments[name])
        for fold in self.arguments.values():
            fold.show_binding(analysis)
        self._arguments_title.setVisible(bool(facts))
        is_variable = analysis.document.nodes[node_id].op == VARIABLE
        self._arguments_title.set_whole("Bound to" if is_variable else "Its own arguments")

    def _clear_arguments(self) -> None:
        empty(self._arguments)
        self.arguments = {}

    # -- editing it

    def _rename(self, text: str | None) -> None:
        old = self.workspace.document.nodes[self.node_id].name
        try:
            transaction = rename(self.workspace.document, self.node_id, text or "")
        except EditError as error:
            self.name_row.refuse(error.sentence, old)
            return
        self.name_row.accept()
        self.workspace.commit(transaction)

    def _set_param(self, name: str, text: str | None) -> None:
        if self.node_id in self.workspace.document.nodes:
            self.workspace.try_edit(set_param, self.node_id, name, text)


class ArgumentFold(QWidget):
    """One argument that can be bound here: a line to unfold, and below it the form."""

    def __init__(self, workspace: Workspace, fact: ArrayFact, *, open_: bool) -> None:
        super().__init__()
        self._workspace = workspace
        self._fact = fact
        self._analysis: Analysis | None = None
        self.editor: BindingEditor | None = None
        self.head = FoldButton()
        self.head.toggled.connect(self._fold)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(HALF_STEP)
        self._layout.addWidget(self.head)
        self.head.setVisible(not open_)
        self.head.setChecked(open_)
        self._fold(open_)

    def show_binding(self, analysis: Analysis) -> None:
        """Show what the argument is bound to."""
        self._analysis = analysis
        self._say()
        if self.editor is not None:
            self.editor.show_binding(analysis)

    def _fold(self, open_: bool) -> None:
        if open_ and self.editor is None:
            self.editor = BindingEditor(
                self._workspace, self._fact.argument, auxiliary=self._fact.role == "auxiliary"
            )
            self._layout.addWidget(self.editor)
            if self._analysis is not None:
                self.editor.show_binding(self._analysis)
        if self.editor is not None:
            self.editor.setVisible(open_)
        self._say()

    def _say(self) -> None:
        binding = self._workspace.document.bindings.get(self._fact.argument)
        value = binding.value if binding is not None and binding.kind != "none" else self._proposed()
        self.head.set_words(self._fact.argument, value)

    def _proposed(self) -> str:
        if self._analysis is None or self._analysis.graph is None or self._analysis.inference is None:
            return ""
        index = self._analysis.graph.index_by_name.get(self._fact.argument)
        return (
            ""
            if index is None
            else propose_value(self._analysis.graph, index, self._analysis.inference).words
        )


def _operator(op: str) -> type[Operator] | None:
    """Return an operator's class; None for a Variable, a Group and what is not known here."""
    if op in (VARIABLE, GROUP):
        return None
    try:
        return find_operator(op)
    except GraphError:
        return None


def _doc_of(op: str) -> tuple[str, str]:
    operator = _operator(op)
    if operator is not None:
        return doc_parts(operator.__doc__)
    known = entries().get(op)
    return (known.line, known.formula) if known is not None else ("", "")

"""The inspector's pages about numbers: the values at a node, and their gradients."""

from collections.abc import Iterator
from typing import Any, Literal

import attrs
from numpy.typing import NDArray
from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import QComboBox, QPushButton, QVBoxLayout, QWidget

from app.document.analysis import Analysis
from app.document.records import Id
from app.document.topology import topology
from app.engine.graph import Entry
from app.panels.forms.request_picker import WORDS
from app.panels.inspector.array_view import ArrayView
from app.panels.inspector.check_card import CheckCard
from app.panels.inspector.facts import array_facts
from app.panels.inspector.formula_card import FormulaCard, gradient_formulas, holder_index, readers_of
from app.panels.inspector.request_list import RequestList
from app.panels.panel import label
from app.qt.theme import GAP, STEP, Theme
from app.qt.workspace import Workspace
from app.services.running import Results

Array = NDArray[Any]
What = Literal["value", "gradient"]
READERS_AT_MOST = 6


@attrs.frozen
class Source:
    """One array that can be looked at for a node: how it is called, and where in the bound graph it is."""

    name: str
    entry: Entry


def sources(analysis: Analysis, results: Results, node_id: Id) -> Iterator[Source]:
    """List a node's outputs, then the arguments that it made itself, as far as they were bound.

    A Group makes nothing itself: its arrays are those that it binds, in their order.
    """
    index = results.node_index.get(node_id)
    graph = results.graph
    if index is None:
        for _, wire in sorted(topology(analysis.document).inputs(node_id).items()):
            bound = results.node_index.get(wire.source)
            if bound is not None:
                yield Source(graph.entry_name((bound, wire.output)), (bound, wire.output))
        return
    for number in range(len(graph.nodes[index].output_names)):
        yield Source(graph.entry_name((index, number)), (index, number))
    for fact in array_facts(analysis, node_id):
        if fact.argument and fact.side == "input" and fact.argument in graph.index_by_name:
            yield Source(fact.argument, (graph.index_by_name[fact.argument], 0))


class ArrayPage(QWidget):
    """Shows the arrays of one node, or what to do to get them."""

    def __init__(self, workspace: Workspace, what: What) -> None:
        super().__init__()
        self.workspace = workspace
        self.what = what
        self._node: Id = ""
        self._sources: tuple[Source, ...] = ()
        self.picker = QComboBox()
        self.picker.setAccessibleName("Array")
        self.picker.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.picker.activated.connect(lambda _: self._show_picked())
        self.stale = label("From before the last change. Run again for new numbers.", "muted", wrap=True)
        self.card = FormulaCard()
        self.why = label("", "muted", wrap=True)
        self.check = CheckCard()
        self.view = ArrayView(workspace.theme)
        self.hint = label("", "muted", wrap=True)
        self.needed_title = label("Needed by", "heading")
        self.needed = label("", "mono", wrap=True)
        self.requests = RequestList(workspace)
        is_value = what == "value"
        self.run = QPushButton("Run forward" if is_value else "Run backward")
        self.run.setProperty("look", "good" if is_value else "info")
        self.run.clicked.connect(lambda: workspace.forward() if is_value else workspace.backward())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, GAP, 0, GAP)
        layout.setSpacing(STEP)
        parts: tuple[QWidget, ...] = (self.picker, self.stale, self.card, self.why, self.view, self.check)
        for part in (*parts, self.needed_title, self.needed, self.hint, self.run, self.requests):
            layout.addWidget(part)
        layout.addStretch(1)
        for part in (self.card, self.why, self.check, self.needed_title, self.needed, self.requests):
            part.hide()

    def show_node(self, analysis: Analysis, node_id: Id) -> None:
        """Show the arrays of a node as the last run left them."""
        results = self.workspace.results
        if node_id != self._node:
            self._node = node_id
            with QSignalBlocker(self.picker):
                self.picker.setCurrentIndex(-1)
        self._sources = tuple(sources(analysis, results, node_id)) if results is not None else ()
        self._fill_picker()
        self.stale.setVisible(bool(self._sources) and not self.workspace.results_are_current)
        self._show_picked()
        if self.what == "gradient":
            self.requests.show_requests(analysis)

    def choose(self, name: str) -> None:
        """Show another of the node's arrays, where it has one of that name."""
        number = self.picker.findText(name)
        if number >= 0:
            self.picker.setCurrentIndex(number)
            self._show_picked()

    def restyle(self, theme: Theme) -> None:
        """Wear another theme."""
        self.view.restyle(theme)

    def _fill_picker(self) -> None:
        names = [source.name for source in self._sources]
        if names != [self.picker.itemText(number) for number in range(self.picker.count())]:
            chosen = self.picker.currentText()
            with QSignalBlocker(self.picker):
                self.picker.clear()
                self.picker.addItems(names)
                self.picker.setCurrentIndex(names.index(chosen) if chosen in names else 0)
        elif names and self.picker.currentIndex() < 0:
            with QSignalBlocker(self.picker):
                self.picker.setCurrentIndex(0)
        self.picker.setVisible(len(names) > 1)

    def _show_picked(self) -> None:
        results, number = self.workspace.results, self.picker.currentIndex()
        source = self._sources[number] if results is not None and 0 <= number < len(self._sources) else None
        array = self._array(results, source)
        self.picker.setToolTip(self.picker.currentText())
        self.view.setVisible(array is not None)
        for part in (self.card, self.why, self.needed_title, self.needed):
            part.setVisible(False)
        self.check.setVisible(self.what == "gradient" and array is not None)
        self.hint.setVisible(array is None)
        self.run.setVisible(array is None)
        if array is None or source is None or results is None:
            self._say_why(results, source)
            return
        if self.what == "gradient":
            self._show_formulas(results, source)
            self.check.show_source(results, source.entry)
        name = _short_name(results, source.entry)
        self.view.show_array(
            name if self.what == "value" else f"d({name})", array, diverging=self.what == "gradient"
        )

    def _show_formulas(self, results: Results, source: Source) -> None:
        """Say how a gradient comes about, and what is made from it."""
        index = holder_index(results.executor_graph, source.entry)
        if index is None:
            return
        self.card.show_formulas(tuple(gradient_formulas(results, index)))
        self.card.setVisible(True)
        self.why.setText(results.explain(index).why)
        self.why.setVisible(True)
        readers = readers_of(results.executor_graph, index)[:READERS_AT_MOST]
        self.needed.setText("\n".join(f"› {reader}" for reader in readers))
        for part in (self.needed_title, self.needed):
            part.setVisible(bool(readers))

    def _array(self, results: Results | None, source: Source | None) -> Array | None:
        if results is None or source is None:
            return None
        return results.value(source.entry) if self.what == "value" else results.gradient(source.entry)

    def _say_why(self, results: Results | None, source: Source | None) -> None:
        """Say why there are no numbers, and offer what would bring them."""
        needed = "forward" if self.what == "value" else "backward"
        if results is not None and source is None:
            words = "This node is not part of what was bound."
        elif results is not None and source is not None and self._comes_later(results, source):
            words = "Not computed yet: the next steps come to it."
        elif results is not None and results.stage == "backward" and source is not None:
            words = f"Nobody asked for the gradient of {source.name}. {self._request_words(results, source)}"
            self.run.hide()
        else:
            words = f"Run {needed} to see numbers here."
        self.hint.setText(words)

    def _comes_later(self, results: Results, source: Source) -> bool:
        """Tell whether a run that is gone through step by step will come to what there is none of yet."""
        is_gradient = self.what == "gradient"
        is_made = not is_gradient or holder_index(results.executor_graph, source.entry) is not None
        return results.moment is not None and is_made

    @staticmethod
    def _request_words(results: Results, source: Source) -> str:
        name = results.graph.nodes[source.entry[0]].name
        request = results.requests.get(name)
        if request == "null":
            return f"Its request is {WORDS['null'][0]}; choose write on the Node page to get it."
        return "No argument before it has one, so backward left it out."


def _short_name(results: Results, entry: Entry) -> str:
    """Name an array as the pictures do: by its node where that has one output."""
    node = results.graph.nodes[entry[0]]
    return node.name if len(node.output_names) == 1 else results.graph.entry_name(entry)

"""What the sheet of a bind says of every argument and auxiliary state, and the widgets that say it."""

from typing import Any

import attrs
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QSizePolicy

from app.document.analysis import Analysis
from app.document.records import Binding, Id, Request
from app.engine.shapes import is_known
from app.engine.shapes import text as shape_text
from app.panels.forms.request_picker import WORDS
from app.panels.panel import ElidedLabel, column, label, row, set_look, shape_look
from app.qt import fonts
from app.services.array_files import short_place
from app.services.proposals import propose_request, propose_value


@attrs.frozen
class Line:
    """One argument or auxiliary state as the sheet shows it."""

    name: str
    owner: Id | None
    shape: str
    inferred: bool
    known: bool
    value: str
    request: Request | None
    auxiliary: bool = False
    file: str = ""
    """Where the value comes from in full, since folders have no room in the line."""


def count_of_lines(analysis: Analysis) -> int:
    """Return how many arguments and auxiliary states would be bound."""
    graph, inference = analysis.graph, analysis.inference
    return 0 if graph is None or inference is None else len(graph.arguments) + len(graph.auxiliary)


def lines_of(analysis: Analysis, most: int) -> list[Line]:
    """Return a line for each of the first arguments and auxiliary states of what would be bound, in MXNet's order."""
    graph, inference = analysis.graph, analysis.inference
    if graph is None or inference is None:
        return []
    bindings = analysis.document.bindings
    auxiliary = set(graph.auxiliary)
    lines = []
    for index in (*graph.arguments, *graph.auxiliary)[:most]:
        name = graph.nodes[index].name
        binding = bindings.get(name, Binding(name))
        shape = inference.shape((index, 0))
        value = binding.value if binding.kind != "none" else propose_value(graph, index, inference).words
        is_file = binding.kind == "file"
        lines.append(
            Line(
                name,
                analysis.node_ids.get(index),
                shape_text(shape),
                not inference.is_given((index, 0)),
                is_known(shape),
                short_place(value) if is_file else value,
                None if index in auxiliary else (binding.request or propose_request(name)),
                index in auxiliary,
                value if is_file else "",
            )
        )
    return lines


class ArgumentRow(QObject):
    """The widgets of one line of the sheet; they show one argument after the other.

    `owner_chosen` carries the node that the argument belongs to, `request_chosen` the argument's name and what was
    chosen for its gradient.
    """

    owner_chosen = Signal(str)
    request_chosen = Signal(str, str)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.line: Line | None = None
        self.name = ArgumentLink()
        self.shape = ElidedLabel()
        self.shape.least = 400
        self.value = ElidedLabel()
        self.value.setProperty("look", "muted")
        for widget in (self.name, self.value):
            widget.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.state = label("state", "muted")
        self.state.setToolTip("An auxiliary state: it is kept, and nothing is differentiated by it.")
        self.request = QComboBox()
        for request, (word, _) in WORDS.items():
            self.request.addItem(word, request)
        self.request.setToolTip("What backward does with this gradient; • is what Chalkgraph proposes.")
        self.request.setFixedWidth(80)
        self.name.clicked.connect(self._choose_owner)
        self.request.activated.connect(self._choose_request)

    def add_to(self, table: QGridLayout, at: int) -> None:
        """Stand in a row of the sheet."""
        details = row(self.shape, self.value)
        details.setStretch(1, 1)
        table.addLayout(column(self.name, details, space=0), at, 0)
        for widget in (self.state, self.request):
            table.addWidget(widget, at, 1)

    def show_line(self, line: Line | None) -> None:
        """Show what the analysis says of an argument, or nothing."""
        if line == self.line:
            return
        self.line = line
        for widget in (self.name, self.shape, self.value):
            widget.setVisible(line is not None)
        self.state.setVisible(line is not None and line.request is None)
        self.request.setVisible(line is not None and line.request is not None)
        if line is None:
            return
        self.name.set_whole(line.name)
        set_look(self.shape, shape_look(inferred=line.inferred))
        self.shape.set_whole(line.shape, "" if line.known else "This shape is still open.")
        self.value.set_whole(line.value, line.file)
        if line.request is not None:
            self.request.setAccessibleName(f"Gradient of {line.name}")
            proposed = propose_request(line.name)
            for place, (request, (word, _)) in enumerate(WORDS.items()):
                self.request.setItemText(place, f"{word} •" if request == proposed else word)
            self.request.setCurrentIndex(list(WORDS).index(line.request))

    def _choose_owner(self) -> None:
        if self.line is not None and self.line.owner is not None:
            self.owner_chosen.emit(self.line.owner)

    def _choose_request(self) -> None:
        if self.line is not None:
            self.request_chosen.emit(self.line.name, self.request.currentData())


class ArgumentLink(ElidedLabel):
    """An argument's name that can be clicked, or pressed with Enter."""

    clicked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.elide = Qt.TextElideMode.ElideMiddle
        self.setFont(fonts.mono_font())
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def mouseReleaseEvent(self, event: Any) -> None:
        """Tell that the name was clicked."""
        self.clicked.emit()

    def keyPressEvent(self, event: Any) -> None:
        """Tell that the name was pressed."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.clicked.emit()
        else:
            super().keyPressEvent(event)

"""What the sheet of a bind says of every argument and auxiliary state, and the widgets that say it."""

from typing import Any

import attrs
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox

from app.document.analysis import Analysis
from app.document.records import Binding, Id, Request
from app.engine.shapes import is_known
from app.engine.shapes import text as shape_text
from app.panels.forms.request_picker import WORDS
from app.panels.panel import ElidedLabel, shape_font
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


def lines_of(analysis: Analysis) -> list[Line]:
    """Return one line per argument and auxiliary state of what would be bound, in MXNet's order."""
    graph, inference = analysis.graph, analysis.inference
    if graph is None or inference is None:
        return []
    bindings = analysis.document.bindings
    auxiliary = set(graph.auxiliary)
    lines = []
    for index in (*graph.arguments, *graph.auxiliary):
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


@attrs.frozen(eq=False)
class LineWidgets:
    """The widgets of one line of the sheet."""

    name: "ArgumentLink"
    shape: ElidedLabel
    value: ElidedLabel
    request: QComboBox | None

    def show_line(self, line: Line) -> None:
        """Show what the analysis says."""
        self.shape.setFont(shape_font(inferred=line.inferred))
        self.shape.set_whole(line.shape, "" if line.known else "This shape is still open.")
        self.value.set_whole(line.value, line.file)
        if self.request is not None and line.request is not None:
            self.request.setCurrentIndex(list(WORDS).index(line.request))


class ArgumentLink(ElidedLabel):
    """An argument's name that can be clicked, or pressed with Enter."""

    clicked = Signal()

    def __init__(self, name: str) -> None:
        super().__init__(name)
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

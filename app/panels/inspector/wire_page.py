"""What the inspector says of one wire: its ends, its shape and why it is so, and what to do where it does not fit."""

from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from app.document.analysis import Analysis
from app.document.records import Edge, Id
from app.engine.shapes import text
from app.panels.forms.parameter_form import LABEL_WIDTH
from app.panels.inspector.facts import array_facts, reason_lines
from app.panels.inspector.misfit import Misfit, misfit_of
from app.panels.panel import box, label, row, shape_look
from app.panels.remedy_buttons import remedy_parts
from app.qt.theme import STEP
from app.qt.workspace import Workspace


def fill_wire(layout: QVBoxLayout, workspace: Workspace, analysis: Analysis, edge: Edge) -> None:
    """Say everything about a wire."""
    document, readings = analysis.document, analysis.drawing.readings
    source, target = document.nodes[edge.source], document.nodes[edge.target]
    operator = readings[edge.source].operator
    several = operator is not None and len(operator.outputs) > 1
    output = f" · {operator.outputs[edge.output]}" if operator is not None and several else ""
    ports = analysis.ports(edge.target)
    port = f" · {ports[edge.input].name}" if edge.input < len(ports) else ""
    _end(layout, workspace, "From", (edge.source, source.name + output))
    _end(layout, workspace, "To", (edge.target, target.name + port))
    shape = analysis.wire_shape(edge.id)
    words = label(str(shape), shape_look(inferred=shape.inferred))
    words.setContentsMargins(STEP, 0, 0, 0)
    _line(layout, "Shape", words)
    problems = [problem for problem in analysis.problems if problem.edge == edge.id]
    if problems:
        layout.addWidget(box(*(label(problem.sentence, "error", wrap=True) for problem in problems)))
    misfit = misfit_of(analysis, edge)
    if misfit is not None:
        _tell_misfit(layout, misfit, (source.name, target.name))
    for part in remedy_parts(workspace, analysis, problems):
        layout.addWidget(part)
    if misfit is not None:
        return
    facts = [
        one for one in array_facts(analysis, edge.target) if one.side == "input" and one.number == edge.input
    ]
    lines = [
        label(line.sentence, "muted" if line.depth else "text", wrap=True)
        for fact in facts
        for line in reason_lines(analysis, edge.target, fact)
    ]
    if lines:
        layout.addWidget(box(label("Why this shape?", "heading"), *lines))


def _line(layout: QVBoxLayout, caption: str, words: QWidget) -> None:
    title = label(caption, "muted")
    title.setFixedWidth(LABEL_WIDTH)
    inner = row(title, words, space=STEP)
    inner.setStretch(1, 1)
    layout.addLayout(inner)


def _end(layout: QVBoxLayout, workspace: Workspace, caption: str, end: tuple[Id, str]) -> None:
    button = QPushButton(end[1].replace("&", "&&"))
    button.setProperty("look", "flat")
    button.setStyleSheet("text-align: left")
    button.setAccessibleName(f"{caption} {end[1]}")
    button.setToolTip(f"Select {end[1].partition(' · ')[0]}")
    button.clicked.connect(lambda: workspace.select({end[0]}))
    _line(layout, caption, button)


def _tell_misfit(layout: QVBoxLayout, misfit: Misfit, names: tuple[str, str]) -> None:
    """Put what comes beside what is wanted, each with what decides it."""
    for verb, shape, reasons in (
        (f"{names[0]} gives", misfit.comes, misfit.comes_because),
        (f"{names[1]} wants", misfit.wanted, misfit.wanted_because),
    ):
        lines = (label(sentence, "muted", wrap=True) for sentence in reasons)
        layout.addWidget(box(label(f"{verb} {text(shape)}", "heading"), *lines))

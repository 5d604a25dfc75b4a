"""The card that spells out one gradient: the formula, what it reads with this graph's numbers, and the result."""

from collections.abc import Iterator
from typing import Any

import attrs
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QVBoxLayout

from app.engine.gradient import ExecutorGraph, ExecutorNode
from app.engine.shapes import text as shape_text
from app.panels.inspector.statistics import number_text
from app.panels.panel import empty, label
from app.qt import fonts
from app.qt.theme import HALF_STEP, STEP
from app.services.number_words import worked_out
from app.services.running import Results

Array = NDArray[Any]
_BACKWARD = ("gradient", "gradient_sum", "head_gradient")


@attrs.frozen
class FormulaLine:
    """One line under a formula: what it is, the name of an array, and its number or shape."""

    what: str
    name: str
    value: str


@attrs.frozen
class GradientFormula:
    """How one gradient comes about, in words and in this graph's numbers."""

    formula: str
    lines: tuple[FormulaLine, ...]
    result: str


def gradient_formulas(results: Results, index: int) -> Iterator[GradientFormula]:
    """Explain the gradient that an executor node holds; a sum is followed by its parts."""
    graph = results.executor_graph
    node = graph.nodes[index]
    yield _formula(results, node)
    if node.kind == "gradient_sum":
        for read in node.reads:
            if graph.nodes[read].kind == "gradient":
                yield _formula(results, graph.nodes[read])


def _formula(results: Results, node: ExecutorNode) -> GradientFormula:
    graph = results.executor_graph
    reads = [graph.nodes[read] for read in node.reads]
    lines = [
        FormulaLine("flows in" if one.kind in _BACKWARD else "reads", one.name, _value_text(results, one))
        for one in sorted(reads, key=lambda one: one.kind in _BACKWARD)
    ]
    if node.kind == "head_gradient":
        formula = f"{node.name} is handed to backward"
    else:
        formula = node.formula or node.name
    return GradientFormula(formula, tuple(lines), _result_text(results, node, reads))


def _value_text(results: Results, node: ExecutorNode) -> str:
    array = results.exec_value(node.index)
    if array is not None and array.size == 1:
        return number_text(float(array.reshape(-1)[0]), 5)
    return shape_text(node.shape)


def _result_text(results: Results, node: ExecutorNode, reads: list[ExecutorNode]) -> str:
    """Write the formula with numbers put in, where everything it names is one number."""
    result = _value_text(results, node)
    arrays = {one.name: results.exec_value(one.index) for one in reads}
    right = node.formula.partition(" = ")[2]
    if node.request == "add":
        return f"{result}, added to what was there"
    if not right or not all(array is not None and array.size == 1 for array in arrays.values()):
        return result
    numbers = {
        name: number_text(float(array.reshape(-1)[0]), 5)
        for name, array in arrays.items()
        if array is not None
    }
    return worked_out(right, numbers, result)


def holder_index(graph: ExecutorGraph, entry: tuple[int, int]) -> int | None:
    """Return the executor node that holds the whole gradient of an array, None where nobody asked for it."""
    return graph.gradient_nodes.get(entry)


def readers_of(graph: ExecutorGraph, index: int) -> list[str]:
    """Return the formulas of the gradients that read what an executor node holds."""
    return [
        node.formula or node.name for node in graph.nodes if index in node.reads and node.kind in _BACKWARD
    ]


class FormulaCard(QFrame):
    """The formulas of one gradient."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("look", "box")
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(HALF_STEP, HALF_STEP, HALF_STEP, HALF_STEP)
        self._layout.setSpacing(STEP)
        self.formulas: tuple[GradientFormula, ...] = ()

    def show_formulas(self, formulas: tuple[GradientFormula, ...]) -> None:
        """Write down how a gradient comes about."""
        if formulas == self.formulas and formulas:
            return
        self.formulas = formulas
        empty(self._layout)
        for found in formulas:
            title = label(found.formula, wrap=True)
            title.setFont(fonts.mono_font(fonts.BODY, strong=True))
            title.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self._layout.addWidget(title)
            self._layout.addLayout(self._lines(found))

    @staticmethod
    def _lines(found: GradientFormula) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(STEP)
        grid.setVerticalSpacing(HALF_STEP)
        grid.setColumnStretch(2, 1)
        for number, line in enumerate(found.lines):
            grid.addWidget(label(line.what, "muted"), number, 0)
            grid.addWidget(label(line.name, "mono"), number, 1)
            grid.addWidget(label(f"= {line.value}", "mono"), number, 2)
        at = len(found.lines)
        grid.addWidget(label("result", "muted"), at, 0)
        result = label(found.result, "mono", wrap=True)
        result.setFont(fonts.mono_font(strong=True))
        grid.addWidget(result, at, 1, 1, 2)
        return grid

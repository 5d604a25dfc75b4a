"""What is drawn of the executor graph, as plain values: kinds, letters, numbers and formulas."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import attrs

from app.canvas.appearance import array_name

if TYPE_CHECKING:
    from app.document.records import Document
    from app.engine.gradient import ExecutorGraph, ExecutorNode
    from app.services.running import Results

ExecutorKind = Literal["argument", "output", "internal", "auxiliary", "holder", "backward", "head"]
WireKind = Literal["forward", "read", "gradient"]
Form = Literal["square", "tile", "small"]
"""How an array is drawn: as the pictures' square with words beside it, or as a tile around its heatmap."""
MOST_FORMULAS = 24
LONGEST_FORMULA = 38

KIND_WORDS: Mapping[ExecutorKind, str] = {
    "argument": "argument array",
    "output": "output array",
    "internal": "internal array",
    "auxiliary": "auxiliary state",
    "holder": "gradient holder",
    "backward": "backward node",
    "head": "backward input: the gradient handed in",
}


@attrs.frozen
class ExecutorLook:
    """All that is drawn of one executor node; `notes` are the quieter lines under its title.

    `has_heat` says that there is an array to draw, `is_row` that its picture is one row high.
    """

    index: int
    kind: ExecutorKind
    letter: str
    title: str
    number: str = ""
    sign: str = ""
    notes: tuple[str, ...] = ()
    has_heat: bool = False
    is_row: bool = False
    is_stale: bool = False
    form: Form = "square"

    @property
    def is_gradient(self) -> bool:
        """Whether it holds a gradient, so that its colours diverge around zero."""
        return self.kind in ("holder", "backward", "head")


def kind_of(node: "ExecutorNode") -> ExecutorKind:
    """Return which of the pictures' signs a node gets."""
    if node.kind == "head_gradient":
        return "head"
    if node.kind in ("gradient", "gradient_sum"):
        return "holder" if node.request is not None else "backward"
    if node.heads:
        return "output"
    if node.kind == "auxiliary":
        return "auxiliary"
    return "argument" if node.kind == "argument" else "internal"


def letter_of(node: "ExecutorNode") -> str:
    """Return the letter in a node's square, so that its colour does not speak alone."""
    match kind_of(node):
        case "output":
            return ",".join(map(str, node.heads))
        case "argument":
            return "A"
        case "auxiliary":
            return "S"
        case "head":
            return "↓"
        case "holder":
            return "∂+" if node.request == "add" else "∂"
        case "backward":
            return "Σ" if node.kind == "gradient_sum" else "∂"
    return ""


def wire_kind(graph: "ExecutorGraph", source: int, reader: int) -> WireKind:
    """Return what runs from one node to its reader: a value forward, a value read by backward, or a gradient."""
    forward = ("argument", "auxiliary", "operator")
    if graph.nodes[reader].kind in forward:
        return "forward"
    return "read" if graph.nodes[source].kind in forward else "gradient"


class Writer:
    """Writes the looks of one executor graph with the numbers of one run."""

    def __init__(self, graph: "ExecutorGraph", results: "Results | None", *, is_current: bool) -> None:
        self._graph = graph
        self._results = results
        self._is_current = is_current
        taken = {node.name for node in graph.nodes}
        self._names = {
            node.index: array_name(node.name, taken) if node.kind == "argument" else node.name
            for node in graph.nodes
        }
        self._with_formulas = len(graph.nodes) <= MOST_FORMULAS

    def look(self, node: "ExecutorNode", form: Form = "square") -> ExecutorLook:
        """Return the look of one node."""
        array = self._results.exec_value(node.index) if self._results is not None else None
        number = self.number(node.index)
        operator = self._graph.graph.nodes[node.symbol_node].operator
        is_operator = node.kind == "operator" and operator is not None
        sign = type(operator).sign if is_operator and operator is not None else ""
        notes = []
        if is_operator and not sign and operator is not None:
            notes.append(type(operator).op_name)
        if node.shape and not number:
            notes.append(_shape_text(node.shape))
        if self._with_formulas and node.formula:
            notes += self.formula_lines(node)
        return ExecutorLook(
            node.index,
            kind_of(node),
            letter_of(node),
            self._names[node.index],
            number,
            sign,
            tuple(notes),
            array is not None and array.size > 1,
            array is not None and array.ndim == 1,
            not self._is_current,
            form,
        )

    def number(self, index: int) -> str:
        """Return the only number of a node's array; nothing where it has several, or none yet."""
        array = self._results.exec_value(index) if self._results is not None else None
        if array is None or array.size != 1:
            return ""
        from app.services.number_words import number_text

        return number_text(float(array.item()))

    def formula_lines(self, node: "ExecutorNode") -> list[str]:
        """Write a gradient's formula with the arrays' names, then with their numbers where all are numbers."""
        right = node.formula.partition(" = ")[2]
        if not right or len(right) > LONGEST_FORMULA:
            return []
        named = replace_names(right, {self._graph.nodes[i].name: self._names[i] for i in node.reads})
        lines = [f"= {named}"]
        numbers = {self._graph.nodes[i].name: self.number(i) for i in node.reads}
        if numbers and all(numbers.values()):
            filled = replace_names(right, {name: _bracketed(text) for name, text in numbers.items()})
            if not re.search(r"[^\W\d_]", filled) and filled != self.number(node.index):
                lines.append(f"= {filled}")
        return lines


def replace_names(formula: str, names: Mapping[str, str]) -> str:
    """Put other names or numbers into a formula, longest names first, whole names only."""
    if not names:
        return formula
    spelled = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    pattern = rf"(?<![\w(])({spelled})(?!\w)|(?<=\()({spelled})(?!\w)"
    return re.sub(pattern, lambda match: names[match[1] or match[2]], formula)


def _bracketed(number: str) -> str:
    return f"({number})" if number.startswith("−") else number


def _shape_text(shape: tuple[int, ...]) -> str:
    return f"({', '.join(str(size) if size else '?' for size in shape)})"


def summary_of(graph: "ExecutorGraph", requests: Mapping[str, str], *, bound: bool) -> str:
    """Say in one line what is bound, which gradients are asked for, and what it takes."""
    outputs = ", ".join(graph.graph.nodes[head[0]].name for head in graph.graph.heads[:3])
    if len(graph.graph.heads) > 3:
        outputs += f" and {len(graph.graph.heads) - 3} more"
    parts = [f"{'bound' if bound else 'to bind:'} {outputs}"]
    if requests:
        parts.append("grad: " + _requests_text(requests))
    size = sum(_size(node.shape) * node.dtype.itemsize for node in graph.nodes)
    count = len(graph.nodes)
    parts.append(f"{count} array{'s' if count != 1 else ''}, {bytes_text(size)}")
    return " · ".join(parts)


def _requests_text(requests: Mapping[str, str]) -> str:
    said = {name: "none" if request == "null" else request for name, request in requests.items()}
    if len(said) <= 3:
        return ", ".join(f"{name} {request}" for name, request in said.items())
    counts = {word: list(said.values()).count(word) for word in ("write", "add", "none")}
    return ", ".join(f"{count} {word}" for word, count in counts.items() if count)


def bytes_text(size: int) -> str:
    """Write a number of bytes for people."""
    if size < 1000:
        return f"{size} B"
    for unit in ("KB", "MB", "GB"):
        size_in_unit = size / {"KB": 1e3, "MB": 1e6, "GB": 1e9}[unit]
        if size_in_unit < 1000 or unit == "GB":
            return f"{size_in_unit:.3g} {unit}"
    raise AssertionError("every size has a unit")


def _size(shape: tuple[int, ...]) -> int:
    count = 1
    for size in shape:
        count *= size
    return count if shape else 0


def requests_of(document: "Document", graph: "ExecutorGraph") -> dict[str, str]:
    """Return the gradient request of every argument, chosen or proposed."""
    from app.services.running import request_of

    symbol = graph.graph
    return {
        symbol.nodes[index].name: request_of(document, symbol.nodes[index].name) for index in symbol.arguments
    }

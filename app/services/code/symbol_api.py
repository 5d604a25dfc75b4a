"""The Symbol-API program of a document, as the pictures of the tutorial write it, for a real MXNet.

Signs are written as signs (`C = A * B`), layers with their names and settings, and what a node makes for itself stays
unsaid. A node whose settings are wrong stands as a comment, so that the rest can be read while one types.
"""

from collections.abc import Mapping, Sequence

import attrs

from app.document.analysis import Analysis
from app.document.records import GROUP, VARIABLE, Id, Node
from app.document.topology import topology
from app.engine.compose import SymbolNode, depth_first
from app.engine.operator import Operator
from app.services.code.lines import CodeLines, CodeText
from app.services.code.names import Identifiers, literal
from app.services.code.symbol_run import RunLines, Subject

RESERVED = ("mx", "np", "executor", "requests", "digits", "desc")

BETWEEN_TWO = {
    "elemwise_add": "+",
    "elemwise_sub": "-",
    "elemwise_mul": "*",
    "elemwise_div": "/",
    "_power": "**",
}
WITH_NUMBER = {
    "_plus_scalar": "{x} + {number}",
    "_minus_scalar": "{x} - {number}",
    "_rminus_scalar": "{number} - {x}",
    "_mul_scalar": "{x} * {number}",
    "_div_scalar": "{x} / {number}",
    "_rdiv_scalar": "{number} / {x}",
    "_power_scalar": "{x} ** {number}",
    "_rpower_scalar": "{number} ** {x}",
}


def write(analysis: Analysis) -> CodeText:
    """Return the program of a document and which lines are about which nodes."""
    lines = CodeLines()
    program = _Program(analysis, lines)
    program.compose()
    subject = program.subject()
    if subject is not None:
        lines.gap()
        RunLines(analysis, lines, program.names).write(subject)
    imports = ["import mxnet as mx", *(["import numpy as np"] if lines.mention("np.") else []), ""]
    return lines.done(before=imports)


@attrs.frozen
class _Call:
    """A composed operator: the inputs that are wired, in port order, and its settings."""

    node: Node
    operator: Operator
    wired: Mapping[int, str]


class _Program:
    """Writes the composing half."""

    def __init__(self, analysis: Analysis, lines: CodeLines) -> None:
        self.analysis = analysis
        self.document = analysis.document
        self.lines = lines
        self.names = Identifiers(RESERVED)
        self.variable: dict[Id, str] = {}

    def compose(self) -> None:
        """Write a line for every node, inputs before their readers."""
        for node_id in self._order():
            node = self.document.nodes[node_id]
            self.variable[node_id] = self.names.take(node.name)
            self._write_node(node)
        for node in self.document.nodes.values():
            if node.op != GROUP and node.id not in self.variable:
                self.lines.add(f"# {node.name} is left out: {self._problem(node.id)}", [node.id])

    def subject(self) -> Subject | None:
        """Write the Group, if there is one, and return what is to be bound."""
        analysis = self.analysis
        if analysis.bound is None:
            return None
        ids = {symbol: key for key, symbol in analysis.drawing.nodes.items()}
        heads = [(ids[symbol], number) for symbol, number in analysis.drawing.heads]
        texts = self._head_texts(heads)
        group = next(
            (self.document.nodes[key] for key in analysis.drawing.chosen if self._is_group(key)), None
        )
        if group is None and len(texts) == 1:
            return Subject(texts[0], self._short_names(heads))
        name = self.names.take(group.name if group is not None else "group")
        about = [group.id] if group is not None else []
        self.lines.call(f"{name} = mx.sym.Group([", [*texts[:-1], f"{texts[-1]}]"], about)
        return Subject(name, self._short_names(heads))

    def _order(self) -> list[Id]:
        """List the sound nodes as the graph has them, then those that are not bound."""
        drawing = self.analysis.drawing
        ids = {symbol: key for key, symbol in drawing.nodes.items()}
        heads = [*drawing.heads, *((symbol, 0) for symbol in drawing.nodes.values())]
        return [ids[symbol] for symbol in depth_first(heads) if symbol in ids]

    def _write_node(self, node: Node) -> None:
        name = self.variable[node.id]
        if node.op == VARIABLE:
            attributes = [f"attr={dict(node.attributes)!r}"] if node.attributes else []
            self.lines.call(f"{name} = mx.sym.Variable(", [repr(node.name), *attributes], [node.id])
            return
        operator = self.analysis.drawing.nodes[node.id].operator
        assert operator is not None
        call = _Call(node, operator, self._wired(node.id))
        sign = _with_sign(call)
        if sign:
            self.lines.add(f"{name} = {sign}", [node.id])
        else:
            self.lines.call(f"{name} = {_function(node.op)}(", _arguments(call), [node.id])

    def _wired(self, node_id: Id) -> dict[int, str]:
        return {
            number: self._output_text(edge.source, edge.output)
            for number, edge in topology(self.document).inputs(node_id).items()
        }

    def _output_text(self, node_id: Id, number: int) -> str:
        name = self.variable[node_id]
        return name if self._output_count(node_id) == 1 else f"{name}[{number}]"

    def _output_count(self, node_id: Id) -> int:
        symbol: SymbolNode = self.analysis.drawing.nodes[node_id]
        return symbol.visible_outputs

    def _head_texts(self, heads: Sequence[tuple[Id, int]]) -> list[str]:
        """Name the heads; a node with several outputs, all of them bound in a row, is named whole."""
        texts: list[str] = []
        index = 0
        while index < len(heads):
            node_id, count = heads[index][0], self._output_count(heads[index][0])
            whole = [(node_id, number) for number in range(count)]
            if list(heads[index : index + count]) == whole:
                texts.append(self.variable[node_id])
                index += count
            else:
                texts.append(self._output_text(*heads[index]))
                index += 1
        return texts

    def _short_names(self, heads: Sequence[tuple[Id, int]]) -> tuple[str, ...]:
        return tuple(
            self.variable[node_id]
            if self._output_count(node_id) == 1
            else f"{self.variable[node_id]}_{number}"
            for node_id, number in heads
        )

    def _is_group(self, node_id: Id) -> bool:
        return self.document.nodes[node_id].op == GROUP

    def _problem(self, node_id: Id) -> str:
        found = self.analysis.problems_at(node_id)
        return found[0].sentence if found else "it reads a node that has a problem."


def _with_sign(call: _Call) -> str:
    """Write a node as arithmetic, or return nothing where that would lose an input or an attribute."""
    kind, texts = call.operator.op_name, [call.wired[number] for number in sorted(call.wired)]
    if call.node.attributes or len(texts) != len(call.operator.ports):
        return ""
    if kind in BETWEEN_TWO:
        return f" {BETWEEN_TWO[kind]} ".join(texts)
    if kind in WITH_NUMBER:
        number = literal(getattr(call.operator, "scalar"))  # noqa: B009 - declared by the scalar family only
        wrapped = f"({number})" if number.startswith("-") and "{number} **" in WITH_NUMBER[kind] else number
        return WITH_NUMBER[kind].format(x=texts[0], number=wrapped)
    return ""


def _function(op: str) -> str:
    return f"mx.sym._internal.{op}" if op.startswith("_") else f"mx.sym.{op}"


def _arguments(call: _Call) -> list[str]:
    """Write the inputs, then the settings that were set, then the name."""
    operator, ports = call.operator, call.operator.ports
    in_order = list(call.wired) == list(range(len(ports)))
    if operator.variadic and in_order:
        inputs = list(call.wired.values())
    else:
        inputs = [f"{ports[number].name}={text}" for number, text in sorted(call.wired.items())]
    settings = []
    for parameter in operator.parameters:
        is_counted = parameter.name == operator.variadic and in_order
        if parameter.name in call.node.params and not is_counted:
            settings.append(f"{parameter.name}={literal(getattr(operator, parameter.name))}")
    if call.node.attributes:
        settings.append(f"attr={dict(call.node.attributes)!r}")
    return [*inputs, *settings, f"name={call.node.name!r}"]

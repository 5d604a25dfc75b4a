"""The Symbol-API program of a document, as the pictures of the tutorial write it, for a real MXNet.

Signs are written as signs (`C = A * B`), layers with their names and settings, and what a node makes for itself stays
unsaid. A node that is wrong, or reads one that is, stands as a comment in its place, as it was typed and with what is
wrong, so that the rest can be read while one types.
"""

from collections.abc import Mapping, Sequence

import attrs

from app.document.analysis import Analysis
from app.document.records import GROUP, VARIABLE, Id, Node
from app.document.topology import topology
from app.engine.naming import python_name
from app.engine.opaque import Opaque
from app.engine.operator import Operator
from app.services.code import symbol_opaque
from app.services.code.lines import CodeLines, CodeText
from app.services.code.names import Identifiers, literal
from app.services.code.symbol_broken import as_typed, remark
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
        """Write a line for every node, inputs before their readers where they don't go round in a circle."""
        order = self._order()
        for node_id in order:
            self.variable[node_id] = self.names.take(self.document.nodes[node_id].name)
        for node_id in order:
            node = self.document.nodes[node_id]
            if node_id in self.analysis.drawing.nodes:
                self._write_node(node)
            else:
                self._write_broken(node)

    def subject(self) -> Subject | None:
        """Write the Group, if there is one, and return what is to be bound.

        While an output is broken nothing is: what the analysis then holds as bound is only there to be looked at.
        """
        analysis = self.analysis
        if not analysis.drawing.is_whole:
            first = analysis.errors[0].sentence if analysis.errors else "an output has a problem."
            self.lines.gap()
            self.lines.add(remark(f"Not bound yet: {first}"))
            return None
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
        """List all nodes but Groups, from the outputs back and inputs first, then those that nothing bound reads."""
        wires = topology(self.document)
        seen: set[Id] = set()
        order: list[Id] = []
        for start in (*self.analysis.drawing.chosen, *self.document.nodes):
            waiting = [(start, False)]
            while waiting:
                node_id, is_ready = waiting.pop()
                if is_ready:
                    order.append(node_id)
                elif node_id not in seen:
                    seen.add(node_id)
                    waiting.append((node_id, True))
                    sources = [edge.source for edge in wires.inputs(node_id).values()]
                    waiting += [(source, False) for source in reversed(sources)]
        return [node_id for node_id in order if not self._is_group(node_id)]

    def _write_node(self, node: Node) -> None:
        name = self.variable[node.id]
        if node.op == VARIABLE:
            attributes = [f"attr={dict(node.attributes)!r}"] if node.attributes else []
            self.lines.call(f"{name} = mx.sym.Variable(", [repr(node.name), *attributes], [node.id])
            return
        operator = self.analysis.drawing.nodes[node.id].operator
        assert operator is not None
        if isinstance(operator, Opaque):
            arguments = symbol_opaque.arguments(node, operator, self._wired(node.id))
            self.lines.add(remark(symbol_opaque.note(node)), [node.id])
            self.lines.call(f"{name} = {symbol_opaque.function(node.op)}(", arguments, [node.id])
            return
        call = _Call(node, operator, self._wired(node.id))
        sign = _with_sign(call)
        if sign:
            self.lines.add(f"{name} = {sign}", [node.id])
        else:
            self.lines.call(f"{name} = mx.sym.{python_name(node.op)}(", _arguments(call), [node.id])

    def _write_broken(self, node: Node) -> None:
        """Say what is wrong with a node, and below it write what was typed, as a comment."""
        self.lines.add(remark(f"{node.name} is left out: {self._problem(node)}"), [node.id])
        reading = self.analysis.drawing.readings[node.id]
        text = as_typed(node, reading, self._wired(node.id))
        self.lines.add(remark(f"{self.variable[node.id]} = mx.sym.{python_name(node.op)}({text})"), [node.id])

    def _wired(self, node_id: Id) -> dict[int, str]:
        """Return what comes in at each input; a wire to an input that there isn't carries nothing."""
        operator = self.analysis.drawing.readings[node_id].operator
        return {
            number: self._output_text(edge.source, edge.output)
            for number, edge in topology(self.document).inputs(node_id).items()
            if operator is None or number < len(operator.ports)
        }

    def _output_text(self, node_id: Id, number: int) -> str:
        name = self.variable.get(node_id) or self.document.nodes[node_id].name
        return name if self._output_count(node_id) <= 1 and not number else f"{name}[{number}]"

    def _output_count(self, node_id: Id) -> int:
        return self.analysis.drawing.readings[node_id].output_count

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

    def _problem(self, node: Node) -> str:
        """Say what is wrong with a node, or which broken one it reads."""
        found = self.analysis.problems_at(node.id)
        if found:
            return found[0].sentence.removeprefix(f"{node.name}: ")
        sources = [edge.source for edge in topology(self.document).inputs(node.id).values()]
        broken = [key for key in sources if key not in self.analysis.drawing.nodes]
        return f"it reads {self.document.nodes[broken[0]].name}." if broken else "it cannot be computed."


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

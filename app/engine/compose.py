"""Nodes in the making of a graph: composing operators, and numbering what the heads need."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs

from app.engine.errors import EngineError, GraphError, ParameterError, quoted
from app.engine.graph import VARIABLE_OP, Entry, Graph, GraphNode
from app.engine.naming import AttrScope, NameManager
from app.engine.nearby import did_you_mean, listed
from app.engine.operator import Operator, Port
from app.engine.params import as_text
from app.engine.reconciling import settings_with_ports, with_advice
from app.engine.registry import find_operator
from app.engine.unchanging import unchanging
from app.engine.wiring import output_count, port_count


@unchanging(eq=False)
class SymbolNode:
    """A variable or an operator in the making of a graph; inputs are other nodes' outputs.

    `control_deps` are nodes that it waits for without reading them. `subgraphs` are the graphs inside it, as the JSON
    of the file that it came from; nothing here runs them.
    """

    name: str
    op_name: str
    operator: Operator | None
    attributes: Mapping[str, str]
    inputs: tuple[tuple["SymbolNode", int], ...] = ()
    control_deps: tuple["SymbolNode", ...] = ()
    subgraphs: str = ""

    @property
    def visible_outputs(self) -> int:
        """The number of outputs that are listed."""
        return 1 if self.operator is None else len(self.operator.outputs)

    @property
    def output_count(self) -> int:
        """The number of outputs, hidden ones included."""
        return 1 if self.operator is None else output_count(self.operator)

    @property
    def needs(self) -> tuple[tuple["SymbolNode", int], ...]:
        """What must be there before the node: what it reads, and what it waits for."""
        if not self.control_deps:
            return self.inputs
        return (*self.inputs, *((other, 0) for other in self.control_deps))


Head = tuple[SymbolNode, int]


@attrs.frozen
class Inputs:
    """What an operator is composed from: outputs in port order, None where one is missing, and by port name."""

    ordered: Sequence[Sequence[Head] | None] = ()
    named: Mapping[str, Sequence[Head]] = attrs.Factory(dict)


def compose(
    op_name: str,
    inputs: Inputs,
    settings: Mapping[str, Any],
    *,
    name: str | None = None,
    hint: str | None = None,
) -> SymbolNode:
    """Make one operator node; inputs that are missing become variables `NODE_INPUT`.

    `settings` are Python values or MXNet's texts, those in underscores being attributes of the node; those of open
    scopes count as if they stood among them. Errors name the node: ParameterError for settings, GraphError for inputs.
    """
    operator_class = find_operator(op_name)
    texts = AttrScope.collect({key: as_text(value) for key, value in settings.items()})
    if operator_class.variadic and operator_class.variadic not in texts:
        texts[operator_class.variadic] = str(len(inputs.ordered) + len(inputs.named))
    node_name = NameManager.current().name(name, hint or op_name.lower())
    try:
        operator = operator_class.from_attributes(texts)
        given = _given_inputs(operator, inputs)
    except ParameterError as error:
        raise _mixed_up(operator_class, inputs, texts, error).at(node_name) from None
    except EngineError as error:
        raise error.at(node_name) from None
    heads = tuple(
        head if head is not None else missing_input(node_name, port, texts)
        for port, head in zip(operator.ports, given, strict=True)
    )
    return SymbolNode(node_name, op_name, operator, texts, heads)


def missing_input(node_name: str, port: Port, attributes: Mapping[str, str]) -> Head:
    """Make the variable that MXNet makes for an input nobody gave."""
    own = {**attributes, **port.made_with}
    return SymbolNode(f"{node_name}_{port.name}", VARIABLE_OP, None, own), 0


def _given_inputs(operator: Operator, inputs: Inputs) -> list[Head | None]:
    names = [port.name for port in operator.ports]
    if len(inputs.ordered) > len(names):
        offers = [f"set {operator.variadic} to as many", "leave it out"] if operator.variadic else []
        offers += _settings_with(operator, len(inputs.ordered))
        sentence = f"{operator.op_name} takes {_inputs(names)} but was given {len(inputs.ordered)}."
        raise GraphError(with_advice(sentence, offers))
    given: list[Sequence[Head] | None] = [*inputs.ordered, *[None] * (len(names) - len(inputs.ordered))]
    for port_name, heads in inputs.named.items():
        if port_name not in names:
            sentence = _no_input(operator, port_name, names)
            raise GraphError(with_advice(sentence, _settings_with(operator, port_name)), port=port_name)
        if given[names.index(port_name)] is not None:
            raise GraphError(
                f"The input {port_name} was given twice, in its place and by name. Leave one out.",
                port=port_name,
            )
        given[names.index(port_name)] = heads
    for port_name, entry in zip(names, given, strict=True):
        if entry is not None and len(entry) != 1:
            raise GraphError(
                f"The input {port_name} takes one output, but was given {len(entry)}"
                f" ({listed([output_name(head) for head in entry])}); pick one with [i].",
                port=port_name,
            )
    return [None if entry is None else entry[0] for entry in given]


def _settings_with(operator: Operator, wired: int | str) -> list[str]:
    """Say which other settings would give a node as many ports, or the one of a name."""

    def fits(ports: Sequence[str]) -> bool:
        return wired in (len(ports), *ports)

    return [mend.words for mend in settings_with_ports(operator, fits)]


def _inputs(names: Sequence[str]) -> str:
    """Count inputs in words, with their names."""
    if not names:
        return "no inputs"
    return f"{len(names)} input{'s' if len(names) > 1 else ''} ({listed(names)})"


def _mixed_up(
    operator_class: type[Operator], inputs: Inputs, texts: Mapping[str, str], error: ParameterError
) -> EngineError:
    """Return the refusal of a setting, in other words where an input and a setting were taken for each other."""
    name = error.port or ""
    if name in inputs.named:
        return GraphError(_no_input(operator_class, name, ()), port=name)
    try:
        others = {key: text for key, text in texts.items() if key != name}
        ports = [port.name for port in operator_class.from_attributes(others).ports]
    except EngineError:
        return error
    if name not in texts or name not in ports:
        return error
    sentence = (
        f"{name} of {operator_class.op_name} is an input, so it takes a symbol, not {quoted(texts[name])}."
    )
    return GraphError(sentence, port=name)


def _no_input(operator: Operator | type[Operator], name: str, names: Sequence[str]) -> str:
    """Say that there is no input of a name, and what was meant."""
    if any(parameter.name == name for parameter in operator.parameters):
        return f"{name} of {operator.op_name} is a setting, so it takes a value and no symbol."
    advice = did_you_mean(name, names) or f" It takes {_inputs(names)}."
    return f"{operator.op_name} has no input named {name!r}.{advice}"


def output_name(head: Head) -> str:
    """Name one output of a node, hidden ones too."""
    node, number = head
    if node.operator is None:
        return node.name
    suffixes = (*node.operator.outputs, *node.operator.hidden)
    return f"{node.name}_{suffixes[number]}" if node.name else suffixes[number]


def depth_first(heads: Sequence[Head]) -> list[SymbolNode]:
    """List the nodes that the heads need: inputs before the node, first head first, each once."""
    order: list[SymbolNode] = []
    seen: set[SymbolNode] = set()
    for head, _ in heads:
        if head in seen:
            continue
        seen.add(head)
        stack = [(head, iter(head.needs))]
        while stack:
            node, waiting = stack[-1]
            for source, _ in waiting:
                if source not in seen:
                    seen.add(source)
                    stack.append((source, iter(source.needs)))
                    break
            else:
                order.append(node)
                stack.pop()
    return order


def flatten(heads: Sequence[Head]) -> Graph:
    """Number the nodes that the heads need."""
    order = depth_first(heads)
    index = {node: number for number, node in enumerate(order)}
    nodes = tuple(
        [
            GraphNode(
                node.name,
                node.op_name,
                node.operator,
                node.attributes,
                tuple([(index[source], number) for source, number in node.inputs]),
                tuple([index[other] for other in node.control_deps]) if node.control_deps else (),
                node.subgraphs,
            )
            for node in order
        ]
    )
    entries: tuple[Entry, ...] = tuple((index[node], number) for node, number in heads)
    return Graph(nodes, entries)


def check_arity(node: SymbolNode) -> None:
    """Refuse a node whose number of inputs is not what its settings ask for."""
    if node.operator is None:
        if node.inputs:
            raise GraphError(f"{node.name} is a variable, so it cannot have inputs.", node=node.name)
        return
    if len(node.inputs) != port_count(node.operator):
        names = [port.name for port in node.operator.ports]
        have, variadic = len(node.inputs), node.operator.variadic
        offers = [f"set {variadic} to {have}", "wire as many as it says"] if variadic else []
        if not variadic and have < len(names):
            offers = [f"wire {listed(names[have:])} too"]
        offers += _settings_with(node.operator, have)
        sentence = f"{node.name} ({node.op_name}) takes {_inputs(names)} but has {have}."
        raise GraphError(with_advice(sentence, offers), node=node.name)


def check_outputs(nodes: Mapping[int, SymbolNode], entries: Iterable[Entry], reader: str) -> None:
    """Refuse an entry whose output number the node does not have."""
    for source, number in entries:
        node = nodes[source]
        if number and not 0 <= number < node.output_count:  # there is always a first
            count = node.output_count
            have = f"has {count} outputs, numbered from 0" if count > 1 else "has only output 0"
            raise GraphError(f"{reader} reads output {number} of {node.name}, which {have}.", node=node.name)

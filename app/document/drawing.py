"""From the board to symbols: what of a drawing is sound becomes nodes to infer, and the rest becomes problems."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import Final, Literal

import attrs

from app.document.edits.wiring import input_count
from app.document.names import unwired_ports
from app.document.reading import Reading, read_node
from app.document.records import Document, Edge, Id, Node
from app.document.topology import Topology, needed_by, topology
from app.engine.compose import Head, SymbolNode, missing_input
from app.engine.errors import names_node, shortened
from app.engine.graph import VARIABLE_OP, find_cycle
from app.engine.opaque import opaque_sentence
from app.engine.operator import Port

Severity = Literal["error", "warning"]
TOLD_APART: Final = 3
"""So many nodes with the name of another are told one by one."""


@attrs.frozen
class DocumentProblem:
    """Something wrong on the board: the node, wire and port to blame, that node's name, and one plain sentence.

    An error in what is to be bound keeps it from being bound; a warning doesn't. With `only_running`, the drawing is
    sound and can be written as a symbol file.
    """

    node: Id | None
    sentence: str
    edge: Id | None = None
    port: str | None = None
    name: str = ""
    severity: Severity = "error"
    only_running: bool = False


@attrs.frozen(eq=False)
class SelfMade:
    """An argument that a node makes for an input nobody wired; `node` is None while its owner is left out."""

    owner: Id
    input: int
    name: str
    port: Port
    node: SymbolNode | None


@attrs.frozen(eq=False)
class Drawing:
    """What the board means: symbols for every sound node, the heads to bind, and what is wrong.

    `chosen` are the nodes whose outputs are to be bound; `is_whole` tells whether all of them are sound. Whatever is
    broken, and everything computed from it, is not in `nodes`.
    """

    readings: Mapping[Id, Reading]
    nodes: Mapping[Id, SymbolNode]
    self_made: Mapping[Id, tuple[SelfMade, ...]]
    chosen: tuple[Id, ...]
    heads: tuple[Head, ...]
    is_whole: bool
    problems: tuple[DocumentProblem, ...]


def draw(document: Document) -> Drawing:
    """Read a document; nothing in it, however wrong, raises."""
    return _Drawer(document).draw()


class _Drawer:
    """Goes over one document once, collecting symbols and problems."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.topology: Topology = topology(document)
        self.readings = {node.id: read_node(node) for node in document.nodes.values()}
        self.problems: list[DocumentProblem] = []
        self.broken: set[Id] = set()
        """Nodes that cannot be computed as drawn."""
        self.ignored: set[Id] = set()
        """Wires that lead nowhere."""

    def draw(self) -> Drawing:
        self.check_names()
        self.check_nodes()
        for edge in self.document.edges.values():
            self.check_wire(edge)
        symbols: dict[Id, SymbolNode] = {}
        made: dict[Id, tuple[SelfMade, ...]] = {}
        for node in self.order():
            symbol, made[node.id] = self.compose(node, symbols)
            if symbol is not None:
                symbols[node.id] = symbol
        chosen = self.chosen()
        found = [self.heads_of(node_id, symbols) for node_id in chosen]
        heads = tuple(head for some in found for head in some or ())
        return Drawing(self.readings, symbols, made, chosen, heads, None not in found, tuple(self.problems))

    def blame(
        self,
        node: Node | None,
        sentence: str,
        *,
        edge: Id | None = None,
        port: str | None = None,
        severity: Severity = "error",
    ) -> None:
        """Note a problem; the sentence is made to contain the node's name."""
        sentence = shortened(sentence)
        if node is None:
            self.problems.append(DocumentProblem(None, sentence, edge, port, "", severity))
            return
        if not names_node(sentence, node.name):
            sentence = f"{node.name}: {sentence}"
        self.problems.append(DocumentProblem(node.id, sentence, edge, port, node.name, severity))

    # Nodes by themselves -----------------------------------------------------------------------------------------

    def check_names(self) -> None:
        """Blame nodes without a name, and all but the first of those that share one.

        MXNet minds neither, and files hold both; but values are bound by name, so Variables need their own. A model may
        have hundreds of operators that share names, which is told once.
        """
        first: dict[str, Node] = {}
        again = [
            node for node in self.document.nodes.values() if first.setdefault(node.name, node) is not node
        ]
        clash = {node.id for node in again if self._are_variables(node, first[node.name])}
        alike = [node for node in again if node.name.strip() and node.id not in clash]
        are_many = len(alike) > TOLD_APART
        for node in self.document.nodes.values():
            if not node.name.strip():
                sentence = f"A node ({node.op}) has no name. Give it one."
                is_variable = self.readings[node.id].kind == "variable"
                self.blame(node, sentence, severity="error" if is_variable else "warning")
            elif node.id in clash:
                sentence = f"Two Variables are called {node.name}. Values are bound by name, so rename one."
                self.blame(node, sentence)
            elif not are_many and node in alike:
                sentence = f"Two nodes are called {node.name}, so names don't tell them apart. Rename one."
                self.blame(node, sentence, severity="warning")
            elif are_many and node is alike[0]:
                sentence = (
                    f"{node.name} and {len(alike) - 1} other nodes have the name of a node before them. They run all"
                    " the same; rename those that names are to tell apart."
                )
                self.blame(node, sentence, severity="warning")

    def _are_variables(self, *nodes: Node) -> bool:
        return all(self.readings[node.id].kind == "variable" for node in nodes)

    def check_nodes(self) -> None:
        """Blame unknown operators, wrong settings and empty Groups."""
        groups = []
        for node in self.document.nodes.values():
            reading = self.readings[node.id]
            for fault in reading.faults:
                self.broken.add(node.id)
                self.blame(node, fault.sentence, port=fault.parameter)
            if reading.is_opaque:
                self.blame_opaque(node)
            if reading.kind == "group":
                groups.append(node)
                if not self.topology.inputs(node.id):
                    self.blame(
                        node, f"{node.name} has no inputs. Wire the outputs to bind to it, in their order."
                    )
        if len(groups) > 1 and not self.document.options.heads:
            names = " and ".join(node.name for node in groups[:2])
            sentence = (
                f"{names} are both Groups, and only one can be bound. Delete one or choose the outputs."
            )
            self.blame(groups[1], sentence)

    def blame_opaque(self, node: Node) -> None:
        """Say of a node whose operator is not known that it can't run; it is no fault of the drawing."""
        kept = "Its inputs and settings are kept, saved and exported as they came."
        sentence = f"{opaque_sentence(node.name, node.op)} {kept}"
        self.problems.append(DocumentProblem(node.id, sentence, name=node.name, only_running=True))

    # Wires -------------------------------------------------------------------------------------------------------

    def check_wire(self, edge: Edge) -> None:
        """Blame a wire that comes from nowhere or goes nowhere."""
        source, target = self.document.nodes[edge.source], self.document.nodes[edge.target]
        wrong_start = self.wrong_start(edge, source, target)
        if wrong_start:
            self.broken.add(target.id)
            self.blame(target, wrong_start, edge=edge.id)
        wrong_end = self.wrong_end(edge, source, target)
        if wrong_end:
            self.ignored.add(edge.id)
            self.blame(target, wrong_end, edge=edge.id)

    def wrong_start(self, edge: Edge, source: Node, target: Node) -> str:
        reading = self.readings[source.id]
        if reading.kind == "group":
            return f"{source.name} is a Group and cannot be an input, but {target.name} reads it."
        if (reading.operator is None and reading.kind != "variable") or edge.output < reading.output_count:
            return ""
        count = reading.output_count
        outputs = "one output" if count == 1 else f"{count} outputs"
        return f"{target.name} reads output {edge.output} of {source.name}, which has only {outputs}."

    def wrong_end(self, edge: Edge, source: Node, target: Node) -> str:
        reading = self.readings[target.id]
        wire = f"the wire from {source.name}"
        if reading.kind == "variable":
            return f"{target.name} is a Variable and takes no inputs. Remove {wire}."
        if reading.operator is None:
            return ""
        if edge.input >= len(reading.ports):
            names = ", ".join(port.name for port in reading.ports)
            advice = f" or raise {reading.variadic}" if reading.variadic else ""
            count = f"{len(reading.ports)} input{'' if len(reading.ports) == 1 else 's'}"
            return (
                f"{target.name} ({target.op}) takes {count} ({names}), so {wire} goes nowhere. "
                f"Remove it{advice}."
            )
        if reading.is_auxiliary(edge.input) and self.readings[source.id].kind != "variable":
            port = reading.ports[edge.input].name
            self.broken.add(target.id)
            return f"{port} of {target.name} is an auxiliary state, so only a Variable can feed it, not {source.name}."
        return ""

    # Order and circles -------------------------------------------------------------------------------------------

    def order(self) -> list[Node]:
        """List the nodes, inputs before their readers; those in a circle and their readers come last, as broken."""
        nodes = self.document.nodes
        waiting = any(node.control_deps for node in nodes.values())
        ordered = dict.fromkeys(self.order_with_waiting() if waiting else self.topology.order)
        rest = [node_id for node_id in nodes if node_id not in ordered]
        left = [node_id for node_id in rest if needed_by(self.document, node_id)]
        if left:
            self.broken.update(left)
            self.blame_circles(left)
        return [nodes[node_id] for node_id in (*ordered, *rest)]

    def order_with_waiting(self) -> Iterator[Id]:
        """Go over the nodes, each after all that must be there before it; without circles and what is behind them."""
        sorter = TopologicalSorter(
            {node_id: needed_by(self.document, node_id) for node_id in self.document.nodes}
        )
        with suppress(CycleError):
            sorter.prepare()
        while ready := sorter.get_ready():
            yield from ready
            sorter.done(*ready)

    def blame_circles(self, left: list[Id]) -> None:
        """Blame each circle once; circles that share a node with one named before count as named."""
        while left:
            number = {node_id: index for index, node_id in enumerate(left)}
            inputs = [
                [(number[source], 0) for source in needed_by(self.document, node_id) if source in number]
                for node_id in left
            ]
            circle = [left[index] for index in find_cycle(inputs)]
            if not circle:
                return
            names = [self.document.nodes[node_id].name for node_id in circle]
            way = " → ".join([*names, names[0]])
            wires = [
                edge.id
                for source, target in pairwise([*circle, circle[0]])
                for edge in self.topology.outputs(source)
                if edge.target == target
            ]
            sentence = f"These nodes feed each other in a circle: {way}. Remove one of the wires."
            # The last wire closes the circle; there is none where the nodes only wait for each other.
            self.blame(self.document.nodes[circle[0]], sentence, edge=wires[-1] if wires else None)
            left = [node_id for node_id in left if node_id not in circle]

    # Symbols -----------------------------------------------------------------------------------------------------

    def compose(
        self, node: Node, symbols: Mapping[Id, SymbolNode]
    ) -> tuple[SymbolNode | None, tuple[SelfMade, ...]]:
        """Make the symbol of one node, None if it is broken or reads something broken, and list what it makes."""
        reading = self.readings[node.id]
        waits_for = [symbols.get(other) for other in node.control_deps if other in self.readings]
        kept = (tuple(one for one in waits_for if one is not None), node.subgraphs)
        if reading.kind == "variable":
            symbol = SymbolNode(node.name, VARIABLE_OP, None, dict(node.attributes), (), *kept)
            return None if None in waits_for else symbol, ()
        if reading.operator is None:
            return None, ()
        wires = [edge for edge in self.topology.inputs(node.id).values() if edge.id not in self.ignored]
        sound = node.id not in self.broken and all(edge.source in symbols for edge in wires)
        sound = sound and None not in waits_for
        everything = {**node.params, **node.attributes}
        inputs: dict[int, Head] = {}
        made = []
        for number, port in unwired_ports(self.document, node):
            head = missing_input(node.name, port, node.attributes if port.name in node.bare else everything)
            inputs[number] = head
            made.append(SelfMade(node.id, number, head[0].name, port, head[0] if sound else None))
        if not sound:
            return None, tuple(made)
        for edge in wires:
            inputs[edge.input] = (symbols[edge.source], edge.output)
        ordered = tuple(inputs[number] for number in range(len(reading.ports)))
        return SymbolNode(node.name, node.op, reading.operator, everything, ordered, *kept), tuple(made)

    # Heads -------------------------------------------------------------------------------------------------------

    def chosen(self) -> tuple[Id, ...]:
        """Return the nodes whose outputs are to be bound: those of the settings, else the Group, else all sinks."""
        nodes = self.document.nodes
        asked = [node_id for node_id in self.document.options.heads if node_id in nodes]
        if asked:
            return tuple(asked)
        kinds = [(node_id, self.readings[node_id].kind) for node_id in nodes]
        groups = [node_id for node_id, kind in kinds if kind == "group"]
        if groups:
            return (groups[0],)
        return tuple(
            node_id for node_id, kind in kinds if kind != "variable" and not self.topology.outputs(node_id)
        )

    def heads_of(self, node_id: Id, symbols: Mapping[Id, SymbolNode]) -> list[Head] | None:
        """Return the outputs that one chosen node stands for, None if any of them is broken."""
        if self.readings[node_id].kind != "group":
            symbol = symbols.get(node_id)
            return None if symbol is None else [(symbol, number) for number in range(symbol.visible_outputs)]
        if node_id in self.broken:
            return None
        edges = self.topology.inputs(node_id).values()
        if not all(edge.source in symbols for edge in edges):
            return None
        return [(symbols[edge.source], edge.output) for edge in edges]


def board_ports(document: Document, node: Node) -> tuple[Port, ...]:
    """Return the inputs of a node as they are drawn; the wires make those of a Group and of an unknown operator."""
    reading = read_node(node)
    if reading.operator is not None:
        return reading.ports
    return tuple(Port(f"arg{number}") for number in range(input_count(document, node)))

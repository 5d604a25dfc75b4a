"""The executor graph: forward nodes, and one explicit backward node for every gradient that somebody asked for."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Literal

import attrs

from app.engine.errors import ParameterError
from app.engine.graph import Entry, Graph
from app.engine.inference.infer import Inference
from app.engine.inference.types import FLOAT32
from app.engine.operator import DType, Operator
from app.engine.shapes import Shape

Kind = Literal["argument", "auxiliary", "operator", "head_gradient", "gradient", "gradient_sum"]
Request = Literal["write", "add", "null"]


@attrs.frozen
class ExecutorNode:
    """One node of the executor graph.

    `entry` is the array it holds, or whose gradient it holds; `symbol_node` is the node of the symbol that made it: for
    a gradient the operator that is differentiated. `reads` are the executor nodes it reads. `heads` are the numbers of
    the outputs it is. `request` is set where the gradient of an argument is kept: a gradient holder. `input` is the
    number of the input that a gradient belongs to. `is_zero` marks a gradient that nothing flows into.
    """

    index: int
    kind: Kind
    name: str
    symbol_node: int
    entry: Entry
    reads: tuple[int, ...] = ()
    heads: tuple[int, ...] = ()
    request: Request | None = None
    shape: Shape = ()
    dtype: DType = FLOAT32
    formula: str = ""
    input: int = -1
    is_zero: bool = False


@attrs.frozen(eq=False)
class ExecutorGraph:
    """What a bind makes of a symbol: nodes in running order, and the nodes that hold the outputs."""

    graph: Graph
    nodes: tuple[ExecutorNode, ...]
    outputs: tuple[int, ...]
    value_nodes: Mapping[int, int]
    """The executor node of every node of the symbol."""
    gradient_nodes: Mapping[Entry, int]
    """The executor node that holds the whole gradient of an array."""
    head_gradients: Mapping[int, int]
    """The executor node of the gradient handed in for an output, where something reads it."""
    backward_heads: Mapping[int, tuple[int | None, ...]]
    """For every differentiated operator: the executor nodes of its outputs' gradients, None where none flows.

    One that changes auxiliary states on its way back runs even where nothing flows into it, as in MXNet.
    """
    shapes: Mapping[Entry, Shape]
    """The shape of every array of the symbol, hidden outputs too."""

    @cached_property
    def gradient_readers(self) -> Mapping[int, tuple[int, ...]]:
        """For every gradient the backward nodes that read it."""
        found: dict[int, list[int]] = {}
        for node in self.nodes:
            if node.kind in ("gradient", "gradient_sum"):
                for read in node.reads:
                    found.setdefault(read, []).append(node.index)
        return {read: tuple(readers) for read, readers in found.items()}

    @cached_property
    def needed_heads(self) -> tuple[int, ...]:
        """The outputs whose gradient must be handed in, since a wanted gradient depends on it.

        Nothing depends on what flows into a loss, nor on what flows to where it jumps.
        """
        waiting = [node.index for node in self.nodes if node.request is not None]
        needed = set(waiting)
        while waiting:
            fresh = [read for read in self.nodes[waiting.pop()].reads if read not in needed]
            needed.update(fresh)
            waiting += fresh
        return tuple(sorted(number for number, node in self.head_gradients.items() if node in needed))


def build_executor_graph(
    graph: Graph, inference: Inference, requests: Mapping[str, Request]
) -> ExecutorGraph:
    """Make the executor graph of a bind; `requests` are by argument name, `null` where a name is missing."""
    builder = _Builder(graph, inference, requests)
    builder.add_forward()
    builder.add_backward()
    nodes = tuple(builder.nodes)
    outputs = tuple(builder.value_nodes[node] for node, _ in graph.heads)
    return ExecutorGraph(
        graph,
        nodes,
        outputs,
        builder.value_nodes,
        builder.gradients,
        builder.head_gradients,
        builder.backward_heads,
        {
            (index, number): inference.shape((index, number))
            for index, node in enumerate(graph.nodes)
            for number in range(node.output_count)
        },
    )


def differentiated_nodes(
    graph: Graph, requests: Mapping[str, Request], *, in_vain: bool = False
) -> list[bool]:
    """Tell for every node whether a wanted gradient lies at it or before it.

    `in_vain` goes also through those that MXNet runs backward although they send nothing on.
    """
    on_path = [False] * len(graph.nodes)
    arguments = frozenset(graph.arguments)
    for index, node in enumerate(graph.nodes):
        if node.operator is None:
            on_path[index] = requests.get(node.name, "null") != "null" and index in arguments
        else:
            runs_anyway = node.operator.updates_auxiliary == "backward"
            runs_anyway |= in_vain and node.operator.runs_back_in_vain
            if node.operator.unread and any(on_path[source] for source, _ in node.inputs):
                raise ParameterError(node.operator.unread, node=node.name)
            on_path[index] = any(
                on_path[source[0]]
                and not ignores_incoming(graph, source)
                and (runs_anyway or node.operator.gradient_kind(number) == "value")
                for number, source in enumerate(node.inputs[: len(node.operator.inputs)])
            )
    return on_path


def ignores_incoming(graph: Graph, entry: Entry) -> bool:
    """Tell whether an operator never reads the gradient that flows back into one of its outputs."""
    operator = graph.nodes[entry[0]].operator
    return operator is not None and entry[1] in operator.ignored_heads


def in_turn(
    graph: ExecutorGraph, step: Sequence[int], operator: Operator | None
) -> list[tuple[int, int | None]]:
    """Order the gradients of one step for adding them to their holders, each with the input that it echoes, if any.

    MXNet has one array for the two gradients of an operator that echoes. Where the user holds one of them and wants it
    added to, the other is read from there, so it comes later.
    """
    nodes = [graph.nodes[index] for index in step]
    requests = {node.input: node.request for node in nodes}
    sources: dict[int, int] = {}
    for later, earlier in (operator.echoes if operator is not None else {}).items():
        if requests.get(earlier) == "add":
            sources[later] = earlier
        elif requests.get(later) == "add" and requests.get(earlier, "") is None:
            sources[earlier] = later
    turns = [(number, sources.get(node.input)) for number, node in enumerate(nodes)]
    return sorted(turns, key=lambda turn: turn[1] is not None)


def ignores_head_gradient(graph: Graph, head: Entry) -> bool:
    """Tell whether backward may go without this output's head gradient: a loss, or nothing differentiable behind it."""
    operator = graph.nodes[head[0]].operator
    if operator is None:
        return False
    kinds = [operator.gradient_kind(number) for number in range(len(operator.inputs))]
    return operator.is_loss or head[1] in operator.ignored_heads or all(kind != "value" for kind in kinds)


class _Builder:
    """Collects the nodes of one executor graph in running order."""

    def __init__(self, graph: Graph, inference: Inference, requests: Mapping[str, Request]) -> None:
        self.graph = graph
        self.inference = inference
        self.requests = requests
        self.nodes: list[ExecutorNode] = []
        self.value_nodes: dict[int, int] = {}
        self.gradients: dict[Entry, int] = {}
        self.head_gradients: dict[int, int] = {}
        self.backward_heads: dict[int, tuple[int | None, ...]] = {}
        self.parts: dict[Entry, list[int]] = {}
        self.names: tuple[int, tuple[list[str], list[str], list[str]]] = (-1, ([], [], []))
        """The names round the node that is being differentiated, which all of its inputs share."""

    def add_forward(self) -> None:
        """Add a node for every variable and operator."""
        heads: dict[int, list[int]] = {}
        for number, (index, _) in enumerate(self.graph.heads):
            heads.setdefault(index, []).append(number)
        auxiliary = set(self.graph.auxiliary)
        for index, node in enumerate(self.graph.nodes):
            kind: Kind = "operator"
            if node.operator is None:
                kind = "auxiliary" if index in auxiliary else "argument"
            self.value_nodes[index] = self.add(
                kind,
                node.name,
                (index, 0),
                symbol_node=index,
                reads=tuple(dict.fromkeys(self.value_nodes[source] for source, _ in node.inputs)),
                heads=tuple(heads.get(index, ())),
            )

    def add_backward(self) -> None:
        """Add the gradients of all that lies on a way from a wanted argument to a head, last node first."""
        on_path = differentiated_nodes(self.graph, self.requests)
        wanted_heads: dict[Entry, list[int]] = {}
        for number, head in enumerate(self.graph.heads):
            if on_path[head[0]] and not ignores_incoming(self.graph, head):
                wanted_heads[head] = [
                    number
                ]  # of an array that is several outputs MXNet takes the last gradient
        for index in reversed(range(len(self.graph.nodes))):
            if not on_path[index]:
                continue
            node = self.graph.nodes[index]
            if node.operator is None:
                self.finish_argument(index, wanted_heads)
            else:
                self.differentiate(index, node.operator, on_path, wanted_heads)

    def differentiate(
        self, index: int, operator: Operator, on_path: Sequence[bool], wanted_heads: Mapping[Entry, list[int]]
    ) -> None:
        """Add the gradients of one operator's inputs."""
        node = self.graph.nodes[index]
        if operator.is_loss:
            heads: tuple[int | None, ...] = (None,) * len(operator.outputs)
        else:
            entries = [(index, number) for number in range(len(operator.outputs))]
            heads = tuple(self.whole_gradient(entry, wanted_heads) for entry in entries)
        reached = operator.is_loss or any(head is not None for head in heads)
        runs_anyway = operator.updates_auxiliary == "backward"
        if reached or runs_anyway:
            self.backward_heads[index] = heads
            for number in self.wanted_inputs(index, operator, on_path, least=runs_anyway and not reached):
                self.parts.setdefault(node.inputs[number], []).append(self.add_part(index, number, heads))

    def wanted_inputs(
        self, index: int, operator: Operator, on_path: Sequence[bool], *, least: bool
    ) -> list[int]:
        """List the inputs to which gradients are sent; `least` wants only what makes the operator run backward."""
        sources = self.graph.nodes[index].inputs[: len(operator.inputs)]
        wanted = [
            number
            for number, source in enumerate(sources)
            if on_path[source[0]] and not ignores_incoming(self.graph, source)
        ]
        values = [number for number in wanted if operator.gradient_kind(number) == "value"]
        if operator.updates_auxiliary == "backward":
            values = values or wanted  # a zero, so that it runs
        own = [number for number in values if self.graph.nodes[sources[number][0]].is_variable]
        return own or values if least else values

    def whole_gradient(self, entry: Entry, wanted_heads: Mapping[Entry, list[int]]) -> int | None:
        """Return the node with the whole gradient of an array; several parts are summed in a node of their own."""
        parts = self.head_parts(entry, wanted_heads) + self.parts.get(entry, [])
        if not parts:
            return None
        gradient = parts[0] if len(parts) == 1 else self.add_sum(entry, parts)
        self.gradients[entry] = gradient
        return gradient

    def head_parts(self, entry: Entry, wanted_heads: Mapping[Entry, list[int]]) -> list[int]:
        """Add the gradients handed in for an array that is an output."""
        parts = []
        for number in wanted_heads.get(entry, ()):
            added = self.add(
                "head_gradient", self.gradient_name(entry), entry, symbol_node=entry[0], heads=(number,)
            )
            self.head_gradients[number] = added
            parts.append(added)
        return parts

    def add_part(self, index: int, number: int, heads: tuple[int | None, ...]) -> int:
        """Add the gradient that one operator sends to one of its inputs."""
        node = self.graph.nodes[index]
        assert node.operator is not None
        entry = node.inputs[number]
        reads = node.operator.gradient_reads(number)
        nodes = [self.value_nodes[node.inputs[place][0]] for place in reads.inputs]
        if reads.outputs:
            nodes.append(self.value_nodes[index])
        if reads.heads:
            nodes.extend(head for head in heads if head is not None)
        return self.add(
            "gradient",
            self.gradient_name(entry),
            entry,
            symbol_node=index,
            reads=tuple(dict.fromkeys(nodes)),
            formula=self.formula(index, number, entry),
            input=number,
        )

    def add_sum(self, entry: Entry, parts: Sequence[int]) -> int:
        """Add the sum of the parts of one gradient; a part is renamed after the operator it comes through."""
        name = self.gradient_name(entry)
        for part in parts:
            node = self.nodes[part]
            if node.kind == "gradient":
                through = self.graph.nodes[node.symbol_node].name
                self.nodes[part] = attrs.evolve(node, name=f"{name} via {through}")
        formula = f"{name} = " + " + ".join(self.nodes[part].name for part in parts)
        return self.add(
            "gradient_sum", name, entry, symbol_node=entry[0], reads=tuple(parts), formula=formula
        )

    def finish_argument(self, index: int, wanted_heads: Mapping[Entry, list[int]]) -> None:
        """Turn the whole gradient of an argument into its holder."""
        entry = (index, 0)
        request = self.requests[self.graph.nodes[index].name]
        gradient = self.whole_gradient(entry, wanted_heads)
        if gradient is None:
            if self.is_only_label(index):
                return  # nothing is ever written to its buffer
            if request == "add" and "cleared" in self.kinds(index):
                request = "write"
            name = self.gradient_name(entry)
            gradient = self.add(
                "gradient",
                name,
                entry,
                symbol_node=index,
                formula=f"{name} = 0: nothing flows back",
                is_zero=True,
            )
        elif self.nodes[gradient].kind == "head_gradient":
            gradient = self.add_sum(entry, [gradient])
        self.gradients[entry] = gradient
        self.nodes[gradient] = attrs.evolve(self.nodes[gradient], request=request)

    def is_only_label(self, index: int) -> bool:
        """Tell whether every reader of a variable leaves its gradient buffer as it is."""
        return self.kinds(index) == {"untouched"}

    def kinds(self, index: int) -> set[str]:
        """Return what the readers of a variable do for its gradient."""
        kinds: set[str] = set()
        for consumer, number in self.graph.consumers[index]:
            operator = self.graph.nodes[consumer].operator
            kinds.add(operator.gradient_kind(number) if operator is not None else "zero")
        return kinds

    def formula(self, index: int, number: int, entry: Entry) -> str:
        """Write the gradient's formula with the names of this graph."""
        operator = self.graph.nodes[index].operator
        assert operator is not None
        if self.names[0] != index:
            self.names = index, self.names_at(index, operator)
        words = operator.explain(number, *self.names[1])
        return f"{self.gradient_name(entry)} = {words}" if words else ""

    def names_at(self, index: int, operator: Operator) -> tuple[list[str], list[str], list[str]]:
        """Name a node's inputs, its outputs and the gradients of its visible outputs."""
        node = self.graph.nodes[index]
        ins = [self.short_name(source) for source in node.inputs]
        outs = [self.short_name((index, number)) for number in range(len(operator.outputs))]
        heads = [f"d({name})" for name in outs]
        return ins, outs + [f"{node.name}_{suffix}" for suffix in operator.hidden], heads

    def gradient_name(self, entry: Entry) -> str:
        """Name a gradient as the pictures do: d(fc1)."""
        return f"d({self.short_name(entry)})"

    def short_name(self, entry: Entry) -> str:
        """Name an array by its node, and by its output where the node has several."""
        node = self.graph.nodes[entry[0]]
        return node.name if len(node.output_names) == 1 else self.graph.entry_name(entry)

    def add(self, kind: Kind, name: str, entry: Entry, **facts: Any) -> int:
        """Append a node, with the shape and type of its entry, and return its index."""
        index = len(self.nodes)
        shape, dtype = self.inference.shape(entry), self.inference.settled_dtype(entry)
        self.nodes.append(ExecutorNode(index, kind, name, entry=entry, shape=shape, dtype=dtype, **facts))
        return index

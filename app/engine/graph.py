"""The symbol as a directed acyclic graph of numbered nodes: an immutable value that all later steps read."""

import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import attrs

from app.engine.operator import Operator
from app.engine.shapes import Shape
from app.engine.unchanging import unchanging
from app.engine.wiring import Block, Wiring, output_count

if TYPE_CHECKING:
    import networkx

Entry = tuple[int, int]
"""One array of the graph: the index of its node and the number of the output."""
Answers = dict[Any, Block]
"""What a shape rule found, by the shapes of its inputs."""
Rule = tuple[Callable[[Sequence[Shape]], Any], Answers, int, int, int]
"""How to read a node's inputs, what its rule has answered so far, where to put that, and the node."""

VARIABLE_OP = "null"


@unchanging(eq=False)
class GraphNode:
    """A variable or an operator; `inputs` are the entries it reads, auxiliary states last.

    `control_deps` are the nodes that it waits for without reading them, and come before it. `subgraphs` are the graphs
    inside it, as JSON.
    """

    name: str
    op_name: str
    operator: Operator | None
    attributes: Mapping[str, str]
    inputs: tuple[Entry, ...] = ()
    control_deps: tuple[int, ...] = ()
    subgraphs: str = ""

    @property
    def is_variable(self) -> bool:
        """Tell whether the node only stands for an array from outside."""
        return self.operator is None

    @cached_property
    def output_names(self) -> tuple[str, ...]:
        """Names of the visible outputs: `data`, `fc1_output`, `split_output0`."""
        if self.operator is None:
            return (self.name,)
        prefix = f"{self.name}_" if self.name else ""  # old files have nodes without a name
        return tuple(prefix + suffix for suffix in self.operator.outputs)

    @property
    def output_count(self) -> int:
        """The number of outputs, hidden ones included."""
        return 1 if self.operator is None else output_count(self.operator)


@attrs.frozen(eq=False)
class Edited:
    """What a graph is an edit of: the graph before, while it is still there, and the node whose settings changed."""

    before: "weakref.ref[Graph]"
    wiring: Wiring
    index: int


@attrs.frozen(eq=False)
class Graph:
    """Nodes in depth-first order (inputs before the node, first head first) and the heads to compute."""

    nodes: tuple[GraphNode, ...]
    heads: tuple[Entry, ...]
    edited: Edited | None = None

    def with_settings(
        self,
        index: int,
        operator: Operator,
        attributes: Mapping[str, str] | None = None,
        made: Mapping[int, Mapping[str, str]] | None = None,
    ) -> "Graph":
        """Return the graph with other settings for one operator node, and other attributes for variables it has made.

        Those say nothing of shapes and types. Where the node keeps its inputs and outputs, the new graph shares all
        that follows from the wires, and `infer` follows the edit instead of going over the whole graph.
        """
        old = self.nodes[index]
        assert old.operator is not None
        texts = old.attributes if attributes is None else attributes
        nodes = list(self.nodes)
        nodes[index] = node = attrs.evolve(old, operator=operator, attributes=texts)
        for place, own in (made or {}).items():
            nodes[place] = attrs.evolve(nodes[place], attributes=own)
        alike = node.output_count == old.output_count and operator.ports == old.operator.ports
        return Graph(
            tuple(nodes), self.heads, Edited(weakref.ref(self), self.wiring, index) if alike else None
        )

    @cached_property
    def wiring(self) -> Wiring:
        """What follows from the wires alone."""
        return Wiring(self.nodes) if self.edited is None else self.edited.wiring

    @property
    def auxiliary(self) -> tuple[int, ...]:
        """Variables wired to an auxiliary input, in order."""
        return self.wiring.auxiliary

    @property
    def arguments(self) -> tuple[int, ...]:
        """Variables that are not auxiliary, in order."""
        return self.wiring.arguments

    @property
    def consumers(self) -> tuple[tuple[tuple[int, int], ...], ...]:
        """For every node the pairs (consumer, input number) that read one of its outputs."""
        return self.wiring.consumers

    @property
    def index_by_name(self) -> dict[str, int]:
        """The first node of each name."""
        return self.wiring.index_by_name

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """The shape rules of all operator nodes, in order."""
        return tuple(
            (touch.read, self.answers(index), touch.start, touch.stop, index)
            for index, touch in enumerate(self.wiring.touches)
            if touch is not None
        )

    def answers(self, index: int) -> Answers:
        """Return what the rule of an operator node has answered so far; equal nodes share it."""
        operator, touch = self.nodes[index].operator, self.wiring.touches[index]
        assert operator is not None and touch is not None
        found: Answers | None = operator.memory.get(touch.fresh)
        if found is None:
            found = operator.memory[touch.fresh] = {}
        return found

    @cached_property
    def readers(self) -> tuple[tuple[int, ...], ...]:
        """For every node the nodes that read it, each once."""
        return tuple(tuple(dict.fromkeys(reader for reader, _ in pairs)) for pairs in self.consumers)

    @cached_property
    def output_names(self) -> tuple[str, ...]:
        """Names of the heads in order."""
        return tuple(self.entry_name(head) for head in self.heads)

    def names(self, indices: Iterable[int]) -> list[str]:
        """Names of some nodes."""
        return [self.nodes[index].name for index in indices]

    def entry_name(self, entry: Entry) -> str:
        """Name an array as MXNet lists it; a hidden output is named by its suffix too."""
        node = self.nodes[entry[0]]
        if entry[1] < len(node.output_names):
            return node.output_names[entry[1]]
        assert node.operator is not None
        return f"{node.name}_{node.operator.hidden[entry[1] - len(node.output_names)]}"

    def internals(self) -> tuple[Entry, ...]:
        """Every variable and every visible output, in order."""
        return tuple(
            (index, number)
            for index, node in enumerate(self.nodes)
            for number in range(len(node.output_names))
        )

    @cached_property
    def digraph(self) -> "networkx.DiGraph[int]":
        """The same graph as a networkx value, for algorithms; nodes are indices."""
        return digraph_of([node.inputs for node in self.nodes])

    def ancestors(self, index: int) -> set[int]:
        """Indices of all nodes that `index` is computed from."""
        import networkx

        return set(networkx.ancestors(self.digraph, index))


def digraph_of(inputs: Sequence[Sequence[Entry]]) -> "networkx.DiGraph[int]":
    """Make a networkx graph from every node's inputs; an edge points from the source to the reader."""
    import networkx

    graph: networkx.DiGraph[int] = networkx.DiGraph()
    graph.add_nodes_from(range(len(inputs)))
    graph.add_edges_from((source, index) for index, entries in enumerate(inputs) for source, _ in entries)
    return graph


def find_cycle(inputs: Sequence[Sequence[Entry]]) -> list[int]:
    """Return the nodes of one cycle in the order of its wires, or an empty list."""
    if points_forward(inputs):
        return []

    import networkx

    try:
        return [edge[0] for edge in networkx.find_cycle(digraph_of(inputs))]
    except networkx.NetworkXNoCycle:
        return []


def points_forward(inputs: Sequence[Sequence[Entry]]) -> bool:
    """Tell whether every wire comes from a node before its reader, as in nearly every file."""
    for index, entries in enumerate(inputs):
        for source, _ in entries:
            if source >= index:
                return False
    return True


def topological_order(inputs: Sequence[Sequence[Entry]], heads: Iterable[Entry]) -> list[int]:
    """List what the heads need, depth first, inputs before the node; the graph must have no cycle."""
    heads = list(heads)
    if [head for head, _ in heads] == list(range(len(inputs))) and points_forward(inputs):
        return list(range(len(inputs)))
    order: list[int] = []
    seen: set[int] = set()
    for head, _ in heads:
        stack = [(head, iter(inputs[head]))] if head not in seen else []
        seen.add(head)
        while stack:
            index, waiting = stack[-1]
            for source, _ in waiting:
                if source not in seen:
                    seen.add(source)
                    stack.append((source, iter(inputs[source])))
                    break
            else:
                order.append(index)
                stack.pop()
    return order

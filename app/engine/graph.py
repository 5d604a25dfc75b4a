"""The symbol as a directed acyclic graph of numbered nodes: an immutable value that all later steps read."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import attrs

from app.engine.errors import GraphError
from app.engine.operator import Operator

if TYPE_CHECKING:
    import networkx

Entry = tuple[int, int]
"""One array of the graph: the index of its node and the number of the output."""

VARIABLE_OP = "null"


@attrs.frozen(eq=False)
class GraphNode:
    """A variable or an operator; `inputs` are the entries it reads, auxiliary states last."""

    name: str
    op_name: str
    operator: Operator | None
    attributes: Mapping[str, str]
    inputs: tuple[Entry, ...] = ()

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

    @cached_property
    def output_count(self) -> int:
        """The number of outputs, hidden ones included."""
        if self.operator is None:
            return 1
        return len(self.operator.outputs) + len(self.operator.hidden)


@attrs.frozen(eq=False)
class Graph:
    """Nodes in depth-first order (inputs before the node, first head first) and the heads to compute."""

    nodes: tuple[GraphNode, ...]
    heads: tuple[Entry, ...]

    @cached_property
    def auxiliary(self) -> tuple[int, ...]:
        """Variables wired to an auxiliary input, in order."""
        found = self._auxiliary_set
        return tuple(index for index, node in enumerate(self.nodes) if node.is_variable and index in found)

    @cached_property
    def arguments(self) -> tuple[int, ...]:
        """Variables that are not auxiliary, in order."""
        found = self._auxiliary_set
        return tuple(
            index for index, node in enumerate(self.nodes) if node.is_variable and index not in found
        )

    @cached_property
    def _auxiliary_set(self) -> frozenset[int]:
        found: set[int] = set()
        for node in self.nodes:
            if node.operator is not None and node.operator.auxiliary:
                first = len(node.operator.inputs)
                found.update(source for source, _ in node.inputs[first:])
        return frozenset(found)

    @cached_property
    def consumers(self) -> tuple[tuple[tuple[int, int], ...], ...]:
        """For every node the pairs (consumer, input number) that read one of its outputs."""
        found: list[list[tuple[int, int]]] = [[] for _ in self.nodes]
        for index, node in enumerate(self.nodes):
            for number, (source, _) in enumerate(node.inputs):
                found[source].append((index, number))
        return tuple(map(tuple, found))

    @cached_property
    def readers(self) -> tuple[tuple[int, ...], ...]:
        """For every node the nodes that read it, each once."""
        return tuple(tuple(dict.fromkeys(reader for reader, _ in pairs)) for pairs in self.consumers)

    @cached_property
    def output_names(self) -> tuple[str, ...]:
        """Names of the heads in order."""
        return tuple(self.entry_name(head) for head in self.heads)

    @cached_property
    def index_by_name(self) -> dict[str, int]:
        """The first node of each name."""
        found: dict[str, int] = {}
        for index, node in enumerate(self.nodes):
            found.setdefault(node.name, index)
        return found

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
    if all(source < index for index, entries in enumerate(inputs) for source, _ in entries):
        return []  # every wire points forward, as in nearly every file

    import networkx

    try:
        return [edge[0] for edge in networkx.find_cycle(digraph_of(inputs))]
    except networkx.NetworkXNoCycle:
        return []


def topological_order(inputs: Sequence[Sequence[Entry]], heads: Iterable[Entry]) -> list[int]:
    """List what the heads need, depth first, inputs before the node; the graph must have no cycle."""
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


def check_arity(node: GraphNode) -> None:
    """Refuse a node whose number of inputs is not what its settings ask for."""
    if node.operator is None:
        if node.inputs:
            raise GraphError(f"{node.name} is a variable, so it cannot have inputs.", node=node.name)
        return
    ports = node.operator.ports
    if len(node.inputs) != len(ports):
        wanted = ", ".join(port.name for port in ports)
        raise GraphError(
            f"{node.name} ({node.op_name}) takes {len(ports)} inputs ({wanted}) but has {len(node.inputs)}.",
            node=node.name,
        )


def check_outputs(nodes: Sequence[GraphNode], entries: Iterable[Entry], reader: str) -> None:
    """Refuse an entry whose output number the node does not have."""
    for source, number in entries:
        node = nodes[source]
        if not 0 <= number < node.output_count:
            raise GraphError(
                f"{reader} reads output {number} of {node.name}, which has {node.output_count}.",
                node=node.name,
            )

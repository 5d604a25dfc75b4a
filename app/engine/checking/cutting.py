"""Cutting: the part of a graph through which a gradient flows from one array to the heads, as a graph of its own."""

import attrs

from app.engine.graph import Entry, Graph, GraphNode, topological_order


@attrs.frozen(eq=False)
class Cut:
    """The operators behind one array; everything that they read from elsewhere is a variable.

    `variables` tells which array of the whole graph each variable stands for, by the variable's name; the first one is
    the array that was asked for. `heads` are the heads of the whole graph that the part computes, by their number, in
    the order of the part's own heads; the losses follow, by their node in the part. `blocked` are the nodes that read
    the array's influence but let no gradient through.
    """

    graph: Graph
    variables: dict[str, Entry]
    heads: tuple[int, ...]
    losses: tuple[int, ...]
    blocked: tuple[str, ...]


def cut_behind(graph: Graph, entry: Entry) -> Cut:
    """Keep what differentiably depends on an array.

    A label, a node that blocks gradients, and whatever reads a loss's output see a constant: backward takes it for one.
    """
    flowing, nodes, blocked = _flowing(graph, entry)
    builder = _Builder(graph, flowing)
    builder.take(entry)
    losses = [index for index in nodes if _is_loss(graph.nodes[index])]
    last = {
        head: number for number, head in enumerate(graph.heads)
    }  # of equal outputs backward takes the last
    heads = sorted(number for head, number in last.items() if head in flowing)
    for index in nodes:
        builder.add(index)
    ends = [builder.places[graph.heads[number]] for number in heads]
    ends += [(builder.made[index], 0) for index in losses]
    kept = topological_order([node.inputs for node in builder.nodes], ends)
    place = {old: new for new, old in enumerate(kept)}
    moved = tuple(
        attrs.evolve(
            builder.nodes[old],
            inputs=tuple((place[source], number) for source, number in builder.nodes[old].inputs),
        )
        for old in kept
    )
    part = Graph(moved, tuple((place[node], number) for node, number in ends))
    names = {node.name for node in moved if node.is_variable}
    return Cut(
        part,
        {name: source for name, source in builder.variables.items() if name in names},
        tuple(heads),
        tuple(place[builder.made[index]] for index in losses),
        tuple(blocked),
    )


def _is_loss(node: GraphNode) -> bool:
    return node.operator is not None and node.operator.is_loss


def _flowing(graph: Graph, entry: Entry) -> tuple[set[Entry], list[int], list[str]]:
    """Find the arrays that a gradient flows through, the operators that make them, and who lets none through."""
    flowing, nodes, blocked = {entry}, [], []
    for index, node in enumerate(graph.nodes):
        touched = [number for number, source in enumerate(node.inputs) if source in flowing]
        passing = [number for number in touched if _passes(node, number)]
        if passing:
            nodes.append(index)
            if not _is_loss(node):
                flowing.update((index, number) for number in range(node.output_count))
        elif touched:
            blocked.append(node.name)
    return flowing, nodes, blocked


def _passes(node: GraphNode, number: int) -> bool:
    operator = node.operator
    assert operator is not None
    return number < len(operator.inputs) and operator.gradient_kind(number) == "value"


class _Builder:
    """Collects the nodes of a part."""

    def __init__(self, graph: Graph, flowing: set[Entry]) -> None:
        self.graph = graph
        self.flowing = flowing
        self.nodes: list[GraphNode] = []
        self.places: dict[Entry, Entry] = {}
        self.made: dict[int, int] = {}
        self.fixed: dict[Entry, Entry] = {}
        self.variables: dict[str, Entry] = {}

    def take(self, entry: Entry) -> None:
        """Make the variable that stands for the array in question."""
        self.places[entry] = self._variable(entry)

    def add(self, index: int) -> None:
        """Add an operator; what it reads is flowing and made already, or fixed."""
        node = self.graph.nodes[index]
        inputs = tuple(
            self.places[source] if source in self.flowing and _passes(node, number) else self._fix(source)
            for number, source in enumerate(node.inputs)
        )
        self.made[index] = len(self.nodes)
        self.nodes.append(GraphNode(node.name, node.op_name, node.operator, node.attributes, inputs))
        for number in range(node.output_count):
            self.places.setdefault((index, number), (self.made[index], number))

    def _fix(self, entry: Entry) -> Entry:
        if entry not in self.fixed:
            self.fixed[entry] = self._variable(entry)
        return self.fixed[entry]

    def _variable(self, entry: Entry) -> Entry:
        name = f"{self.graph.entry_name(entry)} #{len(self.variables)}"
        self.variables[name] = entry
        self.nodes.append(GraphNode(name, "null", None, {}))
        return len(self.nodes) - 1, 0

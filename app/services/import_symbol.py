"""A symbol becomes a document: nodes, wires, and positions, ready to be looked at and changed."""

from collections.abc import Mapping

import attrs

from app.document.records import GROUP, VARIABLE, Arity, Document, Edge, Id, JsonText, Node, Settings
from app.engine.errors import GraphError
from app.engine.graph import Entry, Graph, GraphNode
from app.engine.opaque import Opaque
from app.engine.symbol import Symbol
from app.services.arrange import arranged

LARGEST_PICTURE = 12
"""A graph of at most so many nodes, none with weights, is drawn as the pictures are."""


def document_from_symbol(symbol: Symbol, title: str = "") -> Document:
    """Return a document that means the symbol; variables that nodes make for themselves are left to them."""
    graph = symbol.graph
    for made_up in graph.nodes:
        if made_up.op_name in (VARIABLE, GROUP):
            sentence = f"{made_up.name} has an operator called {made_up.op_name}, which is no operator."
            raise GraphError(sentence, node=made_up.name)
    made = _self_made(graph)
    drawn = [index for index in range(len(graph.nodes)) if index not in made]
    ids = {index: f"n{number}" for number, index in enumerate(drawn, start=1)}
    nodes = {key: _node(key, graph.nodes[index]) for index, key in ids.items()}
    for index, ports in _bare_ports(made).items():
        nodes[ids[index]] = attrs.evolve(nodes[ids[index]], bare=ports)
    for index, node in enumerate(graph.nodes):
        if node.control_deps:
            others = tuple(ids[other] for other in node.control_deps)
            nodes[ids[index]] = attrs.evolve(nodes[ids[index]], control_deps=others)
    wires = [
        (ids[source], output, key, number)
        for index, key in ids.items()
        for number, (source, output) in enumerate(graph.nodes[index].inputs)
        if source in ids
    ]
    heads, group = _heads(graph, ids)
    if group:
        key = f"n{len(nodes) + 1}"
        nodes[key] = Node(key, GROUP, _free_name("group", nodes))
        wires += [(ids[index], output, key, number) for number, (index, output) in enumerate(graph.heads)]
    edges = {f"e{number}": Edge(f"e{number}", *wire) for number, wire in enumerate(wires, start=1)}
    settings = Settings(title=title, heads=heads, style="picture" if _is_picture(graph) else "card")
    return arranged(Document(nodes=nodes, edges=edges, settings={"settings": settings}))


@attrs.frozen
class _SelfMade:
    """The input that makes a variable by itself; a bare one has no copy of the settings of its reader."""

    reader: int
    port: str
    is_bare: bool


def _self_made(graph: Graph) -> dict[int, _SelfMade]:
    """Return the variables that are just what their one reader makes for an input that nobody wires."""
    needed = {index for index, _ in graph.heads} | {
        other for node in graph.nodes for other in node.control_deps
    }
    found = {}
    for index, node in enumerate(graph.nodes):
        kept = node.control_deps or node.subgraphs or index in needed
        made = _made_by_reader(graph, index) if node.is_variable and not kept else None
        if made is not None:
            found[index] = made
    return found


def _made_by_reader(graph: Graph, index: int) -> _SelfMade | None:
    node, readers = graph.nodes[index], graph.consumers[index]
    if len(readers) != 1:
        return None
    reader, number = graph.nodes[readers[0][0]], readers[0][1]
    if reader.operator is None or number >= len(reader.operator.ports):
        return None  # a file may be wrong in this, and the document shows it
    port = reader.operator.ports[number]
    if port.role == "data" or node.name != f"{reader.name}_{port.name}":
        return None
    if node.attributes == {**reader.attributes, **port.made_with}:
        return _SelfMade(readers[0][0], port.name, is_bare=False)
    if node.attributes == {**_free(reader.attributes), **port.made_with}:
        return _SelfMade(readers[0][0], port.name, is_bare=True)
    return None


def _bare_ports(made: Mapping[int, _SelfMade]) -> dict[int, tuple[str, ...]]:
    """Return by node the inputs whose variables have no copy of its settings."""
    found: dict[int, tuple[str, ...]] = {}
    for variable in made.values():
        if variable.is_bare:
            found[variable.reader] = (*found.get(variable.reader, ()), variable.port)
    return found


def _free(attributes: Mapping[str, str]) -> dict[str, str]:
    """Return the attributes that are a node's own and no parameters of an operator."""
    return {key: text for key, text in attributes.items() if key.startswith("__") and key.endswith("__")}


def _node(key: Id, node: GraphNode) -> Node:
    subgraphs = JsonText(node.subgraphs)
    if node.is_variable:
        return Node(key, VARIABLE, node.name, attributes=node.attributes, subgraphs=subgraphs)
    free = _free(node.attributes)
    params = {name: text for name, text in node.attributes.items() if name not in free}
    operator, arity = node.operator, None
    if isinstance(operator, Opaque):
        arity = Arity(operator.input_count, operator.output_count, operator.hidden_count)
    return Node(
        key, node.op_name, node.name, params=params, attributes=free, arity=arity, subgraphs=subgraphs
    )


def _heads(graph: Graph, ids: Mapping[int, Id]) -> tuple[tuple[Id, ...], bool]:
    """Return the nodes to name as heads (none where the board's own rule finds them), and whether it takes a Group."""
    ends = [index for index in ids if not graph.nodes[index].is_variable and not graph.consumers[index]]
    if graph.heads == _outputs(graph, ends):
        return (), False
    named = list(dict.fromkeys(index for index, _ in graph.heads))
    if graph.heads == _outputs(graph, named):
        return tuple(ids[index] for index in named), False
    return (), True


def _outputs(graph: Graph, indices: list[int]) -> tuple[Entry, ...]:
    return tuple(
        (index, number) for index in indices for number in range(len(graph.nodes[index].output_names))
    )


def _is_picture(graph: Graph) -> bool:
    roles = {port.role for node in graph.nodes if node.operator is not None for port in node.operator.ports}
    return len(graph.nodes) <= LARGEST_PICTURE and roles <= {"data"}


def _free_name(stem: str, nodes: Mapping[Id, Node]) -> str:
    taken = {node.name for node in nodes.values()}
    return next(name for number in range(len(taken) + 1) if (name := f"{stem}{number}") not in taken)

"""A symbol becomes a document: nodes, wires, and positions, ready to be looked at and changed."""

from collections.abc import Mapping

from app.document.records import GROUP, VARIABLE, Arity, Document, Edge, Id, Node, Settings
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
    ids = {index: f"n{number}" for number, index in enumerate(_drawn(graph), start=1)}
    nodes = {key: _node(key, graph.nodes[index]) for index, key in ids.items()}
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


def _drawn(graph: Graph) -> list[int]:
    heads = {index for index, _ in graph.heads}
    return [index for index in range(len(graph.nodes)) if index in heads or not _is_self_made(graph, index)]


def _is_self_made(graph: Graph, index: int) -> bool:
    """Tell whether a variable is just what its one reader would make for an input that nobody wired."""
    node, readers = graph.nodes[index], graph.consumers[index]
    if not node.is_variable or len(readers) != 1:
        return False
    reader, number = graph.nodes[readers[0][0]], readers[0][1]
    if reader.operator is None or number >= len(reader.operator.ports):
        return False  # a file may be wrong in this, and the document shows it
    port = reader.operator.ports[number]
    if port.role == "data" or node.name != f"{reader.name}_{port.name}":
        return False
    made = _free(reader.attributes)
    own = _free(node.attributes)
    return own in (made, {**made, **port.made_with})


def _free(attributes: Mapping[str, str]) -> dict[str, str]:
    """Return the attributes that are a node's own and no parameters of an operator."""
    return {key: text for key, text in attributes.items() if key.startswith("__") and key.endswith("__")}


def _node(key: Id, node: GraphNode) -> Node:
    free = _free(node.attributes)
    if node.is_variable:
        # Copies of an operator's parameters mean nothing on a variable; other texts are the user's own.
        known = {name: text for name, text in node.attributes.items() if name in free}
        return Node(key, VARIABLE, node.name, attributes=known)
    params = {name: text for name, text in node.attributes.items() if name not in free}
    operator, arity = node.operator, None
    if isinstance(operator, Opaque):
        arity = Arity(operator.input_count, operator.output_count, operator.hidden_count)
    return Node(key, node.op_name, node.name, params=params, attributes=free, arity=arity)


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

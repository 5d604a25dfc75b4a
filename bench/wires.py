"""How long it takes to ask whether a wire may be drawn, and to draw it, on a board of 10,000 nodes."""

import random
from collections.abc import Callable

from app.document.changes import Transaction
from app.document.edits import EditError, can_connect, connect
from app.document.records import Document, Edge, Node
from app.document.store import Store
from bench.timing import Prepared, Timed, median_of_each

NODES, ASKED, DRAWN = 10_000, 2_000, 10


def board() -> Document:
    """Return 10,000 nodes with 15,000 wires: nearest neighbours mostly, and a third of them across the board."""
    chance = random.Random(1)
    pairs = [(max(0, node - chance.choice((1, 1, 1, 2, 3, 8))), node) for node in range(1, NODES)]
    pairs += [tuple(sorted(chance.sample(range(NODES), 2))) for _ in range(NODES // 2)]
    readers: dict[int, list[int]] = {}
    for source, target in pairs:
        readers.setdefault(target, []).append(source)
    nodes, edges = {}, {}
    for node in range(NODES):
        op, params = "Variable", {}
        if node in readers:
            op, params = "add_n", {"num_args": str(len(readers[node]))}
        nodes[f"n{node}"] = Node(f"n{node}", op, f"node{node}", (0.0, 0.0), params)
        for number, source in enumerate(readers.get(node, ())):
            edge = Edge(f"e{len(edges)}", f"n{source}", 0, f"n{node}", number)
            edges[edge.id] = edge
    return Document(nodes, edges)


def prepare_wires() -> Prepared:
    """Make ready the question that is asked while the wire is in the hand, and the edit with its commit."""
    store = Store(board())
    document = store.document
    chance = random.Random(2)
    operators = [key for key, node in document.nodes.items() if node.op != "Variable"]
    can_connect(document, operators[0], 0, operators[1], 0)  # the first question sorts the wires

    def pairs(number: int) -> list[tuple[str, str]]:
        return [(chance.choice(operators), chance.choice(operators)) for _ in range(number)]

    def ask(pair: tuple[str, str]) -> Callable[[], object]:
        return lambda: can_connect(document, *_ends(pair))

    def draw(pair: tuple[str, str]) -> Callable[[], None]:
        return lambda: store.commit(_connected(store.document, pair))

    return Prepared({"wire": _each(ask, pairs, ASKED), "draw": _each(draw, pairs, DRAWN)})


def _each(
    work: Callable[[tuple[str, str]], Callable[[], object]],
    pairs: Callable[[int], list[tuple[str, str]]],
    number: int,
) -> Timed:
    def measure(_: float) -> dict[str, float]:
        median, longest = median_of_each([work(pair) for pair in pairs(number)])
        return {"seconds": median, "longest": longest}

    return measure


def _connected(document: Document, pair: tuple[str, str]) -> Transaction:
    try:
        return connect(document, *_ends(pair))
    except EditError:  # it would close a circle
        return Transaction("")


def _ends(pair: tuple[str, str]) -> tuple[str, int, str, int]:
    return pair[0], 0, pair[1], 0

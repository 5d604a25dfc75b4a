"""A board to draw on in tests, and some drawings that many tests start from."""

from collections.abc import Mapping
from itertools import pairwise

from app.document import edits
from app.document.changes import Transaction
from app.document.records import VARIABLE, Binding, Document, Id
from app.document.store import Store


class Board:
    """A store with short words for drawing."""

    def __init__(self) -> None:
        self.store = Store()

    @property
    def document(self) -> Document:
        """The document as it is now."""
        return self.store.document

    def do(self, transaction: Transaction) -> None:
        """Commit a transaction."""
        self.store.commit(transaction)

    def add(self, op: str, name: str = "", params: Mapping[str, str] | None = None) -> Id:
        """Add a node and return its id."""
        added = edits.add_node(self.document, op, (0.0, 0.0), name=name, params=params)
        self.do(added.transaction)
        return added.node_id

    def wire(self, source: Id, target: Id, number: int = 0, output: int = 0) -> Id:
        """Wire an output to an input and return the wire's id."""
        transaction = edits.connect(self.document, source, output, target, number)
        self.do(transaction)
        return next(change.key for change in transaction.changes if change.table == "edges" and change.after)

    def chain(self, *nodes: Id) -> None:
        """Wire each node to the first input of the next."""
        for source, target in pairwise(nodes):
            self.wire(source, target)

    def bind(self, *bindings: Binding) -> None:
        """Set what arguments are bound to."""
        for binding in bindings:
            self.do(edits.set_binding(self.document, binding))

    def name(self, node: Id) -> str:
        """Return a node's name."""
        return self.document.nodes[node].name

    def find(self, name: str) -> Id:
        """Return the id of the node called `name`."""
        return next(node.id for node in self.document.nodes.values() if node.name == name)


def product() -> Board:
    """Draw the tutorial's E = A * B + D, as `C = A * B` and `E = C + D`."""
    board = Board()
    a, b = board.add(VARIABLE, "A"), board.add(VARIABLE, "B")
    c = board.add("elemwise_mul", "C")
    board.wire(a, c, 0)
    board.wire(b, c, 1)
    d, e = board.add(VARIABLE, "D"), board.add("elemwise_add", "E")
    board.wire(c, e, 0)
    board.wire(d, e, 1)
    return board


def mlp() -> Board:
    """Draw data → fc1 (32) → relu1 → fc2 (10) → softmax, nothing bound."""
    board = Board()
    data = board.add(VARIABLE, "data")
    fc1 = board.add("FullyConnected", "fc1", {"num_hidden": "32"})
    relu = board.add("Activation", "relu1")
    fc2 = board.add("FullyConnected", "fc2", {"num_hidden": "10"})
    softmax = board.add("SoftmaxOutput", "softmax")
    board.chain(data, fc1, relu, fc2, softmax)
    return board

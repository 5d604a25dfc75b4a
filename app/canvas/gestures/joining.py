"""What a wire in the hand may be joined to, asked before anything changes."""

from typing import TYPE_CHECKING

import attrs

from app.document.changes import Transaction
from app.document.checks import trial
from app.document.edits import EditError, LooseEnd, best_input, can_connect, connect, disconnect, rewire
from app.document.records import Document, Edge, Id
from app.document.refusal import Verdict
from app.document.topology import topology

if TYPE_CHECKING:
    from app.document.analysis import Analysis

MOST_NODES_TO_TRY = 200
"""In larger graphs shapes are checked after the release: a trial of all of them would take longer than a frame."""


@attrs.frozen
class Offer:
    """What a release over a node would do, or why it would do nothing.

    `warns` marks an offer that can be taken although its shapes clash.
    """

    node: Id
    number: int
    words: str
    transaction: Transaction | None = None
    warns: bool = False

    @property
    def fits(self) -> bool:
        """Whether a release does something."""
        return self.transaction is not None


class Joining:
    """Answers for one wire: `end` is its fixed end; `moved` the wire whose other end was taken up, if one was."""

    def __init__(
        self, document: Document, analysis: "Analysis | None", end: LooseEnd, moved: Edge | None = None
    ) -> None:
        self._document = document
        self._analysis = analysis
        self._end = end
        self._moved = moved
        self._without = disconnect(document, moved.id).apply(document) if moved is not None else document
        self._known: dict[tuple[Id, int | None], Offer] = {}

    @property
    def forwards(self) -> bool:
        """Whether the fixed end is an output, so that inputs are looked for."""
        return self._end.side == "output"

    def fitting(self, node: Id, ports: list[int]) -> frozenset[int]:
        """Return those of a node's ports (inputs, or outputs for a wire drawn backwards) that could take the wire."""
        return frozenset(number for number in ports if self._verdict(node, number))

    def _verdict(self, node: Id, number: int) -> Verdict:
        end = self._end
        if self.forwards:
            return can_connect(self._without, end.node, end.number, node, number)
        return can_connect(self._without, node, number, end.node, end.number)

    def offer(self, node: Id, number: int | None) -> Offer:
        """Return what a release over a port would do; None for the port means the body, which takes the best one."""
        key = (node, number)
        if key not in self._known:
            self._known[key] = self._make(node, number)
        return self._known[key]

    def _make(self, node: Id, number: int | None) -> Offer:
        if number is None:
            number = self._best(node)
            if number is None:
                return Offer(node, -1, self._why_none(node))
        verdict = self._verdict(node, number)
        if not verdict:
            return Offer(node, number, verdict.reason)
        try:
            transaction = self._transaction(node, number)
        except EditError as refusal:
            return Offer(node, number, refusal.sentence)
        said, warns = self._words(node, number), False
        if self._analysis is not None and len(self._document.nodes) <= MOST_NODES_TO_TRY:
            target = node if self.forwards else self._end.node
            clash = trial(self._analysis, transaction.apply(self._document), target)
            if not clash:
                said, warns = clash.reason, True
        return Offer(node, number, said, transaction, warns)

    def _best(self, node: Id) -> int | None:
        end, moved = self._end, self._moved
        if not self.forwards:
            return 0
        if moved is not None and moved.target == node:
            return moved.input
        return best_input(self._without, end.node, end.number, node)

    def _why_none(self, node: Id) -> str:
        verdict = can_connect(self._without, self._end.node, self._end.number, node, 0)
        if not verdict:
            return verdict.reason
        name = self._document.nodes[node].name
        return f"Every input of {name} has its wire. Drop it on one of them to replace that wire."

    def _transaction(self, node: Id, number: int) -> Transaction:
        end = self._end
        if not self.forwards:
            return connect(self._document, node, number, end.node, end.number)
        if self._moved is not None:
            return rewire(self._document, self._moved.id, node, number)
        return connect(self._document, end.node, end.number, node, number)

    def _words(self, node: Id, number: int) -> str:
        document, end = self._document, self._end
        if not self.forwards:
            return f"from {document.nodes[node].name}"
        said = f"{self._port_name(node, number)} of {document.nodes[node].name}"
        old = topology(self._without).inputs(node).get(number)
        if old is not None and old.source != end.node:
            said += f", instead of {document.nodes[old.source].name}"
        return said

    def _port_name(self, node: Id, number: int) -> str:
        from app.document.reading import read_node

        ports = read_node(self._document.nodes[node]).ports
        if number < len(ports):
            return ports[number].name
        return f"input {number}"

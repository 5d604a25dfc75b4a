"""A node that is carried over a wire: after a moment's rest the wire opens for it, or it is said why not."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

from app.canvas.gestures.gesture import LONGEST_WORDS, Board, Pointer
from app.canvas.gestures.joining import MOST_NODES_TO_TRY, Offer
from app.canvas.hits import wire_at
from app.document.changes import Transaction
from app.document.checks import judge_of
from app.document.edits import EditError
from app.document.records import Document, Id

DWELL_MS = 150
"""So long the pointer rests on a wire before it opens: a node that merely passes is not drawn in."""


class Insertion(QObject):
    """Watches the pointer, not the node's outline, since it is the pointer that somebody aims with.

    `insert` makes the edit for a wire. Alt keeps wires closed. `changed` is sent when a wire opens or refuses.
    """

    changed = Signal()

    def __init__(self, board: Board, insert: Callable[[Document, Id], Transaction]) -> None:
        super().__init__()
        self._board = board
        self._insert = insert
        self._edge: Id = ""
        self._offer: Offer | None = None
        self._passes = False
        self._known: dict[Id, Offer] = {}
        self.dwell = QTimer(self, singleShot=True, interval=DWELL_MS)
        self.dwell.timeout.connect(self._settle)

    @property
    def opened(self) -> Id:
        """The wire that a release puts the node into, or nothing."""
        return self._edge if self._offer is not None and self._offer.fits else ""

    @property
    def words(self) -> str:
        """What stands at the pointer because of the wire under it; nothing where there is none."""
        if self._passes:
            return "past the wire"
        return self._offer.words[:LONGEST_WORDS] if self._offer is not None else ""

    @property
    def warns(self) -> bool:
        """Whether the words are a refusal."""
        return self._offer is not None and not self._offer.fits

    def aim(self, at: Pointer) -> None:
        """Follow the pointer: another wire has to be rested on anew."""
        scene = self._board.board_scene
        item = wire_at(scene, at.board, at.scale)
        self._passes = item is not None and at.alt
        edge = item.look.id if item is not None and not at.alt else ""
        if edge != self._edge:
            self.leave()
            self._edge = edge
            if edge:
                self.dwell.start()

    def leave(self) -> None:
        """Close the wire again."""
        self.dwell.stop()
        item = self._board.board_scene.edge_items.get(self._edge)
        if item is not None:
            item.set_state(opened=False)
        self._edge, self._offer = "", None

    def _settle(self) -> None:
        item = self._board.board_scene.edge_items.get(self._edge)
        if item is None:
            return
        if self._edge not in self._known:
            self._known[self._edge] = self._ask(self._edge)
        self._offer = self._known[self._edge]
        item.set_state(opened=self._offer.fits)
        self.changed.emit()

    def _ask(self, edge_id: Id) -> Offer:
        workspace = self._board.workspace
        document, edge = workspace.document, workspace.document.edges[edge_id]
        names = [document.nodes[end].name for end in (edge.source, edge.target)]
        try:
            transaction = self._insert(document, edge_id)
        except EditError as refusal:
            return Offer(
                edge.target, edge.input, f"Not between {names[0]} and {names[1]}: {refusal.sentence}"
            )
        if len(document.nodes) <= MOST_NODES_TO_TRY:
            verdict = judge_of(workspace.analysis)(transaction.apply(document), edge.target)
            if not verdict:
                return Offer(
                    edge.target, edge.input, f"Not between {names[0]} and {names[1]}: {verdict.reason}"
                )
        words = f"between {names[0]} and {names[1]} · Alt: past the wire"
        return Offer(edge.target, edge.input, words, transaction)

"""Drawing a wire, or taking up one end of a wire that is there."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt

from app.canvas.edge_items import LooseWireItem
from app.canvas.gestures.gesture import LONGEST_WORDS, Board, Gesture, Pointer
from app.canvas.gestures.joining import Joining, Offer
from app.canvas.hits import argument_at, holds_core, nearest_port, node_at
from app.canvas.node_items import NodeItem
from app.document.edits import LooseEnd, disconnect
from app.document.records import Edge

if TYPE_CHECKING:
    from app.canvas.scene import BoardScene


class WireGesture(Gesture):
    """Holds a wire's loose end; its other end is fixed at an output or an input.

    Over a node the best port takes it, or the very port that the pointer is at. Over nothing the search opens, or a
    wire that was taken up is dropped.
    """

    cursor = Qt.CursorShape.CrossCursor

    def __init__(self, board: Board, end: LooseEnd, moved: Edge | None = None) -> None:
        super().__init__(board)
        self._end = end
        self._moved = moved
        workspace = board.workspace
        self._joining = Joining(workspace.document, workspace.analysis, end, moved)
        self._item = LooseWireItem(board.board_scene.kit, board.board_scene.node_style)
        self._offer: Offer | None = None
        self._over_self = False

    @property
    def scene(self) -> "BoardScene":
        """The board's scene."""
        return self.board.board_scene

    def begin(self, at: Pointer) -> None:
        """Take the wire up, and light what could take it."""
        self.board.add_overlay(self._item)
        if self._moved is not None:
            self.scene.edge_items[self._moved.id].set_state(pale=True)
        seen = self.board.seen_nodes()
        for item in seen:
            self._light(item)

    def _light(self, item: NodeItem) -> None:
        if item.look.id == self._end.node:
            return
        inputs = self._joining.forwards
        ports = list(self.scene.geometry.inputs(item.look.shape)) if inputs else [0]
        if not ports and item.look.ports:
            ports = [port.number for port in item.look.ports]
        lit = self._joining.fitting(item.look.id, ports or [0])
        item.set_state(dimmed=not lit, lit=lit if inputs else frozenset(), shows_ports=bool(lit))

    def step(self, at: Pointer) -> None:
        """Run the wire to the pointer, or to the port that a release would join it to."""
        self._offer, tip = self._aim(at)
        for key, item in self.scene.node_items.items():
            best = (
                self._offer.number if self._offer and self._offer.fits and self._offer.node == key else None
            )
            item.set_state(best=best if self._joining.forwards else None, hovered=best is not None)
        fixed = self.scene.node_items[self._end.node]
        way = self.scene.geometry.loose(fixed.placed, self._end.number, tip, forwards=self._joining.forwards)
        offer = self._offer
        self._item.run(way, fits=bool(offer and offer.fits), refused=bool(offer and not offer.fits))
        self.words, self.words_warn = self._say(offer)

    def _say(self, offer: Offer | None) -> tuple[str, bool]:
        if offer is not None:
            return offer.words[:LONGEST_WORDS], offer.warns or not offer.fits
        if self._over_self:
            return "", False
        if self._moved is not None:
            return "Release to take the wire away", False
        return "Release to search for what fits", False

    def _aim(self, at: Pointer) -> tuple[Offer | None, QPointF]:
        """Return what lies under the pointer and where the wire's tip goes."""
        argument = argument_at(self.scene, at.board, at.scale) if self._joining.forwards else None
        if argument is not None:
            offer = self._joining.offer(argument.look.owner, argument.look.number)
            return offer, argument.pos() + argument.look.spot.centre
        item = node_at(self.scene, at.board, at.scale)
        self._over_self = item is not None and item.look.id == self._end.node
        if item is None or self._over_self:
            return None, at.board
        offer = self._joining.offer(item.look.id, self._port_at(item, at))
        return offer, self._tip(item, offer, at)

    def _port_at(self, item: NodeItem, at: Pointer) -> int | None:
        if holds_core(item, at.board, at.scale):
            return None
        port = nearest_port([item], at.board, at.scale)
        wanted = "input" if self._joining.forwards else "output"
        return port.number if port is not None and port.kind == wanted else None

    def _tip(self, item: NodeItem, offer: Offer, at: Pointer) -> QPointF:
        if not offer.fits:
            return at.board
        shape = item.look.shape
        if self._joining.forwards:
            anchor = self.scene.geometry.inputs(shape).get(offer.number)
        else:
            outputs = self.scene.geometry.outputs(shape)
            anchor = outputs[offer.number] if offer.number < len(outputs) else None
        return item.pos() + anchor.point if anchor is not None else at.board

    def end(self, at: Pointer) -> None:
        """Join the wire, search for what it could be joined to, or say why nothing happens."""
        self.step(at)
        offer = self._offer
        self._put_away()
        workspace = self.board.workspace
        if offer is not None and offer.transaction is not None:
            workspace.commit(offer.transaction)
        elif offer is not None:
            workspace.message.emit(offer.words)
        elif self._over_self:
            return
        elif self._moved is not None:
            workspace.try_edit(disconnect, self._moved.id)
        else:
            self.board.ask_search(at, self._end)

    def cancel(self) -> None:
        """Let go of the wire."""
        self._put_away()

    def _put_away(self) -> None:
        self.board.remove_overlay(self._item)
        self.scene.clear_marks()


def wire_from_end(edge: Edge, along: float) -> LooseEnd:
    """Return the end of a wire that stays fixed when it is grabbed at a place along it: the farther one."""
    if along >= 0.5:
        return LooseEnd(edge.source, edge.output)
    return LooseEnd(edge.target, edge.input, "input")

"""Asks for the search: at the pointer, for what follows a node, for a wire under the pointer, in place of a node."""

from typing import TYPE_CHECKING

import attrs
from PySide6.QtCore import QPoint, QPointF

from app.canvas.continuing import place_after
from app.canvas.gestures.gesture import Pointer
from app.canvas.hits import wire_at
from app.canvas.ways import centred

if TYPE_CHECKING:
    from app.canvas.view import BoardView
    from app.document.edits import Opening


@attrs.frozen(eq=False)
class SearchRequest:
    """Where the search is to open, on the board and on the screen, and what waits for the node if anything does."""

    place: QPointF
    screen: QPoint
    opening: "Opening | None" = None


class Searching:
    """Turns what the board was asked into a request for the search."""

    def __init__(self, board: "BoardView") -> None:
        self._board = board

    def ask(self, at: Pointer, opening: "Opening | None") -> None:
        """Ask for the search at a place."""
        screen = self._board.viewport().mapToGlobal(at.view)
        self._board.search_requested.emit(SearchRequest(at.board, screen, opening))

    def at_pointer(self, at: Pointer, *, is_pointed: bool) -> None:
        """Ask for the search at the pointer; what is chosen goes into the wire that somebody points at."""
        from app.document.edits import OnWire

        wire = wire_at(self._board.board_scene, at.board, at.scale) if is_pointed else None
        self.ask(at, OnWire(wire.look.id) if wire is not None else None)

    def after_the_selected(self) -> None:
        """Search for what follows the selected node, to be wired to its first output, or for what goes into a wire."""
        from app.document.edits import LooseEnd, OnWire

        board = self._board
        nodes = board.commands.selected_nodes()
        wires = [key for key in board.board_scene.edge_items if key in board.workspace.store.selection]
        if not nodes and len(wires) == 1:
            middle = board.board_scene.edge_items[wires[0]].way.middle
            board.show_box(centred(64, 64).translated(middle))
            self.ask(board.pointer(board.mapFromScene(middle)), OnWire(wires[0]))
            return
        item = board.board_scene.node_items[nodes[0]] if len(nodes) == 1 else None
        if item is None or not board.board_scene.geometry.outputs(item.look.shape):
            board.workspace.message.emit(
                "Select one node with an output, to add what follows it, or one wire, to put a node into it."
            )
            return
        place = place_after(board.board_scene, item.look.id)
        board.show_box(item.body_box().united(item.body_box().translated(place - item.pos())))
        self.ask(board.pointer(board.mapFromScene(place)), LooseEnd(item.look.id, 0))

    def in_place_of_the_selected(self) -> None:
        """Search for another operator that fits the wires of the selected node."""
        from app.document.edits import InPlaceOf

        board = self._board
        nodes = board.commands.selected_nodes()
        item = board.board_scene.node_items[nodes[0]] if len(nodes) == 1 else None
        if item is None or item.look.shape.kind != "operator":
            board.workspace.message.emit("Select one operator to swap it for another.")
            return
        board.reveal(nodes[0])
        below = item.drawing.bounds.translated(item.pos()).bottomLeft()
        self.ask(board.pointer(board.mapFromScene(below)), InPlaceOf(nodes[0]))

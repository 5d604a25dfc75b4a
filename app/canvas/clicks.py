"""What a click and a double-click on the board mean, by what lies under the pointer."""

from typing import TYPE_CHECKING

import attrs
from PySide6.QtCore import QPointF

from app.canvas.gestures.gesture import Pointer
from app.canvas.hits import Hit
from app.document.records import Id

if TYPE_CHECKING:
    from app.canvas.view import BoardView


@attrs.frozen
class ShapeRef:
    """A shape that was clicked: of a node's output, of a wire, or of the argument made for an input."""

    node: Id = ""
    output: int = 0
    edge: Id = ""
    input: int | None = None


class Clicks:
    """Selects what was clicked, and asks for more to be said of shapes and arguments; remembers the last argument."""

    def __init__(self, board: "BoardView") -> None:
        self._board = board
        self._argument: tuple[Id, int] | None = None

    def click(self, hit: Hit, pointer: Pointer) -> None:
        """Select what was clicked; shapes say why they are so, and with Alt a port loses its wires."""
        board = self._board
        match hit.kind:
            case "output" | "input" if pointer.alt:
                self._clear(hit)
            case "shape":
                board.shape_clicked.emit(ShapeRef(hit.node, hit.number, hit.edge))
            case "argument shape":
                board.shape_clicked.emit(ShapeRef(hit.node, input=hit.number))
            case "argument":
                self._argument = (hit.node, hit.number)
                board.workspace.select({hit.node})
                board.argument_clicked.emit(self._argument)
            case _:
                self._select(hit.edge or hit.node or hit.annotation, pointer)

    def _clear(self, port: Hit) -> None:
        """Take all wires off a port."""
        from app.document.edits import disconnect

        workspace = self._board.workspace
        edges = workspace.document.edges.values()
        if port.kind == "output":
            wires = [edge.id for edge in edges if (edge.source, edge.output) == (port.node, port.number)]
        else:
            wires = [edge.id for edge in edges if (edge.target, edge.input) == (port.node, port.number)]
        if wires:
            workspace.try_edit(disconnect, wires)
        else:
            workspace.message.emit("There is no wire at this port.")

    def _select(self, what: Id, pointer: Pointer) -> None:
        workspace = self._board.workspace
        selection = workspace.store.selection
        if not (pointer.shift or pointer.ctrl):
            workspace.select({what} if what else set())
        elif what:
            workspace.select(selection ^ {what} if pointer.ctrl else selection | {what})

    def double_click(self, hit: Hit, pointer: Pointer) -> None:
        """Search on the empty board, edit a name, a title or a note, look into a node."""
        board = self._board
        if hit.kind == "nothing":
            board.ask_search(pointer, None)
        elif hit.kind == "name" or (hit.kind == "node" and self._on_name(hit.node, pointer.board)):
            board.workspace.select({hit.node})
            board.edit_words(hit.node)
        elif hit.annotation:
            board.edit_words(hit.annotation)
        elif hit.kind == "node":
            board.open_requested.emit(hit.node)

    def _on_name(self, node: Id, point: QPointF) -> bool:
        return self._board.board_scene.node_items[node].place_of("name").contains(point)

    def extract_argument(self) -> None:
        """Make the argument that was clicked last, or the selected node's first, a Variable of its own."""
        board = self._board
        autos = board.board_scene.auto_items
        wanted = self._argument
        if wanted not in autos:
            owners = set(board.commands.selected_nodes())
            wanted = next((key for key in autos if key[0] in owners), None)
        if wanted is None:
            board.workspace.message.emit("Select a node that makes an argument of its own first.")
        else:
            board.commands.extract_argument(*wanted)

"""Which gesture a press turns into once the pointer moves."""

from app.canvas.gestures.band import BandGesture
from app.canvas.gestures.cut import CutGesture
from app.canvas.gestures.extract import ExtractGesture
from app.canvas.gestures.gesture import Board, Gesture, Pointer
from app.canvas.gestures.move import MoveGesture
from app.canvas.gestures.reshape import ReshapeGesture
from app.canvas.hits import Hit
from app.document.records import Id
from app.document.topology import topology


def gesture_for(board: Board, hit: Hit, pointer: Pointer) -> Gesture:
    """Return the gesture for what lay under the press, and for the keys that were held."""
    if pointer.alt and pointer.shift and not hit.node:
        return CutGesture(board)
    match hit.kind:
        case "node" | "name" | "annotation" | "shape" if held := hit.node or hit.annotation:
            return MoveGesture(board, held, _carried(board, held, pointer))
        case "output":
            return _new_wire(board, hit.node, hit.number, "output")
        case "input":
            return _from_input(board, hit)
        case "wire" | "shape":
            return _moved_wire(board, hit)
        case "argument" | "argument shape":
            return ExtractGesture(board, hit.node, hit.number)
        case "annotation edge":
            return ReshapeGesture(board, hit.annotation, hit.sides)
    return BandGesture(board)


def _carried(board: Board, held: Id, pointer: Pointer) -> frozenset[Id]:
    """Return what a drag takes along: the selection, but for its wires, if what is held belongs to it."""
    selection = board.workspace.store.selection - board.workspace.document.edges.keys()
    return selection if held in selection or pointer.shift else frozenset({held})


def _new_wire(board: Board, node: Id, number: int, side: str) -> Gesture:
    from app.canvas.gestures.wire import WireGesture
    from app.document.edits import LooseEnd

    return WireGesture(board, LooseEnd(node, number, "input" if side == "input" else "output"))


def _from_input(board: Board, hit: Hit) -> Gesture:
    """Take up the wire that ends at an input, or draw one backwards from a free input."""
    from app.canvas.gestures.wire import WireGesture
    from app.document.edits import LooseEnd

    edge = topology(board.workspace.document).inputs(hit.node).get(hit.number)
    if edge is None:
        return _new_wire(board, hit.node, hit.number, "input")
    return WireGesture(board, LooseEnd(edge.source, edge.output), edge)


def _moved_wire(board: Board, hit: Hit) -> Gesture:
    from app.canvas.gestures.wire import WireGesture, wire_from_end

    edge = board.workspace.document.edges[hit.edge]
    return WireGesture(board, wire_from_end(edge, hit.along if hit.kind == "wire" else 1.0), edge)

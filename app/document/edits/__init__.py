"""What can be done to a document: pure functions from a document to a transaction, or a refusal with its reason."""

from app.document.edits.annotations import (
    Annotated,
    add_frame,
    add_note,
    reshape_frame,
    set_colour,
    set_text,
    set_title,
    set_width,
)
from app.document.edits.bindings import set_binding, set_head_gradient, set_options
from app.document.edits.growing import (
    InPlaceOf,
    LooseEnd,
    OnWire,
    Opening,
    add_and_connect,
    extract_argument,
    put,
)
from app.document.edits.healing import delete_and_heal, detach
from app.document.edits.inserting import insert_node, insert_on_wire, is_unwired
from app.document.edits.lining_up import Axis, Box, Side, align, distribute
from app.document.edits.nodes import (
    Added,
    add_node,
    delete,
    move,
    rename,
    rename_param,
    set_operator,
    set_param,
)
from app.document.edits.repairing import mend
from app.document.edits.swapping import swap_operator
from app.document.edits.wiring import best_input, can_connect, connect, disconnect, rewire
from app.document.refusal import EditError, Verdict

__all__ = [
    "Added",
    "Annotated",
    "Axis",
    "Box",
    "EditError",
    "InPlaceOf",
    "LooseEnd",
    "OnWire",
    "Opening",
    "Side",
    "Verdict",
    "add_and_connect",
    "add_frame",
    "add_node",
    "add_note",
    "align",
    "best_input",
    "can_connect",
    "connect",
    "delete",
    "delete_and_heal",
    "detach",
    "disconnect",
    "distribute",
    "extract_argument",
    "insert_node",
    "insert_on_wire",
    "is_unwired",
    "mend",
    "move",
    "put",
    "rename",
    "rename_param",
    "reshape_frame",
    "rewire",
    "set_binding",
    "set_colour",
    "set_head_gradient",
    "set_operator",
    "set_options",
    "set_param",
    "set_text",
    "set_title",
    "set_width",
    "swap_operator",
]

"""What can be done to a document: pure functions from a document to a transaction, or a refusal with its reason."""

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
    "EditError",
    "InPlaceOf",
    "LooseEnd",
    "OnWire",
    "Opening",
    "Verdict",
    "add_and_connect",
    "add_node",
    "best_input",
    "can_connect",
    "connect",
    "delete",
    "delete_and_heal",
    "detach",
    "disconnect",
    "extract_argument",
    "insert_node",
    "insert_on_wire",
    "is_unwired",
    "mend",
    "move",
    "put",
    "rename",
    "rename_param",
    "rewire",
    "set_binding",
    "set_head_gradient",
    "set_operator",
    "set_options",
    "set_param",
    "swap_operator",
]

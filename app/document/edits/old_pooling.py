"""The repair of a network from before MXNet 0.8, as an edit that can be undone."""

import attrs

from app.document.changes import Draft, Transaction
from app.document.records import Document
from app.document.refusal import EditError
from app.engine.errors import EngineError
from app.engine.old_pooling import as_it_was

LABEL = "Round pooling up as before MXNet 0.8"


def round_pooling_up(document: Document) -> Transaction:
    """Say of every Pooling that is silent on its rounding what it was before 0.8; no changes where that is the same."""
    draft = Draft(document)
    for node in document.nodes.values():
        try:
            old = as_it_was(node.op, node.params)
        except EngineError as error:
            raise EditError(f"{node.name}: {error.sentence}", node=node.name) from None
        if old is not None:
            draft.put(attrs.evolve(node, op=old.op_name, params=old.attributes))
    return draft.transaction(LABEL)

"""The repair of a network that an older MXNet wrote, as an edit that can be undone."""

import attrs

from app.document.changes import Draft, Transaction
from app.document.records import Document
from app.document.refusal import EditError
from app.engine.errors import EngineError
from app.engine.repairs.repair import Repair


def mend(document: Document, repair: Repair) -> Transaction:
    """Make one repair on every node that needs it; no changes where none does."""
    draft = Draft(document)
    for node in document.nodes.values():
        try:
            mended = repair.mend(node.op, node.params)
        except EngineError as error:
            raise EditError(f"{node.name}: {error.sentence}", node=node.name) from None
        if mended is not None:
            draft.put(attrs.evolve(node, op=mended.op_name, params=mended.attributes, arity=None))
    return draft.transaction(repair.label)

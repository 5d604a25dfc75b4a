"""Edits that put a node between the two ends of a wire."""

from collections.abc import Mapping

import attrs

from app.document.changes import Draft, Transaction
from app.document.edits.nodes import Added, add_node, move
from app.document.edits.wiring import best_input, can_connect, connect
from app.document.records import Document, Id, Point
from app.document.refusal import EditError
from app.document.room import NEWCOMER
from app.document.topology import topology

NOWHERE: Mapping[Id, Point] = {}


def insert_on_wire(
    document: Document,
    edge_id: Id,
    op: str,
    params: Mapping[str, str] | None = None,
    *,
    name: str = "",
    positions: Mapping[Id, Point] = NOWHERE,
) -> Added:
    """Put a new node between the two ends of a wire.

    `positions` says where nodes go, and under `NEWCOMER` where the new one stands; else it is in the middle.
    """
    wire = document.edges[edge_id]
    ends = [document.nodes[end].position for end in (wire.source, wire.target)]
    middle = ((ends[0][0] + ends[1][0]) / 2, (ends[0][1] + ends[1][1]) / 2)
    place = positions.get(NEWCOMER, middle)
    added = add_node(document, op, place, name=name, params=params)
    draft = Draft(document).include(added.transaction)
    others = {key: point for key, point in positions.items() if key != NEWCOMER}
    return Added(_between(draft, edge_id, added.node_id, others), added.node_id)


def insert_node(
    document: Document, edge_id: Id, node_id: Id, positions: Mapping[Id, Point] = NOWHERE
) -> Transaction:
    """Put a node that has no wires between the two ends of a wire, and nodes where `positions` says."""
    if not is_unwired(document, node_id):
        name = document.nodes[node_id].name
        raise EditError(f"{name} has wires already. Detach it first (Ctrl+Shift+X).", node=name)
    return _between(Draft(document), edge_id, node_id, positions)


def is_unwired(document: Document, node_id: Id) -> bool:
    """Tell whether no wire comes into a node or goes out of it."""
    wires = topology(document)
    return not wires.inputs(node_id) and not wires.outputs(node_id)


def _between(draft: Draft, edge_id: Id, node_id: Id, positions: Mapping[Id, Point]) -> Transaction:
    """Wire the source to the node's best input; the wire itself now comes from the node, so it keeps its place."""
    document = draft.document
    wire, node = document.edges[edge_id], document.nodes[node_id]
    number = best_input(document, wire.source, wire.output, node_id)
    # Where there is no best input, what refuses the first one says why.
    draft.include(connect(document, wire.source, wire.output, node_id, number if number is not None else 0))
    verdict = can_connect(draft.document, node_id, 0, wire.target, wire.input)
    if not verdict:
        raise EditError(verdict.reason, node=node.name)
    draft.put(attrs.evolve(wire, source=node_id, output=0))
    if positions:
        draft.include(move(draft.document, positions))
    label = f"Put {node.name} before {document.nodes[wire.target].name}"
    return draft.transaction(label, selection=[node_id])

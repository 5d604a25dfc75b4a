"""Edits that add a node and wire it in the same step."""

from collections.abc import Mapping
from typing import Literal

import attrs

from app.document.changes import Draft, new_ids
from app.document.edits.inserting import insert_on_wire
from app.document.edits.nodes import Added, add_node
from app.document.edits.swapping import swap_operator
from app.document.edits.wiring import best_input, can_connect, connect
from app.document.names import argument_name, name_owners
from app.document.reading import read_node
from app.document.records import VARIABLE, Document, Edge, Id, Node, Point
from app.document.refusal import EditError
from app.document.room import NEWCOMER
from app.document.topology import topology

EXTRACTED_OFFSET: Point = (-160.0, 80.0)
"""Where an extracted argument appears, from its node, when nobody says otherwise."""


@attrs.frozen
class LooseEnd:
    """The end of a wire in the hand that is fixed already: an output, or an input, of a node."""

    node: Id
    number: int
    side: Literal["output", "input"] = "output"


@attrs.frozen
class OnWire:
    """A wire that a new node is to stand in, and where nodes go to make room for it."""

    edge: Id
    aside: Mapping[Id, Point] = attrs.field(factory=dict, hash=False)


@attrs.frozen
class InPlaceOf:
    """A node that another operator is to stand for."""

    node: Id


Opening = LooseEnd | OnWire | InPlaceOf
"""What waits for a node that is still to be chosen."""


def put(document: Document, op: str, place: Point, opening: Opening | None, *, name: str = "") -> Added:
    """Put a node on the board, at a place or into what waits for it."""
    match opening:
        case None:
            return add_node(document, op, place, name=name)
        case LooseEnd():
            return add_and_connect(document, op, place, wire=opening, name=name)
        case OnWire(edge=edge, aside=aside):
            return insert_on_wire(document, edge, op, name=name, positions={**aside, NEWCOMER: place})
        case InPlaceOf(node=node):
            return swap_operator(document, node, op)


def add_and_connect(document: Document, op: str, position: Point, *, wire: LooseEnd, name: str = "") -> Added:
    """Put a node where a wire was released on empty space, and wire it to the wire's other end."""
    added = add_node(document, op, position, name=name)
    draft = Draft(document).include(added.transaction)
    grown = draft.document
    name = grown.nodes[added.node_id].name
    if wire.side == "input":
        transaction = connect(grown, added.node_id, 0, wire.node, wire.number)
    else:
        number = best_input(grown, wire.node, wire.number, added.node_id)
        if number is None:
            verdict = can_connect(grown, wire.node, wire.number, added.node_id, 0)
            raise EditError(verdict.reason, node=name)
        transaction = connect(grown, wire.node, wire.number, added.node_id, number)
    label = f"Add {name} to {document.nodes[wire.node].name}"
    done = draft.include(transaction).transaction(label, selection=[added.node_id])
    return Added(done, added.node_id)


def extract_argument(document: Document, node_id: Id, input: int, position: Point | None = None) -> Added:
    """Make a Variable of its own out of an argument that a node made for itself; its value goes along."""
    node = document.nodes[node_id]
    ports = read_node(node).ports
    if not 0 <= input < len(ports) or input in topology(document).inputs(node_id):
        raise EditError(f"{node.name} makes no argument of its own for this input.", node=node.name)
    name = argument_name(node.name, ports[input])
    owner = name_owners(document)[name]
    if (owner.node, owner.input) != (node_id, input):
        raise EditError(f"There is a node called {name} already; wire that one, or rename it.", node=name)
    x, y = node.position
    place = position if position is not None else (x + EXTRACTED_OFFSET[0], y + EXTRACTED_OFFSET[1])
    variable = Node(new_ids(document, "n", 1)[0], VARIABLE, name, place)
    draft = Draft(document)
    draft.put(variable)
    draft.put(Edge(new_ids(document, "e", 1)[0], variable.id, 0, node_id, input))
    label = f"Make {name} a Variable of its own"
    return Added(draft.transaction(label, selection=[variable.id]), variable.id)

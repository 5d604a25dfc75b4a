"""Edits of nodes: add, delete, move, rename, and their settings."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import count

import attrs

from app.document.changes import Draft, Transaction, new_ids
from app.document.edits.wiring import drop_wires
from app.document.names import argument_name, automatic_name, check_name, name_owners
from app.document.placed import placed, told
from app.document.reading import read_node
from app.document.records import GROUP, VARIABLE, Document, Id, Node, Point
from app.document.refusal import EditError
from app.document.starting_values import required_values, starting_values
from app.document.topology import topology
from app.engine.errors import EngineError
from app.engine.registry import find_operator


@attrs.frozen
class Added:
    """A transaction that makes one node, and the id that the node will have."""

    transaction: Transaction
    node_id: Id


def add_node(
    document: Document, op: str, position: Point, *, name: str = "", params: Mapping[str, str] | None = None
) -> Added:
    """Put a Variable, a Group or an operator on the board and select it.

    Without a name it gets an automatic one; without `params` the operator's starting values, and with them only the
    required ones that are missing.
    """
    node_id = new_ids(document, "n", 1)[0]
    node = Node(node_id, op, "", position, _starting_params(op, params))
    reading = read_node(node)
    if name:
        verdict = check_name(document, name, reading=reading)
        if not verdict:
            raise EditError(verdict.reason)
    node = attrs.evolve(node, name=name or automatic_name(document, op, reading))
    draft = Draft(document)
    draft.put(node)
    return Added(draft.transaction(f"Add {node.name}", selection=[node_id]), node_id)


def _starting_params(op: str, params: Mapping[str, str] | None) -> dict[str, str]:
    if op in (VARIABLE, GROUP):
        return dict(params or {})
    try:
        operator_class = find_operator(op)
    except EngineError as error:
        raise EditError(error.sentence) from None
    if params is None:
        return starting_values(operator_class)
    return {**required_values(operator_class), **params}


def delete(
    document: Document,
    node_ids: Iterable[Id],
    edge_ids: Iterable[Id] = (),
    annotation_ids: Iterable[Id] = (),
) -> Transaction:
    """Take nodes and wires away, with the wires, values and head gradients of those nodes; and frames and notes.

    A variadic operator that loses a wire closes the gap. What stands in a frame stays.
    """
    annotations = [*dict.fromkeys(annotation_ids)]
    nodes = [document.nodes[node_id] for node_id in dict.fromkeys(node_ids)]
    gone = {node.id for node in nodes}
    wires = [*dict.fromkeys(edge_ids)]
    around = [edge.id for edge in document.edges.values() if edge.source in gone or edge.target in gone]
    draft = Draft(document)
    drop_wires(draft, {*wires, *around}, gone)
    for node in nodes:
        draft.drop("nodes", node.id)
        for text in argument_names(document, node):
            draft.drop("bindings", text)
        for text in read_node(node).output_names(node.name):
            draft.drop("heads", text)
    for node in document.nodes.values():
        if node.id not in gone and gone.intersection(node.control_deps):
            left = tuple(other for other in node.control_deps if other not in gone)
            draft.put(attrs.evolve(node, control_deps=left))
    heads = document.options.heads
    if gone.intersection(heads):
        draft.put(attrs.evolve(document.options, heads=tuple(head for head in heads if head not in gone)))
    for key in annotations:
        draft.drop("frames" if key in document.frames else "notes", key)
    things = [*(node.id for node in nodes), *annotations]
    return draft.transaction(_delete_label(document, things, len(wires)), selection=())


def _delete_label(document: Document, things: list[Id], wires: int) -> str:
    if things:
        return f"Delete {told(document, things)}"
    return "Delete a wire" if wires == 1 else f"Delete {wires} wires"


def move(document: Document, positions: Mapping[Id, Point], *, merge: str = "") -> Transaction:
    """Put nodes, frames and notes elsewhere; with a `merge` key, quick moves (by arrow key) become one step."""
    draft = Draft(document)
    for key, (x, y) in positions.items():
        draft.put(attrs.evolve(placed(document, key), position=(float(x), float(y))))
    return draft.transaction(f"Move {told(document, positions)}", merge=merge)


def rename(document: Document, node_id: Id, name: str) -> Transaction:
    """Give a node another name; what it and its self-made arguments are bound to goes along."""
    node = document.nodes[node_id]
    name = name.strip()
    reading = read_node(node)
    verdict = check_name(document, name, node=node_id, reading=reading)
    if not verdict:
        raise EditError(verdict.reason, node=node.name)
    draft = Draft(document)
    draft.put(attrs.evolve(node, name=name))
    old_outputs, new_outputs = reading.output_names(node.name), reading.output_names(name)
    heads = dict(zip(old_outputs, new_outputs, strict=True))
    arguments = {text: name + text[len(node.name) :] for text in argument_names(document, node)}
    bindings = [(document.bindings.get(old), new) for old, new in arguments.items()]
    gradients = [(document.heads.get(old), new) for old, new in heads.items()]
    for old in arguments:
        draft.drop("bindings", old)
    for old in heads:
        draft.drop("heads", old)
    for record, new in (*bindings, *gradients):
        if record is not None:
            draft.put(attrs.evolve(record, id=new))
    return draft.transaction(f"Rename {node.name} to {name}")


def argument_names(document: Document, node: Node) -> list[str]:
    """List the names under which something may be bound because of this node: never another node's."""
    reading = read_node(node)
    if reading.kind == "variable":
        return [node.name]
    owners = name_owners(document)
    names = [argument_name(node.name, port) for port in reading.ports]
    return [text for text in names if text not in owners or owners[text].node == node.id]


def set_param(document: Document, node_id: Id, name: str, text: str | None) -> Transaction:
    """Set one setting of a node to a text, right or wrong, or back to its default with None.

    A name in double underscores is an attribute of the node (`__lr_mult__`). Wires to inputs that the new setting takes
    away stay where they are, so that nothing is lost while the user types; checks report them. Where other inputs move
    to another number, their wires move along.
    """
    node = document.nodes[node_id]
    draft = Draft(document)
    if name.startswith("__") and name.endswith("__"):
        draft.put(attrs.evolve(node, attributes=_with(node.attributes, name, text)))
    else:
        after = attrs.evolve(node, params=_with(node.params, name, text))
        draft.put(after)
        _keep_wires_by_name(draft, node, after)
    what = f"Set {name} of {node.name}" if text is not None else f"Reset {name} of {node.name}"
    return draft.transaction(what, merge=f"param:{node_id}:{name}")


def rename_param(document: Document, node_id: Id, old: str, new: str) -> Transaction:
    """Give a setting of a node the name that was meant; its text goes along."""
    node = document.nodes[node_id]
    draft = Draft(document)
    draft.put(attrs.evolve(node, params=_with(_with(node.params, old, None), new, node.params[old])))
    return draft.transaction(f"Call {old} of {node.name} {new}")


def set_operator(document: Document, node_id: Id, op: str, params: Mapping[str, str]) -> Transaction:
    """Put another operator in a node's place; its name and wires stay."""
    node = document.nodes[node_id]
    draft = Draft(document)
    draft.put(attrs.evolve(node, op=op, params=dict(params), arity=None))
    return draft.transaction(f"Make {node.name} a {op}")


def _with(texts: Mapping[str, str], name: str, text: str | None) -> dict[str, str]:
    changed = dict(texts)
    if text is None:
        changed.pop(name, None)
    else:
        changed[name] = text
    return changed


def _keep_wires_by_name(draft: Draft, before: Node, after: Node) -> None:
    if read_node(after).operator is None:
        return
    old, new = ([port.name for port in read_node(node).ports] for node in (before, after))
    wires = topology(draft.start).inputs(before.id)
    for number, moved in renumbered(old, new, wires).items():
        if moved != number:
            draft.put(attrs.evolve(wires[number], input=moved))


def renumbered(old: Sequence[str], new: Sequence[str], wired: Collection[int]) -> dict[int, int]:
    """Return where the wires at some inputs go when a node's ports change: with their port, if it is still there.

    A wire whose port is gone stays at its number, so that it is back in place when the port comes back, unless another
    port has that number now; then it goes behind the ports.
    """
    moved = {number: new.index(old[number]) for number in wired if number < len(old) and old[number] in new}
    for number in wired:
        if number in moved:
            continue
        taken = {*moved.values(), *(range(len(new)) if number < len(old) else ())}
        moved[number] = (
            number if number not in taken else next(at for at in count(len(new)) if at not in taken)
        )
    return moved

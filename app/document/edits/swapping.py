"""The edit that puts another operator in a node's place and keeps its wires, by port."""

from collections.abc import Mapping, Sequence

import attrs

from app.document.changes import Draft
from app.document.edits.nodes import Added, argument_names, rename
from app.document.names import automatic_name, check_name, is_automatic, node_names
from app.document.reading import read_node
from app.document.records import GROUP, VARIABLE, Document, Edge, Id, JsonText, Node
from app.document.refusal import EditError
from app.document.starting_values import starting_values
from app.document.topology import topology
from app.engine.errors import EngineError
from app.engine.operator import Operator, Port
from app.engine.params import read_each
from app.engine.registry import find_operator

NO_GRAPHS = JsonText("")


def swap_operator(document: Document, node_id: Id, op: str) -> Added:
    """Put another operator in a node's place: position, wires by port, and settings of equal names stay.

    A name that the program gave becomes one of the new operator's; one that somebody chose stays. What arguments are
    bound to stays where they keep their names. Refused where a wire finds no port.
    """
    node = document.nodes[node_id]
    if VARIABLE in (node.op, op) or GROUP in (node.op, op):
        raise EditError("Only an operator can be swapped for another.", node=node.name)
    try:
        operator_class = find_operator(op)
    except EngineError as error:
        raise EditError(error.sentence, node=node.name) from None
    wires = topology(document)
    incoming = wires.inputs(node_id)
    after = attrs.evolve(
        node,
        op=op,
        params=_kept_settings(node, operator_class, len(incoming)),
        arity=None,
        bare=(),
        subgraphs=NO_GRAPHS,
    )
    before_ports, reading = read_node(node).ports, read_node(after)
    draft = Draft(document)
    draft.put(after)
    for number, moved in _inputs_by_port(after, before_ports, reading.ports, incoming).items():
        draft.put(attrs.evolve(incoming[number], input=moved))
    for edge in wires.outputs(node_id):
        draft.put(attrs.evolve(edge, output=_output_by_name(node, after, edge)))
    _drop_what_nothing_has(draft, node, after)
    label = f"Swap the operator of {node.name} for {op}"
    if is_automatic(node.name, node.op):
        name = automatic_name(document, op, reading)
        draft.include(rename(draft.document, node_id, name))
    else:
        verdict = check_name(document, node.name, node=node_id, reading=reading)
        if not verdict:
            raise EditError(verdict.reason, node=node.name)
    return Added(draft.transaction(label, selection=[node_id]), node_id)


def _kept_settings(node: Node, operator_class: type[Operator], wired: int) -> dict[str, str]:
    """Return the new operator's starting values, with those that have the same name here and are right there."""
    known = {parameter.name for parameter in operator_class.parameters}
    same = {name: text for name, text in node.params.items() if name in known}
    _, faults = read_each(operator_class.parameters, same, operator_class.op_name)
    wrong = {fault.port for fault in faults}
    kept = {name: text for name, text in same.items() if name not in wrong}
    params = {**starting_values(operator_class), **kept}
    if operator_class.variadic:
        params[operator_class.variadic] = str(max(wired, 1))
    return params


def _inputs_by_port(
    after: Node, old: Sequence[Port], new: Sequence[Port], wired: Mapping[int, Edge]
) -> dict[int, int]:
    """Return where each wired input goes: to the port of its name, else to the next free one of its role."""
    names = {port.name: number for number, port in enumerate(new)}
    found = {
        number: names[old[number].name] for number in wired if number < len(old) and old[number].name in names
    }
    for number in wired:
        if number in found:
            continue
        role = old[number].role if number < len(old) else "data"
        free = [at for at, port in enumerate(new) if at not in found.values() and port.role == role]
        if not free:
            what = old[number].name if number < len(old) else f"input {number}"
            raise EditError(f"{after.op} has no input that the wire to {what} could go to.", node=after.name)
        found[number] = free[0]
    return found


def _output_by_name(before: Node, after: Node, edge: Edge) -> int:
    """Return which output a wire leaves from: that of the same name, else that of the same number."""
    old, new = (read_node(node).output_names("") for node in (before, after))
    if edge.output < len(old) and old[edge.output] in new:
        return new.index(old[edge.output])
    if edge.output < len(new):
        return edge.output
    raise EditError(
        f"{after.op} has no output {edge.output} for the wire that leaves there.", node=after.name
    )


def _drop_what_nothing_has(draft: Draft, before: Node, after: Node) -> None:
    """Drop what was bound to arguments and outputs that the node no longer has."""
    old, new = read_node(before), read_node(after)
    for name in set(argument_names(draft.start, before)).difference(node_names(after.name, new)):
        draft.drop("bindings", name)
    for name in set(old.output_names(before.name)).difference(new.output_names(after.name)):
        draft.drop("heads", name)

"""Edits of wires, and the question whether two nodes may be joined."""

from collections.abc import Collection, Iterator

import attrs

from app.document.changes import Draft, Transaction, new_ids
from app.document.names import argument_name
from app.document.reading import Reading, read_node
from app.document.records import Document, Edge, Id, Node
from app.document.refusal import YES, EditError, Verdict, no
from app.document.topology import topology

LONGEST_WAY = 6
"""How many names a sentence about a circle holds."""


def can_connect(document: Document, source: Id, output: int, target: Id, input: int) -> Verdict:
    """Tell whether a wire may go from an output to an input, by the structure alone, and if not, why."""
    if source == target:
        return no(f"{document.nodes[source].name} cannot feed itself.")
    verdict = _can_leave(document.nodes[source], output)
    if verdict:
        verdict = _can_arrive(document.nodes[source], document.nodes[target], input)
    return _closes_no_circle(document, source, target) if verdict else verdict


def _can_leave(source: Node, output: int) -> Verdict:
    reading = read_node(source)
    if reading.kind == "group":
        return no(f"{source.name} is a Group: it lists outputs to bind together and cannot be an input.")
    if reading.operator is None and reading.kind != "variable":
        return no(f"{source.name} is no operator that is known here, so its outputs aren't known either.")
    if not 0 <= output < reading.output_count:
        return no(
            f"{source.name} has {_count(reading.output_count, 'output')}, so there is no output {output}."
        )
    return YES


def _can_arrive(source: Node, target: Node, number: int) -> Verdict:
    reading = read_node(target)
    if reading.kind == "variable":
        return no(f"{target.name} is a Variable and takes no inputs.")
    if reading.takes_any_number:
        return YES
    if reading.operator is None:
        return no(f"{target.name} is no operator that is known here, so its inputs aren't known either.")
    if not 0 <= number < len(reading.ports):
        names = ", ".join(port.name for port in reading.ports)
        return no(
            f"{target.name} has {_count(len(reading.ports), 'input')} ({names}), and this is none of them."
        )
    if reading.is_auxiliary(number) and read_node(source).kind != "variable":
        name = reading.ports[number].name
        return no(
            f"{name} of {target.name} is an auxiliary state that {target.name} keeps up to date itself, so only a "
            f"Variable can be wired to it."
        )
    return YES


def _closes_no_circle(document: Document, source: Id, target: Id) -> Verdict:
    way = topology(document).path(target, source)
    if not way:
        return YES
    names = [document.nodes[node].name for node in way]
    first, last = names[0], names[-1]
    if len(names) > LONGEST_WAY:
        names = [*names[: LONGEST_WAY - 2], "…", last]
    circle = " → ".join([*names, first])
    return no(f"{first} feeds {last} already, so this wire would go round in a circle: {circle}.")


def _count(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


def input_count(document: Document, node: Node) -> int:
    """Return how many inputs a node has now, auxiliary states included."""
    reading = read_node(node)
    if reading.operator is not None:
        return len(reading.ports)
    return max(topology(document).inputs(node.id), default=-1) + 1


def best_input(document: Document, source: Id, output: int, target: Id) -> int | None:
    """Return the input that a wire dropped on the body of `target` had best go to; None when none is free.

    A Variable that is called like one of the node's arguments (`fc1_weight`) goes there; else the first free input for
    data, then the other free ones in order; a variadic operator makes room at the end.
    """
    node = document.nodes[target]
    reading = read_node(node)
    wired = topology(document).inputs(target)
    free = [number for number in range(input_count(document, node)) if number not in wired]
    name = document.nodes[source].name
    ports = reading.ports
    called = [number for number in free if ports and name == argument_name(node.name, ports[number])]
    alike = [number for number in free if ports and name.endswith(f"_{ports[number].name}")]
    data = [number for number in free if not ports or ports[number].role == "data"]
    more = [input_count(document, node)] if reading.takes_any_number else []
    for number in (*called, *_only_variables(document, source, alike), *data, *more, *free):
        if can_connect(document, source, output, target, number):
            return number
    return None


def _only_variables(document: Document, source: Id, numbers: list[int]) -> list[int]:
    return numbers if read_node(document.nodes[source]).kind == "variable" else []


def connect(document: Document, source: Id, output: int, target: Id, input: int) -> Transaction:
    """Wire an output to an input; a wire that is there already is replaced, and a variadic operator grows."""
    verdict = can_connect(document, source, output, target, input)
    if not verdict:
        raise EditError(verdict.reason, node=document.nodes[target].name)
    draft = Draft(document)
    node = document.nodes[target]
    reading = read_node(node)
    count = input_count(document, node)
    label = f"Connect {document.nodes[source].name} to {node.name}"
    number = min(input, count) if reading.takes_any_number else input
    if number == count and reading.variadic:
        draft.put(_with_count(node, reading, count + 1))
    old = topology(document).inputs(target).get(number)
    if old is not None:
        if (old.source, old.output) == (source, output):
            return Transaction(label)
        draft.drop("edges", old.id)
    edge_id = new_ids(document, "e", 1)[0]
    draft.put(Edge(edge_id, source, output, target, number))
    return draft.transaction(label)


def disconnect(document: Document, edge_ids: Id | Collection[Id]) -> Transaction:
    """Take wires away; a variadic operator closes the gap."""
    ids = [edge_ids] if isinstance(edge_ids, str) else list(edge_ids)
    draft = Draft(document)
    drop_wires(draft, set(ids), ())
    if len(ids) != 1:
        return draft.transaction(f"Disconnect {len(ids)} wires")
    edge = document.edges[ids[0]]
    names = [document.nodes[end].name for end in (edge.source, edge.target)]
    return draft.transaction(f"Disconnect {names[0]} from {names[1]}")


def rewire(document: Document, edge_id: Id, target: Id, input: int) -> Transaction:
    """Move the far end of a wire to another input, in one step; on its own variadic operator it changes the order."""
    edge = document.edges[edge_id]
    node = document.nodes[target]
    label = f"Move the wire from {document.nodes[edge.source].name} to {node.name}"
    draft = Draft(document)
    if target == edge.target and read_node(node).takes_any_number:
        _reorder(draft, edge, input)
        return draft.transaction(label)
    if (target, input) == (edge.target, edge.input):
        return Transaction(label)
    draft.include(disconnect(document, edge_id))
    return draft.include(connect(draft.document, edge.source, edge.output, target, input)).transaction(label)


def _reorder(draft: Draft, edge: Edge, number: int) -> None:
    wires = topology(draft.start).inputs(edge.target)
    places: list[Edge | None] = [wires.get(place) for place in range(max(wires) + 1)]
    places.remove(edge)
    places.insert(min(number, len(places)), edge)
    for place, wire in enumerate(places):
        if wire is not None and wire.input != place:
            draft.put(attrs.evolve(wire, input=place))


def drop_wires(draft: Draft, edge_ids: Collection[Id], gone: Collection[Id]) -> None:
    """Drop wires from a draft and close the gaps they leave in variadic nodes, except in those that go too."""
    for edge_id in edge_ids:
        draft.drop("edges", edge_id)
    document = draft.start
    for target in dict.fromkeys(document.edges[edge_id].target for edge_id in sorted(edge_ids)):
        if target not in gone and read_node(document.nodes[target]).takes_any_number:
            for changed in _closed_up(document, document.nodes[target], edge_ids):
                draft.put(changed)


def _closed_up(document: Document, node: Node, edge_ids: Collection[Id]) -> Iterator[Node | Edge]:
    reading = read_node(node)
    count = input_count(document, node)
    wires = topology(document).inputs(node.id)
    lost = [number for number, edge in wires.items() if edge.id in edge_ids and number < count]
    for number, edge in wires.items():
        closed = number - sum(other < number for other in lost)
        if edge.id not in edge_ids and closed != number:
            yield attrs.evolve(edge, input=closed)
    if reading.variadic and lost and not reading.faults:
        yield _with_count(node, reading, max(count - len(lost), 1))


def _with_count(node: Node, reading: Reading, count: int) -> Node:
    return attrs.evolve(node, params={**node.params, reading.variadic: str(count)})

"""Pieces of a drawing: copied, carried as text between windows, pasted and duplicated."""

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from typing import Any

import attrs
import cattrs

from app.document.changes import Draft, Transaction, new_ids
from app.document.edits.wiring import can_connect
from app.document.invariants import broken_invariants
from app.document.names import argument_name, free_name, name_fault, name_owners
from app.document.placed import Placed, corners, told
from app.document.reading import read_node
from app.document.records import (
    GROUP,
    VARIABLE,
    Annotation,
    Binding,
    Document,
    Edge,
    Frame,
    Head,
    Id,
    Node,
    Note,
    Point,
)
from app.document.refusal import EditError
from app.document.topology import Topology, topology
from app.engine.operator import Port

MARKER = "chalkgraph"
KIND = "fragment"
VERSION = 2
"""Pieces with frames or notes are of this version; those without are written for the oldest, which is 1."""
DUPLICATE_OFFSET: Point = (32.0, 32.0)


@attrs.frozen
class Incoming:
    """A wire that came into the piece from outside; its source is known by name, which holds in other windows too."""

    source_name: str
    output: int
    target: Id
    input: int


@attrs.frozen
class Fragment:
    """Nodes, the wires among them and into them, and what their arguments and outputs are bound to."""

    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()
    incoming: tuple[Incoming, ...] = ()
    bindings: tuple[Binding, ...] = ()
    heads: tuple[Head, ...] = ()
    frames: tuple[Frame, ...] = ()
    notes: tuple[Note, ...] = ()

    @property
    def placed(self) -> tuple[Placed, ...]:
        """Everything in it that has a place."""
        return (*self.nodes, *self.frames, *self.notes)


@attrs.frozen
class Pasted:
    """A transaction that puts a piece on the board, and the ids that its nodes will have, in the piece's order."""

    transaction: Transaction
    node_ids: tuple[Id, ...]


def copy(document: Document, ids: Iterable[Id]) -> Fragment:
    """Return the nodes, frames and notes among `ids` as a piece; the document stays as it is."""
    wanted = set(ids)
    nodes = [node for node in document.nodes.values() if node.id in wanted]
    chosen = {node.id for node in nodes}
    edges, incoming = [], []
    for edge in document.edges.values():
        if edge.target in chosen and edge.source in chosen:
            edges.append(edge)
        elif edge.target in chosen:
            name = document.nodes[edge.source].name
            incoming.append(Incoming(name, edge.output, edge.target, edge.input))
    wires = topology(document)
    names = [name for node in nodes for name in _bound_names(node, wires)]
    bindings = [document.bindings[name] for name in names if name in document.bindings]
    outputs = [name for node in nodes for name in read_node(node).output_names(node.name)]
    heads = [document.heads[name] for name in outputs if name in document.heads]
    frames = tuple(frame for frame in document.frames.values() if frame.id in wanted)
    notes = tuple(note for note in document.notes.values() if note.id in wanted)
    return Fragment(tuple(nodes), tuple(edges), tuple(incoming), tuple(bindings), tuple(heads), frames, notes)


def _bound_names(node: Node, wires: Topology) -> list[str]:
    """List the names under which a node's own values are kept: its own, or those of what it makes for itself."""
    reading = read_node(node)
    if reading.kind == "variable":
        return [node.name]
    wired = wires.inputs(node.id)
    return [
        argument_name(node.name, port) for number, port in enumerate(reading.ports) if number not in wired
    ]


# As text ---------------------------------------------------------------------------------------------------------


def to_text(fragment: Fragment) -> str:
    """Write a piece as JSON that `from_text` knows again."""
    plain = {MARKER: KIND, "version": VERSION, **cattrs.unstructure(fragment)}
    if not (fragment.frames or fragment.notes):
        plain["version"] = 1
        del plain["frames"], plain["notes"]
    return json.dumps(plain, ensure_ascii=False, indent=1)


def from_text(text: str) -> Fragment:
    """Read a piece from text; EditError when it is something else or damaged."""
    try:
        plain = json.loads(text)
    except (ValueError, RecursionError):
        plain = None
    if not isinstance(plain, Mapping) or plain.get(MARKER) != KIND:
        raise EditError("The clipboard holds no piece of a Chalkgraph drawing.")
    if plain.get("version") not in (1, VERSION):
        raise EditError("The clipboard holds a piece from a newer Chalkgraph. Paste it in that one.")
    try:
        fragment = _structure(plain)
    except (cattrs.BaseValidationError, ValueError, TypeError, KeyError, OverflowError):
        raise EditError("The clipboard holds a damaged piece of a Chalkgraph drawing.") from None
    return fragment


def _structure(plain: Mapping[str, Any]) -> Fragment:
    since = {"frames", "notes"} if plain["version"] == 1 else set()
    fragment = cattrs.structure(
        {key: plain[key] for key in attrs.fields_dict(Fragment) if key not in since}, Fragment
    )
    nodes = {node.id: node for node in fragment.nodes}
    edges = {edge.id: edge for edge in fragment.edges}
    frames = {frame.id: frame for frame in fragment.frames}
    notes = {note.id: note for note in fragment.notes}
    if len(nodes | edges | frames | notes) < len(fragment.placed) + len(fragment.edges):
        raise ValueError("an id comes twice")
    for sentence in broken_invariants(Document(nodes=nodes, edges=edges, frames=frames, notes=notes)):
        raise ValueError(sentence)
    if any(wire.target not in nodes or min(wire.output, wire.input) < 0 for wire in fragment.incoming):
        raise ValueError("a wire comes into nothing")
    if not all(math.isfinite(number) for one in fragment.placed for number in one.position):
        raise ValueError("a position is no number")
    return fragment


# Onto the board --------------------------------------------------------------------------------------------------


def paste(document: Document, fragment: Fragment, at: Point, keep_inputs: bool = False) -> Pasted:
    """Put a piece on the board with its middle at `at`, and select it.

    Nodes keep their names where those are free. With `keep_inputs` the wires from outside are drawn again, from the
    nodes that are called as their sources were.
    """
    x, y = _middle(fragment.placed)
    return _place(document, fragment, (at[0] - x, at[1] - y), keep_inputs)


def duplicate(document: Document, ids: Iterable[Id], keep_inputs: bool = False) -> Pasted:
    """Copy nodes, frames and notes and put the copies beside them, in one step."""
    return _place(document, copy(document, ids), DUPLICATE_OFFSET, keep_inputs)


def _middle(things: Iterable[Placed]) -> Point:
    places = [corner for one in things for corner in corners(one)] or [(0.0, 0.0)]
    xs, ys = zip(*places, strict=True)
    return (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2


def _place(document: Document, fragment: Fragment, offset: Point, keep_inputs: bool) -> Pasted:
    new = new_ids(document, "n", len(fragment.nodes))
    ids = dict(zip((node.id for node in fragment.nodes), new, strict=True))
    wires = Topology({edge.id: edge for edge in fragment.edges})
    names = _new_names(document, fragment, wires)
    draft = Draft(document)
    for node in fragment.nodes:
        waits_for = tuple(ids[other] for other in node.control_deps if other in ids)
        copy = attrs.evolve(
            node,
            id=ids[node.id],
            name=names[node.id],
            position=_shifted(node, offset),
            control_deps=waits_for,
        )
        draft.put(copy)
    _put_wires(draft, fragment, wires, ids, keep_inputs)
    _put_values(draft, fragment, wires, names)
    chosen = [*new, *_put_annotations(draft, fragment, offset)]
    return Pasted(draft.transaction(f"Paste {told(draft.document, chosen)}", selection=chosen), tuple(new))


def _shifted(one: Placed, offset: Point) -> Point:
    return one.position[0] + offset[0], one.position[1] + offset[1]


def _put_annotations(draft: Draft, fragment: Fragment, offset: Point) -> list[Id]:
    """Put copies of the frames and notes; return their ids."""
    made: list[Id] = []
    groups: tuple[tuple[str, tuple[Annotation, ...]], ...] = (("f", fragment.frames), ("t", fragment.notes))
    for prefix, records in groups:
        for record, key in zip(records, new_ids(draft.start, prefix, len(records)), strict=True):
            draft.put(attrs.evolve(record, id=key, position=_shifted(record, offset)))
            made.append(key)
    return made


def _new_names(document: Document, fragment: Fragment, wires: Topology) -> dict[Id, str]:
    """Name the copies; a Variable that is called like an argument of its reader (`fc1_weight`) goes with the reader."""
    taken = set(name_owners(document))
    names: dict[Id, str] = {}
    by_id = {node.id: node for node in fragment.nodes}
    namesakes = {node.id: _namesake(node, by_id, wires) for node in fragment.nodes}
    for node in sorted(fragment.nodes, key=lambda node: namesakes[node.id] is not None):
        namesake = namesakes[node.id]
        wanted = node.name if namesake is None else argument_name(names[namesake[0]], namesake[1])
        if name_fault(wanted):
            wanted = "".join(filter(str.isalnum, wanted)) or "node"
        name = names[node.id] = free_name(wanted, taken, read_node(node))
        taken.add(name)
        taken.update(_bound_names(attrs.evolve(node, name=name), wires))
    return names


def _namesake(node: Node, by_id: Mapping[Id, Node], wires: Topology) -> tuple[Id, Port] | None:
    """Return the reader, and its port, whose argument a Variable is called like."""
    for edge in wires.outputs(node.id) if node.op == VARIABLE else ():
        reader = by_id[edge.target]
        for port in read_node(reader).ports[edge.input : edge.input + 1]:
            if node.name == argument_name(reader.name, port):
                return reader.id, port
    return None


def _put_wires(
    draft: Draft, fragment: Fragment, wires: Topology, ids: Mapping[Id, Id], keep_inputs: bool
) -> None:
    planned = [
        Edge("", ids[edge.source], edge.output, ids[edge.target], edge.input)
        for edge in fragment.edges
        if not (wires.has_circle and wires.path(edge.target, edge.source))
    ]
    if keep_inputs:
        planned += _wires_from_outside(draft, fragment, ids)
    places = {ids[node.id]: count() for node in fragment.nodes if node.op == GROUP}
    planned.sort(key=lambda edge: edge.input)
    for edge, edge_id in zip(planned, new_ids(draft.start, "e", len(planned)), strict=True):
        in_group = places.get(edge.target)  # a Group keeps no gaps where wires from outside were
        number = edge.input if in_group is None else next(in_group)
        draft.put(attrs.evolve(edge, id=edge_id, input=number))


def _wires_from_outside(draft: Draft, fragment: Fragment, ids: Mapping[Id, Id]) -> Iterator[Edge]:
    by_name = {node.name: node.id for node in draft.start.nodes.values()}
    grown = draft.document
    for wire in fragment.incoming:
        source, target = by_name.get(wire.source_name), ids[wire.target]
        if source is not None and can_connect(grown, source, wire.output, target, wire.input):
            yield Edge("", source, wire.output, target, wire.input)


def _put_values(draft: Draft, fragment: Fragment, wires: Topology, names: Mapping[Id, str]) -> None:
    bindings = {binding.id: binding for binding in fragment.bindings}
    heads = {head.id: head for head in fragment.heads}
    for node in fragment.nodes:
        name = names[node.id]
        for old in _bound_names(node, wires):
            if old in bindings:
                draft.put(attrs.evolve(bindings[old], id=name + old[len(node.name) :]))
        for old in read_node(node).output_names(node.name):
            if old in heads:
                draft.put(attrs.evolve(heads[old], id=name + old[len(node.name) :]))

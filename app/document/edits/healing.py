"""Edits that take nodes out of the flow and close the gap: what fed them goes on to what read them."""

from collections.abc import Callable, Collection, Iterable, Iterator

import attrs

from app.document.changes import Draft, Transaction
from app.document.edits.nodes import delete, move
from app.document.edits.wiring import can_connect, drop_wires
from app.document.reading import read_node
from app.document.records import Document, Edge, Id, Point
from app.document.refusal import YES, EditError, Verdict, no
from app.document.topology import topology

Judge = Callable[[Document, Id], Verdict]
"""Tells whether the shapes of a document that would be fit together, first of all at one node."""


def always_fits(_would_be: Document, _node: Id) -> Verdict:
    """Judge by the structure alone."""
    return YES


@attrs.frozen
class Detached:
    """A transaction that sets nodes apart, and a sentence about what became of their wires."""

    transaction: Transaction
    sentence: str


@attrs.frozen
class _Healing:
    """The wires that lead past a piece, each at its old reader; or the wire that would break, and why."""

    wires: tuple[Edge, ...] = ()
    broken: Edge | None = None
    reason: str = ""


def delete_and_heal(
    document: Document,
    node_ids: Iterable[Id],
    edge_ids: Iterable[Id] = (),
    fits: Judge = always_fits,
    annotation_ids: Iterable[Id] = (),
) -> Transaction:
    """Take nodes away and wire the first input that fits on to their readers; refuse where a wire would break.

    Wires among `edge_ids` go as well, and frames and notes. The wires to the readers stay the same wires, at their
    places.
    """
    gone, wires, annotations = (tuple(dict.fromkeys(ids)) for ids in (node_ids, edge_ids, annotation_ids))
    draft = Draft(document)
    draft.include(delete(document, (), wires, annotations))
    for piece in list(_pieces(draft.document, gone)):
        healing = _heal(draft.document, piece, delete, fits)
        if healing.broken is not None:
            name = document.nodes[healing.broken.source].name
            raise EditError(
                f"{_told(document, healing, 'would break')} Delete takes {name} away all the same."
            )
        _put(draft, healing)
    label = delete(document, gone, wires, annotations).label
    draft.include(delete(draft.document, gone))
    return draft.transaction(f"{label} and heal" if gone else label, selection=())


def detach(
    document: Document, node_ids: Iterable[Id], fits: Judge = always_fits, aside: Point = (0.0, 0.0)
) -> Detached:
    """Take all wires between nodes and the rest away, and close the gaps where that is possible.

    Where a gap is closed the nodes step `aside`, since a wire now runs where they were.
    """
    kept = dict.fromkeys(node_ids)
    outside = [edge.id for edge in document.edges.values() if (edge.source in kept) != (edge.target in kept)]
    names = [document.nodes[node].name for node in kept]
    what = names[0] if len(names) == 1 else f"{len(names)} nodes"
    if not outside:
        raise EditError(
            f"Nothing to detach: {what} {'has' if len(names) == 1 else 'have'} no wires to the rest."
        )
    draft = Draft(document)
    broken = []
    for piece in _pieces(document, kept):
        healing = _heal(draft.document, piece, _set_apart, fits)
        _put(draft, healing)
        if healing.broken is not None:
            broken.append(_told(document, healing, "is gone"))
    is_closed = not draft.transaction("").is_empty
    draft.include(_set_apart(draft.document, kept))
    if is_closed:
        there = {node: document.nodes[node].position for node in kept}
        draft.include(
            move(draft.document, {node: (x + aside[0], y + aside[1]) for node, (x, y) in there.items()})
        )
    said = f"Detached {what}."
    if broken:
        said += f" {broken[0]}"
    elif is_closed:
        said += " The gap is closed."
    return Detached(draft.transaction(f"Detach {what}", selection=kept), said)


def _set_apart(document: Document, piece: Collection[Id]) -> Transaction:
    """Take away the wires between a piece and the rest."""
    draft = Draft(document)
    crossing = {
        key for key, edge in document.edges.items() if (edge.source in piece) != (edge.target in piece)
    }
    drop_wires(draft, crossing, ())
    return draft.transaction("")


def _put(draft: Draft, healing: _Healing) -> None:
    for wire in healing.wires:
        draft.put(wire)


def _told(document: Document, healing: _Healing, fate: str) -> str:
    assert healing.broken is not None
    ends = [document.nodes[end].name for end in (healing.broken.source, healing.broken.target)]
    return f"The wire from {ends[0]} to {ends[1]} {fate}: {healing.reason}"


def _pieces(document: Document, nodes: Collection[Id]) -> Iterator[list[Id]]:
    """Go through the parts that hang together among some nodes, each in the document's order."""
    wires = topology(document)
    left = {node: None for node in document.nodes if node in nodes}
    while left:
        first = next(iter(left))
        del left[first]
        piece, waiting = [first], [first]
        while waiting:
            node = waiting.pop()
            beside = [edge.target for edge in wires.outputs(node)]
            beside += [edge.source for edge in wires.inputs(node).values()]
            for other in beside:
                if other in left:
                    del left[other]
                    piece.append(other)
                    waiting.append(other)
        yield piece


def _heal(
    document: Document,
    piece: Collection[Id],
    without: Callable[[Document, Collection[Id]], Transaction],
    fits: Judge,
) -> _Healing:
    """Find wires past a piece: for all its readers the first inputs, then the second ones, until shapes fit.

    `without` makes the rest of the edit, so that the trial sees the document as it would be.
    """
    doomed = set(piece)
    readers = [
        edge for node in piece for edge in topology(document).outputs(node) if edge.target not in doomed
    ]
    ways: list[tuple[Edge, list[Edge]]] = []
    for reader in readers:
        possible, verdict = _ways_past(document, doomed, reader)
        if not possible:
            return _Healing(broken=reader, reason=verdict.reason)
        ways.append((reader, possible))

    def verdict_on(wires: Collection[Edge]) -> Verdict:
        draft = Draft(document)
        for wire in wires:
            draft.put(wire)
        return fits(draft.include(without(draft.document, piece)).document, next(iter(wires)).target)

    first = YES
    for turn in range(max((len(possible) for _, possible in ways), default=0)):
        wires = tuple(possible[min(turn, len(possible) - 1)] for _, possible in ways)
        verdict = verdict_on(wires)
        if verdict:
            return _Healing(wires)
        first = verdict if first else first
    if not readers:
        return _Healing()
    alone = ((reader, verdict_on([possible[0]])) for reader, possible in ways)
    broken, verdict = next((found for found in alone if not found[1]), (readers[0], first))
    return _Healing(broken=broken, reason=verdict.reason)


def _ways_past(document: Document, doomed: set[Id], reader: Edge) -> tuple[list[Edge], Verdict]:
    """Return what the wire to a reader may become, the first input's source first; or why nothing."""
    found, refusal = (
        [],
        no(f"{document.nodes[reader.source].name} has no wired input that could take its place."),
    )
    for source, output in _sources_before(document, doomed, reader.source):
        verdict = can_connect(document, source, output, reader.target, reader.input)
        if verdict:
            found.append(attrs.evolve(reader, source=source, output=output))
        elif not found:
            refusal = verdict
    return found, refusal


def _sources_before(document: Document, doomed: set[Id], node: Id) -> Iterator[tuple[Id, int]]:
    """Go through the outputs outside a piece that feed the data inputs of a node in it, its first input first."""
    seen_nodes = {node}
    seen: set[tuple[Id, int]] = set()
    waiting = [iter(_data_wires(document, node))]
    while waiting:
        edge = next(waiting[-1], None)
        if edge is None:
            waiting.pop()
        elif edge.source in doomed and edge.source not in seen_nodes:
            seen_nodes.add(edge.source)
            waiting.append(iter(_data_wires(document, edge.source)))
        elif edge.source not in doomed and (edge.source, edge.output) not in seen:
            seen.add((edge.source, edge.output))
            yield edge.source, edge.output


def _data_wires(document: Document, node: Id) -> list[Edge]:
    """List the wires into a node's inputs for data: a weight or a label is no stand-in for its output."""
    ports = read_node(document.nodes[node]).ports
    return [
        edge
        for number, edge in topology(document).inputs(node).items()
        if number >= len(ports) or ports[number].role == "data"
    ]

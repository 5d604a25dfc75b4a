"""What holds in every document, however unfinished: checked whenever one is loaded or changed."""

from collections.abc import Iterable, Iterator

from app.document.changes import TABLES, Change, records_of
from app.document.placed import CHOSEN
from app.document.records import Document, Edge, Id, Node
from app.document.topology import topology


class InvariantError(Exception):
    """A document or a change that no edit can make: a damaged file, or a bug."""


def broken_invariants(document: Document) -> list[str]:
    """Return a sentence for everything that must never be; an empty list for a sound document.

    Unknown operators, cycles and doubled names are no such things: files may hold them, and checks report them.
    """
    return [*_broken_tables(document), *_broken_edges(document)]


def check_document(document: Document) -> None:
    """Raise InvariantError with the first broken invariant."""
    for sentence in broken_invariants(document):
        raise InvariantError(sentence)


def check_changes(document: Document, changes: Iterable[Change]) -> None:
    """Raise InvariantError if changes broke the document, doubled a name or closed a circle."""
    check_document(document)
    renamed = set()
    wires = topology(document)
    for change in changes:
        before, after = change.before, change.after
        if isinstance(after, Node) and (not isinstance(before, Node) or before.name != after.name):
            renamed.add(after.name)
        if isinstance(after, Edge) and wires.has_circle and wires.path(after.target, after.source):
            raise InvariantError(f"the wire {after.id!r} closes a circle")
    seen = set()
    for node in document.nodes.values() if renamed else ():
        if node.name in renamed and node.name in seen:
            raise InvariantError(f"two nodes are named {node.name!r}")
        seen.add(node.name)


def _broken_tables(document: Document) -> Iterator[str]:
    for table in TABLES:
        for key, record in records_of(document, table).items():
            if record.id != key:
                yield f"the record {record.id!r} of {table} is filed under {key!r}"
    if set(document.settings) != {"settings"}:
        yield "there must be one settings record"
    seen: set[Id] = set()
    for name in CHOSEN:
        keys = records_of(document, name).keys()
        for key in seen & keys:
            yield f"two things on the board share the id {key!r}"
        seen |= keys


def _broken_edges(document: Document) -> Iterator[str]:
    taken = set()
    for edge in document.edges.values():
        for end in (edge.source, edge.target):
            if end not in document.nodes:
                yield f"the wire {edge.id!r} ends at {end!r}, which isn't there"
        if edge.output < 0 or edge.input < 0:
            yield f"the wire {edge.id!r} has a negative output or input number"
        if (edge.target, edge.input) in taken:
            yield f"input {edge.input} of {edge.target!r} has two wires"
        taken.add((edge.target, edge.input))

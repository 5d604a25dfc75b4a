"""Changes of a document as values: one cell before and after, and labelled groups of them."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Self, cast

import attrs

from app.document.records import (
    Binding,
    Document,
    Edge,
    Frame,
    Head,
    Id,
    Node,
    Note,
    Record,
    Settings,
    Table,
    TableName,
)

TABLES: tuple[TableName, ...] = ("nodes", "edges", "bindings", "heads", "frames", "notes", "settings")

_TABLE_OF: Mapping[type, TableName] = {
    Node: "nodes",
    Edge: "edges",
    Binding: "bindings",
    Head: "heads",
    Frame: "frames",
    Note: "notes",
    Settings: "settings",
}
_NUMBER = re.compile(r"(.*?)([0-9]{0,18})\Z", re.DOTALL)


@attrs.frozen
class Change:
    """One record of one table before and after; None where there is none."""

    table: TableName
    key: Id
    before: Record | None
    after: Record | None

    def inverse(self) -> "Change":
        """Return the change that takes this one back."""
        return Change(self.table, self.key, self.after, self.before)


@attrs.frozen
class Transaction:
    """A labelled group of changes that is done, undone and saved as one.

    A `merge` key lets the next transaction with the same key join this one in the history. `selection` is what is
    selected once it is done; None leaves the selection alone.
    """

    label: str
    changes: tuple[Change, ...] = ()
    merge: str = ""
    selection: frozenset[Id] | None = None

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing changes."""
        return not self.changes

    def apply(self, document: Document) -> Document:
        """Return the document with the changes done; StaleChangeError if it isn't the one they were made for."""
        tables: dict[str, dict[Id, Record]] = {}
        unordered = set()
        for change in self.changes:
            table = tables.get(change.table)
            if table is None:
                table = tables[change.table] = dict(records_of(document, change.table))
            if table.get(change.key) != change.before:
                raise StaleChangeError(f"{change.table} {change.key!r} is no longer what it was")
            if change.after is None:
                table.pop(change.key, None)
                continue
            if change.before is None and table and _order(change.key) < _order(next(reversed(table))):
                unordered.add(change.table)
            table[change.key] = change.after
        for name in unordered:
            tables[name] = {key: tables[name][key] for key in sorted(tables[name], key=_order)}
        return evolve(document, tables) if tables else document

    def inverse(self) -> "Transaction":
        """Return the transaction that takes this one back; whose selection that is, the history knows."""
        return Transaction(self.label, tuple(change.inverse() for change in reversed(self.changes)))

    def merged(self, later: "Transaction") -> "Transaction":
        """Return one transaction that does this one and then the later one."""
        cells: dict[tuple[TableName, Id], Change] = {}
        for change in (*self.changes, *later.changes):
            cell = (change.table, change.key)
            first = cells.get(cell)
            cells[cell] = change if first is None else attrs.evolve(first, after=change.after)
        changes = tuple(change for change in cells.values() if change.before != change.after)
        selection = self.selection if later.selection is None else later.selection
        return Transaction(later.label, changes, later.merge, selection)


class StaleChangeError(Exception):
    """A transaction met a document that it was not made for, which is a bug of the caller."""


class Draft:
    """A working copy of a document that notes what is put in and dropped, to write a transaction at the end."""

    def __init__(self, document: Document) -> None:
        self.start = document
        self._cells: dict[tuple[TableName, Id], Record | None] = {}

    @property
    def document(self) -> Document:
        """The document with everything done so far."""
        return self.transaction("").apply(self.start)

    def put(self, record: Record) -> None:
        """Add a record, or replace the one with its id."""
        self._cells[_TABLE_OF[type(record)], record.id] = record

    def drop(self, table: TableName, key: Id) -> None:
        """Take a record out, if it is there."""
        self._cells[table, key] = None

    def include(self, transaction: Transaction) -> Self:
        """Take over the changes of a transaction made for the draft as it is."""
        for change in transaction.changes:
            self._cells[change.table, change.key] = change.after
        return self

    def transaction(
        self, label: str, *, merge: str = "", selection: Iterable[Id] | None = None
    ) -> Transaction:
        """Write down what differs from the document at the start."""
        changes = []
        for (table, key), after in self._cells.items():
            before = records_of(self.start, table).get(key)
            if before != after:
                changes.append(Change(table, key, before, after))
        chosen = None if selection is None else frozenset(selection)
        return Transaction(label, tuple(changes), merge, chosen)


def records_of(document: Document, table: TableName) -> Table:
    """Return one of the document's tables."""
    return cast(Table, getattr(document, table))


def evolve(document: Document, tables: Mapping[str, Mapping[Id, Any]]) -> Document:
    """Return the document with some tables replaced."""
    return attrs.evolve(document, **cast(dict[str, Any], tables))


def in_order(document: Document) -> Document:
    """Return the document with its tables sorted by id (`n2` before `n10`), the order that every edit keeps.

    The order of the tables decides the order of outputs, so undo must restore it; a table sorted by id does that by
    itself.
    """
    tables: dict[str, Table] = {}
    for name in TABLES:
        table = records_of(document, name)
        keys = sorted(table, key=_order)
        if keys != list(table):
            tables[name] = {key: table[key] for key in keys}
    return evolve(document, tables) if tables else document


def new_ids(document: Document, prefix: str, count: int) -> list[Id]:
    """Return ids that no record has, in rising order."""
    highest = 0
    for table in TABLES:
        for key in records_of(document, table):
            if key.startswith(prefix) and key[len(prefix) :].isdecimal():
                highest = max(highest, _order(key)[1])
    return [f"{prefix}{number}" for number in range(highest + 1, highest + 1 + count)]


def _order(key: Id) -> tuple[str, int, str]:
    match = _NUMBER.match(key)
    assert match is not None
    return match[1], int(match[2] or -1), key

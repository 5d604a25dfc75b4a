"""The store: one door, one signal, undo and redo, the selection and the saved mark."""

import pytest
from psygnal import EmitLoopError

from app.document.changes import Change, StaleChangeError, Transaction
from app.document.history import HistoryLabels
from app.document.invariants import InvariantError
from app.document.records import Document, Edge, Node, empty_document
from app.document.store import Store, Update


def adding(number: int, name: str = "", selection: frozenset[str] | None = None) -> Transaction:
    node = Node(f"n{number}", "Variable", name or f"v{number}")
    return Transaction(f"Add {node.name}", (Change("nodes", node.id, None, node),), selection=selection)


def wiring(source: int, target: int, number: int = 1, input: int = 0) -> Transaction:
    edge = Edge(f"e{number}", f"n{source}", 0, f"n{target}", input)
    return Transaction("Wire", (Change("edges", edge.id, None, edge),))


def watched(store: Store) -> list[Update]:
    seen: list[Update] = []
    store.changed.connect(seen.append)
    return seen


def test_commit_replaces_the_document_and_tells_once() -> None:
    store = Store()
    seen = watched(store)
    before = store.document
    store.commit(adding(1))
    assert [update.origin for update in seen] == ["commit"]
    assert seen[0].before is before
    assert seen[0].after is store.document
    assert seen[0].changes == adding(1).changes


def test_undo_and_redo_come_through_the_same_signal() -> None:
    store = Store()
    seen = watched(store)
    store.commit(adding(1))
    after = store.document
    store.undo()
    assert store.document == empty_document()
    store.redo()
    assert store.document == after
    assert [update.origin for update in seen] == ["commit", "undo", "redo"]
    assert seen[1].changes[0].after is None
    store.redo()
    assert len(seen) == 3


def test_an_empty_transaction_is_no_step_but_selects() -> None:
    store = Store()
    store.commit(adding(1))
    seen = watched(store)
    store.commit(Transaction("Nothing", selection=frozenset({"n1"})))
    assert seen == []
    assert store.selection == {"n1"}
    assert store.history_labels() == HistoryLabels(("Add v1",), ())


@pytest.mark.parametrize(
    "transaction",
    [
        wiring(1, 9, 2),
        wiring(9, 1, 2),
        wiring(1, 2, 2),
        wiring(2, 1, 2),
        wiring(1, 1, 2, input=1),
        Transaction("", (Change("edges", "e2", None, Edge("e2", "n1", 0, "n2", -1)),)),
        Transaction("", (Change("nodes", "n3", None, Node("n4", "Variable", "x")),)),
        Transaction("", (Change("nodes", "e1", None, Node("e1", "Variable", "x")),)),
        Transaction("", (Change("settings", "settings", empty_document().options, None),)),
        adding(3, "v1"),
        Transaction("", (Change("nodes", "n2", Node("n2", "Variable", "v2"), None),)),
    ],
    ids=[
        "to nowhere",
        "from nowhere",
        "taken input",
        "circle",
        "to itself",
        "negative",
        "filed wrongly",
        "shared id",
        "no settings",
        "doubled name",
        "node gone under its wire",
    ],
)
def test_what_breaks_the_document_is_refused_and_nothing_happens(transaction: Transaction) -> None:
    store = Store()
    store.commit(adding(1))
    store.commit(adding(2))
    store.commit(wiring(1, 2))
    seen = watched(store)
    before = store.document
    with pytest.raises(InvariantError):
        store.commit(transaction)
    assert store.document is before
    assert seen == []
    assert len(store.history_labels().done) == 3


def test_a_stale_transaction_is_refused() -> None:
    store = Store()
    store.commit(adding(1))
    with pytest.raises(StaleChangeError):
        store.commit(adding(1, "other"))


def test_doubled_names_that_came_with_a_file_do_not_block_other_edits() -> None:
    nodes = {f"n{number}": Node(f"n{number}", "Variable", "same") for number in (1, 2)}
    store = Store(Document(nodes=nodes))
    store.commit(adding(3))
    assert len(store.document.nodes) == 3


def test_selection_follows_undo_and_redo() -> None:
    store = Store()
    store.commit(adding(1, selection=frozenset({"n1"})))
    store.commit(adding(2, selection=frozenset({"n2"})))
    store.select(["n1", "n2", "gone"])
    assert store.selection == {"n1", "n2"}
    store.undo()
    assert store.selection == {"n1"}
    store.redo()
    assert store.selection == {"n2"}


def test_selection_is_told_only_when_it_changes() -> None:
    store = Store()
    store.commit(adding(1))
    told: list[frozenset[str]] = []
    store.selection_changed.connect(told.append)
    store.select(["n1"])
    store.select(["n1"])
    store.undo()
    assert told == [frozenset({"n1"}), frozenset()]


def test_load_begins_a_new_history() -> None:
    store = Store()
    store.commit(adding(1))
    seen = watched(store)
    store.load(Document(nodes={"n7": Node("n7", "Variable", "x")}))
    assert [update.origin for update in seen] == ["load"]
    assert not store.can_undo
    assert not store.is_modified
    with pytest.raises(InvariantError):
        store.load(Document(edges={"e1": Edge("e1", "n1", 0, "n2", 0)}))
    assert list(store.document.nodes) == ["n7"]


def test_saved_mark() -> None:
    store = Store()
    store.commit(adding(1))
    assert store.is_modified
    store.mark_saved()
    assert not store.is_modified
    store.commit(adding(2))
    assert store.is_modified
    store.undo()
    assert not store.is_modified
    store.undo()
    assert store.is_modified


def test_labels_and_going_to_a_step() -> None:
    store = Store()
    for number in (1, 2, 3):
        store.commit(adding(number))
    assert store.undo_label == "Add v3"
    store.go_to(1)
    assert store.history_labels() == HistoryLabels(("Add v1",), ("Add v2", "Add v3"))
    assert store.redo_label == "Add v2"
    store.go_to(99)
    assert len(store.document.nodes) == 3
    store.go_to(-1)
    assert store.document == empty_document()
    assert not store.can_undo
    assert store.undo_label == ""


def test_a_listener_must_not_change_the_document() -> None:
    store = Store()
    store.changed.connect(lambda update: store.commit(adding(2)))
    with pytest.raises(EmitLoopError) as caught:
        store.commit(adding(1))
    assert isinstance(caught.value.__cause__, RuntimeError)
    assert list(store.document.nodes) == ["n1"]

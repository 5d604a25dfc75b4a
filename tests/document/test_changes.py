"""Changes and transactions: doing, taking back, joining, and the order of tables."""

import attrs
import pytest

from app.document.changes import Change, Draft, StaleChangeError, Transaction, in_order, new_ids
from app.document.records import Binding, Document, Node


def node(number: int, name: str = "") -> Node:
    return Node(f"n{number}", "Variable", name or f"v{number}")


def with_nodes(*numbers: int) -> Document:
    return Document(nodes={f"n{number}": node(number) for number in numbers})


def test_a_change_adds_edits_and_deletes() -> None:
    document = with_nodes(1)
    added = Transaction("Add", (Change("nodes", "n2", None, node(2)),)).apply(document)
    assert list(added.nodes) == ["n1", "n2"]
    edited = Transaction("Edit", (Change("nodes", "n2", node(2), node(2, "B")),)).apply(added)
    assert edited.nodes["n2"].name == "B"
    deleted = Transaction("Delete", (Change("nodes", "n2", node(2, "B"), None),)).apply(edited)
    assert deleted == document


def test_records_and_tables_that_are_not_touched_stay_the_same_objects() -> None:
    document = with_nodes(1, 2)
    after = Transaction("Add", (Change("nodes", "n3", None, node(3)),)).apply(document)
    assert after.nodes["n1"] is document.nodes["n1"]
    assert after.edges is document.edges


def test_the_inverse_puts_everything_back_where_it_was() -> None:
    document = with_nodes(1, 2, 3, 10)
    gone = Transaction(
        "Delete", (Change("nodes", "n2", node(2), None), Change("nodes", "n10", node(10), None))
    )
    back = gone.inverse().apply(gone.apply(document))
    assert back == document
    assert list(back.nodes) == ["n1", "n2", "n3", "n10"]


def test_a_transaction_made_for_another_document_is_refused() -> None:
    edit = Transaction("Edit", (Change("nodes", "n1", node(1, "old"), node(1, "new")),))
    with pytest.raises(StaleChangeError):
        edit.apply(with_nodes(1))
    with pytest.raises(StaleChangeError):
        Transaction("Add", (Change("nodes", "n1", None, node(1)),)).apply(with_nodes(1))


def test_merging_keeps_the_first_before_and_the_last_after() -> None:
    first = Transaction("Move", (Change("nodes", "n1", node(1), node(1, "x")),), "m", frozenset({"n1"}))
    later = Transaction("Move", (Change("nodes", "n1", node(1, "x"), node(1, "y")),), "m")
    merged = first.merged(later)
    assert merged.changes == (Change("nodes", "n1", node(1), node(1, "y")),)
    assert merged.selection == frozenset({"n1"})
    back = Transaction("Move", (Change("nodes", "n1", node(1, "y"), node(1)),), "m")
    assert merged.merged(back).is_empty


def test_a_draft_writes_only_what_differs_in_the_end() -> None:
    draft = Draft(with_nodes(1, 2))
    draft.put(node(1, "renamed"))
    draft.put(node(1))
    draft.drop("nodes", "n2")
    draft.put(Binding("v1", "constant", "3"))
    transaction = draft.transaction("Try", selection=["n1"])
    assert transaction.changes == (
        Change("nodes", "n2", node(2), None),
        Change("bindings", "v1", None, Binding("v1", "constant", "3")),
    )
    assert transaction.selection == frozenset({"n1"})
    assert draft.document == transaction.apply(with_nodes(1, 2))


def test_tables_are_sorted_by_number_not_by_letters() -> None:
    assert list(in_order(with_nodes(10, 9, 2)).nodes) == ["n2", "n9", "n10"]
    document = with_nodes(1, 2)
    assert in_order(document) is document


def test_new_ids_rise_above_all_others() -> None:
    document = with_nodes(3, 9)
    assert new_ids(document, "n", 2) == ["n10", "n11"]
    assert new_ids(document, "e", 1) == ["e1"]
    strange = attrs.evolve(document, nodes={"n²": Node("n²", "Variable", "x"), **document.nodes})
    assert new_ids(strange, "n", 1) == ["n10"]

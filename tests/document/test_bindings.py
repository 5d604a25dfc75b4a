"""Values, head gradients and the document's own settings."""

import pytest

from app.document import edits
from app.document.records import Binding, Head, Settings, empty_document
from tests.boards import Board, product


def test_a_value_is_set_changed_and_dropped_again() -> None:
    board = product()
    ten = Binding("A", "constant", "10")
    transaction = edits.set_binding(board.document, ten)
    assert transaction.label == "Set the value of A"
    board.do(transaction)
    assert board.document.bindings == {"A": ten}
    board.do(edits.set_binding(board.document, Binding("A")))
    assert board.document.bindings == {}
    assert edits.set_binding(board.document, Binding("A")).is_empty


def test_typing_a_value_is_one_step() -> None:
    board = Board()
    for text in ("1", "10", "100"):
        board.bind(Binding("A", "constant", text))
    board.store.undo()
    assert board.document == empty_document()


def test_a_head_gradient_of_one_is_the_usual() -> None:
    board = product()
    board.do(edits.set_head_gradient(board.document, "E_output", " 2 "))
    assert board.document.heads == {"E_output": Head("E_output", "2")}
    board.do(edits.set_head_gradient(board.document, "E_output", "1"))
    assert board.document.heads == {}


@pytest.mark.parametrize("name", [name for name in Settings.__annotations__ if name != "id"])
def test_every_setting_has_words_in_the_history(name: str) -> None:
    changed = {"title": "x", "heads": ("n1",), "seed": 8, "train": False, "style": "card", "batch": 1}
    changed |= {"batch_start": 5, "show_auto": False}
    transaction = edits.set_options(empty_document(), **{name: changed[name]})
    assert transaction.label
    assert getattr(transaction.apply(empty_document()).options, name) == changed[name]


def test_different_settings_are_different_steps() -> None:
    document = empty_document()
    assert edits.set_options(document, seed=1).merge != edits.set_options(document, batch=1).merge
    assert edits.set_options(document, seed=document.options.seed).is_empty

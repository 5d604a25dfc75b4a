"""A repair of an old network is one edit, and can be undone."""

import pytest

from app.document import edits
from app.document.edits import EditError
from app.document.records import Arity
from app.engine.repairs.old_pooling import OLD_POOLING
from app.engine.repairs.plain_names import PLAIN_NAMES
from app.services.import_symbol import document_from_symbol
from app.services.symbol_json import read_symbol
from tests.boards import Board
from tests.detection_files import detection_file


def test_pooling_that_says_nothing_is_rounded_up_in_one_step() -> None:
    board = Board()
    first = board.add("Pooling", "p1", {"kernel": "(3, 3)", "stride": "(2, 2)"})
    said = board.add("Pooling", "p2", {"kernel": "(3, 3)", "stride": "(2, 2)", "pooling_convention": "valid"})
    mean = board.add("Pooling", "p3", {"kernel": "(3, 3)", "stride": "(2, 2)", "pool_type": "avg"})
    before = board.document
    transaction = edits.mend(before, OLD_POOLING)
    assert transaction.label == "Round pooling up as before MXNet 0.8"
    board.do(transaction)
    nodes = board.document.nodes
    assert nodes[first].params == {"kernel": "(3, 3)", "stride": "(2, 2)", "pooling_convention": "full"}
    assert nodes[said] == before.nodes[said]
    assert (nodes[mean].op, nodes[mean].params["pooling_convention"]) == ("Pooling_v1", "full")
    assert edits.mend(board.document, OLD_POOLING).changes == ()
    board.store.undo()
    assert board.document == before


def test_a_board_without_old_pooling_needs_no_repair() -> None:
    board = Board()
    board.add("Pooling", "p", {"kernel": "(2, 2)"})
    board.add("Activation", "a")
    assert edits.mend(board.document, OLD_POOLING).changes == ()


def test_what_cannot_be_said_is_refused_by_name() -> None:
    board = Board()
    board.add("Pooling", "odd", {"kernel": "(3, 2)", "stride": "(2, 3)"})
    with pytest.raises(EditError, match="odd: a kernel of"):
        edits.mend(board.document, OLD_POOLING)


def test_an_operator_of_a_plug_in_becomes_known_in_one_step() -> None:
    board = Board()
    board.store.load(document_from_symbol(read_symbol(detection_file())))
    boxes, before = board.find("boxes"), board.document
    assert before.nodes[boxes].arity == Arity(1)
    board.do(edits.mend(before, PLAIN_NAMES))
    node = board.document.nodes[boxes]
    assert (node.op, node.params["sizes"], node.arity) == ("_contrib_MultiBoxPrior", "(0.2,)", None)
    assert board.document.nodes[board.find("pool")] == before.nodes[board.find("pool")]
    board.store.undo()
    assert board.document == before

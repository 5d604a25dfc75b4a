"""Nodes that wait for others without reading them keep doing so, whatever is done to the drawing."""

from typing import Any

from app.document import edits
from app.document.checks import analyse
from app.document.fragments import copy, paste
from app.document.records import Document, Id
from app.services.import_symbol import document_from_symbol
from app.services.symbol_json import read_symbol
from tests.boards import Board
from tests.control_flow import waiting_file, waiting_nodes


def waiting_board(nodes: list[dict[str, Any]] | None = None) -> Board:
    board = Board()
    board.store.load(document_from_symbol(read_symbol(waiting_file(nodes))))
    return board


def waits_for(document: Document, node: Id) -> list[str]:
    return [document.nodes[other].name for other in document.nodes[node].control_deps]


def test_a_deleted_node_is_waited_for_no_more() -> None:
    board = waiting_board()
    assert waits_for(board.document, board.find("r")) == ["side", "b"]
    board.do(edits.delete(board.document, [board.find("side")]))
    assert waits_for(board.document, board.find("r")) == ["b"]
    board.store.undo()
    assert waits_for(board.document, board.find("r")) == ["side", "b"]


def test_a_copy_waits_for_the_copies_that_came_along() -> None:
    board = waiting_board()
    before = board.document
    pasted = paste(before, copy(before, [board.find("r"), board.find("side")]), (10.0, 10.0))
    board.do(pasted.transaction)
    (reader,) = (node for node in pasted.node_ids if board.document.nodes[node].op == "relu")
    (waited,) = (node for node in pasted.node_ids if node != reader)
    assert board.document.nodes[reader].control_deps == (waited,)


def test_a_wire_that_makes_a_node_wait_for_itself_is_a_fault() -> None:
    board = waiting_board()
    assert analyse(board.document).problems == ()
    board.wire(board.find("r"), board.find("side"))
    wire = board.document.edges
    (problem,) = analyse(board.document).faults
    assert problem.sentence.startswith("These nodes feed each other in a circle: ")
    assert {"r", "side"} <= set(problem.sentence.replace(".", "").split())
    assert problem.edge in wire
    assert wire[problem.edge].target == board.find("side")


def test_a_node_that_waits_for_a_broken_one_is_left_out() -> None:
    nodes = waiting_nodes()
    nodes[6] |= {"op": "Activation", "attrs": {"act_type": "tanh"}}
    nodes[1]["control_deps"] = [6]
    board = waiting_board(nodes)
    assert board.find("e") in analyse(board.document).drawing.nodes
    board.do(edits.set_param(board.document, board.find("side"), "act_type", "none"))
    left = analyse(board.document).drawing.nodes
    assert sorted(board.name(node) for node in left) == ["a", "c", "d"]

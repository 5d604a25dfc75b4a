"""Copying, the text form, pasting and duplicating."""

import json

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.document import edits, fragments
from app.document.checks import analyse_after
from app.document.edits import EditError
from app.document.fragments import Fragment, Incoming
from app.document.placed import all_placed
from app.document.records import GROUP, VARIABLE, Binding, Document, Edge, Head, Node
from app.document.store import Store
from app.document.topology import topology
from tests.boards import Board, mlp, product
from tests.strategies import drawings, wild_documents


def paste(board: Board, fragment: Fragment, keep_inputs: bool = False) -> list[str]:
    """Paste a piece and return the names of what came."""
    pasted = fragments.paste(board.document, fragment, (0.0, 0.0), keep_inputs)
    board.do(pasted.transaction)
    return [board.name(node) for node in pasted.node_ids]


def wired(board: Board, name: str) -> dict[int, str]:
    found = topology(board.document).inputs(board.find(name))
    return {number: board.name(edge.source) for number, edge in found.items()}


def test_a_piece_holds_its_nodes_wires_values_and_gradients() -> None:
    board = mlp()
    board.bind(Binding("fc1_weight", "constant", "1"), Binding("fc2_bias", "constant", "2"))
    board.do(edits.set_head_gradient(board.document, "fc1_output", "3"))
    piece = fragments.copy(board.document, {board.find("fc1"), board.find("relu1"), "e1", "gone"})
    assert [node.name for node in piece.nodes] == ["fc1", "relu1"]
    assert [(edge.source, edge.target) for edge in piece.edges] == [(board.find("fc1"), board.find("relu1"))]
    assert piece.incoming == (Incoming("data", 0, board.find("fc1"), 0),)
    assert piece.bindings == (Binding("fc1_weight", "constant", "1"),)
    assert piece.heads == (Head("fc1_output", "3"),)


def test_pasting_elsewhere_keeps_the_names() -> None:
    board, other = mlp(), Board()
    board.bind(Binding("data", shape=(2, 3)), Binding("fc1_weight", "constant", "1"))
    piece = fragments.copy(board.document, board.document.nodes)
    assert paste(other, piece) == ["data", "fc1", "relu1", "fc2", "softmax"]
    assert other.document.bindings == board.document.bindings
    mine, theirs = (analyse_after(None, each.document, None) for each in (other, board))
    assert mine.argument_names == theirs.argument_names
    assert [str(mine.output_shapes(node)[0]) for node in other.document.nodes] == [
        "(2, 3)",
        "(2, 32)",
        "(2, 32)",
        "(2, 10)",
        "(2, 10)",
    ]


def test_pasting_beside_renames_and_takes_values_along() -> None:
    board = mlp()
    board.bind(Binding("fc1_weight", "constant", "1"), Binding("data", shape=(2, 3)))
    board.do(edits.set_head_gradient(board.document, "fc1_output", "3"))
    piece = fragments.copy(board.document, [board.find("data"), board.find("fc1")])
    assert paste(board, piece) == ["data1", "fc3"]
    assert wired(board, "fc3") == {0: "data1"}
    assert board.document.bindings["fc3_weight"] == Binding("fc3_weight", "constant", "1")
    assert board.document.bindings["data1"].shape == (2, 3)
    assert board.document.heads["fc3_output"] == Head("fc3_output", "3")
    assert board.store.undo_label == "Paste 2 nodes"


def test_letters_go_on_with_letters() -> None:
    board = product()
    assert paste(board, fragments.copy(board.document, board.document.nodes)) == list("FGHIJ")


def test_a_variable_that_feeds_its_own_argument_is_renamed_with_the_node() -> None:
    board = mlp()
    added = edits.extract_argument(board.document, board.find("fc1"), 1)
    board.do(added.transaction)
    board.bind(Binding("fc1_weight", "constant", "1"))
    piece = fragments.copy(board.document, [added.node_id, board.find("fc1")])
    assert sorted(paste(board, piece)) == ["fc3", "fc3_weight"]
    assert wired(board, "fc3") == {1: "fc3_weight"}
    assert board.document.bindings["fc3_weight"] == Binding("fc3_weight", "constant", "1")
    assert "fc4_weight" not in board.document.bindings


def test_the_middle_of_the_piece_lands_at_the_pointer() -> None:
    board = product()
    a, e = board.find("A"), board.find("E")
    board.do(edits.move(board.document, {a: (0.0, 0.0), e: (100.0, 40.0)}))
    piece = fragments.copy(board.document, [a, e])
    pasted = fragments.paste(board.document, piece, (1000.0, 500.0))
    board.do(pasted.transaction)
    assert [board.document.nodes[node].position for node in pasted.node_ids] == [
        (950.0, 480.0),
        (1050.0, 520.0),
    ]


def test_wires_from_outside_come_back_only_when_asked() -> None:
    board = product()
    piece = fragments.copy(board.document, [board.find("E")])
    (plain,) = paste(board, piece)
    assert wired(board, plain) == {}
    (kept,) = paste(board, piece, keep_inputs=True)
    assert wired(board, kept) == {0: "C", 1: "D"}


def test_wires_from_outside_find_their_sources_by_name() -> None:
    piece = fragments.copy(product().document, [product().find("E")])
    other = Board()
    other.add(VARIABLE, "X")
    other.add(VARIABLE, "D")
    (name,) = paste(other, piece, keep_inputs=True)
    assert wired(other, name) == {1: "D"}


def test_a_group_keeps_its_order_without_gaps() -> None:
    board = product()
    group = board.add(GROUP)
    for name in ("C", "A", "E"):
        board.wire(board.find(name), group, 9)
    piece = fragments.copy(board.document, [group, board.find("A"), board.find("E")])
    paste(board, piece)
    assert wired(board, "group1") == {0: "F", 1: "G"}
    paste(board, piece, keep_inputs=True)
    assert list(wired(board, "group2").values()) == ["C", "H", "I"]


def test_duplicates_stand_beside_their_originals() -> None:
    board = product()
    e = board.find("E")
    made = fragments.duplicate(board.document, [e])
    assert made.transaction.label == "Paste F"
    board.do(made.transaction)
    assert board.document.nodes[made.node_ids[0]].position == fragments.DUPLICATE_OFFSET
    assert wired(board, "F") == {}
    board.do(fragments.duplicate(board.document, [e], keep_inputs=True).transaction)
    assert wired(board, "G") == {0: "C", 1: "D"}


def test_an_empty_piece_pastes_nothing() -> None:
    assert fragments.paste(product().document, Fragment(), (0.0, 0.0)).transaction.is_empty


@pytest.mark.parametrize(
    "text", ["", "hello", "[1, 2]", '{"a": 1}', "[" * 5000, '{"chalkgraph": "document"}']
)
def test_foreign_text_is_refused_kindly(text: str) -> None:
    with pytest.raises(EditError, match="The clipboard holds no piece of a Chalkgraph drawing"):
        fragments.from_text(text)


def test_a_piece_from_a_newer_program_is_refused() -> None:
    text = json.dumps({**json.loads(fragments.to_text(Fragment())), "version": 3})
    with pytest.raises(EditError, match="newer Chalkgraph"):
        fragments.from_text(text)


def damaged(**changes: object) -> str:
    board = product()
    text = fragments.to_text(fragments.copy(board.document, board.document.nodes))
    return json.dumps({**json.loads(text), **changes})


NODE = {"id": "n1", "op": "exp", "name": "x", "position": [0, 0], "params": {}, "attributes": {}}


@pytest.mark.parametrize(
    "text",
    [
        damaged(nodes=None),
        damaged(nodes=3),
        damaged(nodes=[{}]),
        damaged(nodes=[], edges=[{"id": "e1", "source": "n1", "output": 0, "target": "n2", "input": 0}]),
        damaged(nodes=[NODE, NODE]),
        damaged(nodes=[{**NODE, "position": [float("nan"), 0]}], edges=[], incoming=[]),
        damaged(nodes=[{**NODE, "params": [1]}], edges=[], incoming=[]),
        damaged(nodes=[{**NODE, "params": "x"}], edges=[], incoming=[]),
        damaged(incoming=[{"source_name": "A", "output": -1, "target": "n1", "input": 0}]),
        damaged(incoming=[{"source_name": "A", "output": 0, "target": "nowhere", "input": 0}]),
        damaged(edges={"a": 1}),
        damaged(bindings=[{"id": "A", "kind": "magic"}]),
    ],
)
def test_damaged_pieces_are_refused(text: str) -> None:
    with pytest.raises(EditError, match="damaged piece"):
        fragments.from_text(text)


def test_a_damaged_piece_leaves_out_what_goes_round_in_a_circle() -> None:
    nodes = (Node("n1", "exp", "p"), Node("n2", "exp", "q"), Node("n3", "exp", "r"))
    ends = [("n1", 0, "n2", 0), ("n2", 0, "n1", 0), ("n2", 0, "n3", 0)]
    edges = tuple(Edge(f"e{number}", *end) for number, end in enumerate(ends))
    board = Board()
    paste(board, Fragment(nodes, edges))
    assert [wired(board, name) for name in "pqr"] == [{}, {}, {0: "q"}]


def test_names_that_may_not_be_are_mended() -> None:
    board = Board()
    nodes = (Node("n1", "exp", "two words"), Node("n2", "exp", "'"), Node("n3", "exp", ""))
    assert paste(board, Fragment(nodes)) == ["twowords", "node", "node1"]


@given(drawings(), st.data())
def test_text_gives_the_same_piece_back(document: Document, data: st.DataObject) -> None:
    ids = data.draw(st.sets(st.sampled_from([*all_placed(document), "gone"])))
    piece = fragments.copy(document, ids)
    assert fragments.from_text(fragments.to_text(piece)) == piece


@given(drawings(), wild_documents(), st.booleans())
def test_any_piece_can_be_pasted_anywhere(document: Document, wild: Document, keep_inputs: bool) -> None:
    store = Store(document)
    piece = fragments.copy(wild, all_placed(wild))
    pasted = fragments.paste(store.document, piece, (10.0, 20.0), keep_inputs)
    store.commit(pasted.transaction)
    assert len(pasted.node_ids) == len(wild.nodes)
    assert len(store.selection) == len(piece.placed)
    assert len(store.document.frames) == len(document.frames) + len(wild.frames)
    assert store.document.nodes.keys() == document.nodes.keys() | set(pasted.node_ids)
    store.undo()
    assert store.document == document


@given(drawings())
def test_pasting_a_sound_drawing_brings_no_new_kind_of_problem(document: Document) -> None:
    """A whole drawing pasted on an empty board means what it meant."""
    store = Store()
    store.commit(
        fragments.paste(store.document, fragments.copy(document, document.nodes), (0.0, 0.0)).transaction
    )
    told, before = (analyse_after(None, each, None) for each in (store.document, document))
    assert [problem.sentence for problem in told.problems] == [
        problem.sentence for problem in before.problems
    ]
    assert told.output_names == before.output_names
    assert [attrs.evolve(node, id="", position=(0.0, 0.0)) for node in store.document.nodes.values()] == [
        attrs.evolve(node, id="", position=(0.0, 0.0)) for node in document.nodes.values()
    ]

"""Taking nodes out of the flow: the gap is closed where it can be, and else one hears which wire would break."""

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from app.document import edits
from app.document.checks import analyse, judge_of
from app.document.edits import EditError
from app.document.edits.healing import Judge
from app.document.invariants import broken_invariants
from app.document.records import GROUP, VARIABLE, Binding, Document, Id
from app.document.topology import topology
from tests.boards import Board, mlp, product
from tests.strategies import drawings, wild_documents


def judge(document: Document) -> Judge:
    return judge_of(analyse(document))


def heal(board: Board, *names: str, wires: tuple[Id, ...] = ()) -> None:
    chosen = [board.find(name) for name in names]
    board.do(edits.delete_and_heal(board.document, chosen, wires, judge(board.document)))


def detach(board: Board, *names: str) -> str:
    made = edits.detach(board.document, [board.find(name) for name in names], judge(board.document))
    board.do(made.transaction)
    return made.sentence


def fed_by(board: Board, name: str) -> dict[int, str]:
    wires = topology(board.document).inputs(board.find(name))
    return {number: board.name(edge.source) for number, edge in wires.items()}


def refusal(board: Board, *names: str) -> str:
    before = board.document
    with pytest.raises(EditError) as caught:
        heal(board, *names)
    assert board.document is before
    return caught.value.sentence


def test_what_fed_a_node_goes_on_to_its_reader_at_the_same_input() -> None:
    board = mlp()
    before = board.document
    (wire,) = topology(before).outputs(board.find("relu1"))
    heal(board, "relu1")
    assert fed_by(board, "fc2") == {0: "fc1"}
    assert wire.id in board.document.edges, "the reader's wire is still the same one"
    assert board.store.undo_label == "Delete relu1 and heal"
    board.store.undo()
    assert board.document == before


def test_several_nodes_in_a_row_are_healed_as_one_piece() -> None:
    board = mlp()
    heal(board, "relu1", "fc1")
    assert fed_by(board, "fc2") == {0: "data"}


def test_pieces_that_do_not_hang_together_are_healed_one_after_the_other() -> None:
    board = mlp()
    heal(board, "fc1", "fc2")
    assert (fed_by(board, "relu1"), fed_by(board, "softmax")) == ({0: "data"}, {0: "relu1"})


def test_the_first_input_goes_on_and_the_second_where_the_first_does_not_fit() -> None:
    board = Board()
    names = ("a", "b", "c")
    a, b, c = (board.add(VARIABLE, name) for name in names)
    pick, add = board.add("dot", "pick"), board.add("elemwise_add", "add")
    board.wire(a, pick, 0)
    board.wire(b, pick, 1)
    board.chain(pick, add)
    board.wire(c, add, 1)
    heal(board, "pick")
    assert fed_by(board, "add") == {0: "a", 1: "c"}
    board.store.undo()
    board.bind(Binding("a", shape=(2, 3)), Binding("b", shape=(3, 5)), Binding("c", shape=(3, 5)))
    heal(board, "pick")
    assert fed_by(board, "add") == {0: "b", 1: "c"}


def test_each_piece_finds_its_own_input() -> None:
    board = Board()
    for name, shape in (("a", (2, 3)), ("b", (3, 5)), ("like_a", (2, 3)), ("like_b", (3, 5))):
        board.add(VARIABLE, name)
        board.bind(Binding(name, shape=shape))
    for name, other in (("one", "like_a"), ("two", "like_b")):
        pick, add = board.add("dot", name), board.add("elemwise_add", f"after_{name}")
        board.wire(board.find("a"), pick, 0)
        board.wire(board.find("b"), pick, 1)
        board.chain(pick, add)
        board.wire(board.find(other), add, 1)
    heal(board, "one", "two")
    assert fed_by(board, "after_one") == {0: "a", 1: "like_a"}
    assert fed_by(board, "after_two") == {0: "b", 1: "like_b"}


def test_a_wire_that_would_break_is_named_with_the_reason() -> None:
    board = Board()
    x, other = board.add(VARIABLE, "x"), board.add(VARIABLE, "other")
    flat, add = board.add("Flatten", "flat"), board.add("elemwise_add", "add")
    board.chain(x, flat, add)
    board.wire(other, add, 1)
    board.bind(Binding("x", shape=(2, 3, 4)), Binding("other", shape=(2, 12)))
    said = refusal(board, "flat")
    assert said.startswith("The wire from flat to add would break: ")
    assert "(2, 3, 4)" in said
    assert said.endswith("Delete takes flat away all the same.")


def test_a_variable_has_nothing_to_wire_on() -> None:
    said = refusal(product(), "A")
    assert said.startswith(
        "The wire from A to C would break: A has no wired input that could take its place."
    )


def test_a_weight_is_no_stand_in_for_what_a_layer_gives() -> None:
    board = Board()
    weight, layer, relu = (
        board.add(VARIABLE, "w"),
        board.add("FullyConnected", "fc"),
        board.add("Activation", "r"),
    )
    board.wire(weight, layer, 1)
    board.chain(layer, relu)
    assert "fc has no wired input" in refusal(board, "fc")


def test_an_auxiliary_state_takes_only_a_variable() -> None:
    board = Board()
    norm, exp, data = board.add("BatchNorm", "bn"), board.add("exp", "e"), board.add(VARIABLE, "v")
    state = board.add(VARIABLE, "state")
    board.wire(state, norm, 3)
    board.chain(data, exp)
    with pytest.raises(EditError, match="The wire from state to bn would break"):
        heal(board, "state")


def test_places_in_a_group_and_in_a_variadic_operator_stay() -> None:
    board = Board()
    a, b, c = (board.add(VARIABLE, name) for name in "abc")
    e = board.add("exp", "e")
    group, concat = board.add(GROUP, "outs"), board.add("Concat", "all", {"num_args": "3"})
    board.chain(b, e)
    for target in (group, concat):
        for number, source in enumerate((a, e, c)):
            board.wire(source, target, number)
    heal(board, "e")
    assert fed_by(board, "outs") == fed_by(board, "all") == {0: "a", 1: "b", 2: "c"}
    assert board.document.nodes[concat].params["num_args"] == "3"


def test_what_nobody_reads_is_simply_deleted() -> None:
    board = mlp()
    heal(board, "softmax")
    assert "softmax" not in {node.name for node in board.document.nodes.values()}


def test_chosen_wires_go_and_are_not_healed() -> None:
    board = mlp()
    (wire,) = topology(board.document).outputs(board.find("relu1"))
    heal(board, "relu1", wires=(wire.id,))
    assert fed_by(board, "fc2") == {}


def test_a_very_long_row_is_healed() -> None:
    board = Board()
    row = [board.add(VARIABLE, "x"), *(board.add("exp") for _ in range(40)), board.add("exp", "end")]
    board.chain(*row)
    board.do(edits.delete_and_heal(board.document, row[1:-1]))
    assert fed_by(board, "end") == {0: "x"}


def test_detaching_leaves_the_node_and_closes_the_gap_in_one_step() -> None:
    board = mlp()
    before = board.document
    assert detach(board, "relu1") == "Detached relu1. The gap is closed."
    assert fed_by(board, "fc2") == {0: "fc1"} and fed_by(board, "relu1") == {}
    assert board.document.nodes[board.find("relu1")] == before.nodes[board.find("relu1")]
    board.store.undo()
    board.do(edits.detach(board.document, [board.find("relu1")], aside=(8.0, 16.0)).transaction)
    assert board.document.nodes[board.find("relu1")].position == (8.0, 16.0)
    assert board.store.selection == {board.find("relu1")}
    board.store.undo()
    assert board.document == before


def test_nodes_detached_together_keep_the_wires_among_them() -> None:
    board = mlp()
    detach(board, "relu1", "fc2")
    assert fed_by(board, "fc2") == {0: "relu1"}
    assert (fed_by(board, "relu1"), fed_by(board, "softmax")) == ({}, {0: "fc1"})


def test_detaching_says_which_wire_is_gone_where_the_gap_stays_open() -> None:
    board = product()
    said = detach(board, "A")
    assert said == "Detached A. The wire from A to C is gone: A has no wired input that could take its place."
    assert fed_by(board, "C") == {1: "B"}


def test_detaching_what_has_no_wires_says_so() -> None:
    board = product()
    board.add("exp", "alone")
    with pytest.raises(EditError, match="alone has no wires to the rest"):
        detach(board, "alone")


@settings(max_examples=150, deadline=None)
@given(document=drawings() | wild_documents(), data=st.data())
def test_whatever_is_taken_out_the_document_stays_sound(document: Document, data: st.DataObject) -> None:
    if not document.nodes:
        return
    chosen = data.draw(st.sets(st.sampled_from(list(document.nodes)), min_size=1))
    wires = topology(document)
    outer = {edge.target for node in chosen for edge in wires.outputs(node)} - chosen
    try:
        made = edits.delete_and_heal(document, chosen, (), judge(document))
    except EditError as error:
        assert "would break" in error.sentence
    else:
        after = made.apply(document)
        assert broken_invariants(after) == [] and made.inverse().apply(after) == document
        assert after.nodes.keys() == document.nodes.keys() - chosen
        for reader in outer:
            assert len(topology(after).inputs(reader)) == len(wires.inputs(reader)), "no reader lost a wire"
    try:
        apart = edits.detach(document, chosen, judge(document)).transaction
    except EditError:
        return
    after = apart.apply(document)
    assert broken_invariants(after) == [] and apart.inverse().apply(after) == document
    assert not any((edge.source in chosen) != (edge.target in chosen) for edge in after.edges.values())

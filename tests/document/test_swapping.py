"""Another operator in a node's place: wires by port, settings by name, and the name of the node."""

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from app.document import edits
from app.document.edits import EditError
from app.document.invariants import broken_invariants
from app.document.records import VARIABLE, Binding, Document, Head
from app.document.topology import topology
from tests.boards import Board, mlp, product
from tests.strategies import OPERATORS, drawings


def swap(board: Board, name: str, op: str) -> None:
    board.do(edits.swap_operator(board.document, board.find(name), op).transaction)


def fed_by(board: Board, name: str) -> dict[int, str]:
    wires = topology(board.document).inputs(board.find(name))
    return {number: board.name(edge.source) for number, edge in wires.items()}


def test_wires_position_and_a_chosen_name_stay() -> None:
    board = product()
    board.do(edits.move(board.document, {board.find("C"): (16.0, 24.0)}))
    before = board.document
    swap(board, "C", "elemwise_add")
    node = board.document.nodes[board.find("C")]
    assert (node.op, node.position) == ("elemwise_add", (16.0, 24.0))
    assert (fed_by(board, "C"), fed_by(board, "E")) == ({0: "A", 1: "B"}, {0: "C", 1: "D"})
    assert board.store.undo_label == "Swap the operator of C for elemwise_add"
    assert board.store.selection == {node.id}
    board.store.undo()
    assert board.document == before


def test_a_name_that_was_given_by_itself_becomes_the_new_operators() -> None:
    board = Board()
    x, old = board.add(VARIABLE, "x"), board.add("Activation")
    board.chain(x, old)
    assert board.name(old) == "activation0"
    swap(board, "activation0", "LeakyReLU")
    assert board.name(old) == "leakyrelu0"
    assert fed_by(board, "leakyrelu0") == {0: "x"}
    board.do(edits.rename(board.document, old, "leakyrelu_of_mine"))
    swap(board, "leakyrelu_of_mine", "Activation")
    assert board.name(old) == "leakyrelu_of_mine"


def test_ports_of_equal_names_keep_their_wires_and_others_go_by_role() -> None:
    board = Board()
    data, weight = board.add(VARIABLE, "data"), board.add(VARIABLE, "w")
    layer = board.add("FullyConnected", "layer")
    board.wire(data, layer, 0)
    board.wire(weight, layer, 1)
    swap(board, "layer", "Convolution")
    assert fed_by(board, "layer") == {0: "data", 1: "w"}
    swap(board, "layer", "Deconvolution")
    assert fed_by(board, "layer") == {0: "data", 1: "w"}


def test_an_operator_of_any_number_of_inputs_gets_as_many_as_there_are_wires() -> None:
    board = product()
    swap(board, "C", "Concat")
    assert board.document.nodes[board.find("C")].params["num_args"] == "2"
    assert fed_by(board, "C") == {0: "A", 1: "B"}
    swap(board, "C", "elemwise_sub")
    assert fed_by(board, "C") == {0: "A", 1: "B"}
    alone = board.add("exp", "alone")
    board.wire(board.find("A"), alone)
    swap(board, "alone", "Concat")
    assert board.document.nodes[alone].params["num_args"] == "1"


def test_a_wire_without_a_port_is_refused() -> None:
    board = product()
    with pytest.raises(EditError, match="Flatten has no input that the wire to rhs could go to"):
        swap(board, "C", "Flatten")
    with pytest.raises(EditError, match="Only an operator can be swapped"):
        swap(board, "A", "exp")


def test_an_output_that_is_read_must_be_there() -> None:
    board = Board()
    split, exp = board.add("SliceChannel", "split", {"num_outputs": "2"}), board.add("exp", "e")
    board.wire(split, exp, 0, output=1)
    with pytest.raises(EditError, match="exp has no output 1"):
        swap(board, "split", "exp")


def test_settings_of_equal_names_stay_where_they_are_right() -> None:
    board = Board()
    node = board.add("Convolution", "conv", {"kernel": "(5, 5)", "num_filter": "16", "pad": "(2, 2)"})
    swap(board, "conv", "Pooling")
    params = board.document.nodes[node].params
    assert (params["kernel"], params["pad"]) == ("(5, 5)", "(2, 2)")
    assert "num_filter" not in params and params["pool_type"] == "max"


def test_what_arguments_are_bound_to_stays_with_its_name_and_else_goes() -> None:
    board = mlp()
    weight, bias = Binding("fc1_weight", shape=(32, 8)), Binding("fc1_bias", shape=(32,))
    board.bind(weight, bias)
    board.do(edits.set_head_gradient(board.document, "fc1_output", "2"))
    swap(board, "fc1", "Convolution")
    assert set(board.document.bindings) == {"fc1_weight", "fc1_bias"}
    swap(board, "fc1", "exp")
    assert not board.document.bindings
    assert board.document.heads == {"fc1_output": Head("fc1_output", "2")}


def test_a_name_that_would_make_a_taken_argument_is_refused() -> None:
    board = Board()
    board.add(VARIABLE, "it_weight")
    board.add("exp", "it")
    with pytest.raises(EditError, match="it_weight"):
        swap(board, "it", "FullyConnected")


@settings(max_examples=200, deadline=None)
@given(document=drawings(), op=st.sampled_from(OPERATORS), data=st.data())
def test_a_swap_keeps_every_wire_and_can_be_undone(document: Document, op: str, data: st.DataObject) -> None:
    if not document.nodes:
        return
    node = data.draw(st.sampled_from(list(document.nodes)))
    try:
        made = edits.swap_operator(document, node, op).transaction
    except EditError as error:
        assert error.sentence
        return
    after = made.apply(document)
    assert broken_invariants(after) == [] and made.inverse().apply(after) == document
    ends = {(edge.id, edge.source, edge.target) for edge in document.edges.values()}
    assert ends == {(edge.id, edge.source, edge.target) for edge in after.edges.values()}
    assert after.nodes[node].position == document.nodes[node].position
    names = [one.name for one in after.nodes.values()]
    assert len(set(names)) == len(names)

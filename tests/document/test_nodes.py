"""Adding, deleting, moving and renaming nodes, and their settings."""

import pytest

from app.document import edits
from app.document.changes import Change
from app.document.checks import analyse
from app.document.edits import EditError
from app.document.edits.nodes import renumbered
from app.document.names import name_fault
from app.document.reading import read_node
from app.document.records import GROUP, VARIABLE, Binding, Document, Head, Node, empty_document
from app.document.starting_values import starting_values
from app.document.topology import topology
from app.engine.operator import Operator
from app.engine.registry import canonical_operators
from tests.boards import Board, mlp


@pytest.mark.parametrize(
    ("op", "expected"),
    [
        ("FullyConnected", "fullyconnected0"),
        ("elemwise_mul", "_mul0"),
        ("elemwise_add", "_plus0"),
        ("_plus_scalar", "_plusscalar0"),
        ("Concat", "concat0"),
        ("concat", "concat0"),
        ("split", "split0"),
        ("SliceChannel", "slicechannel0"),
        ("add_n", "add_n0"),
        ("ElementWiseSum", "elementwisesum0"),
        (GROUP, "group0"),
        (VARIABLE, "A"),
    ],
)
def test_automatic_names_are_those_of_mxnet(op: str, expected: str) -> None:
    board = Board()
    assert board.name(board.add(op)) == expected


def test_automatic_names_count_up_and_take_the_first_free() -> None:
    board = Board()
    first, second = board.add("Concat"), board.add("concat")
    assert board.name(second) == "concat1"
    board.do(edits.delete(board.document, [first]))
    assert board.name(board.add("Concat")) == "concat0"


def test_variables_are_letters_then_numbers() -> None:
    board = Board()
    names = [board.name(board.add(VARIABLE)) for _ in range(28)]
    assert names[:3] == ["A", "B", "C"]
    assert names[25:] == ["Z", "var0", "var1"]


def test_automatic_names_keep_clear_of_arguments_that_nodes_make() -> None:
    board = Board()
    board.add(VARIABLE, "fullyconnected0_weight")
    assert board.name(board.add("FullyConnected")) == "fullyconnected1"


def test_an_added_node_is_selected_and_says_so() -> None:
    added = edits.add_node(empty_document(), VARIABLE, (8.0, 16.0), name="data")
    assert added.transaction.label == "Add data"
    assert added.transaction.selection == {added.node_id}
    assert added.transaction.apply(empty_document()).nodes[added.node_id].position == (8.0, 16.0)


@pytest.mark.parametrize("operator_class", canonical_operators(), ids=lambda cls: cls.op_name)
def test_every_operator_is_valid_as_it_comes_onto_the_board(operator_class: type[Operator]) -> None:
    board = Board()
    node_id = board.add(operator_class.op_name)
    node = board.document.nodes[node_id]
    assert read_node(node).faults == (), "give it values in app/document/starting_values.py"
    operator = operator_class.from_attributes(starting_values(operator_class))
    assert set(operator.to_attributes()) <= set(node.params)


def test_given_parameters_are_kept_and_only_the_required_filled_in() -> None:
    board = Board()
    convolution = board.add("Convolution", params={"num_filter": "3"})
    assert board.document.nodes[convolution].params == {"num_filter": "3", "kernel": "(3, 3)"}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "cannot be empty"),
        ("   ", "cannot be empty"),
        ("two words", "two_words"),
        ("tab\tin it", "blanks"),
        ("it's", "quotes"),
        ('"x"', "quotes"),
        ("zero\u200bwidth", "blanks"),
        ("C", "already"),
        ("fc1_weight", "argument that fc1 makes"),
        ("fc", "fc_bias"),
    ],
)
def test_names_that_are_refused(name: str, words: str) -> None:
    board = Board()
    node = board.add("FullyConnected", "E")
    board.add(VARIABLE, "C")
    board.add("FullyConnected", "fc1")
    board.add(VARIABLE, "fc_bias")
    with pytest.raises(EditError, match=words):
        edits.rename(board.document, node, name)


@pytest.mark.parametrize("name", ["my name é 'x", " a  b ", "zero\u200bwidth", "' '"])
def test_the_name_that_is_suggested_is_one_that_is_taken(name: str) -> None:
    suggested = name_fault(name).partition("Try ")[2].removesuffix(".")
    assert suggested
    assert name_fault(suggested) == ""


def test_a_bad_name_is_refused_when_adding_too() -> None:
    board = Board()
    board.add(VARIABLE, "data")
    with pytest.raises(EditError, match="There is a node called data already"):
        edits.add_node(board.document, VARIABLE, (0.0, 0.0), name="data")


def test_unknown_operators_are_refused_with_near_names() -> None:
    with pytest.raises(EditError, match="FullyConnected"):
        edits.add_node(empty_document(), "FulyConnected", (0.0, 0.0))


def test_renaming_takes_values_and_head_gradients_along() -> None:
    board = mlp()
    board.bind(Binding("fc1_weight", "initializer", "xavier"), Binding("fc1_bias", "constant", "0"))
    board.do(edits.set_head_gradient(board.document, "softmax_output", "2"))
    fc1, softmax = board.find("fc1"), board.find("softmax")
    transaction = edits.rename(board.document, fc1, " hidden ")
    assert transaction.label == "Rename fc1 to hidden"
    board.do(transaction)
    board.do(edits.rename(board.document, softmax, "loss"))
    assert board.document.bindings["hidden_weight"] == Binding("hidden_weight", "initializer", "xavier")
    assert "fc1_bias" not in board.document.bindings
    assert board.document.heads == {"loss_output": Head("loss_output", "2")}


def test_renaming_to_a_longer_name_with_the_old_one_in_it() -> None:
    board = mlp()
    board.bind(Binding("fc1_weight", "constant", "1"), Binding("fc1_bias", "constant", "2"))
    board.do(edits.rename(board.document, board.find("fc1"), "fc1_weight"))
    assert board.document.bindings == {
        "fc1_weight_weight": Binding("fc1_weight_weight", "constant", "1"),
        "fc1_weight_bias": Binding("fc1_weight_bias", "constant", "2"),
    }


def test_renaming_leaves_the_value_of_a_variable_with_such_a_name() -> None:
    board = mlp()
    board.bind(Binding("fc1_weight", "constant", "1"))
    extracted = edits.extract_argument(board.document, board.find("fc1"), 1)
    board.do(extracted.transaction)
    board.do(edits.rename(board.document, board.find("fc1"), "hidden"))
    assert board.name(extracted.node_id) == "fc1_weight"
    assert set(board.document.bindings) == {"fc1_weight"}


def test_renaming_to_the_same_name_is_nothing() -> None:
    board = mlp()
    assert edits.rename(board.document, board.find("fc1"), "fc1").is_empty


def test_deleting_takes_wires_values_gradients_and_choices_along() -> None:
    board = mlp()
    board.bind(
        Binding("data", shape=(2, 3)),
        Binding("fc2_weight", "constant", "1"),
        Binding("fc1_bias", "constant", "1"),
    )
    board.do(edits.set_head_gradient(board.document, "fc2_output", "2"))
    fc2 = board.find("fc2")
    board.do(edits.set_options(board.document, heads=(fc2,)))
    before = board.document
    transaction = edits.delete(board.document, [fc2])
    assert transaction.label == "Delete fc2"
    board.do(transaction)
    assert fc2 not in board.document.nodes
    assert not [edge for edge in board.document.edges.values() if fc2 in (edge.source, edge.target)]
    assert set(board.document.bindings) == {"data", "fc1_bias"}
    assert board.document.heads == {}
    assert board.document.options.heads == ()
    board.store.undo()
    assert board.document == before


def test_labels_of_deleting() -> None:
    board = mlp()
    nodes, wires = list(board.document.nodes), list(board.document.edges)
    assert edits.delete(board.document, nodes[:2]).label == "Delete 2 nodes"
    assert edits.delete(board.document, [], wires[:1]).label == "Delete a wire"
    assert edits.delete(board.document, [], wires[:2]).label == "Delete 2 wires"


def test_moving() -> None:
    board = mlp()
    fc1, fc2 = board.find("fc1"), board.find("fc2")
    transaction = edits.move(board.document, {fc1: (1.0, 2.0), fc2: board.document.nodes[fc2].position})
    assert [change.key for change in transaction.changes] == [fc1]
    assert transaction.label == "Move 2 nodes"
    assert edits.move(board.document, {fc1: (1.0, 2.0)}).label == "Move fc1"


def test_settings_are_kept_right_or_wrong() -> None:
    board = mlp()
    fc1 = board.find("fc1")
    board.do(edits.set_param(board.document, fc1, "num_hidden", "many"))
    assert board.document.nodes[fc1].params["num_hidden"] == "many"
    board.do(edits.set_param(board.document, fc1, "no_bias", "True"))
    transaction = edits.set_param(board.document, fc1, "no_bias", None)
    assert transaction.label == "Reset no_bias of fc1"
    board.do(transaction)
    assert board.document.nodes[fc1].params == {"num_hidden": "many"}
    board.do(edits.set_param(board.document, fc1, "__lr_mult__", "2"))
    assert board.document.nodes[fc1].attributes == {"__lr_mult__": "2"}


def test_a_wire_whose_input_goes_away_is_kept_while_typing() -> None:
    board = Board()
    b, fc = board.add(VARIABLE, "b"), board.add("FullyConnected", "fc")
    board.wire(b, fc, 2)
    before = board.document
    board.do(edits.set_param(board.document, fc, "no_bias", "True"))
    assert board.document.edges == before.edges
    (problem,) = [problem for problem in analyse(board.document).problems if problem.edge]
    assert "b" in problem.sentence
    board.do(edits.set_param(board.document, fc, "no_bias", None))
    assert [problem for problem in analyse(board.document).problems if problem.edge] == []


@pytest.mark.parametrize(
    ("old", "new", "wired", "moved"),
    [
        (["data", "lengths", "mask"], ["data", "mask"], [0, 2], {0: 0, 2: 1}),
        (["data", "mask"], ["data", "lengths", "mask"], [0, 1], {0: 0, 1: 2}),
        (["data", "bias"], ["data"], [0, 1], {0: 0, 1: 1}),
        (["data", "lengths", "mask"], ["data", "mask"], [0, 1, 2], {0: 0, 1: 2, 2: 1}),
        (["a", "b"], ["c", "d"], [0, 1], {0: 2, 1: 3}),
        (["a"], ["a"], [0, 3], {0: 0, 3: 3}),
        (["data"], ["data", "bias"], [0, 1], {0: 0, 1: 1}),
        (["data", "mask"], ["data", "lengths", "mask"], [1, 2], {1: 2, 2: 3}),
    ],
    ids=["up", "down", "stays", "makes way", "all new", "lost before", "comes back", "lost and pushed"],
)
def test_wires_follow_their_ports(
    old: list[str], new: list[str], wired: list[int], moved: dict[int, int]
) -> None:
    assert renumbered(old, new, wired) == moved


def test_quick_typing_of_one_setting_has_one_merge_key() -> None:
    board = mlp()
    fc1, fc2 = board.find("fc1"), board.find("fc2")
    keys = {
        edits.set_param(board.document, node, name, "3").merge
        for node in (fc1, fc2)
        for name in ("num_hidden", "no_bias")
    }
    assert len(keys) == 4
    assert "" not in keys


def test_deleting_a_source_closes_the_gap_in_concat() -> None:
    board = Board()
    sources = [board.add(VARIABLE) for _ in range(3)]
    concat = board.add("Concat", params={"num_args": "3"})
    for number, source in enumerate(sources):
        board.wire(source, concat, number)
    board.do(edits.delete(board.document, [sources[0], sources[2]]))
    (edge,) = topology(board.document).inputs(concat).values()
    assert (edge.source, edge.input) == (sources[1], 0)
    assert board.document.nodes[concat].params == {"num_args": "1"}


def test_a_change_of_nothing_else() -> None:
    document = Document(nodes={"n1": Node("n1", VARIABLE, "A")})
    (change,) = edits.rename(document, "n1", "B").changes
    assert change == Change("nodes", "n1", Node("n1", VARIABLE, "A"), Node("n1", VARIABLE, "B"))

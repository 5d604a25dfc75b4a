"""Wires: which may be drawn and why others may not, variadic operators, and moving a wire's end."""

import pytest

from app.document import edits
from app.document.edits import EditError, Verdict
from app.document.records import GROUP, VARIABLE, Arity, Binding, Document, Id, Node
from app.document.topology import topology
from tests.boards import Board, mlp, product


def wires(board: Board, target: Id) -> dict[int, str]:
    """Return the names of what is wired to each input of a node."""
    found = topology(board.document).inputs(target)
    return {number: board.name(edge.source) for number, edge in found.items()}


def verdict(board: Board, source: str, target: str, number: int = 0, output: int = 0) -> Verdict:
    return edits.can_connect(board.document, board.find(source), output, board.find(target), number)


def test_a_wire_that_is_fine() -> None:
    assert verdict(product(), "A", "E", 1)


def test_a_circle_is_told_with_its_way() -> None:
    answer = verdict(product(), "E", "C", 1)
    assert not answer
    assert answer.reason == "C feeds E already, so this wire would go round in a circle: C → E → C."


def test_a_long_circle_is_told_in_short() -> None:
    board = Board()
    chain = [board.add("Activation", f"r{number}") for number in range(20)]
    board.chain(*chain)
    assert verdict(board, "r19", "r0").reason == (
        "r0 feeds r19 already, so this wire would go round in a circle: r0 → r1 → r2 → r3 → … → r19 → r0."
    )


def test_what_may_not_be_joined_says_why() -> None:
    board = product()
    board.add(GROUP, "outs")
    board.add("SliceChannel", "split", {"num_outputs": "2"})
    board.add("BatchNorm", "bn")
    assert verdict(board, "C", "C", 1).reason == "C cannot feed itself."
    assert verdict(board, "C", "A").reason == "A is a Variable and takes no inputs."
    assert "outs is a Group" in verdict(board, "outs", "E").reason
    assert verdict(board, "split", "E", output=2).reason == "split has 2 outputs, so there is no output 2."
    assert verdict(board, "A", "E", 2).reason == "E has 2 inputs (lhs, rhs), and this is none of them."
    assert "moving_mean of bn is an auxiliary state" in verdict(board, "C", "bn", 3).reason
    assert verdict(board, "A", "bn", 3)
    assert verdict(board, "split", "E", output=1)


def test_an_opaque_node_is_wired_at_the_inputs_and_outputs_that_it_has() -> None:
    nodes = {
        "n1": Node("n1", VARIABLE, "A"),
        "n2": Node("n2", "Mystery", "m", arity=Arity(2)),
        "n3": Node("n3", "exp", "x"),
    }
    document = Document(nodes=nodes)
    assert edits.can_connect(document, "n1", 0, "n2", 1)
    assert edits.can_connect(document, "n2", 0, "n3", 0)
    assert edits.can_connect(document, "n1", 0, "n2", 2).reason == (
        "m has 2 inputs (arg0, arg1), and this is none of them."
    )
    assert edits.can_connect(document, "n2", 1, "n3", 0).reason == "m has 1 output, so there is no output 1."
    assert edits.best_input(document, "n1", 0, "n2") == 0


def test_unknown_operators_can_neither_feed_nor_be_fed() -> None:
    nodes = {"n1": Node("n1", VARIABLE, "A"), "n2": Node("n2", "Mystery", "m"), "n3": Node("n3", "exp", "x")}
    document = Document(nodes=nodes)
    assert "m is no operator that is known" in edits.can_connect(document, "n1", 0, "n2", 0).reason
    assert "m is no operator that is known" in edits.can_connect(document, "n2", 0, "n3", 0).reason
    assert edits.best_input(document, "n1", 0, "n2") is None


def test_connect_refuses_what_can_connect_refuses() -> None:
    board = product()
    with pytest.raises(EditError, match="circle"):
        edits.connect(board.document, board.find("E"), 0, board.find("C"), 0)


def test_a_wire_on_a_taken_input_replaces_the_one_there() -> None:
    board = product()
    before = board.document
    transaction = edits.connect(board.document, board.find("D"), 0, board.find("C"), 0)
    assert transaction.label == "Connect D to C"
    board.do(transaction)
    assert wires(board, board.find("C")) == {0: "D", 1: "B"}
    assert len(board.document.edges) == 4
    board.store.undo()
    assert board.document == before


def test_the_same_wire_again_is_nothing() -> None:
    board = product()
    assert edits.connect(board.document, board.find("A"), 0, board.find("C"), 0).is_empty


@pytest.mark.parametrize("op", ["Concat", "add_n"])
def test_a_variadic_operator_grows_and_shrinks(op: str) -> None:
    board = Board()
    node = board.add(op, "many")
    a, b, c = (board.add(VARIABLE) for _ in range(3))
    edges = [board.wire(a, node, 0), board.wire(b, node, 1)]
    assert board.document.nodes[node].params["num_args"] == "2"
    board.wire(c, node, 7)
    assert wires(board, node) == {0: "A", 1: "B", 2: "C"}
    assert board.document.nodes[node].params["num_args"] == "3"
    board.do(edits.disconnect(board.document, edges[0]))
    assert wires(board, node) == {0: "B", 1: "C"}
    assert board.document.nodes[node].params["num_args"] == "2"
    board.do(
        edits.disconnect(board.document, [edge.id for edge in topology(board.document).inputs(node).values()])
    )
    assert wires(board, node) == {}
    assert board.document.nodes[node].params["num_args"] == "1"


def test_a_free_input_of_a_variadic_operator_is_taken_as_it_is() -> None:
    board = Board()
    node, a = board.add("Concat", "c"), board.add(VARIABLE)
    board.wire(a, node, 1)
    assert wires(board, node) == {1: "A"}
    assert board.document.nodes[node].params["num_args"] == "2"


def test_a_number_of_inputs_that_cannot_be_read_is_left_alone() -> None:
    board = Board()
    node, a = board.add("Concat", "c"), board.add(VARIABLE)
    edge = board.wire(a, node, 0)
    board.do(edits.set_param(board.document, node, "num_args", "two"))
    board.do(edits.disconnect(board.document, edge))
    assert board.document.nodes[node].params["num_args"] == "two"


def test_a_group_takes_any_number_in_order_and_closes_gaps() -> None:
    board = product()
    group = board.add(GROUP)
    for name in ("C", "E", "A"):
        board.wire(board.find(name), group, 99)
    assert wires(board, group) == {0: "C", 1: "E", 2: "A"}
    board.do(edits.delete(board.document, [board.find("C")]))
    assert wires(board, group) == {0: "E", 1: "A"}


def test_disconnecting_says_what() -> None:
    board = product()
    edge = topology(board.document).inputs(board.find("C"))[0]
    assert edits.disconnect(board.document, edge.id).label == "Disconnect A from C"
    assert edits.disconnect(board.document, list(board.document.edges)).label == "Disconnect 4 wires"


# The best input --------------------------------------------------------------------------------------------------


def best(board: Board, source: str, target: str) -> int | None:
    return edits.best_input(board.document, board.find(source), 0, board.find(target))


def test_the_best_input_is_free_and_for_data() -> None:
    board = mlp()
    board.add("FullyConnected", "fc3")
    board.add(VARIABLE, "x")
    assert best(board, "relu1", "fc3") == 0
    assert best(board, "x", "fc1") == 1
    assert best(board, "fc2", "fc1") is None  # it would be a circle


def test_a_variable_goes_where_its_name_says() -> None:
    board = mlp()
    board.add("FullyConnected", "fc3")
    board.do(edits.extract_argument(board.document, board.find("fc3"), 2).transaction)
    board.do(edits.disconnect(board.document, topology(board.document).inputs(board.find("fc3"))[2].id))
    for name in ("shared_weight", "digits_label"):
        board.add(VARIABLE, name)
    assert best(board, "fc3_bias", "fc3") == 2
    assert best(board, "shared_weight", "fc3") == 1
    assert best(board, "digits_label", "softmax") == 1


def test_operators_do_not_follow_names() -> None:
    board = Board()
    board.add("exp", "my_bias")
    board.add("FullyConnected", "fc")
    assert best(board, "my_bias", "fc") == 0


def test_the_body_of_a_variadic_operator_makes_room() -> None:
    board = Board()
    a, b, node = board.add(VARIABLE), board.add(VARIABLE), board.add("Concat", "c", {"num_args": "1"})
    board.wire(a, node)
    assert edits.best_input(board.document, b, 0, node) == 1


def test_nothing_is_best_when_all_is_taken() -> None:
    board = product()
    board.add(VARIABLE, "X")
    assert best(board, "X", "C") is None
    assert best(board, "X", "A") is None


# Moving a wire's end ---------------------------------------------------------------------------------------------


def test_moving_the_end_of_a_wire_is_one_step() -> None:
    board = product()
    edge = topology(board.document).inputs(board.find("C"))[0]
    before = board.document
    board.do(edits.rewire(board.document, edge.id, board.find("E"), 1))
    assert wires(board, board.find("C")) == {1: "B"}
    assert wires(board, board.find("E")) == {0: "C", 1: "A"}
    board.store.undo()
    assert board.document == before


def test_moving_a_wire_away_from_concat_closes_the_gap() -> None:
    board = Board()
    a, b, node, other = (
        board.add(VARIABLE),
        board.add(VARIABLE),
        board.add("Concat", "c"),
        board.add("exp", "x"),
    )
    first = board.wire(a, node, 0)
    board.wire(b, node, 1)
    board.do(edits.rewire(board.document, first, other, 0))
    assert wires(board, node) == {0: "B"}
    assert wires(board, other) == {0: "A"}


@pytest.mark.parametrize(
    ("place", "order"),
    [(0, "CAB"), (1, "ACB"), (2, "ABC"), (9, "ABC")],
    ids=["first", "middle", "same", "beyond"],
)
def test_moving_a_wire_on_its_own_group_changes_the_order(place: int, order: str) -> None:
    board = Board()
    group = board.add(GROUP)
    edges = [board.wire(board.add(VARIABLE), group, number) for number in range(3)]
    board.do(edits.rewire(board.document, edges[2], group, place))
    assert "".join(wires(board, group).values()) == order
    assert list(wires(board, group)) == [0, 1, 2]


def test_moving_a_wire_to_where_it_is_is_nothing() -> None:
    board = product()
    edge = topology(board.document).inputs(board.find("C"))[0]
    assert edits.rewire(board.document, edge.id, board.find("C"), 0).is_empty


def test_moving_a_wire_into_a_circle_is_refused() -> None:
    board = product()
    edge = topology(board.document).inputs(board.find("E"))[0]
    last = board.wire(board.find("E"), board.add("exp", "x"))
    with pytest.raises(EditError, match="circle"):
        edits.rewire(board.document, last, board.find("C"), 0)
    with pytest.raises(EditError, match="cannot feed itself"):
        edits.rewire(board.document, edge.id, board.find("C"), 0)


# Growing ---------------------------------------------------------------------------------------------------------


def test_a_wire_released_on_empty_space_adds_and_wires_in_one_step() -> None:
    board = product()
    before = board.document
    added = edits.add_and_connect(
        board.document, "FullyConnected", (5.0, 6.0), wire=edits.LooseEnd(board.find("E"), 0)
    )
    assert added.transaction.label == "Add fullyconnected0 to E"
    assert added.transaction.selection == {added.node_id}
    board.do(added.transaction)
    assert wires(board, added.node_id) == {0: "E"}
    board.store.undo()
    assert board.document == before


def test_a_wire_drawn_backwards_gets_a_source() -> None:
    board = mlp()
    added = edits.add_and_connect(
        board.document, VARIABLE, (0.0, 0.0), wire=edits.LooseEnd(board.find("softmax"), 1, "input")
    )
    board.do(added.transaction)
    assert wires(board, board.find("softmax")) == {0: "fc2", 1: "A"}


def test_a_loose_wire_grows_a_variadic_operator() -> None:
    board = product()
    added = edits.add_and_connect(board.document, GROUP, (0.0, 0.0), wire=edits.LooseEnd(board.find("E"), 0))
    board.do(added.transaction)
    assert wires(board, added.node_id) == {0: "E"}


@pytest.mark.parametrize(
    ("op", "side", "words"), [(VARIABLE, "output", "takes no inputs"), (GROUP, "input", "is a Group")]
)
def test_a_loose_wire_that_does_not_fit_is_refused(op: str, side: str, words: str) -> None:
    board = product()
    wire = edits.LooseEnd(board.find("E"), 0, "input" if side == "input" else "output")
    with pytest.raises(EditError, match=words):
        edits.add_and_connect(board.document, op, (0.0, 0.0), wire=wire)


def test_an_argument_that_a_node_made_becomes_a_variable_with_its_value() -> None:
    board = mlp()
    fc1 = board.find("fc1")
    value = Binding("fc1_weight", "initializer", "xavier")
    board.bind(value)
    added = edits.extract_argument(board.document, fc1, 1)
    assert added.transaction.label == "Make fc1_weight a Variable of its own"
    board.do(added.transaction)
    assert board.document.nodes[added.node_id] == Node(
        added.node_id, VARIABLE, "fc1_weight", board.document.nodes[added.node_id].position
    )
    assert wires(board, fc1) == {0: "data", 1: "fc1_weight"}
    assert board.document.bindings == {"fc1_weight": value}
    placed = edits.extract_argument(board.document, fc1, 2, (3.0, 4.0))
    board.do(placed.transaction)
    assert board.document.nodes[placed.node_id].position == (3.0, 4.0)


def test_only_what_a_node_makes_can_be_extracted() -> None:
    board = mlp()
    fc1 = board.find("fc1")
    for number in (0, 3, -1):
        with pytest.raises(EditError, match="makes no argument"):
            edits.extract_argument(board.document, fc1, number)
    board.add(VARIABLE, "other")
    board.do(edits.extract_argument(board.document, fc1, 1).transaction)
    edge = topology(board.document).inputs(fc1)[1]
    board.do(edits.disconnect(board.document, edge.id))
    with pytest.raises(EditError, match="There is a node called fc1_weight already"):
        edits.extract_argument(board.document, fc1, 1)

"""What follows from a document: graph, shapes, tags, and each kind of problem at its node or wire."""

import attrs
from hypothesis import given

from app.document import edits
from app.document.analysis import Analysis
from app.document.checks import analyse, analyse_after, trial
from app.document.drawing import DocumentProblem
from app.document.edits.wiring import connect
from app.document.records import GROUP, VARIABLE, Arity, Binding, Document, Edge, Node, Settings
from app.document.refusal import Verdict
from tests.boards import Board, mlp, product
from tests.strategies import wild_documents


def fresh(board: Board) -> Analysis:
    return analyse_after(None, board.document, None)


def shape(analysis: Analysis, board: Board, name: str) -> str:
    return str(analysis.output_shapes(board.find(name))[0])


def the_problem(board: Board) -> DocumentProblem:
    (problem,) = fresh(board).problems
    return problem


def file_of(*nodes: Node, edges: tuple[Edge, ...] = (), **settings: object) -> Document:
    """Return a document as a file may hold it, past all edits."""
    return Document(
        nodes={node.id: node for node in nodes},
        edges={edge.id: edge for edge in edges},
        settings={"settings": attrs.evolve(Settings(), **settings)},
    )


def sentences(document: Document) -> list[str]:
    return [problem.sentence for problem in analyse_after(None, document, None).problems]


# What is sound ---------------------------------------------------------------------------------------------------


def test_an_empty_board_has_no_problem() -> None:
    analysis = fresh(Board())
    assert analysis.problems == ()
    assert analysis.graph is analysis.symbol is analysis.inference is None
    assert not analysis.can_bind


def test_the_tutorial_with_single_numbers() -> None:
    board = product()
    board.bind(*(Binding(name, "constant", "1") for name in "ABD"))
    analysis = fresh(board)
    assert analysis.problems == ()
    assert analysis.can_bind
    assert analysis.argument_names == ("A", "B", "D")
    assert analysis.output_names == ("E_output",)
    assert analysis.output_tags == {board.find("E"): (0,)}
    assert analysis.graph is not None
    assert [analysis.graph.nodes[analysis.node_index[board.find(name)]].name for name in "ABCDE"] == list(
        "ABCDE"
    )
    assert [str(analysis.wire_shape(edge)) for edge in board.document.edges] == ["(1)"] * 4
    assert analysis.open_arguments == ()


def test_self_made_arguments_and_their_shapes() -> None:
    board = mlp()
    board.bind(Binding("data", shape=(64, 784)))
    analysis = fresh(board)
    fc1 = board.find("fc1")
    weight, bias = analysis.auto_arguments[fc1]
    assert (weight.name, weight.role, weight.input) == ("fc1_weight", "weight", 1)
    assert (bias.name, bias.role, bias.input) == ("fc1_bias", "bias", 2)
    assert analysis.graph is not None
    assert weight.entry is not None
    assert analysis.graph.entry_name(weight.entry) == "fc1_weight"
    assert analysis.node_ids[weight.entry[0]] == fc1
    assert str(analysis.input_shape(fc1, 1)) == "(32, 784)"
    assert str(analysis.input_shape(fc1, 0)) == "(64, 784)"
    assert analysis.inference is not None
    assert "num_hidden = 32" in analysis.inference.why(weight.entry)[0].sentence
    assert analysis.argument_names == (
        "data", "fc1_weight", "fc1_bias", "fc2_weight", "fc2_bias", "softmax_label"
    )  # fmt: skip
    assert [port.name for port in analysis.ports(fc1)] == ["data", "weight", "bias"]
    assert board.find("data") not in analysis.auto_arguments


def test_given_shapes_are_upright_and_inferred_ones_slanted() -> None:
    board = mlp()
    board.bind(Binding("data", shape=(64, 784)))
    analysis = fresh(board)
    assert not analysis.output_shapes(board.find("data"))[0].inferred
    assert analysis.output_shapes(board.find("fc1"))[0].inferred
    unknown = fresh(mlp()).output_shapes(board.find("fc1"))[0]
    assert (str(unknown), unknown.inferred, unknown.is_known) == ("?", False, False)


def test_auxiliary_states_are_listed_apart() -> None:
    board = Board()
    board.add("BatchNorm", "bn")
    analysis = fresh(board)
    assert analysis.argument_names == ("bn_data", "bn_gamma", "bn_beta")
    assert analysis.auxiliary_names == ("bn_moving_mean", "bn_moving_var")


def test_open_arguments_are_named() -> None:
    assert "data" in fresh(mlp()).open_arguments
    assert fresh(mlp()).can_bind


# Numbers and types -----------------------------------------------------------------------------------------------


def test_a_number_fills_the_shape_that_the_graph_asks_for() -> None:
    board = product()
    board.bind(
        Binding("A", "constant", "[1, 2, 3]"), Binding("B", "constant", "2"), Binding("D", "constant", "1")
    )
    analysis = fresh(board)
    assert analysis.problems == ()
    assert [shape(analysis, board, name) for name in "BDE"] == ["(3)"] * 3


def test_a_number_for_a_bias_fills_it() -> None:
    board = mlp()
    board.bind(Binding("data", shape=(2, 3)), Binding("fc1_bias", "constant", "0.1"))
    analysis = fresh(board)
    assert analysis.problems == ()
    assert str(analysis.input_shape(board.find("fc1"), 2)) == "(32)"


def test_the_type_of_the_data_goes_to_the_weights() -> None:
    board = mlp()
    board.bind(Binding("data", shape=(2, 3), dtype="float64"), Binding("fc1_weight", "initializer", "xavier"))
    analysis = fresh(board)
    assert str(analysis.output_dtype(board.find("fc2"))) == "float64"


def test_files_and_data_sets_are_asked_for_their_shape() -> None:
    board = mlp()
    board.bind(Binding("data", "dataset", "digits#image"))
    analysis = analyse_after(None, board.document, lambda binding, options: (options.batch, 64))
    assert shape(analysis, board, "fc1") == "(64, 32)"


# Heads -----------------------------------------------------------------------------------------------------------


def test_the_group_decides_the_outputs_and_their_order() -> None:
    board = product()
    group = board.add(GROUP)
    for name in ("E", "C"):
        board.wire(board.find(name), group, 9)
    analysis = fresh(board)
    assert analysis.output_names == ("E_output", "C_output")
    assert analysis.output_tags == {board.find("E"): (0,), board.find("C"): (1,)}
    assert analysis.problems == ()
    assert group not in analysis.node_index


def test_the_settings_decide_before_the_group() -> None:
    board = product()
    group = board.add(GROUP)
    board.wire(board.find("E"), group)
    board.do(edits.set_options(board.document, heads=(board.find("C"),)))
    assert fresh(board).output_names == ("C_output",)


def test_every_sink_is_an_output_with_all_it_has() -> None:
    board = product()
    split = board.add("SliceChannel", "split", {"num_outputs": "2"})
    board.wire(board.find("C"), split)
    analysis = fresh(board)
    assert analysis.output_names == ("E_output", "split_output0", "split_output1")
    assert analysis.output_tags[split] == (1, 2)


def test_isolated_variables_are_not_bound_but_have_their_shape() -> None:
    board = product()
    board.add(VARIABLE, "X")
    board.bind(Binding("X", "constant", "[[1, 2]]"), Binding("A", "constant", "1"))
    analysis = fresh(board)
    assert "X" not in analysis.argument_names
    assert shape(analysis, board, "X") == "(1, 2)"


def test_what_is_not_bound_is_inferred_without_helping_what_is() -> None:
    """C alone is bound; E gives A its shape, but a bind of C would not know it."""
    board = product()
    board.do(edits.set_options(board.document, heads=(board.find("C"),)))
    board.bind(Binding("D", "constant", "[1, 2]"))
    analysis = fresh(board)
    assert set(analysis.open_arguments) == {"A", "B"}
    assert shape(analysis, board, "C") == "?"
    assert shape(analysis, board, "E") == "(2)"


def test_a_group_of_variables_can_be_bound() -> None:
    board = Board()
    a, group = board.add(VARIABLE), board.add(GROUP)
    board.wire(a, group)
    analysis = fresh(board)
    assert analysis.output_names == ("A",)
    assert analysis.can_bind


# Problems --------------------------------------------------------------------------------------------------------


def test_shapes_that_clash_blame_the_wire() -> None:
    board = product()
    board.bind(Binding("A", "constant", "[1, 2, 3]"), Binding("B", "constant", "[1, 2]"))
    problem = the_problem(board)
    assert problem.node == board.find("C")
    assert problem.edge is not None
    assert board.document.edges[problem.edge].source == board.find("B")
    assert problem.port == "rhs"
    assert "(3)" in problem.sentence
    assert "(2)" in problem.sentence
    assert not fresh(board).can_bind


def test_ranks_that_differ_are_told_too() -> None:
    board = Board()
    a, fc, cat = board.add(VARIABLE), board.add("FullyConnected", "fc"), board.add("Concat", "cat")
    board.bind(Binding("A", "constant", "[1, 2]"), Binding("fc_data", shape=(2, 3)))
    edge = board.wire(a, cat, 0)
    board.wire(fc, cat, 1)
    problem = the_problem(board)
    assert problem.node == cat
    assert "the ranks differ" in problem.sentence
    assert board.document.edges[edge].target == problem.node


def test_a_self_made_argument_with_a_wrong_shape_blames_its_port() -> None:
    board = mlp()
    board.bind(Binding("data", shape=(2, 3)), Binding("fc1_bias", "constant", "[1, 2]"))
    problem = the_problem(board)
    assert (problem.node, problem.port, problem.edge) == (board.find("fc1"), "bias", None)


def test_wrong_settings_are_all_told_and_the_rest_is_inferred() -> None:
    board = mlp()
    fc2 = board.find("fc2")
    board.bind(Binding("data", shape=(2, 3)))
    board.do(edits.set_param(board.document, fc2, "num_hidden", "many"))
    board.do(edits.set_param(board.document, fc2, "no_bias", "perhaps"))
    analysis = fresh(board)
    assert [(problem.node, problem.port) for problem in analysis.problems] == [
        (fc2, "num_hidden"),
        (fc2, "no_bias"),
    ]
    assert all("fc2" in problem.sentence for problem in analysis.problems)
    assert shape(analysis, board, "relu1") == "(2, 32)"
    assert shape(analysis, board, "fc2") == shape(analysis, board, "softmax") == "?"
    assert [port.name for port in analysis.ports(fc2)] == ["data", "weight", "bias"]
    assert [made.entry for made in analysis.auto_arguments[fc2]] == [None, None]
    assert analysis.errors == analysis.problems
    assert not analysis.can_bind


def test_a_setting_that_the_operator_refuses_as_a_whole() -> None:
    board = Board()
    board.add("Convolution", "conv", {"kernel": "(3, 3)", "num_filter": "4", "stride": "(1,)"})
    problem = the_problem(board)
    assert problem.name == "conv"


def test_names_that_many_operators_share_are_told_once() -> None:
    for count, told in ((4, 3), (5, 1)):
        nodes = [Node(f"n{number}", "exp", "relu0") for number in range(count)]
        edges = [Edge(f"e{number}", f"n{number}", 0, f"n{number + 1}", 0) for number in range(count - 1)]
        problems = analyse_after(None, file_of(*nodes, edges=tuple(edges)), None).problems
        assert [problem.severity for problem in problems] == ["warning"] * told
        assert problems[0].node == "n1"
    assert problems[0].sentence == (
        "relu0 and 3 other nodes have the name of a node before them. They run all the same; rename those that names"
        " are to tell apart."
    )


def test_unknown_operators_are_told_with_near_names() -> None:
    document = file_of(
        Node("n1", "FulyConnected", "fc1"), Node("n2", "exp", "x"), edges=(Edge("e1", "n1", 0, "n2", 0),)
    )
    (sentence,) = sentences(document)
    assert sentence == "fc1: There is no operator called 'FulyConnected' here. Did you mean FullyConnected?"
    analysis = analyse_after(None, document, None)
    assert analysis.output_shapes("n1") == ()
    assert len(analysis.ports("n1")) == 0


def test_an_opaque_node_is_told_and_shapes_flow_around_it() -> None:
    document = file_of(
        Node("n1", VARIABLE, "a", attributes={"__shape__": "(2, 3)"}),
        Node("n2", "Mystery", "m", params={"mood": "x"}, arity=Arity(2, 2, 1)),
        Node("n3", "elemwise_add", "s"),
        edges=(Edge("e1", "n1", 0, "n2", 0), Edge("e2", "n1", 0, "n3", 0), Edge("e3", "n2", 1, "n3", 1)),
    )
    analysis = analyse_after(None, document, None)
    (problem,) = analysis.problems
    assert problem.sentence == (
        "m can't run: there is no operator called 'Mystery' here. "
        "Its inputs and settings are kept, saved and exported as they came."
    )
    assert (problem.node, problem.severity, problem.name) == ("n2", "error", "m")
    assert not analysis.can_bind
    assert analysis.errors == (problem,)
    assert analysis.faults == ()
    assert list(map(str, analysis.output_shapes("n2"))) == ["?", "(2, 3)"]
    assert analysis.argument_names == ("a", "m_arg1")
    assert [port.name for port in analysis.ports("n2")] == ["arg0", "arg1"]


def test_a_wire_that_an_opaque_node_has_no_input_or_output_for_is_a_fault() -> None:
    document = file_of(
        Node("n1", VARIABLE, "a"),
        Node("n2", "Mystery", "m", arity=Arity(1)),
        Node("n3", "exp", "x"),
        edges=(Edge("e1", "n1", 0, "n2", 3), Edge("e2", "n2", 1, "n3", 0)),
    )
    found = analyse_after(None, document, None).faults
    assert [problem.edge for problem in found] == ["e1", "e2"]
    assert "takes 1 input (arg0)" in found[0].sentence
    assert "has only one output" in found[1].sentence


def test_circles_are_told_once_each_and_the_rest_is_inferred() -> None:
    nodes = [Node(f"n{number}", "exp", name) for number, name in enumerate("pqrst")]
    wires = (("n0", "n1"), ("n1", "n0"), ("n1", "n2"), ("n3", "n3"))
    edges = tuple(Edge(f"e{number}", *_ends(one, other)) for number, (one, other) in enumerate(wires[:1]))
    edges += (Edge("e1", "n1", 0, "n0", 0), Edge("e2", "n1", 0, "n2", 0), Edge("e3", "n3", 0, "n3", 0))
    analysis = analyse_after(None, file_of(*nodes, edges=edges), None)
    assert [problem.sentence for problem in analysis.problems] == [
        "These nodes feed each other in a circle: p → q → p. Remove one of the wires.",
        "These nodes feed each other in a circle: s → s. Remove one of the wires.",
    ]
    assert analysis.problems[0].edge in ("e0", "e1")
    assert analysis.output_names == ("t_output",)
    assert not analysis.can_bind


def _ends(source: str, target: str) -> tuple[str, int, str, int]:
    return source, 0, target, 0


def test_wires_that_lead_nowhere() -> None:
    a, b, c = (Node(f"n{number}", VARIABLE, name) for number, name in enumerate("ABC"))
    x = Node("n3", "exp", "x")
    edges = (Edge("e0", "n0", 0, "n3", 0), Edge("e1", "n1", 0, "n3", 1), Edge("e2", "n0", 0, "n2", 0))
    analysis = analyse_after(None, file_of(a, b, c, x, edges=edges), None)
    told = {problem.edge: problem.sentence for problem in analysis.problems}
    assert told == {
        "e1": "x (exp) takes 1 input (data), so the wire from B goes nowhere. Remove it.",
        "e2": "C is a Variable and takes no inputs. Remove the wire from A.",
    }
    assert analysis.argument_names == ("A",)


def test_too_many_wires_on_concat_advise_to_raise_the_count() -> None:
    board = Board()
    node = board.add("Concat", "cat")
    for number in range(2):
        board.wire(board.add(VARIABLE), node, number)
    board.do(edits.set_param(board.document, node, "num_args", "1"))
    assert the_problem(board).sentence.endswith("Remove it or raise num_args.")


def test_wires_from_outputs_that_are_not_there() -> None:
    board = Board()
    split, x = board.add("SliceChannel", "split", {"num_outputs": "3"}), board.add("exp", "x")
    edge = board.wire(split, x, output=2)
    board.do(edits.set_param(board.document, split, "num_outputs", "2"))
    problem = the_problem(board)
    assert (problem.edge, problem.node) == (edge, x)
    assert problem.sentence == "x reads output 2 of split, which has only 2 outputs."


def test_auxiliary_states_take_variables_only() -> None:
    nodes = (Node("n1", "exp", "x"), Node("n2", "BatchNorm", "bn"))
    (sentence,) = sentences(file_of(*nodes, edges=(Edge("e1", "n1", 0, "n2", 3),)))
    assert sentence == "moving_mean of bn is an auxiliary state, so only a Variable can feed it, not x."


def test_rules_of_groups() -> None:
    empty = Node("n1", GROUP, "outs")
    assert sentences(file_of(empty)) == [
        "outs has no inputs. Wire the outputs to bind to it, in their order."
    ]
    x = Node("n2", "exp", "x")
    into = Edge("e1", "n2", 0, "n1", 0)
    other, more = Node("n3", GROUP, "more"), Edge("e2", "n2", 0, "n3", 0)
    (sentence,) = sentences(file_of(empty, x, other, edges=(into, more)))
    assert sentence.startswith("outs and more are both Groups")
    assert sentences(file_of(empty, x, other, edges=(into, more), heads=("n3",))) == []
    y = Node("n4", "exp", "y")
    told = sentences(file_of(empty, x, y, edges=(into, Edge("e3", "n1", 0, "n4", 0))))
    assert told == ["outs is a Group and cannot be an input, but y reads it."]


def test_names_that_are_missing_or_doubled() -> None:
    a, again = Node("n1", VARIABLE, "A"), Node("n2", VARIABLE, "A")
    x, also = Node("n3", "exp", "x"), Node("n4", "exp", "x")
    plus = Node("n5", "elemwise_add", " ")
    edges = tuple(
        Edge(f"e{number}", *ends)
        for number, ends in enumerate(
            [("n1", 0, "n3", 0), ("n2", 0, "n4", 0), ("n3", 0, "n5", 0), ("n4", 0, "n5", 1)]
        )
    )
    problems = analyse_after(None, file_of(a, again, x, also, plus, edges=edges), None).problems
    assert [(problem.node, problem.severity) for problem in problems] == [
        ("n2", "error"),
        ("n4", "warning"),
        ("n5", "warning"),
    ]
    assert sentences(file_of(Node("n1", VARIABLE, ""))) == ["A node (Variable) has no name. Give it one."]


def test_a_variable_called_like_a_self_made_argument() -> None:
    board = mlp()
    added = edits.extract_argument(board.document, board.find("fc1"), 1)
    board.do(added.transaction)
    (edge,) = [edge.id for edge in board.document.edges.values() if edge.source == added.node_id]
    board.do(edits.disconnect(board.document, edge))
    assert fresh(board).problems == ()  # isolated, it is in nobody's way
    board.wire(added.node_id, board.add("exp", "x"))
    problem = the_problem(board)
    assert problem.node == added.node_id
    assert problem.sentence.startswith(
        "fc1_weight is the name of a Variable and of the argument that fc1 makes"
    )


def test_two_nodes_that_make_the_same_arguments() -> None:
    nodes = [Node(f"n{number}", "FullyConnected", "fc", params={"num_hidden": "2"}) for number in (1, 2)]
    problems = analyse_after(None, file_of(*nodes), None).problems
    assert [(problem.node, problem.severity) for problem in problems] == [("n2", "warning"), ("n2", "error")]


def test_values_that_cannot_be_are_told_at_their_node() -> None:
    board = mlp()
    board.bind(Binding("data", "constant", "ten"), Binding("fc1_bias", "constant", "[]"))
    problems = fresh(board).problems
    assert [(problem.node, problem.port) for problem in problems] == [
        (board.find("data"), None),
        (board.find("fc1"), "bias"),
    ]


def test_nothing_to_bind_is_a_warning() -> None:
    board = Board()
    board.add(VARIABLE)
    problem = the_problem(board)
    assert (problem.node, problem.severity) == (None, "warning")
    assert not fresh(board).can_bind


def test_what_is_not_bound_does_not_keep_the_rest_from_being_bound() -> None:
    board = product()
    bad = board.add("FullyConnected", "bad", {"num_hidden": "x"})
    assert not fresh(board).can_bind
    group = board.add(GROUP)
    board.wire(board.find("E"), group)
    analysis = fresh(board)
    assert [problem.node for problem in analysis.problems] == [bad]
    assert analysis.errors == ()
    assert analysis.can_bind
    assert analysis.problems_at(bad) == analysis.problems


# Shapes of a wire in the hand ------------------------------------------------------------------------------------


def wired(analysis: Analysis, source: str, target: str, number: int) -> Verdict:
    """Tell what a wire from a node's first output would do to the shapes."""
    would_be = connect(analysis.document, source, 0, target, number).apply(analysis.document)
    return trial(analysis, would_be, target)


def test_a_wire_whose_shape_would_clash_is_refused_with_both_shapes() -> None:
    board = product()
    board.bind(Binding("A", "constant", "[1, 2, 3]"))
    board.add(VARIABLE, "X")
    board.bind(Binding("X", "constant", "[1, 2]"))
    analysis = analyse(board.document)
    answer = wired(analysis, board.find("X"), board.find("C"), 1)
    assert not answer
    assert "(3)" in answer.reason
    assert "(2)" in answer.reason
    assert wired(analysis, board.find("A"), board.find("C"), 1)


def test_what_clashes_already_is_no_reason() -> None:
    board = product()
    board.bind(Binding("A", "constant", "[1, 2, 3]"), Binding("B", "constant", "[1, 2]"))
    x = board.add("exp", "x")
    assert wired(analyse(board.document), board.find("A"), x, 0)


# Memory ----------------------------------------------------------------------------------------------------------


def test_the_same_document_is_analysed_once() -> None:
    board = product()
    assert analyse(board.document) is analyse(board.document)


def test_another_way_to_look_up_values_is_another_analysis() -> None:
    board = mlp()
    board.bind(Binding("data", "file", "x.npy"))
    assert shape(analyse(board.document), board, "fc1") == "?"
    assert shape(analyse(board.document, lambda binding, options: (2, 3)), board, "fc1") == "(2, 32)"
    assert shape(analyse(board.document), board, "fc1") == "?"


def test_moving_a_node_keeps_the_graph_and_the_inference() -> None:
    board = mlp()
    board.bind(Binding("data", shape=(2, 3)))
    before = analyse(board.document)
    board.do(edits.move(board.document, {board.find("fc1"): (1.0, 1.0)}))
    after = analyse(board.document)
    assert after.document is board.document
    assert after.graph is before.graph
    assert after.inference is before.inference


def test_a_new_value_keeps_the_symbol() -> None:
    board = mlp()
    board.bind(Binding("data", shape=(2, 3)))
    before = analyse(board.document)
    board.bind(Binding("data", shape=(5, 3)))
    after = analyse(board.document)
    assert after.symbol is before.symbol
    assert shape(after, board, "softmax") == "(5, 10)"


@given(wild_documents())
def test_nothing_makes_it_raise(document: Document) -> None:
    analysis = analyse_after(None, document, None)
    for problem in analysis.problems:
        assert problem.sentence.endswith((".", "?"))
        assert problem.node is None or problem.name == document.nodes[problem.node].name
    for edge in document.edges:
        assert str(analysis.wire_shape(edge))
    for node in document.nodes:
        names = [port.name for port in analysis.ports(node)]
        assert len(set(names)) == len(names)
        analysis.output_shapes(node)
    if analysis.graph is not None:
        assert set(analysis.node_ids) == set(range(len(analysis.graph.nodes)))
    if analysis.can_bind:
        assert analysis.drawing.is_whole


def test_a_number_too_large_for_its_type_is_a_problem() -> None:
    document = Document(
        nodes={"n1": Node("n1", "Variable", "A"), "n2": Node("n2", "exp", "e")},
        edges={"w1": Edge("w1", "n1", 0, "n2", 0)},
        bindings={"A": Binding("A", "constant", "1e60")},
    )
    assert "too large for float32" in analyse(document).problems[0].sentence
    wide = attrs.evolve(document, bindings={"A": Binding("A", "constant", "1e60", dtype="float64")})
    assert not analyse(wide).problems

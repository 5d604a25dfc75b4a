"""Inference runs both ways, explains every dimension, tells all problems at once, and follows edits."""

from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.engine import EngineError, Group, Variable, sym
from app.engine.graph import Graph
from app.engine.inference.infer import infer
from app.engine.inference.reasons import chain
from app.engine.inference.solver import solve_all
from app.engine.inference.types import _Types, all_float32, infer_types
from app.engine.shapes import Shape
from tests.networks import Network, networks


def mlp():
    data = Variable("data")
    fc1 = sym.FullyConnected(data, num_hidden=32, name="fc1")
    act = sym.Activation(fc1, act_type="relu", name="act")
    return sym.SoftmaxOutput(sym.FullyConnected(act, num_hidden=10, name="fc2"), name="softmax")


def entry_of(graph: Graph, name: str) -> tuple[int, int]:
    return graph.index_by_name[name], 0


def test_weights_and_labels_follow_from_data() -> None:
    arguments, outputs, _ = mlp().infer_shape(data=(64, 8, 4, 4))
    assert arguments == [(64, 8, 4, 4), (32, 128), (32,), (10, 32), (10,), (64,)]
    assert outputs == [(64, 10)]


def test_open_shapes_give_three_nones_and_partial_zeros() -> None:
    assert mlp().infer_shape() == (None, None, None)
    arguments, _, _ = mlp().infer_shape_partial(data=(0, 5))
    assert arguments[:3] == [(0, 5), (32, 5), (32,)]


def test_halves_of_one_shape_join() -> None:
    net = Variable("x") + Variable("y")
    assert net.infer_shape(x=(3, 0), y=(0, 5))[0] == [(3, 5), (3, 5)]


def test_knowledge_flows_backward() -> None:
    net = sym.exp(Variable("x")) * Variable("y")
    assert net.infer_shape(y=(2, 7))[0] == [(2, 7), (2, 7)]


def test_all_problems_come_at_once_with_node_and_port() -> None:
    x, y = Variable("x"), Variable("y")
    left = sym.elemwise_add(x, y, name="left")
    right = sym.dot(x, y, name="right")
    inference = infer(sym.Group([left, right]).graph, {"x": (2, 3), "y": (4, 5)})
    assert [problem.node for problem in inference.problems] == ["left", "right"]
    assert inference.problems[0].input == 1
    assert "(2, 3)" in inference.problems[0].sentence
    assert "(4, 5)" in inference.problems[0].sentence


def test_unknown_argument_is_refused() -> None:
    with pytest.raises(EngineError, match="nope"):
        mlp().infer_shape(nope=(1,))


def test_every_dimension_has_its_reason() -> None:
    graph = mlp().graph
    inference = infer(graph, {"data": (64, 8, 4, 4)})
    hidden, width = inference.why(entry_of(graph, "fc1_weight"))
    assert hidden.sentence == "32 because num_hidden = 32"
    assert width.size == 128
    assert "8·4·4" in width.sentence
    assert set(width.follows_from) == {(entry_of(graph, "data"), axis) for axis in (1, 2, 3)}
    assert inference.is_given(entry_of(graph, "data"))
    assert not inference.is_given(entry_of(graph, "fc1_weight"))


def test_the_chain_ends_at_what_was_given() -> None:
    graph = mlp().graph
    inference = infer(graph, {"data": (64, 16)})
    steps = chain(inference, graph.heads[0], 0)
    assert steps[0].size == 64
    assert steps[-1].entry == entry_of(graph, "data")
    assert "was given" in steps[-1].sentence


def replaced(graph: Graph, name: str, **settings) -> Graph:
    """Return the graph with one node's settings changed."""
    index = graph.index_by_name[name]
    return graph.with_settings(index, attrs.evolve(graph.nodes[index].operator, **settings))


def watch_rules(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the list into which every rule that is asked writes its operator's name."""
    asked: list[str] = []
    for operator_class in {type(node.operator) for node in graph.nodes if node.operator is not None}:
        rule = operator_class.infer

        def watched(self, ins, outs, rule=rule):
            asked.append(type(self).__name__)
            return rule(self, ins, outs)

        monkeypatch.setattr(operator_class, "infer", watched)
    return asked


def test_an_edit_runs_only_the_rules_it_touches(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = mlp().graph
    shapes = {"data": (63, 16)}
    first = infer(graph, shapes)
    edited = replaced(graph, "fc1", num_hidden=20)
    asked = watch_rules(graph, monkeypatch)
    second = infer(edited, shapes, previous=first)
    assert asked == ["FullyConnected", "Activation", "FullyConnected"]  # softmax sees what it saw before
    assert second.outputs == infer(edited, shapes).outputs
    assert len(asked) == 3  # what rules have said once is remembered


@pytest.mark.parametrize(
    "shapes",
    [{"data": (64, 16)}, {"data": (0, 16)}, {}, {"data": (7, 3, 2)}, {"data": (8, 4), "fc1_weight": (32, 4)}],
)
@pytest.mark.parametrize("other", [{"data": (64, 16)}, {"data": (5, 9)}, {}, {"fc2_weight": (10, 32)}])
def test_following_an_edit_gives_what_a_fresh_inference_gives(shapes, other) -> None:
    graph = mlp().graph
    first = infer(graph, shapes)
    narrow = replaced(graph, "fc1", num_hidden=9)
    for edited in (
        graph,
        narrow,
        replaced(graph, "fc2", no_bias=False),
        replaced(narrow, "fc2", num_hidden=5),
    ):
        followed, fresh = infer(edited, other, previous=first), infer(edited, other)
        assert followed.outputs == fresh.outputs
        assert [problem.node for problem in followed.problems] == [problem.node for problem in fresh.problems]


@pytest.mark.parametrize(("count", "named"), [(1, "x0"), (4, "x0, x1, x2, x3"), (5, "x0, x1, x2, x3 …")])
def test_what_is_open_is_named_and_of_many_the_first_four(count: int, named: str) -> None:
    graph = Group([Variable(f"x{number}") for number in range(count)]).graph
    with pytest.raises(EngineError) as refusal:
        infer(graph, {}).refuse_open()
    what, them = (f"The shape of {named} is", "it") if count == 1 else (f"The shapes of {named} are", "them")
    assert str(refusal.value) == f"{what} still open. Give {them}, or the shape of an input."


def test_types_flow_both_ways_and_default_to_float32() -> None:
    graph = mlp().graph
    assert {str(inference) for row in infer(graph, {}).types for inference in row} == {"float32"}
    double = infer(graph, {}, {"data": "float64"})
    assert double.dtype(entry_of(graph, "fc1_weight")) == "float64"
    mixed = infer((Variable("x") + Variable("y")).graph, {}, {"x": "float32", "y": "float64"})
    assert [problem.node for problem in mixed.problems] == [mixed.graph.nodes[-1].name]


def longer():
    """The same net with one more layer in the middle."""
    data = Variable("data")
    fc1 = sym.FullyConnected(data, num_hidden=32, name="fc1")
    act = sym.Activation(fc1, act_type="relu", name="act")
    extra = sym.Dropout(act, name="drop")
    return sym.SoftmaxOutput(sym.FullyConnected(extra, num_hidden=10, name="fc2"), name="softmax")


def test_a_new_node_is_inferred_and_its_reader_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    shapes = {"data": (62, 16)}
    first = infer(mlp().graph, shapes)
    asked = watch_rules(longer().graph, monkeypatch)
    second = infer(longer().graph, shapes, previous=first)
    assert asked == ["Dropout"]  # fc2 reads another array now, of the same shape as before
    assert second.outputs == infer(longer().graph, shapes).outputs


def test_a_removed_node_leaves_the_rest_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    shapes = {"data": (61, 16)}
    first = infer(longer().graph, shapes)
    asked = watch_rules(longer().graph, monkeypatch)
    second = infer(mlp().graph, shapes, previous=first)
    assert asked == []
    assert second.outputs == infer(mlp().graph, shapes).outputs


def test_what_a_removed_reader_found_is_forgotten() -> None:
    x, w = Variable("x"), Variable("w")
    layer = sym.FullyConnected(x, w, num_hidden=3, name="fc", no_bias=True)
    both = sym.Group([layer, sym.exp(w, name="e")])
    first = infer(both.graph, {"x": (2, 5)})
    alone = sym.exp(w, name="e")
    assert infer(alone.graph, {}, previous=first).shape((0, 0)) == ()


def test_one_sweep_and_the_solver_find_the_same() -> None:
    """The sweep is a short cut of the solver: shapes and who found them are alike where both can do it."""
    graph = longer().graph
    for shapes in ({"data": (64, 16)}, {"data": (0, 16)}, {"data": (8, 4), "fc1_weight": (32, 0)}, {}):
        swept, solved = infer(graph, shapes), solve_all(graph, shapes)
        assert swept.swept is not None
        assert list(swept.outputs) == solved.outputs
        for index, outputs in enumerate(swept.outputs):
            for number in range(len(outputs)):
                steps = solved.findings.get((index, number), ())
                assert swept.findings((index, number)) == steps


def partly(data: st.DataObject, whole: dict[str, Shape]) -> dict[str, Shape]:
    """Draw what is told of each variable: nothing, all, all but one size, or another size."""
    told = {}
    for name, shape in whole.items():
        axis = data.draw(st.integers(0, len(shape) - 1))
        size = data.draw(st.sampled_from([None, None, shape[axis], shape[axis], 0, 7]))
        if size is not None:
            told[name] = (*shape[:axis], size, *shape[axis + 1 :])
    return told


@settings(deadline=None)
@given(networks(), st.data())
def test_the_sweep_the_solver_and_what_follows_an_edit_find_the_same(
    network: Network, data: st.DataObject
) -> None:
    graph = Group([network.symbol, Variable("read by nobody")]).graph
    inferred = infer(graph, {**network.shapes, "read by nobody": (2, 3)})
    whole = {graph.nodes[index].name: inferred.shape((index, 0)) for index in graph.arguments}
    told = partly(data, whole)
    solved = solve_all(graph, told)
    for found in (infer(graph, told), infer(graph, told, previous=infer(graph, partly(data, whole)))):
        assert list(found.outputs) == solved.outputs
        assert [problem.index for problem in found.shape_problems] == sorted(solved.problems)
        for entry in graph.internals():
            assert found.findings(entry) == solved.findings.get(entry, ())


def test_knowledge_that_flows_back_is_left_to_the_solver() -> None:
    net = sym.exp(Variable("x")) * Variable("y")
    inference = infer(net.graph, {"y": (2, 7)})
    assert inference.swept is None
    inference.refuse_open()


@pytest.mark.parametrize("kind", ["float32", "float64", "int32"])
def test_the_short_cut_through_types_says_what_the_whole_way_says(kind: str) -> None:
    x = Variable("x")
    pooled = sym.Pooling(sym.BatchNorm(x), kernel=(2, 2), pool_type="max")
    for net in (mlp(), pooled, sym.Cast(x, dtype=kind), sym.argmax(x, axis=0), sym.one_hot(x, depth=3)):
        short = all_float32(net.graph, {})
        whole = infer_types(net.graph, {})
        assert short is None or (short.found == whole.found and not whole.problems)
    assert all_float32(mlp().graph, {}) is not None
    assert all_float32(pooled.graph, {}) is not None


def test_open_shapes_are_told_in_the_right_number() -> None:
    with pytest.raises(EngineError, match=r"^The shape of x is still open. Give it, or"):
        sym.relu(Variable("x")).simple_bind({})
    with pytest.raises(EngineError, match=r"^The shapes of x, y are still open. Give them, or"):
        (Variable("x") + Variable("y")).simple_bind({})


def test_a_type_found_late_sends_for_its_neighbours_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = [Variable(f"a{number}") + Variable(f"b{number}") for number in range(60)]
    asked = []
    rule = _Types.apply

    def counted(types: _Types, index: int, *words: Any) -> None:
        asked.append(index)
        rule(types, index, *words)

    monkeypatch.setattr(_Types, "apply", counted)
    typing = infer_types(Group(pairs).graph, {"b7": np.dtype("float64")})
    assert len(asked) <= 4 * len(pairs)
    assert [typing.found[index][0] for index in range(3)] == [np.float32] * 3
    assert typing.found[3 * 7 + 2] == (np.float64,)


def test_an_edit_that_changes_the_ports_is_no_local_edit() -> None:
    graph = mlp().graph
    edited = replaced(graph, "fc2", no_bias=True)
    assert edited.edited is None


def test_a_transpose_with_an_axis_named_twice_says_nothing_of_its_data() -> None:
    symbol = sym.elemwise_add(sym.transpose(Variable("x"), axes=(0, 1, 1)), Variable("y"))
    shapes = symbol.infer_shape_partial(y=(2, 3, 3))
    assert shapes[1] == [(2, 3, 3)]


@pytest.mark.parametrize("number", ["²", "9" * 5000, "-1", "", "float32"])
def test_a_declared_type_that_is_no_number_of_a_type_says_nothing(number: str) -> None:
    variable = Variable("x", attr={"__dtype__": number})
    assert infer(variable.graph, {"x": (2,)}).settled_dtype((0, 0)) == np.float32


@pytest.mark.parametrize("shape", [(-2, 3), (2, 2**63), (1,) * 65])
def test_a_shape_that_no_array_has_is_told_at_its_variable_and_goes_no_further(shape: Shape) -> None:
    (problem,) = infer(sym.Flatten(Variable("x")).graph, {"x": shape}).problems
    assert problem.node == "x" and problem.sentence.startswith("x: ")


def test_the_length_that_differs_from_the_channels_is_blamed() -> None:
    layer = sym.BatchNorm(Variable("x"), name="bn")
    problem = infer(layer.graph, {"x": (2, 3), "bn_gamma": (4,), "bn_beta": (3,)}).problems[0]
    assert problem.port == "gamma" and "expected (3) but got (4)" in problem.sentence

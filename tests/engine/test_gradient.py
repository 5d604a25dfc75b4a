"""The executor graph holds what was asked for, reads what backward reads, and nothing else."""

from collections.abc import Callable

import numpy as np
import pytest

from app.engine import Group, Symbol, Variable, sym
from app.engine.backends.computing import is_installed
from app.engine.errors import RunError
from app.engine.gradient import ExecutorGraph, build_executor_graph
from app.engine.inference.infer import infer

BACKENDS = ["numpy", *(["torch"] if is_installed("torch") else [])]


def executor_graph(symbol, shapes, **requests) -> ExecutorGraph:
    graph = symbol.graph
    return build_executor_graph(graph, infer(graph, shapes), requests)


def names(found: ExecutorGraph) -> list[str]:
    return [node.name for node in found.nodes]


def reads(found: ExecutorGraph, name: str) -> set[str]:
    node = next(node for node in found.nodes if node.name == name)
    return {found.nodes[index].name for index in node.reads}


def picture() -> tuple:
    a, b, d = (Variable(name) for name in "ABD")
    c = sym.elemwise_mul(a, b, name="C")
    return sym.elemwise_mul(c, d, name="E"), dict.fromkeys("ABD", (1,))


def test_the_gradient_picture() -> None:
    found = executor_graph(*picture(), A="write")
    assert names(found) == ["A", "B", "C", "D", "E", "d(E)", "d(C)", "d(A)"]
    assert reads(found, "d(C)") == {"D", "d(E)"}
    assert reads(found, "d(A)") == {"B", "d(C)"}
    kinds = {node.name: node.kind for node in found.nodes}
    assert kinds["d(E)"] == "head_gradient"
    made_by = {node.name: found.graph.nodes[node.symbol_node].name for node in found.nodes}
    assert made_by == {**{name: name for name in "ABCDE"}, "d(E)": "E", "d(C)": "E", "d(A)": "C"}
    assert kinds["d(C)"] == "gradient"
    assert [node.name for node in found.nodes if node.request == "write"] == ["d(A)"]
    assert [found.nodes[index].name for index in found.outputs] == ["E"]


def test_nothing_is_there_that_nobody_asked_for() -> None:
    found = executor_graph(*picture())
    assert names(found) == ["A", "B", "C", "D", "E"]
    found = executor_graph(*picture(), D="write")
    assert names(found)[5:] == ["d(E)", "d(D)"]


def test_a_value_used_twice_gets_a_sum() -> None:
    x = Variable("x")
    found = executor_graph(sym.elemwise_add(x * x, x, name="y"), {"x": (1,)}, x="add")
    total = found.nodes[found.gradient_nodes[found.graph.index_by_name["x"], 0]]
    assert total.kind == "gradient_sum"
    assert total.request == "add"
    assert len(total.reads) == 3


def test_a_loss_reads_no_head_gradient_and_a_label_gets_nothing() -> None:
    net = sym.SoftmaxOutput(Variable("data"), name="softmax")
    found = executor_graph(net, {"data": (4, 3)}, data="write", softmax_label="write")
    assert names(found) == ["data", "softmax_label", "softmax", "d(data)"]
    assert not found.head_gradients


def test_an_output_that_is_used_too_sums_both_ways() -> None:
    x = Variable("x")
    c = sym.exp(x, name="c")
    found = executor_graph(Group([sym.square(c, name="e"), c]), {"x": (2,)}, x="write")
    total = next(node for node in found.nodes if node.kind == "gradient_sum")
    assert total.name == "d(c)"
    assert {found.nodes[index].kind for index in total.reads} == {"head_gradient", "gradient"}


def test_a_blocked_gradient_is_zero() -> None:
    net = sym.BlockGrad(Variable("x"), name="stop")
    found = executor_graph(net, {"x": (2,)}, x="write")
    assert [(node.name, node.is_zero) for node in found.nodes if node.kind == "gradient"] == [("d(x)", True)]


def test_formulas_use_the_names_of_the_graph() -> None:
    net = sym.FullyConnected(Variable("data"), num_hidden=2, name="fc1")
    found = executor_graph(net, {"data": (4, 3)}, fc1_weight="write")
    formula = next(node.formula for node in found.nodes if node.name == "d(fc1_weight)")
    assert formula.startswith("d(fc1_weight) = ")
    assert "d(fc1)" in formula
    assert "data" in formula


def test_of_one_array_twice_an_output_the_last_head_gradient_counts() -> None:
    y = sym.negative(Variable("x"), name="y")
    executor = Group([y, y]).simple_bind({"x": (1,)})
    executor.forward(is_train=True)
    executor.backward([np.array([1.0], np.float32), np.array([10.0], np.float32)])
    assert executor.grad_dict["x"].tolist() == [-10]


def test_a_cleared_gradient_is_written_over_a_buffer_that_asks_to_be_added_to() -> None:
    net = sym.Crop(Variable("x"), Variable("y"), num_args=2, name="c")
    arrays = {name: np.ones((1, 1, 2, 2), np.float32) for name in "xy"}
    grads = {name: np.full((1, 1, 2, 2), 7, np.float32) for name in "xy"}
    executor = net.bind(arrays, grads, "add")
    executor.forward(is_train=True)
    executor.backward(np.ones((1, 1, 2, 2), np.float32))
    assert not grads["y"].any()


@pytest.mark.parametrize("stop", ["BlockGrad", "argmax"])
def test_moving_statistics_follow_the_batch_where_nothing_flows_back(stop: str) -> None:
    """MXNet runs backward with zeros there, down to the arguments that ask for a gradient."""
    hidden = sym.FullyConnected(Variable("x"), num_hidden=3, name="f")
    net = getattr(sym, stop)(sym.BatchNorm(hidden, momentum=0.5, name="b"))
    executor = net.simple_bind({"x": (2, 3)})
    executor.arg_dict["f_bias"][...] = 2
    executor.forward(is_train=True)
    executor.backward()
    assert executor.aux_dict["b_moving_mean"].tolist() == [1, 1, 1]
    assert not any(gradient.any() for gradient in executor.grad_arrays if gradient is not None)
    assert "d(f)" not in names(executor.executor_graph)  # zeros travel no further


def test_moving_statistics_stay_where_nobody_wants_a_gradient_at_the_layer_or_before() -> None:
    net = sym.BlockGrad(sym.BatchNorm(Variable("x"), name="b"))
    executor = net.simple_bind({"x": (2, 3)}, grad_req="null")
    executor.arg_dict["x"][...] = 2
    executor.forward(is_train=True)
    executor.backward()
    assert not executor.aux_dict["b_moving_mean"].any()


@pytest.mark.parametrize(
    ("net", "needed"),
    [
        (lambda x: Group([sym.MakeLoss(x), sym.expand_dims(sym.argmax(x, axis=1), axis=0)]), ()),
        (lambda x: sym.Flatten(sym.SoftmaxOutput(x)), ()),
        (lambda x: Group([sym.MakeLoss(x), Variable("y")]), (1,)),
        (lambda x: Group([sym.tanh(x), sym.sin(x)]), (0, 1)),
    ],
)
def test_only_what_a_wanted_gradient_depends_on_must_be_handed_in(
    net: Callable[[Symbol], Symbol], needed: tuple[int, ...]
) -> None:
    executor = net(Variable("x")).simple_bind({"x": (2, 3), **({"y": (1,)} if needed == (1,) else {})})
    assert executor.executor_graph.needed_heads == needed
    executor.forward(is_train=True)
    if needed:
        with pytest.raises(RunError, match=executor.graph.output_names[needed[0]]):
            executor.backward()
    else:
        executor.backward()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("first", [True, False])
def test_the_two_gradients_of_a_sum_are_one_array(first: bool, backend: str) -> None:
    """What the holder of one of them held before is seen by whatever lies behind the other."""
    inner, outer = sym.negative(Variable("x")), Variable("y")
    net = outer + inner if first else inner + outer
    arrays = {name: np.ones(2) for name in "xy"}
    grads = {"x": np.zeros(2), "y": np.full(2, 100.0)}
    executor = net.bind(arrays, grads, {"x": "write", "y": "add"}, backend=backend)
    executor.forward(is_train=True)
    executor.backward(np.full(2, 5.0))
    assert (grads["y"].tolist(), grads["x"].tolist()) == ([105, 105], [-105, -105])


def test_backward_without_head_gradients_is_allowed_where_no_gradient_is_wanted() -> None:
    executor = sym.negative(Variable("x"), name="y").simple_bind({"x": (1,)}, grad_req="null")
    executor.forward()
    executor.backward()


@pytest.mark.parametrize(
    "layer",
    [
        lambda x: sym.topk(x, k=2, ret_typ="both"),
        lambda x: sym.BatchNorm(x, output_mean_var=True),
        lambda x: sym.LayerNorm(x, output_mean_var=True),
    ],
)
def test_outputs_whose_gradient_is_never_read_need_none(layer: Callable[[Symbol], Symbol]) -> None:
    outputs = layer(Variable("x"))
    executor = Group([sym.tanh(outputs[1]), outputs[1], sym.make_loss(outputs[0])]).simple_bind({"x": (3, 4)})
    executor.arg_dict["x"][...] = np.arange(12).reshape(3, 4)
    executor.forward(is_train=True)
    executor.backward()
    with pytest.raises(RunError, match="needs the head gradient"):
        outputs.simple_bind({"x": (3, 4)}).backward()


def test_nothing_waits_for_what_flows_into_such_an_output() -> None:
    places = sym.topk(Variable("x"), k=2, ret_typ="both")[1]
    found = executor_graph(sym.sqrt(places, name="y"), {"x": (3, 4)}, x="write")
    assert names(found)[-1] == "d(x)"
    assert "d(y)" not in names(found)

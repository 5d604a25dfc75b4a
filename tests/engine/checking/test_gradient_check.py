"""The gradient check: right gradients agree, wrong ones do not, and what cannot be checked is said in words."""

import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from app.engine import Group, Symbol, Variable, sym
from app.engine.checking.gradient_check import Checked, CheckOptions, GradientCheck, follow_check
from app.engine.errors import RunError, ShapeError
from app.engine.executor import Executor
from app.engine.operator import Operator
from app.engine.operators.activation import Activation
from app.engine.registry import all_operators
from app.engine.symbol import make_node
from tests.networks import Network, networks
from tests.operator_cases import Case


def bound(symbol: Symbol, shapes: dict[str, tuple[int, ...]], **arrays: Any) -> Executor:
    executor = symbol.simple_bind(shapes, seed=1)
    rng = np.random.default_rng(4)
    for name, array in (*executor.arg_dict.items(), *executor.aux_dict.items()):
        array[...] = arrays.get(name, rng.uniform(0.5, 1.5, array.shape) * rng.choice((-1, 1), array.shape))
    return executor


def dense() -> Executor:
    net = sym.Activation(sym.FullyConnected(Variable("data"), num_hidden=5, name="fc1"), act_type="tanh")
    net = sym.SoftmaxOutput(sym.FullyConnected(net, num_hidden=3, name="fc2"), name="softmax")
    return bound(net, {"data": (4, 6)}, softmax_label=np.array([0, 1, 2, 1]))


@pytest.mark.parametrize("name", ["data", "fc1_weight", "fc1_bias", "fc1_output", "fc2", "fc2_weight"])
def test_a_right_gradient_agrees_in_all_its_elements(name: str) -> None:
    executor = dense()
    before = {key: array.copy() for key, array in executor.arg_dict.items()}
    check = executor.check_gradient(name)
    assert check.agrees, check.sentence
    assert len(check.elements) == int(np.prod(check.shape)) > 1
    assert check.worst is not None and check.worst.difference < 1e-8
    assert "agrees with finite differences at all" in check.sentence
    assert any(element.analytic for element in check.elements)
    for key, array in executor.arg_dict.items():
        np.testing.assert_array_equal(array, before[key])


def test_it_is_the_gradient_that_backward_gives() -> None:
    executor = dense()
    executor.forward(is_train=True)
    executor.backward()
    check = executor.check_gradient("fc1_weight")
    grad = executor.grad_dict["fc1_weight"]
    for element in check.elements:
        assert grad[element.place] == pytest.approx(element.analytic, rel=1e-4, abs=1e-5)


def test_a_wrong_gradient_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    net = sym.Activation(Variable("x") * 2, act_type="tanh")
    right = Activation.backward_steps

    def wrong(self: Activation, flow: Any) -> list[Any]:
        def spoil() -> None:
            for _, grad in flow.wanted:
                grad.reshape(-1)[3] *= 1.01

        return [*right(self, flow), spoil]

    monkeypatch.setattr(Activation, "backward_steps", wrong)
    check = bound(net, {"x": (2, 4)}).check_gradient("x")
    assert not check.agrees
    assert [element.ok for element in check.elements] == [True] * 3 + [False] + [True] * 4
    assert check.worst is not None and check.worst.place == (0, 3)
    assert "disagrees" in check.sentence and "[0, 3]" in check.sentence


@settings(deadline=None, max_examples=40)
@given(networks(requests=("write",)))
def test_every_random_network_agrees(network: Network) -> None:
    executor = bound(network.symbol, network.shapes)
    for name in network.shapes:
        try:
            check = executor.check_gradient(name, samples=4)
        except RunError as refusal:
            assert "No gradient flows back" in str(refusal)
            continue
        parts = [(node.name, node.inputs) for node in network.symbol.graph.nodes]
        assert check.agrees, f"{check.sentence} {check.worst} in {parts} {network.symbol.graph.heads}"


def test_given_head_gradients_and_steps_are_used() -> None:
    x = Variable("x")
    executor = bound(x * x, {"x": (3,)}, x=np.array([1.0, 2.0, 3.0]))
    check = executor.check_gradient("x", out_grads=[np.array([1.0, 10.0, 100.0])], step=0.25)
    assert [element.analytic for element in check.elements] == [2.0, 40.0, 600.0]
    assert {element.step for element in check.elements} == {0.25}
    assert check.agrees
    with pytest.raises(RunError, match="head gradient"):
        executor.check_gradient("x", out_grads=[np.ones(3), np.ones(3)])
    with pytest.raises(RunError, match="shape"):
        executor.check_gradient("x", out_grads=[np.ones(4)])


def test_a_large_array_is_sampled_and_says_so() -> None:
    executor = bound(sym.tanh(Variable("x")), {"x": (50, 40)})
    check = executor.check_gradient("x", samples=7, seed=5)
    assert len({element.place for element in check.elements}) == 7
    assert "7 of its 2,000 elements (chosen by seed 5)" in check.sentence
    assert check.elements == executor.check_gradient("x", samples=7, seed=5).elements
    assert check.elements != executor.check_gradient("x", samples=7, seed=6).elements


def test_a_kink_is_no_mistake() -> None:
    net = sym.Activation(Variable("x"), act_type="relu")
    check = bound(net, {"x": (3,)}, x=np.array([0.0, 1.0, -1.0])).check_gradient("x")
    assert check.agrees
    assert [element.is_kink for element in check.elements] == [True, False, False]
    assert "1 of them at a kink" in check.sentence
    near = bound(net, {"x": (2,)}, x=np.array([1e-7, -1e-7])).check_gradient("x")
    assert near.agrees and near.elements[0].analytic != near.elements[1].analytic


def test_random_nodes_keep_their_draw() -> None:
    net = sym.Dropout(Variable("x") * 3, p=0.5, name="drop")
    check = bound(net, {"x": (8, 8)}).check_gradient("x", out_grads=[np.ones((8, 8))])
    assert check.agrees
    assert {round(element.analytic, 6) for element in check.elements} == {0.0, 6.0}


def test_batch_normalisation_in_training_agrees_and_else_says_why() -> None:
    executor = bound(sym.BatchNorm(Variable("x"), fix_gamma=False, name="bn"), {"x": (6, 3)})
    executor.aux_dict["bn_moving_var"][...] = 2
    for name in ("x", "bn_gamma", "bn_beta"):
        assert executor.check_gradient(name).agrees
    check = executor.check_gradient("x", is_train=False)
    assert not check.agrees
    assert any("bn computes otherwise in training" in note for note in check.notes)
    deeper = sym.BatchNorm(
        sym.FullyConnected(sym.BatchNorm(Variable("x"), name="bn0"), num_hidden=3), name="bn1"
    )
    check = bound(deeper, {"x": (6, 3)}).check_gradient("bn0", is_train=False)
    assert "bn1 computes otherwise" in " ".join(check.notes)
    check = bound(deeper, {"x": (6, 3)}).check_gradient("x", is_train=False)
    assert check.notes[-1].startswith("bn0 computes otherwise"), "what lies behind only sees other numbers"


def test_a_blocked_way_counts_as_fixed_and_is_named() -> None:
    x = Variable("x")
    check = bound(x * sym.BlockGrad(x, name="wall"), {"x": (3,)}).check_gradient("x")
    assert check.agrees
    assert "wall" in " ".join(check.notes)


def test_types_that_are_named_are_widened_too() -> None:
    x = Variable("x")
    check = bound(sym.cast(x, dtype="float32") * make_node("_ones", shape=(3,)), {"x": (3,)}).check_gradient(
        "x"
    )
    assert check.agrees and check.dtype == "float64" and not check.notes


def test_a_graph_that_only_takes_single_precision_is_checked_coarsely(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    executor = bound(sym.Activation(Variable("x"), act_type="tanh"), {"x": (3,)})

    def only_single(self: Activation, ins: Any, outs: Any) -> Any:
        if np.dtype(np.float64) in [kind for kind in ins if kind is not None]:
            raise ShapeError("only float32 will do.")
        return ins, ins

    monkeypatch.setattr(Activation, "infer_types", only_single)
    check = executor.check_gradient("x")
    assert check.agrees and check.dtype == "float32"
    assert "coarser" in " ".join(check.notes)


def test_what_cannot_be_checked_is_said() -> None:
    executor = dense()
    with pytest.raises(RunError, match="nope"):
        executor.check_gradient("nope")
    with pytest.raises(RunError, match="No gradient flows back to softmax_label"):
        executor.check_gradient("softmax_label")
    with pytest.raises(RunError, match="only an output"):
        executor.check_gradient("softmax")
    with pytest.raises(RunError, match="auxiliary state"):
        bound(sym.BatchNorm(Variable("x"), name="bn"), {"x": (4, 3)}).check_gradient("bn_moving_mean")
    rows = sym.take(Variable("table"), Variable("which"))
    whole = rows.simple_bind({"table": (4, 2), "which": (3,)}, dtypes={"which": np.int32})
    with pytest.raises(RunError, match="whole numbers"):
        whole.check_gradient("which")
    assert whole.check_gradient("table").agrees


def test_a_check_can_be_followed_and_stopped() -> None:
    x = Variable("x")
    executor = bound(Group([sym.tanh(x), x * 2]), {"x": (5,)})
    events = list(follow_check(executor, (0, 0), CheckOptions()))
    assert [event.done for event in events[:-1] if isinstance(event, Checked)] == [1, 2, 3, 4, 5]
    assert isinstance(events[-1], GradientCheck)
    cancel = threading.Event()
    steps = follow_check(executor, (0, 0), CheckOptions(), cancel)
    next(steps)
    cancel.set()
    assert list(steps) == []


LOSSES = [
    (operator, example)
    for operator in all_operators().values()
    for example in operator.examples
    if operator(**example.settings).is_loss
]


@pytest.mark.parametrize(("operator", "example"), LOSSES)
def test_every_loss_has_the_objective_of_its_gradient(operator: type[Operator], example: Any) -> None:
    case = Case(operator, example, np.float64)
    ins, run = case.numbers(), case.run()
    outs = case.forward([array.copy() for array in ins], run)
    gradient = case.backward([0], [array.copy() for array in ins], outs, case.head_gradients(), run)[0]
    for place in range(ins[0].size):
        moved = []
        for step in (-1e-6, 1e-6):
            there = [array.copy() for array in ins]
            there[0].reshape(-1)[place] += step
            moved.append(case.node.objective(there))
        assert (moved[1] - moved[0]) / 2e-6 == pytest.approx(gradient.reshape(-1)[place], abs=1e-6)


def test_one_array_is_the_only_heads_gradient() -> None:
    x = np.linspace(0.5, 2, 6).reshape(2, 3)
    executor = sym.exp(Variable("x"), name="grown").bind({"x": x}, {"x": np.zeros_like(x)})
    heads = np.arange(6.0).reshape(2, 3)
    one, listed, named = (
        executor.check_gradient("x", out_grads=given) for given in (heads, [heads], {"grown_output": heads})
    )
    assert one.agrees and one.elements == listed.elements == named.elements
    assert one.elements[4].analytic == pytest.approx(4 * np.exp(x[1, 1]))
    with pytest.raises(
        RunError, match="takes one head gradient for the one output .grown_output. but was given 2"
    ):
        executor.check_gradient("x", out_grads=[heads, heads])


def test_a_step_that_moves_nothing_is_refused() -> None:
    x = Variable("x")
    executor = bound(x * x, {"x": (2,)}, x=np.array([1e20, 1.0]))
    with pytest.raises(RunError, match=r"A step of 0\.001 is lost in rounding beside 1e\+20 in x"):
        executor.check_gradient("x", step=1e-3)
    assert executor.check_gradient("x").agrees
    steep = bound(sym.sqrt(x), {"x": (1,)}, x=np.zeros(1))
    assert not steep.check_gradient("x", step=1e-323).agrees  # a hundredth of it is nothing


def test_numbers_beyond_all_bounds_do_not_agree_and_do_not_warn() -> None:
    executor = bound(Variable("x") * 2, {"x": (2,)}, x=np.array([np.inf, np.nan]))
    assert not executor.check_gradient("x").agrees

"""Costs: what a node learns, multiplies, moves, and how long it took."""

import numpy as np
import pytest

from app.engine import Variable, sym
from app.engine.costs import costs_of, graph_costs
from app.engine.inference.infer import infer


def test_a_dense_network_costs_what_its_shapes_say() -> None:
    net = sym.FullyConnected(Variable("data"), num_hidden=128, name="fc1")
    net = sym.Activation(net, act_type="relu", name="act")
    costs = graph_costs(infer(net.graph, {"data": (64, 784)}))
    first, second = costs.nodes
    assert (first.name, first.op_name) == ("fc1", "FullyConnected")
    assert first.parameters == costs.parameters == 128 * 784 + 128
    assert first.multiply_adds == 64 * 128 * 784
    assert first.bytes == 4 * (64 * 784 + 128 * 784 + 128 + 64 * 128)
    assert (second.parameters, second.multiply_adds, second.bytes) == (0, 64 * 128, 2 * 4 * 64 * 128)
    assert costs.multiply_adds == first.multiply_adds + second.multiply_adds
    assert costs.bytes == first.bytes + second.bytes
    assert costs.forward_seconds is None


def test_shared_weights_count_once_and_bytes_follow_the_type() -> None:
    weight = Variable("weight")
    net = Variable("data")
    for number in range(2):
        net = sym.FullyConnected(net, weight, num_hidden=8, no_bias=True, name=f"fc{number}")
    single = graph_costs(infer(net.graph, {"data": (2, 8)}))
    double = graph_costs(infer(net.graph, {"data": (2, 8)}, {"data": np.float64}))
    assert [node.parameters for node in single.nodes] == [64, 64]
    assert single.parameters == 64
    assert double.bytes == 2 * single.bytes


def test_open_nodes_are_named_and_left_out() -> None:
    net = sym.Activation(Variable("a"), act_type="relu", name="act")
    costs = graph_costs(infer(net.graph, {}))
    assert (costs.nodes, costs.open_nodes) == ((), ("act",))


def test_the_last_run_that_was_followed_gives_the_times() -> None:
    net = sym.FullyConnected(sym.tanh(Variable("x"), name="bend"), num_hidden=3, name="fc1")
    executor = net.simple_bind({"x": (2, 4)})
    executor.forward(is_train=True)
    assert costs_of(executor).forward_seconds is None
    forward = list(executor.run_forward(is_train=True))
    costs = costs_of(executor)
    assert costs.forward_seconds == pytest.approx(sum(step.seconds for step in forward))
    assert costs.backward_seconds is None
    backward = list(executor.run_backward(np.ones((2, 3))))
    by_name = {node.name: node for node in costs_of(executor).nodes}
    assert all(node.forward_seconds and node.backward_seconds for node in by_name.values())
    assert costs_of(executor).backward_seconds == pytest.approx(sum(step.seconds for step in backward))


X, Y = Variable("x"), Variable("y")
COUNTED = {
    "a sum reads every number": (sym.sum(X, axis=1), {"x": (2, 3)}, 6),
    "an extreme compares every number": (sym.max(X, axis=1), {"x": (2, 3)}, 6),
    "a place is found in every number": (sym.argmax(X, axis=1), {"x": (2, 3)}, 6),
    "a sum of cross entropies": (sym.softmax_cross_entropy(X, Y), {"x": (2, 3)}, 6),
    "a mean over windows": (sym.Pooling(X, global_pool=True, pool_type="avg"), {"x": (1, 3, 8, 8)}, 192),
    "windows of old": (sym.Pooling_v1(X, kernel=(2, 2), stride=(2, 2)), {"x": (1, 3, 8, 8)}, 192),
    "filters that spread": (
        sym.Deconvolution(X, kernel=(4, 4), stride=(2, 2), num_filter=5),
        {"x": (1, 3, 8, 8)},
        64 * 3 * 5 * 16,
    ),
    "weights of all gates, and no biases": (
        sym.RNN(X, state_size=4, num_layers=1, mode="lstm"),
        {"x": (5, 2, 3)},
        10 * 4 * 4 * (3 + 4),
    ),
    "both directions and layers": (
        sym.RNN(X, state_size=4, num_layers=2, bidirectional=True, mode="gru"),
        {"x": (5, 2, 3)},
        10 * 2 * 3 * 4 * ((3 + 4) + (8 + 4)),
    ),
    "filters that enlarge": (
        sym.UpSampling(X, Y, scale=2, sample_type="bilinear", num_filter=3, num_args=2),
        {"x": (1, 3, 4, 4)},
        48 * 16,
    ),
    "pixels that are repeated": (
        sym.UpSampling(X, scale=2, sample_type="nearest", num_args=1),
        {"x": (1, 3, 4, 4)},
        0,
    ),
    "neighbours": (sym.LRN(X, nsize=3), {"x": (1, 4, 2, 2)}, 48),
    "patches": (
        sym.Correlation(X, Y, max_displacement=1, pad_size=1),
        {"x": (1, 3, 4, 4), "y": (1, 3, 4, 4)},
        3 * 9 * 16,
    ),
    "four pixels for each": (sym.BilinearSampler(X, Y), {"x": (1, 2, 8, 8), "y": (1, 2, 4, 4)}, 4 * 32),
    "broadcasting": (sym.broadcast_mul(X, Y), {"x": (1, 3), "y": (2, 3)}, 6),
    "what is taken out": (sym.take(X, Y), {"x": (9, 3), "y": (4,)}, 0),
    "a margin": (sym.Pad(X, mode="edge", pad_width=(0, 0, 0, 0, 1, 1, 1, 1)), {"x": (1, 1, 4, 4)}, 0),
    "what is handed through": (sym.BlockGrad(X), {"x": (2, 3)}, 0),
}


@pytest.mark.parametrize("what", COUNTED)
def test_multiply_adds_are_those_of_the_arithmetic(what: str) -> None:
    symbol, shapes, wanted = COUNTED[what]
    assert graph_costs(infer(symbol.graph, shapes)).multiply_adds == wanted


def test_a_weight_that_is_computed_is_learned_nowhere() -> None:
    layer = sym.FullyConnected(X, sym.tanh(Y, name="bent"), num_hidden=4, no_bias=True, name="fc")
    costs = graph_costs(infer(layer.graph, {"x": (2, 3), "y": (4, 3)}))
    assert [node.parameters for node in costs.nodes] == [0, 12]
    assert costs.parameters == 0

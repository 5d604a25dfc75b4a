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

"""The memory report: planned without allocating, and the same as what a bind takes."""

import pytest

from app.engine import EngineError, Variable, sym
from app.engine.planning.memory import Peak, memory_report


def network():
    net = Variable("data")
    for size in (128, 64):
        net = sym.Activation(sym.FullyConnected(net, num_hidden=size), act_type="relu")
    return sym.SoftmaxOutput(sym.FullyConnected(net, num_hidden=10), name="softmax")


def test_the_report_is_what_binds_take() -> None:
    shapes = {"data": (64, 784)}
    report = memory_report(network(), shapes)
    training = network().simple_bind(shapes)
    inference = network().simple_bind(shapes, grad_req="null")
    assert report.training.shared == training.plan.bytes_shared
    assert report.inference.shared == inference.plan.bytes_shared
    assert report.training.unshared == network().simple_bind(shapes, keep_all=True).plan.bytes_shared
    values = [*training.arg_arrays, *training.aux_arrays]
    assert report.bound_values == sum(array.nbytes for array in values)
    assert report.bound_gradients == sum(array.nbytes for array in training.grad_arrays if array is not None)


def test_the_peak_of_a_dense_network_is_the_least_there_can_be() -> None:
    batch = 1024
    report = memory_report(network(), {"data": (batch, 784)})
    hidden, smaller, classes = (batch * size * 4 for size in (128, 64, 10))
    assert report.inference.shared == hidden + smaller
    # the second layer's backward: its input, its output's and its input's gradient, beside the outputs
    assert report.training.shared == report.training.alive == 2 * hidden + smaller + classes


def test_a_huge_bind_is_planned_without_taking_memory() -> None:
    report = memory_report(network(), {"data": (2**30, 784)})
    assert report.training.shared > 2**38


def test_a_variable_alone_takes_only_what_is_handed_in() -> None:
    report = memory_report(Variable("x"), {"x": (2, 3)})
    assert report.inference == Peak(0, 0, 0)
    assert report.training == Peak(64, 64, 64), "what is handed in for it"
    assert (report.bound_values, report.bound_gradients, report.head_gradients) == (24, 24, 24)


def test_open_shapes_are_refused() -> None:
    with pytest.raises(EngineError, match="still open"):
        memory_report(network(), {})

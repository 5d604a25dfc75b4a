"""The plan: no array is written over while somebody still reads it, and sharing does not change a number."""

import numpy as np
import pytest
from hypothesis import given, settings

from app.engine import Group, Variable, sym
from app.engine.executor import Executor
from app.engine.planning.plan import Lifetime, Plan, gradient_key, value_key
from tests.networks import Network, networks


def bound(network: Network, *, keep_all: bool = False) -> Executor:
    executor = network.symbol.simple_bind(
        network.shapes, grad_req=network.requests, seed=3, keep_all=keep_all
    )
    rng = np.random.default_rng(5)
    for array in (*executor.arg_arrays, *executor.aux_arrays):
        array[...] = rng.uniform(0.5, 1.5, array.shape)
    return executor


def overlap(plan: Plan, one: Lifetime, other: Lifetime) -> bool:
    start, other_start = (plan.blocks[life.block].offset for life in (one, other))
    return start < other_start + other.size and other_start < start + one.size


def takes_over(later: Lifetime, earlier: Lifetime) -> bool:
    """Tell whether an array is written over another by the very step that reads that one last."""
    return later.block == earlier.block and later.birth == earlier.death


def check_memory(plan: Plan) -> None:
    lives = list(plan.lifetimes.values())
    for place, one in enumerate(lives):
        block = plan.blocks[one.block]
        assert block.size == one.size
        assert 0 <= block.offset <= block.offset + block.size <= plan.bytes_shared
        assert block.birth <= one.birth <= one.death <= block.death
        for other in lives[:place]:
            if one.birth <= other.death and other.birth <= one.death and overlap(plan, one, other):
                assert takes_over(one, other) or takes_over(other, one)


def check_readers(executor: Executor) -> None:
    """Follow who owns which bytes: whatever a step reads must still be there, and the outputs at the end."""
    plan, owners = executor.plan, {}

    def write(key: object) -> None:
        life = plan.lifetimes.get(key)
        if life is not None:
            for other in [
                other for other in owners if other != key and overlap(plan, life, plan.lifetimes[other])
            ]:
                del owners[other]
            owners[key] = True

    for number, step in enumerate(plan.steps):
        if number == plan.forward_count:
            for node in executor.executor_graph.head_gradients.values():
                write(gradient_key(node))
        for key in step.reads:
            assert key not in plan.lifetimes or key in owners, f"step {number} reads what is overwritten"
        for key in step.writes:
            write(key)
    for head in executor.graph.heads:
        assert value_key(head) not in plan.lifetimes or value_key(head) in owners


@settings(deadline=None)
@given(networks())
def test_nothing_is_overwritten_before_its_last_reader(network: Network) -> None:
    executor = bound(network)
    check_memory(executor.plan)
    check_readers(executor)
    assert max(executor.plan.bytes_alive, default=0) <= executor.plan.bytes_shared
    assert executor.plan.bytes_shared <= executor.plan.bytes_unshared


@settings(deadline=None)
@given(networks())
def test_sharing_changes_no_number(network: Network) -> None:
    shared, kept = bound(network), bound(network, keep_all=True)
    assert kept.plan.bytes_shared == kept.plan.bytes_unshared
    rng = np.random.default_rng(7)
    heads = [rng.standard_normal(output.shape).astype(output.dtype) for output in kept.outputs]
    for is_train in (False, True):
        for one, other in zip(shared.forward(is_train), kept.forward(is_train), strict=True):
            np.testing.assert_array_equal(one, other)
    for executor in (shared, kept):
        executor.backward(heads)
    for one, other in zip(shared.outputs, kept.outputs, strict=True):
        np.testing.assert_array_equal(one, other)
    for (name, one), other in zip(shared.grad_dict.items(), kept.grad_dict.values(), strict=True):
        if one is not None:
            np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-6, err_msg=name)


def test_a_chain_of_equal_arrays_takes_one_block_forward() -> None:
    net = Variable("a")
    for _ in range(5):
        net = sym.Activation(net, act_type="tanh")
    plan = net.simple_bind({"a": (64, 4)}, grad_req="null").plan
    assert len(plan.blocks) == 1
    assert plan.bytes_shared == 64 * 4 * 4
    assert plan.bytes_unshared == 5 * 64 * 4 * 4


def test_an_inference_holds_nothing_for_backward() -> None:
    net = Variable("a")
    for _ in range(4):
        net = sym.Activation(sym.FullyConnected(net, num_hidden=16), act_type="relu")
    inference = net.simple_bind({"a": (16, 16)}, grad_req="null").plan
    training = net.simple_bind({"a": (16, 16)}).plan
    assert inference.bytes_shared == 2 * 16 * 16 * 4
    assert training.bytes_shared > 2 * inference.bytes_shared


def test_a_gradient_may_be_written_over_what_was_handed_in() -> None:
    net = Variable("a") * Variable("b") + Variable("d")
    executor = net.simple_bind(dict.fromkeys("abd", (16,)))
    assert executor.plan.bytes_shared == 2 * 64, "the output, and what is handed in"


def test_a_single_number_is_not_written_over_itself() -> None:
    net = Variable("a") * Variable("b") + Variable("d")
    assert len(net.simple_bind(dict.fromkeys("abd", (1,)), grad_req="null").plan.blocks) == 2
    assert len(net.simple_bind(dict.fromkeys("abd", (2,)), grad_req="null").plan.blocks) == 1


@pytest.mark.parametrize("keep_all", [False, True])
def test_an_output_that_is_also_read_lives_to_the_end(keep_all: bool) -> None:
    a = Variable("a")
    inner = sym.Activation(a, act_type="tanh")
    executor = Group([sym.Activation(inner, act_type="relu"), inner]).bind(
        {"a": np.full((4,), 0.5, np.float32)}, keep_all=keep_all
    )
    outer, value = executor.forward()
    np.testing.assert_allclose(value, np.tanh(0.5), rtol=1e-6)
    np.testing.assert_allclose(outer, value)

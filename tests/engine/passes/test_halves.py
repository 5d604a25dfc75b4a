"""The pass `halves`: the same numbers with and without it, where it triggers, and what it leaves alone."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from app.engine import Executor, Group, Symbol, sym
from app.engine.errors import RunError
from app.engine.operator import Array
from app.engine.operators.activation import Activation
from app.engine.passes import halves, rows
from app.engine.passes.stretches import find_stretches
from app.engine.passes.tasks import Given, Task
from app.engine.split import Split, alike
from app.engine.stepping import Call


def network() -> Symbol:
    """Return one layer of every kind that falls into halves, with gradients of shared inputs."""
    x = sym.Variable("data")
    x = sym.Convolution(x, kernel=(3, 3), pad=(1, 1), num_filter=4, name="conv")
    x = sym.BatchNorm(x, fix_gamma=False, name="bn")
    x = sym.Pooling(x, kernel=(2, 2), stride=(2, 2), pool_type="max", name="pool")
    x = sym.Deconvolution(x, kernel=(2, 2), stride=(2, 2), num_filter=3, no_bias=False, name="deconv")
    x = sym.Pooling(x, kernel=(3, 3), pool_type="avg", name="mean")
    x = sym.FullyConnected(x, num_hidden=5, name="fc")
    return sym.SoftmaxOutput(x, name="softmax")


def bound(batch: int, dtype: Any = np.float64, grad_req: Any = "write", **options: Any) -> Executor:
    symbol = network()
    names = symbol.list_arguments()
    executor = symbol.simple_bind(
        {"data": (batch, 3, 8, 8)}, grad_req=grad_req, dtypes={"data": dtype}, **options
    )
    rng = np.random.default_rng(0)
    for name in names:
        array = executor.arg_dict[name]
        array[...] = rng.integers(0, 5, array.shape) if "label" in name else rng.normal(size=array.shape)
    for name, array in executor.aux_dict.items():
        array[...] = 1.0 if "var" in name else 0.5
    return executor


def results(executor: Executor) -> dict[str, Array]:
    """Run two steps and collect outputs, gradients and moving statistics."""
    for _ in range(2):
        executor.forward(is_train=True)
        executor.backward()
    found: dict[str, Any] = {f"d({name})": array for name, array in executor.grad_dict.items()}
    found |= executor.output_dict | executor.aux_dict
    return {name: array.copy() for name, array in found.items() if array is not None}


def halved_steps(monkeypatch: pytest.MonkeyPatch, build: Callable[[], Executor]) -> tuple[Executor, int]:
    """Build an executor with every step worth halving, and count those that are."""
    halved = []

    def in_step(first: Sequence[Call], second: Sequence[Call], needs: Sequence[int]) -> Call:
        halved.append(first)
        return rows.in_step(first, second, needs)

    monkeypatch.setattr(halves, "WORTHWHILE", 0)
    monkeypatch.setattr(halves, "MEETING", 0)
    monkeypatch.setattr(halves, "has_helper", lambda: True)
    monkeypatch.setattr(halves, "in_step", in_step)
    return build(), len(halved)


@pytest.mark.parametrize("grad_req", ["write", "add"])
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 2e-5)])
@pytest.mark.parametrize("batch", [1, 2, 5])
def test_numbers_stay(
    monkeypatch: pytest.MonkeyPatch, grad_req: str, dtype: Any, tolerance: float, batch: int
) -> None:
    monkeypatch.setattr(halves, "has_helper", lambda: False)
    whole = results(bound(batch, dtype, grad_req))
    executor, halved = halved_steps(monkeypatch, lambda: bound(batch, dtype, grad_req))
    # forward in one stretch each, for prediction and for training; backward ends where gradients of both are added up
    assert halved == 2 + {("write", 1): 3, ("write", 2): 1, ("write", 5): 1}.get((grad_req, batch), 6)
    for name, got in results(executor).items():
        np.testing.assert_allclose(got, whole[name], rtol=tolerance, atol=tolerance, err_msg=name)


def test_every_run_gives_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    executor, _ = halved_steps(monkeypatch, lambda: bound(4))
    first = results(executor)
    again, _ = halved_steps(monkeypatch, lambda: bound(4))
    for name, got in results(again).items():
        np.testing.assert_array_equal(got, first[name], err_msg=name)


def test_internal_arrays_and_single_steps_show_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(halves, "has_helper", lambda: False)
    whole = bound(4, keep_all=True)
    results(whole)
    executor, halved = halved_steps(monkeypatch, lambda: bound(4, keep_all=True))
    assert halved == 3 * 6  # every step by itself: forward twice, and backward, of six layers
    for _ in range(2):
        steps = [*executor.run_forward(is_train=True), *executor.run_backward()]
    assert len(steps) == len(executor.plan.steps)
    for node in executor.executor_graph.nodes:
        got, wanted = executor.node_array(node.index), whole.node_array(node.index)
        if got is not None and wanted is not None:
            np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=1e-12, err_msg=node.name)


def test_short_steps_and_one_core_stay_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(halves, "has_helper", lambda: True)
    monkeypatch.setattr(halves, "in_step", None)
    bound(4)  # too short to be worth it
    monkeypatch.setattr(halves, "WORTHWHILE", 0)
    monkeypatch.setattr(halves, "has_helper", lambda: False)
    bound(4)


def test_one_sample_is_not_written_over_while_the_other_thread_reads_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of several samples the result takes data's place, and each thread keeps to its own."""
    first = sym.Activation(sym.Variable("data"), act_type="relu", name="first")
    symbol = sym.Convolution(first, kernel=(3, 3), pad=(1, 1), num_filter=8, name="conv")
    symbol = sym.Activation(symbol, act_type="relu", name="last")
    for samples, arrays in ((1, 2), (2, 1)):
        shape = (samples, 8, 12, 12)
        executor, halved = halved_steps(
            monkeypatch, lambda shape=shape: symbol.simple_bind({"data": shape}, grad_req="null")
        )
        assert halved == 2
        assert len({life.block for life in executor.plan.lifetimes.values()}) == arrays


def test_a_step_within_a_stretch_that_fails_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise ValueError("no more")

    plain = Activation.forward_step
    monkeypatch.setattr(
        Activation,
        "forward_step",
        lambda self, *given: fail if self.act_type == "tanh" else plain(self, *given),
    )
    symbol = sym.Variable("data")
    for name, kind in (("one", "relu"), ("two", "tanh"), ("three", "relu")):
        symbol = sym.Activation(symbol, act_type=kind, name=name)
    executor, halved = halved_steps(monkeypatch, lambda: symbol.simple_bind({"data": (4, 3)}))
    assert halved == 3  # all steps together, each time
    with pytest.raises(RunError, match="two .*no more") as caught:
        executor.forward()
    assert caught.value.node == "two"


def test_memory_that_the_other_half_still_reads_is_waited_for() -> None:
    """The plan lays arrays over each other as it likes; halves must not overwrite what the other thread needs."""
    memory = np.zeros(16)
    first, second = memory[:8].reshape(4, 2), memory[8:].reshape(4, 2)
    shifted = memory[4:12].reshape(4, 2)  # its first half is the second half of `first`
    splits = alike(2, 1, 1)
    tasks = [
        Task(Given([source], [target]), lambda _given, _how: list, splits)
        for source, target in ((first, second), (np.ones((4, 2)), first), (np.ones((4, 2)), shifted))
    ]
    assert [one.needs for one in find_stretches(tasks[:2])] == [(-1, -1)]
    assert [one.needs for one in find_stretches(tasks[1:])] == [(-1, 0)]


def test_an_input_that_a_step_writes_is_read_whole_by_the_next_when_both_have(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """BatchNorm sets a fixed gamma to 1; here a layer's bias is the same variable."""
    gamma = sym.Variable("gamma")
    norm = sym.BatchNorm(sym.Variable("x"), gamma=gamma, fix_gamma=True, name="norm")
    layer = sym.FullyConnected(sym.Variable("y"), bias=gamma, num_hidden=4, name="layer")
    symbol = Group([norm, layer])
    executor, halved = halved_steps(monkeypatch, lambda: symbol.simple_bind({"x": (3, 4, 2), "y": (6, 4)}))
    assert halved == 3  # both layers together, each time
    executor.arg_dict["gamma"][:] = 7
    assert np.all(executor.forward()[1] == 1)


def test_a_statistic_that_a_step_updates_is_read_whole_by_the_next_when_both_have() -> None:
    data, gradient, statistics, channels = np.ones((4, 4)), np.ones((4, 4)), np.ones(4), np.ones((4, 4))
    by_channel = Split((1, 0), (1,), updates=(1,))
    shared = Split((0, None), (0,))
    tasks = [
        Task(given, lambda _given, _how: list, (split,))
        for given, split in (
            (Given([data, statistics], [None], [gradient], [channels, None]), by_channel),
            (
                Given([np.ones((4, 4)), statistics], [None], [np.ones((4, 4))], [np.ones((4, 4)), None]),
                shared,
            ),
        )
    ]
    assert [one.needs for one in find_stretches(tasks)] == [(-1, 0)]


def shapes_of(symbol: Symbol, shapes: Mapping[str, tuple[int, ...]]) -> Executor:
    return symbol.simple_bind(shapes)


def test_layers_of_ordinary_size_are_halved(monkeypatch: pytest.MonkeyPatch) -> None:
    halved = []
    monkeypatch.setattr(halves, "has_helper", lambda: True)
    monkeypatch.setattr(halves, "in_step", lambda first, *_: halved.append(first) or first[0])
    x = sym.Convolution(sym.Variable("data"), kernel=(3, 3), pad=(1, 1), num_filter=16, name="conv")
    shapes_of(sym.BatchNorm(x, name="bn"), {"data": (32, 16, 32, 32)})
    assert (
        len(halved) == 4
    )  # forward together, for prediction and for training, and backward one after the other

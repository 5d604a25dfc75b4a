"""The pass `halves`: the same numbers with and without it, where it triggers, and what it leaves alone."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from app.engine import Executor, Symbol, sym
from app.engine.kernels import crew
from app.engine.operator import Array
from app.engine.passes import halves


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

    def side_by_side(first: crew.Half, second: crew.Half) -> crew.Half:
        halved.append(first)
        return crew.side_by_side(first, second)

    monkeypatch.setattr(halves, "WORTHWHILE", 0)
    monkeypatch.setattr(halves, "has_helper", lambda: True)
    monkeypatch.setattr(halves, "side_by_side", side_by_side)
    return build(), len(halved)


@pytest.mark.parametrize("grad_req", ["write", "add"])
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 2e-5)])
@pytest.mark.parametrize("batch", [2, 5])
def test_numbers_stay(
    monkeypatch: pytest.MonkeyPatch, grad_req: str, dtype: Any, tolerance: float, batch: int
) -> None:
    monkeypatch.setattr(halves, "has_helper", lambda: False)
    whole = results(bound(batch, dtype, grad_req))
    executor, halved = halved_steps(monkeypatch, lambda: bound(batch, dtype, grad_req))
    assert halved == 3 * 6  # forward for prediction and for training, and backward, of six layers
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
    executor, _ = halved_steps(monkeypatch, lambda: bound(4, keep_all=True))
    for _ in range(2):
        steps = [*executor.run_forward(is_train=True), *executor.run_backward()]
    assert len(steps) == len(executor.plan.steps)
    for node in executor.executor_graph.nodes:
        got, wanted = executor.node_array(node.index), whole.node_array(node.index)
        if got is not None and wanted is not None:
            np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=1e-12, err_msg=node.name)


def test_one_sample_short_steps_and_one_core_stay_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    one_sample = halved_steps(monkeypatch, lambda: bound(1))[1]
    assert one_sample == 3  # only the channels of BatchNorm
    monkeypatch.setattr(halves, "WORTHWHILE", 150_000)
    monkeypatch.setattr(halves, "side_by_side", None)
    bound(4)  # too short to be worth it
    monkeypatch.setattr(halves, "WORTHWHILE", 0)
    monkeypatch.setattr(halves, "has_helper", lambda: False)
    bound(4)


def shapes_of(symbol: Symbol, shapes: Mapping[str, tuple[int, ...]]) -> Executor:
    return symbol.simple_bind(shapes)


def test_layers_of_ordinary_size_are_halved(monkeypatch: pytest.MonkeyPatch) -> None:
    halved = []
    monkeypatch.setattr(halves, "has_helper", lambda: True)
    monkeypatch.setattr(halves, "side_by_side", lambda first, second: halved.append(first) or first)
    x = sym.Convolution(sym.Variable("data"), kernel=(3, 3), pad=(1, 1), num_filter=16, name="conv")
    shapes_of(sym.BatchNorm(x, name="bn"), {"data": (32, 16, 32, 32)})
    assert len(halved) == 6

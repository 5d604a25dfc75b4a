"""The pass `gathering`: the same numbers with and without it, where it triggers, and what it leaves alone."""

from typing import Any

import numpy as np
import pytest

from app.engine import Executor, Symbol, sym
from app.engine.kernels.steps import Step
from app.engine.operator import Array
from app.engine.passes import gathering, tables

STEPS = 5


def cell(steps: int = STEPS, *, no_bias: bool = False, flatten: bool = True) -> Symbol:
    """Return a cell unrolled over some steps: two layers, of which one keeps no gradient of its input."""
    seen = [sym.Variable("seen_weight"), *([] if no_bias else [sym.Variable("shared_bias")])]
    kept = [sym.Variable("kept_weight"), *([] if no_bias else [sym.Variable("kept_bias")])]
    shared: dict[str, Any] = {"num_hidden": 4, "no_bias": no_bias, "flatten": flatten}
    hidden = sym.Variable("start")
    for step in range(steps):
        fresh = sym.FullyConnected(sym.Variable(f"x{step}"), *seen, name=f"seen{step}", **shared)
        old = sym.FullyConnected(hidden, *kept, name=f"kept{step}", **shared)
        hidden = sym.Activation(fresh + old, act_type="tanh", name=f"hidden{step}")
    return hidden


def results(symbol: Symbol, shapes: dict[str, tuple[int, ...]], **options: Any) -> dict[str, Array]:
    """Run two steps and collect outputs and gradients, of which the last ones are added where that is asked."""
    executor = bound(symbol, shapes, **options)
    head = np.linspace(-1, 1, executor.outputs[0].size).reshape(executor.outputs[0].shape)
    for _ in range(2):
        executor.forward(is_train=True)
        executor.backward(head)
    found = {name: array for name, array in executor.grad_dict.items() if array is not None}
    return {name: array.copy() for name, array in (found | executor.output_dict).items()}


def bound(symbol: Symbol, shapes: dict[str, tuple[int, ...]], **options: Any) -> Executor:
    dtype = options.pop("dtype", np.float64)
    names = [name for name in symbol.list_arguments() if name.startswith("x")]
    request = options.pop("grad_req", "write")
    requests = {name: "null" if name in names else request for name in symbol.list_arguments()}
    executor = symbol.simple_bind(shapes, requests, dict.fromkeys(shapes, dtype), **options)
    rng = np.random.default_rng(0)
    for array in executor.arg_dict.values():
        array[...] = rng.normal(size=array.shape)
    return executor


def shapes_of(steps: int, rows: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    return {"start": (*rows, 4), **{f"x{step}": (*rows, 3) for step in range(steps)}}


def products(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Collect the rows of every product that takes the place of several."""
    rows: list[int] = []
    plain = gathering.product

    def product(left: Array, right: Array, out: Array) -> Step:
        rows.append(len(right))
        return plain(left, right, out)

    monkeypatch.setattr(gathering, "product", product)
    return rows


@pytest.mark.parametrize("grad_req", ["write", "add"])
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 1e-5)])
@pytest.mark.parametrize("no_bias", [False, True])
@pytest.mark.parametrize("room", [4, 8, 512])
def test_numbers_stay(
    monkeypatch: pytest.MonkeyPatch, grad_req: str, dtype: Any, tolerance: float, no_bias: bool, room: int
) -> None:
    monkeypatch.setattr(tables, "ROWS", room)
    symbol, shapes = cell(no_bias=no_bias), shapes_of(STEPS, (2,))
    whole = results(symbol, shapes, grad_req=grad_req, dtype=dtype, keep_all=True)
    rows = products(monkeypatch)
    gathered = results(symbol, shapes, grad_req=grad_req, dtype=dtype)
    assert rows == 2 * {4: [4, 4, 2], 8: [6, 4], 512: [10]}[room]
    assert gathered.keys() == whole.keys()
    for name, got in gathered.items():
        np.testing.assert_allclose(got, whole[name], rtol=tolerance, atol=tolerance, err_msg=name)


def test_rows_of_data_with_more_axes(monkeypatch: pytest.MonkeyPatch) -> None:
    symbol, shapes = cell(flatten=False), shapes_of(STEPS, (2, 3))
    whole = results(symbol, shapes, keep_all=True)
    rows = products(monkeypatch)
    for name, got in results(symbol, shapes).items():
        np.testing.assert_allclose(got, whole[name], rtol=1e-12, atol=1e-12, err_msg=name)
    assert rows == [30, 30]


def test_a_holder_that_is_not_plain_memory() -> None:
    symbol, shapes = cell(), shapes_of(STEPS, (2,))
    executor = bound(symbol, shapes)
    holders = {name: array for name, array in executor.grad_dict.items() if array is not None}
    spread = {name: np.zeros((2, *array.shape)).T[..., 0] for name, array in holders.items()}
    spread = {name: array if array.ndim == 1 else array.T for name, array in spread.items()}
    other = symbol.bind(dict(executor.arg_dict), spread)
    head = np.ones_like(executor.outputs[0])
    for one in (executor, other):
        one.forward(is_train=True)
        one.backward(head)
    for name, array in holders.items():
        np.testing.assert_allclose(spread[name], array, rtol=1e-12, err_msg=name)


def test_every_run_gives_the_same_bits() -> None:
    symbol, shapes = cell(), shapes_of(STEPS, (2,))
    first, again = (results(symbol, shapes, dtype=np.float32) for _ in range(2))
    for name, got in again.items():
        np.testing.assert_array_equal(got, first[name], err_msg=name)


def test_a_bias_may_be_shared_more_widely_than_a_weight(monkeypatch: pytest.MonkeyPatch) -> None:
    symbol, bias = sym.Variable("start"), sym.Variable("bias")
    weights = [sym.Variable("weight0"), sym.Variable("weight1")]
    for step in range(4):
        symbol = sym.FullyConnected(symbol, weights[step % 2], bias, num_hidden=4, name=f"layer{step}")
    whole = results(symbol, {"start": (2, 4)}, keep_all=True)
    rows = products(monkeypatch)
    for name, got in results(symbol, {"start": (2, 4)}).items():
        np.testing.assert_allclose(got, whole[name], rtol=1e-12, atol=1e-12, err_msg=name)
    assert rows == [4, 4]


def test_a_weight_that_is_read_in_another_way_too_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    weight, x = sym.Variable("weight"), sym.Variable("start")
    symbol = sym.FullyConnected(x, weight, no_bias=True, num_hidden=4, name="one")
    symbol = sym.FullyConnected(symbol, weight, no_bias=True, num_hidden=4, name="two")
    symbol = symbol + sym.dot(x, weight)
    whole = results(symbol, {"start": (2, 4)}, keep_all=True)
    rows = products(monkeypatch)
    for name, got in results(symbol, {"start": (2, 4)}).items():
        np.testing.assert_array_equal(got, whole[name], err_msg=name)
    assert not rows


def test_many_rows_or_different_ones_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = products(monkeypatch)
    bound(cell(2), shapes_of(2, (tables.ROWS // 2 + 1,)))
    weight, bias = sym.Variable("weight"), sym.Variable("bias")
    ends = [
        sym.sum(sym.FullyConnected(sym.Variable(f"start{number}"), weight, bias, num_hidden=4))
        for number in (1, 2)
    ]
    bound(ends[0] + ends[1], {"start1": (1, 3), "start2": (2, 3)})
    assert not rows
    bound(cell(2), shapes_of(2, (tables.ROWS // 2,)))
    assert rows == [tables.ROWS] * 2

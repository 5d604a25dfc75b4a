"""The pass `ahead`: the same numbers with and without it, where it triggers, and what it leaves alone."""

from typing import Any

import numpy as np
import pytest

from app.engine import Executor, Symbol, sym
from app.engine.kernels.steps import Step
from app.engine.operator import Array
from app.engine.passes import ahead, tables

STEPS = 5
Shapes = dict[str, tuple[int, ...]]


def cell(steps: int = STEPS, *, no_bias: bool = False, flatten: bool = True) -> Symbol:
    """Return a cell over parts of one array; what it reads is there early, what it keeps is not."""
    seen = [sym.Variable("seen_weight"), *([] if no_bias else [sym.Variable("seen_bias")])]
    kept = [sym.Variable("kept_weight"), *([] if no_bias else [sym.Variable("kept_bias")])]
    shared: dict[str, Any] = {"num_hidden": 4, "no_bias": no_bias, "flatten": flatten}
    parts = sym.SliceChannel(sym.Variable("data"), num_outputs=steps, axis=0, squeeze_axis=True, name="parts")
    hidden = sym.Variable("start")
    for step in range(steps):
        fresh = sym.FullyConnected(parts[step], *seen, name=f"seen{step}", **shared)
        old = sym.FullyConnected(hidden, *kept, name=f"kept{step}", **shared)
        hidden = sym.Activation(fresh + old, act_type="tanh", name=f"hidden{step}")
    return hidden


def bound(symbol: Symbol, shapes: Shapes, dtype: Any = np.float64, **options: Any) -> Executor:
    executor = symbol.simple_bind(shapes, "write", dict.fromkeys(shapes, dtype), **options)
    rng = np.random.default_rng(0)
    for array in executor.arg_dict.values():
        array[...] = rng.normal(size=array.shape)
    return executor


def results(executor: Executor) -> dict[str, Array]:
    """Predict, then run two steps with other data each, and collect all outputs and the last gradients."""
    found = {"predicted": executor.forward()[0].copy()}
    head = np.linspace(-1, 1, executor.outputs[0].size).reshape(executor.outputs[0].shape)
    for number in range(2):
        executor.arg_dict["start"][...] += 1
        found[f"output{number}"] = executor.forward(is_train=True)[0].copy()
        executor.backward(head)
    return found | {name: array.copy() for name, array in executor.grad_dict.items() if array is not None}


def compare(symbol: Symbol, shapes: Shapes, tolerance: float = 1e-12, dtype: Any = np.float64) -> None:
    whole = results(bound(symbol, shapes, dtype, keep_all=True))
    joined = results(bound(symbol, shapes, dtype))
    assert joined.keys() == whole.keys()
    for name, got in joined.items():
        np.testing.assert_allclose(got, whole[name], rtol=tolerance, atol=tolerance, err_msg=name)


@pytest.fixture
def products(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Collect the rows of every product that takes the place of several."""
    rows: list[int] = []
    plain = ahead.product

    def product(left: Array, right: Array, out: Array) -> Step:
        rows.append(len(left))
        return plain(left, right, out)

    monkeypatch.setattr(ahead, "product", product)
    return rows


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 1e-5)])
@pytest.mark.parametrize("no_bias", [False, True])
@pytest.mark.parametrize("room", [4, 8, 512])
def test_numbers_stay(
    monkeypatch: pytest.MonkeyPatch,
    products: list[int],
    dtype: Any,
    tolerance: float,
    no_bias: bool,
    room: int,
) -> None:
    monkeypatch.setattr(tables, "ROWS", room)
    compare(cell(no_bias=no_bias), {"data": (STEPS, 2, 3), "start": (2, 4)}, tolerance, dtype)
    assert products == {4: [4, 4, 2], 8: [6, 4], 512: [10]}[room]


def test_rows_of_data_with_more_axes(products: list[int]) -> None:
    compare(cell(flatten=False), {"data": (STEPS, 2, 3, 3), "start": (2, 3, 4)})
    assert products == [30]


def test_data_from_outside_is_there_early_wherever_it_stands(products: list[int]) -> None:
    weight, symbol = sym.Variable("weight"), sym.Variable("start")
    for number in range(3):
        seen = sym.FullyConnected(
            sym.Variable(f"x{number}"), weight, no_bias=True, num_hidden=3, name=f"seen{number}"
        )
        symbol = sym.tanh(symbol) + seen
    executor = bound(symbol, {"start": (2, 3), "x0": (2, 3), "x1": (2, 3), "x2": (2, 3)})
    assert products == [6]
    executor.arg_dict["x2"][...] = 7
    expected = np.tanh(executor.arg_dict["start"])
    for number in range(3):
        expected = expected + executor.arg_dict[f"x{number}"] @ executor.arg_dict["weight"].T
        expected = np.tanh(expected) if number < 2 else expected
    np.testing.assert_allclose(executor.forward()[0], expected, rtol=1e-12)


def test_what_waits_for_a_layer_is_not_joined_with_it(products: list[int]) -> None:
    weight, symbol = sym.Variable("weight"), sym.Variable("start")
    for number in range(3):
        symbol = sym.FullyConnected(symbol, weight, no_bias=True, num_hidden=4, name=f"layer{number}")
    compare(symbol, {"start": (2, 4)})
    assert not products


def test_other_biases_many_rows_or_different_ones_are_left_alone(products: list[int]) -> None:
    weight, biases = sym.Variable("weight"), [sym.Variable("bias0"), sym.Variable("bias1")]

    def two(rows: tuple[int, int], biases: list[Symbol]) -> Executor:
        layers = [
            sym.FullyConnected(sym.Variable(f"x{number}"), weight, bias, num_hidden=4, name=f"layer{number}")
            for number, bias in enumerate(biases)
        ]
        shapes = {f"x{number}": (count, 3) for number, count in enumerate(rows)}
        return bound(sym.Group(layers), shapes)

    two((2, 2), biases)
    two((2, 3), biases[:1] * 2)
    two((tables.ROWS // 2 + 1,) * 2, biases[:1] * 2)
    assert not products
    two((tables.ROWS // 2,) * 2, biases[:1] * 2)
    assert products == [tables.ROWS]


def test_every_run_gives_the_same_bits() -> None:
    first, again = (
        results(bound(cell(), {"data": (STEPS, 2, 3), "start": (2, 4)}, np.float32)) for _ in range(2)
    )
    for name, got in again.items():
        np.testing.assert_array_equal(got, first[name], err_msg=name)

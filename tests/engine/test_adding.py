"""Gradients that are added to their buffers: strip by strip where the plan has room for no more, with equal numbers."""

from typing import Any

import numpy as np
import pytest

from app.engine import Symbol, Variable, sym
from app.engine.executor import Executor
from app.engine.planning.memory import memory_report
from app.engine.planning.plan import STRIP
from tests.operator_cases import close

ROWS = 3 * STRIP // 16 + 5
"""So many rows of four numbers are three strips and a bit."""


def product_and_sum() -> Symbol:
    return Variable("A") * Variable("B") + Variable("D")


NETS = [
    pytest.param(product_and_sum(), {"A": (ROWS, 4)}, id="each element by itself"),
    pytest.param(Variable("A") + Variable("B"), {"A": (ROWS, 4)}, id="the second gradient echoes the first"),
    pytest.param(sym.sigmoid(Variable("A")) * 3.0, {"A": (ROWS, 4)}, id="functions of one number"),
    pytest.param(sym.FullyConnected(Variable("A"), num_hidden=3), {"A": (ROWS, 4)}, id="rows times a matrix"),
    pytest.param(
        sym.broadcast_mul(Variable("A"), Variable("B")), {"A": (ROWS, 4), "B": (1, 4)}, id="repeated"
    ),
]


def added(symbol: Symbol, shapes: dict[str, Any], **options: Any) -> Executor:
    """Bind, and run forward and backward twice with buffers that hold numbers already."""
    executor = symbol.simple_bind(shapes, grad_req="add", **options)
    rng = np.random.default_rng(3)
    for array in (*executor.arg_arrays, *executor.grad_arrays):
        assert array is not None
        array[...] = rng.uniform(-1, 1, array.shape)
    heads = rng.uniform(-1, 1, executor.outputs[0].shape).astype(np.float32)
    for _ in range(2):
        executor.forward(is_train=True)
        executor.backward(heads)
    return executor


@pytest.mark.parametrize(("symbol", "shapes"), NETS)
def test_strips_add_what_whole_gradients_add(symbol: Symbol, shapes: dict[str, Any]) -> None:
    """A bind that keeps every array finds each gradient whole."""
    strips, whole = added(symbol, shapes), added(symbol, shapes, keep_all=True)
    for got, wanted in zip(strips.grad_arrays, whole.grad_arrays, strict=True):
        close(got, wanted, rtol=1e-4, atol=1e-4)


def test_a_gradient_that_is_only_added_takes_a_strip() -> None:
    shapes = {"A": (ROWS, 4)}
    written, added = (
        memory_report(product_and_sum(), shapes, request).training for request in ("write", "add")
    )
    assert added.shared <= written.shared + 2 * STRIP
    assert added.alive <= written.alive + 2 * STRIP

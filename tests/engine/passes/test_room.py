"""What the passes take is told before: the tables of joined layers, and what second halves find of shared gradients."""

import tracemalloc

import numpy as np
import pytest

from app.engine import Symbol, Variable, sym
from app.engine.binding import read_requests
from app.engine.gradient import build_executor_graph
from app.engine.inference import infer
from app.engine.kernels.crew import has_helper
from app.engine.passes import room as passes_room
from app.engine.passes import tables
from app.engine.passes.room import room_of_passes
from app.engine.planning.plan import make_plan
from app.engine.planning.room import need_of_bind
from tests.engine.passes.test_gathering import cell, shapes_of

Shapes = dict[str, tuple[int, ...]]


def told(symbol: Symbol, shapes: Shapes, *, keep_all: bool = False) -> tuple[int, int]:
    """Return the room of the passes, and all that the bind is said to need."""
    inference = infer.infer(symbol.graph, shapes)
    executor_graph = build_executor_graph(symbol.graph, inference, read_requests(symbol.graph, "write"))
    plan = make_plan(executor_graph, inference, share=not keep_all)
    room = room_of_passes(inference, executor_graph, plan, keep_all=keep_all)
    return room, need_of_bind(inference, executor_graph, plan, keep_all=keep_all).total


def test_tables_and_the_parts_that_are_added_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two layers a step, three wide and four wide, with room for the rows of two steps at once."""
    monkeypatch.setattr(passes_room, "has_helper", lambda: False)
    monkeypatch.setattr(tables, "ROWS", 4)
    steps, rows = 5, 2
    in_tables = 2 * rows * (3 + 4) + 2 * rows * (4 + 4)
    in_parts = 4 * (3 + 1) + 4 * (4 + 1)
    early = 2 * rows * (3 + 4)
    shapes = shapes_of(steps, (rows,))
    assert told(cell(steps), shapes)[0] == 4 * (in_tables + in_parts + early)
    assert told(cell(steps), shapes, keep_all=True)[0] == 0


def test_a_bind_that_finds_a_large_gradient_in_halves_takes_no_more_than_it_says() -> None:
    symbol = sym.FullyConnected(Variable("data"), num_hidden=1024, no_bias=True, name="fc")
    shapes = {"data": (4, 4096)}
    room, need = told(symbol, shapes)
    tracemalloc.start()
    try:
        executor = symbol.simple_bind(shapes)
        executor.forward(is_train=True)
        executor.backward([np.ones((4, 1024), np.float32)])
        took = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert took <= need + 2**16
    assert need < 1.1 * took
    assert room == (4 * 4096 * 1024 if has_helper() else 0)


@pytest.mark.parametrize("helper", [True, False])
def test_with_a_second_core_there_is_one_more_of_each_shared_gradient(
    helper: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passes_room, "has_helper", lambda: helper)
    symbol = sym.FullyConnected(Variable("data"), num_hidden=1024, no_bias=True, name="fc")
    assert told(symbol, {"data": (4, 4096)})[0] == (4 * 4096 * 1024 if helper else 0)
    assert told(symbol, {"data": (4, 4)})[0] == 0, "too short to be halved"

"""Indices: cut to whole numbers, clamped or counted around; gradients add up where an index repeats."""

from typing import Any

import numpy as np
import pytest

from app.engine.errors import ShapeError
from app.engine.kernels.indices import add_rows, whole_numbers
from app.engine.operator import Operator, Run
from app.engine.registry import find_operator

TABLE = np.arange(12, dtype=np.float32).reshape(4, 3)


def make(name: str, **settings: Any) -> Operator:
    return find_operator(name)(**settings)


def run() -> Run:
    return Run(True, np.random.default_rng(0))


def compute(node: Operator, *ins: Any) -> Any:
    arrays = [np.asarray(array, np.float32) for array in ins]
    _, (shape,) = node.infer([array.shape for array in arrays], [()])
    out = np.empty(shape, np.float32)
    node.forward(run(), arrays, [out])
    return out


def gradient(node: Operator, index: int, *ins: Any) -> Any:
    arrays = [np.asarray(array, np.float32) for array in ins]
    out = compute(node, *ins)
    grads = [np.empty_like(array) if place == index else None for place, array in enumerate(arrays)]
    node.backward(run(), arrays, [out], [np.ones_like(out)], grads)
    return grads[index]


def test_embedding_cuts_and_clamps_its_indices() -> None:
    node = make("Embedding", input_dim=4, output_dim=3)
    rows = compute(node, [-1, 1.9, 7], TABLE)
    assert rows.tolist() == TABLE[[0, 1, 3]].tolist()
    assert gradient(node, 1, [-1, 0, 1, 1, 9], TABLE)[:, 0].tolist() == [2, 2, 0, 1]
    assert node.gradient_kind(0) == "zero"


def test_embedding_knows_its_table_before_anything_else() -> None:
    node = make("Embedding", input_dim=9, output_dim=3)
    assert list(node.infer([(), ()], [()])[0]) == [(), (9, 3)]
    assert node.infer([(0, 4), ()], [()])[1] == ((0, 4, 3),)
    assert node.infer([(), ()], [(2, 4, 3)])[0][0] == (2, 4)
    assert node.because("in", 1, 0, [(2,), (9, 3)], [(2, 3)]) == "input_dim = 9"
    with pytest.raises(ShapeError) as caught:
        node.infer([(2,), (9, 4)], [()])
    assert caught.value.port == "weight"


def test_types_of_indices_are_their_own() -> None:
    node = make("Embedding", input_dim=9, output_dim=3)
    ins, outs = node.infer_types([np.dtype("int32"), None], [None])
    assert list(ins) == [np.dtype("int32"), np.dtype("float32")]
    assert list(outs) == [np.dtype("float32")]
    assert make("take").infer_types([np.dtype("float64"), None], [None])[1] == (np.dtype("float64"),)


def test_take() -> None:
    assert compute(make("take"), TABLE, [-1, 9]).tolist() == TABLE[[0, 3]].tolist()
    assert compute(make("take", mode="wrap"), TABLE, [-1, 5]).tolist() == TABLE[[3, 1]].tolist()
    assert compute(make("take", axis=1), TABLE, [[0, 2]]).shape == (4, 1, 2)
    assert gradient(make("take", axis=1), 0, TABLE, [0, 0, 2])[0].tolist() == [2, 0, 1]


def test_pick() -> None:
    assert compute(make("pick"), TABLE, [0, 1, 2, 9]).tolist() == [0, 4, 8, 11]
    assert compute(make("pick", keepdims=True), TABLE, [[0], [1], [2], [0]]).shape == (4, 1)
    assert compute(make("pick", axis=0, mode="wrap"), TABLE, [-1, 4, 1]).tolist() == [9, 1, 5]
    assert make("pick").infer([(4, 3), ()], [()])[0][1] == (4,)
    assert make("pick", keepdims=True).infer([(4, 3), (4,)], [()])[1] == ((4, 1),)
    assert make("pick", keepdims=True).infer([(4, 3), ()], [()])[0][1] == (4,)
    assert make("pick", keepdims=True).infer([(4, 3), (4, 1)], [()])[0][1] == (4, 1)


def test_one_hot_is_all_off_outside() -> None:
    assert compute(make("one_hot", depth=2, on_value=5.0, off_value=-1.0), [0, 2]).tolist() == [
        [5, -1],
        [-1, -1],
    ]
    assert make("one_hot", depth=2).because("out", 0, 1, [(4,)], [(4, 2)]) == "depth = 2"


def test_gather_and_scatter() -> None:
    places = [[0, 3, 0], [1, 2, 1]]
    assert compute(make("gather_nd"), TABLE, places).tolist() == [1, 11, 1]
    assert gradient(make("gather_nd"), 0, TABLE, places).sum() == 3
    assert gradient(make("gather_nd"), 0, TABLE, places)[0, 1] == 2
    scattered = compute(make("scatter_nd", shape=(2, 2)), [5, 6], [[0, 1], [1, 0]])
    assert scattered.tolist() == [[0, 5], [6, 0]]
    with pytest.raises(ShapeError, match="3 indices are given"):
        make("gather_nd").infer([(4, 3), (3, 2)], [()])


def test_rows_add_up() -> None:
    indices = np.array([2, 0, 2, 2])
    rows = np.float32([[1, 10], [2, 20], [3, 30], [4, 40]])
    out = np.full((4, 2), 7, np.float32)
    add_rows(rows, indices, out)()
    assert out.tolist() == [[2, 20], [0, 0], [8, 80], [0, 0]]


def test_indices_are_read_anew_each_time() -> None:
    given = np.float32([1.9, -3.0, 7.0])
    read, whole = whole_numbers(given, limit=5)
    read()
    assert whole.tolist() == [1, 0, 4]
    given[0] = 3
    read()
    assert whole.tolist() == [3, 0, 4]
    around, wrapped = whole_numbers(given, limit=5, wrap=True)
    around()
    assert wrapped.tolist() == [3, 2, 2]

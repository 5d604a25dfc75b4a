"""Matrix products in all the ways in which they are asked for: the same numbers."""

from collections.abc import Callable
from contextlib import nullcontext

import numpy as np
import pytest

from app.engine.kernels import matrices
from app.engine.kernels.blas import for_one_thread
from app.engine.kernels.matrices import product, product_and_row, products
from app.engine.operator import Array

SHAPES = [
    *[(64, 784, 128), (512, 128, 512), (128, 512, 512), (32, 128, 512), (320, 16, 512), (500, 64, 784)],
    *[(64, 128, 64), (256, 128, 384), (7, 11, 13), (1, 300, 1), (97, 101, 103), (130, 80, 131), (3, 0, 4)],
]
"""Rows, summed, columns: of every kind that is computed in a way of its own, and sizes that nothing divides."""


def made(rows: int, columns: int, *, turned: bool) -> Array:
    random = np.random.default_rng(rows)
    shape = (columns, rows) if turned else (rows, columns)
    array = random.standard_normal(shape).astype(np.float32)
    return array.T if turned else array


def pair(matrix: Array, *, turned: bool) -> Array:
    """Return a matrix and its double, both written down with rows and columns changed round where that is asked."""
    both = np.stack([matrix, 2 * matrix])
    return np.ascontiguousarray(both.transpose(0, 2, 1)).transpose(0, 2, 1) if turned else both


@pytest.mark.parametrize("one_thread", [False, True])
@pytest.mark.parametrize("small", [False, True])
@pytest.mark.parametrize("left_turned", [False, True])
@pytest.mark.parametrize("right_turned", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_numbers_are_those_of_a_plain_product(
    monkeypatch: pytest.MonkeyPatch,
    shape: tuple[int, int, int],
    left_turned: bool,
    right_turned: bool,
    small: bool,
    one_thread: bool,
) -> None:
    monkeypatch.setattr(matrices, "has_small_products", lambda: small)
    rows, inner, columns = shape
    left, right = made(rows, inner, turned=left_turned), made(inner, columns, turned=right_turned)
    out = np.full((rows, columns), np.nan, np.float32)
    with for_one_thread() if one_thread else nullcontext():
        product(left, right, out)()
    np.testing.assert_allclose(out, left.astype(float) @ right.astype(float), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("small", [False, True])
@pytest.mark.parametrize("left_turned", [False, True])
@pytest.mark.parametrize("right_turned", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_pairs_give_the_numbers_of_plain_products(
    monkeypatch: pytest.MonkeyPatch,
    shape: tuple[int, int, int],
    left_turned: bool,
    right_turned: bool,
    small: bool,
) -> None:
    monkeypatch.setattr(matrices, "has_small_products", lambda: small)
    rows, inner, columns = shape
    left = pair(made(rows, inner, turned=False), turned=left_turned)
    right = pair(made(inner, columns, turned=False), turned=right_turned)
    out = np.full((2, rows, columns), np.nan, np.float32)
    products(left, right, out)()
    np.testing.assert_allclose(out, left.astype(float) @ right.astype(float), rtol=1e-4, atol=4e-3)


@pytest.mark.parametrize(
    ("shape", "copied"), [((64, 32, 64), True), ((16, 32, 128), False), ((32, 32, 32), False)]
)
def test_a_transposed_operand_is_written_down_where_the_result_would_be_packed(
    monkeypatch: pytest.MonkeyPatch, shape: tuple[int, int, int], copied: bool
) -> None:
    monkeypatch.setattr(matrices, "has_small_products", lambda: True)
    rows, inner, columns = shape
    left, right = np.ones((2, rows, inner), np.float32), np.ones((2, columns, inner), np.float32)
    seen, plain = [], np.matmul
    monkeypatch.setattr(np, "matmul", lambda *arrays: (seen.append(arrays[1]), plain(*arrays))[1])
    products(left, right.transpose(0, 2, 1), np.empty((2, rows, columns), np.float32))()
    assert [array.flags.c_contiguous for array in seen] == [copied]


def asked(monkeypatch: pytest.MonkeyPatch, name: str, work: Callable[[], object]) -> list[tuple[int, ...]]:
    """Return the shapes of the results that one of numpy's products was asked for."""
    shapes = []
    plain = getattr(np, name)

    def spy(left: Array, right: Array, *out: Array) -> Array:
        shapes.append(
            (*np.broadcast_shapes(left.shape[:-2], right.shape[:-2]), left.shape[-2], right.shape[-1])
        )
        return plain(left, right, *out)

    monkeypatch.setattr(np, name, spy)
    work()
    return shapes


def run(rows: int, inner: int, columns: int) -> None:
    out = np.empty((rows, columns), np.float32)
    product(made(rows, inner, turned=False), made(inner, columns, turned=True), out)()


def test_wide_results_become_tall_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matrices, "is_for_one_thread", lambda: False)
    assert asked(monkeypatch, "matmul", lambda: run(512, 128, 512)) == [(1, 2, 512, 256)]
    assert asked(monkeypatch, "dot", lambda: run(64, 784, 128)) == [(128, 64)]


def test_one_thread_computes_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matrices, "has_small_products", lambda: True)
    with for_one_thread():
        assert asked(monkeypatch, "matmul", lambda: run(256, 128, 512)) == [(8, 16, 32, 32)]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_row_is_added_to_every_row(shape: tuple[int, int, int]) -> None:
    rows, inner, columns = shape
    left, right = made(rows, inner, turned=False), made(inner, columns, turned=True)
    row = np.arange(columns, dtype=np.float32)
    out = np.full((rows, columns), np.nan, np.float32)
    product_and_row(left, right, row, out)()
    np.testing.assert_allclose(out, left.astype(float) @ right.astype(float) + row, rtol=1e-4, atol=1e-3)

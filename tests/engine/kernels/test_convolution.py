"""The convolution kernels: however the work is split, the numbers are the same, and buffers are made once."""

from typing import Any

import numpy as np
import pytest

from app.engine.kernels import columns
from app.engine.kernels import convolution as kernels
from app.engine.kernels.columns import Chunk, Setting
from app.engine.kernels.windows import Windows

SHAPES = [
    # image, filters, windows, groups
    ((5, 4, 9, 8), (6, 4, 3, 3), Windows((3, 3), (1, 1), (1, 1), (1, 1)), 1),
    ((5, 4, 9, 8), (6, 2, 3, 2), Windows((3, 2), (2, 1), (1, 2), (1, 2)), 2),
    ((3, 4, 7, 6), (4, 1, 3, 3), Windows((3, 3), (1, 1), (1, 1), (0, 0)), 4),
    ((3, 2, 12), (3, 2, 5), Windows((5,), (3,), (1,), (2,)), 1),
    ((4, 3, 5, 5), (2, 3, 1, 1), Windows((1, 1), (1, 1), (1, 1), (0, 0)), 1),
    ((4, 3, 5, 5), (2, 3, 1, 1), Windows((1, 1), (1, 1), (1, 1), (2, 2)), 1),
    ((4, 3, 5, 6), (2, 3, 1, 1), Windows((1, 1), (2, 3), (1, 1), (0, 0)), 1),
    ((3, 2, 6, 7), (3, 2, 3, 1), Windows((3, 1), (1, 1), (1, 1), (0, 0)), 1),
    ((3, 2, 6, 7), (3, 2, 3, 3), Windows((3, 3), (1, 1), (2, 2), (4, 5)), 1),
    ((2, 2, 4, 5, 6), (4, 1, 2, 3, 2), Windows((2, 3, 2), (1, 1, 1), (1, 1, 2), (1, 1, 0)), 2),
    ((2, 2, 5, 4, 6), (2, 2, 2, 2, 3), Windows((2, 2, 3), (2, 1, 2), (1, 1, 1), (1, 0, 2)), 1),
]


def all_three(image: Any, filters: Any, windows: Windows, groups: int) -> list[Any]:
    """Return values, gradient of the image and gradient of the filters, with one scratch as a node has it."""
    rng = np.random.default_rng(1)
    setting = Setting(windows, {})
    counts = [
        (size + 2 * p - r) // s + 1
        for size, p, r, s in zip(image.shape[2:], windows.pad, windows.reach, windows.stride, strict=True)
    ]
    result = np.full((image.shape[0], filters.shape[0], *counts), np.nan, image.dtype)
    head = rng.normal(size=result.shape).astype(image.dtype)
    to_image, to_filters = np.full_like(image, np.nan), np.full_like(filters, np.nan)
    calls = [
        kernels.convolution(image, filters, None, result, setting),
        kernels.image_gradient(head, filters, to_image, setting),
        kernels.filter_gradient(image, head, to_filters, setting),
    ]
    for call in calls:  # twice: buffers of the first time must not show in the second
        call()
    for call in calls:
        call()
    return [result, to_image, to_filters]


def arrays(image: Any, filters: Any) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    return rng.normal(size=image), rng.normal(size=filters)


@pytest.mark.parametrize(("image", "filters", "windows", "groups"), SHAPES)
@pytest.mark.parametrize("limits", [(1, 1), (10**9, 1), (10**9, 2000), (10**9, 10**9)])
def test_splitting_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, image: Any, filters: Any, windows: Windows, groups: int, limits: Any
) -> None:
    given = arrays(image, filters)
    wanted = all_three(*given, windows, groups)
    monkeypatch.setattr(kernels, "has_small_products", lambda: True)
    monkeypatch.setattr(kernels, "LEAST_POSITIONS", 1)
    monkeypatch.setattr(kernels, "GEMM_LIMIT", limits[0])
    monkeypatch.setattr(kernels, "CACHE_LIMIT", limits[1])
    monkeypatch.setattr(columns, "LEAST_AT_ONCE", 1)
    for got, right in zip(all_three(*given, windows, groups), wanted, strict=True):
        np.testing.assert_allclose(got, right, atol=1e-12)


@pytest.mark.parametrize(("image", "filters", "windows", "groups"), SHAPES)
def test_flipping_and_folding_agree(
    monkeypatch: pytest.MonkeyPatch, image: Any, filters: Any, windows: Windows, groups: int
) -> None:
    given = arrays(image, filters)
    found = []
    for cost in (1e-9, 1e9):  # additions for nothing: fold; beyond price: flip
        monkeypatch.setattr(kernels, "ADDITION_COST", cost)
        found.append(all_three(*given, windows, groups)[1])
    np.testing.assert_allclose(*found, atol=1e-12)


def test_single_precision_stays_single() -> None:
    image, filters, windows, groups = SHAPES[1]
    exact = all_three(*arrays(image, filters), windows, groups)
    single = all_three(*(array.astype(np.float32) for array in arrays(image, filters)), windows, groups)
    for got, right in zip(single, exact, strict=True):
        assert got.dtype == np.float32
        np.testing.assert_allclose(got, right, rtol=1e-4, atol=1e-4)


def test_products_are_divided_until_they_are_small_but_not_narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    piece = Chunk(slice(0, 1), slice(0, 32), slice(0, 32 * 32))
    monkeypatch.setattr(kernels, "has_small_products", lambda: True)
    assert kernels._blocks(piece, 16 * 144 * 32) == 4
    assert kernels._blocks(piece, 10) == 1
    assert kernels._blocks(piece, 10**9) == 16  # 64 positions each, however large that is
    prime = Chunk(slice(0, 1), slice(0, 17), slice(0, 17 * 17))
    assert kernels._blocks(prime, 10**9) == 1  # a row at a time would be 17 positions
    monkeypatch.setattr(kernels, "has_small_products", lambda: False)
    assert kernels._blocks(piece, 16 * 144 * 32) == 1


def test_bias_gradient_of_any_memory_order() -> None:
    result = np.random.default_rng(0).normal(size=(3, 4, 5, 2))
    for array in (result, np.moveaxis(np.moveaxis(result, 1, -1).copy(), -1, 1)):
        bias = np.empty(4)
        kernels.bias_gradient(array, bias)()
        np.testing.assert_allclose(bias, result.sum(axis=(0, 2, 3)))

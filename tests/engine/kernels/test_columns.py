"""Unrolled windows: how the work is split, and that every number of a column is what its window sees."""

import numpy as np
import pytest

from app.engine.kernels import columns
from app.engine.kernels.columns import Columns, Folding, Setting, chunks, rows_from
from app.engine.kernels.windows import Windows


def test_many_small_images_are_unrolled_together_and_large_ones_by_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    together = chunks(10, (4, 4), 20_000, 384 * 1024)
    assert [chunk.samples for chunk in together] == [slice(0, 4), slice(4, 8), slice(8, 10)]
    assert all(chunk.positions == slice(0, 16) for chunk in together)
    assert [chunk.rows for chunk in chunks(1, (8, 64), 10**6, 1)] == [
        slice(at, at + 2) for at in (0, 2, 4, 6)
    ]
    monkeypatch.setattr(columns, "LEAST_AT_ONCE", 1)
    by_rows = chunks(2, (8, 4), 100_000, 384 * 1024)
    assert [chunk.rows for chunk in by_rows[:3]] == [slice(0, 2), slice(2, 5), slice(5, 8)]
    assert [chunk.samples for chunk in by_rows] == [slice(0, 1)] * 3 + [slice(1, 2)] * 3


@pytest.mark.parametrize("stride", [1, 2])
def test_columns_hold_what_windows_see_and_fold_back_to_how_often_it_was_seen(
    monkeypatch: pytest.MonkeyPatch, stride: int
) -> None:
    monkeypatch.setattr(columns, "LEAST_AT_ONCE", 1)
    image = np.arange(1.0, 1 + 3 * 2 * 5 * 5).reshape(3, 2, 5, 5)
    setting = Setting(Windows((3, 3), (stride, stride), (1, 1), (1, 1)), {})
    counts = ((5, 5), (3, 3))[stride - 1]
    pieces = chunks(3, counts, 1, 2)
    padded = np.pad(image, ((0, 0), (0, 0), (1, 1), (1, 1)))
    views = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (2, 3))[:, :, ::stride, ::stride]
    wanted = np.moveaxis(views, (4, 5), (2, 3)).reshape(3, 18, *counts)
    seen = 0
    for matrix, piece in zip(Columns(image, counts, setting, pieces, 2, joined=False), pieces, strict=True):
        np.testing.assert_array_equal(
            matrix[:, 0], wanted[piece.samples, :, piece.rows].reshape(matrix[:, 0].shape)
        )
        seen += 1
    assert seen == len(pieces) > 3
    folded = np.full_like(image, np.nan)
    for matrix in Folding(folded, counts, setting, pieces, 2):
        matrix.fill(1)
    assert folded.max() == {1: 9, 2: 4}[stride] and folded.min() == {1: 4, 2: 1}[stride]


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("dilate", [1, 2])
@pytest.mark.parametrize(("first", "count"), [(0, 2), (1, 2), (3, 1), (0, 4)])
def test_some_rows_of_windows_see_the_part_of_the_image_that_they_saw_in_the_whole(
    stride: int, dilate: int, first: int, count: int
) -> None:
    image = np.random.default_rng(0).normal(size=(1, 2, 8, 6))
    setting = Setting(Windows((3, 2), (stride, 1), (dilate, 1), (2, 1)), {})
    rows = (8 + 4 - setting.windows.reach[0]) // stride + 1
    counts = (rows, 7)
    (whole,) = Columns(image, counts, setting, chunks(1, counts, 1, 10**6), 2, joined=False)
    wanted = whole.reshape(12, *counts)[:, first : first + count].copy()
    part, own = rows_from(image, setting, first, count)
    counts = (count, 7)
    (found,) = Columns(part, counts, own, chunks(1, counts, 1, 10**6), 2, joined=False)
    np.testing.assert_array_equal(found.reshape(12, *counts), wanted)

"""Unrolled windows: how the work is split, and that every number of a column is what its window sees."""

import numpy as np
import pytest

from app.engine.kernels.columns import Columns, Folding, Setting, chunks
from app.engine.kernels.windows import Windows


def test_many_small_images_are_unrolled_together_and_large_ones_by_rows() -> None:
    together = chunks(10, (4, 4), 20_000, 384 * 1024)
    assert [chunk.samples for chunk in together] == [slice(0, 4), slice(4, 8), slice(8, 10)]
    assert all(chunk.positions == slice(0, 16) for chunk in together)
    by_rows = chunks(2, (8, 4), 100_000, 384 * 1024)
    assert [chunk.rows for chunk in by_rows[:3]] == [slice(0, 2), slice(2, 5), slice(5, 8)]
    assert [chunk.samples for chunk in by_rows] == [slice(0, 1)] * 3 + [slice(1, 2)] * 3


@pytest.mark.parametrize("stride", [1, 2])
def test_columns_hold_what_windows_see_and_fold_back_to_how_often_it_was_seen(stride: int) -> None:
    image = np.arange(1.0, 1 + 3 * 2 * 5 * 5).reshape(3, 2, 5, 5)
    setting = Setting(Windows((3, 3), (stride, stride), (1, 1), (1, 1)), 1, {})
    counts = ((5, 5), (3, 3))[stride - 1]
    pieces = chunks(3, counts, 1, 2)
    padded = np.pad(image, ((0, 0), (0, 0), (1, 1), (1, 1)))
    views = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (2, 3))[:, :, ::stride, ::stride]
    wanted = np.moveaxis(views, (4, 5), (2, 3)).reshape(3, 18, *counts)
    seen = 0
    for matrix, piece in zip(Columns(image, counts, setting, pieces, joined=False), pieces, strict=True):
        np.testing.assert_array_equal(
            matrix[:, 0], wanted[piece.samples, :, piece.rows].reshape(matrix[:, 0].shape)
        )
        seen += 1
    assert seen == len(pieces) > 3
    folded = np.full_like(image, np.nan)
    for matrix in Folding(folded, counts, setting, pieces):
        matrix.fill(1)
    assert folded.max() == {1: 9, 2: 4}[stride] and folded.min() == {1: 4, 2: 1}[stride]

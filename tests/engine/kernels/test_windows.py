"""Sliding windows: which results see which pixels."""

import numpy as np

from app.engine.kernels.windows import Windows, all_stands, taps, window_view, work


def test_taps_name_every_pixel_that_a_window_sees() -> None:
    """Adding ones along all taps counts the places of each window that lie on the image."""
    windows = Windows((3, 2), (2, 1), (1, 2), (1, 1))
    seen = np.zeros((1, 1, 3, 4), int)
    for tap in taps(windows, (5, 4), all_stands((3, 4))):
        part = seen[tap.outputs]
        assert part.shape == np.empty((1, 1, 5, 4))[tap.inputs].shape
        part += 1
    down, across = [2, 3, 2], [1, 2, 2, 1]
    assert seen[0, 0].tolist() == [[d * a for a in across] for d in down]


def test_taps_outside_the_image_are_left_out() -> None:
    windows = Windows((3,), (1,), (1,), (5,))
    assert [tap.number for tap in taps(windows, (1,), ((0, 4),))] == [2]


def test_a_range_of_stands_counts_from_its_first() -> None:
    windows = Windows((2,), (2,), (1,), (0,))
    whole = [(tap.number, tap.outputs[2], tap.inputs[2]) for tap in taps(windows, (8,), ((2, 4),))]
    assert whole == [(0, slice(0, 2), slice(4, 7, 2)), (1, slice(0, 2), slice(5, 8, 2))]


def test_the_view_is_the_windows_without_a_copy() -> None:
    image = np.arange(2 * 7.0).reshape(1, 2, 7)
    view = window_view(image, Windows((2,), (2,), (3,), (0,)), (2,))
    assert view.shape == (1, 2, 2, 2)
    assert view[0, 0].tolist() == [[0, 2], [3, 5]]
    assert np.shares_memory(view, image)


def test_work_arrays_are_kept_while_they_fit() -> None:
    scratch: dict[str, object] = {}
    first = work(scratch, "columns", (3, 4), np.float32)
    assert np.shares_memory(first, work(scratch, "columns", (2, 5), np.float32))
    assert not np.shares_memory(first, work(scratch, "columns", (13,), np.float32))
    assert work(scratch, "columns", (2,), np.float64).dtype == np.float64

"""Statistics of arrays, the planes through them, and the colours of numbers."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from app.panels.inspector import statistics as counting
from app.panels.inspector.heat_levels import colour_range, heat_levels
from app.panels.inspector.slicing import first_slice, kept_slice, picture, plane
from app.panels.inspector.statistics import count_blocks, number_text, statistics
from app.qt.colours import EMPTY_LEVEL, LEVELS, NAN_LEVEL, NEGATIVE_INFINITY_LEVEL, POSITIVE_INFINITY_LEVEL


@given(
    hnp.arrays(np.float32, hnp.array_shapes(max_dims=4, max_side=6), elements=st.floats(-1e6, 1e6, width=32))
)
@settings(max_examples=60, deadline=None)
def test_statistics_agree_with_numpy_even_in_many_blocks(array: np.ndarray) -> None:
    whole = statistics(array)
    block = counting.BLOCK
    counting.BLOCK = 3
    try:
        parts = statistics(array)
    finally:
        counting.BLOCK = block
    for found in (whole, parts):
        assert found.minimum == array.min()
        assert found.maximum == array.max()
        assert found.mean == pytest.approx(array.mean(dtype=np.float64), rel=1e-9, abs=1e-6)
        assert found.deviation == pytest.approx(array.std(dtype=np.float64), rel=1e-6, abs=1e-6)
        assert found.zeros == np.count_nonzero(array == 0)
        assert found.count == array.size


def test_numbers_that_are_none_are_counted_and_left_out_of_the_rest() -> None:
    found = statistics(np.array([1.0, np.nan, 3.0, np.inf, -np.inf, np.nan, 0.0], np.float32))
    assert (found.nans, found.positive_infinities, found.negative_infinities) == (2, 1, 1)
    assert (found.minimum, found.maximum, found.zeros) == (0.0, 3.0, 1)
    assert found.mean == pytest.approx(4 / 3)
    assert not found.is_finite
    assert found.warning == "2 NaN · 1 +∞ · 1 −∞"


def test_nothing_but_nan_has_no_mean() -> None:
    found = statistics(np.full((2, 2), np.nan))
    assert found.mean is None
    assert number_text(found.mean) == "–"


def test_whole_numbers_are_counted_too() -> None:
    found = statistics(np.array([[0, 2], [4, 6]], np.int32))
    assert (found.dtype, found.shape, found.mean, found.is_finite) == ("int32", (2, 2), 3.0, True)


def test_counting_can_be_given_up_between_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "BLOCK", 10)
    counts = [found.count for found in count_blocks(np.ones((5, 7)))]
    assert counts == [10, 20, 30, 35]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (None, "–"),
        (3.0, "3"),
        (-2.0, "-2"),
        (0.1 + 0.2, "0.3"),
        (1234567.0, "1.235e+06"),
        (math.nan, "NaN"),
        (-math.inf, "−∞"),
    ],
)
def test_numbers_are_written_short(number: float | None, text: str) -> None:
    assert number_text(number) == text


ARRAY = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)


def test_a_plane_is_the_last_two_axes_at_a_place_on_the_others() -> None:
    view = first_slice(ARRAY.shape).gridded(None).moved(0, 1).moved(1, 2)
    assert view.free_axes == (0, 1)
    np.testing.assert_array_equal(plane(ARRAY, view), ARRAY[1, 2])
    np.testing.assert_array_equal(plane(ARRAY, view.turned(3, 0)), ARRAY[:, 2, 0].T)
    assert view.index_text(3, 4) == "[1, 2, 3, 4]"


def test_a_place_outside_goes_to_the_edge_and_is_kept_for_the_next_array() -> None:
    view = first_slice(ARRAY.shape).moved(0, 9)
    assert view.at[0] == 1
    assert kept_slice(view, (1, 3, 4, 5)).at[0] == 0
    assert kept_slice(view, (3, 4)) == first_slice((3, 4))


def test_arrays_of_one_axis_and_of_none_are_one_row() -> None:
    assert plane(np.arange(4), first_slice((4,))).shape == (1, 4)
    assert plane(np.array(3.0), first_slice(())).shape == (1, 1)
    assert first_slice((4,)).index_text(0, 2) == "[2]"


def test_channels_stand_side_by_side_and_every_pixel_knows_its_index() -> None:
    drawn = picture(ARRAY, first_slice(ARRAY.shape).moved(0, 1))
    assert drawn.numbers.shape == (4 * 2 + 1, 5 * 2 + 1)
    assert drawn.empty is not None
    for row, column in np.ndindex(drawn.numbers.shape):
        index = drawn.index_at(row, column)
        assert bool(index) != drawn.empty[row, column]
        if index:
            assert ARRAY[tuple(int(part) for part in index[1:-1].split(","))] == drawn.numbers[row, column]


def test_images_of_one_channel_stand_side_by_side_by_example() -> None:
    assert first_slice((64, 1, 8, 8)).grid == 0
    assert first_slice((64, 8, 8)).grid == 0
    assert first_slice((1, 1, 8, 8)).grid is None
    assert first_slice((64, 8)).grid is None


def test_a_large_array_is_thinned_and_says_which_numbers_are_drawn() -> None:
    large = np.arange(3000 * 10).reshape(3000, 10)
    drawn = picture(large, first_slice(large.shape))
    assert drawn.step == (3, 1)
    assert drawn.numbers.shape == (1000, 10)
    assert drawn.index_at(7, 2) == "[21, 2]"


def test_more_channels_than_fit_are_left_out_and_counted() -> None:
    drawn = picture(np.zeros((1, 200, 2, 2)), first_slice((1, 200, 2, 2)))
    assert drawn.left_out == 200 - 144


def test_colours_span_the_range_and_zero_is_in_the_middle_of_gradients() -> None:
    levels = heat_levels(np.array([[0.0, 5.0, 10.0]]), colour_range(0.0, 10.0, diverging=False))
    assert levels.tolist() == [[0, round((LEVELS - 1) / 2), LEVELS - 1]]
    assert colour_range(-1.0, 4.0, diverging=True) == (-4.0, 4.0)
    assert colour_range(None, None, diverging=True) == (-1.0, 1.0)


def test_nan_infinity_and_nothing_have_colours_of_their_own() -> None:
    numbers = np.array([np.nan, np.inf, -np.inf, 1.0, 1.0])
    empty = np.array([False, False, False, False, True])
    levels = heat_levels(numbers, (0.0, 1.0), empty)
    expected = [NAN_LEVEL, POSITIVE_INFINITY_LEVEL, NEGATIVE_INFINITY_LEVEL, LEVELS - 1, EMPTY_LEVEL]
    assert levels.tolist() == expected


def test_the_widest_range_of_floats_does_not_overflow() -> None:
    ends = (-1.7e308, 1.7e308)
    assert heat_levels(np.array([-1.7e308, 0.0, 1.7e308]), ends).tolist() == [0, 126, 251]

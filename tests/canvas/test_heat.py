"""Arrays become pictures whose colours can be trusted."""

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor

from app.canvas.heat import heat_of, summary_lines
from app.qt.colours import HEAT


def colour(heat, x, y):
    return QColor(heat.image.pixel(x, y))


def test_values_run_from_the_first_to_the_last_colour():
    heat = heat_of(np.array([[0.0, 5.0], [10.0, 2.5]]), HEAT, diverging=False)
    assert (heat.low, heat.high) == (0.0, 10.0)
    assert colour(heat, 0, 0) == HEAT.sequential.colour(0.0)
    assert colour(heat, 0, 1) == HEAT.sequential.colour(1.0)


def test_gradients_put_zero_in_the_middle_whatever_the_range():
    heat = heat_of(np.array([[-1.0, 0.0, 4.0]]), HEAT, diverging=True)
    assert (heat.low, heat.high) == (-4.0, 4.0)
    middle = colour(heat, 1, 0)
    assert min(middle.red(), middle.green(), middle.blue()) > 235
    assert colour(heat, 2, 0) == HEAT.diverging.colour(1.0)


def test_nan_and_infinity_are_loud_and_do_not_spoil_the_range():
    numbers = np.array([[1.0, np.nan], [np.inf, -np.inf]])
    heat = heat_of(numbers, HEAT, diverging=False)
    assert (heat.not_numbers, heat.infinities, heat.alarm) == (1, 2, "NaN")
    assert colour(heat, 1, 0) == HEAT.not_a_number
    assert colour(heat, 0, 1) == HEAT.positive_infinity
    assert colour(heat, 1, 1) == HEAT.negative_infinity
    assert heat_of(np.array([1.0, np.inf]), HEAT, diverging=True).alarm == "∞"
    assert heat_of(np.array([np.nan]), HEAT, diverging=True).alarm == "NaN"


def test_one_nan_among_many_numbers_survives_shrinking():
    numbers = np.zeros((500, 700), dtype=np.float32)
    numbers[333, 444] = np.nan
    heat = heat_of(numbers, HEAT, diverging=False)
    assert heat.image.width() <= 96
    assert heat.image.height() <= 64
    pixels = {heat.image.pixel(x, y) for x in range(heat.image.width()) for y in range(heat.image.height())}
    assert HEAT.not_a_number.rgba() in pixels


def test_huge_numbers_do_not_overflow():
    heat = heat_of(np.array([[-1.7e308, 0.0, 1.7e308]]), HEAT, diverging=False)
    assert colour(heat, 0, 0) == HEAT.sequential.colour(0.0)
    assert colour(heat, 2, 0) == HEAT.sequential.colour(1.0)


def test_a_stack_of_channels_becomes_tiles_with_gaps():
    numbers = np.ones((4, 8, 5, 5))
    numbers[0, 3] = 2.0
    heat = heat_of(numbers, HEAT, diverging=False)
    assert heat.keeps_aspect
    assert (heat.image.width(), heat.image.height()) == (4 * 6 - 1, 2 * 6 - 1)
    assert colour(heat, 18, 0) == HEAT.sequential.colour(1.0), "channel 3 is the last of the first row"
    assert QColor.fromRgba(heat.image.pixel(5, 0)).alpha() == 0, "the gap is empty"


def test_images_of_one_channel_show_the_first_samples():
    numbers = np.zeros((64, 1, 8, 8))
    numbers[0], numbers[1] = 1.0, 0.5
    heat = heat_of(numbers, HEAT, diverging=False)
    assert colour(heat, 0, 0) == HEAT.sequential.colour(1.0)
    assert colour(heat, 9, 0) not in (HEAT.sequential.colour(1.0), HEAT.sequential.colour(0.0))


@pytest.mark.parametrize("shape", [(1,), (7,), (3, 4), (64, 10), (2, 3, 4), (2, 3, 4, 5), (2, 1, 2, 3, 4)])
def test_every_rank_lies_inside_its_place(shape):
    heat = heat_of(np.random.default_rng(1).normal(size=shape), HEAT, diverging=True)
    place = QRectF(10, 20, 72, 48)
    inside = heat.fit(place)
    assert place.adjusted(-0.01, -0.01, 0.01, 0.01).contains(inside)
    assert inside.width() > 3
    assert inside.height() > 3


def test_the_summary_counts_what_is_not_finite():
    lines = summary_lines(np.array([1.0, 2.0, np.nan, np.inf], dtype=np.float32))
    assert lines[0] == "float32 · 4 numbers"
    assert lines[1] == "min 1 · mean 1.5 · max 2"
    assert "1 NaN, 1 infinite" in lines[2]
    assert lines[3] == "[1, 2, NaN, ∞]"

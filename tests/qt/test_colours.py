"""Colours can be told apart, heat rises evenly, and nothing speaks by colour alone in print."""

from itertools import pairwise

import attrs
import pytest
from PySide6.QtGui import QColor, qAlpha

from app.qt.colours import (
    EMPTY_LEVEL,
    HEAT,
    LEVELS,
    NAN_LEVEL,
    NEGATIVE_INFINITY_LEVEL,
    POSITIVE_INFINITY_LEVEL,
    contrast,
    heat_colours,
    mix,
    picture_colours,
    readable_on,
)


def oklab_lightness(colour: QColor) -> float:
    """Return how light a colour looks, 0 to 1 (Björn Ottosson's Oklab)."""

    def linear(value: float) -> float:
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(value) for value in (colour.redF(), colour.greenF(), colour.blueF()))
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    middle = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    return 0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short


def test_sequential_heat_rises_evenly_in_lightness():
    lightness = [oklab_lightness(colour) for colour in HEAT.sequential.colours(33)]
    steps = [after - before for before, after in pairwise(lightness)]
    assert lightness[0] < 0.3
    assert lightness[-1] > 0.9
    assert max(steps) < 1.6 * min(steps)


def test_diverging_heat_is_white_at_zero_and_as_dark_on_both_sides():
    poles = HEAT.diverging
    assert oklab_lightness(poles.colour(0.5)) > 0.97
    for distance in (0.1, 0.25, 0.5):
        below, above = poles.colour(0.5 - distance), poles.colour(0.5 + distance)
        assert below.blueF() > below.redF()
        assert above.redF() > above.blueF()
        assert oklab_lightness(below) == pytest.approx(oklab_lightness(above), abs=0.03)


def test_diverging_heat_is_dark_at_zero_on_a_dark_board_and_as_light_on_both_sides():
    poles = heat_colours("standard", on_dark=True).diverging
    assert oklab_lightness(poles.colour(0.5)) < 0.32
    for distance in (0.1, 0.25, 0.5):
        below, above = poles.colour(0.5 - distance), poles.colour(0.5 + distance)
        assert below.blueF() > below.redF()
        assert above.redF() > above.blueF()
        assert oklab_lightness(below) == pytest.approx(oklab_lightness(above), abs=0.03)


@pytest.mark.parametrize("on_dark", [False, True])
def test_heat_in_print_has_no_colour_and_says_the_sign(on_dark):
    heat = heat_colours("print", on_dark=on_dark)
    for chosen in (heat.sequential, heat.diverging):
        assert all(colour.red() == colour.green() == colour.blue() for colour in chosen.colours(33))
    greys = [colour.red() for colour in heat.diverging.colours(33)]
    assert greys == sorted(greys)


def test_positions_outside_take_the_nearer_end():
    ember = HEAT.sequential
    assert ember.colour(-3).name() == ember.stops[0].name()
    assert ember.colour(7).name() == ember.stops[-1].name()


@pytest.mark.parametrize("diverging", [False, True])
def test_table_has_loud_places_for_what_is_no_number(diverging):
    table = HEAT.table(diverging)
    chosen = HEAT.diverging if diverging else HEAT.sequential
    assert len(table) == 256
    assert table[LEVELS - 1] == chosen.stops[-1].rgba()
    assert table[NAN_LEVEL] == HEAT.not_a_number.rgba()
    assert table[POSITIVE_INFINITY_LEVEL] == HEAT.positive_infinity.rgba()
    assert table[NEGATIVE_INFINITY_LEVEL] == HEAT.negative_infinity.rgba()
    assert qAlpha(table[EMPTY_LEVEL]) == 0
    assert not set(table[:LEVELS]) & set(table[LEVELS:])


def test_mix_goes_from_one_to_the_other():
    black, white = QColor("black"), QColor("white")
    assert mix(black, white, 0.0).name() == "#000000"
    assert mix(black, white, 1.0).name() == "#ffffff"
    assert mix(black, white, 0.5).red() in (127, 128)


@pytest.mark.parametrize("name", ["standard", "safe", "print"])
@pytest.mark.parametrize("on_dark", [False, True])
def test_letters_on_the_pictures_can_be_read(name, on_dark):
    colours = picture_colours(name, on_dark=on_dark)
    for field in ("argument", "output", "internal", "gradient", "auxiliary", "head_gradient"):
        fill = getattr(colours, field)
        assert contrast(readable_on(fill), fill) > 4, field


def test_print_has_no_colour():
    for on_dark in (False, True):
        record = picture_colours("print", on_dark=on_dark)
        fills = [value for value in attrs.asdict(record, recurse=False).values() if isinstance(value, QColor)]
        assert fills
        assert all(colour.saturation() == 0 for colour in fills)


def test_standard_colours_are_those_of_the_pictures():
    colours = picture_colours("standard", on_dark=False)
    hues = {field: getattr(colours, field).hsvHue() for field in ("argument", "output", "gradient")}
    assert 25 < hues["argument"] < 45
    assert hues["output"] > 345 or hues["output"] < 15
    assert 110 < hues["gradient"] < 160
    assert colours.auxiliary.lightnessF() < colours.gradient.lightnessF()
    assert 200 < colours.head_gradient.hsvHue() < 230


def test_safe_fills_differ_in_lightness_or_are_far_apart_for_the_colour_blind():
    colours = picture_colours("safe", on_dark=False)
    pairs = [("output", "gradient"), ("argument", "gradient"), ("output", "auxiliary")]
    for first, second in pairs:
        seen = [simulate_deuteranopia(getattr(colours, name)) for name in (first, second)]
        distance = sum((a - b) ** 2 for a, b in zip(*seen, strict=True)) ** 0.5
        assert distance > 0.2, (first, second)


def simulate_deuteranopia(colour: QColor) -> tuple[float, float, float]:
    """Return what a deuteranope sees, roughly (matrix of Machado, Oliveira and Fernandes, severity 1)."""
    red, green, blue = colour.redF(), colour.greenF(), colour.blueF()
    return (
        0.367322 * red + 0.860646 * green - 0.227968 * blue,
        0.280085 * red + 0.672501 * green + 0.047413 * blue,
        -0.011820 * red + 0.042940 * green + 0.968881 * blue,
    )

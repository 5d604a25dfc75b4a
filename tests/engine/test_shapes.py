"""Shapes join, are counted, and are written for people."""

import pytest

from app.engine.errors import ShapeError
from app.engine.shapes import UNKNOWN, Shape, element_count, merge, merge_all, normalize_axis, text


@pytest.mark.parametrize(
    ("one", "other", "joined"),
    [
        ((2, 0), (0, 3), (2, 3)),
        ((2, 3), UNKNOWN, (2, 3)),
        (UNKNOWN, (0, 3), (0, 3)),
        ((0, 0), (0, 0), (0, 0)),
        (UNKNOWN, UNKNOWN, UNKNOWN),
    ],
)
def test_two_halves_of_a_shape_join_either_way(one: Shape, other: Shape, joined: Shape) -> None:
    assert merge(one, other) == merge(other, one) == joined


@pytest.mark.parametrize(
    ("one", "other", "sentence"),
    [
        ((2, 3), (2, 4), "expected (2, 3) but got (2, 4)."),
        ((2, 3), (2,), "expected (2, 3) but got (2): the ranks differ."),
        ((0, 0), (2,), "expected 2 axes but got (2): the ranks differ."),
    ],
)
def test_what_contradicts_is_told_with_both(one: Shape, other: Shape, sentence: str) -> None:
    with pytest.raises(ShapeError) as refusal:
        merge(one, other, "data")
    assert (refusal.value.sentence, refusal.value.port) == (sentence, "data")


def test_of_many_the_first_that_does_not_fit_is_blamed() -> None:
    assert merge_all([(2, 0), UNKNOWN, (0, 3)]) == (2, 3)
    with pytest.raises(ShapeError) as refusal:
        merge_all([(2, 0), (2, 3), (2, 4), (9, 9)], ["a", "b", "c", "d"])
    assert refusal.value.port == "c"


@pytest.mark.parametrize(("shape", "count"), [((2, 3), 6), ((2, 0), 0), (UNKNOWN, 0), ((7,), 7)])
def test_elements_are_counted_where_they_are_known(shape: Shape, count: int) -> None:
    assert element_count(shape) == count


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        (UNKNOWN, "?"),
        ((3,), "(3)"),
        ((2, 0), "(2, ?)"),
        (tuple(range(1, 10)), "(1, 2, 3, 4, 5, 6, 7, 8, 9)"),
        (tuple(range(1, 11)), "(1, 2, 3, 4, 5, 6, 7, 8, …, 10)"),
        ((10**21, 2), "(about 10^21, 2)"),
    ],
)
def test_a_shape_is_written_for_people(shape: Shape, words: str) -> None:
    assert text(shape) == words


def test_an_axis_is_counted_from_the_front() -> None:
    assert [normalize_axis(axis, 3) for axis in (-3, -1, 0, 2)] == [0, 2, 0, 2]
    for axis in (-4, 3):
        with pytest.raises(ShapeError, match="out of range for 3 axes"):
            normalize_axis(axis, 3)

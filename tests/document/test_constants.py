"""Constants as people type them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from app.document.constants import constant_shape, parse_constant, spell
from app.engine.errors import BindError


@pytest.mark.parametrize(
    ("text", "shape", "numbers"),
    [
        ("10", (), 10),
        (" .5 ", (), 0.5),
        ("1e-3", (), 0.001),
        ("[1, 2]", (2,), [1, 2]),
        ("1, 2, 3", (3,), [1, 2, 3]),
        ("(1, 2,)", (2,), [1, 2]),
        ("[[1, 2], [3, 4.5]]", (2, 2), [[1, 2], [3, 4.5]]),
        ("1\t2\r\n3\t4.5\r\n", (2, 2), [[1, 2], [3, 4.5]]),
        ("1,2\n3,4", (2, 2), [[1, 2], [3, 4]]),
        ("[true, False]", (2,), [1, 0]),
        ("[inf, -Infinity]", (2,), [np.inf, -np.inf]),
    ],
)
def test_what_people_type_is_read(text: str, shape: tuple[int, ...], numbers: object) -> None:
    array = parse_constant(text)
    assert array.shape == shape == constant_shape(text)
    assert np.array_equal(array, np.array(numbers))
    assert not array.flags.writeable


def test_nan_is_read() -> None:
    assert np.isnan(parse_constant("[1, nan]"))[1]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("ten", "'ten' is no number"),
        ("[1, 2", "no number and no list"),
        ("[]", "empty list"),
        ("[[1, 2], [3]]", r"list at \[1\] has length 1, but the first has 2"),
        ("[[1], 2]", r"'2' at \[1\] should be a list of 1"),
        ("[1, [2]]", r"a list at \[1\] where a single number"),
        ('[1, "a"]', r"'a' at \[1\] is not a number"),
        ("__import__('os')", "no number"),
        ("[" * 9999, "no number"),
        ("[" * 70 + "1" + "]" * 70, "70 axes; an array has at most 64"),
        ("[1, 1" + "0" * 400 + "]", "too large for any array"),
    ],
)
def test_what_cannot_be_read_says_where(text: str, words: str) -> None:
    with pytest.raises(BindError, match=words) as caught:
        parse_constant(text)
    assert len(str(caught.value)) < 140


@given(
    hnp.arrays(st.sampled_from([np.float32, np.float64, np.int64]), hnp.array_shapes(max_dims=4, max_side=4))
)
def test_spelling_reads_back_to_the_same_numbers(array: np.ndarray) -> None:
    again = parse_constant(spell(array))
    assert np.array_equal(again.astype(array.dtype), array, equal_nan=True)
    assert again.shape == array.shape

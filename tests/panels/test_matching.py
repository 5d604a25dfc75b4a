"""What a few typed letters find, and in which order."""

import pytest

from app.panels.matching import Candidate, find, initials

OPERATORS = (
    Candidate(
        "Convolution",
        "Convolution",
        ("Convolution_v1",),
        order=0,
        words="Layers Slide filters over an image.",
    ),
    Candidate("FullyConnected", "FullyConnected", order=1, words="Layers Multiply each row by a matrix."),
    Candidate("BatchNorm", "BatchNorm", ("CuDNNBatchNorm",), order=2),
    Candidate("softmax", "softmax", order=3),
    Candidate("SoftmaxOutput", "SoftmaxOutput", ("Softmax",), order=4),
    Candidate("log_softmax", "log_softmax", order=5),
    Candidate("log", "log", order=6),
    Candidate("elemwise_add", "elemwise_add", ("_plus", "_add"), sign="+", order=7),
    Candidate("elemwise_mul", "elemwise_mul", ("_mul",), sign="×", order=8),
    Candidate("_power", "_power", ("_Power",), sign="xʸ", order=9),
    Candidate("SliceChannel", "SliceChannel", ("split",), order=10),
)


def keys(query: str) -> list[str]:
    return [match.candidate.key for match in find(query, OPERATORS)]


def test_whole_name_comes_before_prefix_and_prefix_before_anywhere() -> None:
    assert keys("log") == ["log", "log_softmax"]
    assert keys("softmax") == ["softmax", "SoftmaxOutput", "log_softmax"]


def test_a_name_is_found_without_its_capitals_blanks_and_underscores() -> None:
    assert keys("fully connected") == ["FullyConnected"]
    assert keys("logsoft") == ["log_softmax"]
    assert keys("Batch Norm") == ["BatchNorm"]


def test_an_alias_counts_but_after_names_of_the_same_rank() -> None:
    assert keys("split") == ["SliceChannel"]
    assert keys("plus") == ["elemwise_add"]
    assert keys("add") == ["elemwise_add"]


@pytest.mark.parametrize(
    ("typed", "found"), [("+", "elemwise_add"), ("*", "elemwise_mul"), ("×", "elemwise_mul"), ("^", "_power")]
)
def test_a_sign_finds_its_operator(typed: str, found: str) -> None:
    assert keys(typed) == [found]


def test_initials_find_long_names() -> None:
    assert keys("fc")[0] == "FullyConnected"
    assert keys("bn") == ["BatchNorm"]
    assert initials("elemwise_add") == "ea"


def test_words_of_the_sentence_are_looked_at_last_and_all_of_them() -> None:
    assert keys("filters image") == ["Convolution"]
    assert keys("filters matrix") == []
    assert keys("multiply") == ["FullyConnected"]


def test_blank_lists_everything_in_its_order_and_nonsense_nothing() -> None:
    assert keys("  ") == [candidate.key for candidate in OPERATORS]
    assert keys("zzz") == []
    assert keys("__") == []


def test_the_letters_that_matched_are_told() -> None:
    spans = {match.candidate.key: match.span for match in find("softmax", OPERATORS)}
    assert spans == {"softmax": (0, 7), "SoftmaxOutput": (0, 7), "log_softmax": (4, 11)}
    assert find("fully connected", OPERATORS)[0].span == (0, 14)
    assert find("split", OPERATORS)[0].span is None


def test_the_beginning_of_a_word_comes_before_the_inside_of_one() -> None:
    commands = (Candidate("a", "Spotlight on the path", order=0), Candidate("b", "Theme: Light", order=1))
    assert [match.candidate.key for match in find("light", commands)] == ["b", "a"]

"""How values of parameters are spelt: exactly what MXNet takes, and sentences for what it does not."""

from typing import Any

import attrs
import numpy as np
import pytest

from app.engine.errors import ParameterError
from app.engine.operator import Operator
from app.engine.params import Parameter, as_text, param, parameters_of, parse_attributes
from app.engine.registry import find_operator


@attrs.frozen
class Sample:
    """One parameter of each kind."""

    truth: bool = param(default=False)
    whole: int = param(default=0, low=0, high=9)
    real: float = param(default=0.0)
    word: str = param(default="")
    choice: str | None = param(default=None, choices=("max", "avg"))
    sizes: tuple[int, ...] = param(default=())
    places: tuple[int | None, ...] = param(default=())
    shares: tuple[float, ...] = param(default=())
    axis: tuple[int, ...] | None = param(default=None)
    spans: tuple[int, ...] = param(default=(), none_is_empty=True)
    needed: int = param()


PARAMETERS = parameters_of(Sample)
BY_NAME = {parameter.name: parameter for parameter in PARAMETERS}


def parameter(name: str) -> Parameter:
    return BY_NAME[name]


def refusal(name: str, text: str) -> str:
    with pytest.raises(ParameterError) as caught:
        parameter(name).parse(text)
    assert caught.value.port == name
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [("True", True), ("true", True), ("TRUE", True), ("1", True), ("False", False), ("0", False)],
)
def test_truth_values(text: str, value: bool) -> None:
    assert parameter("truth").parse(text) is value


@pytest.mark.parametrize("text", ["maybe", " True", "True ", "2", "", "yes", "None"])
def test_no_truth_values(text: str) -> None:
    assert "True or False" in refusal("truth", text)


@pytest.mark.parametrize(("text", "value"), [("3", 3), ("+3", 3), (" 3", 3), ("  007", 7), ("0", 0)])
def test_whole_numbers(text: str, value: int) -> None:
    assert parameter("whole").parse(text) == value


@pytest.mark.parametrize("text", ["3.0", "3L", "3e0", "x", "", "None", "1 2"])
def test_no_whole_numbers(text: str) -> None:
    assert "whole" in refusal("whole", text)


@pytest.mark.parametrize(
    ("name", "text", "ends"),
    [
        ("needed", "1000000000000", "between -2147483647 and 2147483647"),
        ("needed", "-99999999999999999999", "between -2147483647 and 2147483647"),
        ("whole", "1000000000000", "between 0 and 9"),
        ("sizes", "(1, 99999999999999999999)", "between -2147483647 and 2147483647"),
    ],
)
def test_a_whole_number_too_large_for_its_type_hears_of_the_ends(name: str, text: str, ends: str) -> None:
    sentence = refusal(name, text)
    assert text in sentence
    assert ends in sentence


@pytest.mark.parametrize("text", ["10", "-1"])
def test_bounds(text: str) -> None:
    assert "between 0 and 9" in refusal("whole", text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1.0),
        ("1.5", 1.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e-3", 0.001),
        ("1E1", 10.0),
        ("+2", 2.0),
        ("-inf", -np.inf),
    ],
)
def test_real_numbers(text: str, value: float) -> None:
    assert parameter("real").parse(text) == value


def test_what_is_no_number_is_a_real_number() -> None:
    assert np.isnan(parameter("real").parse("nan"))


@pytest.mark.parametrize(("text", "value"), [("1e", 1.0), ("1f", 1.0), ("-2.5e1F", -25.0), ("0e", 0.0)])
def test_endings_of_real_numbers_that_mxnet_takes(text: str, value: float) -> None:
    assert parameter("real").parse(text) == value


@pytest.mark.parametrize("text", ["one", "1,5", "", "1ef1", ".", "1 ", "1e39", "1e-50", "1e400", "e5"])
def test_no_real_numbers(text: str) -> None:
    assert "a number" in refusal("real", text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("(3,3)", (3, 3)),
        ("(3, 3)", (3, 3)),
        (" ( 3 , 3 ) ", (3, 3)),
        ("[3,3]", (3, 3)),
        ("(3L,3L)", (3, 3)),
        ("(1L, 1L)", (1, 1)),
        ("(3,3,)", (3, 3)),
        ("()", ()),
        ("[]", ()),
        ("3", (3,)),
        ("(3)", (3,)),
        ("(-1,)", (-1,)),
    ],
)
def test_tuples(text: str, value: tuple[int, ...]) -> None:
    assert parameter("sizes").parse(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "3,3",
        "(3.0,3.0)",
        "(3,3",
        "3,3)",
        "(3,x)",
        "(0,a)",
        "(3,,3)",
        "None",
        "(None,)",
        "",
        "3L",
        "(2147483648,)",
    ],
)
def test_no_tuples(text: str) -> None:
    assert "in brackets" in refusal("sizes", text)


def test_none_where_it_may_stand() -> None:
    assert parameter("axis").parse("None") is None
    assert parameter("choice").parse("None") is None
    assert parameter("places").parse("(None, 1)") == (None, 1)
    assert parameter("places").parse("3L") == (3,)
    assert parameter("spans").parse("None") == ()


def test_tuples_of_real_numbers() -> None:
    assert parameter("shares").parse("(0.5, 1)") == (0.5, 1.0)
    assert parameter("shares").parse("5.5") == (5.5,)
    assert "in brackets" in refusal("shares", ".5")


def test_words() -> None:
    assert parameter("choice").parse("avg") == "avg"
    assert "one of max, avg or None" in refusal("choice", "median")


def test_missing_and_unknown_names() -> None:
    with pytest.raises(ParameterError, match="needs needed"):
        parse_attributes(PARAMETERS, {}, "Sample")
    with pytest.raises(ParameterError, match="no parameter 'num_hiden'"):
        parse_attributes(PARAMETERS, {"needed": "1", "num_hiden": "4"}, "Sample")


def test_names_in_double_underscores_belong_to_the_node() -> None:
    assert parse_attributes(PARAMETERS, {"needed": "1", "__lr_mult__": "2"}, "Sample") == {"needed": 1}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ((3, 3), "(3, 3)"),
        ([3, 3], "[3, 3]"),
        ((3,), "(3,)"),
        ((), "()"),
        ((None, 1), "(None, 1)"),
        (True, "True"),
        (0.5, "0.5"),
        (None, "None"),
        ("max", "max"),
        (np.float32, "float32"),
        (np.dtype("int8"), "int8"),
    ],
)
def test_values_as_text(value: Any, text: str) -> None:
    assert as_text(value) == text


def test_required_comes_from_the_missing_default() -> None:
    assert [p.name for p in PARAMETERS if p.required] == ["needed"]
    assert {p.name: p.kind for p in PARAMETERS} == {
        "truth": "bool",
        "whole": "int",
        "real": "float",
        "word": "str",
        "choice": "enum",
        "sizes": "ints",
        "places": "ints",
        "shares": "floats",
        "axis": "ints",
        "spans": "ints",
        "needed": "int",
    }


def test_operator_without_parameters_keeps_unknown_attributes() -> None:
    from app.engine.registry import find_operator

    node: Operator = find_operator("elemwise_add").from_attributes({"mood": "x"})
    assert node.to_attributes() == {}


@pytest.mark.parametrize(
    ("kind", "text"), [(float, "float64"), (int, "int64"), (bool, "bool"), (np.float16, "float16")]
)
def test_types_of_python_and_numpy_are_spelt_as_mxnet_does(kind: type, text: str) -> None:
    assert as_text(kind) == text


def test_no_blank_stands_before_none() -> None:
    assert find_operator("repeat").from_attributes({"repeats": "2", "axis": "None "}).axis is None
    with pytest.raises(ParameterError, match="axis"):
        find_operator("repeat").from_attributes({"repeats": "2", "axis": " None"})

"""Tests of calls of operators in Python; what is expected, MXNet 1.9.1 said to the same calls."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.engine import sym
from app.engine.calling import _inputs_of
from app.engine.errors import EngineError
from app.engine.naming import NameManager
from app.engine.registry import all_operators
from app.engine.symbol import Symbol, Variable

MULTIPLIED = {"__lr_mult__": "2", "num_hidden": "3"}


def layer(*inputs: Any, **keywords: Any) -> Symbol:
    """Make a layer called f."""
    return sym.FullyConnected(*inputs, name="f", num_hidden=3, **keywords)


def own(symbol: Symbol) -> dict[str, str]:
    """Return the attributes of the symbol's node."""
    return dict(symbol.heads[0][0].attributes)


@pytest.mark.parametrize(
    ("inputs", "keywords", "arguments"),
    [
        (["x", None], {}, ["x", "f_weight", "f_bias"]),
        (["x"], {"weight": None}, ["x", "f_weight", "f_bias"]),
        ([None], {}, ["f_data", "f_weight", "f_bias"]),
        ([], {"data": None}, ["f_data", "f_weight", "f_bias"]),
        (["x", None, "b"], {}, ["x", "f_weight", "b"]),
        (["x", None, None], {"no_bias": True}, ["x", "f_weight"]),
        (["x"], {"no_bias": True, "bias": None}, ["x", "f_weight"]),
    ],
)
def test_none_stands_for_a_missing_input(
    inputs: list[str | None], keywords: dict[str, Any], arguments: list[str]
) -> None:
    made = layer(*[None if name is None else Variable(name) for name in inputs], **keywords)
    assert made.list_arguments() == arguments
    assert "None" not in own(made).values()


def test_none_is_missing_where_an_operator_has_no_settings() -> None:
    assert sym.relu(data=None, name="r").list_arguments() == ["r_data"]


def test_none_is_no_input_among_any_number() -> None:
    with pytest.raises(EngineError, match="input 1 of Concat must be a symbol"):
        sym.Concat(Variable("x"), None)


def test_the_inputs_that_may_be_none_are_those_of_mxnet() -> None:
    known = json.loads((Path(__file__).parents[1] / "golden" / "operators.json").read_text())
    checked = 0
    for name, facts in known.items():
        operator = all_operators().get(name)
        if operator is not None and not operator.variadic:
            checked += 1
            assert {*facts["inputs"], *facts["aux"]} <= _inputs_of(operator), name
    assert checked > 150


@pytest.mark.parametrize(
    ("make", "attributes"),
    [
        (lambda x: layer(x, lr_mult="2"), MULTIPLIED),
        (lambda x: layer(x, lr_mult=2), MULTIPLIED),
        (lambda x: layer(x, attr={"lr_mult": "2"}), MULTIPLIED),
        (lambda x: layer(x, attr={"__lr_mult__": 2}), MULTIPLIED),
        (lambda x: layer(x, __foo__=2), {"__foo__": "2", "num_hidden": "3"}),
        (lambda x: sym.relu(x, lr_mult="2"), {"__lr_mult__": "2"}),
        (
            lambda x: sym.relu(x, b=True, bar=(1, 2), foo=None),
            {"b": "True", "bar": "(1, 2)", "foo": "None"},
        ),
        (lambda x: Variable("v", lr_mult="2", __a__=2), {"__lr_mult__": "2", "__a__": "2"}),
    ],
)
def test_what_no_operator_knows_belongs_to_the_node(
    make: Callable[[Symbol], Symbol], attributes: dict[str, str]
) -> None:
    made = make(Variable("x"))
    assert own(made) == attributes
    for source, _ in made.heads[0][0].inputs[1:]:
        assert dict(source.attributes) == attributes  # variables that make themselves have them too


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda x: layer(x, foo="2"), "no parameter 'foo'"),
        (lambda x: layer(x, attr={"foo": "2"}), "no parameter 'foo'"),
        (lambda x: layer(x, foo=None), "no parameter 'foo'"),
        (lambda x: layer(x, no_bias=None), "no_bias is 'None'"),
        (lambda x: layer(x, weight_lr_mult="2"), "give its input weight a variable with lr_mult"),
        (lambda x: sym.BlockGrad(x, a_wd_mult=2), "give its input a a variable with wd_mult"),
        (lambda x: sym.Cast(x, dtype="str"), "dtype is 'str'"),
        (lambda x: sym.Cast(x, dtype=7), "dtype is '7'"),
    ],
)
def test_what_mxnet_refuses_is_refused(make: Callable[[Symbol], Symbol], said: str) -> None:
    with pytest.raises(EngineError, match=said):
        make(Variable("x"))


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("double", "float64"),
        ("float", "float64"),
        (float, "float64"),
        ("f4", "float32"),
        ("half", "float16"),
        (np.float32, "float32"),
        (None, "float64"),  # as numpy has it
    ],
)
def test_types_are_named_as_numpy_names_them(given: object, name: str) -> None:
    x = Variable("x")
    assert own(sym.Cast(x, dtype=given)) == {"dtype": name}
    assert own(sym.softmax(x, dtype=given)) == {"dtype": name}
    with NameManager():
        assert own(sym.one_hot(x, depth=3, dtype=given)) == {"depth": "3", "dtype": name}


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda x: layer(x, x, x, no_bias=True), "Set no_bias to False."),
        (lambda x: layer(data=x, bias=x, no_bias=True), "Set no_bias to False."),
        (lambda x: sym.SequenceLast(x, x), "Set use_sequence_length to True."),
        (lambda x: sym.LeakyReLU(x, gamma=x), "Set act_type to prelu."),
        (
            lambda x: sym.RNN(x, x, x, x, mode="gru", state_size=2, num_layers=1),
            "Set mode to lstm, or set use_sequence_length to True.",
        ),
        (lambda x: sym.relu(x, x), "was given 2."),
    ],
)
def test_a_setting_that_would_give_the_node_its_input_is_offered(
    make: Callable[[Symbol], Symbol], said: str
) -> None:
    with pytest.raises(EngineError) as caught:
        make(Variable("x"))
    assert str(caught.value).endswith(said)


def test_a_symbol_is_neither_true_nor_false() -> None:
    a, b = Variable("a"), Variable("b")
    for question in (lambda: bool(a), lambda: [a].index(b), lambda: 1 < a < 2):
        with pytest.raises(EngineError, match="neither true nor false"):
            question()
    assert [a, b].index(a) == 0

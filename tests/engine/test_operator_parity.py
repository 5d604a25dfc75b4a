"""Every declared operator has the names, parameters, defaults, inputs and outputs of MXNet's.

`tests/golden/operators.json` holds the facts read out of MXNet 1.9.1.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.engine.operator import Operator
from app.engine.params import Parameter
from app.engine.registry import canonical_operators

FACTS: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "golden" / "operators.json").read_text(encoding="utf-8")
)
OPERATORS = canonical_operators()

SAMPLES = {"int": "2", "float": "1", "ints": "(2, 2)", "floats": "(1.0,)", "str": "a"}
CHOSEN = {
    ("RNN", "mode"): "lstm",
    ("UpSampling", "sample_type"): "nearest",
    ("Crop", "num_args"): "2",
    ("Cast", "dtype"): "float32",
    ("amp_cast", "dtype"): "float32",
    ("GridGenerator", "transform_type"): "affine",
}
NEEDED = {  # settings that MXNet misses only when shapes are inferred
    "Pooling": {"kernel": "(2, 2)"},
    "Pooling_v1": {"kernel": "(2, 2)"},
    "GridGenerator": {"target_shape": "(2, 2)"},
    "SpatialTransformer": {"target_shape": "(2, 2)"},
}
KINDS = {
    "boolean": ("bool",),
    "boolean or None": ("bool",),
    "int": ("int",),
    "int (non-negative)": ("int",),
    "long": ("int",),
    "long (non-negative)": ("int",),
    "int or None": ("int",),
    "float": ("float",),
    "float or None": ("float",),
    "double": ("float",),
    "double or None": ("float",),
    "string": ("str",),
    "enum": ("enum",),
    "Shape(tuple)": ("ints",),
    "Shape or None": ("ints",),
    "tuple of <float>": ("floats",),
    "": ("floats",),  # MXNet has no word for _histogram's range
}


def each_operator() -> list[Any]:
    return [pytest.param(operator, id=operator.op_name) for operator in OPERATORS]


def required_settings(operator: type[Operator]) -> dict[str, str]:
    return NEEDED.get(operator.op_name, {}) | {
        parameter.name: CHOSEN.get(
            (operator.op_name, parameter.name),
            parameter.choices[0] if parameter.choices else SAMPLES.get(parameter.kind, ""),
        )
        for parameter in operator.parameters
        if parameter.required
    }


def same_default(parameter: Parameter, fact: str) -> bool:
    """Compare as numbers: MXNet spells float32 defaults with nine digits, and tuples without blanks."""
    wanted = parameter.parse(fact)
    if parameter.kind == "float" and wanted is not None:
        return np.float32(wanted) == np.float32(parameter.default)
    return bool(wanted == parameter.default)


def test_facts_cover_the_core() -> None:
    names = {operator.op_name for operator in OPERATORS}
    assert {"FullyConnected", "Convolution", "BatchNorm", "SoftmaxOutput", "elemwise_add", "Reshape"} <= names


@pytest.mark.parametrize("operator", each_operator())
def test_name_and_aliases(operator: type[Operator]) -> None:
    assert operator.op_name in FACTS
    assert sorted(operator.aliases) == sorted(FACTS[operator.op_name]["aliases"])


@pytest.mark.parametrize("operator", each_operator())
def test_automatic_name_stems(operator: type[Operator]) -> None:
    for spelling, stem in FACTS[operator.op_name]["hints"].items():
        assert spelling.lower() == stem


@pytest.mark.parametrize("operator", each_operator())
def test_parameters(operator: type[Operator]) -> None:
    facts = {fact["name"]: fact for fact in FACTS[operator.op_name].get("params", ())}
    declared = {parameter.name: parameter for parameter in operator.parameters}
    if operator.variadic and operator.variadic not in facts:
        declared.pop(operator.variadic)  # MXNet reads the count of add_n outside its parameters
    assert sorted(declared) == sorted(facts)
    for name, fact in facts.items():
        parameter = declared[name]
        assert parameter.kind in KINDS[fact["type"]], name
        assert parameter.required == ("default" not in fact), (
            name
        )  # a null default is one MXNet keeps to itself
        assert sorted(parameter.choices) == sorted(fact.get("values", ())), name
        if "or None" in fact["type"] or fact.get("nullable"):
            assert parameter.nullable, name
        if fact.get("default") is not None:
            assert same_default(parameter, fact["default"]), (name, parameter.default, fact["default"])


@pytest.mark.parametrize("operator", each_operator())
def test_variadic_parameter(operator: type[Operator]) -> None:
    assert operator.variadic == FACTS[operator.op_name].get("variadic", "")


def assert_ports(node: Operator, facts: dict[str, Any]) -> None:
    auxiliary = list(facts["aux"])
    inputs = [name for name in facts["inputs"] if name not in auxiliary]
    assert [port.name for port in node.inputs] == inputs
    assert [port.name for port in node.auxiliary] == auxiliary
    assert list(node.outputs) == facts["outputs"]
    assert node.hidden_in_files == facts["hidden"]


@pytest.mark.parametrize("operator", each_operator())
def test_ports(operator: type[Operator]) -> None:
    facts = FACTS[operator.op_name]
    assert_ports(operator.from_attributes(required_settings(operator)), facts)


@pytest.mark.parametrize(
    ("operator", "variant"),
    [
        pytest.param(operator, variant, id=f"{operator.op_name}-{number}")
        for operator in OPERATORS
        for number, variant in enumerate(FACTS.get(operator.op_name, {}).get("variants", ()))
    ],
)
def test_variants_of_ports(operator: type[Operator], variant: dict[str, Any]) -> None:
    texts = {**required_settings(operator), **variant["when"]}
    assert_ports(operator.from_attributes(texts), variant)

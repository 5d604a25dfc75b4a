"""Operators with wild settings and shapes: each is run or refused in one line, soon and in little memory."""

import json
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.engine.errors import EngineError
from app.engine.inference.infer import infer
from app.engine.inference.reasons import chain
from app.engine.params import as_text
from app.engine.planning import room
from app.engine.registry import canonical_operators
from app.services.symbol_json import read_symbol

OPERATORS = [operator for operator in canonical_operators() if operator.examples]
TEXTS = st.sampled_from(
    [
        *("0", "-1", "1", "2", "3", "7", "100", "10000", "1000000", "2147483647", "9223372036854775807"),
        *("1" + "0" * 30, "1" + "0" * 5000, "nan", "inf", "-inf", "1e308", "1e-308", ".5", "", "None"),
        *("True", "()", "(", "[]", "(1,)", "(2, 2)", "(0, 0)", "(1000000000,)", "(-1, 3)", "(1, 2, 3, 4)"),
        *("(9223372036854775807, 1)", "(None, 1)", "(" + "1," * 200 + ")", "((1,),)", "😀", "\0", "float64"),
    ]
)
SIZES = st.sampled_from([0, 0, 1, 1, 2, 3, 4, 7, 100, 65536, 2**31, 2**62, 2**63 - 1, 2**63, 10**30, -1, -5])
FEW_NUMBERS = 2**18


@st.composite
def wild_nodes(draw: st.DrawFn) -> tuple[str, dict[str, tuple[int, ...]]]:
    """Draw a file with one node, and shapes for its inputs."""
    operator = draw(st.sampled_from(OPERATORS))
    example = draw(st.sampled_from(operator.examples))
    texts = {name: as_text(value) for name, value in example.settings.items()}
    names = [parameter.name for parameter in operator.parameters]
    if names:
        texts |= draw(st.dictionaries(st.sampled_from(names), TEXTS, max_size=2))
    try:
        ports = [port.name for port in operator.from_attributes(texts).ports][:40]
    except EngineError:
        ports = list(example.shapes)
    shapes = {}
    for port in ports:
        shape = list(example.shapes.get(port, ()))
        if shape and draw(st.integers(0, 3)) == 0:
            shape[draw(st.integers(0, len(shape) - 1))] = draw(SIZES)
        elif draw(st.integers(0, 9)) == 0:
            shape = draw(st.lists(SIZES, max_size=5))
        shapes[port] = tuple(shape)
    nodes: list[dict[str, Any]] = [{"op": "null", "name": port, "inputs": []} for port in ports]
    wires = [[number, 0, 0] for number in range(len(ports))]
    nodes.append({"op": operator.op_name, "name": "node", "attrs": texts, "inputs": wires})
    data = {"nodes": nodes, "arg_nodes": [], "heads": [[len(ports), 0, 0]]}
    return json.dumps({**data, "attrs": {"mxnet_version": ["int", 10901]}}), shapes


def attempt(text: str, shapes: dict[str, tuple[int, ...]]) -> None:
    symbol = read_symbol(text)
    inference = infer(symbol.graph, shapes)
    for head in symbol.graph.heads:
        for axis in range(min(2, len(inference.shape(head)))):
            chain(inference, head, axis)
    executor = symbol.simple_bind(shapes, grad_req="null")
    if sum(array.size for array in (*executor.arg_arrays, *executor.outputs)) < FEW_NUMBERS:
        executor.forward(is_train=True)


def check(case: tuple[str, dict[str, tuple[int, ...]]], monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch, np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        patch.setattr(room, "free_memory", lambda: 2**28)
        try:
            attempt(*case)
        except EngineError as error:
            line = str(error)
            assert line and "\n" not in line and len(line) < 1300


@settings(max_examples=1000)
@given(wild_nodes())
def test_a_wild_node_is_run_or_refused(case: tuple[str, dict[str, tuple[int, ...]]]) -> None:
    check(case, pytest.MonkeyPatch())


@pytest.mark.slow
@settings(max_examples=8000)
@given(wild_nodes())
def test_many_wild_nodes_are_run_or_refused(case: tuple[str, dict[str, tuple[int, ...]]]) -> None:
    check(case, pytest.MonkeyPatch())


NODES = [
    ("LRN", {"nsize": "2147483647"}, {"data": (1, 4, 2, 2)}),
    ("Correlation", {"max_displacement": "1000000000"}, {"data1": (1, 2, 6, 6), "data2": (1, 2, 6, 6)}),
    ("Pooling", {"kernel": "(1000000000,)", "pad": "(500000000,)"}, {"data": (1, 1, 5)}),
    ("smooth_l1", {"scalar": "1e308"}, {"data": (3, 4)}),
    ("smooth_l1", {"scalar": "1e-308"}, {"data": (3, 4)}),
    ("SoftmaxOutput", {"ignore_label": "inf"}, {"data": (4, 3), "label": (4,)}),
    ("batch_dot", {"transpose_b": "True"}, {"lhs": (2, 3, 4, 5, 6), "rhs": (2, 4, 3)}),
    ("SliceChannel", {"num_outputs": "1000000"}, {"data": (2, 1000000)}),
    ("one_hot", {"depth": "9223372036854775807"}, {"indices": (4,)}),
    ("Reshape", {"shape": "(" + "1, " * 100000 + ")"}, {"data": (4,)}),
    ("exp", {}, {"data": (-2, 3)}),
    ("exp", {}, {"data": (2**63, 3)}),
    ("exp", {}, {"data": (1,) * 65}),
]


@pytest.mark.parametrize(("name", "texts", "shapes"), NODES)
def test_what_once_hung_or_crashed(
    name: str, texts: dict[str, str], shapes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes: list[dict[str, Any]] = [{"op": "null", "name": port, "inputs": []} for port in shapes]
    wires = [[number, 0, 0] for number in range(len(shapes))]
    nodes.append({"op": name, "name": "node", "attrs": texts, "inputs": wires})
    data = {"nodes": nodes, "arg_nodes": [], "heads": [[len(shapes), 0, 0]]}
    check((json.dumps({**data, "attrs": {"mxnet_version": ["int", 10901]}}), shapes), monkeypatch)


def test_minus_one_is_an_unknown_size_as_in_mxnet() -> None:
    symbol = read_symbol(
        json.dumps(
            {
                "nodes": [
                    {"op": "null", "name": "x", "attrs": {"__shape__": "(-1, 3)"}, "inputs": []},
                    {"op": "relu", "name": "y", "inputs": [[0, 0, 0]]},
                ],
                "arg_nodes": [0],
                "heads": [[1, 0, 0]],
            }
        )
    )
    assert symbol.infer_shape_partial() == ([(0, 3)], [(0, 3)], [])
    assert symbol.infer_shape_partial(x=(4, -1)) == ([(4, 3)], [(4, 3)], [])

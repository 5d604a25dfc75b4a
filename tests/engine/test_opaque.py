"""Opaque nodes let shapes pass around them, and refuse to run in a sentence."""

import numpy as np
import pytest

from app.engine import EngineError, Group, sym
from app.engine.inference.infer import infer
from app.engine.opaque import Opaque, opaque_nodes
from app.engine.symbol import Symbol
from app.services.symbol_json import read_symbol
from tests.opaque_files import SENTENCE, opaque_file


@pytest.fixture
def symbol() -> Symbol:
    return read_symbol(opaque_file())


def test_names_are_those_of_mxnet_for_one_and_for_several_outputs() -> None:
    assert Opaque(0).outputs == ("output",)
    assert Opaque(2, 2, 1).outputs == ("output0", "output1")
    assert Opaque(2, 2, 1).hidden == ("output2",)
    assert [port.name for port in Opaque(2).ports] == ["arg0", "arg1"]


def test_its_outputs_are_open_and_what_others_tell_of_them_stays(symbol: Symbol) -> None:
    inference = infer(symbol.graph, {})
    assert inference.problems == ()
    names = dict(zip(symbol.get_internals().list_outputs(), symbol.graph.internals(), strict=True))
    assert inference.shape(names["data"]) == (2, 3)
    assert inference.shape(names["q_weight"]) == ()
    assert inference.shape(names["q_output1"]) == (2, 3)  # t = s + data, s = r + q
    assert inference.shape(names["t_output"]) == (2, 3)
    assert inference.found_by(names["q_output1"], 0) == symbol.graph.index_by_name["s"]


def test_types_do_not_flow_through_it(symbol: Symbol) -> None:
    inference = infer(symbol.graph, {}, {"q_weight": "int8"})
    assert inference.problems == ()
    assert inference.dtype((symbol.graph.index_by_name["q"], 0)) == np.float32


def test_the_graph_knows_which_nodes_cannot_run(symbol: Symbol) -> None:
    assert [node.name for node in opaque_nodes(symbol.graph)] == ["q"]
    assert opaque_nodes(sym.exp(symbol.get_internals()["data"]).graph) == []


def test_no_bind_is_made_though_every_shape_is_known(symbol: Symbol) -> None:
    assert symbol.infer_shape(q_weight=(4,))[1] == [(2, 3)]
    with pytest.raises(EngineError, match=SENTENCE) as refusal:
        symbol.simple_bind({"q_weight": (4,)})
    assert refusal.value.node == "q"
    with pytest.raises(EngineError, match=SENTENCE):
        symbol.bind({"data": np.zeros((2, 3)), "q_weight": np.zeros(4)})


def test_what_lies_before_it_runs(symbol: Symbol) -> None:
    before = Group([symbol.get_internals()["data"], sym.exp(symbol.get_internals()["data"])])
    assert before.simple_bind({}).forward()[1].tolist() == np.ones((2, 3)).tolist()


def test_an_operator_whose_result_has_no_fixed_size_says_so() -> None:
    text = opaque_file().replace("QConvolution", "_contrib_boolean_mask")
    masked = read_symbol(text)
    with pytest.raises(
        EngineError, match=r"q can't run: how much _contrib_boolean_mask gives depends on the numbers"
    ):
        masked.simple_bind({"q_weight": (4,)})

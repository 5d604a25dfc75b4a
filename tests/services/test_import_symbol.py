"""A symbol becomes a document that means the same symbol."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.document.analysis import Analysis
from app.document.checks import analyse
from app.document.invariants import broken_invariants
from app.document.records import Arity, Document
from app.engine import load_symbol, sym
from app.engine.errors import EngineError, GraphError
from app.engine.symbol import Group, Symbol, Variable
from app.services.import_symbol import document_from_symbol
from app.services.project_file import read_any, read_project, write_project
from app.services.symbol_json import read_symbol, write_symbol
from tests.opaque_files import SENTENCE, opaque_file
from tests.services.code.golden_nets import NETS, net_symbol


def _net() -> Symbol:
    data = Variable("data")
    first = sym.FullyConnected(data, num_hidden=4, name="fc1", attr={"__lr_mult__": "2"})
    normal = sym.BatchNorm(first, name="bn", fix_gamma=False)
    return sym.SoftmaxOutput(normal, name="softmax")


def _names(symbol: Symbol) -> tuple[list[str], list[str], list[str]]:
    return symbol.list_arguments(), symbol.list_outputs(), symbol.list_auxiliary_states()


def _meant(document: Document) -> Symbol:
    analysis: Analysis = analyse(document)
    assert analysis.errors == ()
    assert analysis.symbol is not None
    return analysis.symbol


def _on_board(document: Document) -> set[str]:
    return {node.name for node in document.nodes.values()}


@pytest.mark.parametrize("case", NETS)
def test_every_net_means_the_same_and_is_written_the_same(case: str) -> None:
    symbol = net_symbol(case)
    document = document_from_symbol(symbol)
    assert broken_invariants(document) == []
    again = _meant(document)
    assert _names(again) == _names(symbol)
    assert _written(again, like=symbol) == _written(symbol, like=symbol)


def _written(symbol: Symbol, *, like: Symbol) -> dict[str, Any]:
    """Return the file of a symbol, without attributes of variables that have none in another symbol.

    A variable that somebody named just as its node would have is left to the node; such a one carries copies of the
    node's parameters, which mean nothing.
    """
    bare = {node.name for node in like.graph.nodes if node.is_variable and not node.attributes}
    written: dict[str, Any] = json.loads(write_symbol(symbol))
    for node in written["nodes"]:
        if node["name"] in bare:
            node.pop("attrs", None)
    return written


def test_arguments_that_nodes_make_for_themselves_stay_theirs() -> None:
    document = document_from_symbol(_net(), title="Net")
    assert _on_board(document) == {"data", "fc1", "bn", "softmax"}
    assert document.options.title == "Net"
    assert document.options.style == "card"
    assert document.nodes["n2"].params == {"num_hidden": "4"}
    assert document.nodes["n2"].attributes == {"__lr_mult__": "2"}


def test_a_variable_with_something_of_its_own_is_on_the_board() -> None:
    weight = Variable("fc1_weight", lr_mult=3)
    document = document_from_symbol(sym.FullyConnected(Variable("data"), weight, num_hidden=4, name="fc1"))
    assert _on_board(document) == {"data", "fc1", "fc1_weight"}
    assert _meant(document).attr_dict()["fc1_weight"]["__lr_mult__"] == "3"


def test_a_shared_weight_is_on_the_board_once() -> None:
    weight = Variable("fc1_weight")
    first = sym.FullyConnected(Variable("data"), weight, num_hidden=3, no_bias=True, name="fc1")
    second = sym.FullyConnected(first, weight, num_hidden=3, no_bias=True, name="fc2")
    document = document_from_symbol(second)
    assert _on_board(document) == {"data", "fc1_weight", "fc1", "fc2"}
    assert _meant(document).list_arguments() == ["data", "fc1_weight"]


@pytest.mark.parametrize(
    ("make", "heads", "has_group"),
    [
        (lambda a, b: a * b + a, (), False),
        (lambda a, b: Group([a * b, a + b]), (), False),
        (lambda a, b: Group([sym.exp(c := a * b, name="e"), c]), ("n4", "n3"), False),
        (lambda a, b: Group([a + b, b]), ("n3", "n2"), False),
        (lambda a, b: sym.SliceChannel(a + b, num_outputs=2)[1], (), True),
        (lambda a, b: Group([(c := a * b), c]), (), True),
    ],
)
def test_heads_are_kept_in_their_order(make, heads: tuple[str, ...], has_group: bool) -> None:
    symbol = make(Variable("a"), Variable("b"))
    document = document_from_symbol(symbol)
    assert document.options.heads == heads
    assert any(node.op == "Group" for node in document.nodes.values()) is has_group
    assert _meant(document).list_outputs() == symbol.list_outputs()


def test_a_small_scalar_graph_is_drawn_as_a_picture_from_top_to_bottom() -> None:
    document = document_from_symbol(Variable("A") * Variable("B") + Variable("D"))
    assert document.options.style == "picture"
    positions = {node.name.rstrip("0123456789"): node.position for node in document.nodes.values()}
    assert positions["A"][0] < positions["B"][0] < positions["D"][0]
    assert positions["A"][1] < positions["_mul"][1] == positions["D"][1] < positions["_plus"][1]


def test_a_symbol_file_opens_as_a_document(tmp_path: Path) -> None:
    path = tmp_path / "net-symbol.json"
    path.write_text(write_symbol(_net()))
    document = read_any(path).document
    assert document == document_from_symbol(_net(), title="net-symbol")


def test_an_opaque_node_goes_through_board_and_files_as_it_came(tmp_path: Path) -> None:
    path, chalk = tmp_path / "q-symbol.json", tmp_path / "q.chalk"
    path.write_text(opaque_file())
    document = read_any(path).document
    (node,) = (node for node in document.nodes.values() if node.name == "q")
    assert node.arity == Arity(2, 2, 1)
    assert node.params == {"kernel": "(3,3)", "act_bit": "1", "in": "x", "lr_mult": "3"}
    assert node.attributes == {"__lr_mult__": "2"}
    write_project(document, chalk)
    again = read_project(chalk)
    assert again.nodes == document.nodes
    analysis = analyse(again)
    assert [problem.node for problem in analysis.problems] == [node.id]
    assert analysis.problems[0].sentence.startswith(SENTENCE)
    assert analysis.symbol is not None
    written = write_symbol(analysis.symbol)
    assert written == write_symbol(read_symbol(opaque_file()))
    assert write_symbol(load_symbol(chalk)) == written


@pytest.mark.parametrize("op", ["Variable", "Group"])
def test_the_boards_own_words_are_no_operators_of_a_file(op: str) -> None:
    symbol = read_symbol(opaque_file().replace("QConvolution", op))
    with pytest.raises(GraphError, match=f"q has an operator called {op}"):
        document_from_symbol(symbol)


def test_a_file_with_a_wrong_setting_opens_and_says_so_at_the_node(tmp_path: Path) -> None:
    path = tmp_path / "net-symbol.json"
    path.write_text(write_symbol(_net()).replace('"num_hidden": "4"', '"num_hidden": "4", "new": "1"'))
    document = read_any(path).document
    assert document.nodes["n2"].params == {"new": "1", "num_hidden": "4"}
    (problem,) = analyse(document).faults
    assert (problem.name, problem.port) == ("fc1", "new")
    with pytest.raises(EngineError, match="no parameter 'new'"):
        load_symbol(path)


def test_a_file_with_wires_to_nowhere_opens_and_says_so_at_the_wires(tmp_path: Path) -> None:
    path = tmp_path / "net-symbol.json"
    path.write_text(opaque_file().replace('"QConvolution"', '"relu"'))
    sentences = [problem.sentence for problem in analyse(read_any(path).document).faults]
    assert any("q (relu) takes 1 input" in sentence for sentence in sentences)
    assert any("s reads output 1 of q" in sentence for sentence in sentences)

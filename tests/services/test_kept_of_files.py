"""What a symbol file holds beside the drawing goes through board and documents as it came."""

import json
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest

from app.document.checks import analyse
from app.document.records import JsonText, Node
from app.engine import EngineError, Symbol, Variable
from app.engine.registry import all_operators
from app.services.document_json import document_text
from app.services.import_symbol import document_from_symbol
from app.services.project_file import read_any, read_project, write_project
from app.services.symbol_files import load_symbol
from app.services.symbol_json import read_symbol, write_symbol
from tests.control_flow import NAMES, control_flow, waiting_file, waiting_nodes
from tests.services.test_symbol_json import file, old_network, variable


def through_a_document(text: str, folder: Path) -> Symbol:
    """Open a symbol file in a window, save the document, and read it again."""
    path, chalk = folder / "net-symbol.json", folder / "net.chalk"
    path.write_text(text, encoding="utf-8")
    document = read_any(path).document
    write_project(document, chalk)
    assert read_project(chalk).nodes == document.nodes
    return load_symbol(chalk)


# Control flow ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_control_flow_is_written_as_mxnet_wrote_it(name: str, tmp_path: Path) -> None:
    text = control_flow(name)
    for symbol in (read_symbol(text), through_a_document(text, tmp_path)):
        assert json.loads(write_symbol(symbol)) == json.loads(text)


def test_control_flow_cannot_run_and_says_so() -> None:
    symbol = read_symbol(control_flow("foreach"))
    with pytest.raises(EngineError, match="_foreach0 can't run"):
        symbol.simple_bind({"data": (2, 3), "s": (3,), "w": (3,)})
    assert [problem.name for problem in analyse(document_from_symbol(symbol)).problems] == ["_foreach0"]


def test_a_known_operator_and_a_variable_keep_their_subgraphs_too(tmp_path: Path) -> None:
    graphs = [{"nodes": [variable("y")], "arg_nodes": [0], "heads": [[0, 0, 0]]}]
    nodes = [
        {**variable("x"), "subgraphs": graphs},
        {"op": "relu", "name": "r", "inputs": [[0, 0, 0]], "subgraphs": graphs},
    ]
    written = json.loads(write_symbol(through_a_document(file(nodes), tmp_path)))
    assert [node["subgraphs"] for node in written["nodes"]] == [graphs, graphs]


@pytest.mark.parametrize(
    ("graphs", "words"),
    [
        (3, "subgraphs of r of the file are no list"),
        ([3], "A subgraph of r is no graph"),
        ([{"nodes": [], "heads": []}], "it has no 'arg_nodes'"),
        ([{"nodes": [{"op": "exp"}], "arg_nodes": [], "heads": []}], "Node 0 of the file has no"),
    ],
)
def test_a_subgraph_that_is_no_graph_is_refused(graphs: Any, words: str) -> None:
    nodes = [variable("x"), {"op": "relu", "name": "r", "inputs": [[0, 0, 0]], "subgraphs": graphs}]
    with pytest.raises(EngineError, match=words):
        read_symbol(file(nodes))


def test_subgraphs_without_an_end_are_refused() -> None:
    node: dict[str, Any] = {"op": "relu", "name": "r", "inputs": []}
    for _ in range(60):
        node = {**node, "subgraphs": [{"nodes": [node], "arg_nodes": [], "heads": []}]}
    with pytest.raises(EngineError, match="too deep in each other"):
        read_symbol(file([node]))


# Waiting without reading -----------------------------------------------------------------------------------------


def test_who_waits_for_whom_is_kept_and_brings_its_arguments(tmp_path: Path) -> None:
    """The order of nodes and arguments is that of MXNet 1.9.1."""
    for symbol in (read_symbol(waiting_file()), through_a_document(waiting_file(), tmp_path)):
        assert symbol.list_arguments() == ["d", "a", "c", "b"]
        assert symbol.list_outputs() == ["e_output"]
        nodes = json.loads(write_symbol(symbol))["nodes"]
        assert [node["name"] for node in nodes] == ["d", "a", "c", "side", "b", "r", "e"]
        waits = {node["name"]: node["control_deps"] for node in nodes if "control_deps" in node}
        assert waits == {"a": [0], "r": [3, 4]}


def test_a_graph_that_waits_runs() -> None:
    shapes = dict.fromkeys("abcd", (2,))
    executor = read_symbol(waiting_file()).simple_bind(shapes)
    executor.arg_dict["a"][:] = [1, 2]
    executor.forward()
    np.testing.assert_allclose(executor.outputs[0], np.exp([1, 2]), rtol=1e-6)


def test_a_replaced_variable_is_waited_for_no_more() -> None:
    symbol = read_symbol(waiting_file())(b=Variable("new"))
    assert symbol.list_arguments() == ["d", "a", "c", "new"]


def test_other_settings_of_a_node_leave_the_rest_of_it() -> None:
    graph = read_symbol(waiting_file()).graph
    index = graph.index_by_name["r"]
    operator = graph.nodes[index].operator
    assert operator is not None
    assert graph.with_settings(index, operator, {"__k__": "1"}).nodes[index].control_deps == (3, 4)


@pytest.mark.parametrize("numbers", [[7], [-1], ["x"], 3, [True]])
def test_a_node_that_waits_for_nothing_there_is_refused(numbers: Any) -> None:
    nodes = waiting_nodes()
    nodes[3]["control_deps"] = numbers
    with pytest.raises(EngineError, match="control_deps of r"):
        read_symbol(waiting_file(nodes))


def test_a_circle_of_waiting_is_named() -> None:
    nodes = waiting_nodes()
    nodes[2]["control_deps"] = [3]
    with pytest.raises(EngineError, match="round in a circle: .*side"):
        read_symbol(waiting_file(nodes))


# Variables that nodes make for themselves ------------------------------------------------------------------------


def test_weights_without_a_copy_of_the_settings_stay_bare(tmp_path: Path) -> None:
    layer = {
        "op": "FullyConnected",
        "name": "fc",
        "inputs": [[0, 0], [1, 0], [2, 0]],
        "attrs": {"num_hidden": "3"},
    }
    nodes = [variable("x"), variable("fc_weight"), variable("fc_bias", num_hidden="3"), layer]
    for text in (old_network(), file(nodes)):
        assert write_symbol(through_a_document(text, tmp_path)) == write_symbol(read_symbol(text))
    document = document_from_symbol(read_symbol(file(nodes)))
    assert [(node.name, node.bare) for node in document.nodes.values()] == [("x", ()), ("fc", ("weight",))]


def test_a_variable_that_is_more_than_a_node_makes_is_drawn(tmp_path: Path) -> None:
    graphs = [{"nodes": [variable("y")], "arg_nodes": [0], "heads": [[0, 0, 0]]}]
    layer = {"op": "FullyConnected", "attrs": {"num_hidden": "3"}}
    inputs = [[0, 0, 0], [1, 0, 0], [2, 0, 0]]
    first = [
        variable("x"),
        {**variable("a_weight"), "subgraphs": graphs},
        {**variable("a_bias"), "control_deps": [0]},
    ]
    nodes = [
        *first,
        {**layer, "name": "a", "inputs": inputs},
        variable("b_weight"),
        variable("b_bias"),
        {**layer, "name": "b", "inputs": [[3, 0, 0], [4, 0, 0], [5, 0, 0]]},
        {"op": "relu", "name": "r", "inputs": [[6, 0, 0]], "control_deps": [4]},
    ]
    text = file(nodes, heads=[[7, 0, 0], [5, 0, 0]])
    assert write_symbol(through_a_document(text, tmp_path)) == write_symbol(read_symbol(text))
    drawn = {node.name for node in document_from_symbol(read_symbol(text)).nodes.values()}
    assert {"a_weight", "a_bias", "b_weight", "b_bias"} <= drawn


def test_what_a_user_wrote_on_a_variable_is_kept(tmp_path: Path) -> None:
    nodes = [variable("x", mood="calm", __k__="1"), {"op": "relu", "name": "r", "inputs": [[0, 0, 0]]}]
    symbol = through_a_document(file(nodes), tmp_path)
    assert symbol.attr_dict()["x"] == {"mood": "calm", "__k__": "1"}


# Names of operators ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("alias", "name"), [("_Plus", "elemwise_add"), ("flatten", "Flatten"), ("_MulScalar", "_mul_scalar")]
)
def test_an_operator_is_written_under_its_own_name(alias: str, name: str, tmp_path: Path) -> None:
    count = len(all_operators()[alias]().ports)
    nodes = [variable("x"), {"op": alias, "name": "op", "inputs": [[0, 0, 0]] * count}]
    for symbol in (read_symbol(file(nodes)), through_a_document(file(nodes), tmp_path)):
        assert json.loads(write_symbol(symbol))["nodes"][1]["op"] == name


# The document's own file -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kept", [{"bare": ("weight",)}, {"control_deps": ("n1",)}, {"subgraphs": JsonText('[{"nodes": []}]')}]
)
def test_only_what_is_kept_needs_the_newest_version(kept: dict[str, Any]) -> None:
    document = document_from_symbol(read_symbol(file([variable("x")])))
    assert '"version": 1' in document_text(document)
    node = attrs.evolve(Node("n2", "relu", "r"), **kept)
    assert '"version": 3' in document_text(attrs.evolve(document, nodes={**document.nodes, "n2": node}))


@pytest.mark.parametrize("graphs", ["3", "[3]", '[{"nodes": 3}]', '[{"nodes": [{"subgraphs": [1]}]}]'])
def test_a_document_with_subgraphs_that_are_none_is_refused(graphs: str, tmp_path: Path) -> None:
    path = tmp_path / "net.chalk"
    write_project(document_from_symbol(read_symbol(control_flow("foreach"))), path)
    start, _, end = path.read_text().partition('"subgraphs": ')
    path.write_text(f'{start}"subgraphs": {graphs}' + "}\n" + end.partition("\n")[2])
    with pytest.raises(EngineError, match="subgraph"):
        read_project(path)

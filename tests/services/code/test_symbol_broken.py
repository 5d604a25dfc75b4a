"""The Symbol-API program of documents that are not right yet: there is always one, and it says what is wrong."""

import ast
from pathlib import Path
from types import ModuleType

import attrs
import pytest
from hypothesis import given

from app.document.analysis import Analysis
from app.document.checks import analyse, analyse_after
from app.document.records import Document, Edge, Head, Node
from app.engine.errors import EngineError
from app.engine.registry import canonical_operators
from app.services.code import numpy_code, torch_code
from app.services.code.lines import CodeText
from app.services.code.symbol_api import write
from app.services.gallery import open_entry
from app.services.import_symbol import document_from_symbol
from app.services.symbol_json import read_symbol
from app.services.values import ValueShapes
from tests.control_flow import control_flow
from tests.opaque_files import SENTENCE, opaque_file
from tests.services.code.example_documents import EXAMPLES, example_document
from tests.strategies import drawings, wild_documents

NONSENSE = ("", "0", "-1", "x", "(1,", "(0, 0)", "\x0c\r\n1", "nan", "None")


def _check(analysis: Analysis) -> CodeText:
    """Write a program that Python can read, and in which every node has a line unless it is a Group."""
    code = write(analysis)
    ast.parse(code.text)
    assert len(code.lines) == len(code.text.split("\n")) - 1
    for node in analysis.document.nodes.values():
        assert node.op == "Group" or code.lines_of(node.id), node
    return code


def _with_param(document: Document, name: str, param: str, text: str) -> Document:
    node = next(node for node in document.nodes.values() if node.name == name)
    wrong = attrs.evolve(node, params={**node.params, param: text})
    return attrs.evolve(document, nodes={**document.nodes, node.id: wrong})


@given(drawings())
def test_every_drawing_has_a_program(document: Document) -> None:
    _check(analyse_after(None, document, ValueShapes()))


@given(wild_documents())
def test_every_foreign_file_has_a_program(document: Document) -> None:
    _check(analyse_after(None, document, ValueShapes()))


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_setting_can_be_nonsense(example: str) -> None:
    document = example_document(example)
    for node in document.nodes.values():
        operator = analyse(document).drawing.readings[node.id].operator
        for parameter in operator.parameters if operator is not None else ():
            for text in NONSENSE:
                _check(
                    analyse_after(None, _with_param(document, node.name, parameter.name, text), ValueShapes())
                )


@pytest.mark.parametrize("operator", canonical_operators(), ids=lambda one: one.op_name)
def test_every_operator_alone_has_a_program(operator: type) -> None:
    for parameter in operator.parameters:  # type: ignore[attr-defined]
        for text in NONSENSE:
            node = Node("n1", operator.op_name, "y", params={parameter.name: text})  # type: ignore[attr-defined]
            _check(analyse_after(None, Document({"n1": node}), ValueShapes()))


@pytest.mark.parametrize("text", ["0", "many"])
def test_a_broken_layer_stands_in_its_place_as_it_was_typed(text: str) -> None:
    document = _with_param(open_entry("digits-convnet"), "fc1", "num_hidden", text)
    code = _check(analyse(document, ValueShapes()))
    lines = code.text.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("# fc1 = "))
    assert f"num_hidden={text}, name='fc1')" in lines[at]
    assert lines[at - 1].startswith("# fc1 is left out: num_hidden")
    assert any(line.startswith("pool1 = ") for line in lines[:at])
    after = [line for line in lines[at + 1 :] if line.startswith("#")]
    assert after[0].endswith("is left out: it reads fc1.")
    assert after[-1].startswith("# Not bound yet: fc1: num_hidden")
    assert "bind(" not in code.text


def test_the_rest_of_several_outputs_is_not_bound_without_the_broken_one() -> None:
    document = open_entry("compose-net")
    wrong = Node("n9", "Convolution", "conv1", params={"num_filter": "x"})
    text = _check(analyse(attrs.evolve(document, nodes={**document.nodes, "n9": wrong}), ValueShapes())).text
    assert "Group" not in text
    assert "# Not bound yet: conv1: " in text


def test_a_wire_to_an_input_that_there_is_not_is_left_out() -> None:
    nodes = {
        "n1": Node("n1", "Variable", "x"),
        "n2": Node("n2", "FullyConnected", "fc1", params={"num_hidden": "2"}),
    }
    code = _check(analyse(Document(nodes, {"e1": Edge("e1", "n1", 0, "n2", 7)})))
    assert "fc1 = mx.sym.FullyConnected(num_hidden=2, name='fc1')\n" in code.text
    assert "goes nowhere" in code.text


def test_a_head_gradient_that_cannot_be_read_is_told() -> None:
    document = attrs.evolve(open_entry("executor-backward"), heads={"E_output": Head("E_output", "two")})
    text = _check(analyse(document, ValueShapes())).text
    assert "# No backward yet: the gradient of E_output: 'two' is no number" in text
    assert "executor.backward(" not in text


def test_an_opaque_node_is_a_call_that_an_mxnet_with_its_operator_takes() -> None:
    analysis = analyse(document_from_symbol(read_symbol(opaque_file())))
    text = _check(analysis).text
    assert (
        "# QConvolution is not known to Chalkgraph: the next line works where MXNet has this operator.\n"
        "q = mx.sym.QConvolution(data, q_weight, kernel='(3,3)', act_bit='1', lr_mult='3',\n"
        "                        attr={'__lr_mult__': '2'}, name='q', **{'in': 'x'})\n"
        "r = mx.sym.relu(data=q[0], name='r')\n"
        "s = r + q[1]\n"
    ) in text
    assert f"# Not bound yet: {SENTENCE}" in text
    assert "executor" not in text


def test_a_call_cannot_pass_graphs_on_and_says_so() -> None:
    analysis = analyse(document_from_symbol(read_symbol(control_flow("foreach"))))
    assert "# _foreach holds graphs of its own, which a call can't pass on. The symbol file keeps them." in (
        _check(analysis).text
    )


@pytest.mark.parametrize("op", ["not a word", "_hidden", "class"])
def test_an_opaque_node_of_any_name_is_a_call(op: str) -> None:
    analysis = analyse(document_from_symbol(read_symbol(opaque_file().replace("QConvolution", op))))
    text = _check(analysis).text
    assert repr(op) in text or f"mx.sym._internal.{op}(" in text


@pytest.mark.parametrize("language", [numpy_code, torch_code])
def test_an_opaque_node_is_not_exported_as_a_program_that_runs(language: ModuleType, tmp_path: Path) -> None:
    analysis = analyse(document_from_symbol(read_symbol(opaque_file())))
    with pytest.raises(EngineError, match=SENTENCE):
        language.export(analysis, tmp_path / "net.py")
    assert list(tmp_path.iterdir()) == []

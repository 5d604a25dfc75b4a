"""The Symbol-API program: it reads like the pictures, runs, and means the document it was written from."""

import ast
import contextlib
import io
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest

from app.document.analysis import Analysis
from app.document.checks import analyse
from app.document.edits import add_node
from app.document.records import Binding, Document, Edge, Head, Node, Settings
from app.engine.symbol import Symbol
from app.resources import resource
from app.services.code import symbol_values
from app.services.code.lines import CodeText
from app.services.code.symbol_api import write
from app.services.gallery import entries, open_entry
from app.services.running import Results, results_of, run_to
from app.services.values import ValueShapes
from tests.services.code.example_documents import EXAMPLES, example_document
from tests.services.code.mxnet_double import run_program


def _analysis(document: Document) -> Analysis:
    return analyse(document, ValueShapes())


def _write(document: Document) -> CodeText:
    return write(_analysis(document))


def _run(text: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    with contextlib.redirect_stdout(io.StringIO()):
        return run_program(text, monkeypatch, str(resource("data")))["executor"]


def _compare(executor: Any, results: Results, names: list[str]) -> None:
    for got, want in zip(executor.outputs, results.outputs, strict=True):
        np.testing.assert_array_equal(got, want)
    for name in names:
        want = results.argument_gradient(name)
        # a gradient that MXNet never writes: the program's buffer keeps its zeros
        np.testing.assert_array_equal(executor.grad_dict[name], 0 if want is None else want)


def test_the_gradient_picture_reads_like_the_picture() -> None:
    assert _write(open_entry("executor-backward")).text == (
        "import mxnet as mx\n"
        "\n"
        "A = mx.sym.Variable('A')\n"
        "B = mx.sym.Variable('B')\n"
        "C = A * B\n"
        "D = mx.sym.Variable('D')\n"
        "E = C * D\n"
        "\n"
        "a = mx.nd.ones((1,)) * 10\n"
        "b = mx.nd.ones((1,))\n"
        "d = mx.nd.ones((1,)) * 2\n"
        "ga = mx.nd.zeros((1,))\n"
        "executor = E.bind(ctx=mx.cpu(), args={'A': a, 'B': b, 'D': d}, args_grad={'A': ga})\n"
        "\n"
        "executor.forward(is_train=True)\n"
        "print(executor.outputs[0])\n"
        "\n"
        "ge = mx.nd.ones((1,)) * 2\n"
        "executor.backward(out_grads=ge)\n"
        "print(executor.grad_dict['A'])\n"
    )


def test_the_group_picture_binds_the_group() -> None:
    text = _write(open_entry("executor-multi-out")).text
    assert "G = mx.sym.Group([E, C])\n" in text
    assert "executor = G.bind(ctx=mx.cpu(), args={'A': a, 'B': b, 'D': d})\n" in text
    assert "backward" not in text


def test_the_simple_bind_picture_gives_only_the_shape_of_data() -> None:
    text = _write(open_entry("executor-simple-bind")).text
    assert "fc1 = mx.sym.FullyConnected(data=data, num_hidden=128, name='fc1')\n" in text
    assert "activation0 = mx.sym.Activation(data=fc1, act_type='relu', name='activation0')\n" in text
    assert "executor = activation0.simple_bind(ctx=mx.cpu(), data=(100, 768), grad_req=requests)\n" in text


@pytest.mark.parametrize("entry_id", [entry.id for entry in entries()])
def test_the_program_of_every_gallery_entry_runs(entry_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    analysis = _analysis(open_entry(entry_id))
    executor = _run(write(analysis).text, monkeypatch)
    symbol = analysis.symbol
    assert symbol is not None
    assert list(executor.arg_dict) == symbol.list_arguments()
    assert list(executor.aux_dict) == symbol.list_auxiliary_states()
    results = results_of(run_to(analysis, "backward"))
    requested = [name for name, word in results.requests.items() if word != "null"]
    assert [name for name, word in executor.requests.items() if word != "null"] == requested
    if "Xavier" not in write(analysis).text:
        _compare(executor, results, requested)


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_program_of_every_operator_gives_the_same_numbers(
    example: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(symbol_values, "LONGEST_LIST", 10**9)
    analysis = _analysis(example_document(example))
    text = write(analysis).text
    executor = _run(text, monkeypatch)
    results = results_of(run_to(analysis, "backward"))
    if analysis.graph is not None and not any(
        n.operator and n.operator.is_random for n in analysis.graph.nodes
    ):
        _compare(executor, results, [name for name, word in results.requests.items() if word != "null"])


@pytest.mark.parametrize("entry_id", [entry.id for entry in entries()])
def test_every_line_knows_its_nodes(entry_id: str) -> None:
    document = open_entry(entry_id)
    code = _write(document)
    assert len(code.lines) == len(code.text.splitlines())
    for node in document.nodes.values():
        numbers = code.lines_of(node.id)
        assert numbers, node.name
        assert code.text.splitlines()[numbers[0]].startswith(f"{node.name} = ")


def _two(op: str, params: dict[str, str] | None = None, *, names: tuple[str, str] = ("x", "y")) -> Document:
    return Document(
        {
            "n1": Node("n1", "Variable", names[0]),
            "n2": Node("n2", op, names[1], params=params or {}),
        },
        {"e1": Edge("e1", "n1", 0, "n2", 0)},
        {names[0]: Binding(names[0], "constant", "[1, 2, 4]")},
    )


@pytest.mark.parametrize(
    ("op", "scalar", "line"),
    [
        ("_plus_scalar", "2", "y = x + 2"),
        ("_rminus_scalar", "1.5", "y = 1.5 - x"),
        ("_rdiv_scalar", "2.0", "y = 2 / x"),
        ("_power_scalar", "2", "y = x ** 2"),
        ("_rpower_scalar", "-2", "y = (-2) ** x"),
        ("_mul_scalar", "-1", "y = x * -1"),
    ],
)
def test_arithmetic_with_a_number_is_a_sign(
    op: str, scalar: str, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    analysis = _analysis(_two(op, {"scalar": scalar}))
    text = write(analysis).text
    assert line in text.splitlines()
    with np.errstate(all="ignore"):
        executor = _run(text, monkeypatch)
    np.testing.assert_array_equal(executor.outputs[0], results_of(run_to(analysis, "forward")).outputs[0])


def test_odd_names_become_identifiers_and_keep_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    document = _two("exp", names=("class", "2-å.b"))
    text = _write(document).text
    assert "class_ = mx.sym.Variable('class')" in text
    assert "_2_å_b = mx.sym.exp(data=class_, name='2-å.b')" in text
    executor = _run(text, monkeypatch)
    assert list(executor.arg_dict) == ["class"]


def test_names_that_clash_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    document = Document(
        {
            "n1": Node("n1", "Variable", "mx"),
            "n2": Node("n2", "Variable", "a-b"),
            "n3": Node("n3", "Variable", "a_b"),
            "n4": Node("n4", "add_n", "print", params={"num_args": "3"}),
        },
        {f"e{k}": Edge(f"e{k}", f"n{k}", 0, "n4", k - 1) for k in (1, 2, 3)},
        {name: Binding(name, "constant", "[1, 2]") for name in ("mx", "a-b", "a_b")},
    )
    text = _write(document).text
    assert "mx_2 = mx.sym.Variable('mx')" in text
    assert "a_b_2 = mx.sym.Variable('a_b')" in text
    assert "print_2 = mx.sym.add_n(mx_2, a_b, a_b_2, name='print')" in text
    assert _run(text, monkeypatch).outputs[0].tolist() == [3, 6]


def test_attributes_and_wired_weights_are_written(monkeypatch: pytest.MonkeyPatch) -> None:
    document = Document(
        {
            "n1": Node("n1", "Variable", "data"),
            "n2": Node("n2", "Variable", "shared", attributes={"__lr_mult__": "2"}),
            "n3": Node("n3", "FullyConnected", "fc1", params={"num_hidden": "3", "no_bias": "True"}),
            "n4": Node(
                "n4", "FullyConnected", "fc2", params={"num_hidden": "3"}, attributes={"__lr_mult__": "0.1"}
            ),
        },
        {
            "e1": Edge("e1", "n1", 0, "n3", 0),
            "e2": Edge("e2", "n2", 0, "n3", 1),
            "e3": Edge("e3", "n3", 0, "n4", 0),
            "e4": Edge("e4", "n2", 0, "n4", 1),
        },
        {"data": Binding("data", shape=(2, 3))},
    )
    text = _write(document).text
    assert "shared = mx.sym.Variable('shared', attr={'__lr_mult__': '2'})" in text
    assert (
        "fc1 = mx.sym.FullyConnected(data=data, weight=shared, num_hidden=3, no_bias=True, name='fc1')"
        in text
    )
    assert "attr={'__lr_mult__': '0.1'}" in text
    analysis = _analysis(document)
    assert isinstance(analysis.symbol, Symbol)
    assert list(_run(text, monkeypatch).arg_dict) == analysis.symbol.list_arguments()


def test_outputs_of_a_split_are_picked_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    document = Document(
        {
            "n1": Node("n1", "Variable", "x"),
            "n2": Node("n2", "SliceChannel", "split", params={"num_outputs": "2"}),
            "n3": Node("n3", "elemwise_sub", "y"),
        },
        {
            "e1": Edge("e1", "n1", 0, "n2", 0),
            "e2": Edge("e2", "n2", 1, "n3", 0),
            "e3": Edge("e3", "n2", 0, "n3", 1),
        },
        {"x": Binding("x", "constant", "[[1, 5]]")},
    )
    text = _write(document).text
    assert "y = split[1] - split[0]\n" in text
    assert _run(text, monkeypatch).outputs[0].tolist() == [[4]]
    chosen = attrs.evolve(document, settings={"settings": Settings(heads=("n2", "n3"))})
    assert "group = mx.sym.Group([split, y])\n" in _write(chosen).text
    assert len(_run(_write(chosen).text, monkeypatch).outputs) == 3


def files_of_numbers(folder: Path) -> None:
    array = np.arange(6.0).reshape(2, 3) / 4
    np.save(folder / "one.npy", array)
    np.savez(folder / "two.npz", a=array, b=-array)
    (folder / "plain.csv").write_text("1,2,3\n4,5,6\n")
    (folder / "named.csv").write_text("a,b\n1,2\n4,5\n")
    (folder / "spaced.csv").write_text("a;b c\n1;2\n4;5\n")
    (folder / "column.csv").write_text("1\n4\n5\n")
    np.savez(folder / "single.npz", only=array)


@pytest.mark.parametrize(
    ("kind", "text", "shape"),
    [
        ("constant", "2", (2, 3)),
        ("constant", "0", (2, 3)),
        ("constant", "[[1, 2.5, 3], [4, 5, 6]]", None),
        ("initializer", "zeros", (2, 3)),
        ("initializer", "ones", (2, 3)),
        ("initializer", "constant(-3)", (2, 3)),
        ("initializer", "arange", (2, 3)),
        ("initializer", "arange(-2, -0.5)", (2, 3)),
        ("initializer", "bilinear", (1, 1, 4, 4)),
        ("file", "one.npy", None),
        ("file", "two.npz#b", None),
        ("file", "plain.csv", None),
        ("file", "plain.csv#1", None),
        ("file", "named.csv#b", None),
        ("file", "named.csv#1", None),
        ("file", "named.csv", None),
        ("file", "spaced.csv#b c", None),
        ("file", "column.csv", None),
        ("file", "single.npz", None),
        ("dataset", "digits#image", None),
        ("dataset", "digits#pixels", None),
        ("dataset", "digits#label", None),
    ],
)
def test_every_kind_of_value_is_written_as_the_array_that_it_is(
    kind: Any, text: str, shape: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    files_of_numbers(tmp_path)
    written = str(tmp_path / text) if kind == "file" else text
    for first in (0, 2, -2) if kind == "dataset" else (0,):
        document = attrs.evolve(
            _two("square"),
            bindings={"x": Binding("x", kind, written, shape=shape)},
            settings={"settings": Settings(batch=4, batch_start=first)},
        )
        executor = _run(_write(document).text, monkeypatch)
        _compare(executor, results_of(run_to(_analysis(document), "forward")), [])


def test_requests_and_head_gradients_are_written(monkeypatch: pytest.MonkeyPatch) -> None:
    document = _two("square")
    bindings = {"x": Binding("x", "constant", "[1, 2, 4]", request="add")}
    heads = {"y_output": Head("y_output", "[1, 0, -1]")}
    text = _write(attrs.evolve(document, bindings=bindings, heads=heads)).text
    assert "grad_req={'x': 'add'}" in text
    assert "gy = mx.nd.array([1, 0, -1])\n" in text
    assert _run(text, monkeypatch).grad_dict["x"].tolist() == [2, 0, -8]


def test_what_is_unfinished_is_still_readable() -> None:
    document = attrs.evolve(
        open_entry("compose-net"),
        bindings={},
        nodes={
            **open_entry("compose-net").nodes,
            "n9": Node("n9", "Convolution", "conv1", params={"num_filter": "x", "kernel": "(3, 3)"}),
        },
    )
    code = _write(document)
    ast.parse(code.text)
    assert "# conv1 is left out: num_filter is 'x'" in code.text
    assert "# conv1 = mx.sym.Convolution(num_filter=x, kernel=(3, 3), name='conv1')\n" in code.text
    assert len(code.lines_of("n9")) == 2
    assert "# Not bound yet: " in code.text
    assert _write(Document()).text == "import mxnet as mx\n"


def test_open_shapes_are_told_in_the_right_number() -> None:
    two = add_node(Document(), "elemwise_add", (0.0, 0.0), name="s").transaction.apply(Document())
    assert "# Not bound yet: the shapes of s_lhs, s_rhs are still open." in _write(two).text
    one = add_node(Document(), "relu", (0.0, 0.0), name="r").transaction.apply(Document())
    assert "# Not bound yet: the shape of r_data is still open." in _write(one).text


def test_long_calls_are_broken_below_their_first_argument() -> None:
    lines = _write(open_entry("bind-basic")).text.splitlines()
    assert max(map(len, lines)) <= 100

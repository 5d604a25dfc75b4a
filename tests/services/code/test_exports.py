"""Exported programs run on their own and come to the executor's numbers, outputs and gradients."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest

from app.document.analysis import Analysis
from app.document.checks import analyse
from app.document.records import Binding, Document, Edge, Node
from app.engine.errors import EngineError, GraphError
from app.engine.operator import Operator
from app.engine.registry import canonical_operators, find_operator
from app.services.code import numpy_code, torch_code
from app.services.code.parts import needed_parts, parts
from app.services.gallery import entries, open_entry
from app.services.values import ValueShapes
from tests.services.code.example_documents import EXAMPLES, example_document
from tests.services.code.golden_nets import NETS, net_document

Export = Callable[..., list[Path]]

WRITERS: dict[str, Any] = {"numpy": numpy_code, "torch": torch_code}

FIRST_LIGHT = [
    "elemwise_add",
    "elemwise_sub",
    "elemwise_mul",
    "elemwise_div",
    "_power",
    "negative",
    "_plus_scalar",
    "_minus_scalar",
    "_rminus_scalar",
    "_mul_scalar",
    "_div_scalar",
    "_rdiv_scalar",
    "_power_scalar",
    "_rpower_scalar",
    "broadcast_add",
    "broadcast_sub",
    "broadcast_mul",
    "broadcast_div",
    "broadcast_power",
    "exp",
    "log",
    "sqrt",
    "square",
    "abs",
    "sum",
    "mean",
    "FullyConnected",
    "Activation",
    "LeakyReLU",
    "Convolution",
    "Pooling",
    "BatchNorm",
    "Dropout",
    "Flatten",
    "Reshape",
    "transpose",
    "Concat",
    "SliceChannel",
    "dot",
    "Embedding",
    "softmax",
    "log_softmax",
    "SoftmaxOutput",
    "LinearRegressionOutput",
    "LogisticRegressionOutput",
    "MakeLoss",
    "BlockGrad",
]
"""Operators that have to have code in both languages."""


def _analysis(document: Document) -> Analysis:
    return analyse(document, ValueShapes())


def _documents() -> Iterator[tuple[str, Document]]:
    for example in EXAMPLES:
        yield example, example_document(example)
    for net in NETS:
        yield net, net_document(net)
    for entry in entries():
        yield entry.id, open_entry(entry.id)


def _file_name(name: str) -> str:
    return f"case_{re.sub(r'[^a-zA-Z0-9]', '_', name)}"


@pytest.fixture(scope="module", params=["numpy", "torch"])
def exported(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path, dict[str, Any]]:
    """Export everything into one folder, run it all in one child process, and return what the programs said."""
    backend = request.param
    if backend == "torch" and find_spec("torch") is None:
        pytest.skip("PyTorch is not installed")
    folder = tmp_path_factory.mktemp(backend)
    refused = {}
    for name, document in _documents():
        try:
            WRITERS[backend].export(_analysis(document), folder / f"{_file_name(name)}.py")
        except GraphError as error:
            refused[name] = str(error)
    runner = Path(__file__).parent / "run_programs.py"
    subprocess.run([sys.executable, "-W", "ignore", str(runner), str(folder)], check=True, cwd=folder)
    answers = json.loads((folder / "answers.json").read_text())
    return backend, folder, {"answers": answers, "refused": refused}


def test_every_program_agrees_with_the_executor(exported: tuple[str, Path, dict[str, Any]]) -> None:
    _, _, found = exported
    wrong = {name: answer["said"] for name, answer in found["answers"].items() if answer["status"] != 0}
    assert wrong == {}
    assert len(found["answers"]) + len(found["refused"]) == len(EXAMPLES) + len(NETS) + len(entries())


def test_what_has_to_have_code_has_it(exported: tuple[str, Path, dict[str, Any]]) -> None:
    _, _, found = exported
    needed = {find_operator(name).op_name for name in FIRST_LIGHT}
    examples = {example for example in EXAMPLES if example.rpartition("-")[0] in needed}
    assert {example.rpartition("-")[0] for example in examples} == needed
    assert not examples & set(found["refused"])
    assert not {entry.id for entry in entries()} & set(found["refused"])
    assert all("cannot be exported yet" in sentence for sentence in found["refused"].values())


def test_every_program_is_format_clean(exported: tuple[str, Path, dict[str, Any]]) -> None:
    _, folder, _ = exported
    command = [
        sys.executable,
        "-m",
        "ruff",
        "format",
        "--diff",
        "--isolated",
        "--line-length",
        "110",
        str(folder),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[:3000]


def test_only_what_is_random_goes_uncompared(exported: tuple[str, Path, dict[str, Any]]) -> None:
    _, folder, _ = exported
    skipping = [path.stem for path in folder.glob("*.py") if "\nSKIPPED = " in path.read_text()]
    random = {example for example in EXAMPLES if find_operator(example.rpartition("-")[0]).is_random}
    allowed = {_file_name(example) for example in random} | {_file_name(net) for net in NETS}
    allowed |= {_file_name(example) for example in EXAMPLES if example.startswith(("Cast-", "amp_cast-"))}
    assert set(skipping) <= allowed
    assert _file_name("Dropout-0") in skipping


@pytest.mark.parametrize("backend", WRITERS)
@pytest.mark.parametrize("entry_id", ["executor-backward", "digits-mlp"])
def test_a_program_notices_a_wrong_number(backend: str, entry_id: str, tmp_path: Path) -> None:
    if backend == "torch" and find_spec("torch") is None:
        pytest.skip("PyTorch is not installed")
    path = tmp_path / "taken away.py"
    written = WRITERS[backend].export(_analysis(open_entry(entry_id)), path)
    assert subprocess.run([sys.executable, str(path)], check=False, capture_output=True).returncode == 0
    if len(written) == 1:
        path.write_text(path.read_text().replace("[4.0]", "[4.5]"))
        wrong = "grad:A"
    else:
        with np.load(written[1]) as file:
            arrays = dict(file)
        arrays["grad:fc2_weight"][3, 4] += 0.5
        np.savez(written[1], **arrays)
        wrong = "grad:fc2_weight"
    done = subprocess.run([sys.executable, str(path)], check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert f"Different: {wrong}" in done.stdout


@pytest.mark.parametrize("backend", WRITERS)
def test_the_picture_of_the_gradient_reads_like_the_picture(backend: str) -> None:
    text = WRITERS[backend].write(_analysis(open_entry("executor-backward"))).text
    assert "    C = A * B\n" in text
    assert "    E = C * D\n" in text
    if backend == "numpy":
        assert "    d_C = d_E * D\n    d_A = d_C * B\n    return [d_A]\n" in text


@pytest.mark.parametrize("backend", WRITERS)
@pytest.mark.parametrize("entry_id", ["digits-convnet", "executor-multi-out", "executor-aux-state"])
def test_lines_know_their_nodes(backend: str, entry_id: str) -> None:
    document = open_entry(entry_id)
    code = WRITERS[backend].write(_analysis(document))
    texts = code.text.splitlines()
    assert len(code.lines) == len(texts)
    for node in document.nodes.values():
        if node.op not in ("Variable", "Group"):
            assert any(
                re.match(rf"\s+{node.name}\b.* = ", texts[number]) for number in code.lines_of(node.id)
            )


def test_the_torch_module_has_weights_states_and_inputs() -> None:
    text = torch_code.write(_analysis(open_entry("executor-aux-state"))).text
    assert "self.bn_gamma = nn.Parameter(torch.empty(2))" in text
    assert 'self.register_buffer("bn_moving_mean", torch.empty(2))' in text
    assert "def forward(self, data):" in text
    assert "if self.training:" in text


@pytest.mark.parametrize("backend", WRITERS)
def test_odd_names_become_identifiers(backend: str, tmp_path: Path) -> None:
    if backend == "torch" and find_spec("torch") is None:
        pytest.skip("PyTorch is not installed")
    names = ("class", "np", "forward", 'fc "1"')
    document = Document(
        {
            "n1": Node("n1", "Variable", names[0]),
            "n2": Node("n2", "FullyConnected", names[1], params={"num_hidden": "2"}),
            "n3": Node("n3", "exp", names[2]),
            "n4": Node("n4", "FullyConnected", names[3], params={"num_hidden": "200"}),
        },
        {f"e{k}": Edge(f"e{k}", f"n{k}", 0, f"n{k + 1}", 0) for k in (1, 2, 3)},
        {"class": Binding("class", "constant", "[[1, 2]]")},
    )
    path = tmp_path / "odd.py"
    WRITERS[backend].export(_analysis(document), path)
    done = subprocess.run([sys.executable, str(path)], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("backend", WRITERS)
def test_numbers_that_are_none_stand_in_the_program(backend: str, tmp_path: Path) -> None:
    if backend == "torch" and find_spec("torch") is None:
        pytest.skip("PyTorch is not installed")
    document = Document(
        {"n1": Node("n1", "Variable", "x"), "n2": Node("n2", "negative", "y")},
        {"e1": Edge("e1", "n1", 0, "n2", 0)},
        {"x": Binding("x", "constant", "[nan, inf, -inf, 2]")},
    )
    path = tmp_path / "none.py"
    assert WRITERS[backend].export(_analysis(document), path) == [path]
    done = subprocess.run([sys.executable, str(path)], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("backend", WRITERS)
def test_what_cannot_be_exported_is_refused_by_name_and_nothing_is_written(
    backend: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for method in ("numpy_code", "torch_code"):
        monkeypatch.setattr(find_operator("Activation"), method, getattr(Operator, method))
    with pytest.raises(GraphError, match=r"activation0 \(Activation\) cannot be exported yet") as caught:
        WRITERS[backend].export(_analysis(open_entry("compose-net")), tmp_path / "net.py")
    assert caught.value.node == "activation0"
    assert list(tmp_path.iterdir()) == []
    unfinished = attrs.evolve(open_entry("compose-net"), bindings={})
    with pytest.raises(EngineError, match="shapes of data"):
        WRITERS[backend].export(_analysis(unfinished), tmp_path / "net.py")


def test_numbers_of_someone_else_are_not_written_over(tmp_path: Path) -> None:
    np.savez(tmp_path / "net_numbers.npz", mine=np.arange(3))
    with pytest.raises(EngineError, match=r"net_numbers\.npz is there already and is not from an export"):
        numpy_code.export(_analysis(open_entry("digits-mlp")), tmp_path / "net.py")
    numpy_code.export(_analysis(open_entry("digits-mlp")), tmp_path / "other.py")
    numpy_code.export(_analysis(open_entry("digits-mlp")), tmp_path / "other.py")


@pytest.mark.parametrize("name", ["numpy.py", "random.py"])
def test_a_program_cannot_stand_in_the_way_of_a_module(name: str, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="Python has a module called"):
        numpy_code.export(_analysis(open_entry("executor-backward")), tmp_path / name)


def test_parts_bring_what_they_call() -> None:
    names = [part.name for part in needed_parts("numpy", ["y = convolve(x, w, None)"])]
    assert names == ["windows", "convolve"]
    assert needed_parts("numpy", ["y = np.exp(x)"]) == []


def test_no_part_has_the_name_of_another() -> None:
    assert {"convolve", "unbroadcast"} <= set(parts("numpy"))
    assert "softmax_head" in parts("torch")


def test_operators_without_code_are_few() -> None:
    names = {operator.op_name for operator in canonical_operators()}
    without = {
        operator.op_name for operator in canonical_operators() if operator.numpy_code is Operator.numpy_code
    }
    assert len(without) < len(names) / 4


@pytest.mark.parametrize("backend", WRITERS)
def test_double_precision_stays_double(backend: str, tmp_path: Path) -> None:
    if backend == "torch" and find_spec("torch") is None:
        pytest.skip("PyTorch is not installed")
    document = open_entry("compose-net")
    bindings = {"data": Binding("data", "initializer", "normal(1)", (4, 3), dtype="float64")}
    path = tmp_path / "double.py"
    _, beside = WRITERS[backend].export(_analysis(attrs.evolve(document, bindings=bindings)), path)
    with np.load(beside) as file:
        assert {file[key].dtype for key in file} == {np.dtype("float64")}
    if backend == "torch":
        assert "nn.Parameter(torch.empty(128, 3, dtype=torch.float64))" in path.read_text()
    done = subprocess.run([sys.executable, str(path)], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_variable_read_three_times_sums_its_gradients(tmp_path: Path) -> None:
    document = Document(
        {
            "n1": Node("n1", "Variable", "x"),
            "n2": Node("n2", "elemwise_mul", "y"),
            "n3": Node("n3", "elemwise_add", "z"),
        },
        {
            "e1": Edge("e1", "n1", 0, "n2", 0),
            "e2": Edge("e2", "n1", 0, "n2", 1),
            "e3": Edge("e3", "n2", 0, "n3", 0),
            "e4": Edge("e4", "n1", 0, "n3", 1),
        },
        {"x": Binding("x", "constant", "[3]")},
    )
    path = tmp_path / "thrice.py"
    numpy_code.export(_analysis(document), path)
    assert '"grad:x": np.array([7.0], np.float32)' in path.read_text()
    assert subprocess.run([sys.executable, str(path)], check=False, capture_output=True).returncode == 0


@pytest.mark.parametrize("language", ["numpy", "torch"])
def test_the_program_of_the_gradient_picture_prints_its_gradient(language: str, tmp_path: Path) -> None:
    if language == "torch" and find_spec("torch") is None:
        pytest.skip("PyTorch is not installed")
    path = tmp_path / "picture.py"
    WRITERS[language].export(_analysis(open_entry("executor-backward")), path, None)
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, check=True)
    assert "E_output = " in done.stdout and "20." in done.stdout
    assert "d(A) = " in done.stdout and "4." in done.stdout

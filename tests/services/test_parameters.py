"""Parameters go to MXNet's files and come back as bindings; what does not fit is told."""

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.document.analysis import Analysis
from app.document.checks import analyse
from app.document.edits import rename, set_binding, set_options, set_param
from app.document.records import Binding, Document
from app.document.store import Store
from app.engine.errors import BindError, EngineError, FormatError, ShapeError
from app.services.array_files import array_names, array_shape, read_array
from app.services.gallery import open_entry
from app.services.parameters import match_parameters, parameter_names, save_parameters
from app.services.params_file import read_params, read_params_array, read_params_heads, write_params
from app.services.running import results_of, run_to
from app.services.symbol_json import write_symbol
from app.services.values import ValueShapes
from tests.services.real_mxnet import PYTHON


def analysed(document: Document, folder: Path | None = None) -> Analysis:
    return analyse(document, ValueShapes(folder))


def committed(document: Document, *edits: Any) -> Document:
    store = Store(document)
    for edit in edits:
        store.commit(edit(store.document))
    return store.document


@pytest.fixture
def convnet() -> Document:
    return open_entry("digits-convnet")


@pytest.fixture
def saved(convnet: Document, tmp_path: Path) -> Path:
    """Return a file with the parameters that the convnet starts from."""
    path = tmp_path / "net-0000.params"
    save_parameters(analysed(convnet), path)
    return path


def test_heads_are_those_of_the_arrays(tmp_path: Path) -> None:
    path = tmp_path / "x.params"
    arrays = {"arg:a": np.arange(6.0).reshape(2, 3), "b": np.array([1, 2], np.int32)}
    write_params(arrays, path)
    heads = read_params_heads(path)
    assert {name: (head.shape, head.dtype) for name, head in heads.items()} == {
        name: (array.shape, array.dtype) for name, array in arrays.items()
    }
    for name, head in heads.items():
        np.testing.assert_array_equal(read_params_array(path, head), arrays[name])


def test_a_cut_file_is_refused_without_reading_its_numbers(tmp_path: Path) -> None:
    path = tmp_path / "x.params"
    write_params({"a": np.zeros(100)}, path)
    path.write_bytes(path.read_bytes()[:400])
    with pytest.raises(FormatError, match="ends in the middle"):
        read_params_heads(path)


def test_an_array_of_a_parameter_file_is_a_value(tmp_path: Path) -> None:
    write_params({"arg:w": np.ones((2, 3)), "aux:m": np.zeros(4)}, tmp_path / "x.params")
    assert array_names(tmp_path / "x.params") == ["arg:w", "aux:m"]
    assert array_shape("x.params#arg:w", tmp_path) == (2, 3)
    assert read_array("x.params#aux:m", tmp_path).tolist() == [0, 0, 0, 0]
    with pytest.raises(BindError, match="x.params#arg:w"):
        read_array("x.params#w", tmp_path)


def test_a_file_that_changed_is_read_anew(tmp_path: Path) -> None:
    write_params({"w": np.ones(2)}, tmp_path / "x.params")
    assert array_shape("x.params", tmp_path) == (2,)
    write_params({"w": np.ones(3)}, tmp_path / "x.params")
    assert array_shape("x.params", tmp_path) == (3,)


def test_data_and_labels_are_no_parameters(convnet: Document) -> None:
    graph = analysed(convnet).graph
    assert graph is not None
    names = parameter_names(convnet, graph)
    assert {"data", "softmax_label"}.isdisjoint(names)
    assert {"conv1_weight", "fc1_bias"} <= set(names)


def test_weights_of_a_node_called_data_are_parameters() -> None:
    document = open_entry("digits-mlp")
    fc1 = next(node for node in document.nodes.values() if node.name == "fc1")
    renamed = committed(document, lambda now: rename(now, fc1.id, "data_fc"))
    graph = analysed(renamed).graph
    assert graph is not None
    assert "data_fc_weight" in parameter_names(renamed, graph)


def test_what_is_saved_are_the_values_that_a_bind_gives(saved: Path, convnet: Document) -> None:
    results = results_of(run_to(analysed(convnet), "bound"))
    found = read_params(saved)
    assert found
    for key, array in found.items():
        held = results.argument(key.partition(":")[2])
        assert held is not None
        np.testing.assert_array_equal(array, held)


def test_states_are_saved_as_a_run_left_them(tmp_path: Path) -> None:
    document = open_entry("executor-aux-state")
    analysis = analysed(document)
    results = results_of(run_to(analysis, "backward"))
    save_parameters(analysis, tmp_path / "before.params")
    save_parameters(analysis, tmp_path / "after.params", after=results)
    before, after = (read_params(tmp_path / f"{name}.params") for name in ("before", "after"))
    states = [key for key in before if key.startswith("aux:")]
    assert len(states) == 2
    assert any((before[key] != after[key]).any() for key in states)


def test_a_graph_without_parameters_says_so(tmp_path: Path) -> None:
    document = committed(
        open_entry("executor-backward"),
        lambda now: set_binding(now, Binding("A", "constant", "2", request="null")),
        lambda now: set_binding(now, Binding("B", "constant", "3", request="null")),
    )
    with pytest.raises(FormatError, match="no parameters"):
        save_parameters(analysed(document), tmp_path / "x.params")
    learned = committed(
        document, lambda now: set_binding(now, Binding("B", "constant", "3", request="write"))
    )
    graph = analysed(learned).graph
    assert graph is not None
    assert parameter_names(learned, graph) == ("B",), "whose gradient is asked for is learned"


def test_open_shapes_are_named(convnet: Document, tmp_path: Path) -> None:
    document = committed(convnet, lambda now: set_binding(now, Binding("data")))
    with pytest.raises(ShapeError, match=r"conv1_weight.*still open"):
        save_parameters(analysed(document), tmp_path / "x.params")
    assert not list(tmp_path.iterdir())


def test_a_problem_is_told_instead_of_saving(convnet: Document, tmp_path: Path) -> None:
    fc1 = next(node.id for node in convnet.nodes.values() if node.name == "fc1")
    document = committed(convnet, lambda now: set_param(now, fc1, "num_hidden", "-3"))
    with pytest.raises(EngineError, match="num_hidden"):
        save_parameters(analysed(document), tmp_path / "x.params")


def test_what_was_saved_fits_and_gives_the_same_numbers(
    saved: Path, convnet: Document, tmp_path: Path
) -> None:
    other = committed(convnet, lambda now: set_options(now, seed=99))
    match = match_parameters(other, saved, tmp_path, saved.name)
    assert match.is_whole and match.taken == match.found == len(read_params(saved))
    loaded = committed(other, lambda _now: match.transaction)
    results = results_of(run_to(analysed(loaded, tmp_path), "bound", folder=tmp_path))
    for key, array in read_params(saved).items():
        held = results.argument(key.partition(":")[2])
        assert held is not None
        np.testing.assert_array_equal(array, held)


def test_loaded_parameters_can_be_saved_while_the_data_is_open(
    saved: Path, convnet: Document, tmp_path: Path
) -> None:
    match = match_parameters(convnet, saved, tmp_path, saved.name)
    loaded = committed(convnet, lambda _now: match.transaction, lambda now: set_binding(now, Binding("data")))
    again = tmp_path / "again.params"
    save_parameters(analysed(loaded, tmp_path), again, folder=tmp_path)
    assert again.read_bytes() == saved.read_bytes()


def test_what_does_not_fit_is_told_and_left_as_it_is(saved: Path, convnet: Document, tmp_path: Path) -> None:
    arrays = read_params(saved)
    del arrays["arg:conv1_bias"]
    arrays["arg:fc1_weight"] = np.zeros((3, 5), np.float32)
    arrays["arg:fc9_weight"] = np.zeros(2, np.float32)
    write_params(arrays, saved)
    match = match_parameters(convnet, saved, tmp_path, saved.name)
    assert not match.is_whole
    assert match.missing == ("conv1_bias",) and match.superfluous == ("fc9_weight",)
    wrong, missing, superfluous = match.sentences
    assert "fc1_weight is (3, 5) in the file and (" in wrong
    assert missing.endswith("conv1_bias.") and superfluous.endswith("fc9_weight.")
    assert {change.key for change in match.transaction.changes} == {
        key.partition(":")[2] for key in arrays
    } - {"fc1_weight", "fc9_weight"}


def test_another_file_replaces_one_of_other_shapes(saved: Path, convnet: Document, tmp_path: Path) -> None:
    """The shapes that count are the graph's, not those of the values that were bound before."""
    fc1 = next(node.id for node in convnet.nodes.values() if node.name == "fc1")
    match = match_parameters(convnet, saved, tmp_path, saved.name)
    wider = committed(
        convnet, lambda _now: match.transaction, lambda now: set_param(now, fc1, "num_hidden", "77")
    )
    arrays = read_params(saved)
    rows = arrays["arg:fc1_weight"].shape[1]
    arrays["arg:fc1_weight"] = np.zeros((77, rows), np.float32)
    arrays["arg:fc1_bias"] = np.zeros(77, np.float32)
    arrays["arg:fc2_weight"] = np.zeros((len(arrays["arg:fc2_weight"]), 77), np.float32)
    write_params(arrays, tmp_path / "wider.params")
    assert match_parameters(wider, tmp_path / "wider.params", tmp_path, "wider.params").is_whole


def test_names_without_prefixes_fit_too(convnet: Document, saved: Path, tmp_path: Path) -> None:
    arrays = {key.partition(":")[2]: array for key, array in read_params(saved).items()}
    write_params(arrays, tmp_path / "bare.params")
    assert match_parameters(convnet, tmp_path / "bare.params", tmp_path, "bare.params").is_whole


def test_a_broken_file_and_an_empty_board_are_refused(convnet: Document, tmp_path: Path) -> None:
    path = tmp_path / "x.params"
    path.write_bytes(b"no parameters at all, and longer than a head")
    with pytest.raises(FormatError, match="no parameter file"):
        match_parameters(convnet, path, tmp_path, path.name)
    write_params({"w": np.ones(2)}, path)
    with pytest.raises(FormatError, match="no graph yet"):
        match_parameters(Document(), path, tmp_path, path.name)


CHECKPOINT = """
import json, sys
import mxnet as mx
symbol, arg_params, aux_params = mx.model.load_checkpoint(sys.argv[1], 0)
executor = symbol.simple_bind(mx.cpu(), data=(2, 1, 8, 8))
executor.copy_params_from(arg_params, aux_params)  # refuses a name that it does not know, and another shape
sums = {name: float(array.sum().asscalar()) for name, array in {**arg_params, **aux_params}.items()}
print(json.dumps({"sums": sums, "arguments": symbol.list_arguments()}))
"""


@pytest.mark.peers
@pytest.mark.skipif(not PYTHON, reason="no MXNet is at hand (python3 start.py test --peers)")
def test_a_real_mxnet_loads_the_checkpoint(saved: Path, convnet: Document) -> None:
    symbol = analysed(convnet).symbol
    assert symbol is not None
    (saved.parent / "net-symbol.json").write_text(write_symbol(symbol))
    command = [PYTHON, "-c", CHECKPOINT, str(saved.parent / "net")]
    done = subprocess.run(command, capture_output=True, text=True, env={"PYTHONPATH": ""}, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    sums = {key.partition(":")[2]: float(array.sum()) for key, array in read_params(saved).items()}
    answer = json.loads(done.stdout)
    assert answer["sums"] == pytest.approx(sums, rel=1e-4, abs=1e-4)
    assert set(answer["arguments"]) - sums.keys() == {"data", "label"}

"""The gallery: every document opens, runs, and gives the numbers of its picture."""

from pathlib import Path

import numpy as np
import pytest

from app.document.checks import analyse
from app.document.invariants import broken_invariants
from app.document.records import GROUP
from app.services.gallery import entries, open_entry
from app.services.project_file import read_project, write_project
from app.services.running import Results, results_of, run_to
from app.services.values import ValueShapes

IDS = [entry.id for entry in entries()]
FORWARD_ONLY = ("bind-basic", "executor-forward", "executor-multi-out")
PICTURES = [entry.id for entry in entries() if entry.group == "Symbols in pictures"]


def _run(entry_id: str) -> Results:
    return results_of(run_to(analyse(open_entry(entry_id), ValueShapes()), "backward"))


def _numbers(results: Results) -> list[float]:
    return [float(output[0]) for output in results.outputs if output is not None]


def test_the_nine_pictures_and_the_digits_are_there() -> None:
    assert len(PICTURES) == 9
    assert {"digits-mlp", "digits-convnet"} <= set(IDS)
    assert len(set(IDS)) == len(IDS)
    assert all(entry.title and entry.subtitle for entry in entries())


@pytest.mark.parametrize("entry_id", IDS)
def test_every_entry_is_sound_and_saved_as_it_would_be_saved_again(entry_id: str, tmp_path: Path) -> None:
    document = open_entry(entry_id)
    assert broken_invariants(document) == []
    assert analyse(document, ValueShapes()).problems == ()
    write_project(document, tmp_path / "again.chalk")
    from app.resources import resource

    assert (tmp_path / "again.chalk").read_bytes() == resource("gallery", f"{entry_id}.chalk").read_bytes()
    assert read_project(tmp_path / "again.chalk") == document


@pytest.mark.parametrize("entry_id", IDS)
def test_every_entry_runs_both_ways_with_numbers_to_look_at(entry_id: str) -> None:
    results = _run(entry_id)
    nodes = open_entry(entry_id).nodes.values()
    values = {node.name: results.by_node(node.id) for node in nodes if node.op != GROUP}
    for name, value in values.items():
        assert value is not None and np.isfinite(value).all() and value.any(), name
    wanted = [name for name, request in results.requests.items() if request != "null"]
    assert bool(wanted) == (entry_id not in FORWARD_ONLY)
    gradients = [results.argument_gradient(name) for name in wanted]
    assert all(gradient is not None and gradient.any() for gradient in gradients)


def test_forward_gives_eleven() -> None:
    assert _numbers(_run("executor-forward")) == [11]


def test_the_group_gives_eleven_and_ten_in_its_order() -> None:
    results = _run("executor-multi-out")
    assert results.graph.output_names == ("E_output", "C_output")
    assert _numbers(results) == [11, 10]


def test_the_gradient_of_the_picture() -> None:
    results = _run("executor-backward")
    assert _numbers(results) == [20]
    assert results.argument_gradient("A") == np.float32([4])
    assert results.argument_gradient("B") is None
    by_name = {node.name: results.exec_value(node.index) for node in results.executor_graph.nodes}
    assert {
        name: float(value[0])
        for name, value in by_name.items()
        if name.startswith("d(") and value is not None
    } == {
        "d(E)": 2,
        "d(C)": 4,
        "d(A)": 4,
    }


def test_simple_bind_finds_all_shapes_and_skips_the_gradient_of_data() -> None:
    results = _run("executor-simple-bind")
    shapes = {name: results.argument(name).shape for name in results.requests}  # type: ignore[union-attr]
    assert shapes == {"data": (100, 768), "fc1_weight": (128, 768), "fc1_bias": (128,)}
    assert results.requests == {"data": "null", "fc1_weight": "write", "fc1_bias": "write"}
    assert results.graph.output_names == ("activation0_output",)
    names = {node.name for node in results.executor_graph.nodes if node.kind not in ("argument", "operator")}
    assert names == {"d(activation0)", "d(fc1)", "d(fc1_weight)", "d(fc1_bias)"}


def test_batch_normalisation_has_two_auxiliary_states_that_move() -> None:
    results = _run("executor-aux-state")
    graph = results.graph
    assert graph.names(graph.auxiliary) == ["bn_moving_mean", "bn_moving_var"]
    mean, variance = results.argument("bn_moving_mean"), results.argument("bn_moving_var")
    np.testing.assert_allclose(mean, [0.3, 3], rtol=1e-6)  # a tenth of the batch's mean, nine tenths of 0
    np.testing.assert_allclose(variance, [0.9 + 0.35, 0.9 + 35], rtol=1e-6)


@pytest.mark.parametrize("entry_id", ["digits-mlp", "digits-convnet"])
def test_the_digits_are_real(entry_id: str) -> None:
    results = _run(entry_id)
    data = results.argument("data")
    label = results.argument("softmax_label" if entry_id == "digits-mlp" else "label")
    assert data is not None and data.shape[0] == 64 and data.max() == 1
    assert label is not None and label[:10].tolist() == list(range(10))
    (output,) = results.outputs
    assert output is not None and output.shape == (64, 10)
    np.testing.assert_allclose(output.sum(axis=1), 1, rtol=1e-5)


def test_an_unknown_entry_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        open_entry("../data/digits")

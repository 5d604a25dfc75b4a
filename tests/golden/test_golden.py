"""Cases that a real MXNet 1.9.1 computed: same values, gradients, states, shapes, and the same refusals."""

import io
import json
from functools import cache
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pytest

from app.engine.errors import EngineError
from app.services.headless import RunRequest, run_model, shapes_answer
from app.services.params_file import read_params
from app.services.symbol_json import read_symbol

ARCHIVE = ZipFile(Path(__file__).parent / "cases.zip")


@cache
def index(folder: str) -> dict[str, dict[str, Any]]:
    cases = json.loads(ARCHIVE.read(f"{folder}/index.json"))["cases"]
    return {case["id"]: case for case in cases}


def model_text(folder: str, case: dict[str, Any]) -> str:
    return ARCHIVE.read(f"{folder}/{case['model']}").decode("utf-8")


def arrays_of(case: dict[str, Any]) -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(ARCHIVE.read(f"run/{case['inputs']}"))) as file:
        return {name: file[name] for name in file.files}


def run_case(case: dict[str, Any]) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    arrays = arrays_of(case)
    inputs = {name: array for name, array in arrays.items() if not name.startswith("want/")}
    words = case["grad_req"]
    request = RunRequest(case["train"], case["backward"], {"*": words} if isinstance(words, str) else words)
    with np.errstate(all="ignore"):  # some cases hold what is no number, as MXNet gives it
        return run_model(read_symbol(model_text("run", case)), inputs, request), arrays


@pytest.mark.parametrize("case_id", index("run"))
def test_values_are_those_of_mxnet(case_id: str) -> None:
    case = index("run")[case_id]
    got, arrays = run_case(case)
    assert got["output_order"].tolist() == case["output_order"]
    kind = case.get("check", {}).get("kind")
    if kind == "dropout":
        check_dropout(case, got, arrays)
        return
    if kind == "moments":
        check_moments(case, got)
        return
    wanted = {name.removeprefix("want/"): array for name, array in arrays.items() if name.startswith("want/")}
    for name, array in wanted.items():
        assert got[name].dtype == array.dtype, name
        np.testing.assert_allclose(got[name], array, case["rtol"], case["atol"], err_msg=name)
    assert {name for name in got if name.startswith("grad:")} <= set(wanted)


def check_dropout(case: dict[str, Any], got: dict[str, np.ndarray], arrays: dict[str, np.ndarray]) -> None:
    share, data = case["check"]["p"], arrays["arg:data"]
    output = got["output:op_output"]
    dropped = output == 0
    np.testing.assert_allclose(output[~dropped], data[~dropped] / (1 - share), rtol=1e-5)
    axes = case["check"].get("axes", [])
    for axis in axes:
        assert (dropped == dropped.take([0], axis)).all()
    decisions = dropped.size / np.prod([dropped.shape[axis] for axis in axes])
    assert abs(dropped.mean() - share) <= 5 * np.sqrt(share * (1 - share) / decisions)
    if case["backward"]:
        wanted = arrays.get("grad:data", 0) + np.where(dropped, 0, arrays["head:0"] / (1 - share))
        np.testing.assert_allclose(got["grad:data"], wanted, 1e-4, 1e-5)


def check_moments(case: dict[str, Any], got: dict[str, np.ndarray]) -> None:
    mean, std = case["check"]["mean"], case["check"]["std"]
    for name, shape in case["expect"]["outputs"].items():
        drawn = got[f"output:{name}"]
        assert list(drawn.shape) == shape
        assert abs(drawn.mean() - mean) <= 6 * std / np.sqrt(drawn.size)
        assert abs(drawn.std() - std) <= 0.1 * std


@pytest.mark.parametrize("case_id", index("run"))
def test_shapes_are_those_of_mxnet(case_id: str) -> None:
    case = index("run")[case_id]
    shapes = {name: tuple(dims) for name, dims in case["shape"].items()}
    answer = shapes_answer(read_symbol(model_text("run", case)), shapes, partial=False)
    assert answer == case["expect"]
    for part in ("arguments", "outputs", "auxiliary_states"):
        assert list(answer[part]) == list(case["expect"][part])


@pytest.mark.parametrize("case_id", index("errors"))
def test_what_mxnet_refuses_is_refused_with_the_name_of_the_node(case_id: str) -> None:
    case = index("errors")[case_id]
    shapes = {name: tuple(dims) for name, dims in case["shape"].items()}
    with pytest.raises(EngineError) as refusal:
        shapes_answer(read_symbol(model_text("errors", case)), shapes, partial=False)
    line = str(refusal.value)
    assert "\n" not in line
    assert (case["node"] or "") in line


@pytest.mark.parametrize("case_id", index("partial"))
def test_partial_inference_finds_at_least_what_mxnet_finds(case_id: str) -> None:
    case = index("partial")[case_id]
    shapes = {name: tuple(dims) for name, dims in case["shape"].items()}
    answer = shapes_answer(read_symbol(model_text("partial", case)), shapes, partial=True)
    for part, wanted in case["expect"].items():
        for name, dims in wanted.items():
            got = answer[part][name]
            assert not dims or len(got) == len(dims), name
            assert all(size in (0, found) for size, found in zip(dims, got, strict=False)), (name, got, dims)


@pytest.mark.parametrize("case_id", index("params"))
def test_parameter_files_are_read_or_refused_as_by_mxnet(case_id: str, tmp_path: Path) -> None:
    case = index("params")[case_id]
    file = tmp_path / case["file"]
    file.write_bytes(ARCHIVE.read(f"params/{case['file']}"))
    if not case.get("expect"):
        with pytest.raises(EngineError):
            read_params(file)
        return
    got = read_params(file)
    with np.load(io.BytesIO(ARCHIVE.read(f"params/{case['expect']}"))) as wanted:
        assert set(got) == set(wanted.files)
        for name in wanted.files:
            assert got[name].dtype == wanted[name].dtype
            np.testing.assert_array_equal(got[name], wanted[name])

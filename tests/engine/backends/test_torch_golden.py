"""The cases that a real MXNet computed, on PyTorch: within the same tolerances, wherever the tensors lie."""

from typing import Any

import numpy as np
import pytest

from app.engine.backends.computing import is_installed
from app.services.headless import RunRequest, run_model
from app.services.symbol_json import read_symbol
from tests.golden.test_golden import arrays_of, check_dropout, check_moments, index, model_text

if not is_installed("torch"):
    pytest.skip("PyTorch is not installed", allow_module_level=True)


@pytest.mark.usefixtures("memory")
@pytest.mark.parametrize(
    "memory", ["shared", "copied", pytest.param("card", marks=pytest.mark.slow)], indirect=True
)
@pytest.mark.parametrize("case_id", index("run"))
def test_values_are_those_of_mxnet(case_id: str) -> None:
    case: dict[str, Any] = index("run")[case_id]
    arrays = arrays_of(case)
    inputs = {name: array for name, array in arrays.items() if not name.startswith("want/")}
    words = case["grad_req"]
    requests = {"*": words} if isinstance(words, str) else words
    request = RunRequest(case["train"], case["backward"], requests, "torch", "cpu")
    with np.errstate(all="ignore"):
        got = run_model(read_symbol(model_text("run", case)), inputs, request)
    kind = case.get("check", {}).get("kind")
    if kind == "dropout":
        check_dropout(case, got, arrays)
        return
    if kind == "moments":
        check_moments(case, got)
        return
    for key, array in arrays.items():
        if key.startswith("want/"):
            name = key.removeprefix("want/")
            assert got[name].dtype == array.dtype, name
            np.testing.assert_allclose(got[name], array, case["rtol"], case["atol"], err_msg=name)

"""What a real MXNet is asked, and its answers: symbols and arrays as Chalkgraph writes them, in one folder."""

import json
import os
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from app.engine.operator import Array
from app.engine.shapes import Shape
from app.engine.symbol import Symbol
from app.services.headless import RunRequest, run_model
from app.services.params_file import read_params, write_params
from app.services.symbol_json import write_symbol

PYTHON = os.environ.get("CHALKGRAPH_MXNET", "")
"""The Python that has MXNet; `start.py test --peers` tells it."""
CHILD = Path(__file__).with_name("mxnet_child.py")


@attrs.frozen
class Job:
    """A symbol, the shapes that are given, and the arrays to run it with, unless only shapes are compared."""

    symbol: Symbol
    shapes: Mapping[str, Shape]
    arrays: Mapping[str, Array] = attrs.Factory(dict)
    train: bool = True
    requests: Mapping[str, str] = attrs.Factory(dict)
    rtol: float = 1e-4
    atol: float = 1e-5
    runs: bool = True

    @property
    def needs_onednn(self) -> bool:
        """Tell whether the plain kernels of this package lack RNN or get a Deconvolution wrong, in 3-d or with gaps."""
        return any(
            node.op_name == "RNN"
            or (
                node.op_name == "Deconvolution"
                and (node.attributes.get("kernel", "").count(",") == 2 or "dilate" in node.attributes)
            )
            for node in self.symbol.graph.nodes
        )

    def run_here(self) -> dict[str, Array]:
        """Return what the engine computes, on copies of the arrays."""
        arrays = {key: array.copy() for key, array in self.arrays.items()}
        wanted = any(word != "null" for word in self.requests.values())
        request = RunRequest(self.train, wanted, {"*": "null", **self.requests})
        with np.errstate(all="ignore"):  # some cases hold what is no number, as MXNet gives it
            return run_model(self.symbol, arrays, request)


class RealMXNet:
    """One folder of jobs, done by one child for each set of kernels."""

    def __init__(self, folder: Path, jobs: Mapping[str, Job]) -> None:
        self.folder = folder
        self.answers: dict[str, Any] = {}
        self._places: dict[str, Path] = {}
        native = {name: job for name, job in jobs.items() if not job.needs_onednn}
        self._ask(folder / "native", native, onednn=False)
        self._ask(folder / "onednn", {name: jobs[name] for name in jobs if name not in native}, onednn=True)

    def _ask(self, folder: Path, jobs: Mapping[str, Job], *, onednn: bool) -> None:
        for inner in ("load", "save"):
            (folder / inner).mkdir(parents=True)
        written = {}
        for number, (name, job) in enumerate(jobs.items()):
            key = f"job{number}"
            self._places[name] = folder / key
            (folder / f"{key}.json").write_text(write_symbol(job.symbol), encoding="utf-8")
            write_params(job.arrays, folder / f"{key}.params")
            written[key] = {
                "shapes": job.shapes,
                "train": job.train,
                "requests": job.requests,
                "bind": job.runs,
            }
        if not onednn:
            write_examples(folder / "load")
        (folder / "jobs.json").write_text(json.dumps(written), encoding="utf-8")
        surroundings = {"MXNET_MKLDNN_ENABLED": str(int(onednn)), "PYTHONPATH": ""}
        # With one thread, what is written twice ends as the last that was written.
        surroundings |= {"OMP_NUM_THREADS": "1", "MXNET_STORAGE_FALLBACK_LOG_VERBOSE": "0"}
        done = subprocess.run(
            [PYTHON, str(CHILD), str(folder)],
            env=os.environ | surroundings,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        answers = json.loads((folder / "answers.json").read_text(encoding="utf-8"))
        self.answers |= {name: answers[self._places[name].name] for name in jobs}

    def arrays(self, name: str) -> dict[str, Array]:
        """Return what MXNet computed for a job."""
        return read_params(self._places[name].with_suffix(".out.params"))


LAYOUTS = ("V1", "V2", "V3")
EXAMPLES: dict[str, Array] = {
    "arg:one": np.array([1.5, -2], np.float32),
    "aux:größe": np.arange(6, dtype=np.float64).reshape(1, 2, 3) / 7,
    "half": np.array([[0.5], [65504]], np.float16),
    "uint8": np.array([0, 255], np.uint8),
    "int32": np.array([-(2**31), 2**31 - 1], np.int32),
    "int8": np.array([-128, 127], np.int8),
    "int64": np.array([-(2**63), 2**63 - 1], np.int64),
    "bool": np.array([[True, False]]),
    "five axes": np.arange(24, dtype=np.float32).reshape(1, 2, 3, 4, 1),
}
WITHOUT: dict[str, Array] = {
    "no axes": np.array(2.5, np.float32),
    "no elements": np.zeros((2, 0), np.float32),
}


def examples_of(layout: str) -> dict[str, Array]:
    """Return the arrays that a layout can hold."""
    return {**EXAMPLES, **(WITHOUT if layout == "V3" else {})}


def write_examples(folder: Path) -> None:
    """Write a parameter file of each layout with every type in it."""
    for layout in LAYOUTS:
        write_params(examples_of(layout), folder / f"{layout}.params", layout=layout)  # type: ignore[arg-type]


def listed(shapes: Iterable[Shape]) -> list[list[int]]:
    """Return shapes as JSON has them."""
    return [list(shape) for shape in shapes]

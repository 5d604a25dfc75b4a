"""Runs the same nets in a real MXNet, from the symbol files and numbers that `ours.py` wrote.

PYTHON_WITH_MXNET -m bench.in_mxnet FOLDER      answers as `timing.py` says

It needs nothing but MXNet, numpy and `timing.py`.
"""

import logging
import sys
from itertools import count
from pathlib import Path
from typing import Any

import mxnet as mx
import numpy as np

from bench.timing import Prepared, calls, serve

logging.disable(logging.CRITICAL)
IMAGE = (3, 224, 224)


def main() -> None:
    """Answer for the works of one folder."""
    folder = Path(sys.argv[1])
    serve(lambda work: prepare(work, folder))


def prepare(work: str, folder: Path) -> Prepared | None:
    """Make a work ready, or return None where there is nothing of this name for MXNet."""
    if work in OTHERS:
        return OTHERS[work](folder)
    return prepare_net(work, folder) if (folder / f"{work}.json").exists() else None


def prepare_shapes(folder: Path) -> Prepared:
    """Infer all shapes of ResNet-152."""
    symbol = mx.sym.load(str(folder / "resnet152.json"))
    batches = count(1)
    return Prepared({"shapes": calls(lambda: symbol.infer_shape(data=(next(batches), *IMAGE)))})


def prepare_open(folder: Path) -> Prepared:
    """Read ResNet-152's JSON and infer its shapes."""
    text = (folder / "resnet152.json").read_text(encoding="utf-8")
    batches = count(1)
    return Prepared({"open": calls(lambda: mx.sym.load_json(text).infer_shape(data=(next(batches), *IMAGE)))})


OTHERS = {"shapes": prepare_shapes, "open": prepare_open}


def prepare_net(name: str, folder: Path) -> Prepared:
    """Make forward ready, and forward with backward to every parameter."""
    symbol = mx.sym.load(str(folder / f"{name}.json"))
    arrays = {key: mx.nd.array(value) for key, value in np.load(folder / f"{name}.npz").items()}
    toy = name == "toy"
    inputs = () if toy else ("data", "h0", "c0", "softmax_label")
    arguments = {key: arrays[key] for key in symbol.list_arguments()}
    gradients = {key: mx.nd.zeros(value.shape) for key, value in arguments.items() if key not in inputs}
    states = {key: arrays[key] for key in symbol.list_auxiliary_states()}
    requests = {key: "write" if key in gradients else "null" for key in arguments}
    executor = symbol.bind(mx.cpu(), arguments, gradients, requests, states)
    head: Any = mx.nd.ones(1) if toy else None

    def forward() -> None:
        executor.forward(is_train=not toy)
        executor.outputs[0].wait_to_read()

    def step() -> None:
        executor.forward(is_train=True)
        executor.backward(head)
        mx.nd.waitall()

    step()
    sums = {key: float(np.abs(value.asnumpy()).sum()) for key, value in gradients.items()}
    outputs = executor.outputs[0].asnumpy().ravel()[:8].tolist()
    return Prepared(
        {f"{name} forward": calls(forward), f"{name} step": calls(step)}, outputs=outputs, sums=sums
    )


if __name__ == "__main__":
    main()

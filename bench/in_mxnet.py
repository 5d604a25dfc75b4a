"""Runs the same nets in a real MXNet, from the symbol files and numbers that `ours.py` wrote.

PYTHON_WITH_MXNET bench/in_mxnet.py FOLDER WORK ...

It needs nothing but MXNet, numpy and `timing.py`.
"""

import logging
import sys
from itertools import count
from pathlib import Path
from typing import Any

import mxnet as mx
import numpy as np

from bench.timing import median_time, tell

logging.disable(logging.CRITICAL)
IMAGE = (3, 224, 224)


def main() -> None:
    """Measure every work that is asked for."""
    folder = Path(sys.argv[1])
    for work in sys.argv[2:]:
        if work == "shapes":
            measure_shapes(folder)
        elif work == "open":
            measure_open(folder)
        elif (folder / f"{work}.json").exists():
            measure_net(work, folder)


def measure_shapes(folder: Path) -> None:
    """Infer all shapes of ResNet-152."""
    symbol = mx.sym.load(str(folder / "resnet152.json"))
    batches = count(1)
    tell(work="shapes", seconds=median_time(lambda: symbol.infer_shape(data=(next(batches), *IMAGE))))


def measure_open(folder: Path) -> None:
    """Read ResNet-152's JSON and infer its shapes."""
    text = (folder / "resnet152.json").read_text(encoding="utf-8")
    batches = count(1)
    tell(
        work="open",
        seconds=median_time(lambda: mx.sym.load_json(text).infer_shape(data=(next(batches), *IMAGE))),
    )


def measure_net(name: str, folder: Path) -> None:
    """Time forward, and forward with backward to every parameter."""
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
    tell(work=name, outputs=executor.outputs[0].asnumpy().ravel()[:8].tolist(), sums=sums)
    tell(work=f"{name} forward", seconds=median_time(forward))
    tell(work=f"{name} step", seconds=median_time(step))


if __name__ == "__main__":
    main()

"""Runs the works in Chalkgraph's own engine.

python -m bench.ours FOLDER write            writes the nets and their numbers for the peers
python -m bench.ours FOLDER                  answers as `timing.py` says

The numbers of every net are the same in every run.
"""

import os
import sys
from collections.abc import Callable
from itertools import count, islice
from pathlib import Path

import attrs
import numpy as np

from app.engine.executor import Executor
from app.engine.inference import infer as inference
from app.engine.kernels.places import CAN_PLACE, CORES
from app.services.symbol_json import read_symbol, write_symbol
from bench.edits import prepare_edits, prepare_layout
from bench.nets import CLASSES, NETS, Net, resnet152
from bench.timing import Prepared, Timed, calls, median_of_each, serve
from bench.wires import prepare_wires

EDITS = 60


def main() -> None:
    """Do what the words ask for."""
    folder = Path(sys.argv[1])
    if sys.argv[2:] == ["write"]:
        write(folder)
    else:
        if CAN_PLACE:  # as the peers' first threads are, by a setting of theirs
            os.sched_setaffinity(0, {min(CORES)})
        serve(lambda work: prepare_net(work, folder) if work in NETS else OTHERS[work](folder))


# Nets ------------------------------------------------------------------------------------------------------------


def write(folder: Path) -> None:
    """Write every net as symbol JSON and its numbers as .npz."""
    for name, make in NETS.items():
        net = make()
        (folder / f"{name}.json").write_text(write_symbol(net.symbol), encoding="utf-8")
        np.savez(folder / f"{name}.npz", **numbers(net))
    (folder / "resnet152.json").write_text(write_symbol(resnet152().symbol), encoding="utf-8")


def numbers(net: Net) -> dict[str, np.ndarray]:
    """Return numbers for every argument and auxiliary state, the same in every run."""
    random = np.random.default_rng(5)
    arguments, _, states = net.symbol.infer_shape(**net.shapes)
    assert arguments is not None and states is not None
    found: dict[str, np.ndarray] = {}
    for name, shape in zip(net.symbol.list_arguments(), arguments, strict=True):
        if name.endswith("label"):
            found[name] = random.integers(0, CLASSES, shape).astype(np.float32)
        elif name.endswith("gamma"):
            found[name] = random.uniform(0.5, 1.5, shape).astype(np.float32)
        else:
            size = 1.0 if name in net.shapes else 0.05
            found[name] = (random.standard_normal(shape) * size).astype(np.float32)
    for name, shape in zip(net.symbol.list_auxiliary_states(), states, strict=True):
        found[name] = np.full(shape, name.endswith("var"), np.float32)
    return found


def bind(net: Net, arrays: dict[str, np.ndarray]) -> Executor:
    """Bind a net with these numbers."""
    executor = net.symbol.simple_bind(net.shapes, grad_req=net.requests())
    for name, buffer in {**executor.arg_dict, **executor.aux_dict}.items():
        buffer[...] = arrays[name]
    return executor


def prepare_net(name: str, folder: Path) -> Prepared:
    """Make forward ready, and forward with backward to every parameter."""
    net = NETS[name]()
    executor = bind(net, dict(np.load(folder / f"{name}.npz")))
    head = np.ones(1, np.float32) if name == "toy" else None

    def step() -> None:
        executor.forward(is_train=True)
        executor.backward(head)

    step()
    sums = {key: float(np.abs(grad).sum()) for key, grad in executor.grad_dict.items() if grad is not None}
    forward = calls(lambda: executor.forward(is_train=name != "toy"))
    outputs = executor.outputs[0].ravel()[:8].tolist()
    return Prepared({f"{name} forward": forward, f"{name} step": calls(step)}, outputs=outputs, sums=sums)


# Shapes ----------------------------------------------------------------------------------------------------------


def prepare_shapes() -> Prepared:
    """Infer all shapes of ResNet-152, with another batch size every time, so that no answer is an old one."""
    symbol = resnet152().symbol
    batches = count(1)
    full = calls(lambda: symbol.infer_shape(data=(next(batches), 3, 224, 224)))
    return Prepared({"shapes": full, "edit": measured_edits()})


def measured_edits() -> Timed:
    """Infer again after one node's settings changed: a middle convolution's filters and window, the last layer."""
    graph = resnet152().symbol.graph
    shapes = {"data": (1, 3, 224, 224)}
    before = inference.infer(graph, shapes)
    middle, last = graph.index_by_name["stage3_unit18_conv2"], graph.index_by_name["fc1"]
    numbers = count(2)

    def work(index: int, settings: dict[str, object]) -> Callable[[], object]:
        operator = graph.nodes[index].operator
        assert operator is not None
        edited = graph.with_settings(index, attrs.evolve(operator, **settings))
        return lambda: inference.infer(edited, shapes, previous=before)

    def measure(_: float) -> dict[str, float]:
        fresh = list(islice(numbers, EDITS))
        kinds = (
            [work(middle, {"num_filter": 300 + number}) for number in fresh],
            [work(middle, {"kernel": (2 * number + 1,) * 2, "pad": (number,) * 2}) for number in fresh],
            [work(last, {"num_hidden": 1001 + number}) for number in fresh],
        )
        medians = [median_of_each(works)[0] for works in kinds]
        return {"seconds": sorted(medians)[1], "longest": max(medians)}

    return measure


def prepare_open() -> Prepared:
    """Read ResNet-152's JSON and infer its shapes."""
    text = write_symbol(resnet152().symbol)
    batches = count(1)
    return Prepared({"open": calls(lambda: read_symbol(text).infer_shape(data=(next(batches), 3, 224, 224)))})


OTHERS: dict[str, Callable[[Path], Prepared]] = {
    "shapes": lambda _: prepare_shapes(),
    "open": lambda _: prepare_open(),
    "wire": lambda _: prepare_wires(),
    "layout": lambda _: prepare_layout(),
    "edits": prepare_edits,
}


if __name__ == "__main__":
    main()

"""Runs the works in Chalkgraph's own engine and prints one line of JSON for each.

python -m bench.ours FOLDER write            writes the nets and their numbers for the peers
python -m bench.ours FOLDER WORK ...         measures

The numbers of every net are the same in every run.
"""

import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path

import attrs
import numpy as np

from app.engine.executor import Executor
from app.engine.inference import infer as inference
from app.services.symbol_json import read_symbol, write_symbol
from bench.nets import CLASSES, NETS, Net, resnet152
from bench.timing import median_of_each, median_time, tell
from bench.wires import measure_wires

EDITS = 300


def main() -> None:
    """Do what the words ask for."""
    folder, works = Path(sys.argv[1]), sys.argv[2:]
    if works == ["write"]:
        write(folder)
        return
    for work in works:
        if work in NETS:
            measure_net(work, folder)
        else:
            OTHERS[work]()


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


def measure_net(name: str, folder: Path) -> None:
    """Time forward, and forward with backward to every parameter."""
    net = NETS[name]()
    executor = bind(net, dict(np.load(folder / f"{name}.npz")))
    head = np.ones(1, np.float32) if name == "toy" else None

    def step() -> None:
        executor.forward(is_train=True)
        executor.backward(head)

    step()
    sums = {key: float(np.abs(grad).sum()) for key, grad in executor.grad_dict.items() if grad is not None}
    tell(work=name, outputs=executor.outputs[0].ravel()[:8].tolist(), sums=sums)
    tell(work=f"{name} forward", seconds=median_time(lambda: executor.forward(is_train=name != "toy")))
    tell(work=f"{name} step", seconds=median_time(step))


# Shapes ----------------------------------------------------------------------------------------------------------


def measure_shapes() -> None:
    """Infer all shapes of ResNet-152, with another batch size every time, so that no answer is an old one."""
    symbol = resnet152().symbol
    batches = count(1)
    tell(work="shapes", seconds=median_time(lambda: symbol.infer_shape(data=(next(batches), 3, 224, 224))))
    measure_edit()


def measure_edit() -> None:
    """Infer again after one node's settings changed: a middle convolution's filters and window, the last layer."""
    graph = resnet152().symbol.graph
    shapes = {"data": (1, 3, 224, 224)}
    before = inference.infer(graph, shapes)
    middle, last = graph.index_by_name["stage3_unit18_conv2"], graph.index_by_name["fc1"]
    edits = [("filters", middle, {"num_filter": 300 + number}) for number in range(EDITS)]
    edits += [("window", middle, {"kernel": (2 * n + 3,) * 2, "pad": (n + 1,) * 2}) for n in range(EDITS)]
    edits += [("last", last, {"num_hidden": 1001 + number}) for number in range(EDITS)]

    def work(index: int, settings: dict[str, object]) -> Callable[[], object]:
        operator = graph.nodes[index].operator
        assert operator is not None
        edited = graph.with_settings(index, attrs.evolve(operator, **settings))
        return lambda: inference.infer(edited, shapes, previous=before)

    found = {}
    for kind in ("filters", "window", "last"):
        found[kind], _ = median_of_each([work(index, new) for word, index, new in edits if word == kind])
    tell(work="edit", seconds=sorted(found.values())[1], longest=max(found.values()))


def measure_open() -> None:
    """Read ResNet-152's JSON and infer its shapes."""
    text = write_symbol(resnet152().symbol)
    batches = count(1)
    tell(
        work="open",
        seconds=median_time(lambda: read_symbol(text).infer_shape(data=(next(batches), 3, 224, 224))),
    )


OTHERS: dict[str, Callable[[], None]] = {
    "shapes": measure_shapes,
    "open": measure_open,
    "wire": measure_wires,
}


if __name__ == "__main__":
    main()

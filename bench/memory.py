"""How many bytes a bind takes for what lies between arguments and outputs, against MXNet's own plan.

    python3 start.py bench memory

MXNet's number is the `Total … MB allocated` of its executor's debug text: all arrays that its plan allocates, outputs
included, without arguments, their gradients and its operators' work space, rounded down to whole MB. It also leaves out
its copies of the head gradients (a process that runs backward grows by them), which our plan holds, so they are added.
Otherwise ours is the same sum of the same kinds of arrays; the batches are large, so that the rounding says little. The
last column is what our kernels keep for themselves besides, found by tracing a bind and a step at the usual batch.

MXNet is asked where the environment variable CHALKGRAPH_MXNET names a Python that has it; else ours are alone.
"""

import json
import os
import subprocess
import tracemalloc
from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs

from app.engine import Symbol, Variable, sym
from app.engine.executor import Executor
from app.engine.planning.memory import Peak, memory_report
from app.engine.symbol import make_node
from app.services.symbol_json import write_symbol

MXNET: Final = """
import json, sys
import mxnet
for line in sys.stdin:
    case = json.loads(line)
    symbol = mxnet.sym.load_json(case["symbol"])
    shapes = {name: tuple(shape) for name, shape in case["shapes"].items()}
    executor = symbol.simple_bind(mxnet.cpu(), grad_req=case["grad_req"], **shapes)
    words = executor.debug_str().split("\\nTotal ")
    print(next(part.split()[0] for part in words if part.endswith("MB allocated")), flush=True)
    del executor
"""
MIB: Final = 2**20
Make = Callable[[int], Symbol]


@attrs.frozen
class Model:
    """A model by the size of its batch: how it is made, its data's shape, the usual batch and a large one."""

    make: Make
    data: tuple[int, ...]
    batch: int
    large: int
    inputs: tuple[str, ...] = ("data",)

    def shapes(self, batch: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes to bind with."""
        return dict.fromkeys(self.inputs, (batch, *self.data))


def toy(_batch: int) -> Symbol:
    """E = A · B + D."""
    return Variable("A") * Variable("B") + Variable("D")


def mlp(_batch: int) -> Symbol:
    """Three dense layers."""
    net = Variable("data")
    for size in (128, 64):
        net = sym.Activation(sym.FullyConnected(net, num_hidden=size), act_type="relu")
    return _classes(net)


def lenet(_batch: int) -> Symbol:
    """Two convolutions, each pooled, and two dense layers."""
    net = Variable("data")
    for filters in (20, 50):
        net = sym.Activation(sym.Convolution(net, kernel=(5, 5), num_filter=filters), act_type="tanh")
        net = sym.Pooling(net, kernel=(2, 2), stride=(2, 2), pool_type="max")
    net = sym.FullyConnected(sym.Flatten(net), num_hidden=500)
    return _classes(sym.Activation(net, act_type="tanh"))


def resnet20(_batch: int) -> Symbol:
    """Nine residual blocks in three stages."""
    net = _relu(_normal(Variable("data"), 16, 3, 1))
    for filters, first in ((16, 1), (32, 2), (64, 2)):
        for stride in (first, 1, 1):
            inner = _normal(_relu(_normal(net, filters, 3, stride)), filters, 3, 1)
            beside = net if stride == 1 else _normal(net, filters, 1, stride)
            net = _relu(inner + beside)
    return _classes(sym.Flatten(sym.Pooling(net, kernel=(8, 8), pool_type="avg", global_pool=True)))


def lstm20(batch: int) -> Symbol:
    """Twenty steps of an LSTM cell written out, with shared weights."""
    steps = sym.SliceChannel(Variable("data"), num_outputs=20, axis=1, squeeze_axis=True)
    shared = {name: Variable(f"l_{name}") for name in ("i2h_weight", "i2h_bias", "h2h_weight", "h2h_bias")}
    hidden = state = make_node("_zeros", shape=(batch, 128))
    for step in range(20):
        gates = sym.FullyConnected(steps[step], shared["i2h_weight"], shared["i2h_bias"], num_hidden=512)
        gates = gates + sym.FullyConnected(hidden, shared["h2h_weight"], shared["h2h_bias"], num_hidden=512)
        enter, forget, fresh, leave = sym.SliceChannel(gates, num_outputs=4)
        kept = _sigmoid(forget) * state
        state = kept + _sigmoid(enter) * sym.Activation(fresh, act_type="tanh")
        hidden = _sigmoid(leave) * sym.Activation(state, act_type="tanh")
    return _classes(hidden)


def transformer(batch: int) -> Symbol:
    """One block: attention with four heads and a dense part, each beside a shortcut."""
    data = Variable("data")
    threes = _dense(sym.LayerNorm(data), 384)
    threes = sym.transpose(sym.Reshape(threes, shape=(batch, 64, 3, 4, 32)), axes=(2, 0, 3, 1, 4))
    parts = sym.SliceChannel(threes, num_outputs=3, axis=0, squeeze_axis=True)
    query, key, value = (sym.Reshape(part, shape=(4 * batch, 64, 32)) for part in parts)
    scores = sym.softmax(sym.batch_dot(query, key, transpose_b=True) * 32**-0.5, axis=-1)
    mixed = sym.Reshape(sym.batch_dot(scores, value), shape=(batch, 4, 64, 32))
    mixed = sym.Reshape(sym.transpose(mixed, axes=(0, 2, 1, 3)), shape=(batch, 64, 128))
    attended = data + _dense(mixed, 128)
    wide = _relu(_dense(sym.LayerNorm(attended), 512))
    return _classes(sym.mean(attended + _dense(wide, 128), axis=1))


def _classes(net: Symbol) -> Symbol:
    return sym.SoftmaxOutput(sym.FullyConnected(net, num_hidden=10), name="softmax")


def _relu(net: Symbol) -> Symbol:
    return sym.Activation(net, act_type="relu")


def _sigmoid(net: Symbol) -> Symbol:
    return sym.Activation(net, act_type="sigmoid")


def _dense(net: Symbol, size: int) -> Symbol:
    return sym.FullyConnected(net, num_hidden=size, flatten=False)


def _normal(net: Symbol, filters: int, kernel: int, stride: int) -> Symbol:
    net = sym.Convolution(
        net,
        kernel=(kernel, kernel),
        stride=(stride, stride),
        pad=(kernel // 2, kernel // 2),
        num_filter=filters,
        no_bias=True,
    )
    return sym.BatchNorm(net, fix_gamma=False, eps=1e-5)


MODELS: Final[Mapping[str, Model]] = {
    "toy": Model(toy, (), 1, 64 * MIB, ("A", "B", "D")),
    "mlp": Model(mlp, (784,), 64, 65536),
    "lenet": Model(lenet, (1, 28, 28), 64, 1024),
    "resnet20": Model(resnet20, (3, 32, 32), 32, 512),
    "lstm20": Model(lstm20, (20, 128), 32, 2048),
    "transformer": Model(transformer, (64, 128), 8, 512),
}
INPUTS: Final = ("data", "softmax_label")


def requests(symbol: Symbol) -> dict[str, Any]:
    """Return the gradient requests by the name of the kind of bind."""
    names = symbol.list_arguments()
    return {
        "inference": "null",
        "training": {name: "null" if name in INPUTS else "write" for name in names},
        "all gradients": "write",
        "all added": "add",
    }


def kept_by_kernels(executor: Executor, before: int) -> int:
    """Return the bytes that an executor holds besides its plan's and the arrays bound to it."""
    bound = [*executor.arg_arrays, *executor.aux_arrays, *executor.grad_arrays]
    known = executor.plan.bytes_shared + sum(array.nbytes for array in bound if array is not None)
    return max(0, tracemalloc.get_traced_memory()[0] - before - known)


def traced(model: Model, kind: str) -> int:
    """Bind at the usual batch, run one step, and return what the kernels keep."""
    symbol = model.make(model.batch)
    request = requests(symbol)[kind]
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    executor = symbol.simple_bind(model.shapes(model.batch), grad_req=request)
    executor.forward(is_train=request != "null")
    if request != "null":
        executor.backward(None if len(model.inputs) == 1 else executor.outputs)
    kept = kept_by_kernels(executor, before)
    tracemalloc.stop()
    return kept


@attrs.frozen
class Row:
    """What was found for one model and kind of bind."""

    name: str
    kind: str
    peak: Peak
    handed_in: int
    kept: int

    def line(self, total: int | None) -> str:
        """Write it beside the total of MXNet's plan, in MB."""
        model = MODELS[self.name]
        theirs = verdict = ""
        if total is not None:
            theirs = f"{total + self.handed_in // MIB} MB"
            verdict = "" if self.peak.shared < (total + 1) * MIB + self.handed_in else "  MORE than MXNet"
        sizes = f"{self.peak.unshared / MIB:7.2f} MB {self.peak.shared / MIB:7.2f} MB {theirs:>9}"
        kept = f"{self.kept / MIB:7.2f} MB at {model.batch:2}"
        return f"{self.name:12} {self.kind:13} {model.large:9} {sizes}  {kept}{verdict}"


def mxnet_totals(cases: list[dict[str, Any]]) -> list[int] | None:
    """Ask a real MXNet for its plan's total in MB, for each case."""
    python = os.environ.get("CHALKGRAPH_MXNET")
    if not python:
        return None
    text = "\n".join(map(json.dumps, cases))
    done = subprocess.run([python, "-c", MXNET], input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{python} could not tell MXNet's plans:\n{done.stderr.strip()[-600:]}")
    return [int(line) for line in done.stdout.split()]


def measure_memory() -> None:
    """Print a line for each model and kind of bind."""
    cases, rows = [], []
    for name, model in MODELS.items():
        symbol = model.make(model.large)
        for kind, request in requests(symbol).items():
            shapes = model.shapes(model.large)
            report = memory_report(symbol, shapes, request)
            peak = report.inference if kind == "inference" else report.training
            cases.append({"symbol": write_symbol(symbol), "shapes": shapes, "grad_req": request})
            handed_in = 0 if kind == "inference" else report.head_gradients
            rows.append(Row(name, kind, peak, handed_in, traced(model, kind)))
    totals = mxnet_totals(cases)
    print(
        f"{'model':12} {'bind':13} {'batch':>9} {'unshared':>10} {'ours':>10} {'MXNet':>9}  kept by kernels"
    )
    for place, row in enumerate(rows):
        print(row.line(None if totals is None else totals[place]))

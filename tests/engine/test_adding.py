"""Gradients that are added to their buffers as MXNet adds them, and strip by strip where there is room for no more."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from app.engine import Symbol, Variable, sym
from app.engine.executor import Executor
from app.engine.operator import Operator
from app.engine.planning.memory import memory_report
from app.engine.planning.plan import STRIP
from tests.operator_cases import OPERATORS, Case, close

Arrays = dict[str, Any]

ROWS = 3 * STRIP // 16 + 5
"""So many rows of four numbers are three strips and a bit."""


def product_and_sum() -> Symbol:
    return Variable("A") * Variable("B") + Variable("D")


NETS = [
    pytest.param(product_and_sum(), {"A": (ROWS, 4)}, id="each element by itself"),
    pytest.param(Variable("A") + Variable("B"), {"A": (ROWS, 4)}, id="the second gradient echoes the first"),
    pytest.param(sym.sigmoid(Variable("A")) * 3.0, {"A": (ROWS, 4)}, id="functions of one number"),
    pytest.param(sym.FullyConnected(Variable("A"), num_hidden=3), {"A": (ROWS, 4)}, id="rows times a matrix"),
    pytest.param(
        sym.broadcast_mul(Variable("A"), Variable("B")), {"A": (ROWS, 4), "B": (1, 4)}, id="repeated"
    ),
]


def added(symbol: Symbol, shapes: dict[str, Any], **options: Any) -> Executor:
    """Bind, and run forward and backward twice with buffers that hold numbers already."""
    executor = symbol.simple_bind(shapes, grad_req="add", **options)
    rng = np.random.default_rng(3)
    for array in (*executor.arg_arrays, *executor.grad_arrays):
        assert array is not None
        array[...] = rng.uniform(-1, 1, array.shape)
    heads = rng.uniform(-1, 1, executor.outputs[0].shape).astype(np.float32)
    for _ in range(2):
        executor.forward(is_train=True)
        executor.backward(heads)
    return executor


@pytest.mark.parametrize(("symbol", "shapes"), NETS)
def test_strips_add_what_whole_gradients_add(symbol: Symbol, shapes: dict[str, Any]) -> None:
    """A bind that keeps every array finds each gradient whole."""
    strips, whole = added(symbol, shapes), added(symbol, shapes, keep_all=True)
    for got, wanted in zip(strips.grad_arrays, whole.grad_arrays, strict=True):
        close(got, wanted, rtol=1e-4, atol=1e-4)


def test_a_gradient_that_is_only_added_takes_a_strip() -> None:
    shapes = {"A": (ROWS, 4)}
    written, added = (
        memory_report(product_and_sum(), shapes, request).training for request in ("write", "add")
    )
    assert added.shared <= written.shared + 2 * STRIP
    assert added.alive <= written.alive + 2 * STRIP


# What MXNet does with the buffers of each operator (docs/decisions/0004; `start.py test --peers` asks it) ----------

LEFT = ("label", "sequence_length", "data_lengths", "label_lengths")
"""Inputs whose buffers stay as they were, whatever is asked for."""
LEFT_HERE = {("_contrib_MultiBoxTarget", "anchor"), ("_contrib_index_copy", "index_vector")}
NOT_LEFT = {("softmax_cross_entropy", "label"), ("RNN", "sequence_length")}
WRITTEN_OVER: Mapping[str, tuple[str, ...]] = {
    "Crop": ("arg0", "arg1"),
    "LRN": ("data",),
    "SVMOutput": ("data",),
    "SoftmaxOutput": ("data",),
    "SpatialTransformer": ("data", "loc"),
    "_contrib_DeformableConvolution": ("data", "offset"),
    "_contrib_MultiBoxDetection": ("cls_prob", "loc_pred", "anchor"),
    "_contrib_MultiBoxPrior": ("data",),
    "_contrib_MultiBoxTarget": ("cls_pred",),
    "_contrib_bipartite_matching": ("data",),
    "_contrib_box_iou": ("lhs", "rhs"),
    "_contrib_box_nms": ("data",),
    "_linalg_gemm": ("A", "B", "C"),
    "_linalg_gemm2": ("A", "B"),
    "_np_cumsum": ("a",),
    "_split_v2": ("data",),
    "clip": ("data",),
    "reverse": ("data",),
    "softmax": ("length",),
}
KEPT = {("_linalg_inverse", "A"), ("_linalg_syevd", "A")}
"""Inputs whose buffers stay as they were when they are asked to be added to."""


def added_by_mean(case: Case, held: Arrays, fresh: Arrays) -> Any:
    """The buffer is divided once more, with what it held."""
    return held["data"] / (held["data"].size / np.prod(case.out_shapes[0])) + fresh["data"]


def added_by_regression(case: Case, held: Arrays, fresh: Arrays) -> Any:
    """The bare difference is added, and the sum is scaled once more."""
    factor = case.example.settings.get("grad_scale", 1.0) * len(held["data"]) / held["data"].size
    return (held["data"] + fresh["data"] / factor) * (1 + factor)


OTHERWISE: Mapping[tuple[str, str], Callable[[Case, Arrays, Arrays], Any]] = {
    ("elemwise_add", "rhs"): lambda _case, held, fresh: held["rhs"] + held["lhs"] + fresh["rhs"],
    ("mean", "data"): added_by_mean,
    ("moments", "data"): added_by_mean,
    ("LinearRegressionOutput", "data"): added_by_regression,
    ("LogisticRegressionOutput", "data"): added_by_regression,
    ("MAERegressionOutput", "data"): added_by_regression,
}


def in_buffers(case: Case, request: str, held: Arrays, given: list[Any], heads: list[Any]) -> Arrays:
    """Return what the buffers of an operator's inputs hold after a run."""
    buffers = {name: array.copy() for name, array in held.items()}
    arrays = [array.copy() for array in given]
    executor = case.symbol().bind(arrays[: len(held)], buffers, request, arrays[len(held) :], seed=3)
    with np.errstate(all="ignore"):
        executor.forward(is_train=case.example.train)
        executor.backward(heads)
    return buffers


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda operator: operator.op_name)
def test_every_operator_adds_as_mxnet_does(operator: type[Operator]) -> None:
    for example in operator.examples:
        case = Case(operator, example)
        given, heads = case.numbers(), case.head_gradients()
        rng = np.random.default_rng(7)
        held = {
            port.name: rng.uniform(1, 9, array.shape).astype(array.dtype)
            for port, array in zip(case.node.inputs, given, strict=False)
        }
        fresh, added = (in_buffers(case, request, held, given, heads) for request in ("write", "add"))
        for name in held:
            close(added[name], wanted(case, name, held, fresh), rtol=1e-4, atol=1e-4)


def wanted(case: Case, name: str, held: Arrays, fresh: Arrays) -> Any:
    """Return what the buffer of one input must hold after a fresh gradient was added to what it held."""
    place = (case.node.op_name, name)
    if place in LEFT_HERE or (name in LEFT and place not in NOT_LEFT):
        np.testing.assert_array_equal(fresh[name], held[name])
        return held[name]
    if place == ("Convolution", "data") and is_one_by_one(**case.example.settings):
        return fresh[name]
    if name in WRITTEN_OVER.get(case.node.op_name, ()):
        return fresh[name]
    if place in KEPT:
        return held[name]
    if place in OTHERWISE:
        return OTHERWISE[place](case, held, fresh)
    return held[name] + fresh[name]


def is_one_by_one(kernel: Any, stride: Any = 1, pad: Any = 0, **_settings: Any) -> bool:
    return {*np.ravel(kernel), *np.ravel(stride)} == {1} and not np.any(pad)

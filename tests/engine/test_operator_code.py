"""The lines that operators export compute what the operators compute, in numpy and in PyTorch."""

from collections.abc import Callable
from typing import Any

import attrs
import numpy as np
import pytest

from app.engine.examples import Domain, Example
from app.engine.operator import CodeNames, Operator
from app.engine.operators.recurrent import RNN
from app.engine.registry import find_operator
from app.services.code.parts import needed_parts
from tests.operator_cases import CASES, Arrays, Case, close

FIRST_LIGHT = {
    "elemwise_add", "elemwise_sub", "elemwise_mul", "elemwise_div", "_power", "negative",
    "_plus_scalar", "_minus_scalar", "_rminus_scalar", "_mul_scalar", "_div_scalar", "_rdiv_scalar",
    "_power_scalar", "_rpower_scalar", "broadcast_add", "broadcast_sub", "broadcast_mul", "broadcast_div",
    "broadcast_power", "exp", "log", "sqrt", "square", "abs", "sum", "mean", "FullyConnected", "Flatten",
    "Reshape", "transpose", "Concat", "SliceChannel", "dot", "Embedding",
}  # fmt: skip


BOXES = Domain(-0.9, 3.9)
CLASSES = Domain(0, 1, whole=True)
FURTHER: list[tuple[str, Example]] = [
    ("_contrib_box_nms", Example({"data": (2, 9, 6)}, id_index=0, valid_thresh=0.1, overlap_thresh=0.1)),
    (
        "_contrib_box_nms",
        Example({"data": (9, 6)}, domains={"data": CLASSES}, id_index=0, topk=4, force_suppress=True),
    ),
    (
        "_contrib_box_nms",
        Example({"data": (9, 6)}, out_format="center", valid_thresh=-1.0, overlap_thresh=0.0),
    ),
    ("_contrib_box_nms", Example({"data": (2, 3, 6)}, topk=0)),
    (
        "_contrib_MultiBoxDetection",
        Example(
            {"cls_prob": (2, 3, 9), "loc_pred": (2, 36), "anchor": (1, 9, 4)},
            domains={"cls_prob": Domain(0.1, 0.9), "anchor": Domain(0.1, 0.9)},
            threshold=0.3,
            nms_threshold=0.05,
            nms_topk=5,
        ),
    ),
    (
        "ROIPooling",
        Example(
            {"data": (4, 2, 7, 6), "rois": (5, 5)},
            domains={"rois": BOXES},
            pooled_size=(2, 3),
            spatial_scale=0.7,
        ),
    ),
    (
        "_contrib_ROIAlign",
        Example(
            {"data": (3, 2, 7, 6), "rois": (9, 5)},
            domains={"rois": BOXES},
            pooled_size=(2, 3),
            spatial_scale=0.7,
        ),
    ),
    ("topk", Example({"data": (3, 4, 5)}, axis=1, k=0, ret_typ="value")),
    ("sort", Example({"data": (3, 4, 5)}, axis=1, is_ascend=False)),
    (
        "take",
        Example({"a": (2, 3, 4), "indices": (2, 3)}, domains={"indices": Domain(-9, 9, whole=True)}, axis=1),
    ),
    ("SequenceLast", Example({"data": (3, 4, 2)}, axis=1)),
    *[
        (name, Example({"data": (5,)}, axis=(0,), exclude=True, keepdims=keepdims))
        for name in ("sum", "mean", "max", "nansum", "_square_sum")
        for keepdims in (False, True)
    ],
    (
        "SoftmaxOutput",
        Example({"data": (4, 3)}, domains={"label": Domain(0, 2, whole=True)}, out_grad=True),
    ),
    ("_full", Example({}, shape=(4,), value=-1, dtype="uint8")),
    ("Pooling", Example({"data": (1, 2, 3, 3)}, kernel=(2, 2), stride=(2, 2), pad=(2, 2))),
    ("norm", Example({"data": (3, 4)}, axis=(1,), out_dtype="float64")),
    ("LRN", Example({"data": (2, 6, 3)}, nsize=3, alpha=0.5)),
]
"""Cases that are too many for the operators' own examples."""


def names(case: Case) -> CodeNames:
    wanted = case.wanted()
    return CodeNames(
        node="node",
        ins=tuple(f"x{index}" for index in range(len(case.ports))),
        outs=tuple(f"y{index}" for index in range(len(case.out_shapes))),
        in_shapes=tuple(case.in_shapes),
        out_shapes=tuple(case.out_shapes),
        dtype=case.out_types[0].name,
        heads=tuple(f"h{index}" for index in range(len(case.node.outputs))),
        grads=tuple(f"g{index}" if index in wanted else None for index in range(len(case.ports))),
        train=case.example.train,
    )


def with_code(write: Callable[[Operator, CodeNames], list[str]]) -> list[Any]:
    """List the cases whose operator exports code and draws nothing at random."""
    found = []
    further = [pytest.param(find_operator(name), example) for name, example in FURTHER]
    for param in (*CASES, *further):
        case = Case(*param.values)
        try:
            write(case.node, names(case))
        except NotImplementedError:
            continue
        if not param.values[0].is_random or param.values[0] is RNN:  # which draws only to drop out
            found.append(param)
    return found


NUMPY = with_code(lambda node, n: node.numpy_code(n))
NUMPY_GRADIENT = with_code(lambda node, n: node.numpy_code(n) + node.numpy_gradient_code(n))
TORCH = with_code(lambda node, n: node.torch_code(n))


def operator_names(cases: list[Any]) -> set[str]:
    return {param.values[0].op_name for param in cases}


def test_first_operators_all_export() -> None:
    assert operator_names(NUMPY_GRADIENT) >= FIRST_LIGHT
    assert operator_names(TORCH) >= FIRST_LIGHT


def run(lines: list[str], backend: Any, space: dict[str, Any]) -> dict[str, Any]:
    """Run exported lines beside the ready-made functions that they call."""
    parts = [part.source for part in needed_parts(backend, lines)]
    with np.errstate(all="ignore"):
        exec("\n".join((*parts, *lines)), space)
    return space


def computed(case: Case) -> tuple[Arrays, Arrays, Arrays, Arrays]:
    """Return inputs, outputs, head gradients and gradients of the operator itself."""
    ins, heads, running = case.numbers(), case.head_gradients(), case.run()
    bound = [array.copy() for array in ins]  # running may change auxiliary states
    outs = case.forward(bound, running)
    grads: Arrays = [None] * len(ins)
    if case.wanted():
        grads = case.backward(case.wanted(), bound, outs, heads, running)
    return ins, outs, heads, grads


@pytest.mark.parametrize(("operator", "example"), NUMPY_GRADIENT)
def test_numpy_lines(operator: type[Operator], example: Example) -> None:
    case = Case(operator, example)
    ins, outs, heads, grads = computed(case)
    n = names(case)
    space = run(
        case.node.numpy_code(n), "numpy", {"np": np, **{f"x{i}": a.copy() for i, a in enumerate(ins)}}
    )
    for number in range(len(case.node.outputs)):
        assert space[f"y{number}"].shape == outs[number].shape
        assert space[f"y{number}"].dtype == outs[number].dtype
        close(space[f"y{number}"], outs[number], rtol=1e-4, atol=1e-5)
    space |= {f"y{number}": out for number, out in enumerate(outs)}
    space |= {f"h{number}": head for number, head in enumerate(heads)}
    run(case.node.numpy_gradient_code(n), "numpy", space)
    for index in case.wanted():
        assert space[f"g{index}"].shape == grads[index].shape
        assert space[f"g{index}"].dtype == grads[index].dtype
        close(space[f"g{index}"], grads[index], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("operator", "example"), TORCH)
def test_torch_lines(operator: type[Operator], example: Example) -> None:
    torch = pytest.importorskip("torch")
    case = Case(operator, example)
    ins, outs, heads, grads = computed(case)
    space: dict[str, Any] = {"torch": torch, "F": torch.nn.functional}
    for index, array in enumerate(ins):
        space[f"x{index}"] = torch.tensor(array, requires_grad=index in case.wanted())
    run(case.node.torch_code(names(case)), "torch", space)
    results = [space[f"y{number}"] for number in range(len(case.node.outputs))]
    for result, out in zip(results, outs, strict=False):
        assert tuple(result.shape) == out.shape
        close(result.detach().numpy(), out, rtol=1e-4, atol=1e-5)
    if not case.wanted():
        return
    flowing = [(result, head) for result, head in zip(results, heads, strict=True) if result.requires_grad]
    if not flowing:
        assert all(out.dtype.kind in "iub" for out in outs), "only whole numbers carry no gradient in PyTorch"
        return
    torch.autograd.backward([result for result, _ in flowing], [torch.tensor(head) for _, head in flowing])
    for index in case.wanted():
        close(space[f"x{index}"].grad.numpy(), grads[index], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("operator", "example"), [param for param in NUMPY_GRADIENT if not param.values[0].is_loss]
)
def test_numpy_gradient_without_a_head_is_zero(operator: type[Operator], example: Example) -> None:
    case = Case(operator, example)
    ins, outs, _, _ = computed(case)
    n = attrs.evolve(names(case), heads=(None,) * len(case.node.outputs))
    space: dict[str, Any] = {"np": np, **{f"x{index}": array.copy() for index, array in enumerate(ins)}}
    run(case.node.numpy_code(n), "numpy", space)
    space |= {f"y{number}": out for number, out in enumerate(outs)}
    run(case.node.numpy_gradient_code(n), "numpy", space)
    for index in case.wanted():
        assert space[f"g{index}"].shape == ins[index].shape
        assert not space[f"g{index}"].any()

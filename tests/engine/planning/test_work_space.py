"""What a bind says it needs, beside what is really taken while it is made and runs."""

import tracemalloc
import warnings
from itertools import islice

import numpy as np
import pytest

from app.engine.binding import read_requests, simple_bind
from app.engine.errors import EngineError
from app.engine.gradient import build_executor_graph
from app.engine.kernels import pieces
from app.engine.operator import Operator
from app.engine.operators.legacy import ConvolutionV1
from app.engine.planning.plan import make_plan
from app.engine.planning.room import need_of_bind
from tests.operator_cases import OPERATORS
from tests.scaled_cases import ScaledCase, scaled

NUMBERS = 2**15
FEWER = {
    "RNN": 16,
    "ROIPooling": 8,
    "CTCLoss": 4,
    "_contrib_ROIAlign": 16,
    "_contrib_PSROIPooling": 8,
    "_contrib_DeformablePSROIPooling": 8,
    "_contrib_BilinearResize2D": 4,
    "_contrib_box_nms": 16,
    "_contrib_MultiBoxDetection": 16,
    "_contrib_MultiBoxTarget": 8,
    "_contrib_Proposal": 8,
    "_contrib_MultiProposal": 8,
}
"""Operators that take Python's time for every number or step get so many times fewer numbers."""
MORE = dict.fromkeys(("Convolution", "Convolution_v1", "Deconvolution", "UpSampling"), 8)
"""Operators with work space as large as a core's cache, however small their arrays, get so many times more."""
AXES = 2
"""Axes of every example that grow, one after the other."""
OBJECTS = 2**16
"""Bytes of Python objects that a bind of one node makes."""
OWN_TYPES = {"float16", "float64", "int32"}


def needed(case: ScaledCase, dtype: str, request: str) -> int:
    inference = case.infer(dtype)
    executor_graph = build_executor_graph(inference.graph, inference, read_requests(inference.graph, request))
    return need_of_bind(inference, executor_graph, make_plan(executor_graph, inference)).total


def taken(case: ScaledCase, dtype: str, request: str) -> int:
    """Return the bytes that a bind and its passes have at most at one time."""
    inference = case.infer(dtype)
    numbers, graph = case.numbers(inference), inference.graph
    heads = [np.ones(inference.shape(head), inference.settled_dtype(head)) for head in graph.heads]
    types = {name: np.dtype(dtype) for name in [*case.shapes][:1]}
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        executor = simple_bind(case.symbol, case.shapes, request, types)
        for name, array in numbers.items():
            (executor.arg_dict if name in executor.arg_dict else executor.aux_dict)[name][...] = array
        for train in (False, True):
            executor.forward(is_train=train)
        if request != "null":
            executor.backward(heads)
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def misjudged(case: ScaledCase, dtype: str, request: str) -> str:
    """Say how far the need of a bind lies from what it takes, or nothing where it is near enough."""
    try:
        need, took = needed(case, dtype, request), taken(case, dtype, request)
    except EngineError:
        return ""  # the operator does not take this type
    if took <= 1.1 * need + OBJECTS and need <= (4.1 if dtype == "float32" else 6) * took + OBJECTS:
        return ""
    return f"{dtype} {request} {case.shapes} {dict(case.example.settings)}: needs {need:,}, took {took:,}"


@pytest.mark.parametrize("operator", [pytest.param(operator, id=operator.op_name) for operator in OPERATORS])
def test_a_bind_takes_what_it_says(operator: type[Operator], monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces are made small beside the arrays, as they are beside arrays worth asking about.

    One declaration speaks for all settings and types of an operator, so the need may be some times what is taken.
    """
    monkeypatch.setattr(pieces, "PIECE", 2**12)
    numbers = NUMBERS * MORE.get(operator.op_name, 1) // FEWER.get(operator.op_name, 1)
    found, is_first = [], True
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for example in operator.examples:
            for case in islice(scaled(operator, example, numbers), AXES):
                kinds = ("float32", *sorted(OWN_TYPES)) if is_first and case.shapes else ("float32",)
                found += [misjudged(case, kind, request) for kind in kinds for request in ("write", "null")]
                is_first = False
    assert not any(found), "\n".join(filter(None, found))


def test_mixed_windows_count_however_long_an_image_is() -> None:
    """What says which points take up which places grows with the square of a side."""
    mixing = ConvolutionV1.examples[-1]
    cases = list(scaled(ConvolutionV1, mixing, 8 * NUMBERS))
    assert max(max(case.shapes["data"][2:]) for case in cases) > 2**10
    assert not any(misjudged(case, "float32", "write") for case in cases)

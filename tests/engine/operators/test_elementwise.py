"""Functions of one number at their corners, against values known by heart or from the C library."""

import math
from typing import Any

import numpy as np
import pytest

from app.engine import Variable, sym
from app.engine.errors import ParameterError
from app.engine.kernels import special
from app.engine.operator import Operator, Run
from app.engine.registry import find_operator


def make(name: str, **settings: Any) -> Operator:
    node = find_operator(name)(**settings)
    node.check()
    return node


def compute(name: str, data: Any, dtype: Any = np.float64, **settings: Any) -> Any:
    node, array = make(name, **settings), np.asarray(data, dtype)
    _, (kind,) = node.infer_types([array.dtype], [None])
    out = np.empty(array.shape, kind)
    with np.errstate(all="ignore"):
        node.forward(Run(True, np.random.default_rng(0)), [array], [out])
    return out


def slope(name: str, data: Any, **settings: Any) -> Any:
    node, array = make(name, **settings), np.asarray(data, np.float64)
    out, grad = compute(name, data, **settings), np.empty_like(array)
    node.backward(Run(True, np.random.default_rng(0)), [array], [out], [np.ones_like(out)], [grad])
    return grad


@pytest.mark.parametrize(
    ("name", "settings", "at", "wanted"),
    [
        ("relu", {}, 0.0, 0.0),
        ("abs", {}, 0.0, 0.0),
        ("clip", {"a_min": -1.0, "a_max": 2.0}, 2.0, 1.0),
        ("clip", {"a_min": -1.0, "a_max": 2.0}, -1.0, 1.0),
        ("clip", {"a_min": -1.0, "a_max": 2.0}, 2.1, 0.0),
        ("hard_sigmoid", {}, 3.0, 0.0),
        ("hard_sigmoid", {}, 0.0, 0.2),
    ],
)
def test_slopes_at_corners(name: str, settings: dict[str, float], at: float, wanted: float) -> None:
    assert slope(name, [at], **settings).tolist() == [wanted]


def test_rounding_of_halves() -> None:
    halves = [-1.5, -0.5, 0.5, 1.5, 2.5]
    assert compute("round", halves).tolist() == [-2, -1, 1, 2, 3]
    assert compute("rint", halves).tolist() == [-2, -1, 0, 1, 2]
    assert compute("fix", [-1.7, 1.7]).tolist() == [-1, 1]


def test_functions_that_jump_have_no_gradient() -> None:
    for name in (
        "round",
        "rint",
        "ceil",
        "floor",
        "trunc",
        "fix",
        "sign",
        "zeros_like",
        "ones_like",
        "logical_not",
    ):
        assert make(name).gradient_kind(0) == "zero"


def test_smooth_l1_meets_smoothly() -> None:
    assert compute("smooth_l1", [0.5, -2.0], scalar=1.0).tolist() == [0.125, 1.5]
    edge = 0.25
    assert compute("smooth_l1", [edge - 1e-9], scalar=2.0) == pytest.approx(
        compute("smooth_l1", [edge], scalar=2.0)
    )
    assert slope("smooth_l1", [0.1, 3.0, -3.0], scalar=2.0) == pytest.approx([0.4, 1, -1])


def test_sigmoid_is_exact_far_out_and_does_not_overflow() -> None:
    assert compute("sigmoid", [-40.0]) == pytest.approx(math.exp(-40))
    assert compute("sigmoid", [-1000.0, 1000.0]).tolist() == [0, 1]


def test_special_functions_against_the_c_library() -> None:
    points = np.array([-3.7, -1.2, 0.1, 0.5, 1.0, 2.5, 6.0, 30.0])
    assert special.erf(points).tolist() == [math.erf(x) for x in points]
    assert special.gamma(points).tolist() == [math.gamma(x) for x in points]
    assert special.log_gamma(points).tolist() == [math.lgamma(x) for x in points]


def test_gamma_at_its_poles_and_beyond() -> None:
    assert np.isnan(special.gamma(np.array([-1.0, -2.0]))).all()
    assert special.gamma(np.array([0.0, -0.0])).tolist() == [math.inf, -math.inf]
    assert special.gamma(np.array([200.0])).tolist() == [math.inf]
    assert special.log_gamma(np.array([0.0, -3.0])).tolist() == [math.inf, math.inf]


def test_digamma() -> None:
    assert special.digamma(np.array([0.0, -2.0])).tolist() == [np.finfo(float).max] * 2  # MXNet's word for it
    assert special.digamma(np.float32([0.0, -2.0])).tolist() == [math.inf, math.inf]
    euler = 0.57721566490153286
    known = {1.0: -euler, 2.0: 1 - euler, 0.5: -euler - 2 * math.log(2), -0.5: 2 - euler - 2 * math.log(2)}
    points = np.array(list(known))
    np.testing.assert_allclose(special.digamma(points), list(known.values()), rtol=1e-12)
    width = 1e-5
    for x in (0.2, 3.3, 12.0, -2.4):
        central = (math.lgamma(x + width) - math.lgamma(x - width)) / (2 * width)
        assert special.digamma(np.array([x]))[0] == pytest.approx(central, rel=1e-7)


def test_erfinv_undoes_erf() -> None:
    points = np.array([-3.0, -1.0, -1e-8, 0.0, 0.3, 2.0, 4.0])
    np.testing.assert_allclose(special.erfinv(special.erf(points)), points, rtol=1e-6, atol=1e-15)
    ends = special.erfinv(np.array([-1.0, 1.0, 1.5]))
    assert ends[:2].tolist() == [-math.inf, math.inf]
    assert np.isnan(ends[2])


def test_cast_cuts_the_flow_of_types() -> None:
    node = make("Cast", dtype="int32")
    ins, outs = node.infer_types([np.dtype("float32")], [None])
    assert list(ins) == [np.dtype("float32")]
    assert list(outs) == [np.dtype("int32")]
    assert node.infer_types([None], [None])[0] == (None,)


def test_cast_drops_what_is_behind_the_point() -> None:
    node, out = make("Cast", dtype="int32"), np.empty(2, np.int32)
    node.forward(Run(True, np.random.default_rng(0)), [np.float32([2.7, -2.7])], [out])
    assert out.tolist() == [2, -2]


def test_a_type_that_is_not_there_is_refused_in_a_sentence() -> None:
    with pytest.raises(ParameterError, match="bfloat16 is not available"):
        make("Cast", dtype="bfloat16")
    with pytest.raises(ParameterError, match="must be one of"):
        find_operator("Cast").from_attributes({"dtype": "float31"})


def test_whole_numbers_are_taken_by_functions_of_real_ones() -> None:
    out = np.empty(2, np.int32)
    make("exp").forward(Run(True, np.random.default_rng(0)), [np.int32([0, 1])], [out])
    assert out.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("op", "settings", "kind", "data", "head", "slopes"),
    [  # what MXNet 1.9.1 gives
        ("gammaln", {}, "int32", [-1, 0, 3, 5, 9], 1, [2**31 - 1, 2**31 - 1, 0, 1, 2]),
        ("gammaln", {}, "int32", [-1, 0, 3, 5, 9], 3, [2**31 - 3, 2**31 - 3, 0, 3, 6]),
        ("gammaln", {}, "int8", [-1, 0, 3, 5, 9], 3, [125, 125, 0, 3, 6]),
        ("gammaln", {}, "uint8", [0, 3, 5, 9], 1, [255, 0, 1, 2]),
        ("gammaln", {}, "int64", [0, 9], 1, [2**63 - 1, 2]),
        ("gamma", {}, "int8", [-1, 0, 3, 5, 9], 1, [0, 0, 1, 36, 38]),
        ("smooth_l1", {"scalar": 0.5}, "int32", [-9, -1, 0, 2, 5], 3, [0, 0, 0, 0, 0]),
        ("smooth_l1", {"scalar": 2.5}, "int32", [-9, -1, 0, 2, 5], 3, [-3, -3, 0, 3, 3]),
    ],
)
def test_slopes_of_whole_numbers_are_those_of_mxnet(
    op: str, settings: dict[str, float], kind: str, data: list[int], head: int, slopes: list[int]
) -> None:
    symbol = getattr(sym, op)(Variable("x"), **settings)
    given, grad = np.array(data, kind), np.zeros(len(data), kind)
    executor = symbol.bind({"x": given}, {"x": grad})
    with np.errstate(all="ignore"):  # the values themselves are no numbers at the poles
        executor.forward(is_train=True)
        executor.backward([np.full_like(given, head)])
    assert grad.tolist() == slopes


def test_smooth_l1_of_whole_numbers_cuts_its_setting() -> None:
    symbol = sym.smooth_l1(Variable("x"), scalar=0.5)
    assert symbol.bind({"x": np.array([-9, 0, 5], np.int32)}).forward()[0].tolist() == [0, 0, 0]

"""Reductions: which axes, what ties and zeros do, and that everything reduced leaves one number in one axis."""

import math
from typing import Any

import numpy as np
import pytest

from app.engine import Variable, sym
from app.engine.errors import ParameterError, ShapeError
from app.engine.kernels.reduction import spread_axes, sum_to
from app.engine.operator import Operator, Run
from app.engine.registry import find_operator


def make(name: str, **settings: Any) -> Operator:
    node = find_operator(name)(**settings)
    node.check()
    return node


def shape_of(node: Operator, data: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(node.infer([data], [()] * len(node.outputs + node.hidden))[1][0])


def run() -> Run:
    return Run(True, np.random.default_rng(0))


def compute(node: Operator, data: Any) -> list[Any]:
    array = np.asarray(data, np.float32)
    outs: list[tuple[int, ...]] = [()] * len(node.outputs + node.hidden)
    _, shapes = node.infer([array.shape], outs)
    _, kinds = node.infer_types([array.dtype], [None] * len(outs))
    results = [np.empty(shape, kind) for shape, kind in zip(shapes, kinds, strict=True)]
    node.forward(run(), [array], results)
    return results


def gradient(node: Operator, data: Any) -> Any:
    array = np.asarray(data, np.float32)
    outs, grad = compute(node, data), np.empty_like(array)
    node.backward(run(), [array], outs, [np.ones_like(outs[0])], [grad])
    return grad


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({}, (1,)),
        ({"axis": ()}, (1,)),
        ({"axis": (1,)}, (2, 4)),
        ({"axis": (0, -1)}, (3,)),
        ({"axis": (1,), "exclude": True}, (3,)),
        ({"axis": (0, 1), "keepdims": True}, (1, 1, 4)),
        ({"keepdims": True}, (1, 1, 1)),
    ],
)
def test_axes(settings: dict[str, Any], wanted: tuple[int, ...]) -> None:
    for name in ("sum", "mean", "max", "min", "prod", "nansum", "nanprod"):
        assert shape_of(make(name, **settings), (2, 3, 4)) == wanted


def test_open_sizes_that_are_summed_away_do_not_matter() -> None:
    assert shape_of(make("sum", axis=(1,)), (2, 0, 3)) == (2, 3)


def test_sizes_that_stay_follow_from_the_value() -> None:
    assert make("sum", axis=(1,)).infer([(0, 5, 0)], [(2, 3)])[0] == ((2, 5, 3),)


@pytest.mark.parametrize("axis", [(2,), (-3,), (0, 0), (0, -2)])
def test_wrong_axes_are_refused(axis: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError):
        shape_of(make("sum", axis=axis), (2, 3))


def test_every_tied_place_gets_the_whole_gradient() -> None:
    assert gradient(make("max", axis=(1,)), [[3, 3, 1]]).tolist() == [[1, 1, 0]]
    assert gradient(make("min"), [[3, 1, 1]]).tolist() == [[0, 1, 1]]


def test_first_of_tied_places_is_told() -> None:
    (place,) = compute(make("argmax", axis=1), [[1, 3, 3]])
    assert place.tolist() == [1]
    assert place.dtype == np.float32
    assert compute(make("argmin"), [[2, 1], [1, 5]])[0].tolist() == [1]


def test_gradient_of_a_product_with_zeros() -> None:
    # MXNet divides the product by the element, so an element 0 gets no number
    with np.errstate(invalid="ignore"):
        found = gradient(make("prod", axis=(1,)), [[2, 3], [0, 5], [0, 0]])
    np.testing.assert_array_equal(found, [[3, 2], [np.nan, 0], [np.nan, np.nan]])


def test_what_is_no_number_is_passed_over() -> None:
    data = [1.0, math.nan, 3.0]
    assert compute(make("nansum"), data)[0].tolist() == [4]
    assert compute(make("nanprod"), data)[0].tolist() == [3]
    assert gradient(make("nansum"), data).tolist() == [1, 0, 1]
    assert gradient(make("nanprod"), data).tolist() == [3, 0, 1]


def test_norms() -> None:
    assert compute(make("norm"), [3, -4])[0].tolist() == [5]
    assert compute(make("norm", ord=1), [3, -4])[0].tolist() == [7]
    with np.errstate(all="ignore"):  # MXNet divides by the length
        assert np.isnan(gradient(make("norm"), [0, 0])).all()
    with pytest.raises(ParameterError):
        find_operator("norm").from_attributes({"ord": "3"})


def test_order_and_its_gradient() -> None:
    data = [[3, 1, 2]]
    values, places = compute(make("sort", is_ascend=False), data)
    assert values.tolist() == [[3, 2, 1]]
    assert places.tolist() == [[0, 2, 1]]
    assert compute(make("argsort"), data)[0].tolist() == [[1, 2, 0]]
    assert gradient(make("topk", k=2, ret_typ="value"), data).tolist() == [[1, 0, 1]]


def test_kinds_of_topk() -> None:
    data = [[3, 1, 2]]
    assert compute(make("topk", k=2), data)[0].tolist() == [[0, 2]]
    assert compute(make("topk", k=2, ret_typ="mask"), data)[0].tolist() == [[1, 0, 1]]
    assert shape_of(make("topk", k=0, axis=None, ret_typ="value"), (2, 3)) == (6,)
    assert make("topk", ret_typ="both").outputs == ("output0", "output1")
    assert make("topk", ret_typ="value").hidden == ("output1",)
    with pytest.raises(ShapeError, match="only 3 elements"):
        shape_of(make("topk", k=4), (2, 3))


@pytest.mark.parametrize(
    ("shape", "wide", "axes"),
    [
        ((3,), (2, 3), (0,)),
        ((2, 1), (2, 3), (1,)),
        ((1, 1), (1, 4), (1,)),
        ((4,), (4,), ()),
        ((1,), (2, 3), (0, 1)),
    ],
)
def test_sums_that_undo_broadcasting(
    shape: tuple[int, ...], wide: tuple[int, ...], axes: tuple[int, ...]
) -> None:
    assert spread_axes(shape, wide) == axes
    source = np.random.default_rng(0).normal(size=wide).astype(np.float32)
    out = np.empty(shape, np.float32)
    sum_to(source, out)()
    np.testing.assert_allclose(
        out, np.broadcast_to(source, wide).sum(axis=axes, keepdims=True).reshape(shape), rtol=1e-6
    )


def test_sums_of_whole_numbers_and_of_memory_with_gaps() -> None:
    numbers = np.arange(12, dtype=np.int32).reshape(3, 4)
    out = np.empty((4,), np.int32)
    sum_to(numbers, out)()
    assert out.tolist() == numbers.sum(axis=0).tolist()
    gaps = np.arange(24, dtype=np.float32).reshape(3, 8)[:, ::2]
    real = np.empty((4,), np.float32)
    sum_to(gaps, real)()
    assert real.tolist() == gaps.sum(axis=0).tolist()


def test_an_axis_that_a_row_does_not_have_is_refused_when_bound() -> None:
    net = sym.argmin(Variable("x"), axis=1, name="least")
    assert net.infer_shape(x=(4,))[1] == [(1,)]  # MXNet looks at the axis only when it runs
    with pytest.raises(ShapeError, match="least: axis 1 is out of range for 1 axes"):
        net.simple_bind({"x": (4,)})

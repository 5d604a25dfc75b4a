"""Convolution and Deconvolution: sizes both ways, reasons, refusals, layouts, and numbers by definition."""

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.engine.errors import ParameterError, ShapeError
from app.engine.operator import Operator, Run
from app.engine.operators.convolution import Convolution
from app.engine.operators.deconvolution import Deconvolution


def by_definition(x: Any, weight: Any, node: Convolution) -> Any:
    """Convolve with loops over everything."""
    windows = node.windows
    padded = np.pad(x, [(0, 0), (0, 0), *((p, p) for p in windows.pad)])
    counts = node.infer([x.shape, (), ()], [()])[1][0][2:]
    per_group = weight.shape[0] // node.num_group
    y = np.zeros((x.shape[0], weight.shape[0], *counts))
    for n, f in product(range(x.shape[0]), range(weight.shape[0])):
        first = f // per_group * weight.shape[1]
        for place in product(*(range(count) for count in counts)):
            for tap in product(*(range(size) for size in weight.shape[2:])):
                at = tuple(
                    p * s + t * d
                    for p, s, t, d in zip(place, windows.stride, tap, windows.dilate, strict=True)
                )
                seen = padded[(n, slice(first, first + weight.shape[1]), *at)]
                y[(n, f, *place)] += seen @ weight[(f, slice(None), *tap)]
    return y


@st.composite
def geometries(draw: st.DrawFn) -> tuple[dict[str, Any], tuple[int, ...]]:
    """Draw settings that fit an image, and the image's shape."""
    rank = draw(st.integers(1, 2))
    groups = draw(st.sampled_from([1, 1, 2, 3]))
    kernel = tuple(draw(st.integers(1, 3)) for _ in range(rank))
    dilate = tuple(draw(st.integers(1, 2)) for _ in range(rank))
    stride = tuple(draw(st.integers(1, 3)) for _ in range(rank))
    pad = tuple(draw(st.integers(0, 3)) for _ in range(rank))
    reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilate, strict=True)]
    sizes = tuple(max(1, r - 2 * p) + draw(st.integers(0, 4)) for r, p in zip(reach, pad, strict=True))
    setting = {
        "kernel": kernel,
        "dilate": dilate,
        "stride": stride,
        "pad": pad,
        "num_group": groups,
        "num_filter": groups * draw(st.integers(1, 2)),
    }
    return setting, (draw(st.integers(1, 3)), groups * draw(st.integers(1, 2)), *sizes)


def run(node: Operator, *arrays: Any) -> Any:
    _, (shape,) = node.infer([array.shape for array in arrays], [()])
    out = np.full(shape, np.nan, arrays[0].dtype)
    node.forward(Run(True, np.random.default_rng(0)), arrays, [out])
    return out


def gradients(node: Operator, arrays: Any, head: Any) -> list[Any]:
    grads = [np.full_like(array, np.nan) for array in arrays]
    node.backward(Run(True, np.random.default_rng(0)), list(arrays), [None], [head], grads)
    return grads


@given(geometries(), st.integers(0, 2**16))
@settings(max_examples=60)
def test_numbers_are_those_of_the_definition(case: Any, seed: int) -> None:
    """Forward against loops; gradients by being linear in data and in weight: ⟨dy, y⟩ = ⟨dx, x⟩ = ⟨dw, w⟩."""
    setting, shape = case
    node = Convolution(no_bias=True, **setting)
    rng = np.random.default_rng(seed)
    x = rng.normal(size=shape)
    weight = rng.normal(size=node.infer([shape, ()], [()])[0][1])
    y = run(node, x, weight)
    np.testing.assert_allclose(y, by_definition(x, weight, node), atol=1e-10)
    head = rng.normal(size=y.shape)
    dx, dw = gradients(node, [x, weight], head)
    np.testing.assert_allclose([(dx * x).sum(), (dw * weight).sum()], [(head * y).sum()] * 2, atol=1e-9)
    other = rng.normal(size=shape)
    np.testing.assert_allclose((dx * other).sum(), (head * run(node, other, weight)).sum(), atol=1e-9)


@given(geometries(), st.integers(0, 2**16))
@settings(max_examples=40)
def test_deconvolution_is_the_transpose(case: Any, seed: int) -> None:
    """⟨convolution(x), y⟩ = ⟨x, deconvolution(y)⟩ for every geometry, with adj filling what the stride left over."""
    setting, shape = case
    rng = np.random.default_rng(seed)
    x = rng.normal(size=shape)
    forward = Convolution(no_bias=True, **setting)
    weight = rng.normal(size=forward.infer([shape, ()], [()])[0][1])
    y = rng.normal(size=run(forward, x, weight).shape)
    windows = forward.windows
    adj = tuple(
        (size + 2 * p - r) % s
        for size, p, r, s in zip(shape[2:], windows.pad, windows.reach, windows.stride, strict=True)
    )
    back = Deconvolution(**{**setting, "num_filter": shape[1], "adj": adj})
    spread = run(back, y, weight)
    assert spread.shape == x.shape
    np.testing.assert_allclose((run(forward, x, weight) * y).sum(), (x * spread).sum(), atol=1e-9)


def test_sizes_flow_back_where_the_stride_is_one() -> None:
    node = Convolution(kernel=(3, 3), num_filter=4, pad=(1, 0), stride=(1, 2))
    (data, weight, bias), _ = node.infer([(), (4, 6, 3, 3), ()], [(5, 4, 8, 7)])
    assert data == (5, 6, 8, 0)
    assert (weight, bias) == ((4, 6, 3, 3), (4,))


def test_groups_split_channels_both_ways() -> None:
    node = Convolution(kernel=(3,), num_filter=4, num_group=2)
    assert node.infer([(1, 6, 9), (), ()], [()])[0][1] == (4, 3, 3)
    assert node.infer([(), (4, 3, 3), ()], [()])[0][0] == (0, 6, 0)


@pytest.mark.parametrize(
    ("ins", "port", "said"),
    [
        ([(4, 5), (), ()], "data", "needs 4"),
        ([(1, 3, 2, 9), (), ()], "data", "a height of 2"),
        ([(1, 3, 8, 8), (4, 2, 3, 3), ()], "weight", "(4, 3, 3, 3)"),
        ([(1, 3, 8, 8), (), (5,)], "bias", "(4)"),
    ],
)
def test_misfits_say_where_and_why(ins: Any, port: str, said: str) -> None:
    with pytest.raises(ShapeError) as caught:
        Convolution(kernel=(3, 3), num_filter=4).infer(ins, [()])
    assert caught.value.port == port
    assert said in caught.value.sentence


def test_channels_that_do_not_split_are_refused() -> None:
    with pytest.raises(ShapeError, match="3 channels"):
        Convolution(kernel=(1, 1), num_filter=4, num_group=2).infer([(1, 3, 5, 5), (), ()], [()])


@pytest.mark.parametrize(
    ("setting", "port"),
    [
        ({"kernel": (3, 3), "stride": (2,)}, "stride"),
        ({"kernel": (3, 3), "stride": (0, 1)}, "stride"),
        ({"kernel": (3, 0)}, "kernel"),
        ({"kernel": ()}, "kernel"),
        ({"kernel": (3, 3), "num_group": 3}, "num_group"),
        ({"kernel": (3,), "layout": "NHWC"}, "layout"),
    ],
)
def test_settings_that_contradict_are_refused(setting: Any, port: str) -> None:
    with pytest.raises(ParameterError) as caught:
        Convolution(num_filter=4, **setting).check()
    assert caught.value.port == port


def test_every_size_has_its_reason() -> None:
    node = Convolution(kernel=(3, 3), num_filter=8, pad=(1, 1), dilate=(1, 2))
    ins, outs = node.infer([(2, 3, 8, 9), (), ()], [()])
    assert node.because("out", 0, 1, ins, outs) == "num_filter = 8"
    assert node.because("out", 0, 2, ins, outs) == "kernel 3, stride 1, pad 1: (8 + 2·1 − 3)/1 + 1"
    assert "dilated to 5" in node.because("out", 0, 3, ins, outs)
    assert node.because("in", 1, 2, ins, outs) == "kernel = 3×3"
    assert node.because("in", 1, 1, ins, outs) == ""


def test_card_text() -> None:
    assert Convolution(kernel=(3, 3), num_filter=8, pad=(1, 1)).summary() == "3×3 · 8 · pad 1"
    assert Convolution(kernel=(1, 5), num_filter=2, stride=(1, 2), num_group=2).summary() == (
        "1×5 · 2 · stride 1×2 · 2 groups"
    )


def test_cost_counts_every_window() -> None:
    node = Convolution(kernel=(3, 3), num_filter=8, num_group=2)
    ins, outs = node.infer([(5, 4, 8, 8), (), ()], [()])
    assert node.multiply_adds(ins, outs) == 5 * 36 * 8 * 2 * 9


def test_channels_last_is_the_same_convolution() -> None:
    rng = np.random.default_rng(0)
    x, weight = rng.normal(size=(2, 3, 6, 5)), rng.normal(size=(4, 3, 3, 2))
    setting: dict[str, Any] = {
        "kernel": (3, 2),
        "num_filter": 4,
        "pad": (1, 0),
        "stride": (2, 1),
        "no_bias": True,
    }
    plain, last = Convolution(**setting), Convolution(layout="NHWC", **setting)
    y = run(plain, x, weight)
    behind = [np.moveaxis(array, 1, -1).copy() for array in (x, weight)]
    np.testing.assert_allclose(np.moveaxis(run(last, *behind), -1, 1), y)
    head = rng.normal(size=y.shape)
    found = gradients(last, behind, np.moveaxis(head, 1, -1).copy())
    for got, wanted in zip(found, gradients(plain, [x, weight], head), strict=True):
        np.testing.assert_allclose(np.moveaxis(got, -1, 1), wanted)


@pytest.mark.parametrize(("size", "target", "pad", "adj"), [(5, 9, 2, 1), (4, 8, 1, 0), (4, 7, 2, 1)])
def test_target_shape_chooses_pad_and_adj(size: int, target: int, pad: int, adj: int) -> None:
    setting: dict[str, Any] = {"kernel": (4,), "num_filter": 2, "stride": (2,)}
    x, weight = np.random.default_rng(0).normal(size=(1, 3, size)), np.ones((3, 2, 4))
    by_target = run(Deconvolution(target_shape=(target,), **setting), x, weight)
    assert by_target.shape == (1, 2, target)
    np.testing.assert_allclose(by_target, run(Deconvolution(pad=(pad,), adj=(adj,), **setting), x, weight))


def test_a_target_beyond_reach_is_refused() -> None:
    node = Deconvolution(kernel=(2, 2), num_filter=1, stride=(2, 2), target_shape=(9, 8))
    with pytest.raises(ShapeError, match="height of 9"):
        node.infer([(1, 1, 4, 4), ()], [()])


def test_adj_must_stay_below_the_stride() -> None:
    with pytest.raises(ParameterError, match="below stride"):
        Deconvolution(kernel=(3, 3), num_filter=1, stride=(2, 2), adj=(2, 2)).check()


def test_deconvolution_sizes_flow_back() -> None:
    node = Deconvolution(kernel=(3,), num_filter=2, stride=(2,), pad=(1,), adj=(1,))
    assert node.infer([(1, 3, 5), ()], [()])[1][0] == (1, 2, 10)
    assert node.infer([(), ()], [(1, 2, 10)])[0][0] == (1, 0, 5)
    assert node.infer([(), ()], [(1, 2, 9)])[0][0] == (1, 0, 0)

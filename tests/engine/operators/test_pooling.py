"""Pooling: rounding, divisors, ties, global windows, and the first version's ways."""

from typing import Any

import numpy as np
import pytest

from app.engine import Variable, sym
from app.engine.errors import ParameterError, ShapeError
from app.engine.kernels import pooling as pooling_kernels
from app.engine.operators.pooling import Pooling
from app.engine.registry import find_operator
from tests.layer_runs import layer, ran, single

ROW = single([[[1, 5, 2, 4, 3]]])


def sizes(convention: str) -> list[int]:
    node = Pooling(kernel=(3,), stride=(2,), pooling_convention=convention)
    return [node.infer([(1, 1, size)], [(), ()])[1][0][2] for size in (5, 6, 7, 8)]


def test_rounding_of_the_number_of_windows() -> None:
    assert sizes("valid") == [2, 2, 3, 3]
    assert sizes("full") == [2, 3, 3, 4]
    with pytest.raises(ParameterError, match="same"):
        Pooling(kernel=(3,), pooling_convention="same").check()


def test_stride_is_one_unless_set() -> None:
    assert ran(layer("Pooling", kernel=(2,)), {"data": ROW}).out.tolist() == [[[5, 5, 4, 4]]]


def test_of_equal_maxima_the_first_gets_the_gradient() -> None:
    data = single([[[[1, 7, 7], [7, 0, 7]]]])
    result = ran(layer("Pooling", kernel=(2, 3)), {"data": data}, heads=[single([[[[2]]]])])
    assert result.grads["data"].tolist() == [[[[0, 2, 0], [0, 0, 0]]]]


def test_overlapping_windows_add_up() -> None:
    result = ran(layer("Pooling", kernel=(3,)), {"data": ROW}, heads=[single([[[1, 2, 4]]])])
    assert result.grads["data"].tolist() == [[[0, 3, 0, 4, 0]]]


def test_negative_numbers_beat_padding() -> None:
    out = ran(layer("Pooling", kernel=(2,), pad=(1,)), {"data": -ROW}).out
    assert out.tolist() == [[[-1, -1, -2, -2, -3, -3]]]


@pytest.mark.parametrize(
    ("include", "wanted"), [(True, [0.5, 3, 3.5, 3, 3.5, 1.5]), (False, [1, 3, 3.5, 3, 3.5, 3])]
)
def test_averages_with_and_without_padding(include: bool, wanted: list[float]) -> None:
    node = layer("Pooling", kernel=(2,), pad=(1,), pool_type="avg", count_include_pad=include)
    assert ran(node, {"data": ROW}).out.tolist() == [[wanted]]


def test_a_full_window_counts_up_to_the_padded_edge_only() -> None:
    node = layer("Pooling", kernel=(3,), stride=(3,), pool_type="avg", pooling_convention="full")
    result = ran(node, {"data": ROW}, heads=[single([[[3, 2]]])])
    np.testing.assert_allclose(result.out, [[[8 / 3, 7 / 2]]], rtol=1e-6)
    np.testing.assert_allclose(result.grads["data"], [[[1, 1, 1, 1, 1]]], rtol=1e-6)


@pytest.mark.parametrize(("kind", "wanted"), [("max", 5), ("avg", 3), ("sum", 15)])
def test_a_global_window_ignores_kernel_stride_and_pad(kind: str, wanted: float) -> None:
    node = layer("Pooling", kernel=(2,), stride=(2,), pad=(1,), global_pool=True, pool_type=kind)
    assert ran(node, {"data": ROW}).out.tolist() == [[[wanted]]]


def test_a_global_maximum_sends_its_gradient_home() -> None:
    data = np.random.default_rng(0).normal(size=(2, 3, 4, 5)).astype(np.float32)
    head = np.arange(6, dtype=np.float32).reshape(2, 3, 1, 1) + 1
    grad = ran(layer("Pooling", global_pool=True), {"data": data}, heads=[head]).grads["data"]
    assert np.array_equal(grad != 0, data == data.max(axis=(2, 3), keepdims=True))
    assert np.array_equal(grad.sum(axis=(2, 3), keepdims=True), head)


def test_winners_are_small_numbers_while_the_window_is_small() -> None:
    half = np.dtype(np.float16)
    assert Pooling(kernel=(15, 15)).infer_types([half], [None, None])[1] == (half, np.dtype(np.uint8))
    assert Pooling(kernel=(16, 16)).infer_types([half], [None, None])[1] == (half, np.dtype(np.int32))
    assert len(Pooling(kernel=(2,), pool_type="avg").hidden) == 0


def test_wide_windows_remember_their_winner() -> None:
    data = np.zeros((1, 1, 400), np.float32)
    data[0, 0, 300] = 1
    result = ran(layer("Pooling", kernel=(390,)), {"data": data}, heads=[np.ones((1, 1, 11), np.float32)])
    assert result.grads["data"][0, 0, 300] == 11


def test_power_means() -> None:
    data = single([[[3, 4, 0, 0]]])
    node = layer("Pooling", kernel=(2,), stride=(2,), pool_type="lp", p_value=2)
    result = ran(node, {"data": data}, heads=[single([[[5, 1]]])])
    np.testing.assert_allclose(result.out, [[[5, 0]]])
    np.testing.assert_allclose(result.grads["data"], [[[3, 4, 0, 0]]])


def test_what_cannot_be_pooled_is_refused() -> None:
    with pytest.raises(ShapeError, match="a window of 4 does not fit"):
        Pooling(kernel=(4, 4)).infer([(1, 3, 3, 3)], [(), ()])
    with pytest.raises(ShapeError, match="needs 4"):
        Pooling(kernel=(2, 2)).infer([(4, 5)], [(), ()])
    with pytest.raises(ParameterError, match="p_value"):
        Pooling(kernel=(2,), pool_type="lp").check()
    with pytest.raises(ParameterError, match="needs a kernel"):
        Pooling().check()


def test_reason_of_a_size() -> None:
    node = Pooling(kernel=(3,), stride=(2,), pooling_convention="full")
    ins, outs = node.infer([(1, 2, 8)], [(), ()])
    said = node.because("out", 0, 2, ins, outs)
    assert said == "kernel 3, stride 2, pad 0, rounded up: (8 + 2·0 − 3)/2 + 1"
    assert Pooling(global_pool=True).because("out", 0, 2, ins, outs) == "global_pool = True"


def test_batch_and_channels_flow_back() -> None:
    assert Pooling(kernel=(2, 2)).infer([()], [(3, 4, 0, 0), ()])[0][0] == (3, 4, 0, 0)


class TestFirstVersion:
    """Pooling_v1 differs from Pooling in four ways."""

    def test_all_equal_maxima_get_the_gradient(self) -> None:
        data = np.ones((1, 1, 2, 2), np.float32)
        result = ran(layer("Pooling_v1", kernel=(2, 2)), {"data": data}, heads=[single([[[[3]]]])])
        assert result.grads["data"].tolist() == [[[[3, 3], [3, 3]]]]

    def test_padding_is_zeros_even_for_maxima(self) -> None:
        data = -np.ones((1, 1, 1, 2), np.float32)
        out = ran(layer("Pooling_v1", kernel=(1, 2), pad=(0, 1)), {"data": data}).out
        assert out.tolist() == [[[[0, -1, 0]]]]

    def test_averages_divide_by_the_whole_window(self) -> None:
        data = np.ones((1, 1, 1, 3), np.float32)
        settings: dict[str, Any] = {"kernel": (1, 2), "stride": (1, 2), "pool_type": "avg"}
        node = layer("Pooling_v1", pooling_convention="full", **settings)
        assert ran(node, {"data": data}).out.tolist() == [[[[1, 0.5]]]]


@pytest.mark.parametrize("op_name", ["Pooling", "Pooling_v1"])
def test_a_stride_of_0_is_refused_even_where_nobody_looks_at_it(op_name: str) -> None:
    with pytest.raises(ParameterError, match="must not be 0"):
        find_operator(op_name).from_attributes({"global_pool": "True", "stride": "(0, 2)"})


@pytest.mark.parametrize("settings", [{"stride": (2, 2)}, {"pad": (1, 1)}, {"layout": "NHWC"}])
def test_without_a_backward_only_the_maximum_is_looked_for(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any]
) -> None:
    symbol = sym.Pooling(Variable("data"), kernel=(3, 3), pool_type="max", **settings)
    data = np.random.default_rng(0).normal(size=(2, 6, 7, 5)).astype(np.float32)
    data[0, 2, 3, 1] = np.nan
    wanted = symbol.simple_bind({"data": data.shape}).forward(data=data)[0]
    monkeypatch.setattr(pooling_kernels, "max_pool", None)
    found = symbol.simple_bind({"data": data.shape}, grad_req="null").forward(data=data)[0]
    np.testing.assert_array_equal(found, wanted)

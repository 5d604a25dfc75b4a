"""Activations and softmax: corners, extremes, types."""

import math
from typing import Any

import numpy as np
import pytest

from app.engine import Variable, sym
from app.engine.errors import ParameterError, ShapeError
from app.engine.operators.leaky import LeakyReLU
from app.engine.operators.softmax import Softmax
from tests.layer_runs import layer, ran, single

EXTREMES = single([-1000, -90, -1, 0, 1, 90, 1000])


@pytest.mark.parametrize("kind", ["relu", "sigmoid", "softrelu", "softsign", "tanh"])
def test_extremes_neither_overflow_nor_warn(kind: str) -> None:
    result = ran(layer("Activation", act_type=kind), {"data": EXTREMES}, heads=[np.ones(7, np.float32)])
    x = EXTREMES.astype(float)
    wanted = {
        "relu": np.maximum(x, 0),
        "sigmoid": 1 / (1 + np.exp(-np.clip(x, -700, 700))),
        "softrelu": np.logaddexp(x, 0),
        "softsign": x / (1 + np.abs(x)),
        "tanh": np.tanh(x),
    }[kind]
    np.testing.assert_allclose(result.out, wanted, rtol=1e-5, atol=1e-7)
    assert np.isfinite(result.grads["data"]).all()


@pytest.mark.parametrize(
    ("name", "settings", "slope"),
    [
        ("Activation", {"act_type": "relu"}, 0),
        ("LeakyReLU", {}, 0.25),
        ("LeakyReLU", {"act_type": "elu"}, 0.25),
    ],
)
def test_slope_at_zero(name: str, settings: Any, slope: float) -> None:
    grad = ran(layer(name, **settings), {"data": single([0])}, heads=[single([2])]).grads["data"]
    assert grad.tolist() == [2 * slope]


def test_nan_stays_nan() -> None:
    assert np.isnan(ran(layer("Activation", act_type="relu"), {"data": single([np.nan])}).out).all()


def test_leaky_takes_any_slope() -> None:
    data, head = single([-2, 3]), single([10, 10])
    result = ran(layer("LeakyReLU", slope=2.0), {"data": data}, heads=[head])
    assert (result.out.tolist(), result.grads["data"].tolist()) == ([-4, 3], [20, 10])


def test_prelu_learns_one_slope_per_channel() -> None:
    data = single([[[-1, 2], [-3, -4]], [[5, -6], [7, 8]]])
    given = {"data": data, "op_gamma": single([0.5, 0.1])}
    result = ran(layer("LeakyReLU", act_type="prelu"), given, heads=[np.ones_like(data)])
    np.testing.assert_allclose(result.out, [[[-0.5, 2], [-0.3, -0.4]], [[5, -3], [7, 8]]])
    assert result.grads["op_gamma"].tolist() == [-7, -7]
    np.testing.assert_allclose(result.grads["data"], [[[0.5, 1], [0.1, 0.1]], [[1, 0.5], [1, 1]]])


def test_prelu_takes_a_single_slope_where_it_is_given() -> None:
    node = LeakyReLU(act_type="prelu")
    assert node.infer([(2, 3, 4), ()], [()])[0][1] == (3,)
    assert node.infer([(2, 3, 4), (1,)], [()])[0][1] == (1,)
    with pytest.raises(ShapeError):
        node.infer([(2, 3, 4), (4,)], [()])
    made = sym.LeakyReLU(Variable("x"), act_type="prelu", name="p").attr_dict()["p_gamma"]
    assert made["__init__"] == '["Constant", {"value": 0.25}]'


def test_selu_has_the_gradient_that_mxnet_gives_it() -> None:
    """Below zero MXNet multiplies the result by the scale once more, so this is not the true slope."""
    scale, alpha = 1.0507009873554805, 1.6732632423543772
    data = np.array([-1.0, 2.0])
    result = ran(layer("LeakyReLU", act_type="selu"), {"data": data}, heads=[np.ones(2)])
    below = scale * alpha * (math.exp(-1) - 1)
    np.testing.assert_allclose(result.out, [below, 2 * scale])
    np.testing.assert_allclose(result.grads["data"], [scale * (below + alpha), scale])


@pytest.mark.parametrize("kind", ["leaky", "elu"])
def test_a_negative_slope_lets_everything_through_as_in_mxnet(kind: str) -> None:
    """MXNet looks at the result, which is nowhere below zero then; so this is not the true slope."""
    data, head = single([-2, 0, 3]), single([10, 10, 10])
    result = ran(layer("LeakyReLU", act_type=kind, slope=-0.5), {"data": data}, heads=[head])
    assert result.out[0] > 0
    assert result.grads["data"].tolist() == [10, -5, 10]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gelu_is_as_exact_as_its_type(dtype: Any) -> None:
    x = np.linspace(-5, 5, 201).astype(dtype)
    wanted = [value * (1 + math.erf(value / math.sqrt(2))) / 2 for value in x.tolist()]
    out = ran(layer("LeakyReLU", act_type="gelu"), {"data": x}).out
    np.testing.assert_allclose(out, wanted, atol=1e-6 if dtype == np.float32 else 1e-15)


def test_rrelu_draws_in_training_and_takes_the_middle_otherwise() -> None:
    data = -np.ones((40, 50), np.float32)
    node = layer("LeakyReLU", act_type="rrelu", lower_bound=0.1, upper_bound=0.3)
    assert node.list_outputs() == ["op_output", "op_mask"]
    drawn = ran(node, {"data": data}, heads=[np.ones_like(data), np.zeros_like(data)])
    slopes = drawn.outputs[1]
    assert slopes.min() >= 0.1
    assert slopes.max() <= 0.3
    assert abs(slopes.mean() - 0.2) < 0.01
    assert np.array_equal(drawn.out, -slopes)
    assert np.array_equal(drawn.grads["data"], slopes)
    np.testing.assert_allclose(ran(node, {"data": data}, train=False).out, -0.2, rtol=1e-6)
    with pytest.raises(ParameterError):
        LeakyReLU(act_type="rrelu", lower_bound=0.5, upper_bound=0.1).check()


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmin"])
def test_softmax_does_not_overflow(name: str) -> None:
    out = ran(layer(name), {"data": single([[1e4, 0, -1e4]])}).out
    wanted = {"softmax": [1, 0, 0], "log_softmax": [0, -1e4, -2e4], "softmin": [0, 0, 1]}[name]
    assert out.tolist() == [wanted]


def test_temperature_divides_first() -> None:
    data = single([[1, 2, 4]])
    cold = ran(layer("softmax", temperature=0.5), {"data": data}).out
    np.testing.assert_allclose(cold, ran(layer("softmax"), {"data": 2 * data}).out, rtol=1e-6)
    with pytest.raises(ParameterError):
        Softmax(temperature=0.0).check()


def test_lengths_leave_the_rest_without_a_share() -> None:
    data = single([[3, 1, 9, 9], [1, 1, 1, 1]])
    node = sym.softmax(Variable("data"), Variable("length"), use_length=True, name="op")
    given = {"data": data, "length": np.array([2, 4], np.int32)}
    result = ran(node, given, heads=[single([[1, 0, 5, 5], [1, 2, 3, 4]])])
    first = np.exp([3, 1]) / np.exp([3, 1]).sum()
    np.testing.assert_allclose(result.out, [[*first, 0, 0], [0.25] * 4], rtol=1e-6)
    assert result.grads["data"][0, 2:].tolist() == [0, 0]
    assert not result.grads["length"].any()


def test_another_type_of_result() -> None:
    data = np.array([[1, 2, 3]], np.float16)
    result = ran(layer("softmax", dtype="float32"), {"data": data}, heads=[single([[1, 0, 0]])])
    assert result.out.dtype == np.float32
    assert result.grads["data"].dtype == np.float16
    shares = np.exp([1, 2, 3]) / np.exp([1, 2, 3]).sum()
    np.testing.assert_allclose(result.out[0], shares, rtol=1e-6)
    np.testing.assert_allclose(result.grads["data"][0], shares * ([1, 0, 0] - shares[0]), atol=1e-3)


def test_an_axis_that_is_not_there_is_refused() -> None:
    with pytest.raises(ShapeError, match="axis 2"):
        Softmax(axis=2).infer([(3, 4)], [()])


def test_softmax_activation_goes_back_along_axis_one_as_in_mxnet() -> None:
    data = np.random.default_rng(0).normal(size=(2, 3, 4))
    head = np.random.default_rng(1).normal(size=(2, 3, 4))
    result = ran(layer("SoftmaxActivation"), {"data": data}, heads=[head])
    np.testing.assert_allclose(result.out.sum(axis=2), 1)
    along = (head * result.out).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(result.grads["data"], result.out * (head - along))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("kind", ["elu", "gelu", "leaky", "selu"])
def test_types_are_kept_on_the_way_there_and_back(dtype: Any, kind: str) -> None:
    data = np.array([-1.5, 0.5], dtype)
    result = ran(layer("LeakyReLU", act_type=kind), {"data": data}, heads=[np.ones(2, dtype)])
    assert (result.out.dtype, result.grads["data"].dtype) == (dtype, dtype)


@pytest.mark.parametrize("name", ["log_softmax", "softmin"])
def test_lengths_are_refused_where_no_input_takes_them(name: str) -> None:
    symbol = getattr(sym, name)(Variable("data"), use_length=True, name="op")
    assert symbol.infer_shape(data=(2, 3))[1] == [(2, 3)]  # as in MXNet, whose types are asked only by a bind
    with pytest.raises(ShapeError, match="op .*use_length is True.*Leave use_length out"):
        symbol.simple_bind({"data": (2, 3)})


def test_softmax_must_know_whether_lengths_come_in() -> None:
    with pytest.raises(ShapeError, match="use_length is None"):
        layer("softmax", use_length=None).infer_shape(data=(2, 3))

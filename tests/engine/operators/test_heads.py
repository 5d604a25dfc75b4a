"""Losses: what they divide by, which labels count, and what becomes of head gradients."""

from typing import Any

import numpy as np
import pytest

from app.engine import Group, Variable, sym
from app.engine.errors import ParameterError, ShapeError
from app.engine.operators.heads import SoftmaxOutput
from app.engine.operators.regression import LinearRegressionOutput
from tests.layer_runs import layer, ran, single

RNG = np.random.default_rng(0)
SCORES = RNG.normal(size=(4, 3)).astype(np.float32)
LABEL = single([2, 0, 1, 2])
SHARES = np.exp(SCORES) / np.exp(SCORES).sum(axis=1, keepdims=True)
ONEHOT = np.eye(3)[LABEL.astype(int)]


def softmax_gradient(data: Any, label: Any, **settings: Any) -> Any:
    return ran(layer("SoftmaxOutput", **settings), {"data": data, "op_label": label}, heads=[]).grads["data"]


class TestSoftmaxOutput:
    @pytest.mark.parametrize(("normalization", "factor"), [("null", 1), ("batch", 1 / 4), ("valid", 1 / 3)])
    def test_divisors_of_flat_data(self, normalization: str, factor: float) -> None:
        """Valid labels are those that differ from ignore_label, whether or not use_ignore is on."""
        grad = softmax_gradient(SCORES, LABEL, normalization=normalization, ignore_label=0, grad_scale=2.0)
        np.testing.assert_allclose(grad, (SHARES - ONEHOT) * 2 * factor, rtol=1e-5, atol=1e-6)

    @pytest.mark.parametrize(
        ("normalization", "factor"), [("null", 1 / 5), ("batch", 1 / 10), ("valid", 1 / 8)]
    )
    def test_divisors_of_many_places(self, normalization: str, factor: float) -> None:
        data = RNG.normal(size=(2, 3, 5))
        label = np.array([[0, 1, 2, 2, 1], [1, 1, 2, 0, 2]], float)
        grad = softmax_gradient(data, label, multi_output=True, normalization=normalization, ignore_label=0)
        shares = np.exp(data) / np.exp(data).sum(axis=1, keepdims=True)
        onehot = np.moveaxis(np.eye(3)[label.astype(int)], 2, 1)
        np.testing.assert_allclose(grad, (shares - onehot) * factor)

    def test_ignored_rows_get_no_gradient(self) -> None:
        grad = softmax_gradient(SCORES, LABEL, use_ignore=True, ignore_label=2)
        assert grad.any(axis=1).tolist() == [False, True, True, False]

    def test_smoothing_shares_the_right_class_with_the_others(self) -> None:
        grad = softmax_gradient(SCORES, LABEL, smooth_alpha=0.2)
        np.testing.assert_allclose(grad, SHARES - np.where(ONEHOT == 1, 0.8, 0.1), rtol=1e-5, atol=1e-6)

    def test_labels_outside_the_classes_have_no_right_class(self) -> None:
        grad = softmax_gradient(SCORES, single([-1, 3, 1.9, -0.5]))
        wanted = SHARES.copy()
        wanted[2, 1] -= 1  # cut to a whole number
        wanted[3, 0] -= 1
        np.testing.assert_allclose(grad, wanted, rtol=1e-5, atol=1e-6)

    def test_a_label_of_datas_shape_holds_probabilities(self) -> None:
        label = RNG.uniform(size=(4, 3)).astype(np.float32)
        settings: Any = {"normalization": "batch", "use_ignore": True, "smooth_alpha": 0.3, "grad_scale": 3.0}
        np.testing.assert_allclose(
            softmax_gradient(SCORES, label, **settings), (SHARES - label) * 3, rtol=1e-4
        )

    def test_flat_data_of_more_axes_is_one_long_row_of_classes(self) -> None:
        data = RNG.normal(size=(2, 3, 4))
        result = ran(layer("SoftmaxOutput"), {"data": data, "op_label": np.zeros((2, 3))}, heads=[])
        np.testing.assert_allclose(result.out.sum(axis=(1, 2)), 1)

    def test_head_gradients_do_not_count(self) -> None:
        given = {"data": SCORES, "op_label": LABEL}
        with_head = ran(layer("SoftmaxOutput"), given, heads=[SCORES * 100]).grads["data"]
        np.testing.assert_array_equal(with_head, softmax_gradient(SCORES, LABEL))

    def test_out_grad_multiplies_by_them(self) -> None:
        given = {"data": SCORES, "op_label": LABEL}
        grad = ran(layer("SoftmaxOutput", out_grad=True), given, heads=[SCORES]).grads["data"]
        np.testing.assert_allclose(grad, softmax_gradient(SCORES, LABEL) * SCORES, rtol=1e-5)

    def test_the_labels_buffer_is_left_alone(self) -> None:
        given = {"data": SCORES, "op_label": LABEL}
        before = {"op_label": single([9, 8, 7, 6])}
        result = ran(layer("SoftmaxOutput"), given, heads=[], before=before)
        assert result.grads["op_label"].tolist() == [9, 8, 7, 6]

    @pytest.mark.parametrize(
        ("settings", "data", "label"),
        [
            ({}, (5, 3), (5,)),
            ({}, (5, 3, 2), (5, 3)),
            ({"preserve_shape": True}, (5, 3, 2), (5, 3)),
            ({"multi_output": True}, (5, 3, 4, 2), (5, 8)),
        ],
    )
    def test_shapes_of_labels(self, settings: Any, data: Any, label: Any) -> None:
        assert SoftmaxOutput(**settings).infer([data, ()], [()])[0][1] == label

    @pytest.mark.parametrize("label", [(5, 8), (5, 4, 2), (5, 1, 4, 2), (5, 3, 4, 2)])
    def test_forms_of_a_label_for_many_places(self, label: Any) -> None:
        node = SoftmaxOutput(multi_output=True)
        assert node.infer([(5, 3, 4, 2), label], [()])[0][1] == label

    @pytest.mark.parametrize("label", [(6,), (5, 1)])
    def test_other_labels_are_refused(self, label: Any) -> None:
        with pytest.raises(ShapeError) as caught:
            SoftmaxOutput().infer([(5, 3), label], [()])
        assert caught.value.port == "label"
        with pytest.raises(ShapeError):
            SoftmaxOutput(multi_output=True).infer([(5, 3, 4), (5, 7)], [()])

    def test_a_label_never_decides_data(self) -> None:
        ins, outs = SoftmaxOutput().infer([(), (5,)], [()])
        assert (ins[0], outs[0]) == ((), ())


class TestRegression:
    @pytest.mark.parametrize(
        ("name", "predict", "error"),
        [
            ("LinearRegressionOutput", lambda x: x, lambda d: d),
            ("LogisticRegressionOutput", lambda x: 1 / (1 + np.exp(-x)), lambda d: d),
            ("MAERegressionOutput", lambda x: x, np.sign),
        ],
    )
    def test_gradient_is_per_value_of_a_sample(self, name: str, predict: Any, error: Any) -> None:
        label = RNG.uniform(size=(4, 3))
        result = ran(layer(name, grad_scale=2.0), {"data": SCORES.astype(float), "op_label": label}, heads=[])
        np.testing.assert_allclose(result.out, predict(SCORES), rtol=1e-5)
        np.testing.assert_allclose(result.grads["data"], error(predict(SCORES) - label) * 2 / 3, rtol=1e-4)

    def test_a_single_column_may_lose_its_axis(self) -> None:
        node = LinearRegressionOutput()
        assert node.infer([(5, 1), ()], [()])[0][1] == (5,)
        assert node.infer([(5, 1), (5, 1)], [()])[0][1] == (5, 1)
        given = {"data": single([[1], [5]]), "op_label": single([3, 4])}
        grad = ran(layer("LinearRegressionOutput"), given, heads=[]).grads["data"]
        assert grad.tolist() == [[-2], [1]]

    def test_another_label_is_refused(self) -> None:
        with pytest.raises(ShapeError) as caught:
            LinearRegressionOutput().infer([(4, 3), (4, 2)], [()])
        assert caught.value.port == "label"


class TestMakeLoss:
    @pytest.mark.parametrize(
        ("settings", "wanted"),
        [
            ({}, 1),
            ({"grad_scale": 3.0}, 3),
            ({"normalization": "batch", "grad_scale": 3.0}, 1.5),
            ({"normalization": "valid", "valid_thresh": 1.5}, 1 / 3),
            ({"normalization": "valid", "valid_thresh": 99.0}, 1),
        ],
    )
    def test_gradient_is_one_number(self, settings: Any, wanted: float) -> None:
        data = single([[1, 2, 3], [4, 0, -1]])
        grad = ran(layer("MakeLoss", **settings), {"data": data}, heads=[np.full((2, 3), 50)]).grads["data"]
        np.testing.assert_allclose(grad, np.full((2, 3), wanted), rtol=1e-6)

    def test_the_small_one_is_named_loss(self) -> None:
        node = layer("make_loss")
        assert node.list_outputs() == ["op_loss"]
        assert ran(node, {"data": single([5, 6])}, heads=[]).grads["data"].tolist() == [1, 1]


def test_a_wall_lets_nothing_back() -> None:
    x = Variable("x")
    product = sym.BlockGrad(x * 3) * x
    result = ran(product, {"x": single([2, 5])}, heads=[single([1, 1])])
    assert result.out.tolist() == [12, 75]
    assert result.grads["x"].tolist() == [6, 15]


def test_a_group_of_loss_and_wall_needs_no_head_gradient() -> None:
    x = Variable("x")
    both = Group([sym.MakeLoss(x, name="loss"), sym.BlockGrad(x, name="wall")])
    assert ran(both, {"x": single([2])}, heads=[]).grads["x"].tolist() == [1]


@pytest.mark.parametrize(("linear", "wanted"), [(False, [[3, -2.6, 0]]), (True, [[1, -1, 0]])])
def test_hinge(linear: bool, wanted: Any) -> None:
    """With margin 1: the right class (1) gets −h(1 − x), the others h(1 + x)."""
    given = {"data": single([[0.5, -0.3, -1.2]]), "op_label": single([1])}
    result = ran(layer("SVMOutput", use_linear=linear), given, heads=[])
    np.testing.assert_allclose(result.grads["data"], wanted, rtol=1e-6)
    doubled = ran(
        layer("SVMOutput", use_linear=linear, regularization_coefficient=2.0), given, heads=[]
    ).grads["data"]
    np.testing.assert_allclose(doubled, 2 * np.array(wanted), rtol=1e-6)


def test_cross_entropy_is_one_sum() -> None:
    node = sym.softmax_cross_entropy(Variable("data"), Variable("label"), name="op")
    result = ran(node, {"data": SCORES, "label": LABEL}, heads=[single([2])])
    assert result.out.shape == (1,)
    np.testing.assert_allclose(result.out, [-np.log((SHARES * ONEHOT).sum(axis=1)).sum()], rtol=1e-5)
    np.testing.assert_allclose(result.grads["data"], 2 * (SHARES - ONEHOT), rtol=1e-4, atol=1e-6)


def test_sparseness_pulls_by_the_moving_mean_and_moves_it_in_backward() -> None:
    data = single([[0.2, 0.8], [0.4, 0.6]])
    node = layer("IdentityAttachKLSparseReg", sparseness_target=0.1, penalty=0.5, momentum=0.5)
    given = {"data": data, "op_moving_avg": single([0.1, 0.1])}
    assert ran(node, given).aux["op_moving_avg"].tolist() == single([0.1, 0.1]).tolist()
    result = ran(node, given, heads=[np.ones((2, 2), np.float32)])
    moved = 0.5 * 0.1 + 0.5 * data.mean(axis=0)
    np.testing.assert_allclose(result.aux["op_moving_avg"], moved, rtol=1e-6)
    pull = 0.5 * (0.9 / (1 - moved) - 0.1 / moved)
    np.testing.assert_allclose(result.grads["data"], np.tile(1 + pull, (2, 1)), rtol=1e-5)


@pytest.mark.parametrize("op", ["LinearRegressionOutput", "LogisticRegressionOutput", "MAERegressionOutput"])
@pytest.mark.parametrize(
    ("setting", "said"), [({"foo": "3"}, "'foo'"), ({"grad_scale": "x"}, "grad_scale is 'x'")]
)
def test_a_regression_reads_its_settings_for_a_gradient_only(
    op: str, setting: dict[str, str], said: str
) -> None:
    net = getattr(sym, op)(Variable("x"), Variable("y"), name="last", **setting)  # as MXNet 1.9.1 does
    assert net.attr_dict()["last"] == setting
    assert net.simple_bind({"x": (2, 3)}, grad_req="null").forward()[0].shape == (2, 3)
    for wanted in ("write", {"x": "null", "y": "write"}):
        with pytest.raises(ParameterError, match=f"last.*{said}"):
            net.simple_bind({"x": (2, 3)}, grad_req=wanted)


@pytest.mark.parametrize("settings", [{}, {"preserve_shape": "True"}])
def test_the_label_of_a_single_row_is_shares_or_not_found(settings: dict[str, str]) -> None:
    net = sym.SoftmaxOutput(Variable("x"), name="last", **settings)  # as MXNet 1.9.1 does
    assert net.infer_shape_partial(x=(5,))[0] == [(5,), ()]
    assert net.infer_shape(x=(5,), last_label=(5,))[1] == [(5,)]
    with pytest.raises(ShapeError, match=r"last.*expected \(5\) but got \(1\)"):
        net.infer_shape(x=(5,), last_label=(1,))

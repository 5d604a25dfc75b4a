"""BatchNorm's corners, and the normalisations within samples."""

from typing import Any

import numpy as np
import pytest

from app.engine import Variable, sym
from app.engine.errors import ShapeError
from app.engine.operators.length_norms import LRN, L2Normalization
from app.engine.operators.normalize import BatchNorm
from app.engine.operators.sample_norms import GroupNorm
from tests.layer_runs import layer, ran, single

RNG = np.random.default_rng(0)
DATA = RNG.normal(3, 2, (6, 2, 4)).astype(np.float32)
MEAN, VAR = DATA.mean(axis=(0, 2)), DATA.var(axis=(0, 2))
HEAD = RNG.normal(size=DATA.shape).astype(np.float32)


def arrays(**changes: Any) -> dict[str, Any]:
    return {
        "data": DATA,
        "op_gamma": single([2, 3]),
        "op_beta": single([1, -1]),
        "op_moving_mean": single([0.5, -0.5]),
        "op_moving_var": single([4, 0.25]),
        **changes,
    }


def channels(values: Any) -> Any:
    return np.asarray(values).reshape(1, 2, 1)


class TestBatchNorm:
    def test_training_uses_the_batch_with_its_biased_variance(self) -> None:
        out = ran(layer("BatchNorm", fix_gamma=False), arrays()).out
        wanted = (DATA - channels(MEAN)) / np.sqrt(channels(VAR) + 0.001) * channels([2, 3]) + channels(
            [1, -1]
        )
        np.testing.assert_allclose(out, wanted, rtol=1e-5, atol=1e-5)

    @pytest.mark.parametrize(("train", "settings"), [(False, {}), (True, {"use_global_stats": True})])
    def test_prediction_and_global_stats_use_the_moving_ones(self, train: bool, settings: Any) -> None:
        node = layer("BatchNorm", fix_gamma=False, **settings)
        result = ran(node, arrays(), train=train, heads=[HEAD] if train else None)
        spread = np.sqrt(channels([4, 0.25]) + 0.001)
        wanted = (DATA - channels([0.5, -0.5])) / spread * channels([2, 3]) + channels([1, -1])
        np.testing.assert_allclose(result.out, wanted, rtol=1e-4, atol=1e-5)
        assert result.aux["op_moving_mean"].tolist() == [0.5, -0.5]
        if train:
            np.testing.assert_allclose(result.grads["data"], HEAD * channels([2, 3]) / spread, rtol=1e-4)

    def test_forward_alone_leaves_the_moving_statistics(self) -> None:
        aux = ran(layer("BatchNorm"), arrays()).aux
        assert (aux["op_moving_mean"].tolist(), aux["op_moving_var"].tolist()) == ([0.5, -0.5], [4, 0.25])

    def test_several_forwards_and_one_backward_move_them_once(self) -> None:
        node = layer("BatchNorm", momentum=0.75)
        given = {name: np.array(array) for name, array in arrays().items()}
        aux = [given.pop("op_moving_mean"), given.pop("op_moving_var")]
        executor = node.bind(given, {"op_beta": np.zeros(2, np.float32)}, "write", aux)
        for _ in range(3):
            executor.forward(is_train=True)
        executor.backward([HEAD])
        np.testing.assert_allclose(aux[0], 0.75 * single([0.5, -0.5]) + 0.25 * MEAN, rtol=1e-5)
        np.testing.assert_allclose(aux[1], 0.75 * single([4, 0.25]) + 0.25 * VAR, rtol=1e-4)

    def test_no_backward_at_the_layer_no_change(self) -> None:
        """Gradients wanted only behind the layer: its own backward never runs."""
        net = sym.FullyConnected(layer("BatchNorm"), num_hidden=1, no_bias=True, name="fc")
        request = {"fc_weight": "write", "data": "null", "op_gamma": "null", "op_beta": "null"}
        given = arrays(fc_weight=np.ones((1, 8), np.float32))
        result = ran(net, given, heads=[np.ones((6, 1), np.float32)], request=request)
        assert result.grads["fc_weight"].any()
        assert result.aux["op_moving_mean"].tolist() == [0.5, -0.5]

    @pytest.mark.parametrize("train", [True, False])
    def test_a_fixed_gamma_counts_as_one_and_is_set_to_one(self, train: bool) -> None:
        result = ran(layer("BatchNorm"), arrays(), train=train)
        assert result.args["op_gamma"].tolist() == [1, 1]
        mean, var = (MEAN, VAR) if train else ([0.5, -0.5], [4, 0.25])
        wanted = (DATA - channels(mean)) / np.sqrt(channels(var) + 0.001) + channels([1, -1])
        np.testing.assert_allclose(result.out, wanted, rtol=1e-4, atol=1e-5)

    @pytest.mark.parametrize(("request_", "wanted"), [("write", [0, 0]), ("add", [5, 7])])
    def test_a_fixed_gamma_gets_no_gradient(self, request_: str, wanted: list[float]) -> None:
        result = ran(
            layer("BatchNorm"), arrays(), heads=[HEAD], request=request_, before={"op_gamma": single([5, 7])}
        )
        assert result.grads["op_gamma"].tolist() == wanted

    def test_the_output_var_is_the_inverse_root(self) -> None:
        node = layer("BatchNorm", output_mean_var=True)
        assert node.list_outputs() == ["op_output", "op_mean", "op_var"]
        outputs = ran(node, arrays()).outputs
        np.testing.assert_allclose(outputs[1], MEAN, rtol=1e-5)
        np.testing.assert_allclose(outputs[2], 1 / np.sqrt(VAR + 0.001), rtol=1e-5)
        predicted = ran(node, arrays(), train=False).outputs
        np.testing.assert_allclose(predicted[2], 1 / np.sqrt(single([4, 0.25]) + 0.001), rtol=1e-5)

    def test_the_first_version_shows_the_variance_itself(self) -> None:
        outputs = ran(layer("BatchNorm_v1", output_mean_var=True), arrays()).outputs
        np.testing.assert_allclose(outputs[2], VAR, rtol=1e-4)

    def test_a_large_mean_does_not_drown_the_variance(self) -> None:
        far = (DATA + 3000).astype(np.float32)
        outputs = ran(layer("BatchNorm", output_mean_var=True), arrays(data=far)).outputs
        np.testing.assert_allclose(outputs[2], 1 / np.sqrt(VAR + 0.001), rtol=2e-3)

    @pytest.mark.parametrize("axis", [0, 2, -1])
    def test_channels_may_be_on_any_axis(self, axis: int) -> None:
        turned = np.ascontiguousarray(np.moveaxis(DATA, 1, axis))
        out = ran(layer("BatchNorm", axis=axis), arrays(data=turned)).out
        plain = ran(layer("BatchNorm"), arrays()).out
        np.testing.assert_allclose(np.moveaxis(out, axis, 1), plain, rtol=1e-4, atol=1e-5)

    def test_half_precision_keeps_its_statistics_in_single(self) -> None:
        half, wide = np.dtype(np.float16), np.dtype(np.float32)
        ins, outs = BatchNorm().infer_types([half, None, None, None, None], [None] * 3)
        assert (list(ins), list(outs)) == ([half, *[wide] * 4], [half, wide, wide])
        given = arrays(data=DATA.astype(np.float16))
        result = ran(layer("BatchNorm", fix_gamma=False), given, heads=[HEAD.astype(np.float16)])
        exact = ran(layer("BatchNorm", fix_gamma=False), arrays(), heads=[HEAD])
        assert (result.out.dtype, result.grads["data"].dtype) == (half, half)
        np.testing.assert_allclose(result.grads["data"], exact.grads["data"], rtol=2e-2, atol=2e-2)

    def test_channels_follow_from_gamma_too(self) -> None:
        ins, outs = BatchNorm().infer([(0, 0, 9), (5,), (), (), ()], [(), (), ()])
        assert (ins[0], ins[4], outs[1]) == ((0, 5, 9), (5,), (5,))
        with pytest.raises(ShapeError, match="axis 4"):
            BatchNorm(axis=4).infer([(2, 3), (), (), (), ()], [(), (), ()])


class TestWithinSamples:
    def test_group_norm_has_a_gamma_per_group(self) -> None:
        assert GroupNorm(num_groups=2).infer([(5, 6, 3), (), ()], [()] * 3)[0][1] == (2,)
        with pytest.raises(ShapeError, match="6 channels"):
            GroupNorm(num_groups=4).infer([(5, 6, 3), (), ()], [()] * 3)

    @pytest.mark.parametrize(
        ("name", "settings", "scales", "over"),
        [
            ("LayerNorm", {}, 4, (2,)),
            ("LayerNorm", {"axis": 1}, 2, (1,)),
            ("GroupNorm", {"num_groups": 1}, 1, (1, 2)),
            ("InstanceNorm", {"eps": 1e-5}, 2, (2,)),
        ],
    )
    def test_every_run_has_mean_zero_and_variance_one(
        self, name: str, settings: Any, scales: int, over: tuple[int, ...]
    ) -> None:
        given = {
            "data": DATA,
            "op_gamma": np.ones(scales, np.float32),
            "op_beta": np.zeros(scales, np.float32),
        }
        out = ran(layer(name, **settings), given).out
        np.testing.assert_allclose(out.mean(axis=over), 0, atol=1e-5)
        np.testing.assert_allclose(out.var(axis=over), 1, rtol=1e-3)

    def test_layer_norm_shows_mean_and_deviation(self) -> None:
        node = layer("LayerNorm", output_mean_var=True)
        assert node.list_outputs() == ["op_output", "op_mean", "op_std"]
        given = {"data": DATA, "op_gamma": np.ones(4, np.float32), "op_beta": np.zeros(4, np.float32)}
        outputs = ran(node, given).outputs
        assert outputs[2].shape == (6, 2, 1)
        np.testing.assert_allclose(outputs[2], np.sqrt(DATA.var(axis=2, keepdims=True) + 1e-5), rtol=1e-5)


class TestLengths:
    @pytest.mark.parametrize(("mode", "over"), [("instance", (1, 2)), ("channel", (1,)), ("spatial", (2,))])
    def test_what_has_length_one(self, mode: str, over: tuple[int, ...]) -> None:
        out = ran(layer("L2Normalization", mode=mode), {"data": DATA}).out
        np.testing.assert_allclose(np.square(out).sum(axis=over), 1, rtol=1e-5)
        np.testing.assert_allclose(np.sign(out), np.sign(DATA))

    def test_spatial_needs_places(self) -> None:
        with pytest.raises(ShapeError, match="needs 3 axes"):
            L2Normalization(mode="spatial").infer([(2, 3)], [(), ()])

    def test_neighbours_at_the_edge_are_fewer(self) -> None:
        data = np.ones((1, 5, 1, 1), np.float32)
        out = ran(layer("LRN", nsize=3, alpha=3.0, beta=1.0, knorm=1.0), {"data": data}).out
        np.testing.assert_allclose(out.ravel(), [1 / 3, 1 / 4, 1 / 4, 1 / 4, 1 / 3], rtol=1e-6)

    def test_a_window_without_a_middle_still_has_its_gradient(self) -> None:
        data = RNG.normal(size=(1, 5, 1, 2))
        head = RNG.normal(size=data.shape)
        node = layer("LRN", nsize=4, alpha=2.0)
        grad = ran(node, {"data": data}, heads=[head]).grads["data"]
        way = RNG.normal(size=data.shape)
        ahead, behind = (ran(node, {"data": data + step * way}).out for step in (1e-6, -1e-6))
        np.testing.assert_allclose((grad * way).sum(), ((ahead - behind) * head).sum() / 2e-6, rtol=1e-5)

    def test_lrn_infers_any_axes_and_runs_three_or_four(self) -> None:
        assert LRN(nsize=3).infer([(2, 3)], [(), ()]) == (((2, 3),), ((2, 3), (2, 3)))
        data = np.ones((2, 3))
        with pytest.raises(ShapeError, match="3 or 4 axes"):
            LRN(nsize=3).forward_step([data], [data.copy(), data.copy()])


def test_variables_made_by_batch_norm_say_how_they_begin() -> None:
    node = sym.BatchNorm(Variable("x"), name="bn")
    begin = {name: attributes.get("__init__") for name, attributes in node.attr_dict().items()}
    assert (begin["bn_moving_mean"], begin["bn_moving_var"]) == ('["zero", {}]', '["one", {}]')

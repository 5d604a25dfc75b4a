"""Images looked up, enlarged, compared: samplers, grids, UpSampling, ROIPooling, Correlation."""

from typing import Any

import numpy as np
import pytest

from app.engine import Variable, sym
from app.engine.errors import ParameterError, ShapeError
from app.engine.operators.regions import Correlation
from app.engine.operators.spatial import GridGenerator
from app.engine.operators.upsampling import UpSampling
from tests.layer_runs import layer, ran, single

IMAGE = np.random.default_rng(0).normal(size=(1, 2, 4, 5))
STAY = np.array([[1.0, 0, 0, 0, 1, 0]])


def test_an_affine_map_that_changes_nothing_gives_the_image_back() -> None:
    node = sym.SpatialTransformer(
        Variable("data"),
        Variable("loc"),
        target_shape=(4, 5),
        transform_type="affine",
        sampler_type="bilinear",
    )
    np.testing.assert_allclose(ran(node, {"data": IMAGE, "loc": STAY}).out, IMAGE)
    mirror = ran(node, {"data": IMAGE, "loc": STAY * np.array([-1, 1, 1, 1, 1, 1])}).out
    np.testing.assert_allclose(mirror, IMAGE[..., ::-1], atol=1e-12)


def test_the_transformer_is_a_grid_and_a_sampler() -> None:
    loc = np.array([[0.7, 0.2, 0.1, -0.3, 0.8, 0.05]])
    settings: Any = {"target_shape": (3, 4), "transform_type": "affine"}
    whole = sym.SpatialTransformer(Variable("data"), Variable("loc"), sampler_type="bilinear", **settings)
    parts = sym.BilinearSampler(Variable("data"), sym.GridGenerator(Variable("loc"), **settings))
    head = [np.random.default_rng(1).normal(size=(1, 2, 3, 4))]
    one, two = (ran(net, {"data": IMAGE, "loc": loc}, heads=head) for net in (whole, parts))
    np.testing.assert_allclose(one.out, two.out)
    for name in ("data", "loc"):
        np.testing.assert_allclose(one.grads[name], two.grads[name])


def test_outside_the_image_there_are_zeros() -> None:
    grid = np.array(
        [[[[-3.0, 0.0]], [[0.0, 1.5]]]]
    )  # x beyond the left edge; y half a pixel below the bottom
    out = ran(sym.BilinearSampler(Variable("data"), Variable("grid")), {"data": IMAGE, "grid": grid}).out
    assert not out[0, :, 0, 0].any()
    np.testing.assert_allclose(out[0, :, 0, 1], 0.25 * IMAGE[0, :, 3, 2])


def test_a_warp_is_a_shift_in_pixels() -> None:
    flow = np.zeros((1, 2, 4, 5))
    flow[0, 0] = 1
    net = sym.BilinearSampler(Variable("data"), sym.GridGenerator(Variable("flow"), transform_type="warp"))
    out = ran(net, {"data": IMAGE, "flow": flow}).out
    np.testing.assert_allclose(out[..., :4], IMAGE[..., 1:], atol=1e-12)
    np.testing.assert_allclose(out[..., 4], 0, atol=1e-12)
    with pytest.raises(ParameterError, match="height and a width"):
        GridGenerator(transform_type="affine").check()


def test_nearest_repeats_pixels() -> None:
    node = sym.UpSampling(Variable("data"), scale=2, sample_type="nearest", name="op")
    result = ran(node, {"data": single([[[[1, 2]]]])}, heads=[np.ones((1, 1, 2, 4), np.float32)])
    assert result.out[0, 0].tolist() == [[1, 1, 2, 2]] * 2
    assert result.grads["data"].ravel().tolist() == [4, 4]


def test_several_images_are_brought_to_the_first_ones_size() -> None:
    node = UpSampling(scale=2, sample_type="nearest", num_args=2)
    ins, outs = node.infer([(3, 2, 4, 4), (0, 5, 8, 8)], [()])
    assert (ins[1], outs[0]) == ((3, 5, 8, 8), (3, 7, 8, 8))
    assert node.because("out", 0, 1, ins, outs) == "2 + 5"
    with pytest.raises(ShapeError, match="no multiple"):
        node.infer([(3, 2, 4, 4), (3, 5, 3, 8)], [()])
    with pytest.raises(ShapeError):
        UpSampling(scale=2, sample_type="nearest", num_args=2, multi_input_mode="sum").infer(
            [(3, 2, 4, 4), (3, 5, 8, 8)], [()]
        )


def test_bilinear_filters_are_made_as_such() -> None:
    node = sym.UpSampling(
        Variable("data"), scale=2, sample_type="bilinear", num_filter=2, num_args=2, name="up"
    )
    assert node.attr_dict()["up_weight"]["__init__"] == '["bilinear", {}]'
    assert node.infer_shape(data=(1, 2, 3, 3))[0][1] == (2, 1, 4, 4)
    with pytest.raises(ParameterError, match="num_filter"):
        UpSampling(scale=2, sample_type="bilinear", num_args=2).check()


def test_boxes_are_pooled_to_one_size() -> None:
    data = np.arange(32.0).reshape(1, 1, 4, 8)
    rois = np.array([[0, 0, 0, 7, 3], [0, 2, 1, 3, 1], [0, 20, 20, 30, 30]], float)
    node = sym.ROIPooling(Variable("data"), Variable("rois"), pooled_size=(2, 2), spatial_scale=1.0)
    result = ran(node, {"data": data, "rois": rois}, heads=[np.ones((3, 1, 2, 2))])
    assert result.out[0, 0].tolist() == [[11, 15], [27, 31]]
    assert result.out[1, 0].tolist() == [[10, 11], [10, 11]]
    assert not result.out[2].any()  # beyond the image
    assert result.grads["data"].sum() == 8
    assert result.grads["data"][0, 0, 1, 3] == 3
    assert not result.grads["rois"].any()


def test_correlation_finds_a_shift() -> None:
    first = np.random.default_rng(0).normal(size=(1, 8, 6, 6))
    second = np.roll(first, 1, axis=3)
    node = sym.Correlation(Variable("data1"), Variable("data2"), max_displacement=1, pad_size=1, name="op")
    out = ran(node, {"data1": first, "data2": second}).out
    assert out.shape == (1, 9, 6, 6)
    inside = out[0, :, 1:-1, 1:-1].mean(axis=(1, 2))
    assert inside.argmax() == 5  # one to the right
    np.testing.assert_allclose(inside[5], np.square(first[0, :, 1:-1, 1:-1]).mean(), rtol=1e-6)
    with pytest.raises(ParameterError, match="odd"):
        Correlation(kernel_size=2).check()
    with pytest.raises(ShapeError, match="no room"):
        Correlation(max_displacement=3).infer([(1, 1, 5, 5), ()], [()] * 3)


def test_layers_of_one_input_are_found_by_name() -> None:
    assert layer("GridGenerator", transform_type="warp").list_outputs() == ["op_output"]

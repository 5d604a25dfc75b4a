"""Images resized, regions averaged, bent and unrolled windows: what cases of single operators cannot say."""

from typing import Any

import numpy as np
import pytest

from app.engine import Variable, sym
from app.engine.errors import ShapeError
from app.engine.kernels import deformable, resizing
from app.engine.operators.aligning import PSROIPooling, ROIAlign
from app.engine.operators.deformable import DeformableConvolution, ModulatedDeformableConvolution
from app.engine.operators.resizing import AdaptiveAvgPooling2D, BilinearResize2D
from app.engine.operators.shifting import DeformablePSROIPooling
from app.engine.operators.unrolling import Col2im, Im2col
from tests.layer_runs import ran

RNG = np.random.default_rng(0)
DATA = RNG.normal(size=(2, 4, 6, 5))
BOX = [1.0, 1.0, 3.5, 4.0]


def variables(*names: str) -> dict[str, Any]:
    return {name: Variable(name) for name in names}


# Resizing ----------------------------------------------------------------------------------------------------------


def test_what_is_no_number_stays_where_it_is() -> None:
    holed = DATA.copy()
    holed[0, 0, 0, 0] = np.nan
    averages = sym.contrib.AdaptiveAvgPooling2D(Variable("data"), output_size=(3, 5))
    resized = sym.contrib.BilinearResize2D(Variable("data"), height=12, width=10)
    aligned = sym.contrib.ROIAlign(**variables("data", "rois"), pooled_size=(3, 3), spatial_scale=1)
    for net, arrays in (
        (averages, {"data": holed}),
        (resized, {"data": holed}),
        (aligned, {"data": holed, "rois": np.array([[0.0, 0, 0, 4, 5]])}),
    ):
        out = ran(net, arrays).out
        assert np.isnan(out[0, 0, 0, 0])
        assert np.isnan(out).sum() <= 9
        assert not np.isnan(out[0, 0, -1]).any()


def test_an_image_larger_than_a_piece_is_resized_channel_by_channel(monkeypatch: pytest.MonkeyPatch) -> None:
    net = sym.contrib.BilinearResize2D(Variable("data"), height=9, width=8)
    heads = [RNG.normal(size=(2, 4, 9, 8))]
    whole = ran(net, {"data": DATA}, heads=heads)
    monkeypatch.setattr(resizing, "PIECE", 100)
    parts = ran(net, {"data": DATA}, heads=heads)
    np.testing.assert_array_equal(parts.out, whole.out)
    np.testing.assert_array_equal(parts.grads["data"], whole.grads["data"])


def test_the_other_image_follows_from_the_size_of_the_result() -> None:
    ins, outs = BilinearResize2D(mode="like").infer([(1, 2, 3, 4), ()], [(0, 0, 5, 6)])
    assert (ins, outs) == (((1, 2, 3, 4), (0, 0, 5, 6)), ((1, 2, 5, 6),))


def test_sizes_have_reasons() -> None:
    assert (
        AdaptiveAvgPooling2D(output_size=(3,)).because("out", 0, 2, [(1, 1, 6, 6)], []) == "output_size = 3×3"
    )
    scaled = BilinearResize2D(mode="odd_scale", scale_height=0.5, scale_width=2.0)
    assert scaled.because("out", 0, 3, [(1, 1, 5, 4)], [(1, 1, 3, 8)]) == "4 · 2"
    bent = DeformableConvolution(kernel=(3, 2), num_filter=4, num_deformable_group=2)
    ins, outs = bent.infer([(1, 4, 5, 5), (), (), ()], [()])
    assert ins[1] == (1, 24, 3, 4)
    assert bent.because("in", 1, 1, ins, outs) == "2 · window of 3×2 · 2 parts"
    assert bent.because("out", 0, 2, ins, outs).startswith("kernel 3, stride 1")
    assert (
        Im2col(kernel=(3, 2)).because("out", 0, 1, [(1, 4, 5, 5)], [(1, 24, 12)])
        == "channels · window of 3×2"
    )


@pytest.mark.parametrize(
    ("node", "shapes", "words"),
    [
        (BilinearResize2D(mode="to_even_down"), [(1, 1, 1, 4)], "a side of 1 would become 0"),
        (BilinearResize2D(scale_height=1e9, scale_width=1.0), [(1, 1, 4, 4)], "between 1 and 32767"),
        (PSROIPooling(spatial_scale=1, output_dim=2, pooled_size=3), [(1, 17, 4, 4), ()], "make 18"),
        (Im2col(kernel=(2, 2)), [()], ""),
    ],
)
def test_impossible_sizes_are_refused(node: Any, shapes: list[Any], words: str) -> None:
    if not words:  # what nothing is known of is refused only once the result contradicts the window
        with pytest.raises(ShapeError, match="no multiple of the 4 places"):
            node.infer(shapes, [(1, 6, 9)])
        return
    with pytest.raises(ShapeError, match=words):
        node.infer(shapes, [()])


# Regions -----------------------------------------------------------------------------------------------------------


def pooled(name: str) -> Any:
    if name == "ROIAlign":
        return sym.contrib.ROIAlign(**variables("data", "rois"), pooled_size=(2, 2), spatial_scale=1)
    settings: Any = {"spatial_scale": 1, "output_dim": 1, "pooled_size": 2, "group_size": 2}
    if name == "PSROIPooling":
        return sym.contrib.PSROIPooling(**variables("data", "rois"), **settings)
    return sym.contrib.DeformablePSROIPooling(**variables("data", "rois"), no_trans=True, **settings)


@pytest.mark.parametrize("name", ["ROIAlign", "PSROIPooling", "DeformablePSROIPooling"])
def test_a_box_on_an_image_that_is_not_there_is_zero(name: str) -> None:
    rois = np.array([[-1, *BOX], [1, *BOX], [2, *BOX], [np.nan, *BOX]])
    channels = 4 if name == "ROIAlign" else 1
    result = ran(pooled(name), {"data": DATA, "rois": rois}, heads=[np.ones((4, channels, 2, 2))])
    assert result.out[1].all()
    assert not result.out[[0, 2, 3]].any()
    assert result.grads["data"][1].any()
    assert not result.grads["data"][0].any()
    assert not result.grads["rois"].any()


def test_a_box_beyond_all_measure_takes_no_memory() -> None:
    rois = np.array([[0, -1e9, -1e9, 1e9, 1e30], [0, np.nan, 0, 3, np.inf]])
    with np.errstate(all="ignore"):
        out = ran(pooled("ROIAlign"), {"data": DATA, "rois": rois}).out
    assert out.shape == (2, 4, 2, 2)


def test_shifts_come_in_pairs_for_equal_parts_of_the_result() -> None:
    node = DeformablePSROIPooling(spatial_scale=1, output_dim=4, group_size=1, pooled_size=3, part_size=2)
    ins, outs = node.infer([(1, 4, 5, 5), (), (7, 0, 0, 0)], [(), ()])
    assert (ins[1], ins[2], outs[0]) == ((7, 5), (7, 0, 2, 2), (7, 4, 3, 3))
    for channels in (3, 6):
        with pytest.raises(ShapeError, match=f"trans has {channels} channels"):
            node.infer([(1, 4, 5, 5), (), (7, channels, 2, 2)], [(), ()])


def test_points_of_a_cell_are_counted_on_the_card() -> None:
    assert ROIAlign(pooled_size=(7, 7), spatial_scale=1, sample_ratio=2).summary() == "7×7 · 2×2 points"


# Bent windows ------------------------------------------------------------------------------------------------------


def bent_arrays(moved: float) -> dict[str, Any]:
    """Make arrays of a layer on DATA whose places are moved inwards by less than a pixel."""
    return {
        "data": DATA,
        "offset": RNG.uniform(0, moved, (2, 18, 4, 3)),
        "mask": np.ones((2, 9, 4, 3)),
        "weight": RNG.normal(size=(4, 4, 3, 3)),
        "bias": RNG.normal(size=4),
    }


def bent(*, masked: bool) -> Any:
    settings: Any = {"kernel": (3, 3), "num_filter": 4}
    if masked:
        ports = variables("data", "offset", "mask", "weight", "bias")
        return sym.contrib.ModulatedDeformableConvolution(**ports, **settings)
    return sym.contrib.DeformableConvolution(**variables("data", "offset", "weight", "bias"), **settings)


@pytest.mark.parametrize("masked", [False, True])
def test_windows_that_stay_where_they_are_convolve(masked: bool) -> None:
    arrays = bent_arrays(0)
    names = ("data", "offset", "mask", "weight", "bias") if masked else ("data", "offset", "weight", "bias")
    heads = [RNG.normal(size=(2, 4, 4, 3))]
    got = ran(bent(masked=masked), {name: arrays[name] for name in names}, heads=heads)
    plain = sym.Convolution(**variables("data", "weight", "bias"), kernel=(3, 3), num_filter=4)
    wanted = ran(plain, {name: arrays[name] for name in ("data", "weight", "bias")}, heads=heads)
    np.testing.assert_allclose(got.out, wanted.out)
    for name, gradient in wanted.grads.items():
        np.testing.assert_allclose(got.grads[name], gradient)


def test_a_full_mask_changes_nothing_inside_the_image() -> None:
    arrays, heads = bent_arrays(0.9), [RNG.normal(size=(2, 4, 4, 3))]
    arrays["offset"][:, :, -1] = arrays["offset"][:, :, :, -1] = 0  # the last windows touch the edge
    masked = ran(bent(masked=True), arrays, heads=heads)
    plain = ran(bent(masked=False), {n: a for n, a in arrays.items() if n != "mask"}, heads=heads)
    np.testing.assert_allclose(masked.out, plain.out)
    for name in ("data", "weight", "bias"):
        np.testing.assert_allclose(masked.grads[name], plain.grads[name])


def test_pieces_of_positions_give_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    arrays, heads = bent_arrays(3), [RNG.normal(size=(2, 4, 4, 3))]
    whole = ran(bent(masked=True), arrays, heads=heads)
    monkeypatch.setattr(deformable, "COLUMNS", 200)
    parts = ran(bent(masked=True), arrays, heads=heads)
    np.testing.assert_allclose(parts.out, whole.out)
    for name, gradient in whole.grads.items():
        np.testing.assert_allclose(parts.grads[name], gradient, err_msg=name)


def test_a_batch_must_fall_into_steps() -> None:
    node = ModulatedDeformableConvolution(kernel=(1, 1), num_filter=1, im2col_step=2)
    with pytest.raises(ShapeError, match="no multiple of im2col_step 2"):
        node.infer([(3, 1, 4, 4), (), (), (), ()], [()])


# Unrolled windows --------------------------------------------------------------------------------------------------


def test_filters_times_unrolled_windows_are_a_convolution() -> None:
    weight = RNG.normal(size=(3, 4, 3, 2))
    settings: Any = {"kernel": (3, 2), "stride": (2, 1), "pad": (1, 0)}
    columns = ran(sym.im2col(Variable("data"), **settings), {"data": DATA}).out
    plain = sym.Convolution(**variables("data", "weight"), num_filter=3, no_bias=True, **settings)
    wanted = ran(plain, {"data": DATA, "weight": weight}).out
    np.testing.assert_allclose((weight.reshape(3, -1) @ columns).reshape(wanted.shape), wanted)


def test_what_is_unrolled_and_folded_counts_the_windows() -> None:
    settings: Any = {"kernel": (2,), "stride": (1,)}
    net = sym.col2im(sym.im2col(Variable("data"), **settings), output_size=(4,), **settings)
    assert ran(net, {"data": np.ones((1, 1, 4))}).out.tolist() == [[[1, 2, 2, 1]]]
    assert Col2im(kernel=(2,), output_size=(4,)).infer([(3, 10, 3)], [()])[1] == ((3, 5, 4),)


# Several devices ---------------------------------------------------------------------------------------------------


def test_one_device_normalises_as_any_layer() -> None:
    arrays = {"data": DATA, "gamma": RNG.normal(size=4), "beta": RNG.normal(size=4)}
    states = {"moving_mean": np.zeros(4), "moving_var": np.ones(4)}
    ports = variables(*arrays, *states)
    heads = [RNG.normal(size=DATA.shape)]
    shared = ran(
        sym.contrib.SyncBatchNorm(**ports, key="a", fix_gamma=False), {**arrays, **states}, heads=heads
    )
    plain = ran(sym.BatchNorm(**ports, fix_gamma=False), {**arrays, **states}, heads=heads)
    np.testing.assert_allclose(shared.out, plain.out)
    for name in arrays:
        np.testing.assert_allclose(shared.grads[name], plain.grads[name], atol=1e-12)
    shown = sym.contrib.SyncBatchNorm(**ports, key="a", output_mean_var=True)
    np.testing.assert_allclose(ran(shown, {**arrays, **states}).outputs[2], DATA.var(axis=(0, 2, 3)))

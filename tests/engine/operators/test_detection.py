"""Detectors: anchors, targets, suppression of doubles, proposals."""

from typing import Any

import numpy as np
import pytest

from app.engine import Variable, sym
from app.engine.errors import ParameterError, ShapeError
from app.engine.kernels import boxes as kernels
from app.engine.operators.detection import MultiBoxPrior, MultiBoxTarget
from app.engine.operators.proposals import Proposal
from tests.layer_runs import ran


def test_overlap_is_intersection_over_union() -> None:
    one = np.array([0.0, 0, 2, 2])
    others = np.array([[0.0, 0, 2, 2], [1, 1, 3, 3], [2, 2, 3, 3], [5, 5, 5, 5]])
    np.testing.assert_allclose(kernels.overlaps(one, others), [1, 1 / 7, 0, 0])
    np.testing.assert_allclose(kernels.overlaps(one, others[2], border=1), 1 / (9 + 4 - 1))


def test_decoding_undoes_encoding() -> None:
    rng = np.random.default_rng(0)
    low = rng.uniform(0, 1, (2, 5, 2))
    anchors, boxes = np.concatenate([low, low + rng.uniform(0.1, 1, (2, 5, 2))], axis=2)
    variances = (0.1, 0.2, 0.3, 0.4)
    np.testing.assert_allclose(
        kernels.decode(anchors, kernels.encode(anchors, boxes, variances), variances), boxes
    )


def test_anchors_have_all_sizes_and_then_the_other_ratios() -> None:
    node = sym._contrib_MultiBoxPrior(Variable("data"), sizes=(0.5, 0.25), ratios=(1.0, 4.0), name="op")
    out = ran(node, {"data": np.zeros((1, 3, 2, 2), np.float32)}).out
    assert out.shape == (1, 2 * 2 * 3, 4)
    np.testing.assert_allclose(out[0, 0], [0, 0, 0.5, 0.5])
    np.testing.assert_allclose(out[0, 1], [0.125, 0.125, 0.375, 0.375])
    np.testing.assert_allclose(out[0, 2], [-0.25, 0.125, 0.75, 0.375])
    np.testing.assert_allclose(out[0, 3], [0.5, 0, 1, 0.5])
    with pytest.raises(ParameterError):
        MultiBoxPrior(steps=(1.0,)).check()


ANCHORS = np.array([[[0, 0, 0.4, 0.4], [0.1, 0.1, 0.5, 0.5], [0.6, 0.6, 1, 1], [0, 0.8, 0.1, 0.9]]])


def targets(label: Any, **settings: Any) -> Any:
    node = sym._contrib_MultiBoxTarget(
        Variable("anchor"), Variable("label"), Variable("scores"), name="op", **settings
    )
    scores = np.zeros((1, 3, 4))
    scores[0, 0] = [0, 0, 0, 5]  # sure that the last anchor is background
    return ran(node, {"anchor": ANCHORS, "label": np.array([label], float), "scores": scores}).outputs


def test_every_label_gets_its_best_anchor_and_anchors_take_what_they_overlap() -> None:
    label = [[1, 0.1, 0.1, 0.5, 0.5], [0, 0.9, 0.9, 1, 1], [-1, 0, 0, 0, 0]]
    shifts, counts, classes = targets(label, overlap_threshold=0.35)
    assert classes.tolist() == [[2, 2, 1, 0]]  # 0 is background; class numbers move up by one
    assert counts.reshape(4, 4).any(axis=1).tolist() == [True, True, True, False]
    np.testing.assert_allclose(shifts.reshape(4, 4)[0], [0.25 / 0.1, 0.25 / 0.1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(shifts.reshape(4, 4)[1], 0, atol=1e-12)


def test_only_the_hardest_backgrounds_count() -> None:
    _, _, classes = targets([[1, 0.1, 0.1, 0.5, 0.5]], negative_mining_ratio=1.0)
    assert classes.tolist() == [[0, 2, -1, -1]]


def test_without_labels_no_anchor_counts() -> None:
    shifts, counts, classes = targets([[-1, 0, 0, 0, 0]], ignore_label=-7.0)
    assert not shifts.any()
    assert not counts.any()
    assert classes.tolist() == [[-7] * 4]


def test_detection_sorts_and_leaves_doubles_out() -> None:
    chances = np.array([[[0.1] * 4, [0.6, 0.8, 0.3, 0.005], [0.2, 0.1, 0.6, 0.001]]])
    node = sym._contrib_MultiBoxDetection(
        Variable("chances"), Variable("shifts"), Variable("anchor"), nms_threshold=0.3, name="op"
    )
    given = {"chances": chances, "shifts": np.zeros((1, 16)), "anchor": ANCHORS}
    rows = ran(node, given).out[0]
    assert rows[:, 0].tolist() == [0, -1, 1, -1]
    np.testing.assert_allclose(rows[:3, 1], [0.8, 0.6, 0.6])
    np.testing.assert_allclose(rows[0, 2:], ANCHORS[0, 1])
    assert rows[3].tolist() == [-1] * 6  # below the threshold


def test_gradients_follow_the_boxes_that_are_left() -> None:
    rows = np.array([[0, 0.5, 0, 0, 1, 1], [0, 0.9, 0, 0, 1, 1.1], [1, 0.8, 5, 5, 6, 6]], float)
    node = sym._contrib_box_nms(Variable("data"), id_index=0, name="op")
    assert node.list_outputs() == ["op_output0"]
    head = np.arange(18.0).reshape(3, 6) + 1
    result = ran(node, {"data": rows}, heads=[head])
    np.testing.assert_allclose(result.out, [rows[1], rows[2], [-1] * 6])
    np.testing.assert_allclose(result.grads["data"], [[0] * 6, head[0], head[1]])


def test_classes_matter_unless_suppression_is_forced() -> None:
    rows = np.array([[0, 0.5, 0, 0, 1, 1], [1, 0.9, 0, 0, 1, 1]], float)
    for forced, left in ((False, 2), (True, 1)):
        node = sym._contrib_box_nms(Variable("data"), id_index=0, force_suppress=forced)
        assert (ran(node, {"data": rows}).out[:, 1] > 0).sum() == left


def test_proposals_stay_in_the_image_and_repeat_to_their_number() -> None:
    node = Proposal(scales=(2.0,), ratios=(1.0,), rpn_post_nms_top_n=5, rpn_min_size=4, feature_stride=16)
    symbol = sym._contrib_Proposal(
        Variable("scores"),
        Variable("moves"),
        Variable("info"),
        scales=(2.0,),
        ratios=(1.0,),
        rpn_post_nms_top_n=5,
        rpn_min_size=4,
    )
    scores = np.zeros((1, 2, 2, 2))
    scores[0, 1] = [[0.1, 0.9], [0.3, 0.2]]
    given = {"scores": scores, "moves": np.zeros((1, 4, 2, 2)), "info": np.array([[32.0, 32, 1]])}
    out = ran(symbol, given).out
    assert out.shape == (5, 5)
    assert out[0].tolist() == [0, 8, 0, 31, 23]
    assert out[4].tolist() == out[0].tolist()
    with pytest.raises(ShapeError):
        node.infer([(2, 2, 4, 4), (), ()], [(), ()])


def test_a_row_of_label_has_at_least_five_numbers() -> None:
    with pytest.raises(ShapeError, match="needs 5"):
        MultiBoxTarget().infer([(1, 6, 4), (2, 3, 4), ()], [(), (), ()])


def test_suppression_leaves_rows_of_the_background_out_and_looks_at_none_with_topk_0() -> None:
    rows = np.array([[-1, 0.9, 0, 0, 1, 1], [0, 0.5, 0, 0, 1, 1], [0, 0.8, 2, 2, 3, 3]], np.float32)
    best = ran(sym._contrib_box_nms(Variable("x"), id_index=0, name="op"), {"x": rows}).out
    np.testing.assert_array_equal(best, [rows[2], rows[1], [-1] * 6])
    same = ran(sym._contrib_box_nms(Variable("x"), id_index=0, topk=0, name="op"), {"x": rows}).out
    np.testing.assert_array_equal(same, rows)


def test_anchors_look_at_the_third_and_fourth_axis() -> None:
    prior = sym.contrib.MultiBoxPrior(Variable("x"), sizes=(0.5, 0.3), ratios=(1, 2))
    flat = prior.bind({"x": np.zeros((1, 2, 3, 4), np.float32)}).forward()[0].copy()
    deep = prior.bind({"x": np.zeros((1, 2, 3, 4, 5, 6), np.float32)}).forward()[0]
    np.testing.assert_array_equal(deep, flat)  # as MXNet 1.9.1 has it
    with pytest.raises(ShapeError, match="expected batch, channels, height and width, but got"):
        prior.infer_shape(x=(1, 2, 3))

"""Region proposals: the boxes in which a detector looks for objects."""

from typing import Any, ClassVar

import attrs
import numpy as np

from app.engine.examples import Domain, Example
from app.engine.kernels import boxes as kernels
from app.engine.kernels.steps import Step
from app.engine.operator import Array, Arrays, GradientKind, Port, operator
from app.engine.operators.prepared import Prepared
from app.engine.params import param
from app.engine.shapes import Inferred, Shapes, merge
from app.engine.work_space import Work


@attrs.frozen(kw_only=True)
class Proposing(Prepared):
    """What the two have in common: they score anchors at every cell, move them, and keep the best."""

    kinds = "f"

    rpn_pre_nms_top_n: int = param(
        default=6000, low=1, doc="How many of the best boxes go on to suppression."
    )
    rpn_post_nms_top_n: int = param(default=300, low=1, doc="How many boxes every image gives.")
    threshold: float = param(default=0.7, doc="Overlap above which a weaker box is a double.")
    rpn_min_size: int = param(default=16, doc="Smallest side of a box in the unscaled image.")
    scales: tuple[float, ...] = param(default=(4.0, 8.0, 16.0, 32.0), doc="Sizes of anchors, in cells.")
    ratios: tuple[float, ...] = param(default=(0.5, 1.0, 2.0), doc="Heights of anchors over their widths.")
    feature_stride: int = param(default=16, doc="Pixels from cell to cell.")
    output_score: bool = param(default=False, doc="Give the scores as a further output.")
    iou_loss: bool = param(default=False, advanced=True, doc="Predictions move the corners themselves.")

    most_images: ClassVar[int] = 0
    """How many images one call takes; 0 for any number."""

    @property
    def inputs(self) -> tuple[Port, ...]:
        """Scores (background, then objects), predicted moves, and height, width and scale of every image."""
        return Port("cls_prob"), Port("bbox_pred"), Port("im_info")

    @property
    def outputs(self) -> tuple[str, ...]:
        """Rows (image, left, top, right, bottom), and their scores if wanted."""
        return ("output", "score") if self.output_score else ("output",)

    @property
    def hidden(self) -> tuple[str, ...]:
        """The scores, unless they are an output."""
        return () if self.output_score else ("score",)

    def gradient_kind(self, index: int) -> GradientKind:
        """Nothing flows back."""
        return "zero"

    @property
    def _kinds(self) -> int:
        return len(self.scales) * len(self.ratios)

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Every image gives a fixed number of boxes."""
        scores = merge((self.most_images, 2 * self._kinds, 0, 0), ins[0], "cls_prob")
        moves = merge((scores[0], 4 * self._kinds, *scores[2:]), ins[1], "bbox_pred")
        info = merge((moves[0], 3), ins[2], "im_info")
        count = info[0] * self.rpn_post_nms_top_n
        scores = (info[0], scores[1], *moves[2:])
        result = merge((count, 5), outs[0], "output")
        return (scores, (info[0], *moves[1:]), info), (result, (result[0], 1))

    def _anchors(self) -> Array:
        """Return the boxes of all kinds around the first cell, rounded to pixels as in MXNet."""
        side = float(self.feature_stride)
        middle = 0.5 * (side - 1)
        found = []
        for ratio in self.ratios:
            width = np.floor(np.sqrt(np.floor(side * side / ratio)) + 0.5)
            height = np.floor(width * ratio + 0.5)
            for scale in self.scales:
                half = 0.5 * (np.array([width, height]) * scale - 1)
                found.append([*(middle - half), *(middle + half)])
        return np.array(found)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Propose image by image."""
        count = self.rpn_post_nms_top_n

        def run() -> None:
            for number in range(ins[0].shape[0]):
                boxes, scores = self._propose(*(array[number] for array in ins))
                rows = slice(number * count, (number + 1) * count)
                outs[0][rows, 0] = number
                outs[0][rows, 1:] = boxes
                outs[1][rows, 0] = scores

        return run

    def _propose(self, scores: Array, moves: Array, info: Array) -> tuple[Array, Array]:
        """Return the boxes of one image and their scores, repeated where there are too few."""
        height, width = scores.shape[1:]
        down, across = np.mgrid[:height, :width] * self.feature_stride
        shift = np.stack([across, down, across, down], axis=-1)[:, :, None, :]
        anchors = (shift + self._anchors()).astype(scores.dtype)
        predicted = np.moveaxis(moves.reshape(self._kinds, 4, height, width), (2, 3), (0, 1))
        boxes = self._moved(anchors, predicted)
        boxes = np.maximum(np.minimum(boxes, np.array([info[1], info[0], info[1], info[0]]) - 1), 0)
        chances = np.moveaxis(scores[self._kinds :], 0, -1).copy()
        chances[int(info[0] / self.feature_stride) :] = -1  # cells beyond the image's own part of the batch
        chances[:, int(info[1] / self.feature_stride) :] = -1
        boxes, chances = boxes.reshape(-1, 4), chances.reshape(-1)
        least = self.rpn_min_size * info[2]
        small = ((boxes[:, 2:] - boxes[:, :2] + 1) < least).any(axis=1)
        boxes[small] += np.array([-1, -1, 1, 1], boxes.dtype) * (least / 2)
        chances[small] = -1
        order = np.argsort(-chances, kind="stable")[: self.rpn_pre_nms_top_n]
        rules = kernels.Suppression(self.threshold, border=1.0)
        left = order[kernels.suppress(boxes[order], order, rules)][: self.rpn_post_nms_top_n]
        chosen = left[np.arange(self.rpn_post_nms_top_n) % len(left)]
        return boxes[chosen], chances[chosen]

    def _moved(self, anchors: Array, moves: Array) -> Array:
        """Return anchors moved as predicted."""
        if self.iou_loss:
            return np.asarray(anchors + moves)
        size = anchors[..., 2:] - anchors[..., :2] + 1
        middle = anchors[..., :2] + 0.5 * (size - 1)
        moved = moves[..., :2] * size + middle
        half = 0.5 * (np.exp(moves[..., 2:]) * size - 1)
        return np.concatenate([moved - half, moved + half], axis=-1)

    def summary(self) -> str:
        """Return how many boxes go on and come out."""
        return f"{self.rpn_pre_nms_top_n} → {self.rpn_post_nms_top_n}"


_SMALL: dict[str, Any] = {
    "rpn_pre_nms_top_n": 12,
    "rpn_post_nms_top_n": 4,
    "scales": (2.0,),
    "ratios": (0.5, 1.0),
    "rpn_min_size": 4,
}
_DOMAINS = {"im_info": Domain(40, 60), "cls_prob": Domain(0, 1), "bbox_pred": Domain(-0.2, 0.2)}


@operator(name="_contrib_Proposal", category="Detection")
class Proposal(Proposing):
    """Propose boxes in one image: anchors at every cell, moved as predicted, the best without their doubles."""

    work = Work(keeps=0.1, takes=8, keeps_back=0.2)

    most_images = 1
    examples = (Example({"cls_prob": (1, 4, 3, 4), "bbox_pred": (1, 8, 3, 4)}, domains=_DOMAINS, **_SMALL),)


@operator(name="_contrib_MultiProposal", category="Detection")
class MultiProposal(Proposing):
    """Propose boxes in several images: anchors at every cell, moved as predicted, the best without their doubles."""

    work = Work(keeps=0.1, takes=4.1, keeps_back=0.2)

    examples = (
        Example({"cls_prob": (2, 4, 3, 4), "bbox_pred": (2, 8, 3, 4)}, domains=_DOMAINS, **_SMALL),
        Example({"cls_prob": (2, 4, 3, 4)}, domains=_DOMAINS, output_score=True, **_SMALL),
    )

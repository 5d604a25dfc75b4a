"""Operators of object detectors: anchors, their targets, and the boxes that are left in the end."""

from math import sqrt

import numpy as np

from app.engine.errors import ShapeError
from app.engine.examples import Domain, Example
from app.engine.kernels import boxes as kernels
from app.engine.kernels.steps import Step
from app.engine.operator import Array, Arrays, CodeNames, GradientKind, Port, operator, refuse
from app.engine.operators.without_gradient import ClearedGradient
from app.engine.params import param
from app.engine.shapes import Inferred, Shapes, element_count, merge, text
from app.engine.work_space import Work, WorkSpace

_VARIANCES = (0.1, 0.1, 0.2, 0.2)


@operator(name="_contrib_MultiBoxPrior", category="Detection")
class MultiBoxPrior(ClearedGradient):
    """Place anchor boxes around every cell of an image: all sizes with the first ratio, then all other ratios."""

    work = Work(keeps=4.3, takes=3.5, takes_back=3.5)
    runs_back_in_vain = True

    sizes: tuple[float, ...] = param(default=(1.0,), doc="Heights of the boxes, as shares of the image.")
    ratios: tuple[float, ...] = param(default=(1.0,), doc="Widths over heights.")
    clip: bool = param(default=False, doc="Cut boxes at the image's edge.")
    steps: tuple[float, ...] = param(default=(-1.0, -1.0), doc="Step down and across; one cell if negative.")
    offsets: tuple[float, ...] = param(
        default=(0.5, 0.5), doc="Where the middle lies in a cell, down and across."
    )

    examples = (
        Example({"data": (1, 3, 2, 3)}, sizes=(0.5, 0.25), ratios=(1.0, 2.0, 0.5)),
        Example({"data": (2, 1, 2, 2)}, sizes=(1.2,), clip=True, steps=(0.3, 0.4), offsets=(0.0, 0.5)),
    )

    def check(self) -> None:
        """Refuse steps and offsets that are no pairs."""
        for name in ("steps", "offsets"):
            refuse(len(getattr(self, name)) != 2, f"{name} must be two numbers: down and across.", port=name)
        refuse(
            not self.sizes or not self.ratios, "sizes and ratios need at least one number each.", port="sizes"
        )

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """There is a box per cell, size and further ratio."""
        data = ins[0] or (0, 0, 0, 0)
        if len(data) < 4:
            raise ShapeError(
                f"expected batch, channels, height and width, but got {text(data)}.", port="data"
            )
        number = data[2] * data[3] * (len(self.sizes) + len(self.ratios) - 1)
        return (data,), (merge((1, number, 4), outs[0], "output"),)

    def scratch(self, ins: Shapes, outs: Shapes, *, gradients: bool) -> WorkSpace:
        """Count by the anchors: of the data only its height and width matter."""
        return self.work.beside(element_count(outs[0]), gradients=gradients)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Make the boxes once; they depend on nothing but the size."""
        height, width = ins[0].shape[2:4]
        steps, offsets = np.array(self._steps(height, width)), np.array(self.offsets)
        boxes = kernels.prior_boxes((height, width), self._halves(height, width), steps, offsets)
        if self.clip:
            boxes = np.clip(boxes, 0, 1)
        made = boxes.reshape(outs[0].shape)
        return lambda: np.copyto(outs[0], made, casting="same_kind")

    def _halves(self, height: int, width: int) -> list[tuple[float, float]]:
        """Return half the width and height of every box of a cell."""
        first, size = sqrt(self.ratios[0]), self.sizes[0]
        found = [(each * height / width * first / 2, each / first / 2) for each in self.sizes]
        roots = map(sqrt, self.ratios[1:])
        return found + [(size * height / width * root / 2, size / root / 2) for root in roots]

    def _steps(self, height: int, width: int) -> tuple[float, ...]:
        """Return how far one cell is from the next, down and across."""
        return self.steps if min(self.steps) > 0 else (1 / height, 1 / width)

    def _settings(self, n: CodeNames) -> str:
        sizes = n.in_shapes[0][2:4]
        return f"{sizes[0]}, {sizes[1]}, {self._halves(*sizes)}, {self._steps(*sizes)}, {self.offsets}, {self.clip}"

    def numpy_code(self, n: CodeNames) -> list[str]:
        """Call the part `anchor_boxes`."""
        return [f"{n.outs[0]} = anchor_boxes({self._settings(n)}).astype(np.{n.dtype})"]

    def torch_code(self, n: CodeNames) -> list[str]:
        """Call the part `anchor_boxes`."""
        return [f"{n.outs[0]} = anchor_boxes({self._settings(n)}, torch.{n.dtype})"]

    def summary(self) -> str:
        """Return how many boxes a cell has."""
        return f"{len(self.sizes) + len(self.ratios) - 1} per cell"


@operator(name="_contrib_MultiBoxTarget", category="Detection")
class MultiBoxTarget(ClearedGradient):
    """Give every anchor its target: the class of the labelled box that it overlaps, and how that differs from it.

    A row of label is (class, left, top, right, bottom), or −1 where there are no more.
    """

    work = Work(keeps=0.3, keeps_back=1.3)

    overlap_threshold: float = param(default=0.5, doc="Overlap from which an anchor takes a label.")
    ignore_label: float = param(default=-1.0, doc="Target of anchors that do not count.")
    negative_mining_ratio: float = param(
        default=-1.0, doc="Background anchors per labelled one; all if negative."
    )
    negative_mining_thresh: float = param(default=0.5, doc="Overlap below which an anchor may be background.")
    minimum_negative_samples: int = param(
        default=0, advanced=True, doc="Kept in files; MXNet does not look at it either."
    )
    variances: tuple[float, ...] = param(default=_VARIANCES, doc="What the differences are divided by.")

    examples = (
        Example(
            {"anchor": (1, 6, 4), "label": (2, 2, 5), "cls_pred": (2, 3, 6)},
            domains={"anchor": Domain(0, 0, whole=True), "label": Domain(-1, -1, whole=True)},
        ),
    )

    @property
    def inputs(self) -> tuple[Port, ...]:
        """Anchors, labelled boxes, and what the network says of every anchor."""
        return Port("anchor"), Port("label", "label"), Port("cls_pred")

    @property
    def outputs(self) -> tuple[str, ...]:
        """Differences, which of them count, and classes."""
        return "loc_target", "loc_mask", "cls_target"

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Everything follows from the anchors and the batch."""
        anchor = merge((1, 0, 4), ins[0], "anchor")
        label = merge((0, 0, 0), ins[1], "label")
        if label[2] and label[2] < 5:
            raise ShapeError(f"a row of label needs 5 numbers, but it has {label[2]}.", port="label")
        scores = merge((label[0], 0, anchor[1]), ins[2], "cls_pred")
        batch, number = scores[0], scores[2]
        long, short = (batch, 4 * number), (batch, number)
        found = [merge(shape, out) for shape, out in zip((long, long, short), outs, strict=True)]
        return ((1, number, 4), (batch, *label[1:]), scores), tuple(found)

    def gradient_kind(self, index: int) -> GradientKind:
        """Only what the network says gets zeros; the other buffers are left as they are."""
        return "cleared" if index == 2 else "untouched"

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Match sample by sample."""
        rules = kernels.Matching(
            self.overlap_threshold,
            self.negative_mining_ratio,
            self.negative_mining_thresh,
            self.variances,
        )

        def run() -> None:
            anchors, labels, scores = ins[0][0], ins[1], ins[2]
            outs[0].fill(0)
            outs[1].fill(0)
            outs[2].fill(self.ignore_label)
            for sample, rows in enumerate(labels):
                ended = rows[:, 0] == -1
                label = rows[: int(ended.argmax()) if ended.any() else len(rows)]
                if len(label) == 0:
                    continue
                state, chosen = kernels.match(anchors, label, scores[sample], rules)
                named = state == 1
                outs[2][sample][state == 0] = 0
                outs[2][sample][named] = label[chosen[named], 0] + 1
                shifts = kernels.encode(anchors[named], label[chosen[named], 1:5], self.variances)
                outs[0][sample].reshape(-1, 4)[named] = shifts
                outs[1][sample].reshape(-1, 4)[named] = 1

        return run

    def summary(self) -> str:
        """Return the overlap."""
        return f"overlap {self.overlap_threshold:g}"


@operator(name="_contrib_MultiBoxDetection", category="Detection")
class MultiBoxDetection(ClearedGradient):
    """Turn predictions per anchor into boxes, best first, without weaker doubles.

    A row is (class, chance, left, top, right, bottom); the class is −1 where there is none.
    """

    work = Work(keeps=0.2, takes=6.3, keeps_back=0.5)
    runs_back_in_vain = True

    clip: bool = param(default=True, doc="Cut boxes at the image's edge.")
    threshold: float = param(default=0.01, doc="Smallest chance of a box.")
    background_id: int = param(default=0, doc="The class that is background.")
    nms_threshold: float = param(default=0.5, doc="Overlap from which a weaker box is a double.")
    force_suppress: bool = param(default=False, doc="Boxes of other classes are doubles too.")
    variances: tuple[float, ...] = param(
        default=_VARIANCES, doc="What predicted differences are multiplied with."
    )
    nms_topk: int = param(default=-1, doc="How many of the best go on; all if negative.")

    examples = (
        Example(
            {"cls_prob": (2, 3, 5), "loc_pred": (2, 20), "anchor": (1, 5, 4)},
            domains={"cls_prob": Domain(0.1, 0.9), "anchor": Domain(0, 0, whole=True)},
        ),
    )

    @property
    def inputs(self) -> tuple[Port, ...]:
        """Chances per class and anchor, predicted differences, and the anchors."""
        return Port("cls_prob"), Port("loc_pred"), Port("anchor")

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """There is a row per anchor."""
        chances = merge((0, 0, 0), ins[0], "cls_prob")
        anchor = merge((1, chances[2], 4), ins[2], "anchor")
        result = merge((chances[0], anchor[1], 6), outs[0], "output")
        shifts = merge((result[0], 4 * result[1]), ins[1], "loc_pred")
        return ((shifts[0], chances[1], result[1]), shifts, (1, result[1], 4)), (result,)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Detect sample by sample."""

        def run() -> None:
            outs[0].fill(-1)
            for sample, (chances, shifts) in enumerate(zip(ins[0], ins[1], strict=True)):
                found = self._detect(chances, shifts.reshape(-1, 4), ins[2][0])
                outs[0][sample, : len(found)] = found

        return run

    def _detect(self, chances: Array, shifts: Array, anchors: Array) -> Array:
        """Return the rows of one sample."""
        classes = 1 + chances[1:].argmax(axis=0)
        scores = chances[1:].max(axis=0)
        valid = np.flatnonzero(scores >= self.threshold)
        boxes = kernels.decode(anchors[valid], shifts[valid], self.variances)
        if self.clip:
            boxes = np.clip(boxes, 0, 1)
        rows = np.concatenate([classes[valid, None] - 1, scores[valid, None], boxes], axis=1)
        if not 0 < self.nms_threshold <= 1:
            return rows
        count = min(self.nms_topk, len(rows)) if self.nms_topk > 0 else len(rows)
        best = rows[np.argsort(-rows[:, 1], kind="stable")][:count]
        rows[:count] = best
        rows[count:, 0] = -1
        rules = kernels.Suppression(self.nms_threshold, self.force_suppress, inclusive=True)
        kept = kernels.suppress(best[:, 2:], best[:, 0], rules)
        rows[:count, 0] = np.where(kept, best[:, 0], -1)
        return rows

    def _call(self, n: CodeNames) -> str:
        """Return the call of the part `detections`, which is there in both languages."""
        overlap = self.nms_threshold if 0 < self.nms_threshold <= 1 else None
        most = self.nms_topk if self.nms_topk > 0 else None
        settings = (
            f"{self.variances}, {self.clip}, {self.threshold!r}, {overlap}, {most}, {self.force_suppress}"
        )
        return f"detections({', '.join(n.ins)}, {settings})"

    def numpy_code(self, n: CodeNames) -> list[str]:
        """Call the part `detections`."""
        return [f"{n.outs[0]} = {self._call(n)}"]

    def torch_code(self, n: CodeNames) -> list[str]:
        """Call the part `detections`."""
        return self.numpy_code(n)

    def summary(self) -> str:
        """Return the overlap of doubles."""
        return f"overlap {self.nms_threshold:g}"

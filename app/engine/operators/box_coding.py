"""Boxes against anchors and each other: box_decode, box_encode, box_iou, bipartite_matching."""

from math import prod

import numpy as np

from app.engine.errors import ShapeError
from app.engine.examples import Domain, Example
from app.engine.kernels import boxes as kernels
from app.engine.kernels.indices import whole_numbers
from app.engine.kernels.steps import Step
from app.engine.operator import Arrays, CodeNames, Port, operator
from app.engine.operators.formulas import number
from app.engine.operators.without_gradient import ClearedGradient, ZeroGradient
from app.engine.params import param
from app.engine.shapes import Inferred, Shape, Shapes, element_count, is_known, merge, text
from app.engine.work_space import Work, WorkSpace

_FORMATS = ("center", "corner")


def boxes_of(shape: Shape, axes: int, port: str) -> Shape:
    """Return a shape that may be open, whose last axis holds the four numbers of a box; ShapeError if it cannot."""
    if not shape:
        return shape
    if len(shape) < axes:
        raise ShapeError(f"{text(shape)} has too few axes; boxes need at least {axes}.", port=port)
    if shape[-1] not in (0, 4):
        raise ShapeError(
            f"a box has 4 numbers, but the last axis of {text(shape)} has {shape[-1]}.", port=port
        )
    return (*shape[:-1], 4)


@operator(name="_contrib_box_decode", category="Detection")
class BoxDecode(ZeroGradient):
    """Turn predicted differences from anchors into boxes with corners.

    middle = data · std · size of anchor + middle of anchor, size = exp(data · std) · size of anchor
    """

    kinds = "f"

    work = Work(takes=5.1)

    std0: float = param(default=1.0, doc="What the difference across is multiplied with.")
    std1: float = param(default=1.0, doc="What the difference down is multiplied with.")
    std2: float = param(default=1.0, doc="What the growth in width is multiplied with.")
    std3: float = param(default=1.0, doc="What the growth in height is multiplied with.")
    clip: float = param(default=-1.0, doc="The largest growth, before its exponential; none unless above 0.")
    format: str = param(default="center", choices=_FORMATS, doc="Anchors are corners, or middle and size.")

    examples = (
        Example({"data": (2, 3, 4), "anchors": (1, 3, 4)}),
        Example({"data": (2, 3, 4), "anchors": (3, 1, 4)}, std0=0.1, std3=0.2, clip=0.3, format="corner"),
    )

    @property
    def inputs(self) -> tuple[Port, ...]:
        """Differences, and the anchors that they are differences from."""
        return Port("data"), Port("anchors")

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """There is a box per difference, and as many anchors as a sample has."""
        data = merge(merge((0, 0, 4), ins[0], "data"), outs[0])
        anchors = boxes_of(ins[1], 3, "anchors")
        if is_known(anchors):
            number = prod(anchors[:-1])
            if data[1] and data[1] != number:
                raise ShapeError(
                    f"{text(anchors)} holds {number} anchors, but a sample has {data[1]} boxes.",
                    port="anchors",
                )
            data = (data[0], number, 4)
        return (data, anchors), (data,)

    def _scales(self) -> list[float]:
        return [self.std0, self.std1, self.std2, self.std3]

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Decode all samples at once."""
        scales = np.array(self._scales(), np.float32)
        growth = np.float32(self.clip) if self.clip > 0 else None

        def run() -> None:
            anchors = ins[1].reshape(-1, 4)
            place = (
                kernels.middle_and_size(anchors)
                if self.format == "corner"
                else (anchors[:, :2], anchors[:, 2:])
            )
            np.copyto(outs[0], kernels.decode_around(*place, ins[0] * scales.astype(ins[0].dtype), growth))

        return run

    def _code(self, n: CodeNames, data: str, anchors: str, scales: str) -> list[str]:
        name = n.node
        low, high = f"{name}_anchors[:, :2]", f"{name}_anchors[:, 2:]"
        place = f"({low} + {high}) / 2, {high} - {low}" if self.format == "corner" else f"{low}, {high}"
        bound = f".clip(max={number(self.clip)})" if self.clip > 0 else ""
        return [
            f"{name}_anchors = {anchors}.reshape(-1, 4)",
            f"{name}_middle, {name}_size = {place}",
            f"{name}_shifts = {data} * {scales}",
            f"{name}_middle = {name}_shifts[..., :2] * {name}_size + {name}_middle",
            f"{name}_half = np.exp({name}_shifts[..., 2:]{bound}) * {name}_size / 2",
            f"{n.outs[0]} = np.concatenate([{name}_middle - {name}_half, {name}_middle + {name}_half], -1)",
        ]

    def numpy_code(self, n: CodeNames) -> list[str]:
        """A line for every step."""
        return self._code(n, n.ins[0], n.ins[1], f"np.array({self._scales()}, {n.ins[0]}.dtype)")

    def torch_code(self, n: CodeNames) -> list[str]:
        """The same in PyTorch's words; nothing flows back."""
        data, anchors = (f"{name}.detach()" for name in n.ins)
        scales = f"torch.tensor({self._scales()}, dtype={n.ins[0]}.dtype)"
        lines = self._code(n, data, anchors, scales)
        return [line.replace("np.exp", "torch.exp").replace("np.concatenate", "torch.cat") for line in lines]

    def summary(self) -> str:
        """What the differences are multiplied with."""
        return f"× {self.std0:g}, {self.std1:g}, {self.std2:g}, {self.std3:g}"


@operator(name="_contrib_box_encode", category="Detection")
class BoxEncode(ZeroGradient):
    """Write how the box that an anchor was matched with differs from the anchor, as a network should predict it.

    y = ((middle − middle of anchor) / size of anchor, ln(size / size of anchor)), less means, over stds
    """

    kinds = "f"

    work = Work(keeps=0.6, takes=5)

    examples = (
        Example(
            {"samples": (2, 3), "matches": (2, 3), "anchors": (2, 3, 4), "refs": (2, 2, 4)},
            domains={
                "samples": Domain(-1, 1, whole=True),
                "matches": Domain(0, 1, whole=True),
                "stds": Domain(0.5, 1.5),
            },
        ),
    )

    @property
    def inputs(self) -> tuple[Port, ...]:
        """Which anchors count (1), the number of each one's box, anchors and boxes, and what scales the differences."""
        names = ("samples", "matches", "anchors", "refs", "means", "stds")
        return tuple(Port(name) for name in names)

    @property
    def outputs(self) -> tuple[str, ...]:
        """Differences, and where they count."""
        return "output0", "output1"

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Samples share their batch with everything, and their number with the anchors."""
        samples = merge((0, 0), ins[0], "samples")
        samples = merge(samples, ins[1], "matches")
        anchors = merge((*samples, 4), ins[2], "anchors")
        for shape in outs:
            anchors = merge(anchors, shape)
        refs = merge((anchors[0], 0, 4), ins[3], "refs")
        anchors = (refs[0], *anchors[1:])
        scales = [merge((4,), shape, port) for shape, port in zip(ins[4:], ("means", "stds"), strict=True)]
        return (anchors[:2], anchors[:2], anchors, refs, *scales), (anchors, anchors)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Encode all samples at once; an index that no box has is clamped."""
        samples, matches, anchors, refs, means, stds = ins
        read, numbers = whole_numbers(matches, limit=refs.shape[1])

        def run() -> None:
            read()
            chosen = np.take_along_axis(refs, numbers[..., None], axis=1)
            counts = (samples > np.array(0.5, samples.dtype))[..., None]
            shifts = (kernels.differences(anchors, chosen) - means) / stds
            np.copyto(outs[0], np.where(counts, shifts, np.array(0, shifts.dtype)))
            np.copyto(outs[1], counts)

        return run


@operator(name="_contrib_box_iou", category="Detection")
class BoxIou(ClearedGradient):
    """Compare every left box with every right one: their intersection over their union."""

    runs_back_in_vain = True

    work = Work(takes=11)

    format: str = param(default="corner", choices=_FORMATS, doc="Boxes are corners, or middle and size.")

    examples = (
        Example({"lhs": (3, 4), "rhs": (2, 4)}),
        Example({"lhs": (2, 3, 4), "rhs": (2, 4)}, format="center"),
    )

    @property
    def inputs(self) -> tuple[Port, ...]:
        """The two lists of boxes."""
        return Port("lhs"), Port("rhs")

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Put the axes of one list behind those of the other."""
        left, right = (boxes_of(shape, 2, port.name) for shape, port in zip(ins, self.inputs, strict=True))
        if not left or not right:
            return (left, right), outs
        out = merge((*left[:-1], *right[:-1]), outs[0])
        cut = len(left) - 1
        return ((*out[:cut], 4), (*out[cut:], 4)), (out,)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Compare all at once."""
        turned = self.format == "center"

        def run() -> None:
            left, right = (array.reshape(-1, 4) for array in ins)
            if turned:
                left, right = kernels.to_corners(left), kernels.to_corners(right)
            np.copyto(outs[0], kernels.overlaps(left[:, None], right[None]).reshape(outs[0].shape))

        return run

    def multiply_adds(self, ins: Shapes, outs: Shapes) -> int:
        """Count four for every pair."""
        return 4 * element_count(outs[0])

    def summary(self) -> str:
        """How boxes are given."""
        return self.format


@operator(name="_contrib_bipartite_matching", category="Detection")
class BipartiteMatching(ClearedGradient):
    """Match rows with columns, the best score first, each at most once; −1 is written where nothing was left."""

    runs_back_in_vain = True

    work = Work(takes=8.2)

    is_ascend: bool = param(default=False, doc="The smallest score is the best.")
    threshold: float = param(doc="The score that a match has to be better than.")
    topk: int = param(
        default=-1, doc="After how many matches one last is made, as in MXNet; all unless above 0."
    )

    examples = (
        Example({"data": (3, 2)}, threshold=-1.0),
        Example({"data": (2, 3, 4)}, threshold=1.0, is_ascend=True, topk=1),
    )

    @property
    def outputs(self) -> tuple[str, ...]:
        """The column of every row, and the row of every column."""
        return "output0", "output1"

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Scores have rows and columns; one of the two is left in each result."""
        data, (rows, columns) = ins[0], outs
        rank = len(data) or max(len(rows), len(columns)) + 1
        if rank == 1:
            if data:
                raise ShapeError(f"{text(data)} has no rows and columns: scores need two axes.", port="data")
            return ins, outs
        data = merge(data, (*rows, 0) if rows else ())
        data = merge(data, (*columns[:-1], 0, columns[-1]) if columns else ())
        return (data,), (data[:-1], (*data[:-2], data[-1]))

    def scratch(self, ins: Shapes, outs: Shapes, *, gradients: bool) -> WorkSpace:
        """Count by one batch: they are matched one after the other."""
        return self.work.beside(element_count(ins[0][-2:]), gradients=gradients)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Match batch by batch."""
        rules = kernels.Pairing(self.threshold, self.is_ascend, self.topk + 1 if self.topk > 0 else None)

        def run() -> None:
            scores = ins[0].reshape(-1, *ins[0].shape[-2:])
            results = (out.reshape(-1, out.shape[-1]) for out in outs)
            for given, rows, columns in zip(scores, *results, strict=True):
                kernels.pair(given, rows, columns, rules)

        return run

    def summary(self) -> str:
        """The score that a match has to be better than."""
        return f"{'below' if self.is_ascend else 'above'} {self.threshold:g}"

"""Boxes of images brought to one size group by group, each cell shifted by what a net has learned."""

from collections.abc import Sequence
from typing import Literal

from app.engine.errors import ShapeError
from app.engine.examples import Domain, Example
from app.engine.kernels import shifted_bins as kernels
from app.engine.kernels.region_bins import Groups
from app.engine.kernels.steps import Step
from app.engine.operator import Arrays, GradientKind, Port, Reads, operator
from app.engine.operators.geometry import by_x
from app.engine.operators.prepared import Flow, Prepared
from app.engine.params import param
from app.engine.shapes import Inferred, Shape, Shapes, element_count, merge
from app.engine.work_space import WorkSpace

_BOXES = {"rois": Domain(0, 0.9), "trans": Domain(-0.9, 0.9)}


@operator(name="_contrib_DeformablePSROIPooling", category="Spatial")
class DeformablePSROIPooling(Prepared):
    """Reduce boxes of images to a fixed size: the mean of some points in every cell of a grid, each cell shifted.

    A row of rois is (number of the image, x1, y1, x2, y2); each cell reads channels of its own.
    """

    kinds = "f"

    spatial_scale: float = param(
        low=0, high=1, doc="Size of data over the size of the image that rois refer to."
    )
    output_dim: int = param(low=1, doc="Channels of the result.")
    group_size: int = param(low=1, doc="Groups of channels along each axis.")
    pooled_size: int = param(low=1, doc="Height and width of the result.")
    part_size: int = param(default=0, low=0, doc="Height and width of trans; pooled_size if it is 0.")
    sample_per_part: int = param(default=1, low=1, doc="Points per cell along each axis.")
    trans_std: float = param(default=0.0, low=0, high=1, doc="How much a shift counts, in sizes of the box.")
    no_trans: bool = param(default=False, doc="Leave the shifts out.")

    examples = (
        Example(
            {"data": (2, 8, 6, 7), "rois": (3, 5), "trans": (3, 4, 2, 2)},
            domains=_BOXES,
            spatial_scale=1.0,
            output_dim=2,
            group_size=2,
            pooled_size=2,
            sample_per_part=2,
            trans_std=0.4,
        ),
        Example(
            {"data": (4, 9, 5, 6), "rois": (3, 5), "trans": (3, 2, 2, 2)},
            domains={"rois": Domain(-0.9, 3.9), "trans": Domain(-0.9, 0.9)},
            spatial_scale=0.5,
            output_dim=2,
            group_size=2,
            pooled_size=3,
            part_size=2,
            sample_per_part=3,
            trans_std=0.2,
        ),
        Example(
            {"data": (4, 3, 5, 6), "rois": (3, 5)},
            domains={"rois": Domain(-0.9, 3.9)},
            spatial_scale=1.0,
            output_dim=3,
            group_size=1,
            pooled_size=2,
            no_trans=True,
        ),
    )

    @property
    def inputs(self) -> tuple[Port, ...]:
        """The images, the boxes, and the shifts unless they are left out."""
        ports = (Port("data"), Port("rois", "label"), Port("trans"))
        return ports[:2] if self.no_trans else ports

    @property
    def hidden(self) -> tuple[str, ...]:
        """How many points of every cell lie on the image."""
        return ("top_count",)

    @property
    def _parts(self) -> int:
        return self.part_size or self.pooled_size

    @property
    def _how(self) -> kernels.Shifting:
        groups = Groups(self.group_size, self.group_size)
        return kernels.Shifting(self.spatial_scale, groups, self.sample_per_part, self._parts, self.trans_std)

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """There is one result per box; channels that no cell reads may be left over."""
        data = merge((0, 0, 0, 0), ins[0], "data")
        needed = self.output_dim * self.group_size**2
        if data[1] and data[1] < needed:
            raise ShapeError(
                f"{data[1]} channels are too few: {self.output_dim} for each of {self.group_size**2} groups "
                f"make {needed}.",
                port="data",
            )
        rois = merge((0, 5), ins[1], "rois")
        result = merge((rois[0], self.output_dim, self.pooled_size, self.pooled_size), outs[0], "output")
        result = merge(result, outs[1], "output")
        shifts = () if self.no_trans else (self._shifts(ins[2], result[0]),)
        boxes = shifts[0][0] if shifts else result[0]
        return (data, (boxes, 5), *shifts), ((boxes, *result[1:]),) * 2

    def _shifts(self, trans: Shape, boxes: int) -> Shape:
        trans = merge((boxes, 0, self._parts, self._parts), trans, "trans")
        if trans[1] % 2 or (trans[1] and self.output_dim % (trans[1] // 2)):
            raise ShapeError(
                f"trans has {trans[1]} channels, but it must have two, or two for each of as many equal parts "
                f"of output_dim {self.output_dim}.",
                port="trans",
            )
        return trans

    def because(self, side: Literal["in", "out"], index: int, axis: int, ins: Shapes, outs: Shapes) -> str:
        """Explain the sizes of result and shifts."""
        if side == "out" and axis >= 1:
            return f"output_dim = {self.output_dim}" if axis == 1 else f"pooled_size = {self.pooled_size}"
        if index == 2 and axis >= 2:
            return f"part_size = {self.part_size}" if self.part_size else f"pooled_size = {self.pooled_size}"
        return ""

    def multiply_adds(self, ins: Shapes, outs: Shapes) -> int:
        """Mix four pixels for every point."""
        return 4 * element_count(outs[0]) * self.sample_per_part**2

    def scratch(self, ins: Shapes, outs: Shapes, *, gradients: bool) -> WorkSpace:
        """Count what the points of one region take, and the places and weights of the four pixels around each."""
        points = element_count(outs[0][1:]) * self.sample_per_part**2
        return WorkSpace(
            0, (32 if gradients else 28) * points + 16 * element_count(outs[0][1:]) + element_count(ins[1])
        )

    def _where(self, rois: Arrays, images: Shape, result: Shape) -> kernels.Regions:
        return kernels.Regions(rois[0], None if self.no_trans else rois[1], images, result)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Pool box by box."""
        where = self._where(ins[1:], ins[0].shape, outs[0].shape)
        return lambda: kernels.pool_shifted(ins[0], where, outs[0], outs[1], self._how)

    def gradient_kind(self, index: int) -> GradientKind:
        """Boxes get a gradient of zero."""
        return "zero" if index == 1 else "value"

    def gradient_reads(self, index: int) -> Reads:
        """The gradients read where the points are, that of the shifts the images too."""
        return Reads(inputs=(0, *range(1, len(self.inputs))))

    def backward_steps(self, flow: Flow) -> Sequence[Step]:
        """Find both gradients together."""
        data = flow.read(0)
        where = self._where(
            [flow.read(index) for index in range(1, len(self.inputs))], data.shape, flow.head.shape
        )
        grads = (flow.grads[0], None if self.no_trans else flow.grads[2])
        return [lambda: kernels.pool_shifted_gradient(data, where, flow.head, grads, self._how)]

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Say where the gradients go."""
        if index == 1:
            return "0"
        if index == 0:
            return f"{heads[0]} / points of the cell, spread over the four pixels around each point"
        return f"Σ over points: {heads[0]} / points of the cell · slope of {ins[0]} · trans_std · size of the box"

    def summary(self) -> str:
        """Return channels, size of the result, and points."""
        side, points = (self.pooled_size,) * 2, (self.sample_per_part,) * 2
        return f"{self.output_dim} · {by_x(side)} · {by_x(points)} points"

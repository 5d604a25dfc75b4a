"""Boxes of images brought to one size by averages: of points between pixels, or of whole pixels, group by group."""

from collections.abc import Iterator, Sequence
from typing import Literal

import attrs

from app.engine.errors import ShapeError
from app.engine.examples import Domain, Example
from app.engine.kernels import region_bins as kernels
from app.engine.kernels.steps import Step
from app.engine.operator import Array, Arrays, CodeNames, GradientKind, Port, Reads, operator, refuse
from app.engine.operators.formulas import single
from app.engine.operators.geometry import Sizes, by_x
from app.engine.operators.prepared import Flow, Prepared, gradient_lines
from app.engine.params import param
from app.engine.shapes import Inferred, Shapes, element_count, merge
from app.engine.work_space import WorkSpace

_IMAGES, _ROIS = (0, 0, 0, 0), (0, 5)
_SMALL, _LARGER = Domain(0, 0.9), Domain(-0.9, 3.9)
"""Boxes on the first image and on any of four: their first number is cut to a whole one."""


@attrs.frozen(kw_only=True)
class RegionAverages(Prepared):
    """What the averages of regions have in common: every bin is a weighted sum of pixels."""

    kinds = "f"

    @property
    def inputs(self) -> tuple[Port, ...]:
        """The images and the boxes."""
        return Port("data"), Port("rois", "label")

    @property
    def grid(self) -> Sizes:
        """Rows and columns of the result."""
        raise NotImplementedError

    @property
    def cut(self) -> kernels.Cut:
        """How a box is cut into bins."""
        raise NotImplementedError

    @property
    def groups(self) -> kernels.Groups | None:
        """Which channels each bin reads, where not all."""
        raise NotImplementedError

    def because(self, side: Literal["in", "out"], index: int, axis: int, ins: Shapes, outs: Shapes) -> str:
        """Explain the size of the result."""
        return f"pooled_size = {by_x(self.grid)}" if side == "out" and axis >= 2 else ""

    def gradient_kind(self, index: int) -> GradientKind:
        """Boxes get a gradient of zero."""
        return "value" if index == 0 else "zero"

    def gradient_reads(self, index: int) -> Reads:
        """The gradient reads the boxes."""
        return Reads(inputs=(1,))

    def scratch(self, ins: Shapes, outs: Shapes, *, gradients: bool) -> WorkSpace:
        """Count what one region makes on its way: rows of bins, and the pixels and weights of some of them."""
        _, channels, height, width = ins[0]
        rows, columns = self.grid
        seen = channels * self.most_seen(height) * width
        if self.groups is None:
            bins = seen + 2 * channels * rows * width
        else:
            bins = 2 * self.most_seen(width) * seen // (self.groups.count * width)
        return WorkSpace(0, bins + rows * height + columns * width + element_count(ins[1]))

    def most_seen(self, size: int) -> int:
        """Return how many places of an axis one bin sees at most."""
        return size

    def _regions(self, rois: Array, images: Array) -> Iterator[kernels.Region]:
        return kernels.regions(rois, images.shape, self.grid, self.cut)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Pool box by box."""
        (data, rois), result, groups = ins, outs[0], self.groups
        if groups is None:
            return lambda: kernels.pool_bins(data, result, self._regions(rois, data))
        return lambda: kernels.pool_groups(data, result, self._regions(rois, data), groups)

    def backward_steps(self, flow: Flow) -> Sequence[Step]:
        """Give every pixel its shares."""
        grad, head, rois, groups = flow.wanted[0][1], flow.head, flow.read(1), self.groups
        if groups is None:
            return [lambda: kernels.pool_bins_gradient(head, grad, self._regions(rois, grad))]
        return [lambda: kernels.pool_groups_gradient(head, grad, self._regions(rois, grad), groups)]

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Say where the gradient goes."""
        return f"{heads[0]} · weight of the pixel, over the bins that see it" if index == 0 else "0"

    @property
    def cut_code(self) -> str:
        """The part that cuts an axis, there in both languages, and what it is told."""
        raise NotImplementedError

    @property
    def _groups_code(self) -> str:
        return str(attrs.astuple(self.groups)) if self.groups else "None"

    def _cells(self, n: CodeNames) -> str:
        """Return the call of numpy's part `cut_regions`."""
        return f"cut_regions({n.ins[1]}, {n.in_shapes[0]}, {tuple(self.grid)}, {self.cut_code})"

    def numpy_code(self, n: CodeNames) -> list[str]:
        """Call the part `average_regions`."""
        call = f"average_regions({n.ins[0]}, {self._cells(n)}, {n.out_shapes[0]}, {self._groups_code})"
        return [f"{n.outs[0]} = {call}"]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """Call the part `average_regions_gradient`."""
        settings = f"{self._cells(n)}, {n.in_shapes[0]}, {self._groups_code}"
        return gradient_lines(n, [f"average_regions_gradient({n.heads[0]}, {settings})", ""])

    def torch_code(self, n: CodeNames) -> list[str]:
        """Call the part `average_regions`."""
        settings = f"{tuple(self.grid)}, {self._groups_code}, {n.out_shapes[0][1]}, {self.cut_code}"
        return [f"{n.outs[0]} = average_regions({n.ins[0]}, {n.ins[1]}, {settings})"]


@operator(name="_contrib_ROIAlign", category="Spatial")
class ROIAlign(RegionAverages):
    """Reduce boxes of images to a fixed size without rounding: the mean of some points in every cell of a grid.

    A row of rois is (number of the image, x1, y1, x2, y2); each point mixes the four pixels around it.
    """

    pooled_size: tuple[int, ...] = param(doc="Height and width of the result.")
    spatial_scale: float = param(
        low=0, high=1, doc="Size of data over the size of the image that rois refer to."
    )
    sample_ratio: int = param(
        default=-1, doc="Points per cell along each axis; about one per pixel where it is not above 0."
    )
    position_sensitive: bool = param(default=False, doc="Let each cell read channels of its own.")
    aligned: bool = param(default=False, doc="Shift the boxes by half a pixel, to where pixels really are.")

    examples = (
        Example(
            {"data": (2, 3, 6, 7), "rois": (3, 5)},
            domains={"rois": _SMALL},
            pooled_size=(2, 3),
            spatial_scale=1.0,
        ),
        Example(
            {"data": (4, 2, 5, 4), "rois": (3, 5)},
            domains={"rois": _LARGER},
            pooled_size=(2, 2),
            spatial_scale=1.0,
            sample_ratio=2,
        ),
        Example(  # corners that come in order: at others MXNet ends its process
            {"data": (4, 8, 5, 4), "rois": (2, 5)},
            domains={"rois": Domain(-0.9, 3.5)},
            pooled_size=(2, 2),
            spatial_scale=0.5,
            sample_ratio=3,
            position_sensitive=True,
            aligned=True,
        ),
    )

    def check(self) -> None:
        """Refuse a size that is no height and width."""
        refuse(
            len(self.pooled_size) != 2 or min(self.pooled_size) < 1,
            f"pooled_size is {self.pooled_size}, but it must be a height and a width, like (7, 7).",
            port="pooled_size",
        )

    @property
    def grid(self) -> Sizes:
        """Rows and columns of the result."""
        return self.pooled_size

    @property
    def cut(self) -> kernels.Cut:
        """Points between pixels."""
        return kernels.Samples(self.spatial_scale, self.sample_ratio, self.aligned)

    @property
    def cut_code(self) -> str:
        """Points between pixels."""
        return f"averaged_points, {single(self.spatial_scale)}, {self.sample_ratio}, {self.aligned}"

    @property
    def groups(self) -> kernels.Groups | None:
        """One for every cell, if wanted."""
        return kernels.Groups(*self.pooled_size) if self.position_sensitive else None

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """There is one result per box, with all channels or one of each group."""
        data = merge(_IMAGES, ins[0], "data")
        rois = merge(_ROIS, ins[1], "rois")
        share = self.groups.count if self.groups else 1
        if data[1] % share:
            raise ShapeError(
                f"{data[1]} channels cannot be split into {share} groups, one for each cell.", port="data"
            )
        result = merge((rois[0], data[1] // share, *self.pooled_size), outs[0], "output")
        return ((data[0], result[1] * share, *data[2:]), (result[0], 5)), (result,)

    def most_seen(self, size: int) -> int:
        """Two for every point."""
        return min(size, 2 * self.sample_ratio) if self.sample_ratio > 0 else size

    def multiply_adds(self, ins: Shapes, outs: Shapes) -> int:
        """Count four pixels for every point, if there is one in a cell for want of a number."""
        return 4 * element_count(outs[0]) * max(self.sample_ratio, 1) ** 2

    def summary(self) -> str:
        """Return the size of the result, and the points of a cell where they are set."""
        points = f" · {self.sample_ratio}×{self.sample_ratio} points" if self.sample_ratio > 0 else ""
        return f"{by_x(self.pooled_size)}{points}"


@operator(name="_contrib_PSROIPooling", category="Spatial")
class PSROIPooling(RegionAverages):
    """Reduce boxes of images to a fixed size: the mean of every cell of a grid, each cell of channels of its own.

    A row of rois is (number of the image, x1, y1, x2, y2).
    """

    spatial_scale: float = param(
        low=0, high=1, doc="Size of data over the size of the image that rois refer to."
    )
    output_dim: int = param(low=1, doc="Channels of the result.")
    pooled_size: int = param(low=1, doc="Height and width of the result.")
    group_size: int = param(
        default=0, low=0, doc="Groups of channels along each axis; as many as cells if it is 0."
    )

    examples = (
        Example(
            {"data": (1, 8, 5, 6), "rois": (3, 5)},
            domains={"rois": _SMALL},
            spatial_scale=1.0,
            output_dim=2,
            pooled_size=2,
        ),
        Example(
            {"data": (4, 9, 7, 6), "rois": (3, 5)},
            domains={"rois": _LARGER},
            spatial_scale=0.5,
            output_dim=2,
            pooled_size=3,
            group_size=2,
        ),
    )

    @property
    def grid(self) -> Sizes:
        """Rows and columns of the result."""
        return (self.pooled_size, self.pooled_size)

    @property
    def cut(self) -> kernels.Cut:
        """Whole pixels."""
        return kernels.Averages(self.spatial_scale)

    @property
    def cut_code(self) -> str:
        """Whole pixels."""
        return f"averaged_pixels, {single(self.spatial_scale)}"

    @property
    def groups(self) -> kernels.Groups:
        """Squares of cells."""
        side = self.group_size or self.pooled_size
        return kernels.Groups(side, side)

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """There is one result per box; channels that no cell reads may be left over."""
        data = merge(_IMAGES, ins[0], "data")
        rois = merge(_ROIS, ins[1], "rois")
        needed = self.output_dim * self.groups.count
        if data[1] and data[1] < needed:
            raise ShapeError(
                f"{data[1]} channels are too few: {self.output_dim} for each of {self.groups.count} groups "
                f"make {needed}.",
                port="data",
            )
        result = merge((rois[0], self.output_dim, *self.grid), outs[0], "output")
        return (data, (result[0], 5)), (result,)

    def summary(self) -> str:
        """Return channels and size of the result."""
        return f"{self.output_dim} · {by_x(self.grid)}"

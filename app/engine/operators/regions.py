"""Operators on regions of images: pooling of boxes, and comparison of two images patch by patch."""

from collections.abc import Sequence

import numpy as np

from app.engine.errors import ShapeError
from app.engine.examples import Domain, Example
from app.engine.kernels import regions as kernels
from app.engine.kernels.steps import Step
from app.engine.operator import Array, Arrays, CodeNames, GradientKind, Port, Reads, Types, operator, refuse
from app.engine.operators.formulas import number
from app.engine.operators.geometry import by_x
from app.engine.operators.prepared import Flow, Prepared, gradient_lines, present
from app.engine.params import param
from app.engine.shapes import Inferred, Shapes, element_count, merge
from app.engine.work_space import Work


@operator(category="Spatial")
class ROIPooling(Prepared):
    """Reduce boxes of images to a fixed size: the maximum of every cell of a grid over each box.

    A row of rois is (number of the image, x1, y1, x2, y2).
    """

    pooled_size: tuple[int, ...] = param(doc="Height and width of the result.")
    spatial_scale: float = param(
        low=0, high=1, doc="Size of data over the size of the image that rois refer to."
    )

    examples = (
        Example(
            {"data": (1, 2, 6, 8), "rois": (3, 5)},
            domains={"rois": Domain(0, 0, whole=True)},
            pooled_size=(1, 1),
            spatial_scale=1.0,
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
    def inputs(self) -> tuple[Port, ...]:
        """The images and the boxes."""
        return Port("data"), Port("rois", "label")

    @property
    def hidden(self) -> tuple[str, ...]:
        """The pixel that won each cell."""
        return ("winner",)

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """There is one result per box."""
        data = merge((0, 0, 0, 0), ins[0], "data")
        rois = merge((0, 5), ins[1], "rois")
        result = merge((rois[0], data[1], *self.pooled_size), outs[0], "output")
        return ((data[0], result[1], *data[2:]), (result[0], 5)), (result, result)

    def infer_types(self, ins: Types, outs: Types) -> tuple[Types, Types]:
        """Winners are whole numbers."""
        same, (kind,) = super().infer_types(ins, outs[:1])
        return same, (kind, np.dtype(np.int32))

    def gradient_kind(self, index: int) -> GradientKind:
        """Boxes get a gradient of zero."""
        return "value" if index == 0 else "zero"

    def gradient_reads(self, index: int) -> Reads:
        """The gradient reads who won, and the number of each box's image."""
        return Reads(inputs=(1,), outputs=(1,))

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Pool box by box."""
        return lambda: kernels.pool_regions(ins[0], ins[1], outs[0], outs[1], self.spatial_scale)

    def backward_steps(self, flow: Flow) -> Sequence[Step]:
        """Give the gradients to the winners."""
        grad, winner = flow.wanted[0][1], present(flow.outs[1])
        return [lambda: kernels.pool_regions_gradient(flow.read(1), winner, flow.head, grad)]

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Say where the gradient goes."""
        return f"{heads[0]} at the pixel that won each cell, 0 elsewhere" if index == 0 else "0"

    def summary(self) -> str:
        """Return the size of the result."""
        return by_x(self.pooled_size)

    def numpy_code(self, n: CodeNames) -> list[str]:
        """Call the part `largest_in_regions`."""
        settings = f"{tuple(self.pooled_size)}, {number(self.spatial_scale)}"
        return [f"{n.outs[0]}, {n.outs[1]} = largest_in_regions({n.ins[0]}, {n.ins[1]}, {settings})"]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """Call the part `largest_in_regions_gradient`."""
        read = f"{n.heads[0]}, {n.outs[1]}, {n.ins[1]}, {n.in_shapes[0]}"
        return gradient_lines(n, [f"largest_in_regions_gradient({read})", ""])

    def torch_code(self, n: CodeNames) -> list[str]:
        """Call the part `largest_in_regions`."""
        settings = f"{tuple(self.pooled_size)}, {number(self.spatial_scale)}"
        return [f"{n.outs[0]} = largest_in_regions({n.ins[0]}, {n.ins[1]}, {settings})"]


@operator(category="Spatial")
class Correlation(Prepared):
    """Compare every patch of one image with the shifted patches of another: one channel per shift."""

    kinds = "f"

    work = Work(takes=2.2, keeps_back=2.3)

    kernel_size: int = param(default=1, low=1, doc="Size of a patch; an odd number.")
    max_displacement: int = param(default=1, low=0, doc="How far the second image is shifted at most.")
    stride1: int = param(default=1, low=1, doc="Step from patch to patch.")
    stride2: int = param(default=1, low=1, doc="Step from shift to shift.")
    pad_size: int = param(default=0, low=0, doc="Zeros added around both images.")
    is_multiply: bool = param(default=True, doc="Compare by products, rather than by absolute differences.")

    examples = (
        Example({"data1": (1, 2, 5, 5), "data2": (1, 2, 5, 5)}, pad_size=1),
        Example(
            {"data1": (1, 2, 6, 6), "data2": (1, 2, 6, 6)},
            domains={"data2": Domain(3, 5)},
            kernel_size=3,
            max_displacement=2,
            stride2=2,
            pad_size=2,
            is_multiply=False,
        ),
        Example({"data1": (1, 1, 5, 6), "data2": (1, 1, 5, 6)}, stride1=2, pad_size=1),
    )

    def check(self) -> None:
        """Refuse a patch without a middle."""
        refuse(
            self.kernel_size % 2 == 0,
            "kernel_size must be odd, so that a patch has a middle.",
            port="kernel_size",
        )

    @property
    def inputs(self) -> tuple[Port, ...]:
        """The two images."""
        return Port("data1"), Port("data2")

    @property
    def hidden(self) -> tuple[str, ...]:
        """Both images with their padding."""
        return "padded1", "padded2"

    @property
    def _comparison(self) -> kernels.Comparison:
        return kernels.Comparison(
            self.kernel_size, self.max_displacement, self.stride1, self.stride2, self.is_multiply
        )

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """The images are alike; the result has one channel per shift."""
        data = merge(merge((0, 0, 0, 0), ins[0], "data1"), ins[1], "data2")
        sizes = [self._count(size) for size in data[2:]]
        result = merge((data[0], (2 * self._comparison.radius + 1) ** 2, *sizes), outs[0], "output")
        data = (result[0], *data[1:])
        padded = (*data[:2], *(size and size + 2 * self.pad_size for size in data[2:]))
        return (data, data), (result, padded, padded)

    def multiply_adds(self, ins: Shapes, outs: Shapes) -> int:
        """Count two whole patches for every result."""
        return element_count(outs[0]) * self.kernel_size**2 * (ins[0][1] if ins[0] else 0)

    def _count(self, size: int) -> int:
        """Return the number of patches along an axis."""
        if not size:
            return 0
        room = size + 2 * self.pad_size - 2 * self._comparison.border
        if room < 1:
            raise ShapeError(
                f"a size of {size} with padding {self.pad_size} leaves no room for patches that move by "
                f"{self.max_displacement}.",
                port="data1",
            )
        return -(-room // self.stride1)

    def _inside(self, padded: Array) -> Array:
        """View the image inside its padding."""
        pad = self.pad_size
        return padded[:, :, pad : padded.shape[2] - pad, pad : padded.shape[3] - pad]

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Pad both images, then compare."""
        result, first, second = outs

        def run() -> None:
            for image, padded in zip(ins, (first, second), strict=True):
                padded.fill(0)
                np.copyto(self._inside(padded), image)
            kernels.compare(first, second, result, self._comparison)

        return run

    def gradient_reads(self, index: int) -> Reads:
        """Both gradients read both padded images."""
        return Reads(outputs=(1, 2))

    def backward_steps(self, flow: Flow) -> Sequence[Step]:
        """Compute the gradients of both padded images, and cut the padding off."""
        first, second = present(flow.outs[1]), present(flow.outs[2])
        fills = (np.empty_like(first), np.empty_like(second))
        arrays = kernels.Compared(first, second, flow.head, *fills)

        def run() -> None:
            kernels.compare_gradient(arrays, self._comparison)
            for index, grad in flow.wanted:
                np.copyto(grad, self._inside(fills[index]))

        return [run]

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the sum over shifts."""
        other = ins[1 - index]
        sign = "" if index == 0 else "−"
        term = f"shifted {other}" if self.is_multiply else f"{sign}sign(shifted difference)"
        return f"Σ over shifts and patch: {heads[0]} · {term} / (channels · patch)"

    def summary(self) -> str:
        """Return patch and shift."""
        return f"{self.kernel_size}×{self.kernel_size} · ±{self.max_displacement}"

"""Images brought to another size: by averages of equal parts, or by bilinear interpolation."""

from collections.abc import Sequence
from typing import Literal

import attrs
import numpy as np

from app.engine.errors import ShapeError
from app.engine.examples import Example
from app.engine.kernels import resizing as kernels
from app.engine.kernels.steps import Step
from app.engine.operator import Arrays, CodeNames, GradientKind, Port, Reads, operator, refuse
from app.engine.operators.geometry import Sizes, by_x
from app.engine.operators.prepared import Flow, Prepared, gradient_lines
from app.engine.params import param
from app.engine.shapes import Inferred, Shape, Shapes, element_count, merge
from app.engine.work_space import Work

_IMAGE = (0, 0, 0, 0)
_MOST_PIXELS = 2**15 - 1
"""MXNet keeps the sides of a resized image in 16 bits."""


@attrs.frozen(kw_only=True)
class Resizing(Prepared):
    """What both have in common: rows and columns of the result are sums of rows and columns of the image."""

    kinds = "f"

    def image_shapes(self, data: Shape, result: Shape, sizes: Sizes) -> tuple[Shape, Shape]:
        """Return both shapes, of which the result has these sizes."""
        data = merge(_IMAGE, data, "data")
        result = merge((*data[:2], *sizes), result, "output")
        return (*result[:2], *data[2:]), result

    def gradient_reads(self, index: int) -> Reads:
        """Sums alone: the gradient reads nothing."""
        return Reads()

    def matrices(self, n: CodeNames) -> tuple[str, str]:
        """Write the matrices of which one makes the result's rows, the other its columns."""
        raise NotImplementedError

    def numpy_code(self, n: CodeNames) -> list[str]:
        """Multiply by the matrices."""
        down, across = self.matrices(n)
        return [f"{n.outs[0]} = {down} @ {n.ins[0]} @ {across}.T"]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """Multiply by the same matrices from the other side."""
        down, across = self.matrices(n)
        return gradient_lines(n, [f"{down}.T @ {n.heads[0]} @ {across}", ""])


@operator(name="_contrib_AdaptiveAvgPooling2D", category="Layers")
class AdaptiveAvgPooling2D(Resizing):
    """Average an image over parts as equal as can be, so that the result has a given size, whatever the image's.

    Part i of n covers the rows from ⌊i · height / n⌋ to ⌈(i + 1) · height / n⌉, and so do columns.
    """

    work = Work(takes=1.1, keeps=0.6)

    output_size: tuple[int, ...] = param(
        default=(), doc="Height and width of the result, or one number for both; 1 if left out."
    )

    examples = (
        Example({"data": (2, 3, 5, 4)}),
        Example({"data": (2, 2, 7, 5)}, output_size=(3,)),
        Example({"data": (1, 2, 4, 6)}, output_size=(2, 3)),
        Example({"data": (1, 2, 3, 5)}, output_size=(4, 7)),
    )

    def check(self) -> None:
        """Refuse a size below 1."""
        refuse(
            min(self.output_size, default=1) < 1,
            f"output_size is {self.output_size}, but its numbers must be at least 1.",
            port="output_size",
        )

    @property
    def sizes(self) -> Sizes:
        """Height and width of the result; MXNet passes over more than two numbers."""
        if len(self.output_size) not in (1, 2):
            return (1, 1)
        return self.output_size[0], self.output_size[-1]

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Only the size changes."""
        data, result = self.image_shapes(ins[0], outs[0], self.sizes)
        return (data,), (result,)

    def because(self, side: Literal["in", "out"], index: int, axis: int, ins: Shapes, outs: Shapes) -> str:
        """Explain the size of the result."""
        return f"output_size = {by_x(self.sizes)}" if side == "out" and axis >= 2 else ""

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Average every part."""
        return kernels.average_parts(ins[0], outs[0])

    def backward_steps(self, flow: Flow) -> Sequence[Step]:
        """Give every pixel its share of the parts that it belongs to."""
        return [kernels.average_parts_gradient(flow.head, grad) for _, grad in flow.wanted]

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the sum over parts."""
        return f"Σ {heads[0]} / size of the part, over the parts that hold the pixel"

    def summary(self) -> str:
        """Return the size of the result."""
        return by_x(self.sizes)

    def matrices(self, n: CodeNames) -> tuple[str, str]:
        """Call the part `average_matrix`."""
        pairs = zip(n.in_shapes[0][2:], self.sizes, strict=True)
        down, across = (f"average_matrix({size}, {count}, {n.ins[0]}.dtype)" for size, count in pairs)
        return down, across

    def torch_code(self, n: CodeNames) -> list[str]:
        """Call torch's own."""
        return [f"{n.outs[0]} = F.adaptive_avg_pool2d({n.ins[0]}, {self.sizes})"]


@operator(name="_contrib_BilinearResize2D", category="Spatial")
class BilinearResize2D(Resizing):
    """Resize an image; each new pixel mixes the four old ones around its place.

    With align_corners the middles of the corner pixels stay where they are, otherwise the edges of the image do.
    """

    work = Work(takes=2.3, keeps_back=0.5)

    height: int = param(default=1, low=1, high=_MOST_PIXELS, doc="Height of the result, for mode size.")
    width: int = param(default=1, low=1, high=_MOST_PIXELS, doc="Width of the result, for mode size.")
    scale_height: float | None = param(
        default=None, doc="How many times as high the result becomes, for modes size and odd_scale."
    )
    scale_width: float | None = param(
        default=None, doc="How many times as wide; in mode size it counts only beside scale_height."
    )
    mode: str = param(
        default="size",
        choices=("like", "odd_scale", "size", "to_even_down", "to_even_up", "to_odd_down", "to_odd_up"),
        doc="What says the size of the result: numbers, factors, another image, or the next even or odd size.",
    )
    align_corners: bool = param(default=True, doc="Keep the middles of the corner pixels in place.")

    examples = (
        Example({"data": (2, 2, 3, 4)}, height=5, width=7),
        Example({"data": (1, 2, 5, 6)}, height=3, width=8, align_corners=False),
        Example({"data": (1, 2, 3, 4)}, scale_height=2.0, scale_width=1.5, align_corners=False),
        Example({"data": (1, 2, 5, 4)}, mode="odd_scale", scale_height=0.5, scale_width=3.0),
        Example({"data": (1, 2, 3, 4), "like": (2, 1, 4, 5)}, mode="like"),
        Example({"data": (1, 2, 3, 4)}, mode="to_even_up"),
        Example({"data": (1, 2, 3, 4)}, mode="to_odd_down"),
        Example({"data": (1, 2, 4, 3)}, align_corners=False),
    )

    def check(self) -> None:
        """Refuse a mode without the factors that it needs."""
        if self.mode in ("odd_scale", "size") and (self.scale_height is not None or self.mode != "size"):
            for name in ("scale_height", "scale_width"):
                refuse(
                    getattr(self, name) is None,
                    f"mode {self.mode} needs {name} here: scale_height and scale_width go together.",
                    port=name,
                )

    @property
    def inputs(self) -> tuple[Port, ...]:
        """The image, and in mode like another one."""
        return (Port("data"), Port("like")) if self.mode == "like" else (Port("data"),)

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Only the size changes."""
        if self.mode != "like":
            data = merge(_IMAGE, ins[0], "data")
            sizes = tuple(self._side(size, axis) for axis, size in enumerate(data[2:]))
            data, result = self.image_shapes(data, outs[0], sizes)
            return (data,), (result,)
        like = merge(_IMAGE, ins[1], "like")
        data, result = self.image_shapes(ins[0], outs[0], like[2:])
        return (data, (*like[:2], *result[2:])), (result,)

    def _side(self, size: int, axis: int) -> int:
        """Return a side of the result, 0 where the image's must be known for it; ShapeError for an impossible one."""
        scale = (self.scale_height, self.scale_width)[axis]
        if self.mode == "size" and (self.scale_height is None or scale is None):
            return (self.height, self.width)[axis]
        if not size:
            return 0
        side = self._changed(size, scale)
        if not 1 <= side <= _MOST_PIXELS:
            raise ShapeError(
                f"a side of {size} would become {side}, but it must be between 1 and {_MOST_PIXELS}.",
                port="data",
            )
        return side

    def _changed(self, size: int, scale: float | None) -> int:
        """Return what becomes of a side; products are cut as in single precision."""
        if scale is not None and self.mode in ("odd_scale", "size"):
            odd = size % 2 if self.mode == "odd_scale" else 0
            scaled = float(np.float32(scale) * np.float32(size - odd))
            return int(min(max(scaled, -1e9), 1e9)) + odd
        fits = size % 2 == ("odd" in self.mode)
        return size if fits else size + (1 if self.mode.endswith("up") else -1)

    def because(self, side: Literal["in", "out"], index: int, axis: int, ins: Shapes, outs: Shapes) -> str:
        """Explain the size of the result."""
        if side == "in" or axis < 2:
            return ""
        name = ("height", "width")[axis - 2]
        if self.mode == "like":
            return f"{name} of like"
        scale = (self.scale_height, self.scale_width)[axis - 2]
        if self.mode == "size" and self.scale_height is None:
            return f"{name} = {getattr(self, name)}"
        return f"{ins[0][axis]} · {scale:g}" if self.mode in ("odd_scale", "size") else f"mode {self.mode}"

    def multiply_adds(self, ins: Shapes, outs: Shapes) -> int:
        """Mix four pixels for every result."""
        return 4 * element_count(outs[0])

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Mix neighbours."""
        return kernels.resize(ins[0], outs[0], align_corners=self.align_corners)

    def gradient_kind(self, index: int) -> GradientKind:
        """The image that only says the size gets zeros."""
        return "value" if index == 0 else "zero"

    def backward_steps(self, flow: Flow) -> Sequence[Step]:
        """Give every pixel its share."""
        return [
            kernels.resize_gradient(flow.head, grad, align_corners=self.align_corners)
            for _, grad in flow.wanted
        ]

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Say where the gradient goes."""
        return f"{heads[0]} spread over the four pixels that each place mixes" if index == 0 else "0"

    def summary(self) -> str:
        """Return the size, or what says it."""
        if self.mode != "size":
            return self.mode.replace("_", " ")
        scales = (self.scale_height, self.scale_width)
        if self.scale_height is None:
            return by_x((self.height, self.width))
        return " ".join(f"×{scale:g}" for scale in scales if scale is not None)

    def matrices(self, n: CodeNames) -> tuple[str, str]:
        """Call the part `bilinear_matrix`."""
        pairs = zip(n.in_shapes[0][2:], n.out_shapes[0][2:], strict=True)
        rest = f"{self.align_corners}, {n.ins[0]}.dtype"
        down, across = (f"bilinear_matrix({size}, {count}, {rest})" for size, count in pairs)
        return down, across

    def torch_code(self, n: CodeNames) -> list[str]:
        """Call torch's own; a side of one pixel shows the first one, not the middle."""
        size = n.out_shapes[0][2:]
        rows, columns = (":1" if side == 1 else ":" for side in size)
        cut = f"[:, :, {rows}, {columns}]" if 1 in size else ""
        settings = f'size={size}, mode="bilinear", align_corners={self.align_corners}'
        return [f"{n.outs[0]} = F.interpolate({n.ins[0]}{cut}, {settings})"]

"""Sliding windows as arrays: im2col lays what each of them sees into a column, col2im adds columns up to an image."""

from collections.abc import Sequence
from math import prod
from typing import Literal

import attrs

from app.engine.errors import ShapeError
from app.engine.examples import Example
from app.engine.kernels import unrolling as kernels
from app.engine.kernels.steps import Step
from app.engine.kernels.windows import Windows
from app.engine.operator import Arrays, CodeNames, Reads, operator, refuse
from app.engine.operators.geometry import (
    Sizes,
    by_x,
    check_window,
    image_of,
    options,
    sliding,
    window_words,
    windows_along,
)
from app.engine.operators.prepared import Flow, Prepared, gradient_lines
from app.engine.params import param
from app.engine.shapes import Inferred, Shape, Shapes, element_count, merge
from app.engine.work_space import Work


@attrs.frozen(kw_only=True)
class Unrolling(Prepared):
    """What both have in common: windows that slide over an image."""

    kinds = "f"

    work = Work(takes=1.1)

    kernel: tuple[int, ...] = param(doc="Size of the window, one number per spatial axis.")
    stride: tuple[int, ...] = param(default=(), doc="Step from one window to the next; 1 if left out.")
    dilate: tuple[int, ...] = param(
        default=(), doc="Step from place to place inside a window; 1 if left out."
    )
    pad: tuple[int, ...] = param(default=(), doc="Zeros added on both sides of each axis; 0 if left out.")

    def check(self) -> None:
        """Refuse windows that contradict each other."""
        check_window(
            self.kernel, {"stride": (self.stride, 1), "dilate": (self.dilate, 1), "pad": (self.pad, 0)}
        )

    @property
    def windows(self) -> Windows:
        """The sliding window with every setting filled in."""
        return sliding(self.kernel, self.stride, self.dilate, self.pad)

    def counts(self, sizes: Sequence[int]) -> Sizes:
        """Return how many windows stand along each axis of an image, 0 where its size is unknown."""
        windows = self.windows
        return tuple(windows_along(windows, axis, size) for axis, size in enumerate(sizes))

    def joined(self, image: Shape, columns: Shape, port: str) -> tuple[Shape, Shape]:
        """Join what is known of an image and its columns, which are at `port`."""
        places = self.windows.places
        columns = merge((image[0], image[1] * places, prod(self.counts(image[2:]))), columns, port)
        if columns[1] % places:
            raise ShapeError(
                f"{columns[1]} rows are no multiple of the {places} places of a window.", port="data"
            )
        return (columns[0], columns[1] // places, *image[2:]), columns

    def words(self, axis: int) -> str:
        """Say why columns are as high and as many as they are."""
        return ("", f"channels · window of {by_x(self.kernel)}", "positions of the window")[axis]

    def gradient_reads(self, index: int) -> Reads:
        """The gradient reads nothing."""
        return Reads()

    def summary(self) -> str:
        """Return the window and what else was set."""
        return " · ".join([by_x(self.kernel), *window_words(self.windows)])

    def settings_code(self, padding: str, dilation: str) -> str:
        """Write the settings as keyword arguments, with the names that the called library has for two of them."""
        windows, ones = self.windows, (1,) * len(self.kernel)
        settings = {padding: (windows.pad, (0,) * len(ones)), dilation: (windows.dilate, ones)}
        return options(stride=(windows.stride, ones), **settings)

    def unroll_code(self, image: str, columns: Shape) -> str:
        """Call the part `windows` and lay what it gives into columns."""
        return f"windows({image}, {self.kernel}{self.settings_code('pad', 'dilate')}).reshape{columns}"

    def fold_code(self, columns: str, image: Shape) -> str:
        """Call the part `fold` on columns taken apart."""
        apart = (*image[:2], *self.kernel, *self.counts(image[2:]))
        return f"fold({columns}.reshape{apart}, {image}{self.settings_code('pad', 'dilate')})"

    def torch_name(self, name: str) -> str:
        """Return one of torch's two functions, which know images only."""
        if len(self.kernel) != 2:
            raise NotImplementedError(self.op_name)
        return f"F.{name}"


@operator(name="im2col", category="Shape")
class Im2col(Unrolling):
    """Lay what every sliding window sees into a column of a matrix.

    Rows are channels and the places of the window, columns are its positions, both in reading order.
    """

    only_moves = True

    examples = (
        Example({"data": (2, 3, 5, 4)}, kernel=(3, 2)),
        Example({"data": (1, 2, 6, 7)}, kernel=(2, 3), stride=(2, 1), dilate=(1, 2), pad=(1, 2)),
        Example({"data": (2, 2, 7)}, kernel=(3,), stride=(2,)),
    )

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """There is one column for every position."""
        data, result = self.joined(image_of(ins[0], len(self.kernel)), outs[0], "output")
        return (data,), (result,)

    def because(self, side: Literal["in", "out"], index: int, axis: int, ins: Shapes, outs: Shapes) -> str:
        """Explain rows and columns."""
        return self.words(axis) if side == "out" else ""

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Copy place by place."""
        counts = self.counts(ins[0].shape[2:])
        return lambda: kernels.unroll(ins[0], outs[0], self.windows, counts)

    def backward_steps(self, flow: Flow) -> Sequence[Step]:
        """Add the columns up."""
        grad = flow.wanted[0][1]
        counts = self.counts(grad.shape[2:])
        return [lambda: kernels.fold(flow.head, grad, self.windows, counts)]

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Name the operator that goes back."""
        return f"col2im({heads[0]})"

    def numpy_code(self, n: CodeNames) -> list[str]:
        """Unroll."""
        return [f"{n.outs[0]} = {self.unroll_code(n.ins[0], n.out_shapes[0])}"]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """Fold."""
        return gradient_lines(n, [self.fold_code(n.heads[0] or "", n.in_shapes[0])])

    def torch_code(self, n: CodeNames) -> list[str]:
        """Call torch's own."""
        settings = self.settings_code("padding", "dilation")
        return [f"{n.outs[0]} = {self.torch_name('unfold')}({n.ins[0]}, {self.kernel}{settings})"]


@operator(name="col2im", category="Shape")
class Col2im(Unrolling):
    """Add the columns of a matrix up to an image: each holds what one sliding window covers.

    Rows are channels and the places of the window, columns are its positions, both in reading order.
    """

    output_size: tuple[int, ...] = param(doc="Size of the image, one number per spatial axis.")

    examples = (
        Example({"data": (2, 12, 9)}, output_size=(5, 4), kernel=(3, 2)),
        Example(
            {"data": (1, 6, 20)}, output_size=(6, 7), kernel=(2, 3), stride=(2, 1), dilate=(1, 2), pad=(1, 1)
        ),
        Example({"data": (2, 6, 3)}, output_size=(7,), kernel=(3,), stride=(2,)),
    )

    def check(self) -> None:
        """Refuse an image of another number of axes, or of no size."""
        super().check()
        refuse(
            len(self.output_size) != len(self.kernel) or min(self.output_size) < 1,
            f"output_size is {self.output_size}, but kernel {self.kernel} needs {len(self.kernel)} numbers of at "
            "least 1.",
            port="output_size",
        )

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """The settings say how many columns there must be."""
        rank = len(self.kernel)
        image = merge((0, 0, *self.output_size), outs[0] and image_of(outs[0], rank, "output"), "output")
        image, columns = self.joined(image, ins[0], "data")
        return (columns,), (image,)

    def because(self, side: Literal["in", "out"], index: int, axis: int, ins: Shapes, outs: Shapes) -> str:
        """Explain the image's size, and the columns."""
        if side == "in":
            return self.words(axis)
        return f"output_size = {by_x(self.output_size)}" if axis >= 2 else ""

    def multiply_adds(self, ins: Shapes, outs: Shapes) -> int:
        """Add every number once."""
        return element_count(ins[0])

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Add place by place."""
        counts = self.counts(self.output_size)
        return lambda: kernels.fold(ins[0], outs[0], self.windows, counts)

    def backward_steps(self, flow: Flow) -> Sequence[Step]:
        """Unroll the gradient."""
        grad, counts = flow.wanted[0][1], self.counts(self.output_size)
        return [lambda: kernels.unroll(flow.head, grad, self.windows, counts)]

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Name the operator that goes back."""
        return f"im2col({heads[0]})"

    def numpy_code(self, n: CodeNames) -> list[str]:
        """Fold."""
        return [f"{n.outs[0]} = {self.fold_code(n.ins[0], n.out_shapes[0])}"]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """Unroll."""
        return gradient_lines(n, [self.unroll_code(n.heads[0] or "", n.in_shapes[0])])

    def torch_code(self, n: CodeNames) -> list[str]:
        """Call torch's own."""
        settings = self.settings_code("padding", "dilation")
        sizes = f"{self.output_size}, {self.kernel}{settings}"
        return [f"{n.outs[0]} = {self.torch_name('fold')}({n.ins[0]}, {sizes})"]

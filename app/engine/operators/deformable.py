"""Convolutions whose windows are bent: each of their places looks where an offset moves it."""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

import attrs

from app.engine.errors import ShapeError
from app.engine.examples import Domain, Example
from app.engine.kernels import deformable as kernels
from app.engine.kernels.convolution import bias_gradient
from app.engine.kernels.steps import Step, overwrite
from app.engine.kernels.windows import Windows
from app.engine.operator import Array, Arrays, CodeNames, OptionalArrays, Port, Reads, operator, refuse
from app.engine.operators.geometry import (
    by_x,
    check_layout,
    check_window,
    count_words,
    image_of,
    per_group,
    size_under,
    sliding,
    window_words,
    windows_along,
)
from app.engine.operators.lines import assign_zeros
from app.engine.operators.prepared import Flow, Prepared
from app.engine.params import WIDE, param
from app.engine.shapes import Inferred, Shapes, element_count, merge
from app.engine.work_space import WorkSpace

_LAYOUTS = ("NCDHW", "NCHW", "NCW")
_STEP = {"offset": Domain(-0.9, 0.9, avoid=(0.0,))}
"""Offsets of less than a pixel, away from where the slope jumps."""


@attrs.frozen(kw_only=True)
class Deformable(Prepared):
    """What deformable convolutions have in common."""

    kinds = "f"

    kernel: tuple[int, ...] = param(doc="Height and width of the window.")
    stride: tuple[int, ...] = param(default=(), doc="Step from one window to the next; 1 if left out.")
    dilate: tuple[int, ...] = param(
        default=(), doc="Step from place to place inside a window; 1 if left out."
    )
    pad: tuple[int, ...] = param(default=(), doc="Zeros added on both sides of each axis; 0 if left out.")
    num_filter: int = param(low=1, doc="Number of filters, which is the number of output channels.")
    num_group: int = param(default=1, low=1, doc="Split the channels into groups that do not see each other.")
    num_deformable_group: int = param(
        default=1, low=1, doc="Split the channels into parts that are moved each by offsets of its own."
    )
    workspace: Annotated[int, WIDE] = param(
        default=1024, advanced=True, doc="Only for graphics cards; kept in files."
    )
    no_bias: bool = param(default=False, doc="Leave the bias out.")

    fades: ClassVar[bool] = False
    """Whether the image fades out over a pixel, rather than to end with its last ones."""
    masked: ClassVar[bool] = False
    """Whether a mask says how much each place of a window counts."""

    def check(self) -> None:
        """Refuse windows, groups and parts that contradict each other."""
        refuse(
            len(self.kernel) != 2,
            f"kernel is {self.kernel}, but it must be a height and a width.",
            port="kernel",
        )
        settings = {"stride": (self.stride, 1), "dilate": (self.dilate, 1), "pad": (self.pad, 0)}
        check_window(self.kernel, settings)
        check_layout(getattr(self, "layout", None), 2)
        for name, words in (("num_group", "groups"), ("num_deformable_group", "parts")):
            count = getattr(self, name)
            refuse(
                self.num_filter % count != 0,
                f"num_filter {self.num_filter} cannot be split into {count} equal {words}.",
                port=name,
            )

    @property
    def inputs(self) -> tuple[Port, ...]:
        """Data, offsets, perhaps a mask, filters, and a bias unless it is left out."""
        moving = (Port("offset"), Port("mask")) if self.masked else (Port("offset"),)
        bias = () if self.no_bias else (Port("bias", "bias"),)
        return (Port("data"), *moving, Port("weight", "weight"), *bias)

    @property
    def weight_index(self) -> int:
        """Which input the filters are."""
        return 3 if self.masked else 2

    @property
    def windows(self) -> Windows:
        """The sliding window with every setting filled in."""
        return sliding(self.kernel, self.stride, self.dilate, self.pad)

    @property
    def how(self) -> kernels.Deformation:
        """What the kernels are told."""
        return kernels.Deformation(self.windows, self.num_group, self.num_deformable_group, self.fades)

    # Shapes ------------------------------------------------------------------------------------------------------

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Sizes follow from the windows; every place of every window has an offset down and one across."""
        windows, at = self.windows, self.weight_index
        data = image_of(ins[0], 2)
        weight = (self.num_filter, self._channels_per_group(data[1]), *self.kernel)
        weight = merge(weight, image_of(ins[at], 2, "weight"), "weight")
        counts = [windows_along(windows, axis, data[2 + axis]) for axis in (0, 1)]
        result = merge((data[0], self.num_filter, *counts), outs[0], "output")
        moving = []
        for port, shape, each in zip(self.inputs[1:at], ins[1:at], (2, 1), strict=False):
            wanted = (result[0], each * windows.places * self.num_deformable_group, *result[2:])
            moving.append(merge(wanted, shape, port.name))
            result = (moving[-1][0], result[1], *moving[-1][2:])
        back = [size_under(windows, axis, result[2 + axis]) for axis in (0, 1)]
        data = merge(data, (result[0], weight[1] * self.num_group, *back), "data")
        bias = () if self.no_bias else (merge((self.num_filter,), ins[at + 1], "bias"),)
        return (data, *moving, weight, *bias), (result,)

    def _channels_per_group(self, channels: int) -> int:
        if channels % self.num_deformable_group:
            raise ShapeError(
                f"the {channels} channels of data cannot be split into {self.num_deformable_group} equal parts.",
                port="data",
            )
        return per_group(channels, self.num_group)

    def because(self, side: Literal["in", "out"], index: int, axis: int, ins: Shapes, outs: Shapes) -> str:
        """Explain filters, windows and how many offsets there are."""
        if side == "out":
            if axis == 1:
                return f"num_filter = {self.num_filter}"
            return count_words(self.windows, axis - 2, ins[0][axis]) if axis >= 2 else ""
        if 0 < index < self.weight_index and axis == 1:
            twice = "2 · " if index == 1 else ""
            parts = f" · {self.num_deformable_group} parts" if self.num_deformable_group > 1 else ""
            return f"{twice}window of {by_x(self.kernel)}{parts}"
        if index >= self.weight_index and axis == 0:
            return f"num_filter = {self.num_filter}"
        return f"kernel = {by_x(self.kernel)}" if index == self.weight_index and axis >= 2 else ""

    def multiply_adds(self, ins: Shapes, outs: Shapes) -> int:
        """Count four pixels for every place of every window, and the product with the filters."""
        channels, positions = ins[0][1], element_count(outs[0]) // self.num_filter
        seen = positions * self.windows.places * channels
        return seen * (4 + self.num_filter // self.num_group)

    def scratch(self, ins: Shapes, outs: Shapes, *, gradients: bool) -> WorkSpace:
        """Count pieces of columns, the pixels of one image as rows, and filters."""
        return kernels.work_space(ins[0], ins[self.weight_index], outs[0], self.how, gradients=gradients)

    # Running -----------------------------------------------------------------------------------------------------

    def _layer(self, ins: Arrays) -> kernels.Layer:
        mask = ins[2] if self.masked else None
        return kernels.Layer(ins[0], ins[1], mask, ins[self.weight_index])

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Look up what the windows see, and multiply it by the filters."""
        bias = None if self.no_bias else ins[-1]
        return lambda: kernels.convolve(self._layer(ins), bias, outs[0], self.how)

    def gradient_reads(self, index: int) -> Reads:
        """All but the bias's read where the windows look, and that is found together."""
        return Reads(inputs=tuple(range(self.weight_index + 1)) if index <= self.weight_index else ())

    def backward_steps(self, flow: Flow) -> Sequence[Step]:
        """Find all gradients together but the bias's, which is a sum."""
        steps: list[Step] = []
        at = self.weight_index
        if not self.no_bias and flow.grads[-1] is not None:
            steps.append(bias_gradient(flow.head, flow.grads[-1]))
        if any(grad is not None for grad in flow.grads[: at + 1]):
            wanted = self._wanted(flow.grads)
            layer = self._layer([flow.read(index) for index in range(at + 1)])
            steps.append(lambda: kernels.gradients(layer, flow.head, wanted, self.how))
        return steps

    def _wanted(self, grads: OptionalArrays) -> kernels.Gradients:
        mask: Array | None = grads[2] if self.masked else None
        return kernels.Gradients(grads[0], grads[1], mask, grads[self.weight_index])

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradients as operations on whole arrays; seen is what bent windows see."""
        weight = ins[self.weight_index]
        back = f"{weight}ᵀ · {heads[0]}"
        if index == 0:
            return f"{back}, spread over the four pixels around each place"
        if index == 1:
            return f"Σ over channels: ({back}) · slope of {ins[0]} at each place"
        if index == self.weight_index:
            return f"Σ {heads[0]} · seenᵀ, seen = {ins[0]} at the moved places of the windows"
        if index > self.weight_index:
            return f"Σ {heads[0]} over batch and positions"
        return f"Σ over channels: ({back}) · {ins[0]} at each place"

    def _settings_code(self) -> str:
        windows = self.windows
        settings: dict[str, object] = {"stride": windows.stride, "pad": windows.pad, "dilate": windows.dilate}
        settings |= {"groups": self.num_group, "parts": self.num_deformable_group, "fades": self.fades}
        return ", ".join(f"{name}={value}" for name, value in settings.items())

    def _call(self, n: CodeNames) -> str:
        """Return the call of the part `deformable_convolution`, which is there in both languages."""
        mask = n.ins[2] if self.masked else None
        bias = None if self.no_bias else n.ins[-1]
        arrays = f"{n.ins[0]}, {n.ins[1]}, {mask}, {n.ins[self.weight_index]}, {bias}"
        return f"deformable_convolution({arrays}, {self._settings_code()})"

    def numpy_code(self, n: CodeNames) -> list[str]:
        """Call the part `deformable_convolution`."""
        return [f"{n.outs[0]} = {self._call(n)}"]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """Call the part `deformable_convolution_gradient`; the bias's is a sum."""
        if n.heads[0] is None:
            return assign_zeros(n)
        grads = list(n.grads)
        bias = None if self.no_bias else grads.pop()
        lines = [] if bias is None else [f"{bias} = {n.heads[0]}.sum(axis=(0, 2, 3))"]
        if any(grads):
            mask = n.ins[2] if self.masked else None
            read = f"{n.heads[0]}, {n.ins[0]}, {n.ins[1]}, {mask}, {n.ins[self.weight_index]}"
            call = f"deformable_convolution_gradient({read}, {self._settings_code()})"
            names = [name or "_" for name in grads]
            if not self.masked:
                names.insert(2, "_")
            lines.append(f"{', '.join(names)} = {call}")
        return lines

    def torch_code(self, n: CodeNames) -> list[str]:
        """Call the part `deformable_convolution`."""
        return [f"{n.outs[0]} = {self._call(n)}"]

    def summary(self) -> str:
        """Return window and filters, and what else was set."""
        return " · ".join([by_x(self.kernel), str(self.num_filter), *window_words(self.windows)])


@operator(name="_contrib_DeformableConvolution", category="Layers")
class DeformableConvolution(Deformable):
    """Convolve with windows whose places are moved by learned offsets.

    y[n, f] = Σ weight[f] · window(data[n], moved by offset[n]) + bias[f]
    """

    layout: str | None = param(
        default=None, choices=_LAYOUTS, advanced=True, doc="Order of the axes of data."
    )

    def add_gradient(self, index: int, fresh: Array, holder: Array) -> Step:
        """MXNet writes over what the buffers of data and offset held."""
        if index < self.weight_index:
            return overwrite(fresh, holder)
        return super().add_gradient(index, fresh, holder)

    examples = (
        Example(
            {"data": (2, 3, 6, 5), "offset": (2, 18, 6, 5)},
            domains=_STEP,
            kernel=(3, 3),
            num_filter=4,
            pad=(1, 1),
        ),
        Example(
            {"data": (1, 4, 7, 6), "offset": (1, 24, 3, 4)},
            domains=_STEP,
            kernel=(3, 2),
            num_filter=4,
            stride=(2, 1),
            dilate=(1, 2),
            num_group=2,
            num_deformable_group=2,
            no_bias=True,
        ),
    )


@operator(name="_contrib_ModulatedDeformableConvolution", category="Layers")
class ModulatedDeformableConvolution(Deformable):
    """Convolve with windows whose places are moved by learned offsets and count as much as a learned mask says.

    y[n, f] = Σ weight[f] · mask[n] · window(data[n], moved by offset[n]) + bias[f]
    """

    fades = masked = True

    im2col_step: int = param(
        default=64, low=1, advanced=True, doc="How many images are unrolled at once on graphics cards."
    )
    layout: str | None = param(
        default=None, choices=_LAYOUTS, advanced=True, doc="Order of the axes of data."
    )

    examples = (
        Example(
            {"data": (2, 3, 6, 5), "offset": (2, 18, 6, 5), "mask": (2, 9, 6, 5)},
            domains=_STEP,
            kernel=(3, 3),
            num_filter=4,
            pad=(1, 1),
        ),
        Example(
            {"data": (1, 4, 7, 6), "offset": (1, 24, 3, 4), "mask": (1, 12, 3, 4)},
            domains=_STEP,
            kernel=(3, 2),
            num_filter=4,
            stride=(2, 1),
            dilate=(1, 2),
            num_group=2,
            num_deformable_group=2,
            no_bias=True,
        ),
    )

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Do as without a mask, but refuse a batch that MXNet could not take apart."""
        shapes, results = super().infer(ins, outs)
        batch = shapes[0][0]
        if batch > self.im2col_step and batch % self.im2col_step:
            raise ShapeError(
                f"a batch of {batch} is no multiple of im2col_step {self.im2col_step}.", port="data"
            )
        return shapes, results

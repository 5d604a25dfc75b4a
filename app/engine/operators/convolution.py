"""Convolution and its transpose, in one, two and three dimensions."""

from collections.abc import Callable, Sequence
from math import prod
from typing import Annotated, ClassVar, Literal

import attrs
import numpy as np

from app.engine.errors import ShapeError
from app.engine.examples import Example
from app.engine.kernels import convolution as kernels
from app.engine.kernels.columns import Setting, work_space
from app.engine.kernels.steps import in_order, overwrite, without_gradient
from app.engine.kernels.windows import Windows
from app.engine.operator import (
    Array,
    Arrays,
    CodeNames,
    OptionalArrays,
    Port,
    Reads,
    Run,
    operator,
    refuse,
)
from app.engine.operators.geometry import (
    AXIS_NAMES,
    LAYOUTS,
    by_x,
    channels_first,
    check_layout,
    check_window,
    image_of,
    in_layout,
    is_channels_last,
    is_mostly_image,
    options,
    per_axis,
)
from app.engine.operators.lines import assign_zeros
from app.engine.operators.prepared import Prepared
from app.engine.params import WIDE, param
from app.engine.shapes import Inferred, Shape, Shapes, element_count, merge
from app.engine.split import Split
from app.engine.work_space import WorkSpace

TUNINGS = ("fastest", "limited_workspace", "off")


@attrs.frozen(kw_only=True)
class Filtering(Prepared):
    """What a convolution and its transpose have in common: filters that slide over an image."""

    kernel: tuple[int, ...] = param(doc="Size of the window, one number per spatial axis.")
    stride: tuple[int, ...] = param(default=(), doc="Step from one window to the next; 1 if left out.")
    dilate: tuple[int, ...] = param(
        default=(), doc="Step from place to place inside a window; 1 if left out."
    )
    pad: tuple[int, ...] = param(default=(), doc="Zeros added on both sides of each axis; 0 if left out.")
    num_filter: int = param(low=1, doc="Number of filters, which is the number of output channels.")
    num_group: int = param(default=1, low=1, doc="Split the channels into groups that do not see each other.")
    layout: str | None = param(default=None, choices=LAYOUTS, advanced=True, doc="Order of the axes of data.")
    cudnn_tune: str | None = param(
        default=None, choices=TUNINGS, advanced=True, doc="Only for graphics cards; kept in files."
    )
    cudnn_off: bool = param(default=False, advanced=True, doc="Only for graphics cards; kept in files.")

    @property
    def has_bias(self) -> bool:
        """Whether a bias is added to every output channel."""
        raise NotImplementedError

    @property
    def inputs(self) -> tuple[Port, ...]:
        """Data, filters, and a bias unless it is left out."""
        ports = (Port("data"), Port("weight", "weight"), Port("bias", "bias"))
        return ports if self.has_bias else ports[:2]

    @property
    def windows(self) -> Windows:
        """The sliding window with every setting filled in."""
        rank = len(self.kernel)
        return Windows(
            self.kernel,
            per_axis(self.stride, rank, 1),
            per_axis(self.dilate, rank, 1),
            per_axis(self.pad, rank, 0),
        )

    @property
    def channels_last(self) -> bool:
        """Whether the layout puts the channels behind the spatial axes."""
        return is_channels_last(self.layout)

    def check(self) -> None:
        """Refuse windows and groups that contradict each other."""
        check_window(
            self.kernel, {"stride": (self.stride, 1), "dilate": (self.dilate, 1), "pad": (self.pad, 0)}
        )
        check_layout(self.layout, len(self.kernel))
        refuse(
            self.num_filter % self.num_group != 0,
            f"num_filter {self.num_filter} cannot be split into {self.num_group} equal groups.",
            port="num_group",
        )

    def makes_sense(self, ins: Shapes, outs: Shapes) -> bool:
        """No window sees little but padding."""
        return is_mostly_image(self.windows, channels_first(ins[0], self.channels_last)[2:])

    def first(self, array: Array) -> Array:
        """View an array of the node's layout with its channels as the second axis."""
        return np.moveaxis(array, -1, 1) if self.channels_last else array

    def setting(self, run: Run) -> Setting:
        """Collect what the kernels need."""
        return Setting(self.windows, self.num_group, run.lent)

    def gradient_reads(self, index: int) -> Reads:
        """The image's gradient reads the filters, the filters' gradient reads the image."""
        return Reads(inputs=((1,), (0,), ())[index])

    def splits(self, ins: Shapes, outs: Shapes) -> Sequence[Split]:
        """Samples know nothing of each other."""
        return [Split((0, *(None,) * (len(self.inputs) - 1)), (0,))]

    def prepare_backward(
        self,
        run: Run,
        ins: OptionalArrays,
        outs: OptionalArrays,
        heads: OptionalArrays,
        grads: OptionalArrays,
    ) -> Callable[[], object]:
        """Set up one call per wanted gradient."""
        head = heads[0]
        if head is None:
            return without_gradient(grads)
        calls: list[Callable[[], object]] = []
        if grads[0] is not None and ins[1] is not None:
            calls.append(self.data_gradient(run, self.first(head), self.first(ins[1]), self.first(grads[0])))
        if grads[1] is not None and ins[0] is not None:
            calls.append(
                self.weight_gradient(run, self.first(head), self.first(ins[0]), self.first(grads[1]))
            )
        if self.has_bias and grads[2] is not None:
            calls.append(kernels.bias_gradient(self.first(head), grads[2]))
        return in_order(calls)

    def data_gradient(self, run: Run, head: Array, weight: Array, grad: Array) -> Callable[[], object]:
        """Prepare the gradient of the image."""
        raise NotImplementedError

    def weight_gradient(self, run: Run, head: Array, data: Array, grad: Array) -> Callable[[], object]:
        """Prepare the gradient of the filters."""
        raise NotImplementedError

    def multiply_adds(self, ins: Shapes, outs: Shapes) -> int:
        """Count channels × window per filter at every position of the windows."""
        weight = ins[1]
        positions = channels_first(self._sliding_side(ins, outs), self.channels_last)
        return element_count(weight) * positions[0] * prod(positions[2:]) if positions and weight else 0

    def scratch(self, ins: Shapes, outs: Shapes, *, gradients: bool) -> WorkSpace:
        """Count unrolled windows and what is laid round the image."""
        sliding = self._sliding_side(ins, outs)
        image = channels_first(outs[0] if sliding is ins[0] else ins[0], self.channels_last)
        counts = channels_first(sliding, self.channels_last)[2:]
        rooms = 4 if gradients else 1
        return work_space(image, counts, rooms * element_count(ins[1]), self.windows)

    def _sliding_side(self, ins: Shapes, outs: Shapes) -> Shape:
        """The array with one element per window position."""
        return outs[0]

    def summary(self) -> str:
        """Return window, filters and what else was set: `3×3 · 8 · pad 1`."""
        words = [by_x(self.kernel), str(self.num_filter)]
        for name in ("stride", "dilate", "pad"):
            sizes = getattr(self, name)
            if sizes and set(sizes) != {0 if name == "pad" else 1}:
                words.append(f"{name} {sizes[0] if len(set(sizes)) == 1 else by_x(sizes)}")
        if self.num_group > 1:
            words.append(f"{self.num_group} groups")
        return " · ".join(words)

    def settings_code(self, windows: Windows, padding: str, dilation: str) -> str:
        """Write the settings as keyword arguments, with the names that the called library has for two of them."""
        ones = (1,) * len(self.kernel)
        return options(
            stride=(windows.stride, ones),
            **{padding: (windows.pad, (0,) * len(ones)), dilation: (windows.dilate, ones)},
            groups=(self.num_group, 1),
        )

    def channels_first_code(self, name: str) -> str:
        """Write an array's name so that its channels are the second axis."""
        return f"np.moveaxis({name}, -1, 1)" if self.channels_last else name

    def own_layout_code(self, expression: str) -> str:
        """Write a channels-first expression so that it has the node's own layout."""
        return f"np.moveaxis({expression}, 1, -1)" if self.channels_last else expression

    def bias_gradient_code(self, n: CodeNames) -> str:
        """Write the line for the gradient of the bias."""
        rank = len(self.kernel)
        axes = tuple(range(rank + 1)) if self.channels_last else (0, *range(2, rank + 2))
        return f"{n.grads[2]} = {n.heads[0]}.sum(axis={axes})"

    def torch_call(self, n: CodeNames, function: str, keywords: str) -> list[str]:
        """Write one call of torch's functional interface, in the node's layout."""
        bias = f", {n.ins[2]}" if self.has_bias else ""
        rank = len(self.kernel)
        if not self.channels_last:
            return [f"{n.outs[0]} = {function}{rank}d({n.ins[0]}, {n.ins[1]}{bias}{keywords})"]
        data, weight = f"{n.ins[0]}.movedim(-1, 1)", f"{n.ins[1]}.movedim(-1, 1)"
        return [f"{n.outs[0]} = {function}{rank}d({data}, {weight}{bias}{keywords}).movedim(1, -1)"]


@operator(category="Layers")
class Convolution(Filtering):
    """Slide learned filters over an image and sum what each one sees.

    y[n, f] = Σ weight[f] · window(data[n]) + bias[f]
    """

    workspace: Annotated[int, WIDE] = param(
        default=1024, advanced=True, doc="Only for graphics cards; kept in files."
    )
    no_bias: bool = param(default=False, doc="Leave the bias out.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example({"data": (2, 3, 6, 5)}, kernel=(3, 3), num_filter=4, pad=(1, 1)),
        Example(
            {"data": (2, 4, 7, 6)}, kernel=(3, 2), num_filter=4, stride=(2, 1), num_group=2, no_bias=True
        ),
        Example(
            {"data": (1, 2, 8, 7)}, kernel=(2, 3), num_filter=2, dilate=(2, 2), stride=(2, 2), pad=(1, 2)
        ),
        Example({"data": (2, 3, 4, 4)}, kernel=(1, 1), num_filter=2),
        Example({"data": (2, 3, 9)}, kernel=(3,), num_filter=2, stride=(2,), pad=(1,)),
        Example({"data": (1, 2, 4, 3, 4)}, kernel=(2, 2, 3), num_filter=2, pad=(0, 1, 1)),
        Example({"data": (2, 5, 4, 3)}, kernel=(3, 3), num_filter=2, pad=(1, 1), layout="NHWC"),
        # with as many numbers per sample as come in, the result may take data's place: also in rows of one sample
        Example({"data": (2, 3, 5, 4)}, kernel=(3, 3), num_filter=3, pad=(1, 1)),
        Example({"data": (2, 4, 60, 52)}, kernel=(5, 5), num_filter=4, pad=(2, 2), gradient=False),
    )

    @property
    def has_bias(self) -> bool:
        """Whether a bias is added to every output channel."""
        return not self.no_bias

    @property
    def inplace(self) -> tuple[tuple[int, int], ...]:
        """A result as large as data may take its place, unless data is its own columns."""
        return ((0, 0),) if any(self.windows.pad) else ()

    def add_gradient(self, index: int, fresh: Array, holder: Array) -> Callable[[], object]:
        """MXNet writes over the gradient of data where every window is a single point."""
        single = set(self.kernel) == {1} and not any(self.pad) and set(self.stride) <= {1}
        return (
            overwrite(fresh, holder) if index == 0 and single else super().add_gradient(index, fresh, holder)
        )

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Sizes follow from the windows; batch, channels and (with stride 1) sizes also flow back to data."""
        rank, last = len(self.kernel), self.channels_last
        data = channels_first(image_of(ins[0], rank), last)
        weight: Shape = (self.num_filter, self._per_group(data[1]), *self.kernel)
        if ins[1]:
            weight = merge(weight, channels_first(image_of(ins[1], rank, "weight"), last), "weight")
        result: Shape = (
            data[0],
            self.num_filter,
            *[self._size(axis, data[2 + axis]) for axis in range(rank)],
        )
        if outs[0]:
            result = merge(result, channels_first(image_of(outs[0], rank, "output"), last), "output")
        if outs[0] or 0 in data:  # else nothing can flow back
            channels = weight[1] * self.num_group or data[1]
            known = [self._size_back(axis, result[2 + axis]) for axis in range(rank)]
            data = merge(data, (result[0], channels, *known), "data")
        shapes = [in_layout(data, last), in_layout(weight, last)]
        if self.has_bias:
            shapes.append(merge((self.num_filter,), ins[2], "bias"))
        return tuple(shapes), (in_layout(result, last),)

    def _per_group(self, channels: int) -> int:
        if channels % self.num_group:
            raise ShapeError(
                f"the {channels} channels of data cannot be split into {self.num_group} equal groups.",
                port="data",
            )
        return channels // self.num_group

    def _size(self, axis: int, size: int) -> int:
        if not size:
            return 0
        pad = self.pad[axis] if self.pad else 0
        room = size + 2 * pad - self._reach(axis)
        if room < 0:
            name = AXIS_NAMES[len(self.kernel)][axis]
            raise ShapeError(
                f"a window of {self._reach(axis)} does not fit into a {name} of {size} with padding "
                f"{pad} on both sides.",
                port="data",
            )
        return room // (self.stride[axis] if self.stride else 1) + 1

    def _size_back(self, axis: int, size: int) -> int:
        if not size or (self.stride and self.stride[axis] != 1):
            return 0
        pad = self.pad[axis] if self.pad else 0
        return max(size + self._reach(axis) - 1 - 2 * pad, 0)

    def _reach(self, axis: int) -> int:
        """Return how much of the image one dilated window covers."""
        return self.dilate[axis] * (self.kernel[axis] - 1) + 1 if self.dilate else self.kernel[axis]

    def because(self, side: Literal["in", "out"], index: int, axis: int, ins: Shapes, outs: Shapes) -> str:
        """Explain filters, window and sizes."""
        rank = len(self.kernel)
        where = axis
        if self.channels_last and (side == "out" or index < 2):
            where = (0, *range(2, rank + 2), 1)[axis]
        if side == "in" and index == 0:
            return ""
        if side == "in" and index == 1 and where == 1 and self.num_group > 1:
            channels = channels_first(ins[0], self.channels_last)[1]
            return f"{channels} channels / num_group {self.num_group}"
        if side == "in" and index == 1 and where >= 2:
            return f"kernel = {by_x(self.kernel)}"
        if (side == "out" and where == 1) or (side == "in" and where == 0):
            return f"num_filter = {self.num_filter}"
        if side == "out" and where >= 2:
            return self._size_words(where - 2, channels_first(ins[0], self.channels_last)[where])
        return ""

    def _size_words(self, axis: int, size: int) -> str:
        window = self.windows
        kernel, stride, pad = window.kernel[axis], window.stride[axis], window.pad[axis]
        reach = window.reach[axis]
        dilated = "" if reach == kernel else f" dilated to {reach}"
        sum_text = f"({size} + 2·{pad} − {reach})"
        return f"kernel {kernel}{dilated}, stride {stride}, pad {pad}: {sum_text}/{stride} + 1"

    def prepare_forward(self, run: Run, ins: Arrays, outs: Arrays) -> Callable[[], object]:
        """Set up the columns once."""
        bias = ins[2] if self.has_bias else None
        image, weight, result = self.first(ins[0]), self.first(ins[1]), self.first(outs[0])
        return kernels.convolution(image, weight, bias, result, self.setting(run))

    def data_gradient(self, run: Run, head: Array, weight: Array, grad: Array) -> Callable[[], object]:
        """Prepare the transposed convolution of the head gradient."""
        return kernels.image_gradient(head, weight, grad, self.setting(run))

    def weight_gradient(self, run: Run, head: Array, data: Array, grad: Array) -> Callable[[], object]:
        """Prepare the product of the image's windows with the head gradient."""
        return kernels.filter_gradient(data, head, grad, self.setting(run))

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the three gradients as operations on whole arrays."""
        return (
            f"conv_transpose({heads[0]}, {ins[1]})",
            f"Σ windows({ins[0]})ᵀ · {heads[0]}",
            f"Σ {heads[0]} over batch and positions",
        )[index]

    def numpy_code(self, n: CodeNames) -> list[str]:
        """Call the part `convolve`."""
        bias = n.ins[2] if self.has_bias else "None"
        data, weight = self.channels_first_code(n.ins[0]), self.channels_first_code(n.ins[1])
        call = f"convolve({data}, {weight}, {bias}{self.settings_code(self.windows, 'pad', 'dilate')})"
        return [f"{n.outs[0]} = {self.own_layout_code(call)}"]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """Call the parts for the gradients of data and filters."""
        if n.heads[0] is None:
            return assign_zeros(n)
        keywords = self.settings_code(self.windows, "pad", "dilate")
        data, weight, head = (self.channels_first_code(name) for name in (n.ins[0], n.ins[1], n.heads[0]))
        lines = []
        if n.grads[0]:
            call = f"convolve_data_gradient({head}, {weight}, {data}.shape{keywords})"
            lines.append(f"{n.grads[0]} = {self.own_layout_code(call)}")
        if n.grads[1]:
            call = f"convolve_weight_gradient({head}, {data}, {weight}.shape{keywords})"
            lines.append(f"{n.grads[1]} = {self.own_layout_code(call)}")
        if self.has_bias and n.grads[2]:
            lines.append(self.bias_gradient_code(n))
        return lines

    def torch_code(self, n: CodeNames) -> list[str]:
        """Call torch's own convolution."""
        return self.torch_call(n, "F.conv", self.settings_code(self.windows, "padding", "dilation"))

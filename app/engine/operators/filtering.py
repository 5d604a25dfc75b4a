"""What a convolution and its transpose have in common: filters that slide over an image."""

from collections.abc import Callable, Sequence
from math import prod

import attrs
import numpy as np

from app.engine.kernels import convolution as kernels
from app.engine.kernels.columns import Setting, work_space
from app.engine.kernels.steps import in_order, without_gradient
from app.engine.kernels.windows import Windows
from app.engine.operator import (
    Array,
    CodeNames,
    OptionalArrays,
    Port,
    Reads,
    Run,
    refuse,
)
from app.engine.operators.geometry import (
    LAYOUTS,
    by_x,
    channels_first,
    check_layout,
    check_window,
    is_channels_last,
    is_mostly_image,
    options,
    sliding,
    window_words,
)
from app.engine.operators.prepared import Prepared
from app.engine.params import param
from app.engine.shapes import Shape, Shapes, element_count
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
        return sliding(self.kernel, self.stride, self.dilate, self.pad)

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
        return Setting(self.windows, run.lent)

    def gradient_reads(self, index: int) -> Reads:
        """The image's gradient reads the filters, the filters' gradient reads the image."""
        return Reads(inputs=((1,), (0,), ())[index])

    @property
    def filter_axis(self) -> int:
        """The axis of the weight along which its filters lie, where there is one group."""
        raise NotImplementedError

    def splits(self, ins: Shapes, outs: Shapes) -> Sequence[Split]:
        """Samples know nothing of each other, nor do filters, which both unroll the image, though; nor do groups."""
        nothing, bias = (None,) * self.has_bias, (0,) * self.has_bias
        if outs[0][0] > 1:
            return [Split((0, None, *nothing), (0,))]
        channels = len(outs[0]) - 1 if self.channels_last else 1
        if self.num_group == 1:
            return [Split((None, self.filter_axis, *bias), (channels,))]
        return [Split((channels, 0, *bias), (channels,))] if self.num_group % 2 == 0 else []

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
        held = (
            3 if image[0] == 1 else 2
        )  # forward may run in halves of the rows, and backward in halves of the filters
        return work_space(image, counts, rooms * element_count(ins[1]), self.windows, held)

    def _sliding_side(self, ins: Shapes, outs: Shapes) -> Shape:
        """The array with one element per window position."""
        return outs[0]

    def summary(self) -> str:
        """Return window, filters and what else was set: `3×3 · 8 · pad 1`."""
        words = [by_x(self.kernel), str(self.num_filter), *window_words(self.windows)]
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

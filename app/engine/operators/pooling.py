"""Pooling: one number per window of an image."""

from collections.abc import Sequence
from functools import partial
from math import prod
from typing import Any, Literal

import numpy as np

from app.engine.errors import ShapeError
from app.engine.examples import Domain, Example
from app.engine.kernels import pooling as kernels
from app.engine.kernels.steps import Step
from app.engine.kernels.windows import Windows
from app.engine.operator import Array, Arrays, CodeNames, Reads, Run, Types, operator, refuse
from app.engine.operators.geometry import (
    AXIS_NAMES,
    LAYOUTS,
    Sizes,
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
from app.engine.operators.prepared import Flow, Prepared, present
from app.engine.params import param
from app.engine.shapes import Inferred, Shape, Shapes, element_count, is_known, merge
from app.engine.split import Split
from app.engine.work_space import Work, WorkSpace

_POSITIVE = {"data": Domain(0.2, 2.0)}


@operator(category="Layers")
class Pooling(Prepared):
    """Reduce every window of an image to its maximum, average, sum or power mean.

    The stride is 1 unless it is set.
    """

    kinds = "f"

    work = Work(keeps=0.6, takes=0.6, keeps_back=1.2)

    kernel: tuple[int, ...] = param(
        default=(), none_is_empty=True, doc="Size of the window, one number per spatial axis."
    )
    pool_type: str = param(
        default="max", choices=("avg", "lp", "max", "sum"), doc="What becomes of the numbers in a window."
    )
    global_pool: bool = param(
        default=False, doc="One window over the whole image; kernel, stride, pad are ignored."
    )
    cudnn_off: bool = param(default=False, advanced=True, doc="Only for graphics cards; kept in files.")
    pooling_convention: str = param(
        default="valid",
        choices=("full", "same", "valid"),
        doc="How the number of windows is rounded: down (valid) or up (full).",
    )
    stride: tuple[int, ...] = param(default=(), doc="Step from one window to the next; 1 if left out.")
    pad: tuple[int, ...] = param(default=(), doc="Padding on both sides of each axis; 0 if left out.")
    p_value: int | None = param(default=None, low=1, high=3, doc="The power of lp pooling.")
    count_include_pad: bool | None = param(
        default=None, doc="Whether averages count padding as numbers; yes if left out."
    )
    layout: str | None = param(
        default=None, choices=(*LAYOUTS, "NWC"), advanced=True, doc="Order of the axes of data."
    )

    examples = (
        Example({"data": (2, 2, 6, 4)}, kernel=(2, 2), stride=(2, 2)),
        Example({"data": (1, 2, 5, 6)}, kernel=(3, 2), pad=(1, 0), stride=(2, 1), pooling_convention="full"),
        Example({"data": (2, 2, 5, 4)}, kernel=(3, 3), pool_type="avg", pad=(1, 1), stride=(2, 2)),
        Example(
            {"data": (1, 2, 6, 5)}, kernel=(3, 2), pool_type="avg", stride=(2, 2), pooling_convention="full"
        ),
        Example({"data": (1, 2, 4, 4)}, kernel=(3, 3), pool_type="avg", pad=(1, 1), count_include_pad=False),
        Example({"data": (1, 2, 4, 4)}, kernel=(2, 2), pool_type="sum"),
        Example(
            {"data": (1, 2, 4, 4)}, domains=_POSITIVE, kernel=(2, 2), pool_type="lp", p_value=3, stride=(2, 2)
        ),
        Example({"data": (2, 3, 4, 5)}, global_pool=True, pool_type="avg"),
        Example({"data": (2, 3, 4, 5)}, global_pool=True, kernel=(2, 2)),
        Example({"data": (1, 2, 7)}, kernel=(3,), stride=(2,), pad=(1,)),
        Example({"data": (1, 2, 4, 3, 4)}, kernel=(2, 2, 2), stride=(2, 1, 2), pool_type="avg"),
        Example({"data": (2, 4, 4, 3)}, kernel=(2, 2), stride=(2, 2), layout="NHWC"),
    )

    def check(self) -> None:
        """Refuse windows that contradict each other; a global pool looks at none of them."""
        refuse(
            self.pool_type == "lp" and self.p_value is None,
            "lp pooling needs p_value: 1, 2 or 3.",
            port="p_value",
        )
        refuse(0 in (*self.kernel, *self.stride), "kernel and stride must not be 0.", port="stride")
        if self.global_pool:
            return
        refuse(
            self.pooling_convention == "same",
            "pooling_convention same cannot be used; MXNet 1.9.1 refuses it in every case.",
            port="pooling_convention",
        )
        refuse(not self.kernel, "Pooling needs a kernel, like (2, 2), or global_pool.", port="kernel")
        check_window(self.kernel, {"stride": (self.stride, 1), "pad": (self.pad, 0)})
        check_layout(self.layout, len(self.kernel))

    @property
    def hidden(self) -> tuple[str, ...]:
        """Maximum pooling remembers which place of each window won."""
        return ("winner",) if self.pool_type == "max" else ()

    @property
    def hidden_in_files(self) -> int:
        """MXNet finds the winners anew where the channels come last."""
        return 0 if self.channels_last else len(self.hidden)

    @property
    def channels_last(self) -> bool:
        """Whether the layout puts the channels behind the spatial axes."""
        return is_channels_last(self.layout)

    def first(self, array: Array) -> Array:
        """View an array of the node's layout with its channels as the second axis."""
        return np.moveaxis(array, -1, 1) if self.channels_last else array

    def windows(self, sizes: Sizes) -> Windows:
        """Return the sliding window over an image of the given sizes."""
        ones, zeros = (1,) * len(sizes), (0,) * len(sizes)
        if self.global_pool:
            return Windows(sizes, ones, ones, zeros)
        rank = len(sizes)
        return Windows(self.kernel, per_axis(self.stride, rank, 1), ones, per_axis(self.pad, rank, 0))

    # Shapes and types --------------------------------------------------------------------------------------------

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Sizes follow from the windows; batch and channels flow both ways."""
        rank = self._rank(ins[0] or outs[0])
        if rank == 0:
            return ins, outs
        last = self.channels_last
        data = channels_first(image_of(ins[0], rank), last)
        result = channels_first(image_of(outs[0], rank, "output"), last)
        sizes = [self._count(axis, data) for axis in range(rank)]
        result = merge((*data[:2], *sizes), result, "output")
        data = merge(data, (*result[:2], *(0,) * rank), "data")
        output = in_layout(result, last)
        return (in_layout(data, last),), (output,) * len(outs)

    def makes_sense(self, ins: Shapes, outs: Shapes) -> bool:
        """No window sees little but padding."""
        image = channels_first(ins[0], self.channels_last)[2:]
        return self.global_pool or is_mostly_image(self.windows(image), image)

    def _rank(self, known: Shape) -> int:
        """Return the number of spatial axes, 0 while nobody knows."""
        if not self.global_pool:
            return len(self.kernel)
        if not known:
            return 0
        if len(known) - 2 not in AXIS_NAMES:
            raise ShapeError(
                f"data has {len(known)} axes, but pooling needs 3, 4 or 5: batch, channel, and 1 to 3 sizes.",
                port="data",
            )
        return len(known) - 2

    def _count(self, axis: int, data: Shape) -> int:
        """Return the number of windows along an axis, 0 while the size is unknown."""
        if self.global_pool:
            return 1
        size, windows = data[2 + axis], self.windows(data[2:])
        if not size:
            return 0
        kernel, stride, pad = windows.kernel[axis], windows.stride[axis], windows.pad[axis]
        room = size + 2 * pad - kernel
        if room < 0:
            name = AXIS_NAMES[len(data) - 2][axis]
            raise ShapeError(
                f"a window of {kernel} does not fit into a {name} of {size} with padding {pad} on both sides.",
                port="data",
            )
        return 1 + (-(-room // stride) if self.pooling_convention == "full" else room // stride)

    def infer_types(self, ins: Types, outs: Types) -> tuple[Types, Types]:
        """The result has data's type; winners are small whole numbers."""
        same_ins, same_outs = super().infer_types(ins, outs[:1])
        if not self.hidden:
            return same_ins, same_outs
        small = not self.global_pool and prod(self.kernel) <= np.iinfo(np.uint8).max
        return same_ins, (*same_outs, np.dtype(np.uint8 if small else np.int32))

    def because(self, side: Literal["in", "out"], index: int, axis: int, ins: Shapes, outs: Shapes) -> str:
        """Explain the sizes of the result."""
        data = channels_first(ins[0], self.channels_last)
        where = (0, *range(2, len(data)), 1)[axis] if self.channels_last else axis
        if side == "in" or where < 2:
            return ""
        if self.global_pool:
            return "global_pool = True"
        windows = self.windows(data[2:])
        size, kernel = data[where], windows.kernel[where - 2]
        stride, pad = windows.stride[where - 2], windows.pad[where - 2]
        rounded = "up" if self.pooling_convention == "full" else "down"
        sum_text = f"({size} + 2·{pad} − {kernel})/{stride} + 1"
        return f"kernel {kernel}, stride {stride}, pad {pad}, rounded {rounded}: {sum_text}"

    # Running -----------------------------------------------------------------------------------------------------

    def _scale(self, windows: Windows, sizes: Sizes, counts: Sizes, dtype: Any) -> Array | float:
        if self.pool_type == "sum":
            return 1.0
        include = self.count_include_pad is not False
        return kernels.average_scale(windows, sizes, counts, include, dtype)

    def scratch(self, ins: Shapes, outs: Shapes, *, gradients: bool) -> WorkSpace:
        """Count less where one window is the whole image: it needs no array for each of its places."""
        work = (
            Work(keeps=0.3, takes=0.3, keeps_back=0.3)
            if self.global_pool and self.pool_type != "lp"
            else self.work
        )
        return work.beside(max(map(element_count, (*ins, *outs))), gradients=gradients)

    def prepare_forward(self, run: Run, ins: Arrays, outs: Arrays) -> Step:
        """Leave out which place held a maximum where no gradient asks for it."""
        if self.pool_type == "max" and not self.global_pool and not run.goes_back:
            data, result = self.first(ins[0]), self.first(outs[0])
            return kernels.max_pool_alone(data, result, self.windows(data.shape[2:]))
        return super().prepare_forward(run, ins, outs)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Set up the places of the window once."""
        data, result = self.first(ins[0]), self.first(outs[0])
        sizes, counts = data.shape[2:], result.shape[2:]
        windows = self.windows(sizes)
        if self.pool_type == "max":
            winner = self.first(outs[1])
            if self.global_pool and data.flags.c_contiguous:
                return kernels.global_max(data, result, winner)
            return kernels.max_pool(data, result, winner, windows)
        if self.pool_type == "lp":
            return kernels.power_pool(data, result, windows, self.p_value or 1)
        scale = self._scale(windows, sizes, counts, data.dtype)
        if self.global_pool and data.flags.c_contiguous:
            return kernels.global_sum(data, result, scale)
        return kernels.sum_pool(data, result, windows, scale)

    def splits(self, ins: Shapes, outs: Shapes) -> Sequence[Split]:
        """Samples know nothing of each other, nor do the channels of a single one."""
        axis = 0 if outs[0][0] > 1 else len(outs[0]) - 1 if self.channels_last else 1
        return [Split((axis,), (axis,) * len(self.outputs + self.hidden), pace=0.5)]

    def gradient_reads(self, index: int) -> Reads:
        """Maximum pooling reads only who won; power means read data and result; sums read nothing."""
        if self.pool_type == "max":
            return Reads(outputs=(1,))
        return Reads(inputs=(0,), outputs=(0,)) if self.pool_type == "lp" else Reads()

    def backward_steps(self, flow: Flow) -> Sequence[Step]:
        """Set up the places of the window once."""
        return [self._gradient(flow, grad) for _, grad in flow.wanted]

    def _gradient(self, flow: Flow, own_grad: Array) -> Step:
        head, grad = self.first(flow.head), self.first(own_grad)
        windows = self.windows(grad.shape[2:])
        if self.pool_type == "max":
            winner = self.first(present(flow.outs[1]))
            if self.global_pool and grad.flags.c_contiguous:
                return kernels.global_max_gradient(head, winner, grad)
            return kernels.max_pool_gradient(head, winner, grad, windows)
        if self.pool_type == "lp":
            pooled = kernels.Pooled(self.first(flow.read(0)), self.first(flow.out), head)
            return kernels.power_pool_gradient(pooled, grad, windows, self.p_value or 1)
        scale = self._scale(windows, grad.shape[2:], head.shape[2:], head.dtype)
        if self.global_pool:
            return partial(np.multiply, head, scale, out=grad)
        return kernels.sum_pool_gradient(head, grad, windows, scale)

    # For people --------------------------------------------------------------------------------------------------

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Say where each window's gradient goes."""
        if self.pool_type == "max":
            return f"{heads[0]} at the place that won, 0 elsewhere"
        if self.pool_type == "lp":
            return f"Σ over windows: {heads[0]} · ({ins[0]} / {outs[0]})^{(self.p_value or 1) - 1}"
        size = "" if self.pool_type == "sum" else " / size of the window"
        return f"Σ over windows: {heads[0]}{size}"

    def multiply_adds(self, ins: Shapes, outs: Shapes) -> int:
        """Every result looks at one window."""
        data = channels_first(ins[0], self.channels_last)
        known = is_known(ins[0]) and is_known(outs[0])
        return element_count(outs[0]) * prod(self.windows(data[2:]).kernel) if known else 0

    def summary(self) -> str:
        """Return kind, window and what else was set: `max · 2×2 · stride 2`."""
        if self.global_pool:
            return f"global {self.pool_type}"
        words = [self.pool_type, by_x(self.kernel)]
        for name in ("stride", "pad"):
            sizes = getattr(self, name)
            if sizes and set(sizes) != {0 if name == "pad" else 1}:
                words.append(f"{name} {sizes[0] if len(set(sizes)) == 1 else by_x(sizes)}")
        return " · ".join(words if self.pooling_convention == "valid" else [*words, self.pooling_convention])

    # Code --------------------------------------------------------------------------------------------------------

    def _keywords(self, n: CodeNames) -> str:
        """Write window and kind as keyword arguments of the parts `pool_windows` and `pool_gradient`."""
        data = channels_first(n.in_shapes[0], self.channels_last)
        windows, rank = self.windows(data[2:]), len(data) - 2
        return f", kernel={windows.kernel}" + options(
            kind=(repr(self.pool_type), "'max'"),
            stride=(windows.stride, (1,) * rank),
            pad=(windows.pad, (0,) * rank),
            power=(self.p_value if self.pool_type == "lp" else None, None),
            include_padding=(self.count_include_pad is not False or self.pool_type != "avg", True),
        )

    def _counts(self, n: CodeNames) -> Sizes:
        return channels_first(n.out_shapes[0], self.channels_last)[2:]

    def _own_layout(self, expression: str) -> str:
        return f"np.moveaxis({expression}, 1, -1)" if self.channels_last else expression

    def _first_code(self, name: str) -> str:
        return f"np.moveaxis({name}, -1, 1)" if self.channels_last else name

    def numpy_code(self, n: CodeNames) -> list[str]:
        """Call the part `pool_windows`."""
        call = f"pool_windows({self._first_code(n.ins[0])}, {self._counts(n)}{self._keywords(n)})"
        return [f"{n.outs[0]} = {self._own_layout(call)}"]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """Call the part `pool_gradient`."""
        if n.heads[0] is None:
            return assign_zeros(n)
        if n.grads[0] is None:
            return []
        head, data, result = (self._first_code(name) for name in (n.heads[0], n.ins[0], n.outs[0]))
        call = f"pool_gradient({head}, {data}, {result}{self._keywords(n)})"
        return [f"{n.grads[0]} = {self._own_layout(call)}"]

    def torch_code(self, n: CodeNames) -> list[str]:
        """Call the part `pool_windows`, which knows MXNet's rounding and divisors."""
        data = f"{n.ins[0]}.movedim(-1, 1)" if self.channels_last else n.ins[0]
        call = f"pool_windows({data}, {self._counts(n)}{self._keywords(n)})"
        return [f"{n.outs[0]} = {call}" + (".movedim(1, -1)" if self.channels_last else "")]

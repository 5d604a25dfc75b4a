"""The transpose of a convolution, and the enlargement of images that is made of it."""

from collections.abc import Callable, Sequence
from typing import Annotated, Literal

import attrs

from app.engine.errors import ShapeError
from app.engine.examples import Example
from app.engine.kernels import convolution as kernels
from app.engine.kernels.columns import Setting
from app.engine.kernels.steps import in_order
from app.engine.kernels.windows import Windows
from app.engine.operator import Array, Arrays, CodeNames, Run, operator, refuse
from app.engine.operators.filtering import Filtering
from app.engine.operators.geometry import (
    AXIS_NAMES,
    Sizes,
    by_x,
    channels_first,
    image_of,
    in_layout,
    per_axis,
)
from app.engine.operators.lines import assign_zeros
from app.engine.params import WIDE, param
from app.engine.shapes import Inferred, Shape, Shapes, merge


@operator(category="Layers")
class Deconvolution(Filtering):
    """Spread every pixel over a window with learned filters: the transpose of a convolution.

    size of y = (size of data − 1) · stride + kernel − 2 · pad + adj
    """

    adj: tuple[int, ...] = param(default=(), doc="Extra size at the far side of each axis; below stride.")
    target_shape: tuple[int, ...] = param(
        default=(), none_is_empty=True, doc="Wanted output size per axis; pad and adj then follow from it."
    )
    workspace: Annotated[int, WIDE] = param(
        default=512, advanced=True, doc="Only for graphics cards; kept in files."
    )
    no_bias: bool = param(default=True, doc="Leave the bias out.")

    examples = (
        Example({"data": (2, 3, 3, 4)}, kernel=(3, 2), num_filter=2, stride=(2, 2), pad=(0, 1), adj=(1, 1)),
        Example({"data": (1, 4, 4, 3)}, kernel=(3, 3), num_filter=2, num_group=2, pad=(1, 1), no_bias=False),
        Example({"data": (1, 2, 4, 4)}, kernel=(4, 4), num_filter=3, stride=(2, 2), target_shape=(7, 8)),
        Example({"data": (2, 2, 4)}, kernel=(3,), num_filter=2, dilate=(2,), stride=(3,)),
        Example({"data": (1, 2, 2, 3, 2)}, kernel=(2, 2, 2), num_filter=2, stride=(2, 1, 2)),
        Example(
            {"data": (1, 2, 3, 3)}, kernel=(2, 2), num_filter=2, stride=(2, 2), pad=(1, 1), layout="NHWC"
        ),
    )

    @property
    def has_bias(self) -> bool:
        """Whether a bias is added to every output channel."""
        return not self.no_bias

    @property
    def filter_axis(self) -> int:
        """A row of the weight belongs to a channel of data."""
        return len(self.kernel) + 1 if self.channels_last else 1

    def check(self) -> None:
        """Refuse an adj that reaches the stride, besides what any window refuses."""
        super().check()
        rank = len(self.kernel)
        for name in ("adj", "target_shape"):
            sizes = getattr(self, name)
            refuse(
                bool(sizes) and (len(sizes) != rank or min(sizes) < 0),
                f"{name} is {sizes}, but kernel {self.kernel} needs {rank} numbers of at least 0.",
                port=name,
            )
        reaches = [extra >= step for extra, step in zip(self._adj, self.windows.stride, strict=True)]
        refuse(
            any(reaches) and not self._has_target,
            f"adj is {self.adj}, but it must be below stride {self.windows.stride}.",
            port="adj",
        )

    @property
    def _adj(self) -> Sizes:
        return per_axis(self.adj, len(self.kernel), 0)

    @property
    def _has_target(self) -> bool:
        return any(self.target_shape)

    def _window_on(self, sizes: Sizes) -> Windows:
        """Return the window with the padding that a target shape asks for."""
        windows = self.windows
        if not self._has_target:
            return windows
        pad = [-(-self._surplus(axis, size) // 2) for axis, size in enumerate(sizes)]
        return attrs.evolve(windows, pad=tuple(pad))

    def _surplus(self, axis: int, size: int) -> int:
        """Return how much too large the result would be without padding."""
        windows = self.windows
        spread = (size - 1) * windows.stride[axis] + windows.reach[axis]
        surplus = spread - self.target_shape[axis]
        if surplus < 0:
            name = AXIS_NAMES[len(self.kernel)][axis]
            raise ShapeError(
                f"target_shape asks for a {name} of {self.target_shape[axis]}, but a {name} of {size} only "
                f"spreads to {spread}.",
                port="data",
            )
        if surplus % 2 >= windows.stride[axis]:
            raise ShapeError(
                f"target_shape {self.target_shape[axis]} cuts an odd {surplus} off, which stride 1 cannot do.",
                port="data",
            )
        return surplus

    # Shapes ------------------------------------------------------------------------------------------------------

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Sizes follow from the windows; batch, channels and sizes also flow back to data."""
        rank, last = len(self.kernel), self.channels_last
        data = channels_first(image_of(ins[0], rank), last)
        result = channels_first(image_of(outs[0], rank, "output"), last)
        given = channels_first(image_of(ins[1], rank, "weight"), last)
        weight = merge((data[1], self.num_filter // self.num_group, *self.kernel), given, "weight")
        if weight[0] % self.num_group:
            raise ShapeError(
                f"the {weight[0]} channels of data cannot be split into {self.num_group} equal groups.",
                port="data",
            )
        sizes = [self._size(axis, data[2 + axis]) for axis in range(rank)]
        result = merge((data[0], self.num_filter, *sizes), result, "output")
        known = [self._size_back(axis, result[2 + axis]) for axis in range(rank)]
        data = merge(data, (result[0], weight[0], *known), "data")
        shapes = [in_layout(data, last), in_layout(weight, last)]
        if self.has_bias:
            shapes.append(merge((self.num_filter,), ins[2], "bias"))
        return tuple(shapes), (in_layout(result, last),)

    def _size(self, axis: int, size: int) -> int:
        if self._has_target and self.target_shape[axis]:
            if size:
                self._surplus(axis, size)
            return self.target_shape[axis]
        if not size:
            return 0
        windows = self.windows
        spread = (size - 1) * windows.stride[axis] + windows.reach[axis]
        found = spread - 2 * windows.pad[axis] + self._adj[axis]
        if found < 1:
            name = AXIS_NAMES[len(self.kernel)][axis]
            raise ShapeError(f"pad {windows.pad[axis]} leaves nothing of a {name} of {spread}.", port="data")
        return found

    def _size_back(self, axis: int, size: int) -> int:
        """Return the size of data that spreads to `size`, 0 while that is open."""
        windows = self.windows
        if not size or self._has_target:
            return 0
        steps, rest = divmod(
            size - self._adj[axis] + 2 * windows.pad[axis] - windows.reach[axis], windows.stride[axis]
        )
        return 0 if rest or steps < 0 else steps + 1

    def because(self, side: Literal["in", "out"], index: int, axis: int, ins: Shapes, outs: Shapes) -> str:
        """Explain filters, window and sizes."""
        rank = len(self.kernel)
        where = axis
        if self.channels_last and (side == "out" or index < 2):
            where = (0, *range(2, rank + 2), 1)[axis]
        if side == "in" and index == 1 and where >= 2:
            return f"kernel = {by_x(self.kernel)}"
        if side == "in" and index == 1 and where == 1:
            groups = "" if self.num_group == 1 else f" / num_group {self.num_group}"
            return f"num_filter {self.num_filter}{groups}" if groups else f"num_filter = {self.num_filter}"
        if (side == "out" and where == 1) or (side == "in" and index == 2):
            return f"num_filter = {self.num_filter}"
        if side == "out" and where >= 2:
            return self._size_words(where - 2, channels_first(ins[0], self.channels_last)[where])
        return ""

    def _size_words(self, axis: int, size: int) -> str:
        if self._has_target:
            return f"target_shape = {by_x(self.target_shape)}"
        windows = self.windows
        stride, reach, pad = windows.stride[axis], windows.reach[axis], windows.pad[axis]
        extra = f" + {self._adj[axis]}" if self._adj[axis] else ""
        sum_text = f"({size} − 1)·{stride} + {reach} − 2·{pad}{extra}"
        return f"kernel {windows.kernel[axis]}, stride {stride}, pad {pad}: {sum_text}"

    # Running -----------------------------------------------------------------------------------------------------

    def _sliding_side(self, ins: Shapes, outs: Shapes) -> Shape:
        """Windows stand on the result, one per element of data."""
        return ins[0]

    def _setting_on(self, run: Run, data: Array) -> Setting:
        return attrs.evolve(self.setting(run), windows=self._window_on(data.shape[2:]))

    def prepare_forward(self, run: Run, ins: Arrays, outs: Arrays) -> Callable[[], object]:
        """Set up the image gradient of the convolution that this one transposes."""
        data, weight, result = self.first(ins[0]), self.first(ins[1]), self.first(outs[0])
        spread = kernels.image_gradient(data, weight, result, self._setting_on(run, data))
        if not self.has_bias:
            return spread
        return in_order([spread, kernels.add_bias(result, ins[2])])

    def data_gradient(self, run: Run, head: Array, weight: Array, grad: Array) -> Callable[[], object]:
        """Prepare the convolution of the head gradient."""
        return kernels.convolution(head, weight, None, grad, self._setting_on(run, grad))

    def weight_gradient(self, run: Run, head: Array, data: Array, grad: Array) -> Callable[[], object]:
        """Prepare the product of the head gradient's windows with data."""
        return kernels.filter_gradient(head, data, grad, self._setting_on(run, data))

    # For people --------------------------------------------------------------------------------------------------

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the three gradients as operations on whole arrays."""
        return (
            f"conv({heads[0]}, {ins[1]})",
            f"Σ windows({heads[0]})ᵀ · {ins[0]}",
            f"Σ {heads[0]} over batch and positions",
        )[index]

    def _keywords(self, n: CodeNames, padding: str, dilation: str) -> str:
        data = channels_first(n.in_shapes[0], self.channels_last)
        return self.settings_code(self._window_on(data[2:]), padding, dilation)

    def numpy_code(self, n: CodeNames) -> list[str]:
        """Call the part for the gradient of a convolution's image."""
        rank = len(self.kernel)
        shape = channels_first(n.out_shapes[0], self.channels_last)
        data, weight = self.channels_first_code(n.ins[0]), self.channels_first_code(n.ins[1])
        call = f"convolve_data_gradient({data}, {weight}, {shape}{self._keywords(n, 'pad', 'dilate')})"
        lines = [f"{n.outs[0]} = {self.own_layout_code(call)}"]
        if self.has_bias:
            bias = n.ins[2] if self.channels_last else f"{n.ins[2]}.reshape(-1{', 1' * rank})"
            lines.append(f"{n.outs[0]} = {n.outs[0]} + {bias}")
        return lines

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """Call the convolution for data, and the part for the gradient of filters."""
        if n.heads[0] is None:
            return assign_zeros(n)
        keywords = self._keywords(n, "pad", "dilate")
        data, weight, head = (self.channels_first_code(name) for name in (n.ins[0], n.ins[1], n.heads[0]))
        counts = channels_first(n.in_shapes[0], self.channels_last)[2:]
        lines = []
        if n.grads[0]:
            call = f"convolve({head}, {weight}, None{keywords}, counts={counts})"
            lines.append(f"{n.grads[0]} = {self.own_layout_code(call)}")
        if n.grads[1]:
            call = f"convolve_weight_gradient({data}, {head}, {weight}.shape{keywords})"
            lines.append(f"{n.grads[1]} = {self.own_layout_code(call)}")
        if self.has_bias and n.grads[2]:
            lines.append(self.bias_gradient_code(n))
        return lines

    def torch_code(self, n: CodeNames) -> list[str]:
        """Call torch's own transposed convolution."""
        data = channels_first(n.in_shapes[0], self.channels_last)
        result = channels_first(n.out_shapes[0], self.channels_last)
        windows = self._window_on(data[2:])
        extra = tuple(
            size - ((count - 1) * stride + reach - 2 * pad)
            for size, count, stride, reach, pad in zip(
                result[2:], data[2:], windows.stride, windows.reach, windows.pad, strict=True
            )
        )
        keywords = self._keywords(n, "padding", "dilation")
        steps = zip(extra, windows.stride, windows.dilate, strict=True)
        if any(more >= max(stride, dilate) for more, stride, dilate in steps):
            raise NotImplementedError("PyTorch adds less than one step at the end")
        if any(extra):
            keywords += f", output_padding={extra}"
        return self.torch_call(n, "F.conv_transpose", keywords)

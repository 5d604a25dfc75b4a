"""Convolution in one, two and three dimensions."""

from collections.abc import Callable, Sequence
from math import prod
from typing import Annotated, ClassVar, Literal

from app.engine.examples import Example
from app.engine.kernels import convolution as kernels
from app.engine.kernels.columns import rows_from
from app.engine.kernels.steps import overwrite
from app.engine.operator import (
    Array,
    Arrays,
    CodeNames,
    Run,
    operator,
)
from app.engine.operators.filtering import Filtering
from app.engine.operators.geometry import (
    by_x,
    channels_first,
    count_words,
    image_of,
    in_layout,
    per_group,
    size_under,
    windows_along,
)
from app.engine.operators.lines import assign_zeros
from app.engine.params import WIDE, param
from app.engine.shapes import Inferred, Shape, Shapes, merge
from app.engine.split import MOST_RUNS, Split


@operator(category="Layers")
class Convolution(Filtering):
    """Slide learned filters over an image and sum what each one sees.

    y[n, f] = Σ weight[f] · window(data[n]) + bias[f]
    """

    gradient_kinds = "iuf"

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
    def filter_axis(self) -> int:
        """A row of the weight is a filter."""
        return 0

    @property
    def inplace(self) -> tuple[tuple[int, int], ...]:
        """A result as large as data may take its place, unless data is its own columns."""
        return ((0, 0),) if any(self.windows.pad) else ()

    def overwrites(self, ins: Shapes) -> tuple[tuple[int, int], ...]:
        """None of a single sample: of two threads that each write some channels, both read all of them."""
        return self.inplace if ins[0][0] > 1 else ()

    @property
    def overwrites_data(self) -> bool:
        """Whether MXNet writes over the gradient of data: where every window is a single point."""
        return set(self.kernel) == {1} and not any(self.pad) and set(self.stride) <= {1}

    def add_gradient(self, index: int, fresh: Array, holder: Array) -> Callable[[], object]:
        """Write over what the buffer of data held where MXNet does."""
        if index == 0 and self.overwrites_data:
            return overwrite(fresh, holder)
        return super().add_gradient(index, fresh, holder)

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Sizes follow from the windows; batch, channels and (with stride 1) sizes also flow back to data."""
        rank, last, windows = len(self.kernel), self.channels_last, self.windows
        data = channels_first(image_of(ins[0], rank), last)
        weight: Shape = (self.num_filter, per_group(data[1], self.num_group), *self.kernel)
        if ins[1]:
            weight = merge(weight, channels_first(image_of(ins[1], rank, "weight"), last), "weight")
        result: Shape = (
            data[0],
            self.num_filter,
            *[windows_along(windows, axis, data[2 + axis]) for axis in range(rank)],
        )
        if outs[0]:
            result = merge(result, channels_first(image_of(outs[0], rank, "output"), last), "output")
        if outs[0] or 0 in data:  # else nothing can flow back
            channels = weight[1] * self.num_group or data[1]
            known = [size_under(windows, axis, result[2 + axis]) for axis in range(rank)]
            data = merge(data, (result[0], channels, *known), "data")
        shapes = [in_layout(data, last), in_layout(weight, last)]
        if self.has_bias:
            shapes.append(merge((self.num_filter,), ins[2], "bias"))
        return tuple(shapes), (in_layout(result, last),)

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
            return count_words(self.windows, where - 2, channels_first(ins[0], self.channels_last)[where])
        return ""

    def splits(self, ins: Shapes, outs: Shapes) -> Sequence[Split]:
        """Rows of a single sample are a way too: worth it where they are unrolled into more than the weight holds."""
        found = super().splits(ins, outs)
        samples, filters, *counts = channels_first(outs[0], self.channels_last)
        if samples > 1 or self.windows.places == 1 or not filters < prod(counts) or filters > MOST_RUNS:
            return found
        whole = (None,) * len(self.inputs)
        return [Split(whole, (1 if self.channels_last else 2,), needs_place=True), *found]

    def prepare_forward(self, run: Run, ins: Arrays, outs: Arrays) -> Callable[[], object]:
        """Set up the columns once."""
        bias = ins[2] if self.has_bias else None
        image, weight, result = self.first(ins[0]), self.first(ins[1]), self.first(outs[0])
        setting = self.setting(run)
        left_out = windows_along(self.windows, 0, image.shape[2]) - result.shape[2]
        if left_out:
            image, setting = rows_from(image, setting, left_out if run.is_second else 0, result.shape[2])
        return kernels.convolution(image, weight, bias, result, setting)

    def data_gradient(self, run: Run, head: Array, weight: Array, grad: Array) -> Callable[[], object]:
        """Prepare the transposed convolution of the head gradient."""
        return kernels.image_gradient(head, weight, grad, self.setting(run))

    def weight_gradient(self, run: Run, head: Array, data: Array, grad: Array) -> Callable[[], object]:
        """Prepare the product of the image's windows with the head gradient."""
        return kernels.filter_gradient(data, head, grad, self.setting(run))

    def value_formula(self, ins: Sequence[str]) -> str:
        """Write the convolution, and the bias that is added to it."""
        return " + ".join((f"{ins[0]} ∗ {ins[1]}", *ins[2:]))

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

    @property
    def data_gradient_part(self) -> str:
        """The part of exported programs that computes the gradient of data."""
        return "convolve_data_gradient"

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """Call the parts for the gradients of data and filters."""
        if n.heads[0] is None:
            return assign_zeros(n)
        keywords = self.settings_code(self.windows, "pad", "dilate")
        data, weight, head = (self.channels_first_code(name) for name in (n.ins[0], n.ins[1], n.heads[0]))
        lines = []
        if n.grads[0]:
            call = f"{self.data_gradient_part}({head}, {weight}, {data}.shape{keywords})"
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

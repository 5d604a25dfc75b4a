"""UpSampling: images become larger by repeating pixels, or by learned (bilinear) filters."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated, Literal

import numpy as np

from app.engine.errors import ShapeError
from app.engine.examples import Example
from app.engine.kernels import convolution as kernels
from app.engine.kernels.columns import Setting, work_space
from app.engine.kernels.steps import Step, in_order, without_gradient
from app.engine.kernels.windows import Windows
from app.engine.operator import (
    Array,
    Arrays,
    CodeNames,
    Operator,
    OptionalArrays,
    Port,
    Reads,
    Run,
    operator,
    refuse,
)
from app.engine.operators.prepared import gradient_lines, present
from app.engine.params import WIDE, param
from app.engine.shapes import Inferred, Shape, Shapes, element_count, merge
from app.engine.work_space import WorkSpace


@operator(category="Layers")
class UpSampling(Operator):
    """Enlarge images: nearest repeats each pixel, bilinear spreads it with filters that can be learned."""

    variadic = "num_args"

    scale: int = param(low=1, high=1000, doc="How many times as high and wide the first image becomes.")
    num_filter: int = param(default=0, low=0, doc="Channels of data, for bilinear.")
    sample_type: str = param(choices=("bilinear", "nearest"), doc="How new pixels are made.")
    multi_input_mode: str = param(
        default="concat",
        choices=("concat", "sum"),
        doc="What becomes of several images of one enlarged size.",
    )
    num_args: int = param(low=1, doc="Number of inputs; for bilinear the filters count too.")
    workspace: Annotated[int, WIDE] = param(
        default=512, advanced=True, doc="Only for graphics cards; kept in files."
    )

    examples = (
        Example({"arg0": (1, 2, 2, 3)}, scale=2, sample_type="nearest", num_args=1),
        Example({"arg0": (1, 2, 2, 2), "arg1": (1, 1, 4, 4)}, scale=2, sample_type="nearest", num_args=2),
        Example(
            {"arg0": (1, 2, 2, 2), "arg1": (1, 2, 4, 4)},
            scale=4,
            sample_type="nearest",
            num_args=2,
            multi_input_mode="sum",
        ),
        Example({"data": (1, 2, 3, 3)}, scale=3, sample_type="bilinear", num_args=2, num_filter=2),
    )

    def check(self) -> None:
        """Refuse bilinear without the number of channels."""
        refuse(
            self.sample_type == "bilinear" and self.num_filter < 1,
            "bilinear needs num_filter, the number of channels of data.",
            port="num_filter",
        )

    @property
    def inputs(self) -> tuple[Port, ...]:
        """Images to enlarge; or one image and its filters."""
        if self.sample_type == "bilinear":
            return Port("data"), Port("weight", "weight", "bilinear")
        return tuple(Port(f"arg{number}") for number in range(self.num_args))

    # Shapes ------------------------------------------------------------------------------------------------------

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """The first image says how large all become."""
        if self.sample_type == "bilinear":
            return self._infer_bilinear(ins, outs)
        images = [_image(shape, port.name) for shape, port in zip(ins, self.ports, strict=True)]
        result = merge((0, 0, 0, 0), outs[0], "output")
        batch = merge((images[0][0],), (result[0],))[0]
        size = tuple(side * self.scale for side in images[0][2:])
        for image, port in zip(images, self.ports, strict=True):
            batch = merge((batch,), (image[0],), port.name)[0]
            for whole, part in zip(size, image[2:], strict=True):
                if whole and part and whole % part:
                    raise ShapeError(
                        f"the first image comes to a side of {whole}, which is no multiple of {part}.",
                        port=port.name,
                    )
        channels = [image[1] for image in images]
        if self.multi_input_mode == "sum":
            common = result[1]
            for count, port in zip(channels, self.ports, strict=True):
                common = merge((common,), (count,), port.name)[0]
            channels, total = [common] * len(channels), common
        else:
            total = 0 if 0 in channels else sum(channels)
        result = merge((batch, total, *size), result, "output")
        shapes = [(batch, count, *image[2:]) for count, image in zip(channels, images, strict=True)]
        return tuple(shapes), (result,)

    def _infer_bilinear(self, ins: Shapes, outs: Shapes) -> Inferred:
        data = merge((0, self.num_filter, 0, 0), _image(ins[0], "data"), "data")
        result = merge((data[0], data[1], *(side * self.scale for side in data[2:])), outs[0], "output")
        data = merge(data, (result[0], *data[1:2], 0, 0), "data")
        side = 2 * self.scale - self.scale % 2
        return (data, merge((self.num_filter, 1, side, side), ins[1], "weight")), (result,)

    def because(self, side: Literal["in", "out"], index: int, axis: int, ins: Shapes, outs: Shapes) -> str:
        """Explain sizes and the filters'."""
        if side == "in":
            if self.sample_type == "bilinear" and index == 1:
                words = (f"num_filter = {self.num_filter}", "one channel per group")
                return words[axis] if axis < 2 else f"2·{self.scale} − {self.scale % 2}"
            return ""
        if axis >= 2:
            return f"{ins[0][axis]} · scale {self.scale}"
        if axis == 1 and self.multi_input_mode == "concat" and len(ins) > 1 and self.sample_type == "nearest":
            return " + ".join(str(shape[1]) for shape in ins)
        return ""

    # Running -----------------------------------------------------------------------------------------------------

    @property
    def _windows(self) -> Windows:
        side, pad = 2 * self.scale - self.scale % 2, self.scale // 2
        return Windows((side,) * 2, (self.scale,) * 2, (1, 1), (pad, pad))

    def _setting(self, run: Run) -> Setting:
        return Setting(self._windows, run.lent)

    def _parts(self, result: Array, images: Sequence[Shape]) -> list[Array]:
        """View the part of the result that belongs to each image as (N, C, H, factor, W, factor)."""
        parts, first = [], 0
        for shape in images:
            last = first + shape[1]
            part = result[:, first:last]
            factor = result.shape[2] // shape[2], result.shape[3] // shape[3]
            parts.append(part.reshape(*shape[:3], factor[0], shape[3], factor[1], copy=False))
            first = last if self.multi_input_mode == "concat" else first
        return parts

    def multiply_adds(self, ins: Shapes, outs: Shapes) -> int:
        """Only filters multiply, and only a sum adds."""
        if self.sample_type == "bilinear":
            return element_count(ins[0]) * self._windows.places
        return (len(ins) - 1) * element_count(outs[0]) if self.multi_input_mode == "sum" else 0

    def scratch(self, ins: Shapes, outs: Shapes, *, gradients: bool) -> WorkSpace:
        """Count the unrolled windows of the transposed convolution."""
        if self.sample_type != "bilinear":
            return WorkSpace()
        rooms = 4 if gradients else 1
        return work_space(outs[0], ins[0][2:], rooms * element_count(ins[1]), self._windows)

    def prepare_forward(self, run: Run, ins: Arrays, outs: Arrays) -> Callable[[], object]:
        """Set up views, or the transposed convolution."""
        if self.sample_type == "bilinear":
            return kernels.image_gradient(ins[0], ins[1], outs[0], self._setting(run))
        parts = self._parts(outs[0], [array.shape for array in ins])
        steps: list[Step] = []
        for number, (image, part) in enumerate(zip(ins, parts, strict=True)):
            adds = number > 0 and self.multi_input_mode == "sum"
            steps.append(_repeat(image, part, adds=adds))
        return in_order(steps)

    def forward(self, run: Run, ins: Arrays, outs: Arrays) -> None:
        """Enlarge the images."""
        self.prepare_forward(run, ins, outs)()

    def gradient_reads(self, index: int) -> Reads:
        """Filters and data read each other; repeated pixels need to know only how large the images are."""
        if self.sample_type == "bilinear":
            return Reads(inputs=(1 - index,))
        return Reads(inputs=tuple(range(self.num_args)) if self.num_args > 1 else ())

    def prepare_backward(
        self,
        run: Run,
        ins: OptionalArrays,
        outs: OptionalArrays,
        heads: OptionalArrays,
        grads: OptionalArrays,
    ) -> Callable[[], object]:
        """Set up the sums over repeated pixels, or the convolution."""
        head = heads[0]
        if head is None:
            return without_gradient(grads)
        if self.sample_type == "bilinear":
            return self._bilinear_backward(run, ins, head, grads)
        shapes = [
            present(array if grad is None else grad).shape for array, grad in zip(ins, grads, strict=True)
        ]
        parts = self._parts(head, shapes)
        return in_order(
            [_sum_repeated(part, grad) for part, grad in zip(parts, grads, strict=True) if grad is not None]
        )

    def _bilinear_backward(self, run: Run, ins: OptionalArrays, head: Array, grads: OptionalArrays) -> Step:
        setting = self._setting(run)
        steps: list[Step] = []
        if grads[0] is not None:
            steps.append(kernels.convolution(head, present(ins[1]), None, grads[0], setting))
        if grads[1] is not None:
            steps.append(kernels.filter_gradient(head, present(ins[0]), grads[1], setting))
        return in_order(steps)

    def backward(
        self,
        run: Run,
        ins: OptionalArrays,
        outs: OptionalArrays,
        heads: OptionalArrays,
        grads: OptionalArrays,
    ) -> None:
        """Add up what the copies of each pixel got, or convolve."""
        self.prepare_backward(run, ins, outs, heads, grads)()

    # For people --------------------------------------------------------------------------------------------------

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the sums over repeated pixels, or the convolutions."""
        if self.sample_type == "nearest":
            return f"Σ {heads[0]} over the copies of each pixel"
        return f"conv({heads[0]}, {ins[1]})" if index == 0 else f"Σ windows({heads[0]})ᵀ · {ins[0]}"

    def numpy_code(self, n: CodeNames) -> list[str]:
        """Repeat pixels, or call the part `convolve_data_gradient`: a transposed convolution."""
        if self.sample_type == "bilinear":
            settings = f"{n.out_shapes[0]}, {self._settings}"
            return [f"{n.outs[0]} = convolve_data_gradient({n.ins[0]}, {n.ins[1]}, {settings})"]
        images = [
            f"{name}.repeat({down}, axis=2).repeat({across}, axis=3)"
            for name, (down, across) in zip(n.ins, _factors(n), strict=True)
        ]
        if self.multi_input_mode == "sum" or len(images) == 1:
            return [f"{n.outs[0]} = {' + '.join(images)}"]
        return [f"{n.outs[0]} = np.concatenate([{', '.join(images)}], axis=1)"]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """Add up the copies of each pixel, or convolve."""
        head = n.heads[0]
        if self.sample_type == "bilinear":
            data = f"convolve({head}, {n.ins[1]}, None, {self._settings})"
            shape = n.in_shapes[1]
            filters = f"convolve_weight_gradient({n.ins[0]}, {head}, {shape}, {self._settings})"
            return gradient_lines(n, [data, filters])
        lines, first = [], 0
        for shape, (down, across) in zip(n.in_shapes, _factors(n), strict=True):
            last = first + shape[1]
            part = head if shape[1] == n.out_shapes[0][1] else f"{head}[:, {first}:{last}]"
            spread = (*shape[:3], down, shape[3], across)
            lines.append(f"{part}.reshape({spread}).sum(axis=(3, 5))")
            first = last if self.multi_input_mode == "concat" else first
        return gradient_lines(n, lines)

    @property
    def _settings(self) -> str:
        return f"stride={self.scale}, pad={self.scale // 2}, groups={self.num_filter}"

    def torch_code(self, n: CodeNames) -> list[str]:
        """Repeat pixels, or call torch's own transposed convolution."""
        if self.sample_type == "bilinear":
            settings = f"stride={self.scale}, padding={self.scale // 2}, groups={self.num_filter}"
            return [f"{n.outs[0]} = F.conv_transpose2d({n.ins[0]}, {n.ins[1]}, {settings})"]
        size = n.out_shapes[0][2:]
        images = [f"F.interpolate({name}, size={size})" for name in n.ins]
        if self.multi_input_mode == "sum" or len(images) == 1:
            return [f"{n.outs[0]} = {' + '.join(images)}"]
        return [f"{n.outs[0]} = torch.cat([{', '.join(images)}], dim=1)"]

    def summary(self) -> str:
        """Return the kind and the scale."""
        return f"{self.sample_type} · ×{self.scale}"


def _image(shape: Shape, port: str) -> Shape:
    """Return a shape of four axes; ShapeError for another rank."""
    if shape and len(shape) != 4:
        raise ShapeError(
            f"{port} has {len(shape)} axes, but UpSampling needs 4: batch, channel, height, width.", port=port
        )
    return shape or (0, 0, 0, 0)


def _repeat(image: Array, part: Array, *, adds: bool) -> Step:
    """Prepare the copies of every pixel."""
    pixels = image[:, :, :, None, :, None]
    return partial(np.add, part, pixels, part) if adds else partial(np.copyto, part, pixels)


def _sum_repeated(part: Array, grad: Array) -> Step:
    """Prepare the sum over the copies of every pixel."""
    return partial(np.sum, part, axis=(3, 5), out=grad)


def _factors(n: CodeNames) -> list[tuple[int, int]]:
    """Return how many times each image is repeated down and across."""
    _, _, height, width = n.out_shapes[0]
    return [(height // shape[2], width // shape[3]) for shape in n.in_shapes]

"""The first versions of BatchNorm, Convolution and Pooling, which old files still name, and what MXNet made of one."""

from collections.abc import Callable, Sequence
from math import prod
from typing import ClassVar, Literal

import attrs
import numpy as np

from app.engine.errors import ShapeError
from app.engine.examples import Example
from app.engine.kernels import mixed_windows
from app.engine.kernels import pooling as kernels
from app.engine.kernels.mixed_windows import mixes
from app.engine.kernels.windows import Windows
from app.engine.operator import Array, Arrays, CodeNames, OptionalArrays, Reads, Run, operator, refuse
from app.engine.operators.convolution import Convolution
from app.engine.operators.geometry import (
    AXIS_NAMES,
    Sizes,
    by_x,
    channels_first,
    check_window,
    image_of,
    per_axis,
)
from app.engine.operators.normalize import BATCH_EXAMPLES, DATA, GAMMA, INVERSE, MEAN, BatchNormalization
from app.engine.operators.prepared import Flow, Prepared, present
from app.engine.params import param
from app.engine.shapes import Inferred, Shapes, element_count, merge
from app.engine.work_space import Work, WorkSpace

_LAYOUTS = ("NCDHW", "NCHW", "NDHWC", "NHWC")


@attrs.frozen(kw_only=True)
class VarianceShown(BatchNormalization):
    """What the first version of BatchNorm and its heir have in common: the output var is the variance itself."""

    minds_mean: ClassVar[bool] = False
    """Whether backward minds that the mean it finds is not the batch's, as after a forward in predict mode."""

    def prepare_forward(self, run: Run, ins: Arrays, outs: Arrays) -> Callable[[], object]:
        """Normalise, then turn the inverse root into the variance."""
        normalize, variance = super().prepare_forward(run, ins, outs), outs[INVERSE]

        def call() -> None:
            normalize()
            np.copyto(variance, 1.0 / np.square(variance) - self.eps)

        return call

    def prepare_backward(
        self,
        run: Run,
        ins: OptionalArrays,
        outs: OptionalArrays,
        heads: OptionalArrays,
        grads: OptionalArrays,
    ) -> Callable[[], object]:
        """Turn the variance into the inverse root, then go back."""
        variance = present(outs[INVERSE])
        inverse = np.empty_like(variance)
        found = (*outs[:INVERSE], inverse)
        backward = super().prepare_backward(run, ins, found, heads, grads)
        amend = self._prepare_amendment(ins, found, heads[0], grads[DATA])

        def call() -> None:
            np.copyto(inverse, 1.0 / np.sqrt(variance + self.eps))
            mean = np.copy(present(outs[MEAN]))
            backward()
            if self.minds_mean and self._uses_batch(run):
                amend(mean)

        return call

    def _prepare_amendment(
        self, ins: OptionalArrays, outs: OptionalArrays, head: Array | None, grad: Array | None
    ) -> Callable[[Array], None]:
        """Prepare d(data) += gamma · inverse · mean(head · x̂) · mean(x̂), where x̂ = (data − mean) · inverse.

        That is nothing with the batch's own mean.
        """
        if head is None or grad is None:
            return lambda _: None
        data, incoming, total = (self._by_channel(array) for array in (present(ins[DATA]), head, grad))
        inverse = present(outs[INVERSE])

        def amend(mean: Array) -> None:
            normal = (data - mean[:, None]) * inverse[:, None]
            along = (incoming * normal).mean(axis=(0, 2)) * normal.mean(axis=(0, 2)) * inverse
            if not self.fix_gamma:
                along *= present(ins[GAMMA])
            np.add(total, along[:, None], out=total, casting="same_kind")

        return amend

    @property
    def gradient_facts(self) -> str:
        """Tell the part `batch_norm_gradient` whether to mind the mean."""
        return ", minds_mean=True" if self.minds_mean else ""

    def statistics_names(self, n: CodeNames) -> tuple[str, str]:
        """Keep the inverse root under a name of its own."""
        return super().statistics_names(n)[0], f"{n.node}_inverse"

    def _variance_line(self, n: CodeNames, inverse: str) -> list[str]:
        return [f"{n.outs[INVERSE]} = 1 / {inverse}**2 - {self.eps}"] if self.output_mean_var else []

    def numpy_code(self, n: CodeNames) -> list[str]:
        """Write BatchNorm's lines, and the variance if it is an output."""
        return super().numpy_code(n) + self._variance_line(n, self.statistics_names(n)[1])

    def torch_code(self, n: CodeNames) -> list[str]:
        """Write BatchNorm's line, and the variance if it is an output."""
        return super().torch_code(n) + self._variance_line(n, n.outs[INVERSE])


@operator(name="BatchNorm_v1", category="Legacy")
class BatchNormV1(VarianceShown):
    """Normalise every channel over the batch, then scale by gamma and shift by beta: BatchNorm's first version.

    Its output var is the variance itself, and its backward after a forward in predict mode minds that the mean it
    finds is not the batch's.
    """

    minds_mean = True
    examples = BATCH_EXAMPLES


@operator(name="_contrib_SyncBatchNorm", category="Layers")
class SyncBatchNorm(VarianceShown):
    """Normalise every channel over the batches of all devices together; there is one device here.

    y = (x − mean) / √(var + eps) · gamma + beta
    """

    ndev: int = param(default=1, advanced=True, doc="How many devices share a batch; kept in files.")
    key: str = param(doc="What the same layer has in common on all devices; kept in files.")

    examples = tuple(
        Example(each.shapes, train=each.train, gradient=each.gradient, key=f"layer{number}", **each.settings)
        for number, each in enumerate(BATCH_EXAMPLES)
    )


@operator(name="Convolution_v1", category="Legacy")
class ConvolutionV1(Convolution):
    """Slide learned filters over an image and sum what each one sees: Convolution's first version."""

    layout: str | None = param(
        default=None, choices=_LAYOUTS, advanced=True, doc="Order of the axes of data."
    )

    def check(self) -> None:
        """Refuse rows of numbers, which the first version cannot do."""
        super().check()
        refuse(len(self.kernel) == 1, "Convolution_v1 takes a kernel of two or three numbers.", port="kernel")
        spread = len(self.kernel) == 3 and any(step != 1 for step in self.dilate)
        refuse(spread, "Convolution_v1 cannot dilate a kernel of three numbers.", port="dilate")

    @property
    def overwrites_data(self) -> bool:
        """The first version adds to every gradient as asked."""
        return False

    @property
    def data_gradient_part(self) -> str:
        """The part that mixes windows up as MXNet does, where both stride and dilation are above 1."""
        return "mixed_data_gradient" if mixes(self.windows) else super().data_gradient_part

    def data_gradient(self, run: Run, head: Array, weight: Array, grad: Array) -> Callable[[], object]:
        """Prepare MXNet's own sum where that is not the derivative (docs/decisions/0032)."""
        if mixes(self.windows):
            return mixed_windows.image_gradient(head, weight, grad, self.setting(run))
        return super().data_gradient(run, head, weight, grad)

    def scratch(self, ins: Shapes, outs: Shapes, *, gradients: bool) -> WorkSpace:
        """Count what the mixing takes too."""
        plain = super().scratch(ins, outs, gradients=gradients)
        if not gradients or not mixes(self.windows):
            return plain
        image, result = (channels_first(shape, self.channels_last) for shape in (ins[0], outs[0]))
        mixing = mixed_windows.work_space(image, result, self.windows)
        return WorkSpace(plain.kept + mixing.kept, max(plain.passing, mixing.passing))

    def torch_code(self, n: CodeNames) -> list[str]:
        """Call torch's own convolution, and give data MXNet's gradient where that is another one."""
        if not mixes(self.windows):
            return super().torch_code(n)
        fixed = attrs.evolve(n, ins=(f"{n.ins[0]}.detach()", *n.ins[1:]))
        there, back = (".movedim(-1, 1)", ".movedim(1, -1)") if self.channels_last else ("", "")
        arrays = ", ".join(f"{name}{there}" for name in (n.ins[0], n.ins[1], n.outs[0]))
        settings = self.settings_code(self.windows, "pad", "dilate")
        return [*super().torch_code(fixed), f"{n.outs[0]} = mixed_as_mxnet({arrays}{settings}){back}"]

    examples = (
        Example({"data": (2, 3, 6, 5)}, kernel=(3, 3), num_filter=4, pad=(1, 1)),
        Example(
            {"data": (1, 4, 5, 5)}, kernel=(2, 2), num_filter=4, stride=(2, 2), num_group=2, no_bias=True
        ),
        Example({"data": (2, 3, 7, 6)}, kernel=(2, 2), num_filter=2, stride=(2, 1), dilate=(1, 2)),
        Example(
            {"data": (2, 4, 9, 8)},
            kernel=(3, 2),
            num_filter=4,
            stride=(2, 3),
            dilate=(2, 1),
            pad=(1, 0),
            num_group=2,
            gradient=False,
        ),
    )


_KEPT_PER_PLACE = 300
"""Numbers as large as the views that three steps keep of one place of a window."""


@operator(name="Pooling_v1", category="Legacy")
class PoolingV1(Prepared):
    """Reduce every window of an image to its maximum, average or sum: Pooling's first version.

    An average divides by the whole window, and of equal maxima every one gets the gradient.
    """

    kinds = "f"

    work = Work(keeps=0.4, takes=1, keeps_back=0.2, takes_back=1)

    kernel: tuple[int, ...] = param(default=(), doc="Height and width of the window.")
    pool_type: str = param(
        default="max", choices=("avg", "max", "sum"), doc="What becomes of a window's numbers."
    )
    global_pool: bool = param(default=False, doc="One window over the whole image.")
    pooling_convention: str = param(
        default="valid",
        choices=("full", "valid"),
        doc="Round the number of windows down (valid) or up (full).",
    )
    stride: tuple[int, ...] = param(default=(), doc="Step from one window to the next; 1 if left out.")
    pad: tuple[int, ...] = param(default=(), doc="Padding on both sides of each axis; 0 if left out.")

    examples = (
        Example({"data": (1, 2, 6, 4)}, kernel=(2, 2), stride=(2, 2)),
        Example({"data": (1, 2, 6, 5)}, kernel=(3, 2), stride=(2, 3), pad=(1, 1), pooling_convention="full"),
        Example({"data": (1, 2, 5, 5)}, kernel=(3, 3), stride=(2, 2), pad=(1, 1), pool_type="avg"),
        Example({"data": (2, 3, 4, 5)}, kernel=(2, 2), global_pool=True, pool_type="avg"),
    )

    def check(self) -> None:
        """Refuse windows that contradict each other."""
        refuse(0 in (*self.kernel, *self.stride), "kernel and stride must not be 0.", port="stride")
        if self.global_pool:
            return
        refuse(len(self.kernel) != 2, "Pooling_v1 needs a kernel of two numbers, like (2, 2).", port="kernel")
        check_window(self.kernel, {"stride": (self.stride, 1), "pad": (self.pad, 0)})

    def _windows(self, sizes: Sizes) -> Windows:
        ones, zeros = (1, 1), (0, 0)
        if self.global_pool:
            return Windows(sizes, ones, ones, zeros)
        return Windows(self.kernel, per_axis(self.stride, 2, 1), ones, per_axis(self.pad, 2, 0))

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Sizes follow from the windows; batch and channels flow both ways."""
        data = image_of(ins[0], 2)
        sizes = [self._count(axis, data[2:]) for axis in (0, 1)]
        result = merge((*data[:2], *sizes), outs[0], "output")
        return (merge(data, (*result[:2], 0, 0), "data"),), (result,)

    def _count(self, axis: int, sizes: Sizes) -> int:
        if self.global_pool:
            return 1
        windows, size = self._windows(sizes), sizes[axis]
        if not size:
            return 0
        kernel, stride = windows.kernel[axis], windows.stride[axis]
        padded = size + 2 * windows.pad[axis]
        if padded < kernel:
            name = AXIS_NAMES[2][axis]
            raise ShapeError(
                f"a window of {kernel} does not fit into a {name} of {padded} with padding.", port="data"
            )
        room = padded - kernel
        return 1 + (-(-room // stride) if self.pooling_convention == "full" else room // stride)

    def because(self, side: Literal["in", "out"], index: int, axis: int, ins: Shapes, outs: Shapes) -> str:
        """Explain the sizes of the result."""
        if side == "in" or axis < 2:
            return ""
        if self.global_pool:
            return "global_pool = True"
        windows, place = self._windows(ins[0][2:]), axis - 2
        rounded = "up" if self.pooling_convention == "full" else "down"
        kernel, stride, pad = windows.kernel[place], windows.stride[place], windows.pad[place]
        words = f"kernel {kernel}, stride {stride}, pad {pad}, rounded {rounded}"
        return f"{words}: ({ins[0][axis]} + 2·{pad} − {kernel})/{stride} + 1"

    def scratch(self, ins: Shapes, outs: Shapes, *, gradients: bool) -> WorkSpace:
        """Count what is kept for every place of the window too, which may be the whole image here."""
        space = super().scratch(ins, outs, gradients=gradients)
        return WorkSpace(space.kept + _KEPT_PER_PLACE * self._windows(ins[0][2:]).places, space.passing)

    def _scale(self, windows: Windows) -> float:
        return 1.0 / prod(windows.kernel) if self.pool_type == "avg" else 1.0

    def forward_step(self, ins: Arrays, outs: Arrays) -> Callable[[], object]:
        """Set up the places of the window once."""
        windows = self._windows(ins[0].shape[2:])
        if self.pool_type == "max":
            return kernels.plain_max_pool(ins[0], outs[0], windows)
        return kernels.sum_pool(ins[0], outs[0], windows, self._scale(windows))

    def gradient_reads(self, index: int) -> Reads:
        """Maximum pooling compares data with the result; sums read nothing."""
        return Reads(inputs=(0,), outputs=(0,)) if self.pool_type == "max" else Reads()

    def backward_steps(self, flow: Flow) -> Sequence[Callable[[], object]]:
        """Set up the places of the window once."""
        grad = flow.wanted[0][1]
        windows = self._windows(grad.shape[2:])
        if self.pool_type == "max":
            pooled = kernels.Pooled(flow.read(0), flow.out, flow.head)
            return [kernels.plain_max_pool_gradient(pooled, grad, windows)]
        return [kernels.sum_pool_gradient(flow.head, grad, windows, self._scale(windows))]

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Say where each window's gradient goes."""
        if self.pool_type == "max":
            return f"Σ over windows: {heads[0]} where {ins[0]} = {outs[0]}"
        return f"Σ over windows: {heads[0]}" + (" / size of the window" if self.pool_type == "avg" else "")

    def multiply_adds(self, ins: Shapes, outs: Shapes) -> int:
        """Every result looks at one window."""
        return element_count(outs[0]) * self._windows(ins[0][2:]).places if ins[0] else 0

    def summary(self) -> str:
        """Return kind and window."""
        return f"global {self.pool_type}" if self.global_pool else f"{self.pool_type} · {by_x(self.kernel)}"

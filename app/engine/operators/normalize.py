"""Normalisation layers: numbers are shifted and scaled to mean 0 and variance 1 over some axes."""

from collections.abc import Callable, Sequence
from typing import Annotated, Literal

import attrs
import numpy as np

from app.engine.examples import Example
from app.engine.kernels import normalization as kernels
from app.engine.kernels.steps import without_gradient
from app.engine.kernels.windows import work
from app.engine.operator import (
    Array,
    Arrays,
    CodeNames,
    GradientKind,
    Operator,
    OptionalArrays,
    Port,
    Reads,
    Run,
    Types,
    operator,
)
from app.engine.operators.lines import assign_zeros
from app.engine.operators.prepared import present
from app.engine.params import WIDE, as_text, param
from app.engine.shapes import Inferred, Shapes, merge, merge_all, normalize_axis
from app.engine.split import Split
from app.engine.work_space import WorkSpace

_HALF = np.dtype(np.float16)
_SINGLE = np.dtype(np.float32)
DATA, GAMMA, BETA, MOVING_MEAN, MOVING_VAR = range(5)
OUTPUT, MEAN, INVERSE = range(3)


@attrs.frozen(kw_only=True)
class BatchNormalization(Operator):
    """What both ages of BatchNorm have in common."""

    kinds = "f"

    trains_otherwise = True
    ignored_heads = frozenset({MEAN, INVERSE})

    eps: Annotated[float, WIDE] = param(
        default=0.001, doc="Added to the variance so that nothing is divided by zero."
    )
    momentum: float = param(default=0.9, doc="How much of the moving statistics each backward keeps.")
    fix_gamma: bool = param(default=True, doc="Count gamma as 1 and do not learn it.")
    use_global_stats: bool = param(default=False, doc="Use the moving statistics in training too.")
    output_mean_var: bool = param(default=False, doc="Give the mean and 1/√(var + eps) as further outputs.")

    @property
    def channel_axis(self) -> int:
        """The axis of the channels."""
        return 1

    # Ports -------------------------------------------------------------------------------------------------------

    @property
    def inputs(self) -> tuple[Port, ...]:
        """Data, scale and shift."""
        return Port("data"), Port("gamma", "weight"), Port("beta", "bias")

    @property
    def auxiliary(self) -> tuple[Port, ...]:
        """The moving statistics, which prediction uses."""
        return Port("moving_mean", "auxiliary", "zero"), Port("moving_var", "auxiliary", "one")

    @property
    def outputs(self) -> tuple[str, ...]:
        """The result, and the statistics if wanted."""
        return ("output", "mean", "var") if self.output_mean_var else ("output",)

    @property
    def hidden(self) -> tuple[str, ...]:
        """The statistics, which backward reads, unless they are outputs anyway."""
        return () if self.output_mean_var else ("mean", "var")

    # Shapes and types --------------------------------------------------------------------------------------------

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Data and output are alike; everything else has one number per channel."""
        data = merge(ins[DATA], outs[OUTPUT], "data")
        axis = normalize_axis(self.channel_axis, len(data)) if data else 0
        channel: tuple[int, ...] = (data[axis],) if data else (0,)
        statistics = (*ins[GAMMA:], *outs[MEAN:])
        if any(statistics):
            channel = merge_all([channel, *statistics], ["", *(port.name for port in self.ports[GAMMA:])])
        if data:
            data = (*data[:axis], channel[0], *data[axis + 1 :])
        return (data, *[channel] * 4), (data, *[channel] * 2)

    def infer_types(self, ins: Types, outs: Types) -> tuple[Types, Types]:
        """One type for everything, but half-precision data keeps its statistics in float32."""
        if _HALF not in (ins[DATA], outs[OUTPUT]):
            return super().infer_types(ins, outs)
        super().infer_types((_SINGLE, *ins[GAMMA:]), ())  # refuses any other
        return (_HALF, *[_SINGLE] * 4), (_HALF, *[_SINGLE] * 2)

    def because(self, side: Literal["in", "out"], index: int, axis: int, ins: Shapes, outs: Shapes) -> str:
        """Explain the length of gamma and the others."""
        if index == 0 or not ins[DATA]:
            return ""
        return f"{ins[DATA][self.channel_axis]} channels on axis {self.channel_axis} of data"

    # Running -----------------------------------------------------------------------------------------------------

    def splits(self, ins: Shapes, outs: Shapes) -> Sequence[Split]:
        """Channels know nothing of each other; a fixed gamma and the moving statistics are written."""
        axis = self.channel_axis
        updates = (GAMMA,) * self.fix_gamma + (MOVING_MEAN, MOVING_VAR) * (self.updates_auxiliary != "")
        return [Split((axis, 0, 0, 0, 0), (axis, 0, 0), pace=0.3, updates=updates)]

    def scratch(self, ins: Shapes, outs: Shapes, *, gradients: bool) -> WorkSpace:
        """Count by channels and samples, of which little is kept."""
        return kernels.work_space(kernels.by_channel(ins[DATA], self.channel_axis), gradients=gradients)

    def _by_channel(self, array: Array) -> Array:
        """View an array as (outer, channels, inner)."""
        return array.reshape(kernels.by_channel(array.shape, self.channel_axis), copy=False)

    def _uses_batch(self, run: Run) -> bool:
        return run.train and not self.use_global_stats

    def prepare_forward(self, run: Run, ins: Arrays, outs: Arrays) -> Callable[[], object]:
        """Set up the sums once; a fixed gamma is set to 1 on every forward, as MXNet does."""
        data, output = self._by_channel(ins[DATA]), self._by_channel(outs[OUTPUT])
        half = data.dtype == _HALF
        wide_data, wide_output = _wide(run, "data", data), _wide(run, "output", output)
        arrays = kernels.Normalized(
            wide_data,
            None if self.fix_gamma else ins[GAMMA],
            ins[BETA],
            wide_output,
            outs[MEAN],
            outs[INVERSE],
        )
        by_batch = kernels.normalize_batch(arrays, self.eps)
        by_moving = kernels.normalize_with(arrays, ins[MOVING_MEAN], ins[MOVING_VAR], self.eps)

        def call() -> None:
            if self.fix_gamma:
                ins[GAMMA].fill(1)
            if half:
                np.copyto(wide_data, data)
            if self._uses_batch(run):
                by_batch()
            else:
                by_moving()
            if half:
                np.copyto(output, wide_output, casting="same_kind")

        return call

    @property
    def inplace(self) -> tuple[tuple[int, int], ...]:
        """The result may take data's place: the statistics are there before it is written."""
        return ((DATA, OUTPUT),)

    def forward(self, run: Run, ins: Arrays, outs: Arrays) -> None:
        """Normalise with the batch's statistics in training, with the moving ones otherwise."""
        self.prepare_forward(run, ins, outs)()

    def gradient_kind(self, index: int) -> GradientKind:
        """A fixed gamma gets a gradient of zero."""
        return "zero" if index == GAMMA and self.fix_gamma else "value"

    def gradient_reads(self, index: int) -> Reads:
        """Every gradient reads data and the statistics, and updates the moving ones on its way."""
        used = (DATA,) if self.fix_gamma else (DATA, GAMMA)
        return Reads(inputs=(*used, MOVING_MEAN, MOVING_VAR), outputs=(MEAN, INVERSE))

    @property
    def updates_auxiliary(self) -> Literal["", "forward", "backward"]:
        """The moving statistics change in backward, not in forward."""
        return "" if self.use_global_stats else "backward"

    def prepare_backward(
        self,
        run: Run,
        ins: OptionalArrays,
        outs: OptionalArrays,
        heads: OptionalArrays,
        grads: OptionalArrays,
    ) -> Callable[[], object]:
        """Set up the sums once."""
        gradient = self._prepare_gradient(run, ins, outs, heads, grads)
        moving = (ins[MOVING_MEAN], ins[MOVING_VAR])

        def call() -> None:
            gradient()
            mean, inverse = outs[MEAN], outs[INVERSE]
            if self._uses_batch(run) and mean is not None and inverse is not None:
                self._update_moving(moving, mean, inverse)

        return call

    def _prepare_gradient(
        self,
        run: Run,
        ins: OptionalArrays,
        outs: OptionalArrays,
        heads: OptionalArrays,
        grads: OptionalArrays,
    ) -> Callable[[], object]:
        if heads[0] is None:
            return without_gradient(grads)
        data, mean, inverse = present(ins[DATA]), present(outs[MEAN]), present(outs[INVERSE])
        target = grads[DATA]
        half = data.dtype == _HALF
        narrow = [self._by_channel(array) for array in (data, heads[0])]
        wide = [_wide(run, name, array) for name, array in zip(("data", "head"), narrow, strict=True)]
        by_channel = None if target is None else self._by_channel(target)
        wide_target = None if by_channel is None else _wide(run, "output", by_channel)
        arrays = kernels.NormalizedGradients(
            data=wide[0],
            gamma=None if self.fix_gamma else ins[GAMMA],
            mean=mean,
            inverse=inverse,
            head=wide[1],
            centred=work(run.lent, "centred", wide[0].shape, wide[0].dtype)
            if wide_target is None
            else wide_target,
            data_gradient=wide_target,
            gamma_gradient=None if self.fix_gamma else grads[GAMMA],
            beta_gradient=grads[BETA],
        )
        by_batch, by_moving = (kernels.normalize_gradient(arrays, uses_batch=uses) for uses in (True, False))

        gamma_gradient = grads[GAMMA]

        def call() -> None:
            if half:
                for to, source in zip(wide, narrow, strict=True):
                    np.copyto(to, source)
            if self._uses_batch(run):
                by_batch()
            else:
                by_moving()
            if half and by_channel is not None and wide_target is not None:
                np.copyto(by_channel, wide_target, casting="same_kind")
            if self.fix_gamma and gamma_gradient is not None:
                gamma_gradient.fill(0)

        return call

    def _update_moving(self, moving: tuple[Array | None, Array | None], mean: Array, inverse: Array) -> None:
        """Let the moving statistics follow the batch; the biased variance is got back from its inverse root."""
        variance = 1.0 / np.square(inverse) - self.eps
        for old, new in zip(moving, (mean, variance), strict=True):
            if old is not None:
                np.multiply(old, self.momentum, out=old)
                np.add(old, (1.0 - self.momentum) * new, out=old)

    def backward(
        self,
        run: Run,
        ins: OptionalArrays,
        outs: OptionalArrays,
        heads: OptionalArrays,
        grads: OptionalArrays,
    ) -> None:
        """Write the gradients, then update the moving statistics."""
        self.prepare_backward(run, ins, outs, heads, grads)()

    # For people --------------------------------------------------------------------------------------------------

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradients with x̂ for the normalised data."""
        head, data = heads[0], ins[DATA]
        if index == BETA:
            return f"Σ {head} over all axes but {self.channel_axis}"
        if index == GAMMA:
            return "0, since fix_gamma is on" if self.fix_gamma else f"Σ {head} · x̂, x̂ = {data} normalised"
        scale = "" if self.fix_gamma else f"{ins[GAMMA]} · "
        root = f"1/√(var({data}) + eps)"
        if self.use_global_stats:
            return f"{scale}{head} / √({ins[MOVING_VAR]} + eps)"
        return f"{scale}{root} · ({head} − mean({head}) − x̂ · mean({head} · x̂)), x̂ = {data} normalised"

    def summary(self) -> str:
        """Return what differs from the defaults."""
        words = ["gamma = 1"] if self.fix_gamma else []
        if self.use_global_stats:
            words.append("global stats")
        if self.channel_axis != 1:
            words.append(f"axis {self.channel_axis}")
        return " · ".join(words)

    # Code --------------------------------------------------------------------------------------------------------

    def _shape_code(self, n: CodeNames) -> str:
        """Return the shape that lets a vector of channels meet data."""
        rank = len(n.in_shapes[DATA])
        axis = self.channel_axis % rank
        return as_text(tuple(-1 if place == axis else 1 for place in range(rank)))

    @property
    def gradient_facts(self) -> str:
        """What else exported code tells the part `batch_norm_gradient`."""
        return ""

    def statistics_names(self, n: CodeNames) -> tuple[str, str]:
        """Return the names of mean and inverse root in exported code."""
        if len(n.outs) == len(self.outputs + self.hidden):
            return n.outs[MEAN], n.outs[INVERSE]
        return f"{n.node}_mean", f"{n.node}_inverse"

    def numpy_code(self, n: CodeNames) -> list[str]:
        """Write the statistics and the normalisation in four or five lines."""
        data, gamma, beta, moving_mean, moving_var = n.ins
        mean, inverse = self.statistics_names(n)
        shape, axes = self._shape_code(n), self._axes(n)
        lines = [f"{gamma}[...] = 1  # fix_gamma"] if self.fix_gamma else []
        if n.train and not self.use_global_stats:
            lines += [
                f"{mean} = {data}.mean(axis={axes})",
                f"{inverse} = 1 / np.sqrt({data}.var(axis={axes}) + {self.eps})",
            ]
        else:
            lines += [f"{mean} = {moving_mean}", f"{inverse} = 1 / np.sqrt({moving_var} + {self.eps})"]
        normal = f"({data} - {mean}.reshape{shape}) * {inverse}.reshape{shape}"
        return [*lines, f"{n.outs[0]} = {normal} * {gamma}.reshape{shape} + {beta}.reshape{shape}"]

    def _axes(self, n: CodeNames) -> tuple[int, ...]:
        rank = len(n.in_shapes[DATA])
        return tuple(place for place in range(rank) if place != self.channel_axis % rank)

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """Call the part `batch_norm_gradient`, then let the moving statistics follow."""
        data, gamma, _, moving_mean, moving_var = n.ins
        mean, inverse = self.statistics_names(n)
        moves = n.train and not self.use_global_stats
        lines = assign_zeros(n)
        if n.heads[0] is not None:
            wanted = [grad or "_" for grad in n.grads[:3]]
            if self.fix_gamma:
                wanted[GAMMA] = "_"
            arrays = f"{n.heads[0]}, {data}, {gamma}, {mean}, {inverse}"
            call = f"batch_norm_gradient({arrays}, {self._axes(n)}, {moves}{self.gradient_facts})"
            lines = [f"{', '.join(wanted)} = {call}"]
            if self.fix_gamma and n.grads[GAMMA]:
                lines.append(f"{n.grads[GAMMA]} = np.zeros_like({gamma})  # fix_gamma")
        if moves:
            keep = self.momentum
            for moving, batch in ((moving_mean, mean), (moving_var, f"(1 / {inverse}**2 - {self.eps})")):
                lines.append(f"{moving}[...] = {keep} * {moving} + (1 - {keep}) * {batch}")
        return lines

    def torch_code(self, n: CodeNames) -> list[str]:
        """Call the part `normalize_batch`: torch's own uses another variance for its moving statistics."""
        data, gamma, beta, moving_mean, moving_var = n.ins
        names = n.outs[:3] if self.output_mean_var else (n.outs[0], "_", "_")
        weight = f"torch.ones_like({gamma})" if self.fix_gamma else gamma
        uses_batch = n.train and not self.use_global_stats
        settings = f"{self.channel_axis}, {self.eps}, {self.momentum}, {uses_batch}"
        return [
            f"{', '.join(names)} = normalize_batch({data}, {weight}, {beta}, {moving_mean}, {moving_var}, {settings})"
        ]


BATCH_EXAMPLES = (
    Example({"data": (4, 3, 2, 2)}, fix_gamma=False),
    Example({"data": (4, 3, 2, 2)}),
    Example({"data": (6, 3)}, fix_gamma=False, eps=0.01),
    Example({"data": (3, 2, 4)}, fix_gamma=False, use_global_stats=True),
    Example({"data": (3, 2, 4)}, fix_gamma=False, train=False),
    # MXNet gives no gradient to what arrives at the outputs mean and var
    Example({"data": (3, 2, 2, 2)}, fix_gamma=False, output_mean_var=True, gradient=False),
)


@operator(category="Layers")
class BatchNorm(BatchNormalization):
    """Normalise every channel over the batch, then scale by gamma and shift by beta.

    y = (x − mean) / √(var + eps) · gamma + beta
    """

    axis: int = param(default=1, doc="The axis of the channels.")
    cudnn_off: bool = param(default=False, advanced=True, doc="Only for graphics cards; kept in files.")
    min_calib_range: float | None = param(default=None, advanced=True, doc="Only for quantised networks.")
    max_calib_range: float | None = param(default=None, advanced=True, doc="Only for quantised networks.")

    examples = (*BATCH_EXAMPLES, Example({"data": (3, 2, 4)}, fix_gamma=False, axis=-1))

    @property
    def channel_axis(self) -> int:
        """The axis of the channels."""
        return self.axis


def _wide(run: Run, name: str, array: Array) -> Array:
    """Return an array of half precision as one of float32 that all nodes share, and any other as it is."""
    return work(run.lent, f"wide {name}", array.shape, _SINGLE) if array.dtype == _HALF else array

"""Normalisation within a sample: over an axis, a group of channels, or one channel."""

from collections.abc import Sequence
from math import prod
from typing import Literal

import attrs

from app.engine.errors import ShapeError
from app.engine.examples import Example
from app.engine.kernels import sample_norms as kernels
from app.engine.kernels.steps import Step, without_gradient
from app.engine.operator import Arrays, CodeNames, Port, Reads, operator
from app.engine.operators.lines import assign_zeros
from app.engine.operators.prepared import Flow, Prepared, present
from app.engine.params import param
from app.engine.shapes import Inferred, Shape, Shapes, merge, normalize_axis, text
from app.engine.split import Split
from app.engine.work_space import Work

OUTPUT, MEAN, DEVIATION = range(3)


class SampleNorm(Prepared):
    """What the three have in common: data, gamma and beta in; output, mean and deviation out."""

    kinds = "f"

    eps: float

    @property
    def inputs(self) -> tuple[Port, ...]:
        """Data, scale and shift."""
        return Port("data"), Port("gamma", "weight"), Port("beta", "bias")

    def view(self, data: Shape) -> kernels.View:
        """See data as three axes: gamma belongs to the second."""
        raise NotImplementedError

    def scales(self, data: Shape) -> int:
        """Return the length of gamma, 0 while it is open."""
        raise NotImplementedError

    def statistics(self, data: Shape) -> Shape:
        """Return the shape of the mean."""
        raise NotImplementedError

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Data and output are alike; gamma, beta and the statistics follow from them."""
        data = merge(ins[0], outs[OUTPUT], "data")
        if not data:
            return ins, outs
        length = (self.scales(data),)
        gamma = merge(merge(length, ins[1], "gamma"), ins[2], "beta")
        statistics = self.statistics(data)
        return (data, gamma, gamma), (data, statistics, statistics)

    def splits(self, ins: Shapes, outs: Shapes) -> Sequence[Split]:
        """Samples know nothing of each other."""
        each_has_its_own = len(ins[0]) > 1 and outs[MEAN][0] == ins[0][0]
        return [Split((0, None, None), (0, 0, 0), pace=0.6)] if each_has_its_own else ()

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Set up the views once."""
        data, gamma, beta = ins
        arrays = kernels.SampleNorm(data, gamma, beta, outs[OUTPUT], outs[MEAN], outs[DEVIATION])
        return kernels.normalize_samples(arrays, self.view(data.shape), self.eps)

    def gradient_reads(self, index: int) -> Reads:
        """Everything reads data and the statistics; only the gradient of data reads gamma."""
        return Reads(inputs=(0, 1), outputs=(MEAN, DEVIATION))

    def backward_steps(self, flow: Flow) -> Sequence[Step]:
        """Set up the views once; what arrives at the statistics is left out, as in MXNet."""
        if flow.heads[0] is None:
            return [without_gradient(flow.grads)]
        data = flow.read(0)
        arrays = kernels.SampleNormGradients(
            data=data,
            gamma=flow.read(1),
            mean=present(flow.outs[MEAN]),
            deviation=present(flow.outs[DEVIATION]),
            head=flow.head,
            grads=(flow.grads[0], flow.grads[1], flow.grads[2]),
        )
        return [kernels.normalize_samples_gradient(arrays, self.view(data.shape))]

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradients with x̂ for the normalised data."""
        head, gamma = heads[0], ins[1]
        if index == 2:
            return f"Σ {head}"
        if index == 1:
            return f"Σ {head} · x̂, x̂ = {ins[0]} normalised"
        return (
            f"(g − mean(g) − x̂ · mean(g · x̂)) / std({ins[0]}), g = {head} · {gamma}, x̂ = {ins[0]} normalised"
        )

    def numpy_code(self, n: CodeNames) -> list[str]:
        """Call the part `normalize_samples`; statistics that are outputs get their shape."""
        view = self.view(n.in_shapes[0])
        call = f"normalize_samples({', '.join(n.ins)}, {view.shape}, {view.axis}, {self.eps!r})"
        statistics = n.outs[1 : len(self.outputs)]
        return [
            f"{', '.join(n.outs)} = {call}",
            *(f"{name} = {name}.reshape({self.statistics(n.in_shapes[0])})" for name in statistics),
        ]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """Call the part `normalize_samples_gradient`."""
        if n.heads[0] is None:
            return assign_zeros(n)
        view = self.view(n.in_shapes[0])
        read = f"{n.heads[0]}, {n.ins[0]}, {n.ins[1]}, {n.outs[MEAN]}, {n.outs[DEVIATION]}"
        call = f"normalize_samples_gradient({read}, {view.shape}, {view.axis})"
        return [f"{', '.join(name or '_' for name in n.grads)} = {call}"]

    def torch_code(self, n: CodeNames) -> list[str]:
        """Call torch's own function where it means the same, else the part `normalize_samples`."""
        view, shown = self.view(n.in_shapes[0]), n.outs[: len(self.outputs)]
        if view.axis == 1 and view.shape[2] == 1 and len(shown) == 1:
            call = f"F.layer_norm({n.ins[0]}, ({view.shape[1]},), {n.ins[1]}, {n.ins[2]}, {self.eps!r})"
            return [f"{shown[0]} = {call}"]
        names = ", ".join(shown) if len(shown) > 1 else f"{shown[0]}, _, _"
        call = f"normalize_samples({', '.join(n.ins)}, {view.shape}, {view.axis}, {self.eps!r})"
        return [
            f"{names} = {call}",
            *(f"{name} = {name}.reshape({self.statistics(n.in_shapes[0])})" for name in shown[1:]),
        ]


@attrs.frozen(kw_only=True)
class WithStatistics(SampleNorm):
    """A normalisation whose statistics may be outputs."""

    ignored_heads = frozenset({MEAN, DEVIATION})

    eps: float = param(default=1e-5, doc="Added to the variance so that nothing is divided by zero.")
    output_mean_var: bool = param(
        default=False, doc="Give the mean and √(variance + eps) as further outputs."
    )

    @property
    def outputs(self) -> tuple[str, ...]:
        """The result, and the statistics if wanted."""
        return ("output", "mean", "std") if self.output_mean_var else ("output",)

    @property
    def hidden(self) -> tuple[str, ...]:
        """The statistics, which backward reads, unless they are outputs anyway."""
        return () if self.output_mean_var else ("mean", "std")


@operator(category="Layers")
class LayerNorm(WithStatistics):
    """Normalise along one axis of every sample, then scale by gamma and shift by beta."""

    work = Work(keeps=0.8, takes=0.4, keeps_back=3.2, takes_back=0.7)

    axis: int = param(default=-1, doc="The axis that is normalised.")

    examples = (
        Example({"data": (3, 5)}),
        Example({"data": (2, 4, 3)}, axis=1),
        Example({"data": (3, 2, 2, 2)}, axis=0),
        # MXNet gives no gradient to what arrives at the outputs mean and std
        Example({"data": (2, 3, 4)}, output_mean_var=True, gradient=False),
    )

    def view(self, data: Shape) -> kernels.View:
        """See data as (outer, axis, inner)."""
        axis = self.axis % len(data)
        return kernels.View((prod(data[:axis]), data[axis], prod(data[axis + 1 :])), 1)

    def scales(self, data: Shape) -> int:
        """Return the length of the axis."""
        return data[normalize_axis(self.axis, len(data))]

    def statistics(self, data: Shape) -> Shape:
        """Return data's shape with 1 on the axis."""
        axis = self.axis % len(data)
        return (*data[:axis], 1, *data[axis + 1 :])

    def because(self, side: Literal["in", "out"], index: int, axis: int, ins: Shapes, outs: Shapes) -> str:
        """Explain the length of gamma."""
        return f"the length of axis {self.axis} of data" if side == "in" and index > 0 else ""

    def summary(self) -> str:
        """Return the axis where it is set."""
        return "" if self.axis == -1 else f"axis {self.axis}"


@operator(category="Layers")
class GroupNorm(WithStatistics):
    """Normalise groups of channels of every sample; each group has its own gamma and beta."""

    work = Work(keeps=1.2, takes=0.4, keeps_back=2.8, takes_back=0.6)

    num_groups: int = param(default=1, low=1, doc="Number of groups into which the channels are split.")

    examples = (
        Example({"data": (2, 4, 3)}, num_groups=2),
        Example({"data": (2, 4, 3, 2)}, num_groups=4),
        Example({"data": (2, 3, 2)}),
    )

    def view(self, data: Shape) -> kernels.View:
        """See data as (batch, group, rest)."""
        return kernels.View((data[0], self.num_groups, prod(data[1:]) // self.num_groups), 2)

    def scales(self, data: Shape) -> int:
        """Return the number of groups."""
        if len(data) < 3:
            raise ShapeError(
                f"GroupNorm needs batch, channels and more, but data is {text(data)}.", port="data"
            )
        if data[1] % self.num_groups:
            raise ShapeError(
                f"the {data[1]} channels of data cannot be split into {self.num_groups} equal groups.",
                port="data",
            )
        return self.num_groups

    def statistics(self, data: Shape) -> Shape:
        """Return one number per sample and group."""
        return data[0], self.num_groups

    def because(self, side: Literal["in", "out"], index: int, axis: int, ins: Shapes, outs: Shapes) -> str:
        """Explain the length of gamma."""
        return f"num_groups = {self.num_groups}" if side == "in" and index > 0 else ""

    def summary(self) -> str:
        """Return the number of groups."""
        return f"{self.num_groups} group{'' if self.num_groups == 1 else 's'}"


@operator(category="Layers")
class InstanceNorm(SampleNorm):
    """Normalise every channel of every sample on its own, then scale by gamma and shift by beta."""

    work = Work(keeps=1.8, takes=0.4, keeps_back=5.2, takes_back=0.6)

    eps: float = param(default=0.001, doc="Added to the variance so that nothing is divided by zero.")

    examples = (
        Example({"data": (2, 3, 4)}),
        Example({"data": (2, 3, 3, 2)}, eps=1e-5),
        Example({"data": (1, 2, 2, 2, 2)}),
        Example({"data": (3, 2, 1)}),
    )

    @property
    def hidden(self) -> tuple[str, ...]:
        """The statistics, which backward reads."""
        return "mean", "std"

    def view(self, data: Shape) -> kernels.View:
        """See data as (batch, channel, rest); MXNet infers two axes and refuses to run them."""
        if len(data) < 3:
            raise ShapeError(
                f"InstanceNorm needs batch, channels and more, but data is {text(data)}.", port="data"
            )
        return kernels.View((data[0], data[1], prod(data[2:])), 2)

    def scales(self, data: Shape) -> int:
        """Return the number of channels."""
        if len(data) < 2:
            raise ShapeError(f"InstanceNorm needs channels, but data is {text(data)}.", port="data")
        return data[1]

    def statistics(self, data: Shape) -> Shape:
        """Return one number per sample and channel."""
        return data[:2]

    def because(self, side: Literal["in", "out"], index: int, axis: int, ins: Shapes, outs: Shapes) -> str:
        """Explain the length of gamma."""
        return f"{ins[0][1]} channels of data" if side == "in" and index > 0 else ""

"""The rectifiers that let something through below zero: leaky, learned, exponential, smooth and random."""

from collections.abc import Sequence
from functools import partial
from typing import Literal

import numpy as np

from app.engine.errors import ShapeError
from app.engine.examples import Domain, Example
from app.engine.kernels import activations as kernels
from app.engine.kernels.pieces import in_pieces
from app.engine.kernels.steps import Step, in_order, without_gradient
from app.engine.operator import Array, Arrays, CodeNames, Port, Reads, Run, operator, refuse
from app.engine.operators.lines import assign_zeros
from app.engine.operators.prepared import Flow, InPieces, present
from app.engine.params import param
from app.engine.shapes import Inferred, Shapes, element_count, merge
from app.engine.work_space import WorkSpace

_APART_FROM_ZERO = {"data": Domain(avoid=(0.0,))}
_FIRST_SLOPE = '["Constant", {"value": 0.25}]'


@operator(category="Activation")
class LeakyReLU(InPieces):
    """Let positive numbers through and bend negative ones.

    leaky and prelu: slope · x · elu: slope · (eˣ − 1) · selu, gelu: fixed curves · rrelu: a random slope in training
    """

    kinds = "f"

    is_random = trains_otherwise = True  # rrelu draws its slopes
    minds_overwriting = True  # prelu sums up the gradient of its slopes last

    act_type: str = param(
        default="leaky",
        choices=("elu", "gelu", "leaky", "prelu", "rrelu", "selu"),
        doc="What becomes of negative numbers; prelu learns its slope.",
    )
    slope: float = param(default=0.25, doc="The slope of leaky, and the depth of elu.")
    lower_bound: float = param(default=0.125, doc="Smallest random slope of rrelu.")
    upper_bound: float = param(default=0.334, doc="Largest random slope of rrelu.")

    examples = (
        Example({"data": (3, 4)}, domains=_APART_FROM_ZERO),
        Example({"data": (2, 3, 2, 2)}, domains=_APART_FROM_ZERO, slope=1.5),
        Example({"data": (3, 4)}, domains=_APART_FROM_ZERO, act_type="elu", slope=0.7),
        Example({"data": (2, 3, 2, 2)}, domains=_APART_FROM_ZERO, act_type="prelu"),
        Example({"data": (2, 3, 2), "gamma": (1,)}, domains=_APART_FROM_ZERO, act_type="prelu"),
        # MXNet's gradient of selu is not its true one
        Example({"data": (3, 4)}, act_type="selu", gradient=False),
        Example({"data": (3, 4)}, act_type="gelu"),
        Example({"data": (3, 4)}, domains=_APART_FROM_ZERO, act_type="rrelu", train=False),
        Example({"data": (3, 4)}, act_type="rrelu", gradient=False),
        # nor is that of a negative slope
        Example({"data": (3, 4)}, slope=-0.5, gradient=False),
        Example({"data": (3, 4)}, act_type="elu", slope=-0.5, gradient=False),
    )

    def check(self) -> None:
        """Refuse bounds in the wrong order."""
        refuse(
            self.act_type == "rrelu" and self.lower_bound > self.upper_bound,
            f"lower_bound {self.lower_bound} lies above upper_bound {self.upper_bound}.",
            port="lower_bound",
        )

    # Ports and shapes --------------------------------------------------------------------------------------------

    @property
    def inputs(self) -> tuple[Port, ...]:
        """Data, and for prelu the learned slopes."""
        return (
            (Port("data"), Port("gamma", "weight", _FIRST_SLOPE))
            if self.act_type == "prelu"
            else (Port("data"),)
        )

    @property
    def outputs(self) -> tuple[str, ...]:
        """The result; rrelu also shows the slopes it drew."""
        return ("output", "mask") if self.act_type == "rrelu" else ("output",)

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Data and result are alike; gamma has one slope per channel, or a single one."""
        alike, results = super().infer(ins[:1], outs)
        if self.act_type != "prelu":
            return alike, results
        data, gamma = alike[0], ins[1]
        if not data or gamma == (1,):
            return (data, gamma), results
        if len(data) == 1:
            raise ShapeError("prelu has one slope per channel, so data needs a second axis.", port="data")
        channels = (data[1],)
        return (data, merge(channels, gamma, "gamma")), results

    def because(self, side: Literal["in", "out"], index: int, axis: int, ins: Shapes, outs: Shapes) -> str:
        """Explain the length of gamma."""
        if side == "in" and index == 1:
            return "one slope for all" if ins[1] == (1,) else f"{ins[1][0]} channels of data"
        return ""

    def _slopes(self, gamma: Array, data: Array) -> Array:
        """View gamma so that it meets data's channels."""
        if gamma.size == 1 or data.ndim == 1:
            return gamma
        return gamma.reshape(-1, *(1,) * (data.ndim - 2))

    # Running -----------------------------------------------------------------------------------------------------

    def scratch(self, ins: Shapes, outs: Shapes, *, gradients: bool) -> WorkSpace:
        """Count beside pieces what prelu adds up for the gradient of its slopes, and what a turned sign costs."""
        pieces = super().scratch(ins, outs, gradients=gradients)
        is_summed = gradients and (self.act_type == "prelu" or self.slope < 0)
        return WorkSpace(pieces.kept, pieces.passing + element_count(outs[0])) if is_summed else pieces

    def prepare_forward(self, run: Run, ins: Arrays, outs: Arrays) -> Step:
        """Set up the work arrays once; rrelu draws its slopes first."""
        step = self.forward_step(ins, outs)
        if self.act_type != "rrelu":
            return step
        return in_order([partial(self._draw, run, outs[1]), step])

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Set up the work arrays once."""
        data, result = ins[0], outs[0]
        if self.act_type == "elu":
            return kernels.elu(data, self.slope, 1.0, result)
        if self.act_type == "selu":
            return kernels.elu(data, kernels.SELU_ALPHA, kernels.SELU_SCALE, result)
        if self.act_type == "gelu":
            return kernels.gelu(data, result)
        if self.act_type == "prelu":
            return kernels.leaky(data, self._slopes(ins[1], data), result)
        if self.act_type == "rrelu":
            return kernels.leaky(data, outs[1], result)
        return kernels.leaky(data, self.slope, result)

    def _draw(self, run: Run, slopes: Array) -> None:
        """Draw a slope per element in training; prediction uses the middle one."""
        if run.train:
            draw = partial(run.rng.uniform, self.lower_bound, self.upper_bound)
            in_pieces(lambda part: lambda: np.copyto(part, draw(part.shape)), slopes)()
        else:
            slopes.fill((self.lower_bound + self.upper_bound) / 2)

    def gradient_reads(self, index: int) -> Reads:
        """The slope follows from data, and from gamma or what was drawn; that of selu from the result.

        So it does in MXNet for leaky and elu, which makes a difference where a negative slope turns the sign.
        """
        if self._goes_by_result:
            return Reads(outputs=(0,))
        if self.act_type == "prelu":
            return Reads(inputs=(0, 1))
        return Reads(inputs=(0,), outputs=(1,) if self.act_type == "rrelu" else ())

    @property
    def _goes_by_result(self) -> bool:
        return self.act_type == "selu" or self._turns_sign

    @property
    def _turns_sign(self) -> bool:
        return self.act_type in ("leaky", "elu") and self.slope < 0

    def backward_steps(self, flow: Flow) -> Sequence[Step]:
        """Set up the work arrays once."""
        if flow.heads[0] is None:  # the slopes that rrelu drew carry no gradient
            return [without_gradient(flow.grads)]
        data = flow.out if self._goes_by_result else flow.read(0)
        return [
            self._slope_gradient(data, flow, grad) if index == 1 else self._data_gradient(data, flow, grad)
            for index, grad in flow.wanted
        ]

    def _slope_gradient(self, data: Array, flow: Flow, grad: Array) -> Step:
        """Prepare the sum for gamma; from an overwritten gradient it comes out gamma times as large."""
        step = _slope_gradient(data, flow.head, grad)
        if not flow.overwritten:
            return step
        return in_order([step, partial(np.multiply, grad, flow.read(1), grad)])

    def _data_gradient(self, data: Array, flow: Flow, grad: Array) -> Step:
        head = flow.head
        if self._turns_sign:
            return kernels.turned_gradient(data, self.slope, head, grad)
        if self.act_type == "elu":
            return kernels.elu_gradient(data, (self.slope, 1.0), head, grad)
        if self.act_type == "selu":
            return kernels.selu_gradient(data, head, grad)
        if self.act_type == "gelu":
            return kernels.gelu_gradient(data, head, grad)
        if self.act_type == "prelu":
            return kernels.leaky_gradient(data, self._slopes(flow.read(1), data), head, grad)
        slope = present(flow.outs[1]) if self.act_type == "rrelu" else self.slope
        return kernels.leaky_gradient(data, slope, head, grad)

    # For people --------------------------------------------------------------------------------------------------

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the chain rule for the chosen function."""
        head, data = heads[0], ins[0]
        if self._turns_sign:
            return f"{head} where {outs[0]} > 0, else {self.slope:g} · {head}"
        if index == 1:
            return f"Σ {head} · min({data}, 0) per channel"
        if self.act_type == "gelu":
            return f"{head} · (Φ({data}) + {data} · φ({data}))"
        if self.act_type == "selu":
            return f"1.0507 · {head} where {outs[0]} > 0, else 1.0507 · ({outs[0]} + 1.6733) · {head}"
        slope = {"elu": f"{self.slope:g} · exp({data})", "leaky": f"{self.slope:g}", "rrelu": "slope"}
        word = slope.get(self.act_type) or ins[1]
        return f"{head} where {data} > 0, else {word} · {head}"

    def summary(self) -> str:
        """Return the kind, with its slope where it has a fixed one."""
        return f"{self.act_type} {self.slope:g}" if self.act_type in ("leaky", "elu") else self.act_type

    # Code --------------------------------------------------------------------------------------------------------

    def _slope_code(self, n: CodeNames, spoilt: str = "") -> str:
        """Write the slope of negative numbers; `spoilt` is the function that spoils the gradient of an array."""
        if self.act_type == "prelu":
            rank = len(n.in_shapes[0])
            gamma = f"{spoilt}({n.ins[1]})" if spoilt and n.overwritten else n.ins[1]
            if n.in_shapes[1] == (1,) or rank < 3:
                return gamma
            return f"{gamma}.reshape(-1{', 1' * (rank - 2)})"
        if self.act_type == "rrelu":
            return n.outs[1]
        return f"{self.slope!r}"

    def _elu_constants(self) -> tuple[float, float]:
        """Return depth and scale of elu and selu."""
        if self.act_type == "elu":
            return self.slope, 1.0
        return kernels.SELU_ALPHA, kernels.SELU_SCALE

    def numpy_code(self, n: CodeNames) -> list[str]:
        """Write the function in one or two lines."""
        x, y = n.ins[0], n.outs[0]
        if self.act_type == "gelu":
            return [f"{y} = {x} * normal_share({x})"]
        if self.act_type in ("elu", "selu"):
            alpha, scale = self._elu_constants()
            times = "" if scale == 1 else f"{scale} * "
            return [f"{y} = {times}np.where({x} > 0, {x}, {alpha} * np.expm1(np.minimum({x}, 0)))"]
        lines = [self._drawn_code(n)] if self.act_type == "rrelu" else []
        return [*lines, f"{y} = np.where({x} > 0, {x}, {self._slope_code(n)} * {x})"]

    def _drawn_code(self, n: CodeNames) -> str:
        """Write the line that draws the slopes of rrelu."""
        if n.train:
            bounds = f"{self.lower_bound}, {self.upper_bound}"
            return f"{n.outs[1]} = np.random.uniform({bounds}, {n.ins[0]}.shape).astype({n.ins[0]}.dtype)"
        return f"{n.outs[1]} = np.full_like({n.ins[0]}, {(self.lower_bound + self.upper_bound) / 2})"

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """Write head times slope, and the sum for gamma."""
        x, d = n.ins[0], n.heads[0]
        if d is None:
            return assign_zeros(n)
        lines = []
        if n.grads[0]:
            lines.append(f"{n.grads[0]} = {self._data_gradient_code(x, d, n)}")
        if self.act_type == "prelu" and n.grads[1]:
            rank = len(n.in_shapes[0])
            axes = tuple(axis for axis in range(rank) if axis != min(1, rank - 1))
            below = f"{d} * np.minimum({x}, 0)"
            single = n.in_shapes[1] == (1,)
            total = (
                f"np.sum({below}, keepdims=True).reshape(1)" if single else f"np.sum({below}, axis={axes})"
            )
            lines.append(f"{n.grads[1]} = {total}{f' * {n.ins[1]}' if n.overwritten else ''}")
        return lines

    def _data_gradient_code(self, x: str, d: str, n: CodeNames) -> str:
        if self.act_type == "gelu":
            return f"{d} * (normal_share({x}) + {x} * np.exp(-0.5 * {x}**2) / 2.5066282746310002)"
        if self.act_type == "selu":
            y = n.outs[0]
            return f"{d} * {kernels.SELU_SCALE} * np.where({y} > 0, 1, {y} + {kernels.SELU_ALPHA})"
        if self._turns_sign:
            return f"np.where({n.outs[0]} > 0, {d}, {self.slope!r} * {d})"
        if self.act_type == "elu":
            return f"{d} * np.where({x} > 0, 1, {self.slope!r} * np.exp(np.minimum({x}, 0)))"
        return f"np.where({x} > 0, {d}, {self._slope_code(n)} * {d})"

    def torch_code(self, n: CodeNames) -> list[str]:
        """Call torch's own functions where they mean the same."""
        x, y = n.ins[0], n.outs[0]
        if self.act_type == "gelu":
            return [f"{y} = F.gelu({x})"]
        if self.act_type == "selu":
            return [f"{y} = selu_as_mxnet({x})"]
        if self.act_type in ("elu", "leaky"):
            value = (
                "F.elu({x}, alpha={slope!r})" if self.act_type == "elu" else "F.leaky_relu({x}, {slope!r})"
            )
            value = value.format(x=x, slope=self.slope)
            return [
                f"{y} = turned_as_mxnet({x}, {value}, {self.slope!r})"
                if self._turns_sign
                else f"{y} = {value}"
            ]
        lines = []
        if self.act_type == "rrelu":
            bounds = f"{self.lower_bound}, {self.upper_bound}"
            middle = (self.lower_bound + self.upper_bound) / 2
            drawn = (
                f"torch.empty_like({x}).uniform_({bounds})" if n.train else f"torch.full_like({x}, {middle})"
            )
            lines = [f"{n.outs[1]} = {drawn}"]
        return [*lines, f"{y} = torch.where({x} > 0, {x}, {self._slope_code(n, 'spoilt_as_mxnet')} * {x})"]


def _slope_gradient(data: Array, head: Array, grad: Array) -> Step:
    """Prepare Σ head · min(x, 0), over everything for a single slope, else per channel."""
    axis = min(1, data.ndim - 1)
    axes = tuple(range(data.ndim)) if grad.size == 1 else tuple(set(range(data.ndim)) - {axis})

    def run() -> None:
        below = np.minimum(data, 0)
        below *= head
        grad[...] = below.sum(axes)

    return run

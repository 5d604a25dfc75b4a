"""Division by lengths: L2Normalization, and LRN, which divides by the neighbours' strength."""

from collections.abc import Sequence
from math import prod

import numpy as np

from app.engine.errors import ShapeError
from app.engine.examples import Example
from app.engine.kernels import sample_norms as kernels
from app.engine.kernels.steps import Step, overwrite
from app.engine.operator import Array, Arrays, CodeNames, Reads, operator
from app.engine.operators.formulas import number
from app.engine.operators.prepared import Flow, Prepared, gradient_lines, present
from app.engine.params import param
from app.engine.shapes import Inferred, Shapes, element_count, merge, text
from app.engine.work_space import Work


@operator(category="Layers")
class L2Normalization(Prepared):
    """Divide numbers by the root of the sum of their squares.

    y = x / √(Σ x² + eps)
    """

    kinds = "f"

    work = Work(takes=0.4, takes_back=0.7)

    eps: float = param(default=1e-10, doc="Added to the sum so that nothing is divided by zero.")
    mode: str = param(
        default="instance",
        choices=("channel", "instance", "spatial"),
        doc="What is summed: a whole sample, the channels at each place, or the places of each channel.",
    )

    examples = (
        Example({"data": (3, 4)}),
        Example({"data": (2, 3, 2, 2)}, mode="channel", eps=0.001),
        Example({"data": (2, 3, 2, 2)}, mode="spatial"),
    )

    @property
    def hidden(self) -> tuple[str, ...]:
        """The length by which was divided."""
        return ("norm",)

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Data and result are alike."""
        data = merge(ins[0], outs[0], "data")
        if not data:
            return ins, outs
        least = {"instance": 1, "channel": 3, "spatial": 3}[self.mode]
        if len(data) < least:
            raise ShapeError(f"mode {self.mode} needs {least} axes, but data is {text(data)}.", port="data")
        lengths = {"instance": data[:1], "channel": (data[0], *data[2:]), "spatial": data[:2]}
        return (data,), (data, lengths[self.mode])

    def _views(self, array: Array, length: Array) -> tuple[Array, Array]:
        """See data with three axes, and the length with 1 on the summed one."""
        shape = array.shape
        if self.mode == "instance":
            return array.reshape(shape[0], -1, 1, copy=False), length.reshape(shape[0], 1, 1, copy=False)
        places = prod(shape[2:])
        seen = array.reshape(shape[0], shape[1], places, copy=False)
        if self.mode == "channel":
            return seen, length.reshape(shape[0], 1, places, copy=False)
        return seen, length.reshape(shape[0], shape[1], 1, copy=False)

    def _axis(self) -> int:
        return 2 if self.mode == "spatial" else 1

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Set up the views once."""
        data, length = self._views(ins[0], outs[1])
        result, _ = self._views(outs[0], outs[1])
        return kernels.divide_by_length(kernels.Lengths(data, result, length, self._axis()), self.eps)

    def gradient_reads(self, index: int) -> Reads:
        """The gradient follows from result and length."""
        return Reads(outputs=(0, 1))

    def backward_steps(self, flow: Flow) -> Sequence[Step]:
        """Set up the views once."""
        result, length = self._views(flow.out, present(flow.outs[1]))
        head, _ = self._views(flow.head, length)
        seen = kernels.Lengths(head, result, length, self._axis())
        return [
            kernels.divide_by_length_gradient(seen, self._views(grad, length)[0]) for _, grad in flow.wanted
        ]

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write what is left of the head gradient across the result."""
        return f"({heads[0]} − {outs[0]} · Σ {heads[0]} · {outs[0]}) / √(Σ {ins[0]}² + eps)"

    def summary(self) -> str:
        """Return the mode."""
        return self.mode

    def _summed(self, rank: int) -> tuple[int, ...]:
        """Return the axes that are summed."""
        axes = {"instance": range(1, rank), "channel": (1,), "spatial": range(2, rank)}
        return tuple(axes[self.mode])

    def numpy_code(self, n: CodeNames) -> list[str]:
        """A line for the lengths, and one that divides."""
        summed = self._summed(len(n.in_shapes[0]))
        return [
            f"{n.outs[1]} = np.sqrt(np.square({n.ins[0]}).sum(axis={summed}) + {self.eps!r})",
            f"{n.outs[0]} = {n.ins[0]} / np.expand_dims({n.outs[1]}, {summed})",
        ]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """One line."""
        summed, head, result = self._summed(len(n.in_shapes[0])), n.heads[0], n.outs[0]
        across = f"{head} - {result} * ({head} * {result}).sum(axis={summed}, keepdims=True)"
        return gradient_lines(n, [f"({across}) / np.expand_dims({n.outs[1]}, {summed})"])

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line."""
        summed = self._summed(len(n.in_shapes[0]))
        length = f"torch.sqrt(torch.square({n.ins[0]}).sum({summed}, keepdim=True) + {self.eps!r})"
        return [f"{n.outs[0]} = {n.ins[0]} / {length}"]


@operator(category="Layers")
class LRN(Prepared):
    """Divide every number by the strength of its neighbours across channels.

    y = x · (knorm + alpha / nsize · Σ x²)^−beta, the sum over nsize channels around each
    """

    kinds = "f"

    work = Work(takes=1.1, keeps_back=2.2, takes_back=1.1)

    alpha: float = param(default=1e-4, doc="Weight of the neighbours' squares.")
    beta: float = param(default=0.75, doc="The power.")
    knorm: float = param(default=2.0, doc="Added to the sum.")
    nsize: int = param(low=1, doc="Number of neighbouring channels, the number's own included.")

    examples = (
        Example({"data": (2, 6, 3, 2)}, nsize=5, alpha=0.1),
        Example({"data": (1, 4, 2, 2)}, nsize=3, alpha=0.5, knorm=1.0, beta=0.5),
    )

    def add_gradient(self, index: int, fresh: Array, holder: Array) -> Step:
        """MXNet writes over what the buffer held."""
        return overwrite(fresh, holder)

    @property
    def hidden(self) -> tuple[str, ...]:
        """The sums, before the power."""
        return ("norm",)

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """All arrays are alike."""
        data = merge(ins[0], outs[0], "data")
        return (data,), (data, data)

    def multiply_adds(self, ins: Shapes, outs: Shapes) -> int:
        """Every number meets its neighbours."""
        return element_count(outs[0]) * self.nsize

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Set up nothing; the squares stand in the result until it is written."""
        data, result, norm = ins[0], outs[0], outs[1]
        if data.ndim not in (3, 4):  # MXNet infers any rank and refuses to run it
            raise ShapeError(f"LRN runs on 3 or 4 axes, but data is {text(data.shape)}.", port="data")
        weight = self.alpha / self.nsize

        def call() -> None:
            np.square(data, out=result)
            kernels.sum_over_neighbours(result, norm, self.nsize)
            np.multiply(norm, weight, out=norm)
            np.add(norm, self.knorm, out=norm)
            np.power(norm, -self.beta, out=result)
            np.multiply(result, data, out=result)

        return call

    def gradient_reads(self, index: int) -> Reads:
        """The gradient reads data and the sums."""
        return Reads(inputs=(0,), outputs=(1,))

    def backward_steps(self, flow: Flow) -> Sequence[Step]:
        """Set up the work arrays once."""
        return [
            self._gradient(flow.read(0), present(flow.outs[1]), flow.head, grad) for _, grad in flow.wanted
        ]

    def _gradient(self, data: Array, norm: Array, head: Array, grad: Array) -> Step:
        along, around = np.empty_like(data), np.empty_like(data)
        factor = -2 * self.beta * self.alpha / self.nsize

        def call() -> None:
            np.power(norm, -self.beta, out=grad)
            np.multiply(grad, head, out=grad)  # the number itself
            np.multiply(grad, data, out=along)
            np.divide(along, norm, out=along)
            kernels.sum_over_neighbours(along, around, self.nsize, mirrored=True)
            np.multiply(around, data, out=around)
            np.multiply(around, factor, out=around)  # all that it is a neighbour of
            np.add(grad, around, out=grad)

        return call

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the number's own share and its neighbours'."""
        head, data, result = heads[0], ins[0], outs[0]
        factor = f"{2 * self.beta * self.alpha / self.nsize:g}"
        own, others = f"{head} · s^{-self.beta:g}", f"{factor} · {data} · Σ {head} · {result} / s"
        return f"{own} − {others}, s = {self.knorm:g} + alpha/n · Σ {data}²"

    def summary(self) -> str:
        """Return the window."""
        return f"{self.nsize} channels"

    def numpy_code(self, n: CodeNames) -> list[str]:
        """Call the part `sum_over_neighbours` for the sums, then divide by their power."""
        total = f"sum_over_neighbours(np.square({n.ins[0]}), {self.nsize})"
        return [
            f"{n.outs[1]} = {self.knorm!r} + {self.alpha / self.nsize!r} * {total}",
            f"{n.outs[0]} = {n.ins[0]} * {n.outs[1]} ** {-self.beta!r}",
        ]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """The number's own share, and that of all that it is a neighbour of."""
        head, data, norm = n.heads[0], n.ins[0], n.outs[1]
        shares = f"{head} * {data} * {norm} ** {-self.beta - 1!r}"
        around = f"sum_over_neighbours({shares}, {self.nsize}, mirrored=True)"
        factor = number(-2 * self.beta * self.alpha / self.nsize)
        return gradient_lines(n, [f"{head} * {norm} ** {-self.beta!r} + {factor} * {data} * {around}"])

    def torch_code(self, n: CodeNames) -> list[str]:
        """Call torch's own function, whose window lies as MXNet's where it has a middle."""
        if self.nsize % 2 == 0:
            raise NotImplementedError("PyTorch's even windows lie otherwise")
        settings = f"{self.nsize}, {self.alpha!r}, {self.beta!r}, {self.knorm!r}"
        return [f"{n.outs[0]} = F.local_response_norm({n.ins[0]}, {settings})"]

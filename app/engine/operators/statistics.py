"""Statistics of the elements of an array: moments, cumsum, _square_sum, _histogram."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from app.engine.errors import ShapeError
from app.engine.examples import Domain, Example
from app.engine.kernels.steps import Step, scale_and_add
from app.engine.operator import Array, Arrays, CodeNames, GradientKind, Port, Reads, Types, operator
from app.engine.operators.element_types import named_type
from app.engine.operators.formulas import number
from app.engine.operators.prepared import Flow, Prepared, gradient_lines
from app.engine.operators.reduce import OverAxes, Reduction, reduced_axes
from app.engine.params import param
from app.engine.shapes import UNKNOWN, Inferred, Shapes, element_count, merge, normalize_axis
from app.engine.split import Split
from app.engine.work_space import Work, WorkSpace

_SUMMED = ("float16", "float32", "float64", "int32", "int64", "int8")


@operator(name="moments", category="Reduction")
class Moments(OverAxes):
    """Take mean and variance of the elements along some axes.

    x̄ = Σ x / n, σ² = Σ (x − x̄)² / n
    """

    kinds = "iuf"

    work = Work(takes=4)

    axes: tuple[int, ...] | None = param(default=None, doc="The axes; to reduce all, name all.")
    keepdims: bool = param(default=False, doc="Keep the reduced axes with size 1.")

    examples = (
        Example({"data": (2, 3, 4)}, axes=(1,)),
        Example({"data": (2, 3, 4)}, axes=(-1,), keepdims=True),
        Example({"data": (2, 3)}, axes=(0, 1)),
    )

    @property
    def outputs(self) -> tuple[str, ...]:
        """Mean and variance."""
        return "output0", "output1"

    def reduced(self, rank: int) -> tuple[int, ...]:
        """Return the reduced axes, in order."""
        if not self.axes:
            raise ShapeError(
                "axes names no axis. Name the axes, or all of them for the moments of everything."
            )
        return reduced_axes(self.axes, rank)

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Drop the reduced axes; both values are alike."""
        found, (value,) = super().infer(ins, (merge(outs[0], outs[1]),))
        return found, (value, value)

    def splits(self, ins: Shapes, outs: Shapes) -> Sequence[Split]:
        """The first axis, unless it is reduced."""
        return [Split(split.ins, split.outs * 2) for split in super().splits(ins, outs)]

    def add_gradient(self, index: int, fresh: Array, holder: Array) -> Step:
        """MXNet divides what the buffer held by the number of elements before it adds."""
        return scale_and_add(fresh, holder, 1 / self._count(holder))

    def _count(self, data: Array) -> int:
        return element_count(data.shape) // self.kept_count(data)

    def kept_count(self, data: Array) -> int:
        """Return how many means there are."""
        axes = self.reduced(data.ndim)
        return int(np.prod([size for axis, size in enumerate(data.shape) if axis not in axes], dtype=int))

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write both values."""
        data, axes, count = ins[0], self.reduced(ins[0].ndim), self._count(ins[0])
        mean, variance = (self.kept(out, data.shape) for out in outs)

        def average(of: Array, out: Array) -> None:
            np.copyto(
                out, np.trunc(of.sum(axis=axes, dtype=out.dtype, keepdims=True) / count), casting="unsafe"
            )

        def run() -> None:
            if data.dtype.kind == "f":
                data.mean(axis=axes, out=mean, keepdims=True)
                np.square(data - mean).mean(axis=axes, out=variance, keepdims=True)
                return
            average(data, mean)
            average(np.square(data - mean), variance)

        return run

    def gradient_reads(self, index: int) -> Reads:
        """The gradient reads the data and the mean."""
        return Reads(inputs=(0,), outputs=(0,))

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients."""
        return [partial(self._gradient, flow, grad) for _, grad in flow.wanted]

    def _gradient(self, flow: Flow, grad: Array) -> None:
        """Add the two shares; of whole numbers each is cut by itself, as in MXNet."""
        whole = grad.dtype.kind != "f"
        of_mean, of_variance = (head if head is None else self.kept(head, grad.shape) for head in flow.heads)
        shares: list[Array] = []
        if of_mean is not None:
            shares.append(of_mean / self._count(grad))
        if of_variance is not None:
            data = flow.read(0).astype(np.int64) if whole else flow.read(0)
            shares.append(of_variance * (data - self.kept(flow.out, grad.shape)) * 2 / self._count(grad))
        grad.fill(0)
        for share in shares:
            np.add(grad, share.astype(np.int64) if whole else share, out=grad, casting="unsafe")

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        return f"({heads[0]} + 2 · {heads[1]} · ({ins[0]} − {outs[0]})) / n, n elements averaged"

    def summary(self) -> str:
        """The axes."""
        return f"axes {', '.join(map(str, self.axes or ()))}"

    def numpy_code(self, n: CodeNames) -> list[str]:
        """Two lines."""
        data, (mean, variance) = n.ins[0], n.outs
        where, squares = self.code_arguments(n), f"(({data} - {self.spread(n, mean)}) ** 2)"
        return [
            f"{mean} = {self.shaped(n, f'{self.over(n, data)}.mean({where})')}",
            f"{variance} = {self.shaped(n, f'{self.over(n, squares)}.mean({where})')}",
        ]

    torch_code = numpy_code

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """One line."""
        count = element_count(n.in_shapes[0]) // element_count(n.out_shapes[0])
        from_mean = f"({n.ins[0]} - {self.spread(n, n.outs[0])})"
        shares = [
            *([self.spread(n, n.heads[0])] if n.heads[0] else []),
            *([f"2 * {self.spread(n, n.heads[1])} * {from_mean}"] if n.heads[1] else []),
        ]
        return gradient_lines(n, [f"np.broadcast_to(({' + '.join(shares)}) / {count}, {n.in_shapes[0]})"])


@operator(name="_square_sum", category="Reduction")
class SquareSum(Reduction):
    """Add up the squares of the elements along some axes.

    y = Σ x²
    """

    kinds = "iuf"

    work = Work(takes=1.6, takes_back=1.1)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        axes, kept = self.reduced(ins[0].ndim), self.kept(outs[0], ins[0].shape)
        return lambda: np.square(ins[0]).sum(axis=axes, dtype=kept.dtype, out=kept, keepdims=True)

    def gradient_reads(self, index: int) -> Reads:
        """The gradient reads the data."""
        return Reads(inputs=(0,))

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients."""
        return [partial(self._gradient, flow, grad) for _, grad in flow.wanted]

    def _gradient(self, flow: Flow, grad: Array) -> None:
        np.multiply(self.kept(flow.head, grad.shape), flow.read(0), out=grad)
        np.multiply(grad, 2, out=grad, casting="unsafe")

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        return f"2 · {heads[0]} · {ins[0]}"

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        squares = self.over(n, f"({n.ins[0]} ** 2)")
        return [f"{n.outs[0]} = {self.shaped(n, f'{squares}.sum({self.code_arguments(n)})')}"]

    torch_code = numpy_code

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return gradient_lines(n, [f"2 * {self.spread(n, str(n.heads[0]))} * {n.ins[0]}"])


@operator(name="_np_cumsum", category="Reduction", aliases=("cumsum",))
class CumSum(Prepared):
    """Add up the elements along an axis, and keep every sum on the way.

    yᵢ = x₀ + … + xᵢ
    """

    kinds = "iuf"

    work = Work(takes=1, takes_back=3)

    axis: int | None = param(default=None, doc="The axis; None takes all elements as one row.")
    dtype: str | None = param(
        default=None, choices=_SUMMED, doc="Type of the sums; the data's when None.", advanced=True
    )

    examples = (
        Example({"a": (2, 3)}),
        Example({"a": (2, 3, 4)}, axis=1),
        Example({"a": (2, 3)}, axis=-1),
        Example({"a": (4,)}, axis=0, dtype="float64", gradient=False),
    )

    @property
    def inputs(self) -> tuple[Port, ...]:
        """One array."""
        return (Port("a"),)

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """The sums are like the data, or one row."""
        data, out = ins[0], outs[0]
        if self.axis is None:
            if len(data) == 1:
                data = merge(data, out, "a")
            return (data,), (merge((element_count(data),), out),)
        alike = merge(data, out, "a")
        if alike:
            normalize_axis(self.axis, len(alike))
        return (alike,), (alike,)

    def infer_types(self, ins: Types, outs: Types) -> tuple[Types, Types]:
        """The sums have the named type, or the data's."""
        return super().infer_types(ins, outs) if self.dtype is None else (ins, (named_type(self.dtype),))

    def add_gradient(self, index: int, fresh: Array, holder: Array) -> Step:
        """MXNet writes over what the buffer held."""
        return partial(np.copyto, holder, fresh)

    def _in_axis(self, array: Array) -> tuple[Array, int]:
        """Return the array as it is summed, and the axis."""
        return (array.reshape(-1), 0) if self.axis is None else (array, self.axis)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""

        def run() -> None:
            data, axis = self._in_axis(ins[0])
            np.cumsum(data, axis, outs[0].dtype, outs[0])

        return run

    def gradient_reads(self, index: int) -> Reads:
        """The gradient reads the incoming one alone."""
        return Reads()

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients."""

        def step(grad: Array) -> None:
            head, axis = self._in_axis(flow.head)
            backwards = np.flip(np.cumsum(np.flip(head, axis), axis, grad.dtype), axis)
            np.copyto(grad, backwards.reshape(grad.shape))

        return [partial(step, grad) for _, grad in flow.wanted]

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        return f"sums of {heads[0]} from each place to the end"

    def summary(self) -> str:
        """The axis."""
        return "all" if self.axis is None else f"axis {self.axis}"

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        kind = f"np.{self.dtype}" if self.dtype else f"{n.ins[0]}.dtype"
        return [f"{n.outs[0]} = np.cumsum({n.ins[0]}, {self.axis}, {kind})"]

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line."""
        row, axis = (".reshape(-1)", 0) if self.axis is None else ("", self.axis)
        kind = f"torch.{self.dtype}" if self.dtype else f"{n.ins[0]}.dtype"
        return [f"{n.outs[0]} = torch.cumsum({n.ins[0]}{row}, {axis}, dtype={kind})"]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """One line."""
        axis = 0 if self.axis is None else self.axis
        backwards = f"np.flip(np.cumsum(np.flip({n.heads[0]}, {axis}), {axis}, {n.ins[0]}.dtype), {axis})"
        shaped = f"{backwards}.reshape({n.in_shapes[0]})" if self.axis is None else backwards
        return gradient_lines(n, [shaped])


@operator(name="_histogram", category="Reduction")
class Histogram(Prepared):
    """Count how many elements lie between each two neighbouring edges; the last interval holds both of its own.

    The second value is the edges.
    """

    kinds = "iuf"

    work = Work(takes=1.8)

    bin_cnt: int | None = param(default=None, doc="How many intervals; None takes the edges as an input.")
    range: tuple[float, ...] | None = param(default=None, doc="First and last edge of equal intervals.")

    examples = (
        Example({"data": (4, 5), "bins": (3,)}, domains={"bins": Domain(1, 1, whole=True)}),
        Example({"data": (4, 5)}, bin_cnt=3, range=(-1.0, 1.5)),
    )

    @property
    def inputs(self) -> tuple[Port, ...]:
        """Data, and the edges unless they are worked out."""
        return (Port("data"), Port("bins"))[: 2 if self.bin_cnt is None else 1]

    @property
    def outputs(self) -> tuple[str, ...]:
        """Counts and edges."""
        return "output0", "output1"

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """There is one edge more than there are intervals."""
        if (self.bin_cnt is None) != (self.range is None):
            raise ShapeError("bin_cnt and range go together: set both, or neither and hand in the edges.")
        if self.bin_cnt is not None and self.range is not None:
            if self.bin_cnt < 1 or len(self.range) != 2 or self.range[0] > self.range[1]:
                raise ShapeError("bin_cnt must be at least 1, and range two numbers, the smaller one first.")
            count = self.bin_cnt
            return ins, (merge((count,), outs[0]), merge((count + 1,), outs[1]))
        counts, edges = merge((0,), outs[0]), merge(merge((0,), ins[1], "bins"), outs[1])
        if edges == (1,):
            raise ShapeError("one edge bounds no interval; at least 2 are needed.", port="bins")
        edges = merge(edges, (counts[0] + 1,) if counts[0] else UNKNOWN, "bins")
        return (ins[0], edges), (merge((max(edges[0] - 1, 0),), counts), edges)

    def infer_types(self, ins: Types, outs: Types) -> tuple[Types, Types]:
        """Counts are whole numbers; edges have the data's type."""
        alike, (kind,) = super().infer_types(ins, outs[1:])
        return alike, (np.dtype(np.int64), kind)

    def gradient_kind(self, index: int) -> GradientKind:
        """Counts do not move."""
        return "zero"

    def scratch(self, ins: Shapes, outs: Shapes, *, gradients: bool) -> WorkSpace:
        """Count by the data."""
        return self.work.beside(element_count(ins[0]) + 4 * element_count(outs[1]), gradients=gradients)

    def _bounds(self) -> tuple[float, float] | None:
        if self.range is None:
            return None
        low, high = self.range
        return (low - 0.5, high + 0.5) if low == high else (low, high)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write both values."""
        bounds, (counts, edges) = self._bounds(), outs
        if bounds is not None:
            np.copyto(edges, np.linspace(*bounds, edges.size), casting="unsafe")
            given = edges.copy()
        else:
            given = ins[1]

        def run() -> None:
            np.copyto(edges, given)
            low, high = bounds or (given[0], given[-1])
            inside = ins[0][(ins[0] >= low) & (ins[0] <= high)]
            places = np.searchsorted(edges, inside, "right") - 1
            counts[...] = np.bincount(places.clip(0, counts.size - 1), minlength=counts.size)

        return run

    def summary(self) -> str:
        """How many intervals, and from where to where."""
        bounds = self._bounds()
        return "" if bounds is None else f"{self.bin_cnt} · {bounds[0]:g} … {bounds[1]:g}"

    def numpy_code(self, n: CodeNames) -> list[str]:
        """Work out the edges, and count what lies between the first and the last."""
        (counts, edges), data, bounds = n.outs, n.ins[0], self._bounds()
        if bounds is None:
            return [f"{counts} = np.histogram({data}, {n.ins[1]})[0]", f"{edges} = {n.ins[1]}"]
        low, high = map(number, bounds)
        inside = f"{data}[({data} >= {low}) & ({data} <= {high})]"
        return [
            f"{edges} = np.linspace({low}, {high}, {n.out_shapes[1][0]}).astype({data}.dtype)",
            f"{counts} = np.histogram({inside}, {edges})[0]",
        ]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """Zeros."""
        return gradient_lines(n, ["", ""])

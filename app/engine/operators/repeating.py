"""An array repeated: broadcast_to, broadcast_axis, broadcast_like, tile and repeat."""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from app.engine.errors import ShapeError
from app.engine.examples import Example
from app.engine.kernels.reduction import sum_axes
from app.engine.kernels.steps import Step, copy, in_order, reading, writing
from app.engine.operator import Arrays, CodeNames, GradientKind, Port, Reads, Types, operator, refuse
from app.engine.operators.prepared import Flow, Prepared, gradient_lines
from app.engine.params import param
from app.engine.shapes import Inferred, Shape, Shapes, element_count, is_known, merge, normalize_axis, text


class Repeated(Prepared):
    """The elements of the data, each several times.

    With the right axes of size 1 put in, the data broadcasts to the value's elements: that is the layout.
    """

    only_moves = True

    def layout(self, data: Shape, out: Shape) -> tuple[Shape, Shape]:
        """Return the data's and the value's shape with as many axes, of which some are of size 1 in the data."""
        raise NotImplementedError(self.op_name)

    def gradient_kind(self, index: int) -> GradientKind:
        """Only the data has a gradient; of another input only the shape counts."""
        return "value" if index == 0 else "zero"

    def gradient_reads(self, index: int) -> Reads:
        """The gradient is the incoming one, summed."""
        return Reads(heads=index == 0)

    def infer_types(self, ins: Types, outs: Types) -> tuple[Types, Types]:
        """The value has the data's type."""
        (data,), (out,) = super().infer_types(ins[:1], outs)
        return (data, *(other or data for other in ins[1:])), (out,)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        narrow, wide = self.layout(ins[0].shape, outs[0].shape)
        data, before = reading(ins[0], narrow)
        return in_order([*before, partial(np.copyto, outs[0].reshape(wide), data)])

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients."""
        steps: list[Step] = []
        for _, grad in flow.wanted:
            narrow, wide = self.layout(grad.shape, flow.head.shape)
            axes = _spread(narrow, wide)
            out, after = writing(grad, narrow)
            head = flow.head.reshape(wide)
            steps += [sum_axes(head, axes, out) if axes else copy(head, out), *after]
        return steps

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        return f"{heads[0]} summed over the repetitions" if index == 0 else ""

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = {self._code(n, 'np.broadcast_to({}, {})')}"]

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = {self._code(n, '{}.expand({})')}"]

    def _code(self, n: CodeNames, broadcast: str) -> str:
        narrow, wide = self.layout(n.in_shapes[0], n.out_shapes[0])
        data = n.ins[0] if narrow == n.in_shapes[0] else f"{n.ins[0]}.reshape({narrow})"
        code = broadcast.format(data, wide)
        return code if wide == n.out_shapes[0] else f"{code}.reshape({n.out_shapes[0]})"

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """One line."""
        narrow, wide = self.layout(n.in_shapes[0], n.out_shapes[0])
        head = str(n.heads[0]) if wide == n.out_shapes[0] else f"{n.heads[0]}.reshape({wide})"
        code = f"{head}.sum(axis={_spread(narrow, wide)}).reshape({n.in_shapes[0]})"
        return gradient_lines(n, [code, *[""] * (len(n.ins) - 1)])


def _spread(narrow: Shape, wide: Shape) -> tuple[int, ...]:
    return tuple(axis for axis, size in enumerate(narrow) if size != wide[axis])


def _stretched(size: int, wanted: int, axis: int, data: Shape) -> int:
    """Return the size after repeating an axis; only size 1 can be repeated."""
    if size > 1 and wanted not in (0, size):
        raise ShapeError(
            f"axis {axis} of {text(data)} has size {size}; only size 1 can become {wanted}.", port=None
        )
    return wanted or (size if size > 1 else 0)


def _still_open(axis: int, shape: Shape, wanted: int, port: str) -> ShapeError:
    sizes = f"1 or {wanted}" if wanted else "1"
    words = f"axis {axis} of {text(shape)} is still open: give its size, which must be {sizes}."
    return ShapeError(words, port=port)


class Broadcasting(Repeated):
    """The data with its axes of size 1 repeated."""

    def layout(self, data: Shape, out: Shape) -> tuple[Shape, Shape]:
        """The ranks are equal already."""
        return data, out


@operator(name="broadcast_to", category="Shape")
class BroadcastTo(Broadcasting):
    """Repeat axes of size 1 until the array has the given shape."""

    shape: tuple[int, ...] = param(default=(), low=0, doc="The sizes wanted; 0 keeps a size.")

    examples = (
        Example({"data": (1, 3)}, shape=(2, 3)),
        Example({"data": (2, 1)}, shape=(0, 3)),
        Example({"data": (1,)}, shape=(5,)),
    )

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Take the wanted sizes, and the data's where 0 is wanted."""
        data, out = ins[0], outs[0]
        if not data:
            return ins, outs
        if len(data) != len(self.shape):
            raise ShapeError(f"shape {text(self.shape)} needs as many axes as {text(data)}.")
        pairs = enumerate(zip(data, self.shape, strict=True))
        sizes = tuple(
            _stretched(size, wanted, axis, data) if wanted else size for axis, (size, wanted) in pairs
        )
        return (data,), (merge(sizes, out),)

    def check_known(self, ins: Shapes) -> None:
        """A size is open only where it is kept."""
        for axis, (size, wanted) in enumerate(zip(ins[0], self.shape, strict=False)):
            if wanted and not size:
                raise _still_open(axis, ins[0], wanted, "data")

    def summary(self) -> str:
        """The shape."""
        return text(self.shape)


@operator(name="broadcast_axis", category="Shape", aliases=("broadcast_axes",))
class BroadcastAxis(Broadcasting):
    """Repeat some axes of size 1."""

    axis: tuple[int, ...] = param(default=(), none_is_empty=True, doc="The axes.")
    size: tuple[int, ...] = param(
        default=(), none_is_empty=True, low=1, doc="For each axis, how often it is repeated."
    )

    examples = (
        Example({"data": (1, 3, 1)}, axis=(0, 2), size=(2, 4)),
        Example({"data": (2, 1)}, axis=(1,), size=(3,)),
    )

    def check(self) -> None:
        """Refuse lists of unequal length."""
        refuse(
            len(self.axis) != len(self.size),
            f"axis names {len(self.axis)} axes, but size has {len(self.size)} numbers.",
            port="size",
        )

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Replace the sizes 1, once all sizes of data are known."""
        data, out = ins[0], outs[0]
        if not is_known(data):
            return ins, outs
        sizes = list(data)
        for axis, wanted in zip(self.axis, self.size, strict=True):
            place = normalize_axis(axis, len(data))
            if axis < 0:  # MXNet does not count from the end here
                raise ShapeError(f"axis {axis} must be counted from the front, as {place}.")
            if sizes[place] > 1:
                raise ShapeError(
                    f"axis {place} of {text(data)} has size {sizes[place]}; only size 1 can be repeated."
                )
            sizes[place] = wanted
        return (data,), (merge(tuple(sizes), out),)

    def summary(self) -> str:
        """The axes and their sizes."""
        return ", ".join(f"axis {axis} × {size}" for axis, size in zip(self.axis, self.size, strict=True))


@operator(name="broadcast_like", category="Shape")
class BroadcastLike(Broadcasting):
    """Repeat axes of size 1 until the array has the size of another one."""

    lhs_axes: tuple[int, ...] | None = param(default=None, doc="The left axes repeated; all when empty.")
    rhs_axes: tuple[int, ...] | None = param(
        default=None, doc="For each, the axis of the right array it takes after."
    )

    examples = (
        Example({"lhs": (1, 3), "rhs": (2, 3)}),
        Example({"lhs": (2, 1, 1), "rhs": (9, 3, 4)}, lhs_axes=(1, 2), rhs_axes=(1, 2)),
        Example({"lhs": (1, 3), "rhs": (3, 7)}, lhs_axes=(0,), rhs_axes=(-1,)),
    )

    @property
    def inputs(self) -> tuple[Port, ...]:
        """The array, and the one whose size it takes."""
        return (Port("lhs"), Port("rhs"))

    @property
    def _axes(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The axes of both, which MXNet looks at only where both are named; all when empty."""
        if self.lhs_axes is None or self.rhs_axes is None:
            return (), ()
        return self.lhs_axes, self.rhs_axes

    def check(self) -> None:
        """Refuse lists of unequal length."""
        refuse(
            len(self._axes[0]) != len(self._axes[1]),
            f"lhs_axes {self.lhs_axes} and rhs_axes {self.rhs_axes} must name as many axes.",
            port="rhs_axes",
        )

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Take the sizes of the right array."""
        left, right = ins
        if not left or not right:
            return ins, outs
        sizes = list(left)
        for place, wanted in self._pairs(left, right):
            if self._axes[0] and left[place] > 1:
                raise ShapeError(
                    f"axis {place} of {text(left)} has size {left[place]}; only size 1 can be named.",
                    port="lhs",
                )
            sizes[place] = _stretched(left[place], wanted, place, left)
        return (left, right), (merge(tuple(sizes), outs[0]),)

    def check_known(self, ins: Shapes) -> None:
        """A size is open only where both are, or where size 1 is to become an open one."""
        left, right = ins
        for place, wanted in self._pairs(left, right) if left and right else ():
            if not left[place] and (wanted or self._axes[0]):
                raise _still_open(place, left, wanted, "lhs")
            if left[place] > 1 and not wanted:
                raise ShapeError(f"{text(right)} leaves open what axis {place} becomes.", port="rhs")

    def _pairs(self, left: Shape, right: Shape) -> Iterator[tuple[int, int]]:
        """Yield each axis of the left array that takes after the right one, and the size there."""
        if not self._axes[0] and len(left) != len(right):
            raise ShapeError(
                f"{text(left)} and {text(right)} have different ranks; name the axes.", port="rhs"
            )
        everywhere = range(len(left))
        for axis, other in zip(*(axes or everywhere for axes in self._axes), strict=True):
            place = normalize_axis(axis, len(left), "lhs_axes")
            yield place, right[normalize_axis(other, len(right), "rhs_axes")]


@operator(name="tile", category="Shape")
class Tile(Repeated):
    """Lay the array out several times along each axis."""

    reps: tuple[int, ...] = param(
        none_is_empty=True, low=1, doc="How often along each axis; fewer numbers are for the last axes."
    )

    examples = (
        Example({"data": (2, 3)}, reps=(2, 1)),
        Example({"data": (2, 1, 3)}, reps=(2,)),
        Example({"data": (3,)}, reps=(2, 2)),
    )

    def _aligned(self, data: Shape) -> tuple[Shape, Shape]:
        rank = max(len(data), len(self.reps))
        return (1,) * (rank - len(data)) + data, (1,) * (rank - len(self.reps)) + self.reps

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Multiply the sizes."""
        data, out = ins[0], outs[0]
        if not data:
            return ins, outs
        sizes = tuple(size * times for size, times in zip(*self._aligned(data), strict=True))
        return (data,), (merge(sizes, out),)

    def layout(self, data: Shape, out: Shape) -> tuple[Shape, Shape]:
        """Put an axis for the repetitions before each axis."""
        sizes, times = self._aligned(data)
        narrow = tuple(part for size in sizes for part in (1, size))
        wide = tuple(part for size, often in zip(sizes, times, strict=True) for part in (often, size))
        return narrow, wide

    def summary(self) -> str:
        """The repetitions."""
        return "×".join(str(often) for often in self.reps)


@operator(name="repeat", category="Shape")
class Repeat(Repeated):
    """Repeat every element along one axis."""

    repeats: int = param(low=1, doc="How often.")
    axis: int | None = param(default=None, doc="The axis; None takes all elements as one row.")

    examples = (
        Example({"data": (2, 3)}, repeats=2, axis=-1),
        Example({"data": (2, 3)}, repeats=2),
        Example({"data": (2, 1, 2)}, repeats=3, axis=0),
    )

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Multiply one size, or all elements."""
        data, out = ins[0], outs[0]
        if not data:
            return ins, outs
        if self.axis is None:
            return (data,), (merge((element_count(data) * self.repeats,), out),)
        axis = normalize_axis(self.axis, len(data))
        sizes = (*data[:axis], data[axis] * self.repeats, *data[axis + 1 :])
        return (data,), (merge(sizes, out),)

    def layout(self, data: Shape, out: Shape) -> tuple[Shape, Shape]:
        """Put an axis for the repetitions behind the axis."""
        if self.axis is None:
            return (element_count(data), 1), (element_count(data), self.repeats)
        behind = normalize_axis(self.axis, len(data)) + 1
        return (*data[:behind], 1, *data[behind:]), (*data[:behind], self.repeats, *data[behind:])

    def summary(self) -> str:
        """The repetitions."""
        return f"× {self.repeats}" + ("" if self.axis is None else f" · axis {self.axis}")

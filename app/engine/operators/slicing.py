"""Parts of an array: slice, slice_axis, slice_like, Crop, and the array backwards: reverse."""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from app.engine.errors import ShapeError
from app.engine.examples import Example
from app.engine.kernels.steps import Step, fill, overwrite
from app.engine.operator import (
    Array,
    Arrays,
    CodeNames,
    GradientKind,
    Port,
    Reads,
    Types,
    operator,
    refuse,
)
from app.engine.operators.prepared import Flow, Prepared
from app.engine.params import param
from app.engine.shapes import Inferred, Shape, Shapes, merge, normalize_axis, text

Ranges = tuple[slice, ...]


class Part(Prepared):
    """The elements that one range along each axis takes out of the data."""

    only_moves = True

    def ranges(self, data: Shape, out: Shape) -> Ranges:
        """Return the range along each of the first axes; the others are taken whole."""
        raise NotImplementedError(self.op_name)

    def gradient_kind(self, index: int) -> GradientKind:
        """Only the data has a gradient; of another input only the shape counts."""
        return "value" if index == 0 else "zero"

    def gradient_reads(self, index: int) -> Reads:
        """The gradient is the incoming one."""
        return Reads(heads=index == 0)

    def infer_types(self, ins: Types, outs: Types) -> tuple[Types, Types]:
        """The value has the data's type."""
        (data,), (out,) = super().infer_types(ins[:1], outs)
        return (data, *(other or data for other in ins[1:])), (out,)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        return partial(np.copyto, outs[0], ins[0][self.ranges(ins[0].shape, outs[0].shape)])

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients."""
        steps: list[Step] = []
        for _, grad in flow.wanted:
            part: Array = grad[self.ranges(grad.shape, flow.head.shape)]
            if part.size < grad.size:
                steps.append(fill(grad, 0))
            steps.append(partial(np.copyto, part, flow.head))
        return steps

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        return f"{heads[0]} in its place in {ins[0]}, 0 elsewhere"

    def _index(self, n: CodeNames) -> str:
        ranges = self.ranges(n.in_shapes[0], n.out_shapes[0])
        return ", ".join(_range_code(one) for one in ranges)

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = {n.ins[0]}[{self._index(n)}]"]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """A line for zeros, and one that puts the gradient in its place."""
        lines = [
            f"{g} = np.zeros_like({name})" for g, name in zip(n.grads, n.ins, strict=True) if g is not None
        ]
        if n.grads[0] is not None and n.heads[0] is not None:
            lines.append(f"{n.grads[0]}[{self._index(n)}] = {n.heads[0]}")
        return lines

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line; PyTorch cannot step backwards, so such axes are turned around first."""
        ranges = self.ranges(n.in_shapes[0], n.out_shapes[0])
        turned = tuple(axis for axis, one in enumerate(ranges) if one.step is not None and one.step < 0)
        if not turned:
            return [f"{n.outs[0]} = {n.ins[0]}[{self._index(n)}]"]
        forwards = ", ".join(_forwards(one, size) for one, size in zip(ranges, n.in_shapes[0], strict=False))
        return [f"{n.outs[0]} = {n.ins[0]}.flip({turned})[{forwards}]"]


def _range_code(one: slice) -> str:
    first, last, step = ("" if value is None else str(value) for value in (one.start, one.stop, one.step))
    return f"{first}:{last}:{step}" if step else f"{first}:{last}"


def _forwards(one: slice, size: int) -> str:
    if one.step is None or one.step > 0:
        return _range_code(one)
    places = range(*one.indices(size))
    return f"{size - 1 - places[0]}:{size - places[-1]}:{-one.step}"


def part_size(size: int, one: slice, axis: int, data: Shape) -> int:
    """Return how many elements a range takes of `size`, 0 while that is open; ShapeError when it takes none."""
    if not size:
        return 0
    taken = len(range(*one.indices(size)))
    if not taken:
        raise ShapeError(
            f"nothing is left of axis {axis} of {text(data)} between begin and end.", port="data"
        )
    return taken


@operator(name="slice", category="Shape", aliases=("crop",))
class Slice(Part):
    """Take the elements from begin up to end along each axis."""

    begin: tuple[int | None, ...] = param(doc="The first place along each axis; None is the start.")
    end: tuple[int | None, ...] = param(doc="The place behind the last along each axis; None is the end.")
    step: tuple[int | None, ...] = param(
        default=(), doc="The distance between places; negative goes backwards."
    )

    examples = (
        Example({"data": (4, 5)}, begin=(1,), end=(3,)),
        Example({"data": (4, 5, 3)}, begin=(1, 0), end=(4, 5), step=(2, 3)),
        Example({"data": (4, 5)}, begin=(None, 1), end=(None, -1)),
        Example({"data": (7,)}, begin=(6,), end=(0,), step=(-3,)),
    )

    def check(self) -> None:
        """Refuse lists of unequal length and a step of 0."""
        refuse(
            len(self.begin) != len(self.end),
            f"begin has {len(self.begin)} numbers, but end has {len(self.end)}.",
            port="end",
        )
        refuse(
            bool(self.step) and len(self.step) != len(self.begin),
            f"step has {len(self.step)} numbers, but begin has {len(self.begin)}.",
            port="step",
        )
        refuse(0 in self.step, "step may not be 0.", port="step")

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Count what the ranges take; axes without a range are shared with the value."""
        data, out = ins[0], outs[0]
        if not data:
            return ins, outs
        ranges = self.ranges(data, out)
        if len(ranges) > len(data):
            raise ShapeError(f"begin is for {len(ranges)} axes, but the data has {len(data)}.")
        taken = [
            part_size(size, one, axis, data)
            for axis, (size, one) in enumerate(zip(data, ranges, strict=False))
        ]
        out = merge((*taken, *data[len(taken) :]), out)
        return ((*data[: len(taken)], *out[len(taken) :]),), (out,)

    def ranges(self, data: Shape, out: Shape) -> Ranges:
        """Return the range along each axis."""
        steps = self.step or (None,) * len(self.begin)
        return tuple(slice(*bounds) for bounds in zip(self.begin, self.end, steps, strict=True))

    def summary(self) -> str:
        """The ranges."""
        return ", ".join(_range_code(one) for one in self.ranges((), ()))


@operator(name="slice_axis", category="Shape")
class SliceAxis(Part):
    """Take the elements from begin up to end along one axis."""

    axis: int = param(doc="The axis.")
    begin: int = param(doc="The first place; negative counts from the end.")
    end: int | None = param(doc="The place behind the last; None is the end of the axis.")

    examples = (
        Example({"data": (4, 5)}, axis=0, begin=1, end=3),
        Example({"data": (4, 5, 3)}, axis=-2, begin=1, end=-1),
        Example({"data": (4, 5)}, axis=0, begin=-2, end=None),
    )

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Count what the range takes; the other axes are shared with the value."""
        data, out = ins[0], outs[0]
        if not data:
            return ins, outs
        axis = normalize_axis(self.axis, len(data))
        self._refuse_outside(data[axis])
        taken = part_size(data[axis], slice(self.begin, self.end), axis, data)
        out = merge((*data[:axis], taken, *data[axis + 1 :]), out)
        return ((*out[:axis], data[axis], *out[axis + 1 :]),), (out,)

    def _refuse_outside(self, size: int) -> None:
        """Refuse ends outside the axis, which the operator slice would cut off."""
        if size and (self.begin < -size or (self.end is not None and self.end > size)):
            raise ShapeError(
                f"begin {self.begin} and end {self.end} must lie within an axis of {size}.", port="data"
            )

    def ranges(self, data: Shape, out: Shape) -> Ranges:
        """Return the range along the axis."""
        whole = (slice(None),) * normalize_axis(self.axis, len(data))
        return (*whole, slice(self.begin, self.end))

    def summary(self) -> str:
        """The axis and the range."""
        return f"axis {self.axis} · {_range_code(slice(self.begin, self.end))}"


@operator(name="slice_like", category="Shape")
class SliceLike(Part):
    """Cut the array down to the size of another one."""

    axes: tuple[int, ...] | None = param(
        default=(), doc="The axes that are cut; all when empty, none at None."
    )

    examples = (
        Example({"data": (4, 5), "shape_like": (2, 3)}),
        Example({"data": (4, 5), "shape_like": (2, 6, 3)}, axes=None),
        Example({"data": (2, 3, 4), "shape_like": (1, 7, 2)}, axes=(-1,)),
    )

    @property
    def inputs(self) -> tuple[Port, ...]:
        """The array, and the one whose size it takes."""
        return (Port("data"), Port("shape_like"))

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Take the sizes of the other array along the cut axes."""
        data, like = ins
        if not data or not like:
            return ins, outs
        sizes = list(data)
        for place, wanted in self._cuts(data, like):
            if data[place] and wanted > data[place]:
                raise ShapeError(f"axis {place} of {text(data)} is shorter than {wanted}.", port="shape_like")
            sizes[place] = wanted
        return (data, like), (merge(tuple(sizes), outs[0]),)

    def check_known(self, ins: Shapes) -> None:
        """An axis that is cut to a known size must have one itself."""
        data, like = ins
        for place, wanted in self._cuts(data, like) if data and like else ():
            if wanted and not data[place]:
                raise ShapeError(
                    f"axis {place} of {text(data)} is still open: give its size, which must be at least {wanted}.",
                    port="data",
                )

    def _cuts(self, data: Shape, like: Shape) -> Iterator[tuple[int, int]]:
        """Yield each axis that is cut, and the size there of the other array."""
        if self.axes == () and len(data) != len(like):
            raise ShapeError(
                f"{text(data)} and {text(like)} have different ranks; name the axes.", port="shape_like"
            )
        for axis in range(len(data)) if self.axes == () else self.axes or ():
            # A negative axis counts from the end of the data; MXNet takes that place in the other array too.
            place = normalize_axis(axis, len(data))
            yield place, like[normalize_axis(place, len(like))]

    def ranges(self, data: Shape, out: Shape) -> Ranges:
        """Return the range along each axis."""
        return tuple(slice(0, size) for size in out)


@operator(category="Shape")
class Crop(Part):
    """Cut rows and columns out of a picture, to a given size or to that of a second picture."""

    num_args: int = param(low=1, high=2, doc="2 takes height and width from a second picture.")
    offset: tuple[int, ...] = param(default=(0, 0), low=0, doc="The first row and the first column.")
    h_w: tuple[int, ...] = param(default=(0, 0), low=0, doc="Height and width, without a second picture.")
    center_crop: bool = param(default=False, doc="Cut out the middle, whatever offset says.")

    variadic = "num_args"
    examples = (
        Example({"arg0": (1, 2, 5, 6)}, num_args=1, h_w=(2, 3), offset=(1, 2)),
        Example({"arg0": (1, 2, 5, 6), "arg1": (1, 3, 3, 4)}, num_args=2, center_crop=True),
        Example({"arg0": (1, 2, 5, 6), "arg1": (1, 3, 3, 4)}, num_args=2),
    )

    def add_gradient(self, index: int, fresh: Array, holder: Array) -> Step:
        """MXNet writes over what the buffer held."""
        return overwrite(fresh, holder)

    def gradient_kind(self, index: int) -> GradientKind:
        """Of the second picture only the size counts."""
        return "value" if index == 0 else "cleared"

    @property
    def inputs(self) -> tuple[Port, ...]:
        """The picture, and perhaps the one whose size it takes."""
        return tuple(Port(f"arg{index}") for index in range(self.num_args))

    def check(self) -> None:
        """Refuse settings that are no pairs."""
        for name, value in (("offset", self.offset), ("h_w", self.h_w)):
            refuse(len(value) != 2, f"{name} is {value}, but it must be two numbers.", port=name)

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Take height and width from the settings or the second picture, all else from the first."""
        data = ins[0]
        if not data or not ins[-1]:
            return ins, outs
        for port, shape in zip(self.inputs, ins, strict=True):
            if len(shape) != 4:
                raise ShapeError(f"{text(shape)} is no picture: 4 axes are needed.", port=port.name)
        sides = self.h_w if self.num_args == 1 else ins[1][2:]
        starts = (0, 0) if self.center_crop else self.offset
        for size, start, side in zip(data[2:], starts, sides, strict=True):
            if size and side and start + side > size:
                raise ShapeError(f"{text(data)} is too small to cut out {text(tuple(sides))}.", port="arg0")
        out = merge((*data[:2], *sides), outs[0])
        return ((*out[:2], *data[2:]), *ins[1:]), (out,)

    def ranges(self, data: Shape, out: Shape) -> Ranges:
        """Return the range along each axis."""
        starts = self.offset
        if self.center_crop:
            starts = tuple((size - side) // 2 for size, side in zip(data[2:], out[2:], strict=True))
        sides = (slice(start, start + side) for start, side in zip(starts, out[2:], strict=True))
        return (slice(None), slice(None), *sides)

    def summary(self) -> str:
        """The size, and where it is cut."""
        where = "middle" if self.center_crop else f"from {self.offset[0]}, {self.offset[1]}"
        return where if self.num_args == 2 else f"{self.h_w[0]}×{self.h_w[1]} · {where}"


@operator(name="reverse", category="Shape", aliases=("flip",))
class Reverse(Part):
    """Turn the array around along some axes."""

    axis: tuple[int, ...] = param(doc="The axes.")

    examples = (Example({"data": (2, 3, 4)}, axis=(1,)), Example({"data": (2, 3, 4)}, axis=(0, -1)))

    def add_gradient(self, index: int, fresh: Array, holder: Array) -> Step:
        """MXNet writes over what the buffer held."""
        return overwrite(fresh, holder)

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Data and value are alike."""
        if ins[0]:
            self.ranges(ins[0], ins[0])
        return super(Part, self).infer(ins, outs)

    def ranges(self, data: Shape, out: Shape) -> Ranges:
        """Return the range along each axis."""
        times = Counter(normalize_axis(axis, len(data)) for axis in self.axis)  # turned twice is not turned
        return tuple(slice(None, None, -1 if times[axis] % 2 else None) for axis in range(len(data)))

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        return f"{heads[0]} turned around"

    def summary(self) -> str:
        """The axes."""
        return "axis " + ", ".join(str(axis) for axis in self.axis)

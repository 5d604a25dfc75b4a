"""The same elements in the same order, most in another shape: Flatten, Reshape, expand_dims, squeeze, reshape_like.

Those in the same shape matter to MXNet alone: cast_storage, _CrossDeviceCopy, _identity_with_attr_like_rhs.
"""

from collections.abc import Sequence
from math import prod

from app.engine.errors import ShapeError
from app.engine.examples import Example
from app.engine.kernels.steps import Step, copy
from app.engine.operator import Arrays, CodeNames, GradientKind, Port, Reads, Types, operator, refuse
from app.engine.operators.element_types import STORAGE
from app.engine.operators.prepared import Flow, Prepared, gradient_lines
from app.engine.operators.reshape_codes import reshaped, reshaped_the_old_way
from app.engine.params import param
from app.engine.shapes import Inferred, Shape, Shapes, element_count, is_known, merge, normalize_axis, text
from app.engine.split import Split


class SameElements(Prepared):
    """The same elements in the same order in another shape."""

    only_moves = True

    hands_on = True

    @property
    def inplace(self) -> tuple[tuple[int, int], ...]:
        """The value may be the data's memory."""
        return ((0, 0),)

    @property
    def inplace_backward(self) -> tuple[tuple[int, int], ...]:
        """The gradient may be the incoming one's memory."""
        return ((0, 0),)

    def splits(self, ins: Shapes, outs: Shapes) -> Sequence[Split]:
        """The first half of the elements is the first half of both shapes, where both can be cut in the middle."""
        even = ins[0] == outs[0] or (ins[0][0] % 2 == 0 and outs[0][0] % 2 == 0)
        return [Split((0,), (0,), pace=0.0)] if even and len(ins) == 1 else ()

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        return copy(ins[0], outs[0])

    def gradient_reads(self, index: int) -> Reads:
        """The gradient is the incoming one."""
        return Reads()

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients."""
        return [copy(flow.head, grad) for _, grad in flow.wanted]

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        return f"{heads[0]} in the shape of {ins[0]}"

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = {n.ins[0]}.reshape({n.out_shapes[0]})"]

    torch_code = numpy_code

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return gradient_lines(n, [f"{n.heads[0]}.reshape({n.in_shapes[0]})"])


@operator(category="Shape", aliases=("flatten",))
class Flatten(SameElements):
    """Make one row of everything after the first axis."""

    examples = (Example({"data": (2, 3, 4)}), Example({"data": (5,)}), Example({"data": (2, 3)}))

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Multiply the sizes after the first; the first axis is shared with the value."""
        data, out = ins[0], outs[0]
        if not data:
            return (data,), (out,)
        out = merge((data[0], prod(data[1:])), out)
        return ((out[0], *_last_missing(data[1:], out[1])),), (out,)


@operator(category="Shape", aliases=("reshape",))
class Reshape(SameElements):
    """Give the same elements another shape.

    Codes: 0 keeps a size, -1 takes what is left, -2 keeps all remaining sizes, -3 joins two axes, -4 splits an axis
    into the next two sizes.
    """

    shape: tuple[int, ...] = param(default=(), doc="The new sizes, or the codes 0, -1, -2, -3 and -4.")
    reverse: bool = param(default=False, doc="Match sizes and codes from the last axis on.")
    target_shape: tuple[int, ...] = param(
        default=(),
        none_is_empty=True,
        doc="The new sizes as oldest files give them; 0 is the open one.",
        advanced=True,
    )
    keep_highest: bool = param(
        default=False, doc="Keep the first size whatever target_shape says.", advanced=True
    )

    examples = (
        Example({"data": (2, 3, 4)}, shape=(4, 6)),
        Example({"data": (2, 3, 4)}, shape=(0, -1)),
        Example({"data": (2, 3, 4)}, shape=(-3, -2)),
        Example({"data": (2, 6, 4)}, shape=(0, -4, -1, 2, 0)),
        Example({"data": (2, 3, 4)}, shape=(-1, 0), reverse=True),
        Example({"data": (2, 2, 3)}, target_shape=(0, 6)),
        Example({"data": (2, 2, 3)}, target_shape=(0, 0), keep_highest=True),
    )

    def check(self) -> None:
        """Refuse unknown codes."""
        refuse(any(size < -4 for size in self.shape), "shape knows the codes 0 to -4 only.", port="shape")

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Follow the codes; an open size of the data follows from the value where the codes allow."""
        data, out = ins[0], outs[0]
        if not data:
            return (data,), (merge(self._named(), out) if self._named() else out,)
        if not self.shape and not self.target_shape:
            raise ShapeError("shape is not set. Give the new sizes, for example (0, -1).")
        if self.shape:
            found = reshaped(data, self.shape, reverse=self.reverse)
        else:
            found = reshaped_the_old_way(data, self.target_shape, keep_highest=self.keep_highest)
        out = merge(found, out)
        if is_known(out):
            data = _last_missing(data, element_count(out))
        return (data,), (out,)

    def makes_sense(self, ins: Shapes, outs: Shapes) -> bool:
        """As many elements go out as come in."""
        known = is_known(ins[0]) and is_known(outs[0])
        return not known or element_count(ins[0]) == element_count(outs[0])

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value. MXNet's inference lets sizes pass that do not fit the data; only running refuses them."""
        _refuse_other_size(ins[0].shape, outs[0].shape, advice=self._fitting(ins[0].shape))
        return super().forward_step(ins, outs)

    def _fitting(self, data: Shape) -> str:
        """Say with which of the new sizes left open the elements would fit, the last one that can."""
        for place in reversed(range(len(self.shape))):
            opened = (*self.shape[:place], -1, *self.shape[place + 1 :])
            try:
                out = reshaped(data, opened, reverse=self.reverse)
            except ShapeError:
                continue
            if element_count(out) == element_count(data):
                return f" Set shape to {opened}, which has -1 for what is left."
        return ""

    def _named(self) -> Shape:
        """Return the sizes that are known without the data."""
        plain = self.shape and all(size >= -1 for size in self.shape)
        return tuple(max(size, 0) for size in self.shape) if plain else ()

    def summary(self) -> str:
        """The new sizes."""
        return ", ".join(str(size) for size in self.shape or self.target_shape)


def _axis_range(begin: int | None, end: int | None, rank: int, side: str) -> tuple[int, int]:
    """Return the first axis and the one behind the last; ShapeError where they are no part of the axes."""
    first, last = begin or 0, rank if end is None else end
    first, last = first + rank * (first < 0), last + rank * (last < 0)
    if not 0 <= first < last <= rank:
        raise ShapeError(
            f"{side}_begin {begin} and {side}_end {end} name no range of {rank} axes.", port=side
        )
    return first, last


def _refuse_other_size(data: Shape, out: Shape, *, port: str = "data", advice: str = "") -> None:
    has, takes = element_count(data), element_count(out)
    if has != takes:
        raise ShapeError(
            f"{text(data)} has {has} elements, but {text(out)} takes {takes}.{advice}", port=port
        )


def _last_missing(sizes: Shape, count: int) -> Shape:
    """Fill in the one open size so that all multiply to `count`."""
    known = prod(size for size in sizes if size)
    if sizes.count(0) != 1 or not count or count % known:
        return sizes
    return tuple(size or count // known for size in sizes)


@operator(name="expand_dims", category="Shape")
class ExpandDims(SameElements):
    """Insert an axis of size 1."""

    axis: int = param(doc="Where the new axis stands in the value.")

    examples = (
        Example({"data": (2, 3)}, axis=0),
        Example({"data": (2, 3)}, axis=2),
        Example({"data": (2, 3)}, axis=-2),
    )

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Insert a size, or drop it on the way back."""
        data, out = ins[0], outs[0]
        rank = len(data) or len(out) - 1
        if rank < 1:
            return (data,), (out,)
        axis = normalize_axis(self.axis, rank + 1)
        data = merge(data, out[:axis] + out[axis + 1 :])
        return (data,), (merge((*data[:axis], 1, *data[axis:]), out),)

    def summary(self) -> str:
        """The axis."""
        return f"axis {self.axis}"


@operator(name="squeeze", category="Shape")
class Squeeze(SameElements):
    """Drop axes of size 1."""

    axis: tuple[int, ...] | None = param(default=None, doc="The axes to drop; all of size 1 when empty.")

    examples = (
        Example({"data": (1, 2, 1, 3)}),
        Example({"data": (1, 2, 1, 3)}, axis=(0, 2)),
        Example({"data": (1, 2, 1, 3)}, axis=(-2,)),
        Example({"data": (1, 1)}),
    )

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Leave the axes out, once all sizes of data are known."""
        data, out = ins[0], outs[0]
        if not is_known(data):
            return ins, outs
        dropped = self._dropped(data)
        kept = tuple(size for axis, size in enumerate(data) if axis not in dropped)
        return ins, (merge(kept or (1,), out),)

    def _dropped(self, data: Shape) -> set[int]:
        if self.axis is None:
            return {axis for axis, size in enumerate(data) if size == 1}
        dropped = {normalize_axis(axis, len(data)) for axis in self.axis}
        if len(dropped) < len(self.axis):
            raise ShapeError(f"axis {self.axis} names one axis twice.", port="data")
        for axis in dropped:
            if data[axis] > 1:
                raise ShapeError(
                    f"axis {axis} of {text(data)} has size {data[axis]}; only size 1 can be dropped."
                )
        return dropped

    def summary(self) -> str:
        """The axes."""
        return f"axis {', '.join(str(axis) for axis in self.axis)}" if self.axis else ""


@operator(name="reshape_like", category="Shape")
class ReshapeLike(SameElements):
    """Give the left array the shape of the right one, or some of its axes the shape of some of the right one's."""

    lhs_begin: int | None = param(default=None, doc="First axis of the left array that is replaced.")
    lhs_end: int | None = param(default=None, doc="The axis behind the last one replaced.")
    rhs_begin: int | None = param(default=None, doc="First axis of the right array that is taken.")
    rhs_end: int | None = param(default=None, doc="The axis behind the last one taken.")

    examples = (
        Example({"lhs": (2, 6), "rhs": (3, 4)}),
        Example({"lhs": (30, 7), "rhs": (15, 2, 4)}, lhs_begin=0, lhs_end=1, rhs_begin=0, rhs_end=2),
        Example({"lhs": (4, 6), "rhs": (5, 2, 3)}, lhs_begin=-1, rhs_begin=1),
    )

    @property
    def inputs(self) -> tuple[Port, ...]:
        """The array, and the one whose shape it takes."""
        return (Port("lhs"), Port("rhs"))

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Put the taken sizes in the place of the replaced ones."""
        left, right = ins
        if not left or not right:
            return ins, outs
        first, last = _axis_range(self.lhs_begin, self.lhs_end, len(left), "lhs")
        begin, end = _axis_range(self.rhs_begin, self.rhs_end, len(right), "rhs")
        taken = right[begin:end]
        out = merge((*left[:first], *taken, *left[last:]), outs[0])
        if is_known(left) and is_known(out):
            _refuse_other_size(left, out, port="lhs")
        return (left, right), (out,)

    def infer_types(self, ins: Types, outs: Types) -> tuple[Types, Types]:
        """The value has the left type; only the shape of the right array counts."""
        (left,), (out,) = super().infer_types(ins[:1], outs)
        return (left, ins[1] or left), (out,)

    def gradient_kind(self, index: int) -> GradientKind:
        """Only the left array has a gradient."""
        return "value" if index == 0 else "zero"


class SameShape(SameElements):
    """The very same array: same elements, same shape."""

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """All arrays are alike."""
        return super(SameElements, self).infer(ins, outs)

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        return heads[0]

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = {n.ins[0]}"]

    torch_code = numpy_code

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """One line for each wanted gradient."""
        return gradient_lines(n, [str(n.heads[0]), ""])


@operator(name="cast_storage", category="Shape")
class CastStorage(SameShape):
    """Hand the array through: MXNet stores it in another way, which changes none of its numbers."""

    stype: str = param(choices=STORAGE, doc="How MXNet stores the value; no matter here.")

    examples = (Example({"data": (2, 3)}, stype="row_sparse"),)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value. MXNet stores only two axes by their rows, and refuses others when run."""
        if self.stype == "csr" and ins[0].ndim != 2:
            raise ShapeError(f"stype csr needs two axes, but {text(ins[0].shape)} has others.", port="data")
        return super().forward_step(ins, outs)

    def summary(self) -> str:
        """How it is stored."""
        return self.stype


@operator(name="_CrossDeviceCopy", category="Shape")
class CrossDeviceCopy(SameShape):
    """Hand the array through: MXNet copies it to another device here."""

    examples = (Example({"data": (2, 3)}),)


@operator(name="_identity_with_attr_like_rhs", category="Shape")
class IdentityLike(SameShape):
    """Hand the left array through, which has the shape and type of the right one."""

    examples = (Example({"lhs": (2, 3)}),)

    @property
    def inputs(self) -> tuple[Port, ...]:
        """The array, and the one that it is like."""
        return (Port("lhs"), Port("rhs"))

    def gradient_kind(self, index: int) -> GradientKind:
        """Only the left array has a gradient."""
        return "value" if index == 0 else "zero"

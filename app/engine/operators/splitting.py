"""Arrays cut apart along an axis: SliceChannel into equal parts, _split_v2 at given places."""

from collections.abc import Sequence
from functools import partial
from itertools import accumulate
from typing import Literal

import attrs
import numpy as np

from app.engine.errors import ShapeError
from app.engine.examples import Example
from app.engine.kernels.steps import Step, fill, in_order, overwrite
from app.engine.operator import Array, Arrays, CodeNames, Reads, operator, refuse
from app.engine.operators.parts import cut, with_size
from app.engine.operators.prepared import Flow, Prepared, gradient_lines
from app.engine.params import param
from app.engine.shapes import Inferred, Shape, Shapes, merge, normalize_axis
from app.engine.split import Split


@attrs.frozen
class Parting(Prepared):
    """Consecutive parts of an array along one axis, which may be dropped where every part has size 1."""

    only_moves = True

    axis: int
    squeeze_axis: bool

    @property
    def count(self) -> int:
        """How many parts there are."""
        raise NotImplementedError(self.op_name)

    def sizes(self, whole: int, axis: int) -> Sequence[int]:
        """Return the sizes of the parts of a whole of this size; ShapeError where it does not come out."""
        raise NotImplementedError(self.op_name)

    def whole(self, sizes: Sequence[int]) -> int:
        """Return the size of the whole from what is known of its parts, 0 while that is too little."""
        raise NotImplementedError(self.op_name)

    @property
    def outputs(self) -> tuple[str, ...]:
        """One for each part."""
        return tuple(f"output{index}" for index in range(self.count))

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Divide the axis, in either direction."""
        data = ins[0]
        if not any((data, *outs)):
            return ins, outs
        rank = len(data) or max(map(len, outs)) + self.squeeze_axis
        axis = normalize_axis(self.axis, rank)
        wide = [self._widened(shape, axis, rank) for shape in outs]
        for shape in wide:
            data = merge(data, with_size(shape, axis, 0))
        known = [shape[axis] if shape else 0 for shape in wide]
        whole = data[axis] or (self.count if self.squeeze_axis else self.whole(known))
        sizes = self.sizes(whole, axis) if whole else (0,) * self.count
        if self.squeeze_axis and set(sizes) != {1}:
            raise ShapeError(
                f"squeeze_axis needs parts of size 1, but {whole} in {self.count} parts makes {max(sizes)}.",
                port="data",
            )
        data = with_size(data, axis, whole)
        parts = tuple(
            merge(self._narrowed(with_size(data, axis, size), axis), out)
            for size, out in zip(sizes, outs, strict=True)
        )
        return (data,), parts

    def _narrowed(self, shape: Shape, axis: int) -> Shape:
        return (shape[:axis] + shape[axis + 1 :]) or (1,) if self.squeeze_axis else shape

    def _widened(self, shape: Shape, axis: int, rank: int) -> Shape:
        """Give a part back the axis that was dropped; one number alone has none to give back."""
        if not self.squeeze_axis or not shape:
            return shape
        return (*shape[:axis], 1, *shape[axis:]) if rank > 1 else (1,)

    def splits(self, ins: Shapes, outs: Shapes) -> Sequence[Split]:
        """Every axis but the one that is cut; in the parts those behind it move up where it is dropped."""
        cut_axis = self.axis % len(ins[0])
        axes = [axis for axis in range(len(ins[0])) if axis != cut_axis]
        return [
            Split((axis,), (axis - (self.squeeze_axis and axis > cut_axis),) * self.count) for axis in axes
        ]

    def _parts(self, array: Array) -> list[Array]:
        axis = self.axis % array.ndim
        return cut(array, axis, self.sizes(array.shape[axis], axis))

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the values."""
        pairs = zip(outs, self._parts(ins[0]), strict=True)
        return in_order([partial(np.copyto, out.reshape(view.shape), view) for out, view in pairs])

    def gradient_reads(self, index: int) -> Reads:
        """The gradient is made of the incoming ones."""
        return Reads()

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients; a part into which nothing flows gets zeros."""
        return [
            fill(view, 0) if head is None else partial(np.copyto, view, head.reshape(view.shape))
            for _, grad in flow.wanted
            for view, head in zip(self._parts(grad), flow.heads, strict=True)
        ]

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        return f"{', '.join(heads)} joined along axis {self.axis}"

    def summary(self) -> str:
        """The number of parts and the axis."""
        return f"{self.count} parts · axis {self.axis}"

    def _sizes_of(self, n: CodeNames) -> list[int]:
        axis = self.axis % len(n.in_shapes[0])
        return list(self.sizes(n.in_shapes[0][axis], axis))

    def _code(self, n: CodeNames, parts: str) -> list[str]:
        if self.squeeze_axis:
            parts = f"(part.squeeze({self.axis}) for part in {parts})"
        return [f"{', '.join(n.outs)}{',' if len(n.outs) == 1 else ''} = {parts}"]

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        sizes = self._sizes_of(n)
        places = str([*accumulate(sizes)][:-1]) if len(set(sizes)) > 1 else str(self.count)
        return self._code(n, f"np.split({n.ins[0]}, {places}, axis={self.axis})")

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line."""
        sizes = self._sizes_of(n)
        each = str(sizes) if len(set(sizes)) > 1 else str(sizes[0])
        return self._code(n, f"torch.split({n.ins[0]}, {each}, dim={self.axis})")

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """One line."""
        parts = [head or f"np.zeros_like({out})" for head, out in zip(n.heads, n.outs, strict=True)]
        join = "stack" if self.squeeze_axis else "concatenate"
        return gradient_lines(n, [f"np.{join}([{', '.join(parts)}], axis={self.axis})"])


@operator(category="Shape", aliases=("split",))
class SliceChannel(Parting):
    """Cut an array into equal parts along one axis."""

    num_outputs: int = param(low=1, doc="How many parts.")
    axis: int = param(default=1, doc="The axis that is cut.")
    squeeze_axis: bool = param(default=False, doc="Drop the axis, where every part has size 1 along it.")

    examples = (
        Example({"data": (2, 6, 2)}, num_outputs=3),
        Example({"data": (2, 3, 2)}, num_outputs=2, axis=-1, squeeze_axis=True),
        Example({"data": (4, 3)}, num_outputs=2, axis=0),
        Example({"data": (2, 3)}, num_outputs=1),
    )

    @property
    def count(self) -> int:
        """How many parts there are."""
        return self.num_outputs

    def sizes(self, whole: int, axis: int) -> Sequence[int]:
        """Divide the whole."""
        size, rest = divmod(whole, self.num_outputs)
        if rest:
            raise ShapeError(
                f"{whole} along axis {axis} does not divide into {self.num_outputs} parts.", port="data"
            )
        return (size,) * self.num_outputs

    def whole(self, sizes: Sequence[int]) -> int:
        """Any part tells."""
        return max(sizes) * self.num_outputs

    def because(self, side: Literal["in", "out"], index: int, axis: int, ins: Shapes, outs: Shapes) -> str:
        """Write the division that makes the size of a part."""
        cut_here = not self.squeeze_axis and axis == self.axis % len(ins[0])
        return f"{ins[0][axis]} in {self.num_outputs} parts" if side == "out" and cut_here else ""


@operator(name="_split_v2", category="Shape")
class SplitAt(Parting):
    """Cut an array along one axis at given places, or into parts as equal as can be."""

    kinds = "iuf"

    indices: tuple[int, ...] = param(doc="Where each part begins, the first at 0; no matter with sections.")
    axis: int = param(default=1, doc="The axis that is cut.")
    squeeze_axis: bool = param(default=False, doc="Drop the axis, where every part has size 1 along it.")
    sections: int = param(default=0, low=0, doc="How many parts of nearly one size, or 0 to cut at indices.")

    examples = (
        Example({"data": (2, 5)}, indices=(0, 1, 3)),
        Example({"data": (5, 2)}, indices=(), sections=2, axis=0),
        Example({"data": (2, 3, 2)}, indices=(), sections=2, axis=-1, squeeze_axis=True),
        Example({"data": (2, 3)}, indices=(0,)),
    )

    def check(self) -> None:
        """Refuse to make no part."""
        refuse(not self.count, "indices names no part; begin with 0, or set sections.", port="indices")

    @property
    def count(self) -> int:
        """How many parts there are."""
        return self.sections or len(self.indices)

    @property
    def outputs(self) -> tuple[str, ...]:
        """One for each part; one alone has no number."""
        return super().outputs if self.count > 1 else ("output",)

    def sizes(self, whole: int, axis: int) -> Sequence[int]:
        """Cut at the places, or so that the first parts are one longer where it does not come out even."""
        if self.sections:
            size, longer = divmod(whole, self.sections)
            found = [size + (number < longer) for number in range(self.sections)]
            words = f"{whole} along axis {axis} is too short for {self.sections} parts."
        else:
            ends = (*self.indices[1:], whole)
            found = [end - begin for begin, end in zip(self.indices, ends, strict=True)]
            words = (
                f"indices must begin with 0 and grow up to below {whole}, the size of axis {axis}, but they are"
                f" {', '.join(map(str, self.indices))}."
            )
        if min(found) < 1 or (not self.sections and self.indices[0] != 0):
            raise ShapeError(words, port="data")
        return found

    def whole(self, sizes: Sequence[int]) -> int:
        """The last part tells where it begins and how long it is; parts of nearly one size are added up."""
        if not self.sections:
            return self.indices[-1] + sizes[-1] if sizes[-1] else 0
        return sum(sizes) if all(sizes) else 0

    def add_gradient(self, index: int, fresh: Array, holder: Array) -> Step:
        """MXNet writes over what the buffer held."""
        return overwrite(fresh, holder)

    def because(self, side: Literal["in", "out"], index: int, axis: int, ins: Shapes, outs: Shapes) -> str:
        """Name the setting that makes the size of a part."""
        if side == "in" or self.squeeze_axis or axis != self.axis % len(ins[0]):
            return ""
        setting = f"sections = {self.sections}" if self.sections else f"indices = {self.indices}"
        return f"{setting} of {ins[0][axis]}"

"""Elements put in order along an axis: sort, argsort, topk."""

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

import numpy as np

from app.engine.errors import ShapeError
from app.engine.examples import Example
from app.engine.kernels.steps import Step
from app.engine.operator import Array, Arrays, CodeNames, GradientKind, Reads, Types, operator
from app.engine.operators.element_types import ORDERS, named_type
from app.engine.operators.prepared import Flow, Prepared, gradient_lines, present
from app.engine.params import param
from app.engine.shapes import Inferred, Shape, Shapes, element_count, merge, normalize_axis
from app.engine.work_space import Work, WorkSpace


class Ordered(Prepared):
    """An order of the elements along one axis, of which the first places count."""

    kinds = "iuf"

    axis: int | None
    along: ClassVar[float] = 1.0
    """What part of its work space an order along an axis takes; the whole of it is for everything as one row."""

    def scratch(self, ins: Shapes, outs: Shapes, *, gradients: bool) -> WorkSpace:
        """Count less along an axis than where everything becomes one row."""
        whole = super().scratch(ins, outs, gradients=gradients)
        return whole if self.axis is None else WorkSpace(whole.kept, int(self.along * whole.passing))

    def _laid(self, data: Array) -> tuple[Array, int]:
        """View the data, or its gradient, so that the order runs along an axis."""
        return (data.reshape(-1), 0) if self.axis is None else (data, normalize_axis(self.axis, data.ndim))

    def _shape(self, data: Shape, count: int) -> Shape:
        """Return the shape of `count` places along the axis; 0 stands for all of them."""
        if self.axis is None:
            return (count or element_count(data),)
        axis = normalize_axis(self.axis, len(data))
        return (*data[:axis], count or data[axis], *data[axis + 1 :])

    def _places(self, data: Array, count: int, *, ascending: bool) -> Array:
        """Return the places of the first elements of the order; of equal elements the first comes first."""
        table, axis = self._laid(data)
        # Whole numbers turn around bit by bit: unsigned ones, and the least of the others, have no negative.
        turned = table if ascending else np.invert(table) if table.dtype.kind in "iu" else -table
        order = np.argsort(turned, axis=axis, kind="stable")
        return order.take(range(count or order.shape[axis]), axis=axis)

    def _scatter(self, head: Array, places: Array, grad: Array) -> None:
        """Put the gradient of each ordered element back to where it came from."""
        table, axis = self._laid(grad)
        grad.fill(0)
        np.put_along_axis(table, places.astype(np.intp), head, axis)

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        return (
            f"{heads[0]} put back to where its elements came from" if self.gradient_kind(0) == "value" else ""
        )

    def laid(self, name: str) -> str:
        """Return the code that views an array so that the order runs along an axis."""
        return f"{name}.reshape(-1)" if self.axis is None else name

    @property
    def axis_laid(self) -> int:
        """The axis of the order in that view."""
        return 0 if self.axis is None else self.axis

    def places_code(self, n: CodeNames, *, ascending: bool) -> str:
        """Return the call of the part `ordered_places`, which is there in both languages."""
        return f"ordered_places({self.laid(n.ins[0])}, {self.axis_laid}, {ascending})"

    def gradient_code(self, n: CodeNames, places: str) -> list[str]:
        """Return numpy's lines that put the gradient back to where the elements came from."""
        grad, head = n.grads[0], n.heads[0]
        if self.gradient_kind(0) == "zero" or grad is None or head is None:
            return gradient_lines(n, [""])
        index = f"{places}.astype(int)"
        return [
            f"{grad} = np.zeros_like({n.ins[0]})",
            f"np.put_along_axis({self.laid(grad)}, {index}, {head}, {self.axis_laid})",
        ]


@operator(name="sort", category="Ordering")
class Sort(Ordered):
    """Put the elements along an axis in order."""

    work, along = Work(takes=14.6), 0.45

    axis: int | None = param(default=-1, doc="The axis; None takes all elements as one row.")
    is_ascend: bool = param(default=True, doc="Smallest first.")

    examples = (
        Example({"data": (3, 4)}),
        Example({"data": (3, 4)}, axis=0, is_ascend=False),
        Example({"data": (3, 4)}, axis=None),
    )

    @property
    def outputs(self) -> tuple[str, ...]:
        """The ordered elements."""
        return ("output0",)

    @property
    def hidden(self) -> tuple[str, ...]:
        """Where they came from."""
        return ("output1",)

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """The shape stays, or becomes one row."""
        data = ins[0]
        if not data:
            return ins, outs
        out = merge(self._shape(data, 0), merge(outs[0], outs[1]))
        return (data,), (out, out)

    def infer_types(self, ins: Types, outs: Types) -> tuple[Types, Types]:
        """The elements keep their type; places are whole numbers."""
        (data,), (out,) = super().infer_types(ins, outs[:1])
        return (data,), (out, named_type("int32"))

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write elements and places."""

        def run() -> None:
            table, axis = self._laid(ins[0])
            places = self._places(ins[0], 0, ascending=self.is_ascend)
            np.copyto(outs[0], np.take_along_axis(table, places, axis))
            np.copyto(outs[1], places, casting="unsafe")

        return run

    def gradient_reads(self, index: int) -> Reads:
        """The gradient reads the places."""
        return Reads(outputs=(1,))

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients."""
        return [partial(self._scatter, flow.head, present(flow.outs[1]), grad) for _, grad in flow.wanted]

    def numpy_code(self, n: CodeNames) -> list[str]:
        """Find the places, then take what lies there."""
        taken = f"np.take_along_axis({self.laid(n.ins[0])}, {n.outs[1]}, {self.axis_laid})"
        return [
            f"{n.outs[1]} = {self.places_code(n, ascending=self.is_ascend)}",
            f"{n.outs[0]} = {taken}",
        ]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """Put the gradient back."""
        return self.gradient_code(n, n.outs[1])

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line."""
        places = self.places_code(n, ascending=self.is_ascend)
        return [f"{n.outs[0]} = {self.laid(n.ins[0])}.gather({self.axis_laid}, {places})"]

    def summary(self) -> str:
        """The axis and the direction."""
        return _order_summary(self.axis, ascending=self.is_ascend)


@operator(name="argsort", category="Ordering")
class ArgSort(Ordered):
    """Tell the places of the elements along an axis in their order."""

    work, along = Work(takes=15.7), 0.42

    axis: int | None = param(default=-1, doc="The axis; None takes all elements as one row.")
    is_ascend: bool = param(default=True, doc="Smallest first.")
    dtype: str = param(default="float32", choices=ORDERS, doc="Type of the value.", advanced=True)

    examples = (
        Example({"data": (3, 4)}),
        Example({"data": (3, 4)}, axis=None, is_ascend=False, dtype="int32"),
    )

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """The shape stays, or becomes one row."""
        return ins, (merge(self._shape(ins[0], 0), outs[0]) if ins[0] else outs[0],)

    def infer_types(self, ins: Types, outs: Types) -> tuple[Types, Types]:
        """The value has the named type."""
        return ins, (named_type(self.dtype),)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the places."""
        return lambda: np.copyto(outs[0], self._places(ins[0], 0, ascending=self.is_ascend), casting="unsafe")

    def gradient_kind(self, index: int) -> GradientKind:
        """Places jump, so the gradient is zero."""
        return "zero"

    def gradient_reads(self, index: int) -> Reads:
        """Nothing is read for a gradient of zero."""
        return Reads(heads=False)

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = {self.places_code(n, ascending=self.is_ascend)}.astype(np.{self.dtype})"]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """Write zeros."""
        return self.gradient_code(n, "")

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = {self.places_code(n, ascending=self.is_ascend)}.to(torch.{self.dtype})"]

    def summary(self) -> str:
        """The axis and the direction."""
        return _order_summary(self.axis, ascending=self.is_ascend)


@operator(name="topk", category="Ordering")
class TopK(Ordered):
    """Take the k largest or smallest elements along an axis, their places, both, or a mask of them."""

    work = Work(takes=4.6)
    ignored_heads = frozenset({1})  # places jump

    axis: int | None = param(default=-1, doc="The axis; None takes all elements as one row.")
    k: int = param(default=1, doc="How many; less than 1 takes all.")
    ret_typ: str = param(
        default="indices",
        choices=("both", "indices", "mask", "value"),
        doc="What is told about the elements.",
    )
    is_ascend: bool = param(default=False, doc="Take the smallest.")
    dtype: str = param(default="float32", choices=ORDERS, doc="Type of the places.", advanced=True)

    examples = (
        Example({"data": (4, 5)}, k=2, ret_typ="value"),
        Example({"data": (4, 3, 5)}, axis=1, k=2, ret_typ="both"),
        Example({"data": (4, 5)}, k=3, is_ascend=True),
        Example({"data": (4, 5)}, axis=None, k=2, ret_typ="mask"),
    )

    @property
    def outputs(self) -> tuple[str, ...]:
        """Elements and places when both are wanted, else one of them."""
        return {"both": ("output0", "output1"), "value": ("output0",)}.get(self.ret_typ, ("output",))

    @property
    def hidden(self) -> tuple[str, ...]:
        """The places, which the gradient of the elements reads."""
        return ("output1",) if self.ret_typ == "value" else ()

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Put k in the place of the axis; a mask has the data's shape."""
        data = ins[0]
        if not data:
            return ins, outs
        found = data if self.ret_typ == "mask" else self._shape(data, max(self.k, 0))
        along = element_count(data) if self.axis is None else data[normalize_axis(self.axis, len(data))]
        if along and self.k > along:
            raise ShapeError(
                f"k is {self.k}, but there are only {along} elements to choose from.", port="data"
            )
        return (data,), tuple(merge(found, out) for out in outs)

    def infer_types(self, ins: Types, outs: Types) -> tuple[Types, Types]:
        """Elements and masks keep the data's type; places have the named one."""
        places = named_type(self.dtype)
        if self.ret_typ == "indices":
            return ins, (places,)
        (data,), (out,) = super().infer_types(ins, outs[:1])
        return (data,), (out, places)[: len(outs)]

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write what is wanted."""
        return partial(self._choose, ins[0], outs)

    def _choose(self, data: Array, outs: Arrays) -> None:
        places = self._places(data, max(self.k, 0), ascending=self.is_ascend)
        if self.ret_typ == "indices":
            np.copyto(outs[0], places, casting="unsafe")
        elif self.ret_typ == "mask":
            self._scatter(np.ones((), outs[0].dtype), places, outs[0])
        else:
            table, axis = self._laid(data)
            np.copyto(outs[0], np.take_along_axis(table, places, axis))
            np.copyto(outs[1], places, casting="unsafe")

    def gradient_kind(self, index: int) -> GradientKind:
        """Only elements have a gradient; places jump."""
        return "value" if self.ret_typ in ("both", "value") else "zero"

    def gradient_reads(self, index: int) -> Reads:
        """The gradient reads the places."""
        return Reads(outputs=(1,)) if self.gradient_kind(0) == "value" else Reads(heads=False)

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients; nothing flows back from the places."""
        if flow.heads[0] is None:
            return [partial(grad.fill, 0) for _, grad in flow.wanted]
        return [partial(self._scatter, flow.head, present(flow.outs[1]), grad) for _, grad in flow.wanted]

    def numpy_code(self, n: CodeNames) -> list[str]:
        """Find the first places; tell them, mark them, or take what lies there."""
        data, axis = self.laid(n.ins[0]), self.axis_laid
        places = f"{self._first_places(n)}.take(range({self._count(n)}), axis={axis})"
        if self.ret_typ == "indices":
            return [f"{n.outs[0]} = {places}.astype(np.{self.dtype})"]
        if self.ret_typ == "mask":
            return [
                f"{n.outs[0]} = np.zeros_like({n.ins[0]})",
                f"np.put_along_axis({self.laid(n.outs[0])}, {places}, 1, {axis})",
            ]
        return [
            f"{n.outs[1]} = {places}",
            f"{n.outs[0]} = np.take_along_axis({data}, {n.outs[1]}, {axis})",
            *([f"{n.outs[1]} = {n.outs[1]}.astype(np.{self.dtype})"] if self.ret_typ == "both" else []),
        ]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """Put the gradient of elements back."""
        return self.gradient_code(n, n.outs[-1])

    def torch_code(self, n: CodeNames) -> list[str]:
        """The same in PyTorch."""
        data, axis = self.laid(n.ins[0]), self.axis_laid
        places = f"{self._first_places(n)}.narrow({axis}, 0, {self._count(n)})"
        if self.ret_typ == "indices":
            return [f"{n.outs[0]} = {places}.to(torch.{self.dtype})"]
        if self.ret_typ == "mask":
            marked = f"{self.laid(f'torch.zeros_like({n.ins[0]})')}.scatter({axis}, {places}, 1)"
            return [f"{n.outs[0]} = {marked}.reshape({n.out_shapes[0]})"]
        if self.ret_typ == "value":
            return [f"{n.outs[0]} = {data}.gather({axis}, {places})"]
        return [
            f"{n.outs[1]} = {places}",
            f"{n.outs[0]} = {data}.gather({axis}, {n.outs[1]})",
            f"{n.outs[1]} = {n.outs[1]}.to(torch.{self.dtype})",
        ]

    def _first_places(self, n: CodeNames) -> str:
        return self.places_code(n, ascending=self.is_ascend)

    def _count(self, n: CodeNames) -> int:
        """Return how many are taken."""
        shape = n.in_shapes[0]
        return self.k if self.k > 0 else element_count(shape) if self.axis is None else shape[self.axis]

    def summary(self) -> str:
        """How many, and along which axis."""
        return f"{self.k} · {_order_summary(self.axis, ascending=self.is_ascend)}"


def _order_summary(axis: int | None, *, ascending: bool) -> str:
    where = "all" if axis is None else f"axis {axis}"
    return f"{where} · {'smallest' if ascending else 'largest'} first"

"""Rows and elements chosen by index: Embedding, take, one_hot, pick, batch_take, gather_nd, scatter_nd."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Literal

import numpy as np

from app.engine.examples import Domain, Example
from app.engine.kernels.indices import add_rows, whole_numbers
from app.engine.kernels.steps import Step, in_order
from app.engine.operator import Array, Arrays, CodeNames, GradientKind, Port, Reads, Types, operator
from app.engine.operators.element_types import NUMBERS, check_type, cut_number, named_type
from app.engine.operators.formulas import number
from app.engine.operators.prepared import Flow, Prepared, gradient_lines
from app.engine.params import WIDE, param
from app.engine.shapes import Inferred, Shapes, merge, normalize_axis
from app.engine.work_space import Work


@operator(category="Layers")
class Embedding(Prepared):
    """Look up a learned row for every index.

    y[i] = W[x[i]]
    """

    only_moves = True

    work = Work(keeps=2.2, keeps_back=1.1, takes_back=4.2)

    input_dim: int = param(low=1, doc="How many rows there are to look up.")
    output_dim: int = param(low=1, doc="Length of a row.")
    dtype: str = param(default="float32", choices=NUMBERS, doc="Type of the rows.", advanced=True)
    sparse_grad: bool = param(
        default=False, doc="Store the gradient sparsely in MXNet; all storage is dense here.", advanced=True
    )

    examples = (
        Example({"data": (4,)}, domains={"data": Domain(0, 4, whole=True)}, input_dim=5, output_dim=3),
        Example({"data": (2, 3)}, domains={"data": Domain(-2, 6, whole=True)}, input_dim=5, output_dim=2),
    )

    @property
    def inputs(self) -> tuple[Port, ...]:
        """Indices and the rows."""
        return (Port("data"), Port("weight", "weight"))

    def check(self) -> None:
        """Refuse a type that is not there."""
        check_type(self.dtype)

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Put the length of a row behind the indices' sizes; the table follows from the settings."""
        data, out = ins[0], outs[0]
        weight = merge((self.input_dim, self.output_dim), ins[1], "weight")
        data = merge(data, out[:-1])
        if data:
            out = merge((*data, self.output_dim), out)
        return (data, weight), (out,)

    def infer_types(self, ins: Types, outs: Types) -> tuple[Types, Types]:
        """Rows and value have one type; indices may have any."""
        rows = next((kind for kind in (ins[1], outs[0]) if kind is not None), named_type(self.dtype))
        return (ins[0], rows), (rows,)

    def because(self, side: Literal["in", "out"], index: int, axis: int, ins: Shapes, outs: Shapes) -> str:
        """Name the setting that decides."""
        if side == "in" and index == 1 and axis == 0:
            return f"input_dim = {self.input_dim}"
        row = axis == len(outs[0]) - 1 if side == "out" else index == 1
        return f"output_dim = {self.output_dim}" if row else ""

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        read, indices = whole_numbers(ins[0])
        return in_order([read, partial(np.take, ins[1], indices, 0, outs[0], "clip")])

    def gradient_kind(self, index: int) -> GradientKind:
        """Indices have gradient zero."""
        return "zero" if index == 0 else "value"

    def gradient_reads(self, index: int) -> Reads:
        """The rows' gradient reads the indices."""
        return Reads(inputs=(0,)) if index == 1 else Reads(heads=False)

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients."""
        steps = []
        for _, grad in flow.wanted:
            read, indices = whole_numbers(flow.read(0), limit=self.input_dim)
            steps += [read, add_rows(flow.head, indices, grad)]
        return steps

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        return f"the rows of {heads[0]} added up at the indices {ins[0]}" if index == 1 else ""

    def summary(self) -> str:
        """The size of the table."""
        return f"{self.input_dim} → {self.output_dim}"

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = {n.ins[1]}[{self._rows(n)}]"]

    def _rows(self, n: CodeNames) -> str:
        return f"np.clip({n.ins[0]}.astype(int), 0, {self.input_dim - 1})"

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """A line for zeros and a line that adds the rows."""
        lines = gradient_lines(n, ["", f"np.zeros_like({n.ins[1]})"])
        if n.grads[1] is not None and n.heads[0] is not None:
            lines.append(f"np.add.at({n.grads[1]}, {self._rows(n)}, {n.heads[0]})")
        return lines

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = {n.ins[1]}[{n.ins[0]}.long().clamp(0, {self.input_dim - 1})]"]


class ByIndex(Prepared):
    """An operator of data and indices, which have gradient zero and may be numbers of any type."""

    only_moves = True

    def infer_types(self, ins: Types, outs: Types) -> tuple[Types, Types]:
        """Data and value have one type; the indices may have any."""
        (data,), (out,) = super().infer_types(ins[:1], outs)
        return (data, ins[1]), (out,)

    def gradient_kind(self, index: int) -> GradientKind:
        """Indices have gradient zero."""
        return "value" if index == 0 else "zero"

    def gradient_reads(self, index: int) -> Reads:
        """The data's gradient reads the indices."""
        return Reads(inputs=(1,)) if index == 0 else Reads(heads=False)

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        return f"{heads[0]} added up at the places {ins[1]}, 0 elsewhere" if index == 0 else ""

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """A line for zeros, and one that puts the gradient where its numbers came from."""
        lines = gradient_lines(n, [f"np.zeros_like({n.ins[0]})", ""])
        if n.grads[0] is not None and n.heads[0] is not None:
            lines.append(self.putting_back(n, n.grads[0], n.heads[0]))
        return lines

    def putting_back(self, n: CodeNames, grad: str, head: str) -> str:
        """Return the line of numpy that puts the incoming gradient into zeros."""
        raise NotImplementedError(self.op_name)


@operator(name="take", category="Indexing")
class Take(ByIndex):
    """Take the slices at the given indices along one axis."""

    work = Work(keeps=1.5, keeps_back=0.8, takes_back=2.8)

    axis: int = param(default=0, doc="The axis.")
    mode: str = param(
        default="clip",
        choices=("clip", "raise", "wrap"),
        doc="Clamp an index outside, refuse it, or count it around.",
    )

    examples = (
        Example({"a": (4, 3), "indices": (2, 2)}, domains={"indices": Domain(0, 3, whole=True)}),
        Example({"a": (4, 3, 2), "indices": (3,)}, domains={"indices": Domain(-4, 6, whole=True)}, axis=1),
        Example(
            {"a": (4, 3), "indices": (5,)},
            domains={"indices": Domain(-4, 6, whole=True)},
            axis=-1,
            mode="wrap",
        ),
    )

    @property
    def inputs(self) -> tuple[Port, ...]:
        """Data and indices."""
        return (Port("a"), Port("indices"))

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Put the indices' sizes in the place of the axis."""
        data, indices = ins
        if not data or not indices:
            return ins, outs
        axis = normalize_axis(self.axis, len(data))
        return ins, (merge((*data[:axis], *indices, *data[axis + 1 :]), outs[0]),)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        read, indices = whole_numbers(ins[1])
        return in_order([read, partial(np.take, ins[0], indices, self.axis, outs[0], self.mode)])

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients."""
        return [step for _, grad in flow.wanted for step in self._back(flow, grad)]

    def _back(self, flow: Flow, grad: Array) -> list[Step]:
        axis, rank = self.axis % grad.ndim, flow.read(1).ndim
        read, indices = whole_numbers(flow.read(1), limit=grad.shape[axis], wrap=self.mode == "wrap")
        if axis == 0:
            return [read, add_rows(flow.head, indices, grad)]
        slices = np.moveaxis(flow.head, tuple(range(axis, axis + rank)), tuple(range(rank)))
        return [read, partial(grad.fill, 0), partial(np.add.at, np.moveaxis(grad, axis, 0), indices, slices)]

    def summary(self) -> str:
        """The axis."""
        return f"axis {self.axis}"

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        code = f"np.take({n.ins[0]}, {n.ins[1]}.astype(int), axis={self.axis}, mode={self.mode!r})"
        return [f"{n.outs[0]} = {code}"]

    def putting_back(self, n: CodeNames, grad: str, head: str) -> str:
        """Add the slices up, with the axis in front."""
        axis, rank = self.axis % len(n.in_shapes[0]), len(n.in_shapes[1])
        size = n.in_shapes[0][axis]
        fit = f" % {size}" if self.mode == "wrap" else f".clip(0, {size - 1})"
        if axis:
            spread, front = tuple(range(axis, axis + rank)), tuple(range(rank))
            grad, head = f"np.moveaxis({grad}, {axis}, 0)", f"np.moveaxis({head}, {spread}, {front})"
        return f"np.add.at({grad}, {n.ins[1]}.astype(int){fit}, {head})"

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line."""
        if self.mode == "raise":
            raise NotImplementedError("PyTorch refuses negative indices too")
        size = n.in_shapes[0][self.axis]
        fit = f" % {size}" if self.mode == "wrap" else f".clamp(0, {size - 1})"
        code = f"{n.ins[0]}.index_select({self.axis}, ({n.ins[1]}.reshape(-1).long(){fit}))"
        return [f"{n.outs[0]} = {code}.reshape({n.out_shapes[0]})"]


@operator(name="one_hot", category="Indexing")
class OneHot(Prepared):
    """Make a row for each index that is on at its place and off elsewhere; all off for an index outside."""

    only_moves = True

    work = Work(keeps=0.9, takes=1.4)

    depth: int = param(low=1, doc="Length of a row.")
    on_value: Annotated[float, WIDE] = param(default=1.0, doc="The number at the index.")
    off_value: Annotated[float, WIDE] = param(default=0.0, doc="The number elsewhere.")
    dtype: str = param(default="float32", choices=NUMBERS, doc="Type of the value.", advanced=True)

    examples = (
        Example({"indices": (4,)}, domains={"indices": Domain(0, 4, whole=True)}, depth=5),
        Example(
            {"indices": (2, 3)},
            domains={"indices": Domain(-2, 6, whole=True)},
            depth=5,
            on_value=2.5,
            off_value=-1,
        ),
    )

    @property
    def inputs(self) -> tuple[Port, ...]:
        """The indices."""
        return (Port("indices"),)

    def check(self) -> None:
        """Refuse a type that is not there."""
        check_type(self.dtype)

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Put the length of a row behind the indices' sizes."""
        indices, out = merge(ins[0], outs[0][:-1]), outs[0]
        return (indices,), (merge((*indices, self.depth), out) if indices else out,)

    def infer_types(self, ins: Types, outs: Types) -> tuple[Types, Types]:
        """The value has the named type."""
        return (ins[0],), (named_type(self.dtype),)

    def because(self, side: Literal["in", "out"], index: int, axis: int, ins: Shapes, outs: Shapes) -> str:
        """Name depth where it decides."""
        return f"depth = {self.depth}" if side == "out" and axis == len(outs[0]) - 1 else ""

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        read, indices = whole_numbers(ins[0])
        places = np.arange(self.depth)
        on, off = (cut_number(value, outs[0].dtype) for value in (self.on_value, self.off_value))
        return in_order([read, lambda: np.copyto(outs[0], np.where(indices[..., None] == places, on, off))])

    def gradient_kind(self, index: int) -> GradientKind:
        """Indices have gradient zero."""
        return "zero"

    def gradient_reads(self, index: int) -> Reads:
        """Nothing is read for a gradient of zero."""
        return Reads(heads=False)

    def summary(self) -> str:
        """The length of a row."""
        return str(self.depth)

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        on = f"{n.ins[0]}.astype(int)[..., None] == np.arange({self.depth})"
        code = f"np.where({on}, {number(self.on_value)}, {number(self.off_value)})"
        return [f"{n.outs[0]} = {code}.astype(np.{self.dtype})"]

    def torch_code(self, n: CodeNames) -> list[str]:
        """Two lines."""
        on = f"{n.ins[0]}.long().unsqueeze(-1) == torch.arange({self.depth}, device={n.ins[0]}.device)"
        off = f"torch.full_like({n.outs[0]}, {number(self.off_value)}, dtype=torch.{self.dtype})"
        return [
            f"{n.outs[0]} = {on}",
            f"{n.outs[0]} = {off}.masked_fill({n.outs[0]}, {number(self.on_value)})",
        ]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return gradient_lines(n, [""])

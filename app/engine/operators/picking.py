"""Single elements chosen by index: pick, batch_take, gather_nd, scatter_nd."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from app.engine.errors import ShapeError
from app.engine.examples import Domain, Example
from app.engine.kernels.indices import whole_numbers
from app.engine.kernels.steps import Step, in_order
from app.engine.operator import Array, Arrays, CodeNames, Port, Types, operator
from app.engine.operators.indexing import ByIndex
from app.engine.operators.prepared import Flow, gradient_lines
from app.engine.operators.reduce import kept_shape
from app.engine.params import param
from app.engine.shapes import Inferred, Shape, Shapes, element_count, merge, normalize_axis, text
from app.engine.work_space import Work, WorkSpace


class OneByIndex(ByIndex):
    """One element for each index."""

    def scratch(self, ins: Shapes, outs: Shapes, *, gradients: bool) -> WorkSpace:
        """Count by the indices, however large the array is that they look into."""
        return self.work.beside(element_count(ins[1]), gradients=gradients)


@operator(name="pick", category="Indexing", aliases=("choose_element_0index",))
class Pick(OneByIndex):
    """Pick one element along an axis at every other place."""

    work = Work(keeps=4.5, takes=5, keeps_back=2.4)

    axis: int | None = param(default=-1, doc="The axis; None takes all elements as one row.")
    keepdims: bool = param(default=False, doc="Keep the axis with size 1.")
    mode: str = param(
        default="clip", choices=("clip", "wrap"), doc="An index outside is clamped or counted around."
    )

    examples = (
        Example({"data": (4, 3), "index": (4,)}, domains={"index": Domain(0, 2, whole=True)}),
        Example(
            {"data": (4, 3, 2), "index": (3, 2)},
            domains={"index": Domain(-5, 7, whole=True)},
            axis=0,
            mode="wrap",
        ),
        Example({"data": (4, 3), "index": (4,)}, domains={"index": Domain(-1, 4, whole=True)}, keepdims=True),
    )

    @property
    def inputs(self) -> tuple[Port, ...]:
        """Data and indices."""
        return (Port("data"), Port("index"))

    def _axis(self, data: Shape) -> int:
        return 0 if self.axis is None else normalize_axis(self.axis, len(data))

    def _table(self, data: Shape) -> Shape:
        return (int(np.prod(data)),) if self.axis is None else data

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Drop the axis, or keep it with size 1; the indices may have either form, and lack the axis unless told."""
        data, index = ins
        if self.axis is None:
            raise ShapeError("axis is None, which MXNet has no pick for yet; name an axis.")
        if not data:
            return ins, outs
        table = self._table(data)
        axis = self._axis(table)
        kept = kept_shape(table, (axis,))
        dropped = (kept[:axis] + kept[axis + 1 :]) or (1,)
        found = kept if self.keepdims else dropped
        wanted = kept if len(index) == len(kept) and len(kept) > 1 else dropped
        return (data, merge(wanted, index, "index")), (merge(found, outs[0]),)

    def _places(self, data: Array, index: Array) -> tuple[Step, Array, Array, int]:
        """Return the step that reads the indices, the data as a table, the indices kept, and the axis."""
        table = data.reshape(self._table(data.shape))
        axis = self._axis(table.shape)
        read, whole = whole_numbers(index, limit=table.shape[axis], wrap=self.mode == "wrap")
        return read, table, whole.reshape(kept_shape(table.shape, (axis,))), axis

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        read, table, index, axis = self._places(ins[0], ins[1])
        out = outs[0].reshape(index.shape)
        return in_order([read, lambda: np.copyto(out, np.take_along_axis(table, index, axis))])

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients."""
        steps: list[Step] = []
        for _, grad in flow.wanted:
            read, table, index, axis = self._places(grad, flow.read(1))
            head = flow.head.reshape(index.shape)
            steps += [read, partial(grad.fill, 0), partial(np.put_along_axis, table, index, head, axis)]
        return steps

    def summary(self) -> str:
        """The axis."""
        return "" if self.axis is None else f"axis {self.axis}"

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        index, axis, _ = self._index(n)
        code = f"np.take_along_axis({n.ins[0]}, {index}, {axis})"
        return [f"{n.outs[0]} = {code}.reshape({n.out_shapes[0]})"]

    def _index(self, n: CodeNames) -> tuple[str, int, Shape]:
        """Return numpy's expression for the index, the axis, and the shape that keeps it."""
        axis = self._axis(n.in_shapes[0])
        kept, size = kept_shape(n.in_shapes[0], (axis,)), n.in_shapes[0][axis]
        fit = f" % {size}" if self.mode == "wrap" else f".clip(0, {size - 1})"
        return f"({n.ins[1]}.astype(int){fit}).reshape({kept})", axis, kept

    def putting_back(self, n: CodeNames, grad: str, head: str) -> str:
        """Put the gradient at the index."""
        index, axis, kept = self._index(n)
        return f"np.put_along_axis({grad}, {index}, {head}.reshape({kept}), {axis})"

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line."""
        table = self._table(n.in_shapes[0])
        axis = self._axis(table)
        fit = f" % {table[axis]}" if self.mode == "wrap" else f".clamp(0, {table[axis] - 1})"
        index = f"({n.ins[1]}.long(){fit}).reshape({kept_shape(table, (axis,))})"
        code = f"{n.ins[0]}.reshape({table}).gather({axis}, {index})"
        return [f"{n.outs[0]} = {code}.reshape({n.out_shapes[0]})"]


@operator(name="batch_take", category="Indexing")
class BatchTake(OneByIndex):
    """Take one element out of every row."""

    work = Work(keeps=6.3, takes=1.2, keeps_back=5.4)

    examples = (Example({"a": (4, 3), "indices": (4,)}, domains={"indices": Domain(0, 2, whole=True)}),)

    @property
    def inputs(self) -> tuple[Port, ...]:
        """Rows and indices."""
        return (Port("a"), Port("indices"))

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """One element for every row."""
        data, indices = ins
        if data and len(data) != 2:
            raise ShapeError(f"{text(data)} is no matrix: 2 axes are needed.", port="a")
        rows = merge(merge(data[:1], indices, "indices"), outs[0])
        return ((*rows, *data[1:]) if data else data, rows), (rows,)

    def infer_types(self, ins: Types, outs: Types) -> tuple[Types, Types]:
        """Indices are whole numbers of 32 bits unless told otherwise, where MXNet takes no others."""
        (kind, indices), results = super().infer_types(ins, outs)
        return (kind, np.dtype(np.int32) if indices is None else indices), results

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        read, indices = whole_numbers(ins[1], limit=ins[0].shape[1])
        rows = np.arange(len(indices))
        return in_order([read, lambda: np.copyto(outs[0], ins[0][rows, indices])])

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients."""
        steps: list[Step] = []
        for _, grad in flow.wanted:
            read, indices = whole_numbers(flow.read(1), limit=grad.shape[1])
            put = partial(grad.__setitem__, (np.arange(len(indices)), indices), flow.head)
            steps += [read, partial(grad.fill, 0), put]
        return steps

    def _index(self, n: CodeNames) -> str:
        rows, columns = n.in_shapes[0]
        return f"np.arange({rows}), {n.ins[1]}.astype(int).clip(0, {columns - 1})"

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = {n.ins[0]}[{self._index(n)}]"]

    def putting_back(self, n: CodeNames, grad: str, head: str) -> str:
        """Put the gradient at the index."""
        return f"{grad}[{self._index(n)}] = {head}"

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line."""
        index = f"{n.ins[1]}.long().clamp(0, {n.in_shapes[0][1] - 1}).unsqueeze(1)"
        return [f"{n.outs[0]} = {n.ins[0]}.gather(1, {index}).squeeze(1)"]


def _check_depth(indices: Shape, axes: int, what: str, port: str) -> None:
    if indices and indices[0] > axes:
        raise ShapeError(
            f"{indices[0]} indices are given for each element, but {what} has {axes} axes.", port=port
        )


@operator(name="gather_nd", category="Indexing")
class GatherNd(ByIndex):
    """Take elements or slices whose indices along the first axes stand in a column each."""

    work = Work(keeps=1.1, takes=0.3, keeps_back=0.6)

    examples = (
        Example({"data": (4, 3, 2), "indices": (2, 3)}, domains={"indices": Domain(0, 2, whole=True)}),
        Example({"data": (4, 3), "indices": (1, 5)}, domains={"indices": Domain(0, 3, whole=True)}),
    )

    @property
    def inputs(self) -> tuple[Port, ...]:
        """Data and indices."""
        return (Port("data"), Port("indices"))

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Put the indices' other sizes in the place of the axes they count."""
        data, indices = ins
        if len(indices) == 1:
            raise ShapeError(f"{text(indices)} holds no columns: 2 axes are needed.", port="indices")
        if not data or not indices or not indices[0]:
            return ins, outs
        _check_depth(indices, len(data), "the data", "indices")
        return ins, (merge((*indices[1:], *data[indices[0] :]) or (1,), outs[0]),)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        read, indices = whole_numbers(ins[1])
        return in_order([read, lambda: np.copyto(outs[0], ins[0][tuple(indices)])])

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients."""
        steps: list[Step] = []
        for _, grad in flow.wanted:
            read, indices = whole_numbers(flow.read(1))
            steps += [read, partial(grad.fill, 0), partial(np.add.at, grad, tuple(indices), flow.head)]
        return steps

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = {n.ins[0]}[tuple({n.ins[1]}.astype(int))]"]

    def putting_back(self, n: CodeNames, grad: str, head: str) -> str:
        """Add the gradient up at the columns."""
        return f"np.add.at({grad}, tuple({n.ins[1]}.astype(int)), {head})"

    def torch_code(self, n: CodeNames) -> list[str]:
        """Call the part `gather_columns`."""
        return [f"{n.outs[0]} = gather_columns({n.ins[0]}, {n.ins[1]}).reshape({n.out_shapes[0]})"]


@operator(name="scatter_nd", category="Indexing")
class ScatterNd(ByIndex):
    """Put elements or slices at the places whose indices stand in a column each; all else is 0."""

    work = Work(keeps=4.3, keeps_back=2.2, takes_back=0.6)

    shape: tuple[int, ...] = param(low=1, doc="Shape of the value.")

    examples = (
        Example(
            {"data": (3,), "indices": (2, 3)},
            domains={"indices": Domain(0, 0, whole=True)},
            gradient=False,
            shape=(4, 3),
        ),
    )

    @property
    def inputs(self) -> tuple[Port, ...]:
        """What is put, and where."""
        return (Port("data"), Port("indices"))

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """The value has the given shape; what is put follows from the indices."""
        data, indices = ins
        _check_depth(indices, len(self.shape), "the value", "indices")
        if indices and indices[0]:
            data = merge((*indices[1:], *self.shape[indices[0] :]), data, "data")
        return (data, indices), (merge(self.shape, outs[0]),)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        read, indices = whole_numbers(ins[1])

        def put() -> None:
            outs[0].fill(0)
            outs[0][tuple(indices)] = ins[0]

        return in_order([read, put])

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients."""
        steps: list[Step] = []
        for _, grad in flow.wanted:
            read, indices = whole_numbers(flow.read(1))
            steps += [read, partial(self._collect, flow.head, indices, grad)]
        return steps

    @staticmethod
    def _collect(head: Array, indices: Array, grad: Array) -> None:
        np.copyto(grad, head[tuple(indices)])

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        return f"{heads[0]} at the places {ins[1]}" if index == 0 else ""

    def summary(self) -> str:
        """The shape."""
        return text(self.shape)

    def numpy_code(self, n: CodeNames) -> list[str]:
        """Two lines."""
        return [
            f"{n.outs[0]} = np.zeros({self.shape}, {n.ins[0]}.dtype)",
            f"{n.outs[0]}[tuple({n.ins[1]}.astype(int))] = {n.ins[0]}",
        ]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """Collect the gradient at the columns."""
        return gradient_lines(n, [f"{n.heads[0]}[tuple({n.ins[1]}.astype(int))]", ""])

    def torch_code(self, n: CodeNames) -> list[str]:
        """Call the part `scatter_columns`."""
        return [f"{n.outs[0]} = scatter_columns({n.ins[0]}, {n.ins[1]}, {self.shape})"]

"""Products of matrices column by column: khatri_rao."""

from collections.abc import Sequence
from functools import partial
from math import prod

import numpy as np

from app.engine.errors import ShapeError
from app.engine.examples import Example
from app.engine.kernels.steps import Step
from app.engine.operator import Array, Arrays, Port, Reads, operator
from app.engine.operators.prepared import Flow, Prepared
from app.engine.params import param
from app.engine.shapes import Inferred, Shape, Shapes, merge, text
from app.engine.work_space import Work


@operator(name="khatri_rao", category="Linear algebra")
class KhatriRao(Prepared):
    """Multiply matrices column by column, each element with each."""

    gradient_kinds = "iuf"

    work = Work(takes=1.6)

    num_args: int = param(low=1, doc="How many matrices are multiplied.")

    variadic = "num_args"
    examples = (
        Example({"arg0": (2, 3), "arg1": (4, 3)}, num_args=2),
        Example({"arg0": (2, 3), "arg1": (4, 3), "arg2": (2, 3)}, num_args=3),
    )

    @property
    def inputs(self) -> tuple[Port, ...]:
        """One matrix for each of `num_args`."""
        return tuple(Port(f"arg{index}") for index in range(self.num_args))

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Multiply the rows; the columns are shared."""
        columns: Shape = outs[0][1:]
        for port, shape in zip(self.inputs, ins, strict=True):
            if shape and len(shape) != 2:
                raise ShapeError(f"{text(shape)} is no matrix.", port=port.name)
            columns = merge(columns, shape[1:], port.name)
        if not columns:
            return ins, outs
        rows = prod(shape[0] if shape else 0 for shape in ins)
        return [(shape[0] if shape else 0, *columns) for shape in ins], (merge((rows, *columns), outs[0]),)

    def _spread(self, array: Array, index: int) -> Array:
        """Give a matrix an axis for the rows of each of the others."""
        rows = [1] * self.num_args
        rows[index] = len(array)
        return array.reshape(*rows, array.shape[1])

    def _others(self, arrays: Sequence[Array | None], left_out: int) -> Array:
        parts = [
            self._spread(array, index)
            for index, array in enumerate(arrays)
            if array is not None and index != left_out
        ]
        product = parts[0] if parts else np.ones((), np.float32)
        for part in parts[1:]:
            product = product * part
        return product

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        shape = (*(len(array) for array in ins), ins[0].shape[1])
        return lambda: np.copyto(outs[0].reshape(shape), self._others(ins, -1))

    def gradient_reads(self, index: int) -> Reads:
        """Each gradient reads the other matrices, whose rows must be counted, and its own, for the same reason."""
        return Reads(inputs=tuple(range(self.num_args)))

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients."""
        shape = (*(len(flow.read(index)) for index in range(self.num_args)), flow.head.shape[-1])
        return [partial(self._gradient, flow, shape, index, grad) for index, grad in flow.wanted]

    def _gradient(self, flow: Flow, shape: Shape, index: int, grad: Array) -> None:
        product = flow.head.reshape(shape) * self._others(flow.ins, index).astype(grad.dtype)
        others = tuple(axis for axis in range(self.num_args) if axis != index)
        np.copyto(grad, product.sum(axis=others))

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        others = " · ".join(name for place, name in enumerate(ins) if place != index)
        return f"{heads[0]} · {others}, summed over the rows of the others" if others else heads[0]

"""What can be told of an array: shape_array, size_array, _contrib_index_array, all_finite, multi_all_finite."""

from functools import partial

import numpy as np

from app.engine.examples import Example
from app.engine.kernels.steps import Step
from app.engine.operator import Arrays, CodeNames, DType, Port, Types, operator, refuse
from app.engine.operators.without_gradient import ZeroGradient
from app.engine.params import param
from app.engine.shapes import Inferred, Shape, Shapes, element_count, merge, normalize_axis
from app.engine.work_space import Work

LARGEST_WHOLE: DType = np.dtype(np.int64)
"""What sizes and places are counted in, whatever the array's own type."""


class Fact(ZeroGradient):
    """A fact about arrays, in a type of its own; nothing flows back through it."""

    fact_type: DType = LARGEST_WHOLE

    def infer_types(self, ins: Types, outs: Types) -> tuple[Types, Types]:
        """The array may have any type."""
        return tuple(ins), (self.fact_type,)


class OfShape(Fact):
    """Whole numbers that follow from the shape of the data alone."""

    only_moves = True

    def numbers(self, data: Shape) -> tuple[int, ...]:
        """Return the numbers."""
        raise NotImplementedError(self.op_name)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the numbers."""
        return partial(np.copyto, outs[0], np.array(self.numbers(ins[0].shape), outs[0].dtype))

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = np.array({list(self.numbers(n.in_shapes[0]))}, np.int64)"]

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = torch.tensor({list(self.numbers(n.in_shapes[0]))}, dtype=torch.int64)"]


@operator(name="shape_array", category="Shape")
class ShapeArray(OfShape):
    """Give the sizes of the array's axes as whole numbers (int64)."""

    examples = (Example({"data": (2, 3, 4)}), Example({"data": (5,)}))

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """There is a number for every axis."""
        return ins, (merge((len(ins[0]),), outs[0]),)

    def numbers(self, data: Shape) -> tuple[int, ...]:
        """The sizes."""
        return data


@operator(name="size_array", category="Shape")
class SizeArray(OfShape):
    """Count the elements of the array, as a whole number (int64)."""

    examples = (Example({"data": (2, 3, 4)}),)

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """It is one number."""
        return ins, (merge((1,), outs[0]),)

    def numbers(self, data: Shape) -> tuple[int, ...]:
        """All sizes multiplied."""
        return (element_count(data),)


@operator(name="_contrib_index_array", category="Indexing")
class IndexArray(Fact):
    """Write at every place of the array where that is: its index along each axis, as whole numbers (int64)."""

    only_moves = True

    work = Work(keeps=1.0)

    axes: tuple[int, ...] | None = param(
        default=None, doc="The axes whose indices are written; None takes all."
    )

    examples = (
        Example({"data": (2, 3)}),
        Example({"data": (2, 3, 4)}, axes=(-1, 0)),
        Example({"data": (4,)}, axes=(0,)),
    )

    def check(self) -> None:
        """Refuse to write no index."""
        refuse(self.axes == (), "axes names no axis; leave it None for all of them.", port="axes")

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Add an axis that is as long as there are indices."""
        data, out = ins[0], outs[0]
        rank = len(data) or len(out) - 1
        if rank < 1:
            return ins, outs
        data = merge(data, out[:-1])
        return (data,), (merge((*(data or (0,) * rank), len(self._chosen(rank))), out),)

    def _chosen(self, rank: int) -> tuple[int, ...]:
        if self.axes is None:
            return tuple(range(rank))
        return tuple(normalize_axis(axis, rank, "axes:") for axis in self.axes)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write each index along its axis."""
        shape, out = ins[0].shape, outs[0]
        places = [
            (np.arange(shape[axis]).reshape(-1, *(1,) * (len(shape) - 1 - axis)), out[..., number])
            for number, axis in enumerate(self._chosen(len(shape)))
        ]

        def run() -> None:
            for indices, target in places:
                np.copyto(target, indices)

        return run

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        wanted = list(self._chosen(len(n.in_shapes[0])))
        return [f"{n.outs[0]} = np.moveaxis(np.indices({n.in_shapes[0]}, np.int64), 0, -1)[..., {wanted}]"]

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line."""
        shape = n.in_shapes[0]
        along = ", ".join(f"torch.arange({size})" for size in shape)
        wanted = list(self._chosen(len(shape)))
        return [f"{n.outs[0]} = torch.stack(torch.meshgrid({along}, indexing='ij'), -1)[..., {wanted}]"]

    def summary(self) -> str:
        """The axes."""
        return "" if self.axes is None else "axes " + ", ".join(str(axis) for axis in self.axes)


class Finite(Fact):
    """Whether all elements are finite, as the number 1 or 0."""

    kinds = "f"
    fact_type = np.dtype(np.float32)

    work = Work(takes=0.4)

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """It is one number."""
        return ins, (merge((1,), outs[0]),)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Look at one array after the other."""

        def run() -> None:
            outs[0].fill(all(np.isfinite(array).all() for array in ins))

        return run

    def multiply_adds(self, ins: Shapes, outs: Shapes) -> int:
        """Count one for every element."""
        return sum(map(element_count, ins))

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        each = " and ".join(f"np.isfinite({name}).all()" for name in n.ins)
        return [f"{n.outs[0]} = np.array([{each}], np.float32)"]

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line, without a look at the answer, for which a graphics card would have to be waited for."""
        each = ", ".join(f"torch.isfinite({name}).all()" for name in n.ins)
        return [f"{n.outs[0]} = torch.stack([{each}]).all().reshape(1).float()"]


@operator(name="all_finite", category="Comparison")
class AllFinite(Finite):
    """Tell whether every element is finite: 1 if so, 0 where one is infinite or no number."""

    init_output: bool = param(
        default=True, advanced=True, doc="Kept in files; MXNet begins with whatever is in memory without it."
    )

    examples = (Example({"data": (2, 3)}),)


@operator(name="multi_all_finite", category="Comparison")
class MultiAllFinite(Finite):
    """Tell whether every element of all arrays is finite: 1 if so, 0 where one is infinite or no number."""

    num_arrays: int = param(default=1, low=1, doc="How many arrays are looked at.")
    init_output: bool = param(
        default=True, advanced=True, doc="Kept in files; MXNet begins with whatever is in memory without it."
    )

    examples = (Example({"array_0": (2, 3), "array_1": (4,)}, num_arrays=2), Example({"array_0": (5,)}))

    @property
    def inputs(self) -> tuple[Port, ...]:
        """One for each of `num_arrays`."""
        return tuple(Port(f"array_{number}") for number in range(self.num_arrays))

    def summary(self) -> str:
        """How many arrays."""
        return f"{self.num_arrays} arrays"

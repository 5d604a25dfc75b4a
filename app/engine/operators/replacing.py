"""Slices put in the place of others: _contrib_index_copy."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from app.engine.errors import ShapeError
from app.engine.examples import Domain, Example
from app.engine.kernels.indices import whole_numbers
from app.engine.kernels.steps import Step
from app.engine.operator import Arrays, CodeNames, GradientKind, Port, Reads, Types, operator
from app.engine.operators.prepared import Flow, Prepared, gradient_lines
from app.engine.shapes import Inferred, Shapes, merge, text
from app.engine.work_space import Work, WorkSpace


@operator(name="_contrib_index_copy", category="Indexing")
class IndexCopy(Prepared):
    """Put new slices in the place of those with the given indices along the first axis."""

    only_moves = True

    kinds = "iuf"

    work = Work(keeps=2.1, keeps_back=2.1)

    examples = (
        Example(
            {"old_tensor": (5, 3), "index_vector": (2,), "new_tensor": (2, 3)},
            domains={"index_vector": Domain(0, 4, whole=True)},
            gradient=False,  # an index may come twice
        ),
        Example(
            {"old_tensor": (3,), "index_vector": (1,), "new_tensor": (1,)},
            domains={"index_vector": Domain(0, 2, whole=True)},
        ),
    )

    @property
    def inputs(self) -> tuple[Port, ...]:
        """The old slices, which of them are replaced, and the new ones."""
        return Port("old_tensor"), Port("index_vector"), Port("new_tensor")

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """There are as many new slices as indices, and no more than old ones; all slices are alike."""
        old, indices, new = merge(ins[0], outs[0], "old_tensor"), merge((0,), ins[1], "index_vector"), ins[2]
        if old:
            new = merge((indices[0], *old[1:]), new, "new_tensor")
        if new:
            indices = merge((new[0],), indices, "index_vector")
            old = merge((0, *new[1:]), old, "new_tensor")
        if old and old[0] and indices[0] > old[0]:
            raise ShapeError(
                f"{indices[0]} slices cannot replace those of {text(old)}: there are only {old[0]}.",
                port="index_vector",
            )
        return (old, indices, new), (old,)

    def infer_types(self, ins: Types, outs: Types) -> tuple[Types, Types]:
        """Slices and value have one type; the indices may have any."""
        kinds = {kind for kind in (ins[0], ins[2], outs[0]) if kind is not None}
        if len(kinds) > 1:
            met = " and ".join(sorted(map(str, kinds)))
            raise ShapeError(
                f"old and new slices must have one type, but there are {met}.", port="new_tensor"
            )
        kind = next(iter(kinds), None)
        return (kind, ins[1], kind), (kind,)

    def scratch(self, ins: Shapes, outs: Shapes, *, gradients: bool) -> WorkSpace:
        """Count by the indices: they become whole numbers."""
        return self.work.beside(max(ins[1], default=0), gradients=gradients)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the old slices, then the new ones; of two with one index the last stays."""
        read, places = whole_numbers(ins[1])

        def run() -> None:
            read()
            if places.min() < 0:  # numpy would count from the end, and MXNet write before the array
                raise IndexError(f"index {places.min()} is below 0")
            np.copyto(outs[0], ins[0])
            outs[0][places] = ins[2]

        return run

    def gradient_kind(self, index: int) -> GradientKind:
        """MXNet leaves the buffer of the indices as it is."""
        return "untouched" if index == 1 else "value"

    def gradient_reads(self, index: int) -> Reads:
        """Which slices were replaced is all that is read."""
        return Reads(inputs=(1,), heads=index != 1)

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients; every new slice gets what came to its place, even if it was overwritten."""
        read, places = whole_numbers(flow.read(1))
        steps: list[Step] = [read]
        for index, grad in sorted(flow.wanted, key=lambda pair: -pair[0]):
            if index == 2:
                steps.append(partial(np.take, flow.head, places, 0, grad, "clip"))
            else:
                steps += [partial(np.copyto, grad, flow.head), partial(grad.__setitem__, places, 0)]
        return steps

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        if index == 2:
            return f"{heads[0]} at the places {ins[1]}"
        return f"{heads[0]}, but 0 at the places {ins[1]}"

    def numpy_code(self, n: CodeNames) -> list[str]:
        """Copy, then replace."""
        return [
            f"{n.outs[0]} = {n.ins[0]}.copy()",
            f"{n.outs[0]}[{n.ins[1]}.astype(np.int64)] = {n.ins[2]}",
        ]

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = {n.ins[0]}.index_copy(0, {n.ins[1]}.long(), {n.ins[2]})"]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """One line for each wanted gradient, and one that clears what was replaced."""
        head, places = n.heads[0], f"{n.ins[1]}.astype(np.int64)"
        lines = gradient_lines(n, [f"{head}.copy()", "", f"{head}[{places}]"])
        if n.grads[0] is not None and head is not None:
            lines.append(f"{n.grads[0]}[{places}] = 0")
        return lines

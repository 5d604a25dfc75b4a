"""Operators that fix their buffers once and then run as calls without arguments."""

from collections.abc import Sequence
from typing import ClassVar

import attrs
import numpy as np

from app.engine.kernels.pieces import work_space_of_pieces
from app.engine.kernels.steps import Step, in_order, without_gradient
from app.engine.operator import Array, Arrays, CodeNames, Operator, OptionalArrays, Run
from app.engine.shapes import Shapes, element_count
from app.engine.work_space import WorkSpace


@attrs.frozen(eq=False)
class Flow:
    """The buffers of one backward. Arrays that no wanted gradient reads are None. `overwritten` is that of `Run`."""

    ins: OptionalArrays
    outs: OptionalArrays
    heads: OptionalArrays
    grads: OptionalArrays
    overwritten: bool = False

    @property
    def head(self) -> Array:
        """The incoming gradient of the first output."""
        return present(self.heads[0])

    def read(self, index: int) -> Array:
        """Return an input that a wanted gradient reads."""
        return present(self.ins[index])

    @property
    def out(self) -> Array:
        """The first output, which a wanted gradient reads."""
        return present(self.outs[0])

    @property
    def wanted(self) -> list[tuple[int, Array]]:
        """The inputs whose gradient is wanted, with its buffer; one that may overwrite a head gradient comes last."""
        found = [(index, grad) for index, grad in enumerate(self.grads) if grad is not None]
        heads = [head for head in self.heads if head is not None]
        return sorted(found, key=lambda pair: any(np.may_share_memory(pair[1], head) for head in heads))


def present(array: Array | None) -> Array:
    """Return an array that must be there."""
    if array is None:
        raise RuntimeError("a gradient reads an array that it did not name")
    return array


class Prepared(Operator):
    """An operator that says its forward and backward as steps on fixed buffers.

    Its backward is only asked while something flows in; the gradient is zero otherwise.
    """

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Return the step that writes the outputs."""
        raise NotImplementedError(self.op_name)

    def backward_steps(self, flow: Flow) -> Sequence[Step]:
        """Return the steps that write the wanted gradients."""
        raise NotImplementedError(self.op_name)

    def forward(self, run: Run, ins: Arrays, outs: Arrays) -> None:
        """Run the forward step at once."""
        self.prepare_forward(run, ins, outs)()

    def backward(
        self,
        run: Run,
        ins: OptionalArrays,
        outs: OptionalArrays,
        heads: OptionalArrays,
        grads: OptionalArrays,
    ) -> None:
        """Run the backward steps at once."""
        self.prepare_backward(run, ins, outs, heads, grads)()

    def prepare_forward(self, run: Run, ins: Arrays, outs: Arrays) -> Step:
        """Fix the buffers."""
        return self.forward_step(ins, outs)

    def prepare_backward(
        self,
        run: Run,
        ins: OptionalArrays,
        outs: OptionalArrays,
        heads: OptionalArrays,
        grads: OptionalArrays,
    ) -> Step:
        """Fix the buffers; an input without a gradient of its own gets zeros."""
        without = [self.gradient_kind(index) != "value" for index in range(len(grads))]
        zeros = [grad if flat else None for grad, flat in zip(grads, without, strict=True)]
        if all(head is None for head in heads):
            return without_gradient(grads)
        rest = [None if flat else grad for grad, flat in zip(grads, without, strict=True)]
        steps = list(self.backward_steps(Flow(ins, outs, heads, rest, run.overwritten)))
        return in_order([*([without_gradient(zeros)] if any(without) else []), *steps])


class InPieces(Prepared):
    """A prepared operator whose kernels work on large arrays piece by piece."""

    passing_pieces: ClassVar[int] = 8
    """How many arrays as large as a piece are made on the way, at most; whole numbers take the most."""

    def scratch(self, ins: Shapes, outs: Shapes, *, gradients: bool) -> WorkSpace:
        """Count some pieces, however large the arrays are."""
        return work_space_of_pieces(element_count(outs[0]), self.passing_pieces, gradients=gradients)


def gradient_lines(n: CodeNames, code: Sequence[str]) -> list[str]:
    """Assign each wanted gradient its code; an empty code, or nothing flowing in, makes zeros."""
    idle = all(head is None for head in n.heads)
    return [
        f"{grad} = {f'np.zeros_like({name})' if idle or not line else line}"
        for grad, name, line in zip(n.grads, n.ins, code, strict=False)
        if grad is not None
    ]

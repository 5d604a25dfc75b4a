"""Division by what follows from the shape: _contrib_div_sqrt_dim."""

from collections.abc import Sequence
from math import sqrt

import numpy as np

from app.engine.examples import Example
from app.engine.kernels.steps import Step, ufunc
from app.engine.operator import Array, Arrays, CodeNames, Reads, operator
from app.engine.operators.formulas import number
from app.engine.operators.prepared import Flow, Prepared, gradient_lines
from app.engine.shapes import Shapes
from app.engine.split import Split, alike
from app.engine.work_space import Work


@operator(name="_contrib_div_sqrt_dim", category="Functions")
class DivSqrtDim(Prepared):
    """Divide by the square root of the size of the last axis, as attention does with its scores.

    y = x / √size
    """

    kinds = "iuf"

    work = Work(takes=1.8, takes_back=1.8)

    examples = (Example({"data": (2, 3, 5)}), Example({"data": (4,)}))

    @property
    def inplace(self) -> tuple[tuple[int, int], ...]:
        """The value may overwrite the data."""
        return ((0, 0),)

    @property
    def inplace_backward(self) -> tuple[tuple[int, int], ...]:
        """The gradient may overwrite the incoming one."""
        return ((0, 0),)

    def splits(self, ins: Shapes, outs: Shapes) -> Sequence[Split]:
        """Elements know nothing of each other, but for the size of the last axis."""
        return alike(len(outs[0]) - 1, 1, 1)

    @staticmethod
    def _divided(array: Array, size: int, out: Array) -> Step:
        """Divide by the root in the array's own type, as MXNet does with whole numbers too."""
        if out.dtype.kind == "f":
            return ufunc(np.divide, array, np.array(sqrt(size), out.dtype), out=out)
        whole = int(sqrt(size))
        return lambda: np.copyto(out, np.where(array < 0, -(-array // whole), array // whole), "unsafe")

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        return self._divided(ins[0], ins[0].shape[-1], outs[0])

    def gradient_reads(self, index: int) -> Reads:
        """The gradient is the incoming one, divided too."""
        return Reads()

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients."""
        return [self._divided(flow.head, grad.shape[-1], grad) for _, grad in flow.wanted]

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        return f"{heads[0]} / √(last size of {ins[0]})"

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = {n.ins[0]} / {number(sqrt(n.in_shapes[0][-1]))}"]

    torch_code = numpy_code

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return gradient_lines(n, [f"{n.heads[0]} / {number(sqrt(n.in_shapes[0][-1]))}"])

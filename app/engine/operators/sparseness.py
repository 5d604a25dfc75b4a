"""IdentityAttachKLSparseReg: a penalty that keeps hidden units mostly off."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from app.engine.errors import ShapeError
from app.engine.examples import Domain, Example
from app.engine.kernels.steps import Step, copy
from app.engine.operator import Arrays, Port, Reads, operator
from app.engine.operators.prepared import Flow, Prepared, present
from app.engine.params import param
from app.engine.shapes import Inferred, Shapes, merge, text
from app.engine.work_space import Work


@operator(category="Losses")
class IdentityAttachKLSparseReg(Prepared):
    """Hand activations through, and add to their gradient what pulls their mean towards a small target.

    d(data) = d(y) + penalty · (−target / mean + (1 − target) / (1 − mean)), the mean moving over batches
    """

    kinds = "f"

    work = Work(takes_back=1.3)

    sparseness_target: float = param(default=0.1, low=0, high=1, doc="The mean that units are pulled to.")
    penalty: float = param(default=0.001, doc="Strength of the pull.")
    momentum: float = param(
        default=0.9, low=0, high=1, doc="How much of the moving mean each backward keeps."
    )

    # The penalty is in no output, so finite differences cannot see it.
    examples = (Example({"data": (4, 3)}, domains={"data": Domain(0.1, 0.9)}, gradient=False),)

    @property
    def auxiliary(self) -> tuple[Port, ...]:
        """The moving mean of every unit."""
        return (Port("moving_avg", "auxiliary", "zero"),)

    @property
    def updates_auxiliary(self) -> Literal["", "forward", "backward"]:
        """The moving mean changes in backward."""
        return "backward"

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """There is one moving mean per unit."""
        data = merge(ins[0], outs[0], "data")
        if len(data) == 1:
            raise ShapeError(f"data is {text(data)}, but units stand on its second axis.", port="data")
        moving = merge((data[1] if data else 0,), ins[1], "moving_avg")
        return (data, moving), (data,)

    @property
    def inplace(self) -> tuple[tuple[int, int], ...]:
        """The result may take data's place."""
        return ((0, 0),)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Hand data through."""
        if ins[0].ndim != 2:  # MXNet infers more axes and refuses to run them
            raise ShapeError(f"data is {text(ins[0].shape)}, but only two axes can run.", port="data")
        return copy(ins[0], outs[0])

    def gradient_reads(self, index: int) -> Reads:
        """The penalty reads the activations and the moving mean."""
        return Reads(inputs=(0, 1))

    def backward_steps(self, flow: Flow) -> Sequence[Step]:
        """Move the mean, then add the pull."""
        data, moving, grad = flow.read(0), present(flow.ins[1]), flow.wanted[0][1]

        def run() -> None:
            np.multiply(moving, self.momentum, out=moving)
            np.add(moving, data.mean(axis=0) * (1 - self.momentum), out=moving)
            target = self.sparseness_target
            pull = (1 - target) / (1 - moving) - target / moving
            np.add(flow.head, pull * self.penalty, out=grad)

        return [run]

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the head gradient and the pull."""
        target, mean = f"{self.sparseness_target:g}", ins[1]
        pull = f"−{target} / {mean} + {1 - self.sparseness_target:g} / (1 − {mean})"
        return f"{heads[0]} + {self.penalty:g} · ({pull})"

    def summary(self) -> str:
        """Return target and strength."""
        return f"target {self.sparseness_target:g} · {self.penalty:g}"

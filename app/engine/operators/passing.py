"""What operators share that hand their input through and say something about its gradient."""

from collections.abc import Callable

from app.engine.kernels.steps import copy
from app.engine.operator import Arrays, CodeNames, Operator, Run


class Passing(Operator):
    """What operators have in common that hand their input through."""

    only_moves = True

    def prepare_forward(self, run: Run, ins: Arrays, outs: Arrays) -> Callable[[], object]:
        """Copy, or do nothing where input and output are one buffer."""
        return copy(ins[0], outs[0])

    def forward(self, run: Run, ins: Arrays, outs: Arrays) -> None:
        """Hand data through."""
        copy(ins[0], outs[0])()

    @property
    def inplace(self) -> tuple[tuple[int, int], ...]:
        """The result may take data's place."""
        return ((0, 0),)

    def numpy_code(self, n: CodeNames) -> list[str]:
        """Hand data through."""
        return [f"{n.outs[0]} = {n.ins[0]}"]

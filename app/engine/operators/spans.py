"""Arrays out of nothing that two numbers span: _eye, _linspace."""

from functools import partial
from math import isfinite
from typing import Annotated

import numpy as np

from app.engine.errors import ShapeError
from app.engine.examples import Example
from app.engine.kernels.steps import Step
from app.engine.operator import Arrays, CodeNames, operator, refuse
from app.engine.operators.element_types import NUMBERS
from app.engine.operators.formulas import number
from app.engine.operators.from_nothing import Source, spelt
from app.engine.params import WIDE, param
from app.engine.shapes import Inferred, Shapes, merge, text
from app.engine.work_space import Work


@operator(name="_eye", category="Constants")
class Eye(Source):
    """Make a matrix of zeros with ones along a diagonal."""

    only_moves = True

    work = Work(keeps=2.1, takes=1.1)

    N: Annotated[int, WIDE] = param(doc="The number of rows.")
    M: Annotated[int, WIDE] = param(default=0, doc="The number of columns; as many as rows if 0.")
    k: Annotated[int, WIDE] = param(
        default=0, doc="How far the diagonal lies to the right of the middle one."
    )
    ctx: str = param(default="", doc="Where MXNet puts the array; no matter here.", advanced=True)
    dtype: str = param(default="float32", choices=NUMBERS[1:], doc="Type of the elements.")

    examples = (Example({}, N=3), Example({}, N=2, M=4, k=1, dtype="int32"), Example({}, N=4, M=2, k=-1))

    @property
    def sizes(self) -> tuple[int, int]:
        """Rows and columns."""
        if self.N < 1:
            raise ShapeError(f"N is {self.N}, but a matrix has at least one row.")
        return self.N, self.M if self.M > 0 else self.N

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Take the sizes."""
        return (), (merge(self.sizes, outs[0]),)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        return lambda: np.copyto(outs[0], np.eye(*self.sizes, self.k, outs[0].dtype))

    def summary(self) -> str:
        """The sizes, and which diagonal."""
        return text(self.sizes) + (f" · diagonal {self.k}" if self.k else "")

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        rows, columns = self.sizes
        return [f"{n.outs[0]} = np.eye({rows}, {columns}, {self.k}, {spelt(self.dtype, 'np')})"]

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line."""
        ones = f"torch.full({self.sizes}, 1, dtype={spelt(self.dtype, 'torch')})"
        return [f"{n.outs[0]} = {ones}.tril({self.k}).triu({self.k})"]


@operator(name="_linspace", category="Constants")
class Linspace(Source):
    """Go from one number to another in equal steps."""

    only_moves = True

    work = Work(keeps=2.1, takes=4.6)

    start: Annotated[float, WIDE] = param(doc="The first number.")
    stop: Annotated[float, WIDE] = param(doc="The last number, or where the next one would be.")
    num: int = param(doc="How many numbers.")
    endpoint: bool = param(default=True, doc="Whether stop is the last number.")
    ctx: str = param(default="", doc="Where MXNet puts the array; no matter here.", advanced=True)
    dtype: str = param(default="float32", choices=NUMBERS, doc="Type of the elements.")

    examples = (
        Example({}, start=0.0, stop=1.0, num=5),
        Example({}, start=5.0, stop=-5.0, num=4, endpoint=False),
        Example({}, start=0.7, stop=9.3, num=5, dtype="int32"),
    )

    def check(self) -> None:
        """Refuse ends that are no numbers."""
        super().check()
        for name in ("start", "stop"):
            value = getattr(self, name)
            refuse(not isfinite(value), f"{name} is {value}, but it must be a finite number.", port=name)

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Take the count."""
        if self.num < 1:
            raise ShapeError(f"num is {self.num}, but at least one number is needed.")
        return (), (merge((self.num,), outs[0]),)

    @property
    def _step(self) -> float:
        steps = self.num - 1 if self.endpoint else self.num
        return (self.stop - self.start) / steps if steps else 0.0

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        numbers = self.start + self._step * np.arange(outs[0].size)
        if outs[0].dtype.kind in "iu":
            numbers = numbers.astype(np.int64)
        return partial(np.copyto, outs[0], numbers.astype(outs[0].dtype))

    def summary(self) -> str:
        """From where to where, and how many."""
        return f"{self.start:g} … {self.stop:g} · {self.num}"

    def _code(self, n: CodeNames, library: str, convert: str) -> list[str]:
        code = f"{library}.arange({self.num}) * {number(self._step)} + {number(self.start)}"
        return [f"{n.outs[0]} = ({code}).{convert}({spelt(self.dtype, library)})"]

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return self._code(n, "np", "astype")

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return self._code(n, "torch", "to")

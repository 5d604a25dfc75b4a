"""Arrays out of nothing: _zeros, _ones, _full, _arange, _eye, _linspace."""

from functools import partial
from math import ceil, isfinite
from typing import Annotated, ClassVar

import attrs
import numpy as np

from app.engine.errors import ShapeError
from app.engine.examples import Example
from app.engine.kernels.steps import Step, fill
from app.engine.operator import Arrays, CodeNames, Port, Types, operator, refuse
from app.engine.operators.element_types import NUMBERS, WITH_BOOL, check_type, named_type
from app.engine.operators.formulas import number
from app.engine.operators.prepared import Prepared
from app.engine.params import LARGEST_SIZE, WIDE, param
from app.engine.shapes import UNKNOWN, Inferred, Shapes, element_count, merge, text
from app.engine.work_space import Work


class Source(Prepared):
    """An operator without inputs."""

    dtype: str

    @property
    def inputs(self) -> tuple[Port, ...]:
        """There are none."""
        return ()

    def check(self) -> None:
        """Refuse a type that is not there."""
        check_type(self.dtype)

    def infer_types(self, ins: Types, outs: Types) -> tuple[Types, Types]:
        """The value has the named type."""
        return (), (named_type(self.dtype),)

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """There is no input to differentiate."""
        return []


@attrs.frozen
class Constant(Source):
    """One number everywhere."""

    only_moves = True

    shape: tuple[int, ...] = param(default=(), low=0, doc="The sizes; 0 is left to what it is used with.")
    ctx: str = param(default="", doc="Where MXNet puts the array; no matter here.", advanced=True)
    dtype: str = param(default="float32", choices=WITH_BOOL, doc="Type of the elements.")
    number: ClassVar[int] = 0

    examples = (Example({}, shape=(2, 3)), Example({}, shape=(4,), dtype="float64"))

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Take the given sizes; open ones come from what the value is used with."""
        return (), (merge(self.shape, outs[0]),)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        return fill(outs[0], self.number)

    def summary(self) -> str:
        """The shape."""
        return text(self.shape)

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = np.full({n.out_shapes[0]}, {self.number}, {_spelt(self.dtype, 'np')})"]

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [
            f"{n.outs[0]} = torch.full({n.out_shapes[0]}, {self.number}, dtype={_spelt(self.dtype, 'torch')})"
        ]


def _spelt(dtype: str, library: str) -> str:
    return "bool" if dtype == "bool" and library == "np" else f"{library}.{dtype}"


@operator(name="_zeros", category="Constants")
class Zeros(Constant):
    """Make zeros."""

    number = 0


@operator(name="_ones", category="Constants")
class Ones(Constant):
    """Make ones."""

    number = 1


@operator(name="_full", category="Constants")
class Full(Source):
    """Make an array of one number."""

    only_moves = True

    shape: tuple[int, ...] | None = param(
        default=None, low=0, doc="The sizes; 0 is left to what it is used with."
    )
    ctx: str = param(default="", doc="Where MXNet puts the array; no matter here.", advanced=True)
    dtype: str = param(default="float32", choices=WITH_BOOL, doc="Type of the elements.")
    value: Annotated[float, WIDE] = param(doc="The number.")

    examples = (Example({}, shape=(2, 3), value=2.5), Example({}, shape=(4,), value=-1, dtype="int32"))

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Take the given sizes; open ones come from what the value is used with."""
        return (), (merge(self.shape or UNKNOWN, outs[0]),)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        return partial(outs[0].fill, np.array(self.value).astype(outs[0].dtype))

    def summary(self) -> str:
        """The number and the shape."""
        return f"{self.value:g} · {text(self.shape or UNKNOWN)}"

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = np.full({n.out_shapes[0]}, {number(self.value)}, {_spelt(self.dtype, 'np')})"]

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line."""
        value = number(self.value).replace("np.", "torch.")
        return [f"{n.outs[0]} = torch.full({n.out_shapes[0]}, {value}, dtype={_spelt(self.dtype, 'torch')})"]


@operator(name="_arange", category="Constants")
class Arange(Source):
    """Count from start up to, but not including, stop; with start alone from 0 up to it."""

    only_moves = True

    work = Work(keeps=2.1, takes=4.6)

    start: Annotated[float, WIDE] = param(doc="The first number, or the end when stop is None.")
    stop: Annotated[float, WIDE] | None = param(default=None, doc="The number to stop before.")
    step: Annotated[float, WIDE] = param(default=1.0, doc="The distance between numbers.")
    repeat: int = param(default=1, low=1, doc="How often each number stands.")
    infer_range: bool = param(
        default=False, doc="Let what the value is used with decide where to stop.", advanced=True
    )
    ctx: str = param(default="", doc="Where MXNet puts the array; no matter here.", advanced=True)
    dtype: str = param(default="float32", choices=WITH_BOOL[:1] + WITH_BOOL[2:], doc="Type of the elements.")

    examples = (
        Example({}, start=5),
        Example({}, start=1, stop=7, step=2),
        Example({}, start=0, stop=3, repeat=2),
        Example({}, start=3, stop=0, step=-1),
    )

    def check(self) -> None:
        """Refuse to count without moving, or to where no number is."""
        super().check()
        for name in ("start", "stop", "step"):
            value = getattr(self, name)
            sentence = f"{name} is {value}, but it must be a finite number."
            refuse(value is not None and not isfinite(value), sentence, port=name)
        refuse(self.step == 0, "step is 0, but it must be another number.", port="step")

    @property
    def _bounds(self) -> tuple[float, float]:
        return (0.0, self.start) if self.stop is None else (self.start, self.stop)

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Count the steps."""
        if self.infer_range and self.stop is None:
            return (), outs
        first, last = self._bounds
        steps = (last - first) / self.step
        if not steps < LARGEST_SIZE:
            raise ShapeError(f"counting from {first:g} to {last:g} in steps of {self.step:g} never ends.")
        count = ceil(max(steps, 0))
        if count < 1:
            raise ShapeError(f"counting from {first:g} to {last:g} in steps of {self.step:g} gives nothing.")
        return (), (merge((count * self.repeat,), outs[0]),)

    def _first(self) -> float:
        return self.start if self.infer_range else self._bounds[0]

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        count = -(-element_count(outs[0].shape) // self.repeat)
        first, step = self._first(), self.step
        if outs[0].dtype.kind in "iu":  # MXNet cuts both before it counts
            first, step = int(first), int(step)
        numbers = np.repeat(first + step * np.arange(count), self.repeat)
        return partial(np.copyto, outs[0], numbers[: outs[0].size].astype(outs[0].dtype))

    def summary(self) -> str:
        """From where to where."""
        first, last = self._bounds
        return f"{first:g} … {last:g}" + ("" if self.step == 1 else f" · step {self.step:g}")

    def _code(self, n: CodeNames, library: str) -> list[str]:
        count = n.out_shapes[0][0] // self.repeat
        whole = named_type(self.dtype).kind in "iu"
        first, step = (int(end) if whole else end for end in (self._first(), self.step))
        code = f"{library}.arange({count}) * {number(step)} + {number(first)}"
        repeated = "repeat" if library == "np" else "repeat_interleave"
        code = f"({code}).{repeated}({self.repeat})" if self.repeat > 1 else f"({code})"
        return [
            f"{n.outs[0]} = {code}.{'astype' if library == 'np' else 'to'}({_spelt(self.dtype, library)})"
        ]

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return self._code(n, "np")

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return self._code(n, "torch")


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
        return [f"{n.outs[0]} = np.eye({rows}, {columns}, {self.k}, {_spelt(self.dtype, 'np')})"]

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line."""
        ones = f"torch.full({self.sizes}, 1, dtype={_spelt(self.dtype, 'torch')})"
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
        return [f"{n.outs[0]} = ({code}).{convert}({_spelt(self.dtype, library)})"]

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return self._code(n, "np", "astype")

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return self._code(n, "torch", "to")

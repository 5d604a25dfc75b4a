"""Arrays out of nothing: _zeros, _ones, _full, _arange, _contrib_arange_like."""

from functools import partial
from math import ceil, isfinite
from typing import Annotated, ClassVar

import attrs
import numpy as np

from app.engine.errors import ShapeError
from app.engine.examples import Example
from app.engine.kernels.steps import Step, fill
from app.engine.operator import Array, Arrays, CodeNames, DType, operator, refuse
from app.engine.operators.element_types import WITH_BOOL, cut_number, named_type
from app.engine.operators.formulas import number
from app.engine.operators.from_nothing import Source, spelt
from app.engine.operators.without_gradient import ZeroGradient
from app.engine.params import LARGEST_SIZE, WIDE, param
from app.engine.shapes import UNKNOWN, Inferred, Shape, Shapes, element_count, merge, normalize_axis, text
from app.engine.work_space import Work, WorkSpace

_COUNTED: DType = np.dtype(np.int64)


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
        return [f"{n.outs[0]} = np.full({n.out_shapes[0]}, {self.number}, {spelt(self.dtype, 'np')})"]

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [
            f"{n.outs[0]} = torch.full({n.out_shapes[0]}, {self.number}, dtype={spelt(self.dtype, 'torch')})"
        ]


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

    def _cut(self) -> str:
        """Spell the number as the type holds it."""
        return number(np.array(self.value).astype(named_type(self.dtype)).item())

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = np.full({n.out_shapes[0]}, {self._cut()}, {spelt(self.dtype, 'np')})"]

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line."""
        value = self._cut().replace("np.", "torch.")
        return [f"{n.outs[0]} = torch.full({n.out_shapes[0]}, {value}, dtype={spelt(self.dtype, 'torch')})"]


@attrs.frozen
class Count:
    """Counting from a first number in steps, each number so often."""

    first: float
    step: float
    repeat: int

    def numbers(self, shape: Shape, dtype: DType) -> Array:
        """Return so many numbers."""
        size = element_count(shape)
        first, step = self._cut(dtype)
        numbers = np.repeat(first + step * np.arange(-(-size // self.repeat)), self.repeat)
        return numbers[:size].astype(dtype).reshape(shape)

    def _cut(self, dtype: DType) -> tuple[float, float]:
        """Return first number and step; MXNet cuts both for all but the wider fractions before it counts."""
        if dtype.kind == "f" and dtype.itemsize > 2:
            return self.first, self.step
        first, step = (int(cut_number(end, _COUNTED)) for end in (self.first, self.step))
        return first, step

    def code(self, shape: Shape, dtype: DType, library: str) -> str:
        """Write it for numpy or PyTorch, before the type is changed."""
        size = element_count(shape)
        first, step = self._cut(dtype)
        count = -(-size // self.repeat)
        code = f"({library}.arange({count}) * {number(step)} + {number(first)})"
        if self.repeat > 1:
            code += f".{'repeat' if library == 'np' else 'repeat_interleave'}({self.repeat})"
        code += "" if count * self.repeat == size else f"[:{size}]"
        return code if len(shape) == 1 else f"{code}.reshape({shape})"


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

    @property
    def count(self) -> Count:
        """From where it is counted, and how."""
        first = self.start if self.infer_range else self._bounds[0]
        return Count(first, self.step, self.repeat)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        return partial(np.copyto, outs[0], self.count.numbers(outs[0].shape, outs[0].dtype))

    def summary(self) -> str:
        """From where to where."""
        first, last = self._bounds
        return f"{first:g} … {last:g}" + ("" if self.step == 1 else f" · step {self.step:g}")

    def _code(self, n: CodeNames, library: str) -> list[str]:
        code = self.count.code(n.out_shapes[0], named_type(self.dtype), library)
        return [f"{n.outs[0]} = {code}.{'astype' if library == 'np' else 'to'}({spelt(self.dtype, library)})"]

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return self._code(n, "np")

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return self._code(n, "torch")


@operator(name="_contrib_arange_like", category="Constants")
class ArangeLike(ZeroGradient):
    """Count as far as an array has elements, or places along one axis; its numbers are no matter."""

    only_moves = True

    kinds = "iuf"

    work = Work(keeps=2.1, takes=4.6)

    start: Annotated[float, WIDE] = param(default=0.0, doc="The first number.")
    step: Annotated[float, WIDE] = param(default=1.0, doc="The distance between numbers.")
    repeat: int = param(default=1, low=1, doc="How often each number stands.")
    ctx: str = param(default="", doc="Where MXNet puts the array; no matter here.", advanced=True)
    axis: int | None = param(default=None, doc="The axis whose places are counted; None counts all elements.")

    examples = (
        Example({"data": (2, 3)}, start=1, step=0.5),
        Example({"data": (2, 5)}, axis=-1, repeat=2),
        Example({"data": (4,)}, axis=0),
    )

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Take the data's shape, or the size of one axis, which may follow from the value too."""
        if self.axis is None:
            return super().infer(ins, outs)
        data, out = ins[0], merge((0,), outs[0])
        if not data:
            return ins, (out,)
        axis = normalize_axis(self.axis, len(data))
        out = merge((data[axis],), out)
        return ((*data[:axis], *out, *data[axis + 1 :]),), (out,)

    def scratch(self, ins: Shapes, outs: Shapes, *, gradients: bool) -> WorkSpace:
        """Count by the value: the data may be much larger."""
        return self.work.beside(element_count(outs[0]), gradients=gradients)

    @property
    def count(self) -> Count:
        """From where it is counted, and how."""
        return Count(self.start, self.step, self.repeat)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        return partial(np.copyto, outs[0], self.count.numbers(outs[0].shape, outs[0].dtype))

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = {self._code(n, 'np')}.astype({n.ins[0]}.dtype)"]

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = {self._code(n, 'torch')}.to({n.ins[0]}.dtype)"]

    def _code(self, n: CodeNames, library: str) -> str:
        return self.count.code(n.out_shapes[0], named_type(n.dtype), library)

    def summary(self) -> str:
        """From where on, and along which axis."""
        return f"{self.start:g} …" + ("" if self.axis is None else f" · axis {self.axis}")

"""Softmax and its relatives: numbers along an axis become shares that add up to one."""

from collections.abc import Sequence
from typing import Annotated, ClassVar

import attrs
import numpy as np

from app.engine.errors import ShapeError
from app.engine.examples import Domain, Example
from app.engine.kernels import softmax as kernels
from app.engine.kernels.steps import Step
from app.engine.operator import Array, Arrays, CodeNames, GradientKind, Port, Reads, Types, operator, refuse
from app.engine.operators.lines import assign_zeros
from app.engine.operators.prepared import Flow, Prepared
from app.engine.params import WIDE, param
from app.engine.shapes import Inferred, Shape, Shapes, element_count, merge, normalize_axis
from app.engine.split import Split
from app.engine.work_space import Work, WorkSpace

_FLOATS = ("float16", "float32", "float64")


@attrs.frozen(kw_only=True)
class Shares(Prepared):
    """What softmax, log_softmax and softmin have in common."""

    kinds = "f"

    axis: int = param(default=-1, doc="The axis along which the shares add up to one.")
    temperature: Annotated[float, WIDE] | None = param(
        default=None,
        doc="Divides data first: below 1 sharpens the shares, above 1 evens them out.",
    )
    dtype: str | None = param(
        default=None, choices=_FLOATS, advanced=True, doc="Type of the result, if another."
    )
    use_length: bool | None = param(default=False, advanced=True, doc="Take a second input with the lengths.")

    sign_of_data: ClassVar[float] = 1.0
    """-1 where large numbers get small shares."""

    def check(self) -> None:
        """Refuse a temperature of zero."""
        refuse(self.temperature == 0, "temperature is 0, but it divides data.", port="temperature")

    @property
    def scale(self) -> float:
        """What data is multiplied with first."""
        return self.sign_of_data / (self.temperature or 1.0)

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Data and result are alike."""
        alike, results = super().infer(ins[:1], outs)
        if alike[0]:
            normalize_axis(self.axis, len(alike[0]))
        return (*alike, *ins[1:]), results

    def infer_types(self, ins: Types, outs: Types) -> tuple[Types, Types]:
        """The result has data's type unless another is asked for."""
        self.check_lengths()
        if self.dtype is None:
            alike, results = super().infer_types(ins[:1], outs)
            return (*alike, *ins[1:]), results
        return ins, (np.dtype(self.dtype),)

    def check_lengths(self) -> None:
        """Refuse use_length where there is no input for it; MXNet's shape rule lets it pass, its type rule does not."""
        if self.use_length is None or (self.use_length and len(self.inputs) == 1):
            raise ShapeError(
                f"use_length is {self.use_length}, but no lengths come in. Leave use_length out."
            )

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Set up the work arrays once."""
        data, result = kernels.along(ins[0], self.axis), kernels.along(outs[0], self.axis)
        if data.dtype == result.dtype:
            return self.kernel(data, result)
        wide = np.empty(data.shape, np.result_type(data, result))
        compute = self.kernel(wide, wide)

        def run_wide() -> None:
            np.copyto(wide, data)
            compute()
            np.copyto(result, wide, casting="same_kind")

        return run_wide

    def kernel(self, data: Array, result: Array) -> Step:
        """Prepare the result from (outer, classes, inner) views."""
        return kernels.softmax(data, result, self.scale)

    @property
    def inplace(self) -> tuple[tuple[int, int], ...]:
        """The result may take data's place."""
        return ((0, 0),) if self.dtype is None else ()

    def splits(self, ins: Shapes, outs: Shapes) -> Sequence[Split]:
        """Rows know nothing of each other."""
        rank = len(outs[0])
        return [Split((0,) * len(ins), (0,), pace=0.4)] if rank > 1 and self.axis % rank else ()

    def gradient_reads(self, index: int) -> Reads:
        """The gradient follows from the result alone."""
        return Reads(outputs=(0,))

    def backward_steps(self, flow: Flow) -> Sequence[Step]:
        """Set up the work arrays once."""
        return [self._data_gradient(flow.out, flow.head, grad) for _, grad in flow.wanted]

    def _data_gradient(self, result: Array, head: Array, grad: Array) -> Step:
        views = [kernels.along(array, self.axis) for array in (result, head, grad)]
        if result.dtype == grad.dtype:
            return self.gradient_kernel(views[0], views[1], views[2])
        wide = np.empty(views[0].shape, np.result_type(result, grad))
        compute = self.gradient_kernel(views[0], views[1], wide)

        def run_wide() -> None:
            compute()
            np.copyto(views[2], wide, casting="same_kind")

        return run_wide

    def gradient_kernel(self, result: Array, head: Array, grad: Array) -> Step:
        """Prepare the gradient from (outer, classes, inner) views."""
        return kernels.softmax_gradient(result, head, grad, self.scale)

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient over the classes."""
        return f"{self._factor_words()}{outs[0]} · ({heads[0]} − Σ {heads[0]} · {outs[0]})"

    def _factor_words(self) -> str:
        return "" if self.scale == 1 else f"{self.scale:g} · "

    def summary(self) -> str:
        """Return the axis and the temperature where they are set."""
        words = [] if self.axis == -1 else [f"axis {self.axis}"]
        if self.temperature is not None:
            words.append(f"temperature {self.temperature:g}")
        return " · ".join(words)

    # Code --------------------------------------------------------------------------------------------------------

    def scaled_code(self, name: str) -> str:
        """Write data times its scale."""
        if self.scale == 1:
            return name
        return f"-{name}" if self.scale == -1 else f"{name} * {self.scale!r}"

    def typed_code(self, expression: str, library: str) -> str:
        """Write a conversion to the wanted type."""
        if self.dtype is None:
            return expression
        return (
            f"{expression}.astype(np.{self.dtype})"
            if library == "np"
            else f"{expression}.to(torch.{self.dtype})"
        )

    def gradient_code(self, n: CodeNames, call: str) -> list[str]:
        """Write one line that assigns the gradient of data."""
        if n.heads[0] is None or n.grads[0] is None:
            return assign_zeros(n)
        factor = "" if self.scale == 1 else f" * {self.scale!r}"
        typed = "" if self.dtype is None else f".astype({n.ins[0]}.dtype)"
        return [f"{n.grads[0]} = {f'({call}{factor})' if typed else call + factor}{typed}"]

    def numpy_code(self, n: CodeNames) -> list[str]:
        """Call the part `softmax_along`."""
        call = f"softmax_along({self.scaled_code(n.ins[0])}, {self.axis})"
        return [f"{n.outs[0]} = {self.typed_code(call, 'np')}"]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """Call the part `softmax_gradient`."""
        return self.gradient_code(n, f"softmax_gradient({n.heads[0]}, {n.outs[0]}, {self.axis})")

    def torch_code(self, n: CodeNames) -> list[str]:
        """Call torch's own softmax."""
        call = f"torch.softmax({self.scaled_code(n.ins[0])}, dim={self.axis})"
        return [f"{n.outs[0]} = {self.typed_code(call, 'torch')}"]


@operator(name="softmax", category="Activation")
class Softmax(Shares):
    """Turn numbers along an axis into shares that add up to one.

    y = eˣ / Σ eˣ
    """

    work = Work(keeps=1, takes=0.4, keeps_back=0.5)
    work_of_lengths: ClassVar[Work] = Work(keeps=4.3, takes=1.7, keeps_back=0.5)

    examples = (
        Example({"data": (3, 4)}),
        Example({"data": (2, 3, 4)}, axis=1, temperature=0.5),
        Example(
            {"data": (3, 4), "length": (3,)}, domains={"length": Domain(1, 4, whole=True)}, use_length=True
        ),
    )

    @property
    def inputs(self) -> tuple[Port, ...]:
        """Data, and the lengths if they are used."""
        return (Port("data"), Port("length", "label")) if self.use_length else (Port("data"),)

    def scratch(self, ins: Shapes, outs: Shapes, *, gradients: bool) -> WorkSpace:
        """Count more where lengths leave a part of every row out."""
        if not self.use_length:
            return super().scratch(ins, outs, gradients=gradients)
        return self.work_of_lengths.beside(element_count(ins[0]), gradients=gradients)

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """There is one length for each run along the axis."""
        self.check_lengths()
        found, results = super().infer(ins, outs)
        data = found[0]
        if not self.use_length or not data:
            return found, results
        axis = normalize_axis(self.axis, len(data))
        if self.axis < -1:  # MXNet counts only the last axis from the end here
            raise ShapeError(f"with lengths, axis must be -1 or counted from the front, like {axis}.")
        return (data, merge(_without(data, axis), ins[1], "length")), results

    def gradient_kind(self, index: int) -> GradientKind:
        """Lengths get a gradient of zero."""
        return "cleared" if index == 1 else "value"

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """With lengths, everything behind a run's length gets no share."""
        if not self.use_length:
            return super().forward_step(ins, outs)
        data, result = kernels.along(ins[0], self.axis), kernels.along(outs[0], self.axis)
        wide = np.empty(data.shape, np.result_type(data, result))
        compute = kernels.softmax(wide, wide, self.scale)
        places = np.arange(data.shape[1])[:, None]
        lowest = np.finfo(wide.dtype).min if self.scale > 0 else np.finfo(wide.dtype).max

        def run_masked() -> None:
            within = places < ins[1].reshape(data.shape[0], 1, data.shape[2])
            np.copyto(wide, lowest)
            np.copyto(wide, data, where=within)
            compute()
            np.copyto(
                result, np.where(within, wide, 0), casting="same_kind"
            )  # a length of 0 leaves no number

        return run_masked

    @property
    def inplace(self) -> tuple[tuple[int, int], ...]:
        """The result may take data's place unless their types differ."""
        return () if self.use_length else super().inplace

    def numpy_code(self, n: CodeNames) -> list[str]:
        """Call the part `softmax_along`, or `softmax_within` with lengths."""
        if not self.use_length:
            return super().numpy_code(n)
        call = f"softmax_within({self.scaled_code(n.ins[0])}, {n.ins[1]}, {self.axis})"
        return [f"{n.outs[0]} = {self.typed_code(call, 'np')}"]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """Call the part `softmax_gradient`; lengths get zeros."""
        lines = super().numpy_gradient_code(n)
        if self.use_length and n.heads[0] is not None and n.grads[0] is not None and n.grads[1]:
            lines.append(f"{n.grads[1]} = np.zeros_like({n.ins[1]})")
        return lines

    def torch_code(self, n: CodeNames) -> list[str]:
        """Call torch's own softmax, or the part `softmax_within` with lengths."""
        if not self.use_length:
            return super().torch_code(n)
        call = f"softmax_within({self.scaled_code(n.ins[0])}, {n.ins[1]}, {self.axis})"
        return [f"{n.outs[0]} = {self.typed_code(call, 'torch')}"]


@operator(name="log_softmax", category="Activation")
class LogSoftmax(Shares):
    """Give the logarithm of softmax, without the loss of precision of doing both in turn.

    y = x − log Σ eˣ
    """

    work = Work(keeps=1.5, takes=0.4, keeps_back=0.5)

    examples = (
        Example({"data": (3, 4)}),
        Example({"data": (2, 3, 4)}, axis=1, temperature=2.0),
    )

    def kernel(self, data: Array, result: Array) -> Step:
        """Prepare the logarithm of the shares."""
        return kernels.log_softmax(data, result, self.scale)

    def gradient_kernel(self, result: Array, head: Array, grad: Array) -> Step:
        """Prepare the gradient from the logarithms."""
        return kernels.log_softmax_gradient(result, head, grad, self.scale)

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient over the classes."""
        return f"{self._factor_words()}({heads[0]} − exp({outs[0]}) · Σ {heads[0]})"

    def numpy_code(self, n: CodeNames) -> list[str]:
        """Call the part `log_softmax_along`."""
        call = f"log_softmax_along({self.scaled_code(n.ins[0])}, {self.axis})"
        return [f"{n.outs[0]} = {self.typed_code(call, 'np')}"]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """Write the gradient in one line."""
        head, result = n.heads[0], n.outs[0]
        total = f"{head}.sum(axis={self.axis}, keepdims=True)"
        return self.gradient_code(n, f"({head} - np.exp({result}) * {total})")

    def torch_code(self, n: CodeNames) -> list[str]:
        """Call torch's own function."""
        call = f"torch.log_softmax({self.scaled_code(n.ins[0])}, dim={self.axis})"
        return [f"{n.outs[0]} = {self.typed_code(call, 'torch')}"]


@operator(name="softmin", category="Activation")
class Softmin(Shares):
    """Turn numbers along an axis into shares, the smallest number getting the largest.

    y = e^−x / Σ e^−x
    """

    work = Work(keeps=1.5, takes=0.4, keeps_back=0.5)

    sign_of_data = -1.0
    examples = (Example({"data": (3, 4)}), Example({"data": (2, 3, 4)}, axis=1, temperature=0.5))


def _without(shape: Shape, axis: int) -> Shape:
    """Return a shape without one axis; what stays of a vector is (1,)."""
    return (*shape[:axis], *shape[axis + 1 :]) or (1,)

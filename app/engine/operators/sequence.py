"""Sequences of unequal lengths: mask what lies behind the end, take the last step, turn around."""

from collections.abc import Sequence

import attrs
import numpy as np

from app.engine.errors import ShapeError
from app.engine.examples import Domain, Example
from app.engine.kernels.steps import Step, copy
from app.engine.operator import Array, Arrays, CodeNames, GradientKind, Port, Reads, Types, operator, refuse
from app.engine.operators.element_types import cut_number
from app.engine.operators.formulas import for_torch, number
from app.engine.operators.prepared import Flow, Prepared, gradient_lines
from app.engine.params import param
from app.engine.shapes import Inferred, Shape, Shapes, element_count, merge
from app.engine.work_space import Work, WorkSpace

_LENGTHS = {"sequence_length": Domain(1, 4, whole=True)}


@attrs.frozen(kw_only=True)
class Sequences(Prepared):
    """What the three have in common: steps on axis 0 or 1, and perhaps a length per sample."""

    only_moves = True

    use_sequence_length: bool = param(
        default=False, doc="Take a second input with the length of every sample."
    )
    axis: int = param(default=0, low=0, high=1, doc="The axis of the steps; the other one is the batch.")

    @property
    def inputs(self) -> tuple[Port, ...]:
        """Data, and the lengths if they are used."""
        lengths = Port("sequence_length", "label")
        return (Port("data"), lengths) if self.use_sequence_length else (Port("data"),)

    def infer_lengths(self, data: Shape, ins: Shapes) -> tuple[Shape, ...]:
        """Return the shapes of the inputs: one length per sample."""
        if data and len(data) < 2:
            raise ShapeError("sequences need at least two axes: steps and batch.", port="data")
        if not self.use_sequence_length:
            return (data,)
        return data, merge((data[1 - self.axis],), ins[1], "sequence_length") if data else ins[1]

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Data and result are alike."""
        data = merge(ins[0], outs[0], "data")
        return self.infer_lengths(data, ins), (data,)

    def infer_types(self, ins: Types, outs: Types) -> tuple[Types, Types]:
        """Lengths may have a type of their own; unless told otherwise it is data's."""
        (data,), results = super().infer_types(ins[:1], outs)
        return (data, *(kind or data for kind in ins[1:])), results

    def scratch(self, ins: Shapes, outs: Shapes, *, gradients: bool) -> WorkSpace:
        """Count what finds the ends; without lengths numbers are only moved."""
        return super().scratch(ins, outs, gradients=gradients) if self.use_sequence_length else WorkSpace()

    def gradient_kind(self, index: int) -> GradientKind:
        """The lengths' gradient buffer is left as it is."""
        return "value" if index == 0 else "untouched"

    def gradient_reads(self, index: int) -> Reads:
        """The gradient reads the lengths."""
        return Reads(inputs=(1,) if self.use_sequence_length else ())

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """Write the gradient of data; that of lengths is left as it is."""
        return gradient_lines(n, [self.gradient_template(n)])

    def gradient_template(self, n: CodeNames) -> str:
        """Return numpy's expression for the gradient of data."""
        raise NotImplementedError(self.op_name)

    def steps_first(self, array: Array) -> Array:
        """View an array with the steps on axis 0 and the batch on axis 1."""
        return np.swapaxes(array, 0, self.axis)

    def summary(self) -> str:
        """Return the axis, and whether lengths are used."""
        return f"axis {self.axis}" + (" · lengths" if self.use_sequence_length else "")


def _ends(lengths: Array) -> Array:
    return lengths.astype(np.int64)


def _within(data: Array, lengths: Array) -> Array:
    """Tell for every step and sample (with ones behind) whether it lies before the sample's end."""
    steps = np.arange(data.shape[0])[:, None]
    inside = steps < _ends(lengths)
    return inside.reshape(*inside.shape, *(1,) * (data.ndim - 2))


@operator(category="Sequences")
class SequenceMask(Sequences):
    """Replace everything behind each sample's end by one value."""

    work = Work(takes=2.4, keeps_back=0.4)

    value: float = param(default=0.0, doc="What stands behind the end.")

    examples = (
        Example({"data": (4, 3, 2)}, domains=_LENGTHS, use_sequence_length=True, value=-1.5),
        Example({"data": (3, 4)}, domains=_LENGTHS, use_sequence_length=True, axis=1),
        Example({"data": (4, 3, 2)}),
    )

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Copy, then write the value where the sequence has ended."""
        if not self.use_sequence_length:
            return copy(ins[0], outs[0])
        data, result = self.steps_first(ins[0]), self.steps_first(outs[0])

        def run() -> None:
            np.copyto(result, np.where(_within(data, ins[1]), data, cut_number(self.value, data.dtype)))

        return run

    def backward_steps(self, flow: Flow) -> Sequence[Step]:
        """Let the gradient through before the end."""
        grad = flow.wanted[0][1]
        if not self.use_sequence_length:
            return [copy(flow.head, grad)]
        lengths, head, target = flow.read(1), self.steps_first(flow.head), self.steps_first(grad)
        return [lambda: np.multiply(head, _within(head, lengths), out=target)]

    def numpy_code(self, n: CodeNames) -> list[str]:
        """Hand data through, or call the part `mask_steps`."""
        if not self.use_sequence_length:
            return [f"{n.outs[0]} = {n.ins[0]}"]
        return [f"{n.outs[0]} = mask_steps({', '.join(n.ins)}, {self.axis}, {number(self.value)})"]

    def gradient_template(self, n: CodeNames) -> str:
        """Mask the gradient."""
        if not self.use_sequence_length:
            return f"{n.heads[0]}"
        return f"mask_steps({n.heads[0]}, {n.ins[1]}, {self.axis}, 0)"

    def torch_code(self, n: CodeNames) -> list[str]:
        """Hand data through, or call the part `mask_steps`."""
        if not self.use_sequence_length:
            return [f"{n.outs[0]} = {n.ins[0]}"]
        settings = f"{self.axis}, {for_torch(number(self.value))}"
        return [f"{n.outs[0]} = mask_steps({', '.join(n.ins)}, {settings})"]

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write where the gradient goes."""
        return heads[0] if len(ins) < 2 else f"{heads[0]} before each sample's end, 0 behind it"


@operator(category="Sequences")
class SequenceLast(Sequences):
    """Take the last step of every sample."""

    work = Work(keeps=2.3, takes=3.3, keeps_back=2.3)

    examples = (
        Example({"data": (4, 3, 2)}, domains=_LENGTHS, use_sequence_length=True),
        Example({"data": (3, 4, 2)}, domains=_LENGTHS, use_sequence_length=True, axis=1),
        Example({"data": (4, 3)}),
    )

    def scratch(self, ins: Shapes, outs: Shapes, *, gradients: bool) -> WorkSpace:
        """Count by the result, however many steps there are."""
        return self.work.beside(element_count(outs[0]), gradients=gradients)

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """The result has no steps."""
        data, result = ins[0], outs[0]
        if not data:
            return ins, outs
        shapes = self.infer_lengths(data, ins)
        result = merge((*data[: self.axis], *data[self.axis + 1 :]), result, "output")
        whole = (*result[: self.axis], data[self.axis], *result[self.axis :])
        return (whole, *shapes[1:]), (result,)

    def _last(self, data: Array, lengths: Array | None) -> Array:
        """Return the number of every sample's last step."""
        return np.full(data.shape[1], data.shape[0] - 1) if lengths is None else _ends(lengths) - 1

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Pick one step per sample."""
        data, lengths = self.steps_first(ins[0]), ins[1] if self.use_sequence_length else None
        samples = np.arange(data.shape[1])

        def run() -> None:
            np.copyto(outs[0], data[self._last(data, lengths), samples])

        return run

    def backward_steps(self, flow: Flow) -> Sequence[Step]:
        """Put the gradient at the step that was picked."""
        target = self.steps_first(flow.wanted[0][1])
        lengths = flow.read(1) if self.use_sequence_length else None
        head, samples = flow.head, np.arange(target.shape[1])

        def run() -> None:
            target.fill(0)
            target[self._last(target, lengths), samples] = head

        return [run]

    def numpy_code(self, n: CodeNames) -> list[str]:
        """Select the last step, or call the part `last_steps`."""
        if not self.use_sequence_length:
            return [f"{n.outs[0]} = {n.ins[0]}.take(-1, axis={self.axis})"]
        return [f"{n.outs[0]} = last_steps({', '.join(n.ins)}, {self.axis})"]

    def gradient_template(self, n: CodeNames) -> str:
        """Call the part `last_steps_gradient`."""
        lengths = n.ins[1] if self.use_sequence_length else None
        return f"last_steps_gradient({n.heads[0]}, {lengths}, {n.in_shapes[0]}, {self.axis})"

    def torch_code(self, n: CodeNames) -> list[str]:
        """Select the last step, or call the part `last_steps`."""
        if not self.use_sequence_length:
            return [f"{n.outs[0]} = {n.ins[0]}.select({self.axis}, -1)"]
        return [f"{n.outs[0]} = last_steps({', '.join(n.ins)}, {self.axis})"]

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write where the gradient goes."""
        return f"{heads[0]} at the last step, 0 elsewhere"


@operator(category="Sequences")
class SequenceReverse(Sequences):
    """Turn every sample's steps around; what lies behind its end stays."""

    work = Work(keeps=0.8, takes=3.1, keeps_back=0.5)

    examples = (
        Example({"data": (4, 3, 2)}, domains=_LENGTHS, use_sequence_length=True),
        Example({"data": (4, 3)}),
    )

    def check(self) -> None:
        """Refuse steps on axis 1, which MXNet does not reverse."""
        refuse(self.axis != 0, "SequenceReverse needs its steps on axis 0.", port="axis")

    def _turn(self, source: Array, lengths: Array | None, target: Array) -> Step:
        """Prepare target = source with the steps of every sample turned around."""
        if lengths is None:
            return copy(source[::-1], target)
        steps, samples = np.arange(source.shape[0])[:, None], np.arange(source.shape[1])

        def run() -> None:
            ends = _ends(lengths)
            np.copyto(target, source[np.where(steps < ends, ends - 1 - steps, steps), samples])

        return run

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Turn around."""
        return self._turn(ins[0], ins[1] if self.use_sequence_length else None, outs[0])

    def backward_steps(self, flow: Flow) -> Sequence[Step]:
        """Turn the gradient back."""
        return [self._turn(flow.head, flow.read(1) if self.use_sequence_length else None, flow.wanted[0][1])]

    def numpy_code(self, n: CodeNames) -> list[str]:
        """Turn all steps around, or call the part `turn_steps`."""
        return [f"{n.outs[0]} = {self._turned(n, n.ins[0])}"]

    def gradient_template(self, n: CodeNames) -> str:
        """Turn the gradient back."""
        return self._turned(n, f"{n.heads[0]}")

    def _turned(self, n: CodeNames, name: str) -> str:
        return f"turn_steps({name}, {n.ins[1]})" if self.use_sequence_length else f"{name}[::-1]"

    def torch_code(self, n: CodeNames) -> list[str]:
        """Turn all steps around, or call the part `turn_steps`."""
        if not self.use_sequence_length:
            return [f"{n.outs[0]} = {n.ins[0]}.flip(0)"]
        return [f"{n.outs[0]} = turn_steps({', '.join(n.ins)})"]

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write that the gradient turns around too."""
        return f"{heads[0]}, its steps turned around"

"""Elements in another type: Cast, and what mixed precision puts between layers: amp_cast, amp_multicast."""

from collections.abc import Sequence

import attrs
import numpy as np

from app.engine.examples import Example
from app.engine.kernels.steps import Step, copy, fill, in_order
from app.engine.operator import Arrays, CodeNames, Port, Reads, Types, operator
from app.engine.operators.element_types import NUMBERS, WITH_BOOL, check_type, named_type
from app.engine.operators.prepared import Flow, Prepared, gradient_lines
from app.engine.params import param
from app.engine.shapes import Inferred, Shapes, merge

HALF, SINGLE = np.dtype(np.float16), np.dtype(np.float32)
MIXED = (HALF, SINGLE)
"""The types between which mixed precision casts; all others it leaves as they are."""


@attrs.frozen
class Casting(Prepared):
    """The data in another type; its gradient comes back in its own."""

    only_moves = True

    dtype: str

    def check(self) -> None:
        """Refuse a type that is not there."""
        check_type(self.dtype)

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        return copy(ins[0], outs[0])

    def gradient_reads(self, index: int) -> Reads:
        """The gradient is the incoming one."""
        return Reads()

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients."""
        return [copy(flow.head, grad) for _, grad in flow.wanted]

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        return f"{heads[0]} in the type of {ins[0]}"

    def summary(self) -> str:
        """The type."""
        return self.dtype

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = {n.ins[0]}.astype(np.{n.dtype if n.dtype != 'bool' else 'bool_'})"]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return gradient_lines(n, [f"{n.heads[0]}.astype({n.ins[0]}.dtype)"])

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line."""
        return [f"{n.outs[0]} = {n.ins[0]}.to(torch.{n.dtype})"]


@operator(category="Functions", aliases=("cast",))
class Cast(Casting):
    """Change the type of the elements."""

    dtype: str = param(choices=WITH_BOOL, doc="The new type.")

    examples = (
        Example({"data": (3, 4)}, gradient=False, dtype="float32"),
        Example({"data": (3, 4)}, dtype="float64"),
        Example({"data": (3, 4)}, gradient=False, dtype="int32"),
    )

    def infer_types(self, ins: Types, outs: Types) -> tuple[Types, Types]:
        """The value has the named type; the data keeps its own."""
        return (ins[0],), (named_type(self.dtype),)


@operator(name="amp_cast", category="Functions")
class AmpCast(Casting):
    """Change the type of the elements if that is float16 or float32, and leave all others as they are."""

    kinds = "iuf"

    dtype: str = param(choices=NUMBERS, doc="The new type.")

    examples = (
        Example({"data": (3, 4)}, gradient=False, dtype="int32"),
        Example({"data": (3, 4)}, dtype="float64"),
    )

    def infer_types(self, ins: Types, outs: Types) -> tuple[Types, Types]:
        """The value has the named type, or the data's."""
        kind = ins[0]
        return (kind,), (named_type(self.dtype) if kind in MIXED else kind,)


@operator(name="amp_multicast", category="Functions")
class AmpMulticast(Prepared):
    """Give arrays of float16 and float32 one type, the wider or the narrower, and leave all others as they are."""

    only_moves = True

    kinds = "iuf"

    num_outputs: int = param(low=1, doc="How many arrays there are.")
    cast_narrow: bool = param(default=False, doc="Take the narrower type.")

    examples = (
        Example({"data_0": (2, 3), "data_1": (4,)}, num_outputs=2),
        Example({"data_0": (2,), "data_1": (3, 2)}, num_outputs=2, cast_narrow=True),
    )

    @property
    def inputs(self) -> tuple[Port, ...]:
        """One for each of `num_outputs`."""
        return tuple(Port(f"data_{number}") for number in range(self.num_outputs))

    @property
    def outputs(self) -> tuple[str, ...]:
        """One for each input."""
        several = tuple(f"output{number}" for number in range(self.num_outputs))
        return several if self.num_outputs > 1 else ("output",)

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Every array keeps its shape."""
        pairs = zip(ins, outs, self.inputs, strict=True)
        alike = [merge(shape, out, port.name) for shape, out, port in pairs]
        return alike, alike

    def infer_types(self, ins: Types, outs: Types) -> tuple[Types, Types]:
        """What is cast waits for all types; MXNet begins with that of the first array, whichever it is."""
        pairs = list(zip(ins, outs, strict=True))
        kind = SINGLE if self.cast_narrow else ins[0]
        wanted = HALF if self.cast_narrow else SINGLE
        if any(wanted in pair for pair in pairs):
            kind = wanted
        if any(each is None for each in ins):  # numpy takes None for float64 in a comparison
            kind = None
        found = [kind if each in MIXED else each for each in ins]
        return tuple(ins), found

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the values."""
        return in_order([copy(array, out) for array, out in zip(ins, outs, strict=True)])

    def gradient_reads(self, index: int) -> Reads:
        """The gradient is the incoming one."""
        return Reads()

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients; one into which nothing flows gets zeros."""
        return [
            fill(grad) if (head := flow.heads[index]) is None else copy(head, grad)
            for index, grad in flow.wanted
        ]

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        return f"{heads[index]} in the type of {ins[index]}"

    def summary(self) -> str:
        """How many arrays, and which type wins."""
        return f"{self.num_outputs} · {'narrower' if self.cast_narrow else 'wider'}"

    def _code(self, n: CodeNames, library: str, cast: str) -> list[str]:
        half, single = f"{library}.float16", f"{library}.float32"
        kinds = ", ".join(f"{name}.dtype" for name in n.ins)
        wanted, otherwise = (half, single) if self.cast_narrow else (single, f"{n.ins[0]}.dtype")
        return [
            f"{n.node}_kind = {wanted} if {wanted} in [{kinds}] else {otherwise}",
            *(
                f"{out} = {name}.{cast}({n.node}_kind if {name}.dtype in [{half}, {single}] else {name}.dtype)"
                for name, out in zip(n.ins, n.outs, strict=True)
            ),
        ]

    def numpy_code(self, n: CodeNames) -> list[str]:
        """A line for the type, and one for each array."""
        return self._code(n, "np", "astype")

    def torch_code(self, n: CodeNames) -> list[str]:
        """The same in PyTorch's words."""
        return self._code(n, "torch", "to")

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """One line for each wanted gradient."""
        casts = zip(n.heads, n.ins, strict=True)
        return gradient_lines(n, [f"{head}.astype({name}.dtype)" if head else "" for head, name in casts])

"""Margins around an array: Pad."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated

import numpy as np

from app.engine.errors import ShapeError
from app.engine.examples import Example
from app.engine.kernels.steps import Step
from app.engine.operator import Array, Arrays, CodeNames, Reads, operator, refuse
from app.engine.operators.formulas import number
from app.engine.operators.prepared import Flow, Prepared, gradient_lines
from app.engine.params import WIDE, param
from app.engine.shapes import Inferred, Shape, Shapes, merge, text
from app.engine.work_space import Work


@operator(category="Shape", aliases=("pad",))
class Pad(Prepared):
    """Put a margin around an array: a constant, the elements at the edge, or their mirror image."""

    only_moves = True

    work = Work(keeps=0.4, takes=2, takes_back=2.5)

    mode: str = param(choices=("constant", "edge", "reflect"), doc="What the margin is made of.")
    pad_width: tuple[int, ...] = param(low=0, doc="For each axis the width before and the width behind.")
    constant_value: Annotated[float, WIDE] = param(default=0.0, doc="The number in a constant margin.")

    examples = (
        Example(
            {"data": (2, 1, 3, 4)}, mode="constant", pad_width=(0, 0, 0, 0, 1, 2, 3, 0), constant_value=0.5
        ),
        Example({"data": (1, 2, 3, 4)}, mode="edge", pad_width=(0, 0, 0, 0, 2, 1, 1, 3)),
        Example({"data": (1, 2, 4, 5)}, mode="reflect", pad_width=(0, 0, 0, 0, 1, 2, 3, 1)),
        Example({"data": (1, 1, 2, 2, 3)}, mode="edge", pad_width=(0, 0, 0, 0, 1, 1, 0, 1, 2, 0)),
    )

    @property
    def margins(self) -> tuple[tuple[int, int], ...]:
        """For each axis the width before and behind."""
        return tuple(zip(self.pad_width[::2], self.pad_width[1::2], strict=True))

    def check(self) -> None:
        """Refuse widths that are no pairs."""
        refuse(
            len(self.pad_width) % 2 == 1,
            f"pad_width has {len(self.pad_width)} numbers, but each axis needs two.",
            port="pad_width",
        )

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Add the margins, in either direction."""
        data, out = ins[0], outs[0]
        for shape in filter(None, (data, out)):
            if len(shape) != len(self.margins):
                raise ShapeError(
                    f"pad_width has {len(self.pad_width)} numbers, but {text(shape)} has {len(shape)} axes, and each"
                    " needs two: its width before and behind.",
                    port="data",
                )
        if len(self.margins) not in (4, 5):
            raise ShapeError("Pad works on arrays of 4 or 5 axes.", port="data")
        if any(self.pad_width[:4]):
            raise ShapeError(
                f"pad_width is {self.pad_width}, but its first four numbers, for batch and channels, must be 0.",
                port="data",
            )
        if out:
            data = merge(
                data, tuple(size and max(size - sum(m), 0) for size, m in zip(out, self.margins, strict=True))
            )
        if data:
            self._check_mirror(data)
            out = merge(
                out, tuple(size and size + sum(m) for size, m in zip(data, self.margins, strict=True))
            )
        return (data,), (out,)

    def _check_mirror(self, data: Shape) -> None:
        for size, margin in zip(data, self.margins, strict=True):
            if self.mode == "reflect" and size and max(margin) >= size:
                raise ShapeError(f"a margin of {max(margin)} cannot mirror {size} elements.", port="data")

    def _core(self, whole: Array) -> Array:
        ranges = zip(whole.shape, self.margins, strict=True)
        core: Array = whole[tuple(slice(before, size - behind) for size, (before, behind) in ranges)]
        return core

    def _source(self, axis: int, size: int) -> list[int]:
        """Return for each place along an axis of the value the place of the data it shows."""
        before, behind = self.margins[axis]
        places = range(-before, size + behind)
        if self.mode == "edge":
            return [min(max(place, 0), size - 1) for place in places]
        return [size - 1 - abs(size - 1 - abs(place)) for place in places]

    def forward_step(self, ins: Arrays, outs: Arrays) -> Step:
        """Write the value."""
        if self.mode == "constant":
            return partial(self._frame, ins[0], outs[0])
        index = np.ix_(*(self._source(axis, size) for axis, size in enumerate(ins[0].shape)))
        return lambda: np.copyto(outs[0], ins[0][index])

    def _frame(self, data: Array, out: Array) -> None:
        out.fill(self.constant_value)
        np.copyto(self._core(out), data)

    def gradient_reads(self, index: int) -> Reads:
        """The gradient is made of the incoming one."""
        return Reads()

    def backward_steps(self, flow: Flow) -> list[Step]:
        """Write the wanted gradients."""
        if self.mode == "constant":
            return [partial(np.copyto, grad, self._core(flow.head)) for _, grad in flow.wanted]
        return [partial(self._fold, flow.head, grad) for _, grad in flow.wanted]

    def _fold(self, head: Array, grad: Array) -> None:
        """Add the margins' gradients to the elements they show, axis by axis."""
        folded = head
        for axis, size in enumerate(grad.shape):
            before, behind = self.margins[axis]
            if not before and not behind:
                continue
            along = np.moveaxis(folded, axis, 0)
            inner = along[before : before + size].copy()
            sources = self._source(axis, size)
            for place in (*range(before), *range(before + size, len(sources))):
                inner[sources[place]] += along[place]
            folded = np.moveaxis(inner, 0, axis)
        np.copyto(grad, folded)

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        if self.mode == "constant":
            return f"{heads[0]} without its margin"
        return f"{heads[0]} without its margin, which adds to the elements it shows"

    def summary(self) -> str:
        """What the margin is made of."""
        return self.mode

    def numpy_code(self, n: CodeNames) -> list[str]:
        """One line."""
        value = f", constant_values={number(self.constant_value)}" if self.mode == "constant" else ""
        return [f'{n.outs[0]} = np.pad({n.ins[0]}, {self.margins}, mode="{self.mode}"{value})']

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """One line for a constant margin; others show elements several times, so these add up."""
        if self.mode == "constant" or n.heads[0] is None or n.grads[0] is None:
            ends = zip(self.margins, n.in_shapes[0], strict=True)
            core = ", ".join(f"{before}:{before + size}" for (before, _), size in ends)
            return gradient_lines(n, [f"{n.heads[0]}[{core}]"])
        places = ", ".join(str(self._source(axis, size)) for axis, size in enumerate(n.in_shapes[0]))
        return [
            f"{n.grads[0]} = np.zeros_like({n.ins[0]})",
            f"np.add.at({n.grads[0]}, np.ix_({places}), {n.heads[0]})",
        ]

    def torch_code(self, n: CodeNames) -> list[str]:
        """One line."""
        if self.mode == "constant":
            widths = tuple(width for margin in reversed(self.margins) for width in margin)
            return [
                f"{n.outs[0]} = torch.nn.functional.pad({n.ins[0]}, {widths}, value={self.constant_value})"
            ]
        code = n.ins[0]
        for axis, size in enumerate(n.in_shapes[0]):
            if any(self.margins[axis]):
                code += f".index_select({axis}, torch.tensor({self._source(axis, size)}))"
        return [f"{n.outs[0]} = {code}"]

"""Dropout: noise that a network has to learn with."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from app.engine.errors import ShapeError
from app.engine.examples import Example
from app.engine.kernels.steps import without_gradient
from app.engine.operator import Arrays, CodeNames, Operator, OptionalArrays, Reads, Run, operator
from app.engine.operators.lines import assign_zeros
from app.engine.params import param
from app.engine.shapes import Inferred, Shape, Shapes, merge, normalize_axis
from app.engine.work_space import Work


@operator(category="Layers")
class Dropout(Operator):
    """Set each number to zero with chance p in training, and scale the others up by 1 / (1 − p).

    Prediction hands everything through.
    """

    kinds = "f"

    work = Work(keeps=2.7, takes=0.4)

    is_random = trains_otherwise = True

    p: float = param(default=0.5, low=0, high=1, doc="Chance that a number is dropped.")
    mode: str = param(
        default="training", choices=("always", "training"), doc="Whether prediction drops numbers too."
    )
    axes: tuple[int, ...] = param(
        default=(), none_is_empty=True, doc="Axes along which one decision is shared."
    )
    cudnn_off: bool | None = param(
        default=False, advanced=True, doc="Only for graphics cards; kept in files."
    )

    examples = (
        Example({"data": (6, 5)}, gradient=False),
        Example({"data": (3, 4)}, train=False),
        Example({"data": (4, 3, 2)}, gradient=False, p=0.2, axes=(1,)),
        Example({"data": (3, 4)}, p=0.0),
        Example({"data": (6, 5)}, gradient=False, train=False, mode="always"),
    )

    @property
    def hidden(self) -> tuple[str, ...]:
        """What each number was multiplied with: 0 or 1 / (1 − p)."""
        return ("mask",)

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Data and result are alike; the mask has 1 along shared axes."""
        data = merge(ins[0], outs[0], "data")
        return (data,), (data, self._mask_shape(data))

    def _mask_shape(self, data: Shape) -> Shape:
        if not data:
            return data
        shared = {normalize_axis(axis, len(data), "axes:") for axis in self.axes}
        if any(axis < 0 for axis in self.axes):  # MXNet does not count from the end here
            raise ShapeError(f"axes {self.axes} must be counted from the front.", port="data")
        return tuple(1 if axis in shared else size for axis, size in enumerate(data))

    # Running -----------------------------------------------------------------------------------------------------

    def drops(self, train: bool) -> bool:
        """Tell whether this pass drops anything."""
        return self.p > 0 and (train or self.mode == "always")

    def prepare_forward(self, run: Run, ins: Arrays, outs: Arrays) -> Callable[[], object]:
        """Set up the random numbers' buffer once."""
        data, result, mask = ins[0], outs[0], outs[1]
        kind = np.float64 if mask.dtype == np.float64 else np.float32
        chances = np.empty(mask.shape, kind)
        keeps = np.empty(mask.shape, np.bool_)
        keep = 1.0 - self.p
        factor = 1.0 / keep if keep else 0.0

        def call() -> None:
            if self.drops(run.train):
                run.rng.random(out=chances, dtype=kind)
                np.less(chances, keep, out=keeps)
                np.copyto(mask, keeps)
                np.multiply(mask, factor, out=mask)
                np.multiply(data, mask, out=result)
            else:
                mask.fill(1)
                if result is not data:
                    np.copyto(result, data)

        return call

    def forward(self, run: Run, ins: Arrays, outs: Arrays) -> None:
        """Draw the mask and apply it."""
        self.prepare_forward(run, ins, outs)()

    @property
    def inplace(self) -> tuple[tuple[int, int], ...]:
        """The result may take data's place."""
        return ((0, 0),)

    def gradient_reads(self, index: int) -> Reads:
        """The gradient reads the mask alone."""
        return Reads(outputs=(1,))

    def prepare_backward(
        self,
        run: Run,
        ins: OptionalArrays,
        outs: OptionalArrays,
        heads: OptionalArrays,
        grads: OptionalArrays,
    ) -> Callable[[], object]:
        """Multiply with the mask of the last forward, which is 1 where nothing was dropped."""
        mask, head, grad = outs[1], heads[0], grads[0]
        if mask is None or head is None or grad is None:
            return without_gradient(grads)
        return partial(np.multiply, head, mask, grad)

    def backward(
        self,
        run: Run,
        ins: OptionalArrays,
        outs: OptionalArrays,
        heads: OptionalArrays,
        grads: OptionalArrays,
    ) -> None:
        """Apply the mask of the last forward to the head gradient."""
        self.prepare_backward(run, ins, outs, heads, grads)()

    @property
    def inplace_backward(self) -> tuple[tuple[int, int], ...]:
        """The gradient may take the head gradient's place."""
        return ((0, 0),)

    # For people --------------------------------------------------------------------------------------------------

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the product with the mask."""
        return f"{heads[0]} · mask"

    def summary(self) -> str:
        """Return the chance, and what else was set."""
        words = [f"p {self.p:g}"]
        if self.mode == "always":
            words.append("always")
        if self.axes:
            words.append(f"axes {self.axes}")
        return " · ".join(words)

    def _mask_name(self, n: CodeNames) -> str:
        return n.outs[1] if len(n.outs) > 1 else f"{n.node}_mask"

    def numpy_code(self, n: CodeNames) -> list[str]:
        """Draw the mask and apply it; without dropping hand data through."""
        data, result, mask = n.ins[0], n.outs[0], self._mask_name(n)
        if not self.drops(n.train):
            return [f"{result} = {data}"]
        shape = self._mask_shape(n.in_shapes[0])
        return [f"{mask} = draw_mask({shape}, {self.p!r}, {data}.dtype)", f"{result} = {data} * {mask}"]

    def numpy_gradient_code(self, n: CodeNames) -> list[str]:
        """Apply the mask to the head gradient."""
        if n.heads[0] is None or n.grads[0] is None:
            return assign_zeros(n)
        mask = f" * {self._mask_name(n)}" if self.drops(n.train) else ""
        return [f"{n.grads[0]} = {n.heads[0]}{mask}"]

    def torch_code(self, n: CodeNames) -> list[str]:
        """Call torch's own dropout, or draw a shared mask."""
        data, result = n.ins[0], n.outs[0]
        if not self.drops(n.train):
            return [f"{result} = {data}"]
        if not self.axes:
            return [f"{result} = F.dropout({data}, {self.p!r}, training=True)"]
        shape = self._mask_shape(n.in_shapes[0])
        return [
            f"{result} = {data} * F.dropout(torch.ones({shape}, dtype={data}.dtype), {self.p!r}, training=True)"
        ]

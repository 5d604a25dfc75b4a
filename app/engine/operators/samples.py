"""Random numbers whose distributions are arrays: _sample_uniform and its kind, _sample_multinomial, _shuffle."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import attrs
import numpy as np

from app.engine.errors import ShapeError
from app.engine.examples import Domain, Example
from app.engine.kernels import drawing
from app.engine.kernels.steps import without_gradient
from app.engine.operator import (
    Array,
    Arrays,
    GradientKind,
    Operator,
    OptionalArrays,
    Port,
    Reads,
    Run,
    Types,
    operator,
)
from app.engine.operators.element_types import named_type
from app.engine.operators.without_gradient import ZeroGradient
from app.engine.params import param
from app.engine.shapes import Inferred, Shapes, element_count, merge_all, text
from app.engine.work_space import Work, WorkSpace

_FLOATS = ("float16", "float32", "float64")
_POSITIVE = Domain(0.5, 3)


@attrs.frozen
class Sample(ZeroGradient):
    """Numbers drawn from distributions whose settings are arrays: so many for each place of these."""

    kinds = "iuf"
    is_random = True
    work = Work(takes=10)
    settings: ClassVar[tuple[str, ...]] = ()
    draw: ClassVar[Callable[..., Any]]

    shape: tuple[int, ...] = param(default=(), doc="How many for each distribution; one if empty.")
    dtype: str | None = param(default=None, choices=_FLOATS, advanced=True, doc="Type; float32 if left out.")

    @property
    def inputs(self) -> tuple[Port, ...]:
        """The settings."""
        return tuple(Port(name) for name in self.settings)

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """The settings are alike; what is drawn has their shape and the setting's after it."""
        if any(size < 1 for size in self.shape):
            raise ShapeError(f"shape is {text(self.shape)}, but each of its sizes must be at least 1.")
        drawn, count = outs[0], len(self.shape)
        lead = drawn[: len(drawn) - count] if len(drawn) > count else ()
        alike = merge_all((*ins, lead), [*self.settings, "output"])
        return (alike,) * len(ins), ((*alike, *self.shape) if alike else drawn,)

    def infer_types(self, ins: Types, outs: Types) -> tuple[Types, Types]:
        """The settings are of one type; what is drawn has a type of its own."""
        alike, _ = super().infer_types(ins, ())
        return alike, (named_type(self.dtype or "float32"),)

    def prepare_forward(self, run: Run, ins: Arrays, outs: Arrays) -> Callable[[], object]:
        """Fix the buffers."""
        spread = (..., *[None] * len(self.shape))
        draw, result = type(self).draw, outs[0]

        def call() -> None:
            settings = [array.astype(np.float64)[spread] for array in ins]
            np.copyto(result, draw(run.rng, result.shape, *settings), casting="unsafe")

        return call

    def summary(self) -> str:
        """How many for each distribution."""
        return text(self.shape) if self.shape else ""


@operator(name="_sample_uniform", category="Random", aliases=("sample_uniform",))
class SampleUniform(Sample):
    """Draw numbers that are equally likely between two bounds, which stand in arrays."""

    settings = ("low", "high")
    draw = staticmethod(drawing.uniform)
    examples = (Example({"low": (2, 3), "high": (2, 3)}), Example({"low": (2,), "high": (2,)}, shape=(3, 4)))


@operator(name="_sample_normal", category="Random", aliases=("sample_normal",))
class SampleNormal(Sample):
    """Draw from normal distributions, whose means and deviations stand in arrays."""

    settings = ("mu", "sigma")
    draw = staticmethod(drawing.normal)
    examples = (Example({"mu": (2, 3), "sigma": (2, 3)}), Example({"mu": (2,), "sigma": (2,)}, shape=(3, 4)))


@operator(name="_sample_gamma", category="Random", aliases=("sample_gamma",))
class SampleGamma(Sample):
    """Draw from gamma distributions, whose shapes and scales stand in arrays."""

    settings = ("alpha", "beta")
    draw = staticmethod(drawing.gamma)
    examples = (
        Example({"alpha": (2, 3), "beta": (2, 3)}, domains={"alpha": _POSITIVE, "beta": _POSITIVE}),
        Example({"alpha": (2,), "beta": (2,)}, domains={"alpha": _POSITIVE, "beta": _POSITIVE}, shape=(3,)),
    )


@operator(name="_sample_exponential", category="Random", aliases=("sample_exponential",))
class SampleExponential(Sample):
    """Draw waiting times between events, whose rates stand in an array."""

    settings = ("lam",)
    draw = staticmethod(drawing.exponential)
    examples = (
        Example({"lam": (2, 3)}, domains={"lam": _POSITIVE}),
        Example({"lam": (2,)}, domains={"lam": _POSITIVE}, shape=(3,)),
    )


@operator(name="_sample_poisson", category="Random", aliases=("sample_poisson",))
class SamplePoisson(Sample):
    """Draw counts of events, whose rates stand in an array."""

    settings = ("lam",)
    draw = staticmethod(drawing.poisson)
    examples = (
        Example({"lam": (2, 3)}, domains={"lam": _POSITIVE}),
        Example({"lam": (2,)}, domains={"lam": _POSITIVE}, shape=(3,)),
    )


@operator(name="_sample_negative_binomial", category="Random", aliases=("sample_negative_binomial",))
class SampleNegativeBinomial(Sample):
    """Draw how often one fails before so many successes; numbers and chances stand in arrays."""

    work = Work(takes=20)
    settings = ("k", "p")
    draw = staticmethod(drawing.negative_binomial)
    examples = (
        Example({"k": (2, 3), "p": (2, 3)}, domains={"k": _POSITIVE, "p": Domain(0.2, 0.9)}),
        Example({"k": (2,), "p": (2,)}, domains={"k": _POSITIVE, "p": Domain(0.2, 0.9)}, shape=(3,)),
    )


@operator(
    name="_sample_generalized_negative_binomial",
    category="Random",
    aliases=("sample_generalized_negative_binomial",),
)
class SampleSpreadPoisson(Sample):
    """Draw counts with given means, more spread out than Poisson's; means and spreads stand in arrays."""

    work = Work(takes=20)
    settings = ("mu", "alpha")
    draw = staticmethod(drawing.spread_poisson)
    examples = (
        Example({"mu": (2, 3), "alpha": (2, 3)}, domains={"mu": _POSITIVE, "alpha": Domain(0, 1)}),
        Example({"mu": (2,), "alpha": (2,)}, domains={"mu": _POSITIVE, "alpha": Domain(0, 1)}, shape=(3,)),
    )


@operator(name="_sample_multinomial", category="Random", aliases=("sample_multinomial",))
class SampleMultinomial(Operator):
    """Draw class numbers, each as likely as the last axis of data says.

    The second value, if asked for, is ln of the chance of what was drawn.
    """

    kinds = "f"
    is_random = True
    work = Work(takes=5)

    shape: tuple[int, ...] = param(default=(), doc="How many for each row of chances; one if empty.")
    get_prob: bool = param(default=False, doc="Give ln of the chance of each number drawn, too.")
    dtype: str = param(
        default="int32",
        choices=("float16", "float32", "float64", "int32", "uint8"),
        doc="Type of the numbers.",
    )

    examples = (
        Example({"data": (2, 3)}, domains={"data": Domain(0.34, 0.6)}),
        Example({"data": (3,)}, domains={"data": Domain(0.34, 0.6)}, shape=(4,)),
        Example({"data": (2, 2, 3)}, domains={"data": Domain(0.34, 0.6)}, shape=(2, 2), get_prob=True),
    )

    @property
    def outputs(self) -> tuple[str, ...]:
        """The numbers, and ln of their chances."""
        return ("output0", "output1") if self.get_prob else ("output",)

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """The last axis makes way for the setting's."""
        if any(size < 1 for size in self.shape):
            raise ShapeError(f"shape is {text(self.shape)}, but each of its sizes must be at least 1.")
        data = ins[0]
        drawn = ((*data[:-1], *self.shape) or (1,)) if data else ()
        alike = merge_all((drawn, *outs), ["output"] * (1 + len(outs)))
        return ins, (alike,) * len(outs)

    def infer_types(self, ins: Types, outs: Types) -> tuple[Types, Types]:
        """The numbers have the named type, chances the data's."""
        chance = ins[0] or (outs[1] if self.get_prob else None)
        return (chance,), (named_type(self.dtype), chance)[: len(outs)]

    def scratch(self, ins: Shapes, outs: Shapes, *, gradients: bool) -> WorkSpace:
        """Count one comparison with every chance for each number drawn."""
        beside = super().scratch(ins, outs, gradients=gradients)
        classes = ins[0][-1] if ins[0] else 0
        return WorkSpace(beside.kept, beside.passing + element_count(outs[0]) * classes // 2)

    def _rows(self, data: Array) -> Array:
        return data.reshape(-1, data.shape[-1])

    def prepare_forward(self, run: Run, ins: Arrays, outs: Arrays) -> Callable[[], object]:
        """Fix the buffers."""
        rows, drawn = self._rows(ins[0]), outs[0].reshape(len(self._rows(ins[0])), -1)

        def call() -> None:
            marks = run.rng.random(drawn.shape)
            chances = rows.astype(np.float64).cumsum(axis=1)
            found = (chances[:, None, :] <= marks[:, :, None]).sum(axis=2)
            np.copyto(drawn, found, casting="unsafe")
            if self.get_prob:
                last = found.clip(max=rows.shape[1] - 1)
                with np.errstate(divide="ignore", invalid="ignore"):
                    np.log(np.take_along_axis(rows, last, 1), out=outs[1].reshape(drawn.shape))

        return call

    def forward(self, run: Run, ins: Arrays, outs: Arrays) -> None:
        """Draw."""
        self.prepare_forward(run, ins, outs)()

    def gradient_kind(self, index: int) -> GradientKind:
        """Only ln of a chance flows back."""
        return "value" if self.get_prob else "zero"

    def gradient_reads(self, index: int) -> Reads:
        """The gradient reads the chances and what was drawn."""
        return Reads(inputs=(0,), outputs=(0,)) if self.get_prob else Reads(heads=False)

    def backward(
        self,
        run: Run,
        ins: OptionalArrays,
        outs: OptionalArrays,
        heads: OptionalArrays,
        grads: OptionalArrays,
    ) -> None:
        """Give each chance the gradients of what was drawn with it, over the chance."""
        without_gradient(grads)()
        grad, data, drawn = grads[0], ins[0], outs[0]
        head = heads[1] if self.get_prob else None
        if grad is None or data is None or drawn is None or head is None:
            return
        rows = self._rows(data)
        places = drawn.reshape(len(rows), -1).astype(np.int64).clip(max=rows.shape[1] - 1)
        shares = head.reshape(places.shape) / np.take_along_axis(rows, places, 1)
        np.add.at(self._rows(grad), (np.arange(len(rows))[:, None], places), shares)

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Write the gradient's formula."""
        return f"{heads[1]} / {ins[0]} at what was drawn, 0 elsewhere" if self.get_prob else "0"

    def summary(self) -> str:
        """How many for each row."""
        return text(self.shape) if self.shape else ""


@operator(name="_shuffle", category="Random", aliases=("shuffle",))
class Shuffle(Operator):
    """Put the rows of an array into a random order."""

    kinds = gradient_kinds = "biuf"
    is_random = only_moves = True
    work = Work(keeps=2.1, takes=2.1)

    examples = (Example({"data": (5, 2)}), Example({"data": (6,)}))

    def prepare_forward(self, run: Run, ins: Arrays, outs: Arrays) -> Callable[[], object]:
        """Remember the order for the gradient."""
        data, result = ins[0], outs[0]

        def call() -> None:
            run.scratch["order"] = order = run.rng.permutation(len(data))
            np.take(data, order, axis=0, out=result)

        return call

    def forward(self, run: Run, ins: Arrays, outs: Arrays) -> None:
        """Shuffle."""
        self.prepare_forward(run, ins, outs)()

    def gradient_reads(self, index: int) -> Reads:
        """The gradient is the incoming one, put back into order."""
        return Reads()

    def backward(
        self,
        run: Run,
        ins: OptionalArrays,
        outs: OptionalArrays,
        heads: OptionalArrays,
        grads: OptionalArrays,
    ) -> None:
        """Put each row back where it came from, in the order of the last forward."""
        grad, head = grads[0], heads[0]
        if grad is None or head is None or "order" not in run.scratch:
            without_gradient(grads)()
            return
        grad[run.scratch["order"]] = head

    def explain(self, index: int, ins: Sequence[str], outs: Sequence[str], heads: Sequence[str]) -> str:
        """Say where the gradient goes."""
        return f"the rows of {heads[0]}, back where they came from"

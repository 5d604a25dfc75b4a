"""What a gradient check is asked and what it answers, as values."""

from collections.abc import Mapping
from typing import Any

import attrs
import numpy as np

from app.engine.errors import RunError
from app.engine.nearby import no_such
from app.engine.taking import take_count, take_seed, take_size, take_truth

SAMPLES = 100


@attrs.frozen
class CheckOptions:
    """How a gradient is checked.

    `step` is how far an element is moved to either side; without it the step follows the element's size and the float
    type. At most `samples` elements are tried, chosen by `seed`, which also draws the head gradients where none are
    given: by output name, as a list in output order, or one array for the only output.
    """

    is_train: bool = True
    step: float | None = None
    samples: int = SAMPLES
    seed: int = 0
    out_grads: Any = None


def read_options(options: Mapping[str, Any]) -> CheckOptions:
    """Make options of keywords; EngineError for one that there is not, or a value that makes no sense."""
    known = attrs.fields_dict(CheckOptions)
    for name in options:
        if name not in known:
            raise RunError(no_such("option of a gradient check", name, list(known)))
    read = CheckOptions(**options)
    return attrs.evolve(
        read,
        is_train=take_truth(read.is_train, "is_train"),
        step=None if read.step is None else take_size(read.step, "step"),
        samples=take_count(read.samples, "samples"),
        seed=take_seed(read.seed) or 0,
    )


@attrs.frozen
class CheckedElement:
    """One element: where, its value, both gradients, how far they may lie apart, and what follows.

    `is_kink` says that the slopes to both sides differ and the gradient lies between them, which is as right as can be.
    """

    place: tuple[int, ...]
    value: float
    analytic: float
    numeric: float
    step: float
    tolerance: float
    is_kink: bool = False

    @property
    def difference(self) -> float:
        """How far the two gradients lie apart."""
        return abs(self.analytic - self.numeric)

    @property
    def ok(self) -> bool:
        """Whether the gradient is right as far as differences can tell."""
        return self.is_kink or self.difference <= self.tolerance


@attrs.frozen(eq=False)
class GradientCheck:
    """The answer: every element that was tried, and what must be said besides."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    seed: int
    elements: tuple[CheckedElement, ...]
    notes: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        """Whether every element that was tried is right."""
        return all(element.ok for element in self.elements)

    @property
    def worst(self) -> CheckedElement | None:
        """The element whose gradients lie furthest apart against what is allowed; None of an empty array."""
        order = [(element.ok, -element.difference / element.tolerance) for element in self.elements]
        return self.elements[order.index(min(order))] if order else None

    @property
    def sentence(self) -> str:
        """The answer in words."""
        total, tried = int(np.prod(self.shape)), len(self.elements)
        some = f"{tried:,} of its {total:,} elements (chosen by seed {self.seed})"
        where = some if tried < total else f"all {total:,} elements" if total != 1 else "its one element"
        worst = self.worst
        if worst is None:
            return f"{self.name} has no elements, so there is nothing to check."
        if self.agrees:
            kinks = sum(element.is_kink for element in self.elements)
            at_kinks = f", {kinks} of them at a kink" if kinks else ""
            largest = max(
                element.difference for element in self.elements if not element.is_kink or kinks == tried
            )
            return (
                f"The gradient of {self.name} agrees with finite differences at {where}{at_kinks};"
                f" the largest difference is {largest:.2g}."
            )
        wrong = sum(not element.ok for element in self.elements)
        among = f"the {tried:,} elements tried" if tried < total else f"{total:,} elements"
        at = where if total == 1 else f"{wrong:,} of {among}"
        return (
            f"The gradient of {self.name} disagrees with finite differences at {at}; the worst is"
            f" {list(worst.place)}: {worst.analytic:.6g} by backward, {worst.numeric:.6g} by differences."
        )


@attrs.frozen
class Checked:
    """One more element of a check is done: how many of how many."""

    done: int
    total: int

"""Sources of random numbers: operators without inputs that draw anew on every forward."""

from collections.abc import Callable
from typing import Any

import attrs
import numpy as np

from app.engine.examples import Example
from app.engine.operator import Arrays, Operator, Port, Run, Types, operator, refuse
from app.engine.params import param
from app.engine.shapes import Inferred, Shapes, merge
from app.engine.work_space import Work

_FLOATS = ("float16", "float32", "float64")


@attrs.frozen(kw_only=True)
class Source(Operator):
    """What all sources of random numbers have in common."""

    is_random = True

    shape: tuple[int, ...] | None = param(default=None, doc="Shape of what is drawn; 0 is an open size.")
    ctx: str = param(default="", advanced=True, doc="Only for graphics cards; kept in files.")
    dtype: str | None = param(default=None, choices=_FLOATS, advanced=True, doc="Type; float32 if left out.")

    @property
    def inputs(self) -> tuple[Port, ...]:
        """A source has none."""
        return ()

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """The shape is the setting's; what is open there comes from the reader."""
        return (), (merge(tuple(self.shape or ()), outs[0], "output"),)

    def infer_types(self, ins: Types, outs: Types) -> tuple[Types, Types]:
        """The type is the setting's."""
        return (), (np.dtype(self.dtype) if self.dtype else outs[0] or np.dtype(np.float32),)

    def draw(self, rng: np.random.Generator, size: tuple[int, ...]) -> Any:
        """Return random numbers."""
        raise NotImplementedError

    def prepare_forward(self, run: Run, ins: Arrays, outs: Arrays) -> Callable[[], object]:
        """Fix the buffer."""
        result = outs[0]
        return lambda: np.copyto(result, self.draw(run.rng, result.shape), casting="unsafe")

    def forward(self, run: Run, ins: Arrays, outs: Arrays) -> None:
        """Draw."""
        self.prepare_forward(run, ins, outs)()


@operator(name="_random_uniform", category="Random", aliases=("random_uniform", "uniform"))
class RandomUniform(Source):
    """Draw numbers that are equally likely between two bounds."""

    work = Work(takes=2.1)

    low: float = param(default=0.0, doc="Lower bound.")
    high: float = param(default=1.0, doc="Upper bound.")

    examples = (Example({}, shape=(3, 4), low=-1.0),)

    def draw(self, rng: np.random.Generator, size: tuple[int, ...]) -> Any:
        """Return random numbers."""
        return rng.uniform(self.low, self.high, size)

    def summary(self) -> str:
        """Return the bounds."""
        return f"{self.low:g} … {self.high:g}"


@operator(name="_random_normal", category="Random", aliases=("normal", "random_normal"))
class RandomNormal(Source):
    """Draw numbers from a normal distribution."""

    work = Work(takes=2.1)

    loc: float = param(default=0.0, doc="Mean.")
    scale: float = param(default=1.0, low=0, doc="Standard deviation.")

    examples = (Example({}, shape=(3, 4), loc=2.0, scale=0.5),)

    def draw(self, rng: np.random.Generator, size: tuple[int, ...]) -> Any:
        """Return random numbers."""
        return rng.normal(self.loc, self.scale, size)

    def summary(self) -> str:
        """Return mean and deviation."""
        return f"{self.loc:g} ± {self.scale:g}"


@operator(name="_random_gamma", category="Random", aliases=("random_gamma",))
class RandomGamma(Source):
    """Draw numbers from a gamma distribution, whose mean is alpha · beta."""

    work = Work(takes=2.1)

    alpha: float = param(default=1.0, low=0, doc="Shape of the distribution.")
    beta: float = param(default=1.0, low=0, doc="Scale of the distribution.")

    examples = (Example({}, shape=(3, 4), alpha=4.0, beta=0.5),)

    def check(self) -> None:
        """Refuse a distribution without width."""
        refuse(self.alpha == 0 or self.beta == 0, "alpha and beta must be above 0.", port="alpha")

    def draw(self, rng: np.random.Generator, size: tuple[int, ...]) -> Any:
        """Return random numbers."""
        return rng.gamma(self.alpha, self.beta, size)


@operator(name="_random_exponential", category="Random", aliases=("random_exponential",))
class RandomExponential(Source):
    """Draw waiting times between events that come at a rate."""

    work = Work(takes=2.1)

    lam: float = param(default=1.0, low=0, doc="The rate; the mean is one over it.")

    examples = (Example({}, shape=(3, 4), lam=2.0),)

    def check(self) -> None:
        """Refuse a rate of zero."""
        refuse(self.lam == 0, "lam is 0, but the mean is one over it.", port="lam")

    def draw(self, rng: np.random.Generator, size: tuple[int, ...]) -> Any:
        """Return random numbers."""
        return rng.exponential(1 / self.lam, size)


@operator(name="_random_poisson", category="Random", aliases=("random_poisson",))
class RandomPoisson(Source):
    """Draw counts of events that come at a rate."""

    work = Work(takes=2.1)

    lam: float = param(default=1.0, low=0, doc="The rate, which is the mean.")

    examples = (Example({}, shape=(3, 4), lam=4.0),)

    def draw(self, rng: np.random.Generator, size: tuple[int, ...]) -> Any:
        """Return random numbers."""
        return rng.poisson(self.lam, size)

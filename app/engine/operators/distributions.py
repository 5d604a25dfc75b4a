"""Distributions with their settings, from which the operators of random.py draw."""

from typing import Any, ClassVar

import attrs
import numpy as np

from app.engine.errors import ShapeError
from app.engine.kernels import drawing
from app.engine.operator import CodeNames, Operator, refuse
from app.engine.operators.formulas import number
from app.engine.params import param
from app.engine.shapes import Inferred, Shape, Shapes
from app.engine.work_space import Work


@attrs.frozen(kw_only=True, slots=False)
class Distribution(Operator):
    """Something to draw random numbers from."""

    is_random = True
    work = Work(takes=4)

    numpy_draw: ClassVar[str] = ""
    torch_draw: ClassVar[str] = ""
    """The templates of exported programs, over the settings and the size."""

    def _drawn(self, n: CodeNames, template: str) -> str:
        if not template:
            raise NotImplementedError(self.op_name)
        settings = {name: number(value) for name, value in attrs.asdict(self).items() if _is_number(value)}
        return template.format(**settings, size=n.out_shapes[0])

    def numpy_code(self, n: CodeNames) -> list[str]:
        """Draw from numpy's own distributions."""
        return [f"{n.outs[0]} = {self._drawn(n, self.numpy_draw)}.astype(np.{n.dtype})"]

    def torch_code(self, n: CodeNames) -> list[str]:
        """Draw with PyTorch."""
        return [f"{n.outs[0]} = ({self._drawn(n, self.torch_draw)}).to(torch.{n.dtype})"]

    def draw(self, rng: np.random.Generator, size: Shape) -> Any:
        """Return random numbers."""
        raise NotImplementedError(self.op_name)


@attrs.frozen(kw_only=True, slots=False)
class Uniform(Distribution):
    """All numbers between two bounds are equally likely."""

    numpy_draw = "np.random.uniform({low}, {high}, {size})"
    torch_draw = "torch.rand({size}) * ({high} - {low}) + {low}"

    low: float = param(default=0.0, doc="Lower bound.")
    high: float = param(default=1.0, doc="Upper bound.")

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Refuse bounds that are the wrong way round, as MXNet does when it draws."""
        if self.low > self.high:
            raise ShapeError(f"high is {self.high:g}, but it must be at least low, which is {self.low:g}.")
        return super().infer(ins, outs)

    def draw(self, rng: np.random.Generator, size: Shape) -> Any:
        """Return random numbers."""
        return drawing.uniform(rng, size, self.low, self.high)

    def summary(self) -> str:
        """Return the bounds."""
        return f"{self.low:g} … {self.high:g}"


@attrs.frozen(kw_only=True, slots=False)
class Normal(Distribution):
    """The normal distribution."""

    numpy_draw = "np.random.normal({loc}, {scale}, {size})"
    torch_draw = "torch.randn({size}) * {scale} + {loc}"

    loc: float = param(default=0.0, doc="Mean.")
    scale: float = param(default=1.0, low=0, doc="Standard deviation.")

    def draw(self, rng: np.random.Generator, size: Shape) -> Any:
        """Return random numbers."""
        return drawing.normal(rng, size, self.loc, self.scale)

    def summary(self) -> str:
        """Return mean and deviation."""
        return f"{self.loc:g} ± {self.scale:g}"


@attrs.frozen(kw_only=True, slots=False)
class Gamma(Distribution):
    """The gamma distribution."""

    numpy_draw = "np.random.gamma({alpha}, {beta}, {size})"

    alpha: float = param(default=1.0, low=0, doc="Shape of the distribution.")
    beta: float = param(default=1.0, low=0, doc="Scale of the distribution.")

    def check(self) -> None:
        """Refuse a distribution without width."""
        refuse(self.alpha == 0 or self.beta == 0, "alpha and beta must be above 0.", port="alpha")

    def draw(self, rng: np.random.Generator, size: Shape) -> Any:
        """Return random numbers."""
        return drawing.gamma(rng, size, self.alpha, self.beta)


@attrs.frozen(kw_only=True, slots=False)
class Exponential(Distribution):
    """The exponential distribution."""

    numpy_draw = "np.random.exponential(1 / {lam}, {size})"
    torch_draw = "-torch.log(1 - torch.rand({size})) / {lam}"

    lam: float = param(default=1.0, low=0, doc="The rate; the mean is one over it.")

    def check(self) -> None:
        """Refuse a rate of zero."""
        refuse(self.lam == 0, "lam is 0, but the mean is one over it.", port="lam")

    def draw(self, rng: np.random.Generator, size: Shape) -> Any:
        """Return random numbers."""
        return drawing.exponential(rng, size, self.lam)


@attrs.frozen(kw_only=True, slots=False)
class Poisson(Distribution):
    """Poisson's distribution."""

    numpy_draw = "np.random.poisson({lam}, {size})"

    lam: float = param(default=1.0, low=0, doc="The rate, which is the mean.")

    def draw(self, rng: np.random.Generator, size: Shape) -> Any:
        """Return random numbers."""
        return drawing.poisson(rng, size, self.lam)


@attrs.frozen(kw_only=True, slots=False)
class NegativeBinomial(Distribution):
    """The negative binomial distribution."""

    numpy_draw = "np.random.poisson(np.random.gamma({k}, max(1 / {p} - 1, 0), {size}))"

    work = Work(takes=10)

    k: int = param(default=1, low=0, doc="How many successes end it.")
    p: float = param(default=1.0, low=0, doc="Chance of a success; nothing fails from 1 on.")

    def check(self) -> None:
        """Refuse to wait for what never comes."""
        refuse(self.p == 0, "p is 0, so that no success would ever come.", port="p")

    def draw(self, rng: np.random.Generator, size: Shape) -> Any:
        """Return random numbers."""
        return drawing.negative_binomial(rng, size, self.k, self.p)


@attrs.frozen(kw_only=True, slots=False)
class SpreadPoisson(Distribution):
    """Counts with a mean and a variance of their own."""

    work = Work(takes=14)

    mu: float = param(default=1.0, low=0, doc="The mean.")
    alpha: float = param(default=1.0, low=0, doc="The variance is mu + alpha · mu².")

    @property
    def numpy_draw(self) -> str:  # type: ignore[override]
        """Counts whose rate is drawn from a gamma distribution, unless it is the mean."""
        if self.alpha == 0:
            return "np.random.poisson({mu}, {size})"
        return "np.random.poisson(np.random.gamma(1 / {alpha}, {alpha} * {mu}, {size}))"

    def draw(self, rng: np.random.Generator, size: Shape) -> Any:
        """Return random numbers."""
        return drawing.spread_poisson(rng, size, self.mu, self.alpha)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float))

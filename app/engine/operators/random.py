"""Sources of random numbers: operators that draw anew on every forward, without inputs or in the shape of one."""

from collections.abc import Callable
from typing import Annotated, Any

import attrs
import numpy as np

from app.engine.errors import ShapeError
from app.engine.examples import Example
from app.engine.operator import (
    Arrays,
    Port,
    Run,
    Types,
    operator,
)
from app.engine.operators.distributions import (
    Distribution,
    Exponential,
    Gamma,
    NegativeBinomial,
    Normal,
    Poisson,
    SpreadPoisson,
    Uniform,
)
from app.engine.operators.without_gradient import ZeroGradient
from app.engine.params import WIDE, param
from app.engine.shapes import Inferred, Shape, Shapes, merge

_FLOATS = ("float16", "float32", "float64")


@attrs.frozen(kw_only=True, slots=False)
class Drawn(Distribution):
    """What all that draw have in common."""

    def prepare_forward(self, run: Run, ins: Arrays, outs: Arrays) -> Callable[[], object]:
        """Fix the buffer."""
        result = outs[0]
        return lambda: np.copyto(result, self.draw(run.rng, result.shape), casting="unsafe")

    def forward(self, run: Run, ins: Arrays, outs: Arrays) -> None:
        """Draw."""
        self.prepare_forward(run, ins, outs)()


@attrs.frozen(kw_only=True, slots=False)
class OfShape(Drawn):
    """A source whose shape is a setting."""

    dtype: str | None
    usual_type = "float32"

    shape: tuple[int, ...] | None = param(default=None, doc="Shape of what is drawn; 0 is an open size.")
    ctx: str = param(default="", advanced=True, doc="Only for graphics cards; kept in files.")

    @property
    def inputs(self) -> tuple[Port, ...]:
        """A source has none."""
        return ()

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """The shape is the setting's; what is open there comes from the reader."""
        return (), (merge(tuple(self.shape or ()), outs[0], "output"),)

    def infer_types(self, ins: Types, outs: Types) -> tuple[Types, Types]:
        """The type is the setting's."""
        return (), (np.dtype(self.dtype) if self.dtype else outs[0] or np.dtype(self.usual_type),)


@attrs.frozen(kw_only=True, slots=False)
class Source(OfShape):
    """A source of numbers that need not be whole."""

    dtype: str | None = param(default=None, choices=_FLOATS, advanced=True, doc="Type; float32 if left out.")


@attrs.frozen(kw_only=True, slots=False)
class Like(Drawn, ZeroGradient):
    """A source whose shape and type are those of an array; the array's numbers do not matter."""

    kinds = "f"

    examples = (Example({"data": (3, 4)}),)


@operator(name="_random_uniform", category="Random", aliases=("random_uniform", "uniform"))
class RandomUniform(Uniform, Source):
    """Draw numbers that are equally likely between two bounds."""

    examples = (Example({}, shape=(3, 4), low=-1.0),)


@operator(name="_random_normal", category="Random", aliases=("normal", "random_normal"))
class RandomNormal(Normal, Source):
    """Draw numbers from a normal distribution."""

    examples = (Example({}, shape=(3, 4), loc=2.0, scale=0.5),)


@operator(name="_random_gamma", category="Random", aliases=("random_gamma",))
class RandomGamma(Gamma, Source):
    """Draw numbers from a gamma distribution, whose mean is alpha · beta."""

    examples = (Example({}, shape=(3, 4), alpha=4.0, beta=0.5),)


@operator(name="_random_exponential", category="Random", aliases=("random_exponential",))
class RandomExponential(Exponential, Source):
    """Draw waiting times between events that come at a rate."""

    examples = (Example({}, shape=(3, 4), lam=2.0),)


@operator(name="_random_poisson", category="Random", aliases=("random_poisson",))
class RandomPoisson(Poisson, Source):
    """Draw counts of events that come at a rate."""

    examples = (Example({}, shape=(3, 4), lam=4.0),)


@operator(name="_random_negative_binomial", category="Random", aliases=("random_negative_binomial",))
class RandomNegativeBinomial(NegativeBinomial, Source):
    """Draw how often one fails before so many successes."""

    examples = (Example({}, shape=(3, 4), k=3, p=0.4),)


@operator(
    name="_random_generalized_negative_binomial",
    category="Random",
    aliases=("random_generalized_negative_binomial",),
)
class RandomSpreadPoisson(SpreadPoisson, Source):
    """Draw counts with a given mean, more spread out than Poisson's."""

    examples = (Example({}, shape=(3, 4), mu=3.0, alpha=0.4), Example({}, shape=(3, 4), mu=2.0, alpha=0.0))


@operator(name="_random_uniform_like", category="Random")
class RandomUniformLike(Uniform, Like):
    """Draw numbers that are equally likely between two bounds, as many as an array holds."""


@operator(name="_random_normal_like", category="Random")
class RandomNormalLike(Normal, Like):
    """Draw numbers from a normal distribution, as many as an array holds."""


@operator(name="_random_gamma_like", category="Random")
class RandomGammaLike(Gamma, Like):
    """Draw numbers from a gamma distribution, whose mean is alpha · beta, as many as an array holds."""


@operator(name="_random_exponential_like", category="Random")
class RandomExponentialLike(Exponential, Like):
    """Draw waiting times between events that come at a rate, as many as an array holds."""


@operator(name="_random_poisson_like", category="Random")
class RandomPoissonLike(Poisson, Like):
    """Draw counts of events that come at a rate, as many as an array holds."""


@operator(name="_random_negative_binomial_like", category="Random")
class RandomNegativeBinomialLike(NegativeBinomial, Like):
    """Draw how often one fails before so many successes, as many times as an array holds numbers."""


@operator(name="_random_generalized_negative_binomial_like", category="Random")
class RandomSpreadPoissonLike(SpreadPoisson, Like):
    """Draw counts with a given mean, more spread out than Poisson's, as many as an array holds."""


@operator(name="_random_randint", category="Random", aliases=("random_randint",))
class RandomInt(OfShape):
    """Draw whole numbers that are equally likely from low up to, but not including, high."""

    usual_type = "int32"
    numpy_draw = "np.random.randint({low}, {high}, {size}, np.int64)"
    torch_draw = "torch.randint({low}, {high}, {size})"

    low: Annotated[int, WIDE] = param(doc="The smallest number.")
    high: Annotated[int, WIDE] = param(doc="The number to stop before.")
    dtype: str | None = param(
        default=None, choices=("int32", "int64"), advanced=True, doc="Type; int32 if left out."
    )

    examples = (
        Example({}, low=-2, high=5, shape=(3, 4)),
        Example({}, low=0, high=300, shape=(5,), dtype="int64"),
    )

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Refuse an empty range; take the shape."""
        if self.low >= self.high:
            raise ShapeError(f"high is {self.high}, but it must be above low, which is {self.low}.")
        return super().infer(ins, outs)

    def draw(self, rng: np.random.Generator, size: Shape) -> Any:
        """Return random numbers."""
        return rng.integers(self.low, self.high, size)

    def summary(self) -> str:
        """Return the range."""
        return f"{self.low} … {self.high - 1}"

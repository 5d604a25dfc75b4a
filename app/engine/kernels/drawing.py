"""Random numbers by distribution: of one setting, or of an array of settings, one for each number drawn.

Unlike numpy's own methods these take every distribution's edge cases as MXNet does, and refuse in a sentence.
"""

from typing import Any

import numpy as np

from app.engine.errors import RunError
from app.engine.operator import Array
from app.engine.shapes import Shape

Setting = float | Array
_MOST_EVENTS = 1e18
"""numpy counts events in 64 bits."""


def uniform(rng: np.random.Generator, size: Shape, low: Setting, high: Setting) -> Any:
    """Draw numbers that are equally likely between two bounds."""
    return low + (high - low) * rng.random(size)


def normal(rng: np.random.Generator, size: Shape, mean: Setting, deviation: Setting) -> Any:
    """Draw from normal distributions."""
    return mean + deviation * rng.standard_normal(size)


def gamma(rng: np.random.Generator, size: Shape, form: Setting, scale: Setting) -> Any:
    """Draw from gamma distributions."""
    return rng.standard_gamma(_at_least_0(form, "alpha"), size) * scale


def exponential(rng: np.random.Generator, size: Shape, rate: Setting) -> Any:
    """Draw waiting times between events."""
    return rng.standard_exponential(size) / rate


def poisson(rng: np.random.Generator, size: Shape, rate: Setting) -> Any:
    """Draw counts of events."""
    return rng.poisson(np.minimum(_at_least_0(rate, "lam"), _MOST_EVENTS), size)


def negative_binomial(rng: np.random.Generator, size: Shape, successes: Setting, chance: Setting) -> Any:
    """Draw how often one fails before so many successes: counts whose rate is drawn from a gamma distribution."""
    rates = rng.standard_gamma(_at_least_0(successes, "k"), size)
    with np.errstate(divide="ignore", invalid="ignore"):
        failures = rates * ((1 - np.asarray(chance)) / chance)
    return poisson(rng, size, np.where(failures > 0, failures, 0))


def spread_poisson(rng: np.random.Generator, size: Shape, mean: Setting, spread: Setting) -> Any:
    """Draw counts with a mean and a variance of mean + spread · mean²; without spread they are Poisson's."""
    spreads = np.broadcast_to(_at_least_0(spread, "alpha"), size)
    wide = spreads > 0
    forms = np.divide(1, spreads, out=np.ones(size), where=wide)
    rates = rng.standard_gamma(forms, size) * spreads
    return poisson(rng, size, np.where(wide, rates, 1) * _at_least_0(mean, "mu"))


def _at_least_0(setting: Setting, name: str) -> Array:
    numbers = np.asarray(setting)
    if not (numbers >= 0).all():
        raise RunError(f"{name} holds a number below 0, of which nothing can be drawn.")
    return numbers

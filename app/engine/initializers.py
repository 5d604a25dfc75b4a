"""Initialisers: first values for arguments, by the names and formulas of MXNet's.

A spelling is a name with settings in brackets: `zeros`, `constant(0.5)`, `uniform(0.07)`, `normal(0.01)`,
`xavier(uniform, avg, 3)`, `msra(avg, 0.25)`, `orthogonal(1.414)`, `bilinear`, `arange(0, 1)`.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence

import attrs
import numpy as np

from app.engine.errors import ParameterError
from app.engine.operator import Array, DType
from app.engine.shapes import Shape, text

Generator = np.random.Generator
Setting = str | float
Fill = Callable[[Sequence[Setting], Shape, Generator], Array]

_SPELLING = re.compile(r"\s*([A-Za-z_]+)\s*(?:\((.*)\))?\s*\Z", re.DOTALL)
_LARGEST = float(np.finfo(np.float32).max)


@attrs.frozen
class Initializer:
    """One named way to fill an array: its settings with their defaults, a sentence, and the filling itself."""

    name: str
    settings: Mapping[str, Setting]
    doc: str
    fill: Fill

    @property
    def spelling(self) -> str:
        """The name with its default settings, as it would be typed."""
        values = ", ".join(
            f"{value:g}" if isinstance(value, float) else value for value in self.settings.values()
        )
        return f"{self.name}({values})" if values else self.name


def make(spelling: str, shape: Shape, dtype: DType, rng: Generator) -> Array:
    """Return a new array filled as `spelling` says; ParameterError when it names nothing or its settings are wrong."""
    initializer, settings = parse(spelling)
    with np.errstate(all="ignore"):  # a narrow type may not hold what a sum or a product comes to
        return initializer.fill(settings, shape, rng).astype(dtype, copy=False)


def parse(spelling: str) -> tuple[Initializer, list[Setting]]:
    """Split a spelling into its initialiser and all its settings, defaults filled in."""
    match = _SPELLING.match(spelling)
    name = match.group(1).lower() if match else ""
    initializer = INITIALIZERS.get(_OTHER_NAMES.get(name, name))
    if match is None or initializer is None:
        known = ", ".join(INITIALIZERS)
        raise ParameterError(f"{spelling!r} is no initialiser; there are {known}.", port="value")
    words = [word.strip() for word in (match.group(2) or "").split(",") if word.strip()]
    if len(words) > len(initializer.settings):
        raise ParameterError(
            f"{initializer.name} takes at most {len(initializer.settings)} settings: {initializer.spelling}.",
            port="value",
        )
    settings = list(initializer.settings.values())
    for number, word in enumerate(words):
        settings[number] = _setting(initializer, word.partition("=")[2].strip() or word, settings[number])
    return initializer, settings


def _setting(initializer: Initializer, word: str, default: Setting) -> Setting:
    if isinstance(default, str):
        word = word.strip("'\"")
        allowed = _WORDS[default]
        if word not in allowed:
            raise ParameterError(
                f"{initializer.name}: {word!r} must be one of {', '.join(allowed)}.", port="value"
            )
        return word
    try:
        number = float(word)
    except ValueError:
        raise ParameterError(f"{initializer.name}: {word!r} is no number.", port="value") from None
    if not abs(number) <= _LARGEST:
        raise ParameterError(
            f"{initializer.name}: {word} is no number that single precision can hold.", port="value"
        )
    return number


_WORDS = {"uniform": ("uniform", "gaussian"), "avg": ("avg", "in", "out")}


def _zeros(_: Sequence[Setting], shape: Shape, __: Generator) -> Array:
    return np.zeros(shape)


def _ones(_: Sequence[Setting], shape: Shape, __: Generator) -> Array:
    return np.ones(shape)


def _constant(settings: Sequence[Setting], shape: Shape, _: Generator) -> Array:
    return np.full(shape, float(settings[0]))


def _uniform(settings: Sequence[Setting], shape: Shape, rng: Generator) -> Array:
    scale = abs(float(settings[0]))
    return rng.uniform(-scale, scale, shape)


def _normal(settings: Sequence[Setting], shape: Shape, rng: Generator) -> Array:
    return rng.normal(0.0, abs(float(settings[0])), shape)


def _fans(shape: Shape) -> tuple[float, float]:
    """Return how many numbers feed one output and how many outputs one number feeds."""
    if len(shape) < 2:
        raise ParameterError(
            f"This initialiser needs at least two axes, but the shape is {text(shape)}.", port="value"
        )
    window = math.prod(shape[2:])
    return shape[1] * window, shape[0] * window


def _xavier(settings: Sequence[Setting], shape: Shape, rng: Generator) -> Array:
    distribution, factor, magnitude = settings
    fan_in, fan_out = _fans(shape)
    divisor = {"avg": (fan_in + fan_out) / 2, "in": fan_in, "out": fan_out}[str(factor)]
    scale = math.sqrt(abs(float(magnitude)) / divisor)
    return rng.uniform(-scale, scale, shape) if distribution == "uniform" else rng.normal(0.0, scale, shape)


def _msra(settings: Sequence[Setting], shape: Shape, rng: Generator) -> Array:
    factor, slope = settings
    return _xavier(["gaussian", factor, 2.0 / (1 + float(slope) ** 2)], shape, rng)


def _orthogonal(settings: Sequence[Setting], shape: Shape, rng: Generator) -> Array:
    rows, columns = shape[0], math.prod(shape[1:])
    u, _, v = np.linalg.svd(rng.uniform(-1.0, 1.0, (rows, columns)), full_matrices=False)
    return float(settings[0]) * (u if u.shape == (rows, columns) else v).reshape(shape)


def _bilinear(_: Sequence[Setting], shape: Shape, __: Generator) -> Array:
    if len(shape) != 4:
        raise ParameterError(f"bilinear needs a 4-d shape, not {text(shape)}.", port="value")
    half = math.ceil(shape[3] / 2.0)
    centre = (2 * half - 1 - half % 2) / (2.0 * half)
    column, row = np.arange(shape[3]), np.arange(shape[2])
    window = np.outer(1 - np.abs(row / half - centre), 1 - np.abs(column / half - centre))
    return np.broadcast_to(window, shape).copy()


def _arange(settings: Sequence[Setting], shape: Shape, _: Generator) -> Array:
    start, step = settings
    return float(start) + float(step) * np.arange(math.prod(shape)).reshape(shape)


INITIALIZERS: Mapping[str, Initializer] = {
    initializer.name: initializer
    for initializer in (
        Initializer("zeros", {}, "All 0.", _zeros),
        Initializer("ones", {}, "All 1.", _ones),
        Initializer("constant", {"value": 0.5}, "One number everywhere.", _constant),
        Initializer("uniform", {"scale": 0.07}, "Evenly spread between -scale and scale.", _uniform),
        Initializer("normal", {"sigma": 0.01}, "Bell-shaped around 0 with deviation sigma.", _normal),
        Initializer(
            "xavier",
            {"distribution": "uniform", "factor": "avg", "magnitude": 3.0},
            "Scaled so that values keep their size from layer to layer.",
            _xavier,
        ),
        Initializer("msra", {"factor": "avg", "slope": 0.25}, "Like xavier, made for rectifiers.", _msra),
        Initializer("orthogonal", {"scale": 1.414}, "Rows at right angles to each other.", _orthogonal),
        Initializer("bilinear", {}, "A tent: the weights that enlarge an image.", _bilinear),
        Initializer("arange", {"start": 0.0, "step": 1.0}, "Counts up through the array.", _arange),
    )
}
"""Every initialiser by name."""

_OTHER_NAMES = {"zero": "zeros", "one": "ones", "gaussian": "normal", "msraprelu": "msra"}

"""Trigonometric and hyperbolic functions, roots, further exponentials and logarithms, and special functions."""

from math import log, pi, sqrt
from typing import Any

import numpy as np

from app.engine.examples import Domain
from app.engine.kernels import special
from app.engine.operators.unary import Value, by, computed, elementwise, unary

_POSITIVE = Domain(0.3, 3.0)
_WITHIN_ONE = Domain(-0.9, 0.9)
_AWAY_FROM_ZERO = Domain(-2.0, 2.0, avoid=(0.0,))

unary("sin", np.sin, by("{d} * np.cos({x})", lambda x, _: np.cos(x)), doc="Take the sine.")
unary("cos", np.cos, by("-{d} * np.sin({x})", lambda x, _: -np.sin(x)), doc="Take the cosine.")
unary(
    "tan",
    np.tan,
    by("{d} * (1 + {y}**2)", lambda _, y: 1 + y * y),
    doc="Take the tangent.",
    domain=Domain(-1.2, 1.2),
)
unary(
    "arcsin",
    np.arcsin,
    by("{d} / np.sqrt(1 - {x}**2)", lambda x, _: 1 / np.sqrt(1 - x * x)),
    doc="Take the angle whose sine it is.",
    domain=_WITHIN_ONE,
)
unary(
    "arccos",
    np.arccos,
    by("-{d} / np.sqrt(1 - {x}**2)", lambda x, _: -1 / np.sqrt(1 - x * x)),
    doc="Take the angle whose cosine it is.",
    domain=_WITHIN_ONE,
)
unary(
    "arctan",
    np.arctan,
    by("{d} / (1 + {x}**2)", lambda x, _: 1 / (1 + x * x)),
    doc="Take the angle whose tangent it is.",
)
unary("sinh", np.sinh, by("{d} * np.cosh({x})", lambda x, _: np.cosh(x)), doc="Take the hyperbolic sine.")
unary("cosh", np.cosh, by("{d} * np.sinh({x})", lambda x, _: np.sinh(x)), doc="Take the hyperbolic cosine.")
unary(
    "arcsinh",
    np.arcsinh,
    by("{d} / np.sqrt({x}**2 + 1)", lambda x, _: 1 / np.sqrt(x * x + 1)),
    doc="Undo the hyperbolic sine.",
)
unary(
    "arccosh",
    np.arccosh,
    by("{d} / np.sqrt({x}**2 - 1)", lambda x, _: 1 / np.sqrt(x * x - 1)),
    doc="Undo the hyperbolic cosine.",
    domain=Domain(1.2, 3.0),
)
unary(
    "arctanh",
    np.arctanh,
    by("{d} / (1 - {x}**2)", lambda x, _: 1 / (1 - x * x)),
    doc="Undo the hyperbolic tangent.",
    domain=_WITHIN_ONE,
)
unary(
    "degrees",
    Value(computed(np.degrees), "np.degrees({x})", "torch.rad2deg({x})"),
    by("{d} * 180 / np.pi", lambda x, _: np.full_like(x, 180 / pi)),
    doc="Turn radians into degrees.",
)
unary(
    "radians",
    Value(computed(np.radians), "np.radians({x})", "torch.deg2rad({x})"),
    by("{d} * np.pi / 180", lambda x, _: np.full_like(x, pi / 180)),
    doc="Turn degrees into radians.",
)
unary(
    "log1p",
    Value(elementwise(np.log1p), "np.log1p({x})", formula="ln(1 + {x})"),
    by("{d} / (1 + {x})", lambda x, _: 1 / (1 + x)),
    doc="Take ln(1 + x), exact for small x.",
    domain=_POSITIVE,
)
unary(
    "expm1",
    Value(elementwise(np.expm1), "np.expm1({x})", formula="exp({x}) − 1"),
    by("{d} * ({y} + 1)", lambda _, y: y + 1, whole=lambda x, _: np.exp(x)),
    doc="Take eˣ − 1, exact for small x.",
)
unary(
    "log2",
    np.log2,
    by(f"{{d}} / ({{x}} * {log(2)!r})", lambda x, _: 1 / (x * log(2))),
    doc="Take the logarithm to base 2.",
    domain=_POSITIVE,
)
unary(
    "log10",
    np.log10,
    by(f"{{d}} / ({{x}} * {log(10)!r})", lambda x, _: 1 / (x * log(10))),
    doc="Take the logarithm to base 10.",
    domain=_POSITIVE,
)
unary(
    "rsqrt",
    Value(computed(lambda x: 1 / np.sqrt(x)), "1 / np.sqrt({x})"),
    by("-{d} * {y} / (2 * {x})", lambda x, y: -y / (2 * x), whole=lambda x, _: -0.5 / (x * np.sqrt(x))),
    doc="Take 1 / √x.",
    domain=_POSITIVE,
    gradient_kinds="iuf",
)
unary(
    "cbrt",
    Value(computed(np.cbrt), "np.cbrt({x})", "cube_root({x})"),
    by("{d} / (3 * {y}**2)", lambda _, y: 1 / (3 * y * y)),
    doc="Take the cube root.",
    domain=_AWAY_FROM_ZERO,
)
unary(
    "rcbrt",
    Value(computed(lambda x: 1 / np.cbrt(x)), "1 / np.cbrt({x})", "1 / cube_root({x})"),
    by("-{d} * {y} / (3 * {x})", lambda x, y: -y / (3 * x)),
    doc="Take 1 / ∛x.",
    domain=_AWAY_FROM_ZERO,
    gradient_kinds="iuf",
)
unary(
    "reciprocal",
    Value(elementwise(np.reciprocal), "np.reciprocal({x})", formula="1 / {x}"),
    by("-{d} * {y}**2", lambda _, y: -y * y),
    doc="Take 1 / x.",
    domain=_AWAY_FROM_ZERO,
    gradient_kinds="iuf",
)
unary(
    "softsign",
    Value(computed(lambda x: x / (1 + np.abs(x))), "{x} / (1 + np.abs({x}))"),
    by("{d} / (1 + np.abs({x}))**2", lambda x, _: 1 / np.square(1 + np.abs(x))),
    doc="Squash to between −1 and 1: x / (1 + |x|).",
)


def _erfinv_slope(_: Any, y: Any) -> Any:
    return np.sqrt(pi) / 2 * np.exp(np.square(np.asarray(y, np.float64)))


unary(
    "erf",
    Value(computed(special.erf), "erf({x})", "torch.erf({x})", formula="2/√π ∫₀ˣ e^(−t²) dt"),
    by(f"{{d}} * {2 / sqrt(pi)!r} / np.exp({{x}}**2)", lambda x, _: special.erf_slope(x)),
    passing_pieces=12,
    doc="Take the error function.",
)
unary(
    "erfinv",
    Value(
        computed(special.erfinv),
        "inverse_erf({x})",
        "torch.erfinv({x})",
        formula="the number whose erf is {x}",
    ),
    by(f"{{d}} * {sqrt(pi) / 2!r} * np.exp({{y}}**2)", _erfinv_slope),
    passing_pieces=24,
    doc="Undo the error function.",
    domain=_WITHIN_ONE,
)
unary(
    "gamma",
    Value(computed(special.gamma), "gamma_function({x})", formula="Γ({x})"),
    by(
        "{d} * {y} * digamma({x})",
        lambda x, y: y * special.digamma(x),
        whole=lambda x, _: special.gamma(x) * special.digamma(x),
    ),
    passing_pieces=18,
    doc="Take Γ(x), which is (x − 1)! for whole numbers.",
    domain=_POSITIVE,
)
unary(
    "gammaln",
    Value(computed(special.log_gamma), "log_gamma({x})", "torch.lgamma({x})", formula="ln |Γ({x})|"),
    by("{d} * digamma({x})", lambda x, _: special.digamma(x)),
    passing_pieces=18,
    doc="Take ln |Γ(x)|.",
    domain=_POSITIVE,
)

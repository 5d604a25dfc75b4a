"""One template says a formula in code; the same template, respelt, says it to people."""

import re
from functools import cache
from math import isnan, log, pi, sqrt

import numpy as np

from app.engine.operator import Reads

_POWERS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_WHERE = re.compile(r"np\.where\((.+?), (.+?), (.+?)\)\Z")
_PLAIN_POWER = re.compile(r"\*\*(-?\d+)\b")
_CALLS = {
    "np.sqrt(": "√(",
    "np.abs(": "abs(",
    "np.log(": "ln(",
    "np.maximum(": "max(",
    "np.minimum(": "min(",
    ".copy()": "",
    "np.pi": "π",
    "digamma(": "ψ(",
    "np.": "",
    repr(2 / sqrt(pi)): "2 / √π",
    repr(sqrt(pi) / 2): "√π / 2",
    repr(log(2)): "ln(2)",
    repr(log(10)): "ln(10)",
}


@cache
def mathematics(template: str) -> str:
    """Respell a code template for people: `{d} * np.cos({x})` becomes `{d} · cos({x})`."""
    where = _WHERE.match(template)
    if where:
        condition, then, otherwise = (mathematics(part) for part in where.groups())
        return f"{then} where {condition}, else {otherwise}"
    said = _PLAIN_POWER.sub(lambda match: match[1].translate(_POWERS), template)
    for code, words in _CALLS.items():
        said = said.replace(code, words)
    for code, sign in (("**", "^"), (" * ", " · "), (" >= ", " ≥ "), (" <= ", " ≤ ")):
        said = said.replace(code, sign)
    for code, sign in (
        (" == ", " = "),
        (" != ", " ≠ "),
        (" & ", " and "),
        (" | ", " or "),
        (" - ", " − "),
        ("(-", "(−"),
    ):
        said = said.replace(code, sign)
    return "−" + said[1:] if said.startswith("-") else said


def for_torch(template: str) -> str:
    """Respell a numpy template for PyTorch, whose element functions carry the same names."""
    return template.replace("np.", "torch.")


def template_reads(template: str, ins: tuple[str, ...], outs: tuple[str, ...] = ("y",)) -> Reads:
    """Read off a gradient's template which arrays it needs."""
    return Reads(
        inputs=tuple(index for index, name in enumerate(ins) if "{" + name + "}" in template),
        outputs=tuple(index for index, name in enumerate(outs) if "{" + name + "}" in template),
        heads="{d}" in template,
    )


def number(value: float) -> str:
    """Spell a number as short as Python can read it back: `2`, `0.5`; a negative one in brackets."""
    text = repr(value).removesuffix(".0")
    if isnan(value) or text.endswith("inf"):
        text = text.replace("nan", "np.nan").replace("inf", "np.inf")
    return f"({text})" if text.startswith("-") else text


def single(value: float) -> str:
    """Spell a setting as MXNet keeps it, in single precision."""
    return number(float(np.float32(value)))

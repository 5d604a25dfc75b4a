"""What a wrong setting was probably meant to be: the nearest text that the parameter takes."""

import math
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from app.engine.nearby import near_names

if TYPE_CHECKING:
    from app.engine.params import Parameter

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_LONGEST = 200
_MOST_DIGITS = 15
_YES, _NO = ("yes", "y", "on", "t"), ("no", "n", "off", "f")


def likely_texts(parameter: "Parameter", text: str) -> Iterator[str]:
    """Go through texts that may have been meant by a wrong one, the likeliest first; not all of them need be right."""
    if len(text) > _LONGEST:
        return
    word = text.strip().strip("\"'").lower()
    if parameter.nullable and word in ("none", "null", ""):
        yield "None"
    if parameter.choices:
        yield from near_names(word, parameter.choices)
    elif parameter.kind == "bool":
        yield from _truths(word)
    elif parameter.kind in ("int", "float"):
        numbers = _numbers(word)
        if len(numbers) == 1:
            yield _within(parameter, numbers[0])
    elif parameter.kind in ("ints", "floats"):
        texts = [_within(parameter, number) for number in _numbers(word)]
        if texts:
            yield f"({', '.join(texts)}{',' if len(texts) == 1 else ''})"


def _truths(word: str) -> Iterator[str]:
    if word in _YES or word in _NO:
        yield str(word in _YES)
    numbers = _numbers(word)
    if len(numbers) == 1:
        yield str(bool(numbers[0]))
    yield from near_names(word, ("True", "False"))


def _numbers(word: str) -> list[float]:
    found = [match for match in _NUMBER.findall(word) if len(match) <= _MOST_DIGITS]
    return [number for number in map(float, found) if math.isfinite(number)]


def _within(parameter: "Parameter", number: float) -> str:
    """Write a number as the parameter takes it: whole where it must be, and moved to the nearer bound."""
    low, high = parameter.declaration.low, parameter.declaration.high
    bounded = max(number, low) if low is not None else number
    bounded = min(bounded, high) if high is not None else bounded
    whole = parameter.kind in ("int", "ints")
    return str(round(bounded)) if whole else f"{bounded:g}"

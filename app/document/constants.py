"""Constants as people type them: a number or nested lists of numbers, read into an array and spelled."""

import ast
import json
import re
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine.errors import BindError
from app.engine.shapes import MOST_AXES

Array = NDArray[Any]

_WORD = re.compile(r"(?<![\w.])(nan|inf|infinity|true|false)(?![\w.])", re.IGNORECASE)
_WORDS = {"nan": "NaN", "inf": "Infinity", "infinity": "Infinity", "true": "1", "false": "0"}
_CELL_GAP = re.compile(r"[\s,;]+")
_EXACT = 2**53
_SHOWN = 24


@lru_cache(maxsize=256)
def parse_constant(text: str) -> Array:
    """Return the read-only array that a text such as `10`, `[1, 2]` or `[[1, 2], [3, 4]]` stands for.

    Whole numbers give int64, others float64; a single number has rank 0. BindError says what cannot be read.
    """
    array = _to_array(_read(text), text)
    array.setflags(write=False)
    return array


def constant_shape(text: str) -> tuple[int, ...]:
    """Return the shape a constant has by itself; a single number has none."""
    return parse_constant(text).shape


def constant_fault(text: str) -> str:
    """Say what is wrong with a text as a constant, or nothing."""
    try:
        parse_constant(text)
    except BindError as error:
        return error.sentence
    return ""


def spell(array: Array) -> str:
    """Write an array as the shortest text that `parse_constant` reads back to the same numbers."""
    if array.dtype == np.float64 or array.dtype.kind in "iub":
        return json.dumps(array.tolist() if array.dtype.kind != "b" else array.astype(np.int64).tolist())
    return _nested([_spell_number(number) for number in array.ravel()], array.shape)


def _spell_number(number: Any) -> str:
    word = str(number)
    return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}.get(word, word)


def _nested(words: list[str], shape: tuple[int, ...]) -> str:
    for length in reversed(shape):
        words = [f"[{', '.join(words[start : start + length])}]" for start in range(0, len(words), length)]
    return words[0] if words else "[]"


def _read(text: str) -> Any:
    cleaned = _WORD.sub(lambda match: _WORDS[match[0].lower()], text.strip())
    if not cleaned:
        raise BindError("The value is empty. Type a number such as 10, or a list such as [1, 2, 3].")
    for read in (json.loads, _read_literal, _read_row, _read_table):
        try:
            return read(cleaned)
        except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            continue
    raise BindError(
        f"{_shown(text)} is no number and no list of numbers. Type 10, or [1, 2, 3], or [[1, 2], [3, 4]]."
    )


def _read_literal(text: str) -> Any:
    """Read what Python would but JSON would not: `.5`, `1.`, round brackets, a comma at the end."""
    return ast.literal_eval(text)


def _read_row(text: str) -> Any:
    return json.loads(f"[{text}]")


def _read_table(text: str) -> Any:
    """Read lines of numbers, as a spreadsheet puts them on the clipboard."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    rows = [[float(cell) for cell in _CELL_GAP.split(line)] for line in lines]
    whole = all(number.is_integer() and abs(number) < _EXACT for row in rows for number in row)
    table = [[int(number) for number in row] for row in rows] if whole else rows
    return table if len(table) > 1 else table[0]


def _to_array(value: Any, text: str) -> Array:
    """Let numpy try first; only what it does not take is walked through to say what is wrong and where."""
    try:
        array = np.array(value)
        if array.dtype.kind in "if" and array.size:
            return array
    except (ValueError, OverflowError):
        pass
    shape = _shape(value)
    if 0 in shape:
        raise BindError(f"{_shown(text)} has an empty list. Give at least one number.")
    if len(shape) > MOST_AXES:
        raise BindError(f"{_shown(text)} has {len(shape)} axes; an array has at most {MOST_AXES}.")
    _check(value, shape, ())
    try:
        return np.array(value, dtype=np.float64)
    except OverflowError as error:
        raise BindError(f"{_shown(text)} holds a whole number that is too large for any array.") from error


def _shape(value: Any) -> tuple[int, ...]:
    shape = []
    while isinstance(value, (list, tuple)):
        shape.append(len(value))
        if not value:
            break
        value = value[0]
    return tuple(shape)


def _check(value: Any, shape: tuple[int, ...], place: tuple[int, ...]) -> None:
    if not isinstance(value, (list, tuple)):
        if shape:
            raise BindError(f"{_shown(str(value))}{_at(place)} should be a list of {shape[0]}.")
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise BindError(f"{_shown(str(value))}{_at(place)} is not a number.")
        return
    if not shape:
        raise BindError(f"There is a list{_at(place)} where a single number was expected.")
    if len(value) != shape[0]:
        raise BindError(f"The list{_at(place)} has length {len(value)}, but the first has {shape[0]}.")
    for index, item in enumerate(value):
        _check(item, shape[1:], (*place, index))


def _at(place: tuple[int, ...]) -> str:
    return f" at {list(place)}" if place else ""


def _shown(text: str) -> str:
    text = " ".join(text.split())
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")

"""What callers hand to the public functions, taken as what it has to be or refused in a sentence.

Every function names the thing that it takes (`what`), so that a slip is told where it was made.
"""

import math
import operator
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np

from app.engine.errors import BindError, EngineError, GraphError, ParameterError, RunError, ShapeError
from app.engine.inference.types import NUMBERS
from app.engine.nearby import did_you_mean, no_such, quoted_value
from app.engine.operator import Array, DType
from app.engine.shapes import Shape

_KINDS = "biuf"
"""The kinds of numpy types that are numbers here."""


def take_shape(given: Any, what: str) -> Shape:
    """Return a shape as whole numbers."""
    kind = type(given)
    if kind is tuple or kind is list or isinstance(given, (tuple, list)):
        try:
            return tuple(map(operator.index, given))
        except TypeError:
            pass
    elif isinstance(given, np.ndarray) and given.ndim == 1 and given.dtype.kind in "iu":
        return tuple(map(int, given))
    raise ShapeError(
        f"{quoted_value(given)} is no shape for {what}; write whole numbers in brackets, like (32, 784)."
    )


def take_shapes(given: Any, what: str = "shapes") -> dict[str, Shape]:
    """Return shapes by name."""
    by_name = take_mapping(given, what, '{"data": (32, 784)}')
    return {name: take_shape(shape, name) for name, shape in by_name.items()}


def take_mapping(given: Any, what: str, example: str) -> Mapping[str, Any]:
    """Return what must be a dict by name."""
    if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
        raise BindError(f"{what} must be a dict by name, like {example}, not {quoted_value(given)}.")
    return given


def take_sequence(given: Any, what: str) -> Sequence[Any]:
    """Return what must be a list of arrays; a single array or number is none."""
    if isinstance(given, (list, tuple)):
        return given
    raise BindError(f"{what} must be a list in order or a dict by name, not {quoted_value(given)}.")


def take_type(given: Any, what: str) -> DType:
    """Return an element type that MXNet has."""
    try:
        found: DType | None = None if given is None else np.dtype(given)
    except (TypeError, ValueError, SyntaxError, OverflowError):
        found = None
    if found is None or found.name not in NUMBERS or not found.isnative:
        advice = did_you_mean(given, NUMBERS) or f" There are: {', '.join(NUMBERS)}."
        shown = given.name if isinstance(given, np.dtype) else quoted_value(given)
        raise BindError(f"{shown} is no element type for {what}.{advice}")
    return found


def take_types(given: Any, what: str = "dtypes") -> dict[str, DType]:
    """Return element types by name; None says nothing of a name."""
    by_name = take_mapping(given, what, '{"data": "float64"}')
    return {name: take_type(kind, name) for name, kind in by_name.items() if kind is not None}


def take_truth(given: Any, what: str, advice: str = "") -> bool:
    """Return what must be True or False."""
    if isinstance(given, (bool, np.bool_)) or (isinstance(given, int) and given in (0, 1)):
        return bool(given)
    raise RunError(f"{what} must be True or False, not {quoted_value(given)}.{advice}")


def take_seed(given: Any) -> int | None:
    """Return a seed: a whole number from 0 on, or None for another one each time."""
    if given is None:
        return None
    try:
        seed = operator.index(given)
    except TypeError:
        seed = -1
    if seed < 0:
        raise BindError(f"A seed is a whole number from 0 on or None, not {quoted_value(given)}.")
    return seed


def take_count(given: Any, what: str) -> int:
    """Return a whole number of at least 1."""
    try:
        count = operator.index(given)
    except TypeError:
        count = 0
    if count < 1:
        raise RunError(f"{what} must be a whole number of at least 1, not {quoted_value(given)}.")
    return count


def take_size(given: Any, what: str) -> float:
    """Return a finite number above 0."""
    size = _as_float(given)
    if size is None or not 0 < size < math.inf:
        raise RunError(f"{what} must be a number above 0, not {quoted_value(given)}.")
    return size


def take_number(given: Any, what: str) -> float:
    """Return a number that float64 can hold."""
    number = _as_float(given)
    if number is None:
        raise ParameterError(f"{what} must be a number, not {quoted_value(given)}.")
    return number


def _as_float(given: Any) -> float | None:
    try:
        return float(given) if isinstance(given, Real) else None
    except OverflowError:
        return None


def take_text(given: Any, what: str) -> str:
    """Return what must be text."""
    if isinstance(given, str):
        return given
    raise ParameterError(f"{what} must be text, not {quoted_value(given)}.")


def take_factor(given: Any, what: str) -> str:
    """Return the text of a number, which may be written as text."""
    if isinstance(given, str):
        try:
            float(given)
            return given
        except ValueError:
            pass
    take_number(given, what)
    return str(given)


def take_texts(given: Any, what: str) -> dict[str, str]:
    """Return texts by name: attributes of a variable."""
    return {key: take_text(text, f"{what} {key}") for key, text in take_attributes(given, what).items()}


def take_attributes(given: Any, what: str) -> dict[str, Any]:
    """Return values by name: attributes of a node."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise ParameterError(f'{what} must be a dict of texts, like {{"k": "v"}}, not {quoted_value(given)}.')
    return {take_text(key, f"a name in {what}"): value for key, value in given.items()}


def take_name(name: Any, what: str, known: Sequence[str]) -> str:
    """Return a name that must be one of the known; GraphError tells which are near."""
    if not isinstance(name, str) or name not in known:
        raise GraphError(no_such(what, name, known))
    return name


def take_array(given: Any, what: str, refusal: type[EngineError] = RunError) -> Array:
    """Return numbers as an array, however they are nested."""
    try:
        array: Array = np.asarray(given)
    except (TypeError, ValueError, OverflowError, EngineError):
        array = np.empty(0, object)
    if array.dtype.kind not in _KINDS:
        raise refusal(f"{what} must be an array of numbers, not {quoted_value(given)}.")
    return array

"""Arrays that are handed in to a bind: refused where they do not fit, else copied."""

from typing import Any

import numpy as np

from app.engine.errors import EngineError, RunError
from app.engine.operator import Array
from app.engine.shapes import text


def check_shape(got: tuple[int, ...], wanted: tuple[int, ...], what: str) -> None:
    """Refuse an array of another shape."""
    if got != wanted:
        raise RunError(
            f"The shape of {what} is {text(got) if got else 'one number'}, but it must be {text(wanted)}."
        )


def copy_into(buffer: Array, given: Any, what: str) -> None:
    """Copy an array of the same shape into a bound buffer."""
    try:
        array = np.asarray(given)
        check_shape(array.shape, buffer.shape, what)
        np.copyto(buffer, array, casting="unsafe")
    except EngineError:
        raise
    except (TypeError, ValueError) as error:
        raise RunError(f"{what} is no array of numbers.") from error

"""Arrays that are handed in to a bind: refused where they do not fit, copied where they have to be."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from app.engine.errors import RunError
from app.engine.kernels.steps import in_order
from app.engine.nearby import listed, meant_by
from app.engine.operator import Array
from app.engine.shapes import text
from app.engine.taking import take_array


def check_shape(got: tuple[int, ...], wanted: tuple[int, ...], what: str) -> None:
    """Refuse an array of another shape."""
    if got != wanted:
        have = f"({', '.join(map(str, got))})" if got else "one number"
        raise RunError(f"The shape of {what} is {have}, but it must be {text(wanted)}.")


def copy_into(buffer: Array, given: Any, what: str) -> None:
    """Copy an array of the same shape into a bound buffer."""
    array = take_array(given, what)
    check_shape(array.shape, buffer.shape, what)
    if not buffer.flags.writeable:
        raise RunError(
            f"{what[0].upper()}{what[1:]} may only be read: bind a copy of it, which can be written."
        )
    np.copyto(buffer, array, casting="unsafe")


def head_gradients(given: Any, names: Sequence[str], who: str) -> Sequence[Any]:
    """Return head gradients in the order of the outputs: one array is the only head's, a dict is by output name."""
    arrays: Sequence[Any] = given if isinstance(given, (list, tuple)) else [given]
    if isinstance(given, Mapping):
        missing = [name for name in names if name not in given]
        if missing:
            advice = meant_by(missing[0], given, names)
            raise RunError(
                f"{who} needs a head gradient for {listed(missing)} too: it is given by name.{advice}"
            )
        return [given[name] for name in names]
    if len(arrays) != len(names):
        outputs = f"{len(names)} outputs" if len(names) > 1 else "the one output"
        raise RunError(
            f"{who} takes one head gradient for {'each of ' if len(names) > 1 else ''}{outputs}"
            f" ({listed(names)}) but was given {len(arrays)}. Hand in a list in this order, or a dict by name."
        )
    return arrays


class Staged:
    """Plain copies of bound arrays that lie in memory in another order than row by row.

    Kernels write through reshaped views, which such an array may not have; so they work on the copies, which are filled
    before a pass and handed back after it.
    """

    def __init__(self) -> None:
        self._pairs: list[tuple[Array, Array]] = []

    def plain(self, arrays: Mapping[int, Array]) -> dict[int, Array]:
        """Return the arrays that kernels are to work on."""
        return {index: self._plain(array) for index, array in arrays.items()}

    def _plain(self, array: Array) -> Array:
        if array.flags.c_contiguous:
            return array
        copy = np.ascontiguousarray(array)
        self._pairs.append((array, copy))
        return copy

    def around(self, calls: Sequence[Callable[[], object]]) -> list[Callable[[], object]]:
        """Return the calls of a pass with the copies filled before its first and handed back after its last."""
        staged = list(calls)
        if self._pairs and staged:
            staged[0] = in_order([self._fill, staged[0]])
            staged[-1] = in_order([staged[-1], self._hand_back])
        return staged

    def _fill(self) -> None:
        for own, copy in self._pairs:
            copy[...] = own

    def _hand_back(self) -> None:
        for own, copy in self._pairs:
            if own.flags.writeable:
                own[...] = copy

"""How the arrays of an operator fall apart, so that a long step can run in two halves at once."""

from typing import Final

import attrs

MOST_RUNS: Final = 256
"""In how many runs of memory half of an array may lie: of more the bytes in between count as its own."""


@attrs.frozen
class Split:
    """Along which axes an operator's arrays fall into halves that know nothing of each other.

    `ins` has one axis for every input (auxiliary states too), None for one that both halves read whole, and whose
    gradient is the sum of theirs; `outs` one for every output (hidden ones too). `pace` is how many nanoseconds a step
    takes for each number of its arrays, besides its products. `is_product` marks a plain matrix product, which the BLAS
    itself runs in several threads. `updates` are the inputs that a step writes too, forward or backward. `needs_place`
    says that an operator must know on which half it works (`Run.is_second`), as only a forward does.
    """

    ins: tuple[int | None, ...]
    outs: tuple[int, ...]
    pace: float = 0.1
    is_product: bool = False
    updates: tuple[int, ...] = ()
    needs_place: bool = False


def alike(rank: int, inputs: int, outputs: int, pace: float = 0.1) -> tuple[Split, ...]:
    """Return the splits of what works element by element: along any axis, all arrays alike."""
    return tuple(Split((axis,) * inputs, (axis,) * outputs, pace) for axis in range(rank))

"""Indices that come as numbers of any type, and gradients that add up where an index repeats."""

from functools import partial

import numpy as np

from app.engine.kernels.steps import Step, in_order, writing
from app.engine.operator import Array


def whole_numbers(indices: Array, *, limit: int | None = None, wrap: bool = False) -> tuple[Step, Array]:
    """Return a step that cuts indices to whole numbers, and the array it writes them to.

    With a `limit` they are also clamped to 0 … limit − 1, or counted around into it.
    """
    whole = np.empty(indices.shape, np.intp)
    steps: list[Step] = [partial(np.copyto, whole, indices, "unsafe")]
    if limit is not None and wrap:
        steps.append(partial(np.mod, whole, limit, whole))
    elif limit is not None:
        steps.append(partial(np.clip, whole, 0, limit - 1, whole))
    return in_order(steps), whole


def add_rows(rows: Array, indices: Array, out: Array) -> Step:
    """Return the step that clears `out` and adds `rows[i]` to `out[indices[i]]`; rows of one index add up.

    Rows are sorted by index and summed in runs, which is many times faster than adding one by one.
    """
    places = indices.reshape(-1)
    table = rows.reshape(places.size, -1)
    target, after = writing(out, (len(out), table.shape[1]))

    def run() -> None:
        order = np.argsort(places, kind="stable")
        sorted_places = places[order]
        starts = np.flatnonzero(np.diff(sorted_places, prepend=-1))
        target.fill(0)
        target[sorted_places[starts]] = np.add.reduceat(table[order], starts, axis=0)

    return in_order([run, *after])

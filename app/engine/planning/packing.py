"""Packing: where in one stretch of memory each block lies, so that no two that live at the same time overlap."""

from collections.abc import Callable, Sequence
from itertools import accumulate

import attrs
import numpy as np
from numpy.typing import NDArray

from app.engine.kernels.cache_lines import LINE

MANY = 2000
"""Blocks from which on one order is tried only: with so many, a bind should not wait for the best one."""

Numbers = NDArray[np.int64]


@attrs.frozen
class Tenant:
    """A stretch of memory that is needed from step `birth` to step `death`, both included."""

    size: int
    birth: int
    death: int


@attrs.frozen
class Packing:
    """The offset of every tenant, in the order they came in, and the bytes that all of them need."""

    offsets: tuple[int, ...]
    total: int


MOST_BYTES = 2**60
"""What no machine has need not be packed, and would be more than an array of whole numbers holds."""


def aligned(size: int) -> int:
    """Round up to what keeps the next neighbour aligned; even an empty array gets a place of its own."""
    return max(1, -(-size // LINE)) * LINE


def lay_end_to_end(tenants: Sequence[Tenant]) -> Packing:
    """Give every tenant memory of its own."""
    ends = [0, *accumulate(aligned(tenant.size) for tenant in tenants)]
    return Packing(tuple(ends[:-1]), ends[-1])


def pack(tenants: Sequence[Tenant]) -> Packing:
    """Share memory between tenants whose lives do not overlap.

    The least possible total is hard to find, but the bytes that live at one time are a bound from below. Three orders
    are tried, and the first that reaches the bound, or else the best, is taken.
    """
    if sum(aligned(tenant.size) for tenant in tenants) > MOST_BYTES:
        return lay_end_to_end(tenants)
    bound = max(alive(tenants), default=0)
    best: Packing | None = None
    for order in _ORDERS if len(tenants) < MANY else _ORDERS[:1]:
        packing = _place_in_order(tenants, sorted(range(len(tenants)), key=lambda i: order(tenants[i])))
        if best is None or packing.total < best.total:
            best = packing
        if best.total == bound:
            break
    assert best is not None
    return best


def alive(tenants: Sequence[Tenant]) -> tuple[int, ...]:
    """Return for every step the bytes that live while it runs."""
    changes = np.zeros(max((tenant.death for tenant in tenants), default=-1) + 2, np.int64)
    for tenant in tenants:
        changes[tenant.birth] += aligned(tenant.size)
        changes[tenant.death + 1] -= aligned(tenant.size)
    return tuple(map(int, np.cumsum(changes)[:-1]))


def _by_size(tenant: Tenant) -> tuple[int, ...]:
    """Large ones first: what is left between them still takes the small ones."""
    return -tenant.size, tenant.birth


def _by_area(tenant: Tenant) -> tuple[int, ...]:
    """What is large for long first."""
    return -tenant.size * (tenant.death - tenant.birth + 1), tenant.birth


def _by_birth(tenant: Tenant) -> tuple[int, ...]:
    """One after the other as they come, which suits a chain whose arrays live shortly."""
    return tenant.birth, -tenant.size


_ORDERS: tuple[Callable[[Tenant], tuple[int, ...]], ...] = (_by_size, _by_area, _by_birth)


def _place_in_order(tenants: Sequence[Tenant], order: Sequence[int]) -> Packing:
    """Put one tenant after the other into the smallest gap that its contemporaries leave, else on top of them."""
    table = np.zeros((4, len(tenants) + 1), np.int64)
    births, deaths, starts, ends = table  # of what is placed already, by where it starts
    offsets = [0] * len(tenants)
    for placed, number in enumerate(order):
        tenant, size = tenants[number], aligned(tenants[number].size)
        meets = np.flatnonzero((births[:placed] <= tenant.death) & (deaths[:placed] >= tenant.birth))
        offset = _gap(starts[meets], ends[meets], size)
        place = int(starts[:placed].searchsorted(offset))
        table[:, place + 1 : placed + 1] = table[:, place:placed].copy()
        table[:, place] = tenant.birth, tenant.death, offset, offset + size
        offsets[number] = offset
    return Packing(tuple(offsets), int(ends.max(initial=0)))


def _gap(starts: Numbers, ends: Numbers, size: int) -> int:
    """Return the offset of the smallest gap of at least `size` bytes; the one above everything has no end.

    The stretches between which gaps are looked for come in the order of their starts.
    """
    floors = np.zeros(len(ends) + 1, np.int64)
    np.maximum.accumulate(ends, out=floors[1:])
    room = starts - floors[:-1]
    fits = np.flatnonzero(room >= size)
    return int(floors[fits[np.argmin(room[fits])]] if len(fits) else floors[-1])

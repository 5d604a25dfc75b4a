"""Where threads run: a helper, of ours or of the BLAS, is kept off the core of the thread that it helps.

Linux likes to wake a thread where its waker runs, and on some virtual machines leaves both there for seconds while
another core idles: two halves then take as long as the whole, and two threads that turn while they wait for each other
take a thousand times as long. Other systems are left to themselves.
"""

import ctypes
import os
from collections.abc import Callable, Set
from functools import cache
from typing import Final

from app.engine.kernels.blas import allowed_threads, libraries

CAN_PLACE: Final = hasattr(os, "sched_setaffinity") and hasattr(os, "sched_getaffinity")
CORES: Final = frozenset(os.sched_getaffinity(0)) if CAN_PLACE else frozenset[int]()
"""The cores that the program was started on; a thread may have been left fewer since."""


class Place:
    """Keeps a thread off the core of whoever asks; `move` says on which cores it may run."""

    def __init__(self, move: Callable[[Set[int]], object]) -> None:
        self._move = move
        self._avoided = -1
        self._current: Callable[[], int] | None = getattr(ctypes.CDLL(None), "sched_getcpu", None)

    def avoid_callers_core(self) -> None:
        """Let the thread run everywhere but here."""
        if self._current is None:
            return
        core = self._current()
        if core != self._avoided and (others := CORES - {core}):
            self._avoided = core
            try:
                self._move(others)
            except OSError:  # not allowed here; what is computed is right all the same
                self._current = None


@cache
def blas_place() -> Place | None:
    """Return the place of the BLAS's own second thread, None where it has none or cannot be told where to run."""
    movers = [one.openblas_setaffinity for one in libraries() if hasattr(one, "openblas_setaffinity")]
    if not CAN_PLACE or not movers or allowed_threads() != 2:
        return None

    def pin(cores: Set[int]) -> None:
        mask = sum(1 << core for core in cores)
        size = (max(cores) // 64 + 1) * 8
        if movers[0](0, ctypes.c_size_t(size), mask.to_bytes(size, "little")) != 0:
            raise OSError

    return Place(pin)

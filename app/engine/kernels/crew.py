"""Two threads: the one that calls, and one helper that waits for the second half of a step.

numpy lets other threads run while it copies, adds and multiplies, so two Python threads keep two cores busy. The helper
sleeps between halves; waking it takes some 40 microseconds, so only long steps are worth it. It dies with the process.
"""

import contextvars
import os
import threading
from collections.abc import Callable
from functools import cache, partial

from app.engine.kernels.blas import OneThread, allowed_threads
from app.engine.kernels.places import CAN_PLACE, CORES, Place

Half = Callable[[], object]
HELPER_NAME = "second half"


class _Helper:
    """A sleeping thread and the two locks by which work is handed over and back."""

    def __init__(self) -> None:
        self._in_use, self._given, self._done = threading.Lock(), threading.Lock(), threading.Lock()
        self._given.acquire()
        self._done.acquire()
        self._handed = self._finished = 0
        """How many halves were handed over, and how many of them are done."""
        self._half: Half | None = None
        self._error: BaseException | None = None
        thread = threading.Thread(target=self._serve, name=HELPER_NAME, daemon=True)
        thread.start()
        self._place = Place(partial(os.sched_setaffinity, thread.native_id or 0)) if CAN_PLACE else None

    def run(self, first: Half, second: Half, alone: Half | None = None) -> None:
        """Run both halves and return when both are done; an error of either is raised here.

        Where the helper is busy, `alone` does both, or one half is run after the other.
        """
        if not self._in_use.acquire(blocking=False):  # another thread's executor has the helper
            for half in (first, second) if alone is None else (alone,):
                half()
            return
        error: BaseException | None = None
        try:
            self._half = partial(contextvars.copy_context().run, second)  # with the caller's np.errstate
            self._handed += 1
            self._done.acquire(blocking=False)  # an interrupt may have left it free
            if self._place is not None:
                self._place.avoid_callers_core()
            self._given.release()
            try:
                first()
            finally:
                interrupt = self._wait()
                error, self._error = self._error, None
        finally:
            self._in_use.release()
        if interrupt is not None or error is not None:
            raise interrupt or error  # type: ignore[misc]  # one of the two is there

    def _wait(self) -> KeyboardInterrupt | None:
        """Wait for the second half, whatever happens: who goes on without it computes with half a result."""
        interrupt = None
        while self._finished < self._handed:
            try:
                self._done.acquire()
            except KeyboardInterrupt as error:  # before the lock was taken, or just after
                interrupt = error
        return interrupt

    def _serve(self) -> None:
        while True:
            self._given.acquire()
            half, self._half = self._half, None
            try:
                if half is not None:
                    half()
            except BaseException as error:  # noqa: BLE001  whatever it is, the caller must see it
                self._error = error
            finally:
                del half
                self._finished += 1
                self._done.release()


@cache
def _helper() -> _Helper:
    return _Helper()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_helper.cache_clear)  # a forked child has no thread but its own


@cache
def has_helper() -> bool:
    """Tell whether a second thread may be used: there is a core for it and the BLAS is not held to one thread."""
    cores = len(CORES) if CAN_PLACE else os.cpu_count() or 1
    return cores > 1 and allowed_threads() != 1


def side_by_side(first: Half, second: Half, alone: Half | None = None) -> Half:
    """Return the step that runs two halves at once, products with one thread each.

    `alone` does the work of both in one thread, for when the helper is busy elsewhere and halves wait for each other.
    """

    def run() -> None:
        with OneThread():
            _helper().run(first, second, alone)

    return run

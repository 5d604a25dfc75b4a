"""Two threads: the one that calls, and one helper that waits for the second half of a step.

numpy lets other threads run while it copies, adds and multiplies, so two Python threads keep two cores busy. The helper
sleeps between halves; waking it takes some 40 microseconds, so only long steps are worth it. It dies with the process.
"""

import contextvars
import os
import queue
import threading
from collections.abc import Callable
from functools import cache, partial

from app.engine.kernels.blas import allowed_threads, one_thread
from app.engine.kernels.places import CAN_PLACE, CORES, Place
from app.engine.kernels.steps import nothing

Half = Callable[[], object]
HELPER_NAME = "second half"


class _Job:
    """The second half of a step, which whoever is free first claims: the helper, or the caller when its own is done."""

    def __init__(self, half: Half) -> None:
        self._half: Half = partial(contextvars.copy_context().run, half)  # with the caller's np.errstate
        self._claimed: dict[str, str] = {}
        self._done = threading.Lock()
        self._done.acquire()
        self._is_done = False
        self.error: BaseException | None = None

    def is_for(self, name: str) -> bool:
        """Claim the job; whoever has claimed it first has it for good, and may ask again."""
        return self._claimed.setdefault("by", name) == name

    def do(self) -> None:
        """Run the half and keep what goes wrong."""
        try:
            self._half()
        except BaseException as error:  # noqa: BLE001  whatever it is, the caller must see it
            self.error = error
        finally:
            self._is_done = True
            self._done.release()

    def wait(self) -> None:
        """Return when the half is done; an interrupted wait may be begun anew."""
        if not self._is_done:
            self._done.acquire()


class _Helper:
    """A sleeping thread that takes one job at a time.

    A caller may be interrupted after any call of a function (CPython looks for interrupts there). So what was begun is
    always read off what is there (`setdefault` says whose a thing is) and never off what the next line noted.
    """

    def __init__(self) -> None:
        self._at_work: dict[str, _Job] = {}
        self._jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        thread = threading.Thread(target=self._serve, name=HELPER_NAME, daemon=True)
        thread.start()
        self._place = Place(partial(os.sched_setaffinity, thread.native_id or 0)) if CAN_PLACE else None

    def run(self, first: Half, second: Half, alone: Half | None = None, give_up: Half = nothing) -> None:
        """Run both halves and return when both are done; an error of either is raised here.

        Where the helper is busy, `alone` does both, or one half is run after the other. `give_up` tells the second half
        that the first one will not come any further.
        """
        job, error = _Job(second), None
        try:
            self._begin(job, first, alone)
        except BaseException as first_error:  # noqa: BLE001  raised below, when the second half is done
            error = first_error
        while "job" in self._at_work and self._at_work["job"] is job:
            try:  # whatever happens: who goes on without the second half computes with half a result
                if error is not None:
                    give_up()
                if not job.is_for("caller"):
                    job.wait()
                elif not isinstance(error, KeyboardInterrupt):
                    job.do()
                del self._at_work["job"]
            except KeyboardInterrupt as interrupt:
                error = interrupt
        fault = job.error if error is None else error
        try:
            if fault is not None:
                raise fault
        finally:
            del error, fault, job  # an error and the frame that it came through keep each other alive

    def _begin(self, job: _Job, first: Half, alone: Half | None) -> None:
        if self._at_work.setdefault("job", job) is not job:  # another thread's executor has the helper
            for half in (first, job.do) if alone is None else (alone,):
                half()
            return
        if self._place is not None:
            self._place.avoid_callers_core()
        self._jobs.put(job)
        first()

    def _serve(self) -> None:
        while True:
            job = self._jobs.get()
            if job.is_for("helper"):
                job.do()
            del job


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


def side_by_side(first: Half, second: Half, alone: Half | None = None, give_up: Half = nothing) -> Half:
    """Return the step that runs two halves at once, products with one thread each.

    Where halves wait for each other, `alone` does the work of both in one thread, for when the helper is busy
    elsewhere, and `give_up` keeps the second one from waiting for a first one that was interrupted before it began.
    """
    return one_thread(lambda: _helper().run(first, second, alone, give_up))

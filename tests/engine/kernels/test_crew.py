"""Two halves at once: both are done, errors come back, and a busy helper or a forked child stop nothing."""

import os
import threading

import numpy as np
import pytest

from app.engine.kernels import blas, crew


def test_both_halves_run_at_once_with_one_thread_per_product() -> None:
    meeting = threading.Barrier(2, timeout=10)
    seen = []

    def half() -> None:
        meeting.wait()
        seen.append((threading.current_thread().name, blas.allowed_threads()))

    crew.side_by_side(half, half)()
    assert {name for name, _ in seen} == {threading.current_thread().name, crew.HELPER_NAME}
    assert {count for _, count in seen} <= {1, None}


@pytest.mark.parametrize("which", [0, 1])
def test_an_error_of_either_half_is_raised_when_both_are_done(which: int) -> None:
    done = []

    def fault() -> None:
        raise ZeroDivisionError

    halves = [lambda: done.append(1), lambda: done.append(1)]
    halves[which] = fault
    with pytest.raises(ZeroDivisionError):
        crew.side_by_side(*halves)()
    assert done == [1]
    crew.side_by_side(lambda: done.append(2), lambda: done.append(2))()
    assert done == [1, 2, 2]


def test_while_the_helper_is_busy_another_caller_does_both_halves_itself() -> None:
    names: list[str] = []

    def half() -> None:
        names.append(threading.current_thread().name)

    caller = threading.current_thread().name
    crew.side_by_side(crew.side_by_side(half, half), lambda: None)()
    assert names == [caller, caller]


def test_the_helper_minds_the_callers_way_with_overflow() -> None:
    large = np.full(10, 1e300)
    with np.errstate(over="ignore"):
        crew.side_by_side(lambda: None, lambda: large * large)()
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        crew.side_by_side(lambda: None, lambda: large * large)()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_gets_a_helper_of_its_own() -> None:
    crew.side_by_side(lambda: None, lambda: None)()
    child = os.fork()
    if child == 0:
        done: list[int] = []
        crew.side_by_side(lambda: done.append(1), lambda: done.append(2))()
        os._exit(sum(done))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3


@pytest.mark.parametrize("late", [False, True])
def test_an_interrupt_waits_for_the_second_half(late: bool) -> None:
    """The interrupt comes before the lock is taken, or just after: then there is nothing to wait for any more."""
    helper = crew._Helper()
    done: list[str] = []
    lock, interrupts = helper._done, iter([True, False, False])

    class Interrupted:
        def acquire(self, blocking: bool = True) -> bool:
            if not blocking:
                return lock.acquire(blocking=False)
            interrupt = next(interrupts)
            taken = (late or not interrupt) and lock.acquire()
            if interrupt:
                raise KeyboardInterrupt
            return taken

        def release(self) -> None:
            lock.release()

    helper._done = Interrupted()  # type: ignore[assignment]
    with pytest.raises(KeyboardInterrupt):
        helper.run(lambda: None, lambda: done.append("second"))
    assert done == ["second"]
    helper.run(lambda: None, lambda: done.append("again"))
    assert done == ["second", "again"]


def test_the_error_of_one_run_is_not_raised_in_another() -> None:
    helper = crew._Helper()

    def fail() -> None:
        raise OverflowError("old")

    with pytest.raises(OverflowError):
        helper.run(fail, fail)
    helper.run(lambda: None, lambda: None)

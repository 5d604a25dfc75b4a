"""Two halves at once: both are done, errors come back, and a busy helper or a forked child stop nothing."""

import os
import threading
import time
from itertools import count

import numpy as np
import pytest

from app.engine.kernels import blas, crew
from app.engine.passes.rows import in_step
from tests.interrupts import interrupted_at


def test_both_halves_run_at_once_with_one_thread_per_product() -> None:
    meeting = threading.Barrier(2, timeout=10)
    seen = []

    def half() -> None:
        meeting.wait()
        functions = blas._functions()
        seen.append((threading.current_thread().name, 1 if functions is None else functions[1]()))

    crew.side_by_side(half, half)()
    assert {name for name, _ in seen} == {threading.current_thread().name, crew.HELPER_NAME}
    assert {count for _, count in seen} == {1}


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


def test_an_interrupt_waits_for_the_second_half_wherever_it_comes() -> None:
    """And leaves the helper as it was, ready for the next step."""
    begun: list[str] = []
    left_over, names_after = list[int](), list[list[str]]()

    def slow() -> None:
        begun.append(threading.current_thread().name)
        time.sleep(0.002)

    def interrupt_everywhere() -> None:
        step = in_step([slow, slow, slow], [slow, slow, slow], (-1, -1, 0))
        step()
        for place in count():
            if not interrupted_at(place, step):
                break
            before = len(begun)
            time.sleep(0.005)
            left_over.append(len(begun) - before)
            begun.clear()
            step()
            names_after.append(sorted(begun))

    thread = threading.Thread(target=interrupt_everywhere, name="caller", daemon=True)
    thread.start()
    thread.join(timeout=30)
    assert not thread.is_alive(), "the halves wait for each other"
    assert len(left_over) > 20 and set(left_over) == {0}
    assert names_after == [["caller"] * 3 + [crew.HELPER_NAME] * 3] * len(left_over)


def test_the_error_of_one_run_is_not_raised_in_another() -> None:
    helper = crew._Helper()

    def fail() -> None:
        raise OverflowError("old")

    with pytest.raises(OverflowError):
        helper.run(fail, fail)
    helper.run(lambda: None, lambda: None)

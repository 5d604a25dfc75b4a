"""One BLAS thread while a step lasts, and the threads before it given back."""

import threading
from collections.abc import Callable
from itertools import count

import pytest

from app.engine.kernels import blas
from app.engine.kernels.steps import in_order, nothing
from tests.interrupts import interrupted_at


class OtherBlas:
    """A BLAS that uses two threads until it is told otherwise, where it is not interrupted when told."""

    def __init__(self) -> None:
        self.threads = 2
        self.interrupts = 0
        self.when_asked: Callable[[], object] = nothing

    def set(self, threads: int) -> None:
        if self.interrupts:
            self.interrupts -= 1
            raise KeyboardInterrupt
        self.threads = threads

    def get(self) -> int:
        self.when_asked()
        return self.threads


@pytest.fixture
def other_blas(monkeypatch: pytest.MonkeyPatch) -> OtherBlas:
    other = OtherBlas()
    monkeypatch.setattr(blas, "_functions", lambda: (other.set, other.get))
    return other


def test_threads_come_back_even_after_a_fault(other_blas: OtherBlas) -> None:
    seen: list[int] = []

    def look() -> None:
        seen.append(other_blas.threads)

    blas.one_thread(in_order([look, blas.one_thread(look), look]))()
    assert seen == [1, 1, 1]
    assert other_blas.threads == 2

    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        blas.one_thread(fail)()
    assert other_blas.threads == 2


def test_an_interrupt_gives_the_threads_back_wherever_it_comes(other_blas: OtherBlas) -> None:
    nested = blas.one_thread(in_order([nothing, blas.one_thread(nothing), nothing]))
    for place in count():
        if not interrupted_at(place, nested):
            break
        assert other_blas.threads == 2, place
    assert place > 15


def test_where_even_giving_back_is_interrupted_the_next_step_does_it(other_blas: OtherBlas) -> None:
    def interrupt_twice() -> None:
        other_blas.interrupts = 2

    with pytest.raises(KeyboardInterrupt):
        blas.one_thread(interrupt_twice)()
    assert other_blas.threads == 1
    blas.one_thread(nothing)()
    assert other_blas.threads == 2


def test_what_is_allowed_is_what_comes_back(other_blas: OtherBlas) -> None:
    allowed: list[int | None] = []
    blas.one_thread(lambda: allowed.append(blas.allowed_threads()))()
    assert allowed == [2]


def test_a_step_that_begins_meanwhile_does_not_change_what_is_allowed(other_blas: OtherBlas) -> None:
    began, looked = threading.Event(), threading.Event()
    other = threading.Thread(target=blas.one_thread(in_order([began.set, lambda: looked.wait(5)])))

    def begin() -> None:
        other_blas.when_asked = nothing
        other.start()
        began.wait(0.05)

    other_blas.when_asked = begin
    allowed = blas.allowed_threads()
    looked.set()
    other.join()
    assert (allowed, other_blas.threads) == (2, 2)


def test_the_real_blas_has_one_thread_meanwhile() -> None:
    functions = blas._functions()
    if functions is None:
        pytest.skip("numpy has another BLAS here")
    before, seen = functions[1](), list[int]()
    blas.one_thread(lambda: seen.append(functions[1]()))()
    assert seen == [1]
    assert functions[1]() == before


def test_another_blas_is_no_reason_to_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blas, "_functions", lambda: None)
    seen: list[int] = []
    blas.one_thread(lambda: seen.append(1))()
    assert seen == [1]
    assert blas.allowed_threads() is None

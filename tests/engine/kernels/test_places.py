"""Helpers are kept off their caller's core, and only told again when the caller has moved."""

import ctypes
from collections.abc import Set

import numpy as np
import pytest

from app.engine import Variable, sym
from app.engine.kernels import places
from app.engine.passes import halves

pytestmark = pytest.mark.skipif(not places.CAN_PLACE, reason="this system does not let a thread be placed")


def placed(
    monkeypatch: pytest.MonkeyPatch, cores: Set[int], now: list[int]
) -> tuple[places.Place, list[Set[int]]]:
    moved: list[Set[int]] = []
    monkeypatch.setattr(places, "CORES", cores)
    place = places.Place(moved.append)
    place._current = lambda: now[0]
    return place, moved


def test_a_thread_may_run_everywhere_but_here(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1]
    place, moved = placed(monkeypatch, {0, 1, 2}, now)
    place.avoid_callers_core()
    place.avoid_callers_core()
    now[0] = 2
    place.avoid_callers_core()
    assert moved == [{0, 2}, {0, 1}]


def test_on_one_core_nothing_is_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    place, moved = placed(monkeypatch, {0}, [0])
    place.avoid_callers_core()
    assert moved == []


def test_who_may_not_be_moved_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "CORES", {0, 1})
    asked = []

    def refuse(cores: Set[int]) -> None:
        asked.append(cores)
        raise PermissionError

    place = places.Place(refuse)
    place._current = lambda: len(asked) % 2
    place.avoid_callers_core()
    place.avoid_callers_core()
    assert asked == [{1}]


def test_the_blas_is_told_in_its_own_way(monkeypatch: pytest.MonkeyPatch) -> None:
    told = []

    class Library:
        @staticmethod
        def openblas_setaffinity(thread: int, size: ctypes.c_size_t, mask: bytes) -> int:
            told.append((thread, size.value, mask))
            return 0

    monkeypatch.setattr(places, "libraries", lambda: (Library(),))
    monkeypatch.setattr(places, "allowed_threads", lambda: 2)
    monkeypatch.setattr(places, "CORES", {0, 3, 70})
    place = places.blas_place.__wrapped__()
    assert place is not None
    place._current = lambda: 0
    place.avoid_callers_core()
    assert told == [(0, 16, (1 << 3 | 1 << 70).to_bytes(16, "little"))]


def test_nets_of_large_products_ask_once_a_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    class Asked:
        def avoid_callers_core(self) -> None:
            asked.append(1)

    monkeypatch.setattr(halves, "blas_place", Asked)
    layer = sym.FullyConnected(Variable("data"), num_hidden=128, name="layer")
    large, small = (layer.simple_bind({"data": (rows, 784)}) for rows in (64, 1))
    large.forward(is_train=True)
    large.backward(np.ones((64, 128)))
    assert len(asked) == 2
    small.forward()
    assert len(asked) == 2

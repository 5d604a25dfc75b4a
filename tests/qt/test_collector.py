"""Cycles die in the main thread, whoever allocates."""

import gc
import threading
import weakref
from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from app.qt.collector import Collector


class Knot:
    """An object in a cycle, which notes the thread that it dies in."""

    deaths: list[str]

    def __init__(self) -> None:
        self.deaths = []
        self.itself = self

    def __del__(self) -> None:
        self.deaths.append(threading.current_thread().name)


def allocate(kept: list[list[int]]) -> None:
    """Allocate so much that the automatic collector would run."""
    kept += [[number] for number in range(20_000)]


@pytest.fixture
def collector(qtbot: QtBot) -> Iterator[Collector]:
    """Return a collector that was installed, with Python's own on before."""
    was_on = gc.isenabled()
    gc.enable()
    made = Collector()
    made.install()
    yield made
    made.uninstall()
    assert gc.isenabled()
    if not was_on:
        gc.disable()


def test_a_busy_worker_collects_nothing_and_the_event_loop_does(collector: Collector, qtbot: QtBot) -> None:
    gc.collect()
    knot = Knot()
    deaths, alive = knot.deaths, weakref.ref(knot)
    del knot
    kept: list[list[int]] = []
    worker = threading.Thread(target=allocate, args=[kept], name="worker")
    worker.start()
    worker.join()
    assert deaths == [] and alive() is not None

    qtbot.waitUntil(lambda: alive() is None, timeout=5000)
    assert deaths == ["MainThread"]


def test_nothing_is_collected_while_there_is_little_to_do(collector: Collector) -> None:
    gc.collect()

    assert collector.check() == 0


def test_everything_is_collected_only_at_rest(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    clock = {"now": 0.0, "computed": 0.0}
    count = [0, 0, 11]
    monkeypatch.setattr("app.qt.collector.time.monotonic", lambda: clock["now"])
    monkeypatch.setattr("app.qt.collector.time.thread_time", lambda: clock["computed"])
    monkeypatch.setattr("app.qt.collector.gc.get_count", lambda: tuple(count))
    monkeypatch.setattr("app.qt.collector.gc.get_threshold", lambda: (700, 10, 10))
    monkeypatch.setattr("app.qt.collector.gc.collect", lambda generation: (asked.append(generation), 0)[1])

    def check_after(seconds: float, computed: float) -> None:
        clock["now"] += seconds
        clock["computed"] += computed
        collector.check()

    collector.check()
    asked.clear()
    check_after(0.2, 0.15)
    assert asked == [], "somebody is drawing"
    count[1] = 11
    check_after(0.2, 0.15)
    assert asked == [1], "the younger ones never wait"
    check_after(0.2, 0.001)
    assert asked == [1, 2]
    count[2] = 1000
    check_after(0.2, 0.2)
    assert asked == [1, 2, 2], "and nothing waits for ever"

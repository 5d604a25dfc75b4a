"""Timing that every engine's process shares; plain Python, since it also runs under the peers' older ones."""

import json
import statistics
import time
from collections.abc import Callable, Iterable

SECONDS = 0.6


def median_time(work: Callable[[], object], seconds: float = SECONDS, least: int = 7) -> float:
    """Return the median seconds of one call, after two calls to warm up."""
    work()
    work()
    times = []
    end = time.perf_counter() + seconds
    while len(times) < least or time.perf_counter() < end:
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def median_of_each(works: Iterable[Callable[[], object]]) -> tuple[float, float]:
    """Return the median and the longest of the seconds that each of many different calls takes once."""
    times = []
    for work in works:
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times), max(times)


def tell(**facts: object) -> None:
    """Print one finding as a line of JSON, for the process that compares."""
    print(json.dumps(facts), flush=True)

"""What every engine's process shares: how it times, and how it answers; plain Python for the peers' older ones.

A process is asked line by line: `prepare WORK` makes a work ready, `time SECONDS` measures it that long. So all
engines can stand ready at the same time and be measured in turn, a fraction of a second each, and whatever else the
machine does at that moment meets all of them.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable, Iterable

Timed = Callable[[float], dict[str, float]]
"""Measures for so many seconds, about, and returns what was found, `seconds` first of all."""


class Prepared:
    """A work that stands ready: its measurements by name, and facts that tell whether peers compute the same."""

    def __init__(self, measurements: dict[str, Timed], **facts: object) -> None:
        self.measurements = measurements
        self.facts = facts


def serve(prepare: Callable[[str], Prepared | None]) -> None:
    """Answer the lines of standard input, each with a line of JSON."""
    ready: Prepared | None = None
    for line in sys.stdin:
        word, asked = line.split()
        if word == "prepare":
            ready = None  # what it holds goes before the next is made
            ready = prepare(asked)
            tell({} if ready is None else ready.facts)
        elif ready is not None:
            tell({name: measure(float(asked)) for name, measure in ready.measurements.items()})
        else:
            tell({})


def calls(work: Callable[[], object]) -> Timed:
    """Return the measurement of a call that may be made again and again."""
    return lambda seconds: {"seconds": median_time(work, seconds)}


def median_time(work: Callable[[], object], seconds: float, least: int = 5) -> float:
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


def tell(found: object) -> None:
    """Print what was found as a line of JSON, for the process that compares."""
    print(json.dumps(found), flush=True)

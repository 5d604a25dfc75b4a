"""Remembers what was derived from the last few values, by identity: they never change, and need not be hashable."""

from collections import OrderedDict
from collections.abc import Callable
from functools import wraps
from threading import Lock
from typing import TypeVar

From = TypeVar("From")
Derived = TypeVar("Derived")


def remember(count: int) -> Callable[[Callable[[From], Derived]], Callable[[From], Derived]]:
    """Make a function of one immutable value answer from memory for the last `count` values."""

    def decorate(function: Callable[[From], Derived]) -> Callable[[From], Derived]:
        known: OrderedDict[int, tuple[From, Derived]] = OrderedDict()
        lock = Lock()

        @wraps(function)
        def remembering(value: From) -> Derived:
            with lock:
                found = known.get(id(value))
                if found is not None:
                    known.move_to_end(id(value))
                    return found[1]
            derived = function(value)
            with lock:
                known[id(value)] = (
                    value,
                    derived,
                )  # holding the value keeps its identity from being used again
                while len(known) > count:
                    known.popitem(last=False)
            return derived

        return remembering

    return decorate

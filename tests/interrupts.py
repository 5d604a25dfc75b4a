"""Interrupts at every place where CPython looks for them."""

import sys
import time
from collections.abc import Callable
from types import FrameType


def interrupted_at(place: int, call: Callable[[], object]) -> bool:
    """Make a call and interrupt it at the n-th of the places where CPython looks for that; tell whether it came to it.

    Those are the beginning of a function, and the return from one that is written in C.
    """
    left = iter(range(place))

    def look(frame: FrameType, event: str, argument: object) -> None:
        if event in ("call", "c_return") and next(left, None) is None:
            sys.setprofile(None)
            time.sleep(0.002)  # the helper has begun by then, if it has anything to do
            raise KeyboardInterrupt

    try:
        sys.setprofile(look)
        call()
    except KeyboardInterrupt:
        return True
    finally:
        sys.setprofile(None)
    return False

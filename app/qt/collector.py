"""Keeps Python's cycle collector in the main thread.

The collector runs in whichever thread happens to allocate. When that is the worker, it may destroy widgets and timers
there, and Qt crashes: objects have to die in the thread they live in. So automatic collection is switched off, and a
timer of the main thread asks Python's own counters whether it is time.

A collection of all generations goes over every object there is, which takes 50 to 170 ms while a large model is open.
It waits until the event loop is at rest, so that nobody's gesture is held up by it, unless it is long overdue.
"""

import gc
import time
from typing import Final

from PySide6.QtCore import QObject, QTimer

INTERVAL_MS: Final = 200
AT_REST: Final = 0.1
"""The event loop is at rest while its thread computes for no more than this share of the time."""
LONG_OVERDUE: Final = 20
"""So many times as much as makes a full collection due makes it urgent."""


class Collector(QObject):
    """Collects cycles from the event loop between `install` and `uninstall`."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._was_on = gc.isenabled()
        self._timer = QTimer(self, interval=INTERVAL_MS)
        self._timer.timeout.connect(self.check)
        self._seen = (time.monotonic(), time.thread_time())

    def install(self) -> None:
        """Take the collector over."""
        self._was_on = gc.isenabled()
        gc.disable()
        self._timer.start()

    def uninstall(self) -> None:
        """Give it back to Python."""
        self._timer.stop()
        if self._was_on:
            gc.enable()

    def check(self) -> int:
        """Collect as Python would by its thresholds; returns how many unreachable objects were found."""
        counts, thresholds = gc.get_count(), gc.get_threshold()
        due = [
            generation
            for generation, (count, threshold) in enumerate(zip(counts, thresholds, strict=True))
            if count > threshold
        ]
        oldest = len(thresholds) - 1
        if not self._is_at_rest() and counts[oldest] <= LONG_OVERDUE * thresholds[oldest]:
            due = [generation for generation in due if generation < oldest]
        return gc.collect(max(due)) if due else 0

    def _is_at_rest(self) -> bool:
        """Tell whether this thread had little to do since it was asked last."""
        before, self._seen = self._seen, (time.monotonic(), time.thread_time())
        passed, computed = (now - then for now, then in zip(self._seen, before, strict=True))
        return computed <= AT_REST * passed

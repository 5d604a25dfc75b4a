"""Keeps Python's cycle collector in the main thread.

The collector runs in whichever thread happens to allocate. When that is the worker, it may destroy widgets and timers
there, and Qt crashes: objects have to die in the thread they live in. So automatic collection is switched off, and a
timer of the main thread asks Python's own counters whether it is time.
"""

import gc
from typing import Final

from PySide6.QtCore import QObject, QTimer

INTERVAL_MS: Final = 200


class Collector(QObject):
    """Collects cycles from the event loop between `install` and `uninstall`."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._was_on = gc.isenabled()
        self._timer = QTimer(self, interval=INTERVAL_MS)
        self._timer.timeout.connect(self.check)

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
        return gc.collect(max(due)) if due else 0

"""The devices that can compute, looked for on a worker, since loading PyTorch takes seconds."""

from collections.abc import Iterator

from PySide6.QtCore import QObject, Signal

from app.engine.backends.computing import CPU, TORCH, is_installed
from app.qt.runner import Runner


class Devices(QObject):
    """What PyTorch can compute on. Only the processor is known until somebody asks for the rest.

    `found` is sent once, `failed` carries the refusal when PyTorch is there but cannot be loaded.
    """

    found = Signal()
    failed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.known: tuple[str, ...] = (CPU,) if is_installed(TORCH) else ()
        self._runner = Runner(self)
        self._runner.finished.connect(self._take)
        self._runner.failed.connect(self.failed)
        self._asked = False

    def look(self) -> None:
        """Load PyTorch on the worker and list its devices; a second call does nothing."""
        if self.known and not self._asked:
            self._asked = True
            self._runner.start(lambda _cancel: _listed())

    def shutdown(self) -> None:
        """End the worker, before the window goes away."""
        self._runner.shutdown()

    def _take(self, devices: tuple[str, ...]) -> None:
        self.known = devices
        self.found.emit()


def _listed() -> Iterator[tuple[str, ...]]:
    from app.engine.backends.choice import devices

    yield devices(TORCH)

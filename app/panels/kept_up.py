"""What a panel makes of the analysis, kept up to date for as long as it can be seen."""

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Generic, TypeVar

from PySide6.QtCore import QEvent, QObject, QTimer

from app.panels.panel import LARGE, Panel
from app.qt.runner import Runner

if TYPE_CHECKING:
    from app.document.analysis import Analysis

Made = TypeVar("Made")
QUICK_S = 0.008
PAUSE_MS = 300
"""What takes longer to make is made when the edits pause."""


class KeptUp(QObject, Generic[Made]):
    """Makes what a panel shows after every edit: of a small document at once, of a large one by a worker.

    `prepare` is asked for what makes it, which may run in the worker and so must have all it needs, or for None where
    what is shown is still right; `show` gets what was made in the main thread. Nothing is made unless it is seen: the
    panel is asked to paint itself, and Qt paints only what is on the screen, neither hidden nor behind another tab.
    """

    def __init__(
        self,
        panel: Panel,
        prepare: "Callable[[Analysis], Callable[[], Made] | None]",
        show: Callable[[Made], object],
    ) -> None:
        super().__init__(panel)
        self._panel = panel
        self._prepare = prepare
        self._show = show
        self._stale = True
        self._runner: Runner | None = None
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self.make)
        panel.installEventFilter(self)
        panel.workspace.analysis_changed.connect(lambda _: self.ask())

    @property
    def is_making(self) -> bool:
        """Whether a worker is at it."""
        return self._runner is not None and self._runner.is_running

    @property
    def is_behind(self) -> bool:
        """Whether what is shown is that of an older document."""
        return self._stale or self.is_making

    def ask(self) -> None:
        """Make it anew as soon as it can be seen."""
        self._stale = True
        self._soon.stop()
        self._panel.update()

    def make(self) -> None:
        """Make it now, or let the worker do it; until then what was there stays."""
        work = self._begin()
        if work is not None and len(self._panel.workspace.document.nodes) > LARGE:
            self._make_beside(work)
        elif work is not None:
            self._make_here(work)

    def make_here(self) -> None:
        """Make it now, however long that takes."""
        work = self._begin()
        if work is not None:
            self._make_here(work)

    def give_up(self) -> None:
        """Drop the answer of a worker, which ends by itself: what is being made cannot be stopped."""
        if self._runner is not None:
            self._stale = self._stale or self._runner.is_running
            self._runner.shutdown(wait_s=0.0)
            self._runner.deleteLater()
            self._runner = None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Catch up when the panel comes to be seen, and stop when it is hidden."""
        if event.type() == QEvent.Type.Paint:
            if self._stale and not self._soon.isActive():
                self._soon.start()
        elif event.type() == QEvent.Type.Hide:
            self._soon.stop()
            self.give_up()
        return False

    def _begin(self) -> Callable[[], Made] | None:
        self._soon.stop()
        analysis = self._panel.workspace.analysis
        if analysis is None:
            return None
        work = self._prepare(analysis)
        if work is None:
            self.give_up()  # it was at another document
        self._stale = False
        return work

    def _make_here(self, work: Callable[[], Made]) -> None:
        self.give_up()
        start = time.perf_counter()
        self._show(work())
        took = time.perf_counter() - start
        self._soon.setInterval(0 if took < QUICK_S else PAUSE_MS)

    def _make_beside(self, work: Callable[[], Made]) -> None:
        if self._runner is None:
            self._runner = Runner(self)
            self._runner.finished.connect(self._show)

        def job(_cancel: object) -> Iterator[Made]:
            yield work()

        self._soon.setInterval(PAUSE_MS)
        self._runner.start(job)

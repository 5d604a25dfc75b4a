"""Runs a generator of events on one worker thread and brings its news to the main thread.

    idle → running → (stopping →) idle

A job is a function that takes a cancel token (a `threading.Event`) and returns an iterator of events. What it returns,
or else the last event it yields, is its result. Events before that are progress: the worker overwrites one slot and a
timer reads it thirty times a second, so that a fast job never floods the event loop.

Each job has a generation number; whatever an older job still sends is dropped. A refusal (EngineError) is handed to
`failed`; any other exception is a bug and is raised again in the main thread, where the crash handler stands.
"""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any, Final, Literal

import attrs
from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from app.engine.errors import EngineError, RunError

State = Literal["idle", "running", "stopping"]
Job = Callable[[threading.Event], Iterator[object]]

PROGRESS_INTERVAL_MS: Final = 33
# Python hands its lock over every 5 ms by default; with 0.5 ms the event loop never waits noticeably for a worker.
SWITCH_INTERVAL_S: Final = 0.0005
SHUTDOWN_WAIT_S: Final = 2.0


@attrs.frozen(eq=False)
class _Order:
    """One job on its way to the worker."""

    generation: int
    job: Job
    cancel: threading.Event = attrs.field(factory=threading.Event)


@attrs.frozen(eq=False)
class _Answer:
    """How a job ended."""

    generation: int
    result: object = None
    error: BaseException | None = None


class _Worker:
    """The worker thread's side: takes orders, leaves news, and never owns the runner beyond `cut`.

    A QObject has to die in the thread it lives in. A job that would not stop outlives its runner, and its thread must
    not be the last to hold it; so the way back is cut, under the lock, before the runner may go.
    """

    def __init__(self, runner: "Runner") -> None:
        self.orders: SimpleQueue[_Order | None] = SimpleQueue()
        self.latest: tuple[int, object] | None = None
        self._lock = threading.Lock()
        self._runner: Runner | None = runner

    def cut(self) -> None:
        """Let nothing reach the runner any more."""
        with self._lock:
            self._runner = None

    def work(self) -> None:
        """Do one order after the other until there is a None."""
        while (order := self.orders.get()) is not None:
            with _quick_switching():
                answer = self._pump(order)
            with self._lock:
                if self._runner is not None:
                    self._runner.ended.emit(answer)

    def _pump(self, order: _Order) -> _Answer:
        result: object = None
        try:
            events = order.job(order.cancel)
            while not order.cancel.is_set():
                try:
                    result = next(events)
                except StopIteration as end:
                    return _Answer(order.generation, result if end.value is None else end.value)
                self.latest = (order.generation, result)
            _close(events)
        except MemoryError:
            sentence = "There is not enough memory for these arrays. Make a shape or the batch smaller."
            return _Answer(order.generation, error=RunError(sentence))
        # The whole point: whatever goes wrong in the worker has to reach the main thread.
        except BaseException as error:  # noqa: BLE001
            return _Answer(order.generation, error=error)
        return _Answer(order.generation)


class Runner(QObject):
    """One worker thread; a new job takes the place of the one that is running.

    `progressed` and `finished` carry an event, `failed` an EngineError, `state_changed` one of the three words; `ended`
    is how the worker reaches the main thread and nobody else's business.
    """

    progressed = Signal(object)
    finished = Signal(object)
    failed = Signal(object)
    state_changed = Signal(str)
    ended = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.state: State = "idle"
        self._generation = 0
        self._current: _Order | None = None
        self._worker = _Worker(self)
        self._thread: threading.Thread | None = None
        self._timer = QTimer(self, interval=PROGRESS_INTERVAL_MS)
        self._timer.timeout.connect(self._report_progress)
        self.ended.connect(self._take_answer, Qt.ConnectionType.QueuedConnection)

    @property
    def is_running(self) -> bool:
        """Tell whether a job is under way, stopping included."""
        return self.state != "idle"

    def start(self, job: Job) -> None:
        """Run a job; one that is still running is cancelled and its late answer dropped."""
        if self._current is not None:
            self._current.cancel.set()
        self._generation += 1
        self._current = _Order(self._generation, job)
        self._worker.latest = None
        if self._thread is None:
            self._thread = threading.Thread(target=self._worker.work, name="chalkgraph-runner", daemon=True)
            self._thread.start()
        self._worker.orders.put(self._current)
        self._timer.start()
        self._enter("running")

    def stop(self) -> None:
        """Ask the running job to stop; it ends within one of its steps and neither finishes nor fails."""
        if self._current is not None:
            self._current.cancel.set()
            self._enter("stopping")

    def shutdown(self, wait_s: float = SHUTDOWN_WAIT_S) -> bool:
        """Stop for good and wait a little; False when the job would not end and its daemon thread is left behind."""
        if self._current is not None:
            self._current.cancel.set()
        self._generation += 1
        self._forget_job()
        self._worker.cut()
        self._worker.orders.put(None)
        thread, self._thread = self._thread, None
        if thread is None:
            return True
        thread.join(wait_s)
        return not thread.is_alive()

    @Slot()
    def _report_progress(self) -> None:
        slot, self._worker.latest = self._worker.latest, None
        if slot is not None and slot[0] == self._generation:
            self.progressed.emit(slot[1])

    @Slot(object)
    def _take_answer(self, answer: _Answer) -> None:
        if answer.generation != self._generation:
            return
        slot, stopped = self._worker.latest, self.state == "stopping"
        self._forget_job()
        if answer.error is not None and not isinstance(answer.error, EngineError):
            raise answer.error
        if stopped:
            return
        if answer.error is not None:
            self.failed.emit(answer.error)
            return
        if slot is not None and slot[1] is not answer.result:
            self.progressed.emit(slot[1])
        self.finished.emit(answer.result)

    def _forget_job(self) -> None:
        self._current = None
        self._worker.latest = None
        self._timer.stop()
        self._enter("idle")

    def _enter(self, state: State) -> None:
        if state != self.state:
            self.state = state
            self.state_changed.emit(state)


def _close(events: Iterator[Any]) -> None:
    close = getattr(events, "close", None)
    if close is not None:
        close()


class _Switching:
    """How many workers want the quick switch interval, and what it was before the first."""

    lock = threading.Lock()
    users = 0
    before = 0.0


@contextmanager
def _quick_switching() -> Iterator[None]:
    with _Switching.lock:
        if _Switching.users == 0:
            _Switching.before = sys.getswitchinterval()
            sys.setswitchinterval(SWITCH_INTERVAL_S)
        _Switching.users += 1
    try:
        yield
    finally:
        with _Switching.lock:
            _Switching.users -= 1
            if _Switching.users == 0:
                sys.setswitchinterval(_Switching.before)

"""Jobs run beside the event loop, answer in the main thread, and stop when told to."""

import subprocess
import sys
import threading
import time
import weakref

import pytest
from PySide6.QtCore import QObject, Slot

from app.engine.errors import EngineError, RunError
from app.qt.runner import PROGRESS_INTERVAL_MS, Runner


class Listener(QObject):
    """Notes what arrives and in which thread."""

    def __init__(self, runner: Runner) -> None:
        super().__init__()
        self.news: list[tuple[str, object]] = []
        self.threads: set[threading.Thread] = set()
        runner.progressed.connect(self.progressed)
        runner.finished.connect(self.finished)
        runner.failed.connect(self.failed)

    @Slot(object)
    def progressed(self, event: object) -> None:
        self._note("progressed", event)

    @Slot(object)
    def finished(self, event: object) -> None:
        self._note("finished", event)

    @Slot(object)
    def failed(self, event: object) -> None:
        self._note("failed", event)

    def _note(self, kind: str, event: object) -> None:
        self.news.append((kind, event))
        self.threads.add(threading.current_thread())

    def of(self, kind: str) -> list[object]:
        return [event for found, event in self.news if found == kind]


@pytest.fixture
def runner(qapp):
    made = Runner()
    yield made
    assert made.shutdown()


@pytest.fixture
def listener(runner):
    return Listener(runner)


def until_stopped(started: threading.Event):
    """Return a job that goes on until it is cancelled."""

    def job(cancel):
        started.set()
        while not cancel.wait(0.002):
            yield "tick"

    return job


def test_result_is_what_the_job_returns(runner, listener, qtbot):
    def job(cancel):
        yield "one"
        return {"answer": 42}

    with qtbot.waitSignal(runner.finished):
        runner.start(job)
    assert listener.of("finished") == [{"answer": 42}]
    assert runner.state == "idle"


def test_else_it_is_the_last_event(runner, listener, qtbot):
    with qtbot.waitSignal(runner.finished):
        runner.start(lambda cancel: iter(["one", "two"]))
    assert listener.of("finished") == ["two"]


def test_work_is_done_beside_the_main_thread_and_told_in_it(runner, listener, qtbot):
    where = []

    def job(cancel):
        where.append(threading.current_thread())
        yield "done"

    with qtbot.waitSignal(runner.finished):
        runner.start(job)
    assert where != [threading.main_thread()]
    assert listener.threads == {threading.main_thread()}


def test_states_come_in_order(runner, qtbot):
    states = []
    runner.state_changed.connect(states.append)
    started = threading.Event()
    runner.start(until_stopped(started))
    assert started.wait(5)
    assert runner.is_running
    with qtbot.waitSignal(runner.state_changed, check_params_cb=lambda state: state == "idle"):
        runner.stop()
        assert runner.state == "stopping"
    assert states == ["running", "stopping", "idle"]


def test_a_stopped_job_neither_finishes_nor_fails(runner, listener, qtbot):
    started = threading.Event()

    def job(cancel):
        started.set()
        cancel.wait(5)
        raise RunError("too late")
        yield

    runner.start(job)
    assert started.wait(5)
    with qtbot.waitSignal(runner.state_changed, check_params_cb=lambda state: state == "idle"):
        runner.stop()
    assert listener.of("finished") == listener.of("failed") == []


def test_stop_ends_a_job_that_never_looks_at_its_token(runner, qtbot):
    closed = threading.Event()
    started = threading.Event()

    def job(cancel):
        try:
            while True:
                started.set()
                yield "tick"
        finally:
            closed.set()

    runner.start(job)
    assert started.wait(5)
    with qtbot.waitSignal(runner.state_changed, check_params_cb=lambda state: state == "idle"):
        runner.stop()
    assert closed.is_set()


def test_a_new_job_replaces_the_old_and_its_late_answer_is_dropped(runner, listener, qtbot):
    started, finish = threading.Event(), threading.Event()

    def slow(cancel):
        started.set()
        finish.wait(5)
        return "old"
        yield

    runner.start(slow)
    assert started.wait(5)
    with qtbot.waitSignal(runner.finished):
        runner.start(lambda cancel: iter(["new"]))
        finish.set()
    assert listener.of("finished") == ["new"]


def test_the_replaced_job_is_told_to_stop(runner, listener, qtbot):
    started = threading.Event()
    runner.start(until_stopped(started))
    assert started.wait(5)
    with qtbot.waitSignal(runner.finished, timeout=5000):
        runner.start(lambda cancel: iter(["new"]))
    assert listener.of("finished") == ["new"]


def test_a_refusal_is_handed_on(runner, listener, qtbot):
    def job(cancel):
        raise RunError("fc1 has no data.", node="fc1")
        yield

    with qtbot.waitSignal(runner.failed):
        runner.start(job)
    (error,) = listener.of("failed")
    assert isinstance(error, EngineError)
    assert error.node == "fc1"
    assert runner.state == "idle"


def test_a_bug_reaches_the_main_threads_handler_with_its_trace(runner, listener, qtbot):
    def job(cancel):
        raise ZeroDivisionError("a bug")
        yield

    with qtbot.captureExceptions() as exceptions:
        with qtbot.waitSignal(runner.state_changed, check_params_cb=lambda state: state == "idle"):
            runner.start(job)
        qtbot.waitUntil(lambda: bool(exceptions))
    kind, _error, trace = exceptions[0]
    assert kind is ZeroDivisionError
    names = []
    while trace is not None:
        names.append(trace.tb_frame.f_code.co_name)
        trace = trace.tb_next
    assert "job" in names
    assert listener.of("failed") == []


def test_a_bug_before_the_first_event_is_no_different(runner, qtbot):
    with qtbot.captureExceptions() as exceptions:
        runner.start(lambda cancel: undefined_name)  # noqa: F821
        qtbot.waitUntil(lambda: bool(exceptions))
    assert exceptions[0][0] is NameError


def test_too_little_memory_is_said_in_words(runner, listener, qtbot):
    def job(cancel):
        raise MemoryError
        yield

    with qtbot.waitSignal(runner.failed):
        runner.start(job)
    assert "not enough memory" in str(listener.of("failed")[0])


def test_progress_comes_at_most_thirty_times_a_second_and_the_latest_counts(runner, listener, qtbot):
    count = 20_000

    def job(cancel):
        yield from range(count)
        return "done"

    clock = PROGRESS_INTERVAL_MS / 1000
    before = time.monotonic()
    with qtbot.waitSignal(runner.finished, timeout=20_000):
        runner.start(job)
    seconds = time.monotonic() - before
    progress = listener.of("progressed")
    assert progress == sorted(progress)
    assert progress[-1] == count - 1
    assert len(progress) <= seconds / clock + 2
    assert listener.news[-1] == ("finished", "done")


def test_the_runner_can_be_used_again(runner, listener, qtbot):
    for number in range(3):
        with qtbot.waitSignal(runner.finished):
            runner.start(lambda cancel, number=number: iter([number]))
    assert listener.of("finished") == [0, 1, 2]


def test_switch_interval_is_short_only_while_a_job_runs(runner, qtbot):
    usual = sys.getswitchinterval()
    seen = []

    def job(cancel):
        seen.append(sys.getswitchinterval())
        yield

    with qtbot.waitSignal(runner.finished):
        runner.start(job)
    assert seen == [pytest.approx(0.0005)]
    qtbot.waitUntil(lambda: sys.getswitchinterval() == pytest.approx(usual))


def test_shutdown_stops_the_job_and_its_thread(qapp):
    runner = Runner()
    started = threading.Event()
    runner.start(until_stopped(started))
    assert started.wait(5)
    assert runner.shutdown()
    assert runner.state == "idle"
    assert not [thread for thread in threading.enumerate() if thread.name == "chalkgraph-runner"]


def test_shutdown_leaves_a_job_behind_that_will_not_stop(qapp):
    runner = Runner()
    started, finish = threading.Event(), threading.Event()

    def deaf(cancel):
        started.set()
        finish.wait(10)
        yield

    runner.start(deaf)
    assert started.wait(5)
    assert runner.shutdown(wait_s=0.05) is False
    gone = weakref.ref(runner)
    del runner
    assert gone() is None, "the thread left behind would be the last to hold the runner, and destroy it there"
    finish.set()


def test_shutdown_without_a_job_is_nothing(qapp):
    assert Runner().shutdown()


def test_the_qt_helpers_load_without_numpy():
    modules = "colours, fonts, icons, runner, settings, stylesheet, theme"
    heavy = ("numpy", "networkx", "pyqtgraph")
    code = (
        f"import sys; from app.qt import {modules}; print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

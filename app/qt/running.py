"""When a document is run: on request, and by itself while Live is on."""

from collections.abc import Generator
from math import prod
from threading import Event
from typing import TYPE_CHECKING, Literal

import attrs
from PySide6.QtCore import QObject, QTimer

from app.document.changes import Change
from app.document.records import Node, Settings
from app.engine.backends.computing import Computing
from app.engine.errors import EngineError
from app.qt.runner import Runner

if TYPE_CHECKING:
    from app.qt.workspace import Workspace
    from app.services.running import Results

Stage = Literal["bound", "forward", "backward"]
AT_ONCE_SECONDS = 0.008
UNASKED_NODES = 60
UNASKED_NUMBERS = 2_000_000
PAUSE_MS = 300
NO_GRADIENT = (
    "No argument asks for a gradient, so backward had nothing to do. Set one to write in the inspector."
)


def affects_a_run(change: Change) -> bool:
    """Tell whether a run after the change could give other numbers than one before it."""
    before, after = change.before, change.after
    if change.table in ("frames", "notes"):
        return False
    if isinstance(before, Node) and isinstance(after, Node):
        return attrs.evolve(before, position=after.position) != after
    if isinstance(before, Settings) and isinstance(after, Settings):
        return _without_looks(before) != _without_looks(after)
    return True


def _without_looks(settings: Settings) -> Settings:
    """Return the settings with those of the drawing left at one value."""
    return attrs.evolve(settings, title="", style="picture", show_auto=True)


class Runs(QObject):
    """The runs of one workspace's document; answers that come too late are dropped.

    While `live` is on, a document that moved on runs again to the stage it had reached: at once where the last run was
    shorter than half a frame, else when the edits pause.
    """

    def __init__(self, workspace: "Workspace") -> None:
        super().__init__(workspace)
        self._workspace = workspace
        self._results: Results | None = None
        self._current = False
        self._told_stale = False
        self._stage: Stage = "forward"
        self._generation = 0
        self._version = 0
        self._live = workspace.settings.live
        workspace.settings.changed.connect(self._on_setting)
        self._runner = Runner(self)
        self._runner.finished.connect(self._on_finished)
        self._runner.failed.connect(self._on_failed)
        self._runner.state_changed.connect(workspace.run_state_changed)
        self._runner.progressed.connect(self._on_progress)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._run_live)

    # -- what there is

    @property
    def results(self) -> "Results | None":
        """What the last finished run left."""
        return self._results

    @property
    def is_current(self) -> bool:
        """Whether the results are those of the document as it is now."""
        return self._results is not None and self._current

    @property
    def is_running(self) -> bool:
        """Whether the worker is busy."""
        return self._runner.state != "idle"

    @property
    def live(self) -> bool:
        """Whether the graph runs again by itself after a change."""
        return self._live

    @live.setter
    def live(self, live: bool) -> None:
        self._live = self._workspace.settings.live = live
        if live and not self.is_current:
            self.document_moved_on()
        elif not live:
            self._timer.stop()

    # -- on request

    def start(self, stage: Stage) -> None:
        """Run the document as it is now up to a stage; a run that is going on is given up."""
        self._stage = stage
        self._start()

    def stop(self) -> None:
        """End the run that is going on, at its next step; what it found so far is dropped."""
        self._timer.stop()
        self._generation += 1
        self._runner.stop()

    # -- by itself

    def forget(self) -> None:
        """Drop everything about the document that was shown so far."""
        self.stop()
        self._stage = "forward"
        self._results, self._current, self._told_stale = None, False, False
        self._workspace.results_changed.emit(None)

    def mark_stale(self) -> None:
        """Take note that the results are those of an older document."""
        self._current = False
        self._version += 1

    def document_moved_on(self, *, by_load: bool = False) -> None:
        """Say that the results are old, and run again where that happens by itself."""
        if self._results is not None and not by_load and not self._told_stale:
            self._told_stale = True
            self._workspace.results_changed.emit(self._results)
        if self._live and self._can_run() and (self._results is not None or self._is_small()):
            self._timer.start(0 if self._is_quick() else PAUSE_MS)
        else:
            self._timer.stop()

    def _can_run(self) -> bool:
        analysis = self._workspace.analysis
        return analysis is not None and analysis.can_bind and not analysis.open_arguments

    def _is_quick(self) -> bool:
        return self._results.seconds < AT_ONCE_SECONDS if self._results is not None else self._is_small()

    def _is_small(self) -> bool:
        """Tell whether a graph that was never run is small enough to be run unasked."""
        analysis = self._workspace.analysis
        if analysis is None or analysis.graph is None or analysis.inference is None:
            return False
        nodes, inference = analysis.graph.nodes, analysis.inference
        if len(nodes) > UNASKED_NODES:
            return False
        return sum(prod(inference.shape((index, 0))) for index in range(len(nodes))) <= UNASKED_NUMBERS

    def _on_setting(self, name: str) -> None:
        """Let another library compute from now on; what it says may differ in the last digit."""
        if name == "computing":
            self.mark_stale()
            self.document_moved_on()

    def _run_live(self) -> None:
        if self._can_run():
            self._start()

    # -- the worker

    def _start(self) -> None:
        from app.services import running

        workspace = self._workspace
        analysis = workspace.analysis
        if analysis is None:
            return
        self._timer.stop()
        self._generation += 1
        asked_for = (self._generation, self._version)
        stage, folder = self._stage, workspace.folder
        computing = Computing.read(workspace.settings.computing)
        after = self._results if self.is_current else None

        def work(cancel: Event) -> Generator[object, None, object]:
            results = yield from running.run_to(
                analysis, stage, folder=folder, cancel=cancel, computing=computing, after=after
            )
            return asked_for, results

        self._runner.start(work)

    def _on_finished(self, answer: "tuple[tuple[int, int], Results]") -> None:
        (generation, version), results = answer
        if generation == self._generation:
            self._results = results
            self._current = version == self._version
            self._told_stale = not self._current
            self._workspace.results_changed.emit(results)
            if results.stage == "backward" and not results.executor_graph.gradient_nodes:
                self._workspace.message.emit(NO_GRADIENT)

    def _on_progress(self, event: object) -> None:
        from app.services.running import Progress

        if isinstance(event, Progress):
            self._workspace.run_progressed.emit(event)

    def _on_failed(self, refusal: EngineError) -> None:
        self._workspace.message.emit(str(refusal))

    def shutdown(self) -> None:
        """Stop for good, before the window goes away."""
        self._timer.stop()
        self._generation += 1
        self._runner.shutdown()

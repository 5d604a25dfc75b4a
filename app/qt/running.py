"""When a document is run: on request, and by itself while Live is on."""

from collections.abc import Callable, Generator
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
from app.qt.stepping import AT_THE_BEGINNING, AT_THE_END, ENDED, ENDED_BY_EDIT, Stepping, Walk

if TYPE_CHECKING:
    from app.document.analysis import Analysis
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
        self.stepping = Stepping()
        self._was_left = False
        """Whether an edit has just ended the stepping, which is still to be said."""
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
        """Run the document as it is now up to a stage; a run that is going on is given up.

        One that is gone through step by step goes on instead, and one that meets a breakpoint becomes such a one.
        """
        stepping = self.stepping
        if stage != "bound" and stepping.is_on and not stepping.is_at_end:
            self._ask(stepping.job_of_going_on(stage))
            return
        self._leave_steps()
        self._stage = stage
        analysis = self._workspace.analysis
        if stage != "bound" and analysis is not None and stepping.marked(analysis):
            self._begin_steps(analysis)
            self._ask(stepping.job_of_going_on(stage))
        else:
            self._start()

    def stop(self) -> None:
        """End the run that is going on, at its next step; what it found so far is dropped."""
        self._give_up()
        if self._leave_steps():
            self._workspace.results_changed.emit(self._results)
            self._workspace.message.emit(ENDED)
            if not self._current:  # what runs by itself may have been given up for the steps
                self.document_moved_on()

    def _give_up(self) -> None:
        self._timer.stop()
        self._generation += 1
        self._runner.stop()

    # -- step by step

    def step(self, way: Literal[1, -1]) -> None:
        """Take one step of a run, the first one of a new run where none is under way, or go one back."""
        stepping, analysis = self.stepping, self._workspace.analysis
        if not stepping.is_on:
            if analysis is None or way == -1:
                return
            self._begin_steps(analysis)
        job = stepping.job_of_step(way)
        if job is not None:
            self._ask(job)
        else:
            self._workspace.message.emit(AT_THE_END if way == 1 else AT_THE_BEGINNING)

    def _begin_steps(self, analysis: "Analysis") -> None:
        from app.services import running
        from app.services.stepping import Trail

        folder, computing = self._workspace.folder, Computing.read(self._workspace.settings.computing)
        after = self._results if self.is_current else None
        self.stepping.walk = Walk(
            analysis,
            lambda: Trail(running.bind(analysis, folder, computing, after=after)),
            (self._results, self._current),
        )

    def _leave_steps(self) -> bool:
        """End a walk through a run, if there is one, and tell whether there was."""
        left = self.stepping.leave()
        if left is None:
            return False
        self._results, was_current = left
        self._current = was_current and self._current
        return True

    # -- by itself

    def forget(self) -> None:
        """Drop everything about the document that was shown so far."""
        self._give_up()
        self.stepping.walk, self.stepping.breakpoints = None, frozenset()
        self._stage = "forward"
        self._results, self._current, self._told_stale = None, False, False
        self._workspace.results_changed.emit(None)

    def mark_stale(self) -> None:
        """Take note that the results are those of an older document."""
        if self.stepping.is_on:
            self._give_up()
            self._was_left = self._leave_steps()
        self._current = False
        self._version += 1

    def document_moved_on(self, *, by_load: bool = False) -> None:
        """Say that the results are old, and run again where that happens by itself."""
        if self._was_left or (self._results is not None and not by_load and not self._told_stale):
            self._told_stale = True
            self._workspace.results_changed.emit(self._results)
        if self._was_left:
            self._was_left = False
            self._workspace.message.emit(ENDED_BY_EDIT)
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
        stage, folder = self._stage, workspace.folder
        computing = Computing.read(workspace.settings.computing)
        after = self._results if self.is_current else None
        self._ask(
            lambda cancel: running.run_to(
                analysis, stage, folder=folder, cancel=cancel, computing=computing, after=after
            )
        )

    def _ask(self, job: "Callable[[Event], Generator[object, None, Results | None]]") -> None:
        """Let the worker find results of the document as it is now; what it is at is given up."""
        self._timer.stop()
        self._generation += 1
        asked_for = (self._generation, self._version)

        def work(cancel: Event) -> Generator[object, None, object]:
            results = yield from job(cancel)
            return asked_for, results

        self._runner.start(work)

    def _on_finished(self, answer: "tuple[tuple[int, int], Results]") -> None:
        (generation, version), results = answer
        if generation == self._generation:
            self._results = results
            self._current = version == self._version
            self._told_stale = not self._current
            said = self.stepping.arrived(results.moment)
            self._workspace.results_changed.emit(results)
            if said:
                self._workspace.message.emit(said)
            elif (
                results.moment is None
                and results.stage == "backward"
                and not results.executor_graph.gradient_nodes
            ):
                self._workspace.message.emit(NO_GRADIENT)

    def _on_progress(self, event: object) -> None:
        from app.services.running import Progress

        if isinstance(event, Progress):
            self._workspace.run_progressed.emit(event)

    def _on_failed(self, refusal: EngineError) -> None:
        if self.stepping.refused() and self._leave_steps():
            self._workspace.results_changed.emit(self._results)
        self._workspace.message.emit(str(refusal))

    def shutdown(self) -> None:
        """Stop for good, before the window goes away."""
        self._timer.stop()
        self._generation += 1
        self._runner.shutdown()

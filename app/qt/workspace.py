"""The Qt face of one open document: its store, what follows from it, and its runs.

The canvas and the panels are built with a Workspace and talk to nothing else. Whatever needs numpy or the engine is
imported when it is first asked for, so that a window can be painted before.
"""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from PySide6.QtCore import QObject, Signal

from app.document.records import Document, Id
from app.document.store import Store, Update
from app.engine.errors import EngineError
from app.qt.devices import Devices
from app.qt.running import Runs, affects_a_run
from app.qt.settings import Settings
from app.qt.theme import Theme, Theming

if TYPE_CHECKING:
    from app.document.analysis import Analysis
    from app.document.changes import Transaction
    from app.services.running import Results

VIEW_OPTIONS = ("style", "show_auto")


class Prepared(Protocol):
    """What an edit hands back when it also says what it made."""

    @property
    def transaction(self) -> "Transaction":
        """The edit itself, not yet done."""
        ...


class Workspace(QObject):
    """One window's document, its analysis, its results and its theme, with a signal for each.

    `analysis` is None only until the engine has been loaded (`load_engine`, called after the first paint) and `results`
    is None until something was bound. `results_are_current` tells whether the document has moved on since.
    """

    document_changed = Signal(object)
    """An `Update` of the store; the analysis is still the old one."""
    analysis_changed = Signal(object)
    """The `Analysis` of the document as it is now."""
    results_changed = Signal(object)
    """New `Results`, or None; also sent when results become stale."""
    selection_changed = Signal(object)
    """The selected node ids, a frozenset."""
    run_state_changed = Signal(str)
    """"idle", "running" or "stopping"."""
    run_progressed = Signal(object)
    """How far a run has come, a few times a second."""
    breakpoints_changed = Signal()
    """Other nodes have breakpoints than before."""
    message = Signal(str)
    """One sentence for the status line."""
    view_option_changed = Signal()
    """Theme, text size, node style or the auto-created arguments are to be drawn otherwise."""

    def __init__(
        self, theming: Theming, settings: Settings, store: Store | None = None, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.theming = theming
        self.settings = settings
        self.store = store if store is not None else Store()
        self.path: Path | None = None
        self._analysis: Analysis | None = None
        self._engine_loaded = False
        self.runs = Runs(self)
        self.devices = Devices(self)
        self.devices.failed.connect(lambda refusal: self.message.emit(str(refusal)))
        self.store.changed.connect(self._on_changed)
        self.store.selection_changed.connect(self._on_selection)
        theming.changed.connect(self._on_theme)

    # -- what there is

    @property
    def document(self) -> Document:
        """The document as it is now."""
        return self.store.document

    @property
    def theme(self) -> Theme:
        """The colours and fonts in use."""
        return self.theming.theme

    @property
    def analysis(self) -> "Analysis | None":
        """What follows from the document: graph, shapes, problems; None until the engine is loaded."""
        return self._analysis

    @property
    def results(self) -> "Results | None":
        """What the last run left, perhaps of an older document; None before the first."""
        return self.runs.results

    @property
    def results_are_current(self) -> bool:
        """Whether the results are those of the document as it is now."""
        return self.runs.is_current

    @property
    def folder(self) -> Path:
        """Where the names of files in bindings start from."""
        return self.path.parent if self.path is not None else Path.cwd()

    def spelled(self, path: Path) -> str:
        """Return how a binding names a file: from the document where it lies beside it, so that both can move."""
        folder = self.path.parent if self.path is not None else None
        if folder is not None and path.is_relative_to(folder):
            return path.relative_to(folder).as_posix()
        return str(path.absolute())

    # -- changing it

    def commit(self, transaction: "Transaction") -> None:
        """Do an edit; everything that follows from it is announced before this returns."""
        self.store.commit(transaction)

    def try_edit(self, edit: Callable[..., Any], *arguments: Any, **settings: Any) -> Any:
        """Do `edit(document, *arguments, **settings)`, or say why not at the status line and return None.

        An edit returns a Transaction or something with one in `.transaction`; either is handed back.
        """
        try:
            prepared = edit(self.document, *arguments, **settings)
            self.commit(getattr(prepared, "transaction", prepared))
        except EngineError as refusal:
            self.message.emit(str(refusal))
            return None
        return prepared

    def undo(self) -> None:
        """Take the last edit back."""
        if self.store.can_undo:
            self.store.undo()

    def redo(self) -> None:
        """Do again what was taken back."""
        if self.store.can_redo:
            self.store.redo()

    def load(self, document: Document, path: Path | None = None) -> None:
        """Show another document, as if it had just been opened; its history begins anew."""
        self.runs.forget()
        self.path = path
        self.store.load(document)

    def select(self, ids: frozenset[Id] | set[Id]) -> None:
        """Select these nodes and no others."""
        self.store.select(frozenset(ids))

    # -- running it

    def bind(self) -> None:
        """Allocate the arrays on the worker."""
        self.runs.start("bound")

    def forward(self) -> None:
        """Bind where needed and run forward on the worker."""
        self.runs.start("forward")

    def backward(self) -> None:
        """Bind where needed and run forward and backward on the worker."""
        self.runs.start("backward")

    def step(self) -> None:
        """Take the next step of a run on the worker, the first one where none is gone through yet."""
        self.runs.step(1)

    def step_back(self) -> None:
        """Look at the run as it was one step before."""
        self.runs.step(-1)

    def toggle_breakpoints(self, nodes: Collection[Id]) -> None:
        """Let runs pause before these nodes, or no longer where all of them have a breakpoint."""
        chosen = [self.document.nodes[key].name for key in nodes if key in self.document.nodes]
        is_set = self.runs.stepping.toggle(nodes)
        self.breakpoints_changed.emit()
        what = f"before {chosen[0]}" if len(chosen) == 1 else f"before {len(nodes)} nodes"
        self.message.emit(f"Forward and Backward {'pause' if is_set else 'no longer pause'} {what}.")

    @property
    def breakpoints(self) -> frozenset[Id]:
        """The nodes before which a run pauses, be they on the board or deleted for now."""
        return self.runs.stepping.breakpoints

    @property
    def is_stepping(self) -> bool:
        """Whether a run is being gone through step by step."""
        return self.runs.stepping.is_on

    @property
    def can_step_back(self) -> bool:
        """Whether there is a step to go back."""
        return self.runs.stepping.can_go_back

    def stop(self) -> None:
        """End the run that is going on, at its next step, and the stepping through one."""
        self.runs.stop()

    @property
    def is_running(self) -> bool:
        """Whether the worker is busy with this document."""
        return self.runs.is_running

    def shutdown(self) -> None:
        """End the worker, before the window goes away."""
        self.runs.shutdown()
        self.devices.shutdown()

    @property
    def live(self) -> bool:
        """Whether the graph runs again by itself after a change."""
        return self.runs.live

    @live.setter
    def live(self, live: bool) -> None:
        self.runs.live = live

    # -- deriving it

    def load_engine(self) -> None:
        """Import the engine and analyse the document for the first time; a second call does nothing."""
        if not self._engine_loaded:
            self._engine_loaded = True
            self._analyse()

    def _analyse(self) -> None:
        from app.document.checks import analyse
        from app.services.values import ValueShapes

        self._analysis = analyse(self.document, ValueShapes(self.folder))
        self.analysis_changed.emit(self._analysis)

    def _on_changed(self, update: Update) -> None:
        stale = update.origin == "load" or any(affects_a_run(change) for change in update.changes)
        if stale:
            self.runs.mark_stale()
        self.document_changed.emit(update)
        if self._engine_loaded:
            self._analyse()
        if update.before.options is not update.after.options and any(
            getattr(update.before.options, name) != getattr(update.after.options, name)
            for name in VIEW_OPTIONS
        ):
            self.view_option_changed.emit()
        if stale:
            self.runs.document_moved_on(by_load=update.origin == "load")

    def _on_selection(self, selection: frozenset[Id]) -> None:
        self.selection_changed.emit(selection)

    def _on_theme(self, _theme: object) -> None:
        self.view_option_changed.emit()

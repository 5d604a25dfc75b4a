"""What is in a window: one document with its views, panels and actions.

The menus, toolbar and docks are built at once; what needs the engine comes in `fill`, when a worker has imported it.
"""

import importlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QPoint, QTimer, Signal
from PySide6.QtWidgets import QApplication

from app.engine.backends.computing import NOT_INSTALLED, Computing, is_installed
from app.panels.command_palette import Command
from app.qt.icons import Icons
from app.qt.runner import Runner
from app.qt.settings import Settings
from app.qt.theme import Theming
from app.qt.workspace import Workspace
from app.shell.actions import Actions
from app.shell.centre import Centre, View, Zoomable
from app.shell.changing_menus import ChangingMenus
from app.shell.dialogs import Dialogs
from app.shell.docks import Docks
from app.shell.exports import Exports
from app.shell.files import Files
from app.shell.main_window import TITLE, MainWindow
from app.shell.parameters import Parameters
from app.shell.status_line import StatusLine
from app.shell.toolbar import ToolBar

if TYPE_CHECKING:
    from app.canvas.view import BoardView
    from app.shell.assembly import Parts

LARGE = 150
"""With so many nodes half a window shows little, so a document opens in the whole of it."""
HEAVY = (
    "numpy",
    "networkx",
    "app.document.checks",
    "app.document.edits",
    "app.services.running",
    "app.services.gallery",
    "app.services.code.symbol_api",
)
"""What takes long to import and has nothing of Qt in it."""


class Workbench(QObject):
    """Furnishes one window."""

    filled = Signal()
    """Everything is there and can be used."""

    def __init__(
        self, window: MainWindow, theming: Theming, settings: Settings, open_another: Callable[[], object]
    ) -> None:
        super().__init__(window)
        self.window = window
        self.theming = theming
        self.settings = settings
        self.open_another = open_another
        self.icons = Icons(theming)
        self.workspace = Workspace(theming, settings, parent=self)
        self.dialogs = Dialogs(window)
        self.files = Files(self.workspace, self.dialogs, self)
        self.exports = Exports(self.workspace, self.dialogs, self.files)
        self.parameters = Parameters(self.workspace, self.dialogs, self.files)
        self.parts: Parts | None = None
        self._waiting: Callable[[], None] | None = None
        self._was_opened = False
        self._loader = Runner(self)
        self._refresh_timer = QTimer(self, singleShot=True, interval=0)
        self._refresh_timer.timeout.connect(self.refresh)
        self._build()
        self._connect()
        window.furnishing = self

    # -- building it

    def _build(self) -> None:
        from app.shell.action_table import all_actions

        window = self.window
        window.setPalette(QApplication.palette())
        window.setUnifiedTitleAndToolBarOnMac(True)
        self.actions = Actions(self, all_actions())
        self.actions.fill(window.menuBar())
        ChangingMenus(self)
        self.toolbar = ToolBar(self.actions, self.icons, window)
        window.addToolBar(self.toolbar)
        self.toolbar.show()  # a window that is on the screen shows it later, and its state would say hidden
        self.centre = Centre(window)
        window.setCentralWidget(self.centre)
        self.docks = Docks(window)
        self.status_line = StatusLine(self.workspace, window)
        window.setStatusBar(self.status_line)
        self.show_view(self.settings.graph_view)
        self.docks.clear_away()
        if self.settings.window_state:
            self.docks.restore(
                self.settings.window_state
            )  # takes hold once there is a document to lay out for

    def _connect(self) -> None:
        workspace = self.workspace
        for signal in (
            workspace.document_changed,
            workspace.analysis_changed,
            workspace.selection_changed,
            workspace.run_state_changed,
            workspace.results_changed,
            workspace.breakpoints_changed,
            self.files.state_changed,
            self.settings.changed,
        ):
            signal.connect(self._refresh_soon)
        workspace.run_state_changed.connect(self.toolbar.show_run_state)
        self.files.opened.connect(self._on_opened)
        self.status_line.problems_clicked.connect(lambda: self.docks.show("problems"))
        self.files.failed.connect(self._on_file_failed)
        self._loader.finished.connect(self.fill)

    def load(self) -> None:
        """Import what is heavy on a worker, then fill the window."""

        def work(_cancel: object) -> Iterator[object]:
            for name in HEAVY:
                yield importlib.import_module(name)
            from app.engine.registry import all_operators

            yield all_operators()

        self._loader.start(work)

    def fill(self, _news: object = None) -> None:
        """Build the views and panels; happens once."""
        if self.parts is not None:
            return
        from app.shell.assembly import assemble

        self.parts = assemble(self)
        self.workspace.load_engine()
        self.refresh()
        self.filled.emit()
        if self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            waiting()

    # -- what there is

    @property
    def is_ready(self) -> bool:
        """Whether the parts that need the engine are there."""
        return self.parts is not None

    @property
    def has_document(self) -> bool:
        """Whether a document is shown rather than the start page."""
        return self.centre.shows_graphs

    @property
    def view(self) -> View:
        """Which of the graphs are shown."""
        return self.centre.view

    @property
    def board(self) -> "BoardView":
        """The view of the symbol graph."""
        return self._parts.board

    @property
    def active_view(self) -> Zoomable:
        """The graph that zooming is meant for: the one with the focus, else the one that is shown."""
        executor = self._parts.executor
        focus = QApplication.focusWidget()
        has_focus = focus is not None and (focus is executor or executor.isAncestorOf(focus))
        return executor if has_focus or self.view == "executor" else self._parts.board

    @property
    def _parts(self) -> "Parts":
        assert self.parts is not None, "the views and panels come with fill"
        return self.parts

    # -- what actions do

    def when_ready(self, do: Callable[[], None]) -> None:
        """Do something as soon as everything is there."""
        if self.is_ready:
            do()
        else:
            self._waiting = do

    def open(self, path: Path) -> None:
        """Open a file as soon as everything is there."""
        self.when_ready(lambda: self.files.open(path))

    def show_view(self, view: View) -> None:
        """Show the symbol graph, the executor graph, or both."""
        self.centre.show_view(view)
        self.settings.graph_view = view
        if self.parts is not None and self.has_document:
            self.active_view.setFocus()  # else it falls to whatever comes next, a search field for one
        self._refresh_soon()

    def toggle_gallery(self) -> None:
        """Show the start page while the document stays open behind it, or go back to the document."""
        if not self.has_document and self._was_opened:
            self.show_document()
        else:
            self.docks.clear_away()
            self.centre.show_start_page()
            if self.parts is not None:
                self.parts.start_page.offer_back(self._was_opened)
            self.refresh()

    def show_document(self) -> None:
        """Show the document with its panels."""
        self.centre.show_graphs()
        self.docks.put_back()
        self.refresh()

    def set_option(self, **changes: Any) -> None:
        """Change settings of the document, as an edit."""
        from app.document.edits import set_options

        self.workspace.try_edit(set_options, **changes)

    def next_seed(self) -> None:
        """Draw other random numbers."""
        self.set_option(seed=self.workspace.document.options.seed + 1)

    def move_batch(self, step: int) -> None:
        """Take the next rows of the data set, or the ones before."""
        options = self.workspace.document.options
        self.set_option(batch_start=max(0, options.batch_start + step * options.batch))

    def set_size(self, percent: int) -> None:
        """Show everything larger or smaller from the next start on."""
        if percent != self.settings.size:
            self.settings.size = percent
            self.workspace.message.emit(f"From the next start on, everything is shown at {percent} %.")

    def toggle_live(self) -> None:
        """Run by itself after changes, or stop doing so."""
        self.workspace.live = not self.workspace.live

    @property
    def computing(self) -> Computing:
        """What computes runs now."""
        return Computing.read(self.settings.computing)

    def compute_by(self, backend: str) -> None:
        """Let a library compute runs from now on, on the device that it had."""
        if not is_installed(backend):
            self.workspace.message.emit(NOT_INSTALLED)
            self.actions.refresh()  # the mark goes back to what computes
        elif backend != self.computing.backend:
            self.settings.computing = Computing(backend).word

    def next_problem(self, step: int) -> None:
        """Go to the next problem, or the one before."""
        self._parts.problems.visit_next(step)

    def open_command_palette(self) -> None:
        """Find an action by its name, or a node by its own."""
        from app.shell.assembly import GO_TO

        nodes = self.workspace.document.nodes.values() if self.has_document else ()
        commands = [
            *self.actions.commands(),
            *(Command(GO_TO + node.id, f"Go to {node.name}", node.op, enabled=True) for node in nodes),
        ]
        button = self.toolbar.find_button
        popup = self._parts.commands
        place = button.mapToGlobal(QPoint(button.width() - popup.width(), button.height() + 4))
        popup.open_with(commands, place)

    def shows_panel(self, name: str) -> bool:
        """Tell whether a panel is shown."""
        return self.docks.is_shown(name)

    def toggle_panel(self, name: str) -> None:
        """Show a panel, or hide it."""
        self.docks.toggle(name)

    def reset_layout(self) -> None:
        """Put the panels where they were at the first start."""
        self.docks.reset()
        self.centre.even_out()
        self.show_view("split")

    def show_keys(self) -> None:
        """List every action with its keys."""
        from app.shell.dialogs import KeysDialog
        from app.shell.gestures_list import GESTURES

        KeysDialog(tuple(self.actions.records.values()), GESTURES, self.window).open()

    def show_about(self) -> None:
        """Say what this is."""
        from app.shell.about import AboutDialog

        AboutDialog(self.window).open()

    def quit(self) -> None:
        """Close every window, each with its own question."""
        QApplication.closeAllWindows()

    # -- following the document

    def refresh(self) -> None:
        """Ask again what can be done and what is bound."""
        from app.shell.bound import bound_words

        self.actions.refresh()
        self.toolbar.show_bound(bound_words(self.workspace.analysis))
        self.status_line.refresh()
        is_card = self.workspace.document.options.style == "card"
        self.centre.board_pane.detail.set_whole("heatmaps: output | gradient" if is_card else "")
        self.window.setWindowTitle(f"{self.files.name}[*] – {TITLE}" if self.has_document else TITLE)
        self.window.setWindowModified(self.has_document and self.workspace.store.is_modified)

    def _refresh_soon(self, *_news: object) -> None:
        self._refresh_timer.start()

    def _on_opened(self, is_example: bool) -> None:
        self._was_opened = True
        document = self.workspace.document
        if is_example:  # a model needs the room for its cards, a picture stands beside what becomes of it
            self.show_view("symbol" if document.options.style == "card" else "split")
        elif len(document.nodes) > LARGE:
            self.show_view("symbol")
        self.show_document()
        if self.parts is not None:
            self.parts.board.setFocus()
            self.parts.board.fit()
            self.parts.executor.fit()

    def _on_file_failed(self, _sentence: str) -> None:
        if not self._was_opened and not self.has_document:
            self.docks.clear_away()
            self.centre.show_start_page()

    # -- the window closes

    def may_close(self) -> bool:
        """Ask about unsaved changes."""
        return self.files.may_let_go()

    def close_down(self) -> None:
        """Keep the layout for the next time and end the workers."""
        self.settings.window_state = self.docks.state()
        self.settings.save()
        self.workspace.shutdown()
        if self.parts is not None:
            self.parts.executor.shutdown()
        self.files.shutdown()
        self.exports.shutdown()
        self.parameters.shutdown()
        self._loader.shutdown()

"""The program of what is on the board, in one of several languages, always up to date."""

import importlib
import time
from typing import TYPE_CHECKING

import attrs
from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QShowEvent
from PySide6.QtWidgets import QComboBox, QPushButton, QVBoxLayout, QWidget

from app.engine.errors import EngineError
from app.panels.code_view import CodeView
from app.panels.panel import Panel, label, row
from app.qt.theme import GAP, HALF_STEP, STEP, Theme
from app.qt.workspace import Workspace

if TYPE_CHECKING:
    from app.services.code.lines import CodeText

COPIED_MS = 1500
QUICK_S = 0.008
PAUSE_MS = 300
"""A program that takes longer to write is written when the edits pause."""


@attrs.frozen
class Language:
    """One way to write the program: its name for people, and the module that writes it."""

    title: str
    module: str


LANGUAGES = (
    Language("Symbol API", "app.services.code.symbol_api"),
    Language("numpy", "app.services.code.numpy_code"),
    Language("PyTorch", "app.services.code.torch_code"),
)


class CodePanel(Panel):
    """Shows the program; a line selects its nodes, and selected nodes mark their lines."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(workspace, parent)
        self.setAccessibleName("Code")
        self.code: CodeText | None = None
        self.language = QComboBox()
        self.language.setAccessibleName("Language")
        for one in LANGUAGES:
            self.language.addItem(one.title, one)
        self.language.activated.connect(lambda _: self._write())
        self.copy = QPushButton(self.icons.icon("copy"), "Copy")
        self.copy.setProperty("look", "flat")
        self.copy.setToolTip("Copy the whole program")
        self.copy.clicked.connect(self.copy_all)
        self.note = label("live", "muted")
        self.view = CodeView(self.theme)
        self.view.lines_chosen.connect(self._select_nodes)
        self.trouble = label("", "muted", wrap=True)
        self.trouble.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.trouble.setContentsMargins(GAP, STEP, GAP, STEP)
        self._lay_out()
        self._stale = True
        self._choosing = False
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self._write)
        self._copied = QTimer(self, singleShot=True, interval=COPIED_MS)
        self._copied.timeout.connect(lambda: self.copy.setText("Copy"))
        workspace.analysis_changed.connect(lambda _: self._refresh())
        workspace.selection_changed.connect(lambda _: self._mark(show=not self._choosing))

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, HALF_STEP, 0, 0)
        layout.setSpacing(0)
        top = row(self.note, space=STEP)
        top.addStretch()
        top.addWidget(self.language)
        top.addWidget(self.copy)
        top.setContentsMargins(GAP, 0, STEP, HALF_STEP)
        layout.addLayout(top)
        layout.addWidget(self.trouble)
        layout.addWidget(self.view, 1)
        self.trouble.hide()

    def sizeHint(self) -> QSize:
        """Ask for a dozen lines."""
        return QSize(480, 248)

    def copy_all(self) -> None:
        """Put the whole program on the clipboard."""
        if self._stale:
            self._write()
        if self.code is not None:
            QGuiApplication.clipboard().setText(self.code.text)
            self.copy.setText("Copied")
            self._copied.start()

    def restyle(self, theme: Theme) -> None:
        """Wear another theme."""
        self.view.restyle(theme)

    def showEvent(self, event: QShowEvent) -> None:
        """Catch up with what changed while nothing could be seen."""
        super().showEvent(event)
        if self._stale:
            self._soon.start()

    # -- writing it

    def _refresh(self) -> None:
        self._stale = True
        if self.isVisible():
            self._soon.start()

    def _write(self) -> None:
        """Write the program anew, or say why there is none."""
        self._soon.stop()
        start = time.perf_counter()
        analysis = self.workspace.analysis
        if analysis is None:
            return
        self._stale = False
        language: Language = self.language.currentData()
        trouble = (
            ""
            if analysis.document.nodes
            else "The program appears here as soon as something is on the board."
        )
        self.code = None
        if not trouble:
            try:
                writer = importlib.import_module(language.module)
                self.code = writer.write(analysis)
            except EngineError as error:
                trouble = f"There is no {language.title} program yet. {error}"
        self.trouble.setText(trouble)
        self.trouble.setVisible(bool(trouble))
        self.view.setVisible(not trouble)
        self.copy.setEnabled(not trouble)
        self.view.show_text(self.code.text if self.code is not None else "")
        self._mark(show=False)
        took = time.perf_counter() - start
        self._soon.setInterval(0 if took < QUICK_S else PAUSE_MS)

    # -- lines and nodes

    def _mark(self, *, show: bool) -> None:
        selected = self.workspace.store.selection
        lines = self.code.lines if self.code is not None else ()
        self.view.mark([number for number, ids in enumerate(lines) if ids & selected], show=show)

    def _select_nodes(self, numbers: range) -> None:
        """Select the nodes of the lines that were pointed at; an empty line leaves the selection as it is."""
        lines = self.code.lines if self.code is not None else ()
        ids = frozenset().union(*(lines[number] for number in numbers if number < len(lines)))
        present = ids & self.workspace.document.nodes.keys()
        if present:
            self._choosing = True
            try:
                self.workspace.select(present)
            finally:
                self._choosing = False

"""The program of what is on the board, in one of several languages, always up to date."""

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs
from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QComboBox, QPushButton, QVBoxLayout, QWidget

from app.engine.errors import EngineError
from app.panels.code_view import CodeView, Piece, pieces_of
from app.panels.kept_up import KeptUp
from app.panels.panel import Panel, label, row
from app.qt.theme import GAP, HALF_STEP, STEP, Theme
from app.qt.workspace import Workspace

if TYPE_CHECKING:
    from app.document.analysis import Analysis
    from app.document.store import Update
    from app.services.code.lines import CodeText

COPIED_MS = 1500


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


@attrs.frozen(eq=False)
class Written:
    """A program with the pieces of its lines that are coloured, or the reason why there is none."""

    code: "CodeText | None"
    trouble: str
    pieces: list[list[Piece]]


def write_program(analysis: "Analysis", language: Language) -> Written:
    """Write the program of an analysed document."""
    if not analysis.document.nodes:
        return Written(None, "The program appears here as soon as something is on the board.", [])
    try:
        code = importlib.import_module(language.module).write(analysis)
    except EngineError as error:
        return Written(None, f"There is no {language.title} program yet. {error}", [])
    return Written(code, "", pieces_of(code.text))


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
        self.language.activated.connect(lambda _: self._write_other())
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
        self._choosing = False
        self._from_top = False
        self.kept_up = KeptUp(self, self._writer, self._show)
        self._copied = QTimer(self, singleShot=True, interval=COPIED_MS)
        self._copied.timeout.connect(lambda: self.copy.setText("Copy"))
        workspace.document_changed.connect(self._on_document)
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
        if self.kept_up.is_behind:
            self.kept_up.make_here()
        if self.code is not None:
            QGuiApplication.clipboard().setText(self.code.text)
            self.copy.setText("Copied")
            self._copied.start()

    def restyle(self, theme: Theme) -> None:
        """Wear another theme."""
        self.view.restyle(theme)

    # -- writing it

    def _on_document(self, update: "Update") -> None:
        self._from_top = self._from_top or update.origin == "load"

    def _write_other(self) -> None:
        """Write in another language; its program is seen from the top."""
        self._from_top = True
        self.kept_up.make()

    def _writer(self, analysis: "Analysis") -> Callable[[], Written]:
        language: Language = self.language.currentData()
        return lambda: write_program(analysis, language)

    def _show(self, written: Written) -> None:
        self.code = written.code
        self.trouble.setText(written.trouble)
        self.trouble.setVisible(bool(written.trouble))
        self.view.setVisible(not written.trouble)
        self.copy.setEnabled(not written.trouble)
        text = self.code.text if self.code is not None else ""
        self.view.show_text(text, written.pieces, from_top=self._from_top)
        self._from_top = False
        self._mark(show=False)

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

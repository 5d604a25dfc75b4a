"""Opening and saving: the one place that knows which file the document lies in and whether it may be let go."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
from PySide6.QtCore import QObject, Signal

from app.engine.errors import EngineError
from app.qt.runner import Runner
from app.qt.workspace import Workspace
from app.shell.dialogs import SAVE_FILTER, Dialogs

if TYPE_CHECKING:
    from app.document.records import Document
    from app.engine.repairs.repair import Repair
    from app.services.project_file import Opened

SUFFIX = ".chalk"
PARAMETERS_SUFFIX = ".params"
UNTITLED = "Untitled"


class Files(QObject):
    """The file of one window's document.

    Reading happens on a worker, since an old model can be large; what could not be read leaves the window as it was.
    """

    opened = Signal(bool)
    """Another document is shown; carries whether it is one of the gallery."""
    parameters_chosen = Signal(object)
    """A parameter file is to be opened, which belongs into the document that is open; carries its path."""
    failed = Signal(str)
    """A file could not be opened or written; the sentence says why."""
    state_changed = Signal()
    """The file's name, or whether the document is saved, has changed."""

    def __init__(self, workspace: Workspace, dialogs: Dialogs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._dialogs = dialogs
        self._reading: Path | None = None
        self._runner = Runner(self)
        self._runner.finished.connect(self._on_read)
        self._runner.failed.connect(self._on_unreadable)
        workspace.document_changed.connect(lambda _update: self.state_changed.emit())

    # -- what there is

    @property
    def name(self) -> str:
        """The document's name as the title bar shows it."""
        path = self._workspace.path
        return path.name if path is not None else self._workspace.document.options.title or UNTITLED

    @property
    def folder(self) -> Path:
        """Where a file dialog starts."""
        path = self._workspace.path
        if path is not None:
            return path.parent
        last = Path(self._workspace.settings.last_folder or Path.home())
        return last if last.is_dir() else Path.home()

    # -- letting the document go

    def may_let_go(self) -> bool:
        """Ask about unsaved changes; False where the document has to stay."""
        if not self._workspace.store.is_modified:
            return True
        answer = self._dialogs.unsaved(self.name)
        if answer == "save":
            return self.save()
        return answer == "discard"

    # -- opening

    def new(self) -> None:
        """Show an empty board."""
        from app.document.records import empty_document

        if self.may_let_go():
            self._show(empty_document(), None)

    def ask_and_open(self) -> None:
        """Ask for a file and open it."""
        path = self._dialogs.file_to_open(self.folder)
        if path is not None:
            self.open(path)

    def open(self, path: Path) -> None:
        """Read a Chalkgraph document or an MXNet symbol file and show it; parameters are left to who loads them."""
        if path.suffix.lower() == PARAMETERS_SUFFIX:
            self.parameters_chosen.emit(path)
            return
        if not self.may_let_go():
            return
        self._reading = path = path.absolute()
        folder = path.parent if path.suffix.lower() == SUFFIX else Path.cwd()
        self._workspace.message.emit(f"Opening {path.name} …")

        def read(_cancel: object) -> Iterator[object]:
            from app.document.changes import in_order
            from app.document.checks import analyse
            from app.services.project_file import read_any
            from app.services.values import ValueShapes

            opened = read_any(path)
            document = in_order(opened.document)
            # The window will ask for the same analysis, and it is remembered.
            analyse(document, ValueShapes(folder))
            yield attrs.evolve(opened, document=document)

        self._runner.start(read)

    def open_gallery(self, entry_id: str) -> None:
        """Show a document of the gallery; saving it asks for a file of its own."""
        from app.services.gallery import open_entry

        if self.may_let_go():
            self._show(open_entry(entry_id), None, is_example=True)

    def _on_read(self, opened: "Opened") -> None:
        path, self._reading = self._reading, None
        assert path is not None
        settings = self._workspace.settings
        settings.add_recent_file(path)
        settings.last_folder = str(path.parent)
        # A symbol file stays what it is: only a document is ever written over.
        self._show(opened.document, path if path.suffix.lower() == SUFFIX else None)
        for repair in opened.repairs:
            self._offer(repair, path.name)

    def _offer(self, repair: "Repair", name: str) -> None:
        """Ask whether what an older MXNet wrote is to be mended, where that makes a difference."""
        from app.document.edits import EditError, mend

        try:
            edit = mend(self._workspace.document, repair)
        except EditError as error:
            self._workspace.message.emit(f"{name} {repair.sign}. {error.sentence}")
            return
        if edit.changes and self._dialogs.mend(name, repair):
            self._workspace.commit(edit)
            self._workspace.message.emit(repair.done)

    def _on_unreadable(self, refusal: EngineError) -> None:
        path, self._reading = self._reading, None
        if path is not None and not path.exists():
            self._workspace.settings.forget_recent_file(path)
        self._refuse("Not opened", refusal)

    def _show(self, document: "Document", path: Path | None, *, is_example: bool = False) -> None:
        self._workspace.load(document, path)
        self._workspace.message.emit("")
        self.opened.emit(is_example)
        self.state_changed.emit()

    # -- saving

    def save(self) -> bool:
        """Write the document to its file, asking for one where it has none; False where it isn't saved."""
        path = self._workspace.path
        return self.save_as() if path is None else self._write(path)

    def save_as(self) -> bool:
        """Ask for a file and write the document to it."""
        path = self._dialogs.file_to_save(self.suggestion(SUFFIX), "Save as", SAVE_FILTER)
        return path is not None and self._write(path)

    def save_copy(self) -> bool:
        """Write a copy beside the document, which keeps its own file and its unsaved mark."""
        path = self._dialogs.file_to_save(self.suggestion(SUFFIX, " copy"), "Save a copy", SAVE_FILTER)
        return path is not None and self._attempt(lambda: _write_project(self._workspace.document, path))

    def _write(self, path: Path) -> bool:
        if not self._attempt(lambda: _write_project(self._workspace.document, path)):
            return False
        self._workspace.path = path.absolute()
        self._workspace.store.mark_saved()
        settings = self._workspace.settings
        settings.add_recent_file(path)
        settings.last_folder = str(path.absolute().parent)
        self._workspace.message.emit(f"Saved {path.name}.")
        self.state_changed.emit()
        return True

    # -- both

    def shutdown(self) -> None:
        """Stop reading, before the window goes away."""
        self._runner.shutdown()

    def suggestion(self, ending: str, addition: str = "") -> Path:
        """Return the name that a dialog proposes for a new file."""
        stem = Path(self.name).stem if self._workspace.path is not None else self.name
        kept = "".join(letter if letter.isalnum() or letter in " -_.()" else " " for letter in stem)
        return self.folder / f"{' '.join(kept.split()) or UNTITLED}{addition}{ending}"

    def _attempt(self, write: Any) -> bool:
        try:
            write()
        except EngineError as refusal:
            self._refuse("Not written", refusal)
            return False
        return True

    def _refuse(self, title: str, refusal: EngineError) -> None:
        self._workspace.message.emit(str(refusal))
        self.failed.emit(str(refusal))
        self._dialogs.refuse(title, str(refusal))


def _write_project(document: "Document", path: Path) -> None:
    from app.services.project_file import write_project

    write_project(document, path)

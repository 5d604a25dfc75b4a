"""The values of a graph's parameters: to MXNet's parameter file, and from one into the open document."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal

from app.engine.errors import EngineError
from app.qt.workspace import Workspace
from app.shell.dialogs import PARAMETERS_FILTER, Dialogs
from app.shell.file_work import FileWork
from app.shell.files import PARAMETERS_SUFFIX, Files

if TYPE_CHECKING:
    from app.document.records import Document
    from app.services.parameters import Match


class Parameters(FileWork):
    """Saves and loads on a worker; what is loaded is one edit, and the values stay in their file."""

    saved = Signal(object)
    """The file that was written."""
    loaded = Signal(object)
    """The `Match` that was taken over."""

    def __init__(self, workspace: Workspace, dialogs: Dialogs, files: Files) -> None:
        super().__init__(workspace, dialogs, files)
        files.parameters_chosen.connect(self.load)

    # -- to a file

    def save(self) -> None:
        """Ask for a file and write the values that are bound."""
        from app.services.parameters import saved_names

        workspace = self._workspace
        analysis = workspace.analysis
        if analysis is None:
            return
        try:
            saved_names(analysis)
        except EngineError as refusal:
            workspace.message.emit(f"Not saved: {refusal}")
            return
        suggestion = self._files.suggestion(f"-0000{PARAMETERS_SUFFIX}")
        path = self._dialogs.file_to_save(suggestion, "Save parameters", PARAMETERS_FILTER)
        if path is None:
            return
        folder = workspace.folder
        after = workspace.results if workspace.results_are_current else None

        def work(_cancel: object) -> Iterator[object]:
            from app.services.parameters import save_parameters

            count = save_parameters(analysis, path, folder=folder, after=after)
            yield lambda: self._on_saved(path, count)

        self._start("Not saved", f"Writing {path.name} …", work)

    def _on_saved(self, path: Path, count: int) -> None:
        arrays = "1 array" if count == 1 else f"{count} arrays"
        self._workspace.message.emit(f"Saved {arrays} to {path.name}.")
        self._remember(path)
        self.saved.emit(path)

    # -- from a file

    def ask_and_load(self) -> None:
        """Ask for a file and load it."""
        path = self._dialogs.file_to_open(self._files.folder, "Load parameters", PARAMETERS_FILTER)
        if path is not None:
            self.load(path)

    def load(self, path: Path) -> None:
        """Bind the arguments and states of the open document to the arrays of a parameter file."""
        workspace = self._workspace
        path, document, folder = path.absolute(), workspace.document, workspace.folder
        spelled = workspace.spelled(path)

        def work(_cancel: object) -> Iterator[object]:
            from app.services.parameters import match_parameters

            match = match_parameters(document, path, folder, spelled)
            yield lambda: self._on_read(path, document, match)

        self._start("Not loaded", f"Reading {path.name} …", work)

    def _on_read(self, path: Path, document: "Document", match: "Match") -> None:
        if self._workspace.document is not document:
            self.load(path)  # the graph was edited in the meantime, so what fits may be something else
            return
        count = f"{match.taken} of {match.found} arrays"
        if not match.taken:
            self._refuse(EngineError(f"Nothing in {path.name} fits this graph.\n\n{_lines(match)}"))
            return
        if not match.is_whole and not self._dialogs.load_in_part(
            f"{count} of {path.name} fit.", _lines(match)
        ):
            self._workspace.message.emit(f"{path.name} was not loaded.")
            return
        self._workspace.commit(match.transaction)
        self._remember(path)
        self._workspace.message.emit(f"Loaded {count} from {path.name}. Undo takes them back.")
        self.loaded.emit(match)


def _lines(match: "Match") -> str:
    return "\n".join(match.sentences)

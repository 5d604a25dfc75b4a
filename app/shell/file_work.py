"""Reading and writing what lies beside a document: on a worker, with one way to tell how it went."""

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.engine.errors import EngineError
from app.qt.runner import Job, Runner
from app.qt.workspace import Workspace
from app.shell.dialogs import Dialogs
from app.shell.files import Files


class FileWork(QObject):
    """Work on files, one at a time; a job yields what is to be done in the window when it is over."""

    failed = Signal(str)
    """Nothing was read or written; the sentence says why."""

    def __init__(self, workspace: Workspace, dialogs: Dialogs, files: Files) -> None:
        super().__init__(files)
        self._workspace = workspace
        self._dialogs = dialogs
        self._files = files
        self._title = ""
        self._runner = Runner(self)
        self._runner.finished.connect(lambda done: done())
        self._runner.failed.connect(self._refuse)

    def shutdown(self) -> None:
        """Stop reading and writing, before the window goes away."""
        self._runner.shutdown()

    def _start(self, title: str, words: str, work: Job) -> None:
        """Work, saying so in `words`; `title` stands over what is said if it fails."""
        self._title = title
        self._workspace.message.emit(words)
        self._runner.start(work)

    def _remember(self, path: Path) -> None:
        """Begin in this file's folder the next time a file is asked for."""
        self._workspace.settings.last_folder = str(path.absolute().parent)

    def _refuse(self, refusal: EngineError) -> None:
        sentence = str(refusal)
        self._workspace.message.emit(f"{self._title}: {sentence.splitlines()[0]}")
        self.failed.emit(sentence)
        self._dialogs.refuse(self._title, sentence)

"""Taking the graph away: as a Python program with its numbers, or as MXNet's symbol file."""

import importlib
import keyword
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import Signal

from app.shell.dialogs import PYTHON_FILTER, SYMBOL_FILTER
from app.shell.file_work import FileWork

if TYPE_CHECKING:
    from app.document.analysis import Analysis

Language = Literal["numpy", "torch"]
MODULES = {"numpy": "app.services.code.numpy_code", "torch": "app.services.code.torch_code"}
TITLES = {"numpy": "Export as Python with numpy", "torch": "Export as Python with PyTorch"}


class Exports(FileWork):
    """Writes what others can use. The graph is run for it, so that happens on a worker."""

    written = Signal(object)
    """The files that were written."""

    def write_code(self, language: Language) -> None:
        """Ask for a Python file and write the graph as a program with the numbers to check it by."""
        analysis = self._whole_analysis()
        if analysis is None:
            return
        path = self._dialogs.file_to_save(self._module_name(), TITLES[language], PYTHON_FILTER)
        if path is None:
            return
        folder = self._workspace.folder

        def work(_cancel: object) -> Iterator[object]:
            paths = importlib.import_module(MODULES[language]).export(analysis, path, folder)
            yield lambda: self._on_written(paths)

        self._start("Not exported", f"Writing {path.name} …", work)

    def write_symbol(self) -> None:
        """Ask for a file and write the graph as MXNet's symbol JSON."""
        analysis = self._whole_analysis(to_run=False)
        if analysis is None or analysis.symbol is None:
            return
        suggestion = self._files.suggestion("-symbol.json")
        path = self._dialogs.file_to_save(suggestion, "Export a symbol file", SYMBOL_FILTER)
        if path is None:
            return
        symbol = analysis.symbol

        def work(_cancel: object) -> Iterator[object]:
            from app.services.symbol_json import write_symbol
            from app.services.writing import write_whole

            write_whole(path, write_symbol(symbol).encode())
            yield lambda: self._on_written([path])

        self._start("Not exported", f"Writing {path.name} …", work)

    def _whole_analysis(self, *, to_run: bool = True) -> "Analysis | None":
        """Return the analysis if there is a sound graph to export, and to run; else say what is in the way."""
        analysis = self._workspace.analysis
        errors = () if analysis is None else analysis.errors if to_run else analysis.faults
        if errors:
            self._workspace.message.emit(f"Not exported: {errors[0].sentence}")
            return None
        if analysis is None or analysis.graph is None:
            self._workspace.message.emit("There is nothing to export yet. Add an operator to the board.")
            return None
        return analysis

    def _module_name(self) -> Path:
        """Propose a name that Python can import."""
        stem = self._files.suggestion("").name
        name = "".join(letter if letter.isalnum() else "_" for letter in stem).strip("_").lower()
        if not name.isidentifier() or keyword.iskeyword(name):
            name = f"graph_{name}".rstrip("_")
        return self._files.folder / f"{name}.py"

    def _on_written(self, paths: list[Path]) -> None:
        names = " and ".join(path.name for path in paths)
        self._workspace.message.emit(f"Wrote {names}.")
        self._remember(paths[0])
        self.written.emit(paths)

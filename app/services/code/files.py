"""Writes an exported program to disk, with its numbers beside it where they are many."""

import sys
from collections.abc import Callable
from pathlib import Path

from app.document.analysis import Analysis
from app.engine.errors import FormatError
from app.services.code.lines import CodeText
from app.services.code.stored import Stored, stored_numbers, write_numbers
from app.services.writing import write_whole

LIBRARIES = ("numpy", "torch")

Writer = Callable[[Analysis, Stored, str], CodeText]


def numbers_name(stem: str) -> str:
    """Return the name of the file of numbers that belongs to a program."""
    return f"{stem}_numbers.npz"


def export_program(analysis: Analysis, path: Path, folder: Path | None, write: Writer) -> list[Path]:
    """Run the document, write its program to `path`, and return the files written; EngineError says why not."""
    if path.stem in sys.stdlib_module_names or path.stem in LIBRARIES:
        raise FormatError(
            f"Python has a module called {path.stem} already. Choose another name for the program."
        )
    stored = stored_numbers(analysis, folder)
    beside = path.with_name(numbers_name(path.stem))
    text = write(analysis, stored, beside.name).text
    written = [path]
    if not stored.is_small:
        write_numbers(beside, stored.arrays)
        written.append(beside)
    write_whole(path, text.encode())
    return written

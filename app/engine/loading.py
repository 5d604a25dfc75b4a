"""Loads a symbol from a file of any format that the program knows."""

import importlib
from pathlib import Path
from typing import Any, Protocol

from app.engine.errors import FormatError
from app.engine.symbol import Symbol

READERS = ("app.services.project_file", "app.services.symbol_json")
"""Modules that read symbols, tried in order; loaded by name, since formats stand above the engine."""


class Reader(Protocol):
    """What a module that reads symbols offers."""

    def recognises(self, text: str) -> bool:
        """Tell whether a text is of this format."""

    def read_symbol(self, text: str) -> Symbol:
        """Read a symbol; FormatError or GraphError tells what is wrong."""


def load_symbol(path: str | Path) -> Symbol:
    """Load a symbol: MXNet's symbol JSON of any age, or the program's own document.

    FormatError when the file cannot be read at all, GraphError or ParameterError when its graph is wrong.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError(f"{Path(path).name} cannot be read: {error}.") from error
    return parse_symbol(text)


def parse_symbol(text: str) -> Symbol:
    """Read a symbol from the text of a file."""
    for name in READERS:
        module: Any = importlib.import_module(name)
        reader: Reader = module
        if reader.recognises(text):
            return reader.read_symbol(text)
    raise FormatError("This is neither a symbol file nor a document: it does not begin like one.")

"""Loads a symbol from a file of any format that the program knows."""

import importlib
import os
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.engine.errors import FormatError
from app.engine.nearby import quoted_value

if TYPE_CHECKING:
    from app.engine.symbol import Symbol

_FILES = "app.services.symbol_files"
"""Formats stand above the engine, so the module that knows them is found by name (docs/decisions/0003)."""


def load_symbol(path: "str | Path", *, repair: bool = False) -> "Symbol":
    """Load a symbol: MXNet's symbol JSON of any age, or the program's own document.

    An operator that is not known becomes an opaque node, which is kept but cannot run. With `repair`, what older builds
    of MXNet wrote otherwise is mended: pooling in a file from before 0.8 rounds up, and operators that are a part of
    MXNet by now are found under the names they have today. Without it, a file is read as MXNet reads it today.

    FormatError when the file cannot be read at all, GraphError or ParameterError when its graph is wrong.
    """
    handed: Any = path
    if not isinstance(handed, (str, PathLike)) or isinstance(os.fspath(handed), bytes):
        raise FormatError(f"A file is named by its path, not by {quoted_value(path)}.")
    symbol: Symbol = importlib.import_module(_FILES).load_symbol(Path(path), repair=repair)
    return symbol

"""Reads whole files that people bring, refusing what is no file or far too large."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from app.engine.errors import FormatError
from app.engine.planning.room import free_memory, in_words

LONGEST_TEXT_FILE = 64 * 2**20
"""Bytes; a symbol of a hundred thousand nodes takes a third of it."""


def read_text(path: Path) -> str:
    """Return the text of a file in UTF-8; FormatError in one sentence when there is none."""
    try:
        return _read(path, LONGEST_TEXT_FILE).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError(f"{path.name} is not a text file (byte {error.start} is no UTF-8).") from error


def read_bytes(path: Path) -> bytes:
    """Return the bytes of a file, as many as there is memory for."""
    if path.exists() and not path.is_file():
        raise FormatError(f"{path.name} is no file.")
    return _read(path, free_memory())


@contextmanager
def open_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a file to be read in parts; FormatError in one sentence when that cannot be done."""
    if path.exists() and not path.is_file():
        raise FormatError(f"{path.name} is no file.")
    try:
        with path.open("rb") as file:
            yield file
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> FormatError:
    if isinstance(error, FileNotFoundError):
        return FormatError(f"There is no file {path.name} in {path.absolute().parent.name or path.anchor}.")
    reason = str(getattr(error, "strerror", None) or error)
    return FormatError(f"{path.name or path} could not be read: {reason[:1].lower() + reason[1:]}.")


def _read(path: Path, most: int | None) -> bytes:
    """Read at most so many bytes: a device may go on for ever, and a file may be larger than it says."""
    try:
        with path.open("rb") as file:
            found = file.read() if most is None else file.read(most)
            too_large = most is not None and len(found) == most
    except (OSError, ValueError) as error:  # a path with a null character is a ValueError
        raise _unreadable(path, error) from error
    except MemoryError:
        too_large = True
    if too_large:
        raise FormatError(f"{path.name} is too large: more than {in_words(most or 0)} cannot be read.")
    return found

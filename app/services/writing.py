"""Writes a file whole or not at all."""

import contextlib
import os
import tempfile
from pathlib import Path

from app.engine.errors import FormatError


def write_whole(path: Path, data: bytes) -> None:
    """Put `data` at `path`; a crash leaves either the old file or the new one. FormatError says why.

    The bytes go to a neighbour first, reach the disk, and then take the place of the old file in one step.
    """
    target = Path(os.path.realpath(path))  # a link stays a link
    try:
        _replace(target, data)
    except OSError as error:
        reason = error.strerror or str(error)
        raise FormatError(f"{path.name} could not be written ({reason}); nothing was changed.") from error


def _replace(target: Path, data: bytes) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    neighbour = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        neighbour.chmod(_mode(target))
        neighbour.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            neighbour.unlink()
        raise
    _sync_folder(target.parent)


def _mode(target: Path) -> int:
    """Keep the old file's permissions; a new file gets what the process gives by default."""
    try:
        return target.stat().st_mode & 0o7777
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


def _sync_folder(folder: Path) -> None:
    """Make the new name itself last through a power cut, where the system can do that."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

"""Finds the files that come with the program, in a checkout and in an installed wheel.

In a checkout `resources/` lies beside `app/`; a wheel carries the same folder as `app/_resources/`.
"""

from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


class MissingResource(FileNotFoundError):
    """A file that should have come with the program is not there: the installation is damaged."""


@cache
def resources_folder() -> Path:
    """Return the folder of bundled files."""
    for folder in (PACKAGE / "_resources", PACKAGE.parent / "resources"):
        if folder.is_dir():
            return folder
    raise MissingResource("The program's own files are missing. Install Chalkgraph again.")


def resource(*parts: str) -> Path:
    """Return the path of one bundled file or folder; MissingResource when it is not there."""
    path = resources_folder().joinpath(*parts)
    if not path.exists():
        raise MissingResource(
            f"{'/'.join(parts)} is missing from the program's files. Install Chalkgraph again."
        )
    return path

"""The program's own file: `NAME.chalk`, and beside it `NAME.chalk.npz` for arrays too large to read as text.

Two files cannot change in one step, so the order of writing makes up for it. An array's key contains a digest
of its numbers; first the array file is written with the old arrays and the new ones, then the document, then
the array file with only what the document still names. Whenever the power fails, the document finds its arrays.
"""

import hashlib
import io
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from app.document.constants import parse_constant, spell
from app.document.records import Document
from app.engine.errors import BindError, EngineError, FormatError
from app.engine.repairs.offered import repairs_for
from app.engine.repairs.repair import Repair
from app.services.document_json import FORMAT, document_from_plain, document_text, plain_from_text
from app.services.npy_files import DAMAGE, read_npz
from app.services.reading import read_text
from app.services.writing import write_whole

Array = NDArray[Any]

LONGEST_TEXT = 2000
"""A constant whose text is longer than this lies in the array file."""

WHAT_OPENS = "What opens are Chalkgraph's documents (.chalk) and MXNet's symbol files (.json)."

_KEY = re.compile(r".+-[0-9a-f]{16}\Z", re.DOTALL)


def array_path(path: Path) -> Path:
    """Return where the arrays of a document file lie."""
    return path.with_name(path.name + ".npz")


def read_project(path: Path | str) -> Document:
    """Read a `.chalk` file; FormatError in one sentence when it is broken, too new, or something else."""
    path = Path(path)
    return _document(_read_plain(path), path)


def write_project(document: Document, path: Path | str) -> None:
    """Save a document whole or not at all; FormatError says why it could not be written."""
    path = Path(path)
    arrays, moved = _large_constants(document)
    beside = array_path(path)
    old = _keys_of(beside)
    if arrays and old is None:
        raise FormatError(
            f"{beside.name} is there already and holds something else. Save under another name."
        )
    text = document_text(document, arrays=beside.name if arrays else "", moved=moved)
    if arrays.keys() - (old or ()):
        write_whole(beside, _packed({**_readable(beside), **arrays}))
    write_whole(path, text.encode())
    if old is not None and old - arrays.keys():
        _tidy(beside, arrays)


@attrs.frozen
class Opened:
    """What a file holds, and the repairs that it may need."""

    document: Document
    repairs: tuple[Repair, ...] = ()


def read_any(path: Path | str) -> Opened:
    """Read a `.chalk` file or an MXNet symbol file of any age as a document."""
    path = Path(path)
    plain = _read_plain(path)
    if plain.get("format") == FORMAT:
        return Opened(_document(plain, path))
    if "nodes" in plain and "heads" in plain:
        from app.services.import_symbol import document_from_symbol
        from app.services.symbol_json import read_symbol
        from app.services.symbol_raw import file_version

        text = read_text(path)
        symbol = read_symbol(text, lenient=True)
        return Opened(document_from_symbol(symbol, title=path.stem), repairs_for(file_version(text)))
    raise FormatError(f"{path.name} is neither a Chalkgraph document nor an MXNet symbol file.")


def _read_plain(path: Path) -> dict[str, Any]:
    text = read_text(path)
    try:
        return plain_from_text(text)
    except FormatError as error:
        hint = "" if text.lstrip().startswith("{") else f" {WHAT_OPENS}"
        raise FormatError(f"{path.name} could not be opened: {error.sentence}{hint}") from error


def _document(plain: dict[str, Any], path: Path) -> Document:
    name = plain.get("arrays", "")
    try:
        if not isinstance(name, str):
            raise FormatError("arrays is not the name of a file.")
        return document_from_plain(plain, _Restored(path, name).text if name else None)
    except FormatError as error:
        raise FormatError(f"{path.name} could not be opened: {error.sentence}") from error


class _Restored:
    """Constants given back from the array file, which is opened when the first one is asked for."""

    def __init__(self, path: Path, name: str) -> None:
        own = array_path(path)
        self._path = own if own.exists() else path.with_name(Path(name).name)
        self._arrays: dict[str, Array] | None = None

    def text(self, key: str) -> str:
        """Return the text of the constant under `key`."""
        if self._arrays is None:
            self._arrays = read_arrays(self._path)
        if key not in self._arrays:
            raise FormatError(f"the array {key} is not in {self._path.name}.")
        return spell(self._arrays[key])


def read_arrays(path: Path) -> dict[str, Array]:
    """Read all arrays of an `.npz` file; FormatError when it is missing or damaged."""
    try:
        return read_npz(path)
    except FileNotFoundError as error:
        raise FormatError(f"its arrays should be in {path.name} beside it; that file is missing.") from error
    except (OSError, *DAMAGE) as error:
        raise FormatError(f"{path.name} is damaged and its arrays cannot be read.") from error


def _large_constants(document: Document) -> tuple[dict[str, Array], dict[str, dict[str, str]]]:
    """Pick the constants that are long and that an array gives back letter by letter."""
    arrays: dict[str, Array] = {}
    moved: dict[str, dict[str, str]] = {}
    for binding in document.bindings.values():
        if binding.kind != "constant" or len(binding.value) <= LONGEST_TEXT:
            continue
        array = _exactly(binding.value)
        if array is not None:
            key = f"{binding.id}-{_digest(array)}"
            arrays[key] = array
            moved[binding.id] = {"array": key}
    return arrays, moved


def _exactly(text: str) -> Array | None:
    try:
        array = parse_constant(text)
    except BindError:
        return None  # a wrong text is the user's own and stays as it was typed
    with np.errstate(over="ignore"):
        single = array.astype(np.float32)
    for candidate in (single, array) if array.dtype == np.float64 else (array,):
        if spell(candidate) == text:
            return candidate
    return None


def _digest(array: Array) -> str:
    head = f"{array.dtype.str}{array.shape}".encode()
    return hashlib.sha256(head + array.tobytes()).hexdigest()[:16]


def _packed(arrays: Mapping[str, Array]) -> bytes:
    """Pack arrays so that equal arrays give equal bytes: sorted, and with zip's fixed date."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for key in sorted(arrays):
            member = io.BytesIO()
            np.save(member, np.ascontiguousarray(arrays[key]), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{key}.npy"), member.getvalue(), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _keys_of(beside: Path) -> set[str] | None:
    """Return the keys of the array file, none when there is no file, None when it is not one of ours."""
    if not beside.exists():
        return set()
    try:
        with zipfile.ZipFile(beside) as archive:
            keys = {name.removesuffix(".npy") for name in archive.namelist()}
    except (OSError, *DAMAGE):
        return None
    return keys if all(_KEY.match(key) for key in keys) else None


def _readable(beside: Path) -> dict[str, Array]:
    """Return the arrays that an older document names; none when they are damaged, and so lost to it anyway."""
    try:
        return read_arrays(beside)
    except FormatError:
        return {}


def _tidy(beside: Path, arrays: Mapping[str, Array]) -> None:
    """Drop what the document no longer names; failing here loses nothing."""
    try:
        if arrays:
            write_whole(beside, _packed(arrays))
        else:
            beside.unlink()
    except (OSError, EngineError):
        return

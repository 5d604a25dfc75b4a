"""Arrays in files that people bring: `.npy`, `.npz#array`, `.params#array`, and `.csv#column`."""

import csv
import io
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from app.engine.errors import BindError, quoted
from app.engine.shapes import Shape
from app.services.npy_files import DAMAGE, Head, member_head, read_head, read_member, read_npy
from app.services.params_file import ParamsHead, read_params_array, read_params_heads
from app.services.reading import read_text

Array = NDArray[Any]

SUFFIXES = (".npy", ".npz", ".params", ".csv")


def read_array(value: str, folder: Path | None) -> Array:
    """Return the array that a path, with `#` and a name where the file has several, stands for (read-only)."""
    path, name = _locate(value, folder)
    with _explained(path):
        return _read(path, name, path.stat().st_mtime_ns)


def array_shape(value: str, folder: Path | None) -> Shape:
    """Return the shape of that array; of a numpy file only the head is read."""
    path, name = _locate(value, folder)
    with _explained(path):
        if path.suffix.lower() == ".csv":
            return _read(path, name, path.stat().st_mtime_ns).shape
        return _head_shape(path, name, path.stat().st_mtime_ns)


def array_names(path: Path) -> list[str]:
    """Return what may stand after `#` for a file, in the file's order; nothing for a single array."""
    with _explained(path):
        if path.suffix.lower() == ".npz":
            with zipfile.ZipFile(path) as archive:
                return [name.removesuffix(".npy") for name in archive.namelist()]
        if path.suffix.lower() == ".params":
            return list(params_heads(path))
        return _csv_table(path).header if path.suffix.lower() == ".csv" else []


@attrs.frozen
class CsvLayout:
    """How a text file of numbers is to be read: what stands between cells, lines above the rows, and one column."""

    delimiter: str
    header: int
    column: int | None


def csv_layout(value: str, folder: Path | None) -> CsvLayout:
    """Return how the file and column that a text stands for are to be read."""
    path, name = _locate(value, folder)
    with _explained(path):
        table = _csv_table(path)
        column = _csv_column(path, table.header, len(table.rows[0]), name) if name else None
        return CsvLayout(table.delimiter, table.first - 1, column)


def array_place(value: str, folder: Path | None) -> tuple[str, str]:
    """Return the path as it is written, and the name of the array where the file has several or names its only one."""
    text, name = _split(value)
    path = (folder or Path.cwd()) / Path(text).expanduser()
    if not name and path.suffix.lower() in (".npz", ".params"):
        name = _chosen(path, array_names(path), "")
    return text, name.strip()


def params_heads(path: Path) -> dict[str, ParamsHead]:
    """Return what a parameter file says of its arrays; a file that did not change is read once."""
    with _explained(path):
        return _params_heads(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _params_heads(path: Path, _stamp: int) -> dict[str, ParamsHead]:
    return read_params_heads(path)


def short_place(value: str) -> str:
    """Write where an array comes from without the folders: `net.params#arg:fc1_weight`."""
    text, name = _split(value)
    file = text.replace("\\", "/").rpartition("/")[2]
    return f"{file}#{name.strip()}" if name else file


def _split(value: str) -> tuple[str, str]:
    text, name = value.strip(), ""
    if "#" in text and not text.lower().endswith(SUFFIXES):
        text, _, name = text.rpartition("#")
    return text, name


def _locate(value: str, folder: Path | None) -> tuple[Path, str]:
    text, name = _split(value)
    if not text:
        raise BindError("No file is named. Give the path of a .npy, .npz or .csv file.")
    path = Path(text).expanduser()
    if path.suffix.lower() not in SUFFIXES:
        raise BindError(f"{path.name} is none of the files that can be read: {', '.join(SUFFIXES)}.")
    place = (folder or Path.cwd()) / path
    if "\0" in text or (place.exists() and not place.is_file()):
        raise BindError(f"{quoted(path.name)} is no file.")
    return place, name.strip()


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what goes wrong with a file into a sentence about it."""
    try:
        yield
    except FileNotFoundError as error:
        raise BindError(f"There is no file {path}.") from error
    except (csv.Error, *DAMAGE) as error:
        raise BindError(f"{path.name} is damaged or not a {path.suffix} file.") from error
    except OSError as error:
        raise BindError(f"{path.name} could not be read: {error.strerror or error}.") from error


@lru_cache(maxsize=8)
def _read(path: Path, name: str, _stamp: int) -> Array:
    """Read an array; the time of the file's last change is part of the memory's key."""
    reader: Callable[[Path, str], Array]
    reader = {".npy": _read_npy, ".npz": _read_npz, ".params": _read_params, ".csv": _read_csv}[
        path.suffix.lower()
    ]
    array = reader(path, name)
    _refuse_no_numbers(_called(path, name), array.dtype, array.shape)
    array = np.atleast_1d(array)
    array.setflags(write=False)
    return array


@lru_cache(maxsize=4096)
def _head_shape(path: Path, name: str, _stamp: int) -> Shape:
    head: Head | ParamsHead
    if path.suffix.lower() == ".params":
        head = _params_head(path, name)
    elif path.suffix.lower() == ".npy":
        _refuse_name(path, name)
        with path.open("rb") as file:
            head = read_head(file)
    else:
        with zipfile.ZipFile(path) as archive:
            head = member_head(archive, _member(path, archive, name))
    _refuse_no_numbers(_called(path, name), head.dtype, head.shape)
    return head.shape or (1,)


def _refuse_no_numbers(called: str, dtype: np.dtype[Any], shape: Shape) -> None:
    """Refuse texts, objects, complex numbers, and arrays with nothing in them."""
    if dtype.kind not in "biuf":
        kinds = {"U": "texts", "S": "texts", "O": "Python objects", "c": "complex numbers", "M": "dates"}
        raise BindError(f"{called} holds {kinds.get(dtype.kind, str(dtype))}, not numbers.")
    if 0 in shape:
        raise BindError(f"{called} holds no numbers: its shape is {shape}.")


def _read_npy(path: Path, name: str) -> Array:
    _refuse_name(path, name)
    with path.open("rb") as file:
        return read_npy(file, path.stat().st_size, path.name)


def _read_npz(path: Path, name: str) -> Array:
    with zipfile.ZipFile(path) as archive:
        return read_member(archive, _member(path, archive, name), _called(path, name))


def _member(path: Path, archive: zipfile.ZipFile, name: str) -> str:
    names = [member.removesuffix(".npy") for member in archive.namelist()]
    return f"{_chosen(path, names, name)}.npy"


def _read_params(path: Path, name: str) -> Array:
    return read_params_array(path, _params_head(path, name))


def _params_head(path: Path, name: str) -> ParamsHead:
    heads = params_heads(path)
    return heads[_chosen(path, list(heads), name)]


def _chosen(path: Path, names: Sequence[str], name: str) -> str:
    """Return the one array of a file that is meant."""
    if not name and len(names) == 1:
        return names[0]
    if name not in names:
        known = ", ".join(f"{path.name}#{one}" for one in names[:8])
        problem = f"holds no array called {name!r}" if name else "holds several arrays"
        raise BindError(f"{path.name} {problem}; write one of {known}.")
    return name


def _refuse_name(path: Path, name: str) -> None:
    if name:
        raise BindError(f"{path.name} holds a single array, so leave #{name} out.")


def _called(path: Path, name: str) -> str:
    return f"{path.name}#{name}" if name else path.name


@attrs.frozen
class _Table:
    """A text file of numbers: its delimiter, names of columns (none without a header), rows, and the first's line."""

    delimiter: str
    header: list[str]
    rows: list[list[str]]
    first: int


def _read_csv(path: Path, name: str) -> Array:
    table = _csv_table(path)
    count = len(table.rows[0])
    columns = range(count)
    if name:
        columns = range((at := _csv_column(path, table.header, count, name)), at + 1)
    numbers = [
        [_number(path, row[at], table.first + line, at) for at in columns]
        for line, row in enumerate(table.rows)
    ]
    array = np.array(numbers)
    return array[:, 0] if name else array


def _csv_column(path: Path, header: list[str], count: int, name: str) -> int:
    if name in header:
        return header.index(name)
    if name.isdecimal() and len(name) <= len(str(count)) and int(name) < count:
        return int(name)
    known = ", ".join(f"#{column}" for column in header[:8]) or f"#0 … #{count - 1}"
    raise BindError(f"{path.name} has no column {name!r}; it has {known}.")


def _csv_table(path: Path) -> _Table:
    text = read_text(path)
    start = text[:4096].split("\n", 1)[0]
    delimiter = max(",;\t", key=start.count)
    lines = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text), delimiter=delimiter)]
    lines = [row for row in lines if any(row)]
    has_header = bool(lines) and not all(_is_number(cell) for cell in lines[0])
    header, rows = (lines[0], lines[1:]) if has_header else ([], lines)
    if not rows:
        raise BindError(f"{path.name} has no rows of numbers.")
    for line, row in enumerate(rows, start=1 + has_header):
        if len(row) != len(rows[0]):
            raise BindError(f"{path.name}, line {line}: {len(row)} columns where there were {len(rows[0])}.")
    return _Table(delimiter, header, rows, 1 + has_header)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _number(path: Path, cell: str, line: int, column: int) -> float:
    try:
        return float(cell)
    except ValueError:
        raise BindError(f"{path.name}, line {line}, column {column + 1}: {cell!r} is not a number.") from None

"""Reads numpy's `.npy` and `.npz` files warily: what a head claims is compared with what is there."""

import ast
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from app.engine.errors import FormatError
from app.engine.params import LARGEST_SIZE
from app.engine.planning.room import free_memory, in_words
from app.engine.shapes import MOST_AXES

Array = NDArray[Any]

DAMAGE = (
    ValueError,
    TypeError,
    KeyError,
    EOFError,
    OverflowError,
    SyntaxError,
    MemoryError,
    NotImplementedError,  # a way of packing, or a version of zip, that nobody knows
    RuntimeError,  # a member with a password
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
"""Whatever reading a broken file raises."""

_MAGIC = b"\x93NUMPY"
_LENGTHS = {1: "<H", 2: "<I", 3: "<I"}
_LONGEST_HEAD = 10_000
_LONG = re.compile(r"(?<=\d)L\b")  # Python 2 wrote 3L
_BLOCK = 2**20


@attrs.frozen
class Head:
    """What the head of a `.npy` file says of its array, and where the numbers begin."""

    shape: tuple[int, ...]
    is_fortran: bool
    dtype: np.dtype[Any]
    begin: int

    @property
    def size(self) -> int:
        """The bytes that the numbers take."""
        product = self.dtype.itemsize
        for size in self.shape:
            product *= size
        return product


def read_head(file: IO[bytes]) -> Head:
    """Read the head of a `.npy` file; one of DAMAGE when it is none."""
    start = file.read(len(_MAGIC) + 2)
    if start[:-2] != _MAGIC or start[-2] not in _LENGTHS:
        raise ValueError("no .npy file")
    layout = _LENGTHS[start[-2]]
    (length,) = struct.unpack(layout, file.read(struct.calcsize(layout)))
    if length > _LONGEST_HEAD:
        raise ValueError("a head too long")
    text = file.read(length).decode("utf-8" if start[-2] == 3 else "latin-1")
    facts = ast.literal_eval(_LONG.sub("", text.strip()))
    shape, dtype = facts["shape"], np.lib.format.descr_to_dtype(facts["descr"])
    sizes = isinstance(shape, tuple) and all(
        type(size) is int and 0 <= size <= LARGEST_SIZE for size in shape
    )
    if not sizes or len(shape) > MOST_AXES or dtype.hasobject or not dtype.itemsize:
        raise ValueError(f"no array can have the shape {shape} and the type {dtype}")
    begin = len(start) + struct.calcsize(layout) + length
    return Head(shape, facts["fortran_order"] is True, dtype, begin)


def read_npy(file: IO[bytes], size: int, called: str) -> Array:
    """Read the array of a `.npy` file of `size` bytes into fresh memory; one of DAMAGE when it is broken."""
    head = read_head(file)
    if head.begin + head.size > size:
        raise EOFError("it ends in the middle of the array")
    _refuse_beyond_memory(head.size, called)
    numbers = np.empty(head.size, np.uint8)
    place = 0
    for block in _blocks(file, head.size):
        numbers[place : place + len(block)] = np.frombuffer(block, np.uint8)
        place += len(block)
    flat = numbers.view(head.dtype)
    return flat.reshape(head.shape[::-1]).T if head.is_fortran else flat.reshape(head.shape)


def read_member(archive: zipfile.ZipFile, member: str, called: str) -> Array:
    """Read one array of an `.npz` file."""
    with archive.open(member) as file:
        return read_npy(file, archive.getinfo(member).file_size, called)


def member_head(archive: zipfile.ZipFile, member: str) -> Head:
    """Read the head of one array of an `.npz` file."""
    with archive.open(member) as file:
        return read_head(file)


def read_npz(path: Path) -> dict[str, Array]:
    """Read every array of an `.npz` file; one of DAMAGE when it is broken, FormatError when it has no room."""
    if path.exists() and not path.is_file():
        raise ValueError("it is no file")
    with zipfile.ZipFile(path) as archive:
        _refuse_beyond_memory(sum(info.file_size for info in archive.infolist()), path.name)
        names = dict.fromkeys(archive.namelist())
        return {name.removesuffix(".npy"): read_member(archive, name, path.name) for name in names}


def _blocks(file: IO[bytes], size: int) -> Iterator[bytes]:
    while size:
        block = file.read(min(size, _BLOCK))
        if not block:
            raise EOFError("it ends in the middle of the array")
        size -= len(block)
        yield block


def _refuse_beyond_memory(needed: int, called: str) -> None:
    free = free_memory() if needed > 32 * _BLOCK else None
    if free is not None and needed > free:
        raise FormatError(
            f"{called} unpacks to {in_words(needed)}, but only {in_words(free)} of memory are free."
        )

"""MXNet's parameter files: arrays with names, in the layouts of all ages, read and written."""

import io
import math
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Literal

import attrs
import numpy as np

from app.engine.errors import FormatError
from app.engine.inference.types import NUMBERS
from app.engine.operator import Array, DType
from app.engine.shapes import Shape
from app.services.reading import open_file, read_bytes
from app.services.writing import write_whole

FILE_MAGIC = 0x112
V1, V2, V3 = 0xF993FAC8, 0xF993FAC9, 0xF993FACA
DENSE, ROW_SPARSE, CSR = 0, 1, 2
Layout = Literal["V1", "V2", "V3"]
_MAGIC = {"V1": V1, "V2": V2, "V3": V3}
_INDEX_ARRAYS = {ROW_SPARSE: 1, CSR: 2}
_MOST_AXES = 32
UNKNOWN_RANK = -1
_LARGEST_SPREAD, _ALWAYS_SPREAD, _MOST_SPREAD = 2**32, 2**26, 1000
"""A sparse array becomes a dense one of so many bytes at most, or of so many times what the file holds of it."""
_BFLOAT16 = 12


def read_params(path: Path) -> dict[str, Array]:
    """Read every array of a parameter file under its name, or `0`, `1` ... when the file has no names.

    FormatError when the file is damaged: a wrong mark, a count that does not fit, an end too early.
    """
    return parse_params(read_bytes(path), path.name)


def parse_params(data: bytes, name: str = "The file") -> dict[str, Array]:
    """Read the bytes of a parameter file."""
    reader = _Reader(io.BytesIO(data), len(data), name)
    count = _read_count(reader)
    arrays = [_read_numbers(reader, _read_head(reader)) for _ in range(count)]
    return dict(zip(_read_names(reader, count), arrays, strict=True))


@attrs.frozen
class ParamsHead:
    """What a parameter file says of one array before its numbers, and where those begin.

    A sparse array stores `stored` values, and `indices` say where in `shape` they belong.
    """

    shape: Shape
    dtype: DType
    storage: int
    stored: Shape
    indices: tuple[tuple[DType, Shape], ...]
    begin: int

    @property
    def size(self) -> int:
        """The bytes that its numbers take in the file."""
        parts = ((self.dtype, self.stored), *self.indices)
        return sum(dtype.itemsize * math.prod(shape) for dtype, shape in parts)


def read_params_heads(path: Path) -> dict[str, ParamsHead]:
    """Read what a file says of its arrays without reading their numbers, so that a large file takes no time."""
    with open_file(path) as file:
        reader = _Reader(file, path.stat().st_size, path.name)
        count = _read_count(reader)
        heads = []
        for _ in range(count):
            heads.append(_read_head(reader))
            reader.skip(heads[-1].size)
        return dict(zip(_read_names(reader, count), heads, strict=True))


def read_params_array(path: Path, head: ParamsHead) -> Array:
    """Read the numbers of one array."""
    with open_file(path) as file:
        reader = _Reader(file, path.stat().st_size, path.name)
        reader.skip(head.begin)
        return _read_numbers(reader, head)


def _read_count(reader: "_Reader") -> int:
    if reader.number("<Q") != FILE_MAGIC:
        raise FormatError(f"{reader.name} is no parameter file: it does not begin with MXNet's mark.")
    reader.number("<Q")
    return reader.count(least_bytes=4, what="arrays")


def _read_names(reader: "_Reader", count: int) -> list[str]:
    names = reader.count(least_bytes=8, what="names")
    if names not in (0, count):
        raise FormatError(f"{reader.name} is damaged: it has {count} arrays but {names} names.")
    return [reader.text() for _ in range(names)] or [str(number) for number in range(count)]


def write_params(arrays: Mapping[str, Array], path: Path, *, layout: Layout = "V2") -> None:
    """Write dense arrays with their names; the file appears whole or not at all.

    V2 is the layout of MXNet 1.x, V1 the one before it, V3 that of numpy's shapes, which MXNet reads with np_shape on.
    Only V3 has arrays without axes or without elements; elsewhere a number without axes becomes an array of one.
    """
    parts = [struct.pack("<QQQ", FILE_MAGIC, 0, len(arrays))]
    parts += [_packed(name, array, layout) for name, array in arrays.items()]
    parts.append(struct.pack("<Q", len(arrays)))
    for name in arrays:
        try:
            encoded = name.encode("utf-8")
        except UnicodeEncodeError as error:
            raise FormatError(f"The name {name!a} is no text that a parameter file can hold.") from error
        parts.append(struct.pack("<Q", len(encoded)) + encoded)
    write_whole(path, b"".join(parts))


def _packed(name: str, array: Array, layout: Layout) -> bytes:
    if array.dtype.name not in NUMBERS:
        raise FormatError(f"{name} is {array.dtype}, which a parameter file cannot hold.")
    if array.ndim > _MOST_AXES:
        raise FormatError(
            f"{name} has {array.ndim} axes; in a parameter file an array has at most {_MOST_AXES}."
        )
    if array.size == 0 and layout != "V3":
        raise FormatError(f"{name} has no elements, which only a parameter file of the layout V3 can hold.")
    shape = array.shape if layout == "V3" else array.shape or (1,)
    head = struct.pack("<I", _MAGIC[layout]) + (b"" if layout == "V1" else struct.pack("<i", DENSE))
    sizes = struct.pack(f"<i{len(shape)}q", len(shape), *shape)
    facts = struct.pack("<iii", 1, 0, NUMBERS.index(array.dtype.name))
    numbers = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
    return head + sizes + facts + numbers


@attrs.define
class _Reader:
    """Takes numbers, texts and arrays off the front of a file, refusing to go past its end."""

    file: IO[bytes]
    size: int
    name: str
    place: int = 0

    def take(self, size: int) -> bytes:
        """Return the next `size` bytes."""
        self._refuse_beyond_end(size)
        found = self.file.read(size)
        if len(found) != size:
            raise self._ended()
        self.place += size
        return found

    def skip(self, size: int) -> None:
        """Go on behind the next `size` bytes."""
        self._refuse_beyond_end(size)
        self.place += size
        self.file.seek(self.place)

    def _refuse_beyond_end(self, size: int) -> None:
        if size < 0 or self.place + size > self.size:
            raise self._ended()

    def _ended(self) -> FormatError:
        return FormatError(f"{self.name} is damaged: it ends in the middle of an array or a name.")

    def number(self, layout: str) -> int:
        """Return the next number in a layout of `struct`."""
        value: int = struct.unpack(layout, self.take(struct.calcsize(layout)))[0]
        return value

    def count(self, least_bytes: int, what: str) -> int:
        """Return a count; one that the rest of the file cannot hold is refused before anything is read."""
        count = self.number("<Q")
        if count * least_bytes > self.size - self.place:
            raise FormatError(f"{self.name} is damaged: it cannot hold the {count} {what} that it claims.")
        return count

    def text(self) -> str:
        """Return a length and that many bytes of UTF-8."""
        try:
            return self.take(self.number("<Q")).decode("utf-8")
        except UnicodeDecodeError as error:
            raise FormatError(f"{self.name} is damaged: a name is not UTF-8.") from error

    def shape(self, layout: str, rank: int) -> tuple[int, ...]:
        """Return `rank` dimensions."""
        if not 0 <= rank <= _MOST_AXES:
            raise FormatError(f"{self.name} is damaged: an array claims {rank} axes.")
        dims = tuple(self.number(layout) for _ in range(rank))
        if any(size < 0 for size in dims):
            raise FormatError(f"{self.name} is damaged: an array has a negative dimension.")
        return dims

    def dtype(self) -> DType:
        """Return an element type by MXNet's number."""
        number = self.number("<i")
        if number == _BFLOAT16:
            raise FormatError(
                f"{self.name} holds numbers of the type bfloat16, which is not available here;"
                " cast them to float32 in MXNet first."
            )
        if not 0 <= number < len(NUMBERS):
            raise FormatError(f"{self.name} is damaged: there is no element type {number}.")
        return np.dtype(NUMBERS[number])

    def array(self, shape: tuple[int, ...], dtype: DType) -> Array:
        """Return a row-major array."""
        count = 1
        for size in shape:
            count *= size
        raw = self.take(count * dtype.itemsize)
        try:
            return np.frombuffer(raw, dtype.newbyteorder("<")).astype(dtype).reshape(shape)
        except ValueError as error:  # no elements along one axis, and more than there can be along another
            raise FormatError(f"{self.name} is damaged: no array has the shape {shape}.") from error


def _read_head(reader: _Reader) -> ParamsHead:
    first = reader.number("<I")
    if first in (V2, V3):
        return _read_modern_head(reader, first)
    if first == V1:
        return _dense_head(reader, reader.shape("<q", reader.number("<I")))
    return _dense_head(
        reader, reader.shape("<I", first)
    )  # the oldest layout has no mark: this is the rank itself


def _read_modern_head(reader: _Reader, mark: int) -> ParamsHead:
    storage = reader.number("<i")
    if mark == V3:
        if storage != DENSE:
            raise FormatError(f"{reader.name} is damaged: arrays with numpy's shapes (V3) are never sparse.")
        rank = reader.number("<i")
        return _no_array(reader) if rank == UNKNOWN_RANK else _typed_head(reader, reader.shape("<q", rank))
    if storage == DENSE:
        return _dense_head(reader, reader.shape("<q", reader.number("<I")))
    if storage not in _INDEX_ARRAYS:
        raise FormatError(f"{reader.name} is damaged: there is no storage type {storage}.")
    return _sparse_head(reader, storage)


def _dense_head(reader: _Reader, shape: Shape) -> ParamsHead:
    return _typed_head(reader, shape) if shape else _no_array(reader)


def _typed_head(reader: _Reader, shape: Shape) -> ParamsHead:
    reader.take(8)  # device type and number
    dtype = reader.dtype()
    return ParamsHead(shape, dtype, DENSE, shape, (), reader.place)


def _no_array(reader: _Reader) -> ParamsHead:
    """Stand for "no array", of which nothing more follows."""
    return ParamsHead((0,), np.dtype(np.float32), DENSE, (0,), (), reader.place)


def _sparse_head(reader: _Reader, storage: int) -> ParamsHead:
    stored = reader.shape("<q", reader.number("<I"))
    shape = reader.shape("<q", reader.number("<I"))
    reader.take(8)  # device type and number
    dtype = reader.dtype()
    indices = []
    for _ in range(_INDEX_ARRAYS[storage]):
        index_type = reader.dtype()
        indices.append((index_type, reader.shape("<q", reader.number("<I"))))
    if (
        0 in stored
    ):  # MXNet may save a conversion before it is done; then only the indices tell how many values there are
        stored = indices[-1][1] if storage == CSR else (*indices[0][1], *shape[1:])
    return ParamsHead(shape, dtype, storage, stored, tuple(indices), reader.place)


def _read_numbers(reader: _Reader, head: ParamsHead) -> Array:
    if head.storage == DENSE:
        return reader.array(head.shape, head.dtype)
    largest = min(_LARGEST_SPREAD, max(_ALWAYS_SPREAD, _MOST_SPREAD * head.size))
    if math.prod(head.shape) * head.dtype.itemsize > largest:
        raise FormatError(f"{reader.name} has a sparse array of shape {head.shape}, too large to spread out.")
    values = reader.array(head.stored, head.dtype)
    indices = [reader.array(shape, dtype) for dtype, shape in head.indices]
    try:
        return _dense(head.storage, head.shape, values, indices)
    except (IndexError, ValueError) as error:
        raise FormatError(f"{reader.name} is damaged: a sparse array points outside itself.") from error


def _dense(storage: int, shape: tuple[int, ...], values: Array, indices: list[Array]) -> Array:
    """Spread a sparse array out."""
    whole = np.zeros(shape, values.dtype)
    if storage == ROW_SPARSE:
        if indices[0].dtype.kind not in "iu":
            raise IndexError(indices[0])
        whole[indices[0]] = values
        return whole
    starts, columns = indices
    lengths = np.diff(starts)
    fits = starts.dtype.kind in "iu" and columns.dtype.kind in "iu" and len(starts) == shape[0] + 1
    if not fits or starts[0] != 0 or (lengths < 0).any() or starts[-1] != len(columns):
        raise IndexError(starts)
    rows = np.repeat(np.arange(shape[0]), lengths)
    whole[rows, columns] = values[: len(columns)]
    return whole

"""MXNet's parameter files: arrays with names, in the layouts of all ages, read and written."""

import math
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import attrs
import numpy as np

from app.engine.errors import FormatError
from app.engine.inference.types import NUMBERS
from app.engine.operator import Array, DType
from app.services.reading import read_bytes
from app.services.writing import write_whole

FILE_MAGIC = 0x112
V1, V2, V3 = 0xF993FAC8, 0xF993FAC9, 0xF993FACA
DENSE, ROW_SPARSE, CSR = 0, 1, 2
Layout = Literal["V1", "V2", "V3"]
_MAGIC = {"V1": V1, "V2": V2, "V3": V3}
_INDEX_ARRAYS = {ROW_SPARSE: 1, CSR: 2}
_MOST_AXES = 32
UNKNOWN_RANK = -1
_LARGEST_SPREAD = 2**32


def read_params(path: Path) -> dict[str, Array]:
    """Read every array of a parameter file under its name, or `0`, `1` ... when the file has no names.

    FormatError when the file is damaged: a wrong mark, a count that does not fit, an end too early.
    """
    return parse_params(read_bytes(path), path.name)


def parse_params(data: bytes, name: str = "The file") -> dict[str, Array]:
    """Read the bytes of a parameter file."""
    reader = _Reader(memoryview(data), name)
    if reader.number("<Q") != FILE_MAGIC:
        raise FormatError(f"{name} is no parameter file: it does not begin with MXNet's mark.")
    reader.number("<Q")
    count = reader.count(least_bytes=4, what="arrays")
    arrays = [_read_array(reader) for _ in range(count)]
    names = reader.count(least_bytes=8, what="names")
    if names not in (0, count):
        raise FormatError(f"{name} is damaged: it has {count} arrays but {names} names.")
    words = [reader.text() for _ in range(names)] or [str(number) for number in range(count)]
    return dict(zip(words, arrays, strict=True))


def write_params(arrays: Mapping[str, Array], path: Path, *, layout: Layout = "V2") -> None:
    """Write dense arrays with their names; the file appears whole or not at all.

    V2 is the layout of MXNet 1.x, V1 the one before it, V3 that of numpy's shapes, which MXNet reads with np_shape on.
    Only V3 has arrays without axes or without elements; elsewhere a number without axes becomes an array of one.
    """
    parts = [struct.pack("<QQQ", FILE_MAGIC, 0, len(arrays))]
    parts += [_packed(name, array, layout) for name, array in arrays.items()]
    parts.append(struct.pack("<Q", len(arrays)))
    for name in arrays:
        encoded = name.encode("utf-8")
        parts.append(struct.pack("<Q", len(encoded)) + encoded)
    write_whole(path, b"".join(parts))


def _packed(name: str, array: Array, layout: Layout) -> bytes:
    if array.dtype.name not in NUMBERS:
        raise FormatError(f"{name} is {array.dtype}, which a parameter file cannot hold.")
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

    data: memoryview
    name: str
    place: int = 0

    def take(self, size: int) -> memoryview:
        """Return the next `size` bytes."""
        if size < 0 or self.place + size > len(self.data):
            raise FormatError(f"{self.name} is damaged: it ends in the middle of an array or a name.")
        self.place += size
        return self.data[self.place - size : self.place]

    def number(self, layout: str) -> int:
        """Return the next number in a layout of `struct`."""
        value: int = struct.unpack(layout, self.take(struct.calcsize(layout)))[0]
        return value

    def count(self, least_bytes: int, what: str) -> int:
        """Return a count; one that the rest of the file cannot hold is refused before anything is read."""
        count = self.number("<Q")
        if count * least_bytes > len(self.data) - self.place:
            raise FormatError(f"{self.name} is damaged: it cannot hold the {count} {what} that it claims.")
        return count

    def text(self) -> str:
        """Return a length and that many bytes of UTF-8."""
        try:
            return bytes(self.take(self.number("<Q"))).decode("utf-8")
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


def _read_array(reader: _Reader) -> Array:
    first = reader.number("<I")
    if first in (V2, V3):
        return _read_modern(reader, first)
    if first == V1:
        shape = reader.shape("<q", reader.number("<I"))
    else:
        shape = reader.shape("<I", first)  # the oldest layout has no mark: this is the rank itself
    return _read_dense(reader, shape)


def _read_modern(reader: _Reader, mark: int) -> Array:
    storage = reader.number("<i")
    if mark == V3:
        if storage != DENSE:
            raise FormatError(f"{reader.name} is damaged: arrays with numpy's shapes (V3) are never sparse.")
        return _read_with_numpy_shape(reader)
    if storage == DENSE:
        return _read_dense(reader, reader.shape("<q", reader.number("<I")))
    if storage not in _INDEX_ARRAYS:
        raise FormatError(f"{reader.name} is damaged: there is no storage type {storage}.")
    stored = reader.shape("<q", reader.number("<I"))
    shape = reader.shape("<q", reader.number("<I"))
    reader.take(8)  # device type and number
    dtype = reader.dtype()
    kinds = []
    for _ in range(_INDEX_ARRAYS[storage]):
        index_type = reader.dtype()
        kinds.append((index_type, reader.shape("<q", reader.number("<I"))))
    if math.prod(shape) * dtype.itemsize > _LARGEST_SPREAD:
        raise FormatError(f"{reader.name} has a sparse array of shape {shape}, too large to spread out.")
    if (
        0 in stored
    ):  # MXNet may save a conversion before it is done; then only the indices tell how many values there are
        stored = kinds[-1][1] if storage == CSR else (*kinds[0][1], *shape[1:])
    values = reader.array(stored, dtype)
    indices = [reader.array(index_shape, index_type) for index_type, index_shape in kinds]
    try:
        return _dense(storage, shape, values, indices)
    except (IndexError, ValueError) as error:
        raise FormatError(f"{reader.name} is damaged: a sparse array points outside itself.") from error


def _read_with_numpy_shape(reader: _Reader) -> Array:
    rank = reader.number("<i")
    if rank == UNKNOWN_RANK:
        return np.zeros((0,), np.float32)  # "no array": nothing more follows
    shape = reader.shape("<q", rank)
    reader.take(8)
    return reader.array(shape, reader.dtype())


def _read_dense(reader: _Reader, shape: tuple[int, ...]) -> Array:
    if not shape:
        return np.zeros((0,), np.float32)  # "no array": nothing more follows
    reader.take(8)
    return reader.array(shape, reader.dtype())


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

"""What an argument is bound to becomes an array: numbers, an initialiser, a file, or rows of a data set."""

import zlib
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from app.document.constants import constant_shape, parse_constant
from app.document.records import Binding, Settings
from app.engine import initializers
from app.engine.errors import BindError
from app.engine.operator import DType
from app.engine.shapes import Shape, text
from app.services.array_files import array_shape, read_array
from app.services.datasets import batch_shape, read_batch

Array = NDArray[Any]


@attrs.frozen
class ValueShapes:
    """Answers which shape a binding's value has by itself; equal folders give equal answers."""

    folder: Path | None = None

    def __call__(self, binding: Binding, options: Settings) -> Shape:
        """Return the shape of the value, () where it takes any; BindError when it cannot be read."""
        if binding.kind == "constant":
            return constant_shape(binding.value)
        if binding.kind == "file":
            return array_shape(binding.value, self.folder)
        if binding.kind == "dataset":
            return batch_shape(binding.value, options.batch)
        return ()


def resolve(
    binding: Binding,
    shape: Shape,
    dtype: DType | str,
    *,
    seed: int,
    options: Settings,
    folder: Path | None,
) -> Array:
    """Return a new array of `shape` and `dtype` with what the binding says; BindError tells what does not fit.

    A binding of kind "none" has no value of its own and is refused; see `proposals` for what it gets instead.
    """
    dtype = np.dtype(dtype)
    if binding.kind == "initializer":
        return initializers.make(binding.value, shape, dtype, generator(seed, binding.id))
    return _fitted(_own_array(binding, options, folder), binding, shape, dtype)


def generator(seed: int, name: str) -> np.random.Generator:
    """Return an argument's own stream of random numbers, the same on every machine.

    It depends on the name and not on the place in the graph, so one more layer leaves the other weights as they are.
    """
    key = zlib.crc32(name.encode("utf-8", "surrogatepass"))
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed & (2**64 - 1), key])))


def _own_array(binding: Binding, options: Settings, folder: Path | None) -> Array:
    if binding.kind == "constant":
        return parse_constant(binding.value)
    if binding.kind == "file":
        return read_array(binding.value, folder)
    if binding.kind == "dataset":
        return read_batch(binding.value, options.batch_start, options.batch)
    raise BindError(f"{binding.id} is not bound to anything.")


def _fitted(found: Array, binding: Binding, shape: Shape, dtype: DType) -> Array:
    if found.ndim and found.shape != shape:
        raise BindError(
            f"{binding.id} must be {text(shape)}, but {_source(binding)} is {text(found.shape)}.{_advice(found, shape)}"
        )
    with np.errstate(all="ignore"):
        array = np.empty(shape, dtype)
        np.copyto(array, found, casting="unsafe")
    if dtype.kind == "f" and np.isfinite(found).all() and not np.isfinite(array).all():
        raise BindError(
            f"{_source(binding)} has numbers too large for {dtype}. Choose float64 for {binding.id}."
        )
    return array


def _source(binding: Binding) -> str:
    return "the list" if binding.kind == "constant" else binding.value


def _advice(found: Array, shape: Shape) -> str:
    if found.size == np.prod(shape, dtype=np.int64):
        return " It has as many numbers: a Reshape or Flatten node after it makes them fit."
    if found.shape[1:] == shape[1:]:
        return f" The first axis differs: {found.shape[0]} rows, not {shape[0]}."
    return ""

"""The bundled data sets: real data that a graph can be bound to without a network or a file of one's own."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from app.engine.errors import BindError
from app.engine.shapes import Shape
from app.resources import resource

Array = NDArray[Any]


@attrs.frozen
class Column:
    """One array of a data set, its first axis the rows; `item` is the shape of one row's value."""

    name: str
    doc: str
    item: Shape
    read: Callable[[], Array]


@attrs.frozen
class DataSet:
    """A bundled data set: its rows, its columns, and where it comes from."""

    name: str
    title: str
    rows: int
    columns: Mapping[str, Column]
    source: str


def find_column(value: str) -> tuple[DataSet, Column]:
    """Return what a binding such as `digits#image` names; BindError lists what there is."""
    name, _, column = value.partition("#")
    data_set = DATA_SETS.get(name.strip())
    if data_set is None:
        raise BindError(f"There is no data set called {name.strip()!r}; there is {', '.join(DATA_SETS)}.")
    found = data_set.columns.get(column.strip())
    if found is None:
        known = ", ".join(f"{data_set.name}#{key}" for key in data_set.columns)
        raise BindError(f"{value!r} names no column of {data_set.name}; there are {known}.")
    return data_set, found


def batch_shape(value: str, batch: int) -> Shape:
    """Return the shape of a batch of a column without reading it."""
    _, column = find_column(value)
    return (_checked(batch), *column.item)


def read_batch(value: str, start: int, batch: int) -> Array:
    """Return `batch` rows of a column from row `start` on; after the last row comes the first again."""
    data_set, column = find_column(value)
    rows = (start + np.arange(_checked(batch))) % data_set.rows
    return np.asarray(column.read()[rows])


def _checked(batch: int) -> int:
    if batch < 1:
        raise BindError(f"The batch is {batch}, but it must be at least one row.")
    return batch


@cache
def _digits() -> Mapping[str, Array]:
    with np.load(resource("data", "digits.npz"), allow_pickle=False) as archive:
        return {key: archive[key] for key in archive}


def _images() -> Array:
    return (_digits()["images"] / np.float32(16)).astype(np.float32)[:, np.newaxis]


def _pixels() -> Array:
    return _images().reshape(-1, 64)


def _labels() -> Array:
    return _digits()["labels"].astype(np.float32)


DATA_SETS: Mapping[str, DataSet] = {
    "digits": DataSet(
        name="digits",
        title="Handwritten digits, 8 × 8 pixels",
        rows=1797,
        columns={
            "image": Column("image", "Images with one channel, ink from 0 to 1.", (1, 8, 8), cache(_images)),
            "pixels": Column("pixels", "The same images as rows of 64 pixels.", (64,), cache(_pixels)),
            "label": Column("label", "Which digit it is, 0 to 9.", (), cache(_labels)),
        },
        source="Optical Recognition of Handwritten Digits, E. Alpaydin and C. Kaynak, UCI, CC BY 4.0",
    )
}
"""Every bundled data set by name."""

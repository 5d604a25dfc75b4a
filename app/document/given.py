"""What the bindings say about shapes and types before anything is inferred."""

from collections.abc import Callable, Iterable, Mapping

import attrs
import numpy as np

from app.document.constants import constant_shape, parse_constant
from app.document.records import Binding, Document, Settings
from app.engine.errors import EngineError, ShapeError
from app.engine.shapes import Shape, merge, text

ValueShape = Callable[[Binding, Settings], Shape]
"""Returns the shape of a file's or a data set's array, () when it isn't known; EngineError when it can't be read."""

DTYPES = ("float16", "float32", "float64", "uint8", "int8", "int32", "int64", "bool")
_UNSAID = Binding("").dtype


@attrs.frozen
class Given:
    """Shapes and types by name.

    `numbers` are the names bound to a single number and no shape: such a number fills whatever shape the graph asks
    for, and is an array of one where the graph leaves that open. The usual type, float32, counts as not said, so that
    the weights follow the type of the data. `faults` are pairs of a name and a sentence.
    """

    shapes: Mapping[str, Shape]
    numbers: frozenset[str]
    types: Mapping[str, str]
    faults: tuple[tuple[str, str], ...]


def given_by(document: Document, names: Iterable[str], value_shape: ValueShape | None) -> Given:
    """Read the bindings of the named arguments."""
    shapes: dict[str, Shape] = {}
    numbers = set()
    types = {}
    faults = []
    for name in names:
        binding = document.bindings.get(name)
        if binding is None:
            continue
        try:
            shape = _given_shape(binding, document.options, value_shape)
            if binding.dtype not in DTYPES:
                raise ShapeError(f"{binding.dtype!r} is no type; there are {', '.join(DTYPES)}.")
        except EngineError as error:
            faults.append((name, f"The value of {name}: {error.sentence}"))
            continue
        if shape:
            shapes[name] = shape
        elif binding.kind == "constant":
            numbers.add(name)
        if binding.dtype != _UNSAID:
            types[name] = binding.dtype
    return Given(shapes, frozenset(numbers), types, tuple(faults))


def _given_shape(binding: Binding, options: Settings, value_shape: ValueShape | None) -> Shape:
    said = binding.shape or ()
    if binding.kind == "constant":
        found = constant_shape(binding.value)
        _refuse_overflow(binding)
    elif binding.kind in ("file", "dataset") and value_shape is not None:
        found = tuple(value_shape(binding, options))
    else:
        return said
    try:
        return merge(said, found)
    except ShapeError:
        raise ShapeError(f"it has shape {text(found)}, but {text(said)} is asked for.") from None


def _refuse_overflow(binding: Binding) -> None:
    """Refuse a finite number that the argument's type can only hold as infinity."""
    if not binding.dtype.startswith("float") or binding.dtype not in DTYPES:
        return
    numbers = parse_constant(binding.value)
    largest = np.finfo(binding.dtype).max
    if (np.isfinite(numbers) & (np.abs(numbers.astype(np.float64)) > largest)).any():
        raise ShapeError(
            f"a number is too large for {binding.dtype}. Choose a wider type, or a smaller number."
        )

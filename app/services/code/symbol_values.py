"""Values of arguments as expressions for MXNet: numbers, initialisers, files, and rows of the digits."""

from pathlib import Path

import attrs

from app.document.constants import parse_constant
from app.document.records import Binding, Settings
from app.engine import initializers
from app.engine.errors import EngineError
from app.engine.inference.infer import Inference
from app.engine.shapes import Shape
from app.services.array_files import CsvLayout, array_place, csv_layout
from app.services.code.names import literal
from app.services.datasets import find_column
from app.services.proposals import propose_value

LONGEST_LIST = 80

WEIGHT = "desc = mx.init.InitDesc('weight')"
"""A name that ends so makes MXNet use the initialiser itself instead of its rule for that name."""

_INITIALIZERS = {
    "constant": "Constant({0})",
    "uniform": "Uniform({0})",
    "normal": "Normal({0})",
    "xavier": "Xavier({0!r}, {1!r}, {2})",
    "msra": "MSRAPrelu({0!r}, {1})",
    "orthogonal": "Orthogonal({0})",
    "bilinear": "Bilinear()",
}
_DIGITS = {
    "image": "digits['images'][{rows}, np.newaxis] / 16",
    "pixels": "digits['images'][{rows}].reshape(-1, 64) / 16",
    "label": "digits['labels'][{rows}]",
}


@attrs.frozen
class Value:
    """An expression to assign, or an initialiser to call; neither where simple_bind's zeros are right already."""

    expression: str = ""
    initializer: str = ""
    comment: str = ""


def is_short(binding: Binding) -> bool:
    """Tell whether a constant is short enough to stand in the program."""
    return len(binding.value) <= LONGEST_LIST


def filled(number: float, shape: str, dtype: str) -> str:
    """Write an array of one number as the pictures do: `mx.nd.ones((1,)) * 10`."""
    if number == 0:
        return f"mx.nd.zeros({shape}{dtype})"
    ones = f"mx.nd.ones({shape}{dtype})"
    return ones if number == 1 else f"{ones} * {literal(number)}"


def in_place(target: str, found: Value) -> str:
    """Write the line that puts a value into a bound array, or nothing."""
    if found.initializer:
        return f"mx.init.{found.initializer}(desc, {target})"
    if found.expression:
        return f"{target}[:] = {found.expression}"
    return f"# {target}: {found.comment}" if found.comment else ""


def value(
    binding: Binding, index: int, inference: Inference, options: Settings, folder: Path | None
) -> Value:
    """Return the value of the variable at `index` as MXNet would make it; random numbers differ from ours."""
    shape = inference.shape((index, 0))
    if binding.kind == "constant":
        return _constant(binding)
    if binding.kind == "file":
        return Value(_file(binding.value, shape, folder))
    if binding.kind == "dataset":
        return Value(_digits(binding.value, options))
    if binding.kind == "initializer":
        return _initializer(binding.value, shape)
    proposal = propose_value(inference.graph, index, inference)
    if proposal.below:
        return Value(f"np.random.randint(0, {proposal.below}, {literal(shape)})")
    return _initializer(proposal.spelling, shape)


def _constant(binding: Binding) -> Value:
    if not is_short(binding):
        return Value(comment="a list too long to show; the exported programs have it in a file")
    array = parse_constant(binding.value)
    if array.ndim:
        return Value(f"mx.nd.array({array.tolist()!r})")
    return Value(literal(float(array))) if array else Value()


def _initializer(spelling: str, shape: tuple[int, ...]) -> Value:
    try:
        initializer, settings = initializers.parse(spelling)
    except EngineError as error:
        return Value(comment=error.sentence)
    name = initializer.name
    if name == "zeros":
        return Value()
    if name == "ones":
        return Value("1")
    if name == "arange":
        start, step = (literal(setting) for setting in settings)
        return Value(f"{start} + {step} * np.arange({_count(shape)}).reshape({literal(shape)})")
    if settings == list(initializer.settings.values()) and name != "constant":
        return Value(initializer=_INITIALIZERS[name].partition("(")[0] + "()")
    texts = [setting if isinstance(setting, str) else float(literal(setting)) for setting in settings]
    plain = [int(text) if isinstance(text, float) and text.is_integer() else text for text in texts]
    return Value(initializer=_INITIALIZERS[name].format(*plain))


def _count(shape: tuple[int, ...]) -> int:
    product = 1
    for size in shape:
        product *= size
    return product


def _file(text: str, shape: Shape, folder: Path | None) -> str:
    try:
        path, name = array_place(text, folder)
        if path.lower().endswith(".csv"):
            return _csv(path, csv_layout(text, folder), shape)
    except EngineError as error:
        return f"...  # {error.sentence}"
    load = "mx.nd.load" if path.lower().endswith(".params") else "np.load"
    return f"{load}({path!r})[{name!r}]" if name else f"{load}({path!r})"


def _csv(path: str, layout: CsvLayout, shape: Shape) -> str:
    words = [repr(path), f"delimiter={layout.delimiter!r}"]
    if layout.header:
        words.append(f"skip_header={layout.header}")
    if layout.column is not None:
        words.append(f"usecols={layout.column}")
    call = f"np.genfromtxt({', '.join(words)})"
    return f"{call}.reshape({literal(shape)})" if 1 in shape else call  # one row or column comes out flat


def _digits(text: str, options: Settings) -> str:
    try:
        data_set, column = find_column(text)
    except EngineError as error:
        return f"...  # {error.sentence}"
    first, last = options.batch_start, options.batch_start + options.batch
    rows = f"{first or ''}:{last}"
    if first < 0 or last > data_set.rows:
        rows = f"np.arange({first}, {last}) % {data_set.rows}"
    return _DIGITS[column.name].format(rows=rows)

"""Parameters of operators: declared once as typed fields, read from and written to MXNet's text."""

import math
import re
import types
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Union, cast, get_args, get_origin

import attrs

from app.engine.errors import ParameterError, quoted, shortened
from app.engine.nearby import did_you_mean, listed, quoted_value
from app.engine.suggestions import likely_texts

_METADATA = "parameter"
_TRUE = {"true", "1"}
_FALSE = {"false", "0"}
_INTEGER = re.compile(r"\s*[+-]?\d+\s*\Z")
_LONG_SUFFIX = re.compile(r"(?<=\d)L\b")
MOST_NUMBERS = 1000
"""In one list; far more than any array has axes."""
_LONGEST_NUMBER = 400  # characters; more would only cost time
LARGEST_SIZE = 2**63 - 1
"""The largest whole number in MXNet, and the most that one axis of an array can have."""
_REAL = re.compile(
    r"\s*[+-]?((?P<mantissa>\d+\.?\d*|\.\d+)(?P<exponent>e[+-]?\d*)?f?|inf(inity)?|nan)\Z", re.IGNORECASE
)
_REAL_OR_NONE = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*\Z", re.IGNORECASE)
_LARGEST_INT = 2**31 - 1
_LARGEST_FLOAT, _SMALLEST_FLOAT = 3.4028235e38, 1.1754943e-38

WIDE = "64 bits"


@attrs.frozen
class Declaration:
    """What `param` was told, before the field's name and type are known."""

    doc: str
    low: float | None
    high: float | None
    choices: tuple[str, ...]
    advanced: bool
    none_is_empty: bool = False


def param(  # noqa: PLR0913 - each is said at most once, by its name
    *,
    default: Any = attrs.NOTHING,
    doc: str = "",
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    advanced: bool = False,
    none_is_empty: bool = False,
) -> Any:
    """Declare one parameter of an operator.

    The field's annotation gives its kind: bool, int, float, str, a tuple of int or float, each perhaps `| None`;
    `Annotated[float, WIDE]` for what MXNet keeps in 64 bits.
    `low` and `high` are inclusive bounds; `choices` makes a str an enumeration; `advanced` hides it in the form at
    first. Without `default` the parameter is required. `none_is_empty` is for a tuple of which MXNet takes None for
    none at all, as Python programs write it.
    """
    declaration = Declaration(doc, low, high, choices, advanced, none_is_empty)
    return attrs.field(default=default, kw_only=True, metadata={_METADATA: declaration})


@attrs.frozen
class Parameter:
    """One declared parameter: what a form, a file reader and a reference page need to know.

    `kind` is one of bool, int, float, str, enum, ints, floats; `item_nullable` allows None inside a tuple.
    """

    name: str
    kind: str
    required: bool
    default: Any
    nullable: bool
    item_nullable: bool
    declaration: Declaration
    wide: bool = False
    """Whether MXNet keeps the number in 64 bits rather than 32."""

    @property
    def doc(self) -> str:
        """One sentence about the parameter."""
        return self.declaration.doc

    @property
    def choices(self) -> tuple[str, ...]:
        """The words an enumeration takes, or nothing."""
        return self.declaration.choices

    def parse(self, text: str) -> Any:
        """Return the value that MXNet's spelling `text` stands for; ParameterError when it stands for none."""
        try:
            value = self._read(text)
        except _TooLargeError as error:
            raise self._refusal(shortened(text.strip(), 60), "", error.largest) from error
        except ValueError as error:
            near = self.nearest(text)
            advice = "" if near is None else f" Did you mean {near}?"
            raise self._refusal(quoted(text), advice) from error
        if not self._is_within(value):
            near = self.nearest(text)
            raise self._refusal(
                shortened(as_text(value), 60), "" if near is None else f" The nearest is {near}."
            )
        return value

    def _refusal(self, shown: str, advice: str, largest: int | None = None) -> ParameterError:
        wanted = self._wanted(largest)
        return ParameterError(f"{self.name} is {shown}, but it must be {wanted}.{advice}", port=self.name)

    def nearest(self, text: str) -> str | None:
        """Return the text that was probably meant by a wrong one, None where nothing is near."""
        for likely in likely_texts(self, text):
            try:
                if self._is_within(self._read(likely)):
                    return likely
            except (ValueError, ParameterError):
                continue
        return None

    def _read(self, text: str) -> Any:
        if self.nullable and (text if self.choices else text.rstrip()) == "None":
            return None
        if self.declaration.none_is_empty and text == "None":
            return ()
        return _READERS[self.kind](self, text)

    def _is_within(self, value: Any) -> bool:
        low, high = self.declaration.low, self.declaration.high
        if value is None or (low is None and high is None):
            return True
        numbers = value if isinstance(value, tuple) else (value,)
        return not any(
            (low is not None and number < low) or (high is not None and number > high) for number in numbers
        )

    @property
    def wanted(self) -> str:
        """Say in words what values are taken."""
        return self._wanted(None)

    def _wanted(self, largest: int | None) -> str:
        """Say it with the ends of the type as well, where a number went beyond them."""
        low, high = self.declaration.low, self.declaration.high
        if largest is not None:
            low, high = -largest if low is None else low, largest if high is None else high
        words = _KIND_WORDS[self.kind] if not self.choices else "one of " + ", ".join(self.choices)
        if low is not None and high is not None:
            words += f" between {_plain(low)} and {_plain(high)}"
        elif low is not None:
            words += f" of at least {_plain(low)}"
        elif high is not None:
            words += f" of at most {_plain(high)}"
        return words + (" or None" if self.nullable else "")


def _plain(bound: float) -> str:
    return str(bound) if isinstance(bound, int) else f"{bound:g}"


def parameters_of(operator_class: type) -> tuple[Parameter, ...]:
    """Return the declared parameters of an attrs class in the order of their declaration."""
    attrs.resolve_types(cast(Any, operator_class))
    return tuple(
        _parameter(field) for field in attrs.fields(cast(Any, operator_class)) if _METADATA in field.metadata
    )


def _parameter(field: Any) -> Parameter:
    declaration: Declaration = field.metadata[_METADATA]
    members, nullable = _without_none(field.type)
    wide = get_origin(members) is Annotated
    members = get_args(members)[0] if wide else members
    kind, item_nullable = _kind(members, bool(declaration.choices))
    required = field.default is attrs.NOTHING
    return Parameter(
        name=field.name,
        kind=kind,
        required=required,
        default=None if required else field.default,
        nullable=nullable,
        item_nullable=item_nullable,
        declaration=declaration,
        wide=wide,
    )


def _without_none(annotation: Any) -> tuple[Any, bool]:
    if get_origin(annotation) in (Union, types.UnionType):
        rest = [member for member in get_args(annotation) if member is not type(None)]
        return rest[0], len(rest) < len(get_args(annotation))
    return annotation, False


def _kind(annotation: Any, enumeration: bool) -> tuple[str, bool]:
    if get_origin(annotation) is tuple:
        item, item_nullable = _without_none(get_args(annotation)[0])
        return ("floats" if item is float else "ints"), item_nullable
    if annotation is str:
        return ("enum" if enumeration else "str"), False
    return {bool: "bool", int: "int", float: "float"}[annotation], False


_PYTHON_NUMBERS: dict[type, str] = {float: "float64", int: "int64"}


def as_text(value: object) -> str:
    """Spell a Python value as MXNet writes it in attributes: `(3, 3)`, `[3, 3]`, `True`, `0.5`, `None`."""
    if isinstance(value, list):
        return f"[{', '.join(as_text(item) for item in value)}]"
    if isinstance(value, tuple):
        items = ", ".join(as_text(item) for item in value)
        return f"({items},)" if len(value) == 1 else f"({items})"
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, (bool, int, float)):
        return str(value)
    spelt = getattr(value, "name", None)  # numpy's dtypes
    if isinstance(value, type):
        spelt = _PYTHON_NUMBERS.get(value, value.__name__)  # its scalar types, and Python's
    if not spelt and hasattr(value, "tolist"):
        return as_text(value.tolist())  # its numbers and arrays
    return str(spelt or quoted_value(value))


def parse_attributes(
    parameters: tuple[Parameter, ...], attributes: Mapping[str, str], operator: str
) -> dict[str, Any]:
    """Turn attribute texts into values; raise ParameterError for an unknown name, a bad value or a missing one.

    Names in double underscores belong to the node, not to the operator, and are passed over.
    """
    values, faults = read_each(parameters, attributes, operator)
    for fault in faults:
        raise fault
    return values


def read_each(
    parameters: tuple[Parameter, ...], attributes: Mapping[str, str], operator: str
) -> tuple[dict[str, Any], list[ParameterError]]:
    """Do the same and return every fault beside the values that are right."""
    by_name = {parameter.name: parameter for parameter in parameters}
    values, faults = {}, []
    for name, text in attributes.items():
        if name.startswith("__") and name.endswith("__"):
            continue
        try:
            if name not in by_name:
                raise ParameterError(_no_parameter(operator, name, list(by_name)), port=name)
            values[name] = by_name[name].parse(text)
        except ParameterError as error:
            faults.append(error)
    for parameter in parameters:
        if parameter.required and parameter.name not in attributes:
            sentence = f"{operator} needs {parameter.name}: {parameter.wanted}."
            faults.append(ParameterError(sentence, port=parameter.name))
    return values, faults


def _no_parameter(operator: str, name: str, known: list[str]) -> str:
    advice = did_you_mean(name, known) or f" It has {listed(known)}."
    return f"{operator} has no parameter {quoted(name)}.{advice}"


def _read_bool(parameter: Parameter, text: str) -> bool:
    word = (text.lstrip() if parameter.nullable else text).lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise ValueError(text)


def _read_int(parameter: Parameter, text: str) -> int:
    if parameter.nullable:  # MXNet reads these with another function, which stops at Python 2's letter
        text = _LONG_SUFFIX.sub("", text)
    if len(text) > _LONGEST_NUMBER or not _INTEGER.match(text):
        raise ValueError(text)
    return _within_bits(int(text), wide=parameter.wide)


class _TooLargeError(ValueError):
    """A whole number that the bits of its type cannot hold, and the largest that they can."""

    def __init__(self, largest: int) -> None:
        super().__init__(largest)
        self.largest = largest


def _within_bits(number: int, *, wide: bool) -> int:
    largest = LARGEST_SIZE if wide else _LARGEST_INT
    if abs(number) > largest:
        raise _TooLargeError(largest)
    return number


def _read_float(parameter: Parameter, text: str) -> float:
    """Read a number as MXNet does: `1f` and `1e` count, what its type cannot hold does not."""
    if parameter.nullable:
        if not _REAL_OR_NONE.match(text):
            raise ValueError(text)
        return _within_type(parameter, text, float(text))
    found = _REAL.match(text)
    if not found:
        raise ValueError(text)
    mantissa, exponent = found["mantissa"], found["exponent"] or ""
    if mantissa is None:
        return float(text)
    power = exponent if exponent[-1:].isdigit() else ""
    sign = -1.0 if "-" in text[: found.start("mantissa")] else 1.0
    value = sign * float(mantissa + power)
    if not value and mantissa.strip("0."):
        raise ValueError(text)
    return _within_type(parameter, text, value)


def _within_type(parameter: Parameter, text: str, value: float) -> float:
    size, wide = abs(value), parameter.wide
    if size == math.inf or (not wide and size > _LARGEST_FLOAT):
        raise ValueError(text)
    if size and not wide and not parameter.nullable and size < _SMALLEST_FLOAT:
        raise ValueError(text)
    return value


def _read_str(_: Parameter, text: str) -> str:
    return text


def _read_enum(parameter: Parameter, text: str) -> str:
    if text not in parameter.choices:
        raise ValueError(text)
    return text


def _read_tuple(parameter: Parameter, text: str) -> tuple[Any, ...]:
    body = text.strip()
    bracketed = len(body) >= 2 and body[0] in "([" and body[-1] in ")]"  # MXNet takes (3, 3] too
    if bracketed:
        body = body[1:-1].strip()
    if not bracketed and (
        "," in body or body[:1] in "+." or (body.endswith("L") and not parameter.item_nullable)
    ):
        raise ValueError(text)
    if body.count(",") > MOST_NUMBERS:
        raise ParameterError(
            f"{parameter.name} has {body.count(',') + 1} numbers; at most {MOST_NUMBERS} make sense.",
            port=parameter.name,
        )
    items = body.split(",")
    if items[-1].strip() == "" and bracketed:
        items.pop()  # a trailing comma, or nothing at all
    read = _read_item_float if parameter.kind == "floats" else partial(_read_item_int, wide=parameter.wide)
    return tuple(None if parameter.item_nullable and item.strip() == "None" else read(item) for item in items)


def _read_item_int(text: str, *, wide: bool) -> int:
    text = _LONG_SUFFIX.sub("", text).rstrip()
    if not _INTEGER.match(text) or len(text) > _LONGEST_NUMBER:
        raise ValueError(text)
    return _within_bits(int(text), wide=wide)


def _read_item_float(text: str) -> float:
    if not _REAL_OR_NONE.match(text):
        raise ValueError(text)
    return float(text)


_READERS = {
    "bool": _read_bool,
    "int": _read_int,
    "float": _read_float,
    "str": _read_str,
    "enum": _read_enum,
    "ints": _read_tuple,
    "floats": _read_tuple,
}

_KIND_WORDS = {
    "bool": "True or False",
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "enum": "one of its words",
    "ints": "whole numbers in brackets, like (3, 3)",
    "floats": "numbers in brackets, like (0.5, 1.0)",
}

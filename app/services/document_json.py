"""A document as readable text: JSON with one record per line, in one canonical order.

Equal documents give equal text, whatever order their records were made in, so a file that was read and
written again has the same bytes. A field at its default is left out. A key that this version does not know is
refused rather than dropped: saving again would lose it.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import cache, partial
from typing import Any, Literal, get_args, get_origin

import cattrs
from cattrs.gen import make_dict_unstructure_fn, override

from app.document.invariants import broken_invariants
from app.document.records import (
    Binding,
    Document,
    Edge,
    Frame,
    Head,
    JsonText,
    Node,
    Note,
    Point,
    Settings,
)
from app.engine.errors import FormatError

FORMAT = "chalkgraph"
VERSION = 4
_FIRST_WITH = {"arity": 2, "bare": 3, "control_deps": 3, "subgraphs": 3}
"""The versions from which on fields of a node are known: a document is written for the oldest that will do."""

_TABLES: dict[str, type] = {
    "nodes": Node,
    "edges": Edge,
    "bindings": Binding,
    "heads": Head,
    "frames": Frame,
    "notes": Note,
}
_TABLES_SINCE = {"frames": 4, "notes": 4}
"""The versions from which on tables are known; they are written where there is something in them."""
_TOP = ("format", "version", "arrays", "settings", *_TABLES)
_EXACT = 2**53
_SURROGATE = re.compile("[\ud800-\udfff]")
_DIGITS = re.compile(r"([0-9]+)")

Constants = Mapping[str, Any]
"""What stands in place of a binding's text, by the binding's id: how arrays move to their own file."""


def document_text(document: Document, *, arrays: str = "", moved: Constants | None = None) -> str:
    """Write a document as text; `arrays` names the file beside it that holds what `moved` points to."""
    converter = _converter()
    top: dict[str, Any] = {"format": FORMAT, "version": _version_for(document)}
    if arrays:
        top["arrays"] = arrays
    settings = converter.unstructure(document.options)
    settings.pop("id", None)
    lines = [f" {_json(key)}: {_json(value)}" for key, value in top.items()]
    lines.append(f' "settings": {_json(settings)}')
    lines += [
        f" {_json(name)}: {_table(name, document, moved or {})}"
        for name in _TABLES
        if name not in _TABLES_SINCE or getattr(document, name)
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _version_for(document: Document) -> int:
    nodes = document.nodes.values()
    held = [version for field, version in _FIRST_WITH.items() if any(getattr(node, field) for node in nodes)]
    held += [version for name, version in _TABLES_SINCE.items() if getattr(document, name)]
    return max(held, default=1)


def natural_key(text: str) -> tuple[Any, ...]:
    """Order texts as people do, `n2` before `n10`."""
    return (*[_natural(part) for part in _DIGITS.split(text) if part], (2, 0, text))


def _natural(part: str) -> tuple[int, int, str]:
    digits = part.lstrip("0")  # as text: it may be longer than any number
    return (0, len(digits), digits) if part.isdecimal() else (1, 0, part)


def _table(name: str, document: Document, moved: Constants) -> str:
    records: Mapping[str, Any] = getattr(document, name)
    rows = []
    for key in sorted(records, key=natural_key):
        plain = _converter().unstructure(records[key])
        if name == "bindings" and key in moved:
            plain["value"] = moved[key]
        rows.append(f"  {_json(plain)}")
    return "[\n" + ",\n".join(rows) + "\n ]" if rows else "[]"


def _json(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def plain_from_text(text: str) -> dict[str, Any]:
    """Parse JSON into an object; FormatError with line and column where it is none."""
    try:
        plain = json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        reason = error.msg[:1].lower() + error.msg[1:]
        raise FormatError(
            f"from line {error.lineno}, column {error.colno} on it is not JSON ({reason})."
            if text.strip()
            else "it is empty."
        ) from error
    except (ValueError, RecursionError) as error:
        raise FormatError(f"it is not JSON that can be read: {error}.") from error
    if not isinstance(plain, dict):
        raise FormatError("it is JSON, but not an object in curly brackets.")
    return plain


def document_from_plain(plain: Mapping[str, Any], restore: Callable[[str], str] | None = None) -> Document:
    """Build the document that a parsed file describes; FormatError names the record and the key to blame.

    `restore` gives back the text of a constant that lies in the array file, by its key there.
    """
    check_version(plain)
    for key in plain:
        if key not in _TOP:
            raise FormatError(f"it has a part called {_shown(key)}, which this version does not know.")
    settings = plain.get("settings", {})
    if not isinstance(settings, dict) or "id" in settings:
        raise FormatError("settings is not an object of settings.")
    tables: dict[str, Any] = {"settings": {"settings": _record(Settings, settings, "settings")}}
    for name, kind in _TABLES.items():
        rows = plain.get(name, [])
        if not isinstance(rows, list):
            raise FormatError(f"{name} is not a list of records.")
        tables[name] = _records(name, kind, rows, restore)
    document = Document(**tables)
    _check_wires(document)
    for sentence in broken_invariants(document):
        raise FormatError(f"{sentence}.")
    return document


def check_version(plain: Mapping[str, Any]) -> None:
    """Refuse what is not this format, and what a newer program wrote."""
    version = plain.get("version")
    if plain.get("format") != FORMAT:
        raise FormatError('it does not say "format": "chalkgraph".')
    if version is None:
        raise FormatError("it does not say in which version it is written.")
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise FormatError(f"its version is {_shown(version)}, which is no version number.")
    if version > VERSION:
        raise FormatError(
            f"a newer Chalkgraph saved it (format {version}; this one reads up to {VERSION}). Update it first."
        )


def _records(
    name: str, kind: type, rows: Iterable[Any], restore: Callable[[str], str] | None
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for number, row in enumerate(rows, start=1):
        place = f"record {number} of {name}"
        if isinstance(row, dict) and isinstance(row.get("id"), str):
            place += f" ({_shown(row['id'])})"
        plain = _with_constant(row, restore, place) if kind is Binding else row
        record = _record(kind, plain, place)
        if record.id in found:
            raise FormatError(f"{place}: there is an earlier record with this id.")
        found[record.id] = record
    return found


def _with_constant(row: Any, restore: Callable[[str], str] | None, place: str) -> Any:
    if not isinstance(row, dict) or not isinstance(row.get("value"), dict):
        return row
    key = row["value"].get("array")
    if restore is None or not isinstance(key, str) or len(row["value"]) != 1:
        raise FormatError(f"{place}: value is neither a text nor an array of the file beside it.")
    return {**row, "value": restore(key)}


def _record(kind: type, row: Any, place: str) -> Any:
    if not isinstance(row, dict):
        raise FormatError(f"{place} is not an object in curly brackets.")
    try:
        return _converter().structure(row, kind)
    except Exception as error:  # cattrs gathers whatever the hooks raise
        raise FormatError(f"{place}: {_blame(error)}") from error


def _blame(error: BaseException) -> str:
    """Find the first innermost cause and say it with the names of the keys that lead to it."""
    if isinstance(error, cattrs.ForbiddenExtraKeysError):
        return (
            f"{', '.join(sorted(map(_shown, error.extra_fields)))} is a key that this version does not know."
        )
    if isinstance(error, KeyError):
        return f"{error.args[0]} is missing."
    if isinstance(error, AttributeError):  # cattrs asks whatever it gets for its keys
        return "it is not an object in curly brackets."
    if not isinstance(error, BaseExceptionGroup):
        return f"{error}."
    cause = error.exceptions[0]
    notes = [note for note in getattr(cause, "__notes__", ()) if hasattr(note, "name")]
    inner = _blame(cause)
    if isinstance(cause, KeyError) or not notes:
        return inner
    return f"{notes[-1].name}: {inner}"


def _check_wires(document: Document) -> None:
    taken: dict[tuple[str, int], str] = {}
    for edge in document.edges.values():
        for end in (edge.source, edge.target):
            if end not in document.nodes:
                raise FormatError(f"wire {_shown(edge.id)} ends at {_shown(end)}, and there is no such node.")
        other = taken.setdefault((edge.target, edge.input), edge.id)
        if other != edge.id:
            raise FormatError(f"wires {_shown(other)} and {_shown(edge.id)} lead to the same input.")


@cache
def _converter() -> cattrs.Converter:
    """Make the one converter: strict about types, silent about defaults."""
    converter = cattrs.Converter(forbid_extra_keys=True, omit_if_default=True)
    for kind in (str, int, bool):
        converter.register_structure_hook(kind, _strictly(kind))
    converter.register_structure_hook(float, _number)
    converter.register_structure_hook_func(_is_texts, _texts)
    converter.register_structure_hook_func(lambda kind: kind == Point, _point)
    converter.register_structure_hook_func(_is_word, _word)
    converter.register_structure_hook_func(_is_list, partial(_list, converter))
    converter.register_structure_hook_func(_is_json, lambda value, _: JsonText(json.dumps(value)))
    converter.register_unstructure_hook_func(_is_json, json.loads)
    converter.register_unstructure_hook(float, _short)
    converter.register_unstructure_hook_func(_is_texts, lambda texts: dict(sorted(texts.items())))
    _always_write(converter, Node, "position")
    _always_write(converter, Binding, "kind")
    _always_write(converter, Frame, "title", "position", "size")
    _always_write(converter, Note, "text", "position", "width")
    return converter


def _always_write(converter: cattrs.Converter, kind: type, *fields: str) -> None:
    """Keep fields in the text even at their defaults, where a reader would miss them."""
    overrides: dict[str, Any] = {field: override(omit_if_default=False) for field in fields}
    hook: Any = make_dict_unstructure_fn(kind, converter, _cattrs_omit_if_default=True, **overrides)
    converter.register_unstructure_hook(kind, hook)


def _is_word(kind: Any) -> bool:
    return bool(get_origin(kind) == Literal)


def _is_json(kind: Any) -> bool:
    return kind is JsonText


def _is_list(kind: Any) -> bool:
    return get_origin(kind) is tuple and get_args(kind)[1:] == (...,)


def _is_texts(kind: Any) -> bool:
    return bool(kind == Mapping[str, str])


def _strictly(kind: type) -> Callable[[Any, Any], Any]:
    word = {str: "a text", int: "a whole number", bool: "true or false"}[kind]

    def take(value: Any, _: Any) -> Any:
        if type(value) is not kind:
            raise TypeError(f"{_shown(value)} is not {word}")
        return value

    return take


def _number(value: Any, _: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{_shown(value)} is not a number")
    if not math.isfinite(value):
        raise TypeError(f"{value} is no number that a file can hold")
    return float(value)


def _point(value: Any, _: Any) -> Point:
    if not isinstance(value, list) or len(value) != 2:
        raise TypeError(f"{_shown(value)} is not a list of two numbers")
    return _number(value[0], float), _number(value[1], float)


def _list(converter: cattrs.Converter, value: Any, kind: Any) -> tuple[Any, ...]:
    """Take a list, and stop at its first wrong item."""
    if not isinstance(value, list):
        raise TypeError(f"{_shown(value)} is not a list")
    return tuple(converter.structure(item, get_args(kind)[0]) for item in value)


def _word(value: Any, kind: Any) -> Any:
    if value not in get_args(kind):
        raise TypeError(f"{_shown(value)} is none of {', '.join(get_args(kind))}")
    return value


def _texts(value: Any, _: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise TypeError(f"{_shown(value)} is not an object of texts")
    return value


def _short(value: float) -> float | int:
    value = float(value)
    return int(value) if value.is_integer() and abs(value) < _EXACT else value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        ((twice, _),) = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"the key {_shown(twice)} stands twice in one object")
    return found


def _no_constant(word: str) -> float:
    raise ValueError(f"{word} is no JSON number")


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=True, default=str)
    return text if len(text) <= 40 else text[:39] + "…"

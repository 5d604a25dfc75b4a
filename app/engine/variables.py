"""What the keywords of a Variable say, as the texts that stand in its file."""

from collections.abc import Mapping
from typing import Any

from app.engine.errors import EngineError, ParameterError
from app.engine.inference.solver import declared_shape
from app.engine.inference.types import NUMBERS
from app.engine.naming import kept_as
from app.engine.nearby import did_you_mean, quoted_value
from app.engine.params import as_text
from app.engine.taking import take_factor, take_shape, take_text, take_texts, take_type

STORAGES = ("default", "row_sparse", "csr")
"""MXNet's numbers of storage types are the places in this list; everything is dense here."""


def variable_attributes(
    name: str, own: Mapping[str, Any], *, attr: Mapping[str, str] | None, **keywords: Any
) -> dict[str, str]:
    """Return the attributes of a variable: those of `attr`, then what the keywords mean, then its `own`.

    ParameterError, ShapeError or BindError where one makes no sense.
    """
    take_text(name, "A variable's name")
    texts = {kept_as(key): text for key, text in take_texts(attr, f"attr of {name}").items()}
    for key, given in keywords.items():
        if given is not None:
            kept, text = _READ[key](given, key, name)
            texts[kept] = text
    for key, value in own.items():
        if not (key.startswith("__") and key.endswith("__")):
            raise ParameterError(
                f"Variable {name} has no keyword {key!r}. Attributes of your own are written __{key}__."
            )
        texts[key] = as_text(value)
    return texts


def _shape(given: Any, _: str, name: str) -> tuple[str, str]:
    if type(given) is int or (isinstance(given, str) and _is_shape(given)):
        return "__shape__", str(given)
    shape = take_shape(given, name)
    return "__shape__", str(list(shape)) if isinstance(given, list) else as_text(shape)


def _is_shape(text: str) -> bool:
    try:
        declared_shape({"__shape__": text})
    except EngineError:
        return False
    return True


def _dtype(given: Any, _: str, name: str) -> tuple[str, str]:
    return "__dtype__", str(NUMBERS.index(take_type(given, name).name))


def _storage(given: Any, _: str, name: str) -> tuple[str, str]:
    if not isinstance(given, str) or given not in STORAGES:
        advice = did_you_mean(given, STORAGES) or f" There are: {', '.join(STORAGES)}."
        raise ParameterError(f"{quoted_value(given)} is no storage type for {name}.{advice}")
    return "__storage_type__", str(STORAGES.index(given))


def _text(given: Any, key: str, name: str) -> tuple[str, str]:
    return f"__{key}__", take_text(given, f"{key} of {name}")


def _factor(given: Any, key: str, name: str) -> tuple[str, str]:
    return f"__{key}__", take_factor(given, f"{key} of {name}")


_READ = {
    "shape": _shape,
    "dtype": _dtype,
    "stype": _storage,
    "init": _text,
    "lr_mult": _factor,
    "wd_mult": _factor,
}

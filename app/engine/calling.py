"""What a call of an operator in Python says, taken apart as MXNet's own functions do it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from app.engine.compose import Head, Inputs
from app.engine.errors import GraphError, ParameterError
from app.engine.naming import NODE_KEYS
from app.engine.nearby import quoted_value
from app.engine.operator import Operator
from app.engine.params import as_text


def settings_of_call(operator: type[Operator], where: str, keywords: Mapping[str, Any]) -> dict[str, str]:
    """Return the texts of the keywords that are no symbols: settings, and attributes of the node.

    None in the place of an input says that it is missing. What belongs to every node, like `lr_mult`, gets its
    underscores here; what an operator does not know is left for it to refuse, or to keep.
    """
    settings = {parameter.name for parameter in operator.parameters}
    texts = {}
    for key, value in keywords.items():
        if key not in settings and key == "out":
            continue  # it means something for arrays only
        if value is None and key not in settings and key in _inputs_of(operator):
            continue
        if key == "dtype" and key in settings:
            texts[key] = _type_name(value)
        else:
            texts[_node_key(key, where)] = as_text(value)
    return texts


def refuse_no_symbols(operator: type[Operator], where: str, keywords: Mapping[str, Any]) -> None:
    """Refuse a value for an input where it would be kept as an attribute: settings are refused when they are read."""
    for key, value in keywords.items():
        if value is not None and not operator.parameters and key in _inputs_of(operator):
            raise GraphError(
                f"{key} of {where} is an input, so it takes a symbol, not {quoted_value(value)}.", port=key
            )


def inputs_of_call(ordered: Sequence[Sequence[Head] | None], named: Mapping[str, Sequence[Head]]) -> Inputs:
    """Return the inputs of a call; those at the end that are None may go beyond what the operator takes."""
    count = len(ordered)
    while count and ordered[count - 1] is None:
        count -= 1
    return Inputs(ordered[:count], named)


def takes_none(operator: type[Operator]) -> bool:
    """Whether None may stand for an input: not where any number of them can follow one another."""
    return not operator.variadic


def _inputs_of(operator: type[Operator]) -> frozenset[str]:
    """Return the names of all inputs that an operator can have; its examples show every branch of it."""
    if operator.variadic:
        return frozenset()
    made = [
        operator.from_attributes({k: as_text(v) for k, v in e.settings.items()}) for e in operator.examples
    ]
    return frozenset(port.name for each in made for port in each.ports)


def _type_name(given: object) -> str:
    """Name an element type as numpy does, which takes None for float64; leave what it does not know."""
    kind: Any = given
    try:
        return str(np.dtype(kind).name)
    except (TypeError, ValueError, SyntaxError, OverflowError):
        return as_text(given)


def _node_key(key: str, where: str) -> str:
    if key in NODE_KEYS:
        return f"__{key}__"
    for ending in NODE_KEYS:
        if key.endswith(f"_{ending}") and len(key) > len(ending) + 1:
            port = key.removesuffix(f"_{ending}")
            raise ParameterError(
                f"{key} of {where} is no longer an attribute; give its input {port} a variable with {ending}.",
                port=key,
            )
    return key

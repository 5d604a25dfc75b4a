"""Finds every operator and looks it up by any of its names."""

import importlib
import pkgutil
from functools import cache, lru_cache

from app.engine import operators
from app.engine.errors import GraphError
from app.engine.nearby import meant_question, near_names, quoted_value
from app.engine.operator import Operator, declared

_BEGINNINGS = ("_contrib_", "_linalg_", "_random_", "_sample_")
UNSIZED = frozenset(
    (
        "_contrib_boolean_mask",
        "_npi_boolean_mask",
        "_npi_delete",
        "_npi_nonzero",
        "_npi_unique",
        "_npx_nonzero",
    )
)
"""Operators of MXNet whose results are as long as the numbers in their inputs make them."""


@cache
def all_operators() -> dict[str, type[Operator]]:
    """Return every operator class under each of its names, aliases included."""
    for module in pkgutil.iter_modules(operators.__path__):
        importlib.import_module(f"{operators.__name__}.{module.name}")
    found: dict[str, type[Operator]] = {}
    for operator_class in declared:
        for name in (operator_class.op_name, *operator_class.aliases):
            if found.get(name, operator_class) is not operator_class:
                raise RuntimeError(f"two operators are named {name}")
            found[name] = operator_class
    return found


def find_operator(name: str) -> type[Operator]:
    """Return the operator called `name`; GraphError with near names when there is none."""
    found = all_operators()
    if name not in found:
        raise GraphError(unknown_operator(name))
    return found[name]


def unknown_operator(name: str) -> str:
    """Say that there is no operator of a name, and which names are near or why it cannot be."""
    if name in UNSIZED:
        return (
            f"How much {name} gives depends on the numbers that it gets, but here every size is known before anything"
            " runs. Bind what lies before it, or put where or SequenceMask in its place: these keep the size."
        )
    return f"There is no operator called {quoted_value(name)} here.{meant_question(near_operators(name))}"


@lru_cache(maxsize=256)
def near_operators(name: str) -> tuple[str, ...]:
    """Return the operators whose names are near one that does not exist; a file has the same one many times.

    What the names of a family begin with does not make two of them alike.
    """
    near = near_names(name, all_operators())
    family = next((family for family in _BEGINNINGS if name.startswith(family)), None)
    if family is None:
        return tuple(near)
    own = name.removeprefix(family)
    return tuple(
        other
        for other in near
        if not other.startswith(family) or near_names(own, [other.removeprefix(family)])
    )


def canonical_operators() -> list[type[Operator]]:
    """Return each operator once, in the order of declaration."""
    return list(dict.fromkeys(all_operators().values()))

"""Every operator as a function that composes a symbol: `sym.FullyConnected(data, num_hidden=128, name="fc1")`.

As in MXNet, those whose names begin with `_contrib_` or `_linalg_` are also found without that in `sym.contrib` and
`sym.linalg`; nodes made there have no prefix in their automatic names either.
"""

from collections.abc import Callable

import attrs

from app.engine.errors import GraphError, NoSuchOperator
from app.engine.naming import FAMILIES
from app.engine.registry import all_operators, find_operator
from app.engine.symbol import Group, Symbol, Variable, hypot, maximum, minimum, node_maker, power

pow = power  # noqa: A001 - MXNet has both names

__all__ = ["Group", "Symbol", "Variable", "hypot", "maximum", "minimum", "pow", "power"]


def __getattr__(name: str) -> Callable[..., Symbol]:
    if name.startswith("__"):
        raise AttributeError(name)
    _check_name(name)
    return node_maker(name)


def _check_name(name: str) -> None:
    try:
        find_operator(name)
    except GraphError as error:
        raise NoSuchOperator(error.sentence) from None


@attrs.frozen
class Family:
    """Operators whose names begin alike, found under what follows."""

    name: str

    @property
    def prefix(self) -> str:
        """How the whole names begin."""
        return f"_{self.name}_"

    def __getattr__(self, name: str) -> Callable[..., Symbol]:
        if name.startswith("__"):
            raise AttributeError(name)
        _check_name(self.prefix + name)
        return node_maker(self.prefix + name, hint=name.lower())

    def __dir__(self) -> list[str]:
        return [name.removeprefix(self.prefix) for name in all_operators() if name.startswith(self.prefix)]


contrib, linalg = map(Family, FAMILIES)


def __dir__() -> list[str]:
    return [*__all__, *all_operators()]

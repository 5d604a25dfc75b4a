"""Every operator as a function that composes a symbol: `sym.FullyConnected(data, num_hidden=128, name="fc1")`."""

from collections.abc import Callable
from functools import partial

from app.engine.errors import GraphError, NoSuchOperator
from app.engine.registry import all_operators, find_operator
from app.engine.symbol import Group, Symbol, Variable, make_node, maximum, minimum

__all__ = ["Group", "Symbol", "Variable", "maximum", "minimum"]


def __getattr__(name: str) -> Callable[..., Symbol]:
    if name.startswith("__"):
        raise AttributeError(name)
    try:
        find_operator(name)
    except GraphError as error:
        raise NoSuchOperator(error.sentence) from None
    return partial(make_node, name)


def __dir__() -> list[str]:
    return [*__all__, *all_operators()]

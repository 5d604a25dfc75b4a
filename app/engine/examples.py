"""Examples of operators: shapes, settings and the numbers that suit them; the tests take every one of them."""

from collections.abc import Mapping
from typing import Any

import attrs

from app.engine.shapes import Shape


@attrs.frozen
class Domain:
    """Which random numbers suit an example's input: `low`..`high`, whole numbers when `whole`, away from `avoid`.

    `avoid` keeps a finite difference from stepping over a kink; an interval of 0.05 around each value is left out.
    """

    low: float = -2.0
    high: float = 2.0
    whole: bool = False
    avoid: tuple[float, ...] = ()


@attrs.frozen(init=False)
class Example:
    """One use of an operator: shapes by port, settings, and the numbers that suit it."""

    shapes: Mapping[str, Shape]
    settings: Mapping[str, Any]
    domains: Mapping[str, Domain]
    train: bool
    gradient: bool

    def __init__(
        self,
        shapes: Mapping[str, Shape],
        *,
        domains: Mapping[str, Domain] | None = None,
        train: bool = True,
        gradient: bool = True,
        **settings: Any,
    ) -> None:
        """Remember the case; `gradient=False` where finite differences mean nothing (a loss, a random mask)."""
        self.__attrs_init__(dict(shapes), settings, domains or {}, train, gradient)

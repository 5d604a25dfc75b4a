"""Python's signs on symbols: which operator each makes, and the stem of its automatic name."""

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import attrs

from app.engine.errors import WrongOperand

if TYPE_CHECKING:
    from app.engine.symbol import Symbol


@attrs.frozen
class Sign:
    """The operators behind one sign: for two symbols, for symbol and number, for number and symbol.

    `hint` and `reversed_hint` are stems of automatic names; where that is empty it follows from the operator.
    """

    both: str
    hint: str
    scalar: str
    reversed: str
    reversed_hint: str = ""


SIGNS = {
    "add": Sign("elemwise_add", "_plus", "_plus_scalar", "_plus_scalar"),
    "sub": Sign("elemwise_sub", "_minus", "_minus_scalar", "_rminus_scalar"),
    "mul": Sign("elemwise_mul", "_mul", "_mul_scalar", "_mul_scalar"),
    "div": Sign("elemwise_div", "_div", "_div_scalar", "_rdiv_scalar"),
    "power": Sign("_power", "_power", "_power_scalar", "_rpower_scalar"),
    "pow": Sign("_power", "_power", "_power_scalar", "_rpower_scalar", "_rpowerscalar"),
    "hypot": Sign("_hypot", "_hypot", "_hypot_scalar", "_hypot_scalar"),
    "mod": Sign("_mod", "_mod", "_mod_scalar", "_rmod_scalar"),
    "equal": Sign("_equal", "_equal", "_equal_scalar", "_equal_scalar"),
    "not_equal": Sign("_not_equal", "_not_equal", "_not_equal_scalar", "_not_equal_scalar"),
    "greater": Sign("_greater", "_greater", "_greater_scalar", "_lesser_scalar"),
    "greater_equal": Sign(
        "_greater_equal", "_greater_equal", "_greater_equal_scalar", "_lesser_equal_scalar"
    ),
    "lesser": Sign("_lesser", "_lesser", "_lesser_scalar", "_greater_scalar"),
    "lesser_equal": Sign("_lesser_equal", "_lesser_equal", "_lesser_equal_scalar", "_greater_equal_scalar"),
    "maximum": Sign("_maximum", "_maximum", "_maximum_scalar", "_maximum_scalar"),
    "minimum": Sign("_minimum", "_minimum", "_minimum_scalar", "_minimum_scalar"),
}

_WITHOUT_UNDERSCORE = {
    "plus",
    "minus",
    "rminus",
    "mul",
    "div",
    "rdiv",
    "power",
    "mod",
    "rmod",
    "maximum",
    "minimum",
    "hypot",
}


def scalar_hint(op_name: str) -> str:
    """Return the stem of the automatic name of a scalar operator: `_plusscalar`, but `_rpower_scalar`."""
    stem = op_name.removeprefix("_").removesuffix("_scalar")
    return f"_{stem}scalar" if stem in _WITHOUT_UNDERSCORE else op_name


class Signs:
    """What Python's arithmetic and comparison signs mean on a symbol."""

    __hash__ = object.__hash__
    __array_ufunc__ = None  # numpy's arrays leave the answer to the symbol

    def __bool__(self) -> bool:
        """Refuse: what a symbol comes to is known in a run only, so `if a == b` and `a < b < c` would mislead."""
        raise WrongOperand(
            f"{self!r} is neither true nor false before it is run; compare with `is`, or bind it."
        )

    @abstractmethod
    def _combine(self, sign: Sign, left: object, right: object) -> "Symbol": ...

    def __add__(self, other: object) -> "Symbol":
        """Add element by element."""
        return self._combine(SIGNS["add"], self, other)

    def __radd__(self, other: object) -> "Symbol":
        """Add element by element, the number first."""
        return self._combine(SIGNS["add"], other, self)

    def __sub__(self, other: object) -> "Symbol":
        """Subtract element by element."""
        return self._combine(SIGNS["sub"], self, other)

    def __rsub__(self, other: object) -> "Symbol":
        """Subtract element by element, the number first."""
        return self._combine(SIGNS["sub"], other, self)

    def __mul__(self, other: object) -> "Symbol":
        """Multiply element by element."""
        return self._combine(SIGNS["mul"], self, other)

    def __rmul__(self, other: object) -> "Symbol":
        """Multiply element by element, the number first."""
        return self._combine(SIGNS["mul"], other, self)

    def __truediv__(self, other: object) -> "Symbol":
        """Divide element by element."""
        return self._combine(SIGNS["div"], self, other)

    def __rtruediv__(self, other: object) -> "Symbol":
        """Divide element by element, the number first."""
        return self._combine(SIGNS["div"], other, self)

    def __pow__(self, other: object) -> "Symbol":
        """Raise to a power element by element."""
        return self._combine(SIGNS["power"], self, other)

    def __rpow__(self, other: object) -> "Symbol":
        """Raise to a power element by element, the number first."""
        return self._combine(SIGNS["power"], other, self)

    def __mod__(self, other: object) -> "Symbol":
        """Take the remainder element by element."""
        return self._combine(SIGNS["mod"], self, other)

    def __rmod__(self, other: object) -> "Symbol":
        """Take the remainder element by element, the number first."""
        return self._combine(SIGNS["mod"], other, self)

    def __gt__(self, other: object) -> "Symbol":
        """Compare element by element: 1 where greater, else 0."""
        return self._combine(SIGNS["greater"], self, other)

    def __ge__(self, other: object) -> "Symbol":
        """Compare element by element: 1 where greater or equal, else 0."""
        return self._combine(SIGNS["greater_equal"], self, other)

    def __lt__(self, other: object) -> "Symbol":
        """Compare element by element: 1 where less, else 0."""
        return self._combine(SIGNS["lesser"], self, other)

    def __le__(self, other: object) -> "Symbol":
        """Compare element by element: 1 where less or equal, else 0."""
        return self._combine(SIGNS["lesser_equal"], self, other)

    def __eq__(self, other: object) -> Any:
        """Compare element by element: 1 where equal, else 0."""
        return self._combine(SIGNS["equal"], self, other)

    def __ne__(self, other: object) -> Any:
        """Compare element by element: 1 where unequal, else 0."""
        return self._combine(SIGNS["not_equal"], self, other)

    def __neg__(self) -> "Symbol":
        """Change the sign: multiply by -1."""
        return self._combine(SIGNS["mul"], self, -1.0)

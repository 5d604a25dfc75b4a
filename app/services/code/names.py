"""Names for programs: Python identifiers that stay as close as they can to the names on the board."""

import builtins
import keyword
import math
import re
from collections.abc import Iterable

_WORD = re.compile(r"\W+")
_BUILTINS = frozenset(dir(builtins))


class Identifiers:
    """Gives out each identifier once."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)

    def take(self, name: str) -> str:
        """Return an identifier for a name, made different from all that were taken before."""
        wanted = identifier(name)
        found, number = wanted, 2
        while found in self._taken or found in _BUILTINS:
            found, number = f"{wanted}_{number}", number + 1
        self._taken.add(found)
        return found


def identifier(name: str) -> str:
    """Respell a name as an identifier: `conv 1` becomes `conv_1`, `class` becomes `class_`."""
    word = _WORD.sub("_", name) or "node"
    if word[0].isdigit():
        word = f"_{word}"
    return f"{word}_" if keyword.iskeyword(word) or not word.isidentifier() else word


def literal(value: object) -> str:
    """Spell a parameter's value in Python, a whole float as a whole number."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return repr(int(value))
    if isinstance(value, float) and not math.isfinite(value):
        return f"float('{value}')"
    if isinstance(value, tuple):
        items = ", ".join(literal(item) for item in value)
        return f"({items},)" if len(value) == 1 else f"({items})"
    return repr(value)

"""What somebody may have meant by a name that there is none of: the names near it, and how a refusal lists them."""

from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher, get_close_matches
from typing import Any

from app.engine.errors import quoted

_LONGEST = 60
"""Nobody means a longer name by a slip of the finger, and comparing it takes long."""
_MOST_COMPARED = 5000
_FAR, _NEAR = 0.6, 0.7
_CLOSE_SECOND = 0.1
"""A second name is told when it is nearly as near as the first."""
_MOST_LISTED = 8


def near_names(name: object, known: Iterable[Any]) -> list[str]:
    """Return the name that is nearest to one that does not exist, and a second where both are as likely."""
    if not isinstance(name, str) or not name or len(name) > _LONGEST:
        return []
    by_lower: dict[str, str] = {}
    for other in known:
        if not isinstance(other, str):
            continue  # a dict may have anything for its keys
        by_lower.setdefault(other.lower(), other)
        if len(by_lower) == _MOST_COMPARED:
            break
    wanted = name.lower()
    found = [wanted] if wanted in by_lower else get_close_matches(wanted, by_lower, n=2, cutoff=_FAR)
    found = [other for other in found if _is_near(wanted, other)]
    scores = [SequenceMatcher(None, other, wanted).ratio() for other in found]
    return [
        by_lower[other]
        for other, score in zip(found, scores, strict=True)
        if score >= scores[0] - _CLOSE_SECOND
    ]


def _is_near(wanted: str, other: str) -> bool:
    """Tell whether a name is another with a slip, or with letters left out; a few letters in common are not enough."""
    short, long = sorted((wanted, other), key=len)
    rest = iter(long)
    left_out = all(letter in rest for letter in short)
    return left_out or SequenceMatcher(None, other, wanted).ratio() >= _NEAR


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """Ask whether a near name was meant, after a space; nothing where none is near."""
    return meant_question(near_names(name, known))


def meant_question(near: Sequence[str]) -> str:
    """Ask whether one of the near names was meant, after a space; nothing where there is none."""
    return f" Did you mean {' or '.join(near)}?" if near else ""


def meant_by(missing: str, given: Iterable[Any], known: Sequence[str]) -> str:
    """Ask whether a surplus name among the given was meant to be one that is missing, after a space."""
    near = near_names(missing, [name for name in given if name not in known])
    return f" One is given for {near[0]}, which is none; was that meant?" if near else ""


def listed(names: Sequence[str]) -> str:
    """List names for people, of many only the first."""
    if not names:
        return "none"
    return ", ".join(names[:_MOST_LISTED]) + (" …" if len(names) > _MOST_LISTED else "")


def no_such(what: str, name: object, known: Sequence[str]) -> str:
    """Say that there is no argument or the like of a name, and which may have been meant, or which there are."""
    shown = quoted(name) if isinstance(name, str) else quoted_value(name)
    near = did_you_mean(name, known)
    return f"There is no {what} named {shown}.{near or f' There are: {listed(known)}.'}"


def quoted_value(value: object) -> str:
    """Show a value that somebody handed in, on one short line."""
    kind = type(value).__name__
    if value is None or isinstance(value, (bool, int, float, str, bytes, tuple, list, dict)):
        shown = " ".join(repr(value).split())
        return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple):
        whole = f"an array of shape {shape} and type {getattr(value, 'dtype', '?')}"
        return whole if shape else f"the {kind} {value}"
    return f"an object of type {kind}"

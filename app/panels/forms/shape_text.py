"""Reads a shape as people type it."""

import re

from app.engine.shapes import Shape

_PARTS = re.compile(r"[\s,;x×*·]+")
_TOO_LARGE = 2**40


class ShapeTextError(Exception):
    """A text that is no shape; its message says what is expected."""


def read_shape(text: str) -> Shape | None:
    """Return the shape that a text stands for: `(64, 1, 8, 8)`, `64 × 10`, `(?, 10)`; None for an empty text."""
    body = text.strip()
    if body[:1] + body[-1:] in ("()", "[]"):
        body = body[1:-1]
    parts = [part for part in _PARTS.split(body.strip()) if part]
    if not parts:
        return None
    shape = []
    for part in parts:
        if part in ("?", "-1"):
            shape.append(0)
        elif part.isdecimal() and len(part) <= len(str(_TOO_LARGE)) and int(part) < _TOO_LARGE:
            shape.append(int(part))
        else:
            raise ShapeTextError(
                f"{part!r} is no size. Type whole numbers such as (64, 10), with ? for an open one."
            )
    return tuple(shape)

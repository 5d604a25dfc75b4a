"""Breaks long lines of generated code the way a formatter would, so that exported files are format-clean.

Only what has one obvious form is broken: calls, signatures and literals at their brackets, sums and products at their
signs. Any other long line is marked to be left as it is.
"""

import re

WIDTH = 110
_INDENT = 4
_LEAVE = "  # fmt: skip"
_HEAD = re.compile(r"(?:(?:def |return |class )?[\w.]*|[\w.]+ = [\w.]*|\"[^\"]*\": [\w.]*)\Z")
_QUOTED = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""")
_SIGNS = ((" + ", " - "), (" * ", " / ", " @ "))


class _NoObviousForm(Exception):
    """The line cannot be broken in one obvious way."""


def wrap(line: str, indent: int = 0) -> list[str]:
    """Return a statement, given without its indent, as lines that are short enough or marked."""
    if indent + len(line) <= WIDTH:
        return [" " * indent + line]
    try:
        return _broken(line, indent)
    except _NoObviousForm:
        pass
    try:
        return _in_brackets(line, indent)
    except _NoObviousForm:
        return [" " * indent + line + _LEAVE]


def _broken(line: str, indent: int) -> list[str]:
    """Break at the last bracket: arguments go on one line if they fit, else and in literals each on its own."""
    tail = ":" if line.endswith(":") else ""
    text = line.removesuffix(":") if tail else line
    start = _opening(text)
    head, body, close = text[: start + 1], text[start + 1 : -1], text[-1]
    if not _HEAD.match(head[:-1]):
        raise _NoObviousForm
    inside = indent + _INDENT
    if not body:
        raise _NoObviousForm
    lines = [" " * indent + head]
    items = _items(body)
    is_literal = not head[:-1] or head[-2] == " "
    if inside + len(body) <= WIDTH and not (is_literal and len(items) > 1):
        lines.append(" " * inside + body)
    else:
        for item in items:
            lines += _item(item, inside)
    return [*lines, " " * indent + close + tail]


def _item(item: str, indent: int) -> list[str]:
    if indent + len(item) + 1 <= WIDTH:
        return [" " * indent + item + ","]
    lines = _broken(item, indent)
    return [*lines[:-1], lines[-1] + ","]


def _in_brackets(line: str, indent: int) -> list[str]:
    """Put a sum or product of at least three parts into brackets."""
    target, sign, value = line.partition(" = ")
    if not sign or "  #" in line:
        raise _NoObviousForm
    parts = _operands(value)
    if len(parts) < 3:
        raise _NoObviousForm
    inside = indent + _INDENT
    body = [value] if inside + len(value) <= WIDTH else parts
    if any(inside + len(part) > WIDTH for part in body):
        raise _NoObviousForm
    return [" " * indent + f"{target} = (", *(" " * inside + part for part in body), " " * indent + ")"]


def _opening(text: str) -> int:
    """Return where the bracket opens that closes at the very end."""
    if not text.endswith((")", "]", "}")):
        raise _NoObviousForm
    opened = []
    for index, letter in _letters(text):
        if letter in "([{":
            opened.append(index)
        elif letter in ")]}":
            start = opened.pop()
            if index == len(text) - 1:
                return start
    raise _NoObviousForm


def _items(body: str) -> list[str]:
    """Split at the commas that are in no bracket."""
    return _split(body, (", ",), keep_sign=False)


def _operands(value: str) -> list[str]:
    """Split at the signs that bind least, each sign kept before its operand."""
    for signs in _SIGNS:
        parts = _split(value, signs, keep_sign=True)
        if len(parts) > 1:
            return parts
    return [value]


def _split(text: str, signs: tuple[str, ...], *, keep_sign: bool) -> list[str]:
    depth, start, parts = 0, 0, []
    starts = {sign[0] for sign in signs}
    for index, letter in _letters(text):
        if letter in "([{":
            depth += 1
        elif letter in ")]}":
            depth -= 1
        elif depth == 0 and letter in starts and text.startswith(signs, index):
            parts.append(text[start:index])
            start = index + 1 if keep_sign else index + len(signs[0])
    return [part for part in (*parts, text[start:]) if part.strip()]


def _letters(text: str) -> list[tuple[int, str]]:
    """List the letters outside of quoted texts."""
    quoted = {index for found in _QUOTED.finditer(text) for index in range(*found.span())}
    return [(index, letter) for index, letter in enumerate(text) if index not in quoted]

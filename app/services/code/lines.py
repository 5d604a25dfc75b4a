"""Programs line by line: each line knows which nodes of the board it is about."""

from collections.abc import Iterable, Sequence

import attrs

from app.document.records import Id

WIDTH = 100


@attrs.frozen
class CodeText:
    """A program, and for each of its lines the nodes it is about."""

    text: str
    lines: tuple[frozenset[Id], ...]

    def lines_of(self, node_id: Id) -> tuple[int, ...]:
        """Return the numbers, from 0, of the lines about a node."""
        return tuple(number for number, ids in enumerate(self.lines) if node_id in ids)


class CodeLines:
    """Collects the lines of a program."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._ids: list[frozenset[Id]] = []

    def add(self, text: str, ids: Iterable[Id] = ()) -> None:
        """Add one line, or the several lines of a text."""
        about = frozenset(ids)
        for line in text.split("\n"):
            self._texts.append(line)
            self._ids.append(about)

    def call(self, start: str, arguments: Sequence[str], ids: Iterable[Id] = ()) -> None:
        """Add a call, `start` ending in its bracket; a long one goes on below its first argument."""
        lines, indent = [start], " " * len(start)
        for number, argument in enumerate(arguments):
            text = argument + (")" if number == len(arguments) - 1 else ",")
            if number and len(lines[-1]) + 1 + len(text) > WIDTH:
                lines.append(indent + text)
            else:
                lines[-1] += f" {text}" if number else text
        self.add("\n".join(lines), ids)

    def gap(self) -> None:
        """Leave a line empty, but never two and never the first."""
        if self._texts and self._texts[-1]:
            self.add("")

    def mention(self, word: str) -> bool:
        """Tell whether any line so far contains a word."""
        return any(word in text for text in self._texts)

    def done(self, before: Sequence[str] = ()) -> CodeText:
        """Return the program with some lines before all others, and no empty lines at its end."""
        texts = [*before, *self._texts]
        while texts and not texts[-1]:
            texts.pop()
        ids = [frozenset[Id]()] * len(before) + self._ids
        return CodeText("".join(f"{line}\n" for line in texts), tuple(ids[: len(texts)]))

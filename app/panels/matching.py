"""Finds what somebody means by a few letters: whole name, prefix, the beginning of a word, then anywhere."""

import re
from collections.abc import Callable, Iterable

import attrs

_BLANKS = re.compile(r"[\s_.]+")
_WORD_STARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]|(?<![A-Za-z])[a-z]|\d+")
SIGN_SPELLINGS = {"*": "×", "/": "÷", "-": "−", "^": "xʸ", "**": "xʸ", "x^y": "xʸ"}
"""What a keyboard writes for the signs of the pictures."""


@attrs.frozen
class Candidate:
    """Something that can be searched for.

    `key` is what the caller gets back. `aliases` count like the title, but after it; `words` (a sentence, a category)
    are looked at last. Among equals the one with the smaller `order` comes first.
    """

    key: str
    title: str
    aliases: tuple[str, ...] = ()
    sign: str = ""
    words: str = ""
    order: int = 0


@attrs.frozen
class Match:
    """A candidate that was found, and which letters of its title (begin, end) were meant."""

    candidate: Candidate
    span: tuple[int, int] | None = None


def find(query: str, candidates: Iterable[Candidate]) -> list[Match]:
    """Return the candidates that `query` may mean, best first; all of them in their own order when it is blank."""
    everything = list(candidates)
    if not query.strip():
        return [Match(candidate) for candidate in sorted(everything, key=lambda one: one.order)]
    found = []
    for candidate in everything:
        rank = _rank(query.strip(), candidate)
        if rank is not None:
            found.append((rank, candidate.order, len(candidate.title), candidate.title, candidate))
    found.sort(key=lambda entry: entry[:4])
    return [Match(entry[-1], _span(query.strip(), entry[-1].title)) for entry in found]


def _rank(query: str, candidate: Candidate) -> int | None:
    if SIGN_SPELLINGS.get(query, query) == candidate.sign:
        return 0
    letters = plain(query)
    if not letters:
        return None
    for rank, (test, with_aliases) in enumerate(_TESTS):
        names = candidate.aliases if with_aliases else (candidate.title,)
        if any(test(letters, name) for name in names):
            return rank
    return len(_TESTS) if _has_words(query, candidate) else None


def plain(text: str) -> str:
    """Return `text` without the differences that nobody means: capitals, blanks, underscores, full stops."""
    return _BLANKS.sub("", text.casefold())


def initials(title: str) -> str:
    """Return the first letters of the words of a name: "fc" for FullyConnected, "ea" for elemwise_add."""
    return "".join(_WORD_STARTS.findall(title)).casefold()


def _is_whole(letters: str, name: str) -> bool:
    return plain(name) == letters


def _is_prefix(letters: str, name: str) -> bool:
    return plain(name).startswith(letters)


def _is_initials(letters: str, name: str) -> bool:
    return len(letters) > 1 and initials(name).startswith(letters)


def _begins_a_word(letters: str, name: str) -> bool:
    return any(word.startswith(letters) for word in _BLANKS.split(name.casefold()))


def _is_inside(letters: str, name: str) -> bool:
    return letters in plain(name)


_TESTS: tuple[tuple[Callable[[str, str], bool], bool], ...] = (
    (_is_whole, False),
    (_is_whole, True),
    (_is_prefix, False),
    (_is_prefix, True),
    (_is_initials, False),
    (_begins_a_word, False),
    (_is_inside, False),
    (_is_inside, True),
)


def _has_words(query: str, candidate: Candidate) -> bool:
    """Tell whether each typed word begins some word of the candidate's texts; one letter alone means too much."""
    typed = [word for word in query.casefold().split() if word]
    texts = f"{candidate.title} {candidate.words}".casefold()
    return len(query) > 2 and all(re.search(rf"\b{re.escape(word)}", texts) for word in typed)


def _span(query: str, title: str) -> tuple[int, int] | None:
    """Return where the typed letters stand in the title, blanks and underscores between them allowed."""
    letters = [re.escape(letter) for letter in query if not _BLANKS.fullmatch(letter)]
    hit = re.search(r"[\s_.]*".join(letters), title, re.IGNORECASE) if letters else None
    return hit.span() if hit else None

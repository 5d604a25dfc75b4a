"""What the palette and the finder know of each operator: name, sign, category, one line, formula."""

from collections.abc import Iterable, Mapping
from functools import cache

import attrs

from app.document.records import GROUP, VARIABLE
from app.panels.matching import Candidate

SOURCES = "Sources"
SHORT_LIST: Mapping[str, tuple[tuple[str, ...], ...]] = {
    SOURCES: ((VARIABLE,), (GROUP,)),
    "Arithmetic": (
        ("elemwise_add", "elemwise_sub", "elemwise_mul", "elemwise_div", "_power"),
        ("exp", "log", "sqrt", "tanh"),
        ("dot",),
    ),
    "Layers": (
        ("FullyConnected",),
        ("Convolution",),
        ("Pooling",),
        ("BatchNorm",),
        ("Dropout",),
        ("Embedding",),
    ),
    "Activation": (("Activation",), ("LeakyReLU",), ("softmax",)),
    "Losses": (("SoftmaxOutput",), ("LinearRegressionOutput",), ("LogisticRegressionOutput",), ("MakeLoss",)),
    "Shape": (("Flatten",), ("Reshape",), ("transpose",), ("Concat",), ("SliceChannel",)),
    "Reduction": (("sum", "mean"),),
}
"""The operators that a beginner needs, by category; the names of one row stand side by side."""

_SOURCE_DOCS = {
    VARIABLE: ("An argument: a value that is bound before the graph runs.", "", ("argument", "input")),
    GROUP: ("Binds several outputs together, in the order of its inputs.", "", ("outputs", "heads")),
}


@attrs.frozen
class Entry:
    """One operator as a person sees it before it is on the board."""

    name: str
    category: str
    sign: str = ""
    line: str = ""
    formula: str = ""
    aliases: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """What stands on a small button: the sign where the name is no plain word, else the name."""
        return self.sign if self.sign and not self.name.isalpha() else self.name


def doc_parts(doc: str | None) -> tuple[str, str]:
    """Return the first line of an operator's docstring and the formula in the paragraph after it."""
    lines = [line.strip() for line in (doc or "").strip().splitlines()]
    paragraphs: list[list[str]] = [[]]
    for line in lines:
        if line:
            paragraphs[-1].append(line)
        elif paragraphs[-1]:
            paragraphs.append([])
    first = " ".join(paragraphs[0])
    second = paragraphs[1] if len(paragraphs) > 1 else []
    is_formula = bool(second) and len(second) <= 3 and any("=" in line or "→" in line for line in second)
    return first, "\n".join(second) if is_formula else ""


@cache
def entries() -> Mapping[str, Entry]:
    """Return every operator by its own name, the sources first; loads the operators when first called."""
    from app.engine.registry import canonical_operators  # pulls numpy in: only after the first paint

    found = {
        name: Entry(name, SOURCES, line=line, formula=formula, aliases=aliases)
        for name, (line, formula, aliases) in _SOURCE_DOCS.items()
    }
    for operator in canonical_operators():
        line, formula = doc_parts(operator.__doc__)
        found[operator.op_name] = Entry(
            operator.op_name, operator.category, operator.sign, line, formula, operator.aliases
        )
    return found


def short_names(categories: Iterable[str] = SHORT_LIST) -> tuple[str, ...]:
    """Return the names of the short list in its order, or in that of these categories."""
    return tuple(name for category in categories for row in SHORT_LIST[category] for name in row)


LAYERS_FIRST = ("Layers", "Activation", "Losses", "Shape", "Reduction", "Arithmetic", SOURCES)
"""The order of the short list for what follows an array of two axes or more."""


@cache
def candidates(*, layers_first: bool = False) -> tuple[Candidate, ...]:
    """Return every operator as something to search for, those of the short list first."""
    short = short_names(LAYERS_FIRST) if layers_first else short_names()
    order = {name: index for index, name in enumerate(short)}
    listed = sorted(entries().values(), key=lambda entry: (order.get(entry.name, len(order)), entry.name))
    return tuple(
        Candidate(
            entry.name, entry.name, entry.aliases, entry.sign, f"{entry.category} {entry.line}", order=index
        )
        for index, entry in enumerate(listed)
    )

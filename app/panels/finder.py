"""The finder: type a few letters at the pointer and an operator comes onto the board."""

import time
from collections.abc import Iterator, Sequence

import attrs
from PySide6.QtCore import QPoint, QTimer, Signal
from PySide6.QtWidgets import QWidget

from app.document.analysis import Analysis
from app.document.edits import LooseEnd
from app.document.names import check_name
from app.document.reading import read_node
from app.document.records import VARIABLE, Node
from app.panels import catalogue
from app.panels.matching import Candidate, find
from app.panels.offers import Offer, offers
from app.panels.result_list import Row
from app.panels.search import SearchPopup
from app.panels.swatch import swatch_kind
from app.qt.workspace import Workspace

SLICE_S = 0.006
"""How long one turn of the event loop may try what fits a wire."""
NEW_VARIABLE = "new variable"
_NEW = Node("", VARIABLE, "")
HINT = "Enter places it  ·  Ctrl+Enter places it and stays  ·  Esc closes"


@attrs.frozen
class Choice:
    """What was chosen: an operator, a name for the node or nothing, whether the finder stays open, and the wire."""

    op: str
    name: str = ""
    stay: bool = False
    wire: LooseEnd | None = None


class Finder(SearchPopup):
    """Finds operators by name, alias, initials or sign; with a wire in hand only those that fit it.

    `chosen` carries a Choice.
    """

    chosen = Signal(object)

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(workspace.theming, parent, prompt="Search operators", hint=HINT)
        self._workspace = workspace
        self._wire: LooseEnd | None = None
        self._offers: dict[str, Offer] = {}
        self._candidates: tuple[Candidate, ...] = ()
        self._trying: Iterator[Offer] = iter(())
        self._turn = QTimer(self, interval=0)
        self._turn.timeout.connect(self._try_some)

    def open_for(self, place: QPoint, wire: LooseEnd | None = None, *, text: str = "") -> None:
        """Show the finder near a place on the screen, for everything or for what fits the loose end of a wire."""
        self._begin(wire)
        self.line.setPlaceholderText(self._prompt())
        self.open_at(place, text=text)

    @property
    def is_trying(self) -> bool:
        """Whether operators are still being tried at the wire."""
        return self._turn.isActive()

    def rows_for(self, query: str) -> Sequence[Row]:
        """Return what the typed letters may mean, and a Variable of that name where they mean nothing."""
        rows = [
            row
            for match in find(query, self._candidates)
            if (row := self._row(match.candidate.key, match.span))
        ]
        name = query.strip()
        if rows or self.is_trying or not self._can_name(name):
            return rows
        line = "Nothing else is called so." if self._wire is None else "Nothing else that fits is called so."
        return [Row(NEW_VARIABLE, f"Make a Variable named “{name}”", line=line, swatch="argument")]

    def take(self, row: Row, *, stay: bool) -> None:
        """Hand on the choice; with a wire the next one could not take the same end, so the finder closes."""
        if row.key == NEW_VARIABLE:
            self.chosen.emit(Choice(VARIABLE, self.line.text().strip(), stay, self._wire))
        else:
            self.chosen.emit(Choice(row.key, "", stay, self._wire))
        if stay and self._wire is not None:
            self._begin(self._wire)
            self.refresh(keep=True)

    def words_for_nothing(self, query: str) -> str:
        """Say what to do when nothing was found."""
        if self.is_trying:
            return "Looking for what fits …"
        if self._wire is not None and not query.strip():
            return "Nothing fits this wire."
        if self._wire is not None:
            return f"Nothing called “{query.strip()}” fits this wire."
        return f"Nothing is called “{query.strip()}”, and a Variable cannot be either."

    def _prompt(self) -> str:
        if self._wire is None:
            return "Search operators"
        name = self._workspace.document.nodes[self._wire.node].name
        return f"What {'follows' if self._wire.side == 'output' else 'feeds'} {name}?"

    def _row(self, op: str, span: tuple[int, int] | None) -> Row | None:
        entry = catalogue.entries()[op]
        offer = self._offers.get(op)
        if self._wire is not None and (offer is None or not offer.fits):
            return None
        note = f"→ {offer.shapes}" if offer is not None and offer.shapes else ""
        return Row(op, op, span, entry.sign, entry.line, entry.category, note, swatch_kind(op))

    def _can_name(self, name: str) -> bool:
        fits = self._wire is None or (VARIABLE in self._offers and self._offers[VARIABLE].fits)
        return (
            bool(name) and fits and bool(check_name(self._workspace.document, name, reading=read_node(_NEW)))
        )

    # -- trying what fits

    def _begin(self, wire: LooseEnd | None) -> None:
        self._wire = wire
        self._offers = {}
        analysis = self._workspace.analysis
        is_array = analysis is not None and wire is not None and _rank(analysis, wire) > 1
        self._candidates = catalogue.candidates(layers_first=is_array)
        if wire is None or analysis is None:
            self._turn.stop()
            return
        ops = [candidate.key for candidate in self._candidates]
        self._trying = offers(analysis, wire, ops)
        self._turn.start()
        self._try_some()

    def _try_some(self) -> None:
        """Try operators for a few milliseconds; the list grows in its own order."""
        until = time.perf_counter() + SLICE_S
        for offer in self._trying:
            self._offers[offer.op] = offer
            if time.perf_counter() >= until:
                break
        else:
            self._turn.stop()
        if self.isVisible():
            self.refresh(keep=True)


def _rank(analysis: Analysis, wire: LooseEnd) -> int:
    """Return how many axes the array on a wire has, as far as that is known."""
    if wire.side == "input":
        return len(analysis.input_shape(wire.node, wire.number).shape)
    shapes = analysis.output_shapes(wire.node)
    return len(shapes[wire.number].shape) if wire.number < len(shapes) else 0

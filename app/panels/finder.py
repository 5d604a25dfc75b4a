"""The finder: type a few letters at the pointer and an operator comes onto the board."""

import time
from collections.abc import Iterator, Sequence

import attrs
from PySide6.QtCore import QPoint, QTimer, Signal
from PySide6.QtWidgets import QWidget

from app.document.analysis import Analysis
from app.document.edits import InPlaceOf, LooseEnd, OnWire, Opening
from app.document.names import check_name
from app.document.reading import read_node
from app.document.records import VARIABLE, Node
from app.engine.registry import all_operators
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
    """What was chosen: an operator, a name for the node or nothing, whether the finder stays open, and what for."""

    op: str
    name: str = ""
    stay: bool = False
    opening: Opening | None = None


class Finder(SearchPopup):
    """Finds operators by name, alias, initials or sign; where something waits for a node only those that fit there.

    `chosen` carries a Choice.
    """

    chosen = Signal(object)

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(workspace.theming, parent, prompt="Search operators", hint=HINT)
        self._workspace = workspace
        self._opening: Opening | None = None
        self._offers: dict[str, Offer] = {}
        self._candidates: tuple[Candidate, ...] = ()
        self._trying: Iterator[Offer] = iter(())
        self._turn = QTimer(self, interval=0)
        self._turn.timeout.connect(self._try_some)

    def open_for(self, place: QPoint, opening: Opening | None = None, *, text: str = "") -> None:
        """Show the finder near a place on the screen, for everything or for what fits where a node is waited for."""
        self._begin(opening)
        self.open_at(place, text=text)

    @property
    def is_trying(self) -> bool:
        """Whether operators are still being tried."""
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
        line = (
            "Nothing else is called so." if self._opening is None else "Nothing else that fits is called so."
        )
        return [Row(NEW_VARIABLE, f"Make a Variable named “{name}”", line=line, swatch="argument")]

    def take(self, row: Row, *, stay: bool) -> None:
        """Hand on the choice; what fits next is found anew, since the choice may have taken the place."""
        if row.key == NEW_VARIABLE:
            self.chosen.emit(Choice(VARIABLE, self.line.text().strip(), stay, self._opening))
        else:
            self.chosen.emit(Choice(row.key, "", stay, self._opening))
        if stay and self._opening is not None:
            self._begin(self._opening)
            self.refresh(keep=True)

    def words_for_nothing(self, query: str) -> str:
        """Say what to do when nothing was found."""
        if self.is_trying:
            return "Looking for what fits …"
        if self._opening is not None:
            there = "these wires" if isinstance(self._opening, InPlaceOf) else "this wire"
            called = f" called “{query.strip()}”" if query.strip() else ""
            return f"Nothing{called} fits {there}."
        return f"Nothing is called “{query.strip()}”, and a Variable cannot be either."

    def _prompt(self) -> str:
        nodes, edges = self._workspace.document.nodes, self._workspace.document.edges
        match self._opening:
            case LooseEnd(node=node, side=side):
                return f"What {'follows' if side == 'output' else 'feeds'} {nodes[node].name}?"
            case OnWire(edge=edge):
                return f"What goes between {nodes[edges[edge].source].name} and {nodes[edges[edge].target].name}?"
            case InPlaceOf(node=node):
                return f"What takes the place of {nodes[node].name}?"
        return "Search operators"

    def _row(self, op: str, span: tuple[int, int] | None) -> Row | None:
        entry = catalogue.entries()[op]
        offer = self._offers.get(op)
        if self._opening is not None and (offer is None or not offer.fits):
            return None
        note = f"→ {offer.shapes}" if offer is not None and offer.shapes else ""
        return Row(op, op, span, entry.sign, entry.line, entry.category, note, swatch_kind(op))

    def _can_name(self, name: str) -> bool:
        fits = self._opening is None or (VARIABLE in self._offers and self._offers[VARIABLE].fits)
        return (
            bool(name) and fits and bool(check_name(self._workspace.document, name, reading=read_node(_NEW)))
        )

    # -- trying what fits

    def _begin(self, opening: Opening | None) -> None:
        self._opening = opening
        self.line.setPlaceholderText(self._prompt())
        self._offers = {}
        analysis = self._workspace.analysis
        is_array = analysis is not None and opening is not None and _rank(analysis, opening) > 1
        self._candidates = catalogue.candidates(layers_first=is_array)
        if opening is None or analysis is None:
            self._turn.stop()
            return
        ops = [
            candidate.key for candidate in self._candidates if candidate.key != _present(analysis, opening)
        ]
        self._trying = offers(analysis, opening, ops)
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


def _present(analysis: Analysis, opening: Opening) -> str:
    """Return the operator that stands there now, which is no other one."""
    if not isinstance(opening, InPlaceOf):
        return ""
    op = analysis.document.nodes[opening.node].op
    operator = all_operators().get(op)
    return operator.op_name if operator is not None else op


def _rank(analysis: Analysis, opening: Opening) -> int:
    """Return how many axes the array there has, as far as that is known."""
    match opening:
        case OnWire(edge=edge):
            return len(analysis.wire_shape(edge).shape)
        case LooseEnd(node=node, number=number, side="input"):
            return len(analysis.input_shape(node, number).shape)
        case LooseEnd(node=node, number=number):
            shapes = analysis.output_shapes(node)
            return len(shapes[number].shape) if number < len(shapes) else 0
    return len(analysis.input_shape(opening.node, 0).shape)

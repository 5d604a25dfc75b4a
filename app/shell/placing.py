"""What was found in the search comes onto the board: where the pointer was, wired to the wire that was in the hand."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPointF

from app.canvas.geometry import snap, visible_grid
from app.document.changes import Draft
from app.document.edits import Added, add_and_connect, add_node, rename
from app.document.records import Document, Point

if TYPE_CHECKING:
    from app.canvas.view import BoardView, SearchRequest
    from app.panels.finder import Choice, Finder

NEXT_DOWN = 96.0
"""How far below the one before a node stands that is placed while the search stays open."""


class Placing(QObject):
    """Joins the board's question, the finder's answer and the edit that follows."""

    def __init__(self, board: "BoardView", finder: "Finder") -> None:
        super().__init__(board)
        self._board = board
        self._finder = finder
        self._place: Point = (0.0, 0.0)
        board.search_requested.connect(self._search)
        finder.chosen.connect(self._put)
        finder.closed.connect(board.setFocus)

    def add_in_the_middle(self, op: str) -> None:
        """Put an operator into the middle of what is seen of the board."""
        board = self._board
        middle = board.seen_box().center()
        board.workspace.try_edit(add_node, op, self._snapped(middle))
        board.setFocus()

    def _search(self, request: "SearchRequest") -> None:
        self._place = self._snapped(request.place)
        self._finder.open_for(request.screen, request.wire)

    def _snapped(self, place: QPointF) -> Point:
        grid = visible_grid(self._board.zoom)
        return (snap(place.x(), grid), snap(place.y(), grid))

    def _put(self, choice: "Choice") -> None:
        added = self._board.workspace.try_edit(_placed, choice, self._place)
        if added is not None and choice.stay:
            self._place = (self._place[0], self._place[1] + NEXT_DOWN)


def _placed(document: Document, choice: "Choice", place: Point) -> Added:
    if choice.wire is None:
        return add_node(document, choice.op, place, name=choice.name)
    added = add_and_connect(document, choice.op, place, wire=choice.wire)
    if not choice.name:
        return added
    draft = Draft(document).include(added.transaction)
    named = rename(draft.document, added.node_id, choice.name)
    whole = draft.include(named).transaction(f"Add {choice.name}", selection=[added.node_id])
    return Added(whole, added.node_id)

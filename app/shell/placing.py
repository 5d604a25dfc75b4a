"""What was found in the search comes onto the board: where the pointer was, or into what waited for it."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPointF

from app.canvas.geometry import snap, visible_grid
from app.canvas.making_room import room_on_wire
from app.document.edits import OnWire, Opening, add_node, put
from app.document.records import Point
from app.document.room import NEWCOMER

if TYPE_CHECKING:
    from app.canvas.searching import SearchRequest
    from app.canvas.view import BoardView
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
        finder.closed.connect(self._back_to_board)

    def add_in_the_middle(self, op: str) -> None:
        """Put an operator into the middle of what is seen of the board."""
        board = self._board
        middle = board.seen_box().center()
        board.workspace.try_edit(add_node, op, self._snapped(middle))
        board.setFocus()

    def _search(self, request: "SearchRequest") -> None:
        self._place = self._snapped(request.place)
        if isinstance(request.opening, OnWire):
            self._board.board_scene.edge_items[request.opening.edge].set_state(opened=True)
        self._finder.open_for(request.screen, request.opening)

    def _back_to_board(self) -> None:
        self._board.board_scene.clear_marks()
        self._board.setFocus()

    def _snapped(self, place: QPointF) -> Point:
        grid = visible_grid(self._board.zoom)
        return (snap(place.x(), grid), snap(place.y(), grid))

    def _put(self, choice: "Choice") -> None:
        place, opening = self._with_room(choice)
        added = self._board.workspace.try_edit(put, choice.op, place, opening, name=choice.name)
        if added is not None and choice.stay:
            self._place = (self._place[0], self._place[1] + NEXT_DOWN)

    def _with_room(self, choice: "Choice") -> tuple[Point, Opening | None]:
        """Return where the chosen node goes; into a wire, with where others go that make way."""
        if not isinstance(choice.opening, OnWire):
            return self._place, choice.opening
        scene, edge = self._board.board_scene, choice.opening.edge
        aside = room_on_wire(scene, edge, QPointF(*self._place))
        place = aside.pop(NEWCOMER)
        return place, OnWire(edge, aside)

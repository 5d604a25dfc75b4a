"""Scrolling while something is held near the border of the board."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QTimer

if TYPE_CHECKING:
    from app.canvas.view import BoardView


class EdgeScroll:
    """Scrolls the board towards a pointer near its border, once that has been further inside.

    What is carried in from a palette, or taken hold of near the border, would else run away from the hand.
    """

    def __init__(
        self, view: "BoardView", pointer: Callable[[], QPoint | None], moved: Callable[[], None]
    ) -> None:
        """Ask `pointer` where it is now, None where nothing shall scroll, and tell `moved` of every scroll."""
        self._view, self._pointer, self._moved = view, pointer, moved
        self._was_inside = False
        self._timer = QTimer(view, interval=16)
        self._timer.timeout.connect(self._tick)

    def start(self, first: QPoint) -> None:
        """Begin with the pointer at a place of the view."""
        self._was_inside = self._view.edge_pull(first).isNull()
        self._timer.start()

    def stop(self) -> None:
        """Scroll no more."""
        self._timer.stop()

    def _tick(self) -> None:
        place = self._pointer()
        if place is None:
            return
        pull = self._view.edge_pull(place)
        self._was_inside |= pull.isNull()
        if self._was_inside and not pull.isNull():
            self._view.scroll_by(pull)
            self._moved()

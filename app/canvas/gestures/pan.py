"""Moving the view over the board; it runs beside any other gesture and never touches the document."""

from collections.abc import Callable

from PySide6.QtCore import QPoint, Qt


class PanGesture:
    """Keeps the point of the board that was grabbed under the pointer."""

    cursor = Qt.CursorShape.ClosedHandCursor

    def __init__(self, scroll: Callable[[QPoint], None], at: QPoint, button: Qt.MouseButton) -> None:
        self._scroll = scroll
        self._last = at
        self.button = button
        self.moved = False

    def step(self, at: QPoint) -> None:
        """Follow the pointer."""
        by = at - self._last
        if by.manhattanLength():
            self.moved = True
            self._last = at
            self._scroll(by)

"""Where on the screen a popup may stand."""

from PySide6.QtCore import QPoint, QRect, QSize
from PySide6.QtGui import QGuiApplication


def free_screen(place: QPoint) -> QRect:
    """Return the part of the screen under a place that is free for windows."""
    screen = QGuiApplication.screenAt(place) or QGuiApplication.primaryScreen()
    return screen.availableGeometry()


def on_screen(place: QPoint, size: QSize) -> QPoint:
    """Return the corner nearest to a place from which so much is wholly on the screen, if it is no larger than that."""
    free = free_screen(place)
    left = max(free.left(), min(place.x(), free.right() - size.width()))
    top = max(free.top(), min(place.y(), free.bottom() - size.height()))
    return QPoint(left, top)

"""The window itself: painted empty at once, then furnished by a workbench.

Only what an empty window needs is imported here, so that it is on the screen hardly later than any other Qt window.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QByteArray, QMimeData, QPoint, QRect, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QColor, QDragEnterEvent, QDropEvent, QPaintEvent, QPalette
from PySide6.QtWidgets import QMainWindow

if TYPE_CHECKING:
    from app.qt.settings import Settings

TITLE = "Chalkgraph"
FIRST_SIZE = (1440, 900)
FRAME, TITLE_BAR = 8, 40
"""What the system's own frame around a window takes, roughly."""
FIRST_LIGHT = "#ffffff"
FIRST_DARK = "#1c2129"
OPENABLE = (".chalk", ".json", ".params")


class Furnishing(Protocol):
    """What the window asks of whatever fills it."""

    def may_close(self) -> bool:
        """Tell whether the window may go away."""

    def close_down(self) -> None:
        """Put everything away for good."""

    def open(self, path: Path) -> None:
        """Open a file."""


class MainWindow(QMainWindow):
    """One window on the screen; everything in it belongs to its furnishing."""

    first_painted = Signal()
    """The empty window has been painted for the first time."""
    closed = Signal(object)
    """The window goes away; carries itself."""

    def __init__(self, settings: "Settings") -> None:
        super().__init__()
        self.setObjectName("main_window")
        self.setWindowTitle(TITLE)
        self.setAcceptDrops(True)
        self.furnishing: Furnishing | None = None
        self._painted = False
        self._settings = settings
        self.setPalette(QPalette(QColor(FIRST_DARK if self._is_dark() else FIRST_LIGHT)))
        if not settings.window_geometry or not self.restoreGeometry(QByteArray(settings.window_geometry)):
            self.resize(*FIRST_SIZE)
        self._fit_screen()

    def _fit_screen(self) -> None:
        """Be no larger than the screen, which is smaller in units of larger text."""
        room = self.screen().availableGeometry()
        wide, high = room.width() - FRAME, room.height() - TITLE_BAR
        if self.width() > wide or self.height() > high:
            self.resize(min(self.width(), wide), min(self.height(), high))
            self.move(room.topLeft())

    def stand_beside(self, other: "MainWindow", step: int) -> None:
        """Stand a step down and to the right of another window, smaller where the screen ends there.

        Where less than two thirds of the screen would be left, start again in its corner.
        """
        room = other.screen().availableGeometry()
        place = other.pos() + QPoint(step, step)
        if not room.contains(QRect(place, room.size() * 2 / 3)):
            place = room.topLeft()
        wide, high = room.right() + 1 - place.x() - FRAME, room.bottom() + 1 - place.y() - TITLE_BAR
        self.resize(min(self.width(), wide), min(self.height(), high))
        self.move(place)

    def _is_dark(self) -> bool:
        if self._settings.theme == "system":
            return self.palette().window().color().lightness() < 128
        return bool(self._settings.theme == "dark")

    def paintEvent(self, event: QPaintEvent) -> None:
        """Take note of the first paint."""
        super().paintEvent(event)
        if not self._painted:
            self._painted = True
            QTimer.singleShot(0, self.first_painted.emit)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take a file that can be opened."""
        if self.furnishing is not None and openable(event.mimeData()) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open the file that was dropped, once the dragging is over."""
        path, furnishing = openable(event.mimeData()), self.furnishing
        if path is not None and furnishing is not None:
            event.acceptProposedAction()
            QTimer.singleShot(0, lambda: furnishing.open(path))

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask about unsaved changes, and keep the layout for the next time."""
        if self.furnishing is not None:
            if not self.furnishing.may_close():
                event.ignore()
                return
            self._settings.window_geometry = bytes(self.saveGeometry().data())
            self.furnishing.close_down()
        event.accept()
        self.closed.emit(self)


def openable(data: QMimeData) -> Path | None:
    """Return the first file among what is dragged that this program opens."""
    paths = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
    return next((path for path in paths if path.suffix.lower() in OPENABLE), None)

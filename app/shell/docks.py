"""The panels around the middle: palette left, inspector right, code, problems and memory below."""

from collections.abc import Mapping

from PySide6.QtCore import QByteArray, Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow, QTabWidget, QWidget

LEFT = Qt.DockWidgetArea.LeftDockWidgetArea
RIGHT = Qt.DockWidgetArea.RightDockWidgetArea
BOTTOM = Qt.DockWidgetArea.BottomDockWidgetArea
PLACES = {
    "palette": ("Palette", LEFT),
    "inspector": ("Inspector", RIGHT),
    "code": ("Code", BOTTOM),
    "problems": ("Problems", BOTTOM),
    "memory": ("Memory", BOTTOM),
}
WIDTHS = {"palette": 208, "inspector": 320}
BOTTOM_HEIGHT, BOTTOM_SHARE = 248, 0.28
LAYOUT_VERSION = 1


class Docks:
    """The docks of one window; they stand empty until the panels are handed over.

    `clear_away` leaves the window to the start page, and `put_back` brings everything as it was.
    """

    def __init__(self, window: QMainWindow) -> None:
        self._window = window
        self._docks: dict[str, QDockWidget] = {}
        self._away: QByteArray | None = None
        self._is_fresh = True
        window.setDockNestingEnabled(True)
        window.setTabPosition(BOTTOM, QTabWidget.TabPosition.North)
        for corner, area in (
            (Qt.Corner.BottomLeftCorner, LEFT),
            (Qt.Corner.BottomRightCorner, RIGHT),
        ):
            window.setCorner(corner, area)
        for name, (title, area) in PLACES.items():
            self._docks[name] = _dock(name, title, window, has_tab=area == BOTTOM)
        self._arrange()

    def __getitem__(self, name: str) -> QDockWidget:
        """Return the dock of a panel."""
        return self._docks[name]

    def fill(self, panels: Mapping[str, QWidget]) -> None:
        """Put the panels into their docks."""
        for name, panel in panels.items():
            old = self._docks[name].widget()
            self._docks[name].setWidget(panel)
            if old is not None:
                old.deleteLater()

    # -- the layout

    def state(self) -> bytes:
        """Return the layout, to be restored at the next start; nothing while there was none yet.

        Before the first document the docks have whatever sizes Qt gave them in a window without any.
        """
        if self._is_fresh:
            return b""
        state = self._window.saveState(LAYOUT_VERSION) if self._away is None else self._away
        return bytes(state.data())

    def restore(self, state: bytes) -> None:
        """Lay everything out as at the end of the last session."""
        self._is_fresh = False
        if self._away is not None:
            self._away = QByteArray(state)
        elif not self._window.restoreState(QByteArray(state), LAYOUT_VERSION):
            self.reset()

    def reset(self) -> None:
        """Put everything where it was at the first start."""
        self._away = None
        self._arrange()
        self.size()

    def size(self) -> None:
        """Give the docks the sizes of the first start; they take them only in a window that is laid out."""
        self._is_fresh = False
        for name, width in WIDTHS.items():
            self._window.resizeDocks([self._docks[name]], [width], Qt.Orientation.Horizontal)
        height = min(BOTTOM_HEIGHT, round(self._window.height() * BOTTOM_SHARE))
        self._window.resizeDocks([self._docks["code"]], [height], Qt.Orientation.Vertical)

    def clear_away(self) -> None:
        """Leave the whole window to its middle."""
        if self._away is None:
            self._away = self._window.saveState(LAYOUT_VERSION)
            for dock in self._docks.values():
                dock.hide()

    def put_back(self) -> None:
        """Bring everything back that was cleared away, the first time in the usual sizes."""
        if self._away is not None:
            away, self._away = self._away, None
            if not self._window.restoreState(away, LAYOUT_VERSION):
                self.reset()
        if self._is_fresh:
            self.size()

    def _arrange(self) -> None:
        for name, (_, area) in PLACES.items():
            dock = self._docks[name]
            dock.setFloating(False)
            self._window.addDockWidget(area, dock)
            dock.show()
        for name in ("problems", "memory"):
            self._window.tabifyDockWidget(self._docks["code"], self._docks[name])
        self._docks["code"].raise_()

    # -- single panels

    def retitle(self, name: str, title: str) -> None:
        """Give a panel another title, such as one with a count."""
        self._docks[name].setWindowTitle(title)

    def is_shown(self, name: str) -> bool:
        """Tell whether a panel is there, in front or behind another tab."""
        return self._docks[name].toggleViewAction().isChecked()

    def toggle(self, name: str) -> None:
        """Show a panel in front of the others in its place; hide it if it is there already."""
        if self.is_shown(name) and not self._docks[name].visibleRegion().isEmpty():
            self._docks[name].hide()
        else:
            self.show(name)

    def show(self, name: str) -> None:
        """Show a panel in front of the others in its place, even if it was hidden."""
        self._docks[name].show()
        self._docks[name].raise_()


def _dock(name: str, title: str, window: QMainWindow, *, has_tab: bool) -> QDockWidget:
    dock = QDockWidget(title, window)
    dock.setObjectName(f"dock_{name}")
    space = QWidget()
    space.setProperty("look", "panel")
    space.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
    dock.setWidget(space)
    if has_tab:
        dock.setTitleBarWidget(QWidget())  # its tab says the title already
    return dock

"""The panels around the middle: palette left, inspector right, code and problems below."""

from collections.abc import Mapping

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow, QTabWidget, QWidget


LEFT = Qt.DockWidgetArea.LeftDockWidgetArea
RIGHT = Qt.DockWidgetArea.RightDockWidgetArea
BOTTOM = Qt.DockWidgetArea.BottomDockWidgetArea
PLACES = {
    "palette": ("Palette", LEFT),
    "inspector": ("Inspector", RIGHT),
    "code": ("Code", BOTTOM),
    "problems": ("Problems", BOTTOM),
}
WIDTHS = {"palette": 208, "inspector": 304}
BOTTOM_HEIGHT = 248


class Docks:
    """The docks of one window; they stand empty until the panels are handed over."""

    def __init__(self, window: QMainWindow) -> None:
        self._window = window
        self._docks: dict[str, QDockWidget] = {}
        window.setDockNestingEnabled(True)
        window.setTabPosition(BOTTOM, QTabWidget.TabPosition.North)
        for corner, area in (
            (Qt.Corner.BottomLeftCorner, LEFT),
            (Qt.Corner.BottomRightCorner, RIGHT),
        ):
            window.setCorner(corner, area)
        for name, (title, _) in PLACES.items():
            dock = QDockWidget(title, window)
            dock.setObjectName(f"dock_{name}")
            space = QWidget()
            space.setProperty("look", "panel")
            space.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
            dock.setWidget(space)
            self._docks[name] = dock
        self.reset()

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

    def reset(self) -> None:
        """Put everything where it was at the first start."""
        for name, (_, area) in PLACES.items():
            dock = self._docks[name]
            dock.setFloating(False)
            self._window.addDockWidget(area, dock)
            dock.show()
        self._window.tabifyDockWidget(self._docks["code"], self._docks["problems"])
        self._docks["code"].raise_()
        for name, width in WIDTHS.items():
            self._window.resizeDocks([self._docks[name]], [width], Qt.Orientation.Horizontal)
        self._window.resizeDocks([self._docks["code"]], [BOTTOM_HEIGHT], Qt.Orientation.Vertical)

    def retitle(self, name: str, title: str) -> None:
        """Give a panel another title, such as one with a count."""
        self._docks[name].setWindowTitle(title)

    def is_shown(self, name: str) -> bool:
        """Tell whether a panel is there, in front or behind another tab."""
        return self._docks[name].toggleViewAction().isChecked()

    def toggle(self, name: str) -> None:
        """Hide a panel, or show it and bring it to the front."""
        self._docks[name].setVisible(not self.is_shown(name))
        self.bring_forward(name)

    def bring_forward(self, name: str) -> None:
        """Show a panel in front of the others in its place."""
        if self.is_shown(name):
            self._docks[name].raise_()

    def show(self, name: str) -> None:
        """Show a panel even if it was hidden."""
        self._docks[name].show()
        self._docks[name].raise_()



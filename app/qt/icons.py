"""The program's own icons: SVG line drawings in the colour of the theme, sharp at every scale.

An icon asks for the theme's colour each time it is painted, so a change of theme needs nothing but a repaint.
"""

from typing import Final

from PySide6.QtCore import QByteArray, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QIconEngine, QPainter, QPixmap

from app.qt.theme import Theming
from app.resources import resource

APPLICATION_ICON: Final = "chalkgraph"
_MODE_COLOURS: Final = {QIcon.Mode.Disabled: "faint"}


def draw_icon(name: str, colour: QColor, size: int, ratio: float = 1.0) -> QPixmap:
    """Return an icon as a picture of `size` device-independent pixels."""
    from PySide6.QtSvg import QSvgRenderer

    pixels = round(size * ratio)
    picture = QPixmap(pixels, pixels)
    picture.fill(Qt.GlobalColor.transparent)
    text = resource("icons", f"{name}.svg").read_text(encoding="utf-8")
    renderer = QSvgRenderer(QByteArray(text.replace("currentColor", colour.name()).encode()))
    painter = QPainter(picture)
    renderer.render(painter, QRectF(0, 0, pixels, pixels))
    painter.end()
    picture.setDevicePixelRatio(ratio)
    return picture


class _ThemedEngine(QIconEngine):
    """Paints one drawing in the colour that the theme has at that moment."""

    def __init__(self, name: str, role: str, icons: "Icons") -> None:
        super().__init__()
        self._name = name
        self._role = role
        self._icons = icons

    def clone(self) -> QIconEngine:
        return _ThemedEngine(self._name, self._role, self._icons)

    def key(self) -> str:
        return f"chalkgraph-{self._name}"

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        return self.scaledPixmap(size, mode, state, 1.0)

    def scaledPixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State, scale: float) -> QPixmap:
        side = min(size.width(), size.height())
        return self._icons.pixmap(self._name, side, _MODE_COLOURS.get(mode, self._role), scale)

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        side = min(rect.width(), rect.height())
        ratio = painter.device().devicePixelRatioF()
        picture = self._icons.pixmap(self._name, side, _MODE_COLOURS.get(mode, self._role), ratio)
        painter.drawPixmap(
            rect.x() + (rect.width() - side) // 2, rect.y() + (rect.height() - side) // 2, picture
        )


class Icons:
    """Makes icons that follow the theme, and remembers what is drawn already."""

    def __init__(self, theming: Theming) -> None:
        self._theming = theming
        self._drawn: dict[tuple[str, int, str, float], QPixmap] = {}

    def icon(self, name: str, role: str = "text") -> QIcon:
        """Return an icon in one of the theme's colours, named by its field (`text`, `accent`, `good` ...)."""
        resource("icons", f"{name}.svg")
        return QIcon(_ThemedEngine(name, role, self))

    def pixmap(self, name: str, size: int, role: str = "text", ratio: float = 1.0) -> QPixmap:
        """Return an icon as a picture for a label or a painter."""
        colour: QColor = getattr(self._theming.theme, role)
        key = (name, size, colour.name(), ratio)
        if key not in self._drawn:
            self._drawn[key] = draw_icon(name, colour, size, ratio)
        return self._drawn[key]


def application_icon() -> QIcon:
    """Return the program's own icon, in the sizes that window lists and task bars ask for."""
    icon = QIcon()
    for size in (16, 32, 48, 64, 128, 256):
        icon.addPixmap(draw_icon(APPLICATION_ICON, QColor(), size))
    return icon

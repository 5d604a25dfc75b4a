"""One operator of the palette: what is seen, dragged and pressed."""

from PySide6.QtCore import QMimeData, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QDrag, QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QAbstractButton, QApplication, QSizePolicy, QWidget

from app.panels.catalogue import Entry
from app.panels.swatch import paint_swatch, swatch_kind
from app.qt import fonts
from app.qt.theme import HALF_STEP, RADIUS, STEP, Theme
from app.qt.workspace import Workspace

MIME_TYPE = "application/x-chalkgraph-operator"
ROW_HEIGHT = 24


class PaletteEntry(QAbstractButton):
    """One operator of the palette: drag it out, or double-click it or press Enter."""

    add_requested = Signal(str)

    def __init__(self, entry: Entry, theme: Theme, *, swatch: bool) -> None:
        super().__init__()
        self.entry = entry
        self._theme = theme
        self._swatch = swatch
        self._pressed_at: QPoint | None = None
        self.setFont(fonts.text_font())
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        self.setSizePolicy(
            QSizePolicy.Policy.Expanding if swatch else QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed
        )
        self.describe(entry)

    def describe(self, entry: Entry) -> None:
        """Take over what the operator says of itself."""
        self.entry = entry
        self.setText(entry.name if self._swatch else entry.shown)
        self.setAccessibleName(entry.name)
        self.setAccessibleDescription(entry.line)
        paragraphs = [fonts.strong(_escape(entry.name)), _escape(entry.line)]
        if entry.formula:
            formula = _escape(entry.formula).replace("\n", "<br>")
            paragraphs.append(f"<span style=\"font-family: '{fonts.MONO_FAMILY}'\">{formula}</span>")
        self.setToolTip("<p>" + "</p><p>".join(part for part in paragraphs if part) + "</p>")

    def sizeHint(self) -> QSize:
        """Ask for the room of the name."""
        text = self.fontMetrics().horizontalAdvance(self.text())
        return QSize(text + (36 if self._swatch else STEP + HALF_STEP), ROW_HEIGHT)

    def minimumSizeHint(self) -> QSize:
        """Be content with the picture and a few letters."""
        return QSize(56 if self._swatch else self.sizeHint().width(), ROW_HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw picture and name; a frame where the keyboard is, a ground where the pointer is."""
        painter = QPainter(self)
        self.render_row(painter, QRectF(self.rect()))

    def render_row(self, painter: QPainter, area: QRectF) -> None:
        """Draw the entry into an area; also what is seen under the pointer while it is dragged."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.hasFocus() or self.underMouse():
            painter.setPen(self._theme.accent if self.hasFocus() else Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.accent_soft if self.hasFocus() else self._theme.hover)
            painter.drawRoundedRect(area.adjusted(0.5, 0.5, -0.5, -0.5), RADIUS, RADIUS)
        text = area.adjusted(HALF_STEP, 0, -HALF_STEP, 0)
        if self._swatch:
            place = QRectF(area.left() + HALF_STEP, area.top(), 20, area.height())
            paint_swatch(painter, place, swatch_kind(self.entry.name), self._theme)
            text.setLeft(place.right() + STEP)
        painter.setFont(self.font())
        painter.setPen(self._theme.text)
        cut = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, int(text.width()))
        side = Qt.AlignmentFlag.AlignLeft if self._swatch else Qt.AlignmentFlag.AlignHCenter
        painter.drawText(text, Qt.AlignmentFlag.AlignVCenter | side, cut)

    def restyle(self, theme: Theme) -> None:
        """Paint in another theme."""
        self._theme = theme
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Remember where a drag may begin."""
        super().mousePressEvent(event)
        self._pressed_at = event.position().toPoint()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Begin to drag once the pointer has moved far enough."""
        if self._pressed_at is None or not event.buttons() & Qt.MouseButton.LeftButton:
            return
        way = (event.position().toPoint() - self._pressed_at).manhattanLength()
        if way >= QApplication.startDragDistance():
            self._pressed_at = None
            self.setDown(False)
            self._drag()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Ask for the operator on the board's centre."""
        self.add_requested.emit(self.entry.name)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Let Enter ask for the operator."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.add_requested.emit(self.entry.name)
        else:
            event.ignore()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Draw the frame."""
        super().focusInEvent(event)
        self.update()

    def mime_data(self) -> QMimeData:
        """Return what a drop receives: the operator's name."""
        data = QMimeData()
        data.setData(MIME_TYPE, self.entry.name.encode())
        data.setText(self.entry.name)
        return data

    def _drag(self) -> None:
        drag = QDrag(self)
        drag.setMimeData(self.mime_data())
        ratio = self.devicePixelRatioF()
        # The board draws where the node will stand; the picture is whole, and beside the pointer.
        picture = QPixmap(self.size().expandedTo(self.sizeHint()) * ratio)
        picture.setDevicePixelRatio(ratio)
        picture.fill(Qt.GlobalColor.transparent)
        with QPainter(picture) as painter:
            self.render_row(painter, QRectF(QPointF(0, 0), self.sizeHint().toSizeF()))
        drag.setPixmap(picture)
        drag.setHotSpot(QPoint(-24, ROW_HEIGHT + 16))
        drag.exec(Qt.DropAction.CopyAction)
        self.update()


class SwatchOnly(QWidget):
    """The picture before a row of signs."""

    def __init__(self, name: str, workspace: Workspace) -> None:
        super().__init__()
        self._kind = swatch_kind(name)
        self._workspace = workspace
        self.setFixedSize(28, ROW_HEIGHT)
        workspace.view_option_changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the picture."""
        painter = QPainter(self)
        paint_swatch(painter, QRectF(HALF_STEP, 0, 20, ROW_HEIGHT), self._kind, self._workspace.theme)


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

"""The whole board in a corner of the view: where one is in it, and a handle to go elsewhere."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QWidget

from app.canvas.ink import pen

if TYPE_CHECKING:
    from app.canvas.view import BoardView

SIZE = QSize(208, 144)
INSET = 12
MARGIN = 6.0
PAUSE = 120
"""Milliseconds after the last change before the picture is drawn anew, so that a row of edits costs one drawing."""


class Minimap(QWidget):
    """Draws the board into a picture when it has changed and rests, and over it what is in sight.

    A press beside what is in sight goes there; dragging carries the sight along.
    """

    def __init__(self, view: "BoardView") -> None:
        super().__init__(view)
        self._view = view
        self._picture: QPixmap | None = None
        self._shown = QRectF()
        self._grip: QPointF | None = None
        self._pause = QTimer(self, singleShot=True, interval=PAUSE)
        self._pause.timeout.connect(self.redraw)
        self.resize(SIZE)
        self.setAccessibleName("Map of the board")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        view.board_scene.content_changed.connect(self.look_again)
        view.workspace.view_option_changed.connect(self.look_again)
        view.workspace.settings.changed.connect(self._on_setting)
        self.setVisible(view.workspace.settings.minimap)

    def toggle(self) -> None:
        """Come or go; the setting remembers it."""
        settings = self._view.workspace.settings
        settings.minimap = not settings.minimap

    def _on_setting(self, name: str) -> None:
        if name == "minimap":
            self.place()

    def place(self) -> None:
        """Stand in the lower right corner of the view, away in one that is too small for it."""
        room = self._view.viewport().geometry()
        self.move(room.right() + 1 - INSET - self.width(), room.bottom() + 1 - INSET - self.height())
        fits = room.width() > 2 * SIZE.width() and room.height() > 2 * SIZE.height()
        self.setVisible(fits and self._view.workspace.settings.minimap)

    def look_again(self) -> None:
        """Draw the board anew once it rests."""
        if self.isVisible():
            self._pause.start()

    def showEvent(self, event: object) -> None:
        """Draw the board when it comes into sight."""
        self._pause.start(0)

    # Where things are --------------------------------------------------------------------------------------------

    @property
    def _scale(self) -> float:
        room = self.rect().toRectF().adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN)
        across, down = max(self._shown.width(), 1.0), max(self._shown.height(), 1.0)
        return min(room.width() / across, room.height() / down)

    def on_map(self, place: QPointF) -> QPointF:
        """Return where in the map a place of the board is."""
        return (place - self._shown.center()) * self._scale + self.rect().toRectF().center()

    def on_board(self, place: QPointF) -> QPointF:
        """Return the place of the board that is at a place in the map."""
        return (place - self.rect().toRectF().center()) / self._scale + self._shown.center()

    def _box(self, box: QRectF) -> QRectF:
        return QRectF(self.on_map(box.topLeft()), self.on_map(box.bottomRight()))

    @property
    def sight(self) -> QRectF:
        """Where in the map that is which the view shows, as far as it is on the map."""
        return self._box(self._view.seen_box()).intersected(self.rect().toRectF().adjusted(1, 1, -1, -1))

    # Painting ----------------------------------------------------------------------------------------------------

    def redraw(self) -> None:
        """Draw the board into the picture."""
        self._shown = self._view.content_box()
        ratio = self.devicePixelRatioF()
        picture = QPixmap(self.size() * ratio)
        picture.setDevicePixelRatio(ratio)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        self._paint_board(painter)
        painter.end()
        self._picture = picture
        self.update()

    def _paint_board(self, painter: QPainter) -> None:
        scene, ink = self._view.board_scene, self._view.ink()
        for frame in sorted(scene.annotations.frames.values(), key=lambda item: item.zValue()):
            painter.fillRect(self._box(frame.box), ink.frame(frame.record.colour).bar)
        for note in scene.annotations.notes.values():
            painter.fillRect(self._box(note.box), ink.note.line)
        far = scene.far_picture()
        painter.save()
        painter.translate(self.rect().toRectF().center())
        painter.scale(self._scale, self._scale)
        painter.translate(-self._shown.center())
        for wires in far.lines:
            painter.setPen(pen(ink.theme.wire_faint, 0))
            painter.drawLines(wires.lines)
        for group in far.boxes:
            # the outline, as wide at any zoom, keeps the smallest in sight
            painter.setPen(pen(group.outline(ink), 0))
            painter.setBrush(group.outline(ink))
            painter.drawRects(group.boxes)
        painter.restore()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the ground, the picture and what is in sight."""
        theme = self._view.ink().theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ground = QColor(theme.panel)
        ground.setAlpha(248)
        painter.setPen(pen(theme.border, 1.0))
        painter.setBrush(ground)
        painter.drawRoundedRect(self.rect().toRectF().adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        if self._picture is not None:
            painter.drawPixmap(0, 0, self._picture)
        veil = QColor(theme.accent)
        veil.setAlpha(30)
        painter.setPen(pen(theme.accent, 1.4))
        painter.setBrush(veil)
        painter.drawRoundedRect(self.sight.adjusted(1, 1, -1, -1), 2, 2)

    # The hand ----------------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of what is in sight; beside it, go there first."""
        if event.button() != Qt.MouseButton.LeftButton:
            return
        at = event.position()
        centre = self.on_map(self._view.seen_box().center())
        self._grip = centre - at if self.sight.contains(at) else QPointF()
        self._go(at)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Carry the sight along."""
        if self._grip is not None:
            self._go(event.position())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go of it."""
        self._grip = None

    def _go(self, at: QPointF) -> None:
        assert self._grip is not None, "only what is held can be carried"
        self._view.show_centre(self.on_board(at + self._grip))
        self.update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Do what two presses do: the search belongs to the board."""
        self.mousePressEvent(event)

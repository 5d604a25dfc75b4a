"""The scene's item for one frame: a tinted rectangle behind everything, with a title that can be read from afar."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from app.canvas import strokes
from app.canvas.ink import ELIDE_RIGHT, pen, words
from app.canvas.looks import Kit
from app.document.records import Frame

BAR = 28.0
"""How high the title bar is at 100 %."""
INSET = 10.0
TITLE_FROM = 0.75
"""Below this zoom bar and title stay as large on the screen as they are here; the bar grows upwards."""
LEAST_TITLE = 24.0
"""A title with less room than this on the screen is left out."""
RADIUS = 6.0
MARGIN = 4.0


class FrameItem(QGraphicsItem):
    """One frame; its position is its left upper corner. Larger ones lie behind smaller ones."""

    def __init__(self, frame: Frame, kit: Kit) -> None:
        super().__init__()
        self._frame = frame
        self._kit = kit
        self.box = QRectF()
        """Its rectangle on the board as it is shown now, a preview included."""
        self.hovered = self.selected = self.lit = self.renaming = False
        self.growth = self._growth_now()
        """How many times larger than at 100 % the bar is drawn on the board."""
        self.show_record(frame)

    @property
    def record(self) -> Frame:
        """The frame as the document has it."""
        return self._frame

    @property
    def name(self) -> str:
        """Its title."""
        return self._frame.title

    def show_record(self, frame: Frame) -> None:
        """Show the frame as the document has it."""
        if frame != self._frame:
            self._frame = frame
            self.update()
        self.show_box(QRectF(*frame.position, *frame.size))

    def show_box(self, box: QRectF) -> None:
        """Show it as another rectangle."""
        if box == self.box:
            return
        self.prepareGeometryChange()
        self.box = box
        self.setPos(box.topLeft())
        area = box.width() * box.height()
        self.setZValue(-1.0 - area / (area + 1e6))
        self.update()

    def move_to(self, place: QPointF) -> None:
        """Show it elsewhere."""
        if place != self.pos():
            self.show_box(QRectF(place, self.box.size()))

    def set_state(self, **changes: bool) -> None:
        """Change what the pointer, a gesture or the selection makes of it."""
        if any(getattr(self, name) != value for name, value in changes.items()):
            for name, value in changes.items():
                setattr(self, name, value)
            self.update()

    def rescale(self) -> None:
        """Take note of another zoom, at which the bar may have another height.

        Until then the box must stay as it was: Qt looks where an item lay to forget it, and crashes on one that it did
        not find there.
        """
        self.prepareGeometryChange()
        self.growth = self._growth_now()

    def _growth_now(self) -> float:
        return max(1.0, TITLE_FROM / max(self._kit.scale, 1e-3))

    @property
    def bar(self) -> QRectF:
        """The title bar on the board; it is what the frame can be grabbed at."""
        high = BAR * self.growth
        return QRectF(self.box.left(), self.box.top() + BAR - high, self.box.width(), high)

    def place_of(self, role: str) -> QRectF:
        """Return where on the board its title lies."""
        inset = INSET * self.growth
        return self.bar.adjusted(inset, 0, -inset, 0)

    def boundingRect(self) -> QRectF:
        """Return the box of everything painted."""
        here = self.box.united(self.bar).translated(-self.pos())
        return here.adjusted(-MARGIN, -MARGIN, MARGIN, MARGIN)

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        """Paint the ground, the bar, the outline and the title."""
        theme, tint = self._kit.ink.theme, self._kit.ink.frame(self._frame.colour)
        bar = self.bar.translated(-self.pos())
        whole = self.box.translated(-self.pos()).united(bar)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tint.ground)
        painter.drawRoundedRect(whole, RADIUS, RADIUS)
        painter.setBrush(tint.bar)
        painter.drawRoundedRect(bar, RADIUS, RADIUS)
        chosen = self.selected or self.lit
        line = pen(
            theme.accent if chosen else tint.strong if self.hovered else tint.line, 2.0 if chosen else 1.2
        )
        line.setCosmetic(True)
        if self.lit:
            line.setStyle(Qt.PenStyle.DashLine)
        painter.setPen(line)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(whole, RADIUS, RADIUS)
        self._paint_title(painter)

    def _paint_title(self, painter: QPainter) -> None:
        place, growth = self.place_of("name").translated(-self.pos()), self.growth
        if self.renaming or not self._frame.title or place.width() * self._kit.scale < LEAST_TITLE:
            return
        text = words(self._frame.title, "name", round(place.width() / growth), ELIDE_RIGHT)
        painter.save()
        painter.translate(place.left(), place.center().y())
        painter.scale(growth, growth)
        strokes.paint_words(painter, QPointF(0.0, -text.height / 2), text, self._kit.ink.theme.text)
        painter.restore()

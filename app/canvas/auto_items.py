"""The arguments that nobody wired: small ellipses beside their node, with the names that MXNet makes for them."""

import attrs
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from app.canvas import strokes
from app.canvas.geometry import AUTO_RADII, Spot
from app.canvas.ink import Script, words
from app.canvas.looks import Id, Kit, ShapeLook
from app.canvas.ways import arrow_head, centred, unit

AUTO_LEVEL = 2.0


@attrs.frozen
class AutoLook:
    """All that is drawn of one automatic argument."""

    owner: Id
    number: int
    name: str
    label: str
    port: str
    role: str
    shape: ShapeLook
    spot: Spot
    style: str
    room: float = 0.0

    @property
    def key(self) -> tuple[Id, int]:
        """The node and input it belongs to."""
        return self.owner, self.number


class AutoItem(QGraphicsItem):
    """One automatic argument; its position is its node's."""

    def __init__(self, look: AutoLook, kit: Kit) -> None:
        super().__init__()
        self._look = look
        self._kit = kit
        self.hovered = False
        self.dimmed = False
        self.setZValue(AUTO_LEVEL)
        self._measure()

    @property
    def look(self) -> AutoLook:
        """What is drawn of the argument."""
        return self._look

    def show_look(self, look: AutoLook) -> None:
        """Take over a new look."""
        if look != self._look:
            self.prepareGeometryChange()
            self._look = look
            self._measure()
            self.update()

    def set_state(self, **changes: bool) -> None:
        """Change what the pointer or a gesture makes of the argument."""
        if any(getattr(self, name) != value for name, value in changes.items()):
            for name, value in changes.items():
                setattr(self, name, value)
            self.update()

    def _measure(self) -> None:
        look = self._look
        centre = look.spot.centre
        self._body = centred(2 * AUTO_RADII.x(), 2 * AUTO_RADII.y()).translated(centre)
        self._name = words(look.label, "small")
        script: Script = "mono slanted" if look.shape.slanted else "mono small"
        # The others in its row have the same room; the tip says a shape that is shortened here.
        self._shape = words(look.shape.text, script, look.room)
        height = self._name.height + self._shape.height
        width = max(self._name.width, self._shape.width)
        if look.style != "card":
            left = self._body.right() + 6 if centre.x() > 0 else self._body.left() - 6 - width
            self._text = QRectF(left, centre.y() - height / 2, width, height)
        elif centre.y() < look.spot.foot.y():
            self._text = QRectF(centre.x() - width / 2, self._body.top() - height - 1, width, height)
        else:
            self._text = QRectF(centre.x() - width / 2, self._body.bottom() + 1, width, height)
        line = QRectF(centre, look.spot.foot).normalized()
        self._bounds = self._body.united(self._text).united(line).adjusted(-4, -4, 4, 4)

    def boundingRect(self) -> QRectF:
        """Return the box of everything painted."""
        return self._bounds

    @property
    def box(self) -> QRectF:
        """The box on the board of its ellipse and its words."""
        return self._body.united(self._text).translated(self.pos())

    @property
    def text_box(self) -> QRectF:
        """Where its name and shape are written on the board."""
        return self._text.translated(self.pos())

    def holds(self, point: QPointF) -> bool:
        """Tell whether a point of the board is on its ellipse or its name."""
        here = point - self.pos()
        return self._body.adjusted(-4, -4, 4, 4).contains(here) or self._name_box().contains(here)

    def shape_holds(self, point: QPointF) -> bool:
        """Tell whether its shape is written at a point of the board."""
        here = point - self.pos()
        return self._text.contains(here) and here.y() > self._text.top() + self._name.height

    def _name_box(self) -> QRectF:
        return QRectF(self._text.topLeft(), self._name.size + self._text.topLeft())

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        """Paint the line to its node, the ellipse, the name and the shape."""
        ink, look = self._kit.ink, self._look
        if self.dimmed:
            painter.setOpacity(0.3)
        along = unit(look.spot.foot - look.spot.centre)
        painter.setPen(ink.wire_faint)
        painter.drawLine(look.spot.centre, look.spot.foot)
        if look.style != "card":
            painter.setBrush(ink.theme.wire_faint)
            painter.drawPolygon(arrow_head(look.spot.foot, along, 8.0))
        painter.setPen(ink.hovered if self.hovered else ink.outline)
        painter.setBrush(ink.fill("auxiliary" if look.role == "auxiliary" else "variable"))
        painter.drawEllipse(self._body)
        if self._kit.scale < strokes.SMALL_WORDS_FROM:
            return
        if look.role == "auxiliary":
            strokes.paint_middle(painter, self._body, words("S", "tiny"), ink.on_auxiliary)
        self._paint_text(painter)

    def _paint_text(self, painter: QPainter) -> None:
        theme = self._kit.ink.theme
        colour = theme.text if self.hovered else theme.muted
        box, top = self._text, self._text.top()
        strokes.clear_ground(painter, box, self._kit.ink)
        for text in (self._name, self._shape):
            if self._look.style == "card":
                left = box.center().x() - text.width / 2
            else:
                left = box.left() if self._look.spot.centre.x() > 0 else box.right() - text.width
            strokes.paint_words(painter, QPointF(left, top), text, colour)
            top += text.height

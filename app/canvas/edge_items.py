"""The scene's item for one wire, with the shape of what runs through it."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPen, QPolygonF
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from app.canvas import strokes
from app.canvas.geometry import WIRE_REACH, reach_at
from app.canvas.ink import Words
from app.canvas.looks import EdgeLook, Kit
from app.canvas.picture_style import shape_words
from app.canvas.ways import Wire, arrow_head, centred, distance_to_way, text_place

WIRE_LEVEL = 1.0
OPENED_LEVEL = 6.0
HAND_LEVEL = 8.0
PILL_MARGIN = 8.0


class EdgeItem(QGraphicsItem):
    """One wire; arrows in Picture style, curves between ports in Card style."""

    def __init__(self, look: EdgeLook, way: Wire, style: str, kit: Kit) -> None:
        super().__init__()
        self._look = look
        self._kit = kit
        self._style = style
        self._way = way
        self._near: list[QRectF] = []
        self.selected = False
        self.hovered = False
        self.pale = False
        self.dimmed = False
        self.opened = False  # a release would put a node in between
        self.doomed = False  # a release would cut it
        self.setZValue(WIRE_LEVEL)
        self._measure()

    @property
    def look(self) -> EdgeLook:
        """What is drawn of the wire besides its way."""
        return self._look

    @property
    def style(self) -> str:
        """The name of the style it is drawn in."""
        return self._style

    @property
    def way(self) -> Wire:
        """Where the wire runs, on the board."""
        return self._way

    def show_look(self, look: EdgeLook) -> None:
        """Take over a new look."""
        if look != self._look:
            self._look = look
            self._changed()

    def keep_clear_of(self, near: list[QRectF]) -> None:
        """Write the shape where it covers none of these boxes on the board, if there is such a place."""
        if near != self._near:
            self._near = near
            self._changed()

    def run(self, way: Wire, style: str) -> None:
        """Run along another way."""
        if way != self._way or style != self._style:
            self._way, self._style = way, style
            self._changed()

    def set_state(self, **changes: bool) -> None:
        """Change what the pointer, the selection or a gesture makes of the wire."""
        if any(getattr(self, name) != value for name, value in changes.items()):
            for name, value in changes.items():
                setattr(self, name, value)
            # A wire that opens for a node shines through it, since the node hides most of it.
            self.setZValue(OPENED_LEVEL if self.opened else WIRE_LEVEL)
            self.update()

    def _changed(self) -> None:
        self.prepareGeometryChange()
        self._measure()
        self.update()

    def _measure(self) -> None:
        self._path = self._way.path()
        self._line: list[QPointF] | None = None
        shape = self._look.shape
        self._words: Words = shape_words(shape.text, slanted=shape.slanted)
        self._text_box = self._place_text()
        bounds = self._path.controlPointRect().adjusted(-8, -8, 8, 8)
        if self._text_box is not None:
            mark = 22.0 if self._look.problem else 3.0
            bounds = bounds.united(self._text_box.adjusted(-3, -4, mark, 4))
        self._bounds = bounds

    def _place_text(self) -> QRectF | None:
        width, height = self._words.width, self._words.height
        if self._style != "card":
            return text_place(self._way, width, height, self._near) if self._path.length() > 36 else None
        room = self._path.length() - 2 * PILL_MARGIN
        if room >= width + 56:
            return centred(width + 20, height + 6).translated(self._way.middle)
        if room >= width - 8 and abs(self._way.along.y()) < 0.35:
            return centred(width, height).translated(self._way.middle - QPointF(0, height / 2 + 4))
        return None

    @property
    def text_box(self) -> QRectF:
        """Where the shape is written on the board; an empty box where it isn't."""
        return self._text_box if self._text_box is not None else QRectF()

    def boundingRect(self) -> QRectF:
        """Return the box of everything painted."""
        return self._bounds

    def shape(self) -> QPainterPath:
        """Return the bounding box: hits measure the distance to the way themselves, which is cheaper."""
        path = QPainterPath()
        path.addRect(self._bounds)
        return path

    def polyline(self) -> list[QPointF]:
        """Return points along the way, close enough together to measure by."""
        if self._line is None:
            self._line = self._way.polyline()
        return self._line

    def hit(self, point: QPointF, scale: float) -> float | None:
        """Return how far along the wire (0 … 1) a point lies, None where it is too far off."""
        apart, at = distance_to_way(point, self.polyline())
        return at if apart <= reach_at(scale, WIRE_REACH) else None

    def _pen(self) -> QPen:
        ink = self._kit.ink
        if self.pale:
            return ink.wire_pale
        if self.doomed:
            return strokes.dashed(ink.wire_wrong)
        if self.opened:
            return ink.wire_opened
        if self._look.problem:
            return ink.wire_wrong
        if self.selected:
            return ink.wire_selected
        return ink.hovered if self.hovered else ink.wire

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        """Paint the way, its arrow head and its shape."""
        if self.dimmed:
            painter.setOpacity(0.3)
        pen = self._pen()
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(self._path)
        if self._style != "card":
            painter.setPen(QPen(pen.color(), 1))
            painter.setBrush(pen.color())
            painter.drawPolygon(QPolygonF(arrow_head(self._way.end, self._way.arriving)))
        if (
            self._text_box is not None
            and self._kit.scale >= strokes.SMALL_WORDS_FROM
            and not (self.pale or self.opened)
        ):
            self._paint_shape(painter, self._text_box)

    def _paint_shape(self, painter: QPainter, box: QRectF) -> None:
        theme = self._kit.ink.theme
        wrong = bool(self._look.problem)
        colour = theme.error if wrong else theme.text if self.hovered or self.selected else theme.muted
        if self._style == "card" and box.height() > self._words.height:
            painter.setPen(self._kit.ink.wire_wrong if wrong else self._kit.ink.card)
            painter.setBrush(theme.card)
            painter.drawRoundedRect(box, box.height() / 2, box.height() / 2)
        else:
            strokes.clear_ground(painter, box, self._kit.ink)
        strokes.paint_middle(painter, box, self._words, colour)
        if wrong:
            strokes.paint_badge(painter, QPointF(box.right() + 10, box.center().y()), self._kit.ink)


class LooseWireItem(QGraphicsItem):
    """The wire in the hand."""

    def __init__(self, kit: Kit, style: str) -> None:
        super().__init__()
        self._kit = kit
        self._style = style
        self._way: Wire | None = None
        self._fits = False
        self._refused = False
        self.setZValue(HAND_LEVEL)

    def run(self, way: Wire, *, fits: bool, refused: bool) -> None:
        """Run to the pointer; solid over a port that fits, dashed else, red where it is refused."""
        self.prepareGeometryChange()
        self._way, self._fits, self._refused = way, fits, refused
        self.update()

    def boundingRect(self) -> QRectF:
        """Return the box of everything painted."""
        return self._way.path().controlPointRect().adjusted(-12, -12, 12, 12) if self._way else QRectF()

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        """Paint the way and, in Picture style, its arrow head."""
        if self._way is None:
            return
        pen = QPen(self._kit.ink.wire_wrong if self._refused else self._kit.ink.wire_in_hand)
        if not self._fits:
            pen.setStyle(Qt.PenStyle.DashLine)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(self._way.path())
        painter.setPen(QPen(pen.color(), 1))
        painter.setBrush(pen.color())
        if self._style != "card":
            painter.drawPolygon(QPolygonF(arrow_head(self._way.end, self._way.arriving)))
        else:
            painter.drawEllipse(self._way.end, 3.5, 3.5)

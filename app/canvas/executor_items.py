"""The nodes of the executor graph: squares or tiles for arrays, a circle for what is handed in."""

from collections.abc import Callable

import attrs
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from app.canvas import strokes
from app.canvas.executor_looks import ExecutorKind, ExecutorLook
from app.canvas.executor_plates import Plate, body_of, square_plate, tile_name, tile_plate
from app.canvas.ink import Ink, Label, words
from app.canvas.labels import Surroundings, grown, room_to_grow
from app.canvas.looks import Kit
from app.canvas.ways import centred
from app.qt.colours import PictureColours, readable_on

RADIUS = 3.0
LETTER_ROOM = 1.15
"""How far the line of a letter may go beyond the square: its letter itself is less high."""
CORNER_SIGN = 15.0
"""The side of the little square with the letter in the corner of a tile that shows its array."""
USUAL_ROOM = 160.0
RING = 3.0
"""How far from a body the line of its selection runs; words begin `labels.GAP` from it."""


def colour_of(kind: ExecutorKind, picture: PictureColours) -> QColor:
    """Return the colour of the pictures for a kind of node."""
    match kind:
        case "argument":
            return picture.argument
        case "output":
            return picture.output
        case "auxiliary":
            return picture.auxiliary
        case "holder":
            return picture.gradient
        case "head":
            return picture.head_gradient
    return picture.internal


def ring_of(body: QRectF) -> QRectF:
    """Return where the line runs that marks a selected node."""
    return body.adjusted(-RING, -RING, RING, RING)


def paint_sign(
    painter: QPainter, box: QRectF, kind: ExecutorKind, letter: str, ink: Ink, scale: float = 1.0
) -> None:
    """Draw one node's square or circle with its letter, which fills it at a small zoom."""
    fill = colour_of(kind, ink.picture)
    painter.setBrush(fill)
    if kind == "head":
        painter.drawEllipse(box)
    else:
        painter.drawRoundedRect(box, RADIUS, RADIUS)
    if letter:
        text = words(letter, "letter")
        most = min(LETTER_ROOM * box.width() / text.width, LETTER_ROOM * box.height() / text.height)
        growth = min(strokes.growth_at(scale, text), max(most, 1.0))
        middle = Label("index", centred(text.width, text.height).translated(box.center()), text)
        strokes.paint_grown(painter, middle, box.center(), growth, readable_on(fill))


class ExecutorItem(QGraphicsItem):
    """One array or backward node."""

    def __init__(self, look: ExecutorLook, kit: Kit, around: Callable[[int], Surroundings]) -> None:
        super().__init__()
        self._look = look
        self._kit = kit
        self._around = around
        self._plate: Plate | None = None
        self._bounds: QRectF | None = None
        self.room = USUAL_ROOM
        """How wide the name of a tile may be."""
        self.selected = False
        self.hovered = False
        self.setZValue(3.0)

    @property
    def look(self) -> ExecutorLook:
        """What is drawn of the node."""
        return self._look

    def show_look(self, look: ExecutorLook) -> bool:
        """Take over a new look; False when nothing changed."""
        if look == self._look:
            return False
        self._look = look
        self.lay_out()
        return True

    def lay_out(self) -> None:
        """Place the words anew."""
        self.prepareGeometryChange()
        self._plate = self._bounds = None
        self.update()

    def set_state(self, **changes: bool) -> None:
        """Change what the selection or the pointer makes of the node."""
        if any(getattr(self, name) != value for name, value in changes.items()):
            for name, value in changes.items():
                setattr(self, name, value)
            self.update()

    @property
    def box(self) -> QRectF:
        """The square, tile or circle on the board."""
        return body_of(self._look).translated(self.pos())

    @property
    def plate(self) -> Plate:
        """Where the words lie, relative to the node."""
        if self._plate is None:
            look = self._look
            is_square = look.form == "square"
            self._plate = (
                square_plate(look, self._around(look.index)) if is_square else tile_plate(look, self.room)
            )
        return self._plate

    @property
    def written(self) -> list[QRectF]:
        """The boxes on the board of all words, in their usual size, and of the heatmap."""
        boxes = [label.box for label in self.plate.labels]
        if self.plate.heat is not None:
            boxes.append(self.plate.heat)
        return [box.translated(self.pos()) for box in boxes]

    @property
    def written_large(self) -> list[QRectF]:
        """The same with the name as large as it may be written."""
        plate = self.plate
        name = grown(plate.name_box, plate.foot, plate.growth)
        return [*self.written, name.translated(self.pos())]

    def limit_growth(self, others: list[QRectF]) -> None:
        """Keep the name, however small the zoom, clear of these boxes on the board."""
        plate = self.plate
        met = [other.translated(-self.pos()) for other in others]
        growth = room_to_grow(plate.name_box, plate.foot, met)
        if growth < plate.growth:
            self.prepareGeometryChange()
            self._plate, self._bounds = attrs.evolve(plate, growth=growth), None
            self.update()

    def boundingRect(self) -> QRectF:
        """Return the box of everything painted."""
        if self._bounds is None:  # asked for often, by every search of the scene
            plate = self.plate
            name = plate.name_box
            box = grown(name, plate.foot, plate.growth)
            if self._look.form != "square":
                box = box.united(centred(self.room, 1.0).translated(name.center()))
            self._bounds = plate.bounds.united(box.adjusted(-2, -2, 2, 2))
        return self._bounds

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        """Paint the square or circle with its letter, the words and the heatmap."""
        if self._look.form == "square":
            for label in self.plate.labels:
                if label.role != "sign":
                    strokes.clear_ground(painter, label.box, self._kit.ink)
            self._paint_body(painter)
            self._paint_plate(painter)
        else:
            self._paint_body(painter)
            self._paint_tile(painter)

    def _paint_body(self, painter: QPainter) -> None:
        ink, look = self._kit.ink, self._look
        body = body_of(look)
        if self.selected:
            painter.setPen(ink.selected)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(ring_of(body), RADIUS + RING, RADIUS + RING)
        painter.setPen(ink.hovered if self.hovered else ink.outline)
        shows_array = look.form != "square" and self.plate.heat is not None
        paint_sign(painter, body, look.kind, "" if shows_array else look.letter, ink, self._kit.scale)

    def _paint_tile(self, painter: QPainter) -> None:
        """Paint the array within its frame, the letter in the frame's corner, and the name."""
        ink, look, plate = self._kit.ink, self._look, self.plate
        if plate.heat is not None:
            painter.fillRect(plate.heat, ink.theme.canvas)
            self._paint_heat(painter, plate.heat, Qt.AlignmentFlag.AlignHCenter)
            if look.letter:
                body = body_of(look)
                corner = QRectF(body.left(), body.top(), CORNER_SIGN, CORNER_SIGN)
                painter.setPen(Qt.PenStyle.NoPen)
                paint_sign(painter, corner, look.kind, look.letter, ink, self._kit.scale)
        growth = min(plate.growth, strokes.growth_at(self._kit.scale, plate.labels[0].words))
        name, growth = tile_name(look, self.room, growth)
        over = plate.foot.y() < 0
        box = QRectF(
            -name.width / 2, plate.foot.y() - (name.height if over else 0.0), name.width, name.height
        )
        strokes.clear_ground(painter, grown(box, plate.foot, growth), ink)
        colour = ink.theme.muted if look.is_stale else ink.theme.text
        if look.number in strokes.LOUD:
            colour = strokes.loud_ground(painter, grown(box, plate.foot, growth), ink)
        strokes.paint_grown(painter, Label("name", box, name), plate.foot, growth, colour)

    def _paint_plate(self, painter: QPainter) -> None:
        theme, look = self._kit.ink.theme, self._look
        for label in self.plate.labels:
            if label.role == "summary" and self._kit.scale < strokes.SMALL_WORDS_FROM:
                continue
            quiet = label.role == "summary" or (look.is_stale and label.role == "name")
            growth = 1.0
            if label.role == "name":
                growth = min(self.plate.growth, strokes.growth_at(self._kit.scale, label.words))
            colour = theme.muted if quiet else theme.text
            if label.role == "name" and look.number in strokes.LOUD:
                place = grown(label.box, self.plate.foot, growth)
                colour = strokes.loud_ground(painter, place, self._kit.ink)
            strokes.paint_grown(painter, label, self.plate.foot, growth, colour)
        if self.plate.heat is not None:
            self._paint_heat(painter, self.plate.heat, Qt.AlignmentFlag.AlignLeft)

    def _paint_heat(self, painter: QPainter, box: QRectF, align: Qt.AlignmentFlag) -> None:
        look = self._look
        heat = self._kit.heats.heat(str(look.index), "gradient" if look.is_gradient else "output")
        if heat is not None:
            strokes.paint_heat(painter, heat.fit(box, align), heat, self._kit.ink, stale=look.is_stale)

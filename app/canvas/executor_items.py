"""The items of the executor graph: squares for arrays, a circle for what is handed in, and arrows of three kinds."""

from collections.abc import Callable
from itertools import pairwise

import attrs
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QPolygonF
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from app.canvas import strokes
from app.canvas.executor_looks import ExecutorKind, ExecutorLook, WireKind
from app.canvas.geometry import box_exit
from app.canvas.ink import Ink, Label, Words, pen, words
from app.canvas.labels import NOWHERE, Side, Surroundings, foot_of, free_place, grown, room_to_grow
from app.canvas.looks import Kit
from app.canvas.ways import arrow_head, centred, unit
from app.qt.colours import PictureColours, readable_on

SQUARE = 26.0
RADIUS = 3.0
LETTER_ROOM = 1.15
"""How far the line of a letter may go beyond the square: its letter itself is less high."""
HEAT = QPointF(54.0, 36.0)
ROW_HEIGHT = 14.0
SIGN_SIDES: tuple[Side, ...] = ("above", "upper right", "upper left")
SIDES: dict[ExecutorKind, tuple[Side, ...]] = {
    "argument": ("above", "left", "right", "below"),
    "auxiliary": ("right", "left", "below", "above"),
    "internal": ("left", "lower left", "right", "lower right", "below", "upper left", "upper right", "above"),
    "output": ("below", "left", "right", "lower left", "lower right", "upper right", "above"),
    "holder": ("above", "right", "below", "left"),
    "backward": ("right", "lower right", "left", "upper right", "lower left", "below", "above"),
    "head": ("below", "right", "left", "above"),
}


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


@attrs.frozen(eq=False)
class Plate:
    """Where the words and the heatmap beside a square lie."""

    labels: tuple[Label, ...]
    heat: QRectF | None
    bounds: QRectF
    foot: QPointF
    growth: float


class ExecutorItem(QGraphicsItem):
    """One array or backward node."""

    def __init__(self, look: ExecutorLook, kit: Kit, around: Callable[[int], Surroundings]) -> None:
        super().__init__()
        self._look = look
        self._kit = kit
        self._around = around
        self._plate: Plate | None = None
        self.selected = False
        self.hovered = False
        self.setZValue(3.0)

    @property
    def look(self) -> ExecutorLook:
        """What is drawn of the node."""
        return self._look

    def show_look(self, look: ExecutorLook) -> None:
        """Take over a new look."""
        if look != self._look:
            self._look = look
            self.lay_out()

    def lay_out(self) -> None:
        """Place the words anew."""
        self.prepareGeometryChange()
        self._plate = None
        self.update()

    def set_state(self, **changes: bool) -> None:
        """Change what the selection or the pointer makes of the node."""
        if any(getattr(self, name) != value for name, value in changes.items()):
            for name, value in changes.items():
                setattr(self, name, value)
            self.update()

    @property
    def box(self) -> QRectF:
        """The square on the board."""
        return centred(SQUARE, SQUARE).translated(self.pos())

    @property
    def plate(self) -> Plate:
        """Where the words lie, relative to the node."""
        if self._plate is None:
            self._plate = self._draw()
        return self._plate

    def _draw(self) -> Plate:
        look, around = self._look, self._around(self._look.index)
        body = centred(SQUARE, SQUARE)
        labels: list[Label] = []
        taken = list(around.boxes)
        if look.sign:
            sign = words(look.sign, "sign")
            box = free_place(body, sign.size, SIGN_SIDES, NOWHERE)
            labels.append(Label("sign", box.translated(0, 3), sign))
            taken.append(box)
        wide, high = (HEAT.x(), ROW_HEIGHT if look.is_row else HEAT.y()) if look.has_heat else (0.0, 0.0)
        rows = self._rows(look.notes)
        around = Surroundings(around.lines, taken, square=True, bodies=around.bodies)
        box = self._free_box(rows, QPointF(wide, high), around)
        if any(box.intersects(other) for other in (*taken, *around.bodies)):
            # A formula that finds no room is still in the tip under the pointer.
            rows = self._rows(tuple(note for note in look.notes if not note.startswith("= ")))
            box = self._free_box(rows, QPointF(wide, high), around)
        pull = 1.0 if box.right() <= 0 else 0.0 if box.left() >= 0 else 0.5
        top = box.top()
        for place, row in enumerate(rows):
            spot = QRectF(box.left() + (box.width() - row.width) * pull, top, row.width, row.height)
            labels.append(Label("summary" if place else "name", spot, row))
            top += row.height
        heat = None
        if look.has_heat:
            heat = QRectF(box.left() + (box.width() - wide) * pull, top + 4, wide, high)
        bounds = body.adjusted(-7, -7, 7, 7)
        for label in labels:
            bounds = bounds.united(label.box.adjusted(-2, -1, 2, 1))
        if heat is not None:
            bounds = bounds.united(heat.adjusted(-3, -8, 6, 3))
        name = next(label.box for label in labels if label.role == "name")
        foot = foot_of(name, body)
        growth = room_to_grow(name, foot, [*taken, *around.bodies, *([heat] if heat is not None else [])])
        return Plate(tuple(labels), heat, bounds, foot, growth)

    def _rows(self, notes: tuple[str, ...]) -> list[Words]:
        look = self._look
        said = f"{look.title} = {look.number}" if look.number else look.title
        return [words(said, "mono", 200.0), *(words(note, "mono small", 320.0) for note in notes)]

    def _free_box(self, rows: list[Words], heat: QPointF, around: Surroundings) -> QRectF:
        width = max(*(row.width for row in rows), heat.x())
        height = sum(row.height for row in rows) + (heat.y() + 4 if heat.y() else 0.0)
        body = centred(SQUARE, SQUARE)
        return free_place(body, QPointF(width, height), SIDES[self._look.kind], around)

    def boundingRect(self) -> QRectF:
        """Return the box of everything painted."""
        plate = self.plate
        name = next(label.box for label in plate.labels if label.role == "name")
        return plate.bounds.united(grown(name, plate.foot, plate.growth).adjusted(-2, -2, 2, 2))

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        """Paint the square or circle with its letter, the words and the heatmap."""
        ink, look = self._kit.ink, self._look
        body = centred(SQUARE, SQUARE)
        for label in self.plate.labels:
            if label.role != "sign":
                strokes.clear_ground(painter, label.box, ink)
        if self.selected:
            painter.setPen(ink.selected)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(body.adjusted(-5, -5, 5, 5), RADIUS + 3, RADIUS + 3)
        painter.setPen(ink.hovered if self.hovered else ink.outline)
        paint_sign(painter, body, look.kind, look.letter, ink, self._kit.scale)
        self._paint_plate(painter)

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
            strokes.paint_grown(painter, label, self.plate.foot, growth, colour)
        if self.plate.heat is not None:
            heat = self._kit.heats.heat(str(look.index), "gradient" if look.is_gradient else "output")
            if heat is not None:
                place = heat.fit(self.plate.heat)
                strokes.paint_heat(painter, place, heat, self._kit.ink, stale=look.is_stale)


class ExecutorWire(QGraphicsItem):
    """What one node reads from another: a value (grey), a value read by backward (dashed), or a gradient (blue)."""

    def __init__(self, kind: WireKind, kit: Kit) -> None:
        super().__init__()
        self.kind = kind
        self._kit = kit
        self._start = QPointF()
        self._end = QPointF()
        self._hub = QPointF()
        self._is_bent = False
        self.setZValue(1.0 if kind == "forward" else 2.0)

    def run(self, source: QPointF, target: QPointF, bow: float = 0.0) -> None:
        """Run between two squares, bent aside by `bow`."""
        self.prepareGeometryChange()
        body = centred(SQUARE, SQUARE)
        along = unit(target - source)
        self._hub = (source + target) / 2 + QPointF(-along.y(), along.x()) * (2 * bow)
        self._start = source + box_exit(body, self._hub - source, 2.0)
        self._end = target + box_exit(body, self._hub - target, 3.0)
        self._is_bent = bow != 0.0
        self.update()

    def pieces(self) -> list[tuple[QPointF, QPointF]]:
        """Return the way as straight pieces."""
        if not self._is_bent:
            return [(self._start, self._end)]
        points = [self._path().pointAtPercent(step / 10) for step in range(11)]
        return list(pairwise(points))

    def _path(self) -> QPainterPath:
        path = QPainterPath(self._start)
        if self._is_bent:
            path.quadTo(self._hub, self._end)
        else:
            path.lineTo(self._end)
        return path

    def boundingRect(self) -> QRectF:
        """Return the box of everything painted."""
        return self._path().controlPointRect().adjusted(-8, -8, 8, 8)

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        """Paint the arrow."""
        line = wire_pen(self.kind, self._kit.ink)
        painter.setPen(line)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(self._path())
        painter.setPen(QPen(line.color(), 1))
        painter.setBrush(line.color())
        came = self._hub if self._is_bent else self._start
        painter.drawPolygon(QPolygonF(arrow_head(self._end, unit(self._end - came))))


def wire_pen(kind: WireKind, ink: Ink) -> QPen:
    """Return the pen of a kind of arrow; they differ in their stroke, not only in colour."""
    if kind == "read":
        dashed = pen(ink.picture.gradient_wire, 1.7)
        dashed.setCapStyle(Qt.PenCapStyle.FlatCap)
        dashed.setDashPattern([3.5, 2.5])
        return dashed
    return pen(ink.picture.backward_wire, 2.4) if kind == "gradient" else ink.wire

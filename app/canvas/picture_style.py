"""The Picture style: ellipses with their names beside them, as the tutorial draws a symbol."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter

from app.canvas import strokes
from app.canvas.geometry import PICTURE
from app.canvas.ink import Ink, Label, Words, words
from app.canvas.labels import Side, Surroundings, foot_of, free_place, grown, room_to_grow
from app.canvas.looks import Drawing, Kit, NodeLook, Subject

HEAT = QPointF(54.0, 36.0)
NAME_SIDES: dict[str, tuple[Side, ...]] = {
    "variable": ("above", "left", "right", "below"),
    "auxiliary": ("right", "left", "above", "below"),
    "operator": ("lower left", "left", "lower right", "right", "below", "upper left", "upper right"),
    "group": ("right", "left", "below"),
}
TAG_SIDES: tuple[Side, ...] = ("right", "below", "left", "lower right", "lower left", "above")
SIGN_SIDES: tuple[Side, ...] = ("above", "upper right", "upper left")
SHAPE_SIDES: tuple[Side, ...] = ("right", "lower right", "below", "left", "upper right", "lower left")
WIDEST_NAME = 180.0


class PictureStyle:
    """Lays out and paints ellipses, and the red outline box of a Group."""

    def draw(self, look: NodeLook, around: Surroundings) -> Drawing:
        """Place sign, tag, name, numbers and shapes where no wire runs."""
        body = PICTURE.body(look.shape)
        labels: list[Label] = []
        taken = list(around.boxes)
        own = Surroundings(around.lines, taken, square=look.shape.kind == "group")
        foreign = len(taken)
        if look.sign:
            sign = words(look.sign, "sign")
            box = free_place(body, sign.size, SIGN_SIDES, Surroundings(around.lines))
            box.translate(0, 3)
            labels.append(Label("sign", box, sign))
            taken.append(box)
        if look.tags:
            said = words("output " + ", ".join(map(str, look.tags)), "badge")
            size = QPointF(said.width + 16, said.height + 5)
            box = free_place(body, size, TAG_SIDES, own)
            labels.append(Label("tag", box, said))
            taken.append(box)
        heats = self._place_block(look, own, labels)
        self._place_shape(look, own, labels)
        bounds = body.adjusted(-10, -12, 12, PICTURE.handle_gap + 10)
        for box in taken[foreign:]:
            bounds = bounds.united(box.adjusted(-3, -6, 6, 3))
        block = _block_of(labels)
        foot = foot_of(block, body)
        met = [*taken[:foreign], *(box for _, box in heats)]
        met += [label.box for label in labels if label.role in ("tag", "sign")]
        badge = QPointF(body.right() - 3, body.top() + 2)
        return Drawing(tuple(labels), heats, bounds, badge, foot, room_to_grow(block, foot, met))

    def paint(self, painter: QPainter, subject: Subject, kit: Kit) -> None:
        """Paint the body, then its words."""
        look, state, ink = subject.look, subject.state, kit.ink
        if state.dimmed:
            painter.setOpacity(painter.opacity() * 0.35)
        body = PICTURE.body(look.shape)
        wrong = bool(look.problem) and look.is_error
        lively = state.hovered or bool(state.lit)
        outline = strokes.outline_of(
            ink, selected=state.selected, hovered=lively, wrong=wrong, opaque=look.is_opaque
        )
        painter.setPen(outline)
        if look.shape.kind == "group":
            self._paint_group(painter, body, subject, kit)
        else:
            painter.setBrush(ink.fill(look.shape.kind))
            painter.drawEllipse(body)
        if look.shape.kind == "auxiliary" and kit.scale > strokes.SMALL_WORDS_FROM:
            strokes.paint_middle(painter, body, words("S", "tiny"), ink.on_auxiliary)
        if look.is_opaque:
            strokes.paint_middle(painter, body, words("?", "letter"), ink.theme.text)
        self._paint_labels(painter, subject, kit)
        if state.shows_ports or state.lit:
            self._paint_handles(painter, subject, kit)
        if look.problem:
            strokes.paint_badge(painter, subject.drawing.badge, ink, is_error=look.is_error)

    def _place_block(
        self, look: NodeLook, around: Surroundings, labels: list[Label]
    ) -> tuple[tuple[str, QRectF], ...]:
        """Place name and number, the operator's name, and the heatmaps as one block."""
        name = words(look.name, "name", WIDEST_NAME)
        own_number = look.number if not look.number_name else ""
        number = words(f" = {own_number}", "mono") if own_number else None
        below = words(_second_line(look), "small", WIDEST_NAME) if _second_line(look) else None
        wanted = [which for which in ("output", "gradient") if _has_heat(look, which)]
        heat_width = len(wanted) * (HEAT.x() + 6) - 6 if wanted else 0.0
        first = name.width + (number.width if number else 0.0)
        size = QPointF(
            max(first, below.width if below else 0.0, heat_width),
            name.height + (below.height if below else 0.0) + (HEAT.y() + 4 if wanted else 0.0),
        )
        body = PICTURE.body(look.shape)
        if look.problem:
            body = body.adjusted(0, -4, 6, 0)
        box = free_place(body, size, NAME_SIDES[look.shape.kind], around)
        around.boxes.append(box)
        pull = _pull(box, body)
        left = box.left() + (size.x() - first) * pull
        labels.append(Label("name", QRectF(left, box.top(), name.width, name.height), name))
        if number:
            lift = (name.height - number.height) / 2 + 0.5
            spot = QRectF(left + name.width, box.top() + lift, number.width, number.height)
            labels.append(Label("number", spot, number))
        top = box.top() + name.height
        if below:
            spot = QRectF(box.left() + (size.x() - below.width) * pull, top, below.width, below.height)
            labels.append(Label("operator", spot, below))
            top += below.height
        left = box.left() + (size.x() - heat_width) * pull
        return tuple(
            (which, QRectF(left + place * (HEAT.x() + 6), top + 4, HEAT.x(), HEAT.y()))
            for place, which in enumerate(wanted)
        )

    def _place_shape(self, look: NodeLook, around: Surroundings, labels: list[Label]) -> None:
        """Write the shape beside a node whose output goes nowhere; else its wires say it."""
        body = PICTURE.body(look.shape)
        if look.number_name and look.number:
            number = words(f"{look.number_name} = {look.number}", "mono")
            box = free_place(body, number.size, SHAPE_SIDES, around)
            labels.append(Label("number", box, number))
            around.boxes.append(box)
        if look.is_read or not look.outputs or look.shape.kind == "group":
            return
        shape = look.outputs[0]
        said = shape_words(shape.text, slanted=shape.slanted)
        tag = next((label.box for label in labels if label.role == "tag"), None)
        if tag is not None:
            box = free_place(tag, said.size, ("below", "above", "right", "left"), around)
        else:
            box = free_place(body, said.size, SHAPE_SIDES, around)
        labels.append(Label("shape", box, said))
        around.boxes.append(box)

    def _paint_group(self, painter: QPainter, body: QRectF, subject: Subject, kit: Kit) -> None:
        ink, look = kit.ink, subject.look
        if subject.state.selected:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(body.adjusted(-4, -4, 4, 4), 7, 7)
        painter.setPen(ink.group)
        painter.setBrush(ink.theme.canvas)
        painter.drawRoundedRect(body, 4, 4)
        for place, number in enumerate(look.shape.slots):
            cell = QRectF(body.left() + PICTURE.cell * place, body.top(), PICTURE.cell, body.height())
            if place:
                painter.setPen(ink.hairline)
                painter.drawLine(cell.topLeft() + QPointF(0, 6), cell.bottomLeft() - QPointF(0, 6))
            wired = look.port(number).wired
            said = words(str(place) if wired else "+", "letter" if wired else "small")
            strokes.paint_middle(painter, cell, said, ink.theme.text if wired else ink.theme.faint)

    def _paint_labels(self, painter: QPainter, subject: Subject, kit: Kit) -> None:
        theme = kit.ink.theme
        small = kit.scale >= strokes.SMALL_WORDS_FROM
        drawing = subject.drawing
        foot = drawing.foot
        growth = min(drawing.growth, strokes.growth_at(kit.scale, words(subject.look.name, "name")))
        loud = _loud_ground(painter, subject, kit.ink, growth)
        for label in drawing.labels:
            match label.role:
                case "tag":
                    strokes.paint_pill(painter, label, kit.ink)
                case "name":
                    if not subject.state.renaming:
                        colour = loud if loud and not subject.look.number_name else theme.text
                        strokes.paint_grown(painter, label, foot, growth, colour)
                case "sign":
                    strokes.paint_label(painter, label, theme.text)
                case "number":
                    quiet = theme.muted if subject.look.is_stale else theme.text
                    larger = 1.0 if subject.look.number_name else growth
                    strokes.paint_grown(painter, label, foot, larger, loud or quiet)
                case _ if small:
                    strokes.paint_label(painter, label, theme.muted)
        for which, place in subject.drawing.heats:
            heat = kit.heats.heat(subject.look.id, which)
            if heat is not None:
                align = Qt.AlignmentFlag.AlignLeft
                strokes.paint_heat(
                    painter, heat.fit(place, align), heat, kit.ink, stale=subject.look.is_stale
                )

    def _paint_handles(self, painter: QPainter, subject: Subject, kit: Kit) -> None:
        state, shape = subject.state, subject.look.shape
        if state.lit or state.best is not None:
            for number, anchor in PICTURE.inputs(shape).items():
                if number in state.lit:
                    best = number == state.best
                    strokes.paint_port(painter, anchor.point, kit.ink, lit=True, best=best)
            return
        for anchor in PICTURE.outputs(shape):
            strokes.paint_port(painter, anchor.point, kit.ink, lit=True)


def shape_words(text: str, *, slanted: bool) -> Words:
    """Lay a shape out: upright when known, slanted when inferred."""
    return words(text, "mono slanted" if slanted else "mono small")


def _second_line(look: NodeLook) -> str:
    if look.shape.kind != "operator" or look.sign:
        return ""
    return look.operator


def _loud_ground(painter: QPainter, subject: Subject, ink: Ink, growth: float) -> QColor | None:
    """Put a glaring ground under a number that must not be overlooked, and under the name that it is written behind.

    Returns the colour to write in; None where nothing is to be loud.
    """
    look, drawing = subject.look, subject.drawing
    if look.number not in strokes.LOUD:
        return None
    if not look.number_name:
        box = grown(_block_of(list(drawing.labels)), drawing.foot, growth)
        return strokes.loud_ground(painter, box, ink)
    box = next((label.box for label in drawing.labels if label.role == "number"), QRectF())
    return strokes.loud_ground(painter, box, ink) if box.isValid() else None


def _has_heat(look: NodeLook, which: str) -> bool:
    if look.number:
        return False
    return look.has_output if which == "output" else look.has_gradient


def _block_of(labels: list[Label]) -> QRectF:
    """Return the box of a name and the number behind it."""
    box = QRectF()
    for label in labels:
        if label.role == "name" or (label.role == "number" and label.words.text.startswith(" =")):
            box = box.united(label.box)
    return box


def _pull(box: QRectF, body: QRectF) -> float:
    """Say how a block is aligned: towards the body it stands beside, centred above and below it."""
    if box.right() <= body.center().x():
        return 1.0
    return 0.0 if box.left() >= body.center().x() else 0.5


PICTURE_STYLE = PictureStyle()

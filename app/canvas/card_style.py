"""The Card style: rounded cards with ports, shape, settings and heatmaps, for models."""

from functools import lru_cache

import attrs
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

from app.canvas import strokes
from app.canvas.card_names import INSET, paint_name
from app.canvas.geometry import CARD
from app.canvas.ink import ELIDE_RIGHT, Ink, Label, Words, pen, words
from app.canvas.labels import Surroundings, foot_of
from app.canvas.looks import Drawing, Kit, NodeLook, Subject
from app.canvas.picture_style import shape_words
from app.canvas.sprites import paint_sprite
from app.canvas.ways import centred
from app.qt.theme import Theme

HEAT = QPointF(80.0, 48.0)
GAP = 12.0
FOOT = 22.0
NAME_GROWTH = 2.2
LEFT = Qt.AlignmentFlag.AlignLeft
TOP = Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignHCenter


class CardStyle:
    """Lays out and paints cards; Variables stay ellipses."""

    def draw(self, look: NodeLook, around: Surroundings) -> Drawing:
        """Place the words and heatmaps of a card or an ellipse."""
        if look.shape.kind in ("variable", "auxiliary"):
            return self._draw_variable(look)
        body = CARD.body(look.shape)
        labels = [*self._header(look, body), *self._tag(look, body)]
        heats: tuple[tuple[str, QRectF], ...] = ()
        if look.shape.kind == "group":
            labels += self._members(look, body)
        else:
            labels += self._foot(look, body)
            labels += self._output_numbers(look, body)
            if look.is_opaque:
                labels += self._unknown(body)
            else:
                heats = self._heat_places(body)
        bounds = body.adjusted(-14, -12, 14, 14)
        for label in labels:
            bounds = bounds.united(label.box.adjusted(-2, -2, 2, 2))
        return Drawing(tuple(labels), heats, bounds, QPointF(body.right() - 6, body.top() + 2))

    def paint(self, painter: QPainter, subject: Subject, kit: Kit) -> None:
        """Paint the body, its words, its heatmaps and its ports."""
        look, state, ink = subject.look, subject.state, kit.ink
        if state.dimmed:
            painter.setOpacity(painter.opacity() * 0.35)
        body = CARD.body(look.shape)
        wrong = bool(look.problem) and look.is_error
        if look.shape.kind in ("variable", "auxiliary"):
            painter.setPen(
                strokes.outline_of(ink, selected=state.selected, hovered=state.hovered, wrong=wrong)
            )
            painter.setBrush(ink.fill(look.shape.kind))
            painter.drawEllipse(body)
            if look.shape.kind == "auxiliary":
                strokes.paint_middle(painter, body, words("S", "tiny"), ink.on_auxiliary)
        else:
            self._paint_card(painter, body, subject, kit)
        self._paint_heats(painter, subject, kit)
        self._paint_labels(painter, subject, kit)
        self._paint_ports(painter, subject, kit)
        if look.problem:
            strokes.paint_badge(painter, subject.drawing.badge, ink, is_error=look.is_error)

    # Layout ------------------------------------------------------------------------------------------------------

    def _draw_variable(self, look: NodeLook) -> Drawing:
        body = CARD.body(look.shape)
        name = words(look.name, "name" if look.shape.kind == "variable" else "small", 180)
        labels = [Label("name", _centred(body, body.top() - name.height - 4, name.width, name.height), name)]
        low = body.bottom() + 4
        if look.outputs:
            shape = shape_words(look.outputs[0].text, slanted=look.outputs[0].slanted)
            labels.append(Label("shape", _centred(body, low, shape.width, shape.height), shape))
            low += shape.height
        if look.number:
            number = words(f"= {look.number}", "mono")
            labels.append(Label("number", _centred(body, low, number.width, number.height), number))
            low += number.height
        heats = []
        wanted = [
            which for which, has in (("output", look.has_output), ("gradient", look.has_gradient)) if has
        ]
        if wanted and not look.number:
            width = len(wanted) * (HEAT.x() + 6) - 6
            for place, which in enumerate(wanted):
                left = body.center().x() - width / 2 + place * (HEAT.x() + 6)
                heats.append((which, QRectF(left, low + 4, HEAT.x(), HEAT.y())))
        labels += self._tag(look, body)
        bounds = body.adjusted(-12, -12, 14, 12)
        for box in [*(label.box for label in labels), *(box for _, box in heats)]:
            bounds = bounds.united(box.adjusted(-3, -6, 6, 3))
        badge = QPointF(body.right() - 4, body.top() + 2)
        return Drawing(tuple(labels), tuple(heats), bounds, badge, foot_of(labels[0].box, body), NAME_GROWTH)

    def _header(self, look: NodeLook, body: QRectF) -> list[Label]:
        name, rest = _name_and_rest(look, body)
        shown = f"{look.sign}  {look.operator}".strip() if _shows_operator(look, rest) else ""
        operator = words(shown, "small", rest)
        middle = body.top() + CARD.header / 2
        return [
            Label(
                "name", QRectF(body.left() + INSET, middle - name.height / 2, name.width, name.height), name
            ),
            Label(
                "operator",
                QRectF(
                    body.right() - INSET - operator.width,
                    middle - operator.height / 2,
                    operator.width,
                    operator.height,
                ),
                operator,
            ),
        ]

    def _foot(self, look: NodeLook, body: QRectF) -> list[Label]:
        labels = []
        left, right = body.left() + INSET, body.right() - INSET
        middle = body.bottom() - FOOT / 2 - 1
        if look.outputs:
            shown = look.outputs[0]
            shape = shape_words(shown.text, slanted=shown.slanted)
            labels.append(
                Label(
                    "shape",
                    QRectF(right - shape.width, middle - shape.height / 2, shape.width, shape.height),
                    shape,
                )
            )
            right -= shape.width + 8
        in_header = _shows_operator(look, _name_and_rest(look, body)[1])
        summary = look.summary or ("" if in_header else look.operator)
        if summary and right - left > 24:
            said = _as_much_as_fits(summary, right - left)
            labels.append(
                Label("summary", QRectF(left, middle - said.height / 2, said.width, said.height), said)
            )
        return labels

    def _tag(self, look: NodeLook, body: QRectF) -> list[Label]:
        """Put the output's tag behind its port, or above the corner where a wire leaves."""
        if not look.tags:
            return []
        said = words("output " + ", ".join(map(str, look.tags)), "badge")
        width, height = said.width + 16, said.height + 5
        if look.is_read:
            box = QRectF(body.right() - width, body.top() - height - 6, width, height)
        else:
            box = QRectF(body.right() + 14, -height / 2, width, height)
        return [Label("tag", box, said)]

    def _members(self, look: NodeLook, body: QRectF) -> list[Label]:
        labels = []
        for place, number in enumerate(look.shape.slots):
            middle = CARD.inputs(look.shape)[number].point.y()
            wired = place < len(look.members)
            said = words(
                f"{place}  {look.members[place]}" if wired else "+", "small", body.width() - 2 * INSET - 4
            )
            box = QRectF(body.left() + INSET + 4, middle - said.height / 2, said.width, said.height)
            labels.append(Label("index" if wired else "hint", box, said))
        return labels

    def _output_numbers(self, look: NodeLook, body: QRectF) -> list[Label]:
        if look.shape.outputs < 2:
            return []
        labels = []
        for number, anchor in enumerate(CARD.outputs(look.shape)):
            said = words(str(number), "tiny")
            box = QRectF(body.right() + 8, anchor.point.y() - said.height - 2, said.width, said.height)
            labels.append(Label("hint", box, said, number))
        return labels

    def _heat_places(self, body: QRectF) -> tuple[tuple[str, QRectF], ...]:
        free = body.height() - CARD.header - FOOT
        top = body.top() + CARD.header + (free - HEAT.y()) / 2 + 2
        left = body.left() + INSET
        return (
            ("output", QRectF(left, top, HEAT.x(), HEAT.y())),
            ("gradient", QRectF(left + HEAT.x() + GAP, top, HEAT.x(), HEAT.y())),
        )

    def _unknown(self, body: QRectF) -> list[Label]:
        """Say where the numbers of other nodes would be that there will be none."""
        sign, said = words("?", "sign"), words("can't run here", "small")
        middle = (body.top() + CARD.header + body.bottom() - FOOT) / 2
        top = middle - (sign.height + said.height) / 2
        return [
            Label("sign", _centred(body, top, sign.width, sign.height), sign),
            Label("hint", _centred(body, top + sign.height, said.width, said.height), said),
        ]

    # Painting ----------------------------------------------------------------------------------------------------

    def _paint_card(self, painter: QPainter, body: QRectF, subject: Subject, kit: Kit) -> None:
        ink = kit.ink
        border = self._border(subject, ink)
        if kit.moving and kit.scale < strokes.SMALL_WORDS_FROM * 1.2:
            # Round corners are most of the cost of a card, and cannot be seen in a small one that moves.
            painter.fillRect(body, ink.theme.card)
            painter.fillRect(
                QRectF(body.left(), body.top(), body.width(), CARD.header), ink.theme.card_header
            )
            painter.setPen(border)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(body)
        else:
            is_dashed = border.style() == Qt.PenStyle.DashLine
            size, line = (body.width(), body.height()), (border.color(), border.widthF())
            empty = EmptyCard(*size, *line, ink.theme, is_dashed)
            paint_sprite(painter, body.adjusted(-4, -4, 4, 4), empty)

    def _border(self, subject: Subject, ink: Ink) -> QPen:
        look, state = subject.look, subject.state
        if look.is_opaque:
            lively = state.hovered or bool(state.lit)
            return strokes.outline_of(ink, selected=state.selected, hovered=lively, wrong=False, opaque=True)
        if state.selected:
            return ink.selected
        if look.problem and look.is_error:
            return ink.wire_wrong
        if look.shape.kind == "group":
            return ink.group
        return ink.hovered if state.hovered or state.lit else ink.card

    def _paint_labels(self, painter: QPainter, subject: Subject, kit: Kit) -> None:
        theme = kit.ink.theme
        small = kit.scale >= strokes.SMALL_WORDS_FROM
        stale = subject.look.is_stale
        for label in subject.drawing.labels:
            match label.role:
                case "tag":
                    strokes.paint_pill(painter, label, kit.ink)
                case "sign":
                    strokes.paint_label(painter, label, theme.text)
                case "name":
                    if not subject.state.renaming:
                        paint_name(painter, label, subject, kit)
                case "number":
                    strokes.paint_label(painter, label, theme.muted if stale else theme.text)
                case "shape" | "index" if small:
                    on_card = subject.look.shape.kind in ("operator", "group")
                    strokes.paint_label(painter, label, theme.text if on_card else theme.muted)
                case _ if small:
                    strokes.paint_label(painter, label, theme.muted)

    def _paint_heats(self, painter: QPainter, subject: Subject, kit: Kit) -> None:
        look = subject.look
        for which, place in subject.drawing.heats:
            number = look.number if which == "output" else look.gradient_number
            heat = None if number else kit.heats.heat(look.id, which)
            if heat is not None:
                align = TOP if look.shape.kind == "variable" else LEFT
                strokes.paint_heat(painter, heat.fit(place, align), heat, kit.ink, stale=look.is_stale)
            elif look.shape.kind == "operator":
                self._paint_empty(painter, place, number or which, kit)

    def _paint_empty(self, painter: QPainter, place: QRectF, said: str, kit: Kit) -> None:
        """Keep the place of a heatmap: the number itself, or what will be drawn there."""
        theme = kit.ink.theme
        is_number = said not in ("output", "gradient")
        painter.fillRect(place, theme.box)
        if is_number or kit.scale >= strokes.SMALL_WORDS_FROM:
            text = words(said, "mono" if is_number else "tiny", place.width() - 4)
            strokes.paint_middle(painter, place, text, theme.text if is_number else theme.faint)

    def _paint_ports(self, painter: QPainter, subject: Subject, kit: Kit) -> None:
        look, state = subject.look, subject.state
        if kit.moving and kit.scale < strokes.SMALL_WORDS_FROM:
            return
        for number, anchor in CARD.inputs(look.shape).items():
            is_lit = number in state.lit
            is_side = number in look.shape.side
            shown = is_lit or look.port(number).wired or (not is_side and look.shape.kind != "group")
            if shown or (state.shows_ports and not is_side):
                best = state.best == number
                strokes.paint_port(painter, anchor.point, kit.ink, lit=is_lit, best=best)
        if look.shape.kind in ("variable", "auxiliary") and not state.shows_ports:
            return
        for anchor in CARD.outputs(look.shape):
            strokes.paint_port(painter, anchor.point, kit.ink, lit=state.shows_ports and not state.lit)


@attrs.frozen
class EmptyCard:
    """A card without its words, which many nodes have alike."""

    width: float
    height: float
    border: QColor
    line: float
    theme: Theme
    is_dashed: bool = False

    def __hash__(self) -> int:
        """Colours cannot be hashed, so their number is."""
        return hash((self.width, self.height, self.border.rgba(), self.line, id(self.theme), self.is_dashed))

    def paint(self, painter: QPainter) -> None:
        """Paint shadow, body, header and border around the origin."""
        body = centred(self.width, self.height)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.theme.shadow)
        painter.drawRoundedRect(body.translated(0, 1.5), CARD.radius, CARD.radius)
        style = Qt.PenStyle.DashLine if self.is_dashed else Qt.PenStyle.SolidLine
        painter.setPen(pen(self.border, self.line, style))
        painter.setBrush(self.theme.card)
        painter.drawRoundedRect(body, CARD.radius, CARD.radius)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.theme.card_header)
        painter.drawPath(_header_path(self.width, self.height, self.line / 2))


@lru_cache(maxsize=64)
def _header_path(whole_width: float, whole_height: float, inset: float) -> QPainterPath:
    """Return the band at the top of a card, inside its border, with the card's upper corners."""
    radius, low = CARD.radius - inset, -whole_height / 2 + CARD.header
    width, height = whole_width - 2 * inset, whole_height - 2 * inset
    path = QPainterPath(QPointF(-width / 2, low))
    path.lineTo(-width / 2, -height / 2 + radius)
    path.arcTo(-width / 2, -height / 2, 2 * radius, 2 * radius, 180, -90)
    path.lineTo(width / 2 - radius, -height / 2)
    path.arcTo(width / 2 - 2 * radius, -height / 2, 2 * radius, 2 * radius, 90, -90)
    path.lineTo(width / 2, low)
    path.closeSubpath()
    return path


def _name_and_rest(look: NodeLook, body: QRectF) -> tuple[Words, float]:
    """Return a card's name, smaller before it is shortened, and how much room it leaves beside it."""
    room = body.width() - 2 * INSET - 8
    name = words(look.name, "name", room)
    if name.text != look.name:
        name = words(look.name, "badge", room)
    return name, room - name.width


def _shows_operator(look: NodeLook, rest: float) -> bool:
    """Tell whether the operator stands beside the name; else it stands in the foot where there is no summary."""
    return look.operator != look.name and rest > 36


def _as_much_as_fits(summary: str, room: float) -> Words:
    """Drop the last of the settings in a summary until the rest fits; the tip under the pointer has them all."""
    parts = summary.split(" · ")
    while len(parts) > 1 and words(" · ".join(parts), "small").width > room:
        parts.pop()
    return words(" · ".join(parts), "small", room, ELIDE_RIGHT)


def _centred(body: QRectF, top: float, width: float, height: float) -> QRectF:
    return QRectF(body.center().x() - width / 2, top, width, height)


CARD_STYLE = CardStyle()

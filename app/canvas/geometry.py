"""Where things lie on the board: sizes of nodes, places of ports, ways of wires, in both styles.

Nothing here paints or changes anything, and what is handed out is shared: nobody may change it. A node's position is
the centre of its body, so that switching the style leaves the drawing's order as it is. Lengths are scene units: pixels
at 100 % zoom.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal, Protocol

import attrs
from PySide6.QtCore import QPointF, QRectF

from app.canvas.ways import Anchor, Wire, centred, curve, straight, unit

Kind = Literal["variable", "auxiliary", "operator", "group"]

GRID = 8.0
DOT_STEP = 3
"""Every third grid line carries dots at 100 %; zooming changes the spacing by this factor."""
LEAST_DOT_GAP = 12.0
PORT_REACH = 14.0
"""Radius in pixels on the screen, at any zoom, in which a port is hit."""
WIRE_REACH = 6.0
SIDE_STEP = 72.0
"""Distance between the side ports of a card, where there is room."""


@attrs.frozen
class NodeShape:
    """What decides a node's form: its kind and which inputs lie on the flow side and which beside it.

    `flow` and `side` hold input numbers; weights, biases, labels and states are `side`. `room` reserves one more flow
    port, for an operator that takes any number of inputs. `side_up` puts the side ports on a card's upper edge and the
    automatic arguments of an ellipse at its right; else they are below, or at the left.
    """

    kind: Kind
    flow: tuple[int, ...] = ()
    side: tuple[int, ...] = ()
    outputs: int = 1
    room: bool = False
    side_up: bool = True

    @property
    def slots(self) -> tuple[int, ...]:
        """The flow inputs, and after them the free one of an operator that takes any number."""
        return (*self.flow, max((*self.flow, *self.side), default=-1) + 1) if self.room else self.flow


@attrs.frozen
class Placed:
    """A node's form at its position."""

    shape: NodeShape
    position: QPointF


class StyleGeometry(Protocol):
    """What both styles answer."""

    def body(self, shape: NodeShape) -> QRectF:
        """Return the box of the body around the node's position."""

    def holds(self, shape: NodeShape, point: QPointF, grow: float = 1.0) -> bool:
        """Tell whether the body, scaled by `grow`, holds the point (relative to the node's position)."""

    def inputs(self, shape: NodeShape) -> dict[int, Anchor]:
        """Return the input ports by number, the free one of a variadic operator included."""

    def outputs(self, shape: NodeShape) -> tuple[Anchor, ...]:
        """Return the output ports in order."""

    def wire(self, source: Placed, output: int, target: Placed, input: int) -> Wire:
        """Return the way from an output to an input."""

    def loose(self, placed: Placed, port: int, tip: QPointF, *, forwards: bool) -> Wire:
        """Return the way of a wire in the hand, from an output (forwards) or an input to the pointer."""


class PictureGeometry:
    """Ellipses joined by straight arrows from centre to centre, as in the tutorial's drawings."""

    radii = QPointF(20.0, 14.0)
    small = QPointF(13.0, 9.0)
    gap = 3.0
    cell = 28.0
    handle_gap = 11.0

    @lru_cache(maxsize=512)  # noqa: B019 - the two geometries live as long as the program
    def body(self, shape: NodeShape) -> QRectF:
        """Return the ellipse's box; a Group is a box with one cell per input."""
        if shape.kind == "group":
            return centred(max(2, len(shape.slots)) * self.cell, 32.0)
        radii = self.small if shape.kind == "auxiliary" else self.radii
        return centred(2 * radii.x(), 2 * radii.y())

    def holds(self, shape: NodeShape, point: QPointF, grow: float = 1.0) -> bool:
        """Tell whether the ellipse or box holds the point."""
        body = self.body(shape)
        x, y = point.x() / (body.width() / 2), point.y() / (body.height() / 2)
        if shape.kind == "group":
            return max(abs(x), abs(y)) <= grow
        return x * x + y * y <= grow * grow

    @lru_cache(maxsize=512)  # noqa: B019 - the two geometries live as long as the program
    def inputs(self, shape: NodeShape) -> dict[int, Anchor]:
        """Spread the inputs over the upper edge."""
        numbers = (*shape.slots, *shape.side)
        body = self.body(shape)
        if shape.kind == "group":
            return {
                number: Anchor(QPointF(self._cell_x(body, place), body.top()), QPointF(0, -1))
                for place, number in enumerate(numbers)
            }
        found = {}
        for place, number in enumerate(numbers):
            angle = math.radians(-90.0 + 104.0 * (spread(place, len(numbers))))
            away = QPointF(math.cos(angle), math.sin(angle))
            reach = QPointF(away.x() * (body.width() / 2 + 5), away.y() * (body.height() / 2 + 5))
            found[number] = Anchor(reach, away)
        return found

    @lru_cache(maxsize=512)  # noqa: B019 - the two geometries live as long as the program
    def outputs(self, shape: NodeShape) -> tuple[Anchor, ...]:
        """Put the outputs' handles below the body."""
        if shape.kind == "group":
            return ()
        low = self.body(shape).bottom() + self.handle_gap
        step = 18.0 * max(0, shape.outputs - 1)
        return tuple(
            Anchor(QPointF(step * spread(place, shape.outputs), low), QPointF(0, 1))
            for place in range(shape.outputs)
        )

    def wire(self, source: Placed, output: int, target: Placed, input: int) -> Wire:
        """Draw a straight arrow between the outlines; a second one between the same two bows aside."""
        aim = target.position
        if target.shape.kind == "group":
            anchor = self.inputs(target.shape).get(input)
            aim = target.position + (anchor.point if anchor else QPointF())
        start = self._edge_of(source, aim, self.gap)
        end = aim if target.shape.kind == "group" else self._edge_of(target, source.position, self.gap)
        return straight(start, end)

    def bowed(self, source: Placed, target: Placed, bow: float) -> Wire:
        """Draw one of several arrows between the same two nodes, bent aside by `bow`."""
        along = unit(target.position - source.position)
        aside = QPointF(-along.y(), along.x()) * bow
        hub = (source.position + target.position) / 2 + aside
        start, end = self._edge_of(source, hub, self.gap), self._edge_of(target, hub, self.gap)
        one, two = start + (hub - start) * 0.66, end + (hub - end) * 0.66
        return Wire((start, one, two, end), (start + end) / 8 + (one + two) * 0.375, along, unit(aside))

    def loose(self, placed: Placed, port: int, tip: QPointF, *, forwards: bool) -> Wire:
        """Draw a straight arrow between the outline and the pointer."""
        edge = self._edge_of(placed, tip, self.gap)
        return straight(edge, tip) if forwards else straight(tip, edge)

    def _cell_x(self, body: QRectF, place: int) -> float:
        return body.left() + self.cell * (place + 0.5)

    def _edge_of(self, placed: Placed, towards: QPointF, gap: float) -> QPointF:
        """Return where the line from the centre `towards` a point leaves the body, `gap` outside it."""
        body = self.body(placed.shape)
        away = towards - placed.position
        if placed.shape.kind == "group":
            return placed.position + box_exit(body, away, gap)
        a, b = body.width() / 2, body.height() / 2
        size = math.hypot(away.x() / a, away.y() / b)
        if size < 1e-9:
            return placed.position
        return placed.position + away / size + unit(away) * gap


class CardGeometry:
    """Rounded cards with ports at left and right, joined by curves; Variables stay ellipses."""

    size = QPointF(192.0, 112.0)
    radii = QPointF(24.0, 16.0)
    small = QPointF(14.0, 9.0)
    header = 28.0
    row = 22.0
    radius = 8.0
    port = 5.0

    @lru_cache(maxsize=512)  # noqa: B019 - the two geometries live as long as the program
    def body(self, shape: NodeShape) -> QRectF:
        """Return the card's box; it grows downwards with the number of ports."""
        if shape.kind == "variable":
            return centred(2 * self.radii.x(), 2 * self.radii.y())
        if shape.kind == "auxiliary":
            return centred(2 * self.small.x(), 2 * self.small.y())
        if shape.kind == "group":
            return centred(112.0, self.header + self.row * max(1, len(shape.slots)) + 8)
        rows = max(len(shape.slots), shape.outputs)
        return centred(self.size.x(), max(self.size.y(), self.header + self.row * rows + 12))

    def holds(self, shape: NodeShape, point: QPointF, grow: float = 1.0) -> bool:
        """Tell whether the card or ellipse holds the point."""
        body = self.body(shape)
        x, y = point.x() / (body.width() / 2), point.y() / (body.height() / 2)
        if shape.kind in ("variable", "auxiliary"):
            return x * x + y * y <= grow * grow
        return max(abs(x), abs(y)) <= grow

    @lru_cache(maxsize=512)  # noqa: B019 - the two geometries live as long as the program
    def inputs(self, shape: NodeShape) -> dict[int, Anchor]:
        """Put flow inputs on the left edge, and the others above or below."""
        if shape.kind in ("variable", "auxiliary"):
            return {}
        body = self.body(shape)
        found = {
            number: Anchor(QPointF(body.left(), self._port_y(shape, place, len(shape.slots))), QPointF(-1, 0))
            for place, number in enumerate(shape.slots)
        }
        edge, away = (body.top(), -1.0) if shape.side_up else (body.bottom(), 1.0)
        for place, number in enumerate(shape.side):
            found[number] = Anchor(QPointF(self.side_x(shape, place), edge), QPointF(0, away))
        return found

    def side_x(self, shape: NodeShape, place: int) -> float:
        """Return where along the edge the side port number `place` lies."""
        body = self.body(shape)
        step = min(SIDE_STEP, (body.width() - 40) / max(1, len(shape.side)))
        return body.left() + 20 + step * (place + 0.5)

    @lru_cache(maxsize=512)  # noqa: B019 - the two geometries live as long as the program
    def outputs(self, shape: NodeShape) -> tuple[Anchor, ...]:
        """Put the outputs on the right edge."""
        if shape.kind == "group":
            return ()
        body = self.body(shape)
        return tuple(
            Anchor(QPointF(body.right(), self._port_y(shape, place, shape.outputs)), QPointF(1, 0))
            for place in range(shape.outputs)
        )

    def wire(self, source: Placed, output: int, target: Placed, input: int) -> Wire:
        """Draw a curve that leaves and arrives at right angles to the edges; a way back swings around."""
        outs, ins = self.outputs(source.shape), self.inputs(target.shape)
        leave = outs[min(output, len(outs) - 1)] if outs else Anchor(QPointF(), QPointF(1, 0))
        arrive = ins.get(input) or Anchor(QPointF(self.body(target.shape).left(), 0), QPointF(-1, 0))
        return curve(
            Anchor(source.position + leave.point, leave.away),
            Anchor(target.position + arrive.point, arrive.away),
        )

    def loose(self, placed: Placed, port: int, tip: QPointF, *, forwards: bool) -> Wire:
        """Draw a curve between the port and the pointer."""
        if forwards:
            outs = self.outputs(placed.shape)
            own = outs[min(port, len(outs) - 1)]
        else:
            own = self.inputs(placed.shape).get(port) or Anchor(QPointF(), QPointF(-1, 0))
        held = Anchor(placed.position + own.point, own.away)
        hand = Anchor(tip, QPointF(-1, 0) if forwards else QPointF(1, 0))
        return curve(held, hand) if forwards else curve(hand, held)

    def _port_y(self, shape: NodeShape, place: int, count: int) -> float:
        if shape.kind in ("variable", "auxiliary"):
            return 0.0
        body = self.body(shape)
        if shape.kind == "group":
            return body.top() + self.header + self.row * (place + 0.5) + 2
        if count == 1:
            return 0.0
        room = body.height() - self.header - 12
        return body.top() + self.header + room * (place + 0.5) / count


PICTURE = PictureGeometry()
CARD = CardGeometry()


@attrs.frozen
class Spot:
    """Where an automatic argument is drawn beside its node, and where its line meets the body."""

    centre: QPointF
    foot: QPointF
    row: int = 0


AUTO_RADII = QPointF(12.0, 8.0)
AUTO_ROW = 46.0


def auto_spots(style: str, shape: NodeShape, numbers: Sequence[int]) -> dict[int, Spot]:
    """Return the places of the automatic arguments at these inputs, relative to the node's position."""
    return _card_spots(shape, numbers) if style == "card" else _picture_spots(shape, numbers)


def _card_spots(shape: NodeShape, numbers: Sequence[int]) -> dict[int, Spot]:
    """Stand them above or below their ports, in two rows where one would be too narrow."""
    anchors = CARD.inputs(shape)
    rows = 1 if len(shape.side) <= 2 else 2
    found = {}
    for number in numbers:
        anchor = anchors[number]
        if number not in shape.side:
            found[number] = Spot(anchor.point + QPointF(-44, 0), anchor.point)
            continue
        row = shape.side.index(number) % rows
        up = -1.0 if shape.side_up else 1.0
        found[number] = Spot(anchor.point + QPointF(0, up * (36 + AUTO_ROW * row)), anchor.point, row)
    return found


def _picture_spots(shape: NodeShape, numbers: Sequence[int]) -> dict[int, Spot]:
    """Fan them out at the right of the ellipse (the left, where that is freer), as the tutorial draws them."""
    side = 1.0 if shape.side_up else -1.0
    body = PICTURE.body(shape)
    found = {}
    for place, number in enumerate(numbers):
        down = -40.0 + 32.0 * place if len(numbers) > 1 else -32.0
        centre = QPointF(side * (72.0 + 20.0 * max(0.0, 1.0 - abs(down) / 56.0)), down)
        reach = math.hypot(centre.x() / (body.width() / 2), centre.y() / (body.height() / 2))
        found[number] = Spot(centre, centre / reach + unit(centre) * PICTURE.gap)
    return found


def geometry_of(style: str) -> StyleGeometry:
    """Return the geometry of a style by its name in the document."""
    return CARD if style == "card" else PICTURE


# Small measures --------------------------------------------------------------------------------------------------


def spread(place: int, count: int) -> float:
    """Return -0.5 … 0.5 for places 0 … count - 1, and 0 for a single one."""
    return 0.0 if count < 2 else place / (count - 1) - 0.5


def reach_at(scale: float, pixels: float = PORT_REACH) -> float:
    """Return how far a hit reaches in scene units, so that it is `pixels` on the screen."""
    return pixels / max(scale, 1e-3)


def visible_grid(scale: float) -> float:
    """Return the spacing of the dots that are drawn at this zoom; moving snaps to the same one."""
    step = GRID
    while step * scale < LEAST_DOT_GAP:
        step *= DOT_STEP
    return step


def snap(value: float, step: float) -> float:
    """Return the nearest grid line."""
    return math.floor(value / step + 0.5) * step


def box_exit(box: QRectF, away: QPointF, gap: float) -> QPointF:
    """Return where a line from a box's centre leaves it, `gap` outside."""
    size = max(abs(away.x()) / (box.width() / 2 + gap), abs(away.y()) / (box.height() / 2 + gap))
    return away / size if size > 1e-9 else QPointF()

"""Where the words and the heatmap of an executor node lie: beside a square, or over and inside a tile."""

import re
from typing import Final

import attrs
from PySide6.QtCore import QPointF, QRectF, QSizeF

from app.canvas.executor_looks import ExecutorKind, ExecutorLook, Form
from app.canvas.ink import Label, Words, words
from app.canvas.labels import Side, Surroundings, foot_of, free_place, room_to_grow
from app.canvas.ways import centred

SQUARE: Final = 26.0
BODIES: Final[dict[Form, QPointF]] = {
    "square": QPointF(SQUARE, SQUARE),
    "tile": QPointF(64.0, 46.0),
    "small": QPointF(50.0, 36.0),
}
LEADING_NAME: Final = re.compile(r"[^(]*_")
FRAME: Final = 4.0
"""How much of a tile's colour shows around its heatmap."""
MOST_TILE_GROWTH: Final[dict[Form, float]] = {"square": 1.0, "tile": 1.4, "small": 1.8}
"""Between the rows of values and of gradients two names must find room."""
HEAT = QPointF(54.0, 36.0)
ROW_HEIGHT = 14.0
SIGN_SIDES: tuple[Side, ...] = ("above", "upper right", "upper left")
SIDES: dict[ExecutorKind, tuple[Side, ...]] = {
    "argument": ("above", "left", "right", "below", "upper right", "lower right", "upper left", "lower left"),
    "auxiliary": ("right", "left", "below", "above"),
    "internal": ("left", "lower left", "right", "lower right", "below", "upper left", "upper right", "above"),
    "output": ("below", "left", "right", "lower left", "lower right", "upper right", "above"),
    "holder": ("above", "right", "below", "left", "upper right", "lower right", "upper left", "lower left"),
    "backward": ("right", "lower right", "left", "upper right", "lower left", "below", "above"),
    "head": ("below", "right", "left", "above"),
}


@attrs.frozen(eq=False)
class Plate:
    """Where the words and the heatmap of a node lie.

    At a small zoom its name is written up to `growth` times larger, away from `foot`.
    """

    labels: tuple[Label, ...]
    heat: QRectF | None
    bounds: QRectF
    foot: QPointF
    growth: float

    @property
    def name_box(self) -> QRectF:
        """Where the name stands in its usual size."""
        return next(label.box for label in self.labels if label.role == "name")


def body_of(look: ExecutorLook) -> QRectF:
    """Return the box of a node's square, tile or circle around the origin."""
    size = BODIES["square" if look.kind == "head" else look.form]
    return centred(size.x(), size.y())


def title_of(look: ExecutorLook) -> str:
    """Return a node's name, and its number where it has only one."""
    return f"{look.title} = {look.number}" if look.number else look.title


def tile_plate(look: ExecutorLook, room: float) -> Plate:
    """Lay a tile out: its heatmap within, its name on the side where no arrow of a value or gradient comes in.

    Arguments stand over their node and its gradient under it, so the names of those two lie between them.
    """
    body = body_of(look)
    name, _ = tile_name(look, room, 1.0)
    over = (look.form == "small") != look.is_gradient
    top = body.top() - name.height - 2 if over else body.bottom() + 2
    box = QRectF(-name.width / 2, top, name.width, name.height)
    inner = body.adjusted(FRAME, FRAME, -FRAME, -FRAME) if look.has_heat and look.kind != "head" else None
    foot = QPointF(0.0, box.bottom() if over else box.top())
    bounds = body.adjusted(-8, -8, 8, 8).united(box.adjusted(-2, -1, 2, 1))
    return Plate((Label("name", box, name),), inner, bounds, foot, MOST_TILE_GROWTH[look.form])


def tile_name(look: ExecutorLook, room: float, growth: float) -> tuple[Words, float]:
    """Return a tile's name, and how many times larger it may be written before it meets its neighbour's."""
    said = f"{look.sign} {title_of(look)}" if look.sign else title_of(look)
    if look.form == "tile":
        return words(said, "mono", room / growth), growth
    name = words(said, "mono small")
    if name.width * growth > room:  # its node's name stands beside it: "…weight" says enough
        name = words(LEADING_NAME.sub("…", said, count=1), "mono small", room)
    return name, min(growth, max(room / name.width, 1.0))


def square_plate(look: ExecutorLook, around: Surroundings) -> Plate:
    """Lay the words and the heatmap of a square out where they cover neither wires nor other words."""
    body = body_of(look)
    labels: list[Label] = []
    taken = list(around.boxes)
    if look.sign:
        sign = words(look.sign, "sign")
        box = free_place(body, sign.size, SIGN_SIDES, Surroundings(around.lines))
        labels.append(Label("sign", box.translated(0, 3), sign))
        taken.append(box)
    around = Surroundings(around.lines, taken, square=True, bodies=around.bodies)
    rows, box, heat = _free_block(look, around)
    pull = _pull(box)
    top = box.top()
    for place, row in enumerate(rows):
        spot = QRectF(box.left() + (box.width() - row.width) * pull, top, row.width, row.height)
        labels.append(Label("summary" if place else "name", spot, row))
        top += row.height
    bounds = body.adjusted(-7, -7, 7, 7)
    for label in labels:
        bounds = bounds.united(label.box.adjusted(-2, -1, 2, 1))
    if heat is not None:
        bounds = bounds.united(heat.adjusted(-3, -8, 6, 3))
    name = next(label.box for label in labels if label.role == "name")
    foot = foot_of(name, body)
    growth = room_to_grow(name, foot, [*taken, *around.bodies, *([heat] if heat is not None else [])])
    return Plate(tuple(labels), heat, bounds, foot, growth)


def _rows(look: ExecutorLook, notes: tuple[str, ...]) -> list[Words]:
    return [words(title_of(look), "mono", 200.0), *(words(note, "mono small", 320.0) for note in notes)]


def _free_block(look: ExecutorLook, around: Surroundings) -> tuple[list[Words], QRectF, QRectF | None]:
    """Return the words of a square, the box they stand in, and that of the heatmap: under them where there is room.

    Else formulas are left out first (the tip under the pointer has them), then the heatmap goes to a place of its own,
    and where there is none either it is left to the board and the inspector.
    """
    size = QPointF(HEAT.x(), ROW_HEIGHT if look.is_row else HEAT.y()) if look.has_heat else QPointF()
    short = tuple(note for note in look.notes if not note.startswith("= "))
    for notes in (look.notes, short):
        rows = _rows(look, notes)
        box = _free_box(look, rows, size, around)
        if not around.is_taken(box) and not around.misleads(box, body_of(look)):
            break
    else:
        if look.has_heat:
            box = _free_box(look, rows, QPointF(), around)
            beside_words = attrs.evolve(around, boxes=[*around.boxes, box])
            heat = free_place(body_of(look), size, SIDES[look.kind], beside_words)
            return rows, box, None if beside_words.is_taken(heat) else heat
    if not look.has_heat:
        return rows, box, None
    under = QPointF(box.left() + (box.width() - size.x()) * _pull(box), box.bottom() - size.y())
    return rows, box, QRectF(under, QSizeF(size.x(), size.y()))


def _pull(box: QRectF) -> float:
    """Say how a block is aligned: towards the square it stands beside, centred above and below it."""
    return 1.0 if box.right() <= 0 else 0.0 if box.left() >= 0 else 0.5


def _free_box(look: ExecutorLook, rows: list[Words], heat: QPointF, around: Surroundings) -> QRectF:
    width = max(*(row.width for row in rows), heat.x())
    height = sum(row.height for row in rows) + (heat.y() + 4 if heat.y() else 0.0)
    return free_place(body_of(look), QPointF(width, height), SIDES[look.kind], around)

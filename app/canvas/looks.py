"""What the board shows of a node or a wire, as plain values: two equal looks need no painting anew."""

from typing import TYPE_CHECKING, Any, Protocol

import attrs
from PySide6.QtCore import QPointF, QRectF

from app.canvas.geometry import NodeShape
from app.canvas.ink import Ink, Label
from app.canvas.labels import Surroundings, grown

if TYPE_CHECKING:
    from app.canvas.heat import Heat

Id = str


@attrs.frozen
class PortLook:
    """An input: its number, its name, what it is for, and whether a wire or an automatic argument feeds it."""

    number: int
    name: str
    role: str = "data"
    wired: bool = False


@attrs.frozen
class ShapeLook:
    """A shape in words; inferred ones are written slanted."""

    text: str
    slanted: bool = False

    @property
    def is_known(self) -> bool:
        """Whether anything is known of the shape."""
        return self.text not in ("", "?")


@attrs.frozen
class NodeLook:
    """All that is drawn of one node.

    `number` is the value of an output that is one number, `number_name` the array's own name where that differs.
    `has_output` and `has_gradient` tell whether there are arrays to draw. `members` names what a Group holds.
    `is_stale` marks numbers from before the last edit, `is_opaque` an operator that is not known here.
    """

    id: Id
    shape: NodeShape
    name: str
    operator: str = ""
    sign: str = ""
    summary: str = ""
    ports: tuple[PortLook, ...] = ()
    outputs: tuple[ShapeLook, ...] = ()
    tags: tuple[int, ...] = ()
    members: tuple[str, ...] = ()
    problem: str = ""
    is_error: bool = True
    is_read: bool = False
    number: str = ""
    number_name: str = ""
    gradient_number: str = ""
    has_output: bool = False
    has_gradient: bool = False
    is_stale: bool = False
    is_opaque: bool = False

    def port(self, number: int) -> PortLook:
        """Return an input by its number; one that is not there yet has no name."""
        return next((port for port in self.ports if port.number == number), PortLook(number, ""))


@attrs.frozen
class EdgeLook:
    """All that is drawn of one wire besides its way."""

    id: Id
    shape: ShapeLook = ShapeLook("?")
    problem: str = ""


@attrs.define
class NodeState:
    """What the pointer and the selection make of a node for the moment."""

    selected: bool = False
    hovered: bool = False
    dimmed: bool = False
    lit: frozenset[int] = frozenset()
    best: int | None = None
    shows_ports: bool = False
    lifted: bool = False
    renaming: bool = False


@attrs.frozen(eq=False)
class Drawing:
    """Where the words and heatmaps of a node lie, relative to its position.

    At a small zoom its name is written up to `growth` times larger, away from `foot`.
    """

    labels: tuple[Label, ...]
    heats: tuple[tuple[str, QRectF], ...]
    bounds: QRectF
    badge: QPointF
    foot: QPointF = attrs.Factory(QPointF)
    growth: float = 1.0

    @property
    def reach(self) -> QRectF:
        """Everything that may be painted, a name in its largest size included."""
        box = self.bounds
        for label in self.labels:
            if label.role in ("name", "number"):
                box = box.united(grown(label.box, self.foot, self.growth).adjusted(-2, -2, 2, 2))
        return box

    @property
    def written(self) -> list[QRectF]:
        """The boxes of all words and heatmaps."""
        return [*(label.box for label in self.labels), *(box for _, box in self.heats)]

    def box_of(self, role: str) -> QRectF:
        """Return the place of the first label of a role; an empty box where there is none."""
        return next((label.box for label in self.labels if label.role == role), QRectF())


class HeatSource(Protocol):
    """Where painters get the small pictures of arrays from."""

    def heat(self, node: Id, which: str) -> "Heat | None":
        """Return the picture of a node's output or gradient, None where there is no array."""


@attrs.define(eq=False)
class Kit:
    """What every painter of one scene shares."""

    ink: Ink
    heats: HeatSource
    scale: float = 1.0
    moving: bool = False


@attrs.frozen(eq=False)
class Subject:
    """One node about to be painted."""

    look: NodeLook
    drawing: Drawing
    state: NodeState


class NodeStyle(Protocol):
    """How a style lays a node out and paints it."""

    def draw(self, look: NodeLook, around: Surroundings) -> Drawing:
        """Place the words and heatmaps where they cover nothing."""

    def paint(self, painter: Any, subject: Subject, kit: Kit) -> None:
        """Paint the node around the origin."""

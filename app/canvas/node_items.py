"""The scene's item for one node: it holds a look and a state, and lets its style paint them."""

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from app.canvas.card_style import CARD_STYLE
from app.canvas.geometry import Placed, geometry_of
from app.canvas.labels import Surroundings
from app.canvas.looks import Drawing, Kit, NodeLook, NodeState, NodeStyle, Subject
from app.canvas.picture_style import PICTURE_STYLE

NODE_LEVEL = 3.0
LIFTED_LEVEL = 5.0


def style_of(name: str) -> NodeStyle:
    """Return the painter of a style by its name in the document."""
    return CARD_STYLE if name == "card" else PICTURE_STYLE


class NodeItem(QGraphicsItem):
    """One node on the board, without child items; its words are laid out when they are first needed."""

    def __init__(self, look: NodeLook, style: str, kit: Kit, around: Callable[[str], Surroundings]) -> None:
        super().__init__()
        self._look = look
        self._style = style
        self._kit = kit
        self._around = around
        self._drawing: Drawing | None = None
        self.state = NodeState()
        self.setZValue(NODE_LEVEL)

    @property
    def look(self) -> NodeLook:
        """What is drawn of the node."""
        return self._look

    @property
    def name(self) -> str:
        """The node's name."""
        return self._look.name

    @property
    def style(self) -> str:
        """The name of the style it is drawn in."""
        return self._style

    @property
    def placed(self) -> Placed:
        """The node's form where it is drawn now, a preview included."""
        return Placed(self._look.shape, self.pos())

    @property
    def drawing(self) -> Drawing:
        """Where its words lie, relative to its position."""
        if self._drawing is None:
            self._drawing = style_of(self._style).draw(self._look, self._around(self._look.id))
        return self._drawing

    def show_look(self, look: NodeLook, style: str) -> bool:
        """Take over a new look; False when nothing changed."""
        if look == self._look and style == self._style:
            return False
        self._look, self._style = look, style
        self.lay_out()
        return True

    def lay_out(self) -> None:
        """Place the words anew, because the look or the wires around have changed."""
        self.prepareGeometryChange()
        self._drawing = None
        self.update()

    def set_state(self, **changes: object) -> None:
        """Change what the pointer or the selection makes of the node."""
        before = [getattr(self.state, name) for name in changes]
        if before != list(changes.values()):
            for name, value in changes.items():
                setattr(self.state, name, value)
            self.setZValue(LIFTED_LEVEL if self.state.lifted else NODE_LEVEL)
            self.update()

    def body_box(self) -> QRectF:
        """Return the body's box on the board."""
        return geometry_of(self._style).body(self._look.shape).translated(self.pos())

    def boundingRect(self) -> QRectF:
        """Return the box of everything painted."""
        return self.drawing.reach

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        """Paint the node."""
        style_of(self._style).paint(painter, Subject(self._look, self.drawing, self.state), self._kit)

    def place_of(self, role: str) -> QRectF:
        """Return where on the board one of its labels lies."""
        box = self.drawing.box_of(role)
        return box.translated(self.pos()) if not box.isEmpty() else QRectF()

    def shape_at(self, point: QPointF) -> int | None:
        """Return the output whose shape is written at a point of the board."""
        here = point - self.pos()
        for label in self.drawing.labels:
            if label.role == "shape" and label.box.adjusted(-3, -2, 3, 2).contains(here):
                return label.output
        return None

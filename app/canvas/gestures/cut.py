"""Cutting wires with a stroke: a line is drawn across them, and on release those that it meets are gone."""

from itertools import pairwise

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from app.canvas.gestures.gesture import Board, Gesture, Pointer
from app.canvas.ink import Ink, pen
from app.document.records import Id

MARK = 6.0
"""Half the length of the cross where the line meets a wire, in pixels."""


class CutLine(QGraphicsItem):
    """The dashed line of the stroke, with a cross wherever it meets a wire."""

    def __init__(self, ink: Ink) -> None:
        super().__init__()
        self._line = QLineF()
        self._meets: list[QPointF] = []
        self._scale = 1.0
        self._pen = pen(ink.theme.error, 1.6, Qt.PenStyle.DashLine)
        self._cross = pen(ink.theme.error, 2.4)
        for one in (self._pen, self._cross):
            one.setCosmetic(True)
        self.setZValue(9.0)

    def show_line(self, line: QLineF, meets: list[QPointF], scale: float) -> None:
        """Run along another line."""
        self.prepareGeometryChange()
        self._line, self._meets, self._scale = line, meets, scale
        self.update()

    def boundingRect(self) -> QRectF:
        """Return the box of the line and its crosses."""
        reach = 2 * MARK / self._scale
        box = QRectF(self._line.p1(), self._line.p2()).normalized()
        return box.adjusted(-reach, -reach, reach, reach)

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        """Paint line and crosses; these say without colour which wires go."""
        painter.setPen(self._pen)
        painter.drawLine(self._line)
        painter.setPen(self._cross)
        arm = MARK / self._scale
        for place in self._meets:
            painter.drawLine(place + QPointF(-arm, -arm), place + QPointF(arm, arm))
            painter.drawLine(place + QPointF(-arm, arm), place + QPointF(arm, -arm))


class CutGesture(Gesture):
    """Draws a line from where the press was to the pointer; what it no longer meets is spared again.

    The wires of automatic arguments are no wires of the document: they cannot be cut.
    """

    cursor = Qt.CursorShape.CrossCursor

    def __init__(self, board: Board) -> None:
        super().__init__(board)
        self._start = QPointF()
        self._item = CutLine(board.board_scene.kit.ink)
        self._met: dict[Id, QPointF] = {}

    def begin(self, at: Pointer) -> None:
        """Pin the line's first end."""
        self._start = at.board
        self.board.add_overlay(self._item)

    def step(self, at: Pointer) -> None:
        """Mark the wires that would go."""
        scene = self.board.board_scene
        line = QLineF(self._start, at.board)
        # Qt finds no overlap with a box without breadth, such as that of a level line.
        box = QRectF(line.p1(), line.p2()).normalized().adjusted(-1, -1, 1, 1)
        self._met = {}
        for key, item in scene.edge_items.items():
            place = _meeting(line, item.polyline()) if box.intersects(item.boundingRect()) else None
            if place is not None:
                self._met[key] = place
            item.set_state(doomed=place is not None)
        self._item.show_line(line, list(self._met.values()), at.scale)
        count = len(self._met)
        self.words = (
            f"Release to cut {count} wire{'s' if count > 1 else ''}" if count else "Draw across wires"
        )
        self.words += " · Esc gives up"
        self.words_warn = bool(count)

    def end(self, at: Pointer) -> None:
        """Take the wires away."""
        from app.document.edits import disconnect

        self.step(at)
        met = list(self._met)
        self._put_away()
        if met:
            self.board.workspace.try_edit(disconnect, met)

    def cancel(self) -> None:
        """Spare them all."""
        self._put_away()

    def _put_away(self) -> None:
        self.board.remove_overlay(self._item)
        self.board.board_scene.clear_marks()


def _meeting(line: QLineF, way: list[QPointF]) -> QPointF | None:
    """Return where a line first meets a wire's way."""
    for one, two in pairwise(way):
        kind, place = line.intersects(QLineF(one, two))
        if kind == QLineF.IntersectionType.BoundedIntersection:
            return place
    return None

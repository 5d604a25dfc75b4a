"""Selecting with a rubber band: what it touches, or, drawn from right to left, what it holds entirely."""

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from app.canvas.gestures.gesture import Board, Gesture, Pointer
from app.canvas.ink import Ink, pen
from app.document.records import Id

LEAST = 5.0
"""Bands smaller than this on the screen count as a slip of the hand."""


class BandItem(QGraphicsItem):
    """The rubber band; dashed where only what it holds entirely counts."""

    def __init__(self, ink: Ink) -> None:
        super().__init__()
        self._ink = ink
        self._box = QRectF()
        self._whole = False
        self.setZValue(9.0)

    def show_box(self, box: QRectF, *, whole: bool) -> None:
        """Span another box."""
        self.prepareGeometryChange()
        self._box, self._whole = box, whole
        self.update()

    def boundingRect(self) -> QRectF:
        """Return the band's box."""
        return self._box.adjusted(-3, -3, 3, 3)

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        """Paint the band."""
        fill = QColor(self._ink.theme.accent)
        fill.setAlpha(26)
        outline = pen(self._ink.theme.accent, 1.4)
        outline.setCosmetic(True)
        if self._whole:
            outline.setDashPattern([4, 3])
        painter.setPen(outline)
        painter.setBrush(fill)
        painter.drawRect(self._box)


class BandGesture(Gesture):
    """Spans a band from where the press was; Shift adds to the selection, Ctrl takes away from it."""

    def __init__(self, board: Board) -> None:
        super().__init__(board)
        self._start = QPointF()
        self._item = BandItem(board.board_scene.kit.ink)
        self._chosen: frozenset[Id] = frozenset()

    def begin(self, at: Pointer) -> None:
        """Pin the band's first corner."""
        self._start = at.board
        self.board.add_overlay(self._item)

    def step(self, at: Pointer) -> None:
        """Show which nodes would be selected."""
        box = QRectF(self._start, at.board).normalized()
        whole = at.board.x() < self._start.x()
        self._item.show_box(box, whole=whole)
        self._chosen = self._selection(box, at, whole=whole)
        self.board.board_scene.show_selection(self._chosen)
        what = "only what lies fully inside" if whole else "all that it touches"
        self.words = f"{what} · Shift adds · Ctrl removes"

    def _selection(self, box: QRectF, at: Pointer, *, whole: bool) -> frozenset[Id]:
        before = self.board.workspace.store.selection
        if max(box.width(), box.height()) * at.scale < LEAST:
            return before
        scene = self.board.board_scene
        caught = frozenset(
            key
            for key, body in scene.body_boxes()
            # a frame is seldom meant by a band that is drawn around what stands in it
            if (box.contains(body) if whole or key in scene.annotations.frames else box.intersects(body))
        )
        if at.ctrl:
            return before - caught
        return before | caught if at.shift else caught

    def end(self, at: Pointer) -> None:
        """Select them."""
        self.step(at)
        self.board.remove_overlay(self._item)
        self.board.workspace.select(self._chosen)
        self.board.board_scene.show_selection(self.board.workspace.store.selection)

    def cancel(self) -> None:
        """Keep the selection as it was."""
        self.board.remove_overlay(self._item)
        self.board.board_scene.show_selection(self.board.workspace.store.selection)

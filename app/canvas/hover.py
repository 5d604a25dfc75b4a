"""Lights what lies under a resting pointer, and shows by the pointer's form what a press would take hold of."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QToolTip

from app.canvas.annotations import Sides
from app.canvas.auto_items import AutoItem
from app.canvas.edge_items import EdgeItem
from app.canvas.frame_items import FrameItem
from app.canvas.hits import Hit, HitKind
from app.canvas.node_items import NodeItem
from app.canvas.note_items import NoteItem
from app.canvas.telling import tip_for

if TYPE_CHECKING:
    from app.canvas.view import BoardView

CURSORS: dict[HitKind, Qt.CursorShape] = {
    "output": Qt.CursorShape.CrossCursor,
    "input": Qt.CursorShape.CrossCursor,
    "shape": Qt.CursorShape.PointingHandCursor,
    "argument shape": Qt.CursorShape.PointingHandCursor,
}
EDGE_CURSORS: dict[Sides, Qt.CursorShape] = {
    (-1, 0): Qt.CursorShape.SizeHorCursor,
    (1, 0): Qt.CursorShape.SizeHorCursor,
    (0, -1): Qt.CursorShape.SizeVerCursor,
    (0, 1): Qt.CursorShape.SizeVerCursor,
    (-1, -1): Qt.CursorShape.SizeFDiagCursor,
    (1, 1): Qt.CursorShape.SizeFDiagCursor,
    (-1, 1): Qt.CursorShape.SizeBDiagCursor,
    (1, -1): Qt.CursorShape.SizeBDiagCursor,
}
Lit = NodeItem | EdgeItem | AutoItem | FrameItem | NoteItem
TIP_GAP = 28
"""How far a tip stays above what it tells about; Qt puts tips below the place it is given."""


class Hover:
    """Remembers what is lit, so that it can be put out again."""

    def __init__(self, view: "BoardView") -> None:
        self._view = view
        self._lit: Lit | None = None

    def show(self, hit: Hit) -> None:
        """Light one thing and put out what was lit before."""
        scene = self._view.board_scene
        item: Lit | None = None
        if hit.edge:
            item = scene.edge_items.get(hit.edge)
        elif hit.kind in ("argument", "argument shape"):
            item = scene.auto_items.get((hit.node, hit.number))
        elif hit.node:
            item = scene.node_items.get(hit.node)
        elif hit.annotation:
            item = scene.annotations.find(hit.annotation)
        if item is not self._lit:
            self.forget()
            self._light(item, on=True)
            self._lit = item
        cursor = EDGE_CURSORS.get(hit.sides, CURSORS.get(hit.kind))
        if cursor is not None:
            self._view.viewport().setCursor(cursor)
        else:
            self._view.viewport().unsetCursor()

    def show_tip(self, event: QHelpEvent) -> None:
        """Say what lies under a resting pointer; over a node or a port, above it.

        Wires mostly go down from there: the port to drag from, and what it may be joined to, stay in reach.
        """
        view, place = self._view, event.globalPos()
        hit = view.hit(view.pointer(event.pos()))
        tip = tip_for(view.board_scene, hit)
        if hit.kind in ("output", "input", "node", "name"):
            top = view.mapFromScene(view.board_scene.node_items[hit.node].body_box().topLeft()).y()
            lines = tip.count("<br>") + 3
            above = lines * view.fontMetrics().lineSpacing() + TIP_GAP
            rise = max(event.pos().y() - max(top, 0), 0) if hit.kind in ("node", "name") else 0
            place -= QPoint(-8, above + rise)
        QToolTip.showText(place, tip, view.viewport())

    def forget(self) -> None:
        """Put out what is lit."""
        self._light(self._lit, on=False)
        self._lit = None

    def _light(self, item: Lit | None, *, on: bool) -> None:
        if item is None or item.scene() is None:
            return
        if isinstance(item, NodeItem):
            item.set_state(hovered=on, shows_ports=on)
        else:
            item.set_state(hovered=on)

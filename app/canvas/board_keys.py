"""What the keys do on the board."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence

from app.canvas.geometry import visible_grid

if TYPE_CHECKING:
    from app.canvas.view import BoardView

ARROWS: dict[int, tuple[int, int]] = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
MODIFIERS: dict[int, Qt.KeyboardModifier] = {
    Qt.Key.Key_Control: Qt.KeyboardModifier.ControlModifier,
    Qt.Key.Key_Shift: Qt.KeyboardModifier.ShiftModifier,
    Qt.Key.Key_Alt: Qt.KeyboardModifier.AltModifier,
}
FAST = 4
SCROLL = 48


class BoardKeys:
    """Reads the keys of one board.

    A window's menus may hold the same keys and then take them first; without a window the board answers itself.
    """

    def __init__(self, view: "BoardView") -> None:
        self._view = view
        self.space_down = False
        self.space_used = False
        self._standard = (
            (QKeySequence.StandardKey.Cut, view.cut),
            (QKeySequence.StandardKey.Copy, view.copy),
            (QKeySequence.StandardKey.Paste, view.paste),
            (QKeySequence.StandardKey.SelectAll, view.selectAll),
            (QKeySequence.StandardKey.ZoomIn, view.zoom_in),
            (QKeySequence.StandardKey.ZoomOut, view.zoom_out),
            (QKeySequence.StandardKey.Undo, view.workspace.undo),
            (QKeySequence.StandardKey.Redo, view.workspace.redo),
        )
        self._plain = {
            Qt.Key.Key_Delete: view.delete,
            Qt.Key.Key_Backspace: view.delete,
            Qt.Key.Key_F2: view.rename,
            Qt.Key.Key_Tab: view.open_search,
            Qt.Key.Key_Insert: view.add_after,
            Qt.Key.Key_F: view.annotating.add_frame,
            Qt.Key.Key_N: view.annotating.add_note,
            Qt.Key.Key_Home: view.fit,
            Qt.Key.Key_Period: view.fit_selection,
            Qt.Key.Key_Return: self._open,
            Qt.Key.Key_Enter: self._open,
        }
        self._with_ctrl = {
            Qt.Key.Key_D: view.duplicate,
            Qt.Key.Key_Equal: view.zoom_in,
            Qt.Key.Key_Plus: view.zoom_in,
            Qt.Key.Key_0: view.zoom_reset,
        }

    def press(self, event: QKeyEvent) -> bool:
        """Do what a key means; False when it means nothing here."""
        key, view = event.key(), self._view
        if key == Qt.Key.Key_Escape:
            if not view.cancel_gesture():
                view.workspace.select(frozenset())
            return True
        if view.gesture is not None:
            # The hand is busy; an edit now would pull the document away from under it.
            view.carry_on(event.modifiers() | MODIFIERS.get(key, Qt.KeyboardModifier.NoModifier))
            return True
        if key == Qt.Key.Key_Space and event.modifiers() == Qt.KeyboardModifier.NoModifier:
            self._space(event)
            return True
        if key in ARROWS:
            return self._arrow(event)
        for standard, action in self._standard:
            if event.matches(standard):
                action()
                return True
        return self._table(event)

    def _table(self, event: QKeyEvent) -> bool:
        ctrl = Qt.KeyboardModifier.ControlModifier
        keypad = Qt.KeyboardModifier.KeypadModifier
        held = event.modifiers() & ~keypad
        if held == (ctrl | Qt.KeyboardModifier.ShiftModifier) and event.key() == Qt.Key.Key_V:
            self._view.paste(keep_inputs=True)
            return True
        table = {Qt.KeyboardModifier.NoModifier: self._plain, ctrl: self._with_ctrl}.get(held, {})
        action = table.get(Qt.Key(event.key()))
        if action is None:
            return False
        action()
        return True

    def _space(self, event: QKeyEvent) -> None:
        if not event.isAutoRepeat():
            self.space_down, self.space_used = True, False
            self._view.viewport().setCursor(Qt.CursorShape.OpenHandCursor)

    def release(self, event: QKeyEvent) -> bool:
        """A tap of Space opens the search; after a drag with it nothing more happens."""
        if self._view.gesture is not None and event.key() in MODIFIERS:
            self._view.carry_on(event.modifiers() & ~MODIFIERS[event.key()])
            return True
        if event.key() != Qt.Key.Key_Space or event.isAutoRepeat() or not self.space_down:
            return False
        self.space_down = False
        self._view.viewport().unsetCursor()
        if not self.space_used:
            self._view.open_search()
        return True

    def forget(self) -> None:
        """Forget held keys."""
        self.space_down = False

    def _arrow(self, event: QKeyEvent) -> bool:
        """Move the selection by the grid; with Ctrl follow wires; with nothing selected scroll."""
        view = self._view
        across, down = ARROWS[event.key()]
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            flow, aside = (across, down) if view.board_scene.node_style == "card" else (down, across)
            reached = view.commands.follow(along=flow > 0) if flow else view.commands.step_aside(aside)
            if reached is not None:
                view.reveal(reached)
            return True
        if not view.commands.selected_things():
            view.scroll_by(QPoint(-across * SCROLL, -down * SCROLL))
            return True
        step = visible_grid(view.zoom)
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            step *= FAST
        view.commands.nudge(across * step, down * step)
        return True

    def _open(self) -> None:
        nodes = self._view.commands.selected_nodes()
        if len(nodes) == 1:
            self._view.open_requested.emit(nodes[0])

"""The one hand on the board: from press to release it is in one gesture, or in none."""

from typing import TYPE_CHECKING

import attrs
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QToolTip

from app.canvas.edge_scroll import EdgeScroll
from app.canvas.gestures.choice import gesture_for
from app.canvas.gestures.gesture import Gesture, Pointer
from app.canvas.hits import Hit
from app.canvas.overlays import PointerWords

if TYPE_CHECKING:
    from app.canvas.view import BoardView


@attrs.frozen(eq=False)
class Press:
    """A button that went down and has not moved yet; nothing has happened."""

    pointer: Pointer
    hit: Hit


class Hand:
    """Turns presses into gestures once the pointer moves; a release without movement is a click."""

    def __init__(self, view: "BoardView") -> None:
        self._view = view
        self._press: Press | None = None
        self._words = PointerWords(view)
        self._edge = EdgeScroll(view, self._held_at, lambda: None)
        self.gesture: Gesture | None = None
        self.at = QPoint()

    @property
    def is_busy(self) -> bool:
        """Whether a button is down or a gesture is under way."""
        return self._press is not None or self.gesture is not None

    def press(self, event: QMouseEvent) -> None:
        """Note what a press takes hold of; a press of the right button gives a gesture up."""
        self.at = event.position().toPoint()
        if event.button() == Qt.MouseButton.RightButton:
            self.cancel()
        elif event.button() == Qt.MouseButton.LeftButton and self.gesture is None:
            pointer = self._view.pointer(self.at, event.modifiers())
            self._press = Press(pointer, self._view.hit(pointer))

    def move(self, event: QMouseEvent) -> bool:
        """Begin or carry on a gesture; tell whether the hand is busy."""
        self.at = event.position().toPoint()
        press = self._press
        if press is not None:
            way = (self.at - press.pointer.view).manhattanLength()
            if way >= max(3, QApplication.startDragDistance() // 2):
                self._begin(press)
        if self.gesture is not None:
            self._step(event.modifiers())
        return self.gesture is not None or self._press is not None

    def release(self, event: QMouseEvent) -> Hit | None:
        """End the gesture; return what was clicked when there was none."""
        press = self._press
        gesture = self._let_go()
        if gesture is not None:
            gesture.end(self._view.pointer(event.position().toPoint(), event.modifiers()))
            return None
        return press.hit if press is not None else None

    def cancel(self) -> bool:
        """Give the gesture up; tell whether the hand was doing anything."""
        busy = self._press is not None or self.gesture is not None
        gesture = self._let_go()
        if gesture is not None:
            gesture.cancel()
        return busy

    def carry_on(self, modifiers: Qt.KeyboardModifier | None = None) -> None:
        """Step again, because the board has moved under the pointer or another key is held."""
        if self.gesture is not None:
            self._step(QApplication.keyboardModifiers() if modifiers is None else modifiers)

    def _begin(self, press: Press) -> None:
        self._press = None
        QToolTip.hideText()
        gesture = gesture_for(self._view, press.hit, press.pointer)
        self._view.clear_hover()
        self.gesture = gesture
        if gesture.cursor is not None:
            self._view.viewport().setCursor(gesture.cursor)
        gesture.begin(press.pointer)
        self._edge.start(press.pointer.view)

    def _step(self, modifiers: Qt.KeyboardModifier) -> None:
        assert self.gesture is not None
        self.gesture.step(self._view.pointer(self.at, modifiers))
        self._words.say(self.gesture.words, self.at, self._view.ink(), warns=self.gesture.words_warn)

    def _let_go(self) -> Gesture | None:
        gesture, self.gesture = self.gesture, None
        self._press = None
        self._edge.stop()
        self._words.hide()
        if gesture is not None:
            self._view.viewport().unsetCursor()
        return gesture

    def _held_at(self) -> QPoint | None:
        return self.at if self.gesture is not None and self.gesture.scrolls_at_edge else None

"""Lets undo and redo reach the document from an editor that holds nothing but what the document says."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QSpinBox, QWidget

KEYS = (QKeySequence.StandardKey.Undo, QKeySequence.StandardKey.Redo)


class UndoPassing(QObject):
    """Keeps an editor from taking Ctrl+Z for itself as long as `is_settled` tells that nothing was typed in it."""

    def __init__(self, editor: QWidget, is_settled: Callable[[], bool]) -> None:
        super().__init__(editor)
        self._is_settled = is_settled
        editor.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Leave undo and redo to the window's actions, or to the widgets around the editor."""
        if (
            event.type() in (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress)
            and isinstance(event, QKeyEvent)
            and any(event.matches(key) for key in KEYS)
            and self._is_settled()
        ):
            event.ignore()
            return True
        return super().eventFilter(watched, event)


def pass_undo_of(spin: QSpinBox) -> None:
    """Let undo through a box with a number, unless another number is being typed."""
    UndoPassing(spin, lambda: spin.text() == spin.textFromValue(spin.value()))

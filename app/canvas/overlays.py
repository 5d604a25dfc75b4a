"""What lies over the board without being on it: words at the pointer, a first hint, an editor for a name."""

from collections.abc import Callable

from PySide6.QtCore import QPoint, QRect, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QLineEdit, QWidget

from app.canvas.ink import Ink, font_of, pen
from app.qt import fonts

OFFSET = QPoint(18, 22)
INSET = QPoint(9, 5)
WIDEST = 340

FIRST_STEPS = (
    f"<p>{fonts.strong('Nothing on the board yet.')}</p>"
    "<p>Drag an operator here from the palette,<br>or press Tab, Space or double-click to search.</p>"
)


class PointerWords(QWidget):
    """The words beside the pointer: what a release would do, and what modifier keys would change."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._over = parent
        self._ink: Ink | None = None
        self._warns = False
        self.words = ""
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFont(font_of("text"))
        self.hide()

    def say(self, words: str, at: QPoint, ink: Ink, *, warns: bool) -> None:
        """Show words near a place of the parent, inside its borders."""
        if not words:
            self.hide()
            return
        if (words, warns, ink) != (self.words, self._warns, self._ink):
            self.words, self._warns, self._ink = words, warns, ink
            wanted = QRect(0, 0, WIDEST, 1000)
            text = self.fontMetrics().boundingRect(wanted, Qt.TextFlag.TextWordWrap, words)
            self.resize(text.width() + 2 * INSET.x() + 2, text.height() + 2 * INSET.y())
            self.update()
        room = self._over.rect()
        place = at + OFFSET
        if place.x() + self.width() > room.right() - 4:
            place.setX(max(4, at.x() - OFFSET.x() - self.width()))
        if place.y() + self.height() > room.bottom() - 4:
            place.setY(max(4, at.y() - OFFSET.y() - self.height()))
        self.move(place)
        self.show()
        self.raise_()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the words on a rounded ground."""
        if self._ink is None:
            return
        theme = self._ink.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(pen(theme.error if self._warns else theme.border, 1.0))
        painter.setBrush(theme.error_soft if self._warns else theme.panel)
        painter.drawRoundedRect(self.rect().toRectF().adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        painter.setPen(theme.error if self._warns else theme.text)
        inner = self.rect().adjusted(INSET.x(), INSET.y(), -INSET.x(), -INSET.y())
        painter.drawText(inner, Qt.TextFlag.TextWordWrap, self.words)


class EmptyHint(QLabel):
    """What to do first, in the middle of an empty view."""

    def __init__(self, parent: QWidget, words: str) -> None:
        super().__init__(parent)
        self._over = parent
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setWordWrap(True)
        self.setText(words)

    def dress(self, ink: Ink) -> None:
        """Take over a theme's colours."""
        palette = self.palette()
        palette.setColor(self.foregroundRole(), ink.theme.muted)
        self.setPalette(palette)

    def place(self) -> None:
        """Fill the parent's middle."""
        room = self._over.rect()
        wide = min(420, max(room.width() - 32, 40))
        high = min(room.height(), self.heightForWidth(wide) + 8)
        self.setGeometry((room.width() - wide) // 2, (room.height() - high) // 2, wide, high)


class NameEditor(QLineEdit):
    """Edits a name where it is written; Enter or a click elsewhere keeps it, Esc does not.

    `keep` does the renaming and returns what is wrong with the name, or nothing; then the editor stays open.
    """

    closed = Signal(bool)
    """Whether a key closed it, so that the focus goes back to the board."""

    def __init__(self, parent: QWidget, name: str, keep: Callable[[str], str]) -> None:
        super().__init__(name, parent)
        self._keep = keep
        self._name = name
        self._done = False
        self.setFont(font_of("name"))
        self.setAccessibleName(f"Name of {name}")
        self.selectAll()
        self.textChanged.connect(self._unmark)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keep the name on Enter, drop it on Esc."""
        if event.key() == Qt.Key.Key_Escape:
            self.drop(by_key=True)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Tab):
            self.finish(by_key=True)
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Keep a name that can be kept, else drop it: the user went elsewhere."""
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.PopupFocusReason and not self._done:
            self.finish()
            if not self._done:
                self.drop()

    def finish(self, *, by_key: bool = False) -> None:
        """Keep the name if it can be kept; else say why and stay."""
        if self._done:
            return
        wrong = self._keep(self.text().strip()) if self.text().strip() != self._name else ""
        if wrong:
            self.setProperty("wrong", True)
            self.setToolTip(wrong)
            self.style().unpolish(self)
            self.style().polish(self)
            return
        self._close(by_key)

    def drop(self, *, by_key: bool = False) -> None:
        """Leave the name as it was."""
        if not self._done:
            self._close(by_key)

    def _unmark(self) -> None:
        if self.property("wrong"):
            self.setProperty("wrong", False)
            self.setToolTip("")
            self.style().unpolish(self)
            self.style().polish(self)

    def _close(self, by_key: bool) -> None:
        self._done = True
        self.hide()
        self.closed.emit(by_key)
        self.deleteLater()

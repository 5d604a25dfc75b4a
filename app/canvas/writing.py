"""Writing a note where it stands: its Markdown in an editor over the sheet."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from app.canvas.note_items import PADDING
from app.document.records import Document, Id, Note, Point
from app.qt import fonts

if TYPE_CHECKING:
    from app.canvas.view import BoardView

LEAST_WIDTH = 200
LEAST_LINES = 3
MOST = 100_000
HINT = "Markdown: # heading, **bold**, * list, `code`"


class NoteEditor(QPlainTextEdit):
    """Edits the text of a note; Esc, Ctrl+Enter or a click elsewhere keep it."""

    finished = Signal(bool)
    """Whether a key ended it, so that the focus goes back to the board."""

    def __init__(self, parent: QWidget, text: str, on_grown: Callable[[], None]) -> None:
        super().__init__(text, parent)
        self._done = False
        self.setProperty("look", "sheet")
        self.setFont(fonts.text_font(fonts.BODY))
        self.setPlaceholderText(HINT)
        self.setAccessibleName("Text of a note, in Markdown")
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.document().setDocumentMargin(PADDING / 2)
        self.textChanged.connect(on_grown)

    def wanted_height(self, width: int) -> int:
        """Return the height in which the whole text is seen, when it is so wide."""
        room = QRect(0, 0, width - 2 * round(PADDING), MOST)
        # the letter makes an empty last line count
        text = self.fontMetrics().boundingRect(room, Qt.TextFlag.TextWordWrap, self.toPlainText() + "x")
        least = LEAST_LINES * self.fontMetrics().lineSpacing()
        return max(text.height(), least) + 2 * round(PADDING)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keep the text on Esc and on Ctrl+Enter."""
        is_enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if event.key() == Qt.Key.Key_Escape or (
            is_enter and event.modifiers() & Qt.KeyboardModifier.ControlModifier
        ):
            self.finish(by_key=True)
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Keep the text when the user goes elsewhere."""
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.PopupFocusReason:
            self.finish()

    def finish(self, *, by_key: bool = False) -> None:
        """Say that the text is written."""
        if not self._done:
            self._done = True
            self.finished.emit(by_key)

    def drop(self) -> None:
        """Go without a word."""
        self._done = True
        self.hide()
        self.deleteLater()


class Writing:
    """Holds the one editor of a view's notes; a new note is in the document once it has words."""

    def __init__(self, view: "BoardView") -> None:
        self._view = view
        self._note = Note("")
        self.editor: NoteEditor | None = None

    def new(self, place: Point) -> None:
        """Write a note that is not there yet."""
        note = Note("", position=place)
        self._view.show_box(QRectF(*place, note.width, LEAST_WIDTH / 2))
        self._open(note)

    def edit(self, key: Id) -> None:
        """Write on in a note."""
        self._open(self._view.workspace.document.notes[key])

    def _open(self, note: Note) -> None:
        self.close()
        self._note = note
        self.editor = NoteEditor(self._view, note.text, self.place)
        self.editor.finished.connect(self._on_finished)
        self._mark(writing=True)
        self.place()
        self.editor.show()
        self.editor.setFocus()
        self.editor.moveCursor(self.editor.textCursor().MoveOperation.End)

    def _mark(self, *, writing: bool) -> None:
        item = self._view.board_scene.annotations.notes.get(self._note.id)
        if item is not None:
            item.set_state(writing=writing)

    def place(self) -> None:
        """Put the editor over the sheet, and wholly into the view."""
        if self.editor is None:
            return
        corner = self._view.mapFromScene(QPointF(*self._note.position))
        room = self._view.viewport().rect()
        wide = min(max(round(self._note.width * self._view.zoom), LEAST_WIDTH), room.width())
        high = min(self.editor.wanted_height(wide), room.height())
        left = max(min(corner.x(), room.right() + 1 - wide), 0)
        top = max(min(corner.y(), room.bottom() + 1 - high), 0)
        self.editor.setGeometry(QRect(left, top, wide, high))

    def keep_only(self, document: Document | None) -> None:
        """Close the editor if its note is gone, or with None whatever it writes."""
        if document is None or (self._note.id and self._note.id not in document.notes):
            self.close()

    def close(self) -> None:
        """Close the editor; the note stays as it was."""
        editor, self.editor = self.editor, None
        if editor is not None:
            editor.drop()
            self._mark(writing=False)

    def _on_finished(self, by_key: bool) -> None:
        from app.document.edits import add_note, set_text

        assert self.editor is not None, "only the open editor can be finished"
        text, note, workspace = self.editor.toPlainText().rstrip(), self._note, self._view.workspace
        self.close()
        if note.id and text != note.text:
            workspace.try_edit(set_text, note.id, text)
        elif not note.id and text:
            workspace.try_edit(add_note, note.position, text)
        if by_key:
            self._view.setFocus()

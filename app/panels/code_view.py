"""Shows a program with line numbers and colours, and which of its lines belong to what is selected."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile

from PySide6.QtCore import QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QSyntaxHighlighter,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
)
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from app.qt import fonts
from app.qt.colours import CodeColours
from app.qt.theme import HALF_STEP, STEP, Theme

Piece = tuple[int, int, str]  # column, length, and which of the code colours


def pieces_of(text: str) -> list[list[Piece]]:
    """Return, for each line of a Python program, the pieces that are coloured and how."""
    from pygments.lexers.python import PythonLexer  # late: a window is there long before any code
    from pygments.token import Comment, Keyword, Name, Number, Operator, String

    kinds = (
        (Comment, "comment"),
        (Keyword, "keyword"),
        (Operator.Word, "keyword"),
        (String, "string"),
        (Number, "number"),
        (Operator, "sign"),
        (Name.Builtin.Pseudo, "keyword"),
    )
    lines: list[list[Piece]] = [[]]
    column = 0
    for token, value in PythonLexer(stripnl=False, ensurenl=False).get_tokens(text):
        kind = next((name for family, name in kinds if token in family), None)
        for number, part in enumerate(value.split("\n")):
            if number:
                lines.append([])
                column = 0
            if part and kind:
                lines[-1].append((column, len(part), kind))
            column += len(part)
    return lines


class CodeHighlighter(QSyntaxHighlighter):
    """Colours a program; the whole of it is read once, each line is painted from that."""

    def __init__(self, document: QTextDocument, colours: CodeColours) -> None:
        super().__init__(document)
        self._lines: Sequence[Sequence[Piece]] = []
        self._formats: dict[str, QTextCharFormat] = {}
        self.recolour(colours)

    def recolour(self, colours: CodeColours) -> None:
        """Use other colours from now on."""
        self._formats = {
            name: _format(getattr(colours, name), italic=name == "comment")
            for name in ("keyword", "string", "number", "comment", "sign")
        }
        self.rehighlight()

    def read(self, lines: Sequence[Sequence[Piece]]) -> None:
        """Take note of a program's pieces before it is put into the document."""
        self._lines = lines

    def highlightBlock(self, text: str) -> None:
        """Colour one line."""
        number = self.currentBlock().blockNumber()
        if number < len(self._lines):
            for column, length, kind in self._lines[number]:
                self.setFormat(column, length, self._formats[kind])


ColouredLine = tuple[str, Sequence[Piece]]


def text_of(lines: Iterable[ColouredLine]) -> str:
    """Return the text of lines."""
    return "\n".join([line for line, _ in lines])


def _length_alike(lines: list[ColouredLine], others: list[ColouredLine]) -> int:
    """Return how many characters the first lines have that are the same, their ends included."""
    same = takewhile(lambda pair: pair[0] == pair[1], zip(lines, others, strict=False))
    return sum(len(line) + 1 for (line, _), _ in same)


def _places(text: str) -> int:
    """Return how many places a text takes in Qt, which counts in units of UTF-16."""
    return len(text.encode("utf-16-le")) // 2


def _format(colour: QColor, *, italic: bool) -> QTextCharFormat:
    made = QTextCharFormat()
    made.setForeground(colour)
    made.setFontItalic(italic)
    return made


class CodeView(QPlainTextEdit):
    """A program to read, copy and point at.

    `lines_chosen` carries the line numbers (from 0) that the user has just put the cursor or a selection on.
    """

    lines_chosen = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._marked: frozenset[int] = frozenset()
        self._lines: list[ColouredLine] = [("", ())]
        self.setReadOnly(True)
        self.setUndoRedoEnabled(False)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setFont(fonts.mono_font(fonts.BODY))
        self.setAccessibleName("Code")
        self.setFrameShape(QPlainTextEdit.Shape.NoFrame)
        self.document().setDocumentMargin(HALF_STEP)
        self.numbers = LineNumbers(self)
        self.highlighter = CodeHighlighter(self.document(), theme.code)
        self.blockCountChanged.connect(self._make_room)
        self.updateRequest.connect(self._scroll_numbers)
        self._make_room()

    def show_text(self, text: str, pieces: list[list[Piece]], *, from_top: bool = False) -> None:
        """Replace the program, with its coloured pieces, keeping the place that is seen, or showing its beginning."""
        across, down = self.horizontalScrollBar().value(), self.verticalScrollBar().value()
        line = self.textCursor().blockNumber()
        if from_top:
            across = down = line = 0
        lines = text.split("\n")
        rest: list[list[Piece]] = [[] for _ in lines[len(pieces) :]]
        self._replace([*zip(lines, [*pieces, *rest], strict=False)])
        cursor = QTextCursor(self.document().findBlockByNumber(min(line, self.blockCount() - 1)))
        self.setTextCursor(cursor)
        self.horizontalScrollBar().setValue(across)
        self.verticalScrollBar().setValue(down)

    def _replace(self, lines: list[ColouredLine]) -> None:
        """Put other lines in place of those that are there, only from the first to the last that differ.

        A long program takes long to be coloured and laid out, and an edit of the board changes little of it.
        """
        before, self._lines = self._lines, lines
        if before == lines:
            return
        old, new = text_of(before), text_of(lines)
        start = min(_length_alike(before, lines), len(old), len(new))
        left = _length_alike(before[::-1], lines[::-1])
        left = min(left, len(old) - start, len(new) - start)
        self.highlighter.read([pieces for _, pieces in lines])
        cursor = QTextCursor(self.document())
        cursor.setPosition(_places(old[:start]))
        cursor.setPosition(_places(old[: len(old) - left]), QTextCursor.MoveMode.KeepAnchor)
        cursor.insertText(new[start : len(new) - left])

    def mark(self, lines: Iterable[int], *, show: bool = False) -> None:
        """Put a soft ground under some lines; `show` scrolls to the first of them when none can be seen."""
        self._marked = frozenset(lines)
        self.viewport().update()
        self.numbers.update()
        if show and self._marked and not self._marked & set(self._seen()):
            self.verticalScrollBar().setValue(max(0, min(self._marked) - 2))

    @property
    def marked(self) -> frozenset[int]:
        """The numbers of the lines that are marked."""
        return self._marked

    def restyle(self, theme: Theme) -> None:
        """Wear another theme."""
        self._theme = theme
        self.highlighter.recolour(theme.code)
        self.viewport().update()
        self.numbers.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the grounds of the marked lines, then the program."""
        painter = QPainter(self.viewport())
        for number, area in self._shown(event.rect().bottom()):
            if number in self._marked:
                painter.fillRect(
                    0,
                    round(area.top()),
                    self.viewport().width(),
                    round(area.height()),
                    self._theme.accent_soft,
                )
        painter.end()
        super().paintEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Say which lines the pointer has chosen."""
        super().mouseReleaseEvent(event)
        if event.button() == Qt.MouseButton.LeftButton:
            self.lines_chosen.emit(self._chosen())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the cursor, and say which lines it has chosen."""
        before = self.textCursor()
        super().keyPressEvent(event)
        after = self.textCursor()
        if (before.position(), before.anchor()) != (after.position(), after.anchor()):
            self.lines_chosen.emit(self._chosen())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the numbers at the left edge."""
        super().resizeEvent(event)
        area = self.contentsRect()
        self.numbers.setGeometry(
            QRect(area.left(), area.top(), self.numbers.sizeHint().width(), area.height())
        )

    def _chosen(self) -> Sequence[int]:
        cursor = self.textCursor()
        first = self.document().findBlock(cursor.selectionStart()).blockNumber()
        last = self.document().findBlock(cursor.selectionEnd()).blockNumber()
        return range(first, last + 1)

    def _seen(self) -> range:
        first = self.firstVisibleBlock().blockNumber()
        return range(first, first + self.viewport().height() // max(1, self.fontMetrics().lineSpacing()))

    def _make_room(self) -> None:
        self.setViewportMargins(self.numbers.sizeHint().width(), 0, 0, 0)

    def _scroll_numbers(self, area: QRect, by: int) -> None:
        if by:
            self.numbers.scroll(0, by)
        else:
            self.numbers.update(0, area.y(), self.numbers.width(), area.height())

    def paint_numbers(self, event: QPaintEvent) -> None:
        """Draw the numbers of the lines that can be seen."""
        painter = QPainter(self.numbers)
        painter.fillRect(event.rect(), self._theme.panel)
        painter.setFont(self.font())
        for number, area in self._shown(event.rect().bottom()):
            is_marked = number in self._marked
            place = area.toRect()
            place.setLeft(0)
            place.setWidth(self.numbers.width())
            if is_marked:
                painter.fillRect(place, self._theme.accent_soft)
            painter.setPen(self._theme.accent_strong if is_marked else self._theme.faint)
            painter.drawText(place.adjusted(0, 0, -STEP, 0), Qt.AlignmentFlag.AlignRight, str(number + 1))

    def _shown(self, bottom: float) -> Iterator[tuple[int, QRectF]]:
        """Yield the number and the place of each line that can be seen, down to a height."""
        block = self.firstVisibleBlock()
        while block.isValid():
            area = self.blockBoundingGeometry(block).translated(self.contentOffset())
            if area.top() > bottom:
                return
            yield block.blockNumber(), area
            block = block.next()


class LineNumbers(QWidget):
    """The column of numbers beside the program."""

    def __init__(self, view: CodeView) -> None:
        super().__init__(view)
        self._view = view

    def sizeHint(self) -> QSize:
        """Ask for the room of the longest number."""
        digits = max(2, len(str(self._view.blockCount())))
        return QSize(self._view.fontMetrics().horizontalAdvance("9" * digits) + 3 * STEP, 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Let the view draw them."""
        self._view.paint_numbers(event)

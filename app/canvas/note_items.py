"""The scene's item for one note: Markdown on a sheet of paper, laid out by Qt's own reader."""

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt, QUrl
from PySide6.QtGui import (
    QAbstractTextDocumentLayout,
    QFont,
    QPainter,
    QPalette,
    QTextBlock,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
)
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from app.canvas.ink import Ink, pen
from app.canvas.looks import Kit
from app.canvas.strokes import FAR_BELOW
from app.document.records import Note
from app.qt import fonts
from app.qt.colours import mix

NOTE_LEVEL = 0.5
PADDING = 10.0
LEAST_WIDTH = 80.0
RADIUS = 4.0
MARGIN = 4.0
INDENT = 20.0
APART = 6.0
HEADINGS = (18, 15, 13)
"""How high the letters of headings are, by their level."""
_READER = QTextDocument.MarkdownFeature.MarkdownDialectGitHub | QTextDocument.MarkdownFeature.MarkdownNoHTML


class Sheet(QTextDocument):
    """A text document that fetches nothing: a note of somebody else must not open files by being looked at."""

    def loadResource(self, kind: int, name: QUrl | str) -> None:
        """Return nothing for pictures and style sheets."""
        return


class NoteItem(QGraphicsItem):
    """One note; its position is its left upper corner, and its height follows from its text."""

    def __init__(self, note: Note, kit: Kit) -> None:
        super().__init__()
        self._note = note
        self._kit = kit
        self._sheet = Sheet()
        self._ink: Ink | None = None
        self._shown: tuple[str, float] | None = None
        self.hovered = self.selected = self.writing = False
        self.setZValue(NOTE_LEVEL)
        self.show_record(note)

    @property
    def record(self) -> Note:
        """The note as the document has it."""
        return self._note

    @property
    def plain_text(self) -> str:
        """Its words without the marks of Markdown."""
        return self._sheet.toPlainText()

    @property
    def box(self) -> QRectF:
        """Its sheet on the board as it is shown now, a preview included."""
        return QRectF(self.pos(), self._size())

    def show_record(self, note: Note) -> None:
        """Show the note as the document has it, in the colours of the theme in use."""
        self._note = note
        self.setPos(QPointF(*note.position))
        self.show_width(note.width)

    def show_width(self, width: float) -> None:
        """Lay it out for another width."""
        if self._shown == (self._note.text, width) and self._ink is self._kit.ink:
            return
        self.prepareGeometryChange()
        if self._shown is None or self._shown[0] != self._note.text or self._ink is not self._kit.ink:
            _write(self._sheet, self._note.text, self._kit.ink)
        self._shown, self._ink = (self._note.text, width), self._kit.ink
        self._sheet.setTextWidth(max(width, LEAST_WIDTH) - 2 * PADDING)
        self.update()

    def move_to(self, place: QPointF) -> None:
        """Show it elsewhere."""
        self.setPos(place)

    def set_state(self, **changes: bool) -> None:
        """Change what the pointer or the selection makes of it."""
        if any(getattr(self, name) != value for name, value in changes.items()):
            for name, value in changes.items():
                setattr(self, name, value)
            self.update()

    def _size(self) -> QSizeF:
        assert self._shown is not None
        return QSizeF(max(self._shown[1], LEAST_WIDTH), self._sheet.size().height() + 2 * PADDING)

    def boundingRect(self) -> QRectF:
        """Return the box of everything painted."""
        return QRectF(QPointF(), self._size()).adjusted(-MARGIN, -MARGIN, MARGIN, MARGIN)

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        """Paint the sheet, and its text where that can be told from a smudge."""
        theme, tint = self._kit.ink.theme, self._kit.ink.note
        line = pen(theme.accent if self.selected else tint.strong if self.hovered else tint.line, 1.0)
        line.setWidthF(2.0 if self.selected else 1.0)
        line.setCosmetic(True)
        painter.setPen(line)
        painter.setBrush(tint.ground)
        painter.drawRoundedRect(QRectF(QPointF(), self._size()), RADIUS, RADIUS)
        if self._kit.scale < FAR_BELOW or self.writing:
            return
        context = QAbstractTextDocumentLayout.PaintContext()
        context.palette.setColor(QPalette.ColorRole.Text, theme.text)
        context.palette.setColor(QPalette.ColorRole.Link, theme.accent)
        painter.save()
        painter.setBrush(Qt.BrushStyle.NoBrush)  # else the boxes of a list are filled over their ticks
        painter.translate(PADDING, PADDING)
        self._sheet.documentLayout().draw(painter, context)
        painter.restore()


def _write(sheet: Sheet, text: str, ink: Ink) -> None:
    """Read Markdown into a document, in the bundled fonts."""
    sheet.setDocumentMargin(0.0)
    sheet.setDefaultFont(fonts.text_font(fonts.BODY))
    sheet.setIndentWidth(INDENT)
    sheet.setMarkdown(text, _READER)
    block = sheet.begin()
    while block.isValid():
        level = block.blockFormat().headingLevel()
        QTextCursor(block).mergeBlockFormat(_spaced(block))
        for start, end, read in _pieces(block):
            cursor = QTextCursor(sheet)
            cursor.setPosition(start)
            cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
            cursor.setCharFormat(_dressed(read, level, ink))
        block = block.next()


def _spaced(block: QTextBlock) -> QTextBlockFormat:
    """Return what to change of the distances around a block."""
    wanted = QTextBlockFormat()
    quotes = block.blockFormat().intProperty(QTextFormat.Property.BlockQuoteLevel)
    if quotes:
        wanted.setLeftMargin(quotes * INDENT / 2)
    in_list = [piece.blockFormat().objectIndex() >= 0 for piece in (block, block.previous())]
    if block.previous().isValid() and not all(in_list):
        is_code = block.blockFormat().hasProperty(QTextFormat.Property.BlockCodeFence)
        was_code = block.previous().blockFormat().hasProperty(QTextFormat.Property.BlockCodeFence)
        wanted.setTopMargin(0.0 if is_code and was_code else APART)
    return wanted


def _pieces(block: QTextBlock) -> list[tuple[int, int, QTextCharFormat]]:
    """Return where the pieces of a block that look alike begin and end, and what the reader made of them."""
    found, pieces = [], block.begin()
    while not pieces.atEnd():
        piece = pieces.fragment()
        found.append((piece.position(), piece.position() + piece.length(), piece.charFormat()))
        pieces += 1
    return found


def _dressed(read: QTextCharFormat, level: int, ink: Ink) -> QTextCharFormat:
    """Return how a piece is to look: Qt's reader asks for fonts that are not bundled, and underlines `_this_`."""
    wanted = QTextCharFormat(read)
    if read.fontFixedPitch():
        wanted.setFontFamilies([fonts.MONO_FAMILY])
        wanted.setBackground(mix(ink.note.ground, ink.theme.text, 0.1))
    if read.fontWeight() > QFont.Weight.Normal or level:
        wanted.setFontWeight(QFont.Weight.DemiBold)
    if read.fontUnderline() and not read.isAnchor():
        wanted.setFontUnderline(False)
        wanted.setFontItalic(True)
    if level:
        wanted.clearProperty(QTextFormat.Property.FontSizeAdjustment)  # it would win
        size = HEADINGS[min(level, len(HEADINGS)) - 1]
        wanted.setProperty(QTextFormat.Property.FontPixelSize, size)
    return wanted

"""The first page: a new board, a file, one of the last files, or something from the gallery."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QFrame,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.document.records import Document
from app.engine.errors import EngineError
from app.panels.panel import Panel, column, empty, label, row, widgets_in
from app.panels.thumbnail import paint_thumbnail
from app.qt import fonts
from app.qt.theme import CARD_RADIUS, GAP, HALF_STEP, SECTION, STEP, Theme
from app.qt.workspace import Workspace
from app.services.gallery import GalleryEntry, entries, open_entry

CARD_WIDTH, MOST_WIDTH, PICTURE_HEIGHT = 208, 288, 104
WRAP = int(Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
RECENT_SHOWN = 8
SIDE_WIDTH = 264


class GalleryCard(QAbstractButton):
    """One document of the gallery: its picture, title and subtitle."""

    def __init__(self, entry: GalleryEntry, theme: Theme) -> None:
        super().__init__()
        self.entry = entry
        self._theme = theme
        self._document: Document | None = None
        self.setText(entry.title)
        self.setAccessibleName(entry.title)
        self.setAccessibleDescription(entry.subtitle)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Ask for the picture and three lines."""
        line = QFontMetrics(fonts.text_font()).lineSpacing()
        small = QFontMetrics(fonts.text_font(fonts.SMALL)).lineSpacing()
        return QSize(CARD_WIDTH, PICTURE_HEIGHT + line + 2 * small + 2 * STEP + HALF_STEP)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Say on hover what there is no room for; a tip that repeats the card would only cover it."""
        super().resizeEvent(event)
        room = int(self._text_area().width())
        title = QFontMetrics(fonts.text_font(strong=True)).horizontalAdvance(self.entry.title)
        small = QFontMetrics(fonts.text_font(fonts.SMALL))
        high = small.boundingRect(QRect(0, 0, room, self.height()), WRAP, self.entry.subtitle).height()
        is_cut = title > room or high > 2 * small.lineSpacing()
        self.setToolTip(f"{self.entry.title}\n{self.entry.subtitle}" if is_cut else "")

    def _text_area(self) -> QRectF:
        area = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        return area.adjusted(STEP + HALF_STEP, PICTURE_HEIGHT + HALF_STEP, -STEP - HALF_STEP, -STEP)

    def show_document(self, document: Document) -> None:
        """Draw the picture."""
        self._document = document
        self.update()

    def restyle(self, theme: Theme) -> None:
        """Paint in another theme."""
        self._theme = theme
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the card."""
        theme, painter = self._theme, QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        active = self.hasFocus() or self.underMouse()
        area = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(theme.accent if active else theme.separator)
        painter.setBrush(theme.hover if self.isDown() else theme.box if active else theme.panel)
        painter.drawRoundedRect(area, CARD_RADIUS, CARD_RADIUS)
        picture = QRectF(
            area.left() + STEP, area.top() + STEP, area.width() - 2 * STEP, PICTURE_HEIGHT - STEP
        )
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.canvas)
        painter.drawRoundedRect(picture, CARD_RADIUS - 2, CARD_RADIUS - 2)
        if self._document is not None:
            paint_thumbnail(painter, picture, self._document, theme)
        text = self._text_area()
        painter.setFont(fonts.text_font(strong=True))
        painter.setPen(theme.text)
        metrics = QFontMetrics(painter.font())
        painter.drawText(
            text, WRAP, metrics.elidedText(self.entry.title, Qt.TextElideMode.ElideRight, int(text.width()))
        )
        painter.setFont(fonts.text_font(fonts.SMALL))
        painter.setPen(theme.muted)
        painter.drawText(text.adjusted(0, metrics.lineSpacing(), 0, 0), WRAP, self.entry.subtitle)


class CardGrid(QWidget):
    """Lays cards of one size out in as many columns as there is room for."""

    def __init__(self, cards: Sequence[GalleryCard]) -> None:
        super().__init__()
        self._cards = cards
        for card in cards:
            card.setParent(self)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def hasHeightForWidth(self) -> bool:
        """Say that a narrow grid is higher."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Return the height of all rows."""
        rows = -(-len(self._cards) // self._columns(width))
        return rows * (self._cards[0].sizeHint().height() + GAP) - GAP if self._cards else 0

    def sizeHint(self) -> QSize:
        """Ask for three columns."""
        width = 3 * (CARD_WIDTH + GAP)
        return QSize(width, self.heightForWidth(width))

    def minimumSizeHint(self) -> QSize:
        """Be content with one column; how high that is, the height for a width says."""
        return QSize(CARD_WIDTH, self._cards[0].sizeHint().height() if self._cards else 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put every card in its place."""
        columns = self._columns(self.width())
        width = min(MOST_WIDTH, (self.width() - (columns - 1) * GAP) // columns)
        for number, card in enumerate(self._cards):
            height = card.sizeHint().height()
            left, top = number % columns * (width + GAP), number // columns * (height + GAP)
            card.setGeometry(left, top, width, height)

    def _columns(self, width: int) -> int:
        return max(1, (width + GAP) // (CARD_WIDTH + GAP))


class StartPage(Panel):
    """What to do first.

    `new_requested` and `open_requested` carry nothing, `recent_requested` a Path, `example_requested` the id of an
    entry of the gallery, `back_requested` nothing: the document behind the page is to be seen again.
    """

    new_requested = Signal()
    open_requested = Signal()
    recent_requested = Signal(object)
    example_requested = Signal(str)
    back_requested = Signal()

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(workspace, parent)
        self.setAccessibleName("Start page")
        self.new = QPushButton(self.icons.icon("new", "on_accent"), "&New board")
        self.new.setProperty("look", "primary")
        self.new.clicked.connect(self.new_requested)
        self.open = QPushButton(self.icons.icon("open"), "&Open…")
        self.open.clicked.connect(self.open_requested)
        self.back = QPushButton("Back to the &board")
        self.back.setToolTip("Esc")
        self.back.clicked.connect(self.back_requested)
        self.back.hide()
        self._recent_title = label("Recent", "section")
        self._recent = QVBoxLayout()
        self._recent.setSpacing(0)
        self.cards: list[GalleryCard] = []
        self._lay_out()
        self._pictures = iter(self.cards)
        self._drawing = QTimer(self, interval=0)
        self._drawing.timeout.connect(self._draw_next)
        self._drawing.start()
        workspace.settings.changed.connect(self._on_setting)
        self._show_recent()

    def _lay_out(self) -> None:
        side = column(
            label("Chalkgraph", "title"),
            label(
                "Draw a computation, see what a bind makes of it, run it, take the code away.",
                "muted",
                wrap=True,
            ),
            space=HALF_STEP,
        )
        side.addSpacing(GAP)
        side.addWidget(self.back)
        side.addSpacing(HALF_STEP)
        side.addWidget(self.new)
        side.addSpacing(HALF_STEP)
        side.addWidget(self.open)
        side.addSpacing(SECTION)
        side.addWidget(self._recent_title)
        side.addLayout(self._recent)
        side.addStretch()
        left = QWidget()
        left.setFixedWidth(SIDE_WIDTH)
        left.setLayout(side)
        side.setContentsMargins(SECTION, SECTION, GAP, SECTION)
        gallery = column(space=STEP)
        gallery.setContentsMargins(GAP, SECTION, SECTION, SECTION)
        for group in dict.fromkeys(entry.group for entry in entries()):
            cards = [GalleryCard(entry, self.theme) for entry in entries() if entry.group == group]
            for card in cards:
                card.clicked.connect(lambda _=False, card=card: self.example_requested.emit(card.entry.id))
            self.cards += cards
            gallery.addWidget(label(group, "heading"))
            gallery.addWidget(CardGrid(cards))
            gallery.addSpacing(GAP)
        gallery.addStretch()
        page = QWidget()
        page.setProperty("look", "panel")
        page.setLayout(gallery)
        scroll = QScrollArea()
        scroll.setWidget(page)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        outer: QHBoxLayout = row(left, scroll, space=0)
        outer.setStretch(1, 1)
        self.setLayout(outer)

    def offer_back(self, is_open: bool) -> None:
        """Offer the way back to a document that is open behind the page."""
        self.back.setVisible(is_open)
        if is_open:
            self.back.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Let Esc lead back."""
        if event.key() == Qt.Key.Key_Escape and not self.back.isHidden():
            self.back_requested.emit()
        else:
            super().keyPressEvent(event)

    def restyle(self, theme: Theme) -> None:
        """Paint the cards in another theme."""
        for card in self.cards:
            card.restyle(theme)

    @property
    def recent(self) -> list[QPushButton]:
        """The buttons of the last files."""
        return [button for button in widgets_in(self._recent) if isinstance(button, QPushButton)]

    def _on_setting(self, name: str) -> None:
        if name == "recent_files":
            self._show_recent()

    def _show_recent(self) -> None:
        empty(self._recent)
        paths = self.workspace.settings.recent_files[:RECENT_SHOWN]
        self._recent_title.setVisible(bool(paths))
        for path in paths:
            self._recent.addWidget(self._recent_button(path))

    def _recent_button(self, path: Path) -> QPushButton:
        button = QPushButton()
        button.setProperty("look", "flat")
        button.setStyleSheet("text-align: left")
        room = SIDE_WIDTH - SECTION - GAP - 2 * STEP
        text = QFontMetrics(fonts.text_font()).elidedText(path.name, Qt.TextElideMode.ElideMiddle, room)
        button.setText(text.replace("&", "&&"))
        button.setAccessibleName(path.name)
        button.setToolTip(str(path))
        button.clicked.connect(lambda: self.recent_requested.emit(path))
        return button

    def _draw_next(self) -> None:
        """Read one document and draw it; one in each turn of the event loop."""
        card = next(self._pictures, None)
        if card is None:
            self._drawing.stop()
            return
        try:
            card.show_document(open_entry(card.entry.id))
        except EngineError:
            return  # the card still opens, and then says what is wrong

"""The few things that all panels share: a widget that follows the theme, and labels that never clip."""

import re
from collections.abc import Callable
from typing import Final, Literal

from PySide6.QtCore import QEvent, QSize, Qt, QTimer
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.qt.icons import Icons
from app.qt.theme import HALF_STEP, STEP, Theme
from app.qt.workspace import Workspace

SEARCH_ICON = 14
LARGE: Final = 100
"""With so many nodes a document is large."""
_LONG_WORD = re.compile(r"\S{18,}")
_BREAKS = re.compile(r"([_.]|\((?=[^\s_.]{18}))")
Look = Literal["text", "title", "heading", "section", "muted", "error", "good", "mono", "slanted"]


class Panel(QWidget):
    """A widget built with a workspace; what it paints itself follows the theme."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.workspace = workspace
        self.icons = Icons(workspace.theming)
        self.setProperty("look", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        workspace.theming.changed.connect(self._restyle)

    @property
    def theme(self) -> Theme:
        """The colours in use."""
        return self.workspace.theme

    def restyle(self, theme: Theme) -> None:
        """Change what the application's stylesheet does not reach."""

    def _restyle(self, theme: Theme) -> None:
        self.restyle(theme)
        self.update()


class InTurn(QTimer):
    """Does something at once while a document is small, and in a turn of the event loop of its own when it is large.

    What follows from an edit of a large document would else hold the event loop up all at once.
    """

    def __init__(self, panel: Panel, do: Callable[[], object]) -> None:
        super().__init__(panel, singleShot=True, interval=0)
        self._workspace = panel.workspace
        self._do = do
        self.timeout.connect(do)

    def ask(self) -> None:
        """Do it now or in the next turn."""
        self.stop()
        if len(self._workspace.document.nodes) > LARGE:
            self.start()
        else:
            self._do()


class ElidedLabel(QLabel):
    """A label of one line that ends in … where it has no room, and says the whole on hover."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._whole = ""
        self._tip = ""
        self.elide = Qt.TextElideMode.ElideRight
        self.least = 0
        """So many pixels of the text are kept in any case, if it is as long."""
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.set_whole(text)

    @property
    def whole(self) -> str:
        """The text as it was given."""
        return self._whole

    def set_whole(self, text: str, tip: str = "") -> None:
        """Show `text`; `tip` is added to what the hover says."""
        if (text, tip) == (self._whole, self._tip):
            return
        self._whole, self._tip = text, tip
        self.setAccessibleName(text)
        self.updateGeometry()
        self._fit()

    def sizeHint(self) -> QSize:
        """Ask for the room of the whole text."""
        metrics = self.fontMetrics()
        margins = self.contentsMargins()
        width = metrics.horizontalAdvance(self._whole) + margins.left() + margins.right() + 2
        return QSize(width, metrics.height() + margins.top() + margins.bottom())

    def minimumSizeHint(self) -> QSize:
        """Be content with a few letters."""
        whole = self.sizeHint()
        least = max(self.least, self.fontMetrics().averageCharWidth() * 4)
        return QSize(min(whole.width(), least), whole.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Cut the text anew."""
        super().resizeEvent(event)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        """Cut the text anew for another font."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._fit()

    def _fit(self) -> None:
        if self.width() >= self.sizeHint().width():
            cut = self._whole
        else:
            cut = self.fontMetrics().elidedText(self._whole, self.elide, self.contentsRect().width())
        if cut != self.text():
            self.setText(cut)
        tips = [part for part in (self._whole if cut != self._whole else "", self._tip) if part]
        self.setToolTip("\n".join(tips))


class WrappedLabel(QLabel):
    """A label of as many lines as its text takes; long names may break after an underscore or a dot."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._whole = ""
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setMinimumWidth(STEP * 8)
        self.setText(text)

    def text(self) -> str:
        """Return the text as it was given."""
        return self._whole

    def setText(self, text: str) -> None:
        """Show a text."""
        self._whole = text
        self.setAccessibleName(text)
        super().setText(_LONG_WORD.sub(lambda word: _BREAKS.sub("\\1\u200b", word[0]), text))


class FoldButton(QPushButton):
    """A button over something that can be folded away; its text is cut where it has no room."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = ""
        self._note = ""
        self.setProperty("look", "flat")
        self.setCheckable(True)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setStyleSheet("text-align: left")
        self.toggled.connect(lambda _: self._fit())

    def set_words(self, words: str, note: str = "") -> None:
        """Show what is under the button, and more quietly what is in it."""
        self._words, self._note = words, note
        self.setAccessibleName(f"{words}, {note}" if note else words)
        self._fit()

    @property
    def whole(self) -> str:
        """The text without any cut."""
        return f"{'▾' if self.isChecked() else '▸'} {self._words}" + (
            f"   {self._note}" if self._note else ""
        )

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Cut the text anew."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        room = self.width() - 2 * STEP
        cut = self.fontMetrics().elidedText(self.whole, Qt.TextElideMode.ElideMiddle, room)
        self.setText(cut.replace("&", "&&"))
        self.setToolTip(self.whole[2:] if cut != self.whole else "")


class SearchLine(QLineEdit):
    """A line to search with, marked by a magnifier."""

    def __init__(self, icons: Icons, prompt: str) -> None:
        super().__init__()
        self._icons = icons
        self.setProperty("look", "search")
        self.setPlaceholderText(prompt)
        self.setAccessibleName(prompt)
        self.setTextMargins(SEARCH_ICON + HALF_STEP, 0, 0, 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the line, then the magnifier before its text."""
        super().paintEvent(event)
        picture = self._icons.pixmap("search", SEARCH_ICON, "muted", self.devicePixelRatioF())
        top = (self.height() - SEARCH_ICON) // 2
        QPainter(self).drawPixmap(STEP, top, picture)


def label(text: str = "", look: Look = "text", *, wrap: bool = False) -> QLabel:
    """Make a label in one of the application's looks; without `wrap` it is cut with … where it has no room."""
    made: QLabel
    if wrap:
        made = WrappedLabel(text)
    else:
        made = ElidedLabel(text)
        if look == "mono":
            made.elide = Qt.TextElideMode.ElideMiddle  # names, which often differ in their end alone
    if look != "text":
        made.setProperty("look", look)
    return made


def set_look(words: QLabel, look: Look) -> None:
    """Give a label another look; a font that is set on a label in use would not outlive a change of the theme."""
    if words.property("look") != look:
        words.setProperty("look", look)
        words.style().polish(words)


def shape_look(*, inferred: bool) -> Look:
    """Return the look of shapes: upright when given, slanted when inferred."""
    return "slanted" if inferred else "mono"


def column(*parts: QWidget | QBoxLayout, space: int = STEP, margins: int = 0) -> QVBoxLayout:
    """Stack parts from top to bottom."""
    layout = QVBoxLayout()
    _fill(layout, parts, space, margins)
    return layout


def row(*parts: QWidget | QBoxLayout, space: int = STEP, margins: int = 0) -> QHBoxLayout:
    """Line parts up from left to right."""
    layout = QHBoxLayout()
    _fill(layout, parts, space, margins)
    return layout


def box(*parts: QWidget | QBoxLayout, space: int = HALF_STEP) -> QFrame:
    """Put parts into a rounded box."""
    frame = QFrame()
    frame.setProperty("look", "box")
    frame.setLayout(column(*parts, space=space, margins=HALF_STEP))
    return frame


def _fill(layout: QBoxLayout, parts: tuple[QWidget | QBoxLayout, ...], space: int, margins: int) -> None:
    layout.setSpacing(space)
    layout.setContentsMargins(margins, margins, margins, margins)
    for part in parts:
        if isinstance(part, QWidget):
            layout.addWidget(part)
        else:
            layout.addLayout(part)


def widgets_in(layout: QLayout) -> list[QWidget]:
    """Return the widgets that stand in a layout, without those of layouts inside it."""
    items = (layout.itemAt(number) for number in range(layout.count()))
    return [widget for item in items if item is not None and (widget := item.widget()) is not None]


def empty(layout: QLayout) -> None:
    """Remove and delete everything in a layout."""
    while (item := layout.takeAt(0)) is not None:
        if (widget := item.widget()) is not None:
            widget.hide()
            widget.deleteLater()
        elif (inner := item.layout()) is not None:
            empty(inner)

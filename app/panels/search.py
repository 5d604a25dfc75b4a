"""The search line with a list under it that pops up: the finder and the command palette are made of it."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QGuiApplication, QHideEvent, QKeyEvent
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from app.panels.panel import SearchLine, label
from app.panels.result_list import LOW, TALL, ResultList, Row
from app.qt.icons import Icons
from app.qt.places import on_screen
from app.qt.theme import HALF_STEP, STEP, Theme, Theming

ROWS_SHOWN = 8
_STEPS = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: 7, Qt.Key.Key_PageUp: -7}


class SearchPopup(QFrame):
    """A popup in which typing narrows a list, arrows walk it, Enter takes a row and Esc gives up.

    `closed` is emitted whenever it goes away, taken or not.
    """

    closed = Signal()

    def __init__(self, theming: Theming, parent: QWidget | None, *, prompt: str, hint: str) -> None:
        super().__init__(parent, Qt.WindowType.Popup | Qt.WindowType.FramelessWindowHint)
        self.setObjectName("search_popup")
        self.setFixedWidth(400)
        self._theming = theming
        self.line = SearchLine(Icons(theming), prompt)
        self.results = ResultList(theming.theme, "What was found")
        self.nothing = label("", "muted", wrap=True)
        self.hint = label(hint, "muted")
        self._build()
        self.line.textChanged.connect(lambda _: self.refresh())
        self.line.installEventFilter(self)
        self.results.clicked.connect(self._clicked)
        theming.changed.connect(self._restyle)
        self._restyle(theming.theme)

    def _build(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(STEP, STEP, STEP, STEP)
        layout.setSpacing(HALF_STEP)
        for part in (self.line, self.results, self.nothing, self.hint):
            layout.addWidget(part)
        layout.setSizeConstraint(QVBoxLayout.SizeConstraint.SetFixedSize)
        self.results.setFixedWidth(400 - 2 * STEP - 2)
        self.nothing.setContentsMargins(STEP, STEP, STEP, STEP)
        self.hint.setContentsMargins(HALF_STEP, 0, 0, 0)

    # -- what a child class says

    def rows_for(self, query: str) -> Sequence[Row]:
        """Return the rows for what is typed, best first."""
        raise NotImplementedError

    def take(self, row: Row, *, stay: bool) -> None:
        """Do what a row stands for; `stay` where the popup is kept open."""
        raise NotImplementedError

    def words_for_nothing(self, query: str) -> str:
        """Say what to do when nothing was found."""
        return f"Nothing is called “{query}”."

    # -- showing it

    def open_at(self, place: QPoint, *, text: str = "") -> None:
        """Show the popup with its search line near a place on the screen."""
        self.line.setText(text)
        self.refresh()
        self.adjustSize()
        self.move(self._fitting(place))
        self.show()
        self.activateWindow()
        self.line.setFocus(Qt.FocusReason.PopupFocusReason)

    def refresh(self, *, keep: bool = False) -> None:
        """List anew; `keep` leaves the current row where it is as long as it is listed."""
        query = self.line.text()
        rows = self.rows_for(query)
        self.results.show_rows(rows, keep=keep)
        self.results.setVisible(bool(rows))
        tall = TALL if any(row.line for row in rows) else LOW
        self.results.setFixedHeight(max(min(len(rows), ROWS_SHOWN), 1) * tall + 2)
        self.nothing.setVisible(not rows)
        if not rows:
            self.nothing.setText(self.words_for_nothing(query))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let the keys that belong to the list reach it from the search line."""
        if watched is self.line and event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            return self._key(event)
        return super().eventFilter(watched, event)

    def hideEvent(self, event: QHideEvent) -> None:
        """Say that the popup went away."""
        super().hideEvent(event)
        if not event.spontaneous():
            self.closed.emit()

    def _key(self, event: QKeyEvent) -> bool:
        key = Qt.Key(event.key())
        if key in _STEPS:
            self.results.step(_STEPS[key])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._take(stay=bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier))
        elif key == Qt.Key.Key_Escape:
            self.close()
        elif key in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
            self.results.step(1 if key == Qt.Key.Key_Tab else -1)
        else:
            return False
        return True

    def _clicked(self, index: QModelIndex) -> None:
        modifiers = QGuiApplication.keyboardModifiers()
        self.results.setCurrentIndex(index)
        self._take(stay=bool(modifiers & Qt.KeyboardModifier.ControlModifier))

    def _take(self, *, stay: bool) -> None:
        row = self.results.current
        if row is None or not row.enabled:
            return
        if not stay:
            self.close()
        self.take(row, stay=stay)
        if stay:
            self.line.selectAll()

    def _fitting(self, place: QPoint) -> QPoint:
        """Move the popup's corner so that the whole of it is on the screen."""
        full_height = (
            self.line.sizeHint().height() + ROWS_SHOWN * TALL + self.hint.sizeHint().height() + 5 * STEP
        )
        return on_screen(place, QSize(self.width(), full_height))

    def _restyle(self, theme: Theme) -> None:
        self.setStyleSheet(
            f"QFrame#search_popup {{ background: {theme.panel.name()}; border: 1px solid {theme.border.name()}; }}"
        )
        self.results.restyle(theme)

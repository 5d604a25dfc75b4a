"""The middle of the window: the start page, or the board and the executor view side by side."""

from typing import Literal, Protocol

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from app.panels.panel import ElidedLabel
from app.qt.theme import GAP, STEP

View = Literal["symbol", "split", "executor"]


class Zoomable(Protocol):
    """What the menu View does with the view that has the focus."""

    def setFocus(self) -> None:
        """Take the keys."""

    def zoom_in(self) -> None:
        """Show things larger."""

    def zoom_out(self) -> None:
        """Show things smaller."""

    def zoom_reset(self) -> None:
        """Show things in their own size."""

    def fit(self) -> None:
        """Show everything."""


class Pane(QWidget):
    """A view under a line with its title and, more quietly, what it shows."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("look", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.title = ElidedLabel(title)
        self.title.setProperty("look", "heading")
        self.detail = ElidedLabel()
        self.detail.setProperty("look", "muted")
        head = QHBoxLayout()
        head.setContentsMargins(GAP, STEP, GAP, STEP)
        head.setSpacing(STEP)
        head.addWidget(self.title)
        head.addWidget(self.detail, 1)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(0)
        self._layout.addLayout(head)
        self._space = QWidget()
        self._layout.addWidget(self._space, 1)

    def fill(self, content: QWidget) -> None:
        """Put the view itself in."""
        self._layout.replaceWidget(self._space, content)
        self._space.deleteLater()
        self._layout.setStretchFactor(content, 1)


class Centre(QStackedWidget):
    """Shows the start page while nothing is open, else one or both of the graphs."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.board_pane = Pane("Symbol graph")
        self.executor_pane = Pane("Executor graph")
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(self.board_pane)
        self.splitter.addWidget(self.executor_pane)
        self.even_out()
        self._graphs = QWidget()
        self._below = QVBoxLayout(self._graphs)
        self._below.setContentsMargins(0, 0, 0, 0)
        self._below.setSpacing(1)
        self._below.addWidget(self.splitter, 1)
        self._blank = QWidget()
        self._blank.setProperty("look", "panel")
        self._blank.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._start_page: QWidget | None = None
        self.addWidget(self._blank)
        self.addWidget(self._graphs)
        self.setCurrentWidget(self._blank)
        self.view: View = "split"

    def minimumSizeHint(self) -> QSize:
        """Take no more room than what is shown needs: with panels a small screen has not enough for the start page."""
        shown = self.currentWidget()
        return shown.minimumSizeHint() if shown is not None else QSize()

    @property
    def shows_graphs(self) -> bool:
        """Whether a document is shown rather than the start page."""
        return self.currentWidget() is self._graphs

    def put_below(self, bar: QWidget) -> None:
        """Put a line under the graphs."""
        self._below.addWidget(bar)

    def even_out(self) -> None:
        """Give both graphs the same room."""
        self.splitter.setSizes([1000, 1000])

    def set_start_page(self, page: QWidget) -> None:
        """Hand over the start page, which is shown until a document is."""
        self._start_page = page
        self.addWidget(page)
        if not self.shows_graphs:
            self.setCurrentWidget(page)

    def show_start_page(self) -> None:
        """Show the gallery and the recent files."""
        self.setCurrentWidget(self._start_page or self._blank)
        self.updateGeometry()

    def show_graphs(self) -> None:
        """Show the document."""
        self.setCurrentWidget(self._graphs)
        self.updateGeometry()

    def show_view(self, view: View) -> None:
        """Show the symbol graph, the executor graph, or both."""
        self.view = view
        self.board_pane.setVisible(view != "executor")
        self.executor_pane.setVisible(view != "symbol")

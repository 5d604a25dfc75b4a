"""The palette: operators by category to drag onto the board, and a search over all of them."""

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from app.panels import catalogue
from app.panels.catalogue import Entry
from app.panels.matching import find
from app.panels.palette_entry import ROW_HEIGHT, PaletteEntry, SwatchOnly
from app.panels.panel import FoldButton, Panel, SearchLine, empty, label, widgets_in
from app.qt.theme import HALF_STEP, STEP, Theme
from app.qt.workspace import Workspace

FOUND_AT_MOST = 40
FIRST_SIGNS = {
    "elemwise_add": "+",
    "elemwise_sub": "−",
    "elemwise_mul": "×",
    "elemwise_div": "÷",
    "_power": "xʸ",
}
"""Signs shown before the engine is loaded; afterwards the operators say them themselves."""


class Palette(Panel):
    """All operators; the short list first, everything else when it is asked for or searched.

    `add_requested` carries the name of an operator that is to stand in the middle of the board.
    """

    add_requested = Signal(str)

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(workspace, parent)
        self.setAccessibleName("Palette")
        self.search = SearchLine(self.icons, "Search operators")
        self.more = FoldButton()
        self.more.set_words("All operators")
        self.more.toggled.connect(lambda _: self._rebuild())
        self._page = QWidget()
        self._page.setProperty("look", "panel")
        self._rows = QVBoxLayout(self._page)
        self._rows.setContentsMargins(STEP, 0, 0, STEP)
        self._rows.setSpacing(0)
        self._scroll = QScrollArea()
        self._scroll.setWidget(self._page)
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._lay_out()
        self._loaded = False
        self._typing = QTimer(self, singleShot=True, interval=60)
        self._typing.timeout.connect(self._rebuild)
        self.search.textChanged.connect(lambda _: self._typing.start())
        self.search.installEventFilter(self)
        workspace.analysis_changed.connect(self._on_engine)
        self._rebuild()

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, STEP, 0, 0)
        layout.setSpacing(STEP)
        top = QHBoxLayout()
        top.setContentsMargins(STEP + HALF_STEP, 0, STEP + HALF_STEP, 0)
        top.addWidget(self.search)
        layout.addLayout(top)
        layout.addWidget(self._scroll)

    def sizeHint(self) -> QSize:
        """Ask for the width of the sketches."""
        return QSize(208, 600)

    def minimumSizeHint(self) -> QSize:
        """Keep room for the rows of signs and for most names."""
        return QSize(176, 160)

    @property
    def shown(self) -> list[PaletteEntry]:
        """The entries that can be seen now, from top to bottom."""
        return [entry for row in widgets_in(self._rows) for entry in _entries_in(row)]

    def restyle(self, theme: Theme) -> None:
        """Paint the entries in another theme."""
        for entry in self.shown:
            entry.restyle(theme)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Walk from the search line into the list, add the first hit, and walk the list with the arrows."""
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if watched is self.search:
                return self._search_key(event)
            if isinstance(watched, PaletteEntry):
                return self._entry_key(watched, event)
        return super().eventFilter(watched, event)

    # -- filling it

    def _on_engine(self) -> None:
        """Describe the entries better, once the operators are there."""
        if not self._loaded:
            self._loaded = True
            known = catalogue.entries()
            for entry in self.shown:
                entry.describe(known[entry.entry.name])

    def _known(self, name: str) -> Entry:
        if self._loaded:
            return catalogue.entries()[name]
        return Entry(name, "", FIRST_SIGNS.get(name, ""))

    def _rebuild(self) -> None:
        self._typing.stop()
        # The button outlives the rows that are made anew.
        self.more.setParent(None)
        empty(self._rows)
        query = self.search.text().strip()
        if query:
            self._fill_found(query)
        else:
            self._fill_short_list()
            self._rows.addSpacing(STEP)
            self._rows.addWidget(self.more)
            self.more.show()
            if self.more.isChecked():
                self._fill_everything()
        self._rows.addStretch()
        for number, entry in enumerate(self.shown):
            entry.setFocusPolicy(Qt.FocusPolicy.StrongFocus if number == 0 else Qt.FocusPolicy.ClickFocus)
        self._scroll.verticalScrollBar().setValue(0) if query else None

    def _fill_found(self, query: str) -> None:
        self._loaded = True
        found = find(query, catalogue.candidates())[:FOUND_AT_MOST]
        for match in found:
            self._add_row((match.candidate.key,))
        if not found:
            self._rows.addWidget(label(f"No operator is called “{query}”.", "muted", wrap=True))

    def _fill_short_list(self) -> None:
        for category, rows in catalogue.SHORT_LIST.items():
            self._add_heading(category)
            for names in rows:
                self._add_row(names)

    def _fill_everything(self) -> None:
        self._loaded = True
        by_category: dict[str, list[str]] = {category: [] for category in catalogue.SHORT_LIST}
        for entry in catalogue.entries().values():
            by_category.setdefault(entry.category, []).append(entry.name)
        for category, names in by_category.items():
            self._add_heading(category)
            for name in sorted(names, key=str.casefold):
                self._add_row((name,))

    def _add_heading(self, category: str) -> None:
        heading = label(category.upper(), "section")
        heading.setContentsMargins(HALF_STEP, STEP, 0, HALF_STEP)
        self._rows.addWidget(heading)

    def _add_row(self, names: tuple[str, ...]) -> None:
        if len(names) == 1:
            self._rows.addWidget(self._entry(names[0], swatch=True))
            return
        line = QWidget()
        layout = QHBoxLayout(line)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        picture = SwatchOnly(names[0], self.workspace)
        layout.addWidget(picture)
        for name in names:
            layout.addWidget(self._entry(name, swatch=False))
        layout.addStretch()
        self._rows.addWidget(line)

    def _entry(self, name: str, *, swatch: bool) -> PaletteEntry:
        made = PaletteEntry(self._known(name), self.theme, swatch=swatch)
        made.add_requested.connect(self.add_requested)
        made.installEventFilter(self)
        return made

    # -- the keyboard

    def _search_key(self, event: QKeyEvent) -> bool:
        if event.key() == Qt.Key.Key_Down:
            self._go(0)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.search.text().strip():
            self._rebuild()
            if self.shown:
                self.add_requested.emit(self.shown[0].entry.name)
        elif event.key() == Qt.Key.Key_Escape and self.search.text():
            self.search.clear()
        else:
            return False
        return True

    def _entry_key(self, entry: PaletteEntry, event: QKeyEvent) -> bool:
        steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_Left: -1}
        step = steps.get(Qt.Key(event.key()))
        if step is not None:
            self._go(self.shown.index(entry) + step)
        elif event.key() == Qt.Key.Key_Escape:
            self.search.setFocus()
        elif event.text().strip() and event.text().isprintable() and not event.modifiers():
            self.search.setFocus()
            self.search.setText(event.text())
        else:
            return False
        return True

    def _go(self, number: int) -> None:
        entries = self.shown
        if number < 0:
            self.search.setFocus(Qt.FocusReason.OtherFocusReason)
        elif entries:
            entry = entries[min(number, len(entries) - 1)]
            entry.setFocus(Qt.FocusReason.OtherFocusReason)
            self._scroll.ensureWidgetVisible(entry, 0, ROW_HEIGHT)


def _entries_in(row: QWidget) -> list[PaletteEntry]:
    return [row] if isinstance(row, PaletteEntry) else row.findChildren(PaletteEntry)

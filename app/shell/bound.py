"""What a bind would hand out, in words, and the popup in which outputs and wanted gradients are chosen."""

from typing import TYPE_CHECKING, Final

import attrs
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QPoint, Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from app.document.records import GROUP, VARIABLE, Id, Request
from app.qt.places import free_screen, on_screen
from app.qt.theme import STEP
from app.qt.workspace import Workspace

if TYPE_CHECKING:
    from app.document.analysis import Analysis

Index = QModelIndex | QPersistentModelIndex
REQUESTS: Final[tuple[Request, ...]] = ("write", "add", "null")
TITLES: Final = ("Gradient of", "write", "add", "none")
NAMES_SHOWN = 2
ID_ROLE = Qt.ItemDataRole.UserRole


def bound_words(analysis: "Analysis | None") -> str:
    """Return the words of the button: "Bind: E (1 output)"."""
    if analysis is None or analysis.graph is None:
        return "Bind: nothing yet"
    names = list(dict.fromkeys(analysis.graph.nodes[index].name for index, _ in analysis.graph.heads))
    shown = ", ".join(names[:NAMES_SHOWN]) + (" …" if len(names) > NAMES_SHOWN else "")
    count = len(analysis.graph.heads)
    return f"Bind: {shown} ({count} output{'' if count == 1 else 's'})"


class RequestModel(QAbstractTableModel):
    """For each argument, whether its gradient is written, added or not wanted."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self.names: tuple[str, ...] = ()
        self.refresh()

    def refresh(self) -> None:
        """Follow the document."""
        analysis = self._workspace.analysis
        names = analysis.argument_names if analysis is not None else ()
        if names != self.names:
            self.beginResetModel()
            self.names = names
            self.endResetModel()
        elif names:
            self.dataChanged.emit(self.index(0, 1), self.index(len(names) - 1, len(REQUESTS)))

    def request(self, name: str) -> str:
        """Return the request that holds for an argument: the user's own, or the program's proposal."""
        from app.services.running import request_of

        return request_of(self._workspace.document, name)

    def ask(self, name: str, request: Request | None) -> None:
        """Want another request for an argument; None is the program's proposal."""
        from app.document.edits import set_binding
        from app.document.records import Binding

        binding = self._workspace.document.bindings.get(name, Binding(name))
        self._workspace.try_edit(set_binding, attrs.evolve(binding, request=request))

    def ask_all(self, request: Request | None) -> None:
        """Want one request for every argument, in one step."""
        from app.document.changes import Change, Transaction
        from app.document.records import Binding

        bindings = self._workspace.document.bindings
        changes = []
        for name in self.names:
            before = bindings.get(name)
            after = attrs.evolve(before or Binding(name), request=request)
            kept = None if after == Binding(name) else after
            if kept != before:
                changes.append(Change("bindings", name, before, kept))
        self._workspace.commit(Transaction("Choose the gradients", tuple(changes)))

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 (Qt's own)
        """Return how many arguments there are."""
        return 0 if parent.isValid() else len(self.names)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 (Qt's own)
        """Return the name's column and one for each request."""
        return 0 if parent.isValid() else len(TITLES)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> object:
        """Return the titles."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return TITLES[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return a name, or the mark of a request."""
        name = self.names[index.row()]
        if index.column() == 0:
            return name if role == Qt.ItemDataRole.DisplayRole else None
        request = REQUESTS[index.column() - 1]
        if role == Qt.ItemDataRole.CheckStateRole:
            on = self.request(name) == request
            return Qt.CheckState.Checked if on else Qt.CheckState.Unchecked
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{TITLES[index.column()]} for the gradient of {name}"
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Let the marks be set."""
        usual = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return usual | Qt.ItemFlag.ItemIsUserCheckable if index.column() else usual

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Take a mark that was set."""
        if role != Qt.ItemDataRole.CheckStateRole or not index.column():
            return False
        self.ask(self.names[index.row()], REQUESTS[index.column() - 1])
        return True


class BoundPopup(QFrame):
    """Chooses which outputs are bound and which gradients are wanted; every choice is an edit that can be undone."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Popup | Qt.WindowType.FramelessWindowHint)
        self.setObjectName("bound_popup")
        self._workspace = workspace
        self._filling = False
        self.outputs = QListWidget()
        self.outputs.setAccessibleName("Outputs")
        self.outputs.itemChanged.connect(self._on_output)
        self.requests = RequestModel(workspace)
        self.table = QTableView()
        self._set_up_table()
        self._lay_out()
        workspace.analysis_changed.connect(self._on_analysis)
        workspace.theming.changed.connect(self._restyle)
        self._restyle()

    def open_under(self, button: QWidget) -> None:
        """Show the popup under a button."""
        self._fill()
        place = button.mapToGlobal(QPoint(0, button.height() + 4))
        self.resize(self.sizeHint().boundedTo(free_screen(place).size()))
        self.move(on_screen(place, self.size()))
        self.show()
        self.table.setFocus()

    def _set_up_table(self) -> None:
        table = self.table
        table.setModel(self.requests)
        table.setAccessibleName("Which gradients are wanted")
        table.verticalHeader().hide()
        table.setShowGrid(False)
        table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        header = table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * STEP, 2 * STEP, 2 * STEP, 2 * STEP)
        layout.setSpacing(STEP)
        layout.addWidget(_heading("Outputs"))
        layout.addWidget(_words("Only what they need is bound."))
        layout.addWidget(self.outputs)
        layout.addWidget(_heading("Gradients"))
        layout.addWidget(_words("Proposed: write, but none for names with data or label in them."))
        layout.addWidget(self.table)
        row = QHBoxLayout()
        for words, request in (("As proposed", None), ("Write all", "write"), ("None", "null")):
            button = QPushButton(words)
            button.clicked.connect(lambda _=False, request=request: self.requests.ask_all(request))
            row.addWidget(button)
        row.addStretch()
        layout.addLayout(row)
        for lines, least, most in ((self.outputs, 56, 112), (self.table, 96, 208)):
            lines.setMinimumHeight(least)  # a small screen has no room for more
            lines.setMaximumHeight(most)
        self.setFixedWidth(400)

    def _on_analysis(self, _analysis: object) -> None:
        if self.isVisible():  # else a large model would cost every edit the filling of two long lists
            self._fill()

    def _fill(self) -> None:
        self.requests.refresh()
        self._fill_outputs()

    def _fill_outputs(self) -> None:
        analysis = self._workspace.analysis
        if analysis is None:
            return
        self._filling = True
        document, chosen = self._workspace.document, analysis.drawing.chosen
        self.outputs.clear()
        rest = [key for key in reversed(tuple(document.nodes)) if key not in chosen]
        for key in (*chosen, *rest):
            node = document.nodes[key]
            if node.op == VARIABLE and key not in chosen:
                continue
            item = QListWidgetItem(
                f"{node.name}  ·  {node.op}" if node.op != GROUP else f"{node.name}  ·  Group"
            )
            item.setData(ID_ROLE, key)
            item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Checked if key in chosen else Qt.CheckState.Unchecked)
            self.outputs.addItem(item)
        self._filling = False

    def _on_output(self, changed: QListWidgetItem) -> None:
        if self._filling:
            return
        from app.document.edits import set_options

        analysis = self._workspace.analysis
        assert analysis is not None, "outputs are listed from an analysis"
        key: Id = changed.data(ID_ROLE)
        chosen = [other for other in analysis.drawing.chosen if other != key]
        if changed.checkState() == Qt.CheckState.Checked:
            chosen.append(key)
        self._workspace.try_edit(set_options, heads=tuple(chosen))

    def _restyle(self, _theme: object = None) -> None:
        theme = self._workspace.theme
        self.setStyleSheet(
            f"QFrame#bound_popup {{ background: {theme.panel.name()}; border: 1px solid {theme.border.name()}; }}"
        )


def _heading(words: str) -> QLabel:
    label = QLabel(words)
    label.setProperty("look", "heading")
    return label


def _words(words: str) -> QLabel:
    label = QLabel(words)
    label.setProperty("look", "muted")
    label.setWordWrap(True)
    return label

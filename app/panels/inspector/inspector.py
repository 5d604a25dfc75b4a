"""The inspector: what is selected, on pages; the sheet of the bind when nothing is."""

from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QPushButton, QScrollArea, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from app.document.records import Edge, Id, Node
from app.panels.bind_panel import BindPanel
from app.panels.catalogue import entries
from app.panels.inspector.node_page import NodePage
from app.panels.panel import ElidedLabel, InTurn, Panel, empty, label, row
from app.qt.theme import GAP, HALF_STEP, STEP, Theme
from app.qt.workspace import Workspace

if TYPE_CHECKING:
    from app.document.analysis import Analysis
    from app.panels.inspector.array_page import ArrayPage

TabName = Literal["Node", "Values", "Gradient"]
TABS: tuple[TabName, ...] = ("Node", "Values", "Gradient")
LISTED_AT_MOST = 40


class Inspector(Panel):
    """Follows the selection; only the page that is seen is filled."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(workspace, parent)
        self.setAccessibleName("Inspector")
        self.title: ElidedLabel = label("", "title")  # type: ignore[assignment]
        self.subtitle: ElidedLabel = label("", "muted")  # type: ignore[assignment]
        self.subtitle.least = 112
        self.tabs = QTabBar()
        self.tabs.setExpanding(False)
        self.tabs.setUsesScrollButtons(False)
        self.tabs.setDrawBase(False)
        self.tabs.setAccessibleName("Pages of the inspector")
        for name in TABS:
            self.tabs.addTab(name)
        self.node_page = NodePage(workspace)
        self.summary = BindPanel(workspace)
        self._selected = _SelectedPage(workspace)
        self._arrays: dict[TabName, ArrayPage] = {}
        self.pages = QStackedWidget()
        self._scrolls: dict[QWidget, QScrollArea] = {}
        for page in (self.summary, self.node_page, self._selected):
            self._add(page)
        self._lay_out()
        self._stale = True
        self._turn = InTurn(self, self._refresh)
        self.tabs.currentChanged.connect(lambda _: self._show())
        workspace.analysis_changed.connect(lambda _: self._turn.ask())
        workspace.selection_changed.connect(lambda _: self._on_selection())
        workspace.results_changed.connect(lambda _: self._on_results())
        self._refresh()

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, STEP, 0, 0)
        layout.setSpacing(HALF_STEP)
        head = row(self.title, self.subtitle, space=STEP)
        head.setStretch(1, 1)
        head.setContentsMargins(GAP, 0, GAP, 0)
        head.setAlignment(self.subtitle, Qt.AlignmentFlag.AlignBottom)
        tabs = row(self.tabs)
        tabs.setContentsMargins(STEP, 0, GAP, 0)
        tabs.addStretch()
        layout.addLayout(head)
        layout.addLayout(tabs)
        layout.addWidget(self.pages)

    def sizeHint(self) -> QSize:
        """Ask for the width of the sketches."""
        return QSize(304, 640)

    def minimumSizeHint(self) -> QSize:
        """Keep room for the forms."""
        return QSize(272, 200)

    # -- what there is to see

    @property
    def node(self) -> Node | None:
        """The one node that is selected, or None."""
        document = self.workspace.document
        selected = self.workspace.store.selection
        nodes = [document.nodes[key] for key in selected if key in document.nodes]
        return nodes[0] if len(nodes) == 1 and len(selected) == 1 else None

    @property
    def tab(self) -> TabName:
        """The page that is chosen."""
        return TABS[self.tabs.currentIndex()]

    def choose_tab(self, name: TabName) -> None:
        """Turn to a page."""
        self.tabs.setCurrentIndex(TABS.index(name))

    def show_array(self, name: str, *, gradient: bool) -> None:
        """Show an array of the selected node by its name, or its gradient, where there are numbers of it."""
        if self.node is None or self.workspace.results is None:
            return
        tab: TabName = "Gradient" if gradient else "Values"
        self.choose_tab(tab)
        self.array_page(tab).choose(name)

    def array_page(self, name: TabName) -> "ArrayPage":
        """Return the page about values or gradients, made when it is first needed."""
        if name not in self._arrays:
            from app.panels.inspector.array_page import ArrayPage

            self._arrays[name] = ArrayPage(self.workspace, "value" if name == "Values" else "gradient")
            self._add(self._arrays[name])
        return self._arrays[name]

    def restyle(self, theme: Theme) -> None:
        """Pass another theme on."""
        for page in self._arrays.values():
            page.restyle(theme)

    def showEvent(self, event: QShowEvent) -> None:
        """Catch up with what changed while nothing could be seen."""
        super().showEvent(event)
        if self._stale:
            self._refresh()

    # -- following the workspace

    def _on_selection(self) -> None:
        self.node_page.flush()
        self._refresh()

    def _on_results(self) -> None:
        if self.node is not None and self.tab == "Node":
            self.node_page.show_times()
        elif self.node is not None:
            self._refresh()

    def _refresh(self) -> None:
        """Show the selection as it is in the analysis of the document as it is now."""
        self._stale = not self.isVisible()
        analysis = self.workspace.analysis
        if self._stale or analysis is None or analysis.document is not self.workspace.document:
            return  # while a change is being announced, the analysis of it is still to come
        self._show()

    def _show(self) -> None:
        analysis, node = self.workspace.analysis, self.node
        if analysis is None or analysis.document is not self.workspace.document:
            return
        self.tabs.setVisible(node is not None)
        if node is None:
            self._show_no_node(analysis)
            return
        self.title.set_whole(node.name)
        self.subtitle.set_whole(_operator_words(node))
        page: QWidget
        if self.tab == "Node":
            page = self.node_page
            self.node_page.show_node(analysis, node.id)
        else:
            arrays = self.array_page(self.tab)
            arrays.show_node(analysis, node.id)
            page = arrays
        self.pages.setCurrentWidget(self._scrolls[page])

    def _show_no_node(self, analysis: "Analysis") -> None:
        document, selected = self.workspace.document, self.workspace.store.selection
        nodes = [document.nodes[key] for key in document.nodes if key in selected]
        edges = [document.edges[key] for key in document.edges if key in selected]
        if not nodes and not edges:
            self.title.set_whole(document.options.title or "Board")
            self.subtitle.set_whole(_count(len(document.nodes), "node"))
            self.pages.setCurrentWidget(self._scrolls[self.summary])
            return
        self.title.set_whole("Wire" if not nodes and len(edges) == 1 else "Selection")
        counts = [_count(len(nodes), "node")] if nodes else []
        counts += [_count(len(edges), "wire")] if edges and nodes else []
        self.subtitle.set_whole(" · ".join(counts))
        self._selected.show_parts(analysis, nodes, edges)
        self.pages.setCurrentWidget(self._scrolls[self._selected])

    def _add(self, page: QWidget) -> None:
        holder = QWidget()
        holder.setProperty("look", "panel")
        inner = QVBoxLayout(holder)
        inner.setContentsMargins(GAP, 0, GAP, 0)
        inner.addWidget(page)
        scroll = QScrollArea()
        scroll.setWidget(holder)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scrolls[page] = scroll
        self.pages.addWidget(scroll)


class _SelectedPage(QWidget):
    """Several nodes, or wires: what is selected, each to be looked at with a click."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, STEP, 0, GAP)
        self._layout.setSpacing(HALF_STEP)

    def show_parts(self, analysis: "Analysis", nodes: list[Node], edges: list[Edge]) -> None:
        """List nodes and wires; of a single wire, tell why its shape is so."""
        empty(self._layout)
        parts: list[tuple[Id, str]] = [(node.id, f"{node.name}   {node.op}") for node in nodes]
        if len(edges) == 1 and not nodes:
            from app.panels.inspector.wire_page import fill_wire

            fill_wire(self._layout, self._workspace, analysis, edges[0])
            self._layout.addStretch()
            return
        for edge in edges:
            names = [analysis.document.nodes[end].name for end in (edge.source, edge.target)]
            parts.append((edge.id, f"{names[0]} → {names[1]}   {analysis.wire_shape(edge.id)}"))
        for key, words in parts[:LISTED_AT_MOST]:
            button = QPushButton(words)
            button.setProperty("look", "flat")
            button.setStyleSheet("text-align: left")
            button.setToolTip(words)
            button.clicked.connect(lambda _=False, key=key: self._workspace.select({key}))
            self._layout.addWidget(button)
        if len(parts) > LISTED_AT_MOST:
            self._layout.addWidget(label(f"… and {len(parts) - LISTED_AT_MOST} more", "muted"))
        self._layout.addStretch()


def _operator_words(node: Node) -> str:
    known = entries().get(node.op)
    return f"{node.op}  {known.sign}" if known is not None and known.sign else node.op


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"

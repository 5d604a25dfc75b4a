"""The board's scene: one light item for every node, wire and automatic argument, kept in step with the workspace."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPointF, QRectF, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QGraphicsItem, QGraphicsScene

from app.canvas.appearance import Appearance
from app.canvas.arrangement import bows_of
from app.canvas.auto_items import AutoItem, AutoLook
from app.canvas.differences import Differences, differences
from app.canvas.edge_items import EdgeItem
from app.canvas.far_board import far_marks, far_picture
from app.canvas.far_layer import FarLayer
from app.canvas.geometry import PICTURE, StyleGeometry, geometry_of
from app.canvas.ink import Ink
from app.canvas.labels import Surroundings
from app.canvas.looks import Kit, NodeState
from app.canvas.node_items import NodeItem
from app.canvas.ways import Wire
from app.document.records import Document, Edge, Id, Node
from app.document.topology import topology

if TYPE_CHECKING:
    from app.canvas.heat import Heat
    from app.canvas.heat_store import HeatStore
    from app.qt.workspace import Workspace


SMALL = 60
"""Up to so many wires the words of a node keep clear of all the others, not only of its own."""


class NoHeats:
    """Stands in for results that are not there."""

    def heat(self, node: Id, which: str) -> "Heat | None":
        """Return nothing."""
        return None


class BoardScene(QGraphicsScene):
    """Follows a workspace: its document, analysis, results, selection and theme.

    It only shows. What a gesture previews (nodes held elsewhere, a wire made pale) lives in the items and is gone with
    `end_preview`; the document changes through the workspace alone.
    """

    content_changed = Signal()  # nodes or wires came, went or moved
    values_changed = Signal()  # the heatmaps of a run are shown, so nodes may need more room

    def __init__(self, workspace: "Workspace", parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.workspace = workspace
        self.node_items: dict[Id, NodeItem] = {}
        self.edge_items: dict[Id, EdgeItem] = {}
        self.auto_items: dict[tuple[Id, int], AutoItem] = {}
        self._autos_of: dict[Id, list[AutoItem]] = {}
        self.heats: HeatStore | None = None
        self.kit = Kit(Ink(workspace.theme), NoHeats())
        self.appearance = Appearance(workspace.document, None)
        self._bows: Mapping[Id, float] = {}
        self._far_is_old = True
        self._style: str = workspace.document.options.style
        self._far = FarLayer(self.kit, lambda: far_marks(self.node_items.values()))
        self.addItem(self._far)
        self._take_results()
        workspace.document_changed.connect(self._on_document)
        workspace.analysis_changed.connect(self._on_analysis)
        workspace.results_changed.connect(self._on_results)
        workspace.selection_changed.connect(self._on_selection)
        workspace.view_option_changed.connect(self._on_view_option)
        self.refresh()

    # What it shows -----------------------------------------------------------------------------------------------

    @property
    def document(self) -> Document:
        """The document as it is shown."""
        return self.appearance.document

    @property
    def node_style(self) -> str:
        """The name of the node style in use."""
        return self._style

    @property
    def geometry(self) -> StyleGeometry:
        """Where things lie in the style in use."""
        return geometry_of(self._style)

    def content_box(self, ids: Iterable[Id] | None = None) -> QRectF:
        """Return the box of these nodes, or of all, with their words and automatic arguments."""
        chosen = set(self.node_items) if ids is None else set(ids)
        box = QRectF()
        for key in chosen & self.node_items.keys():
            item = self.node_items[key]
            box = box.united(item.drawing.bounds.translated(item.pos()))
            for auto in self._autos_of.get(key, ()):
                box = box.united(auto.mapRectToScene(auto.boundingRect()))
        if ids is None:
            for edge in self.edge_items.values():
                box = box.united(edge.boundingRect())
        return box

    def sizes(self) -> dict[Id, tuple[float, float]]:
        """Return how much room every node takes around its position, for a layout: twice the farther reach."""
        found = {}
        for key, item in self.node_items.items():
            box = self.content_box([key]).translated(-item.pos())
            wide, high = max(-box.left(), box.right()), max(-box.top(), box.bottom())
            found[key] = (2 * wide, 2 * high)
        return found

    def way(self, edge: Edge) -> Wire:
        """Return the way of a wire between its nodes as they are shown, a preview included."""
        source, target = self.node_items[edge.source].placed, self.node_items[edge.target].placed
        bow = self._bows.get(edge.id, 0.0)
        if self._style != "card" and bow:
            return PICTURE.bowed(source, target, bow)
        return self.geometry.wire(source, edge.output, target, edge.input)

    def surroundings(self, node: Id) -> Surroundings:
        """Return what the words of a node should not cover: its wires, and in a small graph everything near."""
        own = self.node_items[node].pos()
        wires = topology(self.document)
        others = [edge.target for edge in wires.outputs(node)]
        others += [edge.source for edge in wires.inputs(node).values()]
        lines = [(QPointF(), self.node_items[other].pos() - own) for other in others]
        lines += [(QPointF(), auto.look.spot.centre) for auto in self._autos_of.get(node, ())]
        if not self._is_small:
            return Surroundings(lines)
        ids = {edge.id for edge in wires.outputs(node)} | {edge.id for edge in wires.inputs(node).values()}
        lines += [
            (edge.way.start - own, edge.way.end - own)
            for key, edge in self.edge_items.items()
            if key not in ids
        ]
        boxes = [item.body_box().translated(-own) for key, item in self.node_items.items() if key != node]
        boxes += [auto.text_box.translated(-own) for auto in self.auto_items.values()]
        boxes += [edge.text_box.translated(-own) for edge in self.edge_items.values()]
        return Surroundings(lines, boxes)

    @property
    def _is_small(self) -> bool:
        """Whether words may look around for everything near, which takes time for each pair."""
        return len(self.edge_items) <= SMALL

    # Following the workspace -------------------------------------------------------------------------------------

    def _on_document(self, _update: object) -> None:
        # With an engine the analysis of this very document follows at once, and one pass is enough.
        if self.workspace.analysis is None:
            self.refresh()

    def _on_analysis(self, _analysis: object) -> None:
        found = differences(self.appearance.analysis, self.workspace.analysis)
        if found is None or len(self.node_items) <= SMALL:
            self.refresh()
        else:
            self._follow(found)

    def _on_results(self, _results: object) -> None:
        self._take_results()
        self.appearance.heats = self.heats
        for item in self.node_items.values():
            item.show_look(self.appearance.with_values(item.look), self._style)
            item.update()
        self.values_changed.emit()

    def _on_view_option(self) -> None:
        theme = self.workspace.theme
        if theme is not self.kit.ink.theme:
            self.kit.ink = Ink(theme)
            self._take_results()
        elif self.appearance.document is self.workspace.document:
            return  # what the document asks for was taken over with its analysis
        self.refresh()
        self.update()

    def _on_selection(self, _ids: object) -> None:
        self.show_selection(self.workspace.store.selection)

    def _take_results(self) -> None:
        results, colours = self.workspace.results, self.workspace.theme.heat
        is_current = self.workspace.results_are_current
        if results is None:
            self.heats = None
            self.kit.heats = NoHeats()
        elif self.heats is not None and self.heats.serves(results, colours):
            self.heats.is_current = is_current
        else:
            from app.canvas.heat_store import HeatStore

            self.heats = self.kit.heats = HeatStore(results, colours, is_current=is_current)

    def _follow(self, found: Differences) -> None:
        """Take over a document in which little looks otherwise; arguments stay at the sides where they are."""
        document = self.workspace.document
        if self.heats is not None:
            self.heats.is_current = self.workspace.results_are_current
        sides = self.appearance.side_up
        self.appearance = Appearance(document, self.workspace.analysis, self.heats, sides)
        for key in found.nodes:
            item = self.node_items[key]
            item.show_look(self.appearance.node(document.nodes[key]), self._style)
            for auto in self.appearance.automatic(item.look) if document.options.show_auto else ():
                self.auto_items[auto.key].show_look(auto)
        for key in found.edges:
            self.edge_items[key].show_look(self.appearance.edge(document.edges[key]))
        if found.moved:
            self.preview({key: QPointF(*document.nodes[key].position) for key in found.moved})
        self._update_far()
        self.content_changed.emit()

    def refresh(self) -> None:
        """Compare everything with the workspace and change what differs."""
        document = self.workspace.document
        self._style = document.options.style
        if self.heats is not None:
            self.heats.is_current = self.workspace.results_are_current
        before = self.appearance.document.edges
        self.appearance = Appearance(document, self.workspace.analysis, self.heats)
        self._bows = bows_of(document) if self._style != "card" else {}
        moved = self._sync_nodes(document)
        self._sync_autos()
        self._sync_edges(document, before, moved)
        self.show_selection(self.workspace.store.selection)
        self._far_is_old = True
        self._update_far()
        self.content_changed.emit()

    def _sync_nodes(self, document: Document) -> set[Id]:
        """Bring the nodes up to date; return those whose wires may run otherwise now."""
        moved: set[Id] = set()
        for key in [key for key in self.node_items if key not in document.nodes]:
            self._drop(self.node_items.pop(key))
        for key, node in document.nodes.items():
            look = self.appearance.node(node)
            item = self.node_items.get(key)
            if item is None:
                item = NodeItem(look, self._style, self.kit, self.surroundings)
                item.setVisible(not self._far.isVisible())
                self.node_items[key] = item
                item.setPos(*node.position)
                self.addItem(item)
                moved.add(key)
                continue
            if item.show_look(look, self._style):
                moved.add(key)
            if _place(item, node):
                moved.add(key)
        return moved

    def _sync_autos(self) -> None:
        looks: dict[tuple[Id, int], AutoLook] = {}
        shown = self.node_items.values() if self.document.options.show_auto else ()
        for item in shown:
            for look in self.appearance.automatic(item.look):
                looks[look.key] = look
        for key in [key for key in self.auto_items if key not in looks]:
            self._drop(self.auto_items.pop(key))
        for key, look in looks.items():
            auto = self.auto_items.get(key)
            if auto is None:
                auto = AutoItem(look, self.kit)
                auto.setVisible(not self._far.isVisible())
                self.auto_items[key] = auto
                self.addItem(auto)
            auto.show_look(look)
            auto.setPos(self.node_items[look.owner].pos())
        self._autos_of = {}
        for (owner, _), auto in self.auto_items.items():
            self._autos_of.setdefault(owner, []).append(auto)

    def _sync_edges(self, document: Document, before: Mapping[Id, Edge], moved: set[Id]) -> None:
        around: set[Id] = set()
        for key in [key for key in self.edge_items if key not in document.edges]:
            self._drop(self.edge_items.pop(key))
            around |= moved
        for key, edge in document.edges.items():
            look = self.appearance.edge(edge)
            item = self.edge_items.get(key)
            if item is None:
                item = EdgeItem(look, self.way(edge), self._style, self.kit)
                item.setVisible(not self._far.isVisible())
                self.edge_items[key] = item
                self.addItem(item)
                around |= {edge.source, edge.target}
                continue
            item.show_look(look)
            if edge.source in moved or edge.target in moved or before.get(key) != edge:
                item.run(self.way(edge), self._style)
                around |= {edge.source, edge.target}
        self._lay_out(around | moved)

    def _lay_out(self, nodes: set[Id]) -> None:
        """Place the words anew that stand beside wires which run otherwise now."""
        if self._style != "card" and nodes:
            for node in self.node_items if self._is_small else nodes:
                self.node_items[node].lay_out()

    def _update_far(self) -> None:
        """Let the far layer, where it is seen, show what the items do."""
        if self._far.isVisible() and self._far_is_old:
            self._far.show_picture(far_picture(self.node_items.values(), self.edge_items.values()))
            self._far_is_old = False
        self._far.update()

    def _drop(self, item: QGraphicsItem) -> None:
        self.removeItem(item)

    # Selection, preview, marks -----------------------------------------------------------------------------------

    def show_selection(self, ids: Iterable[Id]) -> None:
        """Mark these nodes and wires as selected and no others."""
        chosen = set(ids)
        for key, item in self.node_items.items():
            item.set_state(selected=key in chosen)
        for key, edge in self.edge_items.items():
            edge.set_state(selected=key in chosen)
        self._far.update()

    def preview(self, positions: Mapping[Id, QPointF]) -> None:
        """Show nodes elsewhere for the moment, with their wires."""
        for key, position in positions.items():
            self.node_items[key].setPos(position)
            for auto in self._autos_of.get(key, ()):
                auto.setPos(position)
        wires = topology(self.document)
        touched = set(positions)
        edges: dict[Id, Edge] = {}
        for key in positions:
            for edge in (*wires.outputs(key), *wires.inputs(key).values()):
                edges[edge.id] = edge
                touched |= {edge.source, edge.target}
        for edge in edges.values():
            self.edge_items[edge.id].run(self.way(edge), self._style)
        self._lay_out(touched)
        self._far_is_old = True
        self._update_far()

    def end_preview(self) -> None:
        """Show every node where the document has it, and drop all marks of a gesture."""
        away = {
            key: QPointF(*node.position)
            for key, node in self.document.nodes.items()
            if self.node_items[key].pos() != QPointF(*node.position)
        }
        if away:
            self.preview(away)
        self.clear_marks()
        self.show_selection(self.workspace.store.selection)

    def clear_marks(self) -> None:
        """Take back what gestures and the pointer marked."""
        plain = NodeState()
        for item in self.node_items.values():
            item.set_state(
                dimmed=False, lit=plain.lit, best=None, lifted=False, hovered=False, shows_ports=False
            )
        for edge in self.edge_items.values():
            edge.set_state(pale=False, dimmed=False, hovered=False)
        for auto in self.auto_items.values():
            auto.set_state(dimmed=False, hovered=False)

    # Zoom --------------------------------------------------------------------------------------------------------

    def set_scale(self, scale: float) -> None:
        """Tell the painters at which zoom they paint; far out one layer stands for all items."""
        self.kit.scale = scale
        far = FarLayer.serves(scale)
        if far == self._far.isVisible():
            return
        self._far.setVisible(far)
        self._update_far()
        for items in (self.node_items, self.edge_items, self.auto_items):
            for item in items.values():
                item.setVisible(not far)

    @property
    def is_far(self) -> bool:
        """Whether the far layer stands for the items."""
        return self._far.isVisible()

    def snapshot(self, margin: float = 24.0, scale: float = 1.0) -> QImage:
        """Return a picture of everything on the board, for documents and tests."""
        from app.canvas.pictures import picture_of

        return picture_of(self, self.content_box().adjusted(-margin, -margin, margin, margin), scale)


def _place(item: NodeItem, node: Node) -> bool:
    position = QPointF(*node.position)
    if item.pos() == position:
        return False
    item.setPos(position)
    return True

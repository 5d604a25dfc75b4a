"""The items that show a document on the board, brought in line with one appearance after the other."""

from collections.abc import Collection, Iterable, Mapping

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtWidgets import QGraphicsItem, QGraphicsScene

from app.canvas.appearance import Appearance
from app.canvas.arrangement import bows_of
from app.canvas.auto_items import AutoItem
from app.canvas.differences import Differences
from app.canvas.edge_items import EdgeItem
from app.canvas.far_board import far_marks, far_picture
from app.canvas.far_layer import FarLayer
from app.canvas.geometry import PICTURE, StyleGeometry, geometry_of
from app.canvas.labels import Surroundings
from app.canvas.looks import Kit, NodeState
from app.canvas.node_items import NodeItem
from app.canvas.ways import Wire
from app.document.records import Document, Edge, Id
from app.document.topology import Topology, topology

SMALL = 60
"""Up to so many nodes and wires the words of a node keep clear of all the others, not only of its own."""


class BoardItems:
    """One light item for every node, wire and automatic argument, and the layer for far away.

    What a gesture previews (nodes held elsewhere, a wire made pale) lives in the items and is gone with `end_preview`.
    """

    def __init__(self, scene: QGraphicsScene, kit: Kit, appearance: Appearance) -> None:
        self.appearance = appearance
        self.nodes: dict[Id, NodeItem] = {}
        self.edges: dict[Id, EdgeItem] = {}
        self.autos: dict[tuple[Id, int], AutoItem] = {}
        self.style: str = appearance.document.options.style
        self._autos_of: dict[Id, list[AutoItem]] = {}
        self._scene = scene
        self._kit = kit
        self._bows: Mapping[Id, float] = {}
        self._far_is_old = True
        self._whole: QRectF | None = None
        self.far = FarLayer(kit, lambda: far_marks(self.nodes.values()))
        scene.addItem(self.far)

    @property
    def geometry(self) -> StyleGeometry:
        """Where things lie in the style in use."""
        return geometry_of(self.style)

    @property
    def is_small(self) -> bool:
        """Whether words may look around for everything near, which takes time for each pair."""
        document = self.appearance.document
        return max(len(document.nodes), len(document.edges)) <= SMALL

    # Where things are --------------------------------------------------------------------------------------------

    def content_box(self, ids: Iterable[Id] | None = None) -> QRectF:
        """Return the box of these nodes, or of all, with their words and automatic arguments."""
        if ids is not None:
            return self._box_of(ids)
        if self._whole is None:
            self._whole = self._box_of(self.nodes)
            for edge in self.edges.values():
                self._whole = self._whole.united(edge.boundingRect())
        return QRectF(self._whole)

    def _box_of(self, ids: Iterable[Id]) -> QRectF:
        box = QRectF()
        for key in self.nodes.keys() & ids:
            item = self.nodes[key]
            box = box.united(item.drawing.bounds.translated(item.pos()))
            for auto in self._autos_of.get(key, ()):
                box = box.united(auto.mapRectToScene(auto.boundingRect()))
        return box

    def _way(self, edge: Edge) -> Wire:
        """Return the way of a wire between its nodes as they are shown, a preview included."""
        source, target = self.nodes[edge.source].placed, self.nodes[edge.target].placed
        bow = self._bows.get(edge.id, 0.0)
        if self.style != "card" and bow:
            return PICTURE.bowed(source, target, bow)
        return self.geometry.wire(source, edge.output, target, edge.input)

    def _surroundings(self, node: Id) -> Surroundings:
        """Return what the words of a node should not cover: its wires, and in a small graph everything near."""
        own = self.nodes[node].pos()
        wires = topology(self.appearance.document)
        others = [edge.target for edge in wires.outputs(node)]
        others += [edge.source for edge in wires.inputs(node).values()]
        lines = [(QPointF(), self.nodes[other].pos() - own) for other in others]
        lines += [(QPointF(), auto.look.spot.centre) for auto in self._autos_of.get(node, ())]
        if not self.is_small:
            return Surroundings(lines)
        ids = {edge.id for edge in wires.outputs(node)} | {edge.id for edge in wires.inputs(node).values()}
        lines += [
            (edge.way.start - own, edge.way.end - own) for key, edge in self.edges.items() if key not in ids
        ]
        boxes = [item.body_box().translated(-own) for key, item in self.nodes.items() if key != node]
        boxes += [auto.text_box.translated(-own) for auto in self.autos.values()]
        boxes += [edge.text_box.translated(-own) for edge in self.edges.values()]
        for key, item in self.nodes.items():
            if key < node:  # whoever comes later makes way
                place = item.pos() - own
                boxes += [box.translated(place) for box in item.drawing.written]
        return Surroundings(lines, boxes)

    # Drawing it --------------------------------------------------------------------------------------------------

    def show(self, appearance: Appearance, found: Differences | None = None) -> None:
        """Show a document as it looks now; only what may look otherwise is gone over where that is known."""
        was_small = self.is_small
        self.appearance = appearance
        document = appearance.document
        self.style = document.options.style
        wires = topology(document)
        if self.style == "card":
            self._bows = {}
        elif found is None or found.rewired:
            self._bows = bows_of(document)
        has_lost = self._drop_what_is_gone(document)
        nodes = document.nodes.keys() if found is None else found.nodes | found.moved
        moved = self._show_nodes(nodes)
        around = moved | self._show_autos(nodes)
        if was_small != self.is_small or (has_lost and self.is_small):
            # words may have kept clear of what is gone, or of what is too much now
            around |= self.nodes.keys()
        if found is None:
            self._run_wires(document.edges.keys(), around)
        else:
            near = {edge.id for key in around for edge in _wires_at(wires, key)}
            self._run_wires(found.edges | near, around | found.rewired)
        self.renew_far()

    def _drop_what_is_gone(self, document: Document) -> bool:
        """Remove the items of what a document has no more; tell whether there were any."""
        gone: list[QGraphicsItem] = [
            self.nodes.pop(key) for key in list(self.nodes) if key not in document.nodes
        ]
        gone += [self.edges.pop(key) for key in list(self.edges) if key not in document.edges]
        gone += [self.autos.pop(key) for key in list(self.autos) if key[0] not in document.nodes]
        self._autos_of = {key: autos for key, autos in self._autos_of.items() if key in document.nodes}
        for item in gone:
            self._scene.removeItem(item)
        return bool(gone)

    def _show_nodes(self, nodes: Collection[Id]) -> set[Id]:
        """Show these nodes as they look now; return those whose wires may run otherwise."""
        made = self._make_nodes([key for key in nodes if key not in self.nodes])
        moved = set(made)
        for key in nodes:
            if key in moved:
                continue
            node, item = self.appearance.document.nodes[key], self.nodes[key]
            place = QPointF(*node.position)
            if item.show_look(self.appearance.node(node), self.style):
                moved.add(key)
            if item.pos() != place:
                item.setPos(place)
                moved.add(key)
        for key in made:
            self._add(self.nodes[key])
        return moved

    def _make_nodes(self, nodes: list[Id]) -> list[Id]:
        """Make the items of nodes, all of them before one is laid out, which looks at those that it is wired to."""
        for key in nodes:
            node = self.appearance.document.nodes[key]
            self.nodes[key] = NodeItem(self.appearance.node(node), self.style, self._kit, self._surroundings)
            self.nodes[key].setPos(*node.position)
        return nodes

    def _show_autos(self, owners: Iterable[Id]) -> set[Id]:
        """Show the automatic arguments of these nodes as they look now; return the nodes that got others."""
        are_shown = self.appearance.document.options.show_auto
        others = set()
        for owner in owners:
            looks = self.appearance.automatic(self.nodes[owner].look) if are_shown else []
            keys = {look.key for look in looks}
            for auto in self._autos_of.get(owner, ()):
                if auto.look.key not in keys:
                    self._scene.removeItem(self.autos.pop(auto.look.key))
            for look in looks:
                if look.key not in self.autos:
                    self.autos[look.key] = AutoItem(look, self._kit)
                    self._add(self.autos[look.key])
                self.autos[look.key].show_look(look)
                self.autos[look.key].setPos(self.nodes[owner].pos())
            if {auto.look.key for auto in self._autos_of.get(owner, ())} != keys:
                others.add(owner)
            self._autos_of[owner] = [self.autos[look.key] for look in looks]
        return others

    def _run_wires(self, edges: Iterable[Id], around: set[Id]) -> None:
        """Show these wires as they look and run now; words have to make way at their ends, and at nodes `around`."""
        around = set(around)
        for key in edges:
            edge = self.appearance.document.edges[key]
            look, way = self.appearance.edge(edge), self._way(edge)
            item = self.edges.get(key)
            stays = item is not None and way == item.way and item.style == self.style
            if item is None:
                item = self.edges[key] = EdgeItem(look, way, self.style, self._kit)
                self._add(item)
            item.keep_clear_of(self._beside_wire(edge))
            item.show_look(look)
            if not stays:
                item.run(way, self.style)
                around |= {edge.source, edge.target}
        self._lay_out(around)

    def _beside_wire(self, edge: Edge) -> list[QRectF]:
        """Return the boxes of the automatic arguments at the ends of a wire, which no shape should cover."""
        if self.style == "card":
            return []
        autos = (*self._autos_of.get(edge.source, ()), *self._autos_of.get(edge.target, ()))
        return [auto.box for auto in autos]

    def _add(self, item: QGraphicsItem) -> None:
        item.setVisible(not self.far.isVisible())
        self._scene.addItem(item)

    def _lay_out(self, nodes: Collection[Id]) -> None:
        """Place the words anew that stand beside wires which run otherwise now."""
        self._whole = None
        if self.style != "card" and nodes:
            for node in self.nodes if self.is_small else nodes:
                self.nodes[node].lay_out()

    def show_values(self, nodes: Collection[Id] | None = None) -> None:
        """Show the numbers of other results, at these nodes where no others have changed."""
        changed = set()
        for key, item in [(key, self.nodes[key]) for key in (self.nodes if nodes is None else nodes)]:
            if item.show_look(self.appearance.with_values(item.look), self.style):
                changed.add(key)
            item.update()
        if changed:
            self._lay_out(changed)

    def update_far(self) -> None:
        """Let the far layer, where it is seen, show what the items do."""
        if self.far.isVisible() and self._far_is_old:
            self.far.show_picture(far_picture(self.nodes.values(), self.edges.values()))
            self._far_is_old = False
        self.far.update()

    def renew_far(self) -> None:
        """Let the far layer be drawn anew from the items."""
        self._far_is_old = True
        self.update_far()

    # Selection, preview, marks -----------------------------------------------------------------------------------

    def show_selection(self, ids: Collection[Id]) -> None:
        """Mark these nodes and wires as selected and no others."""
        for key, item in self.nodes.items():
            item.set_state(selected=key in ids)
        for key, edge in self.edges.items():
            edge.set_state(selected=key in ids)
        self.far.update()

    def preview(self, positions: Mapping[Id, QPointF]) -> None:
        """Show nodes elsewhere for the moment, with their wires."""
        for key, position in positions.items():
            self.nodes[key].setPos(position)
            for auto in self._autos_of.get(key, ()):
                auto.setPos(position)
        wires = topology(self.appearance.document)
        edges = {edge.id: edge for key in positions for edge in _wires_at(wires, key)}
        for edge in edges.values():
            self.edges[edge.id].run(self._way(edge), self.style)
        ends = {end for edge in edges.values() for end in (edge.source, edge.target)}
        self._lay_out(ends | set(positions))
        self.renew_far()

    def end_preview(self) -> None:
        """Show every node where the document has it."""
        places = {key: QPointF(*node.position) for key, node in self.appearance.document.nodes.items()}
        away = {key: place for key, place in places.items() if self.nodes[key].pos() != place}
        if away:
            self.preview(away)

    def clear_marks(self) -> None:
        """Take back what gestures and the pointer marked."""
        plain = NodeState()
        for item in self.nodes.values():
            item.set_state(
                dimmed=False, lit=plain.lit, best=None, lifted=False, hovered=False, shows_ports=False
            )
        for edge in self.edges.values():
            edge.set_state(pale=False, dimmed=False, hovered=False, opened=False, doomed=False)
        for auto in self.autos.values():
            auto.set_state(dimmed=False, hovered=False)

    def set_scale(self, scale: float) -> None:
        """Tell the painters at which zoom they paint; far out one layer stands for all items."""
        self._kit.scale = scale
        far = FarLayer.serves(scale)
        if far == self.far.isVisible():
            return
        self.far.setVisible(far)
        self.update_far()
        for items in (self.nodes, self.edges, self.autos):
            for item in items.values():
                item.setVisible(not far)


def _wires_at(wires: Topology, node: Id) -> list[Edge]:
    return [*wires.outputs(node), *wires.inputs(node).values()]

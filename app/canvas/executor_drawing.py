"""The items that show an executor graph, brought in line with one picture after the other, step by step."""

from collections.abc import Collection, Generator, Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, Final

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtWidgets import QGraphicsItem, QGraphicsScene

from app.canvas.executor_heats import ExecutorHeats
from app.canvas.executor_items import ExecutorItem
from app.canvas.executor_looks import WireKind
from app.canvas.executor_picture import ExecutorPicture, WireKey
from app.canvas.executor_wires import ExecutorWire
from app.canvas.far_layer import FarLayer
from app.canvas.labels import Surroundings, line_meets_box
from app.canvas.looks import Kit
from app.document.records import Id

SMALL: Final = 120
"""Up to so many wires the words of a node keep clear of all the others."""
BOWS: Final = (36.0, -36.0, 64.0, -64.0)
"""How far an arrow may bend aside around the squares in its way."""


class ExecutorDrawing:
    """Squares, tiles, arrows and the layer for far away in a scene; used again whatever they showed before.

    `change_to` may be left alone between its steps, but not given up. What is selected or under the pointer may change
    meanwhile.
    """

    def __init__(self, scene: QGraphicsScene, kit: Kit) -> None:
        self.picture = ExecutorPicture()
        self.items: list[ExecutorItem] = []
        self.wires: dict[WireKey, ExecutorWire] = {}
        self.content = QRectF()
        """The box of everything there is."""
        self._scene = scene
        self._kit = kit
        self._wires_at: dict[int, list[WireKey]] = {}
        self._chosen: Collection[Id] = ()
        self._selected: set[int] = set()
        self._hovered: ExecutorItem | None = None
        self._far = FarLayer(kit, self._far_marks)
        scene.addItem(self._far)

    # What the user does ------------------------------------------------------------------------------------------

    def select(self, chosen: Collection[Id]) -> None:
        """Mark the arrays of these nodes of the board and no others."""
        self._chosen = chosen
        ids = self.picture.node_ids
        now = {index for index, key in ids.items() if key in chosen and index < len(self.items)}
        changed, self._selected = now ^ self._selected, now
        for index in changed:
            if index < len(self.items):
                self.items[index].set_state(selected=index in now)
        self._bring_forward(changed)
        self._far.update()

    def hover(self, item: ExecutorItem | None) -> None:
        """Light the node under the pointer."""
        if item is self._hovered:
            return
        ends = [one for one in (self._hovered, item) if one is not None]
        self._hovered = item
        for one in ends:
            one.set_state(hovered=one is item)
        self._bring_forward([one.look.index for one in ends])

    def _bring_forward(self, indices: Iterable[int]) -> None:
        """Among tiles, show clearly what the backward nodes read only where somebody looks."""
        for index in indices:
            for key in self._wires_at.get(index, ()):
                if key in self.wires:  # between two steps some may be gone already
                    self.wires[key].set_pale(self._is_pale(key))

    def _is_pale(self, key: WireKey) -> bool:
        if not self.picture.has_tiles or self.picture.wires.get(key) != "read":
            return False
        hovered = self._hovered.look.index if self._hovered is not None else None
        return not any(index in self._selected or index == hovered for index in key)

    def _far_marks(self) -> list[tuple[QRectF, bool]]:
        return [(self.items[index].box, True) for index in self._selected if index < len(self.items)]

    # Drawing it --------------------------------------------------------------------------------------------------

    def change_to(self, picture: ExecutorPicture, *, anew: bool) -> Iterator[None]:
        """Draw another picture, `anew` with other items; stops where the event loop may have its turn."""
        self.hover(None)
        if anew:
            yield from self._cut_down(0, {})  # all words find their places anew
        yield from self._cut_down(len(picture.looks), picture.wires)
        before, self.picture = self.picture, picture
        self._take_heats(picture)
        worded, moved = yield from self._place_nodes(other_values=picture.results is not before.results)
        turned = yield from self._make_wires(before.lanes)
        few = len(self.wires) <= SMALL
        if moved or turned:
            yield from self._run_wires(moved, turned, few=few)
        if (worded or moved or turned) and not picture.has_tiles:
            # In a small graph words keep clear of everything, so any may have to give way; those of tiles never do.
            for index in range(len(self.items)) if few else moved:
                self.items[index].lay_out()
                yield
            yield from self._limit_growth(few=few)
        yield from self._add_items()
        self._far.show_picture(picture.far)
        left = [*before.far.values(), [*before.places]]
        del before
        yield from _let_go(left)
        self.select(self._chosen)

    def follow(self, picture: ExecutorPicture, changed: Iterable[int]) -> None:
        """Draw another moment of the run whose graph is shown, in which nothing stands elsewhere."""
        self.picture = picture
        self._take_heats(picture)
        for index in changed:
            self.items[index].show_look(picture.looks[index])
            self.items[index].update()

    def _take_heats(self, picture: ExecutorPicture) -> None:
        before = self._kit.heats
        known = before if isinstance(before, ExecutorHeats) else None
        self._kit.heats = ExecutorHeats(picture.results, self._kit.ink.theme, known)

    def _add_items(self) -> Iterator[None]:
        """Add what is not yet in the scene, and find out how far everything reaches."""
        content = QRectF()
        for item in self.items:
            content = content.united(item.plate.bounds.translated(item.pos()))
            yield
        self.content = content
        for made in (*self.wires.values(), *self.items):
            if made.scene() is None:
                made.setVisible(not self._far.isVisible())
                self._scene.addItem(made)
                yield

    def _cut_down(self, count: int, wires: Mapping[WireKey, WireKind]) -> Iterator[None]:
        """Remove the nodes from the index `count` on, and the wires that are not among those of a picture."""
        gone: list[QGraphicsItem] = [
            self.wires.pop(key) for key, wire in list(self.wires.items()) if wires.get(key) != wire.kind
        ]
        gone += self.items[count:]
        del self.items[count:]
        self._selected = {index for index in self._selected if index < count}
        for item in gone:
            if item.scene() is self._scene:
                self._scene.removeItem(item)
            yield

    def _place_nodes(self, *, other_values: bool) -> Generator[None, None, tuple[bool, set[int]]]:
        """Give every node its look and its place.

        Returns whether any says something else than before, and those that stand or reach elsewhere.
        """
        picture = self.picture
        worded, moved = False, set()
        for index, look in enumerate(picture.looks):
            if index == len(self.items):
                self.items.append(ExecutorItem(look, self._kit, self.surroundings))
                moved.add(index)
            item = self.items[index]
            before = item.box
            if item.room != picture.rooms[index]:
                item.room = picture.rooms[index]
                item.lay_out()
            worded |= item.show_look(look)
            item.setPos(picture.places[index])
            if other_values:
                item.update()
            if picture.has_tiles:
                item.boundingRect()  # worked out now, else the search of the scene does it for all at once
            if item.box != before:
                moved.add(index)
            yield
        return worded, moved

    def _limit_growth(self, *, few: bool) -> Iterator[None]:
        """Let names grow at a small zoom only as far as all words and heatmaps, once they are placed, leave room."""
        items = self.items if few else []
        written = [item.written for item in items]
        for index, item in enumerate(items):
            others = (boxes for owner, boxes in enumerate(written) if owner != index)
            item.limit_growth(list(chain.from_iterable(others)))
            written[index] = item.written_large
            yield

    def _make_wires(self, lanes: Mapping[WireKey, float]) -> Generator[None, None, set[WireKey]]:
        """Make the wires that are missing; return them, and those that ran in another of the `lanes`."""
        turned = set()
        self._wires_at = {}
        for key, kind in self.picture.wires.items():
            if key not in self.wires:
                self.wires[key] = ExecutorWire(kind, self._kit)
                turned.add(key)
            elif lanes.get(key) != self.picture.lanes.get(key):
                turned.add(key)
            self.wires[key].set_pale(self._is_pale(key))
            for index in set(key):
                self._wires_at.setdefault(index, []).append(key)
            yield
        return turned

    def _run_wires(self, moved: set[int], turned: set[WireKey], *, few: bool) -> Iterator[None]:
        """Run the wires of nodes that moved; few ones bend around the squares in their way."""
        lanes = self.picture.lanes
        for key, wire in self.wires.items():
            if not few and key not in turned and moved.isdisjoint(key):
                continue
            if key in lanes:
                wire.run_back(*self._ends(key), lanes[key])
            elif few and (wire.kind == "read" or (wire.kind == "gradient" and self.picture.has_tiles)):
                self._run_bent(key, wire)
            else:
                wire.run(*self._ends(key))
            yield

    def _ends(self, key: WireKey) -> tuple[QRectF, QRectF]:
        return self.items[key[0]].box, self.items[key[1]].box

    def _run_bent(self, key: WireKey, wire: ExecutorWire) -> None:
        """Run a wire straight, or bent aside where it then meets fewer squares."""
        wire.run(*self._ends(key))
        others = [
            item.box.adjusted(-3, -3, 3, 3) for index, item in enumerate(self.items) if index not in key
        ]
        least, best = _met(wire, others), 0.0
        for bow in BOWS if least else ():
            wire.run(*self._ends(key), bow)
            met = _met(wire, others)
            if met < least:
                least, best = met, bow
        wire.run(*self._ends(key), best)

    def surroundings(self, index: int) -> Surroundings:
        """Return what the words of a node should not cover."""
        own = self.items[index].pos()
        lines, boxes, bodies = [], [], []
        few = len(self.wires) <= SMALL
        for key in self.wires if few else self._wires_at.get(index, ()):
            lines += [(one - own, other - own) for one, other in self.wires[key].pieces()]
        if few:
            for item in self.items:
                if item.look.index != index:
                    bodies.append(item.box.translated(-own))
                if item.look.index < index:
                    boxes += [box.translated(-own).adjusted(-4, 0, 4, 0) for box in item.written]
        return Surroundings(lines, boxes, bodies=bodies)

    # For the view ------------------------------------------------------------------------------------------------

    def item_at(self, place: QPointF, reach: float) -> ExecutorItem | None:
        """Return the node at a place: its square, grown by `reach`, or its words."""
        for item in reversed(self.items):
            if item.box.adjusted(-reach, -reach, reach, reach).contains(place):
                return item
        for item in reversed(self.items):
            here = place - item.pos()
            if any(label.box.contains(here) for label in item.plate.labels):
                return item
        return None

    def set_scale(self, scale: float) -> None:
        """Tell the painters at which zoom they paint; far out one layer stands for all items."""
        self._kit.scale = scale
        far = FarLayer.serves(scale)
        if far != self._far.isVisible():
            self._far.setVisible(far)
            for item in (*self.items, *self.wires.values()):
                item.setVisible(not far)


def _let_go(values: list[list[Any]]) -> Iterator[None]:
    """Let thousands of Qt's values die bit by bit: at each one Python's lock is up for grabs by a busy worker."""
    for some in values:
        while some:
            some.pop()
            yield


def _met(wire: ExecutorWire, boxes: list[QRectF]) -> int:
    """Count the squares that a wire runs through."""
    return sum(any(line_meets_box(*piece, box) for piece in wire.pieces()) for box in boxes)

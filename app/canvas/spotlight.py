"""Dims everything but the way through the selection: what it reads, and what reads it."""

from typing import TYPE_CHECKING

from app.document.records import Id
from app.document.topology import topology

if TYPE_CHECKING:
    from app.canvas.scene import BoardScene
    from app.document.records import Document

NOTHING_SELECTED = "Select something, to see what it reads and what reads it."


class Spotlight:
    """A view of the board, not a part of the document; it follows the selection while it is on."""

    def __init__(self, scene: "BoardScene") -> None:
        self._scene = scene
        self._dims = False
        self.is_on = False

    def toggle(self) -> None:
        """Switch it on or off, and say what it needs where nothing is selected."""
        self.is_on = not self.is_on
        self.shine()
        if self.is_on:
            lit, nodes = self._lit(), self._scene.node_items.keys()
            count = f"{len(nodes & lit)} of {len(nodes)} nodes lie" if lit is not None else ""
            said = f"{count} on the path through the selection." if count else NOTHING_SELECTED
            self._scene.workspace.message.emit(said)

    def shine(self) -> None:
        """Dim what lies off the way, now that the selection, the document or the marks are others."""
        lit = self._lit()
        if lit is None and not self._dims:
            return
        self._dims = lit is not None
        for key, node in self._scene.node_items.items():
            node.set_state(dimmed=lit is not None and key not in lit)
        for key, edge in self._scene.edge_items.items():
            edge.set_state(dimmed=lit is not None and key not in lit)
        for (owner, _), auto in self._scene.auto_items.items():
            auto.set_state(dimmed=lit is not None and owner not in lit)
        self._scene.renew_far()

    def _lit(self) -> set[Id] | None:
        if not self.is_on:
            return None
        document = self._scene.workspace.document
        chosen = self._scene.workspace.store.selection
        return way_through(document, chosen) if chosen else None


def way_through(document: "Document", chosen: frozenset[Id]) -> set[Id]:
    """Return the nodes and wires that the chosen ones hang on, those that hang on them, and themselves."""
    wires = topology(document)
    edges = [document.edges[key] for key in chosen if key in document.edges]
    nodes = [key for key in chosen if key in document.nodes]
    before = wires.upstream([*nodes, *(edge.source for edge in edges)])
    after = wires.downstream([*nodes, *(edge.target for edge in edges)])
    found = before | after
    for key, edge in document.edges.items():
        if edge.target in before or edge.source in after or key in chosen:
            found.add(key)
    return found

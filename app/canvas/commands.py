"""What keys and menus do on the board, with the selection: delete, rename, clipboard, walking and moving by keys."""

from typing import TYPE_CHECKING

import attrs
from PySide6.QtCore import QMimeData, QPointF
from PySide6.QtGui import QGuiApplication

from app.document.changes import Transaction
from app.document.placed import all_placed, placed, with_contents
from app.document.records import Document, Id, Point
from app.document.topology import topology

if TYPE_CHECKING:
    from app.qt.workspace import Workspace

FRAGMENT_TYPE = "application/x-chalkgraph-fragment"


class Commands:
    """Edits of the selection through the workspace; a refusal stands at the status line."""

    def __init__(self, workspace: "Workspace") -> None:
        self._workspace = workspace

    def selected_nodes(self) -> list[Id]:
        """Return the selected nodes in the document's order."""
        selection = self._workspace.store.selection
        return [key for key in self._workspace.document.nodes if key in selection]

    def selected_things(self) -> list[Id]:
        """Return the selected nodes, frames and notes."""
        selection = self._workspace.store.selection
        return [key for key in all_placed(self._workspace.document) if key in selection]

    def delete(self) -> None:
        """Delete the selected nodes, wires, frames and notes; what stands in a frame stays."""
        from app.document.edits import delete

        document = self._workspace.document
        selection = self._workspace.store.selection
        edges = [key for key in document.edges if key in selection]
        if selection:
            self._workspace.try_edit(delete, *self._nodes_and(edges))

    def _nodes_and(self, edges: list[Id]) -> tuple[list[Id], list[Id], list[Id]]:
        """Return the selected nodes, these wires, and the selected frames and notes."""
        nodes = self.selected_nodes()
        return nodes, edges, [key for key in self.selected_things() if key not in nodes]

    def copy(self) -> bool:
        """Put the selected nodes, frames and notes on the clipboard, as text; tell whether there were any."""
        from app.document import fragments

        things = self.selected_things()
        if not things:
            self._workspace.message.emit("Select the nodes to copy first.")
            return False
        text = fragments.to_text(fragments.copy(self._workspace.document, things))
        data = QMimeData()
        data.setText(text)
        data.setData(FRAGMENT_TYPE, text.encode())
        QGuiApplication.clipboard().setMimeData(data)
        return True

    def cut(self) -> None:
        """Put the selected nodes, frames and notes on the clipboard and delete them."""
        from app.document.edits import delete

        if self.copy():
            self._workspace.try_edit(_relabelled, delete, self._nodes_and([]))

    def paste(self, at: QPointF, *, keep_inputs: bool = False) -> None:
        """Put what the clipboard holds on the board, with its middle at a place."""
        from app.document import fragments

        data = QGuiApplication.clipboard().mimeData()
        text = (
            bytes(data.data(FRAGMENT_TYPE).data()).decode("utf-8", "replace")
            if data.hasFormat(FRAGMENT_TYPE)
            else data.text()
        )
        if not text:
            self._workspace.message.emit("The clipboard is empty.")
            return

        def edit(document: Document) -> fragments.Pasted:
            return fragments.paste(document, fragments.from_text(text), (at.x(), at.y()), keep_inputs)

        self._workspace.try_edit(edit)

    def duplicate(self) -> None:
        """Copy the selected nodes, frames and notes beside themselves."""
        from app.document import fragments

        things = self.selected_things()
        if things:
            self._workspace.try_edit(fragments.duplicate, things)

    def select_all(self) -> None:
        """Select every node, wire, frame and note."""
        document = self._workspace.document
        self._workspace.select({*all_placed(document), *document.edges})

    def nudge(self, dx: float, dy: float) -> None:
        """Move what is selected by a step; quick steps in a row are one step of the history."""
        things = with_contents(self._workspace.document, self.selected_things())
        if things:
            self._workspace.try_edit(_nudged, sorted(things), (dx, dy))

    def follow(self, *, along: bool) -> Id | None:
        """Select the node at the other end of a wire, along the flow or against it; the leftmost of several."""
        document = self._workspace.document
        nodes = self.selected_nodes()
        if not nodes:
            return self._go(next(iter(document.nodes), None))
        wires = topology(document)
        if along:
            found = [edge.target for edge in wires.outputs(nodes[-1])]
        else:
            found = [edge.source for edge in wires.inputs(nodes[-1]).values()]
        return self._go(min(found, key=lambda key: document.nodes[key].position, default=None))

    def step_aside(self, step: int) -> Id | None:
        """Select the neighbour among the nodes that share a reader or a source with the selected one."""
        document = self._workspace.document
        nodes = self.selected_nodes()
        if not nodes:
            return self.follow(along=True)
        node, wires = nodes[-1], topology(document)
        row = {edge.source for read in wires.outputs(node) for edge in wires.inputs(read.target).values()}
        row |= {edge.target for fed in wires.inputs(node).values() for edge in wires.outputs(fed.source)}
        across = 1 if document.options.style == "card" else 0
        line = sorted(row | {node}, key=lambda key: (document.nodes[key].position[across], key))
        place = line.index(node) + step
        return self._go(line[place]) if 0 <= place < len(line) else None

    def _go(self, node: Id | None) -> Id | None:
        if node is not None:
            self._workspace.select({node})
        return node

    def extract_argument(self, owner: Id, number: int) -> None:
        """Make an automatic argument a Variable of its own."""
        from app.document.edits import extract_argument

        self._workspace.try_edit(extract_argument, owner, number)


def _nudged(document: Document, things: list[Id], by: Point) -> Transaction:
    from app.document.edits import move

    places = {key: placed(document, key).position for key in things}
    there = {key: (x + by[0], y + by[1]) for key, (x, y) in places.items()}
    return move(document, there, merge="nudge:" + ",".join(things))


def _relabelled(document: Document, delete: object, things: tuple[list[Id], ...]) -> Transaction:
    assert callable(delete)
    transaction: Transaction = delete(document, *things)
    return attrs.evolve(transaction, label=transaction.label.replace("Delete", "Cut", 1))

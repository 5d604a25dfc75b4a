"""What keys and menus do on the board, with the selection: delete, rename, clipboard, walking and moving by keys."""

from collections.abc import Callable
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

    def delete_and_heal(self) -> None:
        """Delete the selection and wire what fed the nodes on to their readers, or say which wire would break."""
        from app.document.checks import judge_of
        from app.document.edits import delete_and_heal

        workspace = self._workspace
        selection = workspace.store.selection
        if selection:
            edges = [key for key in workspace.document.edges if key in selection]
            nodes, wires, annotations = self._nodes_and(edges)
            workspace.try_edit(delete_and_heal, nodes, wires, judge_of(workspace.analysis), annotations)

    def detach(self, aside: Callable[[list[Id]], QPointF]) -> None:
        """Take the wires between the selected nodes and the rest away, and say what became of the gap.

        `aside` tells how far nodes have to go to stand beside the flow.
        """
        from app.document.checks import judge_of
        from app.document.edits import detach

        nodes = self.selected_nodes()
        if not nodes:
            self._workspace.message.emit("Select the nodes to detach first.")
            return
        by = aside(nodes)
        fits = judge_of(self._workspace.analysis)
        detached = self._workspace.try_edit(detach, nodes, fits, (by.x(), by.y()))
        if detached is not None:
            self._workspace.message.emit(detached.sentence)

    def select_along(self, *, along: bool) -> None:
        """Select also what the selected nodes feed, by however many wires, or what feeds them."""
        workspace = self._workspace
        nodes, wires = self.selected_nodes(), topology(workspace.document)
        if not nodes:
            workspace.message.emit("Select a node to follow the flow from.")
            return
        found = wires.downstream(nodes) if along else wires.upstream(nodes)
        workspace.select(workspace.store.selection | found)
        more = len(found) - len(nodes)
        verb = ("feeds" if len(nodes) == 1 else "feed") if along else ("reads" if len(nodes) == 1 else "read")
        what = workspace.document.nodes[nodes[0]].name if len(nodes) == 1 else f"These {len(nodes)} nodes"
        count = f"{more} more node{'s' if more > 1 else ''}" if more else "no more nodes"
        workspace.message.emit(f"{what} {verb} {count}.")

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

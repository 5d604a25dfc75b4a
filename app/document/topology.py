"""Which wires come into and go out of each node, and the ways along them."""

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property

import attrs

from app.document.records import Document, Edge, Id
from app.document.remember import remember


@attrs.frozen(eq=False)
class Topology:
    """The wires of a document sorted by their ends."""

    edges: Mapping[Id, Edge]

    @cached_property
    def incoming(self) -> dict[Id, dict[int, Edge]]:
        """For every node with wires coming in, the wire at each input, in the order of the inputs."""
        found: dict[Id, dict[int, Edge]] = {}
        for edge in sorted(self.edges.values(), key=lambda edge: edge.input):
            found.setdefault(edge.target, {})[edge.input] = edge
        return found

    @cached_property
    def outgoing(self) -> dict[Id, list[Edge]]:
        """For every node with wires going out, those wires."""
        found: dict[Id, list[Edge]] = {}
        for edge in self.edges.values():
            found.setdefault(edge.source, []).append(edge)
        return found

    def inputs(self, node: Id) -> Mapping[int, Edge]:
        """Return the wires that come into a node, by input number."""
        return self.incoming.get(node, {})

    def outputs(self, node: Id) -> list[Edge]:
        """Return the wires that go out of a node."""
        return self.outgoing.get(node, [])

    @cached_property
    def order(self) -> tuple[Id, ...]:
        """The wired nodes, sources before their readers; without those in a circle and all that is behind them."""
        missing = {target: len(wires) for target, wires in self.incoming.items()}
        ready = [source for source in self.outgoing if source not in missing]
        for node in ready:  # grows while we go over it
            for edge in self.outgoing.get(node, ()):
                missing[edge.target] -= 1
                if missing[edge.target] == 0:
                    ready.append(edge.target)
        return tuple(ready)

    @cached_property
    def has_circle(self) -> bool:
        """Tell whether wires go round in a circle anywhere."""
        return len(self.order) < len(self.incoming.keys() | self.outgoing.keys())

    @cached_property
    def ranks(self) -> dict[Id, int]:
        """The place of every node in that order: no wire leads from a higher one to a lower one."""
        return {node: place for place, node in enumerate(self.order)}

    def path(self, first: Id, last: Id) -> list[Id]:
        """Return the nodes of a shortest way along the wires from `first` to `last`, both included, or nothing.

        Most questions end at the ranks, and the others search only between them.
        """
        end = self.ranks.get(last)
        if end is not None and self.ranks.get(first, end) > end:
            return []
        if first != last and last not in self.incoming:
            return []
        ranks = self.ranks
        came_from: dict[Id, Id | None] = {first: None}
        frontier = [first]
        while frontier and last not in came_from:
            reached = []
            for node in frontier:
                for edge in self.outgoing.get(node, ()):
                    target = edge.target
                    if target in came_from or (end is not None and ranks.get(target, end) > end):
                        continue
                    came_from[target] = node
                    reached.append(target)
            frontier = reached
        way: list[Id] = []
        at = last if last in came_from else None
        while at is not None:
            way.append(at)
            at = came_from[at]
        return way[::-1]

    def downstream(self, nodes: Iterable[Id]) -> set[Id]:
        """Return these nodes and all that read them, by however many wires."""
        return self._reached(nodes, lambda node: (edge.target for edge in self.outputs(node)))

    def upstream(self, nodes: Iterable[Id]) -> set[Id]:
        """Return these nodes and all that feed them, by however many wires."""
        return self._reached(nodes, lambda node: (edge.source for edge in self.inputs(node).values()))

    def connected(self, nodes: Iterable[Id]) -> set[Id]:
        """Return these nodes and all that hang together with them, whichever way the wires run."""
        return self._reached(
            nodes,
            lambda node: (
                *(edge.target for edge in self.outputs(node)),
                *(edge.source for edge in self.inputs(node).values()),
            ),
        )

    def _reached(self, nodes: Iterable[Id], beside: Callable[[Id], Iterable[Id]]) -> set[Id]:
        found = set(nodes)
        waiting = list(found)
        while waiting:
            for other in beside(waiting.pop()):
                if other not in found:
                    found.add(other)
                    waiting.append(other)
        return found


def topology(document: Document) -> Topology:
    """Return the document's wires sorted by their ends."""
    return _topology(document.edges)


def needed_by(document: Document, node: Id) -> list[Id]:
    """List the nodes that must be there before one: those that it reads, and those that it waits for."""
    waits_for = [other for other in document.nodes[node].control_deps if other in document.nodes]
    return [*(edge.source for edge in topology(document).inputs(node).values()), *waits_for]


@remember(8)
def _topology(edges: Mapping[Id, Edge]) -> Topology:
    return Topology(edges)

"""The pass `overwriting`: finds the layers whose incoming gradient MXNet overwrites before it has read it out.

MXNet lets a gradient take the place of the incoming one where nobody else waits for that. The backward of prelu reads
the incoming one again afterwards, so its slope's gradient is another one there (docs/decisions/0027). Whether the place
is free follows from MXNet's plan of memory, of which this goes over what matters: the order of the backward nodes, and
how many still wait for each array.
"""

from collections import Counter
from collections.abc import Iterable

from app.engine.gradient import ExecutorGraph, ExecutorNode
from app.engine.operator import Operator

Unit = tuple[str, int]
"""One node of MXNet's backward graph: an operator's backward by its node of the symbol, or a sum or head by its own."""


def overwritten(graph: ExecutorGraph) -> frozenset[int]:
    """Return the nodes of the symbol, of those that mind, whose incoming gradient is overwritten."""
    nodes = graph.graph.nodes
    mind = any(
        nodes[index].operator is not None and _minds(nodes[index].operator) for index in graph.backward_heads
    )
    return frozenset(_Places(graph).run()) if mind else frozenset()


def _minds(operator: Operator | None) -> bool:
    return operator is not None and operator.minds_overwriting


class _Places:
    """Goes over a backward pass in MXNet's order; arrays are named by the executor node that first held them."""

    def __init__(self, graph: ExecutorGraph) -> None:
        self.graph = graph
        self.parts: dict[Unit, list[ExecutorNode]] = {}
        for node in graph.nodes:
            if node.kind in ("gradient", "gradient_sum", "head_gradient"):
                self.parts.setdefault(_unit(node), []).append(node)
        self.place: dict[int, int] = {}
        self.waiting: Counter[int] = Counter()
        self.found: list[int] = []

    def run(self) -> list[int]:
        """Return the nodes of the symbol whose incoming gradient is overwritten."""
        for unit in self.order():
            kind, index = unit
            operator = self.graph.graph.nodes[index].operator if kind == "gradient" else None
            heads = self.heads(unit)
            self.give_places(unit, operator, heads)
            for head in heads:
                self.waiting[self.place[head]] -= 1
        return self.found

    def order(self) -> Iterable[Unit]:
        """List the backward nodes as MXNet does: depth first from the gradients, in the order of the arguments."""
        holders = [node for node in self.graph.nodes if node.request is not None]
        seen: set[Unit] = set()
        order: list[Unit] = []
        for holder in sorted(holders, key=lambda node: node.entry[0]):
            stack = [(_unit(holder), False)]
            while stack:
                unit, done = stack.pop()
                if done:
                    order.append(unit)
                elif unit not in seen:
                    seen.add(unit)
                    stack.append((unit, True))
                    stack += [(_unit(self.graph.nodes[head]), False) for head in reversed(self.heads(unit))]
        return order

    def heads(self, unit: Unit) -> list[int]:
        """Return the gradients that a backward node reads."""
        kind, index = unit
        if kind == "gradient":
            return [head for head in self.graph.backward_heads.get(index, ()) if head is not None]
        return list(self.graph.nodes[index].reads) if kind == "gradient_sum" else []

    def give_places(self, unit: Unit, operator: Operator | None, heads: list[int]) -> None:
        """Decide where each gradient of a backward node lies: in a place of its own, or in that of its head."""
        parts = self.parts[unit]
        head = self.place[heads[0]] if heads else OUTSIDE
        shared = operator is not None and bool(operator.echoes)
        outside = any(part.request is not None for part in parts)
        for part in parts:
            if part.request is not None or (shared and outside):
                self.place[part.index] = OUTSIDE
                continue
            alone = head != OUTSIDE and self.waiting[head] == 1
            takes = operator is not None and (
                operator.hands_on or (_minds(operator) and part.input == 0 and alone)
            )
            self.place[part.index] = head if takes and head != OUTSIDE else part.index
            if takes and _minds(operator):
                self.found.append(part.symbol_node)
        for part in parts:
            readers = {
                _unit(self.graph.nodes[reader]) for reader in self.graph.gradient_readers.get(part.index, ())
            }
            self.waiting[self.place[part.index]] += len(readers)


OUTSIDE = -1
"""The place of what the user holds, where nothing else is ever put."""


def _unit(node: ExecutorNode) -> Unit:
    return node.kind, node.symbol_node if node.kind == "gradient" else node.index

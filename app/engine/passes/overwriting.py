"""The pass `overwriting`: finds the layers whose incoming gradient MXNet overwrites before it has read it out.

MXNet lets a gradient take the place of the incoming one where nobody else waits for that. The backward of prelu reads
the incoming one again afterwards, so its slope's gradient is another one there (docs/decisions/0027). Whether the place
is free follows from MXNet's plan of memory, of which this goes over what matters: the order of the backward nodes, and
how many still wait for each array.
"""

from collections import Counter
from collections.abc import Iterable

from app.engine.gradient import ExecutorGraph, ExecutorNode, differentiated_nodes
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
        self.live: dict[Unit, None] = {}
        requests = {graph.graph.nodes[node.entry[0]].name: node.request for node in self.holders}
        wanted = {name: request for name, request in requests.items() if request is not None}
        self.reached = differentiated_nodes(graph.graph, wanted, in_vain=True)

    @property
    def holders(self) -> list[ExecutorNode]:
        """List the gradients that somebody asked for."""
        return [node for node in self.graph.nodes if node.request is not None]

    def run(self) -> list[int]:
        """Return the nodes of the symbol whose incoming gradient is overwritten."""
        self.live = dict.fromkeys(self.order())
        for unit in self.live:
            kind, index = unit
            operator = self.graph.graph.nodes[index].operator if kind == "gradient" else None
            heads = self.heads(unit)
            self.give_places(unit, operator, heads)
            for head in heads:
                self.waiting[self.place[head]] -= 1
        return self.found

    def order(self) -> Iterable[Unit]:
        """List the backward nodes as MXNet does: depth first from the gradients, in the order of the arguments."""
        seen: set[Unit] = set()
        order: list[Unit] = []
        for holder in sorted(self.holders, key=lambda node: node.entry[0]):
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
        alone = head != OUTSIDE and self.waiting[head] == 1
        shared = operator is not None and bool(operator.echoes)
        outside = any(part.request is not None for part in parts)
        if _minds(operator) and alone and all(part.input for part in parts) and self.flows_in_vain(unit):
            self.found.append(unit[1])
        for part in parts:
            if part.request is not None or (shared and outside):
                self.place[part.index] = OUTSIDE
                continue
            overwrites = _minds(operator) and part.input == 0 and alone and bool(self.readers(part))
            takes = head != OUTSIDE and operator is not None and (operator.hands_on or overwrites)
            self.place[part.index] = head if takes else part.index
            if overwrites:
                self.found.append(part.symbol_node)
        for part in parts:
            self.waiting[self.place[part.index]] += len(self.readers(part))

    def readers(self, part: ExecutorNode) -> set[Unit]:
        """Return the backward nodes that read a gradient, of those on the way to a gradient that somebody wants."""
        readers = self.graph.gradient_readers.get(part.index, ())
        return {_unit(self.graph.nodes[reader]) for reader in readers}.intersection(self.live)

    def flows_in_vain(self, unit: Unit) -> bool:
        """Tell whether MXNet sends the gradient of an operator's first input on to where it changes nothing."""
        return self.reached[self.graph.graph.nodes[unit[1]].inputs[0][0]]


OUTSIDE = -1
"""The place of what the user holds, where nothing else is ever put."""


def _unit(node: ExecutorNode) -> Unit:
    return node.kind, node.symbol_node if node.kind == "gradient" else node.index

"""Why a backward node is there: its formula, the arrays it reads, and the gradient that was asked for and needs it."""

from collections.abc import Iterator
from typing import Literal

import attrs

from app.engine.errors import RunError, quoted
from app.engine.gradient import ExecutorGraph, ExecutorNode, Request
from app.engine.nearby import did_you_mean, listed
from app.engine.shapes import Shape, text
from app.engine.taking import take_text

BACKWARD = ("head_gradient", "gradient", "gradient_sum")
NAMED_AT_MOST = 3
_REQUEST_WORDS = {"write": "written to its buffer", "add": "added to its buffer"}


@attrs.frozen
class ArrayRead:
    """An array that a backward node reads: a value of forward, or a gradient that flows in."""

    name: str
    shape: Shape
    kind: Literal["value", "gradient"]


@attrs.frozen
class Need:
    """A gradient that was asked for, and the shortest way to it from a backward node, by names, both included."""

    argument: str
    request: Request
    path: tuple[str, ...]


@attrs.frozen
class GradientExplanation:
    """What one backward node is: `name` of the gradient, `of` which array, its formula, and why it is there.

    `through` is the node of the symbol whose backward makes it; nothing for a sum and for what is handed in.
    """

    index: int
    name: str
    of: str
    shape: Shape
    formula: str
    through: str
    reads: tuple[ArrayRead, ...]
    needs: tuple[Need, ...]

    @property
    def why(self) -> str:
        """Say what the gradient is there for, in one sentence."""
        if not self.needs:
            return f"{self.name} is handed in, and nothing reads it."
        own = [need for need in self.needs if len(need.path) == 1]
        others = [need for need in self.needs if len(need.path) > 1]
        if own:
            return f"{self.name} was asked for: it is {_REQUEST_WORDS[own[0].request]}."
        nearest = sorted(others, key=lambda need: len(need.path))
        named = [_way(need) for need in nearest[:NAMED_AT_MOST]]
        rest = len(others) - len(named)
        last = f"{rest} more" if rest > 0 else named.pop()
        return f"{self.name} is needed for {' and for '.join([', for '.join(named), last] if named else [last])}."

    @property
    def sentence(self) -> str:
        """Say all of it: the formula, what is read, and why."""
        reads = ", ".join(f"{read.name} {text(read.shape)}" for read in self.reads)
        return f"{self.formula}. It reads {reads or 'nothing'}. {self.why}"


def explain_gradient(graph: ExecutorGraph, name: str) -> tuple[GradientExplanation, ...]:
    """Explain the gradient of an array, by the name of the array, its node or the gradient: `fc1_weight`, `d(fc1)`.

    A sum is followed by its parts. RunError when no gradient of that name is part of the executor graph.
    """
    index = _find(graph, name)
    node = graph.nodes[index]
    parts = [part for part in node.reads if node.kind == "gradient_sum"]
    return tuple(explain_node(graph, each) for each in (index, *parts))


def explain_node(graph: ExecutorGraph, index: int) -> GradientExplanation:
    """Explain one backward node by its number."""
    node = graph.nodes[index]
    assert node.kind in BACKWARD, f"{node.name} is no backward node"
    formula = f"{node.name} is handed to backward" if node.kind == "head_gradient" else node.formula
    through = graph.graph.nodes[node.symbol_node].name if node.kind == "gradient" and not node.is_zero else ""
    return GradientExplanation(
        index,
        node.name,
        graph.graph.entry_name(node.entry),
        node.shape,
        formula,
        through,
        tuple(_reads(graph, node)),
        tuple(_needs(graph, index)),
    )


def _way(need: Need) -> str:
    """Name a need and the way to it, without the gradient itself at its beginning."""
    if len(need.path) == 2:
        return need.path[-1]
    return f"{need.path[-1]} by way of {', '.join(need.path[1:-1])}"


def _find(graph: ExecutorGraph, name: str) -> int:
    take_text(name, "The name of a gradient")
    for entry, index in graph.gradient_nodes.items():
        own = graph.graph.nodes[entry[0]].name
        gradient = graph.nodes[index].name
        if name in (graph.graph.entry_name(entry), gradient, own):
            return index
    for node in graph.nodes:
        if node.kind in BACKWARD and node.name == name:
            return node.index
    known = [graph.nodes[index].name for index in graph.gradient_nodes.values()]
    near = did_you_mean(name, [graph.graph.entry_name(entry) for entry in graph.gradient_nodes])
    raise RunError(
        f"No gradient called {quoted(name)} is part of this bind: nobody asked for it, or nothing flows back there."
        + (near or (f" There are: {listed(known)}." if known else ""))
    )


def _reads(graph: ExecutorGraph, node: ExecutorNode) -> Iterator[ArrayRead]:
    """List exactly the arrays that a gradient reads: inputs and outputs of its operator, and gradients."""
    symbol = graph.graph
    if node.kind == "gradient" and not node.is_zero:
        own = symbol.nodes[node.symbol_node]
        assert own.operator is not None
        wanted = own.operator.gradient_reads(node.input)
        entries = [own.inputs[place] for place in wanted.inputs]
        entries += [(node.symbol_node, number) for number in wanted.outputs]
        for entry in dict.fromkeys(entries):
            holder = graph.nodes[graph.value_nodes[entry[0]]]
            shape = graph.shapes[entry] if entry != holder.entry else holder.shape
            yield ArrayRead(symbol.entry_name(entry), shape, "value")
    for read in node.reads:
        flowing = graph.nodes[read]
        if flowing.kind in BACKWARD:
            yield ArrayRead(flowing.name, flowing.shape, "gradient")


def _needs(graph: ExecutorGraph, index: int) -> Iterator[Need]:
    """Follow who reads a gradient to the buffers that were asked for, by the shortest way to each."""
    paths: dict[int, tuple[int, ...]] = {index: (index,)}
    waiting = [index]
    while waiting:
        at = waiting.pop(0)
        node = graph.nodes[at]
        if node.request is not None and node.request != "null":
            names = tuple(graph.nodes[step].name for step in paths[at])
            yield Need(graph.graph.nodes[node.entry[0]].name, node.request, names)
        for reader in graph.gradient_readers.get(at, ()):
            if reader not in paths:
                paths[reader] = (*paths[at], reader)
                waiting.append(reader)

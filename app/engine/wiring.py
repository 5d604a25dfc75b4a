"""What follows from the wires of a graph alone, whatever the settings of its operators: made once, shared by edits."""

from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import accumulate
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from app.engine.operator import Operator
from app.engine.shapes import Shape
from app.engine.unchanging import unchanging

if TYPE_CHECKING:
    from app.engine.graph import GraphNode

Block = tuple[Shape, ...]
"""What one rule found: the shapes of the inputs that it is the first to touch, then of its outputs."""


def output_count(operator: Operator) -> int:
    """Return the number of outputs, hidden ones included."""
    found: int | None = operator.memory.get(output_count)
    if found is None:
        found = operator.memory[output_count] = len(operator.outputs) + len(operator.hidden)
    return found


def port_count(operator: Operator) -> int:
    """Return the number of inputs, auxiliary states included."""
    found: int | None = operator.memory.get(port_count)
    if found is None:
        found = operator.memory[port_count] = len(operator.ports)
    return found


def state_count(operator: Operator) -> int:
    """Return the number of auxiliary states."""
    found: int | None = operator.memory.get(state_count)
    if found is None:
        found = operator.memory[state_count] = len(operator.auxiliary)
    return found


@unchanging(eq=False)
class Touch:
    """Where one operator node touches the list of all arrays of a graph.

    `read` picks its inputs from such a list: a tuple, or the bare item where there is one input. `fresh` are the
    numbers of the inputs that no node before it touches. `places` are those inputs, then the outputs; where they lie
    side by side, as in nearly every file, they are the places from `start` to `stop`, else `start` is -1.
    """

    read: Callable[[Sequence[Shape]], Any]
    inputs: tuple[int, ...]
    fresh: tuple[int, ...]
    places: tuple[int, ...]
    start: int
    stop: int


class Wiring:
    """The wires of a graph: who reads whom, and where each array lies in one list of them all."""

    def __init__(self, nodes: "Sequence[GraphNode]") -> None:
        self._nodes = nodes

    @cached_property
    def offsets(self) -> list[int]:
        """For every node the place of its first output in the list of all arrays; last, the length of that list."""
        return [0, *accumulate([node.output_count for node in self._nodes])]

    @cached_property
    def owners(self) -> list[int]:
        """For every place in the list of all arrays the node that it is an output of."""
        return [index for index, node in enumerate(self._nodes) for _ in range(node.output_count)]

    @cached_property
    def consumers(self) -> tuple[tuple[tuple[int, int], ...], ...]:
        """For every node the pairs (consumer, input number) that read one of its outputs."""
        found: list[list[tuple[int, int]]] = [[] for _ in self._nodes]
        for index, node in enumerate(self._nodes):
            for number, (source, _) in enumerate(node.inputs):
                found[source].append((index, number))
        return tuple(map(tuple, found))

    @cached_property
    def auxiliary_set(self) -> frozenset[int]:
        """Nodes that are wired to an auxiliary input."""
        found: set[int] = set()
        for node in self._nodes:
            states = 0 if node.operator is None else state_count(node.operator)
            if states:
                found.update([source for source, _ in node.inputs[-states:]])
        return frozenset(found)

    @cached_property
    def auxiliary(self) -> tuple[int, ...]:
        """Variables wired to an auxiliary input, in order."""
        return tuple([index for index in sorted(self.auxiliary_set) if self._nodes[index].operator is None])

    @cached_property
    def arguments(self) -> tuple[int, ...]:
        """Variables that are not auxiliary, in order."""
        found = self.auxiliary_set
        return tuple(
            [index for index, node in enumerate(self._nodes) if node.operator is None and index not in found]
        )

    @cached_property
    def index_by_name(self) -> dict[str, int]:
        """The first node of each name."""
        found: dict[str, int] = {}
        for index, node in enumerate(self._nodes):
            found.setdefault(node.name, index)
        return found

    @cached_property
    def variables(self) -> dict[str, list[int]]:
        """The variables of each name; there is one, save in files that name two alike."""
        found: dict[str, list[int]] = {}
        for index, node in enumerate(self._nodes):
            if node.operator is None:
                found.setdefault(node.name, []).append(index)
        return found

    @cached_property
    def declaring(self) -> tuple[int, ...]:
        """Variables that carry their own shape or type."""
        return tuple(
            [
                index
                for index, node in enumerate(self._nodes)
                if node.operator is None
                and ("__shape__" in node.attributes or "__dtype__" in node.attributes)
            ]
        )

    @cached_property
    def argument_places(self) -> list[int]:
        """Where the arguments lie in the list of all arrays."""
        return [self.offsets[index] for index in self.arguments]

    @cached_property
    def auxiliary_places(self) -> list[int]:
        """Where the auxiliary states lie in the list of all arrays."""
        return [self.offsets[index] for index in self.auxiliary]

    @cached_property
    def touches(self) -> tuple[Touch | None, ...]:
        """For every operator node where it touches the arrays; None for a variable."""
        seen: set[int] = set()
        found: list[Touch | None] = []
        for index, node in enumerate(self._nodes):
            found.append(None if node.is_variable else self._touch(index, node, seen))
        return tuple(found)

    def _touch(self, index: int, node: "GraphNode", seen: set[int]) -> Touch:
        offsets, nodes = self.offsets, self._nodes
        inputs, fresh = [], []
        for number, (source, output) in enumerate(node.inputs):
            inputs.append(offsets[source] + output)
            if source not in seen and nodes[source].operator is None:
                seen.add(source)
                fresh.append(number)
        first, after = offsets[index], offsets[index + 1]
        if not fresh and first < after:  # an operator behind others and without weights
            return Touch(_reader(inputs), tuple(inputs), (), tuple(range(first, after)), first, after)
        places = (*[inputs[number] for number in fresh], *range(first, after))
        first = places[0] if places else after
        start = first if places == tuple(range(first, after)) else -1
        return Touch(_reader(inputs), tuple(inputs), tuple(fresh), places, start, after)


def _reader(places: Sequence[int]) -> Callable[[Sequence[Shape]], Any]:
    return itemgetter(*places) if places else _read_nothing


def _read_nothing(_: Sequence[Shape]) -> tuple[Shape, ...]:
    return ()

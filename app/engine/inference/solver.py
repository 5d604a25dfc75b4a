"""Applies every node's shape rule until nothing changes, and remembers which node found what."""

import heapq
from collections.abc import Callable, Iterable, Mapping

import attrs

from app.engine.errors import EngineError, shortened
from app.engine.graph import Entry, Graph
from app.engine.params import LARGEST_SIZE, Declaration, Parameter
from app.engine.shapes import MOST_AXES, UNKNOWN, Shape, Shapes, is_known, merge, refuse_impossible, text

_MOST_TOLD = 4
GIVEN = -1
"""Stands for the user where a node's index says who found a shape."""


@attrs.frozen
class Problem:
    """Something that does not fit: the node, the port, the number of the input wire to blame, and a sentence."""

    node: str
    sentence: str
    port: str | None = None
    input: int | None = None
    index: int = -1


@attrs.frozen
class Finding:
    """One step of knowledge about an array: its shape after the rule of node `by` (or the user) spoke.

    `when` orders the steps of one inference: a rule knew what was found at smaller numbers, and no more.
    """

    by: int
    after: Shape
    when: int = attrs.field(default=0, eq=False)


class Solver:
    """Applies every node's rule until nothing changes."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.outputs: list[tuple[Shape, ...]] = [(UNKNOWN,) * node.output_count for node in graph.nodes]
        self.findings: dict[Entry, tuple[Finding, ...]] = {}
        self.problems: dict[int, Problem] = {}
        self.told: set[int] = set()
        self.now = 0
        self.waiting: list[int] = []
        self.queued: set[int] = set()

    def give(self, index: int, given: Mapping[str, Shape]) -> None:
        """Enter what the user knows of one variable, and its `__shape__`."""
        node = self.graph.nodes[index]
        self.outputs[index] = (UNKNOWN,)
        self.findings.pop((index, 0), None)
        try:
            shape = told_shape(node.attributes, given.get(node.name, UNKNOWN))
            refuse_impossible(shape)
        except EngineError as error:
            self.problems[index] = Problem(node.name, f"{node.name}: {error.sentence}", index=index)
            return
        if shape:
            self.told.add(index)
            self.findings[index, 0] = (Finding(GIVEN, shape),)
            self.outputs[index] = (shape,)

    def solve(self, start: Iterable[int]) -> None:
        """Run the rules of `start`, then of everything that their findings touch, lowest index first."""
        self.waiting = sorted(start)
        self.queued = set(self.waiting)
        while self.waiting:
            index = heapq.heappop(self.waiting)
            self.queued.discard(index)
            if index not in self.problems:
                self.apply(index)

    def apply(self, index: int) -> None:
        """Run one node's rule and take in what it found."""
        self.now += 1
        node = self.graph.nodes[index]
        outputs = self.outputs
        own = outputs[index]
        ins = [outputs[source][number] for source, number in node.inputs]
        assert node.operator is not None
        try:
            # what the engine finds by itself may be more than MXNet knows, so that alone is never refused
            told = [
                shape if source in self.told else UNKNOWN
                for (source, _), shape in zip(node.inputs, ins, strict=True)
            ]
            node.operator.check_known(told)
            new_ins, new_outs = node.operator.infer(ins, own)
            for number, shape in enumerate(new_outs):
                if shape != own[number]:
                    self.learn((index, number), index, shape)
            for entry, old, shape in zip(node.inputs, ins, new_ins, strict=True):
                if shape != old:
                    self.learn(entry, index, shape)
        except EngineError as error:
            self.problems[index] = self.describe(index, ins, error)

    def learn(self, entry: Entry, by: int, shape: Shape) -> None:
        """Join new knowledge into one array and wake the rules that read or write it."""
        source, number = entry
        shapes = self.outputs[source]
        after = merge(shapes[number], shape)
        if after == shapes[number]:
            return
        if len(after) > MOST_AXES or max(after) > LARGEST_SIZE or min(after) < 0:
            refuse_impossible(after)
        self.outputs[source] = (*shapes[:number], after, *shapes[number + 1 :])
        self.findings[entry] = (*self.findings.get(entry, ()), Finding(by, after, self.now))
        if source != by:
            self.wake(source)
        for reader in self.graph.readers[source]:
            if reader != by:
                self.wake(reader)

    def wake(self, index: int) -> None:
        """Queue a node's rule."""
        if index not in self.queued and self.graph.nodes[index].operator is not None:
            self.queued.add(index)
            heapq.heappush(self.waiting, index)

    def describe(self, index: int, ins: Shapes, error: EngineError) -> Problem:
        """Turn a rule's refusal into a problem with the shapes that came in."""
        told = {number: (text(shape), "") for number, shape in enumerate(ins) if shape}
        return blame(self.graph, index, error, lambda blamed: told_inputs(self.graph, index, told, blamed))


def blame(graph: Graph, index: int, error: EngineError, came: Callable[[int | None], str]) -> Problem:
    """Turn the refusal of a node's rule into a problem with the node, the port, and what `came` says of the inputs."""
    node = graph.nodes[index]
    assert node.operator is not None
    names = [port.name for port in node.operator.ports]
    blamed = names.index(error.port) if error.port in names else None
    where = f", input {error.port}" if blamed is not None else ""
    sentence = shortened(f"{node.name} ({node.op_name}){where}: {error.sentence}{came(blamed)}")
    return Problem(node.name, sentence, error.port, blamed, index)


def told_inputs(graph: Graph, index: int, told: Mapping[int, tuple[str, str]], blamed: int | None) -> str:
    """Say what comes in at some inputs, from where and why; of many only the first, and the one to blame."""
    node = graph.nodes[index]
    assert node.operator is not None
    numbers = list(told)
    parts = []
    for number in numbers:
        if number not in numbers[:_MOST_TOLD] and number != blamed:
            continue
        maker = graph.nodes[node.inputs[number][0]]
        source = maker.name if len(maker.output_names) == 1 else graph.entry_name(node.inputs[number])
        port, (what, why) = node.operator.ports[number].name, told[number]
        parts.append(
            f"{port} {what}" + (f" from {source}" if source != port else "") + (f" ({why})" if why else "")
        )
    rest = f" and {len(numbers) - len(parts)} more" if len(numbers) > len(parts) else ""
    return f" It gets {', '.join(parts)}{rest}." if parts else ""


def first_rule(graph: Graph, index: int) -> int:
    """Return the first node whose rule touches the arrays of node `index`: itself, or the first reader of a variable.

    Of a variable that nobody reads only the user knows anything.
    """
    return graph.consumers[index][0][0] if graph.nodes[index].is_variable else index


def solve_all(graph: Graph, given: Mapping[str, Shape]) -> Solver:
    """Infer a whole graph."""
    solver = Solver(graph)
    rules = []
    for index, node in enumerate(graph.nodes):
        if node.operator is None:
            solver.give(index, given)
        else:
            rules.append(index)
    solver.solve(rules)
    return solver


def told_shape(attributes: Mapping[str, str], given: Shape) -> Shape:
    """Return what is known of a variable from the start.

    As in MXNet, a whole shape that is given counts alone. One with open sizes completes the own one, and does not count
    where the two contradict each other.
    """
    given = _opened(given)
    if is_known(given) or "__shape__" not in attributes:
        return given
    declared = declared_shape(attributes)
    try:
        return merge(declared, given)
    except EngineError:
        return declared


def declared_shape(attributes: Mapping[str, str]) -> Shape:
    """Return the `__shape__` of a variable, unknown where it has none."""
    return _opened(_SHAPE.parse(attributes["__shape__"])) if "__shape__" in attributes else UNKNOWN


def _opened(shape: Shape) -> Shape:
    """Return a shape with -1, the newer MXNet's word for an unknown dimension, as 0."""
    return tuple(0 if size == -1 else size for size in shape) if -1 in shape else shape


_SHAPE = Parameter(
    "__shape__", "ints", False, (), False, False, Declaration("", None, None, (), False), wide=True
)

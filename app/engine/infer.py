"""Shape inference to a fixed point in both directions, every finding with the node whose rule made it."""

import heapq
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

import attrs
import numpy as np

from app.engine.errors import EngineError, ShapeError
from app.engine.graph import Entry, Graph
from app.engine.operator import DType
from app.engine.params import Declaration, Parameter
from app.engine.reasons import Reason, explain_entry
from app.engine.shapes import UNKNOWN, Shape, Shapes, is_known, merge, text
from app.engine.types import FLOAT32, infer_types

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
    """One step of knowledge about an array: its shape after the rule of node `by` (or the user) spoke."""

    by: int
    after: Shape


@attrs.frozen(eq=False)
class Inference:
    """The shapes and types of every array of a graph, why they are so, and what does not fit."""

    graph: Graph
    given: Mapping[str, Shape]
    given_types: Mapping[str, DType]
    outputs: tuple[tuple[Shape, ...], ...]
    findings: Mapping[Entry, tuple[Finding, ...]]
    problems: tuple[Problem, ...]
    types: tuple[tuple[DType | None, ...], ...]

    def shape(self, entry: Entry) -> Shape:
        """Return the shape of one array, with 0 for an unknown dimension and () when nothing is known."""
        return self.outputs[entry[0]][entry[1]]

    def dtype(self, entry: Entry) -> DType | None:
        """Return the element type of one array, None while it is open."""
        return self.types[entry[0]][entry[1]]

    def settled_dtype(self, entry: Entry) -> DType:
        """Return the element type that an array is made with: its own, or float32 while it is open."""
        found = self.dtype(entry)
        return FLOAT32 if found is None else found  # a numpy dtype counts as false, so no `or` here

    def in_shapes(self, index: int) -> list[Shape]:
        """Return the shapes of a node's inputs, auxiliary states last."""
        return [self.outputs[source][number] for source, number in self.graph.nodes[index].inputs]

    def is_given(self, entry: Entry) -> bool:
        """Tell whether the user gave this shape whole."""
        return any(step.by == GIVEN and is_known(step.after) for step in self.findings.get(entry, ()))

    def found_by(self, entry: Entry, axis: int) -> int | None:
        """Return the node whose rule fixed a dimension, GIVEN for the user, None while it is open."""
        for step in self.findings.get(entry, ()):
            if axis < len(step.after) and step.after[axis]:
                return step.by
        return None

    def why(self, entry: Entry) -> tuple[Reason, ...]:
        """Return one reason for each dimension of an array."""
        return explain_entry(self, entry)

    @cached_property
    def flows_forward(self) -> bool:
        """Tell whether every array was found by the user or by the first rule that touches it."""
        return all(
            step.by in (GIVEN, first_rule(self.graph, entry[0]))
            for entry, steps in self.findings.items()
            for step in steps
        )

    @property
    def is_complete(self) -> bool:
        """Tell whether every shape is known and nothing contradicts."""
        return not self.problems and all(is_known(shape) for shapes in self.outputs for shape in shapes)

    def refuse_problems(self) -> None:
        """Raise the first problem as a ShapeError."""
        for problem in self.problems:
            raise ShapeError(problem.sentence, node=problem.node, port=problem.port)

    def refuse_open(self) -> None:
        """Raise a problem, or a ShapeError that names what is still open."""
        self.refuse_problems()
        variables = [*self.graph.arguments, *self.graph.auxiliary]
        open_names = [self.graph.nodes[i].name for i in variables if not is_known(self.outputs[i][0])]
        if not open_names:
            open_names = [
                self.graph.entry_name(entry)
                for entry in self.graph.internals()
                if not is_known(self.shape(entry))
            ]
        if open_names:
            some = ", ".join(open_names[:4]) + (" …" if len(open_names) > 4 else "")
            raise ShapeError(f"The shape of {some} is still open. Give it, or the shape of an input.")


class _Solver:
    """Applies every node's rule until nothing changes."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.outputs: list[tuple[Shape, ...]] = [(UNKNOWN,) * node.output_count for node in graph.nodes]
        self.findings: dict[Entry, tuple[Finding, ...]] = {}
        self.problems: dict[int, Problem] = {}
        self.waiting: list[int] = []
        self.queued: set[int] = set()

    def give(self, index: int, given: Mapping[str, Shape]) -> None:
        """Enter what the user knows of one variable, and its `__shape__`."""
        node = self.graph.nodes[index]
        self.outputs[index] = (UNKNOWN,)
        self.findings.pop((index, 0), None)
        try:
            shape = merge(_declared_shape(node.attributes), given.get(node.name, UNKNOWN))
        except EngineError as error:
            self.problems[index] = Problem(node.name, f"{node.name}: {error.sentence}", index=index)
            return
        if shape:
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
        node = self.graph.nodes[index]
        outputs = self.outputs
        own = outputs[index]
        ins = [outputs[source][number] for source, number in node.inputs]
        assert node.operator is not None
        try:
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
        self.outputs[source] = (*shapes[:number], after, *shapes[number + 1 :])
        self.findings[entry] = (*self.findings.get(entry, ()), Finding(by, after))
        if source != by:
            self.wake(source)
        for consumer, _ in self.graph.consumers[source]:
            if consumer != by:
                self.wake(consumer)

    def wake(self, index: int) -> None:
        """Queue a node's rule."""
        if index not in self.queued and self.graph.nodes[index].operator is not None:
            self.queued.add(index)
            heapq.heappush(self.waiting, index)

    def describe(self, index: int, ins: Shapes, error: EngineError) -> Problem:
        """Turn a rule's refusal into a problem with the node, the port and the shapes that came in."""
        node = self.graph.nodes[index]
        assert node.operator is not None
        names = [port.name for port in node.operator.ports]
        blamed = names.index(error.port) if error.port in names else None
        got = ", ".join(f"{name} {text(shape)}" for name, shape in zip(names, ins, strict=True) if shape)
        where = f", input {error.port}" if error.port else ""
        came = f" It gets {got}." if got else ""
        sentence = f"{node.name} ({node.op_name}){where}: {error.sentence}{came}"
        return Problem(node.name, sentence, error.port, blamed, index)


class _FlowsBackError(Exception):
    """Knowledge would flow against the order of the nodes, so an edit cannot be followed in one sweep."""


class _Follower(_Solver):
    """Follows an edit through a finished inference in which all knowledge flows in the order of the nodes.

    There every array is found by the first rule that touches it, so one sweep in that order never reads a stale shape,
    and it stops wherever a rule finds what it had found before.
    """

    def __init__(self, graph: Graph, previous: Inference) -> None:
        super().__init__(graph)
        self.outputs = list(previous.outputs)
        self.findings = dict(previous.findings)

    def apply(self, index: int) -> None:
        """Forget what this rule found, run it again, and wake the readers of what came out otherwise."""
        node = self.graph.nodes[index]
        before = {}
        for entry in (*node.inputs, *((index, number) for number in range(node.output_count))):
            if entry in before:
                continue
            before[entry] = self.outputs[entry[0]][entry[1]]
            finders = self.findings.get(entry, ())
            if finders and finders[-1].by == index:
                self._reset(entry, tuple(step for step in finders if step.by == GIVEN))
        super().apply(index)
        if index in self.problems:
            raise _FlowsBackError
        for entry, shape in before.items():
            if self.outputs[entry[0]][entry[1]] != shape:
                for consumer, _ in self.graph.consumers[entry[0]]:
                    if consumer > index:
                        self.wake(consumer)

    def learn(self, entry: Entry, by: int, shape: Shape) -> None:
        """Join knowledge in, but only where this rule is the first to touch the array."""
        if first_rule(self.graph, entry[0]) != by:
            raise _FlowsBackError
        source, number = entry
        shapes = self.outputs[source]
        after = merge(shapes[number], shape)
        self.outputs[source] = (*shapes[:number], after, *shapes[number + 1 :])
        self.findings[entry] = (*self.findings.get(entry, ()), Finding(by, after))

    def _reset(self, entry: Entry, kept: tuple[Finding, ...]) -> None:
        source, number = entry
        shapes = self.outputs[source]
        shape = kept[-1].after if kept else UNKNOWN
        self.outputs[source] = (*shapes[:number], shape, *shapes[number + 1 :])
        if kept:
            self.findings[entry] = kept
        else:
            del self.findings[entry]


def first_rule(graph: Graph, index: int) -> int:
    """Return the first node whose rule touches the arrays of node `index`: itself, or a variable's first reader."""
    if not graph.nodes[index].is_variable:
        return index
    readers = graph.consumers[index]
    return readers[0][0] if readers else GIVEN


def infer(
    graph: Graph,
    shapes: Mapping[str, Shape],
    types: Mapping[str, Any] | None = None,
    previous: Inference | None = None,
) -> Inference:
    """Find every shape and type that follows from the given ones, with all problems at once.

    `shapes` and `types` are by variable name. With the `previous` inference of a graph of the same wiring, only what an
    edit changed is inferred again. Misfits are problems in the result, never exceptions.
    """
    given = {name: tuple(int(size) for size in shape) for name, shape in shapes.items()}
    given_types = {name: np.dtype(kind) for name, kind in (types or {}).items()}
    followed = None if previous is None else _follow(previous, graph, given)
    problems: list[Problem] = []
    if followed is None:
        solver = _infer_all(graph, given)
        followed = solver.outputs, solver.findings
        problems = [solver.problems[index] for index in sorted(solver.problems)]
    found_types, misfits = infer_types(graph, given_types)
    problems += [Problem(graph.nodes[at].name, sentence, port, index=at) for at, sentence, port in misfits]
    outputs, findings = followed
    return Inference(graph, given, given_types, tuple(outputs), findings, tuple(problems), found_types)


def _follow(
    previous: Inference, graph: Graph, given: Mapping[str, Shape]
) -> tuple[list[tuple[Shape, ...]], dict[Entry, tuple[Finding, ...]]] | None:
    """Bring a finished inference up to date with an edit; None when everything must be inferred anew."""
    changed = _changed_nodes(previous, graph, given)
    if changed is None or not previous.flows_forward:
        return None
    follower = _Follower(graph, previous)
    start: set[int] = set()
    for index in changed:
        if graph.nodes[index].is_variable:
            before = follower.outputs[index]
            follower.give(index, given)
            if follower.outputs[index] != before:
                start.update(consumer for consumer, _ in graph.consumers[index])
        else:
            start.add(index)
    try:
        follower.solve(start)
    except _FlowsBackError:
        return None
    return (follower.outputs, follower.findings) if not follower.problems else None


def _changed_nodes(previous: Inference, graph: Graph, given: Mapping[str, Shape]) -> list[int] | None:
    """List what differs from the graph inferred before; None when the wiring itself does."""
    old = previous.graph.nodes
    if previous.problems or len(old) != len(graph.nodes):
        return None
    names = {name for name in {*given, *previous.given} if given.get(name) != previous.given.get(name)}
    changed = []
    for index, (one, other) in enumerate(zip(old, graph.nodes, strict=True)):
        if other.name in names and other.is_variable:
            changed.append(index)
        if one is other:
            continue
        if (one.inputs, one.output_count, one.name) != (other.inputs, other.output_count, other.name):
            return None
        if one.operator != other.operator or one.attributes.get("__shape__") != other.attributes.get(
            "__shape__"
        ):
            changed.append(index)
    return changed


def _infer_all(graph: Graph, given: Mapping[str, Shape]) -> _Solver:
    solver = _Solver(graph)
    rules = []
    for index, node in enumerate(graph.nodes):
        if node.operator is None:
            solver.give(index, given)
        else:
            rules.append(index)
    solver.solve(rules)
    return solver


def _declared_shape(attributes: Mapping[str, str]) -> Shape:
    return _SHAPE.parse(attributes["__shape__"]) if "__shape__" in attributes else UNKNOWN


_SHAPE = Parameter("__shape__", "ints", False, (), False, False, Declaration("", None, None, (), False))

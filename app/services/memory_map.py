"""What lives in memory while a graph runs: every step of a plan, and every array with its place and its life."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Literal

import attrs

from app.document.analysis import Analysis
from app.document.records import Id
from app.engine.gradient import ExecutorGraph
from app.engine.inference.infer import Inference
from app.engine.planning.memory import report_of
from app.engine.planning.packing import aligned
from app.engine.planning.plan import Lifetime, Plan, Step, make_plan
from app.engine.shapes import Shape
from app.services.running import refuse_broken, request_of

Purpose = Literal["training", "inference"]
Phase = Literal["forward", "backward"]
ArrayKind = Literal["value", "output", "gradient", "head gradient"]


@attrs.frozen
class MappedStep:
    """One step of a plan: its pass, what it does in words, the node it belongs to, and the bytes alive in it."""

    phase: Phase
    words: str
    node: Id | None
    alive: int


@attrs.frozen
class MappedArray:
    """One array of a plan.

    It is written first in step `birth` and used last in step `death`; an output lives to the end, beyond the last step.
    It takes `room` bytes from `offset` on, a little more than its own `size`, so that its neighbour begins on a cache
    line. `before` is the array that it is written over, in the step that reads that one last, and `after` the one that
    is written over it; such arrays make one block.
    """

    name: str
    kind: ArrayKind
    node: Id | None
    node_name: str
    shape: Shape
    dtype: str
    size: int
    room: int
    birth: int
    death: int
    block: int
    offset: int
    before: int | None
    after: int | None
    in_strips: bool

    @property
    def top(self) -> int:
        """Where in memory its room ends."""
        return self.offset + self.room


@attrs.frozen(eq=False)
class MemoryMap:
    """One plan as it is to be seen; the first `forward_count` steps are forward, and `total` bytes are taken for it."""

    steps: tuple[MappedStep, ...]
    forward_count: int
    arrays: tuple[MappedArray, ...]
    block_count: int
    total: int

    @cached_property
    def peak_step(self) -> int:
        """The first of the steps with most bytes alive."""
        return max(range(len(self.steps)), key=lambda number: self.steps[number].alive, default=0)

    @property
    def peak(self) -> int:
        """The most bytes that are alive in one step."""
        return self.steps[self.peak_step].alive if self.steps else 0

    @cached_property
    def by_node(self) -> Mapping[Id, tuple[int, ...]]:
        """The arrays of every node of the board, its gradients among them."""
        found: dict[Id, list[int]] = {}
        for number, array in enumerate(self.arrays):
            if array.node is not None:
                found.setdefault(array.node, []).append(number)
        return {node: tuple(numbers) for node, numbers in found.items()}

    def sharing(self, number: int) -> tuple[int, ...]:
        """Return the arrays that use some of one array's bytes at other times."""
        own = self.arrays[number]
        return tuple(
            other
            for other, array in enumerate(self.arrays)
            if other != number and array.offset < own.top and own.offset < array.top
        )


@attrs.frozen(eq=False)
class MemoryMaps:
    """The plans of a document: for training and for inference, with shared memory and without.

    `values` and `gradients` are the bytes of what is bound from outside and lives throughout: arguments with auxiliary
    states, and gradient buffers.
    """

    shared: Mapping[Purpose, MemoryMap]
    unshared: Mapping[Purpose, MemoryMap]
    values: int
    gradients: int

    def get(self, purpose: Purpose, *, share: bool) -> MemoryMap:
        """Return one of the four plans."""
        return (self.shared if share else self.unshared)[purpose]


def map_memory(analysis: Analysis) -> MemoryMaps:
    """Plan the memory of a document without taking any; EngineError says what keeps it from being bound."""
    graph, inference = refuse_broken(analysis)
    names = graph.names(graph.arguments)
    report = report_of(inference, {name: request_of(analysis.document, name) for name in names})
    planned: dict[Purpose, tuple[ExecutorGraph, Plan]] = {
        "training": (report.training_graph, report.training_plan),
        "inference": (report.inference_graph, report.inference_plan),
    }
    shared, unshared = dict[Purpose, MemoryMap](), dict[Purpose, MemoryMap]()
    for purpose, (executor_graph, plan) in planned.items():
        apart = make_plan(executor_graph, inference, share=False)
        shared[purpose] = _Mapper(executor_graph, inference, plan, analysis.node_ids).map()
        unshared[purpose] = _Mapper(executor_graph, inference, apart, analysis.node_ids).map()
    return MemoryMaps(shared, unshared, report.bound_values, report.bound_gradients)


@attrs.frozen(eq=False)
class _Mapper:
    """Tells one plan for people."""

    executor_graph: ExecutorGraph
    inference: Inference
    plan: Plan
    ids: Mapping[int, Id]

    def map(self) -> MemoryMap:
        plan, lives = self.plan, tuple(self.plan.lifetimes.values())
        steps = zip(plan.steps, plan.bytes_alive, strict=True)
        before = _before(lives)
        after = {earlier: later for later, earlier in before.items()}
        return MemoryMap(
            tuple(self._step(number, step, alive) for number, (step, alive) in enumerate(steps)),
            plan.forward_count,
            tuple(
                self._array(life, before.get(number), after.get(number)) for number, life in enumerate(lives)
            ),
            len(plan.blocks),
            plan.bytes_shared,
        )

    def _step(self, number: int, step: Step, alive: int) -> MappedStep:
        name = self.executor_graph.graph.nodes[step.symbol_node].name
        words = f"{step.kind} of {name}"
        if step.kind == "sum":
            words = f"adding to d({name})"
        elif step.kind == "zero":
            words = f"zeros for a gradient of {name}"
        phase: Phase = "forward" if number < self.plan.forward_count else "backward"
        return MappedStep(phase, words, self.ids.get(step.symbol_node), alive)

    def _array(self, life: Lifetime, before: int | None, after: int | None) -> MappedArray:
        graph, key = self.executor_graph.graph, life.key
        kind: ArrayKind
        if key.kind == "value":
            entry, name = key.entry, graph.entry_name(key.entry)
            kind = "output" if entry in graph.heads else "value"
        else:
            node = self.executor_graph.nodes[key.node]
            entry, name = node.entry, node.name
            kind = "head gradient" if node.kind == "head_gradient" else "gradient"
        return MappedArray(
            name=name,
            kind=kind,
            node=self.ids.get(entry[0]),
            node_name=graph.nodes[entry[0]].name,
            shape=life.shape,
            dtype=str(life.dtype),
            size=life.size,
            room=aligned(life.size),
            birth=life.birth,
            death=life.death,
            block=life.block,
            offset=self.plan.blocks[life.block].offset,
            before=before,
            after=after,
            in_strips=life.shape != self.inference.shape(entry),
        )


def _before(lives: Sequence[Lifetime]) -> dict[int, int]:
    """Return by number the array that each is written over: those of one block follow each other."""
    before, latest = dict[int, int](), dict[int, int]()
    for number, life in enumerate(lives):
        if life.block in latest:
            before[number] = latest[life.block]
        latest[life.block] = number
    return before

"""The plan of a bind: its steps in order, each array's birth and last use, and which arrays share a block of memory."""

import bisect
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

import attrs
import numpy as np

from app.engine.gradient import ExecutorGraph, ExecutorNode
from app.engine.graph import Entry
from app.engine.infer import Inference
from app.engine.operator import Array, DType
from app.engine.shapes import Shape, element_count

StepKind = Literal["forward", "backward", "sum", "zero"]
ALIGNMENT = 64  # bytes: a cache line, and enough for every vector instruction


@attrs.frozen(order=True)
class ArrayKey:
    """Names one array of a bind: the value of an entry, or the array of a gradient node of the executor graph."""

    kind: Literal["value", "gradient"]
    entry: Entry = (-1, 0)
    node: int = -1


def value_key(entry: Entry) -> ArrayKey:
    """Name the value of an entry."""
    return ArrayKey("value", entry)


def gradient_key(node: int) -> ArrayKey:
    """Name the array that a gradient node of the executor graph holds."""
    return ArrayKey("gradient", node=node)


@attrs.frozen(eq=False)
class Step:
    """One call: an operator's forward, its backward (all wanted gradients at once), an addition of gradients, or zeros.

    `nodes` are the executor nodes that it finishes, none for an addition that is not the last of its sum; `reads` and
    `writes` name arrays.
    """

    kind: StepKind
    symbol_node: int
    nodes: tuple[int, ...]
    reads: tuple[ArrayKey, ...]
    writes: tuple[ArrayKey, ...]


@attrs.frozen(eq=False)
class Lifetime:
    """An array that the executor allocates: its size in bytes, first and last step, and the block it lives in."""

    key: ArrayKey
    shape: Shape
    dtype: DType
    size: int
    birth: int
    death: int
    block: int


@attrs.frozen(eq=False)
class Plan:
    """Steps in order (the first `forward_count` are forward), array lifetimes, and the sizes of blocks in bytes."""

    steps: tuple[Step, ...]
    forward_count: int
    lifetimes: Mapping[ArrayKey, Lifetime]
    blocks: tuple[int, ...]

    @property
    def bytes_shared(self) -> int:
        """Bytes that the blocks take together."""
        return sum(self.blocks)

    @property
    def bytes_unshared(self) -> int:
        """Bytes that the arrays would take without sharing."""
        return sum(lifetime.size for lifetime in self.lifetimes.values())


def make_plan(executor_graph: ExecutorGraph, inference: Inference, *, share: bool = True) -> Plan:
    """Order the steps of an executor graph and give every array of its own a block.

    With `share`, arrays whose lives do not overlap use the same block; outputs live to the end.
    """
    steps, forward_count = _steps(executor_graph)
    lives = _lives(executor_graph, steps)
    arrays = _Arrays(executor_graph, inference)
    allocator = _Allocator(arrays, lives, share=share)
    for number, step in enumerate(steps):
        allocator.run(number, step, executor_graph)
    return Plan(tuple(steps), forward_count, allocator.lifetimes, tuple(allocator.blocks))


def _steps(executor_graph: ExecutorGraph) -> tuple[list[Step], int]:
    graph = executor_graph.graph
    steps: list[Step] = []
    for node in executor_graph.nodes:
        if node.kind == "operator":
            own = graph.nodes[node.symbol_node]
            writes = tuple(value_key((node.symbol_node, number)) for number in range(own.output_count))
            reads = tuple(map(value_key, own.inputs))
            steps.append(Step("forward", node.symbol_node, (node.index,), reads, writes))
    forward_count = len(steps)
    sums = _RunningSums(executor_graph)
    for symbol_node, group in itertools.groupby(executor_graph.nodes, _backward_group):
        nodes = list(group)
        if symbol_node is not None:
            steps.append(_backward_step(executor_graph, nodes))
        for node in nodes:
            if node.is_zero:
                steps.append(Step("zero", node.symbol_node, (node.index,), (), (gradient_key(node.index),)))
            steps.extend(sums.take(node))
    return steps, forward_count


def _backward_group(node: ExecutorNode) -> int | None:
    """Return the operator whose backward makes this gradient, so that all of its gradients make one step."""
    return node.symbol_node if node.kind == "gradient" and not node.is_zero else None


class _RunningSums:
    """Adds up the parts of a gradient as they come, so that no part waits for the last one."""

    def __init__(self, executor_graph: ExecutorGraph) -> None:
        self.sums: dict[int, list[ExecutorNode]] = {}
        self.so_far: dict[int, list[int]] = {}
        for node in executor_graph.nodes:
            if node.kind == "gradient_sum":
                self.so_far[node.index] = []
                for part in node.reads:
                    self.sums.setdefault(part, []).append(node)

    def take(self, node: ExecutorNode) -> Iterator[Step]:
        """Yield the additions that can be done once `node` is there."""
        for total in self.sums.get(node.index, ()):
            parts = self.so_far[total.index]
            parts.append(node.index)
            if len(parts) == 1 and len(total.reads) > 1:
                continue
            first = parts[0] if len(parts) <= 2 else total.index
            reads = (
                (gradient_key(first),) if len(parts) == 1 else (gradient_key(first), gradient_key(node.index))
            )
            finished = (total.index,) if len(parts) == len(total.reads) else ()
            yield Step("sum", total.symbol_node, finished, reads, (gradient_key(total.index),))


def _backward_step(executor_graph: ExecutorGraph, nodes: Sequence[ExecutorNode]) -> Step:
    """Join the gradients of one operator into one step that reads what any of them reads."""
    index = nodes[0].symbol_node
    own = executor_graph.graph.nodes[index]
    assert own.operator is not None
    keys: dict[ArrayKey, None] = {}
    for node in nodes:
        reads = own.operator.gradient_reads(node.input)
        keys.update((value_key(own.inputs[place]), None) for place in reads.inputs)
        keys.update((value_key((index, number)), None) for number in reads.outputs)
        if reads.heads:
            heads = executor_graph.backward_heads[index]
            keys.update((gradient_key(head), None) for head in heads if head is not None)
    written = tuple(gradient_key(node.index) for node in nodes)
    return Step("backward", index, tuple(node.index for node in nodes), tuple(keys), written)


def _lives(executor_graph: ExecutorGraph, steps: Sequence[Step]) -> dict[ArrayKey, int]:
    """Return for every array the last step that touches it; outputs and holders live to the end."""
    last: dict[ArrayKey, int] = {}
    for number, step in enumerate(steps):
        for key in (*step.reads, *step.writes):
            last[key] = number
    for head in executor_graph.graph.heads:
        last[value_key(head)] = len(steps)
    return last


class _Arrays:
    """Knows shape, type and size of every array, and which ones come from outside."""

    def __init__(self, executor_graph: ExecutorGraph, inference: Inference) -> None:
        self.executor_graph = executor_graph
        self.inference = inference
        self.variables = {
            value_key((index, 0)) for index, node in enumerate(executor_graph.graph.nodes) if node.is_variable
        }

    def is_external(self, key: ArrayKey) -> bool:
        """Tell whether the array comes from outside: a variable, a head gradient, a gradient written to its holder."""
        if key.kind == "value":
            return key in self.variables
        node = self.executor_graph.nodes[key.node]
        return node.request == "write" or node.kind == "head_gradient"

    def describe(self, key: ArrayKey) -> tuple[Shape, DType, int]:
        """Return shape, type and bytes."""
        entry = key.entry if key.kind == "value" else self.executor_graph.nodes[key.node].entry
        shape = self.inference.shape(entry)
        dtype = self.inference.settled_dtype(entry)
        return shape, dtype, element_count(shape) * dtype.itemsize


class _Allocator:
    """Gives blocks to arrays at birth and takes them back after the last use."""

    def __init__(self, arrays: _Arrays, last: Mapping[ArrayKey, int], *, share: bool) -> None:
        self.arrays = arrays
        self.last = last
        self.share = share
        self.blocks: list[int] = []
        self.free: list[tuple[int, int, int]] = []
        """Blocks that nothing uses: size, when they were given back, number; smallest first, then longest free."""
        self.given_back = itertools.count()
        self.lifetimes: dict[ArrayKey, Lifetime] = {}
        self.users: dict[int, int] = {}

    def run(self, number: int, step: Step, executor_graph: ExecutorGraph) -> None:
        """Place what a step writes, then free what it was the last to touch."""
        partners = dict(self._partners(step, executor_graph)) if self.share else {}
        for key in step.writes:
            if key not in self.lifetimes and not self.arrays.is_external(key):
                self._place(key, number, partners.get(key))
        for key in dict.fromkeys((*step.reads, *step.writes)):
            if self.last[key] == number and key in self.lifetimes:
                self._release(self.lifetimes[key].block)

    def _partners(self, step: Step, executor_graph: ExecutorGraph) -> Iterable[tuple[ArrayKey, ArrayKey]]:
        """Pair what a step writes with a dying array that the operator may overwrite."""
        if step.kind == "sum":
            yield step.writes[0], step.reads[0]
        own = executor_graph.graph.nodes[step.symbol_node]
        if own.operator is None:
            return
        if step.kind == "forward":
            for source, number in own.operator.inplace:
                if own.inputs.count(own.inputs[source]) == 1:
                    yield value_key((step.symbol_node, number)), value_key(own.inputs[source])
        elif step.kind == "backward":
            heads = executor_graph.backward_heads[step.symbol_node]
            by_input = {executor_graph.nodes[node].input: node for node in step.nodes}
            for output, source in own.operator.inplace_backward:
                head = heads[output]
                if source in by_input and head is not None:
                    yield gradient_key(by_input[source]), gradient_key(head)

    def _place(self, key: ArrayKey, number: int, partner: ArrayKey | None) -> None:
        shape, dtype, size = self.arrays.describe(key)
        block = self._block_of_partner(partner, size, number)
        if block is None:
            block = self._find(size)
        self.users[block] = self.users.get(block, 0) + 1
        self.lifetimes[key] = Lifetime(key, shape, dtype, size, number, self.last.get(key, number), block)

    def _block_of_partner(self, partner: ArrayKey | None, size: int, number: int) -> int | None:
        dying = self.lifetimes.get(partner) if partner is not None else None
        if dying is None or dying.death != number or dying.size != size or self.users[dying.block] != 1:
            return None
        return dying.block

    def _find(self, size: int) -> int:
        """Take the free block that fits best: the smallest that is large enough, else the largest, grown."""
        if self.share and self.free:
            place = bisect.bisect_left(self.free, (size,))
            if place == len(self.free):
                place = bisect.bisect_left(self.free, (self.free[-1][0],))
            if self.free[place][0] <= 16 * max(size, ALIGNMENT):
                # else a small array would hold a large block back from its equals
                _, _, chosen = self.free.pop(place)
                self.blocks[chosen] = max(self.blocks[chosen], size)
                return chosen
        self.blocks.append(size)
        return len(self.blocks) - 1

    def _release(self, block: int) -> None:
        self.users[block] -= 1
        if self.users[block] == 0 and self.share:
            bisect.insort(self.free, (self.blocks[block], next(self.given_back), block))


def allocate(plan: Plan) -> dict[ArrayKey, Array]:
    """Allocate the blocks of a plan, zeroed, and return every array as a view into its block."""
    buffers = [_aligned(size) for size in plan.blocks]
    return {
        key: buffers[life.block][: life.size].view(life.dtype).reshape(life.shape)
        for key, life in plan.lifetimes.items()
    }


def _aligned(size: int) -> Array:
    raw = np.zeros(size + ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    return raw[start : start + size]

"""The plan of a bind: its steps in order, each array's birth and last use, and which arrays share memory."""

import itertools
import sys
from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import Literal, NamedTuple

import attrs

from app.engine.gradient import ExecutorGraph, ExecutorNode
from app.engine.graph import Entry
from app.engine.inference.infer import Inference
from app.engine.kernels.cache_lines import arena
from app.engine.operator import Array, DType
from app.engine.planning.packing import Tenant, aligned, alive, lay_end_to_end, pack
from app.engine.shapes import Shape, element_count

StepKind = Literal["forward", "backward", "sum", "zero"]
STRIP = 2**18
"""Bytes of a gradient that are found at once where it is only added: they stay in a core's cache."""
PRODUCT_ROWS = 256
"""Rows that a matrix product takes at once, lest it read its other matrix too often."""


class ArrayKey(NamedTuple):
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
    """An array that the executor allocates: its size in bytes, first and last step, and the number of its block.

    A gradient that is added strip by strip (`engine/adding.py`) has the shape of one strip.
    Arrays of one block follow each other: each is written over the one before, in the step that reads that one last.
    """

    key: ArrayKey
    shape: Shape
    dtype: DType
    size: int
    birth: int
    death: int
    block: int


@attrs.frozen
class Block:
    """A stretch of the plan's memory: its place and size in bytes, and the first and last step that need it."""

    offset: int
    size: int
    birth: int
    death: int


@attrs.frozen(eq=False)
class Plan:
    """Steps in order (the first `forward_count` are forward), array lifetimes, blocks, and the bytes they need."""

    steps: tuple[Step, ...]
    forward_count: int
    lifetimes: Mapping[ArrayKey, Lifetime]
    blocks: tuple[Block, ...]
    bytes_shared: int
    """Bytes that the blocks take together, where they share memory."""

    @property
    def bytes_unshared(self) -> int:
        """Bytes that the arrays would take if each had memory of its own."""
        return sum(aligned(lifetime.size) for lifetime in self.lifetimes.values())

    @property
    def bytes_alive(self) -> tuple[int, ...]:
        """Bytes that live while each step runs; no plan can do with less than the largest."""
        tenants = [Tenant(block.size, block.birth, block.death) for block in self.blocks]
        return alive(tenants)[: len(self.steps)]


def make_plan(executor_graph: ExecutorGraph, inference: Inference, *, share: bool = True) -> Plan:
    """Order the steps of an executor graph and give every array of its own a place.

    With `share`, arrays whose lives do not overlap use the same memory; outputs live to the end.
    """
    steps, forward_count = _steps(executor_graph)
    blocks = _Blocks(executor_graph, inference, steps, share=share)
    for number, step in enumerate(steps):
        if number == forward_count:
            blocks.take_head_gradients(number)
        blocks.run(number, step)
    packing = (pack if share else lay_end_to_end)(blocks.tenants)
    placed = tuple(
        Block(offset, tenant.size, tenant.birth, tenant.death)
        for offset, tenant in zip(packing.offsets, blocks.tenants, strict=True)
    )
    return Plan(tuple(steps), forward_count, blocks.lifetimes, placed, packing.total)


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


def _last_uses(executor_graph: ExecutorGraph, steps: Sequence[Step]) -> dict[ArrayKey, int]:
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

    def __init__(self, executor_graph: ExecutorGraph, inference: Inference, *, share: bool) -> None:
        self.executor_graph = executor_graph
        self.share = share
        self.inference = inference
        self.variables = {
            value_key((index, 0)) for index, node in enumerate(executor_graph.graph.nodes) if node.is_variable
        }

    def is_external(self, key: ArrayKey) -> bool:
        """Tell whether the array comes from outside: a variable, or a gradient written to its holder."""
        if key.kind == "value":
            return key in self.variables
        return self.executor_graph.nodes[key.node].request == "write"

    def describe(self, key: ArrayKey) -> tuple[Shape, DType, int]:
        """Return shape, type and bytes."""
        entry = key.entry if key.kind == "value" else self.executor_graph.nodes[key.node].entry
        shape = self.inference.shape(entry)
        dtype = self.inference.settled_dtype(entry)
        size = element_count(shape) * dtype.itemsize
        if size > STRIP and key.kind == "gradient":
            rows = self._rows_at_once(self.executor_graph.nodes[key.node], size // shape[0])
            if rows < shape[0]:
                return (rows, *shape[1:]), dtype, size // shape[0] * rows
        return shape, dtype, size

    def _rows_at_once(self, node: ExecutorNode, row: int) -> int:
        """Return how many rows of so many bytes are found at once: not all, if nobody reads them but an addition."""
        operator = self.executor_graph.graph.nodes[node.symbol_node].operator
        split = None if operator is None else operator.strips
        only_added = self.share and node.kind == "gradient" and node.request == "add"
        if not only_added or split is None or split.ins[node.input] != 0:
            return sys.maxsize
        return max(1, STRIP // row, PRODUCT_ROWS if split.is_product else 0)


class _Blocks:
    """Gives every array a block at birth: that of a dying array it may be written over, else a new one."""

    def __init__(
        self, executor_graph: ExecutorGraph, inference: Inference, steps: Sequence[Step], *, share: bool
    ) -> None:
        self.executor_graph = executor_graph
        self.arrays = _Arrays(executor_graph, inference, share=share)
        self.last = _last_uses(executor_graph, steps)
        self.share = share
        self.tenants: list[Tenant] = []
        self.holds: list[ArrayKey] = []
        """The array that each block holds last."""
        self.lifetimes: dict[ArrayKey, Lifetime] = {}

    def take_head_gradients(self, number: int) -> None:
        """Give blocks to what is handed in before this step, the first one backward."""
        for node in self.executor_graph.head_gradients.values():
            self._add(gradient_key(node), number, ())

    def run(self, number: int, step: Step) -> None:
        """Give a block to each array that this step is the first to write."""
        overwritable = list(self._overwritable(step)) if self.share else []
        for key in step.writes:
            if key not in self.lifetimes and not self.arrays.is_external(key):
                self._add(key, number, [dying for fresh, dying in overwritable if fresh == key])

    def _add(self, key: ArrayKey, number: int, overwritable: Sequence[ArrayKey]) -> None:
        shape, dtype, size = self.arrays.describe(key)
        death = self.last.get(key, number)
        for dying in overwritable:
            block = self._block_left_by(dying, size, number)
            if block is not None:
                self.tenants[block] = attrs.evolve(self.tenants[block], death=death)
                self.holds[block] = key
                break
        else:
            block = len(self.tenants)
            self.tenants.append(Tenant(size, number, death))
            self.holds.append(key)
        self.lifetimes[key] = Lifetime(key, shape, dtype, size, number, death, block)

    def _block_left_by(self, dying: ArrayKey, size: int, number: int) -> int | None:
        """Return the block of an array of this size whose last reader is this step, unless another took it over.

        A single number keeps its own: numpy takes four times as long to write one over itself.
        """
        life = self.lifetimes.get(dying)
        if life is None or life.death != number or life.size != size or prod(life.shape) == 1:
            return None
        return life.block if self.holds[life.block] == dying else None

    def _overwritable(self, step: Step) -> Iterator[tuple[ArrayKey, ArrayKey]]:
        """Pair what a step writes with what the operator may write it over."""
        if step.kind == "sum":
            for part in step.reads:
                yield step.writes[0], part
        own = self.executor_graph.graph.nodes[step.symbol_node]
        if own.operator is None:
            return
        if step.kind == "forward":
            for source, number in own.operator.overwrites(self.arrays.inference.in_shapes(step.symbol_node)):
                if own.inputs.count(own.inputs[source]) == 1:
                    yield value_key((step.symbol_node, number)), value_key(own.inputs[source])
        elif step.kind == "backward":
            heads = self.executor_graph.backward_heads[step.symbol_node]
            by_input = {self.executor_graph.nodes[node].input: node for node in step.nodes}
            for output, source in own.operator.inplace_backward:
                head = heads[output]
                if source in by_input and head is not None:
                    yield gradient_key(by_input[source]), gradient_key(head)


def allocate(plan: Plan) -> dict[ArrayKey, Array]:
    """Allocate the memory of a plan, zeroed, and return every array as a view into it."""
    memory = arena(plan.bytes_shared)
    arrays = {}
    for key, life in plan.lifetimes.items():
        start = plan.blocks[life.block].offset
        arrays[key] = memory[start : start + life.size].view(life.dtype).reshape(life.shape)
    return arrays

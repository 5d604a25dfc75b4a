"""The pass `gathering`: the gradient of a weight that many layers share comes from few large products.

It looks for a weight that several fully connected layers read, as the steps of an unrolled cell do. Each of them would
multiply its few rows and add the result to a running sum of the weight's size. Instead, every layer puts its rows
beside those of the others, and where the plan adds, one product of all of them is written. That saves the sums, and a
quarter of the products' time where each has 32 rows.

The steps of the plan and the places of its arrays stay. What each layer contributes is nowhere to be looked at, though,
so a bind that keeps all arrays goes without. The last digits may differ from those of a running sum.
"""

from collections.abc import Callable, Sequence
from functools import cached_property, partial

import attrs
import numpy as np

from app.engine.gradient import ExecutorGraph, ExecutorNode
from app.engine.kernels import cache_lines
from app.engine.kernels.matrices import product
from app.engine.kernels.reduction import sum_to
from app.engine.kernels.steps import in_order, nothing, writing
from app.engine.operator import Array
from app.engine.passes.tables import Tables, tables_for
from app.engine.passes.tasks import Given
from app.engine.planning.plan import Step
from app.engine.shapes import element_count

Call = Callable[[], object]
WEIGHT, BIAS = 1, 2


@attrs.frozen(eq=False)
class _Gathered:
    """The layers that share a weight, in the order in which their gradients come, and room for the rows of some."""

    layers: tuple[int, ...]
    tables: Tables
    parts: dict[int, Array] = attrs.Factory(dict)
    """Where what does not fit into the tables at once is found before it is added: by the input, weight or bias."""

    @cached_property
    def places(self) -> dict[int, int]:
        """The place of every layer in that order."""
        return {layer: place for place, layer in enumerate(self.layers)}

    @property
    def room(self) -> int:
        """The bytes that are taken at most."""
        once = self.tables.at_once >= len(self.layers)
        numbers = 0 if once else self.tables.hidden * (self.tables.width + 1)
        return self.tables.size + numbers * self.tables.dtype.itemsize

    def keep(self, layer: int, step: Given) -> list[Call]:
        """Return the calls that put a layer's rows beside those of the others."""
        first = self.places[layer] % self.tables.at_once * self.tables.rows
        own = slice(first, first + self.tables.rows)
        pairs = ((step.heads[0], self.tables.results[own]), (step.ins[0], self.tables.data[own]))
        return [
            partial(np.copyto, rows.reshape(array.shape), array) for array, rows in pairs if array is not None
        ]

    def addition(self, layer: int, index: int, total: Array) -> Call:
        """Return what to do where the plan adds a layer's gradient: nothing until the room is full."""
        number, at_once = self.places[layer], self.tables.at_once
        if (number + 1) % at_once and number + 1 != len(self.layers):
            return nothing
        count = (number % at_once + 1) * self.tables.rows
        if number < at_once:
            return self._gradient(index, count, total)
        if index not in self.parts:
            self.parts[index] = cache_lines.empty(total.shape, total.dtype)
        part = self.parts[index]
        return in_order([self._gradient(index, count, part), partial(np.add, total, part, total)])

    def _gradient(self, index: int, count: int, grad: Array) -> Call:
        heads = self.tables.results[:count]
        if index == BIAS:
            return sum_to(heads, grad)
        out, after = writing(grad, grad.shape)
        return in_order([product(heads.T, self.tables.data[:count], out), *after])


class Gathering:
    """The pass for one bound graph."""

    def __init__(self, executor_graph: ExecutorGraph, *, keep_all: bool) -> None:
        """Look for weights whose gradients are worth gathering."""
        self._nodes = executor_graph.nodes
        self._by_layer: dict[int, _Gathered] = {}
        self._by_total: dict[int, _Gathered] = {}
        self._left_out: set[tuple[int, int]] = set()
        """The layers and inputs whose gradient is not computed."""
        totals = [node for node in self._nodes if node.kind == "gradient_sum" and not keep_all]
        for index in (WEIGHT, BIAS):
            for total in totals:
                parts = sorted((self._nodes[read] for read in total.reads), key=lambda part: part.index)
                if all(part.input == index and _is_layer(executor_graph, part) for part in parts):
                    self._take(executor_graph, total, parts)

    def _take(
        self, executor_graph: ExecutorGraph, total: ExecutorNode, parts: Sequence[ExecutorNode]
    ) -> None:
        """Gather a weight's gradient, or that of a bias which goes with a gathered weight."""
        layers, index = tuple(part.symbol_node for part in parts), parts[0].input
        if index == WEIGHT:
            gathered = _room(executor_graph, layers, total)
        else:
            gathered = self._by_layer.get(layers[0])
        if gathered is not None and gathered.layers == layers:
            self._by_total[total.index] = gathered
            self._by_layer.update(dict.fromkeys(layers, gathered))
            self._left_out.update((layer, index) for layer in layers)

    @property
    def room(self) -> int:
        """The bytes that the pass takes at most."""
        return sum(gathered.room for gathered in {id(one): one for one in self._by_total.values()}.values())

    def gathers(self, step: Step) -> bool:
        """Tell whether a backward step or an addition of gradients belongs to what is gathered."""
        if step.kind == "sum":
            return step.writes[0].node in self._by_total
        return step.kind == "backward" and step.symbol_node in self._by_layer

    def keep(self, layer: int, step: Given) -> tuple[list[Call], Given | None]:
        """Return the calls that keep a layer's rows, and what is left of its backward, None where nothing is."""
        gathered = self._by_layer.get(layer)
        if gathered is None:
            return [], step
        grads = [None if (layer, index) in self._left_out else grad for index, grad in enumerate(step.grads)]
        rest = None if all(grad is None for grad in grads) else attrs.evolve(step, grads=grads)
        return gathered.keep(layer, step), rest

    def addition(self, total: int, part: int, array: Array) -> Call | None:
        """Return what takes the place of adding a part to a sum, None where the sum is a plain one."""
        gathered = self._by_total.get(total)
        if gathered is None:
            return None
        node = self._nodes[part]
        return gathered.addition(node.symbol_node, node.input, array)


def _is_layer(executor_graph: ExecutorGraph, part: ExecutorNode) -> bool:
    """Tell whether this is what a fully connected layer contributes to the gradient of its weight or bias."""
    operator = executor_graph.graph.nodes[part.symbol_node].operator
    return (
        part.kind == "gradient"
        and not part.is_zero
        and operator is not None
        and operator.op_name == "FullyConnected"
        and executor_graph.backward_heads[part.symbol_node][0] is not None
    )


def _room(executor_graph: ExecutorGraph, layers: Sequence[int], total: ExecutorNode) -> _Gathered | None:
    """Make room for the rows of as many layers as pay, None where they have too many rows each or not the same."""
    hidden, width = total.shape
    counts = {element_count(executor_graph.shapes[layer, 0]) // hidden for layer in layers}
    tables = tables_for(len(layers), max(counts), (hidden, width), total.dtype) if len(counts) == 1 else None
    return None if tables is None else _Gathered(tuple(layers), tables)

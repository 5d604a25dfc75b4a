"""The pass `ahead`: layers with one weight whose data is there early are computed as one product.

It looks for fully connected layers that read the same weight and bias, where the data of the later ones is there before
the first one runs: what an unrolled cell reads from outside, but not what it keeps from step to step. The first layer's
step multiplies the rows of all of them, and each step only adds the bias to its own. That saves three fifths of the
time of these products where each has 32 rows by 512 numbers.

Each step still writes its own output and nothing else, so the plan and what others see of it stay. The seconds of
single steps say little then, so a bind that keeps all arrays, to be looked at step by step, goes without.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import takewhile
from math import ceil
from typing import Final

import attrs
import numpy as np

from app.engine.graph import Graph
from app.engine.kernels.matrices import product
from app.engine.kernels.steps import in_order
from app.engine.operator import Array, Arrays
from app.engine.planning.plan import ArrayKey, value_key

Call = Callable[[], object]
ROWS: Final = 512
"""So many rows at once are as fast as any more; layers with half as many gain nothing from being joined."""


@attrs.frozen(eq=False)
class _Joined:
    """Layers that are computed at once, in running order, and room for their rows and for what comes out."""

    layers: tuple[int, ...]
    data: tuple[Array, ...]
    table: Array
    room: Array

    def products(self, weight: Array) -> list[Call]:
        """Return the calls that compute all layers but for the bias."""
        rows = len(self.table) // len(self.layers)
        copies = [
            partial(np.copyto, self.table[number * rows : (number + 1) * rows].reshape(data.shape), data)
            for number, data in enumerate(self.data)
        ]
        return [*copies, product(self.table, weight.T, self.room)]

    def own(self, layer: int, out: Array) -> Array:
        """Return what came out for one layer."""
        number, rows = self.layers.index(layer), len(self.table) // len(self.layers)
        return self.room[number * rows : (number + 1) * rows].reshape(out.shape)


class Ahead:
    """The pass for one bound graph."""

    def __init__(self, graph: Graph, arrays: Mapping[ArrayKey, Array], *, keep_all: bool) -> None:
        """Look for layers that are worth joining."""
        self._joined: dict[int, _Joined] = {}
        for layers in () if keep_all else _alike(graph):
            values = [arrays[value_key((layer, 0))] for layer in layers]
            data = [arrays[value_key(graph.nodes[layer].inputs[0])] for layer in layers]
            hidden, width = arrays[value_key(graph.nodes[layers[0]].inputs[1])].shape
            rows = values[0].size // hidden
            if any(value.shape != values[0].shape for value in values) or 2 * rows > ROWS:
                continue
            at_once = ceil(len(layers) / ceil(len(layers) * rows / ROWS))  # alike pieces, no small rest
            table, room = (np.empty((at_once * rows, size), values[0].dtype) for size in (width, hidden))
            for first in range(0, len(layers), at_once):
                piece = slice(first, first + at_once)
                count = len(layers[piece]) * rows
                joined = _Joined(layers[piece], tuple(data[piece]), table[:count], room[:count])
                self._joined.update(dict.fromkeys(joined.layers, joined))

    def forward(self, layer: int, ins: Arrays, outs: Arrays) -> Call | None:
        """Prepare the forward of a layer that is joined with others; None for any other node."""
        joined = self._joined.get(layer)
        if joined is None:
            return None
        own = joined.own(layer, outs[0])
        finish = partial(np.add, own, ins[2], outs[0]) if len(ins) > 2 else partial(np.copyto, outs[0], own)
        return in_order([*joined.products(ins[1]), finish]) if layer == joined.layers[0] else finish


def _alike(graph: Graph) -> Iterator[tuple[int, ...]]:
    """Yield the layers, in running order, that share a weight and whose data is there before the first of them."""
    states = set(graph.auxiliary)  # may change while the graph runs
    sharing: dict[object, list[int]] = {}
    for index, node in enumerate(graph.nodes):
        if node.op_name == "FullyConnected" and states.isdisjoint(source for source, _ in node.inputs):
            sharing.setdefault(node.inputs[1:], []).append(index)
    for layers in sharing.values():
        first = 0
        while first < len(layers):
            early = tuple(takewhile(partial(_is_early, graph, layers[first]), layers[first:]))
            if len(early) > 1:
                yield early
            first += len(early)


def _is_early(graph: Graph, first: int, layer: int) -> bool:
    """Tell whether a layer's data is there before another layer runs."""
    source, _ = graph.nodes[layer].inputs[0]
    return graph.nodes[source].is_variable or source < first

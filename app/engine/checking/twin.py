"""A bound graph once more, in double precision: what finite differences are taken on."""

from collections.abc import Mapping
from typing import Any

import attrs
import numpy as np

from app.engine.binding import bind_graph
from app.engine.checking.checked import CheckOptions
from app.engine.executor import Executor
from app.engine.given import copy_into, head_gradients
from app.engine.graph import Entry, Graph
from app.engine.inference.infer import infer
from app.engine.operator import Array

NARROWER_FLOATS = ("float32", "float16", "bfloat16")


class Twin:
    """The whole graph once more, in double precision where it can be, run forward once: the values to start from."""

    def __init__(self, executor: Executor, options: CheckOptions) -> None:
        self.notes: list[str] = []
        self.options = options
        graph = executor.graph
        variables = (*graph.arguments, *graph.auxiliary)
        given = {index: executor.value((index, 0)) for index in variables}
        arrays = {index: array for index, array in given.items() if array is not None}
        self.graph = _in_double(graph)
        wide = {index: _widened(array) for index, array in arrays.items()}
        inference = infer(self.graph, *facts_of(self.graph, wide))
        if inference.problems:
            self.graph, wide = graph, {index: array.copy() for index, array in arrays.items()}
            inference = infer(graph, *facts_of(graph, wide))
            self.notes.append(
                "The graph cannot be computed in double precision, so the differences are coarser than usual."
            )
        self.executor = bind_graph(inference, wide)
        self.values = {entry: array.copy() for entry, array in self._run(options.is_train).items()}
        self.heads = self._head_gradients()

    def _run(self, is_train: bool) -> dict[Entry, Array]:
        self.executor.seed(self.options.seed)
        with np.errstate(all="ignore"):
            self.executor.forward(is_train)
        found = {}
        for index, node in enumerate(self.graph.nodes):
            for number in range(node.output_count):
                array = self.executor.value((index, number))
                if array is not None:
                    found[index, number] = array
        return found

    def _head_gradients(self) -> list[Array]:
        """Return one array per output: the given ones, or random ones."""
        rng = np.random.default_rng(self.options.seed)
        given, names = self.options.out_grads, self.graph.output_names
        outputs = self.executor.outputs
        if given is None:
            return [rng.uniform(-1, 1, output.shape).astype(output.dtype) for output in outputs]
        heads = [np.empty_like(output) for output in outputs]
        for name, head, array in zip(names, heads, head_gradients(given, names, "A check"), strict=True):
            copy_into(head, array, f"the head gradient of {name}")
        return heads


def _in_double(graph: Graph) -> Graph:
    """Let every node that names a narrower float type name the double one."""
    nodes = []
    for node in graph.nodes:
        operator = node.operator
        if operator is not None and getattr(operator, "dtype", None) in NARROWER_FLOATS:
            widened: dict[str, Any] = {"dtype": "float64"}
            operator = attrs.evolve(operator, **widened)
        nodes.append(attrs.evolve(node, operator=operator))
    return Graph(tuple(nodes), graph.heads)


def _widened(array: Array) -> Array:
    return array.astype(np.float64) if array.dtype.kind == "f" else array.copy()


def facts_of(graph: Graph, arrays: Mapping[int, Array]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return shapes and types by name, as inference takes them."""
    names = {index: graph.nodes[index].name for index in arrays}
    return (
        {names[index]: array.shape for index, array in arrays.items()},
        {names[index]: array.dtype for index, array in arrays.items()},
    )

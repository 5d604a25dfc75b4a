"""Every operator's examples with larger arrays: as far as its rule lets one axis grow."""

from collections.abc import Iterator
from math import prod
from typing import Any

import attrs
import numpy as np

from app.engine import Symbol, Variable
from app.engine.errors import EngineError
from app.engine.examples import Domain, Example
from app.engine.inference.infer import Inference, infer
from app.engine.operator import Operator
from app.engine.shapes import Shape
from app.engine.symbol import make_node
from tests.operator_cases import USUAL, suited

MOST = 40
"""An example whose other arrays outgrow the one that is made large by so much is left alone."""


@attrs.frozen(eq=False)
class ScaledCase:
    """One node with the shapes of the arrays that its example gives."""

    example: Example
    symbol: Symbol
    shapes: dict[str, Shape]

    def infer(self, dtype: Any) -> Inference:
        """Infer everything, with this type for the first array."""
        inference = infer(
            self.symbol.graph, self.shapes, {name: np.dtype(dtype) for name in [*self.shapes][:1]}
        )
        inference.refuse_open()
        return inference

    def numbers(self, inference: Inference) -> dict[str, Any]:
        """Make numbers that suit each variable, the same ones again and again."""
        graph, rng, found = self.symbol.graph, np.random.default_rng(1), {}
        operator = graph.nodes[-1].operator
        assert operator is not None
        ports = {name: port for port in operator.ports for name in (port.name, f"node_{port.name}")}
        for index in (*graph.arguments, *graph.auxiliary):
            port, shape = ports[graph.nodes[index].name], inference.shape((index, 0))
            domain = self.example.domains.get(port.name, USUAL.get(port.init, Domain()))
            few = suited(rng, domain, (min(prod(shape), 4099),))
            found[graph.nodes[index].name] = np.resize(few, shape).astype(inference.settled_dtype((index, 0)))
        return found


def scaled(operator: type[Operator], example: Example, numbers: int) -> Iterator[ScaledCase]:
    """Yield the example with each axis that can grow until the largest array has so many numbers."""
    if not example.shapes:
        yield from _sources(operator, example, numbers)
        return
    symbol, seen = _symbol(operator, example.settings), set()
    times = max(1, numbers // max(max(1, prod(shape)) for shape in example.shapes.values()))
    for name, shape in example.shapes.items():
        for axis in range(len(shape)):
            for shapes in _grown(example.shapes, name, axis, times):
                case = ScaledCase(example, symbol, shapes)
                try:
                    inference = case.infer(np.float32)
                except EngineError:
                    continue
                known = {name: inference.shape((index, 0)) for index, name in _variables(symbol)}
                total = sum(map(prod, known.values())) + prod(inference.shape(symbol.graph.heads[0]))
                if total <= MOST * numbers and tuple(known.items()) not in seen:
                    seen.add(tuple(known.items()))
                    yield attrs.evolve(case, shapes={name: known[name] for name in example.shapes})
                break


def _symbol(operator: type[Operator], settings: Any) -> Symbol:
    ports = operator(**settings).inputs
    return make_node(operator.op_name, *(Variable(port.name) for port in ports), name="node", **settings)


def _variables(symbol: Symbol) -> list[tuple[int, str]]:
    graph = symbol.graph
    return [(index, graph.nodes[index].name) for index in (*graph.arguments, *graph.auxiliary)]


def _grown(shapes: Any, name: str, axis: int, times: int) -> Iterator[dict[str, Shape]]:
    """Yield the shapes with one axis grown: alone, in every array, or wherever an axis has that size."""
    size = shapes[name][axis]
    alone = _times(shapes[name], lambda place, _: place == axis, times)
    yield {name: alone}
    yield {
        other: alone if other == name else _times(shape, lambda place, _: place == axis, times)
        for other, shape in shapes.items()
    }
    yield {
        other: alone if other == name else _times(shape, lambda _, own: own == size > 1, times)
        for other, shape in shapes.items()
    }


def _times(shape: Shape, grows: Any, times: int) -> Shape:
    return tuple(size * times if grows(axis, size) else size for axis, size in enumerate(shape))


def _sources(operator: type[Operator], example: Example, numbers: int) -> Iterator[ScaledCase]:
    """Yield an operator without inputs with a larger shape, or a range that goes further."""
    larger = {"shape": lambda shape: (shape[0] * numbers, *shape[1:]), "stop": lambda _: float(numbers)}
    for name, grow in larger.items():
        if example.settings.get(name) is not None:
            settings = {**example.settings, name: grow(example.settings[name])}
            yield ScaledCase(example, _symbol(operator, settings), {})
            return

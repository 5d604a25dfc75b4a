"""What an argument gets that nobody bound: numbers that suit its role, since zeros everywhere teach nothing.

See docs/decisions on starting values.
"""

import json
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from app.engine import initializers
from app.engine.errors import EngineError
from app.engine.gradient import Request
from app.engine.graph import Graph
from app.engine.inference.infer import Inference
from app.engine.operator import DType, Operator, Port
from app.engine.shapes import Shape

Array = NDArray[Any]

_BY_NAME = {"gamma": "ones", "beta": "zeros", "bias": "zeros"}
_MXNET_SETTINGS = {"rnd_type": "distribution", "factor_type": "factor"}


@attrs.frozen
class Proposal:
    """How an argument is filled: by an initialiser, or where `below` is set with whole numbers from 0 up to it."""

    spelling: str = ""
    below: int = 0

    @property
    def words(self) -> str:
        """Say it for people: `xavier(uniform, avg, 3)`, `whole numbers 0 … 9`."""
        return f"whole numbers 0 … {self.below - 1}" if self.below else self.spelling

    def fill(self, shape: Shape, dtype: DType, rng: np.random.Generator) -> Array:
        """Return a new array filled this way."""
        if self.below:
            return rng.integers(0, self.below, shape).astype(dtype)
        return initializers.make(self.spelling, shape, dtype, rng)


def propose_request(name: str) -> Request:
    """Return the gradient request the app proposes: none for inputs and labels, as their names tell."""
    return "null" if "data" in name or "label" in name else "write"


def propose_value(graph: Graph, index: int, inference: Inference) -> Proposal:
    """Return how the variable at `index` is filled when it is bound to nothing."""
    said = _said(graph.nodes[index].attributes.get("__init__", ""))
    if said:
        return Proposal(said)
    readers = [reader for reader in graph.consumers[index] if graph.nodes[reader[0]].operator is not None]
    if not readers:
        return Proposal("normal(1)")
    # A shared Variable is what its most telling reader takes it for.
    reader, number = min(readers, key=lambda pair: _port(graph, *pair).role == "data")
    return _for_port(graph, reader, number, inference)


def _port(graph: Graph, reader: int, number: int) -> Port:
    operator = graph.nodes[reader].operator
    assert operator is not None
    return operator.ports[number]


def _for_port(graph: Graph, reader: int, number: int, inference: Inference) -> Proposal:
    node, port = graph.nodes[reader], _port(graph, reader, number)
    assert node.operator is not None
    shape = inference.shape(node.inputs[number])
    if port.role == "auxiliary":
        return Proposal("ones" if port.init == "one" else "zeros")
    if port.role == "label":
        return _label(node.operator, inference.shape(node.inputs[0]), shape)
    if port.role == "state":
        return Proposal("zeros")
    if port.role in ("weight", "bias"):
        if node.operator.op_name == "LeakyReLU":
            return Proposal("constant(0.25)")
        return Proposal(_BY_NAME.get(port.name, "xavier" if len(shape) > 1 else "normal(0.1)"))
    rows = getattr(node.operator, "input_dim", 0) if node.operator.op_name == "Embedding" else 0
    return Proposal(below=rows) if rows else Proposal("normal(1)")


def _label(operator: Operator, data: Shape, label: Shape) -> Proposal:
    if operator.op_name == "LogisticRegressionOutput":
        return Proposal(below=2)
    if operator.op_name == "SoftmaxOutput":
        if len(data) < 2:
            return Proposal("zeros")  # the classes are not known yet
        if data == label:
            return Proposal("uniform(1)")
        axis = -1 if getattr(operator, "preserve_shape", False) else 1
        classes = data[axis] if getattr(operator, "multi_output", False) or axis == -1 else _rest(data)
        return Proposal(below=classes) if classes else Proposal("zeros")
    return Proposal("normal(1)")


def _rest(data: Shape) -> int:
    return int(np.prod(data[1:]))


def _said(attribute: str) -> str:
    """Respell MXNet's `["xavier", {"magnitude": 2}]` as an initialiser of ours, nothing where it is none."""
    try:
        name, settings = json.loads(attribute)
        known = initializers.parse(str(name))[0]
        values = {_MXNET_SETTINGS.get(key, key): value for key, value in dict(settings).items()}
        spelling = (
            f"{known.name}({', '.join(str(values.get(key, value)) for key, value in known.settings.items())})"
        )
        initializers.parse(spelling)
    except (ValueError, TypeError, EngineError):
        return ""
    return spelling if known.settings else known.name

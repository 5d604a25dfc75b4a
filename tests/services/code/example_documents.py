"""A document for every example of every operator, its data bound to constants."""

import json
from collections.abc import Mapping

import attrs
import numpy as np

from app.document.checks import analyse
from app.document.records import Binding, Document, Edge, Node, Settings
from app.engine.examples import Domain, Example
from app.engine.operator import Operator
from app.engine.params import as_text
from app.engine.registry import canonical_operators
from app.engine.shapes import Shape, is_known
from app.services.proposals import propose_value
from app.services.values import ValueShapes, generator

_BY_NAME: Mapping[str, tuple[type[Operator], Example]] = {
    f"{operator.op_name}-{number}": (operator, example)
    for operator in canonical_operators()
    for number, example in enumerate(operator.examples)
}
EXAMPLES = tuple(_BY_NAME)


def example_document(name: str, *, request: str = "write") -> Document:
    """Return a document with one operator and a Variable for each input that the example gives a shape."""
    operator_class, example = _BY_NAME[name]
    params = {key: as_text(value) for key, value in example.settings.items()}
    if operator_class.variadic and operator_class.variadic not in params:
        params[operator_class.variadic] = str(len(example.shapes))
    operator = operator_class.from_attributes(params)
    nodes = {"n1": Node("n1", operator_class.op_name, "op", params=params)}
    edges, bindings = {}, {}
    for number, port in enumerate(operator.ports):
        if port.name not in example.shapes and port.role != "data":
            continue
        key = f"n{number + 2}"
        nodes[key] = Node(key, "Variable", f"x_{port.name}")
        edges[f"e{number}"] = Edge(f"e{number}", key, 0, "n1", number)
        if port.name in example.shapes:
            text = _numbers(example.shapes[port.name], example.domains.get(port.name, Domain()), number)
            wanted = request if operator.gradient_kind(number) != "untouched" else "null"
            bindings[f"x_{port.name}"] = Binding(f"x_{port.name}", "constant", text, request=wanted)  # type: ignore[arg-type]
    return with_all_values(Document(nodes, edges, bindings, {}, {"settings": Settings(train=example.train)}))


def with_all_values(document: Document) -> Document:
    """Return the document with a constant for every argument and state that nothing was said about."""
    analysis = analyse(document, ValueShapes())
    graph, inference = analysis.graph, analysis.inference
    assert graph is not None and inference is not None
    bindings = dict(document.bindings)
    for index in (*graph.arguments, *graph.auxiliary):
        name = graph.nodes[index].name
        if name not in bindings and is_known(inference.shape((index, 0))):
            proposal = propose_value(graph, index, inference)
            values = proposal.fill(inference.shape((index, 0)), np.dtype("float64"), generator(3, name))
            values = values if proposal.below else values + generator(4, name).uniform(0.1, 0.3, values.shape)
            bindings[name] = Binding(name, "constant", json.dumps(values.round(4).tolist()))
    return attrs.evolve(document, bindings=bindings)


def _numbers(shape: Shape, domain: Domain, seed: int) -> str:
    rng = np.random.default_rng(seed)
    if domain.whole:
        return json.dumps(rng.integers(int(domain.low), int(domain.high) + 1, shape).tolist())
    values = rng.uniform(domain.low, domain.high, shape)
    for kink in domain.avoid:
        values = np.where(abs(values - kink) < 0.05, values + 0.1, values)
    return json.dumps(values.round(4).tolist())

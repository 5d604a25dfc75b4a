"""Refuses a bind in which an operator gets an element type that it does not compute, before anything is run."""

from app.engine.errors import BindError
from app.engine.gradient import ExecutorGraph
from app.engine.inference.infer import Inference
from app.engine.inference.type_mending import mend_whole_numbers
from app.engine.inference.types import told_types
from app.engine.reconciling import with_advice


def refuse_kinds(inference: Inference, executor_graph: ExecutorGraph) -> None:
    """Raise a BindError at the first node whose first input has a type that it, or its backward, does not compute."""
    for index, node in enumerate(inference.graph.nodes):
        if node.operator is None or not node.inputs:
            continue
        kind = inference.settled_dtype(node.inputs[0]).kind
        if kind not in node.operator.kinds:
            raise _refusal(inference, index, "")
        if kind not in node.operator.gradient_kinds and index in executor_graph.backward_heads:
            raise _refusal(inference, index, "The gradient of ")


def _refusal(inference: Inference, index: int, what: str) -> BindError:
    node = inference.graph.nodes[index]
    assert node.operator is not None
    came = told_types(inference.graph, inference.typing, index, None)
    mends = mend_whole_numbers(inference.graph, inference.given_types, inference.typing, index)
    sentence = f"{what}{node.name} ({node.op_name}) cannot be computed with these types.{came}"
    return BindError(with_advice(sentence, mends), node=node.name, port=node.operator.ports[0].name)

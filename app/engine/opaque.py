"""Opaque nodes: operators that are not known here, kept as they came, and never computed."""

import attrs

from app.engine.errors import GraphError
from app.engine.graph import Graph, GraphNode
from app.engine.operator import Operator, Port, Types
from app.engine.registry import unknown_operator
from app.engine.shapes import Inferred, Shapes


@attrs.frozen
class Opaque(Operator):
    """An operator that is not known here; its node keeps its inputs, outputs and attributes, and cannot run.

    How many inputs and outputs there are is what the file tells that it came from.
    """

    input_count: int
    output_count: int = 1
    hidden_count: int = 0

    @property
    def inputs(self) -> tuple[Port, ...]:
        """Inputs by number, named as MXNet names those of which an operator takes any number."""
        return tuple(Port(f"arg{number}") for number in range(self.input_count))

    @property
    def outputs(self) -> tuple[str, ...]:
        """One output is `output`, several are `output0`, `output1` and so on."""
        several = tuple(f"output{number}" for number in range(self.output_count))
        return several if self.output_count != 1 else ("output",)

    @property
    def hidden(self) -> tuple[str, ...]:
        """Outputs that the file counts and nobody reads."""
        return tuple(f"output{self.output_count + number}" for number in range(self.hidden_count))

    def infer(self, ins: Shapes, outs: Shapes) -> Inferred:
        """Tell nothing: what is known from elsewhere stays."""
        return ins, outs

    def infer_types(self, ins: Types, outs: Types) -> tuple[Types, Types]:
        """Tell nothing."""
        return ins, outs


def opaque_sentence(name: str, op_name: str) -> str:
    """Say that a node cannot run, and why."""
    reason = unknown_operator(op_name)
    return f"{name} can't run: {reason[0].lower()}{reason[1:]}"


def opaque_nodes(graph: Graph) -> list[GraphNode]:
    """Return the nodes of a graph that cannot run."""
    return [node for node in graph.nodes if isinstance(node.operator, Opaque)]


def refuse_opaque(graph: Graph) -> None:
    """Raise a GraphError that names the first node of a graph that cannot run."""
    for node in opaque_nodes(graph)[:1]:
        raise GraphError(opaque_sentence(node.name, node.op_name), node=node.name)

"""What every node of a graph costs: learned numbers, multiply-adds, bytes, and the time that it last took."""

from collections.abc import Mapping
from functools import cached_property

import attrs

from app.engine.executor import Executor
from app.engine.graph import Entry, GraphNode
from app.engine.inference.infer import Inference
from app.engine.planning.plan import Plan
from app.engine.shapes import element_count, is_known

LEARNED = ("weight", "bias")


@attrs.frozen
class NodeCost:
    """One forward of one operator: learned numbers it reads, multiply-adds, and bytes read and written.

    The seconds are those of the last run that was followed step by step, None where there was none.
    """

    index: int
    name: str
    op_name: str
    parameters: int
    multiply_adds: int
    bytes: int
    forward_seconds: float | None = None
    backward_seconds: float | None = None


@attrs.frozen
class GraphCost:
    """All operators of a graph in running order, and what they come to together.

    A weight that several nodes read counts once among all `parameters`. Nodes of which a shape is open are left out.
    """

    nodes: tuple[NodeCost, ...]
    parameters: int
    open_nodes: tuple[str, ...]

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds of one forward."""
        return sum(node.multiply_adds for node in self.nodes)

    @property
    def bytes(self) -> int:
        """Bytes read and written by one forward."""
        return sum(node.bytes for node in self.nodes)

    @property
    def forward_seconds(self) -> float | None:
        """How long the last forward took that was followed, without what lies between the steps."""
        return _total([node.forward_seconds for node in self.nodes])

    @property
    def backward_seconds(self) -> float | None:
        """How long the last backward took that was followed."""
        return _total([node.backward_seconds for node in self.nodes])

    @cached_property
    def by_index(self) -> Mapping[int, NodeCost]:
        """Return the costs by the index of the node."""
        return {node.index: node for node in self.nodes}


def costs_of(executor: Executor) -> GraphCost:
    """Return the costs of a bound graph, with the times of the steps that were last followed."""
    return graph_costs(executor.inference, executor.plan, executor.step_seconds)


def graph_costs(
    inference: Inference, plan: Plan | None = None, step_seconds: Mapping[int, float] | None = None
) -> GraphCost:
    """Count one forward of every operator; with a plan and the seconds of its steps, the times too."""
    forward, backward = _seconds(plan, step_seconds or {})
    costs, open_nodes = [], []
    learned: dict[Entry, int] = {}
    for index, node in enumerate(inference.graph.nodes):
        if node.operator is None:
            continue
        shapes = [*inference.in_shapes(index), *inference.outputs[index]]
        if not all(map(is_known, shapes)):
            open_nodes.append(node.name)
            continue
        counted = node_cost(inference, index)
        if index in forward or index in backward:
            times = (forward.get(index), backward.get(index))
            counted = attrs.evolve(counted, forward_seconds=times[0], backward_seconds=times[1])
        costs.append(counted)
        learned.update(_learned(inference, node))
    nodes = inference.graph.nodes
    # what other nodes compute is learned nowhere
    parameters = sum(size for (source, _), size in learned.items() if nodes[source].is_variable)
    return GraphCost(tuple(costs), parameters, tuple(open_nodes))


def node_cost(inference: Inference, index: int) -> NodeCost:
    """Count one forward of an operator whose shapes are all known."""
    node = inference.graph.nodes[index]
    assert node.operator is not None
    adds = node.operator.multiply_adds(inference.in_shapes(index), inference.outputs[index])
    made = [(index, number) for number in range(node.output_count)]
    touched = sum(
        element_count(inference.shape(entry)) * inference.settled_dtype(entry).itemsize
        for entry in (*node.inputs, *made)
    )
    learned = sum(_learned(inference, node).values())
    return NodeCost(index, node.name, node.op_name, learned, adds, touched)


def _learned(inference: Inference, node: GraphNode) -> dict[Entry, int]:
    """Return the inputs of an operator that hold what it learns, with their sizes."""
    assert node.operator is not None
    ports = zip(node.operator.ports, node.inputs, strict=True)
    return {entry: element_count(inference.shape(entry)) for port, entry in ports if port.role in LEARNED}


def _seconds(
    plan: Plan | None, step_seconds: Mapping[int, float]
) -> tuple[dict[int, float], dict[int, float]]:
    """Sum the seconds of steps by the node they belong to, forward and backward."""
    found: tuple[dict[int, float], dict[int, float]] = ({}, {})
    for number, step in enumerate(plan.steps if plan is not None else ()):
        if number in step_seconds:
            side = found[0 if step.kind == "forward" else 1]
            side[step.symbol_node] = side.get(step.symbol_node, 0.0) + step_seconds[number]
    return found


def _total(seconds: list[float | None]) -> float | None:
    known = [each for each in seconds if each is not None]
    return sum(known) if known else None

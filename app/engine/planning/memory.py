"""What a bind takes of memory, before anything is taken: for inference and training, with and without sharing."""

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from app.engine.binding import read_requests
from app.engine.gradient import ExecutorGraph, Request, build_executor_graph
from app.engine.graph import Entry
from app.engine.inference.infer import Inference, infer
from app.engine.planning.plan import Plan, make_plan
from app.engine.shapes import Shape, element_count
from app.engine.symbol import Symbol


@attrs.frozen
class Peak:
    """Bytes that a bind's own arrays take: with shared memory, with memory of their own, and most alive at one step."""

    shared: int
    unshared: int
    alive: int


@attrs.frozen(eq=False)
class MemoryReport:
    """The memory of one symbol bound with certain shapes and gradient requests.

    `inference_plan` is the plan of a bind that asks for no gradient, `training_plan` that with the requests; each tells
    birth, death, block and offset of every array that the executor allocates. The graphs are what was planned. `bound`
    are the bytes of the arrays that are bound: arguments, auxiliary states, and gradient buffers. `head_gradients` are
    the bytes of what is handed in for outputs; they are part of the training plan.
    """

    inference_graph: ExecutorGraph
    training_graph: ExecutorGraph
    inference_plan: Plan
    training_plan: Plan
    bound_values: int
    bound_gradients: int
    head_gradients: int

    @property
    def inference(self) -> Peak:
        """What a bind without gradients takes."""
        return _peak(self.inference_plan)

    @property
    def training(self) -> Peak:
        """What the bind with its gradients takes."""
        return _peak(self.training_plan)


def memory_report(
    symbol: Symbol,
    shapes: Mapping[str, Shape],
    grad_req: Any = "write",
    dtypes: Mapping[str, Any] | None = None,
) -> MemoryReport:
    """Plan a bind without allocating anything; ShapeError where shapes are open or contradict."""
    graph = symbol.graph
    inference = infer(graph, shapes, dtypes)
    inference.refuse_open()
    return report_of(inference, read_requests(graph, grad_req))


def report_of(inference: Inference, requests: Mapping[str, Request]) -> MemoryReport:
    """Return the same for an inference that is there already."""
    graph = inference.graph
    wanted = [index for index in graph.arguments if requests.get(graph.nodes[index].name, "null") != "null"]
    predicting = build_executor_graph(graph, inference, {})
    training = build_executor_graph(graph, inference, requests)
    return MemoryReport(
        predicting,
        training,
        make_plan(predicting, inference),
        make_plan(training, inference),
        _bytes(inference, [(index, 0) for index in (*graph.arguments, *graph.auxiliary)]),
        _bytes(inference, [(index, 0) for index in wanted]),
        _bytes(inference, [training.nodes[index].entry for index in training.head_gradients.values()]),
    )


def _bytes(inference: Inference, entries: Sequence[Entry]) -> int:
    return sum(
        element_count(inference.shape(entry)) * inference.settled_dtype(entry).itemsize for entry in entries
    )


def _peak(plan: Plan) -> Peak:
    return Peak(plan.bytes_shared, plan.bytes_unshared, max(plan.bytes_alive, default=0))

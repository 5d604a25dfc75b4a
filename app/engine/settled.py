"""What a bind has settled before anything runs."""

from collections.abc import Mapping

import attrs

from app.engine.backends.backend import Backend
from app.engine.gradient import ExecutorGraph, Request
from app.engine.graph import Graph
from app.engine.inference.infer import Inference
from app.engine.operator import Array
from app.engine.planning.plan import Plan


@attrs.frozen(eq=False)
class Binding:
    """What a bind settled: the graph with its shapes and types, the arrays from outside, and the requests.

    Without a backend numpy computes the steps, on arrays that the plan allocates.
    """

    graph: Graph
    inference: Inference
    executor_graph: ExecutorGraph
    plan: Plan
    variables: Mapping[int, Array]
    gradients: Mapping[int, Array]
    requests: Mapping[str, Request]
    seed: int | None
    keep_all: bool = False
    backend: Backend | None = None

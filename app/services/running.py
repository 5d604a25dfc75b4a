"""Runs a document: values become arrays, the graph is bound with all internals kept, and results come out.

Each run binds anew, so results are never overwritten by a later run and can be read from any thread.
"""

import time
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import attrs
import numpy as np
from numpy.typing import NDArray

from app.document.analysis import Analysis
from app.document.drawing import DocumentProblem
from app.document.records import Binding, Document, Id, Settings
from app.engine.backends.backend import HostNode
from app.engine.backends.computing import Computing
from app.engine.binding import BindOptions, refuse_too_large
from app.engine.checking.checked import CheckOptions
from app.engine.checking.gradient_check import Events as CheckEvents
from app.engine.checking.gradient_check import follow_check
from app.engine.costs import GraphCost, costs_of
from app.engine.errors import BindError, EngineError, GraphError
from app.engine.executor import Executor
from app.engine.explain import GradientExplanation, explain_node
from app.engine.following import Cancel, StepDone
from app.engine.gradient import ExecutorGraph, Request, ignores_head_gradient
from app.engine.graph import Entry, Graph
from app.engine.inference.infer import Inference
from app.engine.planning.plan import Plan
from app.services.moments import Moment
from app.services.proposals import propose_request, propose_value
from app.services.values import generator, resolve

Array = NDArray[Any]
Stage = Literal["bound", "forward", "backward"]
HERE = Computing()
VARIABLES = ("argument", "auxiliary")
FORWARD_KINDS = (*VARIABLES, "operator")
Events = Generator["Progress | Results", None, "Results | None"]
"""Progress after each step; at the end the results, yielded and returned, or None when the run was cancelled."""


@attrs.frozen
class Progress:
    """One step of a run is done: how many of how many, in which pass, and the executor nodes it finished."""

    done: int
    total: int
    phase: Literal["forward", "backward"]
    nodes: tuple[int, ...]


@attrs.frozen(eq=False)
class Bound:
    """A document with its arrays: an executor that keeps every internal array, and the head gradients to come."""

    analysis: Analysis
    executor: Executor
    head_gradients: tuple[Array, ...]
    computing: Computing = HERE


@attrs.frozen(eq=False)
class Results:
    """What a run left: every array of the executor graph, read-only, as far as the run went."""

    document: Document
    stage: Stage
    seconds: float
    node_index: Mapping[Id, int]
    computing: Computing
    _executor: Executor
    _head_gradients: tuple[Array, ...]
    moment: Moment | None = None
    """How far a run that is gone through step by step had come; None for one that is over."""

    @property
    def host_nodes(self) -> tuple[HostNode, ...]:
        """The nodes that the chosen library left to numpy, and why."""
        return self._executor.host_nodes

    @property
    def graph(self) -> Graph:
        """The symbol's graph."""
        return self._executor.graph

    @property
    def inference(self) -> Inference:
        """The shapes and types that were bound."""
        return self._executor.inference

    @property
    def executor_graph(self) -> ExecutorGraph:
        """What the bind made of the graph."""
        return self._executor.executor_graph

    @property
    def plan(self) -> Plan:
        """The order of the steps and the life of every array."""
        return self._executor.plan

    @property
    def requests(self) -> Mapping[str, Request]:
        """The gradient request of every argument."""
        return self._executor.requests

    @property
    def outputs(self) -> tuple[Array | None, ...]:
        """The outputs in the order of the heads; None before forward."""
        return tuple(self.value(head) for head in self.graph.heads)

    def value(self, entry: Entry) -> Array | None:
        """Return an array of the graph; None where forward has not come to it, or for an output nobody keeps."""
        if not self._has(self.executor_graph.value_nodes[entry[0]]):
            return None
        before = self.moment.changes.at(entry[0], self.moment.at) if self.moment is not None else None
        return _frozen(self._executor.value(entry) if before is None else before)

    def gradient(self, entry: Entry) -> Array | None:
        """Return the whole gradient of an array; None before backward, and where nobody asked for it."""
        node = self.executor_graph.gradient_nodes.get(entry)
        return None if node is None else self.exec_value(node)

    def by_node(self, node_id: Id, output: int = 0) -> Array | None:
        """Return the value of one output of a node on the board; None where it is not part of what was bound."""
        index = self.node_index.get(node_id)
        return None if index is None else self.value((index, output))

    def gradient_by_node(self, node_id: Id, output: int = 0) -> Array | None:
        """Return the gradient of one output of a node on the board."""
        index = self.node_index.get(node_id)
        return None if index is None else self.gradient((index, output))

    def argument(self, name: str) -> Array | None:
        """Return the array of an argument or auxiliary state by its name."""
        index = self.graph.index_by_name.get(name)
        return None if index is None else self.value((index, 0))

    def argument_gradient(self, name: str) -> Array | None:
        """Return the gradient of an argument by its name."""
        index = self.graph.index_by_name.get(name)
        return None if index is None else self.gradient((index, 0))

    def exec_value(self, index: int) -> Array | None:
        """Return what one node of the executor graph holds; None as long as the run has not come to it."""
        node = self.executor_graph.nodes[index]
        if node.kind in FORWARD_KINDS:
            return self.value(node.entry)
        return _frozen(self._executor.node_array(index)) if self._has(index) else None

    def _has(self, index: int) -> bool:
        """Tell whether the run has come to a node of the executor graph; variables are there from the beginning."""
        kind = self.executor_graph.nodes[index].kind
        if self.moment is not None:
            return self.moment.has(index)
        return (
            kind in VARIABLES or self.stage == "backward" or (kind == "operator" and self.stage == "forward")
        )

    def check_gradient(self, entry: Entry, cancel: Cancel | None = None) -> CheckEvents:
        """Compare a gradient with finite differences on copies of this run's arrays; the last event is the answer."""
        options = CheckOptions(
            is_train=self.document.options.train,
            seed=self.document.options.seed,
            out_grads=self._head_gradients,
        )
        return follow_check(self._executor, entry, options, cancel)

    def explain(self, index: int) -> GradientExplanation:
        """Explain a backward node of the executor graph."""
        return explain_node(self.executor_graph, index)

    def is_of(self, document: Document, computing: Computing) -> bool:
        """Tell whether this was a run of the very same document, computed in the same way."""
        return self.document is document and self.computing == computing

    def state(self, name: str) -> Array:
        """Return a copy of an auxiliary state as this run left it."""
        return self._executor.aux_dict[name].copy()

    def sum_so_far(self, name: str) -> Array:
        """Return a copy of what the gradient buffer of an argument holds."""
        held = self._executor.grad_dict[name]
        assert held is not None
        return held.copy()

    @cached_property
    def costs(self) -> GraphCost | None:
        """What every node of the graph costs, with the times of this run; None amid one that is gone through."""
        return costs_of(self._executor) if self.moment is None else None


def bind(
    analysis: Analysis,
    folder: Path | None = None,
    computing: Computing = HERE,
    *,
    after: Results | None = None,
) -> Bound:
    """Bind a document's graph to its values; EngineError names what is missing or does not fit.

    After a run of this same document its auxiliary states, and gradients to be added to, are taken over: it goes on.
    """
    graph, inference = refuse_broken(analysis)
    document = analysis.document
    names = {index: graph.nodes[index].name for index in (*graph.arguments, *graph.auxiliary)}
    requests = {names[index]: request_of(document, names[index]) for index in graph.arguments}
    options = BindOptions(keep_all=True, backend=computing.backend, device=computing.device)
    refuse_too_large(inference, requests, options)
    arrays = {index: _array(analysis, index, folder) for index in names}
    gradients = {
        names[index]: np.zeros_like(arrays[index])
        for index in graph.arguments
        if requests[names[index]] != "null"
    }
    if after is not None and after.is_of(document, computing):
        arrays |= {index: after.state(names[index]) for index in graph.auxiliary}
        gradients |= {name: after.sum_so_far(name) for name in gradients if requests[name] == "add"}
    symbol = analysis.symbol
    assert symbol is not None
    executor = symbol.bind(
        args=[arrays[index] for index in graph.arguments],
        args_grad=gradients,
        grad_req=requests,
        aux_states=[arrays[index] for index in graph.auxiliary],
        seed=document.options.seed & (2**63 - 1),
        keep_all=True,
        backend=computing.backend,
        device=computing.device,
    )
    heads = tuple(_head_gradient(document, executor, number) for number in range(len(graph.heads)))
    return Bound(analysis, executor, heads, computing)


def values_of(
    analysis: Analysis, names: Iterable[str], *, folder: Path | None = None, after: Results | None = None
) -> dict[str, Array]:
    """Return the arrays that a bind would give these arguments and states, or those that a run of this document left.

    The rest of the graph may still be open. EngineError names what is missing or does not fit.
    """
    graph, inference = _refuse_problems(analysis, analysis.faults)
    indices = {name: graph.index_by_name[name] for name in names}
    if after is not None and after.document is analysis.document:
        return {name: _not_none(after.argument(name)) for name in indices}
    inference.refuse_open_variables(indices.values())
    return {name: _array(analysis, index, folder) for name, index in indices.items()}


def run(bound: Bound, *, backward: bool, cancel: Cancel | None = None) -> Events:
    """Run a bound document forward, and backward where asked."""
    executor, start = bound.executor, time.perf_counter()
    train = bound.analysis.document.options.train
    total = len(executor.plan.steps) if backward else executor.plan.forward_count
    passes = [executor.run_forward(train, cancel)]
    if backward:
        passes.append(executor.run_backward(list(bound.head_gradients), cancel))
    done = 0
    for steps in passes:
        while (step := next_step(steps)) is not None:
            done += 1
            yield Progress(done, total, step.phase, step.nodes)
    if done < total:
        return None
    results = results_so_far(bound, "backward" if backward else "forward", time.perf_counter() - start)
    yield results
    return results


def run_to(
    analysis: Analysis,
    stage: Stage,
    *,
    folder: Path | None = None,
    cancel: Cancel | None = None,
    computing: Computing = HERE,
    after: Results | None = None,
) -> Events:
    """Bind a document and run it as far as `stage`, by the library and on the device of `computing`.

    Running the document of `after` once more goes on from there, save where it is only to be bound.
    """
    start = time.perf_counter()
    bound = bind(analysis, folder, computing, after=after if stage != "bound" else None)
    if stage != "bound":
        return (yield from run(bound, backward=stage == "backward", cancel=cancel))
    results = results_so_far(bound, stage, time.perf_counter() - start)
    yield results
    return results


def results_of(events: Iterator[Progress | Results]) -> Results:
    """Run to the end and return the results, for callers that need no progress."""
    *_, last = events
    assert isinstance(last, Results)
    return last


def request_of(document: Document, name: str) -> Request:
    """Return an argument's gradient request: the one that was chosen, else the proposed one."""
    binding = document.bindings.get(name)
    return (binding.request if binding is not None else None) or propose_request(name)


def refuse_broken(analysis: Analysis) -> tuple[Graph, Inference]:
    """Return what is to be bound; EngineError says what is wrong with it, or which shape is open."""
    graph, inference = _refuse_problems(analysis, analysis.errors)
    inference.refuse_open()
    return graph, inference


def results_so_far(bound: Bound, stage: Stage, seconds: float, moment: Moment | None = None) -> Results:
    """Return what a run has left that came so far, or what it had left at one moment of it."""
    analysis = bound.analysis
    return Results(
        analysis.document,
        stage,
        seconds,
        analysis.node_index,
        bound.computing,
        bound.executor,
        bound.head_gradients,
        moment,
    )


def next_step(steps: Iterator[StepDone]) -> StepDone | None:
    """Take one step; numbers that overflow or divide by zero show as infinity and NaN, not as warnings."""
    with np.errstate(all="ignore"):
        return next(steps, None)


def _frozen(array: Array | None) -> Array | None:
    if array is None:
        return None
    view = array.view()
    view.setflags(write=False)
    return view


def _not_none(array: Array | None) -> Array:
    assert array is not None, "every argument of a bound graph has an array"
    return array


def _refuse_problems(analysis: Analysis, refused: Sequence[DocumentProblem]) -> tuple[Graph, Inference]:
    for problem, told in zip(analysis.problems, analysis.told_problems, strict=True):
        if problem in refused:
            raise GraphError(told.sentence, node=told.name or None, port=told.port)
    if analysis.graph is None or analysis.inference is None:
        raise GraphError("There is nothing to compute yet. Add an operator to the board.")
    return analysis.graph, analysis.inference


def _array(analysis: Analysis, index: int, folder: Path | None) -> Array:
    graph, inference, document = analysis.graph, analysis.inference, analysis.document
    assert graph is not None and inference is not None
    name, entry = graph.nodes[index].name, (index, 0)
    shape, dtype = inference.shape(entry), inference.settled_dtype(entry)
    options: Settings = document.options
    binding = document.bindings.get(name) or Binding(name)
    try:
        if binding.kind == "none":
            proposal = propose_value(graph, index, inference)
            return proposal.fill(shape, dtype, generator(options.seed, name))
        return resolve(binding, shape, dtype, seed=options.seed, options=options, folder=folder)
    except EngineError as error:
        raise error.at(name) from None


def _head_gradient(document: Document, executor: Executor, number: int) -> Array:
    """Return what flows back into an output: what the document says, else ones; a loss ignores it."""
    head, name = executor.graph.heads[number], executor.graph.output_names[number]
    like = executor.outputs[number]
    said = document.heads.get(name)
    if said is None or ignores_head_gradient(executor.graph, head):
        return np.ones_like(like)
    binding = Binding(f"d({name})", "constant", said.gradient)
    try:
        return resolve(binding, like.shape, like.dtype, seed=0, options=document.options, folder=None)
    except BindError as error:
        raise error.at(executor.graph.nodes[head[0]].name) from None

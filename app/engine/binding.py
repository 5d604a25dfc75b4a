"""Binding: names, shapes, types and requests are settled, arrays are taken or made, and an executor stands ready."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import attrs
import numpy as np

from app.engine.backends.choice import choose_backend
from app.engine.backends.computing import NUMPY
from app.engine.errors import BindError
from app.engine.executor import Executor
from app.engine.gradient import ExecutorGraph, ExecutorNode, Request, build_executor_graph
from app.engine.graph import Graph
from app.engine.inference.infer import Inference, infer
from app.engine.opaque import refuse_opaque
from app.engine.operator import Array, DType
from app.engine.planning.plan import Plan, make_plan
from app.engine.planning.room import need_of_bind, refuse_beyond_memory
from app.engine.settled import Binding
from app.engine.shapes import Shape, text
from app.engine.symbol import Symbol

_REQUESTS = ("write", "add", "null")


@attrs.frozen
class BindOptions:
    """What a bind may be told besides arrays: a seed, to keep every internal array, and what computes."""

    seed: int | None = None
    keep_all: bool = False
    backend: str = NUMPY
    device: str | None = None


@attrs.frozen(eq=False)
class _Bound:
    """What comes from outside: values of variables and gradient buffers by node, and requests by name."""

    variables: Mapping[int, Array]
    gradients: Mapping[int, Array]
    requests: Mapping[str, Request]


def bind(
    symbol: Symbol,
    args: Any,
    args_grad: Any = None,
    grad_req: Any = "write",
    aux_states: Any = None,
    options: BindOptions = BindOptions(),
) -> Executor:
    """Bind arrays that the caller owns; they are used, not copied. See Symbol.bind."""
    graph = symbol.graph
    refuse_opaque(graph)
    variables = _take(graph, graph.arguments, args, "argument")
    variables |= _take(graph, graph.auxiliary, aux_states, "auxiliary state")
    names = [graph.nodes[index].name for index in variables]
    shapes = {graph.nodes[index].name: array.shape for index, array in variables.items()}
    types = {graph.nodes[index].name: array.dtype for index, array in variables.items()}
    if len(set(names)) < len(names):
        _refuse_unlike_namesakes(graph, variables)
    inference = infer(graph, shapes, types)
    inference.refuse_open()
    requests = read_requests(graph, grad_req)
    gradients = _take_gradients(graph, args_grad)
    for index in graph.arguments:
        if index not in gradients:
            requests[graph.nodes[index].name] = "null"
    return _make(inference, _Bound(variables, gradients, requests), options)


def simple_bind(
    symbol: Symbol,
    shapes: Mapping[str, Shape],
    grad_req: Any = "write",
    dtypes: Mapping[str, Any] | None = None,
    options: BindOptions = BindOptions(),
) -> Executor:
    """Infer all shapes and allocate every array, filled with 0. See Symbol.simple_bind."""
    graph = symbol.graph
    refuse_opaque(graph)
    known = {node.name for node in graph.nodes if node.is_variable}
    unknown = [name for name in {**shapes, **(dtypes or {})} if name not in known]
    if unknown:
        raise BindError(f"There is no argument named {', '.join(unknown)}; the arguments are {_some(known)}.")
    _refuse_namesakes(graph)
    inference = infer(graph, shapes, _read_types(dtypes or {}))
    inference.refuse_open()
    requests = read_requests(graph, grad_req)
    executor_graph, plan = _planned(inference, requests, keep_all=options.keep_all)
    refuse_beyond_memory(need_of_bind(inference, executor_graph, plan))
    wanted = [index for index in graph.arguments if requests[graph.nodes[index].name] != "null"]
    with _within_memory():
        variables = {index: _zeros(inference, index) for index in (*graph.arguments, *graph.auxiliary)}
        gradients = {index: _zeros(inference, index) for index in wanted}
        arrays = _Bound(variables, gradients, requests)
        return Executor(_binding(inference, executor_graph, plan, arrays, options))


def bind_graph(
    inference: Inference, variables: Mapping[int, Array], *, wanted: str = "", seed: int | None = None
) -> Executor:
    """Bind the arrays of every variable of an inferred graph; one argument may want its gradient.

    Every internal array is kept.
    """
    requests: dict[str, Request] = {wanted: "write"} if wanted else {}
    gradients = {
        index: np.zeros_like(array)
        for index, array in variables.items()
        if inference.graph.nodes[index].name == wanted
    }
    arrays = _Bound(variables, gradients, requests)
    return _make(inference, arrays, BindOptions(seed, keep_all=True))


def _make(inference: Inference, arrays: _Bound, options: BindOptions) -> Executor:
    graph = inference.graph
    executor_graph, plan = _planned(inference, arrays.requests, keep_all=options.keep_all)
    for node in executor_graph.nodes:
        if node.request in ("write", "add"):
            _refuse_misfit(arrays.gradients[node.entry[0]], node, graph.nodes[node.entry[0]].name)
    refuse_beyond_memory(need_of_bind(inference, executor_graph, plan, with_variables=False))
    with _within_memory():
        return Executor(_binding(inference, executor_graph, plan, arrays, options))


def _refuse_misfit(buffer: Array, node: ExecutorNode, name: str) -> None:
    if buffer.shape != node.shape:
        raise BindError(
            f"The gradient buffer of {name} is {buffer.shape}, but the argument is {text(node.shape)}."
        )
    if not np.can_cast(node.dtype, buffer.dtype, "same_kind"):
        raise BindError(f"The gradient buffer of {name} is {buffer.dtype}, but its gradient is {node.dtype}.")


def _binding(
    inference: Inference, executor_graph: ExecutorGraph, plan: Plan, arrays: _Bound, options: BindOptions
) -> Binding:
    return Binding(
        inference.graph,
        inference,
        executor_graph,
        plan,
        arrays.variables,
        arrays.gradients,
        arrays.requests,
        options.seed,
        options.keep_all,
        choose_backend(options.backend, options.device),
    )


def _read_types(dtypes: Mapping[str, Any]) -> dict[str, DType]:
    found = {}
    for name, kind in dtypes.items():
        try:
            found[name] = np.dtype(kind)
        except TypeError as error:
            raise BindError(f"There is no element type {kind!r}, which {name} should have.") from error
    return found


def read_requests(graph: Graph, grad_req: Any) -> dict[str, Request]:
    """Turn one word, a list in argument order, or a dict by name into a request for every argument."""
    names = graph.names(graph.arguments)
    if isinstance(grad_req, str):
        requests: dict[str, Any] = dict.fromkeys(names, grad_req)
    elif isinstance(grad_req, Mapping):
        requests = {name: grad_req.get(name, "null") for name in names}
    else:
        words = list(grad_req) if isinstance(grad_req, Sequence) else [grad_req]
        if len(words) != len(names):
            raise BindError(f"grad_req has {len(words)} words, but there are {len(names)} arguments.")
        requests = dict(zip(names, words, strict=True))
    for name, word in requests.items():
        if word not in _REQUESTS:
            raise BindError(f"The gradient request of {name} is {word!r}, but it must be write, add or null.")
    return requests


def _take(graph: Graph, indices: Sequence[int], given: Any, what: str) -> dict[int, Array]:
    """Match arrays given as a list or a dict with variables; every one is needed."""
    names = graph.names(indices)
    if given is None:
        given = []
    if isinstance(given, Mapping):
        if len(set(names)) < len(names):
            raise BindError(f"Two {what}s have one name, so they must be given as a list: {_some(names)}.")
        missing = [name for name in names if name not in given]
        if missing:
            raise BindError(f"No array is given for the {what} {', '.join(missing)}.")
        given = [given[name] for name in names]
    if len(given) != len(names):
        raise BindError(f"{len(given)} arrays are given for {len(names)} {what}s ({_some(names)}).")
    return {index: _as_array(array, name) for index, array, name in zip(indices, given, names, strict=True)}


def _take_gradients(graph: Graph, args_grad: Any) -> dict[int, Array]:
    names = graph.names(graph.arguments)
    if args_grad is None:
        return {}
    if not isinstance(args_grad, Mapping):
        if len(args_grad) != len(names):
            raise BindError(f"args_grad has {len(args_grad)} arrays, but there are {len(names)} arguments.")
        args_grad = {name: array for name, array in zip(names, args_grad, strict=True) if array is not None}
    return {
        index: _as_array(args_grad[name], name)
        for index, name in zip(graph.arguments, names, strict=True)
        if args_grad.get(name) is not None
    }


def _as_array(given: Any, name: str) -> Array:
    if not isinstance(given, np.ndarray):
        raise BindError(f"{name} must be a numpy array, not {type(given).__name__}.")
    if given.ndim == 0:
        raise BindError(f"{name} has no axes; a single number is an array of shape (1).")
    return given


def _refuse_unlike_namesakes(graph: Graph, variables: Mapping[int, Array]) -> None:
    """Two variables of one name can be bound by list; inference knows shapes by name, so they must be alike."""
    seen: dict[str, Array] = {}
    for index, array in variables.items():
        name = graph.nodes[index].name
        if seen.setdefault(name, array).shape != array.shape:
            raise BindError(
                f"Two variables are named {name} and have different shapes; rename one.", node=name
            )


def _refuse_namesakes(graph: Graph) -> None:
    names = graph.names((*graph.arguments, *graph.auxiliary))
    twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if twice:
        raise BindError(f"Two variables are named {twice[0]}; rename one.", node=twice[0])


def _zeros(inference: Inference, index: int) -> Array:
    return np.zeros(inference.shape((index, 0)), inference.settled_dtype((index, 0)))


def refuse_too_large(
    inference: Inference, requests: Mapping[str, Request], *, keep_all: bool = False
) -> None:
    """Refuse before anything is allocated when a bind with these requests cannot fit into memory."""
    executor_graph, plan = _planned(inference, requests, keep_all=keep_all)
    refuse_beyond_memory(need_of_bind(inference, executor_graph, plan))


def _planned(
    inference: Inference, requests: Mapping[str, Request], *, keep_all: bool
) -> tuple[ExecutorGraph, Plan]:
    executor_graph = build_executor_graph(inference.graph, inference, requests)
    return executor_graph, make_plan(executor_graph, inference, share=not keep_all)


@contextmanager
def _within_memory() -> Iterator[None]:
    """Turn what the system refuses after all into a sentence."""
    try:
        yield
    except MemoryError as error:
        raise BindError(
            "There is not enough memory for this bind. Use a smaller batch, or ask for fewer gradients."
        ) from error


def _some(names: Any) -> str:
    listed = list(names)
    return ", ".join(listed[:8]) + (" …" if len(listed) > 8 else "")

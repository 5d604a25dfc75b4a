"""Binding: names, shapes, types and requests are settled, arrays are taken or made, and an executor stands ready."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

import attrs
import numpy as np

from app.engine.backends.backend import Backend
from app.engine.backends.choice import choose_backend
from app.engine.backends.computing import NUMPY
from app.engine.errors import BindError
from app.engine.executor import Executor
from app.engine.gradient import ExecutorGraph, ExecutorNode, Request, build_executor_graph
from app.engine.graph import Graph
from app.engine.inference.infer import Inference, infer
from app.engine.kernels import cache_lines
from app.engine.kinds import refuse_kinds
from app.engine.nearby import did_you_mean, listed, meant_by, near_names, no_such, quoted_value
from app.engine.opaque import refuse_opaque
from app.engine.operator import Array
from app.engine.planning.plan import Plan, make_plan
from app.engine.planning.room import need_of_bind, refuse_beyond_memory
from app.engine.settled import Binding
from app.engine.shapes import Shape, text
from app.engine.symbol import Symbol
from app.engine.taking import (
    take_array,
    take_seed,
    take_sequence,
    take_shapes,
    take_truth,
    take_type,
    take_types,
)

_REQUESTS = ("write", "add", "null")


@attrs.frozen
class BindOptions:
    """What a bind may be told besides arrays: a seed, to keep every internal array, and what computes."""

    seed: int | None = None
    keep_all: bool = False
    backend: str = NUMPY
    device: str | None = None

    def checked(self) -> "BindOptions":
        """Return the same with what callers may have written otherwise; BindError where it makes no sense."""
        return attrs.evolve(self, seed=take_seed(self.seed), keep_all=take_truth(self.keep_all, "keep_all"))


@attrs.frozen(eq=False)
class _Bound:
    """What comes from outside: values of variables and gradient buffers by node, requests by name, what computes."""

    variables: Mapping[int, Array]
    gradients: Mapping[int, Array]
    requests: Mapping[str, Request]
    backend: Backend | None = None


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
    options = options.checked()
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
    held = {graph.nodes[index].name for index in gradients}
    for index in graph.arguments:
        name = graph.nodes[index].name
        if index not in gradients and name in held:
            raise _unlike_requests(name)
        if index not in gradients:
            requests[name] = "null"
    backend = choose_backend(options.backend, options.device)
    return _make(inference, _Bound(variables, gradients, requests, backend), options)


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
    options = options.checked()
    given, types = take_shapes(shapes), take_types({} if dtypes is None else dtypes)
    refuse_unknown({**given, **types}, symbol.list_inputs(), "argument")
    _refuse_namesakes(graph)
    inference = infer(graph, given, types)
    inference.refuse_open()
    requests = read_requests(graph, grad_req)
    executor_graph, plan = _planned(inference, requests, keep_all=options.keep_all)
    backend = choose_backend(options.backend, options.device)
    refuse_beyond_memory(need_of_bind(inference, executor_graph, plan, keep_all=options.keep_all), backend)
    wanted = [index for index in graph.arguments if requests[graph.nodes[index].name] != "null"]
    with _within_memory():
        variables = {index: _zeros(inference, index) for index in (*graph.arguments, *graph.auxiliary)}
        gradients = {index: _zeros(inference, index) for index in wanted}
        arrays = _Bound(variables, gradients, requests, backend)
        return Executor(_binding(inference, executor_graph, plan, arrays, options))


def bind_graph(inference: Inference, variables: Mapping[int, Array], *, wanted: str = "") -> Executor:
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
    return _make(inference, arrays, BindOptions(keep_all=True))


def _make(inference: Inference, arrays: _Bound, options: BindOptions) -> Executor:
    graph = inference.graph
    executor_graph, plan = _planned(inference, arrays.requests, keep_all=options.keep_all)
    for node in executor_graph.nodes:
        if node.request in ("write", "add"):
            _refuse_misfit(arrays.gradients[node.entry[0]], node, graph.nodes[node.entry[0]].name)
    need = need_of_bind(inference, executor_graph, plan, keep_all=options.keep_all)
    refuse_beyond_memory(need, arrays.backend, variables_held=True)
    with _within_memory():
        return Executor(_binding(inference, executor_graph, plan, arrays, options))


def _refuse_misfit(buffer: Array, node: ExecutorNode, name: str) -> None:
    if buffer.shape != node.shape:
        raise BindError(
            f"The gradient buffer of {name} is {text(buffer.shape)}, but the argument is {text(node.shape)}."
            f" Make it with np.zeros_like.",
            node=name,
        )
    if not buffer.flags.writeable:
        raise BindError(
            f"The gradient buffer of {name} may only be read. Make it with np.zeros_like.", node=name
        )
    if not np.can_cast(node.dtype, buffer.dtype, "same_kind"):
        raise BindError(
            f"The gradient buffer of {name} is {buffer.dtype}, but its gradient is {node.dtype}."
            " Make it with np.zeros_like.",
            node=name,
        )


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
        arrays.backend,
    )


def refuse_unknown(names: Iterable[str], known: Sequence[str], what: str) -> None:
    """Refuse the first name that is not among the known; BindError tells which are near."""
    there = set(known)
    for name in names:
        if name not in there:
            raise BindError(no_such(what, name, known))


def read_requests(graph: Graph, grad_req: Any) -> dict[str, Request]:
    """Turn one word, a list in argument order, or a dict by name into a request for every argument."""
    names = graph.names(graph.arguments)
    if isinstance(grad_req, str):
        words: Sequence[Any] = [grad_req] * len(names)
    elif isinstance(grad_req, Mapping):
        refuse_misspelt("grad_req", grad_req, names)
        words = [grad_req.get(name, "null") for name in names]
    elif isinstance(grad_req, (list, tuple)):
        if len(grad_req) != len(names):
            raise BindError(
                f"grad_req has {len(grad_req)} words for {len(names)} arguments ({listed(names)})."
                " Give one for each, or a dict by name."
            )
        words = grad_req
    else:
        raise BindError(
            f"grad_req must be write, add or null, a list of them or a dict by name, not {quoted_value(grad_req)}."
        )
    requests: dict[str, Request] = {}
    for name, word in zip(names, words, strict=True):
        if not isinstance(word, str) or word not in _REQUESTS:
            raise BindError(
                f"The gradient request of {name} is {quoted_value(word)}, but it must be write, add or null."
                + did_you_mean(word, _REQUESTS),
                node=name,
            )
        if requests.setdefault(name, cast(Request, word)) != word:
            raise _unlike_requests(name)
    return requests


def _unlike_requests(name: str) -> BindError:
    return BindError(
        f"Two arguments are named {name}, and not the same is asked of their gradients; rename one.",
        node=name,
    )


def _take(graph: Graph, indices: Sequence[int], given: Any, what: str) -> dict[int, Array]:
    """Match arrays given as a list or a dict with variables; every one is needed."""
    names = graph.names(indices)
    if given is None:
        given = {}
    if isinstance(given, Mapping):
        _refuse_dict_of_namesakes(names, what)
        missing = [name for name in names if name not in given]
        if missing:
            plural = "s" if len(missing) > 1 else ""
            advice = meant_by(missing[0], given, names)
            raise BindError(
                f"No array is given for the {what}{plural} {listed(missing)}.{advice}", node=missing[0]
            )
        given = [given[name] for name in names]
    given = take_sequence(given, f"The {what}s")
    if len(given) != len(names):
        count = f"{len(given)} array{' is' if len(given) == 1 else 's are'} given"
        needed = f"{len(names)} {what}{'' if len(names) == 1 else 's'}"
        raise BindError(f"{count} for {needed} ({listed(names)}).")
    return {index: _as_array(array, name) for index, array, name in zip(indices, given, names, strict=True)}


def _refuse_dict_of_namesakes(names: Sequence[str], what: str) -> None:
    if len(set(names)) < len(names):
        raise BindError(f"Two {what}s have one name, so they must be given as a list: {listed(names)}.")


def refuse_misspelt(what: str, given: Mapping[Any, Any], names: Sequence[str]) -> None:
    """Refuse a name that is nearly that of an argument left out; any other surplus name is ignored, as in MXNet."""
    left_out = [name for name in names if name not in given]
    known = set(names)
    for name in given:
        if name not in known and near_names(name, left_out):
            raise BindError(f"{what}: {no_such('argument', name, left_out)}")


def _take_gradients(graph: Graph, args_grad: Any) -> dict[int, Array]:
    names = graph.names(graph.arguments)
    if args_grad is None:
        return {}
    if isinstance(args_grad, Mapping):
        refuse_misspelt("args_grad", args_grad, names)
        _refuse_dict_of_namesakes([name for name in names if name in args_grad], "argument")
        args_grad = [args_grad.get(name) for name in names]
    else:
        args_grad = take_sequence(args_grad, "args_grad")
        if len(args_grad) != len(names):
            raise BindError(
                f"args_grad has {len(args_grad)} arrays for {len(names)} arguments ({listed(names)})."
                " Give one for each, None where there is no gradient, or a dict by name."
            )
    return {
        index: _as_array(array, name, f"The gradient buffer of {name}")
        for index, name, array in zip(graph.arguments, names, args_grad, strict=True)
        if array is not None
    }


def _as_array(given: Any, name: str, what: str = "") -> Array:
    what = what or name
    if not isinstance(given, np.ndarray):
        raise BindError(
            f"{what} must be a numpy array, not {quoted_value(given)}; np.asarray(…) makes one.", node=name
        )
    take_type(take_array(given, what, BindError).dtype, what)
    if given.ndim == 0:
        raise BindError(f"{what} has no axes; a single number is an array of shape (1).", node=name)
    if given.size == 0:
        raise BindError(f"{what} has the shape {given.shape}, and so not one element.", node=name)
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
    return cache_lines.zeros(inference.shape((index, 0)), inference.settled_dtype((index, 0)))


def refuse_too_large(inference: Inference, requests: Mapping[str, Request], options: BindOptions) -> None:
    """Refuse before anything is allocated when a bind with these requests cannot fit into memory."""
    executor_graph, plan = _planned(inference, requests, keep_all=options.keep_all)
    need = need_of_bind(inference, executor_graph, plan, keep_all=options.keep_all)
    refuse_beyond_memory(need, choose_backend(options.backend, options.device))


def _planned(
    inference: Inference, requests: Mapping[str, Request], *, keep_all: bool
) -> tuple[ExecutorGraph, Plan]:
    executor_graph = build_executor_graph(inference.graph, inference, requests)
    refuse_kinds(inference, executor_graph)
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

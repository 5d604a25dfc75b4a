"""The program's work without its window: shapes of a model, one run of it, and whole lists of such cases."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from app.engine.backends.choice import choose_backend
from app.engine.backends.computing import NUMPY
from app.engine.binding import refuse_unknown as refuse_unknown_names
from app.engine.errors import BindError, EngineError, FormatError, quoted
from app.engine.executor import Executor
from app.engine.graph import Entry, Graph
from app.engine.inference.infer import Inference, infer
from app.engine.nearby import near_names
from app.engine.opaque import refuse_opaque
from app.engine.operator import Array
from app.engine.shapes import Shape
from app.engine.symbol import Symbol
from app.services.npy_files import DAMAGE, read_npz
from app.services.symbol_files import load_symbol

_LONGEST_NAME = 200
"""Bytes; a suffix comes to it, and the name of a file has 255 at most."""


@attrs.frozen
class RunRequest:
    """How a run is done, and by what; `requests` is a word for all (`*`) and words by name, surplus ones ignored."""

    train: bool = False
    backward: bool = False
    requests: Mapping[str, str] = attrs.Factory(lambda: {"*": "write"})
    backend: str = NUMPY
    device: str | None = None


def shapes_answer(
    symbol: Symbol, shapes: Mapping[str, Shape], *, partial: bool
) -> dict[str, dict[str, list[int]]]:
    """Infer shapes and list them in MXNet's order; refuses misfits and, unless `partial`, open shapes."""
    graph = symbol.graph
    if not partial:
        refuse_opaque(graph)  # MXNet does not even load such a file
    refuse_unknown(graph, shapes)
    inference = infer(graph, shapes)
    inference.refuse_problems()
    if not partial:
        inference.refuse_open()
    return {
        "arguments": _listed(inference, [(index, 0) for index in graph.arguments]),
        "outputs": _listed(inference, graph.heads),
        "auxiliary_states": _listed(inference, [(index, 0) for index in graph.auxiliary]),
        "internals": _listed(inference, graph.internals()),
    }


def refuse_unknown(graph: Graph, shapes: Mapping[str, Shape]) -> None:
    """Refuse a shape for what is no argument."""
    refuse_unknown_names(shapes, [node.name for node in graph.nodes if node.is_variable], "argument")


def _listed(inference: Inference, entries: Iterable[Entry]) -> dict[str, list[int]]:
    listed: dict[str, list[int]] = {}
    seen: dict[str, int] = {}
    for entry in entries:
        name = inference.graph.entry_name(entry)
        seen[name] = seen.get(name, 0) + 1
        key = name if seen[name] == 1 else f"{name}#{seen[name]}"
        listed[key] = list(inference.shape(entry))
    return listed


def run_model(symbol: Symbol, arrays: Mapping[str, Array], request: RunRequest) -> dict[str, Array]:
    """Run forward, and backward where asked, on the arrays of an input file; returns those of the output file."""
    arguments = symbol.list_arguments()
    args = _pick(arrays, "arg", arguments)
    aux = _pick(arrays, "aux", symbol.list_auxiliary_states())
    words = {name: request.requests.get(name, request.requests.get("*", "write")) for name in arguments}
    grads = {}
    for name, word in words.items():
        if request.backward and word != "null":
            held = arrays.get(f"grad:{name}")
            grads[name] = np.zeros_like(args[name]) if held is None else held.astype(args[name].dtype)
    executor = symbol.bind(args, grads, words, aux, backend=request.backend, device=request.device)
    # numbers that are none are in the answer; nothing else is to be said of them
    with np.errstate(all="ignore"):
        executor.forward(is_train=request.train)
        if request.backward:
            executor.backward(head_gradients(arrays, executor.outputs))
    answer: dict[str, Array] = {"output_order": np.array(symbol.list_outputs())}
    answer |= {
        f"output:{name}": array for name, array in zip(symbol.list_outputs(), executor.outputs, strict=True)
    }
    answer |= {f"grad:{name}": array for name, array in grads.items()}
    answer |= {f"aux:{name}": array for name, array in aux.items()}
    return answer


def bind_arrays(symbol: Symbol, arrays: Mapping[str, Array]) -> Executor:
    """Bind the arguments and auxiliary states of an input file without any gradient."""
    args = _pick(arrays, "arg", symbol.list_arguments())
    aux = _pick(arrays, "aux", symbol.list_auxiliary_states())
    return symbol.bind(args, grad_req="null", aux_states=aux)


def _pick(arrays: Mapping[str, Array], prefix: str, names: Sequence[str]) -> dict[str, Array]:
    missing = [name for name in names if f"{prefix}:{name}" not in arrays]
    if missing:
        wanted = f"{prefix}:{missing[0]}"
        surplus = [key for key in arrays if key.partition(":")[2] not in names]
        near = [missing[0]] if missing[0] in arrays else near_names(wanted, surplus)
        advice = f" It has {near[0]}; was that meant?" if near else ""
        raise BindError(f"The input file has no {wanted}.{advice}", node=missing[0])
    return {name: arrays[f"{prefix}:{name}"] for name in names}


def head_gradients(arrays: Mapping[str, Array], outputs: Sequence[Array]) -> list[Array] | None:
    """Return what an input file hands in for each output; None when it has nothing of the kind."""
    if not any(key.startswith("head:") for key in arrays):
        return None
    return [arrays.get(f"head:{number}", np.zeros_like(output)) for number, output in enumerate(outputs)]


def read_arrays(path: Path) -> dict[str, Array]:
    """Read every array of an `.npz` file; FormatError when it is damaged."""
    try:
        return read_npz(path)
    except FileNotFoundError as error:
        raise FormatError(f"{path.name} could not be read: {error.strerror}.") from error
    except (OSError, *DAMAGE) as error:
        raise FormatError(f"{path.name} is no readable .npz file: {error}.") from error


def shapes_batch(index: Path, outdir: Path, *, repair: bool = False) -> None:
    """Answer `shapes` for each case of an index file."""
    for case in _cases(index):
        try:
            symbol = load_symbol(index.parent / case["model"], repair=repair)
            given = _shapes_of(case)
            answer = shapes_answer(symbol, given, partial=bool(case.get("partial")))
            _write_text(outdir / f"{case['id']}.json", json.dumps(answer))
        except EngineError as error:
            _write_refusal(outdir, case, error)


def _shapes_of(case: Mapping[str, Any]) -> dict[str, Shape]:
    told = case.get("shape") or {}
    if not isinstance(told, dict) or not all(_is_shape(dims) for dims in told.values()):
        raise FormatError('A case\'s "shape" must be an object of lists of whole numbers.')
    return {name: tuple(dims) for name, dims in told.items()}


def _is_shape(dims: Any) -> bool:
    return isinstance(dims, list) and all(type(size) is int for size in dims)


def run_batch(
    index: Path, outdir: Path, *, repair: bool = False, backend: str = NUMPY, device: str | None = None
) -> None:
    """Answer `run` for each case of an index file; BindError where there is no such backend or device."""
    choose_backend(backend, device)
    for case in _cases(index):
        try:
            symbol = load_symbol(index.parent / case["model"], repair=repair)
            arrays = read_arrays(index.parent / _inputs_of(case))
            request = RunRequest(
                bool(case.get("train")), bool(case.get("backward")), _requests_of(case), backend, device
            )
            write_arrays(outdir / f"{case['id']}.npz", run_model(symbol, arrays, request))
        except EngineError as error:
            _write_refusal(outdir, case, error)


def _inputs_of(case: Mapping[str, Any]) -> str:
    name = case.get("inputs")
    if not isinstance(name, str):
        raise FormatError('The case has no "inputs": name the .npz file with its arrays.')
    return name


def _requests_of(case: Mapping[str, Any]) -> dict[str, str]:
    words = case.get("grad_req") or "write"
    if isinstance(words, str):
        return {"*": words}
    if not isinstance(words, dict):
        raise FormatError(f'"grad_req" of the case must be a word or an object of words, not {words!r}.')
    return words


def _write_refusal(outdir: Path, case: Mapping[str, Any], error: EngineError) -> None:
    _write_text(outdir / f"{case['id']}.error.txt", f"{error}\n")


def _write_text(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise FormatError(f"{path.name} could not be written: {error.strerror}.") from error


def write_arrays(path: Path, arrays: Mapping[str, Array]) -> None:
    """Write an `.npz` file; the arrays' names may be anything, keyword names of the writer too."""
    from zipfile import ZIP_STORED, ZipFile

    try:
        with ZipFile(path, "w", ZIP_STORED) as file:
            for name, array in arrays.items():
                with file.open(f"{name}.npy", "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)
    except (OSError, UnicodeEncodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "a name is no text that a file can hold"
        raise FormatError(f"{path.name} could not be written: {reason}.") from error


def _cases(index: Path) -> list[dict[str, Any]]:
    try:
        data = json.loads(index.read_text(encoding="utf-8"))
        cases = data["cases"]
    except OSError as error:
        raise FormatError(f"{index.name} could not be read: {error.strerror}.") from error
    except ValueError as error:
        raise FormatError(f"{index.name} is no list of cases: {error}.") from error
    except (KeyError, TypeError):
        cases = None
    if not isinstance(cases, list):
        raise FormatError(f'{index.name} is no list of cases: it must be an object with a list "cases".')
    for number, case in enumerate(cases):
        sound = isinstance(case, dict) and all(isinstance(case.get(key), str) for key in ("id", "model"))
        if not sound:
            raise FormatError(f"Case {number} of {index.name} has no id or no model in words.")
        if not _can_name_a_file(case["id"]):
            shown = quoted(case["id"])
            raise FormatError(f"Case {number} of {index.name}: the id {shown} is no name for a file.")
    return cases


def _can_name_a_file(text: str) -> bool:
    try:
        size = len(text.encode("utf-8"))
    except UnicodeEncodeError:
        return False
    return 0 < size <= _LONGEST_NAME and not {"/", "\\", "\0"}.intersection(text)

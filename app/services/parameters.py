"""The parameters of a document to MXNet's files and back, as `save_checkpoint` and `load_checkpoint` have them."""

from collections.abc import Mapping
from pathlib import Path

import attrs

from app.document.analysis import Analysis
from app.document.changes import Draft, Transaction
from app.document.checks import analyse
from app.document.records import Binding, Document
from app.engine.errors import FormatError, GraphError, ShapeError
from app.engine.graph import Graph
from app.engine.shapes import Shape, merge, text
from app.services.array_files import params_heads
from app.services.params_file import write_params
from app.services.running import Results, request_of, values_of
from app.services.values import ValueShapes

PREFIXES = ("arg:", "aux:")
NAMES_TOLD = 6
NO_GRAPH = "There is no graph yet to take parameters. Open the model's symbol file first."


def parameter_names(document: Document, graph: Graph) -> tuple[str, ...]:
    """Name the arguments that are parameters: those a node takes as such, and what else has a gradient.

    What is left are data and labels, which `save_checkpoint` leaves out too: nodes take them as data or label, and
    their gradient is not wanted, or a data set fills them.
    """
    return tuple(
        graph.nodes[index].name for index in graph.arguments if not _is_input(document, graph, index)
    )


def _is_input(document: Document, graph: Graph, index: int) -> bool:
    for reader, number in graph.consumers[index]:
        operator = graph.nodes[reader].operator
        if operator is not None and operator.ports[number].role not in ("data", "label"):
            return False
    name = graph.nodes[index].name
    binding = document.bindings.get(name)
    return request_of(document, name) == "null" or (binding is not None and binding.kind == "dataset")


def saved_names(analysis: Analysis) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Name the arguments and the auxiliary states that would be saved; EngineError when that cannot be done."""
    if analysis.faults:
        raise GraphError(analysis.faults[0].sentence)
    graph, auxiliary = analysis.graph, analysis.auxiliary_names
    arguments = parameter_names(analysis.document, graph) if graph is not None else ()
    if not arguments and not auxiliary:
        raise FormatError("This graph has no parameters to save: all its arguments are data or labels.")
    return arguments, auxiliary


def save_parameters(
    analysis: Analysis, path: Path, *, folder: Path | None = None, after: Results | None = None
) -> int:
    """Write the values that are bound, those of a current run as it left them, and return how many arrays these are.

    EngineError when the graph has a problem, or when the shape of a parameter is still open.
    """
    arguments, auxiliary = saved_names(analysis)
    values = values_of(analysis, (*arguments, *auxiliary), folder=folder, after=after)
    arrays = {f"arg:{name}": values[name] for name in arguments}
    arrays |= {f"aux:{name}": values[name] for name in auxiliary}
    write_params(arrays, path)
    return len(arrays)


@attrs.frozen
class Match:
    """What in a parameter file fits a document: the edit that binds it, and what is told of the rest."""

    transaction: Transaction
    taken: int
    found: int
    missing: tuple[str, ...]
    superfluous: tuple[str, ...]
    misfits: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        """Whether file and graph have the same names and shapes."""
        return not (self.missing or self.superfluous or self.misfits)

    @property
    def sentences(self) -> tuple[str, ...]:
        """Say what does not fit, a sentence for each kind."""
        kinds = (
            ("Of another shape", self.misfits),
            ("Not in the file, so they keep their values", self.missing),
            ("Not in the graph", self.superfluous),
        )
        return tuple(f"{words}: {_listed(names)}." for words, names in kinds if names)


def match_parameters(document: Document, path: Path, folder: Path, spelled: str) -> Match:
    """Compare a parameter file with a document; `spelled` is the file as its bindings are to name it.

    Names may stand with or without `arg:` and `aux:`. An array whose shape cannot be the argument's is left out.
    """
    if not document.nodes:
        raise FormatError(NO_GRAPH)
    heads = params_heads(path)
    if not heads:
        raise FormatError(f"{path.name} holds no arrays.")
    keys = _keys_by_name(heads)
    free = analyse(_without_values(document, keys), ValueShapes(folder))
    graph, inference = free.graph, free.inference
    if graph is None or inference is None:
        raise FormatError(NO_GRAPH)
    wanted = [*graph.names(graph.arguments), *graph.names(graph.auxiliary)]
    misfits, taken = [], {}
    for name in wanted:
        if name not in keys:
            continue
        found = heads[keys[name]].shape
        misfit = _misfit(name, found, inference.shape((graph.index_by_name[name], 0)))
        if misfit:
            misfits.append(misfit)
        else:
            taken[name] = f"{spelled}#{keys[name]}"
    parameters = (*parameter_names(document, graph), *free.auxiliary_names)
    return Match(
        _bound(document, taken, path.name),
        len(taken),
        len(keys),
        tuple(name for name in parameters if name not in keys),
        tuple(name for name in keys if name not in graph.index_by_name),
        tuple(misfits),
    )


def _keys_by_name(heads: Mapping[str, object]) -> dict[str, str]:
    """Return the key in the file for each name; where `arg:` and `aux:` have the same one, the argument's."""
    return {_name_of(key): key for key in sorted(heads, key=lambda key: key.startswith("arg:"))}


def _name_of(key: str) -> str:
    return next((key.removeprefix(prefix) for prefix in PREFIXES if key.startswith(prefix)), key)


def _without_values(document: Document, names: Mapping[str, str]) -> Document:
    """Return the document as if nothing were bound to these names, so that only the graph says their shapes."""
    kept = {
        name: attrs.evolve(binding, kind="none", value="") if name in names else binding
        for name, binding in document.bindings.items()
    }
    return attrs.evolve(document, bindings=kept)


def _misfit(name: str, found: Shape, wanted: Shape) -> str:
    try:
        merge(found, wanted)
    except ShapeError:
        return f"{name} is {text(found)} in the file and {text(wanted)} in the graph"
    return ""


def _bound(document: Document, values: Mapping[str, str], file_name: str) -> Transaction:
    draft = Draft(document)
    for name, value in values.items():
        binding = document.bindings.get(name, Binding(name))
        draft.put(attrs.evolve(binding, kind="file", value=value))
    return draft.transaction(f"Load parameters from {file_name}")


def _listed(names: tuple[str, ...]) -> str:
    more = len(names) - NAMES_TOLD
    return ", ".join(names[:NAMES_TOLD]) + (f" and {more} more" if more > 0 else "")

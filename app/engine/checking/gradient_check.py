"""Checks a gradient against finite differences, element by element, on a copy of the graph in double precision."""

from collections.abc import Generator

import numpy as np
from numpy.typing import NDArray

from app.engine.checking.checked import Checked, CheckOptions, GradientCheck
from app.engine.checking.differences import Behind
from app.engine.checking.twin import Twin
from app.engine.errors import RunError
from app.engine.executor import Executor
from app.engine.following import Cancel
from app.engine.graph import Entry, Graph
from app.engine.nearby import no_such
from app.engine.taking import take_text

__all__ = ["CheckOptions", "Checked", "GradientCheck", "check_gradient", "follow_check"]

Events = Generator["Checked | GradientCheck", None, GradientCheck | None]


def check_gradient(executor: Executor, name: str, options: CheckOptions) -> GradientCheck:
    """Compare the gradient of an argument or of a node's output with finite differences.

    The executor and its arrays stay as they are. RunError when there is no such array, or nothing to differentiate.
    """
    *_, answer = follow_check(executor, find_entry(executor.graph, name), options)
    assert isinstance(answer, GradientCheck)
    return answer


def follow_check(
    executor: Executor, entry: Entry, options: CheckOptions, cancel: Cancel | None = None
) -> Events:
    """Do the same step by step; the answer is yielded last and returned, None when the check was cancelled."""
    twin = Twin(executor, options)
    behind = Behind(twin, entry, options)
    places = _places(behind.value.size, options)
    elements = []
    for place in places:
        if cancel is not None and cancel.is_set():
            return None
        elements.append(behind.check(int(place), options.step))
        yield Checked(len(elements), len(places))
    notes = [*twin.notes, *behind.notes]
    if not options.is_train and not all(element.ok for element in elements):
        notes += behind.explain_mode()
    answer = GradientCheck(
        executor.graph.entry_name(entry),
        behind.value.shape,
        str(behind.value.dtype),
        options.seed,
        tuple(elements),
        tuple(notes),
    )
    yield answer
    return answer


def find_entry(graph: Graph, name: str) -> Entry:
    """Find an array by the name of an argument, of an output (`fc1_output`), or of its node."""
    take_text(name, "The name of what is checked")
    for index in graph.arguments:
        if graph.nodes[index].name == name:
            return index, 0
    for entry in graph.internals():
        if graph.entry_name(entry) == name and entry[0] not in graph.auxiliary:
            return entry
    index_of = graph.index_by_name.get(name)
    if index_of is None:
        raise RunError(no_such("array", name, [graph.entry_name(entry) for entry in graph.internals()]))
    if index_of in graph.auxiliary:
        raise RunError(f"{name} is an auxiliary state, and those have no gradient.", node=name)
    return index_of, 0


def _places(size: int, options: CheckOptions) -> NDArray[np.int64]:
    if size <= options.samples:
        return np.arange(size)
    drawn = np.random.default_rng(options.seed).choice(size, max(1, options.samples), replace=False)
    return np.sort(drawn)

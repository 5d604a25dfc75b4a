"""One plain sentence about what a step did, with this graph's numbers."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from app.engine.graph import Entry, Graph
from app.engine.shapes import text as shape_text
from app.services.moments import Array, Moment, Stop
from app.services.number_words import number_text, worked_out
from app.services.running import Results

MOST_FORMULAS = 3
MOST_SHAPES = 4


def sentence_of(results: Results) -> str:
    """Say what was computed last at the moment of these results, and what comes next where that is another pass."""
    moment = results.moment
    assert moment is not None, "only a run that is gone through step by step has a last step"
    stop = moment.current
    said = "Nothing is computed yet." if stop is None else _computed(results, stop)
    changed = [results.graph.nodes[index].name for index in moment.changes.made_by(moment.at - 1)]
    if changed:
        said += f" It changes {_listed(changed)}."
    return f"{said} {_what_follows(moment, results)}".rstrip()


def _computed(results: Results, stop: Stop) -> str:
    if stop.phase == "forward":
        return f"{_forward(results, stop)}."
    parts = [_gradient(results, index) for index in stop.nodes[:MOST_FORMULAS]]
    rest = len(stop.nodes) - len(parts)
    if rest:
        parts.append(f"and {rest} more")
    return f"{'; '.join(parts)}."


def _what_follows(moment: Moment, results: Results) -> str:
    if moment.next is None:
        if moment.at == moment.course.forward_count:
            return "That was the last step: no argument asks for a gradient."
        return "That was the last step."
    if moment.current is None:
        names = [results.executor_graph.nodes[index].name for index in moment.next.nodes]
        return f"The first step computes {_listed(names)}."
    return "Forward is done, backward comes next." if moment.at == moment.course.forward_count else ""


def _forward(results: Results, stop: Stop) -> str:
    """Write an operator's formula, then its numbers where they are single ones, else the shapes."""
    graph = results.graph
    own = graph.nodes[stop.symbol_node]
    assert own.operator is not None
    entries = own.inputs[: len(own.operator.inputs)]
    names = [_name(graph, entry) for entry in entries]
    formula = own.operator.value_formula(names)
    reads = [results.value(entry) for entry in entries]
    result = results.value((stop.symbol_node, 0))
    shapes = [shape_text(array.shape) for array in reads if array is not None]
    if len(shapes) > MOST_SHAPES:
        shapes[MOST_SHAPES - 1 :] = [f"{len(shapes) - MOST_SHAPES + 1} more"]
    before = f"{', '.join(shapes)} → " if shapes else ""
    return (
        f"{own.name} = {formula}{_worked_out(formula, dict(zip(names, reads, strict=True)), result, before)}"
    )


def _name(graph: Graph, entry: Entry) -> str:
    """Name an array as its node, or by its output where the node has several."""
    node = graph.nodes[entry[0]]
    has_several = node.operator is not None and len(node.operator.outputs) > 1
    return graph.entry_name(entry) if has_several else node.name


def _gradient(results: Results, index: int) -> str:
    """Write a gradient's formula in the same way; one that is added says so."""
    graph = results.executor_graph
    node = graph.nodes[index]
    right = node.formula.partition(" = ")[2]
    formula = node.formula or node.name
    reads = {graph.nodes[read].name: results.exec_value(read) for read in node.reads}
    added = ", added to what was there" if node.request == "add" else ""
    if node.is_zero:
        return formula
    return formula + _worked_out("" if added else right, reads, results.exec_value(index)) + added


def _worked_out(
    formula: str, reads: Mapping[str, Array | None], result: Array | None, before: str = ""
) -> str:
    """Write what a formula comes to: with its numbers where all are single ones, else the shape and the mean."""
    if result is None:
        return ""
    numbers = {name: _number(array) for name, array in reads.items()}
    if result.size == 1 and all(numbers.values()):
        return f" = {worked_out(formula, numbers, _number(result))}"
    return f": {before}{shape_text(result.shape)}, {_told(result)}"


def _number(array: Array | None) -> str:
    return number_text(float(array.item())) if array is not None and array.size == 1 else ""


def _told(array: Array) -> str:
    """Say the mean of an array, or what must not be overlooked in it."""
    if array.size == 1:
        return f"value {_number(array)}"
    with np.errstate(all="ignore"):
        mean = float(array.mean(dtype=np.float64))
    if np.isfinite(mean):
        return f"mean {number_text(mean)}"
    return "with NaN in it" if np.isnan(array).any() else "with infinite numbers in it"


def _listed(names: Sequence[str]) -> str:
    """Name a few things in a row."""
    *first, last = [*names[:MOST_FORMULAS], *_rest(names)]
    return f"{', '.join(first)} and {last}" if first else last


def _rest(names: Sequence[str]) -> Iterator[str]:
    if len(names) > MOST_FORMULAS:
        yield f"{len(names) - MOST_FORMULAS} more"

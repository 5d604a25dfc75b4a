"""What is to be marked on the two graphs at one moment of a run that is gone through step by step."""

from collections import Counter
from collections.abc import Collection
from typing import TYPE_CHECKING

from app.canvas.step_layer import Marks
from app.document.records import Id

if TYPE_CHECKING:
    from app.services.moments import Moment, Stop
    from app.services.running import Results


def board_marks(results: "Results | None", breakpoints: Collection[Id]) -> Marks[Id]:
    """Mark nodes of the board; one tick is for forward, a second one for backward."""
    moment = results.moment if results is not None else None
    if results is None or moment is None:
        return Marks(breakpoints=breakpoints)
    ids = {index: key for key, index in results.node_index.items()}
    nodes = moment.course.graph.nodes
    ticks: Counter[Id] = Counter()
    for stop in moment.course.stops[: moment.at]:
        made = {stop.symbol_node} if stop.step.kind in ("forward", "backward") else set()
        made |= {nodes[node].entry[0] for node in stop.nodes if nodes[node].request is not None}
        ticks.update(ids[index] for index in made if index in ids)
    read = {nodes[node].entry[0] for node in moment.current.reads} if moment.current is not None else set()
    current = _computed(moment.current, ids)
    return Marks(
        current=current,
        coming=_computed(moment.next, ids),
        read={ids[index] for index in read if index in ids} - current,
        done=ticks,
        breakpoints=breakpoints,
    )


def changed_nodes(before: "Results | None", after: "Results | None") -> set[Id] | None:
    """Return the nodes of the board whose arrays are others at another moment of one run; None where any may be."""
    one, other = (results.moment if results is not None else None for results in (before, after))
    if after is None or other is None or not other.is_alike(one):
        return None
    nodes = other.course.graph.nodes
    found = {nodes[node].entry[0] for node in other.changed_since(one)}
    return {key for key, index in after.node_index.items() if index in found}


def _computed(stop: "Stop | None", ids: dict[int, Id]) -> set[Id]:
    return {ids[stop.symbol_node]} if stop is not None and stop.symbol_node in ids else set()


def in_words(marks: Marks[Id], node: Id, *, is_variable: bool) -> list[str]:
    """Say what is marked at a node of the board."""
    parts = []
    ticks = marks.done.get(node, 0)
    if ticks:
        done = "gradient" if is_variable else "forward" if ticks == 1 else "forward and backward"
        parts.append(f"{done} done")
    if node in marks.current:
        parts.append("computed last")
    if node in marks.coming:
        parts.append("computed next")
    if node in marks.breakpoints:
        parts.append("breakpoint")
    return parts


def executor_marks(moment: "Moment | None", breakpoints: Collection[int]) -> Marks[int]:
    """Mark nodes of the executor graph, those of `breakpoints` included."""
    if moment is None:
        return Marks(breakpoints=breakpoints)
    current, coming = moment.current, moment.next
    nodes = range(len(moment.course.graph.nodes))
    reads = current.reads if current is not None else ()
    made = current.nodes if current is not None else ()
    wires = {(read, node) for node in made for read in moment.course.graph.nodes[node].reads}
    return Marks(
        current=made,
        coming=coming.nodes if coming is not None else (),
        read=reads,
        waiting=[node for node in nodes if not moment.has(node)],
        done={node: 1 for node in nodes if moment.is_done(node)},
        breakpoints=breakpoints,
        ways=wires,
    )

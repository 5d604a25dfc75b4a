"""What looks otherwise after an edit that leaves the wires alone, so that the rest need not be gone over."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import attrs

from app.document.records import Document, Id
from app.document.topology import topology

if TYPE_CHECKING:
    from app.document.analysis import Analysis, Solved
    from app.document.drawing import DocumentProblem


@attrs.frozen
class Differences:
    """Nodes and wires that may look otherwise, and the nodes that stand elsewhere; their forms are the same."""

    nodes: frozenset[Id]
    edges: frozenset[Id]
    moved: frozenset[Id]


def differences(before: "Analysis | None", after: "Analysis | None") -> Differences | None:
    """Compare two analyses; None where more differs than settings, names, values and positions."""
    if before is None or after is None or not _is_shown_alike(before.document, after.document):
        return None
    edited, moved = _compare(before.document, after.document)
    if before.indexed is not after.indexed and not _is_numbered_alike(before, after, edited):
        return None
    nodes = edited | set(_with_other_shapes(before, after)) | _who_say_names(before, after, edited)
    edges = {edge.id for key in nodes for edge in topology(after.document).outputs(key)}
    for problem in _only_in_one(before.problems, after.problems):
        nodes |= {problem.node} if problem.node is not None else set()
        edges |= {problem.edge} if problem.edge is not None else set()
    return Differences(frozenset(nodes), frozenset(edges), frozenset(moved))


def _is_shown_alike(before: Document, after: Document) -> bool:
    """Tell whether there are the same nodes and wires, to be shown in the same way."""
    old, new = before.options, after.options
    if before.edges is not after.edges or (old.style, old.show_auto) != (new.style, new.show_auto):
        return False
    return before.nodes is after.nodes or before.nodes.keys() == after.nodes.keys()


def _is_numbered_alike(before: "Analysis", after: "Analysis", edited: Iterable[Id]) -> bool:
    """Tell whether every node has its old number in the graphs, which follows from wires, inputs and heads."""
    old, new = before.drawing, after.drawing
    if old.nodes.keys() != new.nodes.keys() or old.chosen != new.chosen or old.is_whole != new.is_whole:
        return False
    return all(
        old.readings[key].kind == new.readings[key].kind
        and old.readings[key].ports == new.readings[key].ports
        and old.readings[key].output_count == new.readings[key].output_count
        for key in edited
    )


def _who_say_names(before: "Analysis", after: "Analysis", edited: Iterable[Id]) -> set[Id]:
    """Return the nodes that show the names of others: readers of what was renamed, and namesakes in small letters."""
    names: set[str] = set()
    found: set[Id] = set()
    for key in edited:
        old, new = before.document.nodes[key].name, after.document.nodes[key].name
        if old != new:
            names |= {old.lower(), new.lower()}
            found |= {edge.target for edge in topology(after.document).outputs(key)}
    if names:
        found |= {key for key, node in after.document.nodes.items() if node.name.lower() in names}
    return found


def _compare(before: Document, after: Document) -> tuple[set[Id], set[Id]]:
    """Return the nodes that are something else now, and those that stand elsewhere."""
    edited, moved = set(), set()
    for key, node in after.nodes.items() if after.nodes is not before.nodes else ():
        old = before.nodes[key]
        if old is node:
            continue
        if old.position != node.position:
            moved.add(key)
        if attrs.evolve(old, position=node.position) != node:
            edited.add(key)
    return edited, moved


def _with_other_shapes(before: "Analysis", after: "Analysis") -> Iterator[Id]:
    """Yield the nodes with an array, their own or one that they made, whose shape is another or was told otherwise."""
    pairs = (
        (before.bound, after.bound, after.indexed.node_ids),
        (before.board, after.board, after.indexed.board_ids),
    )
    for old, new, ids in pairs:
        if old is None or new is None or old is new:
            continue
        for index in _with_others(old, new):
            if index in ids:
                yield ids[index]


def _with_others(old: "Solved", new: "Solved") -> set[int]:
    """Return the nodes of a graph with other shapes, or of which the user says something else."""
    wiring = new.graph.wiring
    pairs = enumerate(zip(old.inference.shapes, new.inference.shapes, strict=True))
    found = {wiring.owners[place] for place, (one, other) in pairs if one != other}
    told = _changed(old.inference.given, new.inference.given)
    return found | {index for name in told for index in wiring.variables.get(name, ())}


def _changed(before: Mapping[str, object], after: Mapping[str, object]) -> set[str]:
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def _only_in_one(
    before: "Iterable[DocumentProblem]", after: "Iterable[DocumentProblem]"
) -> "set[DocumentProblem]":
    return set(before) ^ set(after)

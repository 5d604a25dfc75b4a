"""What looks otherwise after an edit, so that the rest need not be gone over."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import attrs

from app.document.records import Document, Id
from app.document.topology import topology

if TYPE_CHECKING:
    from app.document.analysis import Analysis
    from app.document.drawing import DocumentProblem
    from app.engine.compose import SymbolNode
    from app.engine.shapes import Shape


@attrs.frozen
class Differences:
    """Nodes and wires that are new or may look otherwise, and the nodes that stand elsewhere.

    `rewired` are the nodes that are new or have other wires than before. What is gone is not told.
    """

    nodes: frozenset[Id]
    edges: frozenset[Id]
    moved: frozenset[Id]
    rewired: frozenset[Id] = frozenset()


def differences(before: "Analysis | None", after: "Analysis | None") -> Differences | None:
    """Compare two analyses; None where so much differs that everything may as well be gone over."""
    if before is None or after is None or not _is_shown_alike(before.document, after.document):
        return None
    old, new = before.document, after.document
    edited, moved = _compare(old, new)
    added, gone = new.nodes.keys() - old.nodes.keys(), old.nodes.keys() - new.nodes.keys()
    if 2 * (len(edited) + len(added)) > len(new.nodes):
        return None
    wires = _other_wires(old, new)
    ends = {
        end
        for document in (old, new)
        for key in wires
        if key in document.edges
        for end in _ends(document, key)
    }
    rewired = (ends & new.nodes.keys()) | added
    nodes = edited | rewired | _with_other_shapes(before, after) | _with_other_places(before, after)
    nodes |= _who_say_names(before, after, edited | added | gone)
    edges = {edge.id for key in nodes for edge in topology(new).outputs(key)} | (wires & new.edges.keys())
    for problem in _only_in_one(before.problems, after.problems):
        if problem.node is not None and problem.node in new.nodes:
            nodes.add(problem.node)
        if problem.edge is not None and problem.edge in new.edges:
            edges.add(problem.edge)
    return Differences(frozenset(nodes), frozenset(edges), frozenset(moved), frozenset(rewired))


def _is_shown_alike(before: Document, after: Document) -> bool:
    old, new = before.options, after.options
    return (old.style, old.show_auto) == (new.style, new.show_auto)


def _other_wires(before: Document, after: Document) -> set[Id]:
    """Return the wires that are only in one of two documents, or run between other ends."""
    if before.edges is after.edges:
        return set()
    return _changed(before.edges, after.edges)


def _ends(document: Document, wire: Id) -> tuple[Id, Id]:
    return document.edges[wire].source, document.edges[wire].target


def _with_other_places(before: "Analysis", after: "Analysis") -> set[Id]:
    """Return the nodes that are other outputs of the bind, and variables that are states of it now or were before."""
    if before.indexed is after.indexed:
        return set()
    found = _changed(before.output_tags, after.output_tags)
    names = set(before.auxiliary_names) ^ set(after.auxiliary_names)
    if names:
        found |= {key for key, node in after.document.nodes.items() if node.name in names}
    return found & after.document.nodes.keys()


def _who_say_names(before: "Analysis", after: "Analysis", edited: Iterable[Id]) -> set[Id]:
    """Return the nodes that show the names of others: readers of what was renamed, and namesakes in small letters."""
    names: set[str] = set()
    found: set[Id] = set()
    old, new = before.document.nodes, after.document.nodes
    for key in edited:
        now = {nodes[key].name for nodes in (old, new) if key in nodes}
        if len(now) > 1 or key not in old or key not in new:
            names |= {name.lower() for name in now}
            found |= {edge.target for edge in topology(after.document).outputs(key)}
    if names:
        found |= {key for key, node in new.items() if node.name.lower() in names}
    return found


def _compare(before: Document, after: Document) -> tuple[set[Id], set[Id]]:
    """Return the nodes that are something else now, and those that stand elsewhere, of those that were there."""
    edited, moved = set(), set()
    for key, node in after.nodes.items() if after.nodes is not before.nodes else ():
        old = before.nodes.get(key)
        if old is None or old is node:
            continue
        if old.position != node.position:
            moved.add(key)
        if attrs.evolve(old, position=node.position) != node:
            edited.add(key)
    return edited, moved


def _with_other_shapes(before: "Analysis", after: "Analysis") -> set[Id]:
    """Return the nodes with an array, their own or one that they made, whose shape is another or was told otherwise."""
    if before.indexed is after.indexed:
        return set(_with_others_by_place(before, after))
    return _with_others_by_node(before, after)


def _with_others_by_place(before: "Analysis", after: "Analysis") -> Iterator[Id]:
    """Compare graphs in which every array has its old place."""
    pairs = (
        (before.bound, after.bound, after.indexed.node_ids),
        (before.board, after.board, after.indexed.board_ids),
    )
    for old, new, ids in pairs:
        if old is None or new is None or old is new:
            continue
        wiring = new.graph.wiring
        shapes = enumerate(zip(old.inference.shapes, new.inference.shapes, strict=True))
        found = {wiring.owners[place] for place, (one, other) in shapes if one != other}
        for name in _changed(old.inference.given, new.inference.given):
            found |= set(wiring.variables.get(name, ()))
        yield from (ids[index] for index in found if index in ids)


def _with_others_by_node(before: "Analysis", after: "Analysis") -> set[Id]:
    """Compare graphs that number their nodes otherwise."""
    told: set[str] = set()
    for old, new in ((before.bound, after.bound), (before.board, after.board)):
        told |= _changed(old.inference.given if old else {}, new.inference.given if new else {})
    found = set()
    for key in after.document.nodes:
        was, now = _symbols(before, key), _symbols(after, key)
        shapes = [_shapes(before, node) for node in was], [_shapes(after, node) for node in now]
        if shapes[0] != shapes[1] or any(node is not None and node.name in told for node in now):
            found.add(key)
    return found


def _symbols(analysis: "Analysis", key: Id) -> "list[SymbolNode | None]":
    """Return what a node is in the graph, and what it made for itself."""
    drawing = analysis.drawing
    return [drawing.nodes.get(key), *[made.node for made in drawing.self_made.get(key, ())]]


def _shapes(analysis: "Analysis", node: "SymbolNode | None") -> "tuple[Shape, ...]":
    """Return the shapes of what a node hands out, none where they are not known."""
    for solved in (analysis.bound, analysis.board):
        if solved is not None and node is not None and node in solved.places:
            return solved.inference.outputs[solved.places[node]]
    return ()


def _changed(before: Mapping[Id, object], after: Mapping[Id, object]) -> set[Id]:
    """Return the keys under which two mappings hold something else."""
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def _only_in_one(
    before: "Iterable[DocumentProblem]", after: "Iterable[DocumentProblem]"
) -> "set[DocumentProblem]":
    return set(before) ^ set(after)

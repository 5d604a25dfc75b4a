"""What helps against a problem on the board: edits that were tried, and leave fewer problems and not this one."""

from collections.abc import Iterator
from functools import lru_cache

import attrs

from app.document.analysis import Analysis, Solved
from app.document.changes import Transaction
from app.document.checks import analyse_after
from app.document.drawing import DocumentProblem
from app.document.edits import (
    disconnect,
    insert_on_wire,
    rename,
    rename_param,
    set_binding,
    set_operator,
    set_param,
)
from app.document.names import free_name, name_fault, name_owners
from app.document.reading import read_node
from app.document.records import Binding, Document, Node
from app.document.starting_values import required_values
from app.document.topology import topology
from app.engine.errors import EngineError
from app.engine.inference.mends import Mend
from app.engine.inference.types import NUMBERS
from app.engine.reconciling import mend_settings
from app.engine.registry import all_operators, near_operators

MOST_NODES = 2000
"""In a larger drawing trials take too long to be made while somebody waits."""
MOST_OFFERS = 3


@attrs.frozen
class Remedy:
    """One edit after which a problem is gone, in words."""

    words: str
    transaction: Transaction


@lru_cache(maxsize=8)
def remedies(analysis: Analysis, problem: DocumentProblem) -> tuple[Remedy, ...]:
    """Return the edits that help against one problem; none where nothing that was tried does.

    The inspector and the list of problems ask for the same ones one after the other, and trying them takes long.
    """
    if len(analysis.document.nodes) > MOST_NODES:
        return ()
    found: dict[str, Remedy] = {}
    try:
        for remedy in _candidates(analysis, problem):
            if remedy.words not in found and _helps(analysis, problem, remedy):
                apart = attrs.evolve(
                    remedy.transaction, merge=""
                )  # never one step of undo with what was typed before
                found[remedy.words] = attrs.evolve(remedy, transaction=apart)
                if len(found) == MOST_OFFERS:
                    break
    except EngineError:
        pass  # an edit that cannot be made is no remedy
    return tuple(found.values())


def _helps(analysis: Analysis, problem: DocumentProblem, remedy: Remedy) -> bool:
    changed = remedy.transaction.apply(analysis.document)
    after = analyse_after(analysis, changed, analysis.value_shape)
    if len(after.problems) >= len(analysis.problems):
        return False
    return all(
        (one.node, one.port, one.edge) != (problem.node, problem.port, problem.edge) for one in after.problems
    )


def _candidates(analysis: Analysis, problem: DocumentProblem) -> Iterator[Remedy]:
    node = analysis.document.nodes.get(problem.node) if problem.node is not None else None
    if node is None:
        return
    misfit = analysis.misfit(problem)
    if misfit is not None:
        solved, found = misfit
        for mend in solved.inference.mends(found):
            yield from _of_the_graph(analysis, solved, mend)
        return
    yield from _of_the_settings(analysis, node)
    yield from _of_the_name(analysis.document, node)
    wire = analysis.document.edges.get(problem.edge) if problem.edge is not None else None
    if wire is not None:
        ends = [analysis.document.nodes[end].name for end in (wire.source, wire.target)]
        yield Remedy(f"Remove the wire from {ends[0]} to {ends[1]}", disconnect(analysis.document, wire.id))


def _of_the_settings(analysis: Analysis, node: Node) -> Iterator[Remedy]:
    """Change a setting that is wrong, or the operator where there is none of that name."""
    document = analysis.document
    if analysis.drawing.readings[node.id].kind == "unknown":
        for op in near_operators(node.op):
            yield Remedy(f"Make {node.name} a {op}", set_operator(document, node.id, op, node.params))
    operator_class = all_operators().get(node.op)
    if operator_class is None:
        return
    for mend in mend_settings(operator_class, node.params):
        if mend.instead_of:
            words = f"Call {mend.instead_of} of {node.name} {mend.name}"
            yield Remedy(words, rename_param(document, node.id, mend.instead_of, mend.name))
        else:
            words = f"Set {mend.name} of {node.name} to {mend.text}"
            edit = set_param(document, node.id, mend.name, mend.text)
            yield Remedy(words if mend.text is not None else f"Leave {mend.name} of {node.name} out", edit)
    for name, text in required_values(operator_class).items():
        if name not in node.params:
            yield Remedy(f"Set {name} of {node.name} to {text}", set_param(document, node.id, name, text))


def _of_the_name(document: Document, node: Node) -> Iterator[Remedy]:
    """Give a node the next free name of its kind, which helps where a name is there twice."""
    name = free_name(node.name, name_owners(document), read_node(node))
    if not name_fault(name):
        yield Remedy(f"Rename {node.name} to {name}", rename(document, node.id, name))


def _of_the_graph(analysis: Analysis, solved: Solved, mend: Mend) -> Iterator[Remedy]:
    """Make an edit of a change that the engine tried on the graph."""
    document = analysis.document
    name = solved.graph.nodes[mend.node].name
    owner = analysis.owner(solved, mend.node)
    words = f"{mend.words[0].upper()}{mend.words[1:]}"
    binding = document.bindings.get(name, Binding(name))
    if owner is None:
        return
    declared = document.nodes[owner].attributes if document.nodes[owner].name == name else {}
    if mend.kind == "setting":
        yield Remedy(words, set_param(document, owner, mend.name, mend.value))
    elif mend.kind == "operator":
        yield Remedy(words, set_operator(document, owner, mend.name, {}))
    elif mend.kind == "shape" and "__shape__" not in declared:
        yield Remedy(words, set_binding(document, attrs.evolve(binding, shape=mend.shape)))
    elif mend.kind == "type" and "__dtype__" in declared:
        yield Remedy(words, set_param(document, owner, "__dtype__", str(NUMBERS.index(mend.value))))
    elif mend.kind == "type":
        yield Remedy(words, set_binding(document, attrs.evolve(binding, dtype=mend.value)))
    elif mend.kind == "cast":
        wire = topology(document).inputs(owner).get(mend.input)
        if wire is not None:
            yield Remedy(words, insert_on_wire(document, wire.id, "Cast", {"dtype": mend.value}).transaction)

"""When an action can be done."""

from app.document.placed import all_placed
from app.document.records import GROUP, VARIABLE
from app.shell.actions import with_document
from app.shell.workbench import Workbench


def selected(bench: Workbench) -> bool:
    """Something on the board is selected."""
    return with_document(bench) and bool(bench.workspace.store.selection)


def one_selected(bench: Workbench) -> bool:
    """Exactly one node is selected."""
    chosen = bench.workspace.store.selection & bench.workspace.document.nodes.keys()
    return with_document(bench) and len(chosen) == 1


def nodes_selected(bench: Workbench) -> bool:
    """At least one node is selected."""
    return with_document(bench) and not bench.workspace.store.selection.isdisjoint(
        bench.workspace.document.nodes
    )


def one_node_or_wire_selected(bench: Workbench) -> bool:
    """Exactly one thing is selected, a node or a wire."""
    return with_document(bench) and len(bench.workspace.store.selection) == 1


def one_operator_selected(bench: Workbench) -> bool:
    """Exactly one node is selected, and it computes something."""
    nodes = bench.workspace.document.nodes
    return one_selected(bench) and all(
        nodes[key].op not in (VARIABLE, GROUP) for key in bench.workspace.store.selection & nodes.keys()
    )


def spotlight_is_on(bench: Workbench) -> bool:
    """The board dims what is off the path of the selection."""
    return bench.parts is not None and bench.parts.board.board_scene.spotlight.is_on


def one_with_words(bench: Workbench) -> bool:
    """Exactly one node, frame or note is selected."""
    chosen = bench.workspace.store.selection - bench.workspace.document.edges.keys()
    return with_document(bench) and len(chosen) == 1


def frame_selected(bench: Workbench) -> bool:
    """A frame is selected."""
    return with_document(bench) and bool(
        bench.workspace.store.selection & bench.workspace.document.frames.keys()
    )


def with_things(bench: Workbench) -> bool:
    """There is something on the board, if only a note."""
    return with_document(bench) and any(True for _ in all_placed(bench.workspace.document))


def with_nodes(bench: Workbench) -> bool:
    """There is a graph on the board."""
    return with_document(bench) and bool(bench.workspace.document.nodes)


def running(bench: Workbench) -> bool:
    """The worker is busy, or a run is gone through step by step."""
    return bench.workspace.is_running or bench.workspace.is_stepping


def with_problems(bench: Workbench) -> bool:
    """Something in the document is wrong."""
    analysis = bench.workspace.analysis
    return with_document(bench) and analysis is not None and bool(analysis.problems)


def can_undo(bench: Workbench) -> bool:
    """There is a step to take back."""
    return with_document(bench) and bench.workspace.store.can_undo


def can_redo(bench: Workbench) -> bool:
    """There is a step to do again."""
    return with_document(bench) and bench.workspace.store.can_redo

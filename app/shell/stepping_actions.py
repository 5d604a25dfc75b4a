"""Actions of the menu Executor that go through a run step by step."""

from app.document.records import GROUP, Id
from app.shell.actions import Action, with_document
from app.shell.conditions import with_nodes
from app.shell.workbench import Workbench


def _chosen(bench: Workbench) -> frozenset[Id]:
    """Return the selected nodes that something is computed for."""
    nodes = bench.workspace.document.nodes
    chosen = bench.workspace.store.selection
    return frozenset(key for key in chosen if key in nodes and nodes[key].op != GROUP)


STEPPING = (
    Action(
        "step",
        "St&ep",
        "Executor",
        lambda bench: bench.workspace.step(),
        ("F10",),
        with_nodes,
        rule=True,
        tip="Compute one node, and say what happens",
    ),
    Action(
        "step_back",
        "Step ba&ck",
        "Executor",
        lambda bench: bench.workspace.step_back(),
        ("Shift+F10",),
        lambda bench: with_document(bench) and bench.workspace.can_step_back,
        tip="Look at the run as it was one step before",
    ),
    Action(
        "breakpoint",
        "Brea&kpoint",
        "Executor",
        lambda bench: bench.workspace.toggle_breakpoints(_chosen(bench)),
        ("F9",),
        lambda bench: with_document(bench) and bool(_chosen(bench)),
        checked=lambda bench: bool(_chosen(bench)) and _chosen(bench) <= bench.workspace.breakpoints,
        tip="Let Forward and Backward pause before the selected node",
    ),
    Action(
        "clear_breakpoints",
        "Remove all breakpoints",
        "Executor",
        lambda bench: bench.workspace.toggle_breakpoints(bench.workspace.breakpoints),
        ("Ctrl+Shift+F9",),
        lambda bench: with_document(bench) and bool(bench.workspace.breakpoints),
    ),
)

"""The actions on nodes in the flow: taking them out of it, putting others in their places, and following it."""

from app.shell.actions import Action
from app.shell.conditions import nodes_selected, one_operator_selected, selected, spotlight_is_on

OUT_OF_THE_FLOW = (
    Action(
        "delete_and_heal",
        "Delete and &heal",
        "Edit",
        lambda bench: bench.board.commands.delete_and_heal(),
        ("Ctrl+Delete",),
        selected,
        board=True,
        tip="Delete the selection and wire what fed it on to its readers",
    ),
    Action(
        "detach",
        "D&etach from its wires",
        "Edit",
        lambda bench: bench.board.detach(),
        ("Ctrl+Shift+X",),
        nodes_selected,
        board=True,
        tip="Keep the selected nodes, but close the gap that they leave in the flow",
    ),
)

FOLLOWING = (
    Action(
        "select_downstream",
        "&Select what it feeds",
        "Edit",
        lambda bench: bench.board.commands.select_along(along=True),
        ("L",),
        nodes_selected,
        board=True,
        rule=True,
        tip="Select also everything that hangs on the selected nodes",
    ),
    Action(
        "select_upstream",
        "Select what feeds &it",
        "Edit",
        lambda bench: bench.board.commands.select_along(along=False),
        ("K",),
        nodes_selected,
        board=True,
        tip="Select also everything that the selected nodes hang on",
    ),
)

SWAP = Action(
    "swap",
    "S&wap the operator…",
    "Graph",
    lambda bench: bench.board.swap(),
    ("Shift+S",),
    one_operator_selected,
    board=True,
    tip="Search for another operator that fits the wires of the selected one",
)

SPOTLIGHT = Action(
    "spotlight",
    "Spotli&ght on the path",
    "View",
    lambda bench: bench.board.board_scene.spotlight.toggle(),
    ("Alt+H",),
    checked=spotlight_is_on,
    tip="Dim everything but what the selection reads and what reads it",
)

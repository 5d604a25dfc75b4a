"""The actions of the menu Graph that are about places alone: frames, notes, and putting things in line."""

from typing import TYPE_CHECKING

from app.document.records import FrameColour
from app.shell.actions import Action
from app.shell.conditions import frame_selected, selected
from app.shell.workbench import Workbench

if TYPE_CHECKING:
    from app.document.edits import Axis, Side

IN_LINE = "Align and distribute"
COLOUR = "Colour of the frame"


def _align(side: "Side", words: str) -> Action:
    return Action(
        f"align_{side}",
        words,
        "Graph",
        lambda bench: bench.board.annotating.align(side),
        enabled=selected,
        path=IN_LINE,
    )


def _distribute(axis: "Axis", words: str, *, rule: bool = False) -> Action:
    return Action(
        f"distribute_{axis}",
        words,
        "Graph",
        lambda bench: bench.board.annotating.distribute(axis),
        enabled=selected,
        path=IN_LINE,
        rule=rule,
        tip="Make the gaps between the selected nodes alike",
    )


def _colour(colour: FrameColour, words: str) -> Action:
    return Action(
        f"frame_{colour}",
        words,
        "Graph",
        lambda bench: bench.board.annotating.colour(colour),
        enabled=frame_selected,
        checked=lambda bench: _has(bench, colour),
        path=COLOUR,
        group="frame colour",
    )


def _has(bench: Workbench, colour: FrameColour) -> bool:
    """Every selected frame has this colour."""
    document = bench.workspace.document
    chosen = [frame for key, frame in document.frames.items() if key in bench.workspace.store.selection]
    return bool(chosen) and all(frame.colour == colour for frame in chosen)


PLACES = (
    Action(
        "frame",
        "F&rame",
        "Graph",
        lambda bench: bench.board.annotating.add_frame(),
        ("F",),
        rule=True,
        board=True,
        tip="Put a frame with a title around the selection, or an empty one at the pointer",
    ),
    _colour("grey", "&Grey"),
    _colour("blue", "&Blue"),
    _colour("green", "G&reen"),
    _colour("amber", "&Amber"),
    _colour("violet", "&Violet"),
    Action(
        "note",
        "N&ote",
        "Graph",
        lambda bench: bench.board.annotating.add_note(),
        ("N",),
        board=True,
        tip="Write a note in Markdown at the pointer",
    ),
    _align("left", "&Left edges"),
    _align("centre", "&Centres, on an upright line"),
    _align("right", "&Right edges"),
    _align("top", "&Top edges"),
    _align("middle", "&Middles, on a level line"),
    _align("bottom", "&Bottom edges"),
    _distribute("across", "Even gaps &across", rule=True),
    _distribute("down", "Even gaps &down"),
)

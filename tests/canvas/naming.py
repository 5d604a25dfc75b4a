"""Finds the editor of a name on a board."""

from app.canvas.overlays import NameEditor
from app.canvas.view import BoardView


def name_editor(board: BoardView) -> NameEditor | None:
    """Return the editor that is open, or None."""
    return next((editor for editor in board.findChildren(NameEditor) if not editor.isHidden()), None)

"""Renaming a node, or a frame, where its name is written."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint

from app.canvas.overlays import OFFSET, NameEditor, PointerWords
from app.document.records import Id

if TYPE_CHECKING:
    from app.canvas.frame_items import FrameItem
    from app.canvas.node_items import NodeItem
    from app.canvas.view import BoardView
    from app.document.records import Document

LEAST_WIDTH = 120
GAP = 6


class Renaming:
    """Holds the one editor of a view, over the name that it edits."""

    def __init__(self, view: "BoardView") -> None:
        self._view = view
        self._key: Id = ""
        self.editor: NameEditor | None = None
        self.words = PointerWords(view)
        """Says under the editor what is wrong with the name."""

    def _item(self) -> "NodeItem | FrameItem | None":
        scene = self._view.board_scene
        return scene.node_items.get(self._key) or scene.annotations.frames.get(self._key)

    def edit(self, key: Id) -> None:
        """Open the editor over a node's name or a frame's title."""
        self.close()
        self._key = key
        item = self._item()
        assert item is not None, "what is renamed is on the board"
        self.editor = NameEditor(self._view, item.name, self._keep)
        self.editor.closed.connect(self._on_closed)
        self.editor.textChanged.connect(self.words.hide)
        item.set_state(renaming=True)
        self.place()
        self.editor.show()
        self.editor.setFocus()

    def _keep(self, name: str) -> str:
        """Keep the name; return what is wrong with it, or nothing."""
        from app.document.edits import EditError, rename, set_title

        workspace = self._view.workspace
        edit = set_title if self._key in workspace.document.frames else rename
        try:
            transaction = edit(workspace.document, self._key, name)
        except EditError as refusal:
            self._say(refusal.sentence)
            return refusal.sentence
        workspace.commit(transaction)
        return ""

    def _say(self, sentence: str) -> None:
        """Say what is wrong where one looks."""
        assert self.editor is not None, "only a name in the editor can be wrong"
        self._view.workspace.message.emit(sentence)
        under = self.editor.geometry().bottomLeft() - OFFSET
        self.words.say(sentence, QPoint(under.x(), under.y() + GAP), self._view.ink(), warns=True)

    def place(self) -> None:
        """Put the editor over the name, and wholly into the view."""
        item = self._item()
        if self.editor is None or item is None:
            return
        self.words.hide()
        box = self._view.mapFromScene(item.place_of("name")).boundingRect()
        wide, high = max(box.width() + 40, LEAST_WIDTH), self.editor.sizeHint().height()
        room = self._view.viewport().rect()
        left, top = box.center().x() - wide // 2, box.center().y() - high // 2
        left = max(min(left, room.right() + 1 - wide), 0)
        top = max(min(top, room.bottom() + 1 - high), 0)
        self.editor.setGeometry(left, top, min(wide, room.width()), high)

    def keep_only(self, document: "Document | None") -> None:
        """Close the editor if its node or frame is gone, or with None whatever it edits."""
        tables = (document.nodes, document.frames) if document is not None else ()
        if self.editor is not None and not any(self._key in table for table in tables):
            self.close()

    def close(self) -> None:
        """Close the editor; the name stays."""
        if self.editor is not None:
            self.editor.drop()

    def _on_closed(self, by_key: bool) -> None:
        self.editor = None
        self.words.hide()
        item = self._item()
        if item is not None:
            item.set_state(renaming=False)
        if by_key:
            self._view.setFocus()

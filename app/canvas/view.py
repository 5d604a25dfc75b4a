"""The board: turns mouse, keys and drops into gestures and commands, one at a time."""

from typing import TYPE_CHECKING, Final, cast

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QCursor,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QGraphicsItem, QWidget

from app.canvas.annotating import Annotating
from app.canvas.board_keys import BoardKeys
from app.canvas.clicks import Clicks
from app.canvas.commands import Commands
from app.canvas.continuing import step_aside
from app.canvas.dropping import Dropping
from app.canvas.gestures.gesture import Gesture, Pointer
from app.canvas.hand import Hand
from app.canvas.hits import Hit, hit_at
from app.canvas.hover import Hover
from app.canvas.ink import Ink
from app.canvas.minimap import Minimap
from app.canvas.node_items import NodeItem
from app.canvas.overlays import FIRST_STEPS, EmptyHint
from app.canvas.pan_zoom import PanZoomView
from app.canvas.renaming import Renaming
from app.canvas.scene import BoardScene
from app.canvas.searching import Searching
from app.canvas.telling import accessible_sentence, board_summary, selection_sentence
from app.document.records import Id

if TYPE_CHECKING:
    from app.document.edits import Opening
    from app.document.store import Update
    from app.qt.workspace import Workspace

READABLE: Final = 0.75
"""The zoom from which on a card's small words can be read."""


class BoardView(PanZoomView):
    """Shows the symbol graph of a workspace and lets the hand edit it.

    One press leads to one gesture. A press changes nothing; the release does; Esc leaves everything as it was.
    """

    search_requested = Signal(object)
    """A `SearchRequest`."""
    open_requested = Signal(object)
    """The id of a node to look into: Enter or a double-click."""
    shape_clicked = Signal(object)
    """A `ShapeRef`."""
    argument_clicked = Signal(object)
    """The (node id, input number) of an automatic argument."""
    summary_changed = Signal(str)
    """What the small pictures on the nodes are; nothing while there are none."""

    def __init__(self, workspace: "Workspace", parent: QWidget | None = None) -> None:
        self.workspace = workspace
        self.board_scene = BoardScene(workspace)
        super().__init__(self.board_scene, parent)
        self.commands = Commands(workspace)
        self.annotating = Annotating(self)
        self._keys = BoardKeys(self)
        self._dropping = Dropping(self)
        self._hand = Hand(self)
        self._hover = Hover(self)
        self._renaming = Renaming(self)
        self._clicks = Clicks(self)
        self._searching = Searching(self)
        self.minimap = Minimap(self)
        self._empty = EmptyHint(self, FIRST_STEPS)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAcceptDrops(True)
        self.viewport().setAcceptDrops(True)
        self.setAccessibleName("Board")
        self._dress()
        workspace.document_changed.connect(self._on_document)
        workspace.selection_changed.connect(self._on_selection)
        workspace.view_option_changed.connect(self._dress)
        workspace.results_changed.connect(self._tell_summary)
        for signal in (workspace.results_changed, workspace.breakpoints_changed):
            signal.connect(self._on_selection)
        self.board_scene.values_changed.connect(self.keep_fit)
        self.board_scene.stepped.connect(self.show_box)
        self.board_scene.content_changed.connect(self._on_content)
        self._on_content()

    # What gestures and the shell ask of it -----------------------------------------------------------------------

    def ink(self) -> Ink:
        """Return the colours to paint with."""
        return self.board_scene.kit.ink

    def content_box(self) -> QRectF:
        """Return the box of everything on the board."""
        return self.board_scene.content_box()

    def scale_changed(self, scale: float) -> None:
        """Let the painters know the zoom."""
        self.board_scene.set_scale(scale)

    def set_moving(self, moving: bool) -> None:
        """Draw more plainly while the view moves."""
        super().set_moving(moving)
        self.board_scene.kit.moving = moving

    def moved(self) -> None:
        """Keep words and editor where they belong, and a gesture under the pointer."""
        self._renaming.place()
        self.annotating.place()
        self.minimap.update()
        self._hand.carry_on()

    def seen_nodes(self) -> list[NodeItem]:
        """Return the nodes that are in sight, none while they are too small to tell apart."""
        if self.board_scene.is_far:
            return []
        seen = self.seen_box()
        return [item for item in self.board_scene.node_items.values() if item.body_box().intersects(seen)]

    def add_overlay(self, item: QGraphicsItem) -> None:
        """Show an item of a gesture's own."""
        self.board_scene.addItem(item)

    def remove_overlay(self, item: QGraphicsItem) -> None:
        """Take such an item away."""
        if item.scene() is not None:
            self.board_scene.removeItem(item)

    def ask_search(self, at: Pointer, opening: "Opening | None") -> None:
        """Ask for the search at the pointer."""
        self._searching.ask(at, opening)

    def open_search(self) -> None:
        """Ask for the search at the pointer, or in the middle when the pointer is elsewhere."""
        place, is_pointed = self._pointer_or_middle()
        self._searching.at_pointer(self.pointer(place), is_pointed=is_pointed)

    def add_after(self) -> None:
        """Search for what follows the selected node."""
        self._searching.after_the_selected()

    def swap(self) -> None:
        """Search for another operator to stand for the selected one."""
        self._searching.in_place_of_the_selected()

    def rename(self) -> None:
        """Edit the name, title or text of what is selected where it is written."""
        things = self.commands.selected_things()
        if len(things) != 1:
            self.workspace.message.emit("Select one node, frame or note to rename it.")
            return
        self.reveal(things[0])
        self.edit_words(things[0])

    def accessible_text(self, node: Id) -> str:
        """Return the sentence that says a node to somebody who cannot see it."""
        return accessible_sentence(self.board_scene, node)

    def delete(self) -> None:
        """Delete the selection."""
        self.commands.delete()

    def detach(self) -> None:
        """Take the selected nodes out of the flow, and put them beside it."""
        self.commands.detach(lambda nodes: step_aside(self.board_scene, nodes))
        self.show_box(self.board_scene.content_box(self.commands.selected_nodes() or None))

    def cut(self) -> None:
        """Cut the selection to the clipboard."""
        self.commands.cut()

    def copy(self) -> None:
        """Copy the selection to the clipboard."""
        self.commands.copy()

    def at_hand(self) -> QPointF:
        """Return the place of the board under the pointer, or in the middle when the pointer is elsewhere."""
        return self.pointer(self._pointer_or_middle()[0]).board

    def paste(self, *, keep_inputs: bool = False) -> None:
        """Paste at the pointer, or in the middle when the pointer is elsewhere."""
        self.commands.paste(self.at_hand(), keep_inputs=keep_inputs)

    def duplicate(self) -> None:
        """Copy the selection beside itself."""
        self.commands.duplicate()

    def selectAll(self) -> None:
        """Select everything."""
        self.commands.select_all()

    def fit_selection(self) -> None:
        """Show what is selected, or everything when nothing is."""
        self.fit_box(self.board_scene.content_box(self.commands.selected_things() or None))

    def reveal(self, key: Id) -> None:
        """Scroll a node into sight, with its words, or a frame's title or a note; room for longer names may not be."""
        item, frame = self.board_scene.node_items.get(key), self.board_scene.annotations.frames.get(key)
        if item is not None:
            self.show_box(item.drawing.bounds.translated(item.pos()))
        else:
            self.show_box(frame.bar if frame is not None else self.board_scene.body_box(key))

    def visit(self, node: Id) -> None:
        """Bring a node into sight, large enough to be read."""
        item = self.board_scene.node_items.get(node)
        if item is not None and self.zoom < READABLE:
            self.zoom_to(READABLE)
            self.show_centre(item.pos())
        self.reveal(node)

    def extract_argument(self) -> None:
        """Make the automatic argument that was clicked last, or the selected node's first, a Variable of its own."""
        self._clicks.extract_argument()

    # Following the workspace -------------------------------------------------------------------------------------

    def _dress(self) -> None:
        self._empty.dress(self.ink())
        self.viewport().update()

    def _on_document(self, update: "Update") -> None:
        # Whatever a gesture has begun was meant for the document before.
        self.cancel_gesture()
        # Another document may have a node of the same id.
        same = update.after if update.origin != "load" else None
        self._renaming.keep_only(same)
        self.annotating.keep_only(same)

    def _on_selection(self, *_news: object) -> None:
        self.setAccessibleDescription(selection_sentence(self.board_scene))

    @property
    def summary(self) -> str:
        """What the small pictures on the nodes are; nothing while there are none."""
        return board_summary(self.board_scene)

    def _tell_summary(self, _results: object) -> None:
        self.summary_changed.emit(self.summary)

    def _on_content(self) -> None:
        self._empty.setVisible(not any(True for _ in self.board_scene.body_boxes()))
        self._empty.place()
        self._hover.forget()

    # The hand ----------------------------------------------------------------------------------------------------

    @property
    def gesture(self) -> Gesture | None:
        """The gesture that is under way."""
        return self._hand.gesture

    def carry_on(self, modifiers: Qt.KeyboardModifier) -> None:
        """Show what a release would do with other keys held."""
        self._hand.carry_on(modifiers)

    def cancel_gesture(self) -> bool:
        """Give up what the hand is doing; tell whether it was doing anything."""
        return self._hand.cancel()

    def pointer(
        self, place: QPoint, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier
    ) -> Pointer:
        """Return a place of the view as gestures want it."""
        return Pointer(self._exact(place), place, modifiers, self.zoom)

    def clear_hover(self) -> None:
        """Put out what the pointer lit."""
        self._hover.forget()

    def hit(self, pointer: Pointer) -> Hit:
        """Return what lies under the pointer."""
        return hit_at(self.board_scene, pointer.board, pointer.scale)

    def _pointer_or_middle(self) -> tuple[QPoint, bool]:
        """Return where the pointer is, or else the middle, and whether the pointer is there."""
        place = self.viewport().mapFromGlobal(QCursor.pos())
        inside = self.viewport().rect().contains(place) and self.viewport().underMouse()
        return (place if inside else self.viewport().rect().center()), inside

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take note of a press; only panning begins at once."""
        left = event.button() == Qt.MouseButton.LeftButton
        if event.button() == Qt.MouseButton.MiddleButton or (left and self._keys.space_down):
            if not self.is_panning:
                self.start_pan(event)
                self._keys.space_used = True
        else:
            self._hand.press(event)
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Pan, carry a gesture on, or light what is under the pointer."""
        if self.pan_step(event):
            self._hand.at = event.position().toPoint()
        elif not self._hand.move(event):
            self._hover.show(self.hit(self.pointer(event.position().toPoint())))
            if self._keys.space_down:
                self.viewport().setCursor(Qt.CursorShape.OpenHandCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End the gesture, or take the press for a click."""
        if not self.end_pan(event) and event.button() == Qt.MouseButton.LeftButton:
            hit = self._hand.release(event)
            if hit is not None:
                self._clicks.click(hit, self.pointer(event.position().toPoint(), event.modifiers()))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Search on the empty board, edit a name, a title or a note, look into a node."""
        if event.button() != Qt.MouseButton.LeftButton or self._keys.space_down:
            self.mousePressEvent(event)
            return
        pointer = self.pointer(event.position().toPoint(), event.modifiers())
        self._clicks.double_click(self.hit(pointer), pointer)

    def edit_words(self, key: Id) -> None:
        """Edit the name of a node, the title of a frame or the text of a note where it is written."""
        if key in self.workspace.document.notes:
            self.annotating.writing.edit(key)
        else:
            self._renaming.edit(key)

    # Other events ------------------------------------------------------------------------------------------------

    def viewportEvent(self, event: QEvent) -> bool:
        """Show tips about what lies under a resting pointer."""
        if event.type() == QEvent.Type.ToolTip:
            if not self._hand.is_busy:
                self._hover.show_tip(cast(QHelpEvent, event))
            return True
        if event.type() == QEvent.Type.Leave and self.gesture is None:
            self._hover.show(Hit())
        return super().viewportEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Do what a key means on the board."""
        if not self._keys.press(event):
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """End Space, which alone opens the search and with a drag pans."""
        if not self._keys.release(event):
            super().keyReleaseEvent(event)

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Keep Tab for the search."""
        return False

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Forget held keys when the focus goes."""
        self._keys.forget()
        super().focusOutEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the hint of an empty board in the middle, and the map in its corner."""
        super().resizeEvent(event)
        self._empty.place()
        self.minimap.place()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Let an operator of the palette in."""
        self._dropping.enter(event)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        """Show where it would stand."""
        self._dropping.move(event)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """Forget it."""
        self._dropping.leave()

    def dropEvent(self, event: QDropEvent) -> None:
        """Put it on the board."""
        self._dropping.drop(event)

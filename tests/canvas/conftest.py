"""A real workspace with its board in a window, and a hand with a real mouse."""

from collections.abc import Iterator
from itertools import pairwise

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication

from app.canvas.view import BoardView
from app.document import edits
from app.document.records import Binding, Id
from app.qt.settings import Settings
from app.qt.theme import Theming
from app.qt.workspace import Workspace


@pytest.fixture
def workspace(theming: Theming, settings: Settings) -> Iterator[Workspace]:
    """Return a workspace with the engine loaded and nothing on the board; it runs only when asked."""
    made = Workspace(theming, settings)
    made.live = False
    made.load_engine()
    yield made
    made.shutdown()
    made.deleteLater()


class Draw:
    """Puts things on the board through the same edits that the program uses."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def node(self, op: str, x: float, y: float, name: str = "", **params: str) -> Id:
        """Add a node and return its id."""
        added = edits.add_node(self._workspace.document, op, (x, y), name=name, params=params or None)
        self._workspace.commit(added.transaction)
        return added.node_id

    def wire(self, source: Id, target: Id, number: int, output: int = 0) -> Id:
        """Add a wire and return its id."""
        before = set(self._workspace.document.edges)
        self._workspace.commit(edits.connect(self._workspace.document, source, output, target, number))
        (made,) = set(self._workspace.document.edges) - before
        return made


@pytest.fixture
def draw(workspace: Workspace) -> Draw:
    """Return a pen for the workspace's document."""
    return Draw(workspace)


@pytest.fixture
def board(workspace: Workspace, qtbot: object) -> Iterator[BoardView]:
    """Return a board of 900 × 640 pixels at 100 %, with the point (0, 0) in its middle."""
    view = BoardView(workspace)
    view.resize(900, 640)
    view.show()
    qtbot.waitExposed(view)  # type: ignore[attr-defined]
    view.show_centre(QPointF(0, 0))
    view.setFocus()
    yield view
    view.close()
    view.deleteLater()
    view.board_scene.deleteLater()


class Mouse:
    """A mouse over the viewport of a board, moved to places of the board."""

    def __init__(self, view: BoardView) -> None:
        self.view = view
        self.at = QPoint()

    def pixel(self, x: float, y: float) -> QPoint:
        """Return the pixel at a place of the board."""
        return self.view.mapFromScene(QPointF(x, y))

    def _send(
        self, kind: QEvent.Type, button: Qt.MouseButton, held: Qt.MouseButton, keys: Qt.KeyboardModifier
    ) -> None:
        viewport = self.view.viewport()
        event = QMouseEvent(
            kind, QPointF(self.at), QPointF(viewport.mapToGlobal(self.at)), button, held, keys
        )
        QApplication.sendEvent(viewport, event)

    def press(
        self,
        x: float,
        y: float,
        button: Qt.MouseButton = Qt.MouseButton.LeftButton,
        keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
    ) -> None:
        """Press a button at a place of the board."""
        self.at = self.pixel(x, y)
        self._send(QEvent.Type.MouseButtonPress, button, button, keys)

    def move(
        self,
        x: float,
        y: float,
        held: Qt.MouseButton = Qt.MouseButton.LeftButton,
        keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
    ) -> None:
        """Move to a place of the board in a few steps."""
        start, end = self.at, self.pixel(x, y)
        for step in (0.25, 0.5, 0.75, 1.0):
            self.at = QPoint(
                round(start.x() + (end.x() - start.x()) * step),
                round(start.y() + (end.y() - start.y()) * step),
            )
            self._send(QEvent.Type.MouseMove, Qt.MouseButton.NoButton, held, keys)

    def release(
        self,
        button: Qt.MouseButton = Qt.MouseButton.LeftButton,
        keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
    ) -> None:
        """Release a button where the mouse is."""
        self._send(QEvent.Type.MouseButtonRelease, button, Qt.MouseButton.NoButton, keys)

    def click(self, x: float, y: float, keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        """Press and release without moving."""
        self.press(x, y, keys=keys)
        self.release(keys=keys)

    def double_click(self, x: float, y: float) -> None:
        """Click twice."""
        self.click(x, y)
        button = Qt.MouseButton.LeftButton
        self._send(QEvent.Type.MouseButtonDblClick, button, button, Qt.KeyboardModifier.NoModifier)
        self.release()

    def drag(
        self,
        start: tuple[float, float],
        end: tuple[float, float],
        keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
    ) -> None:
        """Press, move and release."""
        self.press(*start, keys=keys)
        self.move(*end, keys=keys)
        self.release(keys=keys)


@pytest.fixture
def mouse(board: BoardView) -> Mouse:
    """Return a mouse over the board."""
    return Mouse(board)


@pytest.fixture
def perceptron(workspace: Workspace, draw: Draw) -> None:
    """Draw two layers in Picture style, one under the other as a hand puts them, with arrays that get heatmaps."""
    kinds = ("Variable", "FullyConnected", "Activation", "FullyConnected", "SoftmaxOutput")
    chain = [draw.node(op, 0, y) for op, y in zip(kinds, (-216, -144, -48, 24, 144), strict=True)]
    for source, target in pairwise(chain):
        draw.wire(source, target, 0)
    workspace.try_edit(edits.set_options, style="picture")
    workspace.try_edit(edits.set_binding, Binding("A", shape=(64, 20)))

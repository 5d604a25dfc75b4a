"""A journey along the wires: into one, out of one, across some, and another operator in a node's place."""

from itertools import pairwise

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.document.edits import add_node, connect
from app.document.topology import topology
from app.shell.workbench import Workbench
from tests.canvas.naming import name_editor

LEFT = Qt.MouseButton.LeftButton
CTRL, ALT, SHIFT = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.AltModifier,
    Qt.KeyboardModifier.ShiftModifier,
)
NONE = Qt.KeyboardModifier.NoModifier


class Person:
    """Somebody who works on a row of three nodes: x, under it C = −x, and under that E = exp(C)."""

    def __init__(self, bench: Workbench, qtbot: QtBot) -> None:
        assert bench.parts is not None
        self.qtbot, self.workspace, self.parts = qtbot, bench.workspace, bench.parts
        self.board, self.actions, self.window = bench.parts.board, bench.actions, bench.window
        row = [
            self.workspace.try_edit(add_node, op, (0.0, y), name=name).node_id
            for op, y, name in (("Variable", -144.0, "x"), ("negative", 0.0, "C"), ("exp", 144.0, "E"))
        ]
        for source, target in pairwise(row):
            self.workspace.try_edit(connect, source, 0, target, 0)
        self.board.zoom_reset()
        self.board.show_centre(QPointF(0, 0))
        self.board.setFocus()

    @property
    def done(self) -> int:
        return len(self.workspace.store.history_labels().done)

    def node(self, name: str) -> str:
        return next(node.id for node in self.workspace.document.nodes.values() if node.name == name)

    def chain(self, last: str) -> list[str]:
        """The names from a node back along its first inputs."""
        found, document = [last], self.workspace.document
        while (edge := topology(document).inputs(self.node(found[-1])).get(0)) is not None:
            found.append(document.nodes[edge.source].name)
        return found

    def pixel(self, x: float, y: float) -> QPoint:
        return self.board.mapFromScene(QPointF(x, y))

    def click(self, name: str) -> None:
        place = self.workspace.document.nodes[self.node(name)].position
        self.qtbot.mouseClick(self.board.viewport(), LEFT, pos=self.pixel(*place))

    def press(self, action: str, key: Qt.Key, keys: Qt.KeyboardModifier = NONE) -> None:
        """Press the keys of an action once it can be done, which is asked a moment after each change."""
        self.window.activateWindow()  # the offscreen platform does not when a popup has closed
        self.qtbot.waitUntil(lambda: self.actions[action].isEnabled() and self.board.hasFocus())
        self.qtbot.keyClick(self.board, key, keys)

    def send(self, kind: QEvent.Type, place: QPoint, keys: Qt.KeyboardModifier, held: Qt.MouseButton) -> None:
        """A mouse event with keys held, which qtbot cannot move with."""
        viewport = self.board.viewport()
        button = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseMove else LEFT
        about = (QPointF(place), QPointF(viewport.mapToGlobal(place)), button, held, keys)
        QApplication.sendEvent(viewport, QMouseEvent(kind, *about))

    def carry(self, start: QPoint, end: QPoint, keys: Qt.KeyboardModifier = NONE) -> None:
        """Press and move, and keep the button down."""
        self.send(QEvent.Type.MouseButtonPress, start, keys, LEFT)
        for step in range(1, 9):
            self.send(QEvent.Type.MouseMove, start + (end - start) * step / 8, keys, LEFT)

    def let_go(self, place: QPoint, keys: Qt.KeyboardModifier = NONE) -> None:
        self.send(QEvent.Type.MouseButtonRelease, place, keys, Qt.MouseButton.NoButton)

    def search(self, words: str) -> None:
        finder = self.parts.finder
        self.qtbot.waitUntil(finder.isVisible)
        self.qtbot.keyClicks(finder.line, words)
        self.qtbot.waitUntil(lambda: not finder.is_trying, timeout=10_000)
        self.qtbot.keyClick(finder.line, Qt.Key.Key_Return)
        self.qtbot.waitUntil(lambda: not finder.isVisible())


@pytest.fixture
def person(bench: Workbench, qtbot: QtBot) -> Person:
    """Return somebody before an open board."""
    bench.window.resize(1440, 900)
    assert bench.parts is not None
    qtbot.mouseClick(bench.parts.start_page.new, LEFT)
    board = bench.parts.board
    qtbot.waitUntil(lambda: board.isVisible() and board.height() > 400, timeout=10_000)
    return Person(bench, qtbot)


def test_a_node_goes_into_a_wire_out_of_it_and_another_takes_its_place(person: Person) -> None:
    person.qtbot.mouseDClick(person.board.viewport(), LEFT, pos=person.pixel(192, 0))
    person.search("relu")
    steps = person.done
    person.carry(person.pixel(192, 0), person.pixel(0, -72))
    with person.qtbot.waitSignal(person.board.gesture.insertion.changed):
        pass
    person.let_go(person.pixel(0, -72))
    assert person.chain("E") == ["E", "C", "relu0", "x"]
    assert person.done == steps + 1

    person.press("swap", Qt.Key.Key_S, SHIFT)
    person.search("tanh")
    assert person.chain("E") == ["E", "C", "tanh0", "x"]

    person.press("detach", Qt.Key.Key_X, CTRL | SHIFT)
    assert person.chain("E") == ["E", "C", "x"]
    assert person.chain("tanh0") == ["tanh0"]

    person.click("C")
    person.press("delete_and_heal", Qt.Key.Key_Delete, CTRL)
    assert person.chain("E") == ["E", "x"]

    for wanted in (["E", "C", "x"], ["E", "C", "tanh0", "x"], ["E", "C", "relu0", "x"], ["E", "C", "x"]):
        person.actions.trigger("undo")
        assert person.chain("E") == wanted
    assert person.done == steps


def test_undo_with_something_in_the_hand_only_lets_it_go(person: Person) -> None:
    steps, document = person.done, person.workspace.document
    start = person.pixel(0, 0)
    person.carry(start, start + QPoint(60, 0))
    assert person.board.gesture is not None
    person.actions.trigger("undo")
    assert person.board.gesture is None
    assert (person.done, person.workspace.document) == (steps, document)


def test_a_stroke_cuts_and_keys_follow_the_flow_and_dim_the_rest(person: Person) -> None:
    x, c, e = (person.node(name) for name in ("x", "C", "E"))
    person.click("C")
    person.press("select_downstream", Qt.Key.Key_L)
    assert person.workspace.store.selection == {c, e}
    person.press("select_upstream", Qt.Key.Key_K)
    assert person.workspace.store.selection == {x, c, e}
    start, end = person.pixel(-60, -72), person.pixel(60, -72)
    person.carry(start, end, ALT | SHIFT)
    person.let_go(end, ALT | SHIFT)
    assert person.chain("E") == ["E", "C"]
    person.click("C")
    person.press("spotlight", Qt.Key.Key_H, ALT)
    assert person.actions["spotlight"].isChecked()
    items = person.board.board_scene.node_items
    assert [key for key, item in items.items() if item.state.dimmed] == [x]
    person.press("spotlight", Qt.Key.Key_H, ALT)
    assert not any(item.state.dimmed for item in items.values())


def test_letters_typed_into_a_name_are_letters(person: Person) -> None:
    person.click("C")
    person.press("rename", Qt.Key.Key_F2)
    editor = name_editor(person.board)
    assert editor is not None
    editor.selectAll()
    person.qtbot.keyClicks(editor, "lakeSl")
    person.qtbot.keyClick(editor, Qt.Key.Key_Return)
    assert person.chain("E") == ["E", "lakeSl", "x"]
    assert person.workspace.store.selection == {person.node("lakeSl")}

"""The four journeys of the first light: by mouse and keyboard, through the real program."""

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.shell.application import Application
from app.shell.workbench import Workbench
from tests.canvas.naming import name_editor
from tests.windows import Answers

LEFT = Qt.MouseButton.LeftButton


class Person:
    """Somebody with a mouse and a keyboard before one window."""

    def __init__(self, bench: Workbench, qtbot: QtBot) -> None:
        assert bench.parts is not None
        self.bench, self.parts, self.qtbot = bench, bench.parts, qtbot
        self.board = bench.parts.board

    # -- the board

    def new_board(self) -> None:
        """Click "New board", and see an empty one."""
        self.qtbot.mouseClick(self.parts.start_page.new, LEFT)
        self.wait(lambda: self.board.isVisible() and self.board.height() > 400)
        assert not self.bench.workspace.document.nodes

    def pixel(self, x: float, y: float) -> QPoint:
        return self.board.mapFromScene(QPointF(x, y))

    def place_of(self, name: str) -> QPoint:
        return self.pixel(*self.bench.workspace.document.nodes[self.node(name)].position)

    def node(self, name: str) -> str:
        return next(node.id for node in self.bench.workspace.document.nodes.values() if node.name == name)

    def click(self, place: QPoint) -> None:
        self.qtbot.mouseClick(self.board.viewport(), LEFT, pos=place)

    def drag(self, start: QPoint, end: QPoint) -> None:
        """Press, move in several steps, and release."""
        viewport = self.board.viewport()
        self.qtbot.mouseMove(viewport, start)
        self.qtbot.mousePress(viewport, LEFT, pos=start)
        for step in range(1, 9):
            self.qtbot.mouseMove(viewport, start + (end - start) * step / 8)
        self.qtbot.mouseRelease(viewport, LEFT, pos=end)

    def port(self, name: str) -> QPoint:
        """The place of a node's first output on the screen."""
        item = self.board.board_scene.node_items[self.node(name)]
        anchor = self.board.board_scene.geometry.outputs(item.look.shape)[0]
        return self.board.mapFromScene(item.pos() + anchor.point)

    # -- the search

    def search(self, words: str) -> None:
        """Type into the search that is open, and take the first hit."""
        finder = self.parts.finder
        self.qtbot.waitUntil(finder.isVisible)
        self.type(finder.line, words)
        self.qtbot.waitUntil(lambda: not finder.is_trying)
        self.press(finder.line, Qt.Key.Key_Return)
        self.qtbot.waitUntil(lambda: not finder.isVisible())

    def add_at(self, words: str, x: float, y: float) -> None:
        """Double-click an empty place of the board and search there."""
        self.qtbot.mouseDClick(self.board.viewport(), LEFT, pos=self.pixel(x, y))
        self.search(words)

    def rename(self, old: str, new: str) -> None:
        self.click(self.place_of(old))
        self.press(self.board, Qt.Key.Key_F2)
        editor = name_editor(self.board)
        assert editor is not None
        editor.selectAll()
        self.type(editor, new)
        self.press(editor, Qt.Key.Key_Return)
        assert self.node(new)

    # -- keys

    def type(self, widget: QWidget, words: str) -> None:
        self.qtbot.keyClicks(widget, words)

    def press(
        self, widget: QWidget, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier
    ) -> None:
        self.qtbot.keyClick(widget, key, modifier)

    # -- the inspector

    def bind_number(self, name: str, number: str) -> None:
        """Select a Variable, and type a number for it in the inspector."""
        self.click(self.place_of(name))
        page = self.parts.inspector.node_page
        self.wait(lambda: name in page.arguments and page.arguments[name].isVisible())
        editor = page.arguments[name].editor
        assert editor is not None
        self.type(editor.kind, "Number")
        line = editor.field("constant").focusProxy()
        assert line is not None
        self.wait(line.isVisible)
        self.press(line, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        self.type(line, number)
        self.press(line, Qt.Key.Key_Return)

    # -- what is seen

    def shown(self, name: str) -> str:
        """The number that the board writes beside a node."""
        return self.board.board_scene.node_items[self.node(name)].look.number

    def wait(self, until: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(until, timeout=10_000)

    def wait_for_numbers(self) -> None:
        self.wait(lambda: self.bench.workspace.results_are_current)


@pytest.fixture
def person(bench: Workbench, qtbot: QtBot) -> Person:
    """Return somebody before the start page, at a screen of the usual size."""
    bench.window.resize(1440, 900)
    return Person(bench, qtbot)


def executor_number(person: Person, name: str) -> str:
    """The number that the executor view writes beside one of its nodes."""
    scene = person.parts.executor.executor_scene
    return next(item.look.number for item in scene.items_by_index if item.look.title == name)


def test_draw_e_is_a_times_b_plus_d_bind_and_read_11(person: Person) -> None:
    person.new_board()
    for name, x, y in (("A", -120.0, -120.0), ("B", 0.0, -120.0), ("D", 80.0, 0.0)):
        before = set(person.bench.workspace.document.nodes)
        person.add_at("variable", x, y)
        (made,) = set(person.bench.workspace.document.nodes) - before
        person.rename(person.bench.workspace.document.nodes[made].name, name)

    # a wire into the empty board brings what fits, and wires it
    person.drag(person.port("A"), person.pixel(-64.0, 0.0))
    person.search("*")
    (product,) = (
        node for node in person.bench.workspace.document.nodes.values() if node.op == "elemwise_mul"
    )
    person.rename(product.name, "C")
    person.drag(person.port("B"), person.place_of("C"))

    # and the second operator by keyboard, with both its wires by mouse
    person.add_at("+", 0.0, 120.0)
    (total,) = (node for node in person.bench.workspace.document.nodes.values() if node.op == "elemwise_add")
    person.rename(total.name, "E")
    person.drag(person.port("C"), person.place_of("E"))
    person.drag(person.port("D"), person.place_of("E"))
    assert len(person.bench.workspace.document.edges) == 4

    for name, number in (("A", "10"), ("B", "1"), ("D", "1")):
        person.bind_number(name, number)
    person.press(person.bench.window, Qt.Key.Key_F5)
    person.wait_for_numbers()

    assert person.shown("E") == "11"
    assert executor_number(person, "E") == "11"
    person.wait(lambda: "E = C + D" in person.parts.code.view.toPlainText())
    assert "C = A * B" in person.parts.code.view.toPlainText()


def test_everything_of_the_first_journey_can_be_undone_and_done_again(person: Person) -> None:
    person.new_board()
    person.add_at("variable", 0.0, 0.0)
    (variable,) = person.bench.workspace.document.nodes.values()
    person.drag(person.port(variable.name), person.pixel(40.0, 120.0))
    person.search("square")
    drawn = person.bench.workspace.document
    ctrl = Qt.KeyboardModifier.ControlModifier
    while person.bench.workspace.store.can_undo:
        person.press(person.board, Qt.Key.Key_Z, ctrl)
    assert not person.bench.workspace.document.nodes

    while person.bench.workspace.store.can_redo:
        person.press(person.board, Qt.Key.Key_Z, ctrl | Qt.KeyboardModifier.ShiftModifier)
    assert person.bench.workspace.document == drawn


def open_example(person: Person, entry: str) -> None:
    """Click a card of the start page."""
    card = next(card for card in person.parts.start_page.cards if card.entry.id == entry)
    with person.qtbot.waitSignal(person.bench.files.opened, timeout=10_000):
        person.qtbot.mouseClick(card, LEFT)
    person.wait_for_numbers()


def test_the_gradient_picture_gives_ga_4(person: Person) -> None:
    open_example(person, "executor-backward")
    person.press(person.bench.window, Qt.Key.Key_F6)
    person.wait(lambda: bool(person.board.board_scene.node_items[person.node("A")].look.gradient_number))

    assert person.shown("E") == "20"
    assert person.board.board_scene.node_items[person.node("A")].look.gradient_number == "4"
    assert executor_number(person, "d(A)") == "4"
    assert executor_number(person, "d(E)") == "2"
    results = person.bench.workspace.results
    assert results is not None
    gradient = results.argument_gradient("A")
    assert gradient is not None and gradient.tolist() == [4.0]
    assert results.argument_gradient("B") is None


def run_file(path: Path) -> str:
    """Run a Python file on its own, away from the project."""
    answer = subprocess.run(
        [sys.executable, path.name], cwd=path.parent, capture_output=True, text=True, check=False, timeout=120
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


@pytest.mark.parametrize("language", ["numpy", "torch"])
def test_the_digits_mlp_is_exported_and_gives_the_same_numbers(
    person: Person, answers: Answers, tmp_path: Path, language: str
) -> None:
    if language == "torch" and importlib.util.find_spec("torch") is None:
        pytest.skip("torch is not installed")
    open_example(person, "digits-mlp")
    person.press(person.bench.window, Qt.Key.Key_F6)
    person.wait(lambda: getattr(person.bench.workspace.results, "stage", "") == "backward")
    results = person.bench.workspace.results
    assert results is not None

    answers.save_path = tmp_path / "digits.py"
    with person.qtbot.waitSignal(person.bench.exports.written, timeout=30_000) as written:
        person.bench.actions.trigger(f"export_{language}")
    assert answers.asked == ["digits_with_an_mlp.py"]
    assert written.args[0][0] == answers.save_path

    said = run_file(answers.save_path)
    assert "7 of 7" in said and "softmax_output" in said
    with np.load(tmp_path / "digits_numbers.npz") as stored:
        np.testing.assert_array_equal(stored["output:softmax_output"], results.outputs[0])
        for name in ("fc1_weight", "fc2_bias", "fc3_weight"):
            np.testing.assert_array_equal(stored[f"grad:{name}"], results.argument_gradient(name))


def test_a_document_is_saved_closed_reopened_and_is_the_same(
    person: Person, application: Application, answers: Answers, qtbot: QtBot, tmp_path: Path
) -> None:
    open_example(person, "executor-backward")
    person.drag(person.place_of("D"), person.place_of("D") + QPoint(40, 0))
    answers.save_path = tmp_path / "gradient.chalk"
    person.press(person.bench.window, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    first = answers.save_path.read_bytes()
    drawn = person.bench.workspace.document
    person.wait(lambda: person.bench.window.windowTitle() == "gradient.chalk[*] – Chalkgraph")
    assert not person.bench.window.isWindowModified()
    person.bench.window.close()
    assert application.windows == []

    application.open_window(answers.save_path)
    qtbot.waitUntil(lambda: bool(application.benches) and application.benches[0].has_document, timeout=20_000)
    bench = application.benches[0]
    again = Person(bench, qtbot)
    again.wait_for_numbers()
    assert bench.workspace.document == drawn
    assert bench.workspace.settings.recent_files == (answers.save_path,)
    assert again.shown("E") == "20"

    again.press(bench.window, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    assert answers.save_path.read_bytes() == first
    again.bind_number("A", "7")
    again.wait(lambda: again.shown("E") == "14")
    bench.actions.trigger("undo")
    again.wait(lambda: again.shown("E") == "20")
    again.press(bench.window, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    assert answers.save_path.read_bytes() == first

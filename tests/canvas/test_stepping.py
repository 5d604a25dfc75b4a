"""What stepping marks on both graphs, and that a large graph is followed and not drawn anew."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QGraphicsScene
from pytestqt.qtbot import QtBot

from app.canvas import executor_scene, heat
from app.canvas.executor_scene import ExecutorScene
from app.canvas.hits import Hit
from app.canvas.scene import BoardScene
from app.canvas.telling import accessible_sentence, tip_for
from app.document.edits import delete, move, set_binding
from app.document.records import Binding
from app.qt.workspace import Workspace
from app.services.gallery import open_entry
from tests.residual import residual


@pytest.fixture
def scenes(workspace: Workspace) -> Iterator[tuple[BoardScene, ExecutorScene]]:
    """Return both scenes of a picture of the tutorial, A · B · D with the gradient of A."""
    workspace.load(open_entry("executor-backward"))
    board, executor = BoardScene(workspace), ExecutorScene(workspace)
    yield board, executor
    executor.shutdown()
    for scene in (board, executor):
        scene.deleteLater()


def step(workspace: Workspace, qtbot: QtBot, *ways: str) -> None:
    for way in ways:
        with qtbot.waitSignal(workspace.results_changed, timeout=5000):
            getattr(workspace, way)()


def at(scene: QGraphicsScene, place: QPointF) -> QColor:
    """Return the colour that a scene paints at a place."""
    image = QImage(3, 3, QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    painter = QPainter(image)
    scene.render(painter, QRectF(0, 0, 3, 3), QRectF(place.x() - 1.5, place.y() - 1.5, 3, 3))
    painter.end()
    return image.pixelColor(1, 1)


def node(workspace: Workspace, name: str) -> str:
    return next(found.id for found in workspace.document.nodes.values() if found.name == name)


def test_the_board_marks_what_was_computed_what_comes_and_what_is_done(
    scenes: tuple[BoardScene, ExecutorScene], workspace: Workspace, qtbot: QtBot
) -> None:
    board, _ = scenes
    a, b, c, d, e = (node(workspace, name) for name in "ABCDE")
    step(workspace, qtbot, "step")
    assert (set(board.marks.current), set(board.marks.coming)) == ({c}, {e})
    assert (set(board.marks.read), dict(board.marks.done)) == ({a, b}, {c: 1})
    assert board.node_items[c].look.number == "10" and not board.node_items[e].look.number
    step(workspace, qtbot, "step")
    assert board.node_items[e].look.number == "20"
    step(workspace, qtbot, "step_back")
    assert board.node_items[e].look.number == "" and board.node_items[c].look.number == "10"
    step(workspace, qtbot, "step", "step")
    assert (set(board.marks.current), set(board.marks.coming)) == ({e}, {c})
    assert dict(board.marks.done) == {c: 1, e: 2}, "forward and backward"
    assert set(board.marks.read) == {d}, "what flows in stands at the node itself"
    step(workspace, qtbot, "step")
    assert dict(board.marks.done) == {c: 2, e: 2, a: 1}, "the gradient of A is written"
    step(workspace, qtbot, "stop")
    assert not board.marks


def test_the_executor_graph_marks_arrays_and_shows_what_is_not_computed_yet(
    scenes: tuple[BoardScene, ExecutorScene], workspace: Workspace, qtbot: QtBot
) -> None:
    _, executor = scenes
    step(workspace, qtbot, "step", "step", "step")
    assert executor.graph is not None
    names = {found.index: found.name for found in executor.graph.nodes}
    marks = executor._marks.marks

    def named(indices: object) -> set[str]:
        return {names[index] for index in indices}  # type: ignore[attr-defined]

    assert (named(marks.current), named(marks.coming)) == ({"d(C)"}, {"d(A)"})
    assert named(marks.read) == {"D", "d(E)"} and named(marks.waiting) == {"d(A)"}
    assert named(marks.done) == {"C", "E", "d(C)"}
    assert {(names[one], names[other]) for one, other in marks.ways} == {("D", "d(C)"), ("d(E)", "d(C)")}
    looks = {item.look.title: item.look.number for item in executor.items_by_index}
    assert looks["d(C)"] == "4" and looks["d(A)"] == ""


def test_the_marks_are_painted_each_in_its_own_form(
    scenes: tuple[BoardScene, ExecutorScene], workspace: Workspace, qtbot: QtBot
) -> None:
    board, executor = scenes
    for name in ("A", "C"):
        workspace.toggle_breakpoints([node(workspace, name)])
    step(workspace, qtbot, "step")
    theme = workspace.theme
    body = board.node_items[node(workspace, "C")].body_box()
    ring = body.center() - QPointF(body.width() / 2 + 6.5, 0)
    assert at(board, ring) == theme.accent
    corner = QPointF(0.36 * body.width(), 0.36 * body.height())
    assert at(board, body.center() + corner + QPointF(-4.5, 2.5)) == theme.good, "a tick's disc"
    assert at(board, body.center() - corner + QPointF(5.5, 0)) == theme.error, "an octagon"
    square = executor.items_by_index[5].box
    assert at(executor, square.center() + QPointF(6, 6)).lightness() > theme.picture.internal.lightness() + 20


def test_marks_follow_a_node_that_is_moved_and_go_with_one_that_is_gone(
    scenes: tuple[BoardScene, ExecutorScene], workspace: Workspace
) -> None:
    board, _ = scenes
    key = node(workspace, "D")
    workspace.toggle_breakpoints([key])
    workspace.commit(move(workspace.document, {key: (2000.0, 0.0)}))
    layer = board._steps._layers[0]
    assert layer.boundingRect().contains(board.node_items[key].body_box())
    workspace.commit(delete(workspace.document, {key}))
    assert layer.boundingRect().isEmpty()
    workspace.undo()
    assert layer.boundingRect().contains(board.node_items[key].body_box())


def test_marks_are_said_too(
    scenes: tuple[BoardScene, ExecutorScene], workspace: Workspace, qtbot: QtBot
) -> None:
    board, _ = scenes
    workspace.toggle_breakpoints([node(workspace, "E")])
    step(workspace, qtbot, "step")
    assert "forward done, computed last" in accessible_sentence(board, node(workspace, "C"))
    assert "computed next, breakpoint" in accessible_sentence(board, node(workspace, "E"))
    assert "not computed yet" in tip_for(board, Hit("node", node(workspace, "E")))
    step(workspace, qtbot, "step", "step", "step")
    assert "gradient done" in accessible_sentence(board, node(workspace, "A"))


def test_a_large_executor_graph_is_followed_and_not_drawn_anew(
    workspace: Workspace, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor_scene, "LARGE", 40)
    document = residual()
    workspace.load(set_binding(document, Binding("data", shape=(1, 3, 8, 8))).apply(document))
    scene = ExecutorScene(workspace)
    step(workspace, qtbot, "step")
    qtbot.waitUntil(lambda: bool(scene.items_by_index) and not scene.is_behind, timeout=20_000)
    qtbot.waitUntil(lambda: bool(scene._marks.marks.current), timeout=5000)
    drawn: list[int] = []
    monkeypatch.setattr(scene.drawing, "change_to", lambda *_args, **_words: drawn.append(1) or iter(()))
    assert scene.graph is not None
    for way, at in (("step", 2), ("step", 3), ("step_back", 2), ("step", 3), ("step", 4)):
        step(workspace, qtbot, way)
        moment = workspace.results.moment if workspace.results is not None else None
        assert moment is not None and moment.at == at
        assert set(scene._marks.marks.current) == set(moment.current.nodes if moment.current else ())
        for index, item in enumerate(scene.items_by_index):
            array = workspace.results.exec_value(index)  # type: ignore[union-attr]
            assert item.look.has_heat == (array is not None and array.size > 1)
    assert not drawn
    scene.shutdown()
    scene.deleteLater()


def test_pictures_of_arrays_are_kept_from_step_to_step(
    scenes: tuple[BoardScene, ExecutorScene],
    workspace: Workspace,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    workspace.load(open_entry("executor-aux-state"))
    board, executor = scenes
    step(workspace, qtbot, "step")
    made: list[int] = []
    real = heat.heat_of
    for module in (heat, __import__("app.canvas.heat_store", fromlist=["heat_of"])):
        monkeypatch.setattr(module, "heat_of", lambda *args, **words: made.append(1) or real(*args, **words))
    assert executor.graph is not None
    names = {found.name: str(found.index) for found in executor.graph.nodes}

    def look() -> tuple[object, object]:
        value = board.kit.heats.heat(node(workspace, "bn"), "output")
        return value, executor.kit.heats.heat(names["bn_moving_mean"], "output")

    value, state = look()
    assert value is not None and state is not None and len(made) == 2
    step(workspace, qtbot, "step")
    later = look()
    assert later[0] is value and later[1] is not state, "only the state has changed in backward"
    assert len(made) == 3

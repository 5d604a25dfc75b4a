"""The executor graph of a large model: laid out by a worker, drawn in slices, and the same as one drawn at once."""

import threading
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from app.canvas import executor_scene
from app.canvas.executor_scene import BEING_LAID_OUT, ExecutorScene
from app.canvas.executor_view import ExecutorView
from app.document.edits import delete, move, set_binding, set_param
from app.document.records import Binding, Document, Id
from app.engine import gradient
from app.qt.workspace import Workspace
from app.services.gallery import open_entry
from app.services.import_symbol import document_from_symbol
from bench.nets import resnet20


@pytest.fixture
def net(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Return a workspace with a residual net, which is taken for a large one to keep the tests short."""
    monkeypatch.setattr(executor_scene, "LARGE", 40)
    document = document_from_symbol(resnet20().symbol, title="net")
    workspace.load(set_binding(document, Binding("data", shape=(2, 3, 32, 32))).apply(document))
    return workspace


@pytest.fixture
def scene(net: Workspace, qtbot: QtBot) -> Iterator[ExecutorScene]:
    """Return the scene of the net, drawn."""
    made = ExecutorScene(net)
    qtbot.waitUntil(lambda: bool(made.items_by_index) and not made.is_busy)
    yield made
    made.shutdown()
    made.deleteLater()


def seen(scene: ExecutorScene) -> tuple[Any, ...]:
    """Return all that a scene shows."""
    nodes = [
        (item.look, item.pos(), item.room, item.isVisible(), item.selected, item.hovered)
        for item in scene.items_by_index
    ]
    wires = {key: (wire.kind, wire.boundingRect(), wire.pale) for key, wire in scene.wires.items()}
    return nodes, wires, scene.content_box(), scene.summary, scene.hint, len(scene.items()), scene.node_ids


def named(workspace: Workspace, name: str) -> Id:
    return next(key for key, node in workspace.document.nodes.items() if node.name == name)


def without(document: Document, key: Id) -> Any:
    return delete(document, {key})


def test_the_engine_works_on_another_thread(
    net: Workspace, scene: ExecutorScene, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = []
    build = gradient.build_executor_graph
    monkeypatch.setattr(
        gradient,
        "build_executor_graph",
        lambda *given: threads.append(threading.current_thread()) or build(*given),
    )
    net.try_edit(set_param, named(net, "s1b1_one_conv"), "num_filter", "17")
    qtbot.waitUntil(lambda: bool(threads) and not scene.is_busy)
    assert threading.main_thread() not in threads


def test_a_large_graph_is_drawn_in_slices(
    net: Workspace, scene: ExecutorScene, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor_scene, "SLICE_S", 0.0)
    turns = []
    scene._slice.timeout.connect(lambda: turns.append(1))
    net.try_edit(move, {named(net, "s3b3_two_conv"): (-300.0, 900.0)})
    qtbot.waitUntil(lambda: bool(turns) and not scene.is_busy)
    assert len(turns) > len(scene.items_by_index)  # each node had a turn of its own, and so had wires


@pytest.mark.parametrize("kind", ["setting", "place", "shorter", "longer", "style"])
def test_what_was_followed_is_what_is_drawn_from_scratch(
    net: Workspace, scene: ExecutorScene, qtbot: QtBot, kind: str
) -> None:
    from app.document.edits import set_options

    start = scene.picture
    conv = named(net, "s2b2_one_conv")
    net.select({conv, named(net, "s3b3_two_bn")})
    scene.hover(scene.items_by_index[0])
    match kind:
        case "setting":
            net.try_edit(set_param, conv, "no_bias", "False")
        case "place":
            net.try_edit(move, {conv: (-300.0, 900.0)})
        case "shorter":
            net.try_edit(without, named(net, "s3b3_two_bn"))
        case "longer":
            net.try_edit(without, named(net, "s3b3_two_bn"))
            qtbot.waitUntil(lambda: scene.picture is not start and not scene.is_busy)
            start = scene.picture
            net.store.undo()
        case "style":
            net.try_edit(set_options, style="picture")
    qtbot.waitUntil(lambda: scene.picture is not start and not scene.is_busy)
    fresh = ExecutorScene(net)
    qtbot.waitUntil(lambda: bool(fresh.items_by_index) and not fresh.is_busy)
    assert seen(scene) == seen(fresh)
    fresh.shutdown()
    fresh.deleteLater()


def test_no_two_tiles_stand_on_each_other(scene: ExecutorScene) -> None:
    """The parts of the gradient of what is read twice, as in every unit of this net, have to find room."""
    boxes = [(item.look.title, item.box) for item in scene.items_by_index]
    assert len(boxes) > 200
    assert any(" via " in title for title, _ in boxes)
    over = [
        (one, other) for (one, box), (other, next_box) in combinations(boxes, 2) if box.intersects(next_box)
    ]
    assert not over


def test_an_edit_while_it_is_drawn_is_taken_up_afterwards(
    net: Workspace, scene: ExecutorScene, qtbot: QtBot
) -> None:
    conv = named(net, "s1b1_one_conv")
    scene._steps = iter([None] * 3)  # still drawing
    net.try_edit(move, {conv: (-700.0, -700.0)})
    scene.refresh()
    assert scene.is_busy
    before = scene.picture
    scene._go_on()
    qtbot.waitUntil(lambda: scene.picture is not before and not scene.is_busy)
    fresh = ExecutorScene(net)
    qtbot.waitUntil(lambda: bool(fresh.items_by_index) and not fresh.is_busy)
    assert seen(scene) == seen(fresh)
    fresh.shutdown()
    fresh.deleteLater()


def test_a_small_document_after_a_large_one_is_not_overtaken_by_its_answer(
    net: Workspace, qtbot: QtBot
) -> None:
    scene = ExecutorScene(net)
    assert scene.is_busy
    net.load(open_entry("executor-backward"))
    qtbot.waitUntil(lambda: not scene.is_busy)
    assert [item.look.title for item in scene.items_by_index][:2] == ["a", "b"]
    scene.shutdown()
    scene.deleteLater()


def test_the_view_says_that_a_large_graph_is_being_laid_out(net: Workspace, qtbot: QtBot) -> None:
    view = ExecutorView(net)
    view.resize(500, 400)
    view.show()
    assert view.executor_scene.hint == BEING_LAID_OUT
    qtbot.waitUntil(lambda: not view.executor_scene.is_busy)
    assert not view.executor_scene.hint
    assert view.seen_box().intersects(view.content_box())
    view.shutdown()
    view.close()
    view.deleteLater()
    view.executor_scene.deleteLater()


def test_a_small_document_after_a_large_one_fills_the_view(net: Workspace, qtbot: QtBot) -> None:
    view = ExecutorView(net)
    view.resize(500, 400)
    view.show()
    qtbot.waitUntil(lambda: not view.executor_scene.is_behind)
    far = view.zoom
    net.load(open_entry("executor-backward"))
    qtbot.waitUntil(lambda: not view.executor_scene.is_behind)
    assert view.seen_box().contains(view.content_box())
    assert view.zoom > 3 * far
    view.shutdown()
    view.close()
    view.deleteLater()
    view.executor_scene.deleteLater()


def test_what_is_selected_may_change_while_it_is_drawn(
    net: Workspace, scene: ExecutorScene, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor_scene, "SLICE_S", 0.0)
    start = scene.picture
    turns = []

    def choose() -> None:
        turns.append(1)
        if len(turns) % 8 == 0:
            nodes = [*net.document.nodes]
            net.select({nodes[len(turns) % len(nodes)]} if len(turns) % 3 else set(nodes))

    scene._slice.timeout.connect(choose)
    net.try_edit(without, named(net, "s3b3_two_bn"))
    qtbot.waitUntil(lambda: scene.picture is not start and not scene.is_busy, timeout=20_000)
    assert len(turns) > 5 * 8
    fresh = ExecutorScene(net)
    qtbot.waitUntil(lambda: bool(fresh.items_by_index) and not fresh.is_busy, timeout=20_000)
    assert seen(scene) == seen(fresh)
    fresh.shutdown()
    fresh.deleteLater()

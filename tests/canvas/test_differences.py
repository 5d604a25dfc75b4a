"""After an edit the board shows what a board drawn from scratch shows, whether it was followed or not."""

import random
from typing import Any

import pytest
from PySide6.QtCore import QPointF, QRectF

from app.canvas.board_items import SMALL
from app.canvas.differences import differences
from app.canvas.node_items import NodeItem
from app.canvas.scene import BoardScene
from app.document.edits import (
    add_node,
    connect,
    delete,
    disconnect,
    move,
    rename,
    set_binding,
    set_options,
    set_param,
)
from app.document.records import Binding, Id
from app.engine.errors import EngineError
from app.qt.workspace import Workspace
from tests.residual import residual


@pytest.fixture(params=["card", "picture"])
def scene(workspace: Workspace, request: pytest.FixtureRequest) -> BoardScene:
    """Return a board with a residual net, in each style."""
    document = residual()
    workspace.load(set_options(document, style=request.param).apply(document))
    made = BoardScene(workspace)
    assert len(made.node_items) > SMALL
    return made


def node(workspace: Workspace, name: str) -> Id:
    return next(key for key, one in workspace.document.nodes.items() if one.name == name)


def words(item: NodeItem) -> list[tuple[str, str, QRectF]]:
    return [(label.role, label.words.text, label.box) for label in item.drawing.labels]


def shown(scene: BoardScene) -> dict[str, Any]:
    """Return everything that is drawn."""
    return {
        "nodes": {key: (item.look, item.pos(), words(item)) for key, item in scene.node_items.items()},
        "wires": {key: (item.look, item.way) for key, item in scene.edge_items.items()},
        "arguments": {key: (item.look, item.pos()) for key, item in scene.auto_items.items()},
        "selected": {key for key, wire in scene.edge_items.items() if wire.selected}
        | {key for key, item in scene.node_items.items() if item.state.selected},
    }


def edit(workspace: Workspace, chance: random.Random) -> None:
    """Edit as a hand does, and take some of it back."""
    document = workspace.document
    one = chance.choice([*document.nodes.values()])
    kind = chance.randrange(11)
    if kind == 0:
        workspace.undo()
    elif kind == 1:
        workspace.redo()
    elif kind == 2:
        workspace.commit(rename(document, one.id, f"{one.name}x"))
    elif kind == 3:
        shape = (chance.randrange(1, 5), 3, 16, 16)
        workspace.commit(set_binding(document, Binding("data", shape=shape)))
    elif kind == 4:
        workspace.select({one.id})
    elif kind == 7:
        workspace.commit(delete(document, {one.id}))
    elif kind == 8:
        workspace.commit(disconnect(document, chance.choice([*document.edges])))
    elif kind == 9:
        op = chance.choice(["Variable", "Convolution", "Group", "Concat"])
        workspace.commit(add_node(document, op, (chance.randrange(900), chance.randrange(900))).transaction)
    elif kind == 10:
        other = chance.choice([*document.nodes.values()])
        workspace.commit(connect(document, one.id, 0, other.id, chance.randrange(2)))
    else:
        conv = node(workspace, f"conv{chance.randrange(1, 20)}") if kind == 5 else one.id
        text = chance.choice(["8", "8", "16", "-1"])
        workspace.commit(set_param(document, conv, "num_filter", text))


@pytest.mark.parametrize("seed", range(2))
def test_a_followed_board_looks_like_one_drawn_from_scratch(
    scene: BoardScene, workspace: Workspace, seed: int
) -> None:
    chance = random.Random(seed)
    followed = 0
    for _ in range(25):
        before = workspace.analysis
        try:
            edit(workspace, chance)
        except (StopIteration, ValueError, EngineError):  # renamed away, or not to be had
            continue
        followed += differences(before, workspace.analysis) is not None
        assert shown(scene) == shown(fresh(scene))
    assert followed > 15


def fresh(scene: BoardScene) -> BoardScene:
    """Return a board drawn from scratch, with arguments at the sides where they are."""
    made = BoardScene(scene.workspace)
    made._show(None, scene.appearance.side_up)
    return made


def test_words_take_the_room_of_what_is_gone(workspace: Workspace) -> None:
    document = residual()
    document = delete(document, {*[*document.nodes][12:]}).apply(document)
    workspace.load(set_options(document, style="picture").apply(document))
    scene = BoardScene(workspace)
    assert scene._items.is_small
    before, gave_way = shown(scene), False
    x, y = workspace.document.nodes[node(workspace, "conv1")].position
    for place in ((x + 40, y), (x - 40, y), (x, y + 40), (x, y - 40)):
        added = add_node(workspace.document, "Activation", place)
        workspace.commit(added.transaction)
        gave_way |= any(shown(scene)["nodes"][key] != look for key, look in before["nodes"].items())
        workspace.commit(delete(workspace.document, {added.node_id}))
        assert shown(scene)["nodes"] == before["nodes"]
    assert gave_way


def test_words_look_around_for_everything_only_while_the_graph_is_small(workspace: Workspace) -> None:
    document = residual()
    document = delete(document, {*[*document.nodes][50:]}).apply(document)
    workspace.load(set_options(document, style="picture").apply(document))
    scene = BoardScene(workspace)
    assert not scene._items.is_small
    for _ in range(2):
        workspace.commit(disconnect(workspace.document, [*workspace.document.edges][-1]))
        assert shown(scene) == shown(fresh(scene))
    assert scene._items.is_small
    for _ in range(2):
        workspace.undo()
        assert shown(scene) == shown(fresh(scene))
    assert not scene._items.is_small


def test_words_take_the_room_of_arguments_that_are_hidden(scene: BoardScene, workspace: Workspace) -> None:
    for show_auto in (False, True):
        workspace.commit(set_options(workspace.document, show_auto=show_auto))
        assert shown(scene) == shown(fresh(scene))


def refreshes(scene: BoardScene, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    counts: list[int] = []
    refresh = BoardScene.refresh
    monkeypatch.setattr(BoardScene, "refresh", lambda self: (counts.append(1), refresh(self)))
    return counts


def test_edits_of_single_nodes_are_followed(
    scene: BoardScene, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = refreshes(scene, monkeypatch)
    conv = node(workspace, "conv9")
    workspace.commit(set_param(workspace.document, conv, "num_filter", "16"))
    workspace.commit(rename(workspace.document, conv, "other"))
    workspace.commit(set_binding(workspace.document, Binding("data", shape=(4, 3, 16, 16))))
    x, y = workspace.document.nodes[conv].position
    workspace.commit(move(workspace.document, {conv: (x + 8, y + 8)}))
    assert counts == []
    assert scene.node_items[conv].pos() == QPointF(x + 8, y + 8)
    assert scene.node_items[conv].look.name == "other"
    workspace.commit(set_param(workspace.document, conv, "no_bias", "True"))
    workspace.commit(delete(workspace.document, {conv}))
    workspace.undo()
    assert counts == []
    workspace.load(set_options(workspace.document, style="card").apply(workspace.document))
    workspace.commit(set_options(workspace.document, style="picture"))
    assert counts, "in another style everything looks otherwise"


def test_the_board_from_far_away_follows_when_it_is_looked_at(
    scene: BoardScene, workspace: Workspace
) -> None:
    conv = node(workspace, "conv9")
    workspace.commit(move(workspace.document, {conv: (-5000.0, 40.0)}))
    scene.set_scale(0.05)
    assert scene.is_far
    assert scene._items.far.boundingRect().left() < -5000
    workspace.commit(move(workspace.document, {conv: (-9000.0, 40.0)}))
    assert scene._items.far.boundingRect().left() < -9000

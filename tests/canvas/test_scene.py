"""The board follows the workspace, and what it paints has the pictures' colours."""

from itertools import combinations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QStyleOptionGraphicsItem

from app.canvas import strokes
from app.canvas.auto_items import AutoItem
from app.canvas.edge_items import EdgeItem
from app.canvas.far_layer import FarLayer
from app.canvas.geometry import geometry_of
from app.canvas.hits import Hit
from app.canvas.node_items import NodeItem
from app.canvas.scene import BoardScene
from app.canvas.telling import accessible_sentence, tip_for
from app.document.edits import move, set_binding, set_head_gradient, set_options, set_param
from app.document.records import Binding, Document, Edge, Node
from tests.scene_pictures import picture_of, whole_picture_of


@pytest.fixture
def scene(workspace):
    made = BoardScene(workspace)
    yield made
    made.deleteLater()


@pytest.fixture
def gradient_picture(workspace, draw):
    """E = (A * B) * D with a = 10, b = 1, d = 2, and d(E) = 2, asking for the gradient of A alone."""
    a, b = draw.node("Variable", -96, -120, "A"), draw.node("Variable", 96, -120, "B")
    d = draw.node("Variable", 192, 0, "D")
    c, e = draw.node("_mul", 0, 0, "C"), draw.node("_mul", 96, 120, "E")
    for source, target, number in ((a, c, 0), (b, c, 1), (c, e, 0), (d, e, 1)):
        draw.wire(source, target, number)
    for name, value, request in (("A", "10", "write"), ("B", "1", "null"), ("D", "2", "null")):
        workspace.try_edit(set_binding, Binding(name, "constant", value, request=request))
    workspace.try_edit(set_head_gradient, "E_output", "2")
    return a, b, c, d, e


@pytest.fixture
def layer(workspace, draw):
    """data of (5, 7) into fc1 with 3 hidden units."""
    data, fc = (
        draw.node("Variable", 0, -120, "data"),
        draw.node("FullyConnected", 0, 0, "fc1", num_hidden="3"),
    )
    draw.wire(data, fc, 0)
    workspace.try_edit(set_binding, Binding("data", "initializer", "normal(1)", shape=(5, 7)))
    return data, fc


def run(workspace, qtbot, stage):
    with qtbot.waitSignal(workspace.results_changed, timeout=10000):
        getattr(workspace, stage)()
    qtbot.waitUntil(lambda: not workspace.is_running)


def pixels(image):
    """The colours of a picture as an array of whole numbers, as `QColor.rgba` gives them."""
    exact = image.convertToFormat(QImage.Format.Format_ARGB32)
    rows = np.frombuffer(exact.constBits(), np.uint32).reshape(exact.height(), exact.bytesPerLine() // 4)
    return rows[:, : exact.width()].copy()


def colours(image):
    """The colours of a picture, by how many pixels have them."""
    found, counts = np.unique(pixels(image), return_counts=True)
    return dict(zip(found.tolist(), counts.tolist(), strict=True))


def around(scene, place, reach=4):
    """A few pixels around a place of the board."""
    return colours(picture_of(scene, QRectF(place.x() - reach, place.y() - reach, 2 * reach, 2 * reach)))


def share(scene, place, colour):
    found = around(scene, place)
    return found.get(QColor(colour).rgb(), 0) / sum(found.values())


# One light item for everything -----------------------------------------------------------------------------------


def test_there_is_one_item_for_every_node_wire_and_argument_and_no_child(scene, workspace, layer):
    _data, _fc = layer
    items = scene.items()
    assert sum(isinstance(item, NodeItem) for item in items) == 2
    assert sum(isinstance(item, EdgeItem) for item in items) == 1
    assert sum(isinstance(item, AutoItem) for item in items) == 2
    assert sum(isinstance(item, FarLayer) for item in items) == 1
    assert len(items) == 6
    assert all(item.parentItem() is None and item.graphicsEffect() is None for item in items)


def test_a_load_replaces_everything(scene, workspace, layer):
    workspace.load(Document(nodes={"n1": Node("n1", "Variable", "x", (40, 50))}))
    assert list(scene.node_items) == ["n1"]
    assert scene.node_items["n1"].pos() == QPointF(40, 50)
    assert not scene.edge_items
    assert not scene.auto_items
    assert len(scene.items()) == 2


def test_an_edit_keeps_the_items_that_it_does_not_concern(scene, workspace, draw, layer):
    data, _fc = layer
    before = scene.node_items[data]
    draw.node("Variable", 300, 0)
    assert scene.node_items[data] is before


def test_a_parameter_changes_shapes_and_summary_at_once(scene, workspace, layer):
    _data, fc = layer
    assert scene.node_items[fc].look.outputs[0].text == "(5, 3)"
    workspace.try_edit(set_param, fc, "num_hidden", "11")
    assert scene.node_items[fc].look.outputs[0].text == "(5, 11)"
    assert scene.auto_items[fc, 1].look.shape.text == "(11, 7)"
    workspace.undo()
    assert scene.auto_items[fc, 1].look.shape.text == "(3, 7)"


def test_a_wrong_parameter_is_shown_instead_of_one_that_stands_in(scene, workspace, layer):
    _data, fc = layer
    workspace.try_edit(set_param, fc, "num_hidden", "many")
    assert scene.node_items[fc].look.summary == "num_hidden many ?"
    workspace.try_edit(set_param, fc, "num_hidden", None)
    assert scene.node_items[fc].look.summary == "num_hidden ?"
    workspace.undo()
    workspace.undo()
    assert scene.node_items[fc].look.summary == "3"


def test_shapes_are_upright_when_given_slanted_when_inferred_and_a_mark_when_unknown(
    scene, workspace, layer, draw
):
    _data, fc = layer
    edge = next(iter(scene.edge_items.values()))
    assert (edge.look.shape.text, edge.look.shape.slanted) == ("(5, 7)", False)
    assert scene.auto_items[fc, 1].look.shape.slanted
    workspace.try_edit(set_binding, Binding("data"))
    edge = next(iter(scene.edge_items.values()))
    assert edge.look.shape.text == "?"


def test_hiding_automatic_arguments(scene, workspace, layer):
    workspace.try_edit(set_options, show_auto=False)
    assert not scene.auto_items
    workspace.undo()
    assert len(scene.auto_items) == 2


def test_names_of_automatic_arguments_are_those_of_mxnet(scene, layer):
    _data, fc = layer
    assert scene.auto_items[fc, 1].look.name == "fc1_weight"
    assert scene.auto_items[fc, 2].look.name == "fc1_bias"


def test_an_auxiliary_state_is_one_of_its_own_kind(scene, draw):
    bn = draw.node("BatchNorm", 0, 0, "bn")
    roles = {look.look.name: look.look.role for look in scene.auto_items.values()}
    assert roles["bn_moving_mean"] == roles["bn_moving_var"] == "auxiliary"
    assert roles["bn_gamma"] != "auxiliary"
    assert bn in scene.node_items


def test_wires_between_the_same_two_nodes_do_not_cover_each_other(scene, draw):
    a, square = draw.node("Variable", 0, -120), draw.node("_mul", 0, 0, "sq")
    one, other = draw.wire(a, square, 0), draw.wire(a, square, 1)
    first, second = scene.edge_items[one].way, scene.edge_items[other].way
    assert (first.middle - second.middle).manhattanLength() > 15


def test_no_words_of_a_small_graph_lie_on_each_other_or_on_a_wire(scene, workspace, qtbot, gradient_picture):
    from app.canvas.labels import line_meets_box

    run(workspace, qtbot, "forward")
    boxes = []
    for item in scene.node_items.values():
        boxes += [
            (item.look.name, label.role, label.box.translated(item.pos())) for label in item.drawing.labels
        ]
    for at, (name, role, box) in enumerate(boxes):
        for other, its, another in boxes[at + 1 :]:
            assert not box.adjusted(1, 1, -1, -1).intersects(another), (name, role, other, its)
        for edge in scene.edge_items.values():
            if role != "sign":
                assert not line_meets_box(edge.way.start, edge.way.end, box), (name, role)


@pytest.mark.parametrize("stage", ["forward", "backward"])
def test_words_and_heatmaps_of_a_small_network_lie_on_no_others(scene, workspace, qtbot, perceptron, stage):
    run(workspace, qtbot, stage)
    boxes = [
        (item.look.name, box.translated(item.pos()))
        for item in scene.node_items.values()
        for box in item.drawing.written
    ]
    assert sum(len(item.drawing.heats) for item in scene.node_items.values()) >= 5
    for (owner, box), (other, another) in combinations(boxes, 2):
        assert owner == other or not box.intersects(another), (owner, other)


# Problems --------------------------------------------------------------------------------------------------------


def test_a_clash_marks_node_and_wire_with_its_sentence(scene, workspace, draw):
    a, b, c = draw.node("Variable", -96, -96), draw.node("Variable", 96, -96), draw.node("_mul", 0, 48, "C")
    draw.wire(a, c, 0)
    wrong = draw.wire(b, c, 1)
    workspace.try_edit(set_binding, Binding("A", shape=(2, 3)))
    workspace.try_edit(set_binding, Binding("B", shape=(4, 5)))
    look = scene.node_items[c].look
    assert "(4, 5)" in look.problem
    assert scene.edge_items[wrong].look.problem
    assert "(4, 5)" in tip_for(scene, Hit("wire", edge=wrong))
    assert "(4, 5)" in tip_for(scene, Hit("node", c))
    badge = scene.node_items[c].pos() + scene.node_items[c].drawing.badge
    assert workspace.theme.error.rgb() in around(scene, badge, 6)
    line = scene.edge_items[wrong].way
    middle = (line.start + line.end) / 2
    assert workspace.theme.error.rgb() in around(scene, middle, 3)
    workspace.try_edit(set_binding, Binding("B", shape=(2, 3)))
    assert not scene.node_items[c].look.problem
    assert not scene.edge_items[wrong].look.problem


# Numbers ---------------------------------------------------------------------------------------------------------


def test_scalars_stand_beside_their_nodes_after_a_run(scene, workspace, qtbot, gradient_picture):
    a, _b, _c, _d, e = gradient_picture
    assert scene.node_items[e].look.number == ""
    run(workspace, qtbot, "forward")

    def written(node):
        return [label.words.text for label in scene.node_items[node].drawing.labels if label.role == "number"]

    assert scene.node_items[e].look.number == "20"
    assert written(a) == ["a = 10"]
    assert written(e) == [" = 20"]
    workspace.try_edit(set_binding, Binding("A", "constant", "7", request="write"))
    assert scene.node_items[e].look.is_stale
    run(workspace, qtbot, "forward")
    assert scene.node_items[e].look.number == "14"
    assert not scene.node_items[e].look.is_stale


def test_larger_arrays_get_a_heatmap_drawn_once_for_each_run(scene, workspace, qtbot, layer):
    _data, fc = layer
    run(workspace, qtbot, "backward")
    assert [which for which, _ in scene.node_items[fc].drawing.heats] == ["output", "gradient"]
    first = scene.heats.heat(fc, "output")
    assert scene.heats.heat(fc, "output") is first
    assert (first.image.width(), first.image.height()) == (3, 5)
    array = workspace.results.by_node(fc)
    assert first.low == pytest.approx(float(array.min()))
    assert scene.heats.heat(fc, "gradient").low == -scene.heats.heat(fc, "gradient").high
    run(workspace, qtbot, "forward")
    assert scene.heats.heat(fc, "output") is not first
    assert scene.heats.heat(fc, "gradient") is None


def test_the_ground_of_a_loud_number_lies_under_the_name_before_it(scene, workspace, qtbot, draw):
    a, log = draw.node("Variable", 0, -120, "A"), draw.node("log", 0, 0, "L")
    draw.wire(a, log, 0)
    workspace.try_edit(set_binding, Binding("A", "constant", "-1"))
    run(workspace, qtbot, "forward")
    item = scene.node_items[log]
    name = next(label.box for label in item.drawing.labels if label.role == "name").translated(item.pos())
    loud = workspace.theme.heat.not_a_number
    assert share(scene, QPointF(name.left(), name.center().y()), loud) > 0.2  # before its first letter
    assert QColor("#111111").rgb() in around(scene, name.center(), reach=9)  # which stands on it


def test_nan_is_loud_on_the_board(scene, workspace, qtbot, draw):
    a, log = draw.node("Variable", 0, -120, "A"), draw.node("log", 0, 0, "L")
    draw.wire(a, log, 0)
    workspace.try_edit(set_binding, Binding("A", "constant", "[-1, 1, 2]"))
    run(workspace, qtbot, "forward")
    assert scene.heats.heat(log, "output").alarm == "NaN"
    (_, box), *_ = scene.node_items[log].drawing.heats
    image = whole_picture_of(scene)
    assert colours(image).get(workspace.theme.heat.not_a_number.rgb(), 0) > 50
    assert box.isValid()
    assert "1 NaN" in tip_for(scene, Hit("node", log))


# Pictures --------------------------------------------------------------------------------------------------------


def test_picture_style_has_the_colours_of_the_pictures(scene, workspace, gradient_picture):
    a, _, c, _, e = gradient_picture
    picture = workspace.theme.picture
    assert share(scene, scene.node_items[a].pos(), picture.argument) == 1.0
    assert share(scene, scene.node_items[c].pos(), picture.operator) == 1.0
    tag = scene.node_items[e].place_of("tag")
    assert workspace.theme.accent_soft.rgb() in around(scene, tag.center(), 8)
    workspace.select({e})
    edge = scene.node_items[e].pos() + QPointF(20, 0)
    assert workspace.theme.accent.rgb() in around(scene, edge, 3)


def test_a_group_is_a_red_box_with_its_inputs_in_order(scene, workspace, draw):
    a, b, group = draw.node("Variable", -96, -96), draw.node("Variable", 96, -96), draw.node("Group", 0, 48)
    draw.wire(b, group, 0)
    draw.wire(a, group, 1)
    look = scene.node_items[group].look
    assert look.members == ("B", "A")
    box = scene.node_items[group].body_box()
    assert workspace.theme.picture.group.rgb() in around(scene, QPointF(box.left(), box.center().y()), 3)
    assert workspace.theme.picture.group.rgb() not in around(scene, box.center() - QPointF(6, 10), 2)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_card_style_paints_cards_with_header_ports_and_heatmaps(scene, workspace, qtbot, layer, theme):
    data, fc = layer
    workspace.theming.choose(theme)
    workspace.try_edit(set_options, style="card")
    run(workspace, qtbot, "backward")
    item = scene.node_items[fc]
    box = item.body_box()
    colours_now = workspace.theme
    assert box.width() == 192
    assert share(scene, QPointF(box.center().x(), box.top() + 8), colours_now.card_header) == 1.0
    assert share(scene, QPointF(box.center().x(), box.bottom() - 5), colours_now.card) > 0.6
    assert share(scene, scene.node_items[data].pos(), colours_now.picture.argument) == 1.0
    assert colours_now.port.rgb() in around(scene, QPointF(box.left(), box.center().y()), 3)
    heats = dict(item.drawing.heats)
    heat = scene.heats.heat(fc, "output")
    place = heat.fit(heats["output"]).translated(item.pos())
    cell = QPointF(place.left() + place.width() / 6, place.top() + place.height() / 10)
    assert QColor(heat.image.pixel(0, 0)).rgb() in around(scene, cell, 2)
    assert workspace.theme.canvas.rgb() == whole_picture_of(scene).pixel(2, 2)


def test_the_theme_changes_with_the_workspace(scene, workspace, layer):
    light = whole_picture_of(scene).pixel(2, 2)
    workspace.theming.choose("dark")
    assert whole_picture_of(scene).pixel(2, 2) == workspace.theme.canvas.rgb() != light


def test_far_away_everything_is_one_layer(scene, workspace, gradient_picture):
    scene.set_scale(0.2)
    visible = [item for item in scene.items(Qt.SortOrder.AscendingOrder) if item.isVisible()]
    assert [type(item) for item in visible] == [FarLayer]
    found = colours(whole_picture_of(scene, 0.2))
    picture = workspace.theme.picture
    assert found[picture.argument.rgb()] > 40
    assert found[picture.operator.rgb()] > 20
    scene.set_scale(1.0)
    assert sum(item.isVisible() for item in scene.items()) == len(scene.items()) - 1


def test_nothing_is_painted_outside_the_bounds_that_items_claim(scene, workspace, qtbot, layer):
    """What lies outside would leave traces when an item moves."""
    run(workspace, qtbot, "backward")
    for style in ("picture", "card"):
        workspace.try_edit(set_options, style=style)
        workspace.select(set(workspace.document.nodes))
        for item in (*scene.node_items.values(), *scene.edge_items.values(), *scene.auto_items.values()):
            image = QImage(700, 700, QImage.Format.Format_ARGB32)
            image.fill(0)
            painter = QPainter(image)
            painter.translate(350, 350)
            item.paint(painter, QStyleOptionGraphicsItem(), None)
            painter.end()
            bounds = item.boundingRect().translated(350, 350).toAlignedRect()
            painted = pixels(image) != 0
            assert painted.any(), (style, item)
            painted[bounds.top() : bounds.bottom() + 1, bounds.left() : bounds.right() + 1] = False
            assert not painted.any(), (style, item)


# Words -----------------------------------------------------------------------------------------------------------


def test_every_node_has_a_sentence(scene, workspace, qtbot, layer):
    data, fc = layer
    assert accessible_sentence(scene, fc) == (
        "FullyConnected fc1, inputs data 5×7 from data, weight 3×7, bias 3, output 5×3, bound as output 0, no errors"
    )
    assert accessible_sentence(scene, data) == "Variable data, shape 5×7, no errors"
    workspace.try_edit(set_binding, Binding("data"))
    assert "of unknown shape" in accessible_sentence(scene, fc)


def test_the_tip_of_a_node_has_shape_type_and_numbers(scene, workspace, qtbot, layer):
    _data, fc = layer
    assert "no numbers yet" in tip_for(scene, Hit("node", fc))
    run(workspace, qtbot, "backward")
    tip = tip_for(scene, Hit("node", fc))
    array = workspace.results.by_node(fc)
    assert "(5, 3) float32" in tip
    assert f"mean {float(array.mean()):.4g}".replace("-", "−") in tip
    assert "gradient" in tip
    assert "fc1_weight" in tip_for(scene, Hit("argument", fc, 1))
    workspace.try_edit(set_param, fc, "no_bias", "True")
    assert "not run since the last edit" in tip_for(scene, Hit("node", fc))


# Clicks on shapes ------------------------------------------------------------------------------------------------


def test_a_click_on_a_shape_asks_why(board, mouse, qtbot, workspace, layer):
    _data, fc = layer
    edge = next(iter(board.board_scene.edge_items.values()))
    place = edge.text_box.center()
    with qtbot.waitSignal(board.shape_clicked) as clicked:
        mouse.click(place.x(), place.y())
    assert clicked.args[0].edge == edge.look.id
    auto = board.board_scene.auto_items[fc, 1]
    place = auto.text_box.center() + QPointF(0, auto.text_box.height() / 4)
    with qtbot.waitSignal(board.shape_clicked) as clicked:
        mouse.click(place.x(), place.y())
    assert (clicked.args[0].node, clicked.args[0].input) == (fc, 1)
    place = board.board_scene.node_items[fc].place_of("shape").center()
    with qtbot.waitSignal(board.shape_clicked) as clicked:
        mouse.click(place.x(), place.y())
    assert (clicked.args[0].node, clicked.args[0].output) == (fc, 0)


# Larger boards ---------------------------------------------------------------------------------------------------


def test_moves_in_a_large_graph_leave_the_looks_alone_and_the_picture_right(scene, workspace, draw):
    """Beyond the small size a move takes a shorter way; it must end where the long one does."""
    nodes = {f"n{i}": Node(f"n{i}", "negative", f"m{i}", (0, i * 96)) for i in range(80)}
    nodes["n0"] = Node("n0", "Variable", "x", (0, 0))
    edges = {f"e{i}": Edge(f"e{i}", f"n{i - 1}", 0, f"n{i}", 0) for i in range(1, 80)}
    workspace.load(Document(nodes=nodes, edges=edges))
    look = scene.node_items["n40"].look
    workspace.try_edit(move, {"n40": (240.0, 3840.0)})
    assert scene.node_items["n40"].look is look
    assert scene.node_items["n40"].pos() == QPointF(240, 3840)
    ways = {key: edge.way for key, edge in scene.edge_items.items()}
    assert scene.document is workspace.document
    scene.refresh()
    assert {key: edge.way for key, edge in scene.edge_items.items()} == ways
    workspace.undo()
    assert scene.node_items["n40"].pos() == QPointF(0, 3840)


def test_the_sizes_for_a_layout_hold_everything_that_is_drawn(scene, workspace, layer):
    _data, _fc = layer
    for style in ("picture", "card"):
        workspace.try_edit(set_options, style=style)
        for key, (width, height) in scene.sizes().items():
            place = scene.node_items[key].pos()
            box = QRectF(place.x() - width / 2, place.y() - height / 2, width, height).adjusted(-1, -1, 1, 1)
            assert box.contains(scene.content_box([key]))


def test_the_board_says_what_its_small_pictures_are(board, workspace, qtbot, layer):
    assert board.summary == ""
    with qtbot.waitSignal(board.summary_changed, timeout=10000) as told:
        workspace.backward()
    assert told.args == ["heatmaps: output | gradient"] == [board.summary]
    qtbot.waitUntil(lambda: not workspace.is_running)


def test_a_pan_step_paints_only_what_comes_into_sight(board, workspace, qtbot, monkeypatch):
    """Scrolling moves the pixels that are there; painting all anew would cost ten times as much."""
    nodes = {f"n{i}": Node(f"n{i}", "Variable", f"v{i}", (i % 20 * 96.0, i // 20 * 72.0)) for i in range(400)}
    workspace.load(Document(nodes=nodes))
    board.show_centre(QPointF(960, 720))
    painted = []
    real = NodeItem.paint
    monkeypatch.setattr(
        NodeItem, "paint", lambda self, *rest: (painted.append(self.look.id), real(self, *rest))
    )

    def settle():
        painted.clear()
        qtbot.waitUntil(lambda: len(painted) > 0)
        return set(painted)

    board.viewport().update()
    seen = settle()
    assert len(seen) > 60
    board.scroll_by(QPoint(6, 0))
    assert 0 < len(settle()) < len(seen) / 2


@pytest.mark.parametrize("style", ["picture", "card"])
def test_names_can_be_read_as_long_as_a_card_is_fifty_pixels_wide(
    scene, workspace, layer, style, monkeypatch
):
    workspace.try_edit(set_options, style=style)
    scale, written = 52 / 192, {}
    monkeypatch.setattr(
        strokes,
        "paint_grown",
        lambda _painter, label, _foot, growth, _colour: written.update({label.words.text: growth}),
    )
    scene.set_scale(scale)
    assert not scene.is_far
    image = QImage(8, 8, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    for item in scene.node_items.values():
        item.paint(painter, QStyleOptionGraphicsItem(), None)
    painter.end()
    assert written.keys() == {"data", "fc1"}
    assert all(14 * growth * scale >= 8.0 for growth in written.values()), written
    for item in scene.node_items.values():
        assert item.boundingRect().contains(item.drawing.bounds)
    scene.set_scale(0.2)
    assert scene.is_far


def test_a_red_wire_says_what_came_and_what_was_wanted(scene, workspace, draw):
    a, b, c = draw.node("Variable", -96, -96), draw.node("Variable", 96, -96), draw.node("_mul", 0, 48, "C")
    draw.wire(a, c, 0)
    wrong = draw.wire(b, c, 1)
    workspace.try_edit(set_binding, Binding("A", shape=(2,)))
    workspace.try_edit(set_binding, Binding("B", shape=(3,)))
    assert scene.edge_items[wrong].look.shape.text == "(3) ≠ (2)"
    workspace.try_edit(set_binding, Binding("B", shape=(2,)))
    assert scene.edge_items[wrong].look.shape.text == "(2)"


@pytest.mark.parametrize("style", ["picture", "card"])
def test_heatmaps_of_an_older_run_are_pale(scene, workspace, qtbot, layer, style, monkeypatch):
    workspace.try_edit(set_options, style=style)
    run(workspace, qtbot, "forward")
    stale = set()
    monkeypatch.setattr(strokes, "paint_heat", lambda *_, stale=False, into=stale: into.add(stale))
    whole_picture_of(scene)
    assert stale == {False}
    stale.clear()
    workspace.try_edit(set_param, layer[1], "num_hidden", "4")
    whole_picture_of(scene)
    assert stale == {True}


def test_long_shapes_of_automatic_arguments_do_not_meet(scene, workspace, layer):
    workspace.try_edit(set_options, style="card")
    workspace.try_edit(set_param, layer[1], "num_hidden", "99999999")
    one, other = scene.auto_items.values()
    assert not one.text_box.intersects(other.text_box)


def test_the_tip_of_a_port_stays_above_it_and_away_from_a_busy_hand(board, mouse, layer, monkeypatch):
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QHelpEvent
    from PySide6.QtWidgets import QApplication, QToolTip

    shown = []
    monkeypatch.setattr(QToolTip, "showText", lambda place, text, _widget: shown.append((place, text)))
    item = board.board_scene.node_items[layer[0]]
    port = item.pos() + geometry_of(item.style).outputs(item.look.shape)[0].point
    place = board.mapFromScene(port)
    there = board.viewport().mapToGlobal(place)
    QApplication.sendEvent(board.viewport(), QHelpEvent(QEvent.Type.ToolTip, place, there))
    assert shown[0][1]
    assert shown[0][0].y() < there.y() - 60
    mouse.press(port.x(), port.y())
    QApplication.sendEvent(board.viewport(), QHelpEvent(QEvent.Type.ToolTip, place, there))
    mouse.release()
    assert len(shown) == 1


@pytest.mark.parametrize("size", [(100, 768), (100000, 768000), (10**8, 10**8)])
def test_the_shape_on_a_wire_covers_no_automatic_argument(scene, workspace, draw, size):
    data = draw.node("Variable", 0, 0, "data")
    workspace.try_edit(set_binding, Binding("data", shape=size))
    layer = draw.node("FullyConnected", 0, 96, "fc", num_hidden="128")
    edge = draw.wire(data, layer, 0)
    text = scene.edge_items[edge].text_box
    assert not text.isEmpty()
    for auto in scene.auto_items.values():
        assert not text.intersects(auto.box)
    workspace.try_edit(set_binding, Binding("data", shape=(7, 7)))
    workspace.try_edit(set_binding, Binding("data", shape=size))
    assert scene.edge_items[edge].text_box == text


def test_the_line_around_a_selected_group_keeps_clear_of_its_name(board, draw):
    group, above = draw.node("Group", 0, 0, "both"), draw.node("relu", 0, -120)
    draw.wire(above, group, 0)
    item = board.board_scene.node_items[group]
    assert item.place_of("name").left() >= item.body_box().right() + 8


@pytest.mark.parametrize("style", ["picture", "card"])
def test_the_tip_of_a_node_covers_none_of_its_ports(board, workspace, layer, monkeypatch, style):
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QHelpEvent
    from PySide6.QtWidgets import QApplication, QToolTip

    shown = []
    monkeypatch.setattr(QToolTip, "showText", lambda place, text, _widget: shown.append((place, text)))
    workspace.try_edit(set_options, style=style)
    item = board.board_scene.node_items[layer[0]]
    place = board.mapFromScene(item.body_box().center())
    there = board.viewport().mapToGlobal(place)
    QApplication.sendEvent(board.viewport(), QHelpEvent(QEvent.Type.ToolTip, place, there))
    corner, text = shown[0]
    high = (text.count("<br>") + 1) * board.fontMetrics().lineSpacing()
    top = board.viewport().mapToGlobal(board.mapFromScene(item.body_box().topLeft())).y()
    assert text and corner.y() + high < top


@pytest.mark.parametrize("style", ["picture", "card"])
def test_an_opaque_node_looks_like_none_that_runs(scene, workspace, style):
    from app.services.import_symbol import document_from_symbol
    from app.services.symbol_json import read_symbol
    from tests.opaque_files import SENTENCE, opaque_file

    workspace.load(document_from_symbol(read_symbol(opaque_file())))
    workspace.try_edit(set_options, style=style)
    items = {item.look.name: item for item in scene.node_items.values()}
    look = items["q"].look
    assert look.is_opaque and not items["r"].look.is_opaque
    assert (look.operator, look.summary) == ("QConvolution", "kernel (3,3) · act_bit 1 · in x · lr_mult 3")
    assert [port.name for port in look.ports] == ["arg0", "arg1"]
    assert SENTENCE in accessible_sentence(scene, look.id)
    body = items["q"].body_box()
    edge = QRectF(body.left() + 20, body.top() - 1.5, body.width() - 40, 3)
    if style == "card":
        assert "can't run here" in [label.words.text for label in items["q"].drawing.labels]
        assert items["q"].drawing.heats == () != items["r"].drawing.heats
        assert len(changes_along(scene, edge)) > len(changes_along(scene, edge.translated(other(items)))) + 8
    else:
        assert share(scene, body.center(), scene.kit.ink.theme.text) > 0.05  # the sign ?
        assert share(scene, items["r"].body_box().center(), scene.kit.ink.theme.text) == 0


def other(items):
    """How far the node r is from the node q."""
    return items["r"].body_box().topLeft() - items["q"].body_box().topLeft()


def changes_along(scene, strip):
    """Where along a line of the board its darkest pixel changes much from one to the next."""
    darkest = (pixels(picture_of(scene, strip)) & 0xFF).min(axis=0).astype(int)
    return np.flatnonzero(np.abs(np.diff(darkest)) > 30)

"""The executor graph: what a bind makes of the drawing, in the pictures' language and with their numbers."""

from itertools import combinations

import pytest
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QStyleOptionGraphicsItem

from app.canvas import strokes
from app.canvas.executor_items import ring_of
from app.canvas.executor_looks import bytes_text, replace_names
from app.canvas.executor_plates import SQUARE, body_of
from app.canvas.executor_scene import ExecutorScene
from app.canvas.executor_view import ExecutorView
from app.canvas.labels import gap_between, line_meets_box
from app.document.edits import set_binding, set_head_gradient, set_param
from app.document.records import Binding
from app.qt.workspace import Workspace
from app.services.gallery import entries, open_entry
from tests.scene_pictures import picture_of


@pytest.fixture
def scene(workspace):
    made = ExecutorScene(workspace)
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


def run(workspace, qtbot, stage):
    with qtbot.waitSignal(workspace.results_changed, timeout=10000):
        getattr(workspace, stage)()
    qtbot.waitUntil(lambda: not workspace.is_running)


def by_title(scene):
    return {item.look.title: item for item in scene.items_by_index}


def wires(scene):
    looks = [item.look.title for item in scene.items_by_index]
    return {(looks[source], looks[reader]): wire.kind for (source, reader), wire in scene.wires.items()}


def test_the_nodes_of_the_gradient_picture(scene, workspace, qtbot, gradient_picture):
    run(workspace, qtbot, "backward")
    found = {
        title: (item.look.kind, item.look.letter, item.look.number) for title, item in by_title(scene).items()
    }
    assert found == {
        "a": ("argument", "A", "10"),
        "b": ("argument", "A", "1"),
        "d": ("argument", "A", "2"),
        "C": ("internal", "", "10"),
        "E": ("output", "0", "20"),
        "d(E)": ("head", "↓", "2"),
        "d(C)": ("backward", "∂", "4"),
        "d(A)": ("holder", "∂", "4"),
    }


def test_the_arrows_of_the_gradient_picture(scene, workspace, gradient_picture):
    assert wires(scene) == {
        ("a", "C"): "forward",
        ("b", "C"): "forward",
        ("C", "E"): "forward",
        ("d", "E"): "forward",
        ("d", "d(C)"): "read",
        ("d(E)", "d(C)"): "gradient",
        ("b", "d(A)"): "read",
        ("d(C)", "d(A)"): "gradient",
    }


def test_formulas_stand_beside_the_gradients_first_with_names_then_with_numbers(
    scene, workspace, qtbot, gradient_picture
):
    run(workspace, qtbot, "backward")
    notes = by_title(scene)["d(C)"].look.notes
    assert notes[0].startswith("= ")
    assert "d(E)" in notes[0]
    assert "d" in notes[0].replace("d(E)", "")
    assert notes[1] in ("= 2 · 2", "= 2 × 2")


def test_the_summary_says_what_is_bound_and_asked_for(scene, workspace, qtbot, gradient_picture):
    assert scene.summary.startswith("to bind: E")
    run(workspace, qtbot, "backward")
    assert scene.summary == "bound E · grad: A write, B none, D none · 8 arrays, 32 B"


def test_forward_nodes_stand_as_on_the_board_and_gradients_at_the_right(scene, workspace, gradient_picture):
    items = by_title(scene)
    document = workspace.document
    for title, node in zip(("a", "b", "C", "d", "E"), gradient_picture, strict=True):
        assert items[title].pos() == QPointF(*document.nodes[node].position)
    right = max(position.x() for position in (items[title].pos() for title in "abCdE"))
    for title, below in (("d(A)", "a"), ("d(C)", "C"), ("d(E)", "E")):
        assert items[title].pos().x() > right + 60
        assert abs(items[title].pos().y() - items[below].pos().y()) < 30


def test_a_moved_node_moves_its_arrays(scene, workspace, gradient_picture):
    from app.document.edits import move

    item = by_title(scene)["C"]
    workspace.try_edit(move, {gradient_picture[2]: (-48.0, 48.0)})
    assert by_title(scene)["C"] is item
    assert item.pos() == QPointF(-48, 48)


def test_only_what_is_asked_for_is_there(scene, workspace, gradient_picture):
    assert len(scene.items_by_index) == 8
    workspace.try_edit(set_binding, Binding("A", "constant", "10", request="null"))
    assert len(scene.items_by_index) == 5
    workspace.try_edit(set_binding, Binding("D", "constant", "2", request="add"))
    assert by_title(scene)["d(D)"].look.letter == "∂+"
    assert "d(A)" not in by_title(scene)


def test_numbers_of_an_old_run_stay_muted_until_the_next(scene, workspace, qtbot, gradient_picture):
    run(workspace, qtbot, "forward")
    assert by_title(scene)["E"].look.number == "20"
    workspace.try_edit(set_binding, Binding("B", "constant", "3", request="null"))
    assert by_title(scene)["E"].look.is_stale
    assert by_title(scene)["E"].look.number == "20"
    run(workspace, qtbot, "forward")
    assert (by_title(scene)["E"].look.number, by_title(scene)["E"].look.is_stale) == ("60", False)


def test_an_edit_of_the_graph_shows_at_once_what_a_bind_would_make(scene, workspace, draw, gradient_picture):
    square = draw.node("square", 96, 240, "F")
    draw.wire(gradient_picture[4], square, 0)
    titles = by_title(scene)
    assert titles["F"].look.kind == "output"
    assert titles["E"].look.kind == "internal"
    assert "d(E)" in titles


def test_a_broken_drawing_says_what_to_mend_first(scene, workspace, draw, gradient_picture):
    fc = draw.node("FullyConnected", 96, 240, "fc1", num_hidden="4")
    draw.wire(gradient_picture[4], fc, 0)
    workspace.try_edit(set_param, fc, "num_hidden", "many")
    assert not scene.items_by_index
    assert "mend this first" in scene.hint
    assert "num_hidden" in scene.hint
    workspace.undo()
    assert scene.items_by_index
    assert not scene.hint


def test_shapes_that_clash_are_told_with_what_would_mend_them(scene, workspace, gradient_picture):
    workspace.try_edit(set_binding, Binding("A", shape=(2, 3)))
    workspace.try_edit(set_binding, Binding("B", "constant", "[1]"))
    assert scene.hint.startswith("To bind the graph, mend this first: ")
    assert "Give A the shape (1)." in scene.hint


def test_auxiliary_states_and_several_outputs(scene, workspace, draw):
    bn = draw.node("BatchNorm", 0, 0, "bn")
    kinds = {title: (item.look.kind, item.look.letter) for title, item in by_title(scene).items()}
    assert kinds["bn_moving_mean"] == kinds["bn_moving_var"] == ("auxiliary", "S")
    assert kinds["bn_gamma"] == ("argument", "A")
    a, group = draw.node("negative", 0, 96, "N"), draw.node("Group", 0, 200)
    draw.wire(bn, a, 0)
    draw.wire(a, group, 0)
    draw.wire(bn, group, 1)
    kinds = {title: (item.look.kind, item.look.letter) for title, item in by_title(scene).items()}
    assert kinds["N"] == ("output", "0")
    assert kinds["bn"] == ("output", "1")


def test_a_value_used_twice_gets_a_sum(scene, workspace, draw, qtbot):
    a, square = draw.node("Variable", 0, -120, "A"), draw.node("_mul", 0, 0, "sq")
    draw.wire(a, square, 0)
    draw.wire(a, square, 1)
    workspace.try_edit(set_binding, Binding("A", "constant", "3"))
    run(workspace, qtbot, "backward")
    holder = by_title(scene)["d(A)"]
    assert (holder.look.kind, holder.look.number) == ("holder", "6")
    parts = [item for item in scene.items_by_index if "via" in item.look.title]
    assert len(parts) == 2
    places = [item.pos() for item in scene.items_by_index]
    for at, place in enumerate(places):
        for other in places[at + 1 :]:
            assert (place - other).manhattanLength() > 40, "no two squares on each other"


@pytest.mark.parametrize("entry", [entry.id for entry in entries()])
def test_every_gallery_document_has_its_executor_graph_clear(scene, workspace, qtbot, entry):
    workspace.load(open_entry(entry))
    run(workspace, qtbot, "backward")
    graph = workspace.results.executor_graph
    assert len(scene.items_by_index) == len(graph.nodes)
    boxes = [item.box for item in scene.items_by_index]
    for at, box in enumerate(boxes):
        for other in boxes[at + 1 :]:
            assert not box.intersects(other)
        if len(boxes) <= 9:
            for item in scene.items_by_index:
                for label in item.plate.labels:
                    place = label.box.translated(item.pos()).adjusted(1, 1, -1, -1)
                    assert not place.intersects(box), item.look.title


def test_words_of_the_gradient_picture_lie_on_no_arrow(scene, workspace, qtbot, gradient_picture):
    run(workspace, qtbot, "backward")
    for item in scene.items_by_index:
        for label in item.plate.labels:
            if label.role == "sign":
                continue
            box = label.box.translated(item.pos())
            for source, reader in scene.wires:
                start, end = scene.items_by_index[source].pos(), scene.items_by_index[reader].pos()
                assert not line_meets_box(start, end, box), (item.look.title, label.words.text)


def test_the_colours_are_those_of_the_pictures(scene, workspace, qtbot, gradient_picture):
    run(workspace, qtbot, "backward")
    picture = workspace.theme.picture
    wanted = {
        "a": picture.argument,
        "C": picture.internal,
        "E": picture.output,
        "d(A)": picture.gradient,
        "d(C)": picture.internal,
        "d(E)": picture.head_gradient,
    }
    for title, colour in wanted.items():
        place = by_title(scene)[title].pos() + QPointF(-8, -6)
        image = picture_of(scene, QRectF(place.x(), place.y(), 3, 3))
        assert QColor(image.pixel(1, 1)) == colour, title
    corner = by_title(scene)["d(E)"].box.topLeft() + QPointF(1.5, 1.5)
    image = picture_of(scene, QRectF(corner.x(), corner.y(), 2, 2))
    assert QColor(image.pixel(0, 0)) != picture.head_gradient, "a circle, not a square"


def test_larger_arrays_get_heatmaps_and_gradients_diverge(scene, workspace, qtbot, draw):
    data, fc = (
        draw.node("Variable", 0, -120, "data"),
        draw.node("FullyConnected", 0, 0, "fc1", num_hidden="3"),
    )
    draw.wire(data, fc, 0)
    workspace.try_edit(set_binding, Binding("data", "initializer", "normal(1)", shape=(5, 7)))
    run(workspace, qtbot, "backward")
    weight = by_title(scene)["d(fc1_weight)"]
    assert weight.look.has_heat
    heat = scene.kit.heats.heat(str(weight.look.index), "gradient")
    assert (heat.image.width(), heat.image.height()) == (7, 3)
    assert heat.low == -heat.high
    assert "(3, 7)" in weight.look.notes
    assert "d(data)" not in by_title(scene)


# The view --------------------------------------------------------------------------------------------------------


@pytest.fixture
def view(workspace, qtbot):
    made = ExecutorView(workspace)
    made.resize(760, 560)
    made.show()
    qtbot.waitExposed(made)
    yield made
    made.close()
    made.deleteLater()
    made.executor_scene.deleteLater()


def test_a_click_selects_the_node_that_the_array_comes_from(view, workspace, qtbot, gradient_picture):
    view.fit()
    item = by_title(view.executor_scene)["d(C)"]
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=view.mapFromScene(item.pos()))
    assert workspace.store.selection == {gradient_picture[2]}
    assert item.selected
    assert by_title(view.executor_scene)["C"].selected
    assert not by_title(view.executor_scene)["E"].selected
    qtbot.mouseClick(
        view.viewport(), Qt.MouseButton.LeftButton, pos=view.mapFromScene(item.pos() + QPointF(0, -70))
    )
    assert workspace.store.selection == frozenset()


def test_the_legend_and_everything_else_are_in_sight_after_fit(view, workspace, gradient_picture):
    view.fit()
    seen = view.seen_box()
    assert seen.contains(view.content_box())
    bottom = view.mapFromScene(view.content_box().bottomLeft()).y()
    assert bottom <= view.height() - view.covered_below()


@pytest.mark.parametrize("width", [1200, 520, 300, 200])
def test_the_legend_is_never_clipped(view, width, gradient_picture):
    view.resize(width, 560)
    legend = view.legend
    for row in legend.rows(width):
        for number, left in row:
            assert left + legend.entry_width(number) <= width - 8 or len(row) == 1
    assert sum(len(row) for row in legend.rows(width)) == 8
    assert legend.geometry().bottom() < view.height()


def test_nothing_to_compute_is_said_in_words(view, workspace, draw):
    assert "once there is something to compute" in view.executor_scene.hint
    draw.node("negative", 0, 0)
    assert not view.executor_scene.hint


def test_a_hidden_view_catches_up_when_it_is_shown(view, workspace, gradient_picture):
    view.hide()
    before = len(view.executor_scene.items_by_index)
    workspace.try_edit(set_binding, Binding("A", "constant", "10", request="null"))
    assert len(view.executor_scene.items_by_index) == before
    view.show()
    assert len(view.executor_scene.items_by_index) == 5


def test_the_tip_has_formula_shape_and_numbers(view, workspace, qtbot, gradient_picture):
    run(workspace, qtbot, "backward")
    tip = view.tip_for(by_title(view.executor_scene)["d(C)"])
    assert "backward node" in tip
    assert "d(C) = " in tip
    assert "(1) float32" in tip
    assert "4" in tip


def test_a_wide_drawing_has_its_backward_part_mirrored_below(scene, workspace):
    workspace.load(open_entry("compose-multi-input"))
    items = by_title(scene)
    lowest = max(items[title].pos().y() for title in ("combined", "fc1", "fc2"))
    assert items["d(combined)"].pos().x() == items["combined"].pos().x()
    assert lowest < items["d(combined)"].pos().y() < items["d(fc1)"].pos().y()


def test_what_grows_with_its_heatmaps_is_fitted_again_unless_the_view_was_moved(
    view, board, workspace, qtbot
):
    for seen in (view, board):
        seen.resize(420, 300)
    workspace.load(open_entry("compose-net"))
    view.fit()
    board.fit()
    run(workspace, qtbot, "backward")
    assert view.seen_box().contains(view.content_box())
    assert board.seen_box().contains(board.content_box())
    board.zoom_to(1.9)
    zoom = board.zoom
    run(workspace, qtbot, "backward")
    assert board.zoom == zoom


# Words -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formula", "names", "said"),
    [
        ("d(E) · D", {"D": "d", "d(E)": "d(E)"}, "d(E) · d"),
        ("d(E) · D", {"D": "2", "d(E)": "(−1)"}, "(−1) · 2"),
        ("a + ab", {"a": "1", "ab": "2"}, "1 + 2"),
        ("tanh(a)", {"a": "1", "t": "9"}, "tanh(1)"),
        ("x", {}, "x"),
    ],
)
def test_names_in_formulas_are_replaced_whole(formula, names, said):
    assert replace_names(formula, names) == said


@pytest.mark.parametrize(
    ("size", "said"), [(24, "24 B"), (999, "999 B"), (1000, "1 KB"), (1_300_000, "1.3 MB")]
)
def test_bytes_are_written_for_people(size, said):
    assert bytes_text(size) == said


def test_the_places_are_the_same_each_time(workspace, gradient_picture):
    one, other = ExecutorScene(workspace), ExecutorScene(workspace)
    assert [item.pos() for item in one.items_by_index] == [item.pos() for item in other.items_by_index]

    one.deleteLater()
    other.deleteLater()


def test_painting_leaves_the_colours_of_the_theme_alone(view, workspace, gradient_picture, board):
    """Qt's colours can be changed in place, and the theme is shared by everything."""
    import attrs

    from app.qt.theme import make_theme

    view.grab()
    board.grab()
    fresh = make_theme(dark=False)
    for field in attrs.fields(type(fresh)):
        value = getattr(workspace.theme, field.name)
        if isinstance(value, QColor):
            assert value == getattr(fresh, field.name), field.name


def test_letters_and_names_are_written_larger_where_there_is_room(
    scene, workspace, qtbot, gradient_picture, monkeypatch
):
    from app.canvas.labels import grown

    run(workspace, qtbot, "backward")
    scene.set_scale(0.3)
    assert all(item.isVisible() for item in scene.items_by_index)
    item = by_title(scene)["a"]
    assert item.plate.growth > 1.5
    name = next(label for label in item.plate.labels if label.role == "name")
    large = grown(name.box, item.plate.foot, item.plate.growth).translated(item.pos())
    assert not any(large.intersects(other.box) for other in scene.items_by_index)
    written = {}
    monkeypatch.setattr(
        strokes,
        "paint_grown",
        lambda _painter, label, _foot, growth, _colour: written.update({label.words.text: growth}),
    )
    image = QImage(8, 8, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    item.paint(painter, QStyleOptionGraphicsItem(), None)
    painter.end()
    assert written["A"] > 1.5
    assert written["a = 10"] > 1.5


def test_formulas_beside_each_other_and_arrows_past_other_squares(scene, workspace, qtbot):
    workspace.load(open_entry("compose-basic"))
    run(workspace, qtbot, "backward")
    boxes = [
        (item.look.title, label.box.translated(item.pos()))
        for item in scene.items_by_index
        for label in item.plate.labels
        if label.role != "sign"
    ]
    for at, (owner, box) in enumerate(boxes):
        for other, another in boxes[at + 1 :]:
            assert owner == other or not box.adjusted(-2, 0, 2, 0).intersects(another), (owner, other)
    for (source, reader), wire in scene.wires.items():
        for item in scene.items_by_index:
            if item.look.index not in (source, reader):
                assert not any(line_meets_box(*piece, item.box) for piece in wire.pieces())


def test_words_and_heatmaps_of_a_small_network_keep_clear_of_each_other(scene, workspace, qtbot, perceptron):
    for stage in (
        "forward",
        "backward",
    ):  # with the second one more arrays get heatmaps, where words stand already
        run(workspace, qtbot, stage)
        boxes = [(item.look.title, box) for item in scene.items_by_index for box in item.written_large]
        for (owner, box), (other, another) in combinations(boxes, 2):
            assert owner == other or not box.intersects(another), (owner, other)


def test_names_of_a_small_network_stand_nearest_to_their_own_squares(scene, workspace, qtbot, perceptron):
    run(workspace, qtbot, "backward")
    for item in scene.items_by_index:
        name = item.plate.name_box.translated(item.pos())
        nearest = min(scene.items_by_index, key=lambda other: gap_between(name, other.box))
        assert gap_between(name, item.box) == gap_between(name, nearest.box), item.look.title


def test_words_do_not_cut_the_ring_of_the_selection(scene, workspace, qtbot):
    workspace.load(open_entry("compose-basic"))
    run(workspace, qtbot, "backward")
    item = by_title(scene)["a"]
    workspace.select({scene.node_ids[item.look.index]})
    image = picture_of(scene, item.box.adjusted(-10, -10, 10, 10), 4.0)
    accent = workspace.theme.accent.rgb()
    assert any(image.pixel(image.width() // 2, y) == accent for y in range(image.height() // 3))


def test_a_low_view_is_left_to_the_graph(view, workspace, gradient_picture):
    view.resize(300, 240)
    assert not view.legend.isVisible()
    assert view.covered_below() == 0
    view.resize(760, 560)
    assert view.legend.isVisible()


@pytest.mark.parametrize("value", ["nan", "inf"])
def test_a_number_that_is_none_is_loud(scene, board, workspace, qtbot, gradient_picture, value):
    quiet = picture_of(scene, scene.content_box()), picture_of(board.board_scene, board.content_box())
    workspace.try_edit(set_binding, Binding("D", "constant", value, request="null"))
    run(workspace, qtbot, "forward")
    loud = workspace.theme.heat.not_a_number.rgb()

    def is_in(image):
        return any(image.pixel(x, y) == loud for x in range(image.width()) for y in range(image.height()))

    assert not any(map(is_in, quiet))
    assert is_in(picture_of(scene, scene.content_box()))
    assert is_in(picture_of(board.board_scene, board.content_box()))


def test_a_sign_keeps_out_of_the_way_of_an_arrow_from_straight_above(scene, board, workspace, draw):
    a, square = draw.node("Variable", 0, -120, "A"), draw.node("_mul", 0, 0, "sq")
    draw.wire(a, square, 0)
    look = by_title(scene)["sq"]
    (sign,) = [label.box for label in look.plate.labels if label.role == "sign"]
    assert not sign.adjusted(2, 2, -2, -2).contains(QPointF(0.0, sign.center().y()))
    item = board.board_scene.node_items[square]
    (sign,) = [label.box for label in item.drawing.labels if label.role == "sign"]
    assert not sign.adjusted(2, 2, -2, -2).contains(QPointF(0.0, sign.center().y()))


@pytest.mark.parametrize(
    "name", ["executor-backward", "executor-forward", "executor-aux-state", "compose-net"]
)
def test_the_line_around_a_selected_square_keeps_clear_of_its_words(workspace: Workspace, name: str) -> None:
    workspace.load(open_entry(name))
    scene = ExecutorScene(workspace)
    half = scene.kit.ink.selected.widthF() / 2
    for item in scene.items_by_index:
        ring = ring_of(body_of(item.look)).adjusted(-half - 4, -half, half + 4, half)
        for label in item.plate.labels:
            ink = label.box.adjusted(0, label.box.height() / 5, 0, -label.box.height() / 5)
            beside = label.role == "name" and abs(label.box.center().y()) < SQUARE / 2
            assert not beside or not ring.intersects(ink), (item.look.title, label.words.text)

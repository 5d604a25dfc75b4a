"""What the mouse does on the board: looked at in the document first, then on the board; and undone."""

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtWidgets import QApplication

from app.document.topology import topology

SHIFT = Qt.KeyboardModifier.ShiftModifier
CTRL = Qt.KeyboardModifier.ControlModifier
NONE = Qt.KeyboardModifier.NoModifier
MIDDLE = Qt.MouseButton.MiddleButton

GRID = 24.0
"""What the visible grid is at 100 %."""


@pytest.fixture
def trio(draw):
    """A and B, and C = A * B that nobody has wired yet."""
    return draw.node("Variable", -96, -96), draw.node("Variable", 96, -96), draw.node("_mul", 0, 48, "C")


def place(workspace, node):
    return workspace.document.nodes[node].position


def sources(workspace, node):
    document = workspace.document
    return {number: edge.source for number, edge in topology(document).inputs(node).items()}


def out(board, node, number=0):
    """The place of an output port on the board."""
    item = board.board_scene.node_items[node]
    point = item.pos() + board.board_scene.geometry.outputs(item.look.shape)[number].point
    return point.x(), point.y()


def into(board, node, number):
    """The place of an input port on the board."""
    item = board.board_scene.node_items[node]
    point = item.pos() + board.board_scene.geometry.inputs(item.look.shape)[number].point
    return point.x(), point.y()


# Moving ----------------------------------------------------------------------------------------------------------


def test_a_press_changes_nothing_and_a_click_only_selects(board, mouse, workspace, trio):
    a, _, _ = trio
    before = workspace.document
    workspace.select(set())
    mouse.press(-96, -96)
    assert workspace.store.selection == frozenset()
    mouse.release()
    assert workspace.document is before
    assert workspace.store.selection == {a}
    assert board.board_scene.node_items[a].state.selected


def test_moving_commits_once_on_release_and_snaps_to_the_visible_grid(board, mouse, workspace, trio):
    a, _, _ = trio
    before, steps = workspace.document, len(workspace.store.history_labels().done)
    mouse.press(-96, -96)
    mouse.move(-20, -40)
    assert workspace.document is before, "only a preview so far"
    assert board.board_scene.node_items[a].pos() == QPointF(-24, -48)
    mouse.release()
    assert place(workspace, a) == (-24, -48)
    assert board.board_scene.node_items[a].pos() == QPointF(-24, -48)
    assert workspace.store.selection == {a}
    assert len(workspace.store.history_labels().done) == steps + 1
    workspace.undo()
    assert place(workspace, a) == (-96, -96)
    assert board.board_scene.node_items[a].pos() == QPointF(-96, -96)


def test_ctrl_lets_go_of_the_grid_and_says_so(board, mouse, workspace, trio):
    a, _, _ = trio
    mouse.press(-96, -96)
    mouse.move(-85, -89)
    assert "Ctrl" in board.gesture.words
    mouse.move(-85, -89, keys=CTRL)
    mouse.release(keys=CTRL)
    assert place(workspace, a) == (-85, -89)


def test_a_key_pressed_in_the_middle_of_a_gesture_counts_at_once(board, mouse, workspace, qtbot, trio):
    a, _, _ = trio
    mouse.press(-96, -96)
    mouse.move(-85, -89)
    item = board.board_scene.node_items[a]
    assert item.pos() == QPointF(-96, -96)
    qtbot.keyPress(board, Qt.Key.Key_Control)
    assert item.pos() == QPointF(-85, -89)
    qtbot.keyRelease(board, Qt.Key.Key_Control, CTRL)
    assert item.pos() == QPointF(-96, -96)
    board.cancel_gesture()


def test_the_whole_selection_moves_and_keeps_its_order(board, mouse, workspace, trio):
    a, b, c = trio
    workspace.select({a, b})
    mouse.drag((-96, -96), (-72, -120))
    assert (place(workspace, a), place(workspace, b), place(workspace, c)) == (
        (-72, -120),
        (120, -120),
        (0, 48),
    )
    workspace.undo()
    assert (place(workspace, a), place(workspace, b)) == ((-96, -96), (96, -96))


def test_esc_puts_a_held_node_back(board, mouse, workspace, qtbot, trio):
    a, _, _ = trio
    workspace.select(set())
    before = workspace.document
    mouse.press(-96, -96)
    mouse.move(0, 0)
    qtbot.keyClick(board, Qt.Key.Key_Escape)
    assert board.gesture is None
    assert board.board_scene.node_items[a].pos() == QPointF(-96, -96)
    assert not board.board_scene.node_items[a].state.lifted
    mouse.release()
    assert workspace.document is before
    assert workspace.store.selection == frozenset()


def test_wires_follow_a_held_node(board, mouse, workspace, draw, trio):
    a, _, c = trio
    edge = draw.wire(a, c, 0)
    before = board.board_scene.edge_items[edge].way
    mouse.press(-96, -96)
    mouse.move(-192, 96)
    held = board.board_scene.edge_items[edge].way
    assert held.start != before.start
    board.cancel_gesture()
    assert board.board_scene.edge_items[edge].way == before


# Wiring ----------------------------------------------------------------------------------------------------------


def test_a_wire_dropped_on_a_body_takes_the_best_input(board, mouse, workspace, trio):
    a, b, c = trio
    mouse.drag(out(board, a), (0, 48))
    mouse.drag(out(board, b), (0, 48))
    assert sources(workspace, c) == {0: a, 1: b}
    assert len(board.board_scene.edge_items) == 2
    workspace.undo()
    assert sources(workspace, c) == {0: a}
    assert len(board.board_scene.edge_items) == 1


def test_a_wire_dropped_at_a_port_goes_to_that_input(board, mouse, workspace, trio):
    a, _, c = trio
    x, y = into(board, c, 1)
    mouse.drag(out(board, a), (x + 9, y - 5))
    assert sources(workspace, c) == {1: a}


def test_what_fits_lights_up_and_what_does_not_dims(board, mouse, workspace, draw, trio):
    a, b, c = trio
    items = board.board_scene.node_items
    mouse.press(*out(board, a))
    mouse.move(40, 0)
    assert items[c].state.lit == {0, 1}
    assert not items[c].state.dimmed
    assert items[b].state.dimmed, "a Variable takes no inputs"
    board.cancel_gesture()
    assert not items[b].state.dimmed
    assert items[c].state.lit == frozenset()


def test_a_circle_is_refused_with_its_reason_at_the_pointer(board, mouse, workspace, draw, qtbot, trio):
    a, _, c = trio
    e = draw.node("negative", 0, 168, "E")
    draw.wire(a, c, 0)
    draw.wire(c, e, 0)
    before = workspace.document
    mouse.press(*out(board, e))
    mouse.move(0, 48)
    assert "circle" in board.gesture.words
    assert board.gesture.words_warn
    with qtbot.waitSignal(workspace.message) as said:
        mouse.release()
    assert "circle" in said.args[0]
    assert workspace.document is before


def test_dropping_on_a_taken_input_replaces_its_wire_in_one_step(board, mouse, workspace, draw, trio):
    a, b, c = trio
    old = draw.wire(a, c, 0)
    mouse.press(*out(board, b))
    mouse.move(*into(board, c, 0))
    assert "instead of A" in board.gesture.words
    mouse.release()
    assert sources(workspace, c) == {0: b}
    assert old not in board.board_scene.edge_items
    workspace.undo()
    assert sources(workspace, c) == {0: a}


def test_a_full_node_says_how_to_replace(board, mouse, workspace, draw, trio):
    a, b, c = trio
    d = draw.node("Variable", -192, 48)
    draw.wire(a, c, 0)
    draw.wire(b, c, 1)
    before = workspace.document
    mouse.press(*out(board, d))
    mouse.move(0, 48)
    assert "Every input of C has its wire" in board.gesture.words
    mouse.release()
    assert workspace.document is before


def test_shapes_that_would_clash_are_said_before_the_release(board, mouse, workspace, draw, trio):
    from app.document.edits import set_binding
    from app.document.records import Binding

    a, b, c = trio
    workspace.try_edit(set_binding, Binding("A", shape=(2, 3)))
    workspace.try_edit(set_binding, Binding("B", shape=(4, 5)))
    draw.wire(a, c, 0)
    mouse.press(*out(board, b))
    mouse.move(0, 48)
    assert board.gesture.words_warn
    assert "(4, 5)" in board.gesture.words
    mouse.release()
    assert sources(workspace, c) == {0: a, 1: b}, "a clash is shown, not forbidden"
    assert board.board_scene.node_items[c].look.problem


def test_moving_the_near_end_of_a_wire(board, mouse, workspace, draw, trio):
    a, _, c = trio
    d = draw.node("negative", 144, 48, "D")
    edge = draw.wire(a, c, 0)
    way = board.board_scene.edge_items[edge].way
    near_end = way.start + (way.end - way.start) * 0.7
    mouse.press(near_end.x(), near_end.y())
    mouse.move(144, 48)
    assert board.board_scene.edge_items[edge].pale, "the old wire stays, pale, until the release"
    mouse.release()
    assert sources(workspace, c) == {}
    assert sources(workspace, d) == {0: a}
    workspace.undo()
    assert sources(workspace, c) == {0: a}
    assert not board.board_scene.edge_items[edge].pale


@pytest.mark.parametrize("style", ["picture", "card"])
def test_a_node_is_moved_from_anywhere_inside_it_not_its_wires(board, mouse, workspace, draw, trio, style):
    from app.document.edits import set_options

    a, b, c = trio
    workspace.try_edit(set_options, style=style)
    draw.wire(a, c, 0)
    draw.wire(b, c, 1)
    wires = sources(workspace, c)
    body = board.board_scene.node_items[c].body_box()
    for x, y in ((0, -0.44), (0, 0.44), (-0.36, 0), (0.36, 0), (0.2, -0.2)):
        workspace.try_edit(set_options, style=style)
        before = place(workspace, c)
        spot = board.board_scene.node_items[c].pos() + QPointF(x * body.width(), y * body.height())
        mouse.drag((spot.x(), spot.y()), (spot.x() + 48, spot.y() + 24))
        assert place(workspace, c) == (before[0] + 48, before[1] + 24), (x, y)
        assert sources(workspace, c) == wires
        workspace.undo()


def test_moving_the_start_of_a_wire_keeps_its_input(board, mouse, workspace, draw, trio):
    a, b, c = trio
    edge = draw.wire(a, c, 1)
    way = board.board_scene.edge_items[edge].way
    near_start = way.start + (way.end - way.start) * 0.3
    mouse.drag((near_start.x(), near_start.y()), (96, -96))
    assert sources(workspace, c) == {1: b}


def test_a_moved_end_released_on_nothing_takes_the_wire_away(board, mouse, workspace, draw, trio):
    a, _, c = trio
    edge = draw.wire(a, c, 0)
    way = board.board_scene.edge_items[edge].way
    near_end = way.start + (way.end - way.start) * 0.7
    mouse.drag((near_end.x(), near_end.y()), (-240, 200))
    assert sources(workspace, c) == {}
    assert edge not in board.board_scene.edge_items
    workspace.undo()
    assert sources(workspace, c) == {0: a}


def test_a_press_on_a_wire_without_moving_only_selects_it(board, mouse, workspace, draw, trio):
    a, _, c = trio
    edge = draw.wire(a, c, 0)
    way = board.board_scene.edge_items[edge].way
    point = way.start + (way.end - way.start) * 0.35
    mouse.click(point.x(), point.y())
    assert sources(workspace, c) == {0: a}
    assert workspace.store.selection == {edge}


def test_a_variadic_operator_takes_one_more_wire_each_time(board, mouse, workspace, draw, trio):
    a, b, _ = trio
    concat = draw.node("Concat", 0, 192, "concat0", num_args="1")
    mouse.drag(out(board, a), (0, 192))
    mouse.drag(out(board, b), (0, 192))
    assert sources(workspace, concat) == {0: a, 1: b}
    assert workspace.document.nodes[concat].params["num_args"] == "2"


def test_moving_a_wire_within_a_variadic_node_changes_the_order_on_the_board_too(board, workspace, draw):
    from app.document.edits import rewire, set_options

    workspace.try_edit(set_options, style="card")
    a, b = draw.node("Variable", -240, -96), draw.node("Variable", -240, 96)
    concat = draw.node("Concat", 0, 0, "concat0", num_args="1")
    one, other = draw.wire(a, concat, 0), draw.wire(b, concat, 1)
    workspace.try_edit(rewire, one, concat, 1)
    assert sources(workspace, concat) == {0: b, 1: a}
    items = board.board_scene.edge_items
    ends = {key: items[key].way.end for key in (one, other)}
    board.board_scene.refresh()
    geometry = board.board_scene.geometry
    ports = geometry.inputs(board.board_scene.node_items[concat].look.shape)
    assert ends[one] == ports[1].point
    assert ends[other] == ports[0].point


def test_a_wire_released_on_nothing_asks_for_the_search(board, mouse, workspace, qtbot, trio):
    a, _, _ = trio
    before = workspace.document
    mouse.press(*out(board, a))
    mouse.move(-240, 160)
    with qtbot.waitSignal(board.search_requested) as asked:
        mouse.release()
    request = asked.args[0]
    assert (request.opening.node, request.opening.number, request.opening.side) == (a, 0, "output")
    assert (request.place.x(), request.place.y()) == pytest.approx((-240, 160), abs=1)
    assert request.screen == board.viewport().mapToGlobal(mouse.at)
    assert workspace.document is before


def test_a_wire_drawn_backwards_from_a_free_input(board, mouse, workspace, qtbot, trio):
    a, _, c = trio
    mouse.press(*into(board, c, 1))
    mouse.move(-96, -96)
    mouse.release()
    assert sources(workspace, c) == {1: a}
    workspace.undo()
    mouse.press(*into(board, c, 0))
    mouse.move(-240, -200)
    with qtbot.waitSignal(board.search_requested) as asked:
        mouse.release()
    assert (asked.args[0].opening.node, asked.args[0].opening.side) == (c, "input")


def test_esc_lets_go_of_a_wire(board, mouse, workspace, qtbot, trio):
    a, _, _ = trio
    before, items = workspace.document, len(board.board_scene.items())
    mouse.press(*out(board, a))
    mouse.move(0, 48)
    qtbot.keyClick(board, Qt.Key.Key_Escape)
    with qtbot.assertNotEmitted(board.search_requested):
        mouse.release()
    assert workspace.document is before
    assert len(board.board_scene.items()) == items, "the wire in the hand is gone"


def test_a_port_is_hit_14_pixels_off_at_any_zoom(board, mouse, workspace, trio):
    a, _, c = trio
    for scale in (0.4, 1.0, 2.0):
        board.zoom_to(scale)
        x, y = out(board, a)
        mouse.drag((x + 9 / scale, y + 9 / scale), (0, 48))
        assert sources(workspace, c) == {0: a}, scale
        workspace.undo()


def test_panning_with_the_middle_button_while_a_wire_is_held(board, mouse, workspace, trio):
    a, _, c = trio
    mouse.press(*out(board, a))
    mouse.move(-40, 20)
    corner = board.mapToScene(QPoint(0, 0))
    both = Qt.MouseButton.LeftButton | MIDDLE
    x, y = -40, 20
    mouse.press(x, y, button=MIDDLE)
    pixel = mouse.at + QPoint(60, 40)
    mouse.move(x + 60, y + 40, held=both)
    assert mouse.at == pixel
    mouse.release(button=MIDDLE)
    assert board.mapToScene(QPoint(0, 0)) == corner - QPointF(60, 40)
    assert board.gesture is not None, "the wire is still in the hand"
    mouse.move(0, 48)
    mouse.release()
    assert sources(workspace, c) == {0: a}


def test_an_edit_from_elsewhere_ends_a_gesture(board, mouse, workspace, draw, trio):
    a, _, _ = trio
    mouse.press(-96, -96)
    mouse.move(0, 0)
    draw.node("Variable", 200, 200)
    assert board.gesture is None
    mouse.release()
    assert place(workspace, a) == (-96, -96)


# Selecting -------------------------------------------------------------------------------------------------------


def test_a_band_takes_what_it_touches(board, mouse, workspace, trio):
    a, b, _c = trio
    mouse.drag((-140, -140), (-90, 60))
    assert workspace.store.selection == {a}
    mouse.drag((-140, -140), (140, -90))
    assert workspace.store.selection == {a, b}


def test_a_band_from_right_to_left_takes_only_what_it_holds(board, mouse, workspace, trio):
    a, _b, _ = trio
    mouse.press(60, -60)
    mouse.move(-92, -140)
    assert "fully inside" in board.gesture.words
    mouse.release()
    assert workspace.store.selection == frozenset(), "it cuts through A"
    mouse.drag((60, -60), (-130, -140))
    assert workspace.store.selection == {a}


def test_bands_with_shift_add_and_with_ctrl_take_away(board, mouse, workspace, trio):
    a, _b, c = trio
    workspace.select({c})
    mouse.drag((-140, -140), (-60, -60), keys=SHIFT)
    assert workspace.store.selection == {a, c}
    mouse.drag((-40, 20), (40, 90), keys=CTRL)
    assert workspace.store.selection == {a}


def test_esc_keeps_the_selection_as_it_was_before_a_band(board, mouse, workspace, qtbot, trio):
    a, _b, c = trio
    workspace.select({c})
    mouse.press(-140, -140)
    mouse.move(140, -60)
    assert board.board_scene.node_items[a].state.selected
    qtbot.keyClick(board, Qt.Key.Key_Escape)
    mouse.release()
    assert workspace.store.selection == {c}
    assert not board.board_scene.node_items[a].state.selected
    assert board.board_scene.node_items[c].state.selected


def test_shift_and_ctrl_clicks(board, mouse, workspace, trio):
    a, b, _c = trio
    mouse.click(-96, -96)
    mouse.click(96, -96, keys=SHIFT)
    assert workspace.store.selection == {a, b}
    mouse.click(-96, -96, keys=CTRL)
    assert workspace.store.selection == {b}
    mouse.click(-220, 220)
    assert workspace.store.selection == frozenset()


# The view --------------------------------------------------------------------------------------------------------


def test_the_middle_button_pans(board, mouse, workspace, trio):
    before, corner = workspace.document, board.mapToScene(QPoint(0, 0))
    mouse.press(0, 0, button=MIDDLE)
    mouse.move(50, -30, held=MIDDLE)
    mouse.release(button=MIDDLE)
    assert board.mapToScene(QPoint(0, 0)) == corner - QPointF(50, -30)
    assert workspace.document is before


def test_space_and_drag_pans_and_does_not_search(board, mouse, workspace, qtbot, trio):
    corner = board.mapToScene(QPoint(0, 0))
    with qtbot.assertNotEmitted(board.search_requested):
        qtbot.keyPress(board, Qt.Key.Key_Space)
        mouse.drag((0, 0), (40, 40))
        qtbot.keyRelease(board, Qt.Key.Key_Space)
    assert board.mapToScene(QPoint(0, 0)) == corner - QPointF(40, 40)
    assert board.gesture is None


def test_a_tap_of_space_tab_and_a_double_click_search(board, mouse, qtbot, trio):
    for act in (
        lambda: qtbot.keyClick(board, Qt.Key.Key_Space),
        lambda: qtbot.keyClick(board, Qt.Key.Key_Tab),
        lambda: mouse.double_click(-240, 200),
    ):
        with qtbot.waitSignal(board.search_requested) as asked:
            act()
        assert asked.args[0].opening is None
    assert (asked.args[0].place.x(), asked.args[0].place.y()) == pytest.approx((-240, 200), abs=1)


def test_the_wheel_zooms_at_the_pointer(board, mouse, workspace, trio):
    from PySide6.QtGui import QWheelEvent

    place = QPoint(200, 150)
    held = board.mapToScene(place)
    for delta, larger in ((120, True), (-120, False), (-360, False)):
        scale = board.zoom
        event = QWheelEvent(
            QPointF(place),
            QPointF(board.viewport().mapToGlobal(place)),
            QPoint(),
            QPoint(0, delta),
            Qt.MouseButton.NoButton,
            NONE,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(board.viewport(), event)
        assert (board.zoom > scale) == larger
        assert (board.mapToScene(place) - held).manhattanLength() < 3 / board.zoom


def test_two_fingers_pan(board, trio):
    from PySide6.QtGui import QWheelEvent

    corner, scale = board.mapToScene(QPoint(0, 0)), board.zoom
    place = QPoint(200, 150)
    event = QWheelEvent(
        QPointF(place),
        QPointF(board.viewport().mapToGlobal(place)),
        QPoint(30, -20),
        QPoint(30, -20),
        Qt.MouseButton.NoButton,
        NONE,
        Qt.ScrollPhase.ScrollUpdate,
        False,
    )
    QApplication.sendEvent(board.viewport(), event)
    assert board.zoom == scale
    assert board.mapToScene(QPoint(0, 0)) == corner - QPointF(30, -20)


def test_fit_shows_everything_and_fit_selection_shows_that(board, qtbot, workspace, draw, trio):
    a, _, _ = trio
    far = draw.node("Variable", 4000, 2400)
    qtbot.keyClick(board, Qt.Key.Key_Home)
    seen = board.seen_box()
    assert seen.contains(board.board_scene.content_box())
    assert board.zoom < 0.35
    workspace.select({a})
    qtbot.keyClick(board, Qt.Key.Key_Period)
    assert board.zoom == 1.0
    assert board.seen_box().contains(QPointF(-96, -96))
    assert not board.seen_box().contains(board.board_scene.node_items[far].pos())


def test_far_away_nodes_can_still_be_selected_and_moved(board, mouse, workspace, draw, trio):
    a, _b, _c = trio
    board.zoom_to(0.2)
    assert board.board_scene.is_far
    mouse.click(-96, -96)
    assert workspace.store.selection == {a}
    mouse.drag((-96, -96), (-96 + 72, -96))
    assert place(workspace, a)[0] > -96
    board.zoom_to(1.0)
    assert not board.board_scene.is_far
    assert all(item.isVisible() for item in board.board_scene.node_items.values())


def test_a_drag_at_the_border_scrolls_the_view(board, mouse, qtbot, workspace, trio):
    a, _, _ = trio
    corner = board.mapToScene(QPoint(0, 0))
    mouse.press(-96, -96)
    right = board.mapToScene(QPoint(board.viewport().width() - 3, 320))
    mouse.move(right.x(), right.y())
    qtbot.waitUntil(lambda: board.mapToScene(QPoint(0, 0)).x() > corner.x() + 60)
    mouse.release()
    assert place(workspace, a)[0] > right.x() + 30, "the node went along with the board"


def test_what_is_taken_hold_of_at_the_border_does_not_run_away(board, mouse, workspace, draw):
    border = board.mapToScene(QPoint(12, 320))
    held = draw.node("Variable", border.x(), border.y())
    corner = board.mapToScene(QPoint(0, 0))
    mouse.press(border.x(), border.y())
    mouse.move(border.x() - 8, border.y() + 48)
    board._hand._edge._tick()
    mouse.release()
    assert board.mapToScene(QPoint(0, 0)) == corner
    assert place(workspace, held)[1] > border.y()


# Arguments -------------------------------------------------------------------------------------------------------


def test_dragging_an_automatic_argument_out_makes_it_a_variable(board, mouse, workspace, draw):
    data, fc = (
        draw.node("Variable", 0, -120, "data"),
        draw.node("FullyConnected", 0, 0, "fc1", num_hidden="4"),
    )
    draw.wire(data, fc, 0)
    auto = board.board_scene.auto_items[fc, 1]
    spot = auto.pos() + auto.look.spot.centre
    mouse.press(spot.x(), spot.y())
    mouse.move(-120, -72)
    assert "fc1_weight" in board.gesture.words
    mouse.release()
    (made,) = [node for node in workspace.document.nodes.values() if node.name == "fc1_weight"]
    assert made.position == (-120, -72)
    assert sources(workspace, fc) == {0: data, 1: made.id}
    assert (fc, 1) not in board.board_scene.auto_items
    workspace.undo()
    assert (fc, 1) in board.board_scene.auto_items
    assert "fc1_weight" not in {node.name for node in workspace.document.nodes.values()}


def test_a_wire_dropped_on_an_automatic_argument_takes_its_place(board, mouse, workspace, draw):
    weight = draw.node("Variable", -120, -120, "shared")
    fc = draw.node("FullyConnected", 0, 0, "fc1", num_hidden="4")
    auto = board.board_scene.auto_items[fc, 1]
    spot = auto.pos() + auto.look.spot.centre
    mouse.drag(out(board, weight), (spot.x(), spot.y()))
    assert sources(workspace, fc) == {1: weight}


def test_a_pinch_on_a_touchpad_zooms_at_the_fingers(board, trio):
    from PySide6.QtGui import QNativeGestureEvent, QPointingDevice

    place = QPointF(200, 150)
    held = board.mapToScene(place.toPoint())
    event = QNativeGestureEvent(
        Qt.NativeGestureType.ZoomNativeGesture,
        QPointingDevice.primaryPointingDevice(),
        2,
        place,
        place,
        QPointF(board.viewport().mapToGlobal(place)),
        0.25,
        QPointF(),
    )
    QApplication.sendEvent(board.viewport(), event)
    assert board.zoom == pytest.approx(1.25)
    assert (board.mapToScene(place.toPoint()) - held).manhattanLength() < 3


def test_what_was_wholly_in_sight_stays_so_in_a_narrower_view(board, qtbot, trio):
    assert board.seen_box().contains(board.content_box())
    board.resize(200, 640)
    qtbot.waitUntil(lambda: board.viewport().width() <= 200)
    assert board.seen_box().contains(board.content_box())
    assert board.zoom < 1.0
    board.resize(900, 640)
    qtbot.waitUntil(lambda: board.viewport().width() > 800)
    assert board.zoom == 1.0


def test_a_view_that_showed_a_part_keeps_its_zoom(board, qtbot, trio):
    board.zoom_to(4.0)
    board.resize(400, 300)
    qtbot.waitUntil(lambda: board.viewport().width() <= 400)
    assert board.zoom == 4.0

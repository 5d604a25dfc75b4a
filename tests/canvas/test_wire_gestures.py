"""The gestures on wires: a node goes into one, a stroke cuts some, a spotlight shows the way along them."""

from itertools import pairwise

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent

from app.canvas.dropping import OPERATOR_TYPE
from app.canvas.spotlight import way_through
from app.document import edits
from app.document.edits import InPlaceOf, OnWire
from app.document.records import Binding
from app.document.topology import topology

ALT = Qt.KeyboardModifier.AltModifier
ALT_SHIFT = ALT | Qt.KeyboardModifier.ShiftModifier
NONE = Qt.KeyboardModifier.NoModifier


@pytest.fixture
def row(draw):
    """A, under it C = −A, and E = exp(C); with a relu that nobody has wired at the side."""
    a, c, e = draw.node("Variable", 0, -144), draw.node("negative", 0, 0, "C"), draw.node("exp", 0, 144, "E")
    return draw.wire(a, c, 0), draw.wire(c, e, 0), draw.node("relu", 192, 0, "R")


def fed_by(workspace, name):
    document = workspace.document
    node = next(node.id for node in document.nodes.values() if node.name == name)
    wires = topology(document).inputs(node)
    return {number: document.nodes[edge.source].name for number, edge in wires.items()}


def steps(workspace):
    return len(workspace.store.history_labels().done)


def carry_onto(mouse, board, qtbot, start, end, keys=NONE):
    """Drag from one place to another and rest there."""
    mouse.press(*start)
    mouse.move(*end, keys=keys)
    with qtbot.waitSignal(board.gesture.insertion.changed):
        pass


# Into a wire -----------------------------------------------------------------------------------------------------


def test_a_node_that_rests_on_a_wire_opens_it_and_goes_in_on_release(board, mouse, workspace, qtbot, row):
    into, _, relu = row
    before, done = workspace.document, steps(workspace)
    carry_onto(mouse, board, qtbot, (192, 0), (0, -72))
    assert board.board_scene.edge_items[into].opened
    assert board.gesture.words == "between A and C · Alt: past the wire"
    assert workspace.document is before
    mouse.release()
    assert (fed_by(workspace, "R"), fed_by(workspace, "C")) == ({0: "A"}, {0: "R"})
    assert workspace.store.selection == {relu}
    assert steps(workspace) == done + 1
    assert not any(item.opened for item in board.board_scene.edge_items.values())
    workspace.undo()
    assert workspace.document == before


def test_room_is_made_along_the_flow(board, mouse, workspace, qtbot, row):
    carry_onto(mouse, board, qtbot, (192, 0), (0, -72))
    mouse.release()
    boxes = {item.look.name: item.body_box() for item in board.board_scene.node_items.values()}
    heights = [boxes[name].center().y() for name in "ARCE"]
    assert heights == sorted(heights)
    assert all(below - above >= 60 for above, below in pairwise(heights))
    assert boxes["A"].center() == QPointF(0, -144), "what lies before stays"
    assert heights[3] - heights[2] == 144, "what follows keeps its distance"


def test_a_node_that_only_passes_is_not_drawn_in(board, mouse, workspace, row):
    mouse.press(192, 0)
    mouse.move(0, -72)
    assert board.gesture.words.startswith("Ctrl")
    mouse.release()
    assert fed_by(workspace, "C") == {0: "A"} and fed_by(workspace, "R") == {}


def test_leaving_the_wire_closes_it(board, mouse, workspace, qtbot, row):
    into, *_ = row
    carry_onto(mouse, board, qtbot, (192, 0), (0, -72))
    mouse.move(96, -72)
    assert not board.board_scene.edge_items[into].opened
    mouse.release()
    assert fed_by(workspace, "R") == {}


def test_alt_carries_a_node_past_a_wire(board, mouse, workspace, qtbot, row):
    into, *_ = row
    carry_onto(mouse, board, qtbot, (192, 0), (0, -72))
    qtbot.keyPress(board, Qt.Key.Key_Alt)
    assert not board.board_scene.edge_items[into].opened
    assert board.gesture.words == "past the wire"
    mouse.release(keys=ALT)
    assert fed_by(workspace, "R") == {}
    assert workspace.document.nodes[row[2]].position == (0, -72)


def test_esc_closes_the_wire_and_nothing_has_changed(board, mouse, workspace, qtbot, row):
    into, *_ = row
    before = workspace.document
    carry_onto(mouse, board, qtbot, (192, 0), (0, -72))
    qtbot.keyClick(board, Qt.Key.Key_Escape)
    mouse.release()
    assert workspace.document is before
    assert not board.board_scene.edge_items[into].opened


def test_a_node_with_wires_never_opens_a_wire(board, mouse, workspace, row):
    mouse.press(0, 144)
    mouse.move(0, -72)
    assert board.gesture.insertion is None
    board.cancel_gesture()


def test_what_cannot_go_in_says_why_and_is_only_moved(board, mouse, workspace, qtbot, draw, row):
    variable = draw.node("Variable", 96, 96, "V")
    carry_onto(mouse, board, qtbot, (96, 96), (0, -72))
    assert not board.board_scene.edge_items[row[0]].opened
    assert board.gesture.words == "Not between A and C: V is a Variable and takes no inputs."
    assert board.gesture.words_warn
    mouse.release()
    assert workspace.document.nodes[variable].position == (0, -72)
    assert fed_by(workspace, "C") == {0: "A"}


def test_shapes_that_would_clash_keep_a_wire_closed(board, mouse, workspace, qtbot, draw):
    x, other = draw.node("Variable", 0, -144, "x"), draw.node("Variable", -96, -144, "other")
    total = draw.node("elemwise_add", 0, 0, "total")
    draw.node("Flatten", 192, 0, "flat")
    wire = draw.wire(x, total, 0)
    draw.wire(other, total, 1)
    for name in ("x", "other"):
        workspace.try_edit(edits.set_binding, Binding(name, shape=(2, 3, 4)))
    carry_onto(mouse, board, qtbot, (192, 0), (0, -72))
    assert board.gesture.words_warn and "(2, 12)" in board.gesture.words
    assert not board.board_scene.edge_items[wire].opened
    mouse.release()
    assert fed_by(workspace, "flat") == {}


# From the palette ------------------------------------------------------------------------------------------------


def carried(op):
    data = QMimeData()
    data.setData(OPERATOR_TYPE, op.encode())
    return data


def test_an_operator_of_the_palette_goes_into_a_wire(board, workspace, qtbot, row):
    into, *_ = row
    done, data, place = steps(workspace), carried("tanh"), board.mapFromScene(QPointF(0, -72))
    about = (Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, NONE)
    board.dragEnterEvent(QDragEnterEvent(board.mapFromScene(QPointF(200, 200)), *about))
    board.dragMoveEvent(QDragMoveEvent(place, *about))
    with qtbot.waitSignal(board._dropping.insertion.changed):
        pass
    assert board.board_scene.edge_items[into].opened
    assert board._dropping._words.words.startswith("between A and C")
    board.dropEvent(QDropEvent(QPointF(place), *about))
    assert fed_by(workspace, "C") == {0: "tanh0"} and fed_by(workspace, "tanh0") == {0: "A"}
    assert steps(workspace) == done + 1
    assert not board._dropping._words.isVisible()


def test_the_board_scrolls_while_something_is_carried_at_its_edge_but_not_on_the_way_in(board, qtbot, row):
    about = (Qt.DropAction.CopyAction, carried("tanh"), Qt.MouseButton.LeftButton, NONE)
    edge = QPoint(board.viewport().width() - 3, 300)
    before = board.mapToScene(QPoint(0, 0)).x()
    board.dragEnterEvent(QDragEnterEvent(edge, *about))
    board._dropping._edge._tick()
    assert board.mapToScene(QPoint(0, 0)).x() == before
    board.dragMoveEvent(QDragMoveEvent(edge - QPoint(200, 0), *about))
    board._dropping._edge._tick()
    assert board.mapToScene(QPoint(0, 0)).x() == before
    board.dragMoveEvent(QDragMoveEvent(edge, *about))
    qtbot.waitUntil(lambda: board.mapToScene(QPoint(0, 0)).x() > before + 20)
    assert board._dropping._ghost.pos().x() > board.mapToScene(edge).x() - 40
    board._dropping.leave()


# Searching for what goes in --------------------------------------------------------------------------------------


def test_a_search_with_the_pointer_on_a_wire_is_for_that_wire(board, workspace, qtbot, row, monkeypatch):
    into, *_ = row
    place = board.mapFromScene(QPointF(0, -72))
    monkeypatch.setattr(board, "_pointer_or_middle", lambda: (place, True))
    with qtbot.waitSignal(board.search_requested) as asked:
        board.open_search()
    assert asked.args[0].opening == OnWire(into)
    monkeypatch.setattr(board, "_pointer_or_middle", lambda: (place, False))
    with qtbot.waitSignal(board.search_requested) as asked:
        board.open_search()
    assert asked.args[0].opening is None, "the middle of the view is nobody's aim"


def test_insert_with_a_wire_selected_searches_for_what_goes_into_it(board, workspace, qtbot, row):
    into, *_ = row
    board.show_centre(QPointF(4000, 0))
    workspace.select({into})
    assert board.accessibleDescription() == "Wire from A to data of C, of unknown shape, no errors"
    with qtbot.waitSignal(board.search_requested) as asked:
        qtbot.keyClick(board, Qt.Key.Key_Insert)
    assert asked.args[0].opening == OnWire(into)
    assert board.viewport().rect().contains(board.mapFromScene(asked.args[0].place))
    workspace.select({into, row[2]})
    assert board.accessibleDescription() == "1 node and 1 wire selected"


def test_a_swap_is_asked_for_with_one_operator_selected(board, workspace, qtbot, row):
    with qtbot.waitSignal(workspace.message) as said:
        workspace.select(set(workspace.document.nodes))
        board.swap()
    assert said.args[0] == "Select one operator to swap it for another."
    workspace.select({row[2]})
    with qtbot.waitSignal(board.search_requested) as asked:
        board.swap()
    assert asked.args[0].opening == InPlaceOf(row[2])


# Cutting ---------------------------------------------------------------------------------------------------------


def test_a_stroke_cuts_the_wires_that_it_meets_in_one_step(board, mouse, workspace, draw, row):
    into, _, relu = row
    aside = draw.wire(next(iter(workspace.document.nodes)), relu, 0)
    before, done = workspace.document, steps(workspace)
    mouse.press(-60, -72, keys=ALT_SHIFT)
    mouse.move(200, -72, keys=ALT_SHIFT)
    items = board.board_scene.edge_items
    assert {key for key, item in items.items() if item.doomed} == {into, aside}
    assert board.gesture.words.startswith("Release to cut 2 wires")
    assert workspace.document is before
    mouse.release(keys=ALT_SHIFT)
    assert fed_by(workspace, "C") == {} == fed_by(workspace, "R")
    assert fed_by(workspace, "E") == {0: "C"}
    assert steps(workspace) == done + 1
    workspace.undo()
    assert workspace.document == before
    assert not any(item.doomed for item in items.values())


def test_a_wire_that_the_line_no_longer_meets_is_spared(board, mouse, workspace, row):
    into, *_ = row
    mouse.press(-60, -72, keys=ALT_SHIFT)
    mouse.move(60, -72, keys=ALT_SHIFT)
    assert board.board_scene.edge_items[into].doomed
    mouse.move(-30, -72, keys=ALT_SHIFT)
    assert not board.board_scene.edge_items[into].doomed
    assert board.gesture.words.startswith("Draw across wires")
    mouse.release(keys=ALT_SHIFT)
    assert fed_by(workspace, "C") == {0: "A"}


def test_esc_spares_all(board, mouse, workspace, qtbot, row):
    before = workspace.document
    mouse.press(-60, -72, keys=ALT_SHIFT)
    mouse.move(60, -72, keys=ALT_SHIFT)
    qtbot.keyClick(board, Qt.Key.Key_Escape)
    mouse.release(keys=ALT_SHIFT)
    assert workspace.document is before
    assert not any(item.doomed for item in board.board_scene.edge_items.values())


def test_wires_of_automatic_arguments_are_not_cut(board, mouse, workspace, draw):
    layer = draw.node("FullyConnected", 0, 0, "fc")
    before = workspace.document
    (auto,) = [auto for key, auto in board.board_scene.auto_items.items() if key == (layer, 1)]
    middle = auto.pos() + (auto.look.spot.centre + auto.look.spot.foot) / 2
    mouse.press(middle.x(), middle.y() - 90, keys=ALT_SHIFT)
    mouse.move(middle.x(), middle.y() + 90, keys=ALT_SHIFT)
    assert board.gesture.words.startswith("Draw across wires")
    mouse.release(keys=ALT_SHIFT)
    assert workspace.document is before


def port_of(board, node, side, number=0):
    item = board.board_scene.node_items[node]
    anchor = getattr(board.board_scene.geometry, side)(item.look.shape)[number]
    place = item.pos() + anchor.point
    return place.x(), place.y()


def test_alt_and_a_click_take_all_wires_off_a_port(board, mouse, workspace, qtbot, draw, row):
    a, _, e = list(workspace.document.nodes)[:3]
    draw.wire(a, row[2], 0)
    workspace.select(set())
    mouse.click(*port_of(board, a, "outputs"), keys=ALT)
    assert fed_by(workspace, "C") == {} == fed_by(workspace, "R")
    workspace.undo()
    mouse.click(*port_of(board, e, "inputs"), keys=ALT)
    assert (fed_by(workspace, "E"), fed_by(workspace, "C")) == ({}, {0: "A"})
    with qtbot.waitSignal(workspace.message) as said:
        mouse.click(*port_of(board, e, "inputs"), keys=ALT)
    assert said.args[0] == "There is no wire at this port."


# Along the flow --------------------------------------------------------------------------------------------------


def test_the_selection_grows_along_the_flow_and_against_it(board, workspace, qtbot, row):
    a, c, e = list(workspace.document.nodes)[:3]
    workspace.select({c})
    with qtbot.waitSignal(workspace.message) as said:
        board.commands.select_along(along=True)
    assert workspace.store.selection == {c, e}
    assert said.args[0] == "C feeds 1 more node."
    with qtbot.waitSignal(workspace.message) as said:
        board.commands.select_along(along=False)
    assert workspace.store.selection == {a, c, e}
    assert said.args[0] == "These 2 nodes read 1 more node."
    workspace.select({a})
    with qtbot.waitSignal(workspace.message) as said:
        board.commands.select_along(along=False)
    assert said.args[0] == "A reads no more nodes."


def test_the_spotlight_follows_the_selection_and_outlasts_gestures(board, mouse, workspace, row):
    into, onwards, relu = row
    a, c, e = list(workspace.document.nodes)[:3]
    scene = board.board_scene

    def dimmed():
        found = {key for key, item in scene.node_items.items() if item.state.dimmed}
        return found | {key for key, item in scene.edge_items.items() if item.dimmed}

    workspace.select({a})
    scene.spotlight.toggle()
    assert dimmed() == {relu}
    workspace.select({relu})
    assert dimmed() == {a, c, e, into, onwards}
    mouse.drag((192, 0), (216, 24))
    assert dimmed() == {a, c, e, into, onwards}
    workspace.select(set())
    assert dimmed() == set()
    workspace.select({relu})
    scene.spotlight.toggle()
    assert dimmed() == set()


def test_the_spotlight_says_what_lies_on_the_path(board, workspace, qtbot, row):
    workspace.select({list(workspace.document.nodes)[1]})
    with qtbot.waitSignal(workspace.message) as said:
        board.board_scene.spotlight.toggle()
    assert said.args[0] == "3 of 4 nodes lie on the path through the selection."
    board.board_scene.spotlight.toggle()


def test_the_spotlight_says_what_it_needs(board, workspace, qtbot, row):
    workspace.select(set())
    with qtbot.waitSignal(workspace.message) as said:
        board.board_scene.spotlight.toggle()
    assert said.args[0].startswith("Select something")


def test_the_way_through_a_wire_is_what_it_joins(workspace, row):
    into, onwards, relu = row
    a, c, e = list(workspace.document.nodes)[:3]
    assert way_through(workspace.document, frozenset({onwards})) == {a, c, e, into, onwards}
    assert way_through(workspace.document, frozenset({relu})) == {relu}


def test_what_is_dimmed_is_pale_from_far_away_too(board, workspace, row):
    board.zoom_to(0.2)
    far = board.board_scene._items.far
    workspace.select({row[2]})
    board.board_scene.spotlight.toggle()
    (pale,) = [group for group in far._picture.boxes if len(group.boxes) == 2]
    full = far._picture.boxes[-2]
    assert full.boxes == [board.board_scene.node_items[row[2]].body_box()]
    assert pale.outline(board.ink()).lightness() > full.outline(board.ink()).lightness()


# Taking out ------------------------------------------------------------------------------------------------------


def test_deleting_and_healing_closes_the_gap_and_tells_where_it_cannot(board, workspace, qtbot, row):
    a, c, _ = list(workspace.document.nodes)[:3]
    workspace.select({c})
    board.commands.delete_and_heal()
    assert fed_by(workspace, "E") == {0: "A"}
    before = workspace.document
    workspace.select({a})
    with qtbot.waitSignal(workspace.message) as said:
        board.commands.delete_and_heal()
    assert said.args[0].startswith("The wire from A to E would break")
    assert workspace.document is before


def test_detaching_keeps_the_node_and_says_what_happened(board, workspace, qtbot, draw, row):
    c = list(workspace.document.nodes)[1]
    draw.node("exp", 88, 0, "beside")
    workspace.select({c})
    with qtbot.waitSignal(workspace.message) as said:
        board.detach()
    assert said.args[0] == "Detached C. The gap is closed."
    assert (fed_by(workspace, "E"), fed_by(workspace, "C")) == ({0: "A"}, {})
    boxes = [item.body_box() for item in board.board_scene.node_items.values()]
    assert abs(board.board_scene.node_items[c].pos().x()) > 40, "the wire past it would run under it"
    assert not any(one.intersects(other) for one in boxes for other in boxes if one is not other)
    workspace.undo()
    assert workspace.document.nodes[c].position == (0, 0)
    board.detach()
    workspace.select(set())
    with qtbot.waitSignal(workspace.message) as said:
        board.detach()
    assert said.args[0].startswith("Select the nodes")

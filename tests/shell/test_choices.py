"""The popup of the bind, the changing submenus, and what the search brings onto the board."""

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from pytestqt.qtbot import QtBot

from app.canvas.searching import SearchRequest
from app.document.edits import InPlaceOf, LooseEnd, OnWire, add_and_connect, add_node
from app.document.records import VARIABLE
from app.panels.finder import Choice
from app.shell.bound import BoundPopup, RequestModel
from app.shell.workbench import Workbench


@pytest.fixture
def multi(bench: Workbench, qtbot: QtBot) -> Workbench:
    """Return a window with E = A × B + D, of which a Group binds E and C."""
    bench.files.open_gallery("executor-multi-out")
    qtbot.waitUntil(lambda: bench.workspace.results_are_current, timeout=5000)
    return bench


@pytest.fixture
def popup(multi: Workbench) -> BoundPopup:
    """Return the popup, filled."""
    assert multi.parts is not None
    multi.toolbar.bind_button.click()
    assert multi.parts.bound.isVisible()
    return multi.parts.bound


def names(bench: Workbench, ids: tuple[str, ...]) -> list[str]:
    return [bench.workspace.document.nodes[key].name for key in ids]


def test_outputs_are_chosen_and_the_choice_can_be_undone(multi: Workbench, popup: BoundPopup) -> None:
    items = [popup.outputs.item(row) for row in range(popup.outputs.count())]
    chosen = [item.text() for item in items if item.checkState() == Qt.CheckState.Checked]
    assert len(chosen) == 1 and "Group" in chosen[0]

    next(item for item in items if item.text().startswith("C ")).setCheckState(Qt.CheckState.Checked)
    assert names(multi, multi.workspace.document.options.heads)[-1] == "C"
    multi.workspace.undo()
    assert multi.workspace.document.options.heads == ()


def test_the_lists_are_filled_only_while_they_are_seen(multi: Workbench, popup: BoundPopup) -> None:
    popup.hide()
    before = popup.requests.names, popup.outputs.count()
    multi.board.duplicate()
    multi.workspace.select(set(multi.workspace.document.nodes))
    multi.board.duplicate()
    assert (popup.requests.names, popup.outputs.count()) == before
    multi.toolbar.bind_button.click()
    assert popup.outputs.count() > before[1]


def test_each_argument_has_one_request(multi: Workbench, popup: BoundPopup) -> None:
    model = popup.requests
    assert model.names == ("A", "B", "D")
    for row in range(model.rowCount()):
        marks = [model.data(model.index(row, column), Qt.ItemDataRole.CheckStateRole) for column in (1, 2, 3)]
        assert marks.count(Qt.CheckState.Checked) == 1


def test_a_mark_asks_for_another_gradient(multi: Workbench, popup: BoundPopup) -> None:
    model = popup.requests
    assert model.setData(model.index(1, 2), Qt.CheckState.Checked, Qt.ItemDataRole.CheckStateRole)

    assert multi.workspace.document.bindings["B"].request == "add"
    assert model.request("B") == "add"
    assert multi.workspace.document.bindings["B"].value == "1"


def test_all_requests_change_in_one_step_and_keep_the_values(multi: Workbench, popup: BoundPopup) -> None:
    before = multi.workspace.document
    popup.requests.ask_all("null")
    assert {binding.request for binding in multi.workspace.document.bindings.values()} == {"null"}

    popup.requests.ask_all(None)
    assert [popup.requests.request(name) for name in popup.requests.names] == ["write"] * 3
    multi.workspace.undo()
    multi.workspace.undo()
    assert multi.workspace.document == before


def test_names_with_data_or_label_are_proposed_no_gradient(bench: Workbench, qtbot: QtBot) -> None:
    bench.files.open_gallery("digits-mlp")
    model = RequestModel(bench.workspace)

    assert model.request("data") == model.request("softmax_label") == "null"
    assert model.request("fc1_weight") == "write"


# -- submenus


def entries(bench: Workbench, menu: str, path: str) -> list[str]:
    submenu = bench.actions.submenu(menu, path)  # type: ignore[arg-type]
    submenu.aboutToShow.emit()
    return [action.text() for action in submenu.actions() if not action.isSeparator()]


def test_recent_files_are_listed_latest_first(bench: Workbench, tmp_path: Path) -> None:
    assert entries(bench, "File", "Open recent") == ["Forget these files"]
    for name in ("one.chalk", "two & three.chalk"):
        bench.settings.add_recent_file(tmp_path / name)

    assert entries(bench, "File", "Open recent") == ["two && three.chalk", "one.chalk", "Forget these files"]
    bench.actions.trigger("forget_recent")
    assert entries(bench, "File", "Open recent") == ["Forget these files"]


def test_the_history_goes_to_any_step(bench: Workbench) -> None:
    bench.actions.trigger("new")
    for name in ("A", "B", "D"):
        bench.workspace.try_edit(add_node, VARIABLE, (0.0, 0.0), name=name)
    assert entries(bench, "Edit", "History") == ["Add D", "Add B", "Add A", "Before the first step"]

    submenu = bench.actions.submenu("Edit", "History")
    submenu.actions()[2].trigger()
    assert [node.name for node in bench.workspace.document.nodes.values()] == ["A"]
    assert entries(bench, "Edit", "History")[:2] == ["Add D (undone)", "Add B (undone)"]
    bench.actions.trigger("undo_all")
    assert not bench.workspace.document.nodes


# -- placing


@pytest.fixture
def drawn(bench: Workbench) -> Workbench:
    """Return a window with a Variable A on the board."""
    bench.actions.trigger("new")
    bench.workspace.try_edit(add_node, VARIABLE, (0.0, 0.0), name="A")
    return bench


def choose(bench: Workbench, choice: Choice, at: QPointF) -> None:
    assert bench.parts is not None
    bench.parts.board.search_requested.emit(SearchRequest(at, QPoint(100, 100), choice.opening))
    bench.parts.finder.chosen.emit(choice)
    bench.parts.finder.close()


def test_what_is_found_stands_on_the_grid_where_it_was_asked_for(drawn: Workbench) -> None:
    choose(drawn, Choice("square"), QPointF(101, 54))

    made = next(node for node in drawn.workspace.document.nodes.values() if node.op == "square")
    assert abs(made.position[0] - 101) <= 8 and abs(made.position[1] - 54) <= 8
    assert made.position[0] % 8 == 0 and made.position[1] % 8 == 0


def test_several_in_a_row_do_not_hide_each_other(drawn: Workbench) -> None:
    assert drawn.parts is not None
    drawn.parts.board.search_requested.emit(SearchRequest(QPointF(80, 80), QPoint(100, 100)))
    for _ in range(3):
        drawn.parts.finder.chosen.emit(Choice("square", stay=True))
    drawn.parts.finder.close()

    places = [node.position for node in drawn.workspace.document.nodes.values() if node.op == "square"]
    assert len(set(places)) == 3


def test_a_wire_in_the_hand_is_joined_in_one_step(drawn: Workbench) -> None:
    (a,) = drawn.workspace.document.nodes
    choose(drawn, Choice("square", opening=LooseEnd(a, 0)), QPointF(0, 96))
    assert len(drawn.workspace.document.edges) == 1

    drawn.workspace.undo()
    assert len(drawn.workspace.document.nodes) == 1 and not drawn.workspace.document.edges


def test_a_variable_can_be_named_in_the_search_and_wired_backwards(drawn: Workbench) -> None:
    made = drawn.workspace.try_edit(add_node, "FullyConnected", (0.0, 96.0), name="fc")
    choose(drawn, Choice(VARIABLE, "shared", opening=LooseEnd(made.node_id, 1, "input")), QPointF(-96, 0))

    named = next(node for node in drawn.workspace.document.nodes.values() if node.name == "shared")
    (edge,) = drawn.workspace.document.edges.values()
    assert (edge.source, edge.target, edge.input) == (named.id, made.node_id, 1)
    drawn.workspace.undo()
    assert len(drawn.workspace.document.nodes) == 2


def test_a_name_that_is_taken_is_refused_in_words(drawn: Workbench) -> None:
    choose(drawn, Choice(VARIABLE, "A"), QPointF(0, 96))

    assert len(drawn.workspace.document.nodes) == 1
    assert "A" in drawn.status_line.message


def test_what_is_chosen_for_a_wire_goes_in_with_room_and_in_one_step(drawn: Workbench) -> None:
    (a,) = drawn.workspace.document.nodes
    end = drawn.workspace.try_edit(add_and_connect, "exp", (0.0, 64.0), wire=LooseEnd(a, 0)).node_id
    (wire,) = drawn.workspace.document.edges
    before = drawn.workspace.document
    assert drawn.parts is not None
    item = drawn.parts.board.board_scene.edge_items[wire]
    choice = Choice("square", opening=OnWire(wire))
    drawn.parts.board.search_requested.emit(SearchRequest(QPointF(0, 32), QPoint(100, 100), choice.opening))
    assert item.opened
    drawn.parts.finder.close()
    assert not item.opened
    drawn.parts.finder.chosen.emit(choice)

    made = next(node for node in drawn.workspace.document.nodes.values() if node.op == "square")
    wired = {(edge.source, edge.target) for edge in drawn.workspace.document.edges.values()}
    assert wired == {(a, made.id), (made.id, end)}
    heights = [drawn.workspace.document.nodes[node].position[1] for node in (a, made.id, end)]
    assert heights[0] == 0 and heights[0] + 56 <= heights[1] and heights[1] + 56 <= heights[2]
    drawn.workspace.undo()
    assert drawn.workspace.document == before


def test_what_is_chosen_in_place_of_an_operator_keeps_its_wires(drawn: Workbench) -> None:
    (a,) = drawn.workspace.document.nodes
    node = drawn.workspace.try_edit(add_and_connect, "exp", (0.0, 64.0), wire=LooseEnd(a, 0)).node_id
    before = drawn.workspace.document
    choose(drawn, Choice("square", opening=InPlaceOf(node)), QPointF(0, 64))

    swapped = drawn.workspace.document.nodes[node]
    assert (swapped.op, swapped.name, swapped.position) == ("square", "square0", (0.0, 64.0))
    assert drawn.workspace.document.edges == before.edges
    drawn.workspace.undo()
    assert drawn.workspace.document == before

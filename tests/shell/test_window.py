"""The window as a whole: what is in it, how its parts are joined, and what it remembers."""

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, QRect, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QApplication, QToolButton
from pytestqt.qtbot import QtBot

from app.canvas.view import READABLE
from app.document.edits import add_node, rename, set_binding
from app.document.records import VARIABLE, Binding
from app.services.gallery import entries
from app.services.project_file import read_project, write_project
from app.shell.application import Application
from app.shell.main_window import MainWindow, openable
from app.shell.workbench import Workbench


def open_example(qtbot: QtBot, bench: Workbench, entry: str) -> None:
    with qtbot.waitSignal(bench.files.opened, timeout=5000):
        bench.files.open_gallery(entry)
    qtbot.waitUntil(lambda: bench.workspace.results_are_current, timeout=5000)


def node(bench: Workbench, name: str) -> str:
    return next(found.id for found in bench.workspace.document.nodes.values() if found.name == name)


def add(bench: Workbench, name: str) -> str:
    made: str = bench.workspace.try_edit(add_node, VARIABLE, (0.0, 0.0), name=name).node_id
    return made


def test_it_begins_with_the_start_page_and_nothing_else(bench: Workbench) -> None:
    assert bench.parts is not None
    assert bench.parts.start_page.isVisible()
    assert not bench.has_document
    assert not bench.docks["palette"].isVisible()
    assert bench.window.windowTitle() == "Chalkgraph"
    assert not bench.actions["save"].isEnabled()
    assert bench.actions["new"].isEnabled()


def test_a_new_board_shows_everything(bench: Workbench, qtbot: QtBot) -> None:
    assert bench.parts is not None
    qtbot.mouseClick(bench.parts.start_page.new, Qt.MouseButton.LeftButton)

    for part in (
        bench.parts.board,
        bench.parts.executor,
        bench.parts.palette,
        bench.parts.inspector,
        bench.parts.code,
    ):
        assert part.isVisible()
    assert bench.toolbar.isVisible() and bench.window.statusBar().isVisible()
    assert bench.window.windowTitle() == "Untitled[*] – Chalkgraph"
    assert bench.parts.board.hasFocus()


@pytest.mark.parametrize("entry", [entry.id for entry in entries()])
def test_everything_in_the_gallery_opens_and_runs(bench: Workbench, qtbot: QtBot, entry: str) -> None:
    open_example(qtbot, bench, entry)
    with qtbot.waitSignal(bench.workspace.results_changed, timeout=5000):
        bench.actions.trigger("backward")

    assert bench.workspace.results is not None and bench.workspace.results.stage == "backward"
    assert not bench.workspace.store.is_modified
    assert bench.workspace.analysis is not None and bench.workspace.analysis.problems == ()


def test_the_title_has_the_name_and_a_mark_for_what_is_unsaved(bench: Workbench, qtbot: QtBot) -> None:
    open_example(qtbot, bench, "executor-backward")
    assert not bench.window.isWindowModified()

    add(bench, "Z")
    qtbot.waitUntil(bench.window.isWindowModified)
    assert bench.window.windowTitle() == "Calculate the gradient[*] – Chalkgraph"
    bench.actions.trigger("undo")
    qtbot.waitUntil(lambda: not bench.window.isWindowModified())


def test_the_status_line_counts(bench: Workbench, qtbot: QtBot) -> None:
    open_example(qtbot, bench, "digits-mlp")
    bench.refresh()

    words = bench.status_line.numbers
    assert words.startswith("7 nodes · 0 problems · 6,570 parameters · ran in ")
    assert words.endswith("· seed 7")


def test_symbol_split_and_executor_show_what_they_say(bench: Workbench, qtbot: QtBot) -> None:
    assert bench.parts is not None
    open_example(qtbot, bench, "executor-backward")
    seen = {}
    for view in ("symbol", "split", "executor"):
        bench.actions.trigger(f"view_{view}")
        seen[view] = (bench.parts.board.isVisible(), bench.parts.executor.isVisible())
        assert bench.actions[f"view_{view}"].isChecked()

    assert seen == {"symbol": (True, False), "split": (True, True), "executor": (False, True)}


def test_live_and_style_are_on_or_off_where_they_show(bench: Workbench, qtbot: QtBot) -> None:
    open_example(qtbot, bench, "executor-backward")
    assert bench.actions["live"].isChecked()
    bench.actions.trigger("live")
    assert not bench.workspace.live and not bench.actions["live"].isChecked()

    bench.actions.trigger("style_card")
    assert bench.workspace.document.options.style == "card"
    assert bench.actions["style_card"].isChecked() and not bench.actions["style_picture"].isChecked()


def test_the_palette_adds_to_the_middle_of_what_is_seen(bench: Workbench, qtbot: QtBot) -> None:
    assert bench.parts is not None
    bench.actions.trigger("new")
    bench.parts.palette.add_requested.emit("FullyConnected")

    (made,) = bench.workspace.document.nodes.values()
    assert made.op == "FullyConnected"
    assert bench.parts.board.seen_box().contains(QPointF(*made.position))


def test_a_shape_that_is_clicked_is_explained_in_the_inspector(bench: Workbench, qtbot: QtBot) -> None:
    from app.canvas.clicks import ShapeRef

    assert bench.parts is not None
    open_example(qtbot, bench, "digits-mlp")
    bench.actions.trigger("panel_inspector")
    assert not bench.docks.is_shown("inspector")
    bench.parts.board.shape_clicked.emit(ShapeRef(node(bench, "fc1"), 0))

    inspector = bench.parts.inspector
    assert inspector.isVisible() and inspector.node is not None and inspector.node.name == "fc1"
    assert any("num_hidden = 64" in sentence for sentence in inspector.node_page.shapes.answers)


def test_an_argument_that_is_clicked_opens_the_form_of_its_value(bench: Workbench, qtbot: QtBot) -> None:
    assert bench.parts is not None
    open_example(qtbot, bench, "digits-mlp")
    bench.workspace.select({node(bench, "fc1")})
    bench.parts.board.argument_clicked.emit((node(bench, "fc1"), 1))

    fold = bench.parts.inspector.node_page.arguments["fc1_weight"]
    assert fold.head.isChecked() and fold.editor is not None and fold.editor.isVisible()


def test_f8_goes_to_the_problem(bench: Workbench, qtbot: QtBot) -> None:
    assert bench.parts is not None
    open_example(qtbot, bench, "executor-backward")
    bench.workspace.try_edit(set_binding, Binding("A", "constant", "[1, 2]"))
    bench.workspace.try_edit(set_binding, Binding("B", "constant", "[1, 2, 3]"))
    assert bench.docks["problems"].windowTitle() == f"Problems {bench.parts.problems.count}"
    bench.actions.trigger("next_problem")

    assert bench.workspace.store.selection
    assert not bench.workspace.results_are_current


def test_who_goes_to_a_node_from_far_can_read_it(bench: Workbench, qtbot: QtBot) -> None:
    assert bench.parts is not None
    open_example(qtbot, bench, "digits-convnet")
    board = bench.parts.board
    board.zoom_to(0.1)
    for _ in range(2):
        bench.open_command_palette()
        qtbot.keyClicks(bench.parts.commands.line, "go to fc2")
        qtbot.keyClick(bench.parts.commands.line, Qt.Key.Key_Return)
        assert board.zoom == READABLE
        assert board.seen_box().contains(board.board_scene.node_items[node(bench, "fc2")].pos())
    board.zoom_to(2.0)
    board.visit(node(bench, "conv1"))
    assert board.zoom == 2.0, "who is near enough stays as near"
    assert board.seen_box().intersects(board.board_scene.node_items[node(bench, "conv1")].body_box())


def test_the_command_palette_runs_actions_and_finds_nodes(bench: Workbench, qtbot: QtBot) -> None:
    assert bench.parts is not None
    open_example(qtbot, bench, "executor-backward")
    commands = bench.parts.commands
    bench.open_command_palette()
    qtbot.keyClicks(commands.line, "card style")
    qtbot.keyClick(commands.line, Qt.Key.Key_Return)
    assert bench.workspace.document.options.style == "card"

    bench.open_command_palette()
    qtbot.keyClicks(commands.line, "go to D")
    qtbot.keyClick(commands.line, Qt.Key.Key_Return)
    assert bench.workspace.store.selection == {node(bench, "D")}


def test_the_bind_button_names_the_outputs(bench: Workbench, qtbot: QtBot) -> None:
    open_example(qtbot, bench, "executor-multi-out")

    assert bench.toolbar.bind_button.toolTip().startswith("Bind: E, C (2 outputs)")


def test_the_gallery_can_be_looked_at_while_a_document_is_open(bench: Workbench, qtbot: QtBot) -> None:
    assert bench.parts is not None
    open_example(qtbot, bench, "executor-backward")
    bench.actions.trigger("gallery")
    assert bench.parts.start_page.isVisible() and not bench.parts.inspector.isVisible()

    bench.actions.trigger("gallery")
    assert bench.parts.board.isVisible() and bench.parts.inspector.isVisible()
    assert len(bench.workspace.document.nodes) == 5


@pytest.mark.parametrize("way", ["button", "escape"])
def test_the_start_page_leads_back_to_the_board(bench: Workbench, qtbot: QtBot, way: str) -> None:
    assert bench.parts is not None
    start = bench.parts.start_page
    assert start.back.isHidden()
    open_example(qtbot, bench, "executor-backward")
    bench.toggle_gallery()
    assert start.isVisible() and start.back.isVisible()
    if way == "button":
        start.back.click()
    else:
        qtbot.keyClick(start.cards[0], Qt.Key.Key_Escape)
    assert bench.has_document and not start.isVisible()


def test_an_edit_ends_what_was_said_about_the_one_before(bench: Workbench, qtbot: QtBot) -> None:
    open_example(qtbot, bench, "executor-backward")
    assert bench.workspace.try_edit(rename, node(bench, "B"), "A") is None
    status = bench.status_line
    assert status.message.endswith("There is a node called A already.")
    assert bench.workspace.try_edit(rename, node(bench, "B"), "B2") is not None
    assert status.message == ""


# -- the layout


def test_the_layout_is_remembered_from_one_start_to_the_next(
    application: Application, bench: Workbench, qtbot: QtBot
) -> None:
    bench.actions.trigger("new")
    bench.actions.trigger("panel_code")
    bench.actions.trigger("view_symbol")
    bench.window.resize(1000, 640)
    bench.window.close()

    application.open_window()
    qtbot.waitUntil(lambda: bool(application.benches) and application.benches[0].is_ready, timeout=20_000)
    again = application.benches[0]
    again.actions.trigger("new")
    assert not again.docks.is_shown("code") and again.docks.is_shown("inspector")
    assert again.view == "symbol"
    assert again.window.height() == 640


def test_a_panel_behind_another_tab_is_brought_to_the_front_and_then_hidden(
    bench: Workbench, qtbot: QtBot
) -> None:
    assert bench.parts is not None
    bench.actions.trigger("new")
    memory = bench.parts.memory
    qtbot.waitUntil(lambda: not bench.parts.code.visibleRegion().isEmpty())  # type: ignore[union-attr]
    assert memory.visibleRegion().isEmpty()

    bench.actions.trigger("panel_memory")
    qtbot.waitUntil(lambda: not memory.visibleRegion().isEmpty())
    assert bench.actions["panel_memory"].isChecked()
    bench.actions.trigger("panel_memory")
    assert not bench.docks.is_shown("memory") and not bench.actions["panel_memory"].isChecked()


def test_a_layout_from_before_the_memory_panel_keeps_its_place_and_gets_the_panel(
    application: Application, bench: Workbench, qtbot: QtBot
) -> None:
    bench.actions.trigger("new")
    bench.window.removeDockWidget(bench.docks["memory"])
    bench.docks["memory"].setParent(None)
    bench.docks["palette"].hide()
    bench.window.close()

    application.open_window()
    qtbot.waitUntil(lambda: bool(application.benches) and application.benches[0].is_ready, timeout=20_000)
    again = application.benches[0]
    again.actions.trigger("new")
    assert not again.docks.is_shown("palette") and again.docks.is_shown("memory")
    assert again.docks["memory"] in again.window.tabifiedDockWidgets(again.docks["code"])


def test_the_keys_of_zooming_are_the_memory_views_while_it_has_the_focus(
    bench: Workbench, qtbot: QtBot
) -> None:
    assert bench.parts is not None
    open_example(qtbot, bench, "digits-convnet")
    bench.actions.trigger("panel_memory")
    chart, board = bench.parts.memory.chart, bench.parts.board
    qtbot.waitUntil(lambda: chart.plan is not None)
    bench.window.activateWindow()
    chart.setFocus()
    qtbot.waitUntil(chart.hasFocus)
    zoom = board.zoom
    qtbot.keyClick(chart, Qt.Key.Key_Plus, Qt.KeyboardModifier.ControlModifier)
    assert not chart.frame.is_whole and board.zoom == zoom
    qtbot.keyClick(chart, Qt.Key.Key_0, Qt.KeyboardModifier.ControlModifier)
    assert chart.frame.is_whole and board.zoom == zoom
    board.setFocus()
    qtbot.keyClick(board, Qt.Key.Key_Plus, Qt.KeyboardModifier.ControlModifier)
    assert board.zoom > zoom and chart.frame.is_whole


def test_an_array_of_the_memory_view_shows_its_node_on_the_board(bench: Workbench, qtbot: QtBot) -> None:
    assert bench.parts is not None
    open_example(qtbot, bench, "digits-convnet")
    bench.actions.trigger("panel_memory")
    memory = bench.parts.memory
    qtbot.waitUntil(lambda: not memory.kept_up.is_behind)
    bench.parts.board.zoom_in()
    for _ in range(9):
        bench.parts.board.zoom_in()
    plan = memory.chart.plan
    assert plan is not None
    number = next(place for place, one in enumerate(plan.arrays) if one.name == "d(fc1)")
    memory.chart.chosen.emit(number)

    key = node(bench, "fc1")
    assert bench.workspace.store.selection == {key}
    item = bench.parts.board.board_scene.node_items[key]
    assert bench.parts.board.seen_box().contains(item.mapRectToScene(item.boundingRect()).center())


def test_the_layout_is_remembered_from_the_start_page_too(
    application: Application, bench: Workbench, qtbot: QtBot
) -> None:
    bench.actions.trigger("new")
    bench.actions.trigger("panel_palette")
    bench.actions.trigger("gallery")
    bench.window.close()

    application.open_window()
    qtbot.waitUntil(lambda: bool(application.benches) and application.benches[0].is_ready, timeout=20_000)
    again = application.benches[0]
    again.actions.trigger("new")
    assert not again.docks.is_shown("palette") and again.docks.is_shown("code")


def test_panels_keep_their_sizes_from_one_start_to_the_next(
    application: Application, bench: Workbench, qtbot: QtBot
) -> None:
    bench.actions.trigger("new")
    bench.window.resize(780, 640)
    bench.window.resizeDocks([bench.docks["code"]], [190], Qt.Orientation.Vertical)
    bench.window.resizeDocks([bench.docks["palette"]], [200], Qt.Orientation.Horizontal)
    qtbot.waitUntil(lambda: bench.docks["palette"].width() == 200)
    height = bench.docks["code"].height()
    assert 120 < height < 250
    bench.window.close()

    application.open_window()
    qtbot.waitUntil(lambda: bool(application.benches) and application.benches[0].is_ready, timeout=20_000)
    again = application.benches[0]
    again.actions.trigger("new")
    qtbot.waitUntil(lambda: again.docks["palette"].width() == 200)
    assert again.docks["code"].height() == height


def test_leaving_from_the_start_page_leaves_the_panels_their_usual_sizes(
    application: Application, bench: Workbench, qtbot: QtBot
) -> None:
    bench.window.close()

    application.open_window()
    qtbot.waitUntil(lambda: bool(application.benches) and application.benches[0].is_ready, timeout=20_000)
    again = application.benches[0]
    again.actions.trigger("new")
    qtbot.waitUntil(lambda: again.docks["palette"].width() == 208)
    assert again.docks["code"].height() < again.window.height() / 2


def test_in_a_narrow_window_the_toolbar_leaves_words_away(bench: Workbench, qtbot: QtBot) -> None:
    bench.actions.trigger("new")
    forward = bench.actions["forward"]
    bench.window.resize(1440, 800)
    qtbot.waitUntil(lambda: forward.iconText() == "Forward  F5")
    bench.window.resize(1000, 800)
    qtbot.waitUntil(lambda: forward.iconText() == "Forward")

    assert bench.window.minimumSizeHint().width() <= 1000
    edge = bench.toolbar.find_button.mapTo(bench.window, QPoint(bench.toolbar.find_button.width(), 0))
    assert edge.x() <= bench.window.width()
    assert bench.toolbar.find_button.words.startswith("Find or run a command")


@pytest.mark.parametrize("width", [1440, 1192, 1072, 1040, 968, 964, 720])
def test_however_narrow_a_window_is_the_toolbar_tells_what_is_bound(
    bench: Workbench, qtbot: QtBot, width: int
) -> None:
    open_example(qtbot, bench, "digits-convnet")
    bench.window.resize(width, 600)
    toolbar = bench.toolbar
    qtbot.waitUntil(lambda: bench.window.width() == width and toolbar.width() == width)
    qtbot.waitUntil(lambda: toolbar.bind_button.text().startswith("Bind"))
    shown = [one for one in toolbar.findChildren(QToolButton) if one.isVisible()]

    def is_whole(button: QToolButton) -> bool:
        left = button.mapTo(bench.window, QPoint(0, 0)).x()
        return button.width() >= button.minimumSizeHint().width() and 0 <= left <= width - button.width()

    qtbot.waitUntil(lambda: all(map(is_whole, shown)))
    assert toolbar.find_button.isVisible()


def test_what_is_bound_is_chosen_on_the_screen(bench: Workbench, qtbot: QtBot) -> None:
    from app.shell.bound import BoundPopup

    open_example(qtbot, bench, "digits-convnet")
    free = bench.window.screen().availableGeometry()
    bench.window.move(free.right() - 400, free.bottom() - 300)
    bench.toolbar.bind_button.click()
    popup = bench.window.findChild(BoundPopup)
    assert popup is not None and popup.isVisible()
    assert free.contains(popup.geometry())
    popup.close()


def test_reset_layout_brings_everything_back(bench: Workbench) -> None:
    bench.actions.trigger("new")
    for panel in ("palette", "inspector", "code", "problems", "memory"):
        bench.docks[panel].hide()
    bench.docks["palette"].setFloating(True)
    bench.actions.trigger("reset_layout")

    assert all(bench.docks.is_shown(name) for name in ("palette", "inspector", "code", "problems", "memory"))
    assert not bench.docks["palette"].isFloating()
    assert bench.view == "split"


def test_a_damaged_layout_is_passed_over(application: Application, settings: Any, qtbot: QtBot) -> None:
    settings.window_state = b"not a layout"
    settings.window_geometry = b"not a geometry"
    application.open_window()
    qtbot.waitUntil(lambda: bool(application.benches) and application.benches[0].is_ready, timeout=20_000)
    bench = application.benches[0]
    bench.actions.trigger("new")

    assert all(bench.docks.is_shown(name) for name in ("palette", "inspector", "code", "problems"))


# -- files on the window, other windows


def dropped(path: Path) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    return data


def test_a_file_that_is_dropped_is_opened(bench: Workbench, qtbot: QtBot, tmp_path: Path) -> None:
    from app.services.gallery import open_entry

    path = tmp_path / "net.chalk"
    write_project(open_entry("digits-mlp"), path)
    data = dropped(path)
    event = QDropEvent(
        QPointF(50, 50),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    with qtbot.waitSignal(bench.files.opened, timeout=5000):
        bench.window.dropEvent(event)

    assert bench.workspace.path == path
    assert bench.workspace.document == read_project(path)


@pytest.mark.parametrize(
    ("name", "can"),
    [("a.chalk", True), ("net-0000.params", True), ("B.JSON", True), ("c.png", False), ("d", False)],
)
def test_only_files_that_can_be_opened_are_taken(name: str, can: bool) -> None:
    assert (openable(dropped(Path("/x") / name)) is not None) == can


def test_a_second_window_has_a_document_of_its_own(
    application: Application, bench: Workbench, qtbot: QtBot
) -> None:
    bench.actions.trigger("new")
    bench.actions.trigger("new_window")
    qtbot.waitUntil(lambda: len(application.benches) == 2 and application.benches[1].is_ready, timeout=20_000)
    other = application.benches[1]
    other.actions.trigger("new")
    add(other, "Z")

    assert len(bench.workspace.document.nodes) == 0
    assert other.window.pos() != bench.window.pos() or QApplication.platformName() == "offscreen"
    other.workspace.store.mark_saved()
    other.window.close()
    assert application.benches == [bench]


def test_the_theme_can_be_changed_from_the_menu(bench: Workbench, qtbot: QtBot) -> None:
    bench.actions.trigger("new")
    bench.actions.trigger("theme_dark")
    assert bench.workspace.theme.is_dark

    image = bench.window.grab().toImage()
    middle = image.pixelColor(bench.centre.mapTo(bench.window, QPoint(bench.centre.width() // 4, 200)))
    assert middle.lightness() < 80
    bench.actions.trigger("theme_light")


def test_closing_while_something_runs_leaves_no_thread(bench: Workbench, qtbot: QtBot) -> None:
    open_example(qtbot, bench, "digits-convnet")
    bench.workspace.backward()
    bench.window.close()

    assert not bench.window.isVisible()


def test_a_click_in_the_executor_graph_shows_that_array_in_the_inspector(
    bench: Workbench, qtbot: QtBot
) -> None:
    open_example(qtbot, bench, "digits-mlp")
    bench.workspace.backward()
    qtbot.waitUntil(
        lambda: bench.workspace.results is not None and bench.workspace.results.stage == "backward"
    )
    bench.show_view("executor")
    assert bench.parts is not None
    executor, inspector = bench.parts.executor, bench.parts.inspector
    item = next(one for one in executor.executor_scene.items_by_index if one.look.title == "d(fc3_bias)")
    qtbot.mouseClick(executor.viewport(), Qt.MouseButton.LeftButton, pos=executor.mapFromScene(item.pos()))
    assert inspector.node is not None and inspector.node.name == "fc3"
    assert inspector.tab == "Gradient"
    assert inspector.array_page("Gradient").picker.currentText() == "fc3_bias"


@pytest.mark.parametrize("view", ["symbol", "executor"])
def test_the_view_that_is_shown_has_the_keys(bench: Workbench, qtbot: QtBot, view: Any) -> None:
    open_example(qtbot, bench, "compose-basic")
    assert bench.parts is not None
    bench.show_view("executor" if view == "symbol" else "symbol")
    bench.show_view(view)
    shown = bench.parts.board if view == "symbol" else bench.parts.executor
    assert shown.hasFocus()


def test_a_window_beside_another_lies_on_the_screen(qtbot: QtBot, settings: Any) -> None:
    windows = [MainWindow(settings) for _ in range(3)]
    for window in windows:
        qtbot.addWidget(window)
    first, second, third = windows
    room = first.screen().availableGeometry()
    first.setGeometry(room)
    first.move(room.topLeft())
    second.stand_beside(first, 32)
    assert second.pos() - first.pos() == QPoint(32, 32)
    assert room.contains(QRect(second.pos(), second.size()))
    second.move(room.bottomRight() - QPoint(300, 200))
    third.stand_beside(second, 32)
    assert third.pos() == room.topLeft(), "where too little is left, the row begins anew"
    assert room.contains(QRect(third.pos(), third.size()))


def test_a_window_that_was_larger_than_the_screen_fits_it_the_next_time(qtbot: QtBot, settings: Any) -> None:
    first = MainWindow(settings)
    qtbot.addWidget(first)
    first.resize(5000, 4000)
    settings.window_geometry = bytes(first.saveGeometry().data())
    second = MainWindow(settings)
    qtbot.addWidget(second)
    room = second.screen().availableGeometry()
    assert second.width() <= room.width() and second.height() <= room.height()

"""The memory view: what it says, what it draws, how it is walked, and that it computes nothing unseen."""

from collections.abc import Iterator
from html import unescape
from itertools import pairwise
from typing import Any, get_args

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QDockWidget, QLabel, QMainWindow, QToolTip
from pytestqt.qtbot import QtBot

from app.document.edits import move, set_options, set_param
from app.document.records import VARIABLE, Binding
from app.engine import sym
from app.panels.amounts import bytes_text
from app.panels.memory import chart as chart_module
from app.panels.memory.chart import MemoryChart
from app.panels.memory.drawing import KINDS, BarInk, bars_of
from app.panels.memory.frame import Frame
from app.panels.memory.memory import MemoryPanel
from app.panels.memory.words import sentence_of, tip_of
from app.panels.panel import LARGE
from app.qt.colours import contrast, readable_on
from app.qt.settings import PictureName
from app.qt.theme import make_theme
from app.qt.workspace import Workspace
from app.services.import_symbol import document_from_symbol
from app.services.memory_map import MemoryMap


@pytest.fixture
def panel(qtbot: QtBot, workspace: Workspace) -> Iterator[MemoryPanel]:
    """Return a memory view that can be seen."""
    made = MemoryPanel(workspace)
    qtbot.addWidget(made)
    made.resize(900, 320)
    made.show()
    yield made
    QToolTip.hideText()
    made.close()


def settled(qtbot: QtBot, panel: MemoryPanel) -> MemoryMap:
    """Wait until the plan of the document as it is now is drawn, and return it."""
    qtbot.waitUntil(lambda: not panel.kept_up.is_behind, timeout=10_000)
    assert panel.chart.plan is not None
    return panel.chart.plan


def number_of(plan: MemoryMap, name: str) -> int:
    return next(number for number, one in enumerate(plan.arrays) if one.name == name)


def middle(panel: MemoryPanel, name: str) -> QPoint:
    """Return the middle of an array's bar."""
    plan = panel.chart.plan
    assert plan is not None
    return panel.chart.bars[number_of(plan, name)].center().toPoint()


def point(chart: MemoryChart, place: QPoint) -> None:
    """Move the pointer, wherever the one of the system stands."""
    where = QPointF(place)
    none = Qt.MouseButton.NoButton
    event = QMouseEvent(
        QEvent.Type.MouseMove, where, chart.mapToGlobal(where), none, none, Qt.KeyboardModifier.NoModifier
    )
    QApplication.sendEvent(chart, event)


def chain(length: int, name: str = "r") -> Any:
    made = sym.Variable("x")
    for number in range(length):
        made = sym.relu(made, name=f"{name}{number}")
    document = document_from_symbol(made)
    from app.document.edits import set_binding

    return set_binding(document, Binding("x", shape=(8, 8))).apply(document)


# -- what it says


def test_an_empty_board_says_what_to_do(qtbot: QtBot, panel: MemoryPanel) -> None:
    qtbot.waitUntil(panel.trouble.isVisible)
    qtbot.waitUntil(lambda: "Add an operator to the board" in panel.trouble.text())
    assert not panel.chart.isVisible() and not panel.share.isVisible()


def test_what_is_missing_or_wrong_is_told_and_then_drawn(qtbot: QtBot, panel: MemoryPanel, desk: Any) -> None:
    data, fc = desk.node(VARIABLE, "data"), desk.node("FullyConnected", "fc1", {"num_hidden": "3"})
    desk.wire(data, fc)
    qtbot.waitUntil(lambda: "Give data a shape" in panel.trouble.text())
    desk.workspace.commit(set_param(desk.workspace.document, fc, "num_hidden", "many"))
    qtbot.waitUntil(lambda: panel.trouble.text().startswith("To plan the memory, mend this first: "))
    assert "num_hidden" in panel.trouble.text()
    desk.workspace.undo()
    desk.bind("data", shape=(4, 5))
    qtbot.waitUntil(panel.chart.isVisible)
    assert not panel.trouble.isVisible()


def test_the_peak_is_told_with_its_step_and_what_sharing_saves(
    qtbot: QtBot, panel: MemoryPanel, desk: Any
) -> None:
    desk.open("digits-convnet")
    plan = settled(qtbot, panel)
    maps = panel.planned.maps
    assert maps is not None
    where = f"step {plan.peak_step + 1}, {plan.steps[plan.peak_step].words}"
    apart = maps.get("training", share=False)
    assert panel.lead.whole == (
        f"Peak {bytes_text(plan.peak)} at {where}; without sharing {bytes_text(apart.total)}."
    )
    assert plan.peak < apart.total and " of " in where
    assert panel.note.whole.startswith(
        f"Beside it all the time: arguments and states {bytes_text(maps.values)}"
    )
    assert "Nothing is bound yet" in panel.note.whole
    desk.run("forward")
    assert "This window binds without sharing" in panel.note.whole


def test_training_and_inference_shared_and_apart_are_four_plans(
    qtbot: QtBot, panel: MemoryPanel, desk: Any
) -> None:
    desk.product()
    settled(qtbot, panel)
    maps = panel.planned.maps
    assert maps is not None and panel.purpose == "training"
    assert panel.chart.plan is maps.get("training", share=True)
    qtbot.mouseClick(panel.share, Qt.MouseButton.LeftButton, pos=QPoint(8, panel.share.height() // 2))
    assert panel.chart.plan is maps.get("training", share=False)
    assert f"{bytes_text(panel.chart.plan.total)} without sharing" in panel.lead.whole
    qtbot.mouseClick(panel.buttons["inference"], Qt.MouseButton.LeftButton)
    assert panel.chart.plan is maps.get("inference", share=False)
    assert "gradient buffers" not in panel.note.whole


def test_a_graph_that_computes_nothing_says_so(qtbot: QtBot, panel: MemoryPanel, desk: Any) -> None:
    alone = desk.node(VARIABLE, "x")
    desk.bind("x", shape=(2, 3))
    desk.workspace.commit(set_options(desk.workspace.document, heads=(alone,)))
    plan = settled(qtbot, panel)
    assert [(one.name, one.kind) for one in plan.arrays] == [("d(x)", "head gradient")]
    panel.buttons["inference"].click()
    plan = settled(qtbot, panel)
    assert not plan.arrays and not plan.steps
    assert "nothing is computed" in panel.lead.whole
    assert not panel.chart.grab().isNull()
    qtbot.keyClick(panel.chart, Qt.Key.Key_Right)
    assert panel.chart.current is None


def test_without_any_wanted_gradient_it_says_so(qtbot: QtBot, panel: MemoryPanel, desk: Any) -> None:
    desk.product()
    for name in "ABD":
        desk.bind(name, kind="constant", value="1", request="null")
    settled(qtbot, panel)
    qtbot.waitUntil(lambda: "No argument asks for a gradient" in panel.note.whole)


def test_where_there_is_no_room_the_second_part_is_left_to_the_tip(
    qtbot: QtBot, panel: MemoryPanel, desk: Any
) -> None:
    desk.open("digits-convnet")
    settled(qtbot, panel)
    panel.resize(1400, 320)
    qtbot.waitUntil(panel.note.isVisible)
    panel.resize(400, 320)
    qtbot.waitUntil(lambda: not panel.note.isVisible())
    assert panel.note.whole in panel.lead.toolTip()
    assert panel.width() == 400


# -- what it draws


@pytest.mark.parametrize("dark", [False, True])
def test_bars_are_drawn_in_the_colours_of_their_kinds(
    qtbot: QtBot, panel: MemoryPanel, desk: Any, dark: bool
) -> None:
    panel.workspace.theming.choose("dark" if dark else "light")
    desk.product()
    plan = settled(qtbot, panel)
    image = panel.chart.grab().toImage()
    ratio = image.devicePixelRatio()
    for name in ("C_output", "E_output"):
        bar = panel.chart.bars[number_of(plan, name)]
        ink = BarInk.of(plan.arrays[number_of(plan, name)].kind, panel.theme)
        spot = QPointF(bar.right() - 12, bar.bottom() - 5) * ratio
        assert image.pixelColor(spot.toPoint()).rgb() == ink.fill.rgb()
    x = panel.chart.frame.x(plan.forward_count) * ratio
    line = image.pixelColor(round(x), round((panel.chart.frame.area.top() + 4) * ratio))
    assert line.rgb() == panel.theme.text.rgb(), "a line divides forward and backward"


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("picture", get_args(PictureName))
def test_every_kind_of_bar_can_be_seen_and_told_from_the_others(picture: PictureName, dark: bool) -> None:
    theme = make_theme(dark=dark, picture=picture)
    inks = [BarInk.of(kind, theme) for kind in KINDS]
    for ink in inks:
        assert contrast(ink.fill, theme.box) >= 1.2
        assert contrast(ink.outline, ink.fill) >= 1.2
        assert contrast(readable_on(ink.fill), ink.fill) >= 4.5
    assert len({(ink.fill.name(), ink.pattern) for ink in inks}) == len(KINDS)


def test_arrays_that_share_memory_lie_at_one_height_and_those_in_place_meet(
    qtbot: QtBot, panel: MemoryPanel, desk: Any
) -> None:
    desk.workspace.load(chain(4))
    plan = settled(qtbot, panel)
    panel.buttons["inference"].click()
    plan = panel.chart.plan or plan
    first, second = (panel.chart.bars[number_of(plan, f"r{number}_output")] for number in (1, 2))
    assert first.top() == second.top() and first.bottom() == second.bottom()
    assert first.right() == pytest.approx(second.left(), abs=0.01)


def test_however_small_the_drawing_is_no_array_is_without_a_pixel(
    qtbot: QtBot, panel: MemoryPanel, desk: Any
) -> None:
    desk.open("digits-convnet")
    plan = settled(qtbot, panel)
    bars = bars_of(Frame.of_all(QRectF(0, 0, 8, 8), len(plan.steps), plan.total), plan.arrays)
    assert min(bar.height() for bar in bars) >= 1.0
    assert min(bar.width() for bar in bars) >= 1.0


def test_what_is_pointed_at_is_marked_without_drawing_the_plan_anew(
    qtbot: QtBot, panel: MemoryPanel, desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.product()
    settled(qtbot, panel)
    before = panel.chart.grab().toImage()
    drawn: list[object] = []
    monkeypatch.setattr(chart_module, "paint_plan", lambda *_: drawn.append(1))
    point(panel.chart, middle(panel, "E_output"))
    assert panel.chart.hovered is not None
    assert panel.chart.grab().toImage() != before
    assert not drawn
    panel.chart.restyle(panel.theme)
    panel.chart.grab()
    assert drawn


# -- the pointer


def test_the_pointer_tells_about_an_array_and_a_click_selects_its_node(
    qtbot: QtBot, panel: MemoryPanel, desk: Any
) -> None:
    ids = desk.product()
    plan = settled(qtbot, panel)
    whole = panel.lead.whole
    point(panel.chart, middle(panel, "E_output"))
    assert panel.lead.whole == "E_output"
    assert panel.note.whole == "(1,) float32 · 4\u00a0B · step 2 to the end"
    with qtbot.waitSignal(panel.go_to) as gone:
        qtbot.mouseClick(panel.chart, Qt.MouseButton.LeftButton, pos=middle(panel, "C_output"))
    assert gone.args == [ids["C"]] and desk.workspace.store.selection == {ids["C"]}
    assert panel.chart.marked == {number_of(plan, name) for name in ("C_output", "d(C)")}
    corner = panel.chart.frame.area.topLeft().toPoint() + QPoint(3, 1)
    qtbot.mouseClick(panel.chart, Qt.MouseButton.LeftButton, pos=corner)
    point(panel.chart, QPoint(1, 1))
    assert panel.lead.whole == whole


def test_selected_nodes_mark_their_arrays(qtbot: QtBot, panel: MemoryPanel, desk: Any) -> None:
    ids = desk.product()
    desk.workspace.select({ids["E"]})
    plan = settled(qtbot, panel)
    assert panel.chart.marked == {number_of(plan, name) for name in ("E_output", "d(E)")}
    before = panel.chart.grab().toImage()
    desk.workspace.select({ids["E"], ids["C"]})
    assert len(panel.chart.marked) == 4
    assert panel.chart.grab().toImage() != before
    desk.workspace.select(set())
    assert not panel.chart.marked


def test_the_tip_tells_everything(qtbot: QtBot, panel: MemoryPanel, desk: Any) -> None:
    desk.workspace.load(chain(4))
    plan = settled(qtbot, panel)
    panel.buttons["inference"].click()
    plan = panel.chart.plan or plan
    number = number_of(plan, "r2_output")
    tip = unescape(tip_of(plan, number))
    for part in (
        "r2_output",
        "value of r2",
        "(8, 8) float32 · 256\u00a0B",
        "born at step 3, forward of r2",
        "last used at step 4, forward of r3",
        "block 1 of 1, from 0\u00a0B on",
        "in place of r1_output",
        "r3_output is written over it",
        "at other times its memory is that of r0_output",
    ):
        assert part in tip, part
    for part in ("r2_output, value of r2", "in place of r1_output", f"{number + 1} of {len(plan.arrays)}."):
        assert part in sentence_of(plan, number), part


def test_the_wheel_zooms_about_the_pointer_and_a_drag_moves(
    qtbot: QtBot, panel: MemoryPanel, desk: Any
) -> None:
    desk.open("digits-convnet")
    settled(qtbot, panel)
    chart = panel.chart
    place = chart.frame.area.center() + QPointF(60, 20)
    step, byte = chart.frame.step_at(place.x()), chart.frame.byte_at(place.y())
    for _ in range(3):
        turn(chart, place, 120)
    assert not chart.frame.is_whole
    assert chart.frame.step_at(place.x()) == pytest.approx(step)
    assert chart.frame.byte_at(place.y()) == pytest.approx(byte)
    bytes_seen = chart.frame.bytes
    turn(chart, place, 120, Qt.KeyboardModifier.ShiftModifier)
    assert chart.frame.bytes == bytes_seen
    low = chart.frame.steps.low
    qtbot.mousePress(chart, Qt.MouseButton.LeftButton, pos=place.toPoint())
    point(chart, place.toPoint() + QPoint(40, 0))
    qtbot.mouseRelease(chart, Qt.MouseButton.LeftButton, pos=place.toPoint() + QPoint(40, 0))
    assert chart.frame.steps.low < low
    assert not desk.workspace.store.selection, "a drag is no click"
    qtbot.mouseDClick(chart, Qt.MouseButton.LeftButton, pos=place.toPoint())
    assert chart.frame.is_whole


def turn(
    chart: MemoryChart,
    place: QPointF,
    degrees: int,
    keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
) -> None:
    event = QWheelEvent(
        place,
        QPointF(chart.mapToGlobal(place)),
        QPoint(),
        QPoint(0, degrees),
        Qt.MouseButton.NoButton,
        keys,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(chart, event)


# -- the keys


def test_the_keys_walk_the_arrays_and_enter_selects_the_node(
    qtbot: QtBot, panel: MemoryPanel, desk: Any
) -> None:
    ids = desk.product()
    plan = settled(qtbot, panel)
    chart = panel.chart
    seen = []
    for _ in plan.arrays:
        qtbot.keyClick(chart, Qt.Key.Key_Right)
        assert chart.current is not None
        seen.append(plan.arrays[chart.current].name)
        assert chart.accessibleDescription() == sentence_of(plan, chart.current)
    assert seen == [one.name for one in plan.arrays]
    assert panel.lead.whole == seen[-1]
    qtbot.keyClick(chart, Qt.Key.Key_Right)
    assert chart.current == 0, "and round"
    with qtbot.waitSignal(panel.go_to):
        qtbot.keyClick(chart, Qt.Key.Key_Return)
    assert desk.workspace.store.selection == {ids["C"]}
    qtbot.keyClick(chart, Qt.Key.Key_Left)
    assert chart.current == len(plan.arrays) - 1
    qtbot.keyClick(chart, Qt.Key.Key_Escape)
    assert chart.current is None and panel.lead.whole.startswith("Peak")


def test_up_and_down_go_to_what_lies_beside_in_memory(qtbot: QtBot, panel: MemoryPanel, desk: Any) -> None:
    desk.product()
    plan = settled(qtbot, panel)
    chart = panel.chart
    lowest = min(range(len(plan.arrays)), key=lambda number: plan.arrays[number].offset)
    chart.go_to(lowest)
    climbed = [plan.arrays[lowest]]
    for _ in range(2):
        qtbot.keyClick(chart, Qt.Key.Key_Up)
        climbed.append(plan.arrays[chart.current or 0])
    for below, above in pairwise(climbed):
        assert below.top == above.offset, "the next one in memory"
        assert below.birth <= above.death and above.birth <= below.death, "that lives at the same time"
    qtbot.keyClick(chart, Qt.Key.Key_Down)
    assert plan.arrays[chart.current or 0].offset == climbed[1].offset


def test_walking_brings_arrays_into_sight(qtbot: QtBot, panel: MemoryPanel, desk: Any) -> None:
    desk.open("digits-convnet")
    plan = settled(qtbot, panel)
    chart = panel.chart
    chart.go_to(0)
    for _ in range(8):
        qtbot.keyClick(chart, Qt.Key.Key_Plus, Qt.KeyboardModifier.ControlModifier)
    last = len(plan.arrays) - 1
    assert not chart.bars[last].intersects(chart.frame.area)
    qtbot.keyClick(chart, Qt.Key.Key_Left)
    assert chart.current == last
    assert chart.bars[last].intersects(chart.frame.area)
    qtbot.keyClick(chart, Qt.Key.Key_Home)
    assert chart.frame.is_whole


# -- following the document


def test_it_follows_edits_and_keeps_the_array_it_was_at(qtbot: QtBot, panel: MemoryPanel, desk: Any) -> None:
    desk.open("digits-convnet")
    plan = settled(qtbot, panel)
    panel.chart.go_to(number_of(plan, "fc1_output"))
    size = plan.arrays[panel.chart.current or 0].size
    desk.workspace.commit(set_param(desk.workspace.document, desk.find("fc1"), "num_hidden", "64"))
    qtbot.waitUntil(lambda: panel.chart.plan is not plan)
    after = settled(qtbot, panel)
    at = panel.chart.current
    assert at is not None and after.arrays[at].name == "fc1_output" and after.arrays[at].size != size


def test_a_moved_node_plans_nothing_anew(qtbot: QtBot, panel: MemoryPanel, desk: Any) -> None:
    ids = desk.product()
    settled(qtbot, panel)
    planned = panel.planned
    desk.workspace.commit(move(desk.workspace.document, {ids["C"]: (300.0, 40.0)}))
    settled(qtbot, panel)
    assert panel.planned is planned
    desk.bind("A", kind="constant", value="10", request="null")
    settled(qtbot, panel)
    assert panel.planned is not planned


def test_a_large_document_is_planned_by_a_worker(qtbot: QtBot, panel: MemoryPanel, desk: Any) -> None:
    desk.workspace.load(chain(LARGE + 1, "a"))
    panel.kept_up.make()
    assert panel.kept_up.is_making
    desk.workspace.load(chain(LARGE + 2, "b"))
    panel.kept_up.make()
    plan = settled(qtbot, panel)
    assert plan.arrays[0].name == "b0_output"


def test_back_at_what_is_shown_a_worker_that_is_at_something_else_is_not_waited_for(
    qtbot: QtBot, panel: MemoryPanel, desk: Any
) -> None:
    desk.workspace.load(chain(LARGE + 1))
    settled(qtbot, panel)
    planned = panel.planned
    analysis = desk.workspace.analysis
    desk.bind("x", shape=(16, 8))
    panel.kept_up.make()
    assert panel.kept_up.is_making
    desk.workspace._analysis = analysis
    desk.workspace.analysis_changed.emit(analysis)
    panel.kept_up.make()
    assert not panel.kept_up.is_making and panel.planned is planned


def test_behind_another_tab_nothing_is_planned(qtbot: QtBot, workspace: Workspace, desk: Any) -> None:
    window = QMainWindow()
    qtbot.addWidget(window)
    panel = MemoryPanel(workspace)
    docks = [QDockWidget(name, window) for name in ("front", "memory")]
    docks[0].setWidget(QLabel("front"))
    docks[1].setWidget(panel)
    for dock in docks:
        window.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, dock)
    window.tabifyDockWidget(docks[0], docks[1])
    docks[0].raise_()
    window.resize(700, 400)
    with qtbot.waitExposed(window):
        window.show()
    desk.product()
    QApplication.processEvents()
    QApplication.processEvents()  # a paint, and what a panel that is seen would then do
    assert panel.isVisible() and panel.kept_up.is_behind and panel.planned.maps is None
    docks[1].raise_()
    settled(qtbot, panel)
    docks[0].raise_()
    QApplication.processEvents()
    planned = panel.planned
    desk.bind("A", kind="constant", value="1", request="null")
    QApplication.processEvents()
    QApplication.processEvents()
    assert panel.planned is planned and panel.kept_up.is_behind
    window.close()


def test_hidden_nothing_is_planned(qtbot: QtBot, panel: MemoryPanel, desk: Any) -> None:
    qtbot.waitUntil(lambda: not panel.kept_up.is_behind)
    panel.hide()
    desk.product()
    QApplication.processEvents()
    QApplication.processEvents()
    assert panel.planned.maps is None
    panel.show()
    settled(qtbot, panel)

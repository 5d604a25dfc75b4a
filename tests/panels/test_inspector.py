"""The inspector: what is selected, its shapes with reasons, its values and its gradients."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.document.edits import set_param
from app.document.records import GROUP, VARIABLE
from app.panels.amounts import cost_text
from app.panels.inspector import Inspector
from app.panels.inspector.array_page import ArrayPage
from app.panels.inspector.facts import array_facts, cost_of, reason_lines
from app.panels.inspector.shapes_box import CLASHING, NOTHING_GIVEN
from app.qt.workspace import Workspace


@pytest.fixture
def inspector(qtbot: QtBot, workspace: Workspace) -> Iterator[Inspector]:
    """Return an inspector that can be seen."""
    made = Inspector(workspace)
    qtbot.addWidget(made)
    made.resize(304, 800)
    made.show()
    yield made
    made.close()


def page(inspector: Inspector, name: Any) -> ArrayPage:
    inspector.choose_tab(name)
    return inspector.array_page(name)


# -- what is shown


def test_with_nothing_selected_the_document_is_summed_up(inspector: Inspector, desk: Any) -> None:
    assert inspector.title.whole == "Board"
    desk.product()
    assert inspector.subtitle.whole == "5 nodes"
    assert inspector.tabs.isHidden()
    assert [line.name for line in inspector.summary.lines] == ["A", "B", "D"]


def test_a_node_is_shown_with_its_operator_and_formula(inspector: Inspector, desk: Any) -> None:
    node = desk.node("FullyConnected", "fc1")
    desk.workspace.select({node})
    assert (inspector.title.whole, inspector.subtitle.whole) == ("fc1", "FullyConnected")
    assert inspector.node_page.formula.text() == "y = x · Wᵀ + b"
    assert inspector.node_page.doc.text().startswith("Multiply each row")


def test_several_nodes_and_a_wire_are_listed(inspector: Inspector, desk: Any) -> None:
    ids = desk.product()
    desk.workspace.select({ids["A"], ids["C"]})
    assert (inspector.title.whole, inspector.subtitle.whole) == ("Selection", "2 nodes")
    wire = next(edge.id for edge in desk.workspace.document.edges.values() if edge.target == ids["C"])
    desk.workspace.select({wire})
    assert inspector.title.whole == "Wire"


def test_tab_goes_down_the_page_after_parts_were_made_anew(
    qtbot: QtBot, inspector: Inspector, desk: Any
) -> None:
    ids = net(desk)
    desk.workspace.select({ids["fc1"]})
    node_page = inspector.node_page
    node_page.arguments["fc1_weight"].head.setChecked(True)
    desk.workspace.commit(set_param(desk.workspace.document, ids["fc1"], "num_hidden", "16"))
    stops = []
    widget: Any = node_page.name_row.field.focusProxy()
    for _ in range(400):
        if (
            node_page.isAncestorOf(widget)
            and widget.isVisible()
            and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        ):
            stops.append(widget.mapTo(node_page, widget.rect().center()))
        widget = widget.nextInFocusChain()
        if widget is node_page.name_row.field.focusProxy():
            break
    assert len(stops) > 10
    heights = [place.y() for place in stops]
    assert all(after >= before - 4 for before, after in pairwise(heights))


def test_an_unknown_operator_is_shown_without_a_form(inspector: Inspector, desk: Any) -> None:
    from app.document.changes import Draft
    from app.document.records import Node

    draft = Draft(desk.workspace.document)
    draft.put(Node("n1", "Frobnicate", "strange"))
    desk.workspace.commit(draft.transaction("Paste"))
    desk.workspace.select({"n1"})
    assert inspector.title.whole == "strange"
    assert inspector.node_page.form is None
    assert any("Frobnicate" in one.text() for one in inspector.node_page.trouble_labels)


def test_the_settings_of_an_opaque_node_can_be_read_but_not_changed(inspector: Inspector, desk: Any) -> None:
    from app.services.import_symbol import document_from_symbol
    from app.services.symbol_json import read_symbol
    from tests.opaque_files import SENTENCE, opaque_file

    desk.workspace.load(document_from_symbol(read_symbol(opaque_file())))
    desk.workspace.select({desk.find("q")})
    page = inspector.node_page
    assert page.form is None
    assert page.kept is not None
    texts = {name: field.text() for name, field in page.kept.fields.items()}
    assert texts == {"kernel": "(3,3)", "act_bit": "1", "in": "x", "lr_mult": "3", "__lr_mult__": "2"}
    assert all(field.line.isReadOnly() for field in page.kept.fields.values())
    assert [one.text().startswith(SENTENCE) for one in page.trouble_labels] == [True]
    assert page.cost.isHidden()
    desk.workspace.select({desk.find("r")})
    assert page.kept is None


def test_what_a_node_holds_beside_the_drawing_is_said(inspector: Inspector, desk: Any) -> None:
    from app.services.import_symbol import document_from_symbol
    from app.services.symbol_json import read_symbol
    from tests.control_flow import control_flow, waiting_file

    held = inspector.node_page.held
    for name, op, words in (
        ("foreach", "_foreach0", "Holds 1 subgraph of 6 nodes."),
        ("while_loop", "_while_loop0", "Holds 2 subgraphs of 2 and 5 nodes."),
        ("cond", "_cond0", "Holds 3 subgraphs of 2, 6 and 5 nodes."),
        ("nested", "_foreach2", "Holds 1 subgraph of 8 nodes."),
    ):
        desk.workspace.load(document_from_symbol(read_symbol(control_flow(name))))
        desk.workspace.select({desk.find(op)})
        assert held.text() == words
    desk.workspace.load(document_from_symbol(read_symbol(waiting_file())))
    desk.workspace.select({desk.find("r")})
    assert held.text() == "Waits for side and b."
    assert not held.isHidden()
    desk.workspace.select({desk.find("e")})
    assert held.isHidden()


def test_deleting_the_selected_node_goes_back_to_the_summary(inspector: Inspector, desk: Any) -> None:
    from app.document.edits import delete

    node = desk.node("FullyConnected", "fc1")
    desk.workspace.select({node})
    desk.workspace.commit(delete(desk.workspace.document, [node]))
    assert inspector.title.whole == "Board"
    desk.workspace.undo()
    assert inspector.title.whole == "fc1"


def test_nothing_is_built_while_the_inspector_is_hidden(inspector: Inspector, desk: Any) -> None:
    inspector.hide()
    node = desk.node("FullyConnected", "fc1")
    desk.workspace.select({node})
    assert inspector.node_page.node_id == ""
    inspector.show()
    assert inspector.node_page.node_id == node


# -- shapes


def net(desk: Any) -> dict[str, str]:
    data, fc = desk.node(VARIABLE, "data"), desk.node("FullyConnected", "fc1", {"num_hidden": "32"})
    desk.wire(data, fc, 0)
    desk.bind("data", shape=(64, 8, 4, 4))
    return {"data": data, "fc1": fc}


def test_shapes_say_where_they_come_from(inspector: Inspector, desk: Any) -> None:
    ids = net(desk)
    desk.workspace.select({ids["fc1"]})
    rows = [(row.fact.name, str(row.fact.shape), row.fact.origin) for row in inspector.node_page.shapes.rows]
    assert rows == [
        ("data", "(64, 8, 4, 4)", "from data"),
        ("fc1_weight", "(32, 128)", "inferred"),
        ("fc1_bias", "(32)", "inferred"),
        ("output", "(64, 32)", ""),
    ]
    slanted = [row.shape_font.italic() for row in inspector.node_page.shapes.rows]
    assert slanted == [False, True, True, True]


def test_a_click_on_a_shape_tells_why(qtbot: QtBot, inspector: Inspector, desk: Any) -> None:
    ids = net(desk)
    desk.workspace.select({ids["fc1"]})
    shapes = inspector.node_page.shapes
    qtbot.mouseClick(shapes.rows[1], Qt.MouseButton.LeftButton)
    assert shapes.question.text() == "Why is fc1_weight (32, 128)?"
    assert shapes.answers[0] == "32 because num_hidden = 32"
    assert "8·4·4" in shapes.answers[1]
    assert any("data was given as (64, 8, 4, 4)" in answer for answer in shapes.answers)
    desk.workspace.commit(set_param(desk.workspace.document, ids["fc1"], "num_hidden", "16"))
    assert shapes.answers[0] == "16 because num_hidden = 16"
    qtbot.mouseClick(shapes.rows[1], Qt.MouseButton.LeftButton)
    assert shapes.why.isHidden()


def test_an_open_shape_says_what_is_missing(inspector: Inspector, desk: Any) -> None:
    node = desk.node("FullyConnected", "fc1")
    desk.workspace.select({node})
    shapes = inspector.node_page.shapes
    shapes.rows[0].click()
    assert shapes.question.text() == "Why is fc1_data still open?"
    assert shapes.answers == [NOTHING_GIVEN]


def test_a_shape_that_is_open_because_others_clash_says_so(inspector: Inspector, desk: Any) -> None:
    node = desk.node("FullyConnected", "fc1")
    desk.bind("fc1_data", shape=(64, 20))
    desk.bind("fc1_weight", shape=(10, 30))
    desk.workspace.select({node})
    shapes = inspector.node_page.shapes
    shapes.rows[-1].click()
    assert shapes.question.text() == "Why is output still open?"
    assert shapes.answers == [CLASHING]


def test_reasons_do_not_repeat_themselves_or_run_forever(desk: Any) -> None:
    nodes = [desk.node(VARIABLE, "x")] + [desk.node("Flatten", f"flat{number}") for number in range(30)]
    for source, target in pairwise(nodes):
        desk.wire(source, target, 0)
    desk.bind("x", shape=(2, 3, 4))
    analysis = desk.workspace.analysis
    fact = array_facts(analysis, nodes[-1])[-1]
    lines = reason_lines(analysis, nodes[-1], fact)
    assert max(line.depth for line in lines) <= 8
    assert len(lines) < 40


def test_sizes_with_one_cause_are_told_together(desk: Any) -> None:
    node = desk.node(VARIABLE, "x")
    desk.wire(node, desk.node("Flatten", "flat"), 0)
    desk.bind("x", shape=(2, 3))
    fact = array_facts(desk.workspace.analysis, node)[0]
    lines = reason_lines(desk.workspace.analysis, node, fact)
    assert [line.sentence for line in lines] == ["2, 3 because x was given as (2, 3)"]


def test_the_cost_is_told_once_shapes_are_known(inspector: Inspector, desk: Any) -> None:
    ids = net(desk)
    desk.workspace.select({ids["fc1"]})
    assert inspector.node_page.cost.text().startswith("4,128 parameters · ")
    cost = cost_of(desk.workspace.analysis, ids["fc1"])
    assert cost is not None and cost.multiply_adds == 64 * 128 * 32
    assert cost_text(cost).split(" · ")[1] == "262,144 multiply-adds"
    desk.workspace.select({ids["data"]})
    assert inspector.node_page.cost.isHidden()


# -- values


def test_before_a_run_the_page_says_how_to_get_numbers(inspector: Inspector, desk: Any) -> None:
    ids = desk.product()
    desk.workspace.select({ids["C"]})
    values = page(inspector, "Values")
    assert values.hint.text() == "Run forward to see numbers here."
    assert not values.run.isHidden() and values.view.isHidden()


def test_a_single_number_is_written_large(inspector: Inspector, desk: Any) -> None:
    ids = desk.product()
    desk.workspace.select({ids["E"]})
    values = page(inspector, "Values")
    desk.run("forward")
    assert values.view.number.text() == "20"
    assert (values.view.title.whole, values.view.detail.whole) == ("E", "float32  (1)")
    assert values.view.pages.isHidden()


def test_heatmap_statistics_and_table_show_the_executors_array(inspector: Inspector, desk: Any) -> None:
    ids = net(desk)
    desk.workspace.select({ids["fc1"]})
    values = page(inspector, "Values")
    results = desk.run("forward")
    array = results.by_node(ids["fc1"])
    view = values.view
    assert view.statistics is not None
    assert view.statistics.maximum == array.max()
    assert view.heatmap is not None
    assert view.heatmap.image.image.shape == (64, 32)
    assert view.heatmap.text_at(QPointF(3.5, 5.5)).startswith("[5, 3] = ")
    view.as_table.click()
    model = view.table.plane_model
    assert (model.rowCount(), model.columnCount()) == (64, 32)
    assert float(model.data(model.index(5, 3))) == pytest.approx(float(array[5, 3]), rel=1e-4)


def test_the_wheel_over_a_heatmap_scrolls_the_page_unless_ctrl_is_held(
    inspector: Inspector, desk: Any
) -> None:
    ids = net(desk)
    desk.workspace.select({ids["fc1"]})
    values = page(inspector, "Values")
    desk.run("forward")
    heatmap = values.view.heatmap
    assert heatmap is not None
    whole = heatmap.box.viewRect()
    for modifier, is_taken in (
        (Qt.KeyboardModifier.NoModifier, False),
        (Qt.KeyboardModifier.ControlModifier, True),
    ):
        place = QPointF(20, 20)
        wheel = QWheelEvent(
            place,
            QPointF(heatmap.view.viewport().mapToGlobal(place)),
            QPoint(),
            QPoint(0, -120),
            Qt.MouseButton.NoButton,
            modifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(heatmap.view.viewport(), wheel)
        assert (heatmap.box.viewRect() != whole) is is_taken


def test_a_nodes_own_arguments_can_be_looked_at_too(inspector: Inspector, desk: Any) -> None:
    ids = net(desk)
    desk.workspace.select({ids["fc1"]})
    values = page(inspector, "Values")
    desk.run("forward")
    assert [values.picker.itemText(at) for at in range(values.picker.count())] == [
        "fc1_output",
        "fc1_weight",
        "fc1_bias",
    ]
    values.picker.setCurrentIndex(1)
    values.picker.activated.emit(1)
    assert (values.view.title.whole, values.view.detail.whole) == ("fc1_weight", "float32  (32, 128)")


def test_images_stand_side_by_side_and_axes_can_be_picked(inspector: Inspector, desk: Any) -> None:
    desk.open("digits-convnet")
    desk.workspace.select({desk.find("conv1")})
    values = page(inspector, "Values")
    desk.run("forward")
    view = values.view
    assert view.slices.isVisible()
    assert view.heatmap is not None
    channels = desk.workspace.results.by_node(desk.find("conv1")).shape[1]
    assert view.heatmap.text_at(QPointF(0.5, 0.5)).startswith("[0, 0, 0, 0] = ")
    assert channels > 1 and view.heatmap.text_at(QPointF(9.5, 0.5)).startswith("[0, 1, 0, 0] = ")
    view.slices.picker(0).setValue(7)
    assert view.heatmap.text_at(QPointF(0.5, 0.5)).startswith("[7, 0, 0, 0] = ")


def test_old_numbers_say_so(inspector: Inspector, desk: Any) -> None:
    ids = net(desk)
    desk.workspace.select({ids["fc1"]})
    values = page(inspector, "Values")
    desk.run("forward")
    assert values.stale.isHidden()
    desk.bind("fc1_weight", kind="initializer", value="zeros")
    assert not values.stale.isHidden()
    desk.run("forward")
    assert values.stale.isHidden()
    assert values.view.statistics is not None and values.view.statistics.zeros == 64 * 32


def test_nan_is_loud(inspector: Inspector, desk: Any) -> None:
    x, log = desk.node(VARIABLE, "x"), desk.node("log", "log")
    desk.wire(x, log, 0)
    desk.bind("x", kind="constant", value="[1, -1, 0]")
    desk.workspace.select({log})
    values = page(inspector, "Values")
    desk.run("forward")
    assert values.view.alarm.isVisible()
    assert values.view.alarm.text() == "⚠ 1 NaN · 1 −∞"


def test_a_large_array_is_counted_on_a_worker(
    qtbot: QtBot, inspector: Inspector, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.panels.inspector import array_view

    monkeypatch.setattr(array_view, "AT_ONCE", 10)
    view = array_view.ArrayView(inspector.theme)
    qtbot.addWidget(view)
    view.show()
    with qtbot.waitSignal(view.counted, timeout=5000) as counted:
        view.show_array("x", np.arange(100.0).reshape(10, 10), diverging=False)
    assert counted.args[0].maximum == 99
    view.shut_down()


# -- gradients


def test_the_gradients_formula_is_spelled_out_with_numbers(inspector: Inspector, desk: Any) -> None:
    ids = desk.product()
    desk.workspace.select({ids["C"]})
    gradient = page(inspector, "Gradient")
    desk.run("backward")
    (found,) = gradient.card.formulas
    assert found.formula.startswith("d(C) = ")
    lines = {(line.what, line.name, line.value) for line in found.lines}
    assert lines == {("reads", "D", "2"), ("flows in", "d(E)", "2")}
    assert found.result.endswith(" = 4")
    assert gradient.view.number.text() == "4"
    assert (gradient.view.title.whole, gradient.view.detail.whole) == ("d(C)", "float32  (1)")
    assert [line.split(" = ")[0] for line in gradient.needed.text().split("\n")] == ["› d(A)", "› d(B)"]


def test_a_group_shows_the_arrays_that_it_binds_in_their_order(inspector: Inspector, desk: Any) -> None:
    ids = desk.product()
    group = desk.node(GROUP, "both")
    desk.wire(ids["E"], group, 0)
    desk.wire(ids["C"], group, 1)
    desk.workspace.select({group})
    values = page(inspector, "Values")
    desk.run("backward")
    assert [values.picker.itemText(number) for number in range(values.picker.count())] == [
        "E_output",
        "C_output",
    ]
    assert values.view.number.text() == "20"
    values.choose("C_output")
    assert values.view.number.text() == "10"
    gradient = page(inspector, "Gradient")
    assert gradient.run.isHidden() and gradient.view.title.whole == "d(E)"


def test_what_nobody_asks_for_is_left_out_as_requests_change(inspector: Inspector, desk: Any) -> None:
    ids = desk.product()
    desk.workspace.select({ids["C"]})
    gradient = page(inspector, "Gradient")
    desk.run("backward")
    assert list(gradient.requests.pickers) == ["A", "B", "D"]
    gradient.requests.pickers["B"].buttons["null"].click()
    assert desk.workspace.document.bindings["B"].request == "null"
    desk.run("backward")
    assert gradient.needed.text().split(" = ")[0] == "› d(A)"
    gradient.requests.pickers["A"].buttons["null"].click()
    desk.run("backward")
    assert gradient.view.isHidden()
    assert "Nobody asked for the gradient of C" in gradient.hint.text()


def test_a_gradient_nobody_asked_for_says_why_it_is_not_there(inspector: Inspector, desk: Any) -> None:
    ids = net(desk)
    desk.workspace.select({ids["data"]})
    gradient = page(inspector, "Gradient")
    desk.run("backward")
    assert gradient.view.isHidden()
    assert "Its request is none" in gradient.hint.text()


def test_a_sum_of_gradients_shows_its_parts(inspector: Inspector, desk: Any) -> None:
    x, square, total = (
        desk.node(VARIABLE, "x"),
        desk.node("elemwise_mul", "sq"),
        desk.node("elemwise_add", "sum"),
    )
    for source, target, number in ((x, square, 0), (x, square, 1), (square, total, 0), (x, total, 1)):
        desk.wire(source, target, number)
    desk.bind("x", kind="constant", value="3")
    desk.workspace.select({x})
    gradient = page(inspector, "Gradient")
    desk.run("backward")
    assert len(gradient.card.formulas) > 1
    assert gradient.view.number.text() == "7"

"""The form of every operator: it is there, shows what is set, writes what is typed, and loses nothing."""

from typing import Any

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.document.edits import set_param
from app.engine.operator import Operator
from app.engine.params import Parameter, as_text
from app.engine.registry import canonical_operators
from app.panels.forms.fields import CheckField, ChoiceField, Field, TextField, TupleField
from app.panels.forms.parameter_form import FormRow
from app.panels.inspector import Inspector
from app.panels.inspector.node_page import NodePage
from app.qt.workspace import Workspace

WITH_PARAMETERS = [operator for operator in canonical_operators() if operator.parameters]
CATEGORIES = list(dict.fromkeys(operator.category for operator in WITH_PARAMETERS))


@pytest.fixture
def inspector(qtbot: QtBot, workspace: Workspace) -> Inspector:
    """Return an inspector that can be seen."""
    made = Inspector(workspace)
    qtbot.addWidget(made)
    made.show()
    return made


def page_of(inspector: Inspector, node_id: str) -> NodePage:
    inspector.workspace.select({node_id})
    assert inspector.node_page.node_id == node_id
    return inspector.node_page


def another_text(parameter: Parameter, current: str | None) -> str | None:
    """Return a text for a parameter that is right, not its default and not what it is now; None if there is none."""
    default = None if parameter.required else as_text(parameter.default)
    low = parameter.declaration.low
    start = 0 if low is None else low
    choices = {
        "bool": ("True", "False"),
        "enum": parameter.choices,
        "int": (str(int(start) + 1), str(int(start))),
        "float": (str(float(start) + 0.5), str(float(start))),
        "ints": ("(2, 2)", "(3, 3)"),
        "floats": ("(0.5, 2.0)",),
        "str": ("some", "other"),
    }[parameter.kind]
    return next((text for text in choices if text not in (default, current)), None)


def shows(parameter: Parameter, field: Field, document_text: str | None) -> bool:
    """Tell whether an editor shows what the document says; lists and boxes show a default that is set as not set."""
    default = None if parameter.required else as_text(parameter.default)
    same = field.text() == document_text
    return same or (not isinstance(field, TextField) and field.text() is None and document_text == default)


def type_into(qtbot: QtBot, field: Field, text: str) -> None:
    """Put a text into an editor as a person would."""
    if isinstance(field, TextField):
        field.line.selectAll()
        qtbot.keyClicks(field.line, text)
        qtbot.keyClick(field.line, Qt.Key.Key_Return)
    elif isinstance(field, ChoiceField):
        index = field.combo.findText(text)
        field.combo.setCurrentIndex(index)
        field.combo.activated.emit(index)
    else:
        assert isinstance(field, CheckField)
        if field.box.isChecked() != (text == "True"):
            field.box.click()


def operators_in(category: str) -> list[type[Operator]]:
    return [operator for operator in WITH_PARAMETERS if operator.category == category]


@pytest.mark.parametrize("category", CATEGORIES)
def test_every_parameter_of_every_operator_is_shown_and_written(
    qtbot: QtBot, inspector: Inspector, desk: Any, category: str
) -> None:
    for operator in operators_in(category):
        node = desk.node(operator.op_name)
        form = page_of(inspector, node).form
        assert form is not None
        assert set(form.rows) == {parameter.name for parameter in operator.parameters}
        form.more.setChecked(True)
        for parameter in operator.parameters:
            check_parameter(qtbot, desk, node, (parameter, form.rows[parameter.name]))


def check_parameter(qtbot: QtBot, desk: Any, node: str, shown: tuple[Parameter, FormRow]) -> None:
    """Type another value, see it in the document, undo, and see the first value again."""
    parameter, row = shown
    where = f"{desk.workspace.document.nodes[node].op}.{parameter.name}"
    assert not row.field.isHidden(), where
    assert shows(parameter, row.field, desk.param(node, parameter.name)), where
    text = another_text(parameter, desk.param(node, parameter.name))
    if text is None:
        return  # a list with a single word
    type_into(qtbot, row.field, text)
    assert desk.param(node, parameter.name) == text, where
    desk.workspace.undo()
    assert desk.param(node, parameter.name) != text, where
    assert shows(parameter, row.field, desk.param(node, parameter.name)), where


@pytest.mark.parametrize("category", CATEGORIES)
def test_required_parameters_are_marked_and_advanced_ones_are_folded(
    inspector: Inspector, desk: Any, category: str
) -> None:
    for operator in operators_in(category):
        form = page_of(inspector, desk.node(operator.op_name)).form
        assert form is not None
        for parameter in operator.parameters:
            row = form.rows[parameter.name]
            assert row.caption.whole.endswith(" *") == parameter.required
            assert row.field.isHidden() == parameter.declaration.advanced
        assert form.more.isHidden() == (not any(one.declaration.advanced for one in operator.parameters))


def test_a_default_stands_in_the_empty_field(inspector: Inspector, desk: Any) -> None:
    form = page_of(inspector, desk.node("Convolution")).form
    assert form is not None
    group = form.rows["num_group"].field
    assert isinstance(group, TextField)
    assert (group.line.text(), group.line.placeholderText()) == ("", "1")


def test_a_bad_value_is_kept_marked_and_explained(qtbot: QtBot, inspector: Inspector, desk: Any) -> None:
    node = desk.node("FullyConnected", "fc1")
    form = page_of(inspector, node).form
    assert form is not None
    row = form.rows["num_hidden"]
    type_into(qtbot, row.field, "-3")
    assert row.field.text() == "-3"
    assert row.complaint.isVisible()
    line = "num_hidden is -3, but it must be a whole number of at least 1. The nearest is 1."
    assert row.complaint.text() == line
    assert isinstance(row.field, TextField) and row.field.line.property("wrong") is True
    assert inspector.node_page.trouble_labels == []
    type_into(qtbot, row.field, "3")
    assert not row.complaint.isVisible()
    assert row.field.line.property("wrong") is False


@pytest.mark.parametrize(
    ("op", "name", "text"),
    [
        ("Convolution", "kernel", "(3, x)"),
        ("Dropout", "p", "1.5"),
        ("FullyConnected", "num_hidden", "many"),
        ("Reshape", "shape", "2; 3"),
    ],
)
def test_bad_values_of_every_kind_keep_their_text(
    qtbot: QtBot, inspector: Inspector, desk: Any, op: str, name: str, text: str
) -> None:
    node = desk.node(op)
    form = page_of(inspector, node).form
    assert form is not None
    type_into(qtbot, form.rows[name].field, text)
    assert form.rows[name].field.text() == text == desk.param(node, name)
    assert name in form.rows[name].complaint.text()


def test_a_bad_choice_and_a_bad_truth_from_a_file_are_shown(inspector: Inspector, desk: Any) -> None:
    node = desk.node("Activation")
    desk.workspace.commit(set_param(desk.workspace.document, node, "act_type", "rlu"))
    form = page_of(inspector, node).form
    assert form is not None
    field = form.rows["act_type"].field
    assert isinstance(field, ChoiceField) and field.combo.currentText() == "rlu"
    assert "relu" in form.rows["act_type"].complaint.text()
    full = desk.node("FullyConnected")
    desk.workspace.commit(set_param(desk.workspace.document, full, "no_bias", "perhaps"))
    form = page_of(inspector, full).form
    assert form is not None
    box = form.rows["no_bias"].field
    assert isinstance(box, CheckField) and box.box.checkState() == Qt.CheckState.PartiallyChecked
    assert not form.rows["no_bias"].complaint.isHidden()


def test_a_setting_that_the_operator_does_not_have_can_be_removed(
    qtbot: QtBot, inspector: Inspector, desk: Any
) -> None:
    node = desk.node("FullyConnected")
    desk.workspace.commit(set_param(desk.workspace.document, node, "num_hiden", "3"))
    form = page_of(inspector, node).form
    assert form is not None
    caption, field, complaint, remove = form.unknown["num_hiden"]
    assert caption.isVisible() and field.isVisible() and "num_hiden" in complaint.text()
    remove.click()
    assert desk.param(node, "num_hiden") is None
    assert form.unknown == {}


def test_clearing_a_field_takes_the_setting_back(qtbot: QtBot, inspector: Inspector, desk: Any) -> None:
    node = desk.node("Convolution", params={"kernel": "(3, 3)", "num_filter": "4", "num_group": "2"})
    form = page_of(inspector, node).form
    assert form is not None
    field = form.rows["num_group"].field
    assert isinstance(field, TextField)
    field.line.selectAll()
    qtbot.keyClick(field.line, Qt.Key.Key_Delete)
    qtbot.keyClick(field.line, Qt.Key.Key_Return)
    assert desk.param(node, "num_group") is None


def test_a_box_at_its_default_says_nothing(inspector: Inspector, desk: Any) -> None:
    node = desk.node("FullyConnected")
    form = page_of(inspector, node).form
    assert form is not None
    field = form.rows["no_bias"].field
    assert isinstance(field, CheckField)
    field.box.click()
    assert desk.param(node, "no_bias") == "True"
    field.box.click()
    assert desk.param(node, "no_bias") is None


def test_typing_is_one_undo_step(qtbot: QtBot, inspector: Inspector, desk: Any) -> None:
    node = desk.node("FullyConnected", params={"num_hidden": "10"})
    form = page_of(inspector, node).form
    assert form is not None
    field = form.rows["num_hidden"].field
    assert isinstance(field, TextField)
    steps = len(desk.workspace.store.history_labels().done)
    field.line.selectAll()
    for letter in "128":
        qtbot.keyClicks(field.line, letter)
        field.flush()
    assert desk.param(node, "num_hidden") == "128"
    assert len(desk.workspace.store.history_labels().done) == steps + 1
    desk.workspace.undo()
    assert field.line.text() == "10"


def test_typed_text_is_taken_after_a_pause(qtbot: QtBot, inspector: Inspector, desk: Any) -> None:
    node = desk.node("FullyConnected")
    form = page_of(inspector, node).form
    assert form is not None
    field = form.rows["num_hidden"].field
    assert isinstance(field, TextField)
    field.line.selectAll()
    qtbot.keyClicks(field.line, "77")
    qtbot.waitUntil(lambda: desk.param(node, "num_hidden") == "77", timeout=5000)


def test_arrow_keys_count(qtbot: QtBot, inspector: Inspector, desk: Any) -> None:
    node = desk.node("FullyConnected", params={"num_hidden": "10"})
    form = page_of(inspector, node).form
    assert form is not None
    field = form.rows["num_hidden"].field
    assert isinstance(field, TextField)
    qtbot.keyClick(field.line, Qt.Key.Key_Up)
    qtbot.keyClick(field.line, Qt.Key.Key_Up)
    qtbot.keyClick(field.line, Qt.Key.Key_Down)
    field.flush()
    assert desk.param(node, "num_hidden") == "11"


def test_what_was_typed_reaches_its_own_node_when_another_is_selected(
    qtbot: QtBot, inspector: Inspector, desk: Any
) -> None:
    first, second = desk.node("FullyConnected"), desk.node("FullyConnected")
    form = page_of(inspector, first).form
    assert form is not None
    field = form.rows["num_hidden"].field
    assert isinstance(field, TextField)
    field.line.selectAll()
    qtbot.keyClicks(field.line, "55")
    desk.workspace.select({second})
    assert (desk.param(first, "num_hidden"), desk.param(second, "num_hidden")) == ("55", "10")


def test_renaming_refuses_a_taken_name_and_keeps_what_was_typed(
    qtbot: QtBot, inspector: Inspector, desk: Any
) -> None:
    desk.node("FullyConnected", "fc1")
    node = desk.node("FullyConnected", "fc2")
    page = page_of(inspector, node)
    type_into(qtbot, page.name_row.field, "fc1")
    assert page.name_row.field.text() == "fc1"
    assert page.name_row.complaint.text() == "There is a node called fc1 already."
    assert desk.workspace.document.nodes[node].name == "fc2"
    desk.bind("fc1_weight", kind="initializer", value="zeros")
    assert page.name_row.field.text() == "fc1"
    type_into(qtbot, page.name_row.field, "head")
    assert not page.name_row.complaint.isVisible()
    assert desk.workspace.document.nodes[node].name == "head"
    assert inspector.title.whole == "head"


def test_the_wheel_over_a_list_changes_nothing(qtbot: QtBot, inspector: Inspector, desk: Any) -> None:
    from PySide6.QtCore import QPoint, QPointF
    from PySide6.QtGui import QWheelEvent
    from PySide6.QtWidgets import QApplication

    node = desk.node("Activation")
    form = page_of(inspector, node).form
    assert form is not None
    field = form.rows["act_type"].field
    assert isinstance(field, ChoiceField)
    inspector.tabs.setFocus()
    wheel = QWheelEvent(
        QPointF(5, 5),
        QPointF(field.combo.mapToGlobal(QPoint(5, 5))),
        QPoint(0, -120),
        QPoint(0, -120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(field.combo, wheel)
    assert desk.param(node, "act_type") == "relu"
    assert field.combo.currentText() == "relu"


def test_names_of_settings_are_whole_and_fields_stand_under_each_other(
    inspector: Inspector, desk: Any, qtbot: QtBot
) -> None:
    inspector.resize(300, 700)
    page = page_of(inspector, desk.node("Pooling", "pool1", {"kernel": "(2, 2)"}))
    qtbot.waitUntil(lambda: page.form is not None and page.form.width() > 200)
    assert page.form is not None
    for name in ("pooling_convention", "count_include_pad"):
        assert page.form.rows[name].caption.text() == name
    fields = [row.field for row in page.form.rows.values() if row.field.isVisible()]
    lefts = {field.mapTo(page, field.rect().topLeft()).x() for field in fields}
    assert {page.name_row.field.mapTo(page, page.name_row.field.rect().topLeft()).x()} == lefts
    assert min(field.width() for field in fields) > 100


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("5, 5", "(5, 5)"),
        ("3x3", "(3, 3)"),
        ("2 × 1", "(2, 1)"),
        ("0.5,1e-3", "(0.5, 1e-3)"),
        ("(5, 5)", "(5, 5)"),
        ("[5,5]", "[5,5]"),
        ("5", "5"),
        ("5,", "5,"),
        ("a,b", "a,b"),
    ],
)
def test_brackets_around_several_numbers_may_be_left_out(qtbot: QtBot, typed: str, meant: str) -> None:
    field = TupleField()
    qtbot.addWidget(field)
    handed_on: list[object] = []
    field.edited.connect(handed_on.append)
    field.line.setText(typed)
    field.flush()
    assert handed_on == [meant]

"""Binding arguments: the editor in the inspector, the sheet of the bind, shapes as people type them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from app.document.records import VARIABLE, Binding, Head
from app.engine import sym
from app.engine.backends.backend import HostNode
from app.panels.bind_panel import LISTED_AT_FIRST, BindPanel
from app.panels.forms import computing_picker
from app.panels.forms.fields import ChoiceField, TextField
from app.panels.forms.shape_text import ShapeTextError, read_shape
from app.panels.inspector import Inspector
from app.panels.inspector.binding_editor import BindingEditor, FileField
from app.panels.panel import ElidedLabel
from app.qt import fonts
from app.qt.workspace import Workspace
from app.services.import_symbol import document_from_symbol


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("(64, 1, 8, 8)", (64, 1, 8, 8)),
        ("64 × 10", (64, 10)),
        ("64x10", (64, 10)),
        ("[3]", (3,)),
        ("5", (5,)),
        ("(?, 10)", (0, 10)),
        ("(64,)", (64,)),
        ("", None),
        ("  ( ) ", None),
    ],
)
def test_shapes_are_read_as_people_type_them(text: str, shape: tuple[int, ...] | None) -> None:
    assert read_shape(text) == shape


@pytest.mark.parametrize("text", ["(64, ten)", "1.5", "-3", "(2, 99999999999999)"])
def test_what_is_no_shape_is_refused_with_a_word(text: str) -> None:
    with pytest.raises(ShapeTextError, match="is no size"):
        read_shape(text)


@pytest.fixture
def inspector(qtbot: QtBot, workspace: Workspace) -> Iterator[Inspector]:
    """Return an inspector that can be seen."""
    made = Inspector(workspace)
    qtbot.addWidget(made)
    made.resize(304, 800)
    made.show()
    yield made
    made.close()


def editor_of(inspector: Inspector, node: str, name: str) -> BindingEditor:
    inspector.workspace.select({node})
    fold = inspector.node_page.arguments[name]
    fold.head.setChecked(True)
    assert fold.editor is not None
    return fold.editor


def pick_kind(editor: BindingEditor, kind: str) -> None:
    index = editor.kind.findData(kind)
    editor.kind.setCurrentIndex(index)
    editor.kind.activated.emit(index)


def type_text(qtbot: QtBot, field: Any, text: str) -> None:
    field.line.selectAll()
    if text:
        qtbot.keyClicks(field.line, text)
    else:
        qtbot.keyClick(field.line, Qt.Key.Key_Delete)
    qtbot.keyClick(field.line, Qt.Key.Key_Return)


def binding(desk: Any, name: str) -> Binding:
    return desk.workspace.document.bindings.get(name, Binding(name))


def test_a_variable_says_what_it_would_get(inspector: Inspector, desk: Any) -> None:
    data, fc = desk.node(VARIABLE, "data"), desk.node("FullyConnected", "fc1")
    desk.wire(data, fc, 0)
    desk.bind("data", shape=(4, 6))
    editor = editor_of(inspector, fc, "fc1_weight")
    assert editor.kind.currentText() == "Proposed: xavier"
    assert editor.shape.line.placeholderText() == "(10, 6)"
    assert inspector.node_page.arguments["fc1_bias"].head.whole.endswith("zeros")


def test_a_number_is_bound(qtbot: QtBot, inspector: Inspector, desk: Any) -> None:
    node = desk.node(VARIABLE, "a")
    editor = editor_of(inspector, node, "a")
    pick_kind(editor, "constant")
    type_text(qtbot, editor.field("constant"), "[1, 2, 3]")
    assert binding(desk, "a") == Binding("a", "constant", "[1, 2, 3]")
    assert not editor.field("initializer").isVisible()


def test_typing_after_the_choice_of_a_kind_replaces_its_first_value(
    qtbot: QtBot, inspector: Inspector, desk: Any
) -> None:
    node = desk.node(VARIABLE, "a")
    editor = editor_of(inspector, node, "a")
    pick_kind(editor, "constant")
    line = editor.field("constant").focusProxy()
    assert isinstance(line, QLineEdit) and line.selectedText() == "1"
    qtbot.keyClicks(line, "10")
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert binding(desk, "a").value == "10"


def test_a_bad_list_is_kept_and_explained(qtbot: QtBot, inspector: Inspector, desk: Any) -> None:
    node = desk.node(VARIABLE, "a")
    editor = editor_of(inspector, node, "a")
    pick_kind(editor, "constant")
    type_text(qtbot, editor.field("constant"), "[1, two]")
    row = editor.row("constant")
    assert editor.field("constant").text() == "[1, two]" == binding(desk, "a").value
    assert not row.complaint.isHidden() and "two" in row.complaint.text()


def test_an_initialiser_is_checked_by_name(qtbot: QtBot, inspector: Inspector, desk: Any) -> None:
    node = desk.node(VARIABLE, "w")
    editor = editor_of(inspector, node, "w")
    pick_kind(editor, "initializer")
    assert binding(desk, "w").value == "normal(0.1)"
    type_text(qtbot, editor.field("initializer"), "gaus(1)")
    assert "no initialiser" in editor.row("initializer").complaint.text()
    type_text(qtbot, editor.field("initializer"), "uniform(0.2)")
    assert editor.row("initializer").complaint.isHidden()
    assert binding(desk, "w") == Binding("w", "initializer", "uniform(0.2)")


def test_a_column_of_the_data_set_gives_its_shape(inspector: Inspector, desk: Any) -> None:
    node = desk.node(VARIABLE, "data")
    desk.wire(node, desk.node("Flatten", "flat"), 0)
    editor = editor_of(inspector, node, "data")
    pick_kind(editor, "dataset")
    column = editor.field("dataset")
    assert isinstance(column, ChoiceField)
    columns = [column.combo.itemText(at) for at in range(column.combo.count())]
    assert {"digits#image", "digits#label", "digits#pixels"} <= set(columns)
    index = column.combo.findText("digits#image")
    column.combo.setCurrentIndex(index)
    column.combo.activated.emit(index)
    assert binding(desk, "data") == Binding("data", "dataset", "digits#image")
    assert editor.shape.line.placeholderText() == "(64, 1, 8, 8)"


def test_a_file_beside_the_document_is_named_by_its_own_name(
    qtbot: QtBot, inspector: Inspector, desk: Any, tmp_path: Path
) -> None:
    np.savez(tmp_path / "weights.npz", first=np.ones((2, 3)), second=np.zeros(4))
    desk.workspace.path = tmp_path / "board.chalk"
    node = desk.node(VARIABLE, "w")
    desk.wire(node, desk.node("Flatten", "flat"), 0)
    editor = editor_of(inspector, node, "w")
    pick_kind(editor, "file")
    assert not editor.row("file").complaint.isHidden()
    field = editor.field("file")
    assert isinstance(field, FileField)
    field.take(tmp_path / "weights.npz")
    assert binding(desk, "w").value == "weights.npz#first"
    assert editor.row("file").complaint.isHidden()
    assert editor.shape.line.placeholderText() == "(2, 3)"
    np.savez(tmp_path / "weights.npz", first=np.ones((2, 3)), w=np.zeros(4))
    field.take(tmp_path / "weights.npz")
    assert binding(desk, "w").value == "weights.npz#w"
    type_text(qtbot, field, "nowhere.npy")
    assert "There is no file" in editor.row("file").complaint.text()


def test_a_bad_shape_is_kept_until_it_is_mended(qtbot: QtBot, inspector: Inspector, desk: Any) -> None:
    node = desk.node(VARIABLE, "data")
    editor = editor_of(inspector, node, "data")
    type_text(qtbot, editor.shape, "(4, five)")
    assert editor.shape.text() == "(4, five)"
    assert "no size" in editor.shape_row.complaint.text()
    assert binding(desk, "data").shape is None
    desk.node("Flatten")
    desk.workspace.select({node})
    type_text(qtbot, editor_of(inspector, node, "data").shape, "(4, 5)")
    assert binding(desk, "data").shape == (4, 5)
    type_text(qtbot, editor_of(inspector, node, "data").shape, "")
    assert "data" not in desk.workspace.document.bindings


def test_a_refused_shape_survives_changes_elsewhere(qtbot: QtBot, inspector: Inspector, desk: Any) -> None:
    node = desk.node(VARIABLE, "data")
    editor = editor_of(inspector, node, "data")
    type_text(qtbot, editor.shape, "(4, five)")
    desk.bind("other", kind="constant", value="1")
    assert editor.shape.text() == "(4, five)"
    assert not editor.shape_row.complaint.isHidden()


def test_the_proposed_request_is_marked_and_can_be_overruled(inspector: Inspector, desk: Any) -> None:
    node = desk.node(VARIABLE, "data")
    picker = editor_of(inspector, node, "data").request
    assert picker is not None
    assert picker.request == "null"
    assert [button.text() for button in picker.buttons.values()] == ["write", "add", "none •"]
    picker.buttons["add"].click()
    assert binding(desk, "data").request == "add"
    picker.buttons["null"].click()
    assert binding(desk, "data").request is None


def test_auxiliary_states_have_no_gradient(inspector: Inspector, desk: Any) -> None:
    node = desk.node("BatchNorm", "bn")
    assert editor_of(inspector, node, "bn_moving_mean").request is None
    assert editor_of(inspector, node, "bn_gamma").request is not None


def test_the_head_gradient_of_an_output_is_set_and_checked(
    qtbot: QtBot, inspector: Inspector, desk: Any
) -> None:
    ids = desk.product()
    desk.workspace.select({ids["E"]})
    (head,) = inspector.node_page.heads
    assert isinstance(head.row.field, TextField) and head.row.field.text() == "2"
    type_text(qtbot, head.row.field, "[3]")
    assert desk.workspace.document.heads["E_output"] == Head("E_output", "[3]")
    type_text(qtbot, head.row.field, "much")
    assert not head.row.complaint.isHidden() and head.row.field.text() == "much"
    type_text(qtbot, head.row.field, "")
    assert "E_output" not in desk.workspace.document.heads
    desk.workspace.select({ids["C"]})
    assert inspector.node_page.heads == []


def test_a_loss_takes_no_head_gradient(inspector: Inspector, desk: Any) -> None:
    node = desk.node("SoftmaxOutput", "softmax")
    desk.workspace.select({node})
    assert inspector.node_page.heads == []


# -- the sheet


@pytest.fixture
def sheet(qtbot: QtBot, workspace: Workspace) -> Iterator[BindPanel]:
    """Return a bind sheet that can be seen."""
    made = BindPanel(workspace)
    qtbot.addWidget(made)
    made.resize(304, 600)
    made.show()
    yield made
    made.close()


def test_the_sheet_lists_arguments_then_states(sheet: BindPanel, desk: Any) -> None:
    data, bn = desk.node(VARIABLE, "data"), desk.node("BatchNorm", "bn")
    desk.wire(data, bn, 0)
    desk.bind("data", shape=(4, 6))
    found = [(line.name, line.shape, line.value, line.request) for line in sheet.lines]
    assert found == [
        ("data", "(4, 6)", "normal(1)", "null"),
        ("bn_gamma", "(6)", "ones", "write"),
        ("bn_beta", "(6)", "zeros", "write"),
        ("bn_moving_mean", "(6)", "zeros", None),
        ("bn_moving_var", "(6)", "ones", None),
    ]
    assert [line.inferred for line in sheet.lines] == [False, True, True, True, True]


def test_shapes_keep_their_font_when_the_theme_changes(sheet: BindPanel, desk: Any, theming: Any) -> None:
    data, fc = desk.node(VARIABLE, "data"), desk.node("FullyConnected", "fc1")
    desk.wire(data, fc, 0)
    desk.bind("data", shape=(4, 6))
    for choice in ("dark", "light"):
        theming.choose(choice)
        given, inferred = (sheet.row_of(name).shape.font() for name in ("data", "fc1_weight"))
        assert (given.family(), given.italic()) == (fonts.MONO_FAMILY, False)
        assert (inferred.family(), inferred.italic()) == (fonts.MONO_FAMILY, True)
        assert sheet.outputs.font().family() == fonts.MONO_FAMILY


def test_the_sheet_names_a_file_and_its_tip_where_it_lies(
    sheet: BindPanel, desk: Any, tmp_path: Path
) -> None:
    file = tmp_path / "a.npz"
    np.savez(file, rows=np.zeros((4, 6)))
    data, bn = desk.node(VARIABLE, "data"), desk.node("BatchNorm", "bn")
    desk.wire(data, bn, 0)
    desk.bind("data", kind="file", value=f"{file}#rows")
    line = sheet.lines[0]
    assert (line.value, line.file) == ("a.npz#rows", f"{file}#rows")
    assert any(str(file) in one.toolTip() for one in sheet.findChildren(ElidedLabel))


def test_a_long_sheet_begins_with_some_lines_and_shows_more_when_asked(
    qtbot: QtBot, sheet: BindPanel, workspace: Workspace
) -> None:
    chain = sym.Variable("x0")
    for number in range(1, LISTED_AT_FIRST + 4):
        chain = chain + sym.Variable(f"x{number}")
    workspace.load(document_from_symbol(chain))
    assert sheet.more.text() == "Show 4 more of 4"
    assert [line.name for line in sheet.lines] == [f"x{number}" for number in range(LISTED_AT_FIRST)]
    qtbot.mouseClick(sheet.more, Qt.MouseButton.LeftButton)
    assert sheet.row_of(f"x{LISTED_AT_FIRST + 3}").request.currentText() == "write •"
    assert not sheet.more.isVisible()
    assert sheet.mark.isVisible()
    workspace.load(document_from_symbol(chain))
    assert len(sheet.lines) == LISTED_AT_FIRST, "another document begins with some again"


def test_rows_are_used_again_for_other_arguments(sheet: BindPanel, desk: Any) -> None:
    """Making widgets takes long, and an edit of a large model is soon followed by the next."""
    data, bn = desk.node(VARIABLE, "data"), desk.node("BatchNorm", "bn")
    desk.wire(data, bn, 0)
    desk.bind("data", shape=(4, 6))
    state = sheet.row_of("bn_moving_var")
    assert state.state.isVisible() and not state.request.isVisible()
    rows = [*sheet._rows]
    fc = desk.node("FullyConnected", "fc")
    desk.wire(data, fc, 0)
    desk.workspace.undo()
    desk.workspace.undo()
    assert sheet._rows[: len(rows)] == rows
    assert sheet.row_of("bn_gamma").request.accessibleName() == "Gradient of bn_gamma"
    assert sheet.row_of("data").request.currentText() == "none •"
    assert sheet.row_of("bn_moving_var").state.isVisible()


def test_a_request_is_set_in_the_sheet(sheet: BindPanel, desk: Any) -> None:
    desk.product()
    box = sheet.row_of("B").request
    box.setCurrentIndex(2)
    box.activated.emit(2)
    assert desk.workspace.document.bindings["B"].request == "null"
    assert desk.workspace.document.bindings["B"].value == "1"
    box = sheet.row_of("B").request
    box.setCurrentIndex(0)
    box.activated.emit(0)
    assert desk.workspace.document.bindings["B"].request is None


def test_a_name_in_the_sheet_selects_its_node(qtbot: QtBot, sheet: BindPanel, desk: Any) -> None:
    ids = desk.product()
    with qtbot.waitSignal(sheet.node_chosen) as chosen:
        qtbot.mouseClick(sheet.row_of("B").name, Qt.MouseButton.LeftButton)
    assert chosen.args == [ids["B"]]
    assert desk.workspace.store.selection == {ids["B"]}


def test_seed_batch_and_mode_are_set(sheet: BindPanel, desk: Any) -> None:
    sheet.seed.setValue(11)
    sheet.batch.setValue(32)
    sheet.first_row.setValue(64)
    sheet.train.click()
    options = desk.workspace.document.options
    assert (options.seed, options.batch, options.batch_start, options.train) == (11, 32, 64, False)
    desk.workspace.undo()
    assert desk.workspace.document.options.train is True
    assert sheet.train.isChecked()


def test_an_empty_board_says_what_to_do(sheet: BindPanel) -> None:
    assert "Tab over the board" in sheet.hint.text()


# -- what computes


def test_what_computes_is_chosen_in_the_sheet_and_remembered(
    sheet: BindPanel, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = []
    monkeypatch.setattr(workspace.devices, "look", lambda: looked.append(True))
    workspace.devices.known = ("cpu", "cuda:0")
    workspace.devices.found.emit()
    picker = sheet.computing
    assert [picker.itemText(place) for place in range(picker.count())] == [
        "numpy",
        "PyTorch",
        "PyTorch on cuda:0",
    ]
    assert picker.currentText() == "numpy" and not looked
    picker.setCurrentIndex(2)
    picker.activated.emit(2)
    assert workspace.settings.computing == "torch:cuda:0"
    picker.showPopup()
    picker.hidePopup()
    assert looked


def test_a_chosen_device_stays_in_the_list_when_it_is_gone(sheet: BindPanel, workspace: Workspace) -> None:
    workspace.settings.computing = "torch:cuda:5"
    assert sheet.computing.currentText() == "PyTorch on cuda:5"


def test_without_pytorch_the_choice_says_what_is_missing(
    sheet: BindPanel, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    monkeypatch.setattr(computing_picker, "is_installed", lambda name: name == "numpy")
    picker = sheet.computing
    picker.show_choice()
    place = picker.findText("PyTorch (not installed)")
    with qtbot.waitSignal(workspace.message) as said:
        picker.setCurrentIndex(place)
        picker.activated.emit(place)
    assert said.args is not None and "pip install" in said.args[0]
    assert workspace.settings.computing == "numpy"
    assert picker.currentText() == "numpy"


def test_the_picker_tells_what_was_left_to_numpy(sheet: BindPanel, workspace: Workspace) -> None:
    class Left:
        host_nodes = (HostNode("norm1", "prod", "PyTorch has no kernel for it"),)

    workspace.results_changed.emit(Left())
    sentence = "norm1 (prod) ran in numpy: PyTorch has no kernel for it."
    assert sentence in sheet.computing.toolTip()
    assert sheet.computing.note.isVisible() and sheet.computing.note.text() == sentence
    workspace.results_changed.emit(None)
    assert "norm1" not in sheet.computing.toolTip()
    assert not sheet.computing.note.isVisible()

"""Undo while an editor has the focus: the editor's own only as long as something was typed in it."""

from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QLineEdit, QMainWindow
from pytestqt.qtbot import QtBot

from app.panels.forms.fields import TextField
from app.panels.inspector import Inspector
from app.qt.workspace import Workspace

CTRL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def inspector(qtbot: QtBot, workspace: Workspace) -> Iterator[Inspector]:
    """Return an inspector in a window whose menu undoes and redoes."""
    window = QMainWindow()
    qtbot.addWidget(window)
    made = Inspector(workspace)
    window.setCentralWidget(made)
    for keys, work in (("Ctrl+Z", workspace.undo), ("Ctrl+Shift+Z", workspace.redo)):
        action = QAction(window)
        action.setShortcut(QKeySequence(keys))
        action.triggered.connect(work)
        window.addAction(action)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    yield made
    window.close()


def hidden_units(inspector: Inspector, node: str) -> QLineEdit:
    inspector.workspace.select({node})
    form = inspector.node_page.form
    assert form is not None
    field = form.rows["num_hidden"].field
    assert isinstance(field, TextField)
    field.begin()
    assert field.line.hasFocus()
    return field.line


def test_what_is_committed_is_undone_in_the_document(qtbot: QtBot, inspector: Inspector, desk: Any) -> None:
    node = desk.node("FullyConnected", params={"num_hidden": "10"})
    line = hidden_units(inspector, node)
    qtbot.keyClicks(line, "32")
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert desk.param(node, "num_hidden") == "32"
    qtbot.keyClick(line, Qt.Key.Key_Z, CTRL)
    assert desk.param(node, "num_hidden") == "10" and line.text() == "10"
    qtbot.keyClick(line, Qt.Key.Key_Z, CTRL | SHIFT)
    assert desk.param(node, "num_hidden") == "32" and line.text() == "32"


def test_what_is_being_typed_is_undone_in_the_field(qtbot: QtBot, inspector: Inspector, desk: Any) -> None:
    node = desk.node("FullyConnected", params={"num_hidden": "10"})
    line = hidden_units(inspector, node)
    qtbot.keyClicks(line, "32")
    qtbot.keyClick(line, Qt.Key.Key_Z, CTRL)
    assert line.text() == "10"
    assert desk.param(node, "num_hidden") == "10" and node in desk.workspace.document.nodes


def test_a_refused_name_is_undone_in_the_field(qtbot: QtBot, inspector: Inspector, desk: Any) -> None:
    desk.node("FullyConnected", "fc1")
    node = desk.node("FullyConnected", "fc2")
    inspector.workspace.select({node})
    field = inspector.node_page.name_row.field
    assert isinstance(field, TextField)
    field.begin()
    qtbot.keyClicks(field.line, "fc1")
    qtbot.keyClick(field.line, Qt.Key.Key_Return)
    qtbot.keyClick(field.line, Qt.Key.Key_Z, CTRL)
    assert field.line.text() == "fc2" and node in desk.workspace.document.nodes


def test_a_number_box_passes_undo_on(qtbot: QtBot, inspector: Inspector, desk: Any) -> None:
    node = desk.node("FullyConnected")
    seed = inspector.summary.seed
    seed.setFocus()
    qtbot.keyClick(seed, Qt.Key.Key_Up)
    assert desk.workspace.document.options.seed == 8
    qtbot.keyClick(seed, Qt.Key.Key_Z, CTRL)
    assert desk.workspace.document.options.seed == 7 and node in desk.workspace.document.nodes

"""The inspector's page of one wire: its ends by name, and what to do where it does not fit."""

from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from app.document.edits import connect, set_param
from app.document.records import VARIABLE
from app.panels.inspector import Inspector
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


def words(inspector: Inspector) -> list[str]:
    return [one.accessibleName() for one in inspector.findChildren(QLabel) if one.isVisible()]


def buttons(inspector: Inspector) -> dict[str, QPushButton]:
    found = [one for one in inspector.findChildren(QPushButton) if one.isVisible()]
    return {one.accessibleName() or one.text(): one for one in found}


def mismatch(desk: Any) -> str:
    """Draw E = fc1 * D with (4, 10) and (4, 3), and return the wire that does not fit."""
    data, fc = desk.node(VARIABLE, "data"), desk.node("FullyConnected", "fc1", {"num_hidden": "10"})
    d, e = desk.node(VARIABLE, "D"), desk.node("elemwise_mul", "E")
    for source, target, number in ((data, fc, 0), (fc, e, 0)):
        desk.wire(source, target, number)
    wire = desk.wire(d, e, 1)
    desk.bind("data", shape=(4, 8))
    desk.bind("D", shape=(4, 3))
    return str(wire)


def test_the_ends_and_the_shape_have_names(inspector: Inspector, desk: Any) -> None:
    ids = desk.product()
    wire = next(one.id for one in desk.workspace.document.edges.values() if one.source == ids["D"])
    desk.workspace.select({wire})
    assert {"From", "To", "Shape"} <= set(words(inspector))
    buttons(inspector)["To E · rhs"].click()
    assert desk.workspace.store.selection == {ids["E"]}


def test_an_output_of_several_is_named(inspector: Inspector, desk: Any) -> None:
    split, flat = desk.node("SliceChannel", "split", {"num_outputs": "2"}), desk.node("Flatten", "flat")
    desk.workspace.commit(connect(desk.workspace.document, split, 1, flat, 0))
    (wire,) = desk.workspace.document.edges
    desk.workspace.select({wire})
    assert "From split · output1" in buttons(inspector)


def test_a_misfit_tells_both_shapes_and_who_decides_them(inspector: Inspector, desk: Any) -> None:
    desk.workspace.select({mismatch(desk)})
    told = words(inspector)
    assert "D gives (4, 3)" in told and "E wants (4, 10)" in told
    assert told.index("E wants (4, 10)") < told.index("10 because num_hidden = 10")


@pytest.mark.parametrize("words_of_it", ["Give D the shape (4, 10)", "Set num_hidden of fc1 to 3"])
def test_what_is_said_to_help_helps(inspector: Inspector, desk: Any, words_of_it: str) -> None:
    desk.workspace.select({mismatch(desk)})
    buttons(inspector)[words_of_it].click()
    assert not desk.workspace.analysis.problems
    assert not [one for one in words(inspector) if " wants " in one]


def types_apart(desk: Any) -> str:
    """Draw a sum of a float64 and a whole number, and return the wire of the second."""
    one, other, total = desk.node(VARIABLE, "a"), desk.node(VARIABLE, "b"), desk.node("elemwise_add", "add")
    desk.wire(one, total, 0)
    wire: str = desk.wire(other, total, 1)
    desk.bind("a", shape=(2,), dtype="float64")
    desk.bind("b", shape=(2,), dtype="int32")
    return wire


@pytest.mark.parametrize(
    "words_of_it", ["Give b the type float64", "Put a Cast to float64 before input rhs of add"]
)
def test_a_misfit_of_types_is_mended_with_one_click_and_one_undo(
    inspector: Inspector, desk: Any, words_of_it: str
) -> None:
    wire = types_apart(desk)
    (problem,) = desk.workspace.analysis.problems
    assert problem.edge == wire
    before = desk.workspace.document
    desk.workspace.select({wire})
    buttons(inspector)[words_of_it].click()
    assert not desk.workspace.analysis.problems
    desk.workspace.store.undo()
    assert (
        desk.workspace.document.nodes == before.nodes and desk.workspace.document.bindings == before.bindings
    )


def test_a_wire_that_goes_nowhere_can_be_removed(inspector: Inspector, desk: Any) -> None:
    data, total = desk.node(VARIABLE, "a"), desk.node("Concat", "join")
    desk.wire(data, total, 0)
    wire = desk.wire(data, total, 1)
    desk.workspace.try_edit(set_param, total, "num_args", "1")
    desk.workspace.select({wire})
    buttons(inspector)["Remove the wire from a to join"].click()
    assert not desk.workspace.analysis.problems

"""The palette: what is in it, how it is searched, and what a drag carries."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.engine.registry import all_operators, canonical_operators
from app.panels import catalogue
from app.panels.palette import Palette
from app.panels.palette_entry import MIME_TYPE, PaletteEntry
from app.qt.workspace import Workspace


@pytest.fixture
def palette(qtbot: QtBot, workspace: Workspace) -> Iterator[Palette]:
    """Return a palette that can be seen."""
    made = Palette(workspace)
    qtbot.addWidget(made)
    workspace.analysis_changed.emit(workspace.analysis)
    made.resize(208, 700)
    made.show()
    yield made
    made.close()


def names(palette: Palette) -> list[str]:
    return [entry.entry.name for entry in palette.shown]


def entry(palette: Palette, name: str) -> PaletteEntry:
    return next(one for one in palette.shown if one.entry.name == name)


def test_the_short_list_names_real_operators_in_their_own_categories() -> None:
    for category, rows in catalogue.SHORT_LIST.items():
        for name in (name for row in rows for name in row):
            known = catalogue.entries()[name]
            assert name in ("Variable", "Group") or name in all_operators()
            assert category == known.category or known.category in ("Functions", "Linear algebra")


def test_it_opens_with_the_short_list(palette: Palette) -> None:
    assert tuple(names(palette)) == catalogue.short_names()
    assert entry(palette, "elemwise_mul").text() == "×"
    assert entry(palette, "FullyConnected").text() == "FullyConnected"


def test_tooltips_say_what_an_operator_does_and_its_formula(palette: Palette) -> None:
    tip = entry(palette, "FullyConnected").toolTip()
    assert "Multiply each row by a learned matrix" in tip
    assert "y = x · Wᵀ + b" in tip


def test_all_operators_are_below_when_asked_for(palette: Palette) -> None:
    palette.more.click()
    everything = {operator.op_name for operator in canonical_operators()}
    assert everything <= set(names(palette))
    palette.more.click()
    assert tuple(names(palette)) == catalogue.short_names()


def test_searching_goes_over_all_operators_and_their_aliases(qtbot: QtBot, palette: Palette) -> None:
    qtbot.keyClicks(palette.search, "split")
    qtbot.waitUntil(lambda: names(palette) == ["SliceChannel", "_split_v2"])
    qtbot.keyClick(palette.search, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: tuple(names(palette)) == catalogue.short_names())


def test_enter_in_the_search_adds_the_best(qtbot: QtBot, palette: Palette) -> None:
    qtbot.keyClicks(palette.search, "relu")
    with qtbot.waitSignal(palette.add_requested) as asked:
        qtbot.keyClick(palette.search, Qt.Key.Key_Return)
    assert asked.args == ["relu"]


def test_a_double_click_and_enter_add(qtbot: QtBot, palette: Palette) -> None:
    with qtbot.waitSignal(palette.add_requested) as asked:
        qtbot.mouseDClick(entry(palette, "Pooling"), Qt.MouseButton.LeftButton)
    assert asked.args == ["Pooling"]
    with qtbot.waitSignal(palette.add_requested) as asked:
        qtbot.keyClick(entry(palette, "exp"), Qt.Key.Key_Return)
    assert asked.args == ["exp"]


def test_arrows_walk_from_the_search_line_through_the_list(qtbot: QtBot, palette: Palette) -> None:
    palette.activateWindow()
    palette.search.setFocus()
    qtbot.keyClick(palette.search, Qt.Key.Key_Down)
    first = palette.shown[0]
    assert palette.focusWidget() is first
    qtbot.keyClick(first, Qt.Key.Key_Down)
    assert palette.focusWidget() is palette.shown[1]
    qtbot.keyClick(palette.shown[1], Qt.Key.Key_Up)
    qtbot.keyClick(first, Qt.Key.Key_Up)
    assert palette.focusWidget() is palette.search


def test_typing_over_the_list_searches(qtbot: QtBot, palette: Palette) -> None:
    palette.activateWindow()
    first = palette.shown[0]
    first.setFocus()
    qtbot.keyClicks(first, "d")
    assert palette.search.text() == "d"
    assert palette.focusWidget() is palette.search


def test_a_drag_carries_the_operators_name(palette: Palette) -> None:
    data = entry(palette, "Convolution").mime_data()
    assert bytes(data.data(MIME_TYPE).data()) == b"Convolution"
    assert data.text() == "Convolution"


def test_entries_have_names_and_descriptions_for_screen_readers(palette: Palette) -> None:
    for one in palette.shown:
        assert one.accessibleName() == one.entry.name
        assert one.accessibleDescription()

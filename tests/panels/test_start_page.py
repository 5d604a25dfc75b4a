"""The start page: its buttons, the last files, and the gallery."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.panels.start_page import CARD_WIDTH, GalleryCard, StartPage
from app.qt.settings import Settings
from app.qt.workspace import Workspace
from app.services.gallery import entries


@pytest.fixture
def start(qtbot: QtBot, workspace: Workspace) -> Iterator[StartPage]:
    """Return a start page that can be seen."""
    made = StartPage(workspace)
    qtbot.addWidget(made)
    made.resize(1100, 700)
    made.show()
    yield made
    made.close()


def test_new_and_open_are_asked_for(qtbot: QtBot, start: StartPage) -> None:
    with qtbot.waitSignal(start.new_requested):
        start.new.click()
    with qtbot.waitSignal(start.open_requested):
        start.open.click()


def test_every_entry_of_the_gallery_has_a_card_that_opens_it(qtbot: QtBot, start: StartPage) -> None:
    assert [card.entry for card in start.cards] == list(entries())
    for card in start.cards:
        with qtbot.waitSignal(start.example_requested) as asked:
            qtbot.keyClick(card, Qt.Key.Key_Space)
        assert asked.args == [card.entry.id]


def test_every_card_gets_a_picture(qtbot: QtBot, start: StartPage) -> None:
    colours = {start.theme.picture.argument.rgb(), start.theme.picture.operator.rgb()}

    def seen(card: GalleryCard) -> set[int]:
        image = card.grab().toImage()
        return {image.pixel(x, y) for x in range(image.width()) for y in range(104)}

    for card in start.cards:
        qtbot.waitUntil(lambda card=card: colours <= seen(card), timeout=5000)


def test_the_last_files_are_listed_and_follow_the_settings(
    qtbot: QtBot, start: StartPage, settings: Settings, tmp_path: Path
) -> None:
    assert start.recent == []
    for name in ("first.chalk", "a & b.chalk"):
        settings.add_recent_file(tmp_path / name)
    assert [button.accessibleName() for button in start.recent] == ["a & b.chalk", "first.chalk"]
    assert start.recent[0].text() == "a && b.chalk"
    with qtbot.waitSignal(start.recent_requested) as asked:
        start.recent[1].click()
    assert asked.args == [tmp_path / "first.chalk"]


@pytest.mark.parametrize("width", [560, 800, 1100, 1900])
def test_cards_never_overlap_nor_leave_the_page(start: StartPage, width: int) -> None:
    start.resize(width, 700)
    QApplication.processEvents()
    for grid in {card.parentWidget() for card in start.cards}:
        assert grid is not None
        places = [card.geometry() for card in start.cards if card.parentWidget() is grid]
        for number, place in enumerate(places):
            assert grid.rect().contains(place)
            assert place.width() >= CARD_WIDTH
            assert not any(place.intersects(other) for other in places[number + 1 :])


def test_a_tip_says_only_what_the_card_has_no_room_for(start: StartPage) -> None:
    card = start.cards[0]
    assert card.toolTip() == ""
    card.resize(60, card.height())
    assert card.toolTip() == f"{card.entry.title}\n{card.entry.subtitle}"

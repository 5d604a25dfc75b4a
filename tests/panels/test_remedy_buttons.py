"""The buttons that mend: their words are read whole even in a narrow panel."""

from PySide6.QtWidgets import QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.panels.remedy_buttons import WrappingButton

WORDS = "Make relu4_3_anchors & relu7_anchors a _contrib_MultiBoxPrior"


def test_long_words_are_broken_into_lines_instead_of_widening_the_panel(qtbot: QtBot) -> None:
    panel = QWidget()
    column = QVBoxLayout(panel)
    button = WrappingButton(WORDS)
    column.addWidget(button)
    column.addStretch()
    qtbot.addWidget(panel)
    panel.resize(900, 300)
    panel.show()
    assert button.text() == WORDS.replace("&", "&&")
    one_line = button.height()
    panel.resize(240, 300)
    qtbot.waitUntil(lambda: "\n" in button.text())
    assert panel.width() == 240
    assert button.text().split() == WORDS.replace("&", "&&").split()
    assert all(
        button.fontMetrics().horizontalAdvance(line) < button.width() for line in button.text().split("\n")
    )
    qtbot.waitUntil(lambda: button.height() > one_line)
    panel.resize(900, 300)
    qtbot.waitUntil(lambda: "\n" not in button.text())
    qtbot.waitUntil(lambda: button.height() == one_line)


def test_a_name_longer_than_the_panel_is_cut_in_its_middle(qtbot: QtBot) -> None:
    button = WrappingButton("Rename " + "a" * 200)
    qtbot.addWidget(button)
    button.resize(200, 80)
    button.show()
    assert "…" in button.text()
    assert button.minimumSizeHint().width() <= 200
    assert button.accessibleName() == "Rename " + "a" * 200

"""The unsaved-changes question and the list of keys."""

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from app.shell.action_table import all_actions
from app.shell.dialogs import Dialogs, KeysDialog, UnsavedQuestion
from app.shell.gestures_list import GESTURES
from app.shell.workbench import Workbench


def answer_with(words: str) -> None:
    """Click a button of the question as soon as it is open."""
    question = QApplication.activeModalWidget()
    assert isinstance(question, UnsavedQuestion)
    next(found for found in question.findChildren(QPushButton) if found.text() == words).click()


@pytest.mark.parametrize(
    ("words", "answer"), [("Save", "save"), ("Don't save", "discard"), ("Cancel", "cancel")]
)
def test_each_button_of_the_question_is_its_answer(empty_bench: Workbench, words: str, answer: str) -> None:
    QTimer.singleShot(0, lambda: answer_with(words))

    assert Dialogs(empty_bench.window).unsaved("gradient.chalk") == answer


def test_escape_is_cancel(empty_bench: Workbench, qtbot: QtBot) -> None:
    QTimer.singleShot(0, lambda: qtbot.keyClick(QApplication.activeModalWidget(), Qt.Key.Key_Escape))

    assert Dialogs(empty_bench.window).unsaved("gradient.chalk") == "cancel"


def test_the_question_names_the_document(empty_bench: Workbench) -> None:
    question = UnsavedQuestion("gradient.chalk", empty_bench.window)

    assert "gradient.chalk" in question.text()
    assert question.defaultButton() is question.save_button


@pytest.fixture
def keys(empty_bench: Workbench) -> KeysDialog:
    """Return the list of keys."""
    return KeysDialog(all_actions(), GESTURES, empty_bench.window)


def shown(keys: KeysDialog) -> list[str]:
    rows = []
    for index in range(keys.tree.topLevelItemCount()):
        section = keys.tree.topLevelItem(index)
        assert section is not None
        rows += [
            section.child(row).text(0)
            for row in range(section.childCount())
            if not section.child(row).isHidden()
        ]
    return rows


def test_every_action_with_a_key_is_listed(keys: KeysDialog) -> None:
    listed = shown(keys)

    assert {action.title for action in all_actions() if action.keys} <= set(listed)
    assert {words for words, _ in GESTURES} <= set(listed)


def test_typing_narrows_the_list_to_an_action_or_a_key(keys: KeysDialog) -> None:
    keys.line.setText("f5")
    assert "Forward" in shown(keys)
    assert "Save" not in shown(keys)

    keys.line.setText("export nothing at all")
    assert shown(keys) == []

"""Windows of the real program for tests, and answers to their questions that need no person."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.engine.repairs.repair import Repair
from app.shell.application import Application
from app.shell.dialogs import Answer
from app.shell.workbench import Workbench


class Answers:
    """Stands in for the dialogs: says what it was told to, and keeps what it was asked."""

    def __init__(self) -> None:
        self.unsaved_answer: Answer = "discard"
        self.open_path: Path | None = None
        self.save_path: Path | None = None
        self.mend_answer = True
        self.load_in_part_answer = True
        self.asked: list[str] = []
        self.refusals: list[str] = []

    def unsaved(self, name: str) -> Answer:
        self.asked.append(name)
        return self.unsaved_answer

    def mend(self, name: str, _repair: Repair) -> bool:
        self.asked.append(name)
        return self.mend_answer

    def load_in_part(self, sentence: str, details: str) -> bool:
        self.asked.append(f"{sentence}\n{details}")
        return self.load_in_part_answer

    def file_to_open(self, _folder: Path, *_words: str) -> Path | None:
        return self.open_path

    def file_to_save(self, suggestion: Path, _title: str, _file_filter: str) -> Path | None:
        self.asked.append(suggestion.name)
        return self.save_path

    def refuse(self, _title: str, sentence: str) -> None:
        self.refusals.append(sentence)


@pytest.fixture
def answers() -> Answers:
    """Return the answers that dialogs will give."""
    return Answers()


@pytest.fixture
def application(qapp: QApplication, settings: Any) -> Iterator[Application]:
    """Return the real application object over fresh settings; its windows are closed at the end."""
    settings.theme = "light"
    made = Application(qapp, settings)
    yield made
    for bench in tuple(made.benches):
        bench.workspace.store.mark_saved()
        bench.window.close()
    made.close_down()


@pytest.fixture
def bench(application: Application, qtbot: QtBot, answers: Answers) -> Workbench:
    """Return a window that was opened as a person opens it, with everything in it."""
    window = application.open_window()
    qtbot.waitUntil(lambda: bool(application.benches) and application.benches[0].is_ready, timeout=20_000)
    made = application.benches[0]
    for part in (made.files, made.exports, made.parameters):
        part._dialogs = answers  # type: ignore[assignment]
    qtbot.waitExposed(window)
    return made

"""A fault of the program: said once, with a report to copy, and the document stays."""

import sys
import threading
from collections.abc import Callable, Iterator

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app.engine.errors import GraphError
from app.shell.crash import CrashHandler, report_of


class Told(list[str]):
    """What was said at the status line."""


@pytest.fixture
def told() -> Told:
    """Return a list that fills with what is said."""
    return Told()


@pytest.fixture
def handler(qtbot: QtBot, told: Told) -> Iterator[CrashHandler]:
    """Return a handler that is not installed yet."""
    made = CrashHandler(told.append, rescue=lambda: told.append("rescued"))
    yield made
    if made.dialog is not None:
        made.dialog.close()
    made.deleteLater()


def fault() -> ZeroDivisionError:
    try:
        raise ZeroDivisionError("a fault of ours")
    except ZeroDivisionError as error:
        return error


def button(handler: CrashHandler, words: str) -> QPushButton:
    assert handler.dialog is not None
    return next(found for found in handler.dialog.findChildren(QPushButton) if found.text() == words)


def test_a_message_for_people_is_told_and_no_fault(handler: CrashHandler, told: Told) -> None:
    handler.handle(GraphError("These wires form a circle.", node="C"))

    assert told == ["C: These wires form a circle."]
    assert handler.dialog is None


def test_a_fault_opens_one_dialog_whose_report_can_be_copied(handler: CrashHandler) -> None:
    handler.handle(fault())

    assert handler.dialog is not None and handler.dialog.isVisible()
    button(handler, "Copy report").click()
    report = QGuiApplication.clipboard().text()
    assert "ZeroDivisionError: a fault of ours" in report
    assert "test_crash.py" in report and "Qt 6" in report


def test_the_document_can_be_rescued_from_the_dialog(handler: CrashHandler, told: Told) -> None:
    handler.handle(fault())
    button(handler, "Save a copy…").click()

    assert told == ["rescued"]
    assert handler.dialog is not None


def test_faults_do_not_pile_up_dialogs(handler: CrashHandler, told: Told) -> None:
    handler.handle(fault())
    first = handler.dialog
    handler.handle(fault())

    assert handler.dialog is first
    assert len(told) == 1


@pytest.fixture
def installed(handler: CrashHandler) -> Iterator[CrashHandler]:
    """Return the handler in its place, and put back who was there before."""
    before = sys.excepthook, threading.excepthook
    handler.install()
    yield handler
    handler.uninstall()
    assert (sys.excepthook, threading.excepthook) == before


def test_what_nobody_caught_in_the_main_thread_comes_here(installed: CrashHandler) -> None:
    error = fault()
    sys.excepthook(type(error), error, error.__traceback__)

    assert installed.dialog is not None


def test_what_nobody_caught_in_another_thread_comes_here_too(installed: CrashHandler, qtbot: QtBot) -> None:
    def fail() -> None:
        raise fault()

    thread = threading.Thread(target=fail)
    with qtbot.waitSignal(installed.caught):
        thread.start()
        thread.join()

    assert installed.dialog is not None
    assert "fail" in installed.dialog.report


def test_a_report_names_the_versions() -> None:
    report = report_of(fault())

    assert "Python 3" in report and report.startswith("Chalkgraph fault report")


def test_an_interrupt_from_the_keyboard_is_no_fault(
    installed: CrashHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[type[BaseException]] = []
    hook: Callable[..., None] = lambda kind, *_rest: seen.append(kind)  # noqa: E731
    monkeypatch.setattr(installed, "_hooks", (hook, installed._hooks[1]))
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    monkeypatch.undo()

    assert seen == [KeyboardInterrupt]
    assert installed.dialog is None

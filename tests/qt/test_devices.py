"""Devices are looked for once, on a worker, and only when somebody asks."""

from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from app.engine.backends import choice
from app.engine.errors import BindError
from app.qt import devices as module
from app.qt.devices import Devices
from app.qt.runner import Runner


@pytest.fixture
def devices(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[Devices]:
    monkeypatch.setattr(module, "is_installed", lambda name: True)
    made = Devices()
    yield made
    made.shutdown()


def test_only_the_processor_is_known_until_one_looks(
    qtbot: QtBot, devices: Devices, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, started, start = [], [], Runner.start
    monkeypatch.setattr(choice, "devices", lambda name: asked.append(name) or ("cpu", "cuda:0"))
    monkeypatch.setattr(Runner, "start", lambda runner, job: started.append(job) or start(runner, job))
    assert devices.known == ("cpu",)
    with qtbot.waitSignal(devices.found):
        devices.look()
        devices.look()
    assert devices.known == ("cpu", "cuda:0")
    devices.look()
    assert asked == ["torch"] and len(started) == 1


def test_a_broken_pytorch_is_told(qtbot: QtBot, devices: Devices, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> None:
        raise BindError("PyTorch is installed but cannot be loaded: no such file.")

    monkeypatch.setattr(choice, "devices", refuse)
    with qtbot.waitSignal(devices.failed) as told:
        devices.look()
    assert "cannot be loaded" in str(told.args[0])
    assert devices.known == ("cpu",)


def test_without_pytorch_there_is_nothing_to_look_for(monkeypatch: pytest.MonkeyPatch, qtbot: QtBot) -> None:
    started = []
    monkeypatch.setattr(module, "is_installed", lambda name: False)
    monkeypatch.setattr(Runner, "start", lambda _runner, job: started.append(job))
    devices = Devices()
    devices.look()
    assert devices.known == () and started == []
    devices.shutdown()

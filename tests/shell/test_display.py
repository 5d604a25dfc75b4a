"""The one line that is said where no window can be shown."""

import socket
from pathlib import Path

import pytest

from app.shell import display
from app.shell.display import why_no_display


def test_no_display_is_said_in_one_line_that_names_what_works() -> None:
    line = why_no_display({}, "linux")

    assert line is not None
    assert "\n" not in line
    assert "no display" in line
    assert "run" in line and "shapes" in line


def test_every_command_that_works_without_a_window_is_named() -> None:
    from app.cli import _COMMANDS

    line = why_no_display({}, "linux")

    assert line is not None
    named = set(line.rpartition("chalkgraph ")[2].rstrip(".").split(", "))
    assert named == set(_COMMANDS) - {"gui"}


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_other_systems_always_have_one(platform: str) -> None:
    assert why_no_display({}, platform) is None


@pytest.mark.parametrize(
    "environment",
    [{"QT_QPA_PLATFORM": "offscreen"}, {"QT_QPA_PLATFORM": "minimal:x=1"}, {"WAYLAND_DISPLAY": "wayland-0"}],
)
def test_a_platform_without_x_is_left_alone(environment: dict[str, str]) -> None:
    assert why_no_display(environment, "linux") is None


@pytest.mark.parametrize("name", [":4711", "nonsense", "localhost:4711", "/nowhere/x:0"])
def test_a_display_that_is_not_there_is_named(name: str) -> None:
    line = why_no_display({"DISPLAY": name}, "linux")

    assert line is not None and name in line and "\n" not in line


def test_a_display_that_listens_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(display, "X_SOCKETS", tmp_path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(str(tmp_path / "X42"))
        server.listen(1)

        assert why_no_display({"DISPLAY": ":42.0"}, "linux", lambda *, for_a_window: ()) is None


def test_a_missing_library_comes_with_the_line_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(display, "X_SOCKETS", tmp_path)
    monkeypatch.setattr(display.shutil, "which", lambda name: f"/usr/bin/{name}")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(str(tmp_path / "X42"))
        server.listen(1)
        line = why_no_display({"DISPLAY": ":42"}, "linux", lambda *, for_a_window: ("libxcb-cursor.so.0",))

    assert line is not None and "libxcb-cursor.so.0" in line
    assert "sudo apt install libxcb-cursor0" in line


def test_libraries_of_the_display_are_not_asked_for_without_one() -> None:
    asked = []
    why_no_display(
        {"QT_QPA_PLATFORM": "offscreen"}, "linux", lambda *, for_a_window: asked.append(for_a_window)
    )

    assert asked == [False]

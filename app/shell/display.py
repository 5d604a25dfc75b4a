"""Whether a window can be shown at all, and if not, why."""

import ctypes
import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

WITHOUT_WINDOW = "these work without one: chalkgraph run, shapes, run-batch, shapes-batch"
HEADLESS_PLATFORMS = ("offscreen", "minimal", "vnc", "linuxfb", "eglfs")
X_LIBRARY = "libxcb-cursor.so.0"
X_SOCKETS = Path("/tmp/.X11-unix")


def why_no_display(environment: Mapping[str, str] | None = None, platform: str = sys.platform) -> str | None:
    """Return one line that says why no window can be shown and what works without one; None where one can."""
    environment = os.environ if environment is None else environment
    if not platform.startswith(("linux", "freebsd")):
        return None
    wanted = environment.get("QT_QPA_PLATFORM", "").split(":")[0].split(";")[0]
    if wanted in HEADLESS_PLATFORMS or environment.get("WAYLAND_DISPLAY"):
        return None
    display = environment.get("DISPLAY", "")
    if not display:
        return f"chalkgraph: there is no display to open a window on; {WITHOUT_WINDOW}."
    if not _answers(display):
        return f"chalkgraph: the display {display} does not answer; {WITHOUT_WINDOW}."
    if not _loads(X_LIBRARY):
        return (
            f"chalkgraph: Qt needs {X_LIBRARY} to open a window (sudo apt install libxcb-cursor0); {WITHOUT_WINDOW}."
        )
    return None


def _answers(display: str) -> bool:
    """Tell whether something listens behind an X display's name."""
    host, _, rest = display.rpartition(":")
    number = rest.split(".")[0]
    if not number.isdigit():
        return False
    if host in ("", "unix"):
        return _connects(socket.AF_UNIX, str(X_SOCKETS / f"X{number}")) or _connects(
            socket.AF_UNIX, f"\0{X_SOCKETS / f'X{number}'}"
        )
    if host.startswith("/"):
        return _connects(socket.AF_UNIX, display)
    return _connects(socket.AF_INET, (host.removeprefix("tcp/"), 6000 + int(number)))


def _connects(family: socket.AddressFamily, address: str | tuple[str, int]) -> bool:
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.settimeout(2.0)
        try:
            probe.connect(address)
        except OSError:
            return False
    return True


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True

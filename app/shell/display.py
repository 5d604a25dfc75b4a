"""Whether a window can be shown at all, and if not, why."""

import os
import shutil
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from app.qt.system_libraries import advice, missing_libraries

WITHOUT_WINDOW = (
    "these work without one: chalkgraph run, shapes, check-gradient, cost, run-batch, shapes-batch, params"
)
HEADLESS_PLATFORMS = ("offscreen", "minimal", "vnc", "linuxfb", "eglfs")
X_SOCKETS = Path("/tmp/.X11-unix")


def why_no_display(
    environment: Mapping[str, str] | None = None,
    platform: str = sys.platform,
    missing: Callable[..., tuple[str, ...]] = missing_libraries,
) -> str | None:
    """Return one line that says why no window can be shown and what works without one; None where one can."""
    environment = os.environ if environment is None else environment
    if not platform.startswith(("linux", "freebsd")):
        return None
    wanted = environment.get("QT_QPA_PLATFORM", "").split(":")[0].split(";")[0]
    uses_x = wanted not in HEADLESS_PLATFORMS and not environment.get("WAYLAND_DISPLAY")
    display = environment.get("DISPLAY", "")
    if uses_x and not display:
        return f"chalkgraph: there is no display to open a window on; {WITHOUT_WINDOW}."
    if uses_x and not _answers(display):
        return f"chalkgraph: the display {display} does not answer; {WITHOUT_WINDOW}."
    libraries = missing(for_a_window=uses_x)
    if libraries:
        way = advice(libraries, has_apt=shutil.which("apt-get") is not None)
        return f"chalkgraph: Qt needs {', '.join(libraries)} to open a window ({way}); {WITHOUT_WINDOW}."
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

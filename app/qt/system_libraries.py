"""Which libraries of the operating system Qt needs on Linux, and what to type where some are missing.

Plain Python without Qt: `start.py` asks before anything is installed, and the program asks before it loads Qt, since Qt
itself ends the whole process when it cannot load its connection to the display.
"""

import ctypes
import sys
from collections.abc import Callable, Iterable
from typing import Final

# library: the package of Debian and Ubuntu that holds it
FOR_QT: Final = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libdbus-1.so.3": "libdbus-1-3",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libz.so.1": "zlib1g",
}
FOR_A_WINDOW: Final = {
    "libX11.so.6": "libx11-6",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxcb.so.1": "libxcb1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
}


def missing_libraries(
    *,
    for_a_window: bool = True,
    platform: str = sys.platform,
    loads: Callable[[str], object] = ctypes.CDLL,
) -> tuple[str, ...]:
    """Return the libraries that Qt needs and cannot load here; none on Windows and macOS, where Qt brings its own."""
    if not platform.startswith("linux"):
        return ()
    wanted = (*FOR_QT, *FOR_A_WINDOW) if for_a_window else tuple(FOR_QT)
    return tuple(name for name in wanted if not _can_load(name, loads))


def packages(libraries: Iterable[str]) -> list[str]:
    """Return the Debian packages that hold the libraries, sorted."""
    known = FOR_QT | FOR_A_WINDOW
    return sorted({known[name] for name in libraries})


def advice(libraries: Iterable[str], *, has_apt: bool) -> str:
    """Return what to type, or what to look for where there is no apt."""
    if has_apt:
        return f"sudo apt install {' '.join(packages(libraries))}"
    return f"install the packages of your system that hold {', '.join(libraries)}"


def _can_load(name: str, loads: Callable[[str], object]) -> bool:
    try:
        loads(name)
    except OSError:
        return False
    return True

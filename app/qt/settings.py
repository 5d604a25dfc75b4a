"""What the program remembers between starts: typed settings over QSettings.

A stored value that does not fit its declaration (an old version's, or a damaged file's) counts as absent.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Generic, Literal, TypeVar, get_args, overload

from PySide6.QtCore import QByteArray, QObject, QSettings, Signal

T = TypeVar("T")
ThemeChoice = Literal["system", "light", "dark"]
PictureName = Literal["standard", "safe", "print"]
NodeStyle = Literal["auto", "picture", "card"]
GraphView = Literal["symbol", "split", "executor"]
RECENT_LIMIT: Final = 10
USUAL_SIZE: Final = 100
SIZES: Final = (100, 125, 150, 200)
"""How large everything may be shown, in percent."""


def _one_of(literal: object) -> Callable[[object], Any]:
    """Return a check that takes the words of a Literal type."""
    words: tuple[str, ...] = get_args(literal)

    def check(value: object) -> str:
        if value not in words:
            raise ValueError(f"{value!r} is none of {', '.join(words)}")
        return str(value)

    return check


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}[str(value)]


def _percent(value: object) -> int:
    percent = int(str(value))
    if percent not in SIZES:
        raise ValueError(f"{percent} % is none of the sizes")
    return percent


def _computing(value: object) -> str:
    from app.engine.backends.computing import Computing  # the engine is loaded after the first paint

    return Computing.read(str(value)).word


def _bytes(value: object) -> bytes:
    if isinstance(value, QByteArray):
        return bytes(value.data())
    return value if isinstance(value, bytes) else bytes.fromhex(str(value))


class Setting(Generic[T]):
    """One declared setting: its key in the file, its default, and the check that reads it back."""

    def __init__(self, key: str, default: T, read: Callable[[object], T]) -> None:
        self.key = key
        self.default = default
        self._read = read

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, settings: None, owner: type) -> "Setting[T]": ...
    @overload
    def __get__(self, settings: "Settings", owner: type) -> T: ...
    def __get__(self, settings: "Settings | None", owner: type) -> "Setting[T] | T":
        if settings is None:
            return self
        stored = settings.stored(self.key)
        if stored is None:
            return self.default
        try:
            return self._read(stored)
        except (KeyError, TypeError, ValueError):
            return self.default

    def __set__(self, settings: "Settings", value: T) -> None:
        checked = self._read(value)
        if checked != self.__get__(settings, Settings):
            settings.store(self.key, checked.hex() if isinstance(checked, bytes) else checked)
            settings.changed.emit(self.name)


class Settings(QObject):
    """All settings of the program; `changed` carries the name of the one that was set."""

    changed = Signal(str)

    theme = Setting[ThemeChoice]("look/theme", "system", _one_of(ThemeChoice))
    picture_palette = Setting[PictureName]("look/picture_palette", "standard", _one_of(PictureName))
    size = Setting("look/size", USUAL_SIZE, _percent)
    reduce_motion = Setting("look/reduce_motion", False, _flag)

    node_style = Setting[NodeStyle]("board/node_style", "auto", _one_of(NodeStyle))
    graph_view = Setting[GraphView]("board/graph_view", "split", _one_of(GraphView))
    show_grid = Setting("board/show_grid", True, _flag)
    minimap = Setting("board/minimap", False, _flag)
    show_arguments = Setting("board/show_arguments", True, _flag)
    show_shapes = Setting("board/show_shapes", True, _flag)
    show_heatmaps = Setting("board/show_heatmaps", True, _flag)
    live = Setting("run/live", True, _flag)
    computing = Setting("run/computing", "numpy", _computing)

    window_geometry = Setting("window/geometry", b"", _bytes)
    window_state = Setting("window/state", b"", _bytes)
    last_folder = Setting("files/last_folder", "", str)

    def __init__(self, path: Path | None = None) -> None:
        """Keep settings in the user's usual place, or in the file at `path`."""
        super().__init__()
        file_format = QSettings.Format.IniFormat
        if path is None:
            self._file = QSettings(file_format, QSettings.Scope.UserScope, "Chalkgraph", "Chalkgraph")
        else:
            self._file = QSettings(str(path), file_format)

    def stored(self, key: str) -> Any:
        """Return what the file holds under a key, or None."""
        return self._file.value(key)

    def store(self, key: str, value: object) -> None:
        """Write one value; it reaches the disk with the next turn of the event loop or `save`."""
        self._file.setValue(key, value)

    def save(self) -> None:
        """Write everything to the disk now."""
        self._file.sync()

    @property
    def recent_files(self) -> tuple[Path, ...]:
        """Return the files opened or saved last, the latest first."""
        stored = self._file.value("files/recent")
        names = [stored] if isinstance(stored, str) else list(stored or ())
        return tuple(Path(str(name)) for name in names)

    def add_recent_file(self, path: Path) -> None:
        """Put a file at the head of the recent ones."""
        path = path.absolute()
        self._set_recent((path, *(other for other in self.recent_files if other != path)))

    def forget_recent_file(self, path: Path) -> None:
        """Take a file out of the recent ones, since it is gone or cannot be read."""
        self._set_recent(tuple(other for other in self.recent_files if other != path.absolute()))

    def forget_recent_files(self) -> None:
        """Empty the list of recent files."""
        self._set_recent(())

    def _set_recent(self, paths: tuple[Path, ...]) -> None:
        self._file.setValue("files/recent", [str(path) for path in paths[:RECENT_LIMIT]])
        self.changed.emit("recent_files")

"""Actions are records, and menu, toolbar, keys and the command palette all read the same ones."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Literal

import attrs
from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar, QWidget

from app.panels.command_palette import Command

if TYPE_CHECKING:
    from app.shell.workbench import Workbench

MenuName = Literal["File", "Edit", "View", "Graph", "Executor", "Help"]
MENUS: tuple[MenuName, ...] = ("File", "Edit", "View", "Graph", "Executor", "Help")
MENU_TEXTS: Mapping[MenuName, str] = {"Executor": "E&xecutor", "Help": "Hel&p"}
"""Where the first letter is another menu's, or Alt with it another key."""


def always(_bench: "Workbench") -> bool:
    """The action can be done at any time."""
    return True


def ready(bench: "Workbench") -> bool:
    """The action needs the parts that are loaded after the first paint."""
    return bench.is_ready


def with_document(bench: "Workbench") -> bool:
    """The action needs an open document."""
    return bench.is_ready and bench.has_document


@attrs.frozen
class Action:
    """One thing a person can do: what it is called, its keys, when it can be done, and what does it.

    `text` may hold the & of a menu's letter. `path` is the submenu it stands in; `group` names the choices of which one
    is on; `board` actions take their keys only while the board has the focus. A rule is drawn above it where `rule` is.
    """

    id: str
    text: str
    menu: MenuName
    run: Callable[["Workbench"], object]
    keys: tuple[str, ...] = ()
    enabled: Callable[["Workbench"], bool] = with_document
    checked: Callable[["Workbench"], bool] | None = None
    path: str = ""
    group: str = ""
    rule: bool = False
    board: bool = False
    tip: str = ""

    @property
    def words(self) -> str:
        """The text without the marks of a menu."""
        return self.text.replace("&&", "\0").replace("&", "").replace("\0", "&")

    @property
    def title(self) -> str:
        """The words as a command palette shows them, with the submenu in front."""
        return f"{self.path}: {self.words}" if self.path else self.words


class Actions(QObject):
    """The QActions of one window, made from the records."""

    def __init__(self, bench: "Workbench", table: Iterable[Action]) -> None:
        super().__init__(bench)
        self._bench = bench
        self.records: Mapping[str, Action] = {record.id: record for record in table}
        self._actions: dict[str, QAction] = {}
        self._groups: dict[str, QActionGroup] = {}
        self._submenus: dict[tuple[str, str], QMenu] = {}
        for record in self.records.values():
            self._actions[record.id] = self._make(record)

    def __getitem__(self, action_id: str) -> QAction:
        """Return the QAction of a record."""
        return self._actions[action_id]

    def trigger(self, action_id: str) -> None:
        """Do an action, unless it can't be done now."""
        self.refresh()
        self._actions[action_id].trigger()

    def refresh(self) -> None:
        """Ask every record again whether it can be done and whether it is on."""
        for record in self.records.values():
            action = self._actions[record.id]
            action.setEnabled(record.enabled(self._bench))
            if record.checked is not None:
                action.setChecked(record.checked(self._bench))

    def commands(self) -> tuple[Command, ...]:
        """Return all actions for the command palette, as they are now."""
        self.refresh()
        return tuple(
            Command(
                record.id,
                record.title,
                keys_of(self._actions[record.id]),
                self._actions[record.id].isEnabled(),
            )
            for record in self.records.values()
        )

    def hand_to_board(self, board: QWidget) -> None:
        """Let the keys of the board's own actions work while the board has the focus."""
        for record in self.records.values():
            if record.board:
                board.addAction(self._actions[record.id])

    def submenu(self, menu: MenuName, path: str) -> QMenu:
        """Return a submenu, for those whose entries change."""
        return self._submenus[(menu, path)]

    def fill(self, bar: QMenuBar) -> None:
        """Make the menus of a menu bar."""
        for name in MENUS:
            menu = bar.addMenu(MENU_TEXTS.get(name, f"&{name}"))
            menu.aboutToShow.connect(self.refresh)
            for record in self.records.values():
                if record.menu == name:
                    self._place(record, menu)

    def _place(self, record: Action, menu: QMenu) -> None:
        target = menu
        if record.path:
            key = (record.menu, record.path)
            if key not in self._submenus:
                if record.rule:
                    menu.addSeparator()
                self._submenus[key] = menu.addMenu(record.path)
                self._submenus[key].aboutToShow.connect(self.refresh)
            elif record.rule:
                self._submenus[key].addSeparator()
            target = self._submenus[key]
        elif record.rule:
            menu.addSeparator()
        target.addAction(self._actions[record.id])

    def _make(self, record: Action) -> QAction:
        action = QAction(record.text, self._bench.window)
        action.setObjectName(record.id)
        action.setShortcuts([QKeySequence(key) for key in record.keys])
        if record.board:
            action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        keys = keys_of(action)
        tip = record.tip or record.words
        action.setToolTip(f"{tip}  {keys}" if keys else tip)
        action.setStatusTip(record.tip)
        if record.checked is not None:
            action.setCheckable(True)
        if record.group:
            self._groups.setdefault(record.group, QActionGroup(self)).addAction(action)
        action.triggered.connect(lambda _checked=False, record=record: self._do(record))
        return action

    def _do(self, record: Action) -> None:
        record.run(self._bench)
        self.refresh()


def keys_of(action: QAction) -> str:
    """Return an action's first key as this system writes it."""
    return action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)

"""The submenus whose entries change: the recent files, and the history."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu

if TYPE_CHECKING:
    from app.shell.workbench import Workbench

STEPS_SHOWN = 20


class ChangingMenus(QObject):
    """Fills these submenus anew each time they open; the action that the table has in them stays last."""

    def __init__(self, bench: "Workbench") -> None:
        super().__init__(bench)
        self._bench = bench
        recent = bench.actions.submenu("File", "Open recent")
        recent.aboutToShow.connect(lambda: self._fill(recent, self._recent()))
        history = bench.actions.submenu("Edit", "History")
        history.aboutToShow.connect(lambda: self._fill(history, self._history()))

    def _fill(self, menu: QMenu, entries: list[QAction]) -> None:
        last = menu.actions()[-1]
        for action in menu.actions()[:-1]:
            menu.removeAction(action)
            action.deleteLater()
        if entries:
            separator = QAction(menu)
            separator.setSeparator(True)
            entries.append(separator)
        menu.insertActions(last, entries)

    def _recent(self) -> list[QAction]:
        return [
            self._entry(path.name, partial(self._bench.open, path), tip=str(path))
            for path in self._bench.settings.recent_files
        ]

    def _history(self) -> list[QAction]:
        """List the latest steps, undone ones first and pale; a click goes to just after the step."""
        store = self._bench.workspace.store
        labels = store.history_labels()
        steps = [(label, True) for label in labels.done] + [(label, False) for label in labels.undone]
        now = len(labels.done)
        first = max(0, min(now - STEPS_SHOWN // 2, len(steps) - STEPS_SHOWN))
        entries = []
        for number in range(min(len(steps), first + STEPS_SHOWN), first, -1):
            label, is_done = steps[number - 1]
            entry = self._entry(label if is_done else f"{label} (undone)", partial(store.go_to, number))
            entry.setCheckable(True)
            entry.setChecked(number == now)
            entries.append(entry)
        return entries

    def _entry(self, words: str, do: Callable[[], object], tip: str = "") -> QAction:
        action = QAction(words.replace("&", "&&"), self)
        action.setToolTip(tip or words)
        action.triggered.connect(lambda _checked=False: do())
        return action

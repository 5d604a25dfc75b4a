"""The command palette: every action by name, with its key."""

from collections.abc import Iterable, Sequence

import attrs
from PySide6.QtCore import QPoint, Signal
from PySide6.QtWidgets import QWidget

from app.panels.matching import Candidate, find
from app.panels.result_list import Row
from app.panels.search import SearchPopup
from app.qt.theme import Theming


@attrs.frozen
class Command:
    """One action as the palette shows it: its id, its words, its key as people read it, whether it can be done now."""

    id: str
    text: str
    key: str = ""
    enabled: bool = True


class CommandPalette(SearchPopup):
    """Finds an action by a few letters and hands back its id; actions that cannot be done now are grey and last."""

    chosen = Signal(str)

    def __init__(self, theming: Theming, parent: QWidget | None = None) -> None:
        super().__init__(theming, parent, prompt="Find or run a command", hint="Enter runs it  ·  Esc closes")
        self._commands: dict[str, Command] = {}
        self._candidates: tuple[Candidate, ...] = ()

    def open_with(self, commands: Iterable[Command], place: QPoint) -> None:
        """Show the palette with these actions; its upper left corner comes near the place on the screen."""
        self._commands = {command.id: command for command in commands}
        self._candidates = tuple(
            Candidate(
                command.id, command.text, order=number if command.enabled else number + len(self._commands)
            )
            for number, command in enumerate(self._commands.values())
        )
        self.open_at(place)

    def rows_for(self, query: str) -> Sequence[Row]:
        """Return the actions that the typed letters may mean, those that can be done first."""
        rows = []
        for match in find(query, self._candidates):
            command = self._commands[match.candidate.key]
            rows.append(Row(command.id, command.text, match.span, note=command.key, enabled=command.enabled))
        return sorted(rows, key=lambda row: not row.enabled)

    def take(self, row: Row, *, stay: bool) -> None:
        """Hand back the action's id."""
        self.chosen.emit(row.key)

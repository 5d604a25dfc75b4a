"""The toolbar: the actions one needs all the time, what is bound, and the line that finds the rest."""

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QToolBar, QToolButton, QWidget

from app.qt.icons import Icons
from app.qt.theme import HALF_STEP, STEP
from app.shell.actions import Actions, keys_of

VIEWS = ("view_symbol", "view_split", "view_executor")
RUNS = ("forward", "backward")
ROOMY, SHORT, TIGHT, LEAST = 1192, 1072, 968, 672
"""Down to so many pixels a row has room for everything, for short words, for words that nobody guesses, for icons."""
STOP_AFTER_MS = 150
BIND_WIDTH, FIND_WIDTH, LEAST_WIDTH = 208, 240, 40
LEAST_BIND = 88
"""What is bound is told nowhere else, so a few letters of it stay."""
AROUND_TEXT = 46
"""What icon, padding and border of a button take."""


class ToolBar(QToolBar):
    """One row, in which what can't be done now is pale; in a narrow window the long texts give way first."""

    def __init__(self, actions: Actions, icons: Icons, parent: QWidget) -> None:
        super().__init__("Toolbar", parent)
        self.setObjectName("toolbar")
        self.setMovable(False)
        self.setFloatable(False)
        self.setIconSize(QSize(16, 16))
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self._actions = actions
        self._icons = icons
        self._room = ROOMY
        holder = QWidget()
        holder.setMinimumWidth(LEAST)
        self._row = QHBoxLayout(holder)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(HALF_STEP)
        self.addWidget(holder)
        self._fill()
        self._stop_timer = QTimer(self, singleShot=True, interval=STOP_AFTER_MS)
        self._stop_timer.timeout.connect(lambda: self._stop_button.setEnabled(True))
        self._stop_button.setEnabled(False)

    def _fill(self) -> None:
        self._files: list[QToolButton] = []
        self._runs: dict[str, QToolButton] = {}
        for name in ("new", "open", "save"):
            self._actions[name].setIcon(self._icons.icon(name))
            self._files.append(self._add(name))
        self._row.addSpacing(STEP)
        self._add_icon("undo", "undo", "text")
        self._add_icon("redo", "redo", "text")
        self._row.addStretch(1)
        self._add_segments()
        self._row.addStretch(1)
        self.bind_button = self._add_bind()
        self._add_run("forward", "good")
        self._add_run("backward", "info")
        self._actions["step_back"].setIcon(self._icons.icon("step-back", "text"))
        self._add_icon("step", "step", "text")
        self._stop_button = self._add_icon("stop", "stop", "error")
        self._add_live()
        self._row.addStretch(1)
        self.find_button = self._add_find()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave words away where there is little room."""
        super().resizeEvent(event)
        room = next((least for least in (ROOMY, SHORT, TIGHT) if self.width() >= least), LEAST)
        if room != self._room:
            self._room = room
            self._fold()

    def _fold(self) -> None:
        """Show as many words as there is room for, the least telling ones last."""
        style = Qt.ToolButtonStyle
        for button in self._files:
            button.setToolButtonStyle(
                style.ToolButtonTextOnly if self._room >= ROOMY else style.ToolButtonIconOnly
            )
            button.setVisible(self._room >= TIGHT)  # they are in the menu above, with their keys
        for name in RUNS:
            self._name_run(name)
            self._runs[name].setToolButtonStyle(
                style.ToolButtonTextBesideIcon if self._room >= TIGHT else style.ToolButtonIconOnly
            )
        self._live.setToolButtonStyle(
            style.ToolButtonTextBesideIcon if self._room >= SHORT else style.ToolButtonIconOnly
        )
        self.find_button.setMaximumWidth(FIND_WIDTH if self._room >= SHORT else LEAST_WIDTH)

    def show_run_state(self, state: str) -> None:
        """Make Stop available once a run takes long enough to be stopped, and as long as one is gone through."""
        if state == "running":
            self._stop_timer.start()
        else:
            self._stop_timer.stop()
            self._actions.refresh()
            self._stop_button.setEnabled(self._actions["stop"].isEnabled())

    def show_bound(self, words: str) -> None:
        """Say what a bind would hand out."""
        self.bind_button.show_words(words, words.partition(" (")[0])
        self.bind_button.setToolTip(f"{words}\nChoose the outputs, and which gradients are wanted")

    def _add(self, action_id: str, button: QToolButton | None = None) -> QToolButton:
        button = button if button is not None else QToolButton()
        button.setDefaultAction(self._actions[action_id])
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._row.addWidget(button)
        return button

    def _add_icon(self, action_id: str, icon: str, role: str) -> QToolButton:
        self._actions[action_id].setIcon(self._icons.icon(icon, role))
        button = self._add(action_id)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
        return button

    def _add_segments(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(0)
        for name in VIEWS:
            button = self._add(name)
            button.setProperty("look", "segment")
            row.addWidget(button)
        self._row.addLayout(row)

    def _add_bind(self) -> "Elastic":
        button = Elastic(BIND_WIDTH, LEAST_BIND)
        button.setIcon(self._icons.icon("chevron-down", "muted"))
        button.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setAccessibleName("What is bound")
        self._row.addWidget(button)
        return button

    def _add_run(self, action_id: str, look: str) -> None:
        action = self._actions[action_id]
        action.setIcon(self._icons.icon(action_id, look))
        self._name_run(action_id)
        button = self._add(action_id)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setProperty("look", look)
        self._runs[action_id] = button

    def _name_run(self, action_id: str) -> None:
        action, words = self._actions[action_id], self._actions.records[action_id].words
        action.setIconText(words if self._room < ROOMY else f"{words}  {keys_of(action)}")

    def _add_live(self) -> None:
        self._actions["live"].setIcon(self._icons.icon("live", "accent"))
        self._live = button = self._add("live")
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setProperty("look", "pill")

    def _add_find(self) -> "Elastic":
        action = self._actions["find"]
        button = Elastic(FIND_WIDTH)
        button.setIcon(self._icons.icon("search", "muted"))
        button.show_words(f"Find or run a command   {keys_of(action)}", f"Find   {keys_of(action)}")
        button.setToolTip(action.toolTip())
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(action.trigger)
        action.changed.connect(lambda: button.setEnabled(action.isEnabled()))
        self._row.addWidget(button)
        return button


class Elastic(QToolButton):
    """A button that looks like a field, and whose text is cut where it has no room."""

    def __init__(self, width: int, least: int = LEAST_WIDTH) -> None:
        super().__init__()
        self._width, self._least = width, least
        self._words = self._short = ""
        self.setProperty("look", "field")
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    @property
    def words(self) -> str:
        """The whole text."""
        return self._words

    def show_words(self, words: str, short: str = "") -> None:
        """Show another text in the same room, or the short one, or its beginning, where the room is small."""
        self._words, self._short = words, short or words
        self._cut()

    def sizeHint(self) -> QSize:
        """Ask for a width that does not depend on the text."""
        return QSize(self._width, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        """Be content with the icon and a few letters."""
        return QSize(self._least, super().sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Cut the text anew."""
        super().resizeEvent(event)
        self._cut()

    def _cut(self) -> None:
        room = self.width() - AROUND_TEXT
        metrics = self.fontMetrics()
        shorter = (self._words, self._short, self._short.partition("   ")[0])
        words = next((one for one in shorter if metrics.horizontalAdvance(one) <= room), self._short)
        cut = metrics.elidedText(words, Qt.TextElideMode.ElideRight, room)
        if cut != self.text():
            self.setText(cut)

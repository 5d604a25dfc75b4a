"""The toolbar: the actions one needs all the time, what is bound, and the line that finds the rest."""

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QToolBar, QToolButton, QWidget

from app.qt.icons import Icons
from app.qt.theme import STEP
from app.shell.actions import Actions, keys_of

VIEWS = ("view_symbol", "view_split", "view_executor")
STOP_AFTER_MS = 150
BIND_WIDTH = 176


class ToolBar(QToolBar):
    """One row; what can't be done now is pale."""

    def __init__(self, actions: Actions, icons: Icons, parent: QWidget) -> None:
        super().__init__("Toolbar", parent)
        self.setObjectName("toolbar")
        self.setMovable(False)
        self.setFloatable(False)
        self.setIconSize(QSize(16, 16))
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self._actions = actions
        self._icons = icons
        for name in ("new", "open", "save"):
            self._button(name, Qt.ToolButtonStyle.ToolButtonTextOnly)
        self._gap(STEP)
        self._icon("undo", "undo", "text")
        self._icon("redo", "redo", "text")
        self._stretch()
        self._segments()
        self._stretch()
        self.bind_button = self._bind()
        self._run("forward", "good")
        self._run("backward", "info")
        self._stop_button = self._icon("stop", "stop", "error")
        self._live()
        self._stretch()
        self.find_button = self._find()
        self._stop_timer = QTimer(self, singleShot=True, interval=STOP_AFTER_MS)
        self._stop_timer.timeout.connect(lambda: self._stop_button.setEnabled(True))
        self._stop_button.setEnabled(False)

    def show_run_state(self, state: str) -> None:
        """Make Stop available once a run takes long enough to be stopped."""
        if state == "running":
            self._stop_timer.start()
        else:
            self._stop_timer.stop()
            self._stop_button.setEnabled(False)

    def show_bound(self, words: str) -> None:
        """Say what a bind would hand out, in a button that keeps its width."""
        metrics = self.bind_button.fontMetrics()
        self.bind_button.setText(metrics.elidedText(words, Qt.TextElideMode.ElideMiddle, BIND_WIDTH - 48))
        self.bind_button.setToolTip(f"{words}\nChoose the outputs, and which gradients are wanted")

    def _button(self, action_id: str, style: Qt.ToolButtonStyle) -> QToolButton:
        button = QToolButton()
        button.setDefaultAction(self._actions[action_id])
        button.setToolButtonStyle(style)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.addWidget(button)
        return button

    def _icon(self, action_id: str, icon: str, role: str) -> QToolButton:
        action = self._actions[action_id]
        action.setIcon(self._icons.icon(icon, role))
        return self._button(action_id, Qt.ToolButtonStyle.ToolButtonIconOnly)

    def _segments(self) -> None:
        holder = QWidget()
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        for name in VIEWS:
            button = QToolButton()
            button.setDefaultAction(self._actions[name])
            button.setProperty("look", "segment")
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            row.addWidget(button)
        self.addWidget(holder)

    def _bind(self) -> QToolButton:
        button = QToolButton()
        button.setText("Bind")
        button.setFixedWidth(BIND_WIDTH)
        button.setProperty("look", "field")
        button.setIcon(self._icons.icon("chevron-down", "muted"))
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.addWidget(button)
        return button

    def _run(self, action_id: str, look: str) -> None:
        action = self._actions[action_id]
        action.setIcon(self._icons.icon(action_id, look))
        action.setIconText(f"{self._actions.records[action_id].words}  {keys_of(action)}")
        button = self._button(action_id, Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setProperty("look", look)

    def _live(self) -> None:
        button = self._button("live", Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.defaultAction().setIcon(self._icons.icon("live", "accent"))
        button.setProperty("look", "pill")

    def _find(self) -> QToolButton:
        action = self._actions["find"]
        action.setIcon(self._icons.icon("search", "muted"))
        action.setIconText(f"Find or run a command   {keys_of(action)}")
        button = self._button("find", Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setProperty("look", "field")
        return button

    def _gap(self, width: int) -> None:
        holder = QWidget()
        holder.setFixedWidth(width)
        self.addWidget(holder)

    def _stretch(self) -> None:
        holder = QWidget()
        holder.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.addWidget(holder)

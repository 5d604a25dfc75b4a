"""Chooses what computes a run: numpy, or PyTorch on one of its devices."""

from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import QComboBox

from app.engine.backends.computing import NOT_INSTALLED, TORCH, Computing, is_installed
from app.panels.panel import label
from app.qt.workspace import Workspace

SAYS = "What computes: numpy is complete; PyTorch is faster on large images, and can use a graphics card."
MOST_TOLD = 8


class ComputingPicker(QComboBox):
    """A list of what can compute here; graphics cards are looked for when it is first opened.

    `note` is a label for which nodes of the last run were left to numpy.
    """

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self.setAccessibleName("Computed by")
        self.note = label("", "muted", wrap=True)
        self.activated.connect(self._choose)
        workspace.devices.found.connect(self.show_choice)
        workspace.settings.changed.connect(self._on_setting)
        workspace.results_changed.connect(self._say)
        self.show_choice()
        self._say(workspace.results)

    @property
    def _chosen(self) -> Computing:
        return Computing.read(self._workspace.settings.computing)

    def show_choice(self) -> None:
        """List what there is, and what was chosen even if it is not there now."""
        offered = [Computing(), *(Computing(TORCH, device) for device in self._workspace.devices.known)]
        for computing in (self._chosen, Computing(TORCH)):
            if computing not in offered:
                offered.append(computing)
        with QSignalBlocker(self):
            self.clear()
            for computing in offered:
                missing = "" if is_installed(computing.backend) else " (not installed)"
                self.addItem(f"{computing.title}{missing}", computing.word)
            self.setCurrentIndex(offered.index(self._chosen))

    def showPopup(self) -> None:
        """Open the list, and look for graphics cards."""
        self._workspace.devices.look()
        super().showPopup()

    def _choose(self, place: int) -> None:
        """Compute with this from now on, or say what is missing for it."""
        wanted = Computing.read(self.itemData(place))
        if is_installed(wanted.backend):
            self._workspace.settings.computing = wanted.word
        else:
            self._workspace.message.emit(NOT_INSTALLED)
            self.show_choice()

    def _on_setting(self, name: str) -> None:
        if name == "computing":
            self.show_choice()

    def _say(self, results: object) -> None:
        """Tell which nodes of the last run were left to numpy, and why."""
        left = getattr(results, "host_nodes", ())
        lines = [f"{node.name} ({node.op_name}) ran in numpy: {node.reason}." for node in left[:MOST_TOLD]]
        if len(left) > len(lines):
            lines.append(f"… and {len(left) - len(lines)} more.")
        self.setToolTip("\n".join((SAYS, *lines)))
        self.note.setText("\n".join(lines))
        self.note.setVisible(bool(lines))

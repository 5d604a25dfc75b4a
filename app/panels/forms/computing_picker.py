"""Chooses what computes a run: numpy, or PyTorch on one of its devices."""

from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import QComboBox

from app.engine.backends.computing import TORCH, Computing, is_installed
from app.qt.workspace import Workspace

SAYS = "What computes: numpy is complete; PyTorch is faster on large images, and can use a graphics card."


class ComputingPicker(QComboBox):
    """A list of what can compute here; graphics cards are looked for when it is first opened.

    It is only shown where there is a choice.
    """

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self.setAccessibleName("Computed by")
        self.activated.connect(self._choose)
        workspace.devices.found.connect(self.show_choice)
        workspace.settings.changed.connect(self._on_setting)
        workspace.results_changed.connect(self._say)
        self.show_choice()
        self._say(workspace.results)

    @property
    def is_needed(self) -> bool:
        """Whether there is a choice, or something other than numpy was chosen."""
        return is_installed(TORCH) or self._chosen.backend == TORCH

    @property
    def _chosen(self) -> Computing:
        return Computing.read(self._workspace.settings.computing)

    def show_choice(self) -> None:
        """List what there is, and what was chosen even if it is not there now."""
        offered = [Computing(), *(Computing(TORCH, device) for device in self._workspace.devices.known)]
        if self._chosen not in offered:
            offered.append(self._chosen)
        with QSignalBlocker(self):
            self.clear()
            for computing in offered:
                self.addItem(computing.title, computing.word)
            self.setCurrentIndex(offered.index(self._chosen))

    def showPopup(self) -> None:
        """Open the list, and look for graphics cards."""
        self._workspace.devices.look()
        super().showPopup()

    def _choose(self, place: int) -> None:
        self._workspace.settings.computing = self.itemData(place)

    def _on_setting(self, name: str) -> None:
        if name == "computing":
            self.show_choice()

    def _say(self, results: object) -> None:
        """Tell which nodes of the last run were left to numpy, and why."""
        left = getattr(results, "host_nodes", ())
        lines = [f"{node.name} ({node.op_name}) ran in numpy: {node.reason}." for node in left[:8]]
        if len(left) > len(lines):
            lines.append(f"… and {len(left) - len(lines)} more.")
        self.setToolTip("\n".join((SAYS, *lines)))

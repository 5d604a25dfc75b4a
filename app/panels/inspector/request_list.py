"""The gradient requests of all arguments in one place, to see what a bind leaves out."""

import attrs
from PySide6.QtWidgets import QGridLayout, QWidget

from app.document.analysis import Analysis
from app.document.edits import set_binding
from app.document.records import Binding, Request
from app.panels.forms.request_picker import RequestPicker
from app.panels.panel import empty, label
from app.qt.theme import HALF_STEP, STEP
from app.qt.workspace import Workspace
from app.services.proposals import propose_request

LISTED_AT_MOST = 8
"""With more arguments the list would be no help; the sheet of the bind has them all."""


class RequestList(QWidget):
    """One line per argument: its name, and write, add or none."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self.pickers: dict[str, RequestPicker] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, STEP, 0, 0)
        self._grid.setHorizontalSpacing(STEP)
        self._grid.setVerticalSpacing(HALF_STEP)
        self._grid.setColumnStretch(1, 1)

    def show_requests(self, analysis: Analysis) -> None:
        """Show what the document asks for."""
        names = analysis.argument_names
        listed = names if len(names) <= LISTED_AT_MOST else ()
        if tuple(self.pickers) != listed:
            self._fill(listed)
        for name, picker in self.pickers.items():
            picker.show_request(analysis.document.bindings.get(name, Binding(name)).request)
        self.setVisible(bool(listed))

    def _fill(self, names: tuple[str, ...]) -> None:
        empty(self._grid)
        self.pickers = {}
        self._grid.addWidget(label("Request", "heading"), 0, 0, 1, 2)
        for number, name in enumerate(names, start=1):
            picker = RequestPicker(name, propose_request(name))
            picker.picked.connect(lambda request, name=name: self._set(name, request))
            self.pickers[name] = picker
            self._grid.addWidget(label(name, "mono"), number, 0)
            self._grid.addWidget(picker, number, 1)

    def _set(self, name: str, request: Request | None) -> None:
        binding = self._workspace.document.bindings.get(name, Binding(name))
        self._workspace.try_edit(set_binding, attrs.evolve(binding, request=request))

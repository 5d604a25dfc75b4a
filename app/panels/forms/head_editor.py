"""Edits the gradient that comes in at one output."""

from app.document.constants import constant_fault
from app.document.edits import set_head_gradient
from app.document.records import Head
from app.panels.forms.fields import TextField
from app.panels.forms.parameter_form import FormGrid
from app.qt.workspace import Workspace


class HeadEditor(FormGrid):
    """The gradient that is handed to backward for one output."""

    def __init__(self, workspace: Workspace, name: str, *, caption: str = "Head gradient") -> None:
        super().__init__()
        self.workspace = workspace
        self.name = name
        field = TextField("1")
        self.row = self.add_row(
            caption, field, tip=f"What backward gets for {name}: a number, or a list of its shape."
        )
        field.edited.connect(self._set)

    def show_head(self) -> None:
        """Show what the document says."""
        text = self.workspace.document.heads.get(self.name, Head(self.name)).gradient
        is_set = self.name in self.workspace.document.heads
        self.row.show(text if is_set else None, constant_fault(text))

    def _set(self, text: str | None) -> None:
        self.workspace.try_edit(set_head_gradient, self.name, text or "1")

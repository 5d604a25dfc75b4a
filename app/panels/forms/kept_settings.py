"""The settings of a node whose operator is not known here: to be read, and copied, but not changed."""

from collections.abc import Mapping

from PySide6.QtWidgets import QWidget

from app.panels.forms.fields import TextField
from app.panels.forms.parameter_form import FormGrid


class KeptSettings(FormGrid):
    """Shows texts as they came from a file."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        super().__init__()
        self.fields: dict[str, TextField] = {}
        for name, text in texts.items():
            field = TextField()
            field.line.setReadOnly(True)
            self.add_row(name, field, tip=f"{name} = {text}\nKept as it came.")
            field.show_text(text)
            self.fields[name] = field
        self.fit_captions()

    @property
    def tab_stops(self) -> list[QWidget]:
        """What Tab goes through, from top to bottom."""
        return list(self.fields.values())
